"""A run that failed goes on, over the wire format and against the emulator, for each kind whose service can, in each
of the ways in which the vendor documents its answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cloud_runs.lifecycle import host
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import ledger
from tests.kits import FANS, KITS, RESUMING
from tests.provider.fan_stack import RUNS
from tests.provider.host_stack import HostStack
from tests.support.emulator import Emulator

RESUME: dict[str, Any] = {"rerun_on_failure": "resume"}


TOLD = [pytest.param((name, ()), id=name) for name in RESUMING]
OTHERWISE = [
    pytest.param((name, kit.otherwise), id=f"{name} otherwise") for name, kit in RESUMING.items() if kit.otherwise
]
tells_its_end = pytest.mark.parametrize("single", TOLD, indirect=True)
tells_no_end = pytest.mark.parametrize("single", OTHERWISE, indirect=True)


@pytest.fixture(params=[*TOLD, *OTHERWISE])
def single(
    request: pytest.FixtureRequest, emulators: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> HostStack:
    name, flags = request.param
    cloud = emulators(*flags)
    cloud.reset()
    made: HostStack = RUNS[name](cloud, monkeypatch)
    made.up(**RESUME)
    return made


def asked(stack: HostStack) -> int:
    return stack.cloud.count(stack.system, stack.kit.resume)


def fails(stack: HostStack) -> None:
    """The run on record has failed, and a refresh has seen it."""
    stack.cloud.set_state(stack.id, stack.kit.failure)
    stack.refresh()
    assert stack.state["phase"] == "failed"


def why(stack: HostStack) -> list[str]:
    return [*(one["why"] for one in stack.state["history"]), ledger.fired_of(stack.state).why]


def order(stack: HostStack, action: str, **details: Any) -> None:
    stack.cloud.fault(stack.system, stack.kit.resume, action, **details)


def test_the_record_says_so_and_keeps_all_else(single: HostStack) -> None:
    fails(single)
    before = dict(single.state)
    assert single.up(**RESUME) == "update"
    assert (asked(single), len(single.started())) == (1, 1)
    after = single.state
    assert set(after) == set(before)
    changed = {name for name in after if after[name] != before[name]}
    told = {"phase", "state", "message", "tasks", "finished_at", "stopped_at", "created_at", "history", "fired"}
    assert {"phase", "history", "fired"} <= changed <= told
    old, new = ledger.fired_of(before), ledger.fired_of(after)
    assert (new.at, new.token, new.content) == (old.at, old.token, old.content)
    assert (new.reruns, new.why) == (1, "resumed after failed")
    assert new.resumed is not None
    assert old.at is not None
    assert new.resumed >= old.at
    assert single.up(**RESUME) == "same"
    fails(single)
    single.up(**RESUME)
    assert single.state["history"][1]["fired_at"] == ledger.rfc3339(new.resumed)
    assert why(single) == ["first", "resumed after failed", "resumed after failed"]
    assert (asked(single), len(single.started())) == (2, 1)


def test_it_is_for_what_failed_alone(single: HostStack) -> None:
    for word in (single.kit.success, single.kit.cancelled, "pondering"):
        single.cloud.set_state(single.id, word)
        single.refresh()
        assert single.up(**RESUME) == "same"
    fails(single)
    assert single.up(**RESUME, adopt_id=single.id) == "update", "a given run is kept as it is"
    assert single.up(adopt_id=single.id) == "update"
    assert single.up() == "update"
    assert asked(single) == 0
    single.up(**RESUME, triggers={"release": "2"})
    assert (asked(single), len(single.started())) == (0, 2), "a change asks for another run"


def test_with_a_trigger_that_did_not_reach_the_intent_nothing_goes_on(single: HostStack) -> None:
    fails(single)
    assert single.up(**RESUME, triggers={"a": 1}, target="run") == "same"
    assert (asked(single), len(single.started())) == (0, 1)
    assert single.up(**RESUME, target="run") == "update", "the same run is no new one"
    assert asked(single) == 1


def test_an_argument_under_ignore_changes_does_not_hinder_it(single: HostStack) -> None:
    fails(single)
    assert single.up(**RESUME, **single.other, ignore=[*single.other]) == "update"
    assert (asked(single), len(single.started())) == (1, 1)


def test_an_error_hook_does_not_ask_twice(single: HostStack) -> None:
    fails(single)
    order(single, "status", status=500, code="SYS.0001", message="internal", times=3)
    for same in (False, True, True):
        with pytest.raises(RunError, match="may go on"):
            single.up(**RESUME, same_process=same)
    assert asked(single) == 1
    single.cloud.set_state(single.id, "running")
    assert single.up(**RESUME, same_process=True) == "update"
    assert (asked(single), single.state["phase"]) == (1, "running")


def test_two_resources_with_one_run_ask_once(single: HostStack) -> None:
    """In one `up`: the second is told what the first has come to."""
    fails(single)
    twin = type(single)(single.cloud, single.patch, "twin", beside=single)
    twin.up(adopt_id=single.id)
    single.up(**RESUME)
    twin.state["phase"] = "failed"
    assert twin.up(**RESUME, same_process=True) == "update"
    assert asked(single) == 1
    assert why(twin) == ["adopted", "resumed after failed"]


def test_a_lost_answer_is_settled_by_the_state(single: HostStack) -> None:
    fails(single)
    order(single, "drop_response")
    assert single.up(**RESUME) == "update"
    assert (asked(single), single.state["phase"], why(single)) == (1, "running", ["first", "resumed after failed"])
    assert any(f"the answer was lost: run {single.id} is running, so it goes on" in text for text in single.warned)
    assert single.up(**RESUME) == "same"
    assert (asked(single), len(single.started())) == (1, 1)


def killed(stack: HostStack, **given: Any) -> None:
    """An `up` that is killed with the request on its way: it arrives, and is on no record."""
    fails(stack)
    assert stack.up(**given, kill="before update") == "killed"
    assert (asked(stack), stack.state["phase"]) == (1, "failed")


@tells_its_end
def test_killed_with_the_request_and_failed_again_counts(single: HostStack) -> None:
    """The record is made of what the run's own state tells."""
    given = {**RESUME, "max_attempts": 2.0}
    single.up(**given)
    killed(single, **given)
    assert single.state["finished_at"]
    single.state["finished_at"] = "2026-11-01T00:00:00Z"  # it failed a while ago: times are told to the second
    fails(single)
    assert why(single) == ["first", "resumed after failed"]
    with pytest.raises(RunError, match="after 2 attempts"):
        single.up(**given)
    assert (asked(single), len(single.started())) == (1, 1)


