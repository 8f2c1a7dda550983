"""An `up` was killed after its starts, and then something other than the ask changes: the configuration, the run that
is to be recorded, what is forced. What was started is recorded or named, and never fired again in silence."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cloud_runs.lifecycle import adopting
from cloud_runs.promise import ledger
from tests.kits import KITS
from tests.provider.fan_stack import FanStack
from tests.provider.host_stack import HostStack, JobStack, RunStack
from tests.provider.test_adopting import argument, elsewhere
from tests.support.emulator import Emulator

__all__ = ["elsewhere"]
FIRST, SECOND, THIRD = ({"release": number} for number in "123")
REGIONS = {"tencentcloud:region": "ap-shanghai", "huaweicloud:region": "cn-north-1"}


def strays(stack: HostStack) -> list[str]:
    return [text for text in stack.warned if "may have started" in text]


def configured(stack: HostStack, **others: str) -> None:
    """From here on the configuration says this."""
    stack.configure({**stack.settings, **others})


# -- the region is not an argument, and its setting changes


def test_what_ran_in_the_former_region_is_recorded_there(stack: HostStack) -> None:
    stack.up(kill=stack.asks)
    lost = stack.started()
    configured(stack, **REGIONS)
    assert stack.up() == "create"
    assert stack.lost() == []
    assert stack.started() == lost
    assert stack.state["region"] not in REGIONS.values()
    assert stack.up() == "same"


def test_what_did_not_run_is_fired_where_the_configuration_says_now(stack: HostStack) -> None:
    stack.up(kill="intent")
    configured(stack, **REGIONS)
    assert stack.up() == "create"
    assert len(stack.started()) == stack.asks
    assert stack.state["region"] in REGIONS.values()


def test_a_former_region_that_cannot_be_asked_stops_the_up(stack: HostStack) -> None:
    stack.up(kill=stack.asks)
    configured(stack, **REGIONS)
    stack.no_lists()
    assert "change a trigger to fire it where the configuration says now" in stack.stops()
    assert len(stack.started()) == stack.asks


def test_a_bucket_that_is_not_in_the_former_region_has_no_runs_there(cloud: Emulator, monkeypatch: Any) -> None:
    stack = RunStack(cloud, monkeypatch)
    stack.up(kill="intent")
    configured(stack, **REGIONS)
    cloud.fault(stack.system, "find", "status", status=404, code="NoSuchBucket", message="no")
    assert stack.up() == "create"


def test_a_changed_ask_is_told_of_what_ran_in_the_former_region(stack: HostStack) -> None:
    stack.up(triggers=FIRST, kill=stack.asks)
    lost = stack.started()
    configured(stack, **REGIONS)
    assert stack.up(triggers=SECOND) == "create"
    assert stack.told(lost, runs=stack.asks)


@pytest.mark.parametrize("between", ["", "intent"])
def test_what_was_forced_in_another_region_is_recorded_there(stack: HostStack, between: str) -> None:
    """The intent of the run on record stays, so it keeps each place where it may have been fired."""
    stack.up()
    old = stack.started()
    configured(stack, **REGIONS)
    assert stack.up(forced=True, kill=stack.asks) == "killed"
    configured(stack)
    if between:
        stack.up(target=between)
    assert stack.up() == "create"
    assert sorted(stack.ids.values()) == sorted(set(stack.started()) - set(old))
    assert len(stack.started()) == 2 * stack.asks
    assert stack.state["region"] in REGIONS.values()


# -- another run is recorded


def test_what_was_started_is_named_when_another_run_is_adopted(stack: HostStack, elsewhere: HostStack) -> None:
    known = list(elsewhere.ids.values())
    stack.up(kill=stack.asks, **stack.plain)
    lost = [id for id in stack.started() if id not in known]
    stack.up(**argument(stack, elsewhere.ids), **stack.plain)
    assert list(stack.ids.values()) == known
    assert stack.told(lost, runs=2 * stack.asks)
    assert not any(id in text for id in known for text in strays(stack))


def test_a_setting_that_was_left_hides_no_run_of_a_forced_replacement(cloud: Emulator, monkeypatch: Any) -> None:
    stack = RunStack(cloud, monkeypatch)
    stack.up(kill=1)
    (first,) = stack.started()
    stack.up(adopt=first)
    stack.up(adopt=first, forced=True, kill=1)
    (lost,) = (id for id in stack.started() if id != first)
    stack.state, stack.replacing = {}, False  # forced again: the engine tells nothing of the run before
    stack.up(adopt=first)
    assert stack.told([lost], runs=2)


# -- nothing is named that is on record, or was


def test_a_replaced_run_was_not_lost(stack: HostStack) -> None:
    """The engine deletes intents that were replaced at the end of an `up` that succeeds: if others fail, ups later."""
    stack.up(triggers=FIRST)
    for trigger in (SECOND, THIRD):
        assert stack.up(triggers=trigger, kill="create") == "killed"  # after the run is on record
    assert stack.up(triggers=THIRD) == "same"
    assert len(stack.started()) == 3 * stack.asks
    assert strays(stack) == []


# -- EnOS: a replacement has the minute after that of the run before


@pytest.fixture
def flow(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    made: HostStack = type("FlowStack", (HostStack,), {"kit": KITS["enos.flow"]})(cloud, monkeypatch)
    return made


def test_a_flow_that_was_forced_and_is_forced_again_or_destroyed_names_the_lost_run(flow: HostStack) -> None:
    flow.up()
    flow.up(forced=True, kill=1)
    first, lost = flow.started()
    flow.state, flow.replacing = {}, False  # the engine tells nothing of the run before
    said = flow.stops()
    assert first in said
    assert lost in said
    assert len(flow.started()) == 2
    flow.destroy()
    assert any(lost in text for text in strays(flow))


# -- a start that was answered with the id of another run


def test_a_refresh_tells_of_a_run_that_does_other_work(cloud: Emulator, monkeypatch: Any) -> None:
    other, run = (RunStack(cloud, monkeypatch, name) for name in ("other", "run"))
    other.up(object="b.mp4")
    cloud.fault(run.system, "start", "same_id")
    run.process()
    run.up()
    run.warned.clear()
    other.refresh()
    assert run.warned == []
    run.refresh()
    assert any("does other work" in text and "its object has another value" in text for text in run.warned)


def test_a_refresh_tells_of_objects_whose_runs_do_other_work(cloud: Emulator, monkeypatch: Any) -> None:
    other = RunStack(cloud, monkeypatch, "other")
    other.up(object="b.mp4")
    fan = FanStack(cloud, monkeypatch)
    cloud.fault(other.system, "start", "same_id")
    fan.up(["a1", "a2"])
    fan.warned.clear()
    fan.refresh()
    (said,) = fan.warned
    assert said.startswith("1 run of something else")
    assert "its object has another value" in said


def test_a_refresh_tells_of_a_run_that_began_long_before_it_was_fired(cloud: Emulator, monkeypatch: Any) -> None:
    """The same work, so that nothing else tells it: somebody on the way has kept the answer of another start."""
    run = RunStack(cloud, monkeypatch, "run")
    run.up()
    run.refresh()
    assert run.warned == []
    fired = ledger.fired_of(run.state)
    assert fired.at
    run.state["fired"] = ledger.fired_text(replace(fired, at=fired.at + timedelta(hours=4)))
    run.refresh()
    (said,) = run.warned
    assert "Its start may have been answered with the id of another run" in said


# -- advice


@pytest.mark.parametrize("name", ["transcode", "it's", 'a"b', "a.b", "a]b", "$HOME `x`"])
def test_the_command_for_a_name_is_one_word_of_a_shell(name: str) -> None:
    *command, path, id = shlex.split(adopting.how(name))
    assert (command, id) == (["pulumi", "config", "set", "--path"], "ID")
    assert path == 'runs:adopt["' + name.replace('"', '\\"') + '"]'


def test_a_fan_out_tells_what_ran_beside_what_is_adopted(cloud: Emulator, monkeypatch: Any) -> None:
    """Of the other objects what was started is found, not named."""
    old, fan = (FanStack(cloud, monkeypatch, name) for name in ("old", "fan"))
    old.up(["a1", "a2"])
    old.ages(hours=1)
    known = old.ids
    fan.up(["a1", "a3"], kill=2)
    lost = {fan.kit.work_of(run["request"]): run["id"] for run in cloud.runs() if run["id"] not in known.values()}
    fan.process()
    fan.up(["a1", "a3"], adopt_ids={"a1": known["a1"]})
    assert fan.ids == {"a1": known["a1"], "a3": lost["a3"]}
    assert [lost["a1"] in text and lost["a3"] not in text for text in strays(fan)] == [True]


def test_a_refresh_tells_of_a_job_that_was_started_twice(cloud: Emulator, monkeypatch: Any) -> None:
    """By something between us and the service; both have the name that was generated for one."""
    job = JobStack(cloud, monkeypatch)
    cloud.fault(job.system, "start", "repeat")
    job.up()
    (other,) = job.lost()
    job.warned.clear()
    job.refresh()
    assert any("was started more than once" in text and other in text for text in job.warned)


def test_a_job_that_is_replaced_by_force_was_not_started_twice(cloud: Emulator, monkeypatch: Any) -> None:
    """It keeps its intent, so the new one has the same generated name."""
    job = JobStack(cloud, monkeypatch)
    job.up()
    job.up(forced=True)
    job.refresh()
    assert job.warned == []
