"""Runs that an interrupted `up` has started and that will be on no record: told with their ids before anything else is
fired, on every path on which their intent is given up."""

from __future__ import annotations

import pytest

from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import given_up
from tests.provider.fan_stack import RUNS, FanStack
from tests.provider.host_stack import HostStack, JobStack
from tests.support.emulator import Emulator

FIRST, SECOND, THIRD = ({"release": number} for number in "123")
STRAYS = "an earlier up may have started "


def strays(stack: HostStack) -> list[str]:
    return [text for text in stack.warned if text.startswith(STRAYS)]


def killed(stack: HostStack, *, recorded: bool) -> list[str]:
    """An `up` that is killed after its starts, beside runs on record or without any. The ids of what it has started."""
    if recorded:
        stack.up(triggers=FIRST)
    before = stack.started()
    assert stack.up(triggers=SECOND, kill=stack.asks) == "killed"
    lost = [id for id in stack.started() if id not in before]
    assert len(lost) == stack.asks
    return lost


@pytest.mark.parametrize("recorded", [True, False])
def test_the_trigger_changes_again(stack: HostStack, recorded: bool) -> None:
    lost = killed(stack, recorded=recorded)
    runs = len(stack.started())
    assert stack.up(triggers=THIRD) == "create"
    assert stack.told(lost, runs=runs), "before it fires"
    assert len(strays(stack)) == 1
    assert set(stack.ids.values()).isdisjoint(lost)
    assert len(stack.started()) == runs + stack.asks
    assert stack.up(triggers=THIRD) == "same"
    assert stack.up(triggers=FIRST) == "create"
    assert len(strays(stack)) == 1, "the runs on record were not lost"


@pytest.mark.parametrize("recorded", [True, False])
def test_the_trigger_changes_again_and_is_refused_at_first(stack: HostStack, recorded: bool) -> None:
    """The intent that was given up is on no record any more when the next `up` asks: told before the refusal, and what
    may be of either is named once more. A job's name tells the one from the other."""
    lost = killed(stack, recorded=recorded)
    runs = len(stack.started())
    stack.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        stack.up(triggers=THIRD)
    assert stack.told(lost, runs=runs)
    stack.ages(seconds=-10)  # that up came 10 s after the other
    if not stack.plain:
        said = stack.stops(triggers=THIRD)
        assert all(id in said for id in lost)
        assert len(stack.started()) == runs, "as the message says"
    assert stack.up(triggers={"release": "4"}) == "create"
    assert len(stack.started()) == runs + stack.asks
    assert set(stack.ids.values()).isdisjoint(lost)


@pytest.mark.parametrize("recorded", [True, False])
def test_the_up_that_gives_it_up_is_killed_before_it_comes_to_that(stack: HostStack, recorded: bool) -> None:
    lost = killed(stack, recorded=recorded)
    assert stack.up(triggers=THIRD, kill="intent") == "killed"
    stack.ages(seconds=-10)  # that up came 10 s after the other
    if stack.plain:
        assert stack.up(triggers=THIRD) == "create"
        assert any(all(id in text for id in lost) for text in strays(stack)), "by the intent that goes at the end"
    else:
        said = stack.stops(triggers=THIRD)
        assert all(id in said for id in lost)
    assert set(stack.ids.values()).isdisjoint(lost)


@pytest.mark.parametrize("recorded", [True, False])
def test_the_up_that_gives_it_up_is_killed_at_its_end(stack: HostStack, recorded: bool) -> None:
    """The engine deletes an intent that was replaced at the end of an `up`, if not of this one, then of the next."""
    lost = killed(stack, recorded=recorded)
    runs = len(stack.started())
    assert stack.up(triggers=THIRD, kill="create") == "killed"
    assert stack.told(lost, runs=runs)
    stack.warned.clear()
    assert stack.up(triggers=THIRD) == "same"
    assert any(all(id in text for id in lost) for text in strays(stack))
    assert len(stack.started()) == runs + stack.asks


@pytest.mark.parametrize("recorded", [True, False])
def test_an_argument_changes(stack: HostStack, recorded: bool) -> None:
    """What was lost is looked for with the arguments that it was fired with."""
    lost = killed(stack, recorded=recorded)
    runs = len(stack.started())
    assert stack.up(triggers=SECOND, **stack.other) == "create"
    assert stack.told(lost, runs=runs)
    assert len(stack.started()) == runs + stack.asks


