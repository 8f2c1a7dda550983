"""Resources of one process that ask for the same work, one after the other."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager


class Turns:
    """*Work* is equal for requests whose runs a look cannot tell apart."""

    def __init__(self) -> None:
        self._turns = threading.Condition()
        self._busy: set[Hashable] = set()
        self._doubting: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)

    @contextmanager
    def doubting(self, urn: str, works: Iterable[Hashable]) -> Iterator[None]:
        """Meanwhile this resource is in doubt about a run of each of these works. Not to be said of one that only
        fires: no run that a list shows is its own."""
        held = list(works)
        with self._turns:
            for work in held:
                self._doubting[work][urn] += 1
        try:
            yield
        finally:
            with self._turns:
                for work in held:
                    self._doubting[work][urn] -= 1

    def doubters(self, work: Hashable) -> int:
        """How many resources are in doubt about a run of this work: so many candidates can be shared out in any way."""
        with self._turns:
            return sum(count > 0 for count in self._doubting[work].values())

    @contextmanager
    def turn(self, works: Iterable[Hashable]) -> Iterator[None]:
        """Waits for, and holds, the turn of each of these works: resources that ask for the same must not take each
        other's run for their own. All at once, so that nobody waits for another who waits for him."""
        wanted = set(works)
        with self._turns:
            self._turns.wait_for(lambda: not wanted & self._busy)
            self._busy |= wanted
        try:
            yield
        finally:
            with self._turns:
                self._busy -= wanted
                self._turns.notify_all()
