"""Where a run of a fan-out could be fired twice, or its id be lost: kills, retries, changes in between."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta, timezone

import pytest

from cloud_runs.lifecycle.reporting import RunError
from tests.provider.fan_stack import FanStack, key_of
from tests.provider.host import RUNS, RunHost
from tests.support.stack import WORKFLOW

A = ["a1", "a2", "a3"]
AB = [*A, "b1", "b2", "b3"]


def listed(runs: dict[str, str], *, days: int) -> str:
    """What the service answers when it is asked for a list: these runs, which began so long ago."""
    began = (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    rows = (
        f"<WorkflowExecutionList><RunId>{id}</RunId><WorkflowId>{WORKFLOW}</WorkflowId><Object>{key}</Object>"
        f"<State>Success</State><CreateTime>{began}</CreateTime></WorkflowExecutionList>"
        for key, id in runs.items()
    )
    return f"<Response>{''.join(rows)}</Response>"


def times_told(fan: FanStack) -> int:
    """That runs of objects which have left the list may be on no record."""
    return sum("not in the list any more" in text for text in fan.warned)


# -- the first up


@pytest.mark.parametrize("kill", ["intent", 1, 2, 3, "before create"])
def test_killed_in_the_first_up(fan: FanStack, kill: str | int) -> None:
    assert fan.up(A, kill=kill) == "killed"
    assert fan.up(A) == "create"
    assert fan.all_on_record(A)
    assert fan.up(A) == "same"


@pytest.mark.parametrize("kill", ["intent", 2, "before create"])
def test_killed_in_the_first_up_and_then_other_objects(fan: FanStack, kill: str | int) -> None:
    fan.up(A, kill=kill)
    assert fan.up(AB, kill="intent") == "killed"
    assert fan.up(AB) == "create"
    assert fan.all_on_record(AB)


def test_killed_again_and_again(fan: FanStack) -> None:
    for number in range(1, 7):
        fan.up(AB, kill=1)
        assert sum(fan.fired().values()) == number
    assert fan.up(AB) == "create"
    assert fan.all_on_record(AB)


# -- objects are added


@pytest.mark.parametrize("kill", ["intent", 1, 2, 3, "before update"])
@pytest.mark.parametrize("days", [0, 30])
def test_killed_while_objects_are_added(fan: FanStack, kill: str | int, days: int) -> None:
    """Since when the lost runs may have been started is told by the attempt, and not by the age of the fan-out."""
    fan.up(A)
    fan.ages(days=days)
    assert fan.up(AB, kill=kill) == "killed"
    assert fan.ids.keys() == set(A)
    assert fan.up(AB) == "update"
    assert fan.all_on_record(AB)
    assert fan.up(AB) == "same"


@pytest.mark.parametrize("kill", [2, "intent", "before update"])
def test_killed_while_objects_are_added_and_then_changed_again(fan: FanStack, kill: str | int) -> None:
    fan.up(A)
    fan.up(AB, kill=kill)
    fan.up([*AB, "c"], kill="intent")
    fan.up([*AB, "c", "d"], kill=1)
    assert fan.up([*AB, "c", "d"]) == "update"
    assert fan.all_on_record([*AB, "c", "d"])


def test_the_change_is_taken_back_and_made_again(fan: FanStack) -> None:
    fan.up(A)
    fan.up(AB, kill=3)
    assert fan.up(A) == "update", "it is told, and that it was told is on record"
    assert times_told(fan) == 1
    assert fan.up(A) == "same"
    assert fan.up(AB) == "update"
    assert fan.all_on_record(AB)


def test_the_change_is_taken_back_by_an_up_that_is_killed_as_well(fan: FanStack) -> None:
    """What is on no record is told by the next one, once."""
    fan.up(A)
    fan.up(AB, kill=1)
    assert fan.up(A, kill="intent") == "killed"
    assert fan.up(A) == "update"
    assert times_told(fan) == 1
    assert fan.up(A) == "same"
    assert fan.fired() == {**dict.fromkeys(A, 1), "b1": 1}
    assert fan.up(AB) == "update"
    assert fan.all_on_record(AB)


def test_the_list_is_changed_again_by_an_up_that_is_killed_before_it_tells(fan: FanStack) -> None:
    fan.up(A)
    fan.up([*A, "b1"], kill=1)
    assert fan.up([*A, "c1"], kill="intent") == "killed"
    assert fan.up([*A, "c1"]) == "update"
    assert times_told(fan) == 1
    assert fan.ids.keys() == {*A, "c1"}


def test_more_attempts_than_are_kept(fan: FanStack) -> None:
    fan.up(A)
    fan.up([*A, "b1"], kill=1)
    for number in range(25):
        fan.up([*A, "b1", f"x{number}"], kill="intent")
    assert fan.up([*A, "b1"]) == "update"
    assert fan.fired() == dict.fromkeys([*A, "b1"], 1)
    assert fan.ids.keys() | fan.refused.keys() == {*A, "b1"}


def test_removed_and_added_again_is_another_ask(fan: FanStack) -> None:
    fan.up(A)
    first = fan.ids["a1"]
    assert fan.up(A[1:]) == "update"
    assert "a1" not in fan.ids
    assert fan.up(A) == "update"
    assert fan.fired()["a1"] == 2
    assert fan.ids["a1"] != first


@pytest.mark.parametrize("kill", [1, "intent"])
def test_killed_while_a_removed_object_is_added_again(fan: FanStack, kill: str | int) -> None:
    """The run of the first time is not taken for that of the second: within a quarter of an hour a clock may be off,
    so both are named."""
    fan.up(A)
    first = fan.ids["a1"]
    fan.up(A[1:])
    fan.up(A, kill=kill)
    fan.ages(seconds=-10)  # that came 10 s after all that is in the list
    started = [run["id"] for run in fan.cloud.runs(RUNS) if key_of(run) == "a1"]
    fan.up(A)
    assert list(fan.refused) == ["a1"]
    assert all(id in fan.refused["a1"] for id in started)
    assert started[0] == first
    assert fan.fired() == {"a1": len(started), "a2": 1, "a3": 1}
    if kill == 1:
        assert fan.up(A, adopt_ids={"a1": started[1]}) == "update"
    else:  # nothing ran for it: fired as the advice says
        fan.up(A[1:])
        assert fan.up(A) == "update"
    assert fan.refused == {}
    assert fan.fired() == {"a1": 2, "a2": 1, "a3": 1}
    assert fan.ids["a1"] == fan.cloud.ids(RUNS)[-1] != first


def test_in_another_order_nothing_happens(fan: FanStack) -> None:
    fan.up(A)
    assert fan.up(A[::-1]) == "same"
    assert fan.all_on_record(A)


# -- refused objects


def refuse(fan: FanStack, count: int, status: int = 400) -> None:
    fan.cloud.fault(RUNS, "start", "status", status=status, code="NoSuchKey", message="not there", times=count)


@pytest.mark.parametrize("kill", [1, 2, "before update"])
def test_a_killed_retry_of_refused_objects(fan: FanStack, kill: str | int) -> None:
    """It leaves no trace in the intent."""
    refuse(fan, 2)
    assert fan.up(A) == "create"
    assert sorted(fan.refused) == ["a1", "a2"]
    assert fan.up(A, kill=kill) == "killed"
    assert fan.up(A) == "update"
    assert fan.all_on_record(A)
    assert fan.up(A) == "same"


def test_refused_objects_that_are_taken_out_are_forgotten(fan: FanStack) -> None:
    refuse(fan, 2)
    fan.up(A)
    assert fan.up(["a3"]) == "update"
    assert fan.refused == {}
    assert fan.up(["a3"]) == "same"


def test_a_killed_retry_and_new_objects(fan: FanStack) -> None:
    refuse(fan, 2)
    fan.up(A)
    fan.up(A, kill=1)
    fan.up(AB, kill=1)
    fan.up(AB)
    assert fan.all_on_record(AB)


def lose(fan: FanStack, objects: list[str], *, foreign: bool = False) -> None:
    """The answer of the first of them is lost, and no list can be had in that `up`."""
    where = {"system": RUNS, "operation": "start"}
    fan.cloud.faults({**where, "action": "drop_response"}, *([{**where, "action": "foreign_run"}] if foreign else []))
    no_lists(fan)
    fan.up(objects)
    fan.cloud.drop_faults()
    assert "may have started and was not found" in fan.refused["a1"]


def no_lists(fan: FanStack) -> None:
    fan.cloud.fault(RUNS, "find", "status", status=403, code="AccessDenied", times=100)


@pytest.mark.parametrize("minutes", [0, 9])
def test_a_lost_run_is_found_by_the_next_up(fan: FanStack, minutes: int) -> None:
    lose(fan, A)
    fan.ages(minutes=minutes)
    assert fan.up(A) == "update"
    assert fan.all_on_record(A)


def test_a_lost_run_is_found_while_objects_are_added(fan: FanStack) -> None:
    lose(fan, A)
    fan.up(AB, kill=2)
    assert fan.up(AB) == "update"
    assert fan.all_on_record(AB)


def test_a_run_that_cannot_be_told_is_never_fired_again_whatever_comes(fan: FanStack) -> None:
    """Its first attempt is not forgotten when others come, are killed, or take long."""
    lose(fan, A, foreign=True)
    for number, more in enumerate((AB, AB, [*AB, "c"], [*AB, "c", "d"])):
        if number == 2:
            fan.up(more, kill="before update")
        fan.up(more)
        assert "may have started one of these runs" in fan.refused["a1"]
        assert fan.fired()["a1"] == 1
        fan.ages(minutes=30)
    assert list(fan.refused) == ["a1"]
    fan.up([*AB[1:], "c", "d"])
    assert fan.refused == {}
    fan.up([*AB, "c", "d"])
    assert fan.fired()["a1"] == 2, "asked for once more, as the message says"
    assert fan.refused == {}


def test_after_a_week_what_may_have_run_is_not_fired_and_the_others_are(fan: FanStack) -> None:
    refuse(fan, 1)
    fan.up(A)
    fan.ages(days=8)
    fan.cloud.fault(RUNS, "find", "body", body=listed(fan.ids, days=8))
    fan.up(AB)
    assert fan.all_on_record(AB), "its other runs are in the list, so nothing has been forgotten"
    refuse(fan, 1)
    fan.up(["c"])
    fan.ages(days=8)
    fan.up(["c", "d"])
    assert list(fan.refused) == ["c"]
    assert "too long ago" in fan.refused["c"], "no run of its own can show that"
    assert fan.fired() == dict.fromkeys([*AB, "d"], 1)


def test_a_refused_key_and_the_right_one(fan: FanStack) -> None:
    refuse(fan, 1, status=403)
    with pytest.raises(RunError, match="nothing was fired: 3 objects refused"):
        fan.up(A)
    assert fan.fired() == {}
    assert fan.up(A) == "create"
    assert fan.all_on_record(A)


def test_all_refused_in_an_update_keeps_what_is_on_record(fan: FanStack) -> None:
    fan.up(A)
    refuse(fan, 3)
    assert fan.up(["b1", "b2", "b3"]) == "update"
    assert (fan.ids, sorted(fan.refused)) == ({}, ["b1", "b2", "b3"])
    fan.up(["b1", "b2", "b3"])
    assert fan.fired() == dict.fromkeys(AB, 1)


# -- replacement


@pytest.mark.parametrize("kill", ["intent", "delete", 2, "before create"])
def test_killed_while_a_trigger_changes(fan: FanStack, kill: str | int) -> None:
    fan.up(A)
    old = set(fan.ids.values())
    assert fan.up(A, triggers={"r": "2"}, kill=kill) == "killed"
    assert fan.up(A, triggers={"r": "2"}) == "create"
    assert fan.fired() == dict.fromkeys(A, 2)
    assert not old & set(fan.ids.values())
    assert set(fan.ids) == set(A)
    assert fan.up(A, triggers={"r": "2"}) == "same"
    assert fan.up(A) == "same", "a removed trigger"


@pytest.mark.parametrize("kill", ["intent", "delete"])
def test_a_trigger_is_taken_back_before_it_fired(fan: FanStack, kill: str) -> None:
    fan.up(A)
    before = fan.ids
    fan.up(A, triggers={"r": "2"}, kill=kill)
    fan.up(A)
    assert fan.ids == before
    assert fan.fired() == dict.fromkeys(A, 1)
    assert fan.up(A, triggers={"r": "3"}) == "create"
    assert fan.fired() == dict.fromkeys(A, 2)


def test_a_trigger_is_taken_back_and_what_was_killed_before_is_not_forgotten(fan: FanStack) -> None:
    """Objects were added and some of them fired, when that was killed, and all before the trigger changed."""
    fan.up(A)
    fan.up(AB, kill=2)
    fan.up(AB, triggers={"r": "2"}, kill="delete")
    assert fan.up(AB) == "create"
    assert fan.all_on_record(AB)


def test_a_trigger_is_taken_back_and_a_lost_run_is_not_forgotten(fan: FanStack) -> None:
    lose(fan, A)
    fan.up(A, triggers={"r": "2"}, kill="delete")
    assert fan.up(A) == "create"
    assert fan.all_on_record(A)


@pytest.mark.parametrize(("kill", "started"), [("delete", 0), (1, 1), (2, 2), ("before create", 3)])
@pytest.mark.parametrize("days", [0, 3, 30])
def test_a_forced_replacement_that_was_killed(fan: FanStack, kill: str | int, started: int, days: int) -> None:
    """No intent tells when that was, so long after the first intent it cannot be decided on: what was started is named
    and not fired again. The old runs are in the list, so the service has forgotten none since, and the others are."""
    fan.up(A)
    old = set(fan.ids.values())
    fan.ages(days=days, minutes=1)
    assert fan.up(A, forced=True, kill=kill) == "killed"
    again = dict(zip(A[:started], fan.cloud.ids(RUNS)[3:], strict=True))
    assert fan.up(A) == "create"
    if days:
        assert fan.refused.keys() == again.keys()
        assert all(id in fan.refused[key] for key, id in again.items())
        fan.ages(seconds=-10)  # that `up` was not in the same moment as the one that was killed
        assert fan.up(A) == ("update" if started else "same")
        assert fan.refused.keys() == again.keys()
        fan.up(A, adopt_ids=again)
        assert fan.up(A) == "same", "what was given stays on record"
    assert not fan.refused
    assert fan.fired() == dict.fromkeys(A, 2)
    assert not old & set(fan.ids.values())
    assert again.items() <= fan.ids.items()
    assert fan.up(A) == "same"


def test_a_forced_replacement_and_another_one(fan: FanStack) -> None:
    fan.up(A)
    fan.up(A, forced=True)
    fan.up(A, forced=True)
    assert fan.fired() == dict.fromkeys(A, 3)


def test_a_killed_forced_replacement_whose_run_cannot_be_told(fan: FanStack) -> None:
    fan.up(A)
    fan.ages(minutes=1)
    where = {"system": RUNS, "operation": "start", "action": "foreign_run"}
    fan.cloud.faults(where)
    fan.up(A, forced=True, kill=1)
    for _ in range(3):
        fan.up(A)
        assert list(fan.refused) == ["a1"]
        assert fan.fired() == dict.fromkeys(A, 2)


def test_an_error_hook_calls_create_again(fan: FanStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process; the intent is of this process as well."""
    where = {"system": RUNS, "operation": "start", "action": "drop_response"}
    for _ in A:
        fan.cloud.faults(where)
    no_lists(fan)
    assert fan.up(A) == "create", "they may have been started, so it must be on record"
    assert sorted(fan.refused) == A
    fan.cloud.drop_faults()
    assert fan.up(A, same_process=True) == "update"
    assert fan.all_on_record(A)


