"""Threads that ask or do many things at once. They are daemons: they keep no process from ending, and nobody who waits
for them who is given up himself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from cloud_runs.errors import Unavailable
from cloud_runs.limits import Limit

TICK = 0.2  # seconds between two looks at whether the wait is over

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def hands(work: Callable[[], None], count: int, name: str = "crew") -> list[threading.Thread]:
    """Up to `count` threads that do `work`, started: as many as can be had. Raises Unavailable if there is none."""
    started: list[threading.Thread] = []
    for _ in range(count):
        thread = threading.Thread(target=work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # too many threads; once one of them is at work, nothing may raise
            if not started:
                raise Unavailable(f"nothing was sent: no thread can be had ({error})") from error
            break
        started.append(thread)
    return started


class Crew(Generic[K, T]):
    """Asks up to `size` questions at a time, and leaves behind what hangs: that is not asked again before it has been
    answered, and its answer goes to who asks next. Used by one thread.
    """

    def __init__(self, size: int, name: str = "question") -> None:
        self._size, self._name = size, name
        self._asked: set[K] = set()
        self._answers: dict[K, T | BaseException] = {}
        self._news = threading.Condition()

    def ask(
        self,
        questions: Mapping[K, Callable[[], T]],
        limit: Limit,
        enough: Callable[[T | BaseException], bool] = lambda answer: False,
    ) -> dict[K, T | BaseException]:
        """What each question returned or raised; what was not answered within the limit is left out.

        `enough` is called with each answer, in the order in which they come; once it is true no other question begins,
        and those that have begun are waited for. Raises Interrupted.
        """
        left = deque(key for key in questions if key not in self._asked and key not in self._answers)

        def work() -> None:
            while True:
                with self._news:
                    if not left:
                        return
                    key = left.popleft()
                    self._asked.add(key)
                answer: T | BaseException
                try:
                    answer = questions[key]()
                except BaseException as error:  # noqa: BLE001  # it is an answer to the one who asked
                    answer = error
                with self._news:
                    self._answers[key] = answer
                    self._asked.discard(key)
                    if enough(answer):
                        left.clear()
                    if not left:
                        self._news.notify_all()

        hands(work, min(self._size, len(left)), self._name)
        try:
            with self._news:
                while (left or any(key in questions for key in self._asked)) and limit.left():
                    self._news.wait(TICK if limit.watched else min(limit.left(), 3600.0))
                    limit.heed()
        finally:
            left.clear()
        with self._news:
            return {key: self._answers.pop(key) for key in questions if key in self._answers}
