"""Huawei DWR workflows."""

from __future__ import annotations

import json
from typing import Any

from cloud_runs.huawei import answers as obs
from cloud_runs.huawei.dwr import answers, codes
from cloud_runs.huawei.dwr.client import WorkflowClient
from cloud_runs.huawei.finding import WorkflowRequest
from cloud_runs.runs import RunApi
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.kits.kit import DATE, RUN, Kit, Sayings
from tests.support.clients import GO, says

PROJECT = "0123456789abcdef0123456789abcdef"
GRAPH = {
    "name": "scan",
    "graph_urn": f"urn:fgs:r:{PROJECT}:graph:scan",
    "definition": {"inputs": [{"parameter_name": "template-id", "default": 1}, {"parameter_name": "needed"}]},
}
BEGAN = "2019-11-22T01:23:44Z"
ROW = {
    "graph_urn": f"urn:fgs:r:{PROJECT}:graph:scan",
    "execution_name": RUN,
    "execution_urn": "urn:fgs:r:p:execution:scan:e:d",
    "execution_type": "APICALL",
    "execution_state": "success",
    "started_at": BEGAN,
    "stopped_at": "2019-11-22T01:23:45Z",
}
INSTANCE = {
    "workflow_urn": f"urn:fss:r:{PROJECT}:workflow:default:scan:latest",
    "execution_id": RUN,
    "status": "success",
    "input": {"bucket": "demo-bucket", "object": "/mpc/demo.mp4", "inputs": {"template-id": 7}},
    "begin_time": BEGAN,
    "end_time": "2019-11-22T01:23:45Z",
    "node_execution_details": [{"status": "success", "begin_time": 1574385824000, "request_id": "n"}],
}
RETRY = f"POST /v3/{PROJECT}/workflows/scan/workflowexecution/{RUN}/retry"
STARTED = {"execution_name": RUN, "execution_urn": ROW["execution_urn"], "started_at": BEGAN}
RESUMED = {"execution_name": RUN, "execution_urn": ROW["execution_urn"], "restored_at": "2019-11-22T01:23:45Z"}


def make(transport: Any, keys: Credentials, endpoint: str | None, /, **options: Any) -> RunApi[Any]:
    place = {"region": "cn-north-4", "graph_name": "scan", "project_id": PROJECT}
    return WorkflowClient(transport, keys, **{**place, **options}, endpoint=endpoint)


def row(id: str) -> dict[str, Any]:
    return {"execution_name": id, "execution_state": "running", "execution_type": "APICALL"}


def told(id: str, **more: Any) -> Answer:
    return says({"execution_id": id, "status": "running", **more}, Date=DATE)


HUAWEI_DWR = Kit(
    name="huawei.dwr",
    resource="huawei.dwr.WorkflowRun",
    fan_out="huawei.dwr.WorkflowFanOut",
    arguments={"graph_name": "scan", "bucket": "demo-bucket", "object": "a.mp4"},
    work=lambda name: {"object": f"{name}.mp4"},
    work_of=lambda request: str(json.loads(request["body"])["object"]),
    another={"graph_name": "other"},
    configured={"huaweicloud:region": "cn-north-4", "huaweicloud:projectId": PROJECT},
    make=make,
    request=WorkflowRequest("demo-bucket", "/mpc/demo.mp4", {"template-id": 7.0}),
    requests=lambda n: WorkflowRequest("demo-bucket", f"{n}.mp4"),
    begin=lambda api, request: str(api.start(request, GO).id),
    good=[
        (RETRY, "json", RESUMED),
        (f"POST /v3/{PROJECT}/workflows/", "json", STARTED),
        (f"GET /v3/{PROJECT}/workflows/scan/workflowexecution/", "json", INSTANCE),
        (f"GET /v3/{PROJECT}/workflows/", "json", GRAPH),
        (
            f"GET /v3/{PROJECT}/workflowexecutions",
            "json",
            {"count": 1, "is_truncated": False, "executions": [ROW]},
        ),
    ],
    starts=[f"POST /v3/{PROJECT}/workflows/"],
    says=Sayings(
        started=lambda id: says({"execution_name": id, "execution_urn": "u"}, Date=DATE),
        told=told,
        listed=lambda *ids: says(
            {"count": len(ids), "executions": [row(id) for id in ids], "is_truncated": False}, Date=DATE
        ),
        empty=[
            says({"count": 0, "executions": [], "is_truncated": False}),
            says({"count": 0, "is_truncated": False}),
            says({"executions": []}),
        ],
        no_list=[
            says({}),
            says({"error_code": "SYS.0001", "error_msg": "x"}),
            says({"count": 0, "executions": [], "error_code": 42}),
            says({"count": 0, "executions": [], "is_truncated": False, "message": "try again"}),
            says({"count": 0, "errorMsg": "x"}),
            says({"count": 3, "executions": [], "is_truncated": False}),
            says({"count": "0"}),
            says({"executions": [], "error": {"code": "x"}}),
            says({"execution_id": RUN, "status": "running"}),
            says("<html>Bad Gateway</html>"),
        ],
        beside=says({"count": 1, "executions": [row(RUN)], "error_code": "x"}),
        nameless=says({"status": "success"}),
        odd=lambda text: says({"count": 0, "executions": [], "error_code": "SYS.0042", "error_msg": text}),
        endless=lambda n: says({"executions": [], "is_truncated": True, "next_offset": n + 1}),
        texts={
            "state": lambda text: told(RUN, status=text),
            "task": lambda text: told(RUN, node_execution_details=[{"status": text, "error_message": text}]),
            "page": lambda text: says({"execution_info": {"execution_name": RUN, "execution_state": text}}),
            "request id": lambda text: says({"execution_id": RUN}, X_Request_ID=text),
        },
    ),
    tree=lambda body: obs.mapping(obs.parsed(body)),
    status=lambda tree: answers.execution_status("i", tree, "r"),
    started_id=lambda body: obs.started_id(body)[0],
    refused=codes.failure,
    words=obs.PHASES,
    success="success",
    failure="fail",
    cancelled="cancel",
    unknown="e404",
    refusals=[(400, "SYS.0010"), (401, "APIGW.0301"), (403, "SYS.0005"), (429, "APIG.0308")],
    doubts=[(500, "SYS.0001"), (502, "X"), (504, "APIG.0201"), (408, "X")],
    more={"region": "cn-north-4", "project_id": PROJECT, "inputs": {"template-id": 7.0}},
    denied="SYS.0005",
    resume="retry",
    resume_path=RETRY,
    otherwise=("--dwr-answers", "page"),
)
