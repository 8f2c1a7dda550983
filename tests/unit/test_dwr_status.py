"""What is made of an execution of DWR, by its recordings (tests/recordings/dwr)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud_runs.huawei.dwr import answers as reading
from cloud_runs.runs import Phase, Task

RECORDINGS = Path(__file__).parents[1] / "recordings" / "dwr"
RUN = "5f1d3c0a9b7e4d2f8a6c1b0e9d8f7a6b"
WORK = {"bucket": "demo-bucket", "object": "/mpc/demo.mp4", "inputs": {"template-id": 7}}


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_one_that_goes_on() -> None:
    status = reading.execution_status(RUN, recorded("show-running"), "r")
    assert (status.phase, status.state, status.request_id) == (Phase.RUNNING, "running", "r")
    assert status.created_at == status.started_at == "2026-01-15T09:30:00Z"
    assert (status.finished_at, status.message) == ("", "")
    assert status.tasks == (Task("1", "", "running"),)
    assert status.request == {"graph_name": "scan", **WORK}


def test_one_that_failed_says_why() -> None:
    status = reading.execution_status(RUN, recorded("show-failed"))
    assert (status.phase, status.finished_at) == (Phase.FAILED, "2026-01-15T09:30:05Z")
    assert status.message == "template 7 does not exist"
    assert [(task.name, task.state, task.message) for task in status.tasks] == [
        ("1", "success", ""),
        ("2", "fail", "template 7 does not exist"),
    ]


def test_the_shape_of_the_page() -> None:
    """Both shapes tell the same of one run, as far as they tell it."""
    content = recorded("show-document")
    status = reading.execution_status(RUN, content)
    assert reading.told_id(content) == reading.told_id(recorded("show-running")) == RUN
    assert (status.phase, status.started_at) == (Phase.RUNNING, "2026-01-15T09:30:00.123000Z")
    assert {name: status.request[name] for name in WORK} == WORK
    assert status.request["graph_name"] == "scan"
    assert reading.began(content) == "2026-01-15T09:30:00.123Z"


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("running", Phase.RUNNING),
        ("success", Phase.SUCCEEDED),
        ("fail", Phase.FAILED),
        ("timeout", Phase.FAILED),
        ("cancel", Phase.CANCELLED),
        ("SUCCESS", Phase.SUCCEEDED),
        ("FAILED", Phase.FAILED),
        ("", Phase.UNKNOWN),
        ("queued", Phase.UNKNOWN),
    ],
)
def test_states(state: str, phase: Phase) -> None:
    assert reading.execution_status(RUN, {"status": state}).phase is phase


@pytest.mark.parametrize(
    "input",
    [
        WORK,
        json.dumps(WORK),
        {"event": WORK},
        {"event": json.dumps({"body": WORK})},
        [{"x": 1}, WORK],
        {**WORK, "events": [{"bucket": "other", "object": "other"}]},
        {**WORK, "inputs": {"template-id": 7}},
    ],
)
def test_the_input_is_found_at_any_depth(input: Any) -> None:
    """No page says what it holds."""
    assert reading.told_request({"input": input}) == WORK


@pytest.mark.parametrize(
    "input",
    [
        *(None, "", "x", 7, [], {}),
        {"bucket": "b"},
        {"bucket": "b", "object": 7},
        [WORK, {**WORK, "object": "other"}],
        "[" * 50_000,
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": WORK}}}}}}}}},
    ],
)
def test_an_input_that_is_not_surely_the_start_tells_nothing(input: Any) -> None:
    assert reading.told_request({"input": input}) == {}


@pytest.mark.parametrize("urn", ["", "urn", "urn:fss:r:p:workflow:", "urn:fss:r:p:workflow:default", 7, None])
def test_a_urn_that_names_no_workflow(urn: Any) -> None:
    assert reading.execution_status(RUN, {"workflow_urn": urn}).request == {}
