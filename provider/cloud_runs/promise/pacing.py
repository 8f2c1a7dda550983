"""When the next of many starts may be sent. Clock and sleep are passed in.

No Pulumi and no HTTP library here.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds, of all starts, after "too many requests"
FIRST_SPACING, LONGEST_SPACING = 0.05, 5.0  # seconds between two starts after that; each accepted one shortens it
EASING = 0.98
TICK_SECONDS = 0.2  # between two looks at whether all is over


class Pace:
    """When the next start may be sent; one for all threads. `rate`: starts a second, None for no limit."""

    def __init__(self, rate: float | None, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._least = 1 / rate if rate else 0.0
        self._spacing, self._pause, self._next, self._paused_until = self._least, 0.0, 0.0, 0.0
        self._monotonic, self._sleep, self._lock = monotonic, sleep, threading.Lock()

    def turn(self, over: Callable[[], bool]) -> None:
        """Returns when the next start may be sent, or when all is over."""
        at = self._place()
        while not over():
            if at < self._paused_until:  # in a new order, or all who waited would start at once
                at = self._place()
            if (left := at - self._monotonic()) <= 0:
                return
            self._sleep(min(left, TICK_SECONDS))

    def _place(self) -> float:
        with self._lock:
            at = max(self._next, self._monotonic())
            self._next = at + self._spacing
            return at

    def slow_down(self) -> None:
        """The service asked for fewer requests. Many say so at once, which counts once."""
        with self._lock:
            now = self._monotonic()
            if self._paused_until > now:
                return
            self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
            self._spacing = min(max(self._spacing * 2, FIRST_SPACING), LONGEST_SPACING)
            self._next = self._paused_until = now + self._pause * random.uniform(0.75, 1.25)

    def accepted(self) -> None:
        with self._lock:
            self._pause *= EASING
            self._spacing = max(self._least, self._spacing * EASING)
