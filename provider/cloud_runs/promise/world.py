"""What firing needs of the outside: a request, its service, the engine, the clocks, the user; and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cloud_runs import errors
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.promise.looking import CLOCKS, Clocks
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Moment, Recorded
from cloud_runs.runs import Found, Started, rfc3339


class Starter(Protocol):
    """One request, bound to the service that it is for."""

    @property
    def work(self) -> Hashable:
        """Equal for requests that a look cannot tell apart."""

    @property
    def marked(self) -> bool:
        """Whether what is found by a look is ours for certain, so that it pays to look often."""

    def start(self, leave: Leave) -> Started: ...

    def find(self, since: datetime, limit: Limit) -> Found: ...


@dataclass(frozen=True)
class World:
    """What firing needs of the outside. `alive` contacts the engine: an orphan never fires.

    `sleep` ends at Ctrl-C by raising Interrupted, `pause` by returning, and `over` tells of it. `ask` runs a question,
    and gives it up at its limit or at Ctrl-C.
    """

    process: Process
    alive: Callable[[], bool]
    tell: Callable[[str], None] = lambda text: None
    warn: Callable[[str], None] = lambda text: None
    sleep: Callable[[float], None] = lambda seconds: None
    pause: Callable[[float], None] = lambda seconds: None
    over: Callable[[], bool] = lambda: False
    ask: Callable[[Callable[[], Found], Limit], Found] = lambda question, limit: question()
    times: Times = field(default_factory=Times)

    def clocks(self, server: datetime | None = None) -> Clocks:
        """Raises Unavailable for a service's time that no clock can have."""
        clock = self.process.clock
        now, boot = clock.now(), clock.boot()
        if server and abs(server - now) > CLOCKS:
            raise errors.Unavailable(
                f"the service says that it is {rfc3339(server)}, so it cannot be told which runs are new: check this "
                "machine's clock"
            )
        return Clocks(now, boot, clock.uptime() if boot else 0.0, server)

    def wait(self, moments: Iterable[Moment], what: str) -> None:
        """Until a list shows all that may have been started at these moments."""
        while (left := self.times.settle - self.process.quiet(moments)) > 0:
            self.tell(f"{what}, {left:.0f} s left")
            self.sleep(min(left, 4.0))

    def limit(self, seconds: float) -> Limit:
        return Limit(seconds, self.process.clock.monotonic, self.over)

    def leave(self, every: float = 0.0) -> Leave:
        wall = self.process.clock.now
        return Leave(self.alive, lambda: wall().timestamp(), self.process.clock.uptime, every, self.over)


@dataclass(frozen=True)
class Settled:
    """One run for one ask. `provenance`: `fired` or `found`; `kept` is the run on record that stays, if it does, and
    `note` why, if that is to be said.

    `at` is when the run was fired, in server time.
    """

    id: str
    provenance: str = ""
    at: datetime | None = None
    started: Started | None = None
    kept: Recorded | None = None
    note: str = ""
