"""What a request is allowed: a time in which it must be answered, and the engine's leave to start a run.

Clocks are handed in. No Pulumi and no HTTP library here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cloud_runs.errors import Interrupted, Orphaned, Unavailable

LEAVE_SECONDS = 5.0
"""The bytes of a start leave within this time of the engine's last answer, or not at all."""
START_SECONDS = 30.0
"""The read time-out of a start: a request that has arrived may still make its run this much later."""
LAG_SECONDS = 10.0
"""How late a run may show in lists."""


def since_boot() -> float:
    """Seconds by the kernel's own clock, which nobody sets; on Linux it goes on while the machine sleeps."""
    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    except (AttributeError, OSError):  # not Linux
        return time.monotonic()


@dataclass(frozen=True)
class Times:
    """How long a start and a list may take, in seconds (`runs:startSeconds`, `runs:lagSeconds`)."""

    start: float = START_SECONDS
    lag: float = LAG_SECONDS

    @property
    def settle(self) -> float:
        """So long after the engine that may have fired, a list shows what was started: a start leaves within
        LEAVE_SECONDS of its last word."""
        return LEAVE_SECONDS + self.start + self.lag


class Limit:
    """The time that a question may take, with all its requests and repeats. `given_up`: the user has interrupted it."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        given_up: Callable[[], bool] | None = None,
    ) -> None:
        self.seconds, self._clock, self._given_up = seconds, clock, given_up
        self._until = clock() + seconds

    def left(self) -> float:
        """Seconds; never below 0."""
        return max(0.0, self._until - self._clock())

    def part(self, share: float) -> Limit:
        """For a part of the question: this share of the time that is left."""
        return Limit(self.left() * share, self._clock, self._given_up)

    @property
    def watched(self) -> bool:
        """Whether the user can end it, so that it is worth checking while one waits."""
        return self._given_up is not None

    def heed(self) -> None:
        """Raises Interrupted if the user has given up."""
        if self._given_up and self._given_up():
            raise Interrupted("interrupted")

    def check(self) -> None:
        """Raises Interrupted, or Unavailable when the time is over. To be called before each request."""
        self.heed()
        if not self.left():
            raise Unavailable(f"not answered within {self.seconds:.0f} s")


class Leave:
    """The engine's leave to start a run: asked for right before the bytes go, and short-lived.

    A host whose engine was killed lives on, and may be stopped for a while between any two of its steps; a later `up`
    has looked for what it started and found nothing. So it must not start anything then.
    """

    def __init__(
        self,
        alive: Callable[[], bool],
        wall: Callable[[], float] = time.time,
        boot: Callable[[], float] = since_boot,
        every: float = 0.0,
        given_up: Callable[[], bool] | None = None,
    ) -> None:
        """`alive` contacts the engine; one that has answered within `every` seconds is not asked again."""
        self._alive, self._wall, self._boot, self._every = alive, wall, boot, every
        self._given_up = given_up
        self._at: tuple[float, float] | None = None

    def ask(self) -> None:
        """Contacts the engine. Raises Orphaned if it is gone."""
        at = self._wall(), self._boot()  # before the question: its answer may take long
        last = self._at  # threads may share a leave
        if last and self.holds() and at[1] - last[1] < self._every:
            return
        if not self._alive():
            self._at = None
            raise Orphaned(
                "nothing was fired: the Pulumi engine that requested this run is gone. Run `pulumi up` again"
            )
        self._at = at

    def limit(self, seconds: float) -> Limit:
        """For what is asked before the start is sent. The user can end it; a start that has left is waited for."""
        return Limit(seconds, given_up=self._given_up)

    def holds(self) -> bool:
        """Whether the engine has answered within LEAVE_SECONDS, by both clocks: either may stand still or be set."""
        at = self._at
        if at is None:
            return False
        wall, boot = at
        return abs(self._wall() - wall) <= LEAVE_SECONDS and 0 <= self._boot() - boot <= LEAVE_SECONDS
