"""docs/start-here.md: every block, in its order, as a reader does it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.demo.checkouts import clone, environment
from tests.demo.pages import blocks
from tests.support.emulator import emulator
from tests.support.stack import shell

pytestmark = [pytest.mark.engine, pytest.mark.long]

PAGE = "docs/start-here.md"


class Terminal:
    """The second one: each block in a shell of its own, with what the blocks before it have set."""

    def __init__(self, checkout: Path) -> None:
        self._checkout, self._saved = checkout, checkout.parent / "saved"

    def type(self, block: str) -> str:
        before = f". '{self._saved}'\n" if self._saved.exists() else ""
        after = f"\n{{ export -p; echo \"cd '$PWD'\"; }} >'{self._saved}'"
        return shell(before + block + after, self._checkout, environment(self._checkout))


def test_start_here(tmp_path: Path) -> None:
    commands = [text for language, text in blocks(PAGE) if language == "sh"]
    files = [text for language, text in blocks(PAGE) if language != "sh"]
    env, clouds, project, first, again, status, trigger, lost, count, fail, rerun, wait, many, clean = commands
    settings, program, waiting, fan_out = files
    assert clouds == "cloud-runs-emulator --run-seconds 60\n"
    terminal = Terminal(clone(tmp_path))
    with emulator("--run-seconds", "3600") as cloud:  # a run ends when the test says so
        terminal.type(env)
        terminal.type(project.replace("--env", f"--env --url {cloud.url}"))
        folder = tmp_path / "first-runs"
        (folder / "Pulumi.yaml").write_text(settings)
        (folder / "__main__.py").write_text(program)

        assert "+ 3 created" in terminal.type(first)
        assert "3 unchanged" in terminal.type(again)
        assert len(cloud.ids()) == 1
        assert "running" in terminal.type(status)

        shown = terminal.type(trigger)
        assert re.search(r"transcode replace \[diff: .*triggers\]", shown)
        assert " first " in shown.splitlines()[-2]
        assert " trigger release " in shown.splitlines()[-1]
        assert len(cloud.ids()) == 2

        shown = terminal.type(lost)
        assert "found" in shown
        assert shown.splitlines()[-1] == cloud.ids()[-1]
        assert len(cloud.ids()) == 3
        assert '"start": 3' in terminal.type(count)

        shown = terminal.type(fail)
        assert "InvalidInput: The input cannot be decoded" in shown
        assert "rerun after failed" in terminal.type(rerun)
        assert len(cloud.ids()) == 4

        cloud.set_state(cloud.ids()[-1], "Success")
        (folder / "__main__.py").write_text(program + waiting)
        assert "1/1 done" in terminal.type(wait)
        (folder / "__main__.py").write_text(program + waiting + fan_out)
        assert "episodes" in terminal.type(many)
        assert (folder / "runs.html").is_file()
        assert len(cloud.ids()) == 14
        terminal.type(clean)
        assert len(cloud.ids()) == 14
