"""Huawei's own Python SDK of DWR (huaweicloudsdkdwr), unmodified, against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServiceResponseException
from huaweicloudsdkdwr import v3

from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.vendor.sdks import DWR_PROJECT, GRAPH, dwr

SYSTEM = "huawei.dwr"
KEY = "/mpc/中 demo.mp4"
INPUTS = {"template-id": 1234567, "rate": 1.5, "tags": ["a", "ü"]}


@pytest.fixture
def sdk(cloud: Emulator) -> Any:
    return dwr(cloud.url)


def start(sdk: Any, graph: str = GRAPH, key: str = KEY, inputs: Any = None) -> Any:
    """The SDK has one `Input` for what its documents call a map; a plain body is sent as it is."""
    body = {"bucket": "demo-bucket", "object": key, **({"inputs": inputs} if inputs else {})}
    return sdk.async_invoke_api_start_workflow(v3.AsyncInvokeApiStartWorkflowRequest(graph_name=graph, body=body))


def show(sdk: Any, name: str, graph: str = GRAPH) -> Any:
    return sdk.show_workflow_instance(v3.ShowWorkflowInstanceRequest(execution_name=name, graph_name=graph))


def page(sdk: Any, graph: str = GRAPH, **more: Any) -> Any:
    return sdk.list_workflow_instance(v3.ListWorkflowInstanceRequest(graph_name=graph, **more))


def retry(sdk: Any, name: str) -> Any:
    return sdk.restore_workflow_execution(v3.RestoreWorkflowExecutionRequest(execution_name=name, graph_name=GRAPH))


def test_start(cloud: Emulator, sdk: Any) -> None:
    answer = start(sdk, inputs=INPUTS)
    (run,) = cloud.runs()
    assert (answer.status_code, run["system"], run["id"]) == (200, SYSTEM, answer.execution_name)
    assert answer.execution_urn.split(":")[3:7] == [DWR_PROJECT, "execution", GRAPH, run["id"]]
    assert answer.started_at[:19] == run["started_at"][:19]
    assert answer.x_request_id
    seen = run["request"]
    assert (seen["method"], seen["path"]) == ("POST", f"/v3/{DWR_PROJECT}/workflows/{GRAPH}/execute")
    assert json.loads(seen["body"]) == {"bucket": "demo-bucket", "object": KEY, "inputs": INPUTS}
    assert seen["headers"]["authorization"].startswith(f"SDK-HMAC-SHA256 Access={SECRET_ID}")


def test_the_sdks_own_body(cloud: Emulator, sdk: Any) -> None:
    body = v3.ExecuteWorkflowBody(bucket="demo-bucket", object=KEY)
    sdk.async_invoke_api_start_workflow(v3.AsyncInvokeApiStartWorkflowRequest(graph_name=GRAPH, body=body))
    (run,) = cloud.runs()
    assert json.loads(run["request"]["body"]) == {"bucket": "demo-bucket", "object": KEY}


def test_show(cloud: Emulator, sdk: Any) -> None:
    name = start(sdk).execution_name
    found = show(sdk, name)
    assert (found.execution_id, found.status) == (name, "running")
    assert found.workflow_urn.split(":")[6] == GRAPH
    assert found.begin_time
    cloud.set_state(name, "fail", message="template 7 does not exist")
    ended = show(sdk, name)
    assert ended.status == "fail"
    assert [node.error_message for node in ended.node_execution_details] == ["template 7 does not exist"]


def test_list(cloud: Emulator, sdk: Any) -> None:
    started = {start(sdk, key=f"{number}.mp4").execution_name for number in range(12)}
    start(sdk, "other-graph")
    answer = page(sdk, limit=200)
    assert {row.execution_name for row in answer.executions} == started
    assert (answer.count, answer.is_truncated) == (12, False)
    first = page(sdk, limit=7)
    second = page(sdk, limit=7, offset=first.next_offset)
    assert (first.is_truncated, second.is_truncated) == (True, False)
    names = [row.execution_name for row in (*first.executions, *second.executions)]
    assert sorted(names) == sorted(started)
    cloud.set_state(names[0], "fail")
    assert [row.execution_name for row in page(sdk, status="fail").executions] == [names[0]]
    ago = datetime.now(timezone.utc) - timedelta(days=2)
    before = {"start_time": f"{ago - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", "end_time": f"{ago:%Y-%m-%dT%H:%M:%SZ}"}
    assert page(sdk, **before).executions == []


def test_retry(cloud: Emulator, sdk: Any) -> None:
    name = start(sdk).execution_name
    with pytest.raises(ClientRequestException) as refused:
        retry(sdk, name)
    assert refused.value.status_code == 400
    cloud.set_state(name, "fail")
    assert retry(sdk, name).execution_name == name
    assert show(sdk, name).status == "running"
    assert cloud.ids() == [name]


def test_unknown_runs(sdk: Any) -> None:
    name = start(sdk).execution_name
    for unknown in (("none", GRAPH), (name, "other-graph")):
        with pytest.raises(ClientRequestException) as refused:
            show(sdk, *unknown)
        assert (refused.value.status_code, refused.value.error_code) == (404, "WorkflowExecutionNotFound")


CALLS: dict[str, Callable[[Any], Any]] = {
    "start": start,
    "show": lambda sdk: show(sdk, "none"),
    "list": lambda sdk: page(sdk, limit=100, start_time="2026-01-02T03:04:05Z"),
    "retry": lambda sdk: retry(sdk, "none"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("id", "secret"), [(SECRET_ID, "wrong"), ("AKwrong", SECRET_KEY)], ids=["secret", "id"])
def test_wrong_keys(cloud: Emulator, call: Callable[[Any], Any], id: str, secret: str) -> None:
    with pytest.raises(ServiceResponseException) as refused:
        call(dwr(cloud.url, id, secret))
    assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")
    assert cloud.runs(origin=None) == []
    try:
        call(dwr(cloud.url))
    except ClientRequestException as heard:
        code = heard.error_code
    else:
        code = ""
    assert code in ("", "WorkflowExecutionNotFound"), "with the right ones it is heard"


def test_a_temporary_token(cloud: Emulator) -> None:
    sdk = dwr(cloud.url, token="TOKEN/abc+def==")
    name = start(sdk).execution_name
    assert show(sdk, name).execution_id == name
    (run,) = cloud.runs()
    assert run["request"]["headers"]["x-security-token"] == "TOKEN/abc+def=="


def test_a_dropped_answer_is_not_sent_again(cloud: Emulator, sdk: Any) -> None:
    """Unlike the SDK of OBS: one request, and its caller is told that the answer was lost."""
    cloud.fault(SYSTEM, "start", "drop_response")
    with pytest.raises(Exception, match=r"(?i)connection|remote"):
        start(sdk)
    assert len(cloud.ids()) == 1


def test_a_look_at_a_workflow(cloud: Emulator, sdk: Any) -> None:
    answer = sdk.show_workflow_info(v3.ShowWorkflowInfoRequest(graph_name=GRAPH))
    assert answer.name == GRAPH
    assert cloud.runs(origin=None) == []
