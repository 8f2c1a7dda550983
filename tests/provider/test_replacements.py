"""Replacements that no changed argument asks for (`--replace`, `rerun_on_failure`): their intent is that of the run on
record, so when they were killed, nothing tells when that was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.provider.fan_stack import RUNS
from tests.provider.host_stack import HostStack, JobStack
from tests.support.emulator import Emulator

RERUN = {"rerun_on_failure": True}


@pytest.fixture(params=RUNS.values(), ids=RUNS)
def single(request: pytest.FixtureRequest, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    made: HostStack = request.param(cloud, monkeypatch)
    return made


def killed(single: HostStack, how: str, *, after: float, kill: str | int = 1, **given: Any) -> None:
    """A replacement that was killed so many hours after the run on record was fired."""
    single.up(**RERUN, **given)
    single.ages(hours=after)
    if how == "rerun":
        single.state["phase"] = "failed"
    assert single.up(forced=how == "forced", kill=kill, **RERUN, **given) == "killed"


@pytest.mark.parametrize("how", ["forced", "rerun"])
@pytest.mark.parametrize("kill", ["delete", 1, "before create"])
def test_killed_soon_after_the_run_was_fired(single: HostStack, how: str, kill: str | int) -> None:
    killed(single, how, after=0.1, kill=kill)
    assert single.up(**RERUN) == "create"
    first, second = single.started()
    assert single.id == second != first
    assert single.up(**RERUN) == "same"
    assert len(single.started()) == 2


@pytest.mark.parametrize("how", ["forced", "rerun"])
@pytest.mark.parametrize("hours", [2, 72])
def test_killed_long_after_and_nothing_was_sent(single: HostStack, how: str, hours: float) -> None:
    killed(single, how, after=hours, kill="delete")
    assert single.up(**RERUN) == "create"
    assert len(single.started()) == 2


@pytest.mark.parametrize("how", ["forced", "rerun"])
@pytest.mark.parametrize("hours", [2, 72])
def test_a_name_of_ours_tells_its_run_however_late(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, how: str, hours: float
) -> None:
    job = JobStack(cloud, monkeypatch)
    killed(job, how, after=hours)
    assert job.up(**RERUN) == "create"
    first, second = job.started()
    assert job.id == second != first


@pytest.mark.parametrize("how", ["forced", "rerun"])
@pytest.mark.parametrize("way_out", ["adopt_id", "runs:adopt", "trigger"])
def test_killed_long_after_it_stops_and_each_way_out_works(single: HostStack, how: str, way_out: str) -> None:
    killed(single, how, after=2, **single.plain)
    first, second = single.started()
    for _ in range(2):
        said = single.stops(**RERUN, **single.plain)
        assert second in said
        assert first not in said, "what is replaced is no candidate"
        assert single.started() == [first, second]
    if way_out == "trigger":
        assert single.up(triggers={"again": 1}, **RERUN, **single.plain) == "create"
        assert single.told([second], runs=2)
        assert single.id == single.started()[2]
        return
    given = {"adopt_id": second} if way_out == "adopt_id" else {"adopt": second}
    assert single.up(**given, **RERUN, **single.plain) == "create"
    assert single.id == second
    assert single.up(**RERUN, **single.plain) in ("update", "same"), "taken away"
    assert single.up(**RERUN, **single.plain) == "same"
    assert single.started() == [first, second]
