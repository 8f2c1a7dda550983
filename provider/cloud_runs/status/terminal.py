"""The report as a table in the terminal, and the progress on stderr while the systems are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cloud_runs.errors import clean
from cloud_runs.promise.outcomes import span
from cloud_runs.runs import Phase
from cloud_runs.status.report import Exit, Report, Run, shown_time

_UNBOUND = 10_000  # columns; lines of a file or a pipe are not broken
_STYLES = {
    Phase.SUCCEEDED: "green",
    Phase.FAILED: "bold red",
    Phase.CANCELLED: "yellow",
    Phase.RUNNING: "cyan",
    Phase.PENDING: "blue",
    Phase.UNKNOWN: "magenta",
}


def text(report: Report, console: Console | None = None) -> str:
    """The report as this console (else stdout) shows it: with colours in a terminal, with whole lines in a pipe.

    Text of servers is never read as markup, and holds no control characters.
    """
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNBOUND
    with console.capture() as captured:  # when it prints by itself, rich ends the process if nobody reads
        _print(report, console)
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


def _print(report: Report, console: Console) -> None:
    if report.runs:
        table = _wide(report)
        needed = console.measure(table, options=console.options.update(max_width=_UNBOUND)).maximum
        console.print(table if needed <= console.width else _narrow(report))
    for who, remark, verdict in report.remarks:
        style = "red" if verdict in (Exit.FAILED, Exit.NOT_ASKED) else ""
        console.print(Text.assemble((who, "bold"), ": ", (remark, style)), soft_wrap=True)
    for lost in report.listed_missing:
        at = f" (asked for at {shown_time(lost.asked_at)} UTC)" if shown_time(lost.asked_at) else ""
        console.print(Text.assemble((lost.label, "bold"), ": ", (clean(lost.reason, 600), "red"), at), soft_wrap=True)
    for line in report.left_out:
        console.print(Text(f"{line} (--json has them all)"), soft_wrap=True)
    if report.remarks or report.missing or report.left_out:
        console.print()
    asked = f"{report.asked_at:%Y-%m-%d %H:%M:%S} UTC"
    console.print(Text(f"{clean(report.stack)}, {asked}: {report.summary}"), soft_wrap=True)


def _wide(report: Report) -> Table:
    table = _table("Resource", "System", "Id", "Phase", "Started (UTC)", "Duration")
    blamed = any(run.failed_tasks for run in report.listed)
    if blamed:
        table.add_column("Failing task", overflow="fold")
    for run in report.listed:
        cells = [Text(run.label), Text(run.system), Text(_id(run)), _phase(run), Text(_started(run))]
        cells += [Text(_duration(report, run))]
        cells += [Text(", ".join(run.failed_tasks))] if blamed else []
        table.add_row(*cells)
    return table


def _narrow(report: Report) -> Table:
    """Three columns, for a terminal that the wide table does not fit into; the duration is below the start. The failing
    task is among the remarks.
    """
    table = _table("Resource, system, id", "Phase", "Started (UTC)")
    for run in report.listed:
        which = Text.assemble((run.label, "bold"), "\n", (run.system, "dim"), "\n", _id(run))
        when = "\n".join(part for part in (_started(run), _duration(report, run)) if part)
        table.add_row(which, _phase(run, "\n"), Text(when))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")  # an id that is cut off finds nothing
    return table


def _phase(run: Run, gap: str = " ") -> Text:
    doubt = f"{gap}(on record)" if run.from_record else ""
    return Text.assemble((run.word, _STYLES[run.phase]), (doubt, "dim"))


def _id(run: Run) -> str:
    return clean(run.status.id, 1000)


def _started(run: Run) -> str:
    return shown_time(run.status.started_at)


def _duration(report: Report, run: Run) -> str:
    seconds = report.duration(run)
    return "" if seconds is None else span(seconds)
