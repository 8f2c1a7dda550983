"""`cloud-runs check`: would an `up` find what it needs? Asked before the first one, or at any time.

What to ask for is told by a preview of the program, in which each run has an intent. What does NOT happen: nothing is
fired, no state is written, no lock is taken.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from rich.console import Console
from rich.text import Text

from cloud_runs.errors import InvalidConfiguration, MissingCredentials, Refused, RunsError, Throttled, clean
from cloud_runs.kinds import Occasion
from cloud_runs.limits import Limit
from cloud_runs.promise import groups
from cloud_runs.runs import Reference, RunApi, Workflow
from cloud_runs.status import options, reading
from cloud_runs.status.asking import Askers
from cloud_runs.status.options import Commands
from cloud_runs.status.planned import Planned, preview
from cloud_runs.status.report import Exit
from cloud_runs.wire.looks import together

_OLDEST, _BELOW = (3, 216, 0), (4, 0, 0)  # as pyproject.toml says of the SDK
_CLOCK = "clock"
_SECONDS = 30.0  # for one question
_SKEW = 60.0  # seconds by which the clock may be wrong; services refuse a signature after 5 to 15 minutes
_EXIT_CODES = """exit codes:
  0  all is well
  2  the command line is wrong
 10  something is not: `pulumi up` would fail, or fire what cannot run
 12  otherwise: something could not be queried, or is not known before the `up`
130  interrupted by Ctrl-C"""


class Found(Enum):
    OK = "ok"
    WRONG = "FAIL"
    UNKNOWN = "?"


_STYLES = {Found.OK: "green", Found.WRONG: "bold red", Found.UNKNOWN: "yellow"}


@dataclass(frozen=True)
class Line:
    found: Found
    what: str
    said: str


def add(commands: Commands) -> None:
    parser = options.verb(
        commands,
        "check",
        "whether `pulumi up` would find what it needs",
        "Before the first `pulumi up`, and at any time: is the engine one that is supported, are the keys right and "
        "allowed to ask, is the bucket bound, does each workflow or flow exist and can it run, is the clock right? "
        "One line each, and what to do. It previews the program (`pulumi preview`), which fires nothing.",
        _EXIT_CODES,
    )
    options.add_stack(parser, exported=False)
    parser.set_defaults(run=_check)


def _check(given: argparse.Namespace) -> Exit:
    lines = []
    console = Console(highlight=False, soft_wrap=True)
    for line in check(given.cwd, given.stack or ""):
        lines.append(line.found)
        mark = Text(f"{line.found.value:<4}", _STYLES[line.found])
        console.print(Text.assemble(mark, "  ", (clean(line.what), "bold"), ": ", clean(line.said, 600)))
        sys.stdout.flush()
    if Found.WRONG in lines:
        return Exit.FAILED
    return Exit.NOT_ASKED if Found.UNKNOWN in lines else Exit.SUCCEEDED


def check(folder: str, name: str) -> Iterator[Line]:
    """Raises RunsError if the stack cannot be read."""
    yield _engine(reading.workspace_of(folder).pulumi_version)
    stack = reading.read(folder, name)
    plan = preview(folder, stack)
    if plan.errors:  # what else it tells cannot be relied on
        yield from (Line(Found.WRONG, "program", error) for error in plan.errors)
        return
    if not plan.runs:
        yield Line(Found.OK, "program", "it has no runs")
    askers = Askers(stack.records, stack.config)
    places: dict[tuple[str, Reference], list[Planned]] = {}
    for run in plan.runs:
        if run.hidden:
            yield Line(Found.UNKNOWN, run.name, run.hidden)
            continue
        try:
            place = run.kind.place(run.arguments, askers.settings(run.provider))
        except RunsError as error:
            yield _trouble(run.name, error)
            continue
        places.setdefault((run.provider, place), []).append(run)
    answers = together(lambda group: list(_place(askers, group, places[group])), places)
    told = [line for lines in answers.values() for line in ([_late(lines)] if isinstance(lines, Exception) else lines)]
    clock = [line for line in told if line.what == _CLOCK]
    yield from sorted(clock, key=lambda line: line.found is not Found.WRONG)[:1]  # it is one clock
    yield from (line for line in told if line.what != _CLOCK)


def _trouble(who: str, error: RunsError) -> Line:
    """A question that was not answered says nothing of what is asked for."""
    wrong = isinstance(error, (Refused, MissingCredentials, InvalidConfiguration)) and not isinstance(error, Throttled)
    return Line(Found.WRONG if wrong else Found.UNKNOWN, who, str(error))


def _late(error: Exception) -> Line:
    return Line(Found.UNKNOWN, "service", str(error))


def _engine(version: str) -> Line:
    numbers = tuple(int(part) for part in version.lstrip("v").split("-")[0].split(".")[:3] if part.isdigit())
    if _OLDEST <= numbers < _BELOW:
        return Line(Found.OK, "engine", f"Pulumi {version.lstrip('v')}")
    return Line(
        Found.WRONG, "engine", f"Pulumi {version.lstrip('v')} is not supported: install 3.216 or later, below 4"
    )


def _clock(skew: float) -> Line:
    """`skew`: by how many seconds the service's clock is ahead of this machine's."""
    if abs(skew) <= _SKEW:
        return Line(Found.OK, _CLOCK, "that of the service, within a minute")
    which = "behind" if skew > 0 else "ahead of"
    return Line(Found.WRONG, _CLOCK, f"it is {abs(skew):.0f} s {which} that of the service: set it (NTP)")


def _place(askers: Askers, group: tuple[str, Reference], runs: list[Planned]) -> Iterator[Line]:
    """What one question about runs, and one about each workflow, tells of a place."""
    place, first = group[1], runs[0]
    who = groups.some(list(dict.fromkeys(run.name for run in runs)))
    try:
        api = askers.of(group)
        now = datetime.now(timezone.utc)
        found = api.find(first.kind.request(first.arguments, _occasion(now)), now, Limit(_SECONDS))
    except RunsError as error:
        yield _trouble(who, error)
        return
    if found.server_time:
        yield _clock((found.server_time - datetime.now(timezone.utc)).total_seconds())
    where = " ".join(part for part in (place.system, place.region, place.scope) if part)
    yield Line(Found.OK, where, "the keys are right, and may query runs")
    asked, lines = dict[str, Planned](), dict[tuple[Found, str], Line]()
    for run in runs:
        asked.setdefault(repr(_of_workflow(run)), run)
    for run in asked.values():
        for line in _workflows(run, api):
            lines.setdefault((line.found, line.said), line)
    yield from lines.values()


def _of_workflow(run: Planned) -> list[tuple[str, Any]]:
    """What a look at a run's workflow goes by: not what the run works on."""
    names = [one.name for one in run.kind.arguments if one.subject in ("", "workflow") and one.name in run.arguments]
    return [(name, run.arguments[name]) for name in names]