def test_refused_then_killed_after_a_while_then_decided(fan: FanStack) -> None:
    """What was started began too late to be surely ours: it is on record as such, and can be decided on."""
    refuse(fan, 1, status=403)
    with pytest.raises(RunError, match="nothing was fired"):
        fan.up(A)
    fan.ages(minutes=30)
    fan.up(A, kill="before create")
    time.sleep(4)  # services tell whole seconds
    assert fan.up(A) == "create"
    assert sorted(fan.refused) == A
    assert all(id in "".join(fan.refused.values()) for id in fan.cloud.ids(RUNS))
    fan.up(A[1:])
    assert fan.up(A) == "update"
    assert fan.fired() == {"a1": 2, "a2": 1, "a3": 1}, "as the advice says"
    assert list(fan.ids) == ["a1"]


def test_what_a_killed_up_had_started_before_a_change_is_named(fan: FanStack) -> None:
    fan.up(A, kill=3, triggers={"a": 1})
    lost = fan.cloud.ids(RUNS)
    assert fan.up(A, triggers={"a": 2}) == "create"
    ((warned,)) = (text for text in fan.warned if "an earlier up" in text)
    assert all(id in warned for id in lost)
    assert set(fan.ids.values()).isdisjoint(lost)
    fan.warned.clear()
    fan.up([*A, "b1"], kill=1, triggers={"a": 2})
    fan.up([*A, "b1"], triggers={"a": 3})
    assert fan.cloud.ids(RUNS)[6] in "".join(fan.warned)
    fan.warned.clear()
    fan.up([*A, "b1"], triggers={"a": 4})
    assert fan.warned == [], "nothing was lost"


