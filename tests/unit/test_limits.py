"""The time that a question may take, and the leave to start."""

from __future__ import annotations

import pytest

from cloud_runs.errors import Interrupted, Orphaned, Unavailable
from cloud_runs.limits import LEAVE_SECONDS, Leave, Limit, Times
from cloud_runs.wire.pauses import NAP, nap
from tests.support.clients import Clock


def test_a_limit_ends() -> None:
    clock = Clock(100.0)
    limit = Limit(10, clock)
    limit.check()
    clock.now += 4
    assert (limit.left(), limit.part(0.5).left()) == (6, 3)
    clock.now += 6
    assert limit.left() == 0
    with pytest.raises(Unavailable, match="not answered within 10 s"):
        limit.check()
    limit.heed()


def test_a_part_is_given_up_with_the_whole() -> None:
    limit = Limit(10, given_up=lambda: True)
    for one in (limit, limit.part(0.5)):
        assert one.watched
        with pytest.raises(Interrupted):
            one.check()
    assert not Limit(10).watched


def test_a_pause_ends_when_the_user_gives_up() -> None:
    clock = Clock(100.0)
    with pytest.raises(Interrupted):
        nap(60, Limit(600, clock, lambda: clock.now >= 101), clock.sleep)
    assert clock.now <= 101 + NAP
    nap(60, Limit(600, clock), clock.sleep)


def test_a_leave_is_short_lived_by_either_clock() -> None:
    wall, boot = Clock(100.0), Clock(100.0)
    leave = Leave(lambda: True, wall, boot)
    assert not leave.holds()
    leave.ask()
    for clock in (wall, boot):
        clock.now += LEAVE_SECONDS
        assert leave.holds()
        clock.now += 0.1
        assert not leave.holds()
        clock.now -= LEAVE_SECONDS + 0.1
    wall.now -= LEAVE_SECONDS + 0.1
    assert not leave.holds(), "set back"
    wall.now, boot.now = 100.0, 99.0
    assert not leave.holds(), "another machine"


def test_the_leave_counts_from_before_the_question() -> None:
    """The engine may have ended while its answer was on the way."""
    wall, boot = Clock(100.0), Clock(100.0)

    def alive() -> bool:
        boot.now += LEAVE_SECONDS + 1
        return True

    leave = Leave(alive, wall, boot)
    leave.ask()
    assert not leave.holds()


def test_no_leave_of_an_engine_that_is_gone() -> None:
    alive = [True, False]
    leave = Leave(lambda: alive.pop(0))
    leave.ask()
    with pytest.raises(Orphaned, match="nothing was fired"):
        leave.ask()
    assert not leave.holds()


def test_a_list_settles_after_a_start_and_its_lag() -> None:
    assert Times(40, 5).settle == 40 + 5 + LEAVE_SECONDS, "a start leaves that much after the last word of its engine"
    assert Times().settle == 45
