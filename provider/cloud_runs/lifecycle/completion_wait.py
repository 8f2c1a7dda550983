"""The wait of a Completion: asks all places at once, shows progress, and says what has not ended in time."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from cloud_runs import errors
from cloud_runs.errors import Interrupted
from cloud_runs.lifecycle import progress
from cloud_runs.lifecycle.clients import Clients
from cloud_runs.lifecycle.interrupts import Questions, Stop
from cloud_runs.promise import groups, outcomes, waiting
from cloud_runs.promise import progress as how_far
from cloud_runs.promise.waiting import Told, Watch
from cloud_runs.runs import Reference

AGAIN = "the next `pulumi up` checks again and fires nothing"

_ROUND = 60.0  # seconds at most for one look at all places
_LAST_LOOK = 5.0  # seconds at least, also at the end of the time
_CANCEL = 310.0  # seconds for all cancels; EnOS waits up to 300 for the end of a run that it cancels
_SHOWN = 50  # runs that an error names


class Wanted(NamedTuple):
    """A run that is waited for; `reference` is None for an object of a fan-out that was `refused`, with the reason."""

    label: str
    """The run's resource and object, or its reference."""
    reference: Reference | None
    object: str = ""
    refused: str = ""

    @property
    def resource(self) -> str:
        """The label without the object."""
        return self.label.removesuffix(f" object {self.object!r}")


class Wait:
    """One wait. `wanted`: each run once; `done`: how many of them need no look."""

    def __init__(self, urn: str, wanted: Sequence[Wanted], watch: Watch, clients: Clients, timeout: float) -> None:
        self._urn, self._wanted, self._watch, self._clients, self._timeout = urn, wanted, watch, clients, timeout
        self._labels = {run.reference: run.label for run in wanted}
        self._stop = Stop()
        self._looks: Questions[Reference, Told] = Questions(self._stop)
        self._began = time.monotonic()

    def run(self, interval: float, *, cancel: bool) -> None:
        """Raises RunsError unless all runs have ended in time. `cancel`: those that have not are asked to stop."""
        asked: dict[Reference, str] = {}
        try:
            ended = waiting.wait(
                self._watch,
                self._look,
                timeout=self._timeout,
                interval=interval,
                clock=time.monotonic,
                sleep=self._stop.sleep,
                jitter=random.random,
                tell=self._tell,
            )
            if not ended:
                late = self._watch.open
                if cancel:
                    self._cancel(late, asked)
                    self._watch.look(self._look, waiting.KNOWN_WITHIN)
                raise errors.RunsError(self._not_in_time(late, asked))
        except Interrupted:
            stopped = f", {len(asked)} asked to stop" if asked else ""
            raise errors.RunsError(f"interrupted; {self._counts()}{stopped}. The runs go on; {AGAIN}") from None

    # -- asking

    def _look(self, places: Mapping[Reference, Collection[str]]) -> Mapping[Reference, Told]:
        seconds = min(max(self._began + self._timeout - time.monotonic(), _LAST_LOOK), _ROUND)
        answers = self._looks.ask({place: partial(self._ask, place, ids) for place, ids in places.items()}, seconds)
        told: dict[Reference, Told] = {}
        for place, ids in places.items():
            answer = answers.get(place, errors.Unavailable(f"no answer within {outcomes.span(seconds)}"))
            if isinstance(answer, (errors.Unavailable, errors.Throttled)):
                told[place] = dict.fromkeys(ids, answer)
            elif isinstance(answer, errors.RunsError):
                one = Reference(place.system, place.region, place.scope, next(iter(ids)))
                raise errors.RunsError(f"{self._labels[one]}: {answer}") from answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                told[place] = answer
        return told

    def _ask(self, place: Reference, ids: Collection[str]) -> Told:
        return self._clients.of(place).get_many(ids)

    def _cancel(self, runs: Sequence[Reference], asked: dict[Reference, str]) -> None:
        """Asks the systems to stop runs, and notes in `asked` what came of it: empty if nothing spoke against it. Once
        the engine is gone nobody wants that any more."""
        if progress.engine_gone():
            raise Interrupted
        progress.tell(self._urn, f"{self._counts()}; asking {len(runs)} to stop")
        questions: Questions[Reference, None] = Questions(self._stop)
        answers = questions.ask({run: partial(self._cancel_one, run, asked) for run in runs}, _CANCEL)
        for run in runs:
            answer = answers.get(run, errors.Unavailable("no answer in time"))
            if isinstance(answer, errors.RunsError):
                asked[run] = str(answer)
            elif isinstance(answer, BaseException):
                raise answer

    def _cancel_one(self, run: Reference, asked: dict[Reference, str]) -> None:
        self._clients.of(Reference(run.system, run.region, run.scope, "")).cancel(run.id)
        asked[run] = ""

    # -- telling

    def _not_in_time(self, late: Sequence[Reference], asked: Mapping[Reference, str]) -> str:
        """What had not ended in time, or did not succeed."""
        lines: list[tuple[Wanted, str]] = []
        for one in self._wanted:
            run = self._watch.runs.get(one.reference) if one.reference else None
            if one.refused:
                lines.append((one, outcomes.became(outcomes.refusal(one.refused))))
            elif run and one.reference and (not run.succeeded or one.reference in late):
                line = outcomes.became(outcomes.outcome(one.reference, run)) if run.ended else outcomes.going(run)
                said = asked.get(one.reference)
                more = "" if said is None or run.ended else f"; not cancelled: {said}" if said else "; asked to stop"
                lines.append((one, line + more))
        goes_on = "It goes on" if len(late) == 1 else "They go on"
        if asked:
            goes_on = "What was not stopped goes on"
        return (
            f"{of(late, self._wanted)} had not ended after {outcomes.span(self._timeout)}. {goes_on}; the next "
            f"`pulumi up` waits again and fires nothing{listed(told(lines))}"
        )

    def _counts(self, waited: float | None = None) -> str:
        """How far the runs are; `waited` seconds after the first look also how long that took or may still take."""
        succeeded, failed, running = self._watch.tally
        refused = sum(run.reference is None for run in self._wanted)
        known = len(self._wanted) - refused - len(self._watch.runs)  # a former wait has seen them succeed
        ages, took = [waited] * running, how_far.took(self._watch)
        return how_far.line(known + succeeded, len(self._wanted), failed + refused, ages, took, waited)

    def _tell(self, watch: Watch, waited: float) -> None:
        """A line on the Completion's own row at every look: one that does not change would look frozen."""
        more = f"; queried again, since {watch.trouble}" if watch.trouble else ""
        progress.tell(self._urn, f"{self._counts(waited)}{more}")


def of(some: Sequence[Any], wanted: Sequence[Wanted]) -> str:
    return f"{len(some)} of {len(wanted)} runs" if len(wanted) != 1 else "the run"


def told(of: Iterable[tuple[Wanted, str]]) -> list[str]:
    """One line for all runs of which the same is to be said."""
    lines = []
    for runs, what in groups.alike(of):
        objects: dict[str, list[Wanted]] = {}
        for run in runs:
            objects.setdefault(run.resource, []).append(run)
        who = [
            some[0].label if len(some) == 1 else f"{resource}: {groups.objects([run.object for run in some])}"
            for resource, some in objects.items()
        ]
        lines.append(f"{groups.some(who)}: {what}")
    return lines


def listed(lines: Sequence[str]) -> str:
    more = f"\n  and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "".join(f"\n  {line}" for line in lines[:_SHOWN]) + more
