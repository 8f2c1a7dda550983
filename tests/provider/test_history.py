"""Why each run was fired, what became of those before it, and how often one that fails is fired again."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import history, ledger
from tests.provider.fan_stack import RUNS
from tests.provider.host_stack import HostStack
from tests.support.emulator import Emulator

RERUN = {"rerun_on_failure": True}


@pytest.fixture(params=RUNS.values(), ids=RUNS)
def single(request: pytest.FixtureRequest, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    made: HostStack = request.param(cloud, monkeypatch)
    return made


def why(stack: HostStack) -> str:
    return ledger.fired_of(stack.state).why


def told(stack: HostStack) -> list[tuple[str, str, str]]:
    return [(one["id"], one["phase"], one["why"]) for one in stack.state["history"]]


def fails(stack: HostStack) -> None:
    """The run on record has failed, and a refresh has seen it."""
    stack.cloud.set_state(stack.id, stack.kit.failure, "Odd", "it broke")
    stack.refresh()
    assert stack.state["phase"] == "failed"


def test_each_run_tells_why_it_was_fired(single: HostStack) -> None:
    single.up(triggers={"release": "1"})
    assert (why(single), told(single)) == ("first", [])
    single.up(triggers={"release": "2"})
    assert why(single) == "trigger release"
    (name,) = single.other
    single.up(triggers={"release": "2", "b": 1, "c": 1}, **single.other)
    assert why(single) == f"triggers b c, argument {name}"
    single.up(triggers={"release": "2", "b": 1, "c": 1}, forced=True, **single.other)
    assert why(single) == "forced"
    first, second, third, last = single.started()
    assert single.id == last
    assert [(id, why) for id, _, why in told(single)] == [
        (first, "first"), (second, "trigger release"), (third, f"triggers b c, argument {name}"),
    ]  # fmt: skip
    assert all(one["fired_at"] for one in single.state["history"])
    assert single.up(triggers={"release": "2", "b": 1, "c": 1}, **single.other) == "same"


def test_what_became_of_a_run_is_kept_as_the_last_refresh_told_it(single: HostStack) -> None:
    single.up(**RERUN)
    fails(single)
    code = single.state["code"]
    single.up(**RERUN)
    first, second = single.started()
    assert (why(single), single.id) == ("rerun after failed", second)
    assert told(single) == [(first, "failed", "first")]
    assert single.state["history"][0]["code"] == code


def test_a_run_that_was_killed_before_it_was_on_record_tells_why_all_the_same(single: HostStack) -> None:
    single.up(triggers={"release": "1"})
    assert single.up(triggers={"release": "2"}, kill=1) == "killed"
    single.up(triggers={"release": "2"})
    assert (single.state["provenance"], why(single)) == ("found", "trigger release")


def test_a_change_under_a_refusal_counts_from_the_run_on_record(single: HostStack) -> None:
    single.up(triggers={"release": "1"})
    single.refuse()
    single.stops(triggers={"release": "2"})
    single.up(triggers={"release": "2", "more": 1})
    assert why(single) in ("triggers more release", "trigger more"), "the record of the old run may be gone by then"
    assert len(single.started()) == 2


def test_an_adopted_run_says_so(single: HostStack) -> None:
    single.up()
    single.up(forced=True)
    first, second = single.started()
    single.up(adopt_id=first)
    assert (single.id, why(single)) == (first, "adopted")
    assert told(single)[-1] == (second, single.state["history"][-1]["phase"], "forced")
    assert len(single.started()) == 2


def test_a_history_holds_the_last_five(single: HostStack) -> None:
    for release in range(8):
        single.up(triggers={"release": release})
    assert [id for id, _, _ in told(single)] == single.started()[2:7]


def test_a_record_of_an_earlier_version_has_no_history(single: HostStack) -> None:
    single.up()
    del single.state["history"]
    single.state["fired"] = " ".join(part for part in single.state["fired"].split() if not part.startswith("why="))
    assert single.up() == "same"
    single.up(forced=True)
    assert told(single)[0][2] == ""


# -- how often


def test_what_fails_is_fired_again_as_often_as_it_may(single: HostStack) -> None:
    given: dict[str, Any] = {**RERUN, "max_attempts": 3.0}
    single.up(**given)
    for attempts in (2, 3):
        fails(single)
        single.up(**given)
        assert len(single.started()) == attempts
    fails(single)
    for _ in range(2):
        with pytest.raises(RunError, match=f"run {single.id} failed after 3 attempts, and max_attempts is 3"):
            single.up(**given)
    assert len(single.started()) == 3
    single.up(**given, triggers={"release": 2})
    assert len(single.started()) == 4, "another ask has attempts of its own"
    fails(single)
    single.up(**given, triggers={"release": 2})
    assert len(single.started()) == 5
    assert history.KEPT == 5
    assert len(told(single)) == 4


@pytest.mark.parametrize("how", [True, "resume"])
def test_at_the_bound_a_refresh_goes_on_and_the_advice_works(single: HostStack, how: Any) -> None:
    """The engine asks for a `diff` in a refresh too, with the arguments of the last `up`."""
    if how == "resume" and not single.kit.kind.resumes:
        pytest.skip("cannot go on")
    given: dict[str, Any] = {"rerun_on_failure": how, "max_attempts": 1.0}
    single.up(**given)
    fails(single)
    for _ in range(2):
        single.refresh()
        assert single.provider.diff(single.id, dict(single.state), dict(single.inputs)).replaces == []
    with pytest.raises(RunError, match="raise max_attempts or change a trigger"):
        single.up(**given)
    assert len(single.started()) == 1
    assert single.up(**given | {"max_attempts": 2.0}) == ("create" if how is True else "update")


@pytest.mark.parametrize("started", [False, True])
def test_a_bound_that_is_raised_for_an_attempt_that_is_refused_and_taken_back(single: HostStack, started: bool) -> None:
    """The engine makes the replacement whatever the diff says by then. What was started all the same is recorded."""
    given: dict[str, Any] = {**RERUN, "max_attempts": 1.0}
    single.up(**given)
    fails(single)
    if started:
        single.up(**given | {"max_attempts": 2.0}, kill=1)
    else:
        single.refuse()
        with pytest.raises(RunError, match="AccessDenied"):
            single.up(**given | {"max_attempts": 2.0})
    runs = single.started()
    if started:
        single.up(**given)
        assert single.id == runs[-1]
    else:
        with pytest.raises(RunError, match=r"failed after 1 attempt, and max_attempts is 1: nothing was fired"):
            single.up(**given)
    assert single.started() == runs


def test_one_attempt_is_no_rerun_and_a_success_needs_none(single: HostStack) -> None:
    given: dict[str, Any] = {**RERUN, "max_attempts": 1.0}
    single.up(**given)
    assert single.up(**given) == "same"
    fails(single)
    with pytest.raises(RunError, match="max_attempts is 1"):
        single.up(**given)
    assert single.up(max_attempts=1.0) == "update", "without rerun_on_failure it asks for nothing"
    assert len(single.started()) == 1
