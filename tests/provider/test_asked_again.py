"""`create` is asked again: by an error hook in the same process, or by the next `up`. Never two runs for one ask."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import ledger
from cloud_runs.runs import time_of
from tests.provider.fan_stack import FanStack
from tests.provider.host_stack import HostStack


def again(stack: HostStack) -> str:
    """What an error hook asks for: the same once more, in the same process."""
    return stack.up(same_process=True, **stack.plain)


def all_on_record(stack: HostStack) -> bool:
    runs = stack.started()
    return len(runs) == stack.asks and sorted(stack.ids.values()) == sorted(runs) and not stack.refused


def lose(stack: HostStack) -> str:
    """The answers of all starts are lost, and no list can be had. What is told."""
    stack.cloud.fault(stack.system, "start", "drop_response", times=stack.asks)
    stack.no_lists()
    said = stack.stops(**stack.plain)
    assert len(stack.started()) == stack.asks
    return said


# -- by an error hook


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (400, "InvalidArgument"), (404, "NoSuchBucket")])
def test_after_a_refusal(stack: HostStack, status: int, code: str) -> None:
    """It may have run all the same, so it is looked for."""
    stack.refuse(stack.asks, status=status, code=code)
    for tries in range(3):
        if tries:
            stack.refuse(stack.asks, status=status, code=code)
        with pytest.raises(RunError, match=code):
            again(stack)
        stack.cloud.drop_faults()
    assert stack.started() == []
    assert again(stack) == "create"
    assert all_on_record(stack)
    assert stack.cloud.count(stack.system, "find") > 0


def test_after_a_refusal_that_ran_all_the_same(stack: HostStack) -> None:
    for _ in range(stack.asks):
        order = {"system": stack.system, "operation": "start", "action": "refused_but_ran"}
        stack.cloud.faults(order)
    stack.stops(**stack.plain)
    stack.cloud.drop_faults()
    again(stack)
    assert all_on_record(stack)


def test_after_a_lost_answer_and_no_list(stack: HostStack) -> None:
    assert "may have started" in lose(stack)
    stack.cloud.drop_faults()
    again(stack)
    assert all_on_record(stack)


def test_again_and_again_while_no_list_can_be_had(stack: HostStack) -> None:
    lose(stack)
    for _ in range(4):
        assert "may have started" in stack.stops(same_process=True, **stack.plain)
        assert len(stack.started()) == stack.asks
    stack.cloud.drop_faults()
    again(stack)
    assert all_on_record(stack)


def test_after_an_unknown_outcome_that_did_not_arrive(stack: HostStack) -> None:
    """The connection broke before anything ran: looked for, and fired once."""
    stack.cloud.fault(stack.system, "start", "reset_before", times=stack.asks)
    said = stack.stops(**stack.plain)
    assert "may have started" in said
    assert stack.started() == []
    again(stack)
    assert all_on_record(stack)
    assert stack.cloud.count(stack.system, "find") >= 2


def test_after_a_run_of_somebody_else_came_to_be_beside_a_lost_one(stack: HostStack) -> None:
    """Nobody can tell which of them is ours: it stops, each time."""
    where = {"system": stack.system, "operation": "start"}
    stack.cloud.faults({**where, "action": "drop_response"}, {**where, "action": "foreign_run"})
    said = stack.stops(**stack.plain)
    ours, foreign = stack.started()[0], stack.cloud.runs(stack.system, origin="foreign")[0]["id"]
    for _ in range(3):
        assert ours in said
        assert foreign in said
        said = stack.stops(same_process=True, **stack.plain)
    assert len(stack.started()) == stack.asks


def test_after_an_earlier_up_could_not_be_looked_up(stack: HostStack) -> None:
    stack.up(kill=stack.asks, **stack.plain)
    stack.no_lists()
    for same_process in (False, True, True):
        assert "nothing was fired" in stack.stops(same_process=same_process, **stack.plain)
    stack.cloud.drop_faults()
    again(stack)
    assert all_on_record(stack)


def test_a_replacement_is_asked_again(stack: HostStack) -> None:
    """Its delete is not done once more."""
    stack.up(**stack.plain)
    old = stack.started()
    stack.cloud.fault(stack.system, "start", "drop_response", times=stack.asks)
    stack.no_lists()
    stack.stops(triggers={"release": 2}, **stack.plain)
    stack.cloud.drop_faults()
    stack.up(same_process=True, triggers={"release": 2}, **stack.plain)
    assert len(stack.started()) == 2 * stack.asks
    assert sorted(stack.ids.values()) == sorted(set(stack.started()) - set(old))


def test_what_it_came_to_is_told_again(stack: HostStack) -> None:
    """A hook after something else has failed: the same once more, and nothing is sent."""
    stack.up(**stack.plain)
    for _ in range(2):
        result = stack.provider.create(dict(stack.inputs))
        assert (result.id, result.outs) == (stack.id, stack.state)
    assert len(stack.started()) == stack.asks


# -- by the next `up`


def test_a_refused_start_that_ran_all_the_same(stack: HostStack) -> None:
    """A refusal is what the service says. The next `up` looks."""
    stack.cloud.fault(stack.system, "start", "refused_but_ran", times=stack.asks)
    with pytest.raises(RunError, match="400"):
        stack.up(**stack.plain)
    assert len(stack.started()) == stack.asks
    assert stack.up(**stack.plain) == "create"
    assert all_on_record(stack)


def test_a_refused_object_is_in_doubt_since_its_up_began(fan: FanStack) -> None:
    """However long the others took."""
    objects = [f"{number}" for number in range(5)]
    fan.up(["earlier"])
    fan.cloud.fault(fan.system, "start", "refused_but_ran")
    fan.cloud.fault(fan.system, "start", "delay", seconds=4)
    fan.up(["earlier", *objects], rate=0.5)
    ((refused),) = fan.refused
    began = next(run["started_at"] for run in fan.cloud.runs() if run["request"]["query"]["object"] == refused)
    doubt = ledger.fired_of(fan.state).doubt[-1].at
    assert doubt <= (time_of(began) or doubt) + timedelta(seconds=1), "a service tells whole seconds"
    assert fan.up(["earlier", *objects]) == "update"
    assert fan.all_on_record(["earlier", *objects])


def test_refused_objects_are_looked_for_once_more_however_often(fan: FanStack) -> None:
    fan.up(["a1"])
    for _ in range(4):
        fan.refuse(status=400, code="InvalidArgument")
        fan.up(["a1", "b1"])
        assert list(fan.refused) == ["b1"]
        fan.ages(minutes=20)
    fan.cloud.fault(fan.system, "start", "refused_but_ran")
    fan.up(["a1", "b1"])
    assert list(fan.refused) == ["b1"]
    assert fan.up(["a1", "b1"]) == "update"
    assert fan.all_on_record(["a1", "b1"])
