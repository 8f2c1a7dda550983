"""Runs in an emulator, and the export of a stack that has them on record: for verbs that need no Pulumi."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cloud_runs.accounts import settings
from cloud_runs.runs import Reference
from cloud_runs.wire.settings import Settings
from tests import kits
from tests.kits import KITS
from tests.kits.kit import EMULATED, Kit
from tests.status.test_recorded import resource
from tests.support.clients import hasty
from tests.support.emulator import Emulator

ALL = tuple(KITS)


def environment(cloud: Emulator) -> dict[str, str]:
    """What points a command at the emulator."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "COLUMNS"))}
    given = {"runs:lagSeconds": "0", **kits.settings(cloud.url)}
    ours = {one.environ: given[key] for one in settings() for key in one.keys if key in given}
    return {**others, **ours}


def place(kit: Kit) -> Reference:
    return kit.kind.place(kit.arguments, Settings(kit.settings("http://127.0.0.1").get))


class Exported:
    """`runs`: ids by resource, whose name is the kind with hyphens, and a number."""

    def __init__(self, folder: Path, cloud: Emulator, *systems: str) -> None:
        self.folder, self.cloud, self.env = folder, cloud, environment(cloud)
        self.runs: dict[str, str] = {}
        self._entries: list[dict[str, Any]] = []
        for at, system in enumerate(systems):
            kit = KITS[system]
            client = kit.make(hasty(), EMULATED, cloud.url, sleep=lambda _: None)
            self.add(system, f"{system.replace('.', '-')}-{at}", kit.begin(client, kit.requests(at)))

    def add(self, system: str, name: str, id: str, **outputs: Any) -> None:
        at = place(KITS[system])
        told = {"reference": str(Reference(at.system, at.region, at.scope, id)), "phase": "pending", "url": "x"}
        type = KITS[system].type()._resource_type_name.removeprefix("dynamic/")
        self._entries.append(resource(type, name, {**told, **outputs}))
        self.runs[name] = id

    def fan_out(self, name: str, ids: dict[str, str], **outputs: Any) -> None:
        at = place(KITS["tencent.workflow"])
        told = {"instance_ids": ids, "place": f"{at.system}:{at.region}:{at.scope}:"}
        self._entries.append(resource("tencent:WorkflowFanOut", name, {**told, **outputs}))

    @property
    def file(self) -> Path:
        path = self.folder / "state.json"
        path.write_text(json.dumps({"version": 3, "deployment": {"resources": self._entries}}))
        return path

    def start(self, verb: str, *flags: str, **more: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cloud_runs", verb, "--state", str(self.file), *flags]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(command, cwd=self.folder, env=self.env, text=True, **pipes)

    def run(self, verb: str, *flags: str) -> tuple[int, str, str]:
        with self.start(verb, *flags) as process:
            out, error = process.communicate(timeout=120)
        return process.returncode, out, error