def test_a_list_that_changes_after_a_kill_is_told(fan: FanStack) -> None:
    fan.up(A)
    fan.up(AB, kill=2)
    fan.up(A)
    ((warned,)) = fan.warned
    assert "not recorded, and they go on" in warned
    fan.up(A)
    assert len(fan.warned) == 1


def test_a_list_that_changes_after_a_kill_is_told_by_the_next_up_if_that_one_is_killed_too(fan: FanStack) -> None:
    """Then nothing is on record but two lists of the intent, as digests."""
    fan.up(AB, kill=1)
    assert fan.up(["b1", "c"], kill="intent") == "killed"
    assert fan.warned == []
    assert fan.up(["b1", "c"]) == "create"
    assert [text for text in fan.warned if "not recorded, and they go on" in text]
    assert len(fan.lost()) == 1


def test_an_error_hook_calls_create_again_after_a_refusal(fan: FanStack) -> None:
    refuse(fan, 3)
    with pytest.raises(RunError, match="nothing was fired"):
        fan.up(A)
    looks = fan.cloud.count(RUNS, "find")
    assert fan.up(A, same_process=True) == "create"
    assert fan.cloud.count(RUNS, "find") > looks, "it may have run all the same"
    assert fan.all_on_record(A)


# -- --target, ignore_changes


