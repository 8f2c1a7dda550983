"""Runs and the store that holds them. A state is worked out from the clock when somebody looks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_runs_emulator.systems import Request

_serial = attrgetter("serial")


@dataclass(frozen=True, slots=True)
class Forced:
    """A state that was set from outside at the Unix time `at`: by an admin call, or by a cancel request."""

    state: str
    at: float
    code: str = ""
    message: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """One run of any system.

    `timeline` holds pairs of seconds since the start and the state that begins then, first pair at 0. A forced state
    replaces the timeline for good: time alone never changes it again. In a `terminal` state a run has ended.
    `origin` is `api`, `job` (started by an inventory job) or `foreign`. `started_at` is in Unix seconds.
    """

    system: str
    id: str
    origin: str
    request: Request
    started_at: float
    timeline: tuple[tuple[float, str], ...]
    terminal: frozenset[str]
    forced: Forced | None = None
    serial: int = 0

    def state(self, now: float) -> str:
        """The state word of the system at Unix time `now`."""
        if self.forced is not None:
            return self.forced.state
        age = now - self.started_at
        current = self.timeline[0][1]
        for offset, state in self.timeline:
            if age < offset:
                break
            current = state
        return current

    def entered(self, state: str, now: float) -> float | None:
        """When the timeline brought this state, in Unix seconds; `None` if it has not, or a forced state came first."""
        until = now if self.forced is None else min(now, self.forced.at)
        for offset, name in self.timeline:
            if name == state and self.started_at + offset <= until:
                return self.started_at + offset
        return None

    def ended_at(self, now: float) -> float | None:
        """When the run ended, in Unix seconds; `None` while it has not."""
        if self.forced is not None:
            return self.forced.at if self.forced.state in self.terminal else None
        last = self.timeline[-1][1]
        return self.entered(last, now) if last in self.terminal else None


class RunStore:
    """All runs, oldest first, with an index for each list that a system offers, so that no list scans everything."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}
        self._index: dict[tuple[str, ...], list[Run]] = {}
        self._keys: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {}
        self._last_serial = 0

    def add(self, run: Run, keys: Iterable[tuple[str, ...]]) -> None:
        """Record a run under the index keys by which lists will ask for it."""
        self._last_serial += 1
        run.serial = self._last_serial
        place = (run.system, run.id)
        self._runs[place] = run
        self._keys[place] = tuple(keys)
        for key in self._keys[place]:
            self._index.setdefault(key, []).append(run)

    def get(self, system: str, run_id: str) -> Run | None:
        """The run of that system with that id."""
        return self._runs.get((system, run_id))

    def find(self, run_id: str) -> Run | None:
        """The run with that id, of whichever system."""
        return next((run for (_, known), run in self._runs.items() if known == run_id), None)

    def newest(self, system: str) -> Run | None:
        """The newest run of that system that was asked for by itself, not started by an inventory job."""
        return next(
            (run for run in reversed(self._runs.values()) if run.system == system and run.origin != "job"), None
        )

    def forget(self, run: Run) -> None:
        """Remove a run from look-ups and lists, as if its retention had run out. Its child executions stay."""
        place = (run.system, run.id)
        if self._runs.pop(place, None) is None:
            return
        for key in self._keys.pop(place):
            self._index[key].remove(run)

    def clear(self) -> None:
        """Remove all runs. Serial numbers go on, so that a page token from before cannot point at a newer run."""
        self._runs.clear()
        self._index.clear()
        self._keys.clear()

    def __iter__(self) -> Iterator[Run]:
        return iter(list(self._runs.values()))

    def under(self, key: tuple[str, ...]) -> list[Run]:
        """All runs under an index key, oldest first, for lists that are not in the order of time."""
        return list(self._index.get(key, ()))

    def page(
        self,
        key: tuple[str, ...],
        *,
        newest_first: bool,
        after: int | None,
        size: int,
        wanted: Callable[[Run], bool],
    ) -> tuple[list[Run], int | None]:
        """One page of the runs under an index key, and the serial number to give as `after` for the next page, if any.

        Since a page goes on from a run and not from a row number, runs added meanwhile neither repeat nor hide a row.
        """
        runs = self._index.get(key, [])
        places: Iterable[int]
        if newest_first:
            places = range((len(runs) if after is None else bisect_left(runs, after, key=_serial)) - 1, -1, -1)
        else:
            places = range(0 if after is None else bisect_right(runs, after, key=_serial), len(runs))
        page: list[Run] = []
        for place in places:
            run = runs[place]
            if not wanted(run):
                continue
            if len(page) == size:
                return page, page[-1].serial
            page.append(run)
        return page, None
