"""The stack whose state is kept: its program and settings, the same when it was made and when it is tested."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.kits import KITS, settings
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import Stack

HERE = Path(__file__).parent
STATES = HERE / "states"
OF_0_1, SINCE_0_2 = ((HERE / name).read_text() for name in ("program.py", "program_0_2.py"))
PASSPHRASE = "of the kept states"


class Kept(Stack):
    """The addresses come from the environment, so that no port is in the state."""

    def __init__(self, folder: Path, emulator: Emulator, name: str = "kept", state: str = "") -> None:
        """`state`: the one whose program it has; without it, that of this version."""
        super().__init__(folder, emulator, name)
        self.configure(
            tests__otherId=SECRET_ID,
            **settings(emulator.url) | {kit.kind.vendor.endpoint.config: None for kit in KITS.values()},
        )
        self.pulumi("config", "set", "--secret", "otherKey", SECRET_KEY, "-s", name)
        of_0_1 = state and "dynamic/huawei/dwr:" not in state
        self.program(OF_0_1 if of_0_1 else OF_0_1 + SINCE_0_2)

    @property
    def env(self) -> dict[str, str]:
        names = [kit.kind.vendor.endpoint.environ for kit in KITS.values()]
        return super().env | dict.fromkeys(names, self.emulator.url) | {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}

    def load(self, state: str) -> None:
        file = self.folder / "kept.json"
        file.write_text(state)
        self.pulumi("stack", "import", "--file", str(file), "-s", self.name)

    def exported(self) -> str:
        return self.pulumi("stack", "export", "-s", self.name).out


def resources(state: str) -> list[dict[str, Any]]:
    return list(json.loads(state)["deployment"]["resources"])


def ids(resources: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The ids of all runs on record, by resource, and in a fan-out by object."""
    found = {}
    for entry in resources:
        name, outputs = entry["urn"].split("::", 3)[3], entry.get("outputs", {})
        if "instance_ids" in outputs:
            found |= {f"{name} {key}": id for key, id in outputs["instance_ids"].items()}
        elif "reference" in outputs:
            found[name] = entry["id"]
    return found
