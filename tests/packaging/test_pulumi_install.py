"""A checkout that `pulumi install` alone has set up: with the real pip and its index, no make and no PYTHONPATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.pages import point_to
from tests.kits import KITS, PREFIXES
from tests.support import installed
from tests.support.emulator import Emulator

pytestmark = [pytest.mark.engine, pytest.mark.long]


def bare_environment(folder: Path) -> dict[str, str]:
    """The engine and a Python on PATH, and nothing of the environment that the tests run in."""
    left_out = ("PULUMI_", *PREFIXES, "PYTHON", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    pulumi = shutil.which("pulumi")
    assert pulumi
    return env | {
        "PATH": os.pathsep.join([str(Path(pulumi).parent), f"{sys.base_prefix}/bin", "/usr/bin", "/bin"]),
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "no_proxy": "127.0.0.1",  # pip may need the proxy, if there is one
    }


def test_pulumi_install_alone_sets_up_a_checkout(tmp_path: Path, cloud: Emulator) -> None:
    checkout = installed.copy_checkout(tmp_path / "checkout")
    subprocess.run("git init -q && git add -A", shell=True, cwd=checkout, check=True)
    point_to(cloud, checkout)
    (tmp_path / "state").mkdir()
    env = bare_environment(tmp_path / "state")

    def run(*command: str, folder: Path = checkout) -> str:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("pulumi", "install")
    environment = installed.made_by_pulumi(checkout, ".venv", env)
    assert {line[:3] for line in run("git", "status", "--short").splitlines()} == {"A  "}, "git sees nothing of it"
    where = run(f"{environment}/bin/python", "-c", "import cloud_runs; print(cloud_runs.__path__[0])", folder=tmp_path)
    assert where == f"{checkout}/provider/cloud_runs\n"

    run("pulumi", "stack", "init", "dev")
    for _ in range(2):
        run("pulumi", "up", "--yes", "--skip-preview")
        assert len(cloud.runs()) == len(KITS), "one of each system"
    run("pulumi", "refresh", "--yes", "--skip-preview")
    status = subprocess.run(
        [f"{environment}/bin/cloud-runs", "status", "--json"], cwd=checkout, env=env, capture_output=True, text=True
    )
    told = json.loads(status.stdout)
    assert sorted(entry["id"] for entry in told["runs"]) == sorted(cloud.ids())
    assert "--run-seconds" in run(f"{environment}/bin/cloud-runs-emulator", "--help")
    run("pulumi", "destroy", "--yes", "--skip-preview")
    assert len(cloud.runs()) == len(KITS)
