"""Tencent's own Python SDK (cos-python-sdk-v5), unmodified, against the emulator: a judge that is not ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from qcloud_cos import CosS3Client
from qcloud_cos.cos_exception import CosServiceError

from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.vendor.sdks import BUCKET, REGION, tencent

RUNS, JOBS = "tencent.workflow", "tencent.inventory"
WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799"
OTHER_WORKFLOW = "w7476ff3564ee45b7b490d64bccaba6cc"
KEY = "videos/my clip (1)+~中.mp4"
INTERVAL = {"Start": "2022-02-01T12:00:00+0800", "End": "2022-05-01T12:00:00+0800"}
JOB = {
    "Name": "demo",
    "Type": "Workflow",
    "Input": {"Prefix": "input"},
    "Operation": {"TimeInterval": INTERVAL, "WorkflowIds": WORKFLOW},
}
SINGLE = {
    "Name": "batch-1",
    "Type": "Job",
    "Input": {"Object": "a b/中.mp4"},
    "Operation": {
        "Tag": "Transcode",
        "JobParam": {"TemplateId": "t1", "WatermarkTemplateId": ["t2", "t3"]},
        "Output": {"Region": REGION, "Bucket": BUCKET, "Object": "out/${InputName}.${ext}"},
        "UserData": "a<b>&c",
    },
}


@pytest.fixture
def sdk(cloud: Emulator) -> CosS3Client:
    return tencent(cloud.url)


def trigger(sdk: CosS3Client, key: str = KEY, workflow: str = WORKFLOW) -> str:
    return str(sdk.ci_trigger_workflow(Bucket=BUCKET, WorkflowId=workflow, Key=key)["InstanceId"])


def create(sdk: CosS3Client, body: dict[str, Any] = JOB) -> str:
    (detail,) = sdk.ci_create_inventory_trigger_jobs(Bucket=BUCKET, JobBody=body)["JobsDetail"]
    return str(detail["JobId"])


def job(sdk: CosS3Client, id: str) -> dict[str, Any]:
    (detail,) = sdk.ci_get_inventory_trigger_jobs(Bucket=BUCKET, JobID=id)["JobsDetail"]
    return dict(detail)


def listed(answer: dict[str, Any], element: str, id: str) -> list[str]:
    """The SDK gives one row as a dict and none as an absent key."""
    rows = answer.get(element, [])
    return [row[id] for row in (rows if isinstance(rows, list) else [rows])]


def executions(sdk: CosS3Client, workflow: str = WORKFLOW, **more: Any) -> list[str]:
    answer = sdk.ci_list_workflowexecution(Bucket=BUCKET, WorkflowId=workflow, **more)
    return listed(answer, "WorkflowExecutionList", "RunId")


def jobs(sdk: CosS3Client, **more: Any) -> list[str]:
    return listed(sdk.ci_list_inventory_trigger_jobs(Bucket=BUCKET, **more), "JobsDetail", "JobId")


def test_trigger(cloud: Emulator, sdk: CosS3Client) -> None:
    answer = sdk.ci_trigger_workflow(Bucket=BUCKET, WorkflowId=WORKFLOW, Key=KEY)
    (run,) = cloud.runs()
    assert set(answer) == {"InstanceId", "RequestId"}
    assert (run["system"], run["id"]) == (RUNS, answer["InstanceId"])
    seen = run["request"]
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/triggerworkflow", "")
    assert seen["query"] == {"workflowId": WORKFLOW, "object": KEY}
    assert seen["headers"]["host"] == f"{BUCKET}.ci.{REGION}.myqcloud.com"
    assert "q-header-list=content-length;host&q-url-param-list=object;workflowid&" in seen["headers"]["authorization"]


def test_get_an_execution(cloud: Emulator, sdk: CosS3Client) -> None:
    id = trigger(sdk)

    def told() -> dict[str, Any]:
        (execution,) = sdk.ci_get_workflowexecution(Bucket=BUCKET, RunId=id)["WorkflowExecution"]
        return dict(execution)

    found = told()
    assert (found["RunId"], found["WorkflowId"], found["Object"]) == (id, WORKFLOW, KEY)
    assert (found["State"], found["Tasks"]["State"]) == ("Running", "Running")
    cloud.set_state(id, "Failed", "NoSuchKey", "gone")
    found = told()
    assert (found["State"], found["Tasks"]["Code"], found["Tasks"]["Message"]) == ("Failed", "NoSuchKey", "gone")


def test_list_executions(cloud: Emulator, sdk: CosS3Client) -> None:
    started = [trigger(sdk, key) for key in (KEY, "b.mp4", KEY)]
    trigger(sdk, KEY, OTHER_WORKFLOW)
    assert executions(sdk) == started[::-1]
    assert executions(sdk, OrderByTime="Asc") == started
    assert executions(sdk, Name=KEY, OrderByTime="Asc") == [started[0], started[2]]
    assert executions(sdk, Name="none.mp4") == []
    cloud.set_state(started[1], "Failed")
    assert executions(sdk, States="Failed") == [started[1]]
    assert executions(sdk, States="Running,Success") == [started[2], started[0]]
    assert executions(sdk, StartCreationTime="2000-01-01T00:00:00+0800") == started[::-1]
    assert executions(sdk, EndCreationTime="2000-01-01T00:00:00+0800") == []
    first = sdk.ci_list_workflowexecution(Bucket=BUCKET, WorkflowId=WORKFLOW, Size=2)
    assert listed(first, "WorkflowExecutionList", "RunId") == started[:0:-1]
    second = sdk.ci_list_workflowexecution(Bucket=BUCKET, WorkflowId=WORKFLOW, Size=2, NextToken=first["NextToken"])
    assert listed(second, "WorkflowExecutionList", "RunId") == started[:1]
    assert not second.get("NextToken")


def test_create_and_get_an_inventory_job(cloud: Emulator, sdk: CosS3Client) -> None:
    id = create(sdk)
    (run,) = cloud.runs()
    assert (run["system"], run["id"]) == (JOBS, id)
    seen = run["request"]
    assert (seen["method"], seen["path"], seen["query"]) == ("POST", "/inventorytriggerjob", {})
    assert ElementTree.fromstring(seen["body"]).findtext("Operation/TimeInterval/End") == INTERVAL["End"]
    found = job(sdk, id)
    assert {name: found[name] for name in JOB} == JOB
    assert found["State"] == "Submitted"
    cloud.set_state(id, "Failed", "NoSuchKey", "gone")
    found = job(sdk, id)
    assert (found["State"], found["Code"], found["Message"]) == ("Failed", "NoSuchKey", "gone")


def test_a_job_of_type_job(cloud: Emulator, sdk: CosS3Client) -> None:
    id = create(sdk, SINGLE)
    found = job(sdk, id)
    assert {name: found[name] for name in SINGLE} == SINGLE
    assert cloud.ids() == [id]
    assert cloud.runs(RUNS, origin="job") == []


def test_executions_of_a_job(cloud: Emulator, sdk: CosS3Client) -> None:
    id = create(sdk)
    alone = trigger(sdk)
    theirs = [run["id"] for run in cloud.runs(RUNS, origin="job")]
    assert len(theirs) == 150
    found, token = [], ""
    while True:
        answer = sdk.ci_list_workflowexecution(
            Bucket=BUCKET, WorkflowId=WORKFLOW, BatchJobId=id, Size=100, NextToken=token
        )
        found += listed(answer, "WorkflowExecutionList", "RunId")
        token = answer.get("NextToken") or ""
        if not token:
            break
    assert sorted(found) == sorted(theirs)
    assert alone not in found


def test_list_inventory_jobs(cloud: Emulator, sdk: CosS3Client) -> None:
    first, second = create(sdk), create(sdk, {**JOB, "Name": "other"})
    single = create(sdk, SINGLE)
    assert jobs(sdk) == [second, first]
    assert jobs(sdk, Type="Job") == [single]
    assert jobs(sdk, OrderByTime="Asc") == [first, second]
    assert jobs(sdk, Name="demo") == [first]
    assert jobs(sdk, JobId=second) == [second]
    assert jobs(sdk, WorkflowId=OTHER_WORKFLOW) == []
    assert jobs(sdk, EndCreationTime="2000-01-01T00:00:00+0800") == []
    cloud.set_state(first, "Failed")
    assert jobs(sdk, States="Failed") == [first]
    page = sdk.ci_list_inventory_trigger_jobs(Bucket=BUCKET, Size=1)
    assert listed(page, "JobsDetail", "JobId") == [second]
    assert jobs(sdk, Size=1, NextToken=page["NextToken"]) == [first]


def test_cancel_an_inventory_job(cloud: Emulator, sdk: CosS3Client) -> None:
    id = create(sdk)
    answer = sdk.ci_delete_inventory_trigger_jobs(Bucket=BUCKET, JobId=id)
    assert (answer.status_code, answer.content) == (200, b"")
    assert job(sdk, id)["State"] == "Cancel"
    assert [run["state"] for run in cloud.runs(JOBS)] == ["Cancel"]
    with pytest.raises(CosServiceError) as caught:
        sdk.ci_delete_inventory_trigger_jobs(Bucket=BUCKET, JobId=id)
    assert caught.value.get_status_code() == 400


def test_unknown_runs(sdk: CosS3Client) -> None:
    with pytest.raises(CosServiceError) as caught:
        sdk.ci_get_workflowexecution(Bucket=BUCKET, RunId="i404")
    assert code(caught.value) == "WorkflowExecutionNotFound"
    answer = sdk.ci_get_inventory_trigger_jobs(Bucket=BUCKET, JobID="b404")
    assert answer["NonExistJobIds"] == "b404"
    assert "JobsDetail" not in answer


CALLS: dict[str, Callable[[CosS3Client], Any]] = {
    "trigger": trigger,
    "get execution": lambda sdk: sdk.ci_get_workflowexecution(Bucket=BUCKET, RunId="i1"),
    "list executions": executions,
    "create job": create,
    "get job": lambda sdk: job(sdk, "b1"),
    "list jobs": jobs,
    "cancel job": lambda sdk: sdk.ci_delete_inventory_trigger_jobs(Bucket=BUCKET, JobId="b1"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("id", "secret", "expected"),
    [(SECRET_ID, "wrong", "SignatureDoesNotMatch"), ("AKIDwrong", SECRET_KEY, "InvalidAccessKeyId")],
    ids=["secret", "id"],
)
def test_wrong_keys(cloud: Emulator, call: Callable[..., Any], id: str, secret: str, expected: str) -> None:
    with pytest.raises(CosServiceError) as caught:
        call(tencent(cloud.url, id, secret))
    assert (caught.value.get_status_code(), code(caught.value)) == (403, expected)
    assert caught.value.get_error_code() == "Unknown"  # it asks for a Resource, which errors of CI do not have
    assert cloud.runs(origin=None) == []


def test_a_temporary_token(cloud: Emulator) -> None:
    sdk = tencent(cloud.url, token="TOKEN/abc+def==")
    id, batch = trigger(sdk), create(sdk)
    assert executions(sdk, BatchJobId=batch, Size=1)
    assert id in executions(sdk, Name=KEY)
    for run in cloud.runs():
        headers = run["request"]["headers"]
        assert headers["x-ci-security-token"] == "TOKEN/abc+def=="
        assert "x-cos-security-token" not in headers
        assert ";host;x-ci-security-token&" in headers["authorization"]


def test_the_sdk_fires_again_after_a_lost_answer(cloud: Emulator) -> None:
    """The reason why the provider does not use it: one call, two runs, and one id."""
    cloud.fault(RUNS, "start", "drop_response")
    id = trigger(tencent(cloud.url, retry=1))
    assert len(cloud.ids(RUNS)) == 2
    assert cloud.ids(RUNS)[1] == id


def code(error: CosServiceError) -> str | None:
    """The code of the answer that the SDK was given."""
    return ElementTree.fromstring(error.get_origin_msg()).findtext("Code")


def test_a_look_at_a_workflow(cloud: Emulator, sdk: CosS3Client) -> None:
    found = sdk.ci_get_workflow(Bucket=BUCKET, Ids=f"{WORKFLOW},w1")
    (row,) = found["MediaWorkflowList"]
    assert (row["WorkflowId"], row["State"], row["BucketId"]) == (WORKFLOW, "Active", BUCKET)
    assert found["NonExistIDs"] == "w1"
    assert cloud.runs(origin=None) == []
