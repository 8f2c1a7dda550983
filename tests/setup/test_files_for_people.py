"""CHANGELOG, CONTRIBUTING and the other files at the top: what they name is there."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.kits import KITS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()

ROOMS = sorted({kit.room for kit in KITS.values()})


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    newest = re.search(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] == version("cloud-runs")


def test_files_that_contributing_names_are_there() -> None:
    """`<system>` stands for each of them; a name alone is of the room that the paragraph is about."""
    for name in re.findall(r"`((?:provider|emulator|tests|docs|tools|stacks|\.ci)/?[\w./<>-]*)`", TEXT):
        for system in ROOMS:
            assert (ROOT / name.replace("<system>", system).replace("<case>", "")).exists(), name
    rooms = dict(
        re.findall(r"\*\*(?:Its|The emulator's) room\*\* `([\w/]+)/<system>/`:(.*?)(?=^\d\.)", TEXT, re.M | re.S)
    )
    for room, told in rooms.items():
        for name in re.findall(r"`(\w+\.py)`", told):
            for system in ROOMS:
                assert (ROOT / room / system / name).exists(), name
    assert set(rooms) == {"provider/cloud_runs", "emulator/cloud_runs_emulator"}


def test_its_commands_exist() -> None:
    env_free = ["env", "-u", "MAKEFLAGS", "-u", "MFLAGS", "-u", "MAKELEVEL", "make", "--dry-run"]
    named = {target for line in re.findall(r"^make (.*)$", TEXT, re.MULTILINE) for target in line.split()}
    named |= set(re.findall(r"`make ([\w-]+)", TEXT))
    assert {"demo", "test", "oldest", "soak", "docs"} <= named
    done = subprocess.run([*env_free, *sorted(named)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
