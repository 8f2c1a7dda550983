"""The types of outputs have the words and keys of the values that are there."""

from __future__ import annotations

from typing import get_args

from cloud_runs.lifecycle.outputs import FailedTask, Outcome, PhaseWord, Task
from cloud_runs.promise import outcomes, statuses
from cloud_runs.promise.waiting import Watched
from cloud_runs.runs import Phase, Reference, RunStatus
from cloud_runs.runs import Task as ToldTask

STATUS = RunStatus(
    "i1",
    Phase.FAILED,
    "Failed",
    started_at="2026-11-22T08:00:00Z",
    finished_at="2026-11-22T08:01:00Z",
    tasks=(ToldTask("Transcode_1", "Transcode", "Failed", "InvalidInput", "no"),),
)


def test_the_words_of_a_phase() -> None:
    assert list(get_args(PhaseWord)) == [phase.value for phase in Phase]


def test_the_keys_of_an_outcome() -> None:
    found = outcomes.outcome(Reference("tencent.workflow", "ap-beijing", "media-1", "i1"), Watched(STATUS, ended=True))
    assert set(found) == Outcome.__required_keys__ | {"duration"}
    assert Outcome.__optional_keys__ == {"duration", "object"}
    assert set(found["failed_tasks"][0]) == FailedTask.__required_keys__


def test_the_keys_of_a_task() -> None:
    (task,) = statuses.outputs_of(STATUS)["tasks"]
    assert set(task) == Task.__required_keys__
