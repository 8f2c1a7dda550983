"""Huawei's own Python SDK (WorkflowClient of esdk-obs-python), unmodified, against the emulator.

It raises nothing for a refusal: status and code are in what it returns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.vendor.sdks import GRAPH, huawei

SYSTEM = "huawei.workflow"
REGION = "cn-emulator-1"  # of requests that go to an address in place of the vendor's host
KEY = "/mpc/中 demo.mp4"
INPUTS = {"template-id": 1234567, "rate": 1.5, "tags": ["a", "ü"], "deep": {"on": True}}


@pytest.fixture
def sdk(cloud: Emulator) -> Any:
    return huawei(cloud.url)


def start(sdk: Any, graph: str = GRAPH, key: str = KEY, inputs: Mapping[str, Any] | None = None) -> str:
    answer = sdk.asyncAPIStartWorkflow(graph, "demo-bucket", key, inputs)
    assert answer.status == 200
    return str(answer.body.executionName)


def told(sdk: Any, name: str) -> dict[str, Any]:
    answer = sdk.getWorkflowExecution(name, GRAPH)
    assert answer.status == 200
    return dict(answer.body.executionInfo)


def listed(sdk: Any, graph: str = GRAPH, **more: Any) -> list[str]:
    answer = sdk.listWorkflowExecution(graph, **more)
    assert answer.status == 200
    assert answer.body.count == len(answer.body.executions)
    return [row["execution_name"] for row in answer.body.executions]


def test_start(cloud: Emulator, sdk: Any) -> None:
    answer = sdk.asyncAPIStartWorkflow(GRAPH, "demo-bucket", KEY, INPUTS)
    (run,) = cloud.runs()
    assert (answer.status, run["system"], run["id"]) == (200, SYSTEM, answer.body.executionName)
    assert answer.body.executionUrn.split(":")[:3] == ["urn", "fgs", REGION]
    assert answer.body.executionUrn.split(":")[4:7] == ["execution", GRAPH, run["id"]]
    assert answer.body.startedAt[:19] == run["started_at"][:19]
    seen = run["request"]
    assert (seen["method"], seen["path"], seen["query"]) == ("POST", f"/v2/workflows/{GRAPH}", {})
    assert json.loads(seen["body"]) == {"bucket": "demo-bucket", "object": KEY, "inputs": INPUTS}
    assert seen["headers"]["content-type"] == "application/json"
    assert seen["headers"]["authorization"].startswith(f"OBS {SECRET_ID}:")


def test_get(cloud: Emulator, sdk: Any) -> None:
    name = start(sdk, inputs=INPUTS)
    found = told(sdk, name)
    assert (found["execution_name"], found["execution_type"]) == (name, "APICALL")
    assert found["graph_urn"].endswith(f":graph:{GRAPH}")
    assert json.loads(found["input"]) == {"bucket": "demo-bucket", "object": KEY, "inputs": INPUTS}
    assert found["execution_state"] == "RUNNING"
    cloud.set_state(name, "FAILED")
    assert told(sdk, name)["execution_state"] == "FAILED"


def test_no_inputs(cloud: Emulator, sdk: Any) -> None:
    name = start(sdk)
    (run,) = cloud.runs()
    assert json.loads(run["request"]["body"])["inputs"] is None  # the SDK's way to say none
    assert "inputs" not in json.loads(told(sdk, name)["input"])


def test_list(cloud: Emulator, sdk: Any) -> None:
    started = sorted(start(sdk, key=f"{number}.mp4") for number in range(12))
    start(sdk, "other-graph")
    assert listed(sdk, limit=1000) == started
    assert listed(sdk) == started[:10]  # the documented default
    assert listed(sdk, limit=1000, executionType="APICALL") == started
    assert listed(sdk, limit=1000, executionType="TRIGGERCAL") == []
    first = sdk.listWorkflowExecution(GRAPH, limit=7).body
    assert (first.isTruncated, len(first.executions)) == (True, 7)
    second = sdk.listWorkflowExecution(GRAPH, limit=7, nextMarker=first.nextMarker).body
    assert (second.isTruncated, second.nextMarker) == (False, None)
    assert [row["execution_name"] for row in first.executions + second.executions] == started
    cloud.set_state(started[11], "FAILED")
    assert listed(sdk, executionState="FAILED", limit=5) == [started[11]]  # the SDK itself reads on and filters


def test_resume(cloud: Emulator, sdk: Any) -> None:
    name = start(sdk)
    refused = sdk.restoreFailedWorkflowExecution(name, GRAPH)
    assert (refused.status, refused.errorCode) == (400, "SYS.0010")
    cloud.set_state(name, "FAILED")
    answer = sdk.restoreFailedWorkflowExecution(name, GRAPH)
    assert (answer.status, answer.body.executionName) == (200, name)
    assert answer.body.restoredAt
    assert told(sdk, name)["execution_state"] == "RUNNING"
    assert cloud.ids() == [name]


def test_a_definition_is_no_start(cloud: Emulator, sdk: Any) -> None:
    """The same method and path as a start: only a parameter of the query tells them apart."""
    answer = sdk.createWorkflow("template", GRAPH, "agency")
    assert (answer.status, answer.body.graphName) == (201, GRAPH)
    assert cloud.ids() == []


def test_unknown_runs(sdk: Any) -> None:
    name = start(sdk)
    for answer in (sdk.getWorkflowExecution("none", GRAPH), sdk.getWorkflowExecution(name, "other-graph")):
        assert (answer.status, answer.errorCode) == (404, "WorkflowExecutionNotFound")


CALLS: dict[str, Callable[[Any], Any]] = {
    "start": lambda sdk: sdk.asyncAPIStartWorkflow(GRAPH, "demo-bucket", KEY, INPUTS),
    "get": lambda sdk: sdk.getWorkflowExecution("none", GRAPH),
    "list": lambda sdk: sdk.listWorkflowExecution(GRAPH, "APICALL", "APICALLa b/c+d=", 100),
    "resume": lambda sdk: sdk.restoreFailedWorkflowExecution("none", GRAPH),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("id", "secret", "expected"),
    [(SECRET_ID, "wrong", "SignatureDoesNotMatch"), ("AKwrong", SECRET_KEY, "InvalidAccessKeyId")],
    ids=["secret", "id"],
)
def test_wrong_keys(cloud: Emulator, call: Callable[..., Any], id: str, secret: str, expected: str) -> None:
    answer = call(huawei(cloud.url, id, secret))
    assert (answer.status, answer.errorCode) == (403, expected)
    assert cloud.runs(origin=None) == []
    assert call(huawei(cloud.url)).errorCode in (None, "WorkflowExecutionNotFound")  # with the right ones it is heard


def test_a_temporary_token(cloud: Emulator) -> None:
    sdk = huawei(cloud.url, token="TOKEN/abc+def==")
    name = start(sdk)
    assert told(sdk, name)["execution_name"] == name
    assert listed(sdk) == [name]
    (run,) = cloud.runs()
    assert run["request"]["headers"]["x-obs-security-token"] == "TOKEN/abc+def=="


def test_the_sdk_fires_again_after_a_lost_answer(cloud: Emulator) -> None:
    """The reason why the provider does not use it: one call, two runs, and one id."""
    cloud.fault(SYSTEM, "start", "drop_response")
    name = start(huawei(cloud.url, retry=1))
    assert len(cloud.ids()) == 2
    assert cloud.ids()[1] == name


def test_a_look_at_a_workflow(cloud: Emulator, sdk: Any) -> None:
    answer = sdk.getWorkflow(GRAPH)
    assert (answer.status, answer.body.name) == (200, GRAPH)
    assert answer.body.graphUrn.endswith(f":graph:{GRAPH}")
    assert cloud.runs(origin=None) == []
