"""Every command that an error or a page advises is run by a test.

Those of the pages' `sh` blocks are run with the block they stand in (tests/demo/test_blocks.py). The others, which
stand in a sentence or in an error, are run here as they stand there, with what a reader puts in.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloud_runs
import cloud_runs_emulator
from tests.demo.checkouts import clone, shell
from tests.demo.pages import ROOT, blocks
from tests.demo.test_links import PAGES
from tests.support.emulator import emulator
from tests.support.sources import collected, runs
from tests.support.stack import Stack, run

HERE = "tests/engine/test_advice.py"
ADVISING = [page for page in PAGES if page.startswith(("README", "docs/", "stacks/"))]
COMMAND = re.compile(r"(?:pulumi|cloud-runs|cloud-runs-emulator|make|pip|uv|poetry|python|curl) .*|cloud-runs-emulator")
IN_A_SENTENCE = re.compile(r"pulumi config (?:set|rm) --path|pip install '[^']*'|eval \"\$\([^)]*\)\"")
"""In an error that has no backticks around it, or puts its own words in."""

RUN_HERE = {
    "pulumi config set tencentcloud:region ap-beijing": "",
    "pulumi config set huaweicloud:projectId ID": "",
    "pulumi config set enos:orgId o15": "",
    "pulumi config set wait 30m": "",
    "pulumi config rm wait": "",
    "pulumi config set release <another value>": "",
    "pulumi config set --secret": "tencentcloud:secretKey this-is-not-a-secret-emulator-only",
    "pulumi preview --diff": "",
    'curl -d \'{"system": "tencent.workflow", "operation": "start", "action": "drop_response"}\''
    " http://127.0.0.1:9700/_emulator/faults": "",
    "pulumi up": "",
    "pulumi stack output": "",
    "pulumi stack --show-ids": "",
    "cloud-runs status": "",
    "cloud-runs wait --stack prod --timeout 2h": "",
    "cloud-runs check": "",
    "pulumi state taint": "URN",
    "pulumi up --refresh": "",
    "pulumi refresh": "",
    "pulumi refresh --run-program": "",
    "pulumi refresh --clear-pending-creates": "",
    "pulumi refresh --yes --clear-pending-creates": "",
    "pulumi cancel": "",
    "pulumi up --replace": "URN",
    "pulumi stack export": ">state.json",
    "pulumi stack import": "--file state.json",
    "pulumi stack export --show-secrets": "| cloud-runs status --state -",
    "cloud-runs status --html": "runs.html",
    "cloud-runs VERB --help": "",
    "cloud-runs emulator --env": "--url URL",
    "cloud-runs-emulator --help": "",
    "python -m cloud_runs_emulator": "--help",
    "pulumi config set --path 'runs:adopt[\"NAME\"]' ID": "",
    "pulumi config rm --path 'runs:adopt[\"NAME\"]'": "",
    "pulumi destroy": "",
    "pulumi stack init --secrets-provider": "passphrase another",
}
"""What a reader adds, in the order in which they are run."""
FIRING = ("pulumi up", "pulumi up --refresh", "pulumi up --replace")
"""Of them. The second does as the run is tainted."""

RUN_BY = {
    "pulumi install": "tests/packaging/test_pulumi_install.py::test_pulumi_install_alone_sets_up_a_checkout",
    "pip install '.[emulator]'": "tests/demo/test_readme.py::test_the_install",
    "make shell": "tests/demo/test_project_page.py::test_make_shell_comes_after_what_a_start_up_file_does",
}
"""What has a test of its own, and which that is."""


def advised() -> set[str]:
    found = [part for text in texts() for part in IN_A_SENTENCE.findall(text)]
    for text in [*texts(), *map(sentences, ADVISING)]:
        found += [part for part in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text) if COMMAND.fullmatch(part)]
    return set(found)


def texts() -> Iterator[str]:
    """What the packages may say: their texts, and not what describes their code."""
    for package in (cloud_runs, cloud_runs_emulator):
        for file in Path(package.__path__[0]).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
                    yield node.value


def sentences(page: str) -> str:
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    # A line of its own in a page about errors is what is printed: that is in texts().
    return re.sub(r"^(`+)(?!`).*[^`]\1$", "", text, flags=re.MULTILINE) if "errors" in page else text


def in_blocks() -> set[str]:
    shown = [text for page in ADVISING for language, text in blocks(page) if language == "sh"]
    return {line for text in shown for line in text.splitlines()}


def test_each_of_them_is_run() -> None:
    wanted, run = advised(), [*RUN_HERE, *RUN_BY, *in_blocks()]
    assert wanted >= RUN_HERE.keys() | RUN_BY.keys(), "no page advises it any longer"
    others = {command for command in wanted if not any(f"{line} ".startswith(f"{command} ") for line in run)}
    assert {command.partition(" ")[0] for command in others} <= {"make"}, others


@pytest.mark.parametrize("command", RUN_BY)
def test_the_test_that_runs_it_is_there(command: str) -> None:
    assert RUN_BY[command] in collected(RUN_BY[command].partition("::")[0])
    assert runs(RUN_BY[command], command)


def test_a_command_that_is_only_spoken_of_is_not_run() -> None:
    """pulumi bake"""
    this = test_a_command_that_is_only_spoken_of_is_not_run
    assert not runs(f"{HERE}::{this.__name__}", str(this.__doc__))


def test_make_knows_what_it_is_told(tmp_path: Path) -> None:
    """Most take minutes or hours, so `make` only says what it would do; what it starts has tests of its own."""
    commands = [command.replace("N'", "7'") for command in advised() if command.startswith("make ")]
    assert len(commands) > 5
    shell("\n".join(f"{command} --dry-run" for command in commands), clone(tmp_path))


@pytest.mark.engine
@pytest.mark.long
def test_commands_as_they_stand_there(tmp_path: Path) -> None:
    """A terminal would ask whether to go on; here it is answered before."""
    with emulator("--run-seconds", "1") as cloud:
        stack = Stack(tmp_path, cloud)
        stack.program(run(), "pulumi.export('instance_id', run.instance_id)\n")
        settings = {"PULUMI_SKIP_CONFIRMATIONS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        given = {
            "--stack prod": f"--stack {stack.name}",
            "<another value>": "2",
            "http://127.0.0.1:9700": cloud.url,
            "NAME": "run",
            "URL": cloud.url,
            "URN": f"'urn:pulumi:{stack.name}::tests::pulumi-python:dynamic/tencent:WorkflowRun::run'",
            "VERB": "history",
        }
        said, fired = {}, 0
        for command, added in RUN_HERE.items():
            typed = f"{command} {added}"
            for word, value in {**given, "ID": (cloud.ids() or ["0" * 32])[-1]}.items():
                typed = re.sub(rf"(?<![\w-]){re.escape(word)}(?!\w)", value, typed)
            said[command] = stack.shell(typed, **settings)
            fired += command in FIRING
            assert len(cloud.ids()) == fired, command
        first, *_ = cloud.ids()
        for command in ("pulumi up", "pulumi stack output", "pulumi stack --show-ids", "cloud-runs status"):
            assert first[-7:] in said[command]
        assert " found " in said["pulumi up"], "the answer to its request was lost"
        assert (stack.project / "runs.html").is_file()