@tells_no_end
def test_without_an_end_a_second_failure_looks_like_the_first(single: HostStack) -> None:
    """A limit, which docs/reliability.md has: it is asked for once more than `max_attempts` says."""
    given = {**RESUME, "max_attempts": 2.0}
    single.up(**given)
    killed(single, **given)
    fails(single)
    assert (single.state["finished_at"], why(single)) == ("", ["first"])
    assert single.up(**given) == "update"
    fails(single)
    with pytest.raises(RunError, match="after 2 attempts"):
        single.up(**given)
    assert (asked(single), len(single.started())) == (2, 1), "and nothing is fired"


@pytest.mark.parametrize("refreshed", [False, True])
@pytest.mark.parametrize("ends", [False, True])
def test_killed_with_the_request(single: HostStack, refreshed: bool, ends: bool) -> None:
    killed(single, **RESUME)
    if ends:
        single.cloud.set_state(single.id, single.kit.success)
    if refreshed:
        single.refresh()
    assert single.up(**RESUME) == ("same" if refreshed else "update")
    assert single.state["phase"] == ("succeeded" if ends else "running")
    assert (asked(single), why(single)) == (1, ["first", "resumed after failed"])
    assert single.up(**RESUME) == "same"
    assert (asked(single), len(single.started())) == (1, 1)


def test_throttled_and_not_reached_are_tried_again(single: HostStack) -> None:
    fails(single)
    order(single, "status", status=429, code="SYS.0011", message="slow", times=2)
    assert single.up(**RESUME) == "update"
    assert asked(single) == 3, "two of them did nothing"
    fails(single)
    order(single, "status", status=429, code="SYS.0011", message="slow", times=10)
    with pytest.raises(RunError, match="SYS"):
        single.up(**RESUME)
    assert single.state["phase"] == "failed"


def test_a_service_that_cannot_be_asked_first_is_sent_nothing(single: HostStack) -> None:
    fails(single)
    single.cloud.fault(single.system, "get", "status", status=403, code="AccessDenied", message="no", times=9)
    with pytest.raises(RunError, match="AccessDenied"):
        single.up(**RESUME)
    assert asked(single) == 0