def test_target_of_the_fan_out_alone_fires_nothing_new(fan: FanStack) -> None:
    """Killed there, the next full `up` would not know."""
    fan.up(A)
    assert fan.up(AB, target="fan", kill=1) == "same"
    assert fan.fired() == dict.fromkeys(A, 1)
    ((warned,)) = fan.warned
    assert warned.startswith("objects changed, but the intent did not change with it: nothing fires")
    assert fan.up(AB, kill=1) == "killed"
    assert fan.up(AB) == "update"
    assert fan.all_on_record(AB)


def test_target_of_the_fan_out_alone_removes_nothing(fan: FanStack) -> None:
    fan.up(A)
    fan.up(A[1:], target="fan")
    assert set(fan.ids) == set(A)
    fan.up(A[1:])
    assert set(fan.ids) == set(A[1:])


def test_target_of_the_fan_out_alone_tries_refused_objects_again(fan: FanStack) -> None:
    refuse(fan, 1)
    fan.up(A)
    assert fan.up(A, target="fan", kill=1) == "killed"
    assert fan.up(A) == "update"
    assert fan.all_on_record(A)


def test_target_of_a_fan_out_whose_first_up_made_the_intent_alone(fan: FanStack) -> None:
    fan.up(A, target="intent")
    with pytest.raises(RunError, match="not part of this update, or was made for other arguments"):
        fan.up(AB, target="fan")
    assert fan.fired() == {}
    fan.up(A, target="fan")
    assert fan.all_on_record(A)


