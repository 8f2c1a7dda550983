"""The report as a table in the terminal, and the progress on stderr while the systems are asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from cloud_runs.errors import clean
from cloud_runs.promise.outcomes import span
from cloud_runs.runs import Phase
from cloud_runs.status.report import Exit, Report, shown_time
from cloud_runs.status.rows import MISSING, Row, remarks, rows

UNBOUND = 10_000  # columns; lines of a file or a pipe are not broken
_GAP = "  "
_LEAST = 24  # columns that a resource gets before another column is left out
_SHORT = 15  # columns of an id
_STYLES = {
    Phase.SUCCEEDED.value: "green",
    Phase.FAILED.value: "bold red",
    Phase.CANCELLED.value: "yellow",
    Phase.RUNNING.value: "cyan",
    Phase.PENDING.value: "blue",
    Phase.UNKNOWN.value: "magenta",
    MISSING: "bold red",
}


class Column(NamedTuple):
    head: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.head, *self.cells)))


def text(report: Report, console: Console | None = None, *, wide: bool = False) -> str:
    """The report as this console (else stdout) shows it: with colours in a terminal, with whole lines in a pipe.

    One line a run; what a terminal has no room for is shortened or left out. `wide`: nothing is. Text of servers is
    never read as markup, and holds no control characters.
    """
    console = console or Console(highlight=False)
    width = UNBOUND if wide or not (console.is_terminal or os.environ.get("COLUMNS")) else console.width
    console.width = UNBOUND
    with console.capture() as captured:  # when it prints by itself, rich ends the process if nobody reads
        _print(report, console, width, wide)
    return captured.get()


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, if that is a terminal, which is gone at the end. Gives what to call with each number of runs."""
    console = Console(stderr=True)
    columns = (TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"))
    if not console.is_terminal:
        yield lambda _: None
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)


def shortened(text: str, width: int) -> str:
    """The text in at most so many columns, cut after its first third: runs of a fan-out differ in the tail."""
    if cell_len(text) <= width:
        return text
    head, tail = "", ""
    for char in text:
        if cell_len(head + char) > (width - 1) // 3:
            break
        head += char
    for char in reversed(text):
        if cell_len(head + char + tail) > width - 1:
            break
        tail = char + tail
    return f"{head}…{tail}"


def _print(report: Report, console: Console, width: int, wide: bool) -> None:
    found = rows(report)
    if found:
        _table(report, found, console, width, wide)
        console.print()
    told, more = remarks(report)
    for remark in told:
        style = "red" if remark.verdict in (Exit.FAILED, Exit.NOT_ASKED) else ""
        console.print(Text.assemble((remark.who, "bold"), ": ", (remark.what, style)), soft_wrap=True)
    if more:
        console.print(Text(more), soft_wrap=True)
    if told:
        console.print()
    console.print(Text(f"{_of(report)}, {report.asked_at:%Y-%m-%d %H:%M:%S} UTC: {report.summary}"), soft_wrap=True)


def _of(report: Report) -> str:
    return clean("/".join(part for part in (report.project, report.stack) if part))


def _table(report: Report, found: list[Row], console: Console, width: int, wide: bool) -> None:
    resource = Column("Resource", [row.label for row in found])
    columns = _columns(report, found, width, wide, min(_LEAST, resource.width))
    left = width - sum(len(_GAP) + column.width for column in columns)
    resource = resource._replace(cells=[shortened(label, max(left, 2)) for label in resource.cells])
    for line in lines([resource, *columns], [row.phase for row in found]):
        console.print(line, soft_wrap=True)


def lines(columns: Sequence[Column], phases: Sequence[str]) -> Iterator[Text]:
    """The columns under their heads. `phases`: of each line, for the colour of the column `Phase`."""
    yield Text(_GAP.join(_padded(column.head, column.width) for column in columns).rstrip(), "bold")
    for at, phase in enumerate(phases):
        line = Text()
        for column in columns:
            line.append(_padded(column.cells[at], column.width), _STYLES[phase] if column.head == "Phase" else "")
            line.append(_GAP)
        line.rstrip()
        yield line


def _columns(report: Report, found: list[Row], width: int, wide: bool, needed: int) -> list[Column]:
    """Beside the resource, for which so many columns are `needed`, those that there is room for."""
    year = f"{report.asked_at:%Y}-"
    times = [shown_time(row.started_at) for row in found]
    columns = [
        Column("Phase", [_phase(row, wide) for row in found]),
        Column("System", [row.system for row in found]),
        Column("Id", [_id(row) if wide else shortened(_id(row), _SHORT) for row in found]),
        Column("Started (UTC)", times if wide else [time.removeprefix(year) for time in times]),
        Column("Duration", [_duration(report, row) for row in found]),
    ]
    for head in ("System", "Started (UTC)", "Id", "Duration"):
        if needed + sum(len(_GAP) + column.width for column in columns) > width:
            columns = [column for column in columns if column.head != head]
    return columns


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _phase(row: Row, wide: bool) -> str:
    word = row.run.word if wide and row.run else row.phase
    return f"{word}?" if row.doubtful else word  # a remark says why


def _id(row: Row) -> str:
    return clean(row.run.status.id, 1000) if row.run else ""


def _duration(report: Report, row: Row) -> str:
    seconds = row.duration(report)
    return "" if seconds is None else span(seconds)
