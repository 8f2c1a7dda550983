"""Every command that an error, or a page about errors, advises is one that a test runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloud_runs
from tests.support.stack import ROOT, Stack

CODE = Path(cloud_runs.__file__).parent
PAGES = ("docs/errors.md", "docs/errors.zh-CN.md", "docs/troubleshooting.md")
COMMAND = re.compile(r"(?:pulumi|cloud-runs|cloud-runs-emulator|make|pip)(?: .*)?")
RUN_HERE = {
    "pulumi config set --secret": ("--secret", "tencentcloud:secretKey", "s"),
    "pulumi config set enos:orgId o15": ("enos:orgId", "o15"),
    "pulumi config set huaweicloud:projectId ID": ("huaweicloud:projectId", "0" * 32),
    "pulumi config set tencentcloud:region ap-beijing": ("tencentcloud:region", "ap-beijing"),
}
"""Arguments of `pulumi config set`."""
RUN_BY = {
    "pulumi": ("tests/support/stack.py", '"pulumi"'),
    "pulumi cancel": ("tests/support/stack.py", '"cancel", "--yes"'),
    "pulumi cancel --yes": ("tests/support/stack.py", '"cancel", "--yes"'),
    "pulumi config rm --path": ("tests/engine/test_status.py", "config rm --path"),
    "pulumi config set --path": ("tests/engine/test_status.py", "(pulumi config set [^`]*)"),
    "pulumi destroy": ("tests/engine/test_fan_out.py", "stack.destroy("),
    "pulumi preview": ("tests/engine/test_quiet_diff.py", "stack.preview("),
    "pulumi refresh": ("tests/engine/test_fan_out.py", "stack.refresh("),
    "pulumi refresh --yes --clear-pending-creates": (
        "tests/engine/test_interrupted_and_odd.py",
        "--clear-pending-creates",
    ),
    "pulumi stack export": ("tests/engine/test_history.py", '"stack", "export"'),
    "pulumi stack export --show-secrets": ("tests/engine/test_status.py", "--show-secrets"),
    "pulumi stack output": ("tests/engine/test_state.py", '"stack", "output"'),
    "pulumi up": ("tests/engine/test_when_it_runs.py", "stack.up("),
    "pulumi up --refresh": ("tests/engine/test_fan_out_reruns.py", '"--refresh"'),
    "pulumi up --yes": ("tests/support/stack.py", '"up", "--yes"'),
    "cloud-runs": ("tests/engine/test_status.py", "cloud-runs"),
    "cloud-runs status": ("tests/engine/test_status.py", "cloud-runs status"),
    "cloud-runs-emulator": ("tests/packaging/test_packaging.py", "cloud-runs-emulator"),
}
"""The file that runs it, and the words by which one finds it there."""


def texts() -> Iterator[str]:
    """What the package may say: its texts, and not what describes its code."""
    for file in CODE.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
                yield node.value


def advised() -> set[str]:
    found = [part for text in texts() for part in re.findall(r"`([^`]+)`", text)]
    found += [part for text in texts() for part in re.findall(r"\bpulumi config (?:set|rm) --path\b", text)]
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        # Not what is printed: that is in texts().
        shown = re.sub(r"^(`+)(?!`).*[^`]\1$", "", text, flags=re.MULTILINE)
        blocks = re.findall(r"```sh\n(.*?)```", shown, re.DOTALL)
        found += [line for block in blocks for line in block.splitlines()]
        found += re.findall(r"(?<!`)`([^`\n]+)`(?!`)", shown)
    return {bare(part) for part in found if COMMAND.fullmatch(part)}


def bare(command: str) -> str:
    """Without what a user puts in."""
    return re.sub(r"(config (?:set|rm) --path) .*", r"\1", command)


def test_each_of_them_is_run() -> None:
    assert advised() == RUN_BY.keys() | RUN_HERE.keys()


@pytest.mark.parametrize("command", RUN_BY)
def test_the_test_that_runs_it_is_there(command: str) -> None:
    file, words = RUN_BY[command]
    assert words in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.engine
def test_settings_that_are_advised(stack: Stack) -> None:
    for arguments in RUN_HERE.values():
        stack.pulumi("config", "set", *arguments, "-s", stack.name)
    assert "ap-beijing" in stack.pulumi("config", "get", "tencentcloud:region", "-s", stack.name).out