def test_a_change_that_is_taken_back(stack: HostStack) -> None:
    """The recorded runs stay, and what was started for the change is on no record."""
    stack.up(triggers=FIRST)
    own = stack.ids
    stack.up(triggers=SECOND, kill=stack.asks)
    lost = stack.started()[stack.asks :]
    assert stack.up(triggers=FIRST) == "create"
    assert stack.ids == own
    assert stack.told(lost, runs=2 * stack.asks)
    assert len(stack.started()) == 2 * stack.asks


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("how", ["destroyed", "renamed without an alias"])
def test_the_resource_goes(
    stack: HostStack, monkeypatch: pytest.MonkeyPatch, cloud: Emulator, recorded: bool, how: str
) -> None:
    lost = killed(stack, recorded=recorded)
    if how != "destroyed":
        stack.process()
        renamed = type(stack)(cloud, monkeypatch, "renamed", beside=stack)
        renamed.up(triggers=SECOND, same_process=True)
        lost = [id for id in lost if id not in renamed.ids.values()]  # it may have found them
    stack.destroy(same_process=how != "destroyed")
    assert all(any(id in text for text in strays(stack)) for id in lost)


def test_a_rename_with_an_alias_loses_nothing(stack: HostStack) -> None:
    lost = killed(stack, recorded=True)
    stack.named("renamed")
    assert stack.up(triggers=SECOND) == "create"
    assert sorted(stack.ids.values()) == sorted(lost)
    assert strays(stack) == []


def test_nothing_is_told_where_nothing_was_lost(stack: HostStack) -> None:
    stack.up(triggers=FIRST)
    looks = stack.cloud.count(stack.system, "find")
    stack.up(triggers=SECOND)
    stack.up(triggers=SECOND, forced=True)
    stack.up(triggers=THIRD)
    stack.destroy()
    assert stack.warned == []
    assert stack.cloud.count(stack.system, "find") == looks, "nor is anybody asked"


def test_killed_before_anything_was_sent(stack: HostStack) -> None:
    stack.up(triggers=FIRST)
    stack.up(triggers=SECOND, kill="delete")
    stack.up(triggers=THIRD)
    assert stack.warned == []
    assert len(stack.started()) == 2 * stack.asks


def test_what_cannot_be_looked_for_keeps_nothing_from_being_fired(stack: HostStack) -> None:
    killed(stack, recorded=True)
    stack.cloud.fault(stack.system, "find", "status", status=403, code="AccessDenied", message="no", times=100)
    assert stack.up(triggers=THIRD) == "create"
    ((told),) = (text for text in stack.warned if "an earlier up" in text)
    assert given_up.NOT_LOOKED_UP in told
    assert "AccessDenied" in told


# -- fan-outs


def test_added_objects_and_then_a_changed_trigger(fan: FanStack) -> None:
    """The runs on record are not lost; those of the objects that were added are."""
    fan.up(["a1"], triggers=FIRST)
    fan.up(["a1", "b1", "b2"], triggers=FIRST, kill=2)
    first, *lost = fan.started()
    assert fan.up(["a1", "b1", "b2"], triggers=SECOND) == "create"
    assert fan.told(lost, runs=3)
    assert not any(first in text for text in strays(fan))


def test_added_objects_and_then_all_is_destroyed(fan: FanStack) -> None:
    fan.up(["a1"])
    fan.up(["a1", "b1", "b2"], kill=2)
    first, *lost = fan.started()
    fan.destroy()
    assert all(any(id in text for text in strays(fan)) for id in lost)
    assert not any(first in text for text in strays(fan))


@pytest.mark.parametrize("how", ["forced", "changed", "killed and changed"])
def test_a_refused_object_that_ran_all_the_same_and_is_given_up(fan: FanStack, how: str) -> None:
    """What is replaced is looked for no more, so it is told before all is fired anew."""
    fan.cloud.fault(fan.system, "start", "refused_but_ran")
    fan.up(["a1", "a2"], triggers=FIRST)
    ((refused),) = fan.refused
    (lost,) = fan.lost()
    if how == "killed and changed":
        fan.up(["a1", "a2"], triggers=SECOND, kill="intent")
    assert fan.up(["a1", "a2"], triggers=FIRST if how == "forced" else SECOND, forced=how == "forced") == "create"
    assert fan.told([lost], runs=2)
    assert fan.fired() == {"a1": 2, "a2": 2}
    assert refused not in fan.refused


def test_many_lost_runs_are_all_named(fan: FanStack) -> None:
    objects = [f"{number:02}" for number in range(60)]
    fan.up(objects, triggers=FIRST, kill=60)
    lost = fan.started()
    fan.up(objects, triggers=SECOND)
    assert fan.told(lost, runs=60)


