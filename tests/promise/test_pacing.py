"""The pace of many starts: what the clock shows when each of them may be sent."""

from __future__ import annotations

import threading
import time

import pytest

from cloud_runs.promise import pacing
from cloud_runs.promise.pacing import FIRST_PAUSE, FIRST_SPACING, LONGEST_PAUSE, LONGEST_SPACING, Pace
from tests.support.clients import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(pacing.random, "uniform", lambda least, most: 1.0)
    return Clock(100.0)


def paced(clock: Clock, rate: float | None = None) -> Pace:
    return Pace(rate, lambda: clock.now, clock.sleep)


def turns(pace: Pace, clock: Clock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        pace.turn(lambda: False)
        times.append(round(clock.now - 100, 6))
    return times


def test_without_a_rate_nothing_waits(clock: Clock) -> None:
    assert turns(paced(clock), clock, 5) == [0.0] * 5


@pytest.mark.parametrize(("rate", "expected"), [(4, [0, 0.25, 0.5, 0.75]), (0.1, [0, 10, 20, 30])])
def test_a_rate_is_kept_from_the_first_start_on(clock: Clock, rate: float, expected: list[float]) -> None:
    assert turns(paced(clock, rate), clock, 4) == expected


def test_a_slow_start_makes_up_for_nothing(clock: Clock) -> None:
    """After a pause there is no burst."""
    pace = paced(clock, 1)
    turns(pace, clock, 1)
    clock.now += 10
    assert turns(pace, clock, 3) == [10, 11, 12]


def test_many_who_say_slow_down_at_once_count_once(clock: Clock) -> None:
    pace = paced(clock)
    for _ in range(16):
        pace.slow_down()
    assert turns(pace, clock, 3) == [FIRST_PAUSE, FIRST_PAUSE + FIRST_SPACING, FIRST_PAUSE + 2 * FIRST_SPACING]


def test_each_slow_down_after_the_pause_doubles_it_up_to_a_limit(clock: Clock) -> None:
    pace = paced(clock)
    pauses = []
    for _ in range(8):
        pace.slow_down()
        began = clock.now
        pace.turn(lambda: False)
        pauses.append(clock.now - began)
    assert pauses == pytest.approx([1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE])
    first, second = turns(pace, clock, 2)
    assert second - first == pytest.approx(LONGEST_SPACING)


def test_accepted_starts_bring_the_pace_back_but_not_above_the_rate(clock: Clock) -> None:
    for rate, least in ((None, 0.0), (50.0, 0.02)):
        pace = paced(clock, rate)
        pace.slow_down()
        for _ in range(500):
            pace.accepted()
        pace.turn(lambda: False)
        before = clock.now
        pace.turn(lambda: False)
        assert clock.now - before == pytest.approx(least, abs=1e-5)


def test_those_who_wait_already_wait_longer_when_the_service_says_so(clock: Clock) -> None:
    pace = paced(clock, 10)
    pace.turn(lambda: False)
    asked = []

    def over() -> bool:
        if not asked:
            pace.slow_down()
        asked.append(clock.now)
        return False

    pace.turn(over)
    assert clock.now == pytest.approx(100 + FIRST_PAUSE)
    pace.slow_down()
    pace.turn(lambda: False)
    assert clock.now == pytest.approx(100 + 3 * FIRST_PAUSE)


def test_after_a_pause_those_who_waited_come_one_after_the_other() -> None:
    """All at once they would be told to slow down again."""
    pace, times = Pace(None, time.monotonic, time.sleep), list[float]()
    ready = threading.Barrier(9)

    def work() -> None:
        ready.wait()
        pace.turn(lambda: False)
        times.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    pace.slow_down()
    ready.wait()
    for thread in threads:
        thread.join()
    assert max(times) - min(times) >= 6 * FIRST_SPACING


def test_a_long_wait_can_be_interrupted(clock: Clock) -> None:
    pace = paced(clock, 0.01)
    pace.turn(lambda: False)
    pace.turn(lambda: clock.now >= 105)
    assert 105 <= clock.now < 106


def test_threads_share_one_pace() -> None:
    """Each of them is given a turn of its own."""
    clock, lock, times = Clock(100.0), threading.Lock(), list[float]()

    def sleep(seconds: float) -> None:
        with lock:
            clock.now += seconds

    pace = Pace(10, lambda: clock.now, sleep)

    def work() -> None:
        for _ in range(25):
            pace.turn(lambda: False)
            times.append(clock.now)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(times) >= 100 + 199 * 0.1 - 1e-6
