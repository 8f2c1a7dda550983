"""The table: nothing is cut off, and nothing of a server is read as markup."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import sys

import pytest
from rich.console import Console

from cloud_runs.status import terminal
from cloud_runs.status.report import Report
from tests.status.samples import every_phase, hostile, report, run


def shown(found: Report, width: int | None = None) -> str:
    """In a terminal of this width, or in a pipe."""
    return terminal.text(
        found, Console(file=io.StringIO(), force_terminal=width is not None, width=width, highlight=False)
    )


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_a_pipe_gets_whole_lines_without_colours() -> None:
    told = shown(every_phase())
    assert "\x1b" not in told
    (line,) = [line for line in told.splitlines() if line.startswith("backfill") and "tencent.workflow" in line]
    name = "backfill-of-a-long-name-that-is-cut-in-the-drawing"
    told_of_it = [name, "tencent.workflow", f"i-{name}", "failed", "2026-11-22", "08:20:21", "39m", "Transcode_1"]
    assert line.split() == told_of_it
    assert "old: no longer known to the service; its end is not on record\n" in told
    (lost,) = [line for line in told.splitlines() if line.startswith("old ")]
    assert lost.split()[3] == "unknown"
    assert "on record" not in lost
    assert "pending (on record)" in told
    assert "unasked: could not be asked, so this is what is on record: no Tencent Cloud credentials\n" in told
    assert "nightly: was asked for and is not on record (asked for at 2026-11-22 09:07:21 UTC)\n" in told
    assert told.splitlines()[-1].startswith("dev, 2026-11-22 09:08:21 UTC: 10 runs: 2 pending, 1 running, ")


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_a_terminal_of_any_width_shows_each_id_in_full(width: int) -> None:
    id = "cca55014ca3faa6e4a18017a24085ec88822493ea8d6701de97a391f"
    told = plain(shown(report(run("scan", id=id), run("meters")), width))
    assert max(map(len, told.splitlines())) <= width
    lines = told.splitlines()
    column = slice(0, lines[0].index("Phase"))
    assert id in re.sub(r"\s", "", "".join(line[column] for line in lines))
    assert ("Duration" in told) == (width == 300), "the wide table, if it fits"


def test_hostile_text_is_text() -> None:
    told = shown(hostile())
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "[red]x[/red]" in told


def test_no_runs() -> None:
    assert shown(report()) == "dev, 2026-11-22 09:08:21 UTC: no runs\n"


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
