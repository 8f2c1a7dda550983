"""README.md, "When does it run?": the answer was lost in a kill. What was started is found and not fired again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.asks import CI, RUN, Ask, asks, fired, problems
from tests.engine.interrupted import kill_after_start, kill_after_starts, mint_only, wait_until
from tests.support.emulator import Emulator
from tests.support.stack import Stack, job, run

pytestmark = pytest.mark.engine

JOBS = "tencent.inventory"


def test_what_a_killed_up_has_started_is_found_by_the_next(stack: Stack, cloud: Emulator) -> None:
    """A run, a batch job and a fan-out; and a run with a trigger that is ignored, and changes."""
    both, ignored = asks("lost"), Ask(RUN, "ignored")

    def program(at: str, **arguments: Any) -> list[str]:
        ignoring = {"triggers": {"at": at}, "opts": "=ResourceOptions(ignore_changes=['triggers'])"}
        return [*(ask.source(**arguments) for ask in both), ignored.source(**ignoring), job(**arguments)]

    lost = kill_after_starts(stack, cloud, {CI: 4, JOBS: 1}, *program("1"))
    again = stack.up(*program("2"))
    assert set(cloud.ids()) == lost
    assert problems([*both, ignored], stack, cloud, 1) == {}
    assert cloud.ids(JOBS) == [stack.id("job")]
    (id,) = fired(cloud)["lost.mp4"]
    assert stack.outputs("lost-run")["provenance"] == stack.outputs("job")["provenance"] == "found"
    assert f"found run {id} of an interrupted up; for a new run change a trigger" in again.text
    assert "found 2 runs that had been started: not fired again" in again.text
    stack.up(*program("3", triggers={"a": "1"}))
    assert problems(both, stack, cloud, 2) | problems([ignored], stack, cloud, 1) == {}
    assert cloud.ids(JOBS)[1:] == [stack.id("job")]


@pytest.mark.long
def test_what_a_killed_replacement_has_started_is_found_by_the_next(stack: Stack, cloud: Emulator) -> None:
    """Forced, or since the run has failed."""
    both, rerun = asks("forced"), Ask(RUN, "rerun")
    stack.up(*(ask.source() for ask in both), rerun.source(rerun_on_failure=True))
    cloud.set_state(stack.id("rerun-run"), "Failed")
    stack.refresh()
    lost = kill_after_starts(stack, cloud, {CI: 4}, flags=tuple(f"--replace={ask.urn(stack)}" for ask in both))
    stack.up()
    assert problems([*both, rerun], stack, cloud, 2) == {}
    assert {id for ask in (*both, rerun) for id in ask.on_record(stack).values()} == lost


@pytest.mark.long
def test_what_was_lost_and_is_not_asked_for_any_more_is_told(stack: Stack, cloud: Emulator) -> None:
    """A pipeline that was killed, and the next one for another release: both were asked for, one is unrecorded."""
    both = asks("r")

    def program(release: str) -> list[str]:
        return [source(triggers={"release": release}) for source in (*(ask.source for ask in both), job)]

    lost = kill_after_starts(stack, cloud, {CI: 3, JOBS: 1}, *program("1"))
    told = stack.up(*program("2")).text
    assert problems(both, stack, cloud, 2) == {}
    assert cloud.ids(JOBS)[1:] == [stack.id("job")]
    said = " ".join(line for line in told.splitlines() if "an earlier up may have started " in line)
    assert {id for id in lost if id not in said} == set()
    again = stack.up(*program("3")).text
    assert "may have started" not in again
    assert problems(both, stack, cloud, 3) == {}


def test_killed_before_the_start_looks_and_fires_once(stack: Stack, cloud: Emulator) -> None:
    """And fires nothing as long as the service cannot be asked."""
    stack.program(run())
    mint_only(stack)
    assert cloud.ids() == []
    cloud.fault(CI, "find", "status", status=500, code="InternalError", times=100)
    failed = stack.up(check=False)
    assert failed.code != 0
    assert "nothing was fired" in failed.text
    assert cloud.ids() == []
    cloud.drop_faults()
    looked = cloud.count(CI, "find")
    stack.up()
    assert cloud.ids() == [stack.id()]
    assert cloud.count(CI, "find") > looked, "it looked before it fired"
    assert stack.outputs()["provenance"] == "fired"


@pytest.mark.long
def test_two_runs_of_the_same_work_one_recorded_killed_before_the_other(stack: Stack, cloud: Emulator) -> None:
    stack.up(run("a"))
    stack.program(run("a"), run("b"))
    mint_only(stack, "b")
    stack.up()
    assert len(cloud.runs()) == 2, "b does not take a's run for its own"
    assert {stack.id("a"), stack.id("b")} == set(cloud.ids())


@pytest.mark.long
def test_several_candidates_are_listed_and_adopt_id_settles_it(stack: Stack, cloud: Emulator) -> None:
    lost = kill_after_start(stack, cloud, run(), foreign=True)
    foreign = next(entry["id"] for entry in cloud.runs(origin="foreign"))
    ambiguous = stack.up(check=False)
    assert ambiguous.code != 0
    assert lost in ambiguous.text
    assert foreign in ambiguous.text
    assert "adopt_id" in ambiguous.text
    stack.up(run(adopt_id=lost))
    assert stack.id() == lost
    stack.up(run())
    assert cloud.ids() == [lost]


def test_killed_after_the_start_then_destroyed_leaves_the_run_alone(stack: Stack, cloud: Emulator) -> None:
    lost = kill_after_start(stack, cloud, run())
    stack.destroy()
    assert cloud.ids() == [lost]
    stack.up()
    assert len(cloud.runs()) == 2


@pytest.mark.long
def test_killed_in_the_delete_of_a_forced_replacement_nothing_fires(stack: Stack, cloud: Emulator) -> None:
    stack.up(job(on_delete="cancel"))
    first = stack.id("job")
    cloud.fault(JOBS, "cancel", "delay", seconds=60)
    urn = stack.urn("job")
    process = stack.start(flags=("--replace", urn))
    wait_until(lambda: cloud.count(JOBS, "cancel") == 1)
    stack.kill()
    process.wait(timeout=30)
    stack.up()
    assert cloud.ids() == [first], "the request is lost, and nothing fires by itself"
    stack.up(flags=("--replace", urn))
    assert len(cloud.runs()) == 2
