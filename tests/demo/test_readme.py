"""Every block of the README, run as it stands there."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.checkouts import clone, shell
from tests.demo.pages import ROOT, blocks, stack_of_all_systems, up
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Stack

pytestmark = pytest.mark.engine

LANGUAGES, BLOCKS = zip(*blocks("README.md"), strict=True)
COMMANDS, INSTALL, EXAMPLE, PRINTED = BLOCKS


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with emulator("--run-seconds", "1") as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, cloud: Emulator) -> Stack:
    return stack_of_all_systems(tmp_path, cloud)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return clone(tmp_path)


def test_the_blocks_are_those_that_are_run_here() -> None:
    assert LANGUAGES == ("sh", "sh", "python", "text")


def test_it_is_short() -> None:
    """What grows goes to docs/."""
    assert len((ROOT / "README.md").read_text().split()) <= 1200


def test_the_two_commands_exist(checkout: Path) -> None:
    """They are not run from here: one has its own test, the other runs this one."""
    for command in COMMANDS.splitlines():
        assert command.startswith("make ")
        assert shell(f"{command} --dry-run", checkout)


def test_the_install(checkout: Path) -> None:
    """Into a folder, without an index: the environment that the project has for itself stays as it is."""
    there = checkout.parent / "there"
    settings = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_TARGET": str(there)}
    with_the_emulator = "pip install '.[emulator]'"
    assert f"`{with_the_emulator}`" in (ROOT / "README.md").read_text()
    shell(f'PATH="$PWD/.venv/bin:$PATH"\n{INSTALL}\n{with_the_emulator} --upgrade', checkout, **settings)
    (installed,) = there.glob("*.dist-info")
    assert installed.name.startswith("cloud_runs-"), "as the README names it"
    assert (there / "cloud_runs" / "py.typed").is_file()


def test_what_is_needed_is_what_the_package_declares() -> None:
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text())
    said = re.findall(r"It needs Python (\S+) or later, `pulumi` (\S+) or later but below (\d+)", text)
    declared = (ROOT / "pyproject.toml").read_text()
    python = re.findall(r'requires-python = ">=(.*)"', declared)
    assert said == [(*python, *bounds) for bounds in re.findall(r'"pulumi>=(.*),<(\d+)"', declared)] != []
    pinned = runpy.run_path(str(ROOT / "tools" / "engine" / "find.py"))
    least, below, tested = (".".join(map(str, pinned[name][:2])) for name in ("MINIMUM", "BELOW", "VERSION"))
    assert said[0][1:] == (least, below.removesuffix(".0"))
    assert f"the command line tool on PATH (the tests run with {tested} of the tool)" in text


def screen(printed: str) -> list[str]:
    """What is there at the end, without what differs each time: ids, the stack's name, how long it took."""
    lines = [line.rstrip() for line in printed.splitlines() if line.strip() and not line.startswith("@")]
    text = "\n".join(line for line in lines if " creating (" not in line)
    text = re.sub(r"\bi[0-9a-f]{32}\b", "ID", text)
    text = re.sub(r"\(?\b[\d.]+s\b\)?", "TIME", text)
    return re.sub(r"\w+-(?:test|dev)\b|(?<=\()(?:test|dev)(?=\))", "STACK", text).splitlines()


def test_the_program_prints_what_is_shown(stack: Stack, cloud: Emulator) -> None:
    printed = up(stack, EXAMPLE)
    assert screen(printed) == screen(PRINTED)
    assert stack.output() == {"instance_id": cloud.ids()[0]}
    sent = cloud.requests()
    up(stack, EXAMPLE)
    assert cloud.requests() == sent
    assert set(stack.resources()) == {"transcode", "transcode-intent"}
