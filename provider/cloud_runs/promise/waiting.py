"""The poll loop: looks at many runs until each of them has ended. Clock and sleep are passed in.

What does NOT happen: nothing is started or stopped; a run that has ended is not asked for again; an answer that was
not given never counts as an end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cloud_runs.errors import NotFound
from cloud_runs.runs import Phase, Reference, RunStatus, Untold

FIRST_PAUSE = 1.0  # seconds between the first two looks
GROWTH = 1.5
CONFIRM_PAUSE = 2.0  # seconds at most before the second look at an end that counts only if told twice in a row
KNOWN_WITHIN = 20.0  # seconds after which a run that no look has shown is gone; a service may show a new run late

Told = Mapping[str, RunStatus | Untold]
Look = Callable[[Mapping[Reference, Collection[str]]], Mapping[Reference, Told]]
"""Asks places (references with an empty id), each for its runs by their ids; see `RunApi.get_many`."""


@dataclass
class Watched:
    """What is known of one run. `untold` is why the last look told nothing of it."""

    status: RunStatus | None = None
    untold: Untold | None = None
    ended: bool = False
    gone: bool = False
    """The service no longer knows it: an end, and no success."""

    @property
    def succeeded(self) -> bool:
        return self.ended and not self.gone and self.status is not None and self.status.phase is Phase.SUCCEEDED


class Tally(NamedTuple):
    succeeded: int
    failed: int
    """Ended without success: failed, cancelled or gone."""
    running: int


class Watch:
    """The runs that are waited for."""

    def __init__(self, runs: Iterable[Reference]) -> None:
        self.runs = {run: Watched() for run in runs}

    @property
    def open(self) -> list[Reference]:
        return [reference for reference, run in self.runs.items() if not run.ended]

    @property
    def tally(self) -> Tally:
        ended = [run for run in self.runs.values() if run.ended]
        succeeded = sum(run.succeeded for run in ended)
        return Tally(succeeded, len(ended) - succeeded, len(self.runs) - len(ended))

    @property
    def trouble(self) -> str:
        """Why a run could not be queried in the last look; empty if all could."""
        untold = (run.untold for run in self.runs.values() if not run.ended)
        return next((str(why) for why in untold if why is not None and not isinstance(why, NotFound)), "")

    @property
    def confirming(self) -> bool:
        """Whether nothing is left but ends that must be told once more."""
        left = [self.runs[reference] for reference in self.open]
        return all(run.untold is None and run.status is not None and run.status.phase.terminal for run in left)

    def look(self, look: Look, waited: float) -> None:
        """One round: asks each place once for its open runs. `waited`: seconds since the first round."""
        places: dict[Reference, dict[str, Reference]] = {}
        for reference in self.open:
            place = Reference(reference.system, reference.region, reference.scope, "")
            places.setdefault(place, {})[reference.id] = reference
        told = look(places) if places else {}
        for place, ids in places.items():
            for id, reference in ids.items():
                _note(self.runs[reference], told[place][id], waited)


def _note(run: Watched, told: RunStatus | Untold, waited: float) -> None:
    if isinstance(told, RunStatus):
        twice = run.untold is None and run.status is not None and run.status.phase.terminal
        run.ended = told.phase.terminal and (twice or not told.summed)
        run.status, run.untold = told, None
    else:
        # One such answer may be a slip, and a run that has just been started may not be shown yet.
        again = isinstance(told, NotFound) and isinstance(run.untold, NotFound)
        run.gone = run.ended = again and (run.status is not None or waited >= KNOWN_WITHIN)
        run.untold = told


def wait(
    watch: Watch,
    look: Look,
    *,
    timeout: float,
    interval: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    jitter: Callable[[], float],
    tell: Callable[[Watch, float], None],
) -> bool:
    """Whether all runs ended within `timeout` seconds; a last look is made when they are over.

    The pause between two looks grows from about one second to `interval` seconds. `jitter` gives numbers from 0 to 1,
    which shorten it by up to a tenth. `tell` is called after each round with the seconds waited. Whatever `look`,
    `sleep` or `tell` raise ends the wait.
    """
    began = clock()
    pause = min(FIRST_PAUSE, interval)
    while True:
        watch.look(look, clock() - began)
        waited = clock() - began
        tell(watch, waited)
        if not watch.open:
            return True
        if waited >= timeout:
            return False
        next_pause = min(pause, CONFIRM_PAUSE) if watch.confirming else pause
        sleep(min(next_pause * (1 - jitter() / 10), timeout - waited))
        pause = min(pause * GROWTH, interval)
