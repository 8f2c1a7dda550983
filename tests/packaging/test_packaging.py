"""The package as a user installs it: sdist, wheel, a clean environment with nothing but what the wheel declares."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.packaging.conftest import Dist
from tests.support import installed

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "templates" / "cloud-runs-python" / "__main__.py"
LOOKING = """
from cloud_runs import Completion

transcode.phase.apply(lambda phase: phase == "failed")
transcode.history.apply(lambda past: [run["why"] for run in past])
Completion("looked", runs=[transcode]).outcomes.apply(lambda found: [run["duration"] for run in found])
"""


@pytest.fixture(scope="module")
def plain(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment's python."""
    return installed.environment(tmp_path_factory.mktemp("plain"), dist.wheel)


def test_the_wheel_holds_the_two_packages_and_nothing_else(dist: Dist) -> None:
    names = zipfile.ZipFile(dist.wheel).namelist()
    roots = (ROOT / "provider", ROOT / "emulator")
    modules = {str(path.relative_to(root)) for root in roots for path in root.rglob("*.py")}
    held = {name for name in names if ".dist-info/" not in name}
    assert held == {name for name in modules if "__pycache__" not in name} | {"cloud_runs/py.typed"}
    assert not any("pulumi-plugin" in name for name in names), "a plugin would be downloaded"


def test_what_the_wheel_says_of_itself(dist: Dist) -> None:
    with zipfile.ZipFile(dist.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(wheel.read(name).decode())
    assert said["Name"] == "cloud-runs"
    assert said["Requires-Python"] == ">=3.10"
    assert said["License-Expression"] == "Apache-2.0"
    assert said.get_all("Provides-Extra") == ["emulator"]
    assert str(said.get_payload()).startswith("# Cloud runs as Pulumi resources")
    versions = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier", []) if "Python :: 3." in line]
    assert versions == ["3.10", "3.11", "3.12", "3.13"]


def test_an_installed_package_is_used_from_anywhere(plain: Path, tmp_path: Path) -> None:
    where = "import cloud_runs; from cloud_runs import *; print(cloud_runs.__file__, tencent.WorkflowRun.__name__)"
    shown = installed.run([str(plain), "-W", "error", "-c", where], tmp_path)
    assert shown.startswith(str(plain.parents[1]))
    assert shown.split()[1] == "WorkflowRun"
    assert "status" in told_by_both("cloud-runs", plain, tmp_path)


def told_by_both(command: str, python: Path, folder: Path) -> str:
    """What the command tells of itself, by its own name and as a module."""
    told = installed.run([str(python.parent / command), "--help"], folder)
    assert installed.run([str(python), "-m", command.replace("-", "_"), "--help"], folder) == told
    return told


def test_the_emulator_is_an_extra(plain: Path, dist: Dist, tmp_path: Path) -> None:
    """Its code is always there, since it is small; without what it needs it says how to get that."""
    command = [str(plain), "-m", "cloud_runs_emulator", "--help"]
    without = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert without.returncode == 1
    assert without.stderr == "the emulator needs more than the package itself: pip install '.[emulator]'\n"
    python = installed.environment(tmp_path / "with", dist.wheel, "emulator")
    assert "--run-seconds" in told_by_both("cloud-runs-emulator", python, tmp_path)


@pytest.mark.long
def test_a_program_s_types_are_checked_against_the_installed_package(plain: Path, tmp_path: Path) -> None:
    source = PROGRAM.read_text() + LOOKING
    mistakes = {"bucket=": "buckett=", '"failed"': '"faild"', '"why"': '"whi"', '"duration"': '"durration"'}
    wrong = source
    for right, misspelt in mistakes.items():
        assert right in wrong
        wrong = wrong.replace(right, misspelt)
    for name, text in (("right.py", source), ("wrong.py", wrong)):
        (tmp_path / name).write_text(text)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(plain), "right.py", "wrong.py"]
    done = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == len(mistakes), done.stdout + done.stderr
    for error, misspelt in zip(errors, ("buckett", "faild", "whi", "durration"), strict=True):
        assert re.match(rf"wrong\.py:\d+: error: .*{misspelt}", error)


def test_make_oldest_tries_the_lower_bounds() -> None:
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "tests/packaging/oldest.txt").read_text(), re.MULTILINE))
    for line in requires("cloud-runs") or []:
        requirement = Requirement(line)
        (lowest,) = (Version(bound.version) for bound in requirement.specifier if bound.operator == ">=")
        assert Version(pins[requirement.name]).release[:2] == lowest.release[:2], line
