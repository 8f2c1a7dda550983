"""`python -m tests.hostile --seconds N --seed S`: hostile cases for a time, counted by how they ended.

A case that fails is told with what repeats it: `--case 'wire 1:2345'`.
"""

from __future__ import annotations

import argparse
import time
import traceback
from collections import Counter

from tests.hostile import cases

KINDS = {"told": cases.told, "wire": cases.wire}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--case", help="one case alone, as a failure tells it")
    given = parser.parse_args()
    if given.case:
        kind, _, seed = given.case.partition(" ")
        print(KINDS[kind](seed))
        return 0
    ended: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    began, number = time.monotonic(), 0
    while time.monotonic() - began < given.seconds:
        number += 1
        kind = "wire" if number % 10 == 0 else "told"
        seed = f"{given.seed}:{number}"
        try:
            ended[f"{kind} {cases.within(120, lambda: KINDS[kind](seed))}"] += 1  # noqa: B023 - called at once
        except Exception as error:  # noqa: BLE001 - told, counted, and the campaign goes on
            at = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} in {at.name}"
            failures[what] += 1
            if failures[what] <= 3:
                print(
                    f"FAILED --case '{kind} {seed}': {ascii(str(error))[:2000]}\n{ascii_traceback(error)}", flush=True
                )
    for how, count in sorted(ended.items()):
        print(f"{count:8} {how}")
    print(f"{number} cases in {time.monotonic() - began:.0f} s from seed {given.seed}; {failures.total()} failed")
    return 1 if failures else 0


def ascii_traceback(error: BaseException) -> str:
    lines = "".join(traceback.format_tb(error.__traceback__)[-6:])
    return lines.encode("ascii", "backslashreplace").decode()


if __name__ == "__main__":
    raise SystemExit(main())
