"""Resources of one stack that ask for the same work: nobody's run is taken for another's without a word."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from typing import Any

import pytest

from cloud_runs.lifecycle import host
from cloud_runs.lifecycle.reporting import RunError
from tests.kits import KITS
from tests.provider.fan_stack import FanStack
from tests.provider.host import RunHost
from tests.provider.host_stack import HostStack, RunStack
from tests.support.emulator import Emulator


@pytest.fixture
def twin(stack: HostStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    return type(stack)(cloud, monkeypatch, "twin", beside=stack)


# -- one run on two records


def test_a_run_on_two_records_is_told_by_the_next_diff_of_either(stack: HostStack, twin: HostStack) -> None:
    """One of two was refused, the other fired; then the missing one alone was the target, whose process is told nothing
    of the other's record."""
    twin.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        twin.up(**twin.plain)
    stack.up(same_process=True, **stack.plain)
    assert twin.up(**twin.plain) == "create"
    assert twin.ids == stack.ids, "the record of the one was not known to the other"
    for first, second in ((stack, twin), (twin, stack)):
        first.process()
        stack.warned.clear()
        assert first.up(same_process=True, **stack.plain) == "same"
        assert stack.warned == []
        assert second.up(same_process=True, **stack.plain) == "same"
        ((said),) = stack.warned
        assert all(id in said for id in stack.ids.values())
        assert f"recorded by {first.name!r}" in said
        assert "one run does the work of both" in said


def test_the_way_out_for_twins(stack: HostStack, twin: HostStack) -> None:
    """As the warning says."""
    test_a_run_on_two_records_is_told_by_the_next_diff_of_either(stack, twin)
    runs = len(stack.started())
    twin.process()
    stack.warned.clear()
    stack.up(same_process=True, **stack.plain)
    if isinstance(twin, FanStack):
        twin.up(["other"], same_process=True)
        twin.process()
        stack.up(same_process=True)
        assert twin.up(same_process=True) == "update"
        runs += 1
    else:
        assert twin.up(same_process=True, triggers={"own": 1}, **stack.plain) == "create"
    assert set(twin.ids.values()).isdisjoint(stack.ids.values())
    assert len(stack.started()) == runs + stack.asks
    stack.warned.clear()
    stack.process()
    stack.up(same_process=True, **stack.plain)
    twin.up(
        same_process=True, **(stack.plain if isinstance(twin, FanStack) else {**stack.plain, "triggers": {"own": 1}})
    )
    assert stack.warned == []


def test_twins_with_runs_of_their_own_are_not_told(stack: HostStack, twin: HostStack) -> None:
    stack.up(**stack.plain)
    twin.up(same_process=True, **stack.plain)
    stack.process()
    stack.up(same_process=True, **stack.plain)
    twin.up(same_process=True, **stack.plain)
    assert stack.warned == []
    assert set(stack.ids.values()).isdisjoint(twin.ids.values())


