"""Ctrl-C ends each look at a slow service, and what is recorded stays as it is. The answers come, but much later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cloud_runs.lifecycle import interrupts
from cloud_runs.lifecycle.reporting import RunError
from tests.kits import KITS
from tests.provider.fan_stack import FanStack
from tests.provider.host_stack import HostStack, JobStack
from tests.provider.test_adopting import argument, elsewhere
from tests.provider.test_overlap import CHANGED, runs, single
from tests.support.emulator import Emulator

__all__ = ["elsewhere", "single"]
LATE = 8.0  # seconds
Interrupts = Callable[[], threading.Event]


class FlowStack(HostStack):
    kit = KITS["enos.flow"]


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Interrupts:
    """A new host is interrupted by itself: for what an earlier one has left behind, all is over for good."""

    def another() -> threading.Event:
        event = threading.Event()
        monkeypatch.setattr(interrupts, "_interrupted", event)
        return event

    another()
    return another


@contextmanager
def ctrl_c(stack: HostStack, interrupted: Interrupts, operation: str) -> Iterator[None]:
    """As soon as the service has the next such request, which it answers much later."""
    before, gone, event = stack.cloud.count(stack.system, operation), threading.Event(), interrupted()
    stack.cloud.fault(stack.system, operation, "delay", seconds=LATE, after_effect=True, times=1)

    def press() -> None:
        while stack.cloud.count(stack.system, operation) == before and not gone.wait(0.05):
            pass
        event.set()

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        gone.set()
        thread.join()
        interrupted()


def ends(stack: HostStack, interrupted: Interrupts, operation: str, act: Callable[[], object]) -> None:
    record, started = dict(stack.state), stack.started()
    with ctrl_c(stack, interrupted, operation), pytest.raises(RunError, match="interrupted"):
        act()
    assert (stack.state, stack.started()) == (record, started)


def test_a_refresh(single: HostStack, interrupted: Interrupts) -> None:
    single.up()
    ends(single, interrupted, "get", single.refresh)


def test_the_check_of_what_is_adopted(stack: HostStack, elsewhere: HostStack, interrupted: Interrupts) -> None:
    given = argument(stack, elsewhere.ids)
    ends(stack, interrupted, "get", lambda: stack.up(**given, **stack.plain))
    adopt = next(iter(given.values()))
    ends(stack, interrupted, "get", lambda: stack.up(adopt=adopt, **stack.plain))


def test_a_fan_out_that_has_runs_already(fan: FanStack, interrupted: Interrupts) -> None:
    fan.up(["a1"])
    other = FanStack(fan.cloud, fan.patch, "elsewhere", beside=fan)
    other.up(["a2"])
    ends(fan, interrupted, "get", lambda: fan.up(["a1", "a2"], adopt_ids={"a2": other.ids["a2"]}))


def test_the_question_of_if_running(single: HostStack, interrupted: Interrupts) -> None:
    single.up()
    runs(single)
    ends(single, interrupted, "get", lambda: single.up(if_running="forbid", **CHANGED))
    for policy in ("skip", "wait"):
        first = single.id
        with ctrl_c(single, interrupted, "get"):
            single.up(if_running=policy, **CHANGED)
        assert (single.id, single.started()) == (first, [first]), "the record stays"
        assert "could not be queried: interrupted" in single.warned[-1]


def test_a_cancel_of_what_is_destroyed(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, interrupted: Interrupts
) -> None:
    for made in (JobStack, FlowStack):
        stack = made(cloud, monkeypatch)
        stack.up(on_delete="cancel")
        ends(stack, interrupted, "cancel", stack.destroy)
        stack.destroy()
        assert stack.state == {}


def test_what_enos_asks_before_it_starts(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, interrupted: Interrupts
) -> None:
    stack = FlowStack(cloud, monkeypatch)
    stack.given["trigger_time"] = 1_574_385_780_000  # no other test's minute
    ends(stack, interrupted, "find", stack.up)
    assert cloud.count(stack.system, "start") == 0
    assert stack.up() == "create"
    assert len(stack.started()) == 1


def test_a_start_that_has_left_is_waited_for(
    single: HostStack, interrupted: Interrupts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.provider.test_interrupted.LATE", 2.0)  # less than a start may take
    with ctrl_c(single, interrupted, "start"):
        single.up()
    assert single.started() == [single.id]
