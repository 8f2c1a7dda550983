"""This process as the dynamic host of an engine: the one `Process`, what firing needs of the engine, and its end.

The SDK's host makes one provider of each class and keeps it, so what all of them must know cannot be theirs.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cloud_runs.crew import Crew
from cloud_runs.errors import Unavailable
from cloud_runs.lifecycle import progress
from cloud_runs.lifecycle.interrupts import Questions, Stop
from cloud_runs.limits import Limit, Times
from cloud_runs.promise.process import Process
from cloud_runs.promise.world import World
from cloud_runs.wire.calls import ASK_SECONDS

ENGINE_EVERY = 2.0  # seconds between two looks at the engine
ENGINE_MISSED = 3  # looks in a row that do not find it, after which it is gone: within 10 s
CANCEL_SECONDS = 450.0  # for all that a cancel asks, and until the run has ended

T = TypeVar("T")


_process = functools.cache(Process)
_first = threading.Lock()


def this_process() -> Process:
    """The process that the providers of this host share."""
    with _first:  # to a cache alone, threads whose first calls come at once bring one each
        return _process()


def world(urn: str, times: Times, process: Process | None = None, *, many: bool = False) -> World:
    """What firing the resource with this URN needs of the outside. `many`: for the starts of a fan-out."""
    stop = Stop()

    def ask(question: Callable[[], T], limit: Limit) -> T:
        answers = Questions[str, T](stop).ask({"": question}, limit.left())
        return _only(answers, f"no answer within {limit.seconds:.0f} s")

    return World(
        process=process or this_process(),
        alive=(lambda: not progress.engine_gone()) if many else (lambda: progress.engine_alive(urn)),
        tell=Teller(urn).tell,
        warn=lambda text: progress.warn(urn, text),
        sleep=stop.sleep,
        pause=stop.pause,
        over=stop.over,
        ask=ask,
        times=times,
    )


def asked(question: Callable[[Limit], T], seconds: float = ASK_SECONDS) -> T:
    """What a question comes to. Not for a start: at Ctrl-C it is left behind, whatever hangs. Raises Interrupted."""
    limit = Limit(seconds, given_up=Stop().over)
    answers = Crew[str, T](1).ask({"": lambda: question(limit)}, limit)
    return _only(answers, f"not answered within {seconds:.0f} s")


def _only(answers: Mapping[str, T | BaseException], late: str) -> T:
    """The answer to the one question that was asked, under the key ''. Raises what it raised, else Unavailable."""
    answer = answers.get("", Unavailable(late))
    if isinstance(answer, BaseException):
        raise answer
    return answer


class Teller:
    """At most one line a second on the resource's own row."""

    def __init__(self, urn: str) -> None:
        self._urn, self._at, self._said = urn, 0.0, ""

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if text != self._said and now - self._at >= 1:
            self._at, self._said = now, text
            progress.tell(self._urn, text)


@functools.cache
def end_with_engine(end: Callable[[int], Any] = os._exit) -> None:
    """Nobody ends a host whose engine was killed: from now on this process ends within 10 s of it. What it was sending
    is looked for by the next `pulumi up`. If the engine's address cannot be understood, nothing is done."""
    if progress.has_engine():
        progress.engine_gone()  # which one it is
        threading.Thread(target=_watch, args=(end,), name="engine watch", daemon=True).start()


def _watch(end: Callable[[int], Any]) -> None:
    missed = 0
    while missed < ENGINE_MISSED:
        time.sleep(ENGINE_EVERY)
        missed = missed + 1 if progress.engine_gone() else 0
    end(1)
