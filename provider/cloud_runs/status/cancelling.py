"""`cloud-runs cancel`: asks a system to stop runs, where it can. It says what it is about to stop, and asks first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace

from cloud_runs.errors import NotFound, RunsError, clean
from cloud_runs.lifecycle.clients import kind_named
from cloud_runs.status import asking, options
from cloud_runs.status.asking import Askers
from cloud_runs.status.naming import named
from cloud_runs.status.options import Commands, Usage
from cloud_runs.status.reading import Stack
from cloud_runs.status.recorded import OnRecord
from cloud_runs.status.report import Exit, Run
from cloud_runs.wire.looks import together

_EXIT_CODES = """exit codes:
  0  what was to be stopped was asked to stop, or had ended before
  2  there is no such run, or its system has no call that stops one
 11  the answer was no: the run goes on
 12  a system or the stack could not be queried
130  interrupted by Ctrl-C"""


def add(commands: Commands) -> None:
    parser = options.verb(
        commands,
        "cancel",
        "stop a run, where its system can",
        "Asks the system to stop a run, or that of one object of a fan-out. Tencent CI and Huawei have no such "
        "call for workflows. The state of the stack stays as it is: a refresh records what became of the run.",
        _EXIT_CODES,
    )
    options.add_stack(parser)
    parser.add_argument("name", metavar="RESOURCE[/OBJECT]", type=options.given, help="as `cloud-runs status` shows it")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask first")
    parser.set_defaults(run=_cancel)


def _cancel(given: argparse.Namespace) -> Exit:
    stack = options.read(given)
    wanted = named(given.name, stack.records.runs)
    for one in wanted:
        kind = kind_named(one.reference.system)
        if kind is not None and kind.no_cancel:
            raise Usage(f"{one.label}: {one.reference.system} has no call that stops a run, so it goes on")
    askers = Askers(stack.records, stack.config)
    runs = _now(stack, wanted)
    going = [(run, on_record) for run, on_record in zip(runs, wanted, strict=True) if run.going]
    for run in runs:
        if not run.going:
            print(f"{run.label}: {run.word}{': ' if run.problem else ''}{clean(run.problem, 600)}")
    unknown = any(run.verdict is Exit.NOT_ASKED for run in runs)
    if going and not (given.yes or _agreed([run for run, _ in going])):
        print("nothing was stopped")
        return Exit.GOING
    failed = _stop(askers, [on_record for _, on_record in going])
    return Exit.NOT_ASKED if failed or unknown else Exit.SUCCEEDED


def _now(stack: Stack, wanted: list[OnRecord]) -> list[Run]:
    """The runs as their systems tell them now; a success that is on record is asked for again all the same."""
    again = {run.label: run for run in wanted}
    records = replace(stack.records, runs=tuple(replace(run, known_success=False) for run in wanted))
    told = {run.label: run for run in asking.ask(records, stack.config, lambda _: None)}
    return [told[label] for label in again]


def _agreed(runs: list[Run]) -> bool:
    """Raises Usage where nobody can answer."""
    if not sys.stdin or not sys.stdin.isatty():
        raise Usage("cancel asks first, and nobody can answer here: give --yes")
    for run in runs:
        since = f", since {run.status.started_at}" if run.status.started_at else ""
        print(f"{run.label}: {run.word}{since}, {clean(run.status.id)} ({run.system})", file=sys.stderr)
    these = "this run" if len(runs) == 1 else f"these {len(runs)} runs"
    print(f"Stop {these}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _stop(askers: Askers, runs: list[OnRecord]) -> bool:
    """Says of each what came of it. Whether one could not be asked to stop."""

    def stop(run: str) -> str:
        try:
            one = by_label[run]
            askers.of(asking.group(one)).cancel(one.reference.id)
        except NotFound:
            return "no longer known to the service"
        except RunsError as error:
            failed.add(run)
            return f"not stopped: {clean(str(error), 600)}"
        return "asked to stop"

    failed: set[str] = set()
    by_label: Mapping[str, OnRecord] = {run.label: run for run in runs}
    said = together(stop, by_label)
    for label in by_label:
        print(f"{label}: {said[label]}")
    return bool(failed)
