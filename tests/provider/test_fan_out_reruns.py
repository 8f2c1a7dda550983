"""What has failed is fired again, once for each time it is asked for, whatever comes between; the others are left
alone."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from cloud_runs.lifecycle import progress
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import history, ledger, reruns
from tests.provider.fan_stack import STACKS, FanStack, key_of
from tests.provider.host_stack import HostStack
from tests.provider.test_fan_out_kills import listed
from tests.support.emulator import Emulator

RERUN: dict[str, Any] = {"rerun_on_failure": True}
FANS: dict[str, type[HostStack]] = {name: made for name, made in STACKS.items() if made.fans}
A = ["a1", "a2", "a3"]


@pytest.fixture(params=FANS.values(), ids=FANS)
def fan(request: pytest.FixtureRequest, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> FanStack:
    made: FanStack = request.param(cloud, monkeypatch)
    return made


@pytest.fixture
def one(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> FanStack:
    """Of one kind, for what is decided before a kind is asked."""
    return FanStack(cloud, monkeypatch)


def fail(fan: FanStack, *keys: str, refresh: bool = True, process: bool = True) -> None:
    """These have failed, the others go on; a refresh of a process of its own has seen it."""
    for key in keys:
        fan.cloud.set_state(fan.ids[key], fan.kit.failure, "Odd", "it broke")
    if process:
        fan.process()
    if refresh:
        fan.refresh()
        assert set(fan.state["failed"]) >= set(keys)


def test_what_failed_is_fired_again_and_the_others_are_left_alone(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    before = fan.ids
    fail(fan, "a2")
    told = fan.state["failed"]["a2"]
    assert told["id"] == before["a2"]
    assert "failed" in told["message"]
    assert fan.up(A, **RERUN) == "update"
    assert fan.fired() == {"a1": 1, "a2": 2, "a3": 1}
    assert fan.ids == {**before, "a2": fan.started()[-1]}
    assert (fan.state["failed"], fan.refused) == ({}, {})
    (past,) = fan.state["history"]["a2"]
    assert past == {"id": before["a2"], "phase": "failed", "code": told["code"], "fired_at": told["fired_at"],
                    "why": "first"}  # fmt: skip
    assert list(fan.state["history"]) == ["a2"]
    assert fan.state["counts"] == {"objects": 3, "started": 3, "refused": 0}
    assert fan.up(A, **RERUN) == "same"
    fan.refresh()
    assert fan.up(A, **RERUN) == "same"
    assert fan.warned == []


def test_the_history_of_each_object(one: FanStack) -> None:
    """An object that was added, one that was fired again twice, one of which nothing is known but its start."""

    def told(key: str) -> list[tuple[str, str, str]]:
        record = ledger.recorded(one.id, one.state)
        return [(run["id"], run["phase"], run["why"]) for run in reruns.attempts(record, key)]

    def fired_at(key: str) -> str:
        at: str = reruns.attempts(ledger.recorded(one.id, one.state), key)[-1]["fired_at"]
        return at

    one.up(A, **RERUN)
    one.ages(minutes=2)
    (at,) = {fired_at(key) for key in A}
    assert at
    fail(one, "a2")
    failure = one.state["failed"]["a2"]["fired_at"]
    assert (told("a2"), fired_at("a2")) == ([(one.ids["a2"], "failed", "first")], failure)
    one.up(A, **RERUN)
    fail(one, "a2")
    one.up([*A, "b"], **RERUN)
    first, second, third = (run["id"] for run in one.cloud.runs(one.system) if key_of(run) == "a2")
    again = "rerun after failed"
    assert told("a2") == [(first, "failed", "first"), (second, "failed", again), (third, "unknown", again)]
    assert told("b") == [(one.ids["b"], "unknown", "first")]
    assert fired_at("a1") == at, "not when another one was fired"
    assert fired_at("b") == fired_at("a2") > at


def test_the_row_of_a_refresh_tells_one_reason_once(one: FanStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long each has taken: the reason that most have."""
    said: list[str] = []
    monkeypatch.setattr(progress, "note", lambda _urn, text: said.append(text))
    one.up(A)
    for key, code, message in (("a1", "NoSuchKey", "gone"), ("a2", "Odd", "it broke"), ("a3", "Odd", "it broke")):
        one.cloud.set_state(one.ids[key], one.kit.failure, code, message)
    one.refresh()
    assert re.fullmatch(r"3 failed; 2 objects \(a2, a3\): .*Odd: it broke", said[-1])
    assert " after " not in said[-1]


