"""`cloud-runs history`: why each run was fired, and what became of those before it. It asks no system."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rich.console import Console

from cloud_runs.errors import RunsError, clean
from cloud_runs.status import options, reading, showing, terminal
from cloud_runs.status.naming import named
from cloud_runs.status.options import Commands
from cloud_runs.status.recorded import OnRecord
from cloud_runs.status.report import Exit, shown_time
from cloud_runs.status.rows import LISTED
from cloud_runs.status.terminal import Column, shortened
from cloud_runs.wire.payloads import moment

VERSION = 1  # of the shape of `--json`

_SHORT, _MESSAGE = 15, 40  # columns of an id, and of an update's message
_LATE = timedelta(seconds=5)  # the clocks of a service and of a machine differ, and an update tells whole seconds
_UPDATES = "100"  # the newest ones that are looked at


class Update(NamedTuple):
    """An `up` as the backend remembers it. `author`: of the commit that was checked out."""

    started: datetime
    ended: datetime
    version: int | None
    """None where the backend tells none: a folder and a bucket do not."""
    message: str
    author: str


def add(commands: Commands) -> None:
    parser = options.verb(
        commands,
        "history",
        "why runs were fired, and what became of those before them",
        "Shows each run of a stack, also those of a fan-out, and up to five before it: when and why it was fired, how "
        "it ended as far as a refresh or a Completion has recorded it, and in which update, as far as the backend "
        "tells. Asks no system.",
        "exit codes: 0 it is printed, 2 there is no such run, 12 the stack could not be read",
    )
    options.add_stack(parser)
    parser.add_argument("name", metavar="RESOURCE[/OBJECT]", nargs="?", type=options.given, help="this run alone")
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--wide", action="store_true", help="shorten no id")
    printed.add_argument("--json", action="store_true", help="print JSON in the place of the table")
    parser.set_defaults(run=_history)


def _history(given: argparse.Namespace) -> Exit:
    stack = options.read(given)
    wanted = named(given.name, stack.records.runs) if given.name else list(stack.records.runs)
    runs = [run for run in wanted if run.attempts]
    updates = [] if given.state is not None else _updates(given.cwd, stack.name)
    if given.json:
        showing.put(json.dumps(_as_json(stack, runs, updates), indent=2) + "\n")
    else:
        showing.put(_table(runs, updates, wide=given.wide))
    return Exit.SUCCEEDED


def _updates(folder: str, stack: str) -> list[Update]:
    """Those that may have fired something, newest first; none from a backend that tells none."""
    workspace = reading.workspace_of(folder)
    command = ["stack", "history", "--json", "--page-size", _UPDATES, "--stack", stack]
    try:
        listed = json.loads(reading.told(lambda: workspace.pulumi_command.run(command, folder, {})).stdout)
    except (RunsError, ValueError):  # a question of its own; the history of the runs is in the state
        return []
    return [update for one in listed if one.get("kind") == "update" and (update := _update(one))]


def _update(one: Mapping[str, Any]) -> Update | None:
    started, ended = moment(str(one.get("startTime"))), moment(str(one.get("endTime")))
    if started is None or ended is None:
        return None
    lines = str(one.get("message") or "").splitlines() or [""]
    author = str((one.get("environment") or {}).get("git.author") or "")
    return Update(started, ended, int(one.get("version") or 0) or None, clean(lines[0]), clean(author))


def _of(attempt: Mapping[str, Any], updates: Sequence[Update]) -> Update | None:
    """The update in which it was fired. A run that was adopted was fired in none, or long before."""
    at = moment(str(attempt.get("fired_at")))
    if at is None:
        return None
    # The earliest: one that begins in the second in which another ends has a program to start before it fires.
    oldest = tuple(reversed(updates))
    within = (one for late in (timedelta(), _LATE) for one in oldest if one.started - late <= at <= one.ended + late)
    return next(within, None)


class Line(NamedTuple):
    """A run of the table; or several of one fan-out that were fired for one reason and ended alike."""

    label: str
    attempt: Mapping[str, Any]


def _lines(runs: Sequence[OnRecord]) -> Iterator[Line]:
    """In the order of the state. Of a fan-out the objects that were fired again come first, LISTED of them; of the
    others, and of the runs on record of the rest, one line for all that are alike."""
    alike: dict[tuple[Any, ...], list[OnRecord]] = {}
    listed: Counter[str] = Counter()
    for run in runs:
        *before, last = run.attempts
        listed[run.urn] += bool(before)
        if run.object and len(runs) > 1 and (not before or listed[run.urn] > LISTED):
            alike.setdefault((run.urn, *(last[name] for name in ("phase", "code", "why"))), []).append(run)
        else:
            yield from (Line(run.label, attempt) for attempt in run.attempts)
    for some in alike.values():
        if len(some) == 1:
            yield Line(some[0].label, some[0].attempts[-1])
        else:
            newest = max(str(run.attempts[-1]["fired_at"]) for run in some)
            label = f"{clean(some[0].resource, 200)} ({len(some)} objects)"
            yield Line(label, {**some[0].attempts[-1], "fired_at": newest, "id": ""})


def _table(runs: Sequence[OnRecord], updates: Sequence[Update], *, wide: bool) -> str:
    found = list(_lines(runs))
    if not found:
        return "no history is recorded\n"
    ids = [clean(str(attempt["id"]), 1000) for _, attempt in found]
    columns = [
        Column("Resource", [label for label, _ in found]),
        Column("Fired (UTC)", [shown_time(str(attempt["fired_at"])) for _, attempt in found]),
        Column("Phase", [str(attempt["phase"]) for _, attempt in found]),
        Column("Code", [clean(str(attempt["code"]), 40) for _, attempt in found]),
        Column("Why", [clean(str(attempt["why"]), 200) or "not recorded" for _, attempt in found]),
        Column("Id", ids if wide else [shortened(id, _SHORT) for id in ids]),
        Column("Update", [_shown(_of(attempt, updates)) for _, attempt in found]),
    ]
    console = Console(highlight=False, width=terminal.UNBOUND)
    with console.capture() as captured:
        for line in terminal.lines([one for one in columns if any(one.cells)], columns[2].cells):
            console.print(line, soft_wrap=True)
    return captured.get()


def _shown(update: Update | None) -> str:
    if update is None:
        return ""
    parts = [f"#{update.version}"] if update.version else []
    parts += [shortened(update.message, _MESSAGE)] if update.message else []
    parts += [f"commit by {update.author}"] if update.author else []
    return ", ".join(parts) or f"{update.started:%H:%M:%S}"


def _as_json(stack: reading.Stack, runs: Sequence[OnRecord], updates: Sequence[Update]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "project": stack.project,
        "stack": stack.name,
        "runs": [
            {
                "resource": run.resource,
                "object": run.object,
                "urn": run.urn,
                "system": run.reference.system,
                "attempts": [{**attempt, "update": _plain(_of(attempt, updates))} for attempt in run.attempts],
            }
            for run in runs
        ],
    }


def _plain(update: Update | None) -> dict[str, Any] | None:
    if update is None:
        return None
    times = {"started_at": update.started.isoformat(), "ended_at": update.ended.isoformat()}
    return {"version": update.version, **times, "message": update.message, "author": update.author}
