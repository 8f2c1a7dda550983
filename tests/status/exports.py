"""Runs in an emulator, and the export of a stack that has them on record: for verbs that need no Pulumi."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cloud_runs.runs import Reference
from cloud_runs.wire.settings import Credentials
from tests.status.test_recorded import resource
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.unit.test_get_many_emulator import KINDS

_TYPES = {
    "tencent.workflow": ("tencent:WorkflowRun", "ap-beijing", "media-1250000000"),
    "tencent.inventory": ("tencent:InventoryJob", "ap-beijing", "media-1250000000"),
    "huawei.workflow": ("huawei:WorkflowRun", "cn-north-4", "scan"),
    "enos.flow": ("enos:FlowRun", "", "3377/o15/alice"),
}
ALL = tuple(_TYPES)


def environment(cloud: Emulator) -> dict[str, str]:
    """What points a command at the emulator."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "COLUMNS"))}
    ids = dict.fromkeys(("TENCENTCLOUD_SECRET_ID", "HW_ACCESS_KEY", "ENOS_ACCESS_KEY"), SECRET_ID)
    keys = dict.fromkeys(("TENCENTCLOUD_SECRET_KEY", "HW_SECRET_KEY", "ENOS_SECRET_KEY"), SECRET_KEY)
    urls = dict.fromkeys(("RUNS_TENCENT_ENDPOINT", "RUNS_HUAWEI_ENDPOINT", "RUNS_ENOS_ENDPOINT"), cloud.url)
    return {**others, **ids, **keys, **urls, "RUNS_LAG_SECONDS": "0"}


class Exported:
    """`runs`: ids by resource."""

    def __init__(self, folder: Path, cloud: Emulator, *systems: str) -> None:
        self.folder, self.cloud, self.env = folder, cloud, environment(cloud)
        self.runs: dict[str, str] = {}
        self._entries: list[dict[str, Any]] = []
        for at, system in enumerate(systems):
            kind = next(kind for kind in KINDS if kind.system == system)
            id = kind.start(kind.client(cloud.url, Credentials(SECRET_ID, SECRET_KEY)), at)
            self.add(system, f"{system.replace('.', '-')}-{at}", id)

    def add(self, system: str, name: str, id: str, **outputs: Any) -> None:
        type, region, scope = _TYPES[system]
        told = {"reference": str(Reference(system, region, scope, id)), "phase": "pending", "url": "x"}
        self._entries.append(resource(type, name, {**told, **outputs}))
        self.runs[name] = id

    def fan_out(self, name: str, ids: dict[str, str], **outputs: Any) -> None:
        _, region, scope = _TYPES["tencent.workflow"]
        place = f"tencent.workflow:{region}:{scope}:"
        self._entries.append(resource("tencent:WorkflowFanOut", name, {"instance_ids": ids, "place": place, **outputs}))

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
