"""What tests of pages share: their blocks and tables, and a stack on which a block can be run as it stands there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.kits import settings
from tests.support.emulator import Emulator
from tests.support.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of each."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def documented(page: str, section: str) -> list[str]:
    """The names in the first column of the section's table."""
    text = (ROOT / page).read_text().split(section)[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def stack_of_all_systems(folder: Path, cloud: Emulator) -> Stack:
    stack = Stack(folder, cloud)
    stack.configure(**settings(cloud.url) | {"huaweicloud:region": None})  # pages tell it
    return stack


def point_to(cloud: Emulator, checkout: Path) -> None:
    """The stack dev has the emulator's default port; the tests' emulator is on another."""
    settings = checkout / "stacks" / "Pulumi.dev.yaml"
    text = settings.read_text()
    assert text.count("http://127.0.0.1:9700") == 4
    settings.write_text(text.replace("http://127.0.0.1:9700", cloud.url))
    subprocess.run("git add -A", shell=True, cwd=checkout, check=True)


def up(stack: Stack, program: str, *, check: bool = True) -> str:
    """With the program as it stands, without the imports of other tests."""
    (stack.project / "__main__.py").write_text(program)
    done = stack.up(check=check)
    assert check or done.code != 0, "it should have failed"
    return done.text


def sent(block: str) -> tuple[str, str, dict[str, str], str, str]:
    """What a `http` block shows: method, path, query, type and body."""
    head, _, body = block.strip("\n").partition("\n\n")
    first, content_type = head.splitlines()
    method, target = first.split(" ")
    path, _, query = target.partition("?")
    return method, path, dict(parse_qsl(query)), content_type.removeprefix("Content-Type: "), body


def received(run: dict[str, Any]) -> tuple[str, str, dict[str, str], str, str]:
    request = run["request"]
    return request["method"], request["path"], request["query"], request["headers"]["content-type"], request["body"]
