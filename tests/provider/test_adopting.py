"""Runs that exist already: given in `adopt_id`, `adopt_ids` or the setting `runs:adopt`, or left by a resource that was
destroyed."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from cloud_runs.lifecycle import adopting
from cloud_runs.lifecycle.reporting import RunError
from tests.provider.fan_stack import FanStack
from tests.provider.host import wire
from tests.provider.host_stack import HostStack, JobStack, RunStack
from tests.support.emulator import Emulator

A = ["a1", "a2"]


@pytest.fixture
def elsewhere(stack: HostStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    return fired_elsewhere(stack, cloud, monkeypatch)


def fired_elsewhere(
    stack: HostStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, objects: Collection[str] = ()
) -> HostStack:
    """The same work, fired from another stack."""
    other = type(stack)(cloud, monkeypatch, "elsewhere", beside=stack)
    other.up(objects, **other.plain)
    stack.process()
    stack.warned.clear()
    return other


def to_adopt(stack: HostStack, ids: dict[str, str]) -> Any:
    return ids if isinstance(stack, FanStack) else ids[""]


def argument(stack: HostStack, ids: dict[str, str]) -> dict[str, Any]:
    return {"adopt_ids" if isinstance(stack, FanStack) else "adopt_id": to_adopt(stack, ids)}


# -- between two runs on record


@pytest.mark.parametrize("end", ["before create", "create", "not answered"])
def test_another_run_is_given_and_the_up_ends_before_it_is_on_record(
    stack: HostStack, elsewhere: HostStack, end: str
) -> None:
    """Taken away again, nothing asks for a new run."""
    if isinstance(stack, FanStack):
        pytest.skip("records it in an update")
    stack.up(**stack.plain)
    own, starts = stack.ids, len(stack.started())
    if end == "not answered":
        away = {"action": "status", "status": 503, "code": "ServiceUnavailable", "message": "", "times": 99}
        where = {"system": stack.system, "operation": "get"}
        stack.cloud.faults({**where, "action": "delay", "seconds": 0}, {**where, **away})
        with pytest.raises(RunError, match="503"):
            stack.up(adopt_id=elsewhere.ids[""], **stack.plain)
        stack.cloud.drop_faults()
    else:
        assert stack.up(adopt_id=elsewhere.ids[""], kill=end, **stack.plain) == "killed"
    if end == "create":
        own = elsewhere.ids
    assert stack.ids == own
    assert stack.up(**stack.plain) in ("same", "update")
    assert stack.ids == own
    assert len(stack.started()) == starts, "nothing asked for another one"


# -- the setting `runs:adopt`


def test_the_setting_counts_once(stack: HostStack, elsewhere: HostStack) -> None:
    """Set, `up`, and away with it: nothing fires, then or later."""
    adopt = to_adopt(stack, elsewhere.ids)
    assert stack.up(adopt=adopt, **stack.plain) == "create"
    assert stack.ids == elsewhere.ids
    assert "adopt" not in stack.state
    for given in ({"adopt": adopt}, {}):
        assert stack.up(**given, **stack.plain) == "same"
    assert stack.up(adopt=adopt, triggers={"release": 2}, **stack.plain) == "create"
    assert set(stack.ids.values()).isdisjoint(elsewhere.ids.values())
    assert len(stack.started()) == 2 * stack.asks


def test_the_setting_decides_what_an_interrupted_up_has_started(stack: HostStack) -> None:
    """The shortest way out of a stop."""
    stack.up(kill=stack.asks, **stack.plain)
    keys = list(FanStack.objects) if isinstance(stack, FanStack) else [""]
    lost = dict(zip(keys, stack.started(), strict=True))
    stack.ages(minutes=12)
    said = stack.stops(**stack.plain)
    assert all(id in said for id in lost.values())
    stack.up(adopt=to_adopt(stack, lost), **stack.plain)
    assert (stack.ids, stack.refused) == (lost, {})
    stack.warned.clear()
    assert stack.up(**stack.plain) == "same"
    assert len(stack.started()) == stack.asks
    assert stack.warned == []


def test_a_setting_that_has_done_its_work_is_told(stack: HostStack, elsewhere: HostStack) -> None:
    adopt = to_adopt(stack, elsewhere.ids)
    stack.up(adopt=adopt, **stack.plain)
    assert stack.warned == []
    stack.up(adopt=adopt, **stack.plain)
    ((said),) = stack.warned
    assert said.startswith(f"runs:adopt has done its work for {stack.name!r}; take it away: pulumi config rm --path")


def test_a_setting_for_what_has_other_runs_on_record_does_nothing(stack: HostStack, elsewhere: HostStack) -> None:
    stack.up(**stack.plain)
    own, runs = stack.ids, stack.started()
    assert stack.up(adopt=to_adopt(stack, elsewhere.ids), **stack.plain) == "same"
    ((said),) = stack.warned
    assert f"runs:adopt names a run for {stack.name!r}" in said
    assert "which has another one recorded: while that stays, this does nothing" in said
    assert (stack.ids, stack.started()) == (own, runs)


def test_a_stale_setting_and_a_change_that_asks_for_new_runs(stack: HostStack, elsewhere: HostStack) -> None:
    """It named what is on record, or what was on record once."""
    adopt = to_adopt(stack, elsewhere.ids)
    stack.up(adopt=adopt, **stack.plain)
    for number in (2, 3):
        runs = len(stack.started())
        assert stack.up(adopt=adopt, triggers={"release": number}, **stack.plain) == "create"
        assert sorted(stack.ids.values()) == sorted(stack.started()[runs:])
    stack.up(adopt=adopt, triggers={"release": 3}, forced=True, **stack.plain)
    assert len(stack.started()) == runs + 2 * stack.asks


def test_a_stale_setting_and_a_change_that_is_refused_at_first(stack: HostStack, elsewhere: HostStack) -> None:
    """The replacement is not on record then. What was on record before it is none of its runs."""
    adopt = to_adopt(stack, elsewhere.ids)
    stack.up(adopt=adopt, **stack.plain)
    stack.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        stack.up(adopt=adopt, triggers={"release": 2}, **stack.plain)
    stack.ages(seconds=-10)
    assert stack.up(adopt=adopt, triggers={"release": 2}, **stack.plain) == "create"
    assert len(stack.started()) == 2 * stack.asks
    assert set(stack.ids.values()).isdisjoint(elsewhere.ids.values())


def test_a_setting_of_long_ago_and_a_change_that_is_refused(stack: HostStack, elsewhere: HostStack) -> None:
    """Its run was replaced since. Where a service tells no times, nothing else tells that it is none of these."""
    adopt = to_adopt(stack, elsewhere.ids)
    stack.up(adopt=adopt, **stack.plain)
    stack.up(adopt=adopt, triggers={"release": 2}, **stack.plain)
    stack.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        stack.up(adopt=adopt, triggers={"release": 3}, **stack.plain)
    stack.ages(seconds=-10)
    stack.up(adopt=adopt, triggers={"release": 3}, **stack.plain)
    assert "and a new one was requested since: it was left out" in stack.warned[-1]
    assert len(stack.started()) == 3 * stack.asks
    assert set(stack.ids.values()).isdisjoint(elsewhere.ids.values())


def test_a_setting_for_a_replacement_that_was_killed(stack: HostStack) -> None:
    """What that has started is recorded, and nothing fires."""
    stack.up(triggers={"release": 1}, **stack.plain)
    stack.up(triggers={"release": 2}, kill=stack.asks, **stack.plain)
    keys = list(FanStack.objects) if isinstance(stack, FanStack) else [""]
    lost = dict(zip(keys, stack.started()[stack.asks :], strict=True))
    assert stack.up(adopt=to_adopt(stack, lost), triggers={"release": 2}, **stack.plain) == "create"
    assert stack.ids == lost
    assert stack.up(triggers={"release": 2}, **stack.plain) == "same"
    assert len(stack.started()) == 2 * stack.asks


def test_a_setting_that_names_an_older_run_than_the_one_that_is_replaced(
    stack: HostStack, elsewhere: HostStack
) -> None:
    """It would pass for the new one."""
    stack.up(**stack.plain)
    own = stack.ids
    stack.up(triggers={"release": 2}, kill="delete", **stack.plain)
    stack.ages(minutes=-20)
    with pytest.raises(RunError, match=r"is older than what was requested: nothing was fired\. To fire, take it away"):
        stack.up(adopt=to_adopt(stack, elsewhere.ids), triggers={"release": 2}, **stack.plain)
    assert len(stack.started()) == 2 * stack.asks
    assert stack.up(triggers={"release": 2}, **stack.plain) == "create"
    assert set(stack.ids.values()).isdisjoint(own.values())
    assert len(stack.started()) == 3 * stack.asks


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ({"run": "i1"}, "i1"),
        ({"run": {"a.mp4": "i1", "b.mp4": 12345678901234567890}}, {"a.mp4": "i1", "b.mp4": "12345678901234567890"}),
        ({"run": 12345678901234567890}, "12345678901234567890"),  # as `pulumi config set --path` writes it
        ({"other": "i1"}, None),
        ({}, None),
    ],
)
def test_the_setting_is_read_in_the_program(monkeypatch: pytest.MonkeyPatch, setting: Any, found: Any) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"runs:adopt": json.dumps(setting)}))
    assert adopting.configured("run") == found


@pytest.mark.parametrize("setting", ["i1", '["i1"]', "7"])
def test_a_setting_that_is_no_mapping_is_told_at_once(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"runs:adopt": setting}))
    with pytest.raises(ValueError, match="runs:adopt must be a mapping of resource names to ids, for example"):
        adopting.configured("run")


@pytest.mark.parametrize("given", [True, 1.5, "", " ", "a\n", ["i1"], {"a1": ["i1"]}, {"a1": ""}])
def test_a_setting_that_names_no_run_is_refused(stack: HostStack, given: Any) -> None:
    if isinstance(given, dict) and not isinstance(stack, FanStack):
        given = {"": given}
    inputs = {**stack.given, "adopt": given, "objects": A, "resource_urn": stack.urn}
    failures = stack.provider.check({}, wire(inputs)).failures
    assert [failure.property.partition("[")[0] for failure in failures] == ["adopt"]
    assert "runs:adopt must " in failures[0].reason


# -- both ways


@pytest.mark.parametrize("by", ["argument", "setting"])
def test_a_run_that_does_other_work_or_is_not_there_is_refused(
    stack: HostStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    other = type(stack)(cloud, monkeypatch, "other")
    other.up(**{**other.plain, **other.other})
    runs = len(stack.started())
    keys = list(FanStack.objects) if isinstance(stack, FanStack) else [""]
    for ids, said in ((other.ids, ""), (dict.fromkeys(keys, "i0"), "there is no run i0 to adopt; nothing was fired")):
        given = argument(stack, ids) if by == "argument" else {"adopt": to_adopt(stack, ids)}
        told = stack.stops(**stack.plain, **given)
        assert said in told
        assert "nothing was" in told.lower()
        assert "fired" in told
        assert not stack.ids
    assert len(stack.started()) == runs


def test_an_adopted_run_is_nobody_elses(stack: HostStack, elsewhere: HostStack) -> None:
    """What one resource was given, another is not found to have started."""
    other = type(stack)(stack.cloud, stack.patch, "other", beside=stack)
    other.up(kill="intent", **other.plain)
    stack.process()
    stack.up(same_process=True, **argument(stack, elsewhere.ids), **stack.plain)
    assert stack.ids == elsewhere.ids
    assert other.up(same_process=True, **other.plain) == "create"
    assert set(other.ids.values()).isdisjoint(elsewhere.ids.values())


# -- adopt_ids


def test_some_objects_are_given_and_the_others_fire(fan: FanStack, cloud: Emulator) -> None:
    other = FanStack(cloud, fan.patch, "elsewhere")
    other.up(["a1"])
    fan.up(A, adopt_ids={"a1": other.ids["a1"], "not in the list": "i0"})
    assert fan.ids["a1"] == other.ids["a1"]
    assert fan.fired() == {"a1": 1, "a2": 1}
    assert fan.state["counts"] == {"objects": 2, "started": 2, "refused": 0}
    assert fan.up(A, adopt_ids={"a1": other.ids["a1"]}) == "same"
    assert fan.up(A) == "same", "taken away"


def test_an_object_on_record_is_given_another_run(fan: FanStack, cloud: Emulator) -> None:
    other = FanStack(cloud, fan.patch, "elsewhere")
    other.up(["a1"])
    fan.up(A)
    second = fan.ids["a2"]
    fan.up(A, adopt_ids=other.ids)
    assert fan.ids == {**other.ids, "a2": second}
    assert fan.fired() == {"a1": 2, "a2": 1}


def test_given_runs_stay_given_when_the_others_are_fired_anew(fan: FanStack, cloud: Emulator) -> None:
    other = FanStack(cloud, fan.patch, "elsewhere")
    other.up(["a1"])
    fan.up(A, adopt_ids=other.ids)
    assert fan.up(A, adopt_ids=other.ids, triggers={"release": 2}) == "create"
    assert fan.ids["a1"] == other.ids["a1"]
    assert fan.fired() == {"a1": 1, "a2": 2}


def test_a_given_run_that_is_not_there_keeps_what_is_on_record(fan: FanStack) -> None:
    fan.up(A)
    before = fan.ids
    with pytest.raises(RunError, match="there is no run i0 to adopt; nothing was fired"):
        fan.up([*A, "b1"], adopt_ids={"b1": "i0"})
    assert fan.ids == before
    assert fan.fired() == {"a1": 1, "a2": 1}
    assert fan.up([*A, "b1"]) == "update"
    assert fan.all_on_record([*A, "b1"])


# -- left by a resource that was destroyed


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_run_that_was_destroyed_alone_and_is_wanted_again(stack: HostStack, cancelled: bool) -> None:
    """Its intent has survived. What was cancelled is not what is wanted; what goes on may be found."""
    stack.up(**stack.plain)
    first = stack.started()
    stack.destroy(intent=False)
    if cancelled:
        for id in first:
            stack.cloud.set_state(id, stack.kit.cancelled)
        said = stack.stops(**stack.plain)
        assert all(id in said for id in first)
        assert "cancelled" in said
        assert "what was cancelled is not taken for a run that is wanted" in said
        assert stack.started() == first
        assert stack.up(triggers={"again": 1}, **stack.plain) == "create"
        assert set(stack.ids.values()).isdisjoint(first)
    else:
        assert stack.up(**stack.plain) == "create"
        assert sorted(stack.ids.values()) == sorted(first)
        assert all(any(id in text for text in stack.warned) for id in first), "not silently"


def test_on_delete_cancel_and_wanted_again(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a job whose name is made by us, so that it is its own for certain."""
    job = JobStack(cloud, monkeypatch)
    job.up(on_delete="cancel")
    ((first),) = job.started()
    job.destroy(intent=False)
    assert [run["state"] for run in cloud.runs()] == ["Cancel"]
    assert first in job.stops(on_delete="cancel")
    assert job.started() == [first]


