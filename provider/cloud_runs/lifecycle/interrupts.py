"""What can end a wait from outside: the user's Ctrl-C.

Plugins have a process group of their own, so Ctrl-C does not reach the dynamic host. The engine calls `Cancel` on it
at once and then waits for the running `create` without limit; the SDK's `Cancel` does nothing and tells nobody
(observed with engine v3.259 and SDK 3.272; docs/engine.md). So the code of that method is replaced by code
that tells us. gRPC holds the method itself, which is why its `__code__` is replaced and not the attribute.

This leans on the inside of the SDK. If the method is not exactly the one that is known, nothing is replaced: then only
a second Ctrl-C ends a wait. If all four threads of the host are busy, `Cancel` waits for one of them, and then a second
Ctrl-C takes long as well (38 s were seen), since the engine waits 30 s for an answer to `Cancel`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from types import FunctionType
from typing import Any, Generic, TypeVar

from cloud_runs.crew import Crew
from cloud_runs.errors import Interrupted
from cloud_runs.limits import Limit

TICK = 0.2  # seconds between two looks at whether something has ended the wait

ASKERS = 8  # questions at a time

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_interrupted = threading.Event()


class Stop:
    """Tells that the user has interrupted the update, and ends sleeps then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._event, self._clock = _listening(), clock

    def over(self) -> bool:
        """Whether the user has interrupted the update."""
        return self._event.is_set()

    def sleep(self, seconds: float) -> None:
        """Raises Interrupted."""
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self._event.wait(min(TICK, left))
            self.check()

    def pause(self, seconds: float) -> None:
        """Returns earlier when the user interrupts the update."""
        self._event.wait(seconds)

    def check(self) -> None:
        """Raises Interrupted."""
        if self._event.is_set():
            raise Interrupted("interrupted, and nothing was fired")


class Questions(Generic[K, T]):
    """Asks many at once, up to ASKERS at a time, and leaves behind what hangs: it is not asked again before it has been
    answered. The threads are daemons: they keep no process from ending.
    """

    def __init__(self, stop: Stop, clock: Callable[[], float] = time.monotonic) -> None:
        self._stop, self._clock = stop, clock
        self._crew: Crew[K, T] = Crew(ASKERS)

    def ask(self, questions: Mapping[K, Callable[[], T]], seconds: float) -> dict[K, T | BaseException]:
        """What each question returned or raised; what was not answered within the time is left out.

        Raises Interrupted.
        """
        return self._crew.ask(questions, Limit(seconds, self._clock, self._over))

    def _over(self) -> bool:
        self._stop.check()  # which raises it
        return False


def _listening() -> threading.Event:
    """Set once the user has interrupted the update that this host works for."""
    host = sys.modules.get("__main__")
    method = getattr(getattr(host, "DynamicResourceProviderServicer", None), "Cancel", None)
    if isinstance(method, FunctionType) and _known(method):
        method.__code__ = _cancel.__code__
    return _interrupted


def _known(method: FunctionType) -> bool:
    """Whether the method takes what ours takes and does nothing but answer."""
    code = method.__code__
    return (
        code.co_varnames == ("self", "request", "context")
        and code.co_argcount == 3
        and not code.co_freevars
        and code.co_names == ("empty_pb2", "Empty")
    )


def _cancel(self: Any, request: Any, context: Any) -> Any:
    # Runs with the globals of the SDK's module, so it brings its own names.
    from google.protobuf import empty_pb2  # type: ignore[import-untyped]  # it ships no types

    from cloud_runs.lifecycle import interrupts

    interrupts._interrupted.set()
    return empty_pb2.Empty()