def test_target_of_the_intent_alone(fan: FanStack) -> None:
    fan.up(A)
    fan.up(AB, target="intent")
    fan.up(AB)
    assert fan.all_on_record(AB)


def test_ignored_objects_fire_nothing_and_refused_ones_are_tried_again(fan: FanStack) -> None:
    refuse(fan, 1)
    fan.up(A)
    assert fan.up(AB, ignore=["objects"]) == "update"
    assert fan.all_on_record(A)
    assert fan.up(AB, ignore=["objects"]) == "same"
    assert fan.up(AB, kill=1) == "killed"
    assert fan.up(AB) == "update"
    assert fan.all_on_record(AB)


def test_ignored_objects_and_a_forced_replacement(fan: FanStack) -> None:
    """`create` gets what the program says."""
    fan.up(A, ignore=["objects"])
    fan.up(AB, ignore=["objects"], forced=True, kill=2)
    fan.up(AB, ignore=["objects"])
    assert fan.fired() == {**dict.fromkeys(A, 2), **dict.fromkeys(AB[3:], 1)}
    assert set(fan.ids) == set(AB)


# -- beside others


def test_two_fan_outs_with_the_same_objects(fan: FanStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the one has on record is never taken for what the other has lost."""
    twin = FanStack(fan.cloud, monkeypatch, "twin")
    fan.up(A)
    twin.up(A, kill=2)
    twin.process()
    fan.up(A, same_process=True)  # its diff is asked first
    assert twin.up(A, same_process=True) == "create"
    assert fan.fired() == dict.fromkeys(A, 2)
    assert not set(fan.ids.values()) & set(twin.ids.values())


def test_two_fan_outs_that_were_both_killed(fan: FanStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell whose run is whose; none is fired twice, and no run is on record twice."""
    twin = FanStack(fan.cloud, monkeypatch, "twin")
    fan.up(A, kill=2)
    twin.up(A, kill=1)
    twin.process()
    fan.up(A, same_process=True)
    twin.up(A, same_process=True)
    assert all(count <= 2 for count in fan.fired().values())
    assert not set(fan.ids.values()) & set(twin.ids.values())


@pytest.mark.parametrize("kill", ["intent", 1])
def test_a_run_with_an_object_of_the_fan_out(fan: FanStack, kill: str | int) -> None:
    """What the run has on record is not taken for what the fan-out has lost, nor the other way round."""
    fan.up(A, kill=kill)
    host = RunHost(fan.cloud.url)
    fan.process()
    id, olds = host.fired(object="a1")
    fan.process()
    host.diff(id, olds, host.intended(object="a1"))  # as the engine asks for it in each up
    fan.up(A, same_process=True)
    assert fan.fired() == {"a1": 2, "a2": 1, "a3": 1}
    assert {id, fan.ids["a1"]} == {run["id"] for run in fan.cloud.runs(RUNS) if key_of(run) == "a1"}


# -- the record


def test_a_refresh_in_between_changes_nothing(fan: FanStack) -> None:
    refuse(fan, 1)
    fan.up(A)
    fan.refresh()
    fan.up(AB, kill=2)
    fan.refresh()
    fan.up(AB)
    fan.refresh()
    assert fan.up(AB) == "same"
    assert fan.all_on_record(AB)


def test_pulumi_skip_checkpoints_fires_nothing(fan: FanStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_SKIP_CHECKPOINTS", "true")
    with pytest.raises(RunError, match="PULUMI_SKIP_CHECKPOINTS"):
        fan.up(A)
    assert fan.fired() == {}
    monkeypatch.delenv("PULUMI_SKIP_CHECKPOINTS")
    fan.up(A)
    fired = fan.fired()
    monkeypatch.setenv("PULUMI_SKIP_CHECKPOINTS", "true")
    with pytest.raises(RunError, match="PULUMI_SKIP_CHECKPOINTS"):
        fan.up(AB)
    assert fan.fired() == fired, "an object that is added is fired by an update"


# -- random histories


@pytest.mark.parametrize("seed", range(12))
def test_random_histories(fan: FanStack, seed: int) -> None:
    """Ups that are killed anywhere, with objects that come and go, refusals and lost answers.

    Each time an object is asked for is an ask; no ask has two runs, and when an `up` comes to its end, each has one.
    """
    dice = random.Random(seed)
    pool = [f"o{number}" for number in range(6)]
    asks = dict.fromkeys(pool, 0)
    asked: tuple[int, set[str]] = (-1, set())
    objects, generation = set(dice.sample(pool, 3)), 0

    def up(kill: str | int) -> bool:
        """Whether it came to its end."""
        nonlocal asked
        for key in objects:
            asks[key] += asked[0] != generation or key not in asked[1]
        asked = generation, set(objects)
        try:
            last = fan.up(sorted(objects), triggers={"generation": str(generation)}, kill=kill)
        except RunError as error:
            return not str(error)
        fan.cloud.drop_faults()
        fired = fan.fired()
        assert all(fired[key] <= asks[key] for key in pool), (asks, fired)
        assert set(fan.ids.values()) <= set(fan.cloud.ids(RUNS))
        assert len(set(fan.ids.values())) == len(fan.ids)
        return last != "killed"

    for _ in range(14):
        if dice.random() < 0.6:
            objects ^= set(dice.sample(pool, dice.choice([1, 1, 2])))
            objects = objects or {dice.choice(pool)}
        generation += dice.random() < 0.1
        if dice.random() < 0.2:
            fan.cloud.fault(RUNS, "start", "drop_response")
        if dice.random() < 0.2:
            refuse(fan, dice.choice([1, 2]))
        if up(dice.choice(["", "", "intent", 1, 2, 3, "before update", "before create", "delete"])):
            assert fan.ids.keys() | fan.refused.keys() == objects
    if up(""):
        assert set(fan.ids) == objects - set(fan.refused)
        # Two asks within two seconds cannot be told apart by the times of their runs.
        assert all("may have started one of these runs" in reason for reason in fan.refused.values())
