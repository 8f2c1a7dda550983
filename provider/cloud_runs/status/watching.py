"""Looks at the runs of a stack until they have ended. It needs no engine, takes no lock and starts nothing.

The rules of a `Completion` (promise/waiting.py) say when a run has ended. The state is read once, before.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timezone

from cloud_runs.errors import NotFound, RunsError, Throttled, Unavailable
from cloud_runs.promise import progress, waiting
from cloud_runs.promise.waiting import Told, Watch, Watched
from cloud_runs.runs import Reference, RunStatus
from cloud_runs.status import asking, lost
from cloud_runs.status.asking import Askers, Group
from cloud_runs.status.reading import Stack
from cloud_runs.status.recorded import OnRecord
from cloud_runs.status.report import Report
from cloud_runs.wire.looks import together
from cloud_runs.wire.payloads import moment

FOREVER = 10 * 365 * 86_400.0


class _Over(Exception):
    """There is nothing left that a further look could tell."""


class Watching:
    """`patient`: what cannot be asked at all (a key that is refused) keeps nobody from waiting for the others; else it
    ends the wait, which cannot come to a good end any more."""

    def __init__(self, stack: Stack, *, patient: bool) -> None:
        self._stack, self._patient = stack, patient
        self._wanted = [run for run in stack.records.runs if not run.known_success]
        self.watch = Watch(run.reference for run in self._wanted)
        self._groups = {run.reference: asking.group(run) for run in self._wanted}
        self._askers = Askers(stack.records, stack.config)
        self._refused: dict[Group, RunsError] = {}
        self._missing = lost.missing(stack.records, stack.config)

    def run(self, *, timeout: float, interval: float, tell: Callable[[Watching], None]) -> bool:
        """Whether all have ended. `tell` is called after each look."""

        def told(_: Watch, __: float) -> None:
            tell(self)
            if self._refused and not (self._patient and self._going):
                raise _Over

        try:
            return waiting.wait(
                self.watch,
                self._look,
                timeout=timeout,
                interval=interval,
                clock=time.monotonic,
                sleep=time.sleep,
                jitter=random.random,
                tell=told,
            )
        except _Over:
            return False

    @property
    def report(self) -> Report:
        """What is known now."""
        runs = [asking.shown(*self._known(run)) for run in self._stack.records.runs]
        at = datetime.now(timezone.utc).replace(microsecond=0)
        return Report(self._stack.name, at, tuple(asking.in_order(runs)), self._missing, self._stack.project)

    @property
    def line(self) -> str:
        """`7/12 done, 1 FAILED, 4 running, about 2m left`; what a former wait has seen succeed is done as well."""
        tally, now = self.watch.tally, datetime.now(timezone.utc)
        known = sum(run.known_success for run in self._stack.records.runs)
        ages = [_age(self.watch.runs[reference], now) for reference in self.watch.open]
        done, of = known + tally.succeeded, known + len(self.watch.runs)
        trouble, again = self.watch.trouble, "queried again, since" if self._going else "not queried again:"
        told = f"; {again} {trouble}" if trouble else ""
        return progress.line(done, of, tally.failed, ages, progress.took(self.watch)) + told

    # -- parts

    @property
    def _going(self) -> bool:
        """Whether one is left that can be asked."""
        return any(self._groups[reference] not in self._refused for reference in self.watch.open)

    def _look(self, places: Mapping[Reference, Collection[str]]) -> Mapping[Reference, Told]:
        wanted: dict[Group, set[str]] = {}
        for place, ids in places.items():
            for id in ids:
                wanted.setdefault(self._groups[replace(place, id=id)], set()).add(id)
        answers = together(lambda group: self._ask(group, wanted[group]), wanted)
        told: dict[Reference, dict[str, RunStatus | NotFound | Throttled | Unavailable]] = {}
        for (_, place), answer in answers.items():
            told.setdefault(place, {}).update(answer)  # type: ignore[arg-type]  # `_ask` raises nothing
        return told

    def _ask(self, group: Group, ids: set[str]) -> Told:
        if group not in self._refused:
            try:
                return self._askers.of(group).get_many(ids)
            except (Throttled, Unavailable) as error:
                return dict.fromkeys(ids, error)
            except RunsError as error:
                self._refused[group] = error
        return dict.fromkeys(ids, Unavailable(str(self._refused[group])))

    def _known(self, run: OnRecord) -> tuple[OnRecord, RunStatus | RunsError | None]:
        """The run, and what is to be shown as its answer."""
        if run.known_success:
            return run, None
        seen = self.watch.runs[run.reference]
        run = replace(run, status=seen.status) if seen.status and seen.untold else run
        if isinstance(seen.untold, NotFound) and not seen.gone:  # it may be shown late: not yet an answer
            return run, run.status
        return run, seen.untold or seen.status


def _age(run: Watched, now: datetime) -> float | None:
    began = moment(run.status.started_at or run.status.created_at) if run.status else None
    return (now - began).total_seconds() if began else None
