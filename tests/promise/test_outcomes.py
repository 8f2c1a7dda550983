"""What became of a run: the output, and the line for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cloud_runs.errors import NotFound, Unavailable
from cloud_runs.lifecycle import durations
from cloud_runs.promise import outcomes
from cloud_runs.promise.waiting import Watched
from cloud_runs.runs import Phase, Reference, RunStatus, Task

WHERE = Reference("tencent.workflow", "ap-beijing", "media-1250000000", "i1")
WHO = "WorkflowRun 'run'"
ENDED = RunStatus(
    "i1",
    Phase.FAILED,
    "Failed",
    code="AccessDenied",
    message="no right to read the object.",
    created_at="2026-01-02T03:04:05Z",
    started_at="2026-01-02T03:04:10Z",
    finished_at="2026-01-02T03:05:10.500000+00:00",
    request_id="r1",
)
FAILED_TASK = Task("Transcode_1", "Transcode", "Failed", "AccessDenied", "no right to read the object.")
GOOD_TASK = Task("Snapshot_1", "Snapshot", "Success", objects=("out/1.jpg", "out/2.jpg"))


def told(**changes: Any) -> outcomes.Outcome:
    return outcomes.outcome(WHERE, Watched(replace(ENDED, **changes), ended=True))


def line(**changes: Any) -> str:
    return outcomes.line(WHO, told(**changes))


def test_an_outcome_has_plain_values_for_the_state() -> None:
    assert told(tasks=(GOOD_TASK, FAILED_TASK), executions={"Failed": 1}) == {
        "reference": "tencent.workflow:ap-beijing:media-1250000000:i1",
        "phase": "failed",
        "state": "Failed",
        "code": "AccessDenied",
        "message": "no right to read the object.",
        "failed_tasks": [
            {
                "name": "Transcode_1",
                "type": "Transcode",
                "state": "Failed",
                "code": "AccessDenied",
                "message": "no right to read the object.",
            }
        ],
        "objects": ["out/1.jpg", "out/2.jpg"],
        "executions": {"Failed": 1},
        "started_at": "2026-01-02T03:04:10Z",
        "finished_at": "2026-01-02T03:05:10.500000+00:00",
        "duration": 60.5,
        "request_id": "r1",
    }


def test_where_a_start_is_not_told_the_creation_counts() -> None:
    found = told(started_at="")
    assert (found["started_at"], found["duration"]) == ("2026-01-02T03:04:05Z", 65.5)


@pytest.mark.parametrize(
    "times", [{"finished_at": ""}, {"started_at": "", "created_at": ""}, {"started_at": "2026-01-02T03:04:10"}]
)
def test_no_duration_where_a_time_is_missing_or_has_no_zone(times: dict[str, str]) -> None:
    assert "duration" not in told(**times), "a state keeps no None"


def test_a_run_that_is_gone_failed_in_the_state_that_was_seen_last() -> None:
    seen = Watched(replace(ENDED, phase=Phase.RUNNING, state="Running", code="", message=""), ended=True, gone=True)
    found = outcomes.outcome(WHERE, seen)
    assert (found["phase"], found["state"], found["message"]) == ("failed", "Running", outcomes.GONE)
    never = outcomes.outcome(WHERE, Watched(ended=True, gone=True))
    assert (never["phase"], never["state"], never["message"]) == ("failed", "", outcomes.GONE)
    assert outcomes.line(WHO, never) == f"{WHO}: failed: no longer known to the service"


@pytest.mark.parametrize("phase", list(Phase))
def test_only_success_is_success_and_only_a_bad_end_has_failed_tasks(phase: Phase) -> None:
    found = told(phase=phase, tasks=(FAILED_TASK, GOOD_TASK))
    assert outcomes.succeeded(found) is (phase is Phase.SUCCEEDED)
    assert bool(found["failed_tasks"]) is (phase in (Phase.FAILED, Phase.CANCELLED))


@pytest.mark.parametrize(
    ("task", "blamed"),
    [
        (Task("t", "", "Failed"), True),
        (Task("t", "", "FAIL"), True),
        (Task("t", "", "TIMEOUT"), True),
        (Task("t", "", "Success", code="Warned"), True),
        (Task("t", "", "Success"), False),
        (Task("t", "", "Cancel"), False),
        (Task("t", "", ""), False),
    ],
)
def test_which_tasks_are_to_blame(task: Task, blamed: bool) -> None:
    assert bool(told(tasks=(task,))["failed_tasks"]) is blamed


def test_a_line_names_state_code_message_task_and_request() -> None:
    assert line(request_id="r1") == f"{WHO}: failed: AccessDenied: no right to read the object (request r1)"
    assert line(phase=Phase.CANCELLED, state="Cancel", code="", message="", request_id="") == (
        f"{WHO}: cancelled (state Cancel)"
    )
    assert line(state="TIMEOUT", code="", message="", tasks=(Task("", "Transcode", "Timeout"),)) == (
        f"{WHO}: failed (state TIMEOUT): task Transcode: Timeout (request r1)"
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (RunStatus("i1", Phase.RUNNING, "Running"), "running (state Running)"),
        (RunStatus("i1", Phase.PENDING, ""), "pending"),
        (RunStatus("i1", Phase.SUCCEEDED, "Success"), "succeeded"),
        (replace(ENDED, phase=Phase.SUCCEEDED, code="", message=""), "succeeded after 1m"),
        (replace(ENDED, tasks=(FAILED_TASK,)),
         "failed after 1m: task Transcode_1: AccessDenied: no right to read the object"),
        (replace(ENDED, finished_at="", message="two\nlines"), "failed: AccessDenied: two lines"),
        (RunStatus("i1", Phase.UNKNOWN, "Odd\x1b[31m"), "unknown (state Odd [31m)"),
    ],
)  # fmt: skip
def test_what_a_look_shows_fits_a_row(status: RunStatus, expected: str) -> None:
    assert outcomes.learned(status) == expected


def test_what_the_run_and_its_task_both_tell_is_said_once() -> None:
    assert line(tasks=(FAILED_TASK,)) == (
        f"{WHO}: failed: task Transcode_1: AccessDenied: no right to read the object (request r1)"
    )
    other = replace(FAILED_TASK, name="Snapshot_2", message="disk full")
    assert line(tasks=(FAILED_TASK, other)) == (
        f"{WHO}: failed: task Transcode_1: AccessDenied: no right to read the object; "
        "task Snapshot_2: AccessDenied: disk full (request r1)"
    )
    assert line(code="Other", tasks=(FAILED_TASK,)).count("no right to read") == 2, "another code is other news"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (Watched(), "not queried yet"),
        (Watched(replace(ENDED, phase=Phase.RUNNING, state="Running")), "running (state Running)"),
        (Watched(replace(ENDED, phase=Phase.UNKNOWN, state="Odd")), "in state 'Odd', which this version does not know"),
        (Watched(ENDED, untold=Unavailable("503")), "not known: 503"),
        (Watched(untold=NotFound("no such run", status=404)), "not known: no such run: 404."),
    ],
)
def test_a_line_on_a_run_that_has_not_ended(run: Watched, expected: str) -> None:
    assert outcomes.going(run) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"), (0.99, "0.99s"), (1, "1s"), (59.9, "59s"), (60, "1m"), (130, "2m10s"), (3600, "1h"), (3605, "1h5s"),
        (5400, "1h30m"), (90061, "25h1m1s"),
    ],
)  # fmt: skip
def test_a_span_is_shown_as_users_write_it(seconds: float, expected: str) -> None:
    assert outcomes.span(seconds) == expected
    if seconds >= 1:
        assert durations.seconds(expected) == int(seconds)