@pytest.mark.parametrize("how", ["taken out", "destroyed", "destroyed, its intent later"])
def test_a_refused_object_that_ran_all_the_same_and_goes(fan: FanStack, how: str) -> None:
    fan.cloud.fault(fan.system, "start", "refused_but_ran")
    fan.up(["a1", "a2"])
    ((refused),) = fan.refused
    (lost,) = fan.lost()
    if how == "taken out":
        assert fan.up([key for key in ("a1", "a2") if key != refused]) == "update"
    else:
        fan.destroy(intent="later" not in how)
        if "later" in how:
            fan.destroy()
    (told,) = strays(fan)
    assert lost in told
    assert fan.fired() == {"a1": 1, "a2": 1}
    if how == "taken out":
        assert fan.up(["a1", "a2"]) == "update"
        assert len(strays(fan)) == 1


# -- another resource


@pytest.mark.parametrize("recorded", [True, False])
def test_a_resource_of_another_kind_gets_its_name(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, recorded: bool
) -> None:
    """With the same arguments: its intent has the same place in the state, and stands for another run."""
    stack = RUNS["huawei.workflow"](cloud, monkeypatch)
    lost = killed(stack, recorded=recorded)
    other = RUNS["huawei.dwr"](cloud, monkeypatch, stack.name, beside=stack)
    other.given, other.intent, other.intent_inputs = stack.given, stack.intent, stack.intent_inputs
    assert other.up(triggers=SECOND) == "create"
    assert stack.told(lost, runs=len(stack.started()))
    assert len(other.started()) == 1


@pytest.mark.parametrize("killed_there", [False, True])
def test_a_run_of_a_resource_that_goes_is_taken_by_another(
    stack: HostStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, killed_there: bool
) -> None:
    """Both asked for the same; the second was refused, and the first is not in the program any more, so that nothing
    tells what it has on record before it is deleted."""
    stack.up(**stack.plain)
    other = type(stack)(cloud, monkeypatch, "other", beside=stack)
    other.refuse(stack.asks)
    assert "AccessDenied" in other.stops(**other.plain)
    other.up(**other.plain)
    assert sorted(other.ids.values()) == sorted(stack.ids.values())
    if killed_there:  # before the engine has deleted the first
        stack.process()
        other.up(same_process=True, **other.plain)
    stack.destroy(same_process=True)
    told = [text for text in stack.warned if "was recorded already" in text]
    assert all(any(id in text for text in told) for id in other.ids.values())


def test_what_another_resource_has_taken_is_not_cancelled(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    job = JobStack(cloud, monkeypatch)
    job.up(on_delete="cancel", **job.plain)
    other = JobStack(cloud, monkeypatch, "other", beside=job)
    other.refuse()
    assert "AccessDenied" in other.stops(**other.plain)
    other.up(**other.plain)
    assert other.ids == job.ids
    job.destroy(same_process=True)
    assert cloud.count(job.system, "cancel") == 0


@pytest.mark.parametrize("how", ["in one up", "in two", "given back"])
def test_what_is_given_to_another_resource_is_not_cancelled(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Nor is anybody told that nothing new has run: it was given."""
    job = JobStack(cloud, monkeypatch)
    job.up(on_delete="cancel", **job.plain)
    (id,) = job.started()
    other = JobStack(cloud, monkeypatch, "other", beside=job)
    if how == "given back":
        other.up(**other.plain)
        old = dict(job.state)
        assert job.up(on_delete="cancel", adopt_id=other.id, kill="create", **job.plain) == "killed"
        job.up(on_delete="cancel", adopt_id=id, **job.plain)
        job.provider.delete(id, old)  # the engine has it to be deleted
    else:
        other.up(adopt_id=id, **other.plain)
        if how == "in two":
            other.up(adopt_id=id, **other.plain)
        job.destroy(same_process=True)
    assert {run["id"]: run["state"] for run in cloud.runs()}[id] != job.kit.cancelled
    assert not any("was recorded already" in text for text in job.warned)


def test_forced_and_killed_and_then_changed_by_an_up_that_is_killed(stack: HostStack) -> None:
    """The intent of the run on record stands for what was forced as well."""
    stack.up(triggers=FIRST)
    known = stack.started()
    stack.ages(hours=1)
    stack.up(triggers=FIRST, forced=True, kill=stack.asks)
    lost = [id for id in stack.started() if id not in known]
    assert stack.up(triggers=SECOND, kill="intent") == "killed"
    stack.ages(hours=1)
    said = [stack.stops(triggers=SECOND), *stack.warned]
    assert all(any(id in text for text in said) for id in lost)
