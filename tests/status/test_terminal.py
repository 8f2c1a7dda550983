"""The table: nothing is cut off, and nothing of a server is read as markup."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from cloud_runs.runs import Phase
from cloud_runs.status import terminal
from cloud_runs.status.report import Report
from tests.status.samples import every_phase, hostile, report, run


def shown(found: Report, width: int | None = None, *, wide: bool = False) -> str:
    """In a terminal of this width, or in a pipe."""
    console = Console(file=io.StringIO(), force_terminal=width is not None, width=width, highlight=False)
    return terminal.text(found, console, wide=wide)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_a_pipe_gets_whole_lines_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    told = shown(every_phase())
    assert "\x1b" not in told
    name = "backfill-of-a-long-name-that-is-cut-in-the-drawing"
    first = told.splitlines()[1].split()
    assert first == [name, "failed", "tencent.workflow", "i-ba…he-drawing", "11-22", "08:20:21", "39m"]
    assert "old: no longer known to the service; its end is not recorded\n" in told
    (lost,) = [line for line in told.splitlines() if line.startswith("old ")]
    assert lost.split()[1] == "unknown"
    (unasked,) = [line for line in told.splitlines() if line.startswith("unasked ")]
    assert unasked.split()[1] == "pending?"
    assert "unasked: could not be queried, so this is what is recorded: no Tencent Cloud credentials\n" in told
    assert "nightly: was requested and is not recorded (requested at 2026-11-22 09:07:21 UTC)\n" in told
    assert told.splitlines()[-1].startswith("media/dev, 2026-11-22 09:08:21 UTC: 10 runs: 1 failed, 1 missing, ")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_one_line_a_run_in_a_terminal_of_any_width(width: int) -> None:
    id = "cca55014ca3faa6e4a18017a24085ec88822493ea8d6701de97a391f"
    runs = [run("scan", id=id), run("meters-of-the-whole-year-2026"), run("运行" * 20, Phase.FAILED)]
    lines = plain(shown(report(*runs), width)).split("\n\n")[0].splitlines()
    assert len(lines) == 1 + len(runs)
    assert max(map(cell_len, lines)) <= width
    assert [line.split()[1] for line in lines[1:]] == ["failed", "succeeded", "succeeded"]
    assert ("System" in lines[0]) == (width >= 100)
    assert any("cca5" in line for line in lines) == (width >= 80)


@pytest.mark.parametrize("width", [None, 60])
def test_wide_shortens_nothing(width: int | None) -> None:
    id = "cca55014ca3faa6e4a18017a24085ec88822493ea8d6701de97a391f"
    told = plain(shown(report(run("scan" * 10, id=id, state="SUCCESS_OF_A_KIND")), width, wide=True))
    assert told.splitlines()[1].split() == [
        "scan" * 10, "succeeded", "(SUCCESS_OF_A_KIND)", "tencent.workflow", id, "2026-11-22", "08:58:21",
    ]  # fmt: skip


def test_a_pipe_heeds_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, shown(every_phase()).split("\n\n")[0].splitlines())) <= 60


def test_hostile_text_is_text() -> None:
    told = shown(hostile())
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "[red]x[/red]" in told


def test_no_runs() -> None:
    assert shown(report()) == "media/dev, 2026-11-22 09:08:21 UTC: no runs\n"


def test_progress_is_shown_in_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    for name, value in (("TERM", "xterm"), ("COLUMNS", "100")):
        monkeypatch.setenv(name, value)
    with os.fdopen(theirs, "w") as stream, monkeypatch.context() as context:
        context.setattr(sys, "stderr", stream)
        with terminal.progress(3) as tell:
            tell(2)
    said = ""
    with contextlib.suppress(OSError):  # the other end is closed
        while read := os.read(ours, 65536):
            said += read.decode(errors="replace")
    os.close(ours)
    assert "Asking" in said
    assert "2/3" in plain(said)
    quiet = io.StringIO()
    monkeypatch.setattr(sys, "stderr", quiet)
    with terminal.progress(3) as tell:
        tell(2)
    assert quiet.getvalue() == ""


def test_no_line_of_the_table_is_wider_than_the_window_however_short_what_it_holds() -> None:
    found = report(*(run(name, began=0.4, ended=0.2) for name in "abc"))
    for width in range(30, 101):
        assert max(cell_len(line) for line in plain(shown(found, width)).splitlines()[:4]) <= width, width
