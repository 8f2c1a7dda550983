"""`python -m tests.upgrades.make_state`: keeps the state that this version makes, for the tests of later versions.

Run it with the engine on PATH. The state of a version that is released is never changed; that of one that is not, which
has got a resource more, is deleted and made again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.support.emulator import emulator
from tests.upgrades.kept import STATES, Kept


def main() -> int:
    file = STATES / f"{version('cloud-runs')}.json"
    if file.exists():
        print(f"{file} is kept already", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, emulator("--run-seconds", "0") as cloud:
        stack = Kept(Path(folder), cloud)
        stack.up()
        stack.refresh()
        state = json.loads(stack.pulumi("stack", "export", "-s", stack.name).out)
    for resource in state["deployment"]["resources"]:
        for name in ("sourcePosition", "stackTrace"):  # paths of this machine, which nothing reads
            resource.pop(name, None)
    file.write_text(json.dumps(state, indent=1, ensure_ascii=False) + "\n")
    print(f"{file}: {len(state['deployment']['resources'])} resources")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
