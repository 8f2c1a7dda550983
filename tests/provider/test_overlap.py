"""`if_running`: a new run is wanted while the recorded one still goes on. The emulator's runs take long here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloud_runs.lifecycle.interrupts import Stop
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import overlap
from tests.provider.fan_stack import RUNS
from tests.provider.host_stack import HostStack, JobStack
from tests.support.emulator import Emulator

CHANGED = {"triggers": {"release": 2}}


@pytest.fixture(params=RUNS.values(), ids=RUNS)
def single(request: pytest.FixtureRequest, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    made: HostStack = request.param(cloud, monkeypatch)
    return made


def runs(stack: HostStack) -> None:
    """The run on record goes on."""
    stack.cloud.set_state(stack.id, "running" if stack.kit.name.startswith("huawei.") else "Running")


def ends(stack: HostStack) -> None:
    stack.cloud.set_state(stack.id, stack.kit.success)


def meanwhile(stack: HostStack, patch: pytest.MonkeyPatch, *steps: Callable[[], None]) -> list[float]:
    """An `up` in which nobody really waits: in each pause between two looks the next of these happens."""
    stack.process()
    pauses: list[float] = []

    def pause(_stop: Stop, seconds: float) -> None:
        pauses.append(seconds)
        steps[len(pauses) - 1]()

    patch.setattr(Stop, "pause", pause)
    return pauses


def test_by_default_it_fires_all_the_same(single: HostStack) -> None:
    single.up()
    runs(single)
    asked = single.cloud.count(single.system, "get")
    single.up(**CHANGED)
    single.up(if_running="allow", **CHANGED)
    assert len(single.started()) == 2
    assert single.cloud.count(single.system, "get") == asked, "nothing is asked"


def test_one_that_has_ended_hinders_nothing(single: HostStack) -> None:
    for number, policy in enumerate(overlap.POLICIES, 1):
        single.up(if_running=policy, triggers={"release": number})
        assert len(single.started()) == number
        ends(single)


def test_skip_keeps_the_run_and_the_next_up_tries_again(single: HostStack) -> None:
    single.up()
    runs(single)
    before = dict(single.state)
    for _ in range(2):
        single.up(if_running="skip", **CHANGED)
        (first,) = single.started()
        assert single.id == first
        assert single.warned[-1] == (
            f"nothing was fired: run {first} is running, and if_running is 'skip'. The recorded run stays. The next "
            "`pulumi up` tries again"
        )
    assert {name: single.state[name] for name in ("reference", "provenance", "created_at")} == {
        name: before[name] for name in ("reference", "provenance", "created_at")
    }
    ends(single)
    single.up(if_running="skip", **CHANGED)
    assert len(single.started()) == 2
    assert single.up(if_running="skip", **CHANGED) == "same"
    assert [one["id"] for one in single.state["history"]] == [first]


def test_a_skipped_change_that_is_taken_back_fires_nothing(single: HostStack) -> None:
    single.up()
    runs(single)
    single.up(if_running="skip", **CHANGED)
    ends(single)
    single.up(if_running="skip")
    assert single.up(if_running="skip") == "same"
    assert single.started() == [single.id]


def test_a_skipped_change_of_an_argument_keeps_those_of_the_run_on_record(single: HostStack) -> None:
    single.up()
    runs(single)
    single.up(if_running="skip", **single.other)
    (name,) = single.other
    assert single.state[name] == single.given[name]
    ends(single)
    single.up(if_running="skip", **single.other)
    assert (len(single.started()), single.state[name]) == (2, single.other[name])


def test_a_forced_replacement_is_skipped_as_well_and_says_so(single: HostStack) -> None:
    for policy in ("skip", "forbid"):
        single.up(if_running=policy)
        runs(single)
        single.up(if_running=policy, forced=True)
        assert single.started() == [single.id]
        assert single.warned[-1].endswith("The recorded run stays. Force it again later")
        assert single.up(if_running=policy) == "same"
    ends(single)
    single.up(if_running="forbid", forced=True)
    assert len(single.started()) == 2


def test_forbid_fails_before_anything_is_deleted(single: HostStack) -> None:
    single.up(if_running="forbid")
    runs(single)
    before = dict(single.state)
    with pytest.raises(
        RunError, match=f"run {single.id} is running, and if_running is 'forbid'. Nothing was fired or d"
    ):
        single.up(if_running="forbid", **CHANGED)
    assert (single.state, single.started()) == (before, [single.id])
    ends(single)
    single.up(if_running="forbid", **CHANGED)
    assert len(single.started()) == 2


def test_wait_holds_until_it_has_ended(single: HostStack, monkeypatch: pytest.MonkeyPatch) -> None:
    single.up(if_running="wait")
    runs(single)
    seen: list[int] = []

    def nothing() -> None:
        seen.append(len(single.started()))

    pauses = meanwhile(single, monkeypatch, nothing, nothing, nothing, lambda: ends(single))
    single.up(if_running="wait", same_process=True, **CHANGED)
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert seen == [1, 1, 1]
    assert len(single.started()) == 2
    assert [one["id"] for one in single.state["history"]] == single.started()[:1]


def test_a_wait_that_is_interrupted_loses_nothing(single: HostStack, monkeypatch: pytest.MonkeyPatch) -> None:
    single.up(if_running="wait")
    runs(single)
    over: list[bool] = []
    meanwhile(single, monkeypatch, lambda: over.append(True))
    monkeypatch.setattr(Stop, "over", lambda _stop: bool(over))
    single.up(if_running="wait", same_process=True, **CHANGED)
    assert single.started() == [single.id]
    assert "the wait for its end was interrupted. The recorded run stays" in single.warned[-1]
    over.clear()
    ends(single)
    single.up(if_running="wait", **CHANGED)
    assert len(single.started()) == 2


def test_a_wait_that_is_killed_fires_nothing_of_itself(single: HostStack, monkeypatch: pytest.MonkeyPatch) -> None:
    single.up(if_running="wait")
    single.ages(hours=2)
    runs(single)

    def killed() -> None:
        raise KeyboardInterrupt

    meanwhile(single, monkeypatch, killed)
    with pytest.raises(KeyboardInterrupt):
        single.up(if_running="wait", same_process=True, **CHANGED)
    assert len(single.started()) == 1


@pytest.mark.parametrize("policy", ["wait", "skip", "forbid"])
def test_after_a_kill_while_it_was_waited_for_it_is_not_fired_beside(
    single: HostStack, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """The record of the old run is deleted by then, and the engine still tells of it."""
    single.up(if_running=policy)
    single.ages(hours=2)
    runs(single)
    assert single.up(if_running="wait", kill="delete", **CHANGED) == "killed"
    if policy == "wait":
        meanwhile(single, monkeypatch, lambda: ends(single))
        single.up(if_running=policy, same_process=True, **CHANGED)
    else:
        said = single.stops(if_running=policy, **CHANGED)
        assert f"run {single.started()[0]} is running, and if_running is {policy!r}" in said
        assert len(single.started()) == 1
        single.cloud.set_state(single.started()[0], single.kit.success)
        single.up(if_running=policy, **CHANGED)
    assert len(single.started()) == 2
    assert single.ids == {"": single.started()[-1]}


@pytest.mark.parametrize("policy", ["wait", "skip", "forbid"])
def test_a_change_that_is_taken_back_after_such_a_kill_keeps_the_run(single: HostStack, policy: str) -> None:
    single.up(if_running=policy, triggers={"release": 1})
    runs(single)
    assert single.up(if_running="wait", kill="delete", **CHANGED) == "killed"
    single.up(if_running=policy, triggers={"release": 1})
    assert len(single.started()) == 1
    assert single.ids == {"": single.started()[0]}


@pytest.mark.parametrize("policy", ["wait", "skip", "forbid"])
def test_what_cannot_be_asked_for_may_go_on(single: HostStack, policy: str) -> None:
    single.up()
    ends(single)
    single.cloud.fault(single.system, "get", "status", status=403, code="AccessDenied", message="no", times=1000)
    told = single.stops(if_running=policy, **CHANGED) or single.warned[-1]
    assert "could not be queried: " in told
    assert "AccessDenied" in told
    assert single.started() == [single.id]
    single.cloud.drop_faults()
    single.up(if_running=policy, **CHANGED)
    assert len(single.started()) == 2


def test_what_its_service_has_forgotten_hinders_nothing(single: HostStack) -> None:
    single.up()
    single.cloud.fault(single.system, "get", "forget", times=1)
    single.up(if_running="skip", **CHANGED)
    assert single.warned == []
    assert single.state["provenance"] == "fired"


def test_a_job_that_its_delete_stops_is_not_forbidden(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    job = JobStack(cloud, monkeypatch)
    given: dict[str, Any] = {"if_running": "forbid", "on_delete": "cancel"}
    job.up(**given)
    runs(job)
    job.up(**given, **CHANGED)
    assert [run["state"] for run in cloud.runs(job.system)] == ["Cancel", "Submitted"]


@pytest.mark.parametrize("policy", ["wait", "skip", "forbid"])
def test_executions_of_a_job_that_its_delete_stops_hinder_nothing(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """They may go on when the job is cancelled, which its replacement has done by then."""
    job = JobStack(cloud, monkeypatch)
    given: dict[str, Any] = {"if_running": policy, "on_delete": "cancel"}
    job.up(**given)
    monkeypatch.setattr(overlap, "_look", lambda get: ("is running", False))
    job.up(**given, **CHANGED)
    assert [run["state"] for run in cloud.runs(job.system)] == ["Cancel", "Submitted"]


def test_what_the_program_says_by_now_of_on_delete_counts_for_a_replacement(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = JobStack(cloud, monkeypatch)
    job.up(on_delete="cancel")
    runs(job)
    with pytest.raises(RunError, match="is running"):
        job.up(on_delete="abandon", if_running="forbid", **CHANGED)
    with pytest.raises(RunError, match="is running"):
        job.up(if_running="forbid", **CHANGED)
    assert [run["state"] for run in cloud.runs(job.system)] == ["Running"]
    job.up(on_delete="abandon", **CHANGED)
    assert sorted(run["state"] for run in cloud.runs(job.system)) == ["Running", "Submitted"]
    job.up(on_delete="cancel", triggers={"release": 3})
    assert sorted(run["state"] for run in cloud.runs(job.system)) == ["Cancel", "Running", "Submitted"]


def test_a_change_that_is_taken_back_after_it_has_stopped_the_recorded_run(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the run stays is not all there is to say."""
    job = JobStack(cloud, monkeypatch)
    job.up(on_delete="cancel")
    (own,) = job.started()
    job.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        job.up(on_delete="cancel", **CHANGED)
    assert [run["state"] for run in cloud.runs(job.system)] == ["Cancel"]
    job.up(on_delete="cancel")
    assert job.started() == [own]
    assert any("the recorded run stays, and the up that was to replace it has stopped it" in one for one in job.warned)