def test_without_it_a_failure_is_recorded_and_nothing_fires(fan: FanStack) -> None:
    fan.up(A)
    fail(fan, "a1")
    assert fan.up(A) == "same"
    assert fan.up(A, rerun_on_failure=False) == "update"
    assert fan.up(A, max_attempts=3.0) == "update"
    assert fan.fired() == dict.fromkeys(A, 1)
    assert fan.up(A, **RERUN) == "update", "it may come when it has failed"
    assert fan.fired() == {"a1": 2, "a2": 1, "a3": 1}


def test_what_was_not_refreshed_has_not_failed(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1", refresh=False)
    assert fan.up(A, **RERUN) == "same"
    assert fan.fired() == dict.fromkeys(A, 1)


def test_the_refresh_of_the_same_up_needs_no_look(fan: FanStack) -> None:
    """Its record is of this process, so no earlier one can have fired because of it."""
    fan.up(A, **RERUN)
    fail(fan, "a1", "a3")
    looks = fan.cloud.count(fan.system, "find")
    assert fan.up(A, same_process=True, **RERUN) == "update"
    assert fan.cloud.count(fan.system, "find") == looks
    assert fan.fired() == {"a1": 2, "a2": 1, "a3": 2}


@pytest.mark.parametrize(
    ("kill", "again"),
    [
        (1, True),
        ("before update", False),
        *(pytest.param(*one, marks=pytest.mark.long) for one in [(2, True), (1, False)]),
    ],
)
def test_a_killed_rerun_is_found(fan: FanStack, kill: str | int, again: bool) -> None:
    """`again`: the next `up` begins with another refresh, which keeps the time of the first."""
    fan.up(A, **RERUN)
    old = fan.ids
    fail(fan, "a1", "a2")
    assert fan.up(A, kill=kill, same_process=True, **RERUN) == "killed"
    assert fan.ids == old
    if again:
        fan.process()
        fan.refresh()
    assert fan.up(A, same_process=again, **RERUN) == "update"
    assert fan.fired() == {"a1": 2, "a2": 2, "a3": 1}
    assert set(fan.ids.values()) == {old["a3"], *fan.started()[3:]}
    assert fan.up(A, **RERUN) == "same"


def test_killed_again_and_again(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, *A)
    for number in range(1, 4):
        fan.up(A, kill=1, **RERUN)
        assert len(fan.started()) == 3 + number
    assert fan.up(A, **RERUN) == "update"
    assert fan.fired() == dict.fromkeys(A, 2)
    assert sorted(fan.ids.values()) == sorted(fan.started()[3:])


@pytest.mark.parametrize("lists", [True, False])
def test_a_lost_answer(fan: FanStack, lists: bool) -> None:
    fan.up(A, **RERUN)
    old = fan.ids
    fail(fan, "a1")
    fan.cloud.fault(fan.system, "start", "drop_response")
    if not lists:
        fan.no_lists()
    fan.up(A, same_process=True, **RERUN)
    fan.cloud.drop_faults()
    assert fan.fired()["a1"] == 2
    if not lists:
        assert fan.ids == old, "what failed stays on record"
        assert (fan.refused, list(fan.state["failed"])) == ({}, ["a1"])
        assert "1 object failed and not fired again" in fan.warned[-1]
        assert fan.up(A, **RERUN) == "update"
    assert fan.fired() == {"a1": 2, "a2": 1, "a3": 1}
    assert fan.ids["a1"] == fan.started()[-1]


def test_a_refused_rerun_is_tried_again(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    old = fan.ids
    fail(fan, "a1", "a2")
    fan.refuse(status=400, code="NoSuchKey", message="not there")
    fan.up(A, same_process=True, **RERUN)
    assert (len(fan.started()), fan.refused, list(fan.state["failed"])) == (4, {}, ["a1"])
    assert fan.ids["a1"] == old["a1"]
    assert fan.up(A, **RERUN) == "update"
    assert fan.fired() == {"a1": 2, "a2": 2, "a3": 1}
    assert [one["id"] for one in fan.state["history"]["a1"]] == [old["a1"]]


def test_what_was_refused_and_ran_all_the_same_is_found(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1")
    fan.cloud.fault(fan.system, "start", "refused_but_ran", status=400, code="NoSuchKey", message="not there")
    fan.up(A, same_process=True, **RERUN)
    assert fan.fired()["a1"] == 2
    assert fan.up(A, **RERUN) == "update"
    assert fan.fired()["a1"] == 2
    assert fan.ids["a1"] == fan.started()[-1]


def test_as_often_as_it_may(fan: FanStack) -> None:
    given = {**RERUN, "max_attempts": 3.0}
    fan.up(A, **given)
    for attempts in (2, 3):
        fail(fan, "a1")
        fan.up(A, **given)
        assert fan.fired() == {"a1": attempts, "a2": 1, "a3": 1}
    fail(fan, "a1", "a2")
    fan.warned.clear()
    assert fan.up(A, **given) == "update", "the other one has an attempt left"
    assert fan.fired() == {"a1": 3, "a2": 2, "a3": 1}
    assert fan.warned == [
        "object a1 failed after 3 attempts, and max_attempts is 3: not fired again. Mend what makes it fail, "
        "then raise max_attempts or change a trigger"
    ]
    for _ in range(2):
        with pytest.raises(RunError, match="object a1 failed after 3 attempts, and max_attempts is 3"):
            fan.up(A, **given)
    assert fan.fired() == {"a1": 3, "a2": 2, "a3": 1}
    assert fan.up([*A, "b1"], **given) == "update", "what else there is to do is done"
    assert fan.fired() == {"a1": 3, "a2": 2, "a3": 1, "b1": 1}
    assert fan.up(A, **given) == "update", "and what leaves the list is forgotten"
    assert set(fan.ids) == set(A)
    assert [one["why"] for one in fan.state["history"]["a1"]] == ["first", "rerun after failed"]
    assert fan.up(A, **{**given, "max_attempts": 4.0}) == "update"
    assert fan.fired()["a1"] == 4
    fail(fan, "a1")
    assert fan.up(A, **given, triggers={"r": 2}) == "create"
    assert fan.fired() == {"a1": 5, "a2": 3, "a3": 2, "b1": 1}
    assert [one["why"] for one in fan.state["history"]["a1"]] == ["first", *["rerun after failed"] * 3]
    fail(fan, "a1")
    assert fan.up(A, **given, triggers={"r": 2}) == "update", "another ask has attempts of its own"
    assert fan.state["history"]["a1"][-1]["why"] == "trigger r"
    assert len(fan.state["history"]["a1"]) == history.KEPT


def test_one_attempt_is_no_rerun(one: FanStack) -> None:
    given = {**RERUN, "max_attempts": 1.0}
    one.up(A, **given)
    fail(one, "a1", "a3")
    with pytest.raises(RunError, match=r"2 objects \(a1, a3\) failed after 1 attempt, and max_attempts is 1"):
        one.up(A, **given)
    assert one.fired() == dict.fromkeys(A, 1)
    one.refresh()
    assert one.up(A) == "update", "and without the argument nothing is wrong"
    assert one.up(A) == "same"


def test_objects_come_and_go_beside_it(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1", "a2")
    assert fan.up(["a1", "a3", "b1", "b2"], **RERUN) == "update"
    assert fan.fired() == {"a1": 2, "a2": 1, "a3": 1, "b1": 1, "b2": 1}
    assert set(fan.ids) == {"a1", "a3", "b1", "b2"}
    assert list(fan.state["history"]) == ["a1"]


def test_a_changed_trigger_fires_all_once(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1")
    assert fan.up(A, **RERUN, triggers={"r": 2}) == "create"
    assert fan.fired() == dict.fromkeys(A, 2)
    assert (fan.state["failed"], list(fan.state["history"])) == ({}, ["a1"])
    assert fan.up(A, **RERUN, triggers={"r": 2}) == "same"


def test_what_a_killed_rerun_has_started_is_told_before_a_changed_trigger_fires(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1", "a2")
    fan.up(A, kill=1, same_process=True, **RERUN)
    lost = fan.started()[3:]
    fan.up(A, **RERUN, triggers={"r": 2})
    assert fan.told(lost, runs=4)
    assert fan.fired() == {"a1": 3, "a2": 2, "a3": 2}


@pytest.mark.parametrize("change", ["objects", "rerun_on_failure", "forced"])
def test_what_a_killed_rerun_has_started_is_told_when_it_is_not_asked_for_any_more(fan: FanStack, change: str) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1")
    fan.up(A, kill=1, same_process=True, **RERUN)
    lost = fan.started()[3:]
    assert len(lost) == 1
    given = {} if change == "rerun_on_failure" else RERUN
    fan.up(A[1:] if change == "objects" else A, forced=change == "forced", **given)
    assert fan.told(lost, runs=4)
    fan.warned.clear()
    fan.up(A[1:] if change == "objects" else A, **given)
    assert fan.warned == [], "told once"


def test_two_runs_that_may_be_it_are_named_and_nothing_is_fired(one: FanStack) -> None:
    one.up(A, **RERUN)
    old = one.ids
    fail(one, "a1")
    where = {"system": one.system, "operation": "start"}
    one.cloud.faults({**where, "action": "drop_response"}, {**where, "action": "foreign_run"})
    one.no_lists()
    one.up(A, same_process=True, **RERUN)
    one.cloud.drop_faults()
    for _ in range(2):
        one.up(A, **RERUN)
        assert "an earlier request may have started one of these runs" in one.warned[-1]
        assert (one.ids, one.refused, one.fired()["a1"]) == (old, {}, 2)
    ours = one.started()[-1]
    assert ours in one.warned[-1]
    assert one.up(A, adopt_ids={"a1": ours}, **RERUN) == "update"
    assert one.ids == {**old, "a1": ours}
    assert one.up(A, **RERUN) == "same"


@pytest.mark.parametrize("shown", [True, False])
def test_a_week_later_it_is_fired_if_the_list_still_shows_the_run_that_failed(one: FanStack, shown: bool) -> None:
    one.up(A, **RERUN)
    fail(one, "a1")
    one.ages(days=8)
    rows = one.ids if shown else {"others": "i" + "0" * 32}
    one.cloud.fault(one.system, "find", "body", body=listed(rows, days=8))
    one.up(A, **RERUN)
    assert one.fired()["a1"] == (2 if shown else 1)
    assert any("too long ago for the service to tell" in text for text in one.warned) is not shown


def test_given_objects_are_never_fired(one: FanStack) -> None:
    one.up(A)
    ids = one.ids
    one.up([*A, "b1"], adopt_ids={"a1": ids["a1"]})
    fail(one, "a1", "a2")
    one.up([*A, "b1"], adopt_ids={"a1": ids["a1"]}, **RERUN)
    assert one.fired() == {"a1": 1, "a2": 2, "a3": 1, "b1": 1}
    assert one.ids["a1"] == ids["a1"]


def test_another_run_is_recorded_for_one_that_failed(one: FanStack) -> None:
    one.up(A)
    first = one.ids["a1"]
    one.up(A, forced=True)
    fail(one, "a1")
    one.up(A, adopt_ids={"a1": first}, **RERUN)
    assert one.ids["a1"] == first
    assert one.state["failed"] == {}
    assert one.fired() == dict.fromkeys(A, 2)


def test_target_of_the_fan_out_alone_fires_it_again(one: FanStack) -> None:
    one.up(A, **RERUN)
    fail(one, "a1")
    assert one.up(A, target="fan", kill=1, **RERUN) == "killed"
    assert one.up(A, **RERUN) == "update"
    assert one.fired() == {"a1": 2, "a2": 1, "a3": 1}


def test_what_is_gone_or_could_not_be_asked_for_is_told(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1")
    fan.cloud.fault(fan.system, "get", "forget", times=1)
    fan.cloud.fault(fan.system, "find", "forget", times=1)
    fan.refresh()
    fan.cloud.drop_faults()
    assert any("no longer known to the service" in text for text in fan.warned)
    assert fan.up(A) in ("same", "update")


@pytest.mark.long
def test_a_service_that_cannot_be_asked_changes_nothing_on_record(fan: FanStack) -> None:
    fan.up(A, **RERUN)
    fail(fan, "a1")
    before = dict(fan.state)
    for operation in ("get", "find"):
        fan.cloud.fault(fan.system, operation, "status", status=500, code="InternalError", times=1000)
    fan.refresh()
    fan.cloud.drop_faults()
    assert fan.state == before
    assert "what became of some runs is not known; what is recorded stays" in fan.warned[-1]


def test_a_record_without_its_times_is_looked_for(one: FanStack) -> None:
    """Somebody has edited it, so nothing tells when it may have been fired again."""
    one.up(A, **RERUN)
    fail(one, "a1")
    fired = ledger.fired_of(one.state)
    assert list(fired.failing) == ["a1"]
    one.state["fired"] = " ".join(part for part in one.state["fired"].split() if not part.startswith("failing="))
    looks = one.cloud.count(one.system, "find")
    one.up(A, **RERUN)
    assert one.cloud.count(one.system, "find") > looks
    assert one.fired()["a1"] <= 2


def test_a_state_of_an_earlier_version(one: FanStack) -> None:
    """It has neither `failed` nor `history`, and a refresh adds them."""
    one.up(A)
    for name in ("failed", "history"):
        del one.state[name]
    one.state["fired"] = " ".join(part for part in one.state["fired"].split() if not part.startswith("why="))
    assert one.up(A) == "same"
    fail(one, "a1")
    one.up(A, **RERUN)
    assert one.fired() == {"a1": 2, "a2": 1, "a3": 1}
    assert one.state["history"]["a1"][0]["why"] == ""


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_random_histories(one: FanStack, seed: int) -> None:
    """Kills, refusals, lost answers and refreshes between failures: each failure that an `up` has seen has at most one
    run after it, and when an `up` comes to its end without a word, just one."""
    dice = random.Random(seed)
    one.up(A, **RERUN)
    allowed = dict.fromkeys(A, 1)
    for _ in range(16):
        failed = [key for key in A if dice.random() < 0.4 and not is_failed(one, key)]
        for key in failed:
            one.cloud.set_state(one.ids[key], one.kit.failure)
        one.process()
        if fresh := dice.random() < 0.7:
            one.refresh()
        for key in one.state["failed"]:
            allowed[key] = max(allowed[key], 2 + ledger.fired_of(one.state).again.get(key, 0))
        if dice.random() < 0.2:
            one.cloud.fault(one.system, "start", "drop_response")
        if dice.random() < 0.2:
            one.refuse(status=400, code="NoSuchKey")
        one.warned.clear()
        kill = dice.choice(["", "", "intent", 1, 2, "before update"])
        last = one.up(A, kill=kill, same_process=fresh and dice.random() < 0.7, **RERUN)
        one.cloud.drop_faults()
        assert all(one.fired()[key] <= allowed[key] for key in A), (allowed, one.fired())
        if last != "killed" and not one.warned:
            assert one.state["failed"] == {}
            assert all(one.fired()[key] == allowed[key] for key in A)
    one.up(A, **RERUN)
    assert len(set(one.ids.values())) == 3


def is_failed(fan: FanStack, key: str) -> bool:
    states = {run["id"]: run["state"] for run in fan.cloud.runs(fan.system)}
    return bool(states[fan.ids[key]] == fan.kit.failure)


# -- a rerun that was interrupted, and is not asked for any more


def interrupted(fan: FanStack, how: str) -> str:
    """The object `a1` was fired again, and that run is on no record. Its id."""
    fan.up(A, **RERUN)
    fail(fan, "a1")
    before = fan.started()
    if how == "killed":
        assert fan.up(A, kill=1, same_process=True, **RERUN) == "killed"
    else:
        fan.cloud.fault(fan.system, "start", "refused_but_ran", status=400, code="NoSuchKey", message="x")
        fan.up(A, same_process=True, **RERUN)
    (lost,) = set(fan.started()) - set(before)
    fan.warned.clear()
    return lost


@pytest.mark.parametrize("how", ["killed", "refused and ran"])
def test_it_is_told_when_the_fan_out_is_destroyed(fan: FanStack, how: str) -> None:
    lost = interrupted(fan, how)
    fan.destroy()
    assert any(lost in text for text in fan.warned)


@pytest.mark.parametrize("how", ["killed", "refused and ran"])
def test_it_is_told_once_when_max_attempts_forbids_it(fan: FanStack, how: str) -> None:
    lost = interrupted(fan, how)
    assert fan.up(A, max_attempts=1.0, **RERUN) == "update"
    assert sum(lost in text for text in fan.warned) == 1
    with pytest.raises(RunError, match="max_attempts is 1"):
        fan.up(A, max_attempts=1.0, **RERUN)
    assert sum(lost in text for text in fan.warned) == 1
    starts = len(fan.started())
    fan.ages(hours=1)
    assert fan.up(A, max_attempts=3.0, **RERUN) == "update"
    assert len(fan.started()) <= starts + 1, "once more, if that is wanted"


@pytest.mark.parametrize("how", ["killed", "refused and ran"])
def test_it_is_told_once_when_what_had_failed_has_got_well(fan: FanStack, how: str) -> None:
    """As where somebody lets the run go on by hand: there is nothing to fire again."""
    lost = interrupted(fan, how)
    fan.cloud.set_state(fan.ids["a1"], fan.kit.success)
    starts = len(fan.started())
    fan.refresh()
    assert fan.state["failed"] == {}
    assert fan.up(A, **RERUN) == "update"
    assert sum(lost in text for text in fan.warned) == 1
    assert fan.up(A, **RERUN) == "same"
    fan.refresh()
    assert fan.up(A, **RERUN) == "same"
    assert sum(lost in text for text in fan.warned) == 1
    assert len(fan.started()) == starts


def test_the_bound_of_another_object_keeps_nobody_from_being_told(fan: FanStack) -> None:
    given = {**RERUN, "max_attempts": 2.0}
    fan.up(A, **given)
    fail(fan, "a2")
    fan.up(A, **given)
    fail(fan, "a1", "a2")
    before = fan.started()
    assert fan.up(A, kill=1, same_process=True, **given) == "killed"
    (lost,) = set(fan.started()) - set(before)
    fan.warned.clear()
    fan.cloud.set_state(fan.ids["a1"], fan.kit.success)
    fan.refresh()
    assert fan.up(A, **given) == "update"
    assert sum(lost in text for text in fan.warned) == 1
    with pytest.raises(RunError, match="object a2 failed after 2 attempts"):
        fan.up(A, **given)
    assert sum(lost in text for text in fan.warned) == 1


def test_an_object_at_its_bound_that_leaves_the_list_has_lost_nothing(fan: FanStack) -> None:
    """What a refresh has written down since, no `up` can have fired again."""
    given = {**RERUN, "max_attempts": 1.0}
    fan.up(A, **given)
    fail(fan, "a1")
    with pytest.raises(RunError, match="object a1 failed after 1 attempt, and max_attempts is 1"):
        fan.up(A, same_process=True, **given)
    looks = fan.cloud.count(fan.system, "find")
    assert fan.up(A[1:], **given) == "update"
    assert fan.cloud.count(fan.system, "find") == looks, "what others may have started at that time is none of these"


def test_what_a_raised_bound_has_fired_is_told_when_its_object_leaves_the_list(fan: FanStack) -> None:
    fan.up(A, **RERUN, max_attempts=1.0)
    fail(fan, "a1")
    before = fan.started()
    assert fan.up(A, kill=1, same_process=True, **RERUN, max_attempts=2.0) == "killed"
    (lost,) = set(fan.started()) - set(before)
    fan.warned.clear()
    assert fan.up(A[1:], **RERUN, max_attempts=2.0) == "update"
    assert sum(lost in text for text in fan.warned) == 1


def test_a_run_that_is_given_after_a_killed_rerun_is_an_attempt(one: FanStack) -> None:
    given = {**RERUN, "max_attempts": 2.0}
    one.up(A, **given)
    fail(one, "a1")
    before = one.started()
    assert one.up(A, kill=1, same_process=True, **given) == "killed"
    (lost,) = set(one.started()) - set(before)
    one.up(A, adopt_ids={"a1": lost}, **given)
    assert one.ids["a1"] == lost
    one.up(A, **given)
    fail(one, "a1")
    with pytest.raises(RunError, match="object a1 failed after 2 attempts"):
        one.up(A, **given)
