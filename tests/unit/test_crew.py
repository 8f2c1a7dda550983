"""Threads that ask many things at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from cloud_runs import crew as module
from cloud_runs.crew import Crew, hands
from cloud_runs.errors import Interrupted, Unavailable
from cloud_runs.limits import Limit
from tests.support.clients import soon


@pytest.fixture
def hangs() -> Iterator[Callable[[], str]]:
    """A question that is answered when the test is over."""
    over = threading.Event()

    def ask() -> str:
        over.wait(60)
        return "late"

    yield ask
    over.set()


def test_answers_and_errors_are_told() -> None:
    error = ValueError("no")

    def fail() -> str:
        raise error

    crew: Crew[str, str] = Crew(3)
    assert crew.ask({"a": lambda: "x", "b": fail, "c": lambda: "y"}, soon()) == {"a": "x", "b": error, "c": "y"}
    assert crew.ask({}, soon()) == {}


def test_no_more_at_a_time_than_its_size() -> None:
    lock, going, most, met = threading.Lock(), 0, 0, threading.Barrier(3, timeout=30)

    def ask() -> None:
        nonlocal going, most
        with lock:
            going += 1
            most = max(most, going)
        met.wait()  # three are there at once
        with lock:
            going -= 1

    Crew[int, None](3).ask(dict.fromkeys(range(9), ask), soon())
    assert most == 3


def test_what_hangs_is_left_behind_and_not_asked_twice() -> None:
    crew: Crew[str, str] = Crew(2)
    asked, over, ended = list[str](), threading.Event(), threading.Event()

    def slow() -> str:
        asked.append("")
        over.wait(60)
        ended.set()
        return "late"

    assert crew.ask({"slow": slow, "quick": lambda: "here"}, Limit(0.2)) == {"quick": "here"}
    assert crew.ask({"slow": slow}, Limit(0.05)) == {}
    over.set()
    assert ended.wait(30)
    assert crew.ask({"slow": slow}, soon()) == {"slow": "late"}, "its answer goes to who asks next"
    assert len(asked) == 1


def test_enough_keeps_others_from_being_asked() -> None:
    asked: list[int] = []
    crew: Crew[int, int] = Crew(1)

    def question(n: int) -> Callable[[], int]:
        return lambda: asked.append(n) or n

    told = crew.ask({n: question(n) for n in range(9)}, soon(), lambda answer: answer == 3)
    assert told == {n: n for n in range(4)}
    assert asked == [0, 1, 2, 3]


def test_giving_up_leaves_all_behind(hangs: Callable[[], str]) -> None:
    began = threading.Event()

    def ask() -> str:
        began.set()
        return hangs()

    with pytest.raises(Interrupted):
        Crew[int, str](1).ask({1: ask}, Limit(600, given_up=began.is_set))


def test_as_many_hands_as_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    real, had = threading.Thread.start, list[threading.Thread]()

    def start(thread: threading.Thread) -> None:
        if len(had) == 2:
            raise RuntimeError("can't start new thread")
        had.append(thread)
        real(thread)

    monkeypatch.setattr(module.threading.Thread, "start", start)
    assert Crew[int, int](5).ask({n: lambda: 1 for n in range(20)}, soon()) == dict.fromkeys(range(20), 1)
    assert len(had) == 2
    with pytest.raises(Unavailable, match="no thread can be had"):
        hands(lambda: None, 3)


def test_a_crew_keeps_no_process_from_ending(hangs: Callable[[], str]) -> None:
    (thread,) = hands(hangs, 1)
    assert thread.daemon