def test_a_run_and_a_fan_out_with_the_same_run(fan: FanStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunHost(cloud.url)
    id, outs = run.fired(object="a1")
    fan.up(["a1", "a2"], kill="intent")
    fan.up(["a1", "a2"])
    assert fan.ids["a1"] == id
    fan.warned.clear()
    fan.process()
    run.diff(id, outs, run.intended(object="a1"))
    fan.up(["a1", "a2"], same_process=True)
    ((said),) = fan.warned
    assert f"a1: {id}, recorded by 'run' too" in said
    assert fan.ids["a2"] not in said


# -- one answer for two asks


def test_an_answer_with_the_id_of_another_resource(stack: HostStack, twin: HostStack) -> None:
    stack.up()
    twin.process()
    stack.up(same_process=True)  # its diff tells what is on record
    stack.cloud.fault(stack.system, "start", "same_id", times=stack.asks)
    assert twin.up(same_process=True) == "create"
    assert len(stack.started()) == stack.asks
    ((said),) = stack.warned
    assert stack.started()[-1] in said
    assert "recorded already" in said
    assert "nothing new may have run" in said


def test_an_answer_with_the_id_of_a_resource_that_the_program_drops(stack: HostStack, twin: HostStack) -> None:
    """No diff tells of that one: the engine only deletes it, at the end of the update."""
    stack.up()
    stack.cloud.fault(stack.system, "start", "same_id", times=stack.asks)
    assert twin.up() == "create"
    before = len(stack.warned)  # of a fan-out the second object is answered with the run of the first
    assert before == stack.asks - 1
    stack.destroy(same_process=True)
    ((said),) = stack.warned[before:]
    assert stack.started()[-1] in said
    assert "recorded already" in said
    assert "nothing new may have run" in said


@pytest.mark.parametrize("in_two", [False, True])
def test_nor_with_the_id_of_a_run_of_another_flow_which_is_not_cancelled_then(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, in_two: bool
) -> None:
    """A run of EnOS is asked for by its id alone, whatever its flow is."""
    flows = type("FlowStack", (HostStack,), {"kit": KITS["enos.flow"]})
    old: HostStack = flows(cloud, monkeypatch)
    old.up(on_delete="cancel")
    new: HostStack = flows(cloud, monkeypatch, "new", beside=old)
    cloud.fault(old.system, "start", "same_id")
    assert new.up(flow_id=4000) == "create"
    assert new.ids == old.ids
    if in_two:
        assert new.up(flow_id=4000) == "same"
    old.destroy(same_process=True)
    ((said),) = old.warned
    assert f"run {new.id}, which came of its start or was found for it, was recorded already" in said
    assert [run["state"] for run in cloud.runs()] != [old.kit.cancelled]
    assert cloud.count(old.system, "cancel") == 0


def test_an_answer_with_the_id_of_its_own_former_run(stack: HostStack) -> None:
    stack.up(triggers={"release": 1})
    stack.cloud.fault(stack.system, "start", "same_id", times=stack.asks)
    assert stack.up(triggers={"release": 2}) == "create"
    assert len(stack.started()) == stack.asks
    ((said),) = stack.warned
    assert stack.started()[-1] in said
    assert "recorded already" in said


def test_one_id_for_all_objects(fan: FanStack) -> None:
    fan.up(["a1"])
    fan.cloud.fault(fan.system, "start", "same_id", times=2)
    fan.up(["a1", "b1", "b2"])
    ((said),) = fan.warned
    assert "2 starts answered with a run that is recorded already" in said
    assert f"b1: {fan.ids['a1']}" in said
    assert fan.up(["a1", "b1", "b2"]) == "same"


# -- several in doubt


def side_by_side(*stacks: HostStack, **given: Any) -> list[Any]:
    """Their next `up`, as the engine creates resources: the first look waits until all of them are in doubt."""
    process = host.this_process()

    def wait(work: Hashable) -> None:
        until = time.monotonic() + 10
        while not waited and process.doubters(work) < len(stacks) and time.monotonic() < until:
            time.sleep(0.01)
        waited.append(work)

    waited: list[Hashable] = []
    for stack in stacks:
        stack.looks = wait
    results: list[Any] = [None] * len(stacks)

    def work(index: int) -> None:
        try:
            results[index] = stacks[index].up(same_process=True, **given)
        except Exception as error:  # noqa: BLE001 - told to the test
            results[index] = str(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(stacks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.parametrize("second", [True, False])
def test_both_were_killed(stack: HostStack, twin: HostStack, second: bool) -> None:
    """As many asks as runs, or more: any assignment is right."""
    stack.up(kill=stack.asks, **stack.plain)
    twin.up(kill=twin.asks if second else "intent", **stack.plain)
    twin.process()
    assert side_by_side(stack, twin, **stack.plain) == ["create", "create"]
    assert stack.refused == twin.refused == {}
    assert len(stack.started()) == 2 * stack.asks
    assert sorted([*stack.ids.values(), *twin.ids.values()]) == sorted(stack.started())


def test_two_fan_outs_over_some_of_the_same_objects(
    fan: FanStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = FanStack(cloud, monkeypatch, "twin", beside=fan)
    fan.up(["a1", "a2", "a3"], kill=2)
    twin.up(["a1", "a2", "b1"], kill=1)
    twin.process()
    fan.objects, twin.objects = ("a1", "a2", "a3"), ("a1", "a2", "b1")
    assert side_by_side(fan, twin) == ["create", "create"]
    assert fan.refused == twin.refused == {}
    assert fan.fired() == {"a1": 2, "a2": 2, "a3": 1, "b1": 1}
    assert sorted([*fan.ids.values(), *twin.ids.values()]) == sorted(fan.started())


@pytest.mark.parametrize("fan_kill", ["intent", 1, 2])
def test_a_run_and_a_fan_out_that_were_both_killed(
    fan: FanStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, fan_kill: str | int
) -> None:
    run = RunStack(cloud, monkeypatch, "run", beside=fan)
    run.given["object"] = "a1"
    run.up(kill=1)
    fan.up(kill=fan_kill)
    fan.process()
    assert side_by_side(run, fan) == ["create", "create"]
    assert fan.refused == {}
    assert fan.fired() == {"a1": 2, "a2": 1}
    assert sorted([run.id, *fan.ids.values()]) == sorted(fan.started())


def test_three_of_a_kind_were_killed(stack: HostStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [type(stack)(cloud, monkeypatch, name, beside=stack) for name in ("second", "third")]
    for one, kill in zip((stack, *others), (stack.asks, "intent", stack.asks), strict=True):
        one.up(kill=kill, **stack.plain)
    stack.process()
    assert side_by_side(stack, *others, **stack.plain) == ["create"] * 3
    assert len(stack.started()) == 3 * stack.asks
    assert sorted(id for one in (stack, *others) for id in one.ids.values()) == sorted(stack.started())


def test_one_alone_stops_and_has_a_way_out(fan: FanStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other is not part of that update, so nobody can tell whose run is whose."""
    twin = FanStack(cloud, monkeypatch, "twin", beside=fan)
    fan.up(["a1", "a2"], kill=2)
    twin.up(["a1", "a2"], kill=1)
    first, second, third = fan.started()
    fan.up(["a1", "a2"])
    assert list(fan.refused) == ["a1"]
    assert first in fan.refused["a1"]
    assert third in fan.refused["a1"]
    assert "adopt_ids" in fan.refused["a1"]
    assert fan.up(["a1", "a2"], adopt_ids={"a1": first}) == "update"
    assert (fan.ids, fan.refused) == ({"a1": first, "a2": second}, {})
    twin.process()
    fan.up(["a1", "a2"], adopt_ids={"a1": first}, same_process=True)
    twin.up(["a1", "a2"], same_process=True)
    assert twin.ids["a1"] == third
    assert fan.fired() == {"a1": 2, "a2": 2}