@pytest.mark.parametrize("word", ["Success", "Failed"])
def test_a_found_run_that_has_ended_is_told_as_such(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    for kind in (RunStack, JobStack, FanStack):
        stack = kind(cloud, monkeypatch)
        stack.up(kill=stack.asks)
        for id in stack.started():
            cloud.set_state(id, word)
        assert stack.up() == "create"
        phase = {"Success": "succeeded", "Failed": "failed"}[word]
        assert any(f"(it has ended: {phase})" in text for text in stack.warned)
        cloud.reset()


# -- in the place of a run that may have been started as well


def test_what_another_run_was_given_for_is_none_of_a_later_request(stack: HostStack, elsewhere: HostStack) -> None:
    """The `up` that recorded the given run has said of the other one that it is on no record after that. Young as it
    is, it is not what a forced replacement has started that was refused."""
    stack.up(kill=stack.asks, **stack.plain)
    lost = [id for id in stack.started() if id not in elsewhere.ids.values()]
    assert stack.up(**argument(stack, elsewhere.ids), **stack.plain) == "create"
    assert any(all(id in text for id in lost) for text in stack.warned)
    stack.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        stack.up(forced=True, **stack.plain)
    stack.up(**stack.plain)
    assert len(stack.started()) == 3 * stack.asks
    assert set(stack.ids.values()).isdisjoint({*lost, *elsewhere.ids.values()})


def test_a_setting_of_long_ago_and_an_object_that_was_refused(
    fan: FanStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others were fired, so it is an update that fires it at last; what the setting has brought once is not new."""
    other = fired_elsewhere(fan, cloud, monkeypatch, A)
    fan.up(A, adopt=other.ids, **fan.plain)
    fan.up(A, adopt=other.ids, triggers={"release": 2}, **fan.plain)
    fan.refuse(status=400, code="InvalidArgument")
    fan.up(A, adopt=other.ids, triggers={"release": 3}, **fan.plain)
    assert len(fan.refused) == 1
    fan.up(A, adopt=other.ids, triggers={"release": 3}, **fan.plain)
    assert not fan.refused
    assert len(fan.started()) == 3 * len(A)
    assert set(fan.ids.values()).isdisjoint(other.ids.values())


def test_a_run_of_the_setting_that_is_older_than_what_was_refused(
    fan: FanStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that it names for the first time, for an object that an earlier `up` has requested."""
    other = fired_elsewhere(fan, cloud, monkeypatch, A)
    fan.refuse(status=400, code="InvalidArgument")
    fan.up(A, **fan.plain)
    (refused,) = fan.refused
    fan.ages(minutes=-20)
    with pytest.raises(RunError, match="which is older than what was requested: nothing was fired"):
        fan.up(A, adopt={refused: other.ids[refused]}, **fan.plain)
    assert len(fan.started()) == 2 * len(A) - 1


def test_a_run_of_another_service_is_not_taken_over_by_an_alias_of_its_type(stack: HostStack) -> None:
    """OBS workflows and DWR's have the same arguments, so nothing else tells that none was fired there."""
    stack.up(**stack.plain)
    name = "place" if isinstance(stack, FanStack) else "reference"
    stack.state[name] = stack.state[name].replace(stack.system, "another.service")
    for given in ({}, {"triggers": {"release": 2}}):
        with pytest.raises(RunError, match=r"recorded is of another\.service, and this is .*: nothing was fired"):
            stack.up(**given, **stack.plain)
    assert len(stack.started()) == stack.asks