def _workflows(run: Planned, api: RunApi[Any]) -> Iterator[Line]:
    request = run.kind.request(run.arguments, _occasion(datetime.now(timezone.utc)))
    try:
        found = api.workflows(request, Limit(_SECONDS))
    except RunsError as error:
        yield _trouble(run.name, error)
        return
    for workflow in found:
        yield _workflow(run, workflow)


def _workflow(run: Planned, workflow: Workflow) -> Line:
    shown = f"workflow {workflow.id}" + (f" ({workflow.name})" if workflow.name not in ("", workflow.id) else "")
    state = f" (state {workflow.state})" if workflow.state else ""
    remark = f"; {workflow.remark}" if workflow.remark else ""
    if not workflow.exists:
        argument = next((one.name for one in run.kind.arguments if one.subject == "workflow"), "the argument")
        return Line(Found.WRONG, run.name, f"{shown} does not exist there: make it, or correct {argument}{remark}")
    if workflow.runs is False:
        return Line(Found.WRONG, run.name, f"{shown} cannot be run{state}{remark}")
    if workflow.lacks:
        lacks = f"{shown} needs inputs that are not given: {', '.join(workflow.lacks)}{remark}"
        return Line(Found.UNKNOWN if run.unknown else Found.WRONG, run.name, lacks)
    return Line(Found.OK, run.name, f"{shown} exists{state}{remark}")


def _occasion(now: datetime) -> Occasion:
    return Occasion(token="0" * 32, minted_at=now, name="check")