def test_a_run_that_is_gone_is_marked(single: HostStack) -> None:
    fails(single)
    single.cloud.fault(single.system, "get", "forget")
    assert single.up(**RESUME) == "update"
    assert (single.state["record_expired"], single.state["phase"], asked(single)) == (True, "unknown", 0)
    assert any("no longer known to the service: it cannot go on" in text for text in single.warned)
    assert single.up(**RESUME) == "same"


def test_a_slow_effect_is_waited_for(single: HostStack) -> None:
    fails(single)
    order(single, "slow_effect", seconds=1)
    assert single.up(**RESUME) == "update"
    assert asked(single) == 1


@pytest.mark.parametrize("kit", FANS.values(), ids=FANS)
def test_a_fan_out_does_not_take_it_and_says_what_it_takes(kit: Any, cloud: Emulator) -> None:
    kind, shared = kit.kind, {name: kit.arguments[name] for name in kit.kind.shared if name in kit.arguments}
    given = {**shared, "region": "cn-north-4", "objects": ["a"], "concurrency": 16.0}
    provider = kit.type(fan_out=True)._fan_out_provider()
    (failure,) = provider.check({}, {**given, **RESUME}).failures
    only, none = "for one run only; for a fan-out true fires each object again whose run failed", "has no call by which"
    assert failure.property == "rerun_on_failure"
    assert failure.reason.startswith("must be true or false, not 'resume': ")
    assert (only in failure.reason, none in failure.reason) == (kind.resumes, not kind.resumes)
    (failure,) = provider.check({}, {**given, "rerun_on_failure": "true"}).failures
    assert failure.reason == "must be true or false, not 'true'"
    assert provider.check({}, {**given, "rerun_on_failure": True}).failures == []


@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
def test_accepted_values(kit: Any, cloud: Emulator) -> None:
    provider = kit.type()._run_provider()
    given = {**kit.arguments, "region": "cn-north-4"} if "region" in kit.kind.names else dict(kit.arguments)
    for value, good in (
        (None, True), (True, True), (False, True), ("resume", bool(kit.resume)),
        ("Resume", False), ("true", False), (1.0, False), (["resume"], False), ({"a": 1}, False),
    ):  # fmt: skip
        found = provider.check({}, {**given, "rerun_on_failure": value}).failures or []
        told = [one.reason for one in found if one.property == "rerun_on_failure"]
        assert bool(told) != good, value
        for reason in told:
            assert ("true, false or 'resume'" if kit.resume else "true or false") in reason
    assert cloud.requests() == {}


@tells_its_end
def test_a_failure_from_before_it_went_on_is_none_any_more(single: HostStack) -> None:
    """The service is late to show that the run goes on."""
    single.up(**RESUME)
    fails(single)
    assert single.up(**RESUME) == "update"
    assert asked(single) == 1
    single.cloud.set_state(single.id, single.kit.failure)
    single.state["fired"] = " ".join(
        f"{part[:-1].partition('=')[0]}=2099-01-01T00:00:00Z" if part.startswith(("over=", "resumed=")) else part
        for part in single.state["fired"].split()
    )
    assert single.state["fired"].count("=2099") == 2
    single.refresh()
    assert single.state["phase"] == "pending"
    assert single.up(**RESUME) == "same"
    assert asked(single) == 1


@tells_its_end
@pytest.mark.parametrize("how", ["resume", True])
def test_a_second_failure_stays_one_however_late_it_is_seen(single: HostStack, how: str | bool) -> None:
    """Somebody has let it go on, and it failed again a while before anybody here looked; no clock of ours counts."""
    single.up(rerun_on_failure=how)
    fails(single)
    single.state["finished_at"] = "2026-11-01T00:00:00Z"  # the first time
    single.process()
    here, later = host.this_process(), datetime.now(timezone.utc) + timedelta(hours=1)
    here.clock = here.clock._replace(now=lambda: later)
    for _ in range(3):
        single.refresh()
        assert single.state["phase"] == "failed"
    assert why(single) == ["first", "resumed after failed"]
    single.up(rerun_on_failure=how)
    assert (asked(single), len(single.started())) == ((1, 1) if how == "resume" else (0, 2))
