"""Huawei OBS workflows."""

from __future__ import annotations

import json
from typing import Any

from cloud_runs.huawei import answers, codes
from cloud_runs.huawei.client import WorkflowClient
from cloud_runs.huawei.finding import WorkflowRequest
from cloud_runs.runs import RunApi
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.kits.kit import DATE, RUN, Kit, Sayings
from tests.support.clients import GO, says

GRAPH = {
    "name": "scan",
    "graph_urn": "urn:fgs:r:p:graph:scan",
    "definition": {"inputs": [{"parameter_name": "template-id", "default": 1}, {"parameter_name": "needed"}]},
}
EXECUTION = {
    "graph_urn": "urn:fgs:r:p:graph:scan",
    "execution_name": RUN,
    "execution_urn": "urn:fgs:r:p:execution:scan:e:d",
    "execution_type": "APICALL",
    "execution_state": "SUCCESS",
    "started_at": "2019-11-22T01:23:44.000Z",
    "input": '{"bucket": "demo-bucket", "object": "/mpc/demo.mp4", "inputs": {"template-id": 7}}',
    "state_map": {"s": {"state_name": "n", "type": "t", "status": "SUCCESS"}},
}
STARTED = {key: EXECUTION[key] for key in ("execution_name", "execution_urn", "started_at")}
RESUMED = {"execution_name": RUN, "execution_urn": "u", "restored_at": "2019-11-22T01:23:45.000Z"}


def make(transport: Any, keys: Credentials, endpoint: str | None, /, **options: Any) -> RunApi[Any]:
    return WorkflowClient(transport, keys, region="cn-north-4", graph_name="scan", endpoint=endpoint, **options)


def row(id: str, **more: str) -> dict[str, Any]:
    return {"execution_name": id, "execution_state": "RUNNING", "execution_type": "APICALL"} | more


def told(id: str, **more: Any) -> Answer:
    return says({"execution_info": row(id, **more)}, Date=DATE)


HUAWEI = Kit(
    name="huawei.workflow",
    resource="huawei.WorkflowRun",
    fan_out="huawei.WorkflowFanOut",
    arguments={"graph_name": "scan", "bucket": "demo-bucket", "object": "a.mp4"},
    work=lambda name: {"object": f"{name}.mp4"},
    work_of=lambda request: str(json.loads(request["body"])["object"]),
    another={"graph_name": "other"},
    configured={"huaweicloud:region": "cn-north-4"},
    make=make,
    request=WorkflowRequest("demo-bucket", "/mpc/demo.mp4", {"template-id": 7.0}),
    requests=lambda n: WorkflowRequest("demo-bucket", f"{n}.mp4"),
    begin=lambda api, request: str(api.start(request, GO).id),
    good=[
        (
            "POST /v2/workflows/",
            "json",
            STARTED,
        ),
        ("GET /v2/workflows/", "json", GRAPH),
        ("PUT /v2/workflowexecutions/", "json", RESUMED),
        ("GET /v2/workflowexecutions/", "json", {"execution_info": EXECUTION}),
        (
            "GET /v2/workflowexecutions",
            "json",
            {"count": 1, "is_truncated": False, "next_marker": "", "executions": [EXECUTION]},
        ),
    ],
    starts=["POST /v2/workflows/"],
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
            says({"count": 0, "executions": [], "error_code": "SYS.0042"}),
            says({"count": 0, "executions": [], "is_truncated": False, "message": "try again"}),
            says({"count": 0, "errorMsg": "x"}),
            says({"count": 3, "executions": [], "is_truncated": False}),
            says({"count": "0"}),
            says({"executions": [], "error": {"code": "x"}}),
            says({"execution_info": row(RUN)}),
            says("<Error><Code>InternalError</Code></Error>"),
        ],
        beside=says({"count": 1, "executions": [row(RUN)], "error_code": "x"}),
        nameless=says({"execution_info": {"execution_state": "SUCCESS"}}),
        odd=lambda text: says({"count": 0, "executions": [], "error_code": "SYS.0042", "error_msg": text}),
        endless=lambda n: says({"executions": [], "is_truncated": True, "next_marker": f"m{n}"}),
        texts={
            "state": lambda text: told(RUN, execution_state=text),
            "task": lambda text: told(RUN, state_map={"s": {"state_name": text, "status": text}}),
            "request id": lambda text: says({"execution_info": row(RUN)}, X_Request_ID=text),
        },
    ),
    tree=lambda body: answers.mapping(answers.parsed(body)),
    status=lambda tree: answers.execution_status("i", tree, "r"),
    started_id=lambda body: answers.started_id(body)[0],
    refused=codes.failure,
    words=answers.PHASES,
    success="SUCCESS",
    failure="FAILED",
    cancelled="cancelled",
    unknown="e404",
    refusals=[(400, "InvalidArgument"), (403, "AccessDenied"), (503, "SlowDown"), (429, "TooMany")],
    doubts=[(500, "InternalError"), (503, "ServiceUnavailable"), (408, "RequestTimeout")],
    more={"region": "cn-north-4", "inputs": {"template-id": 7.0}},
    calls={"stopped_at": lambda api: api.stopped_at(api.get(RUN))},
    resume="resume",
    resume_path=f"PUT /v2/workflowexecutions/{RUN}",
)
