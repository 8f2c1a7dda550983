"""EnOS batch flows."""

from __future__ import annotations

import json
from typing import Any

from cloud_runs.enos import answers, codes
from cloud_runs.enos.client import FlowClient, FlowRequest
from cloud_runs.enos.tokens import Session
from cloud_runs.runs import RunApi
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.kits.kit import ACCESS, DATE, NOW, RUN, Kit, Sayings
from tests.support.clients import GO, says

SERVICE = "/dataflow-batch-service/v2.0"
INSTANCE = {
    "instanceId": RUN,
    "flowId": 3377,
    "status": 2,
    "statusDesc": "RUNNING",
    "isCancelled": False,
    "triggerTime": "2019-11-22 09:23:44",
    "timestamp": "2019-11-22 01:23:44.0",
    "graph": '{"tasks": [{"taskName": "n", "status": "RUNNING"}]}',
}
FLOW_ITSELF = {"flowId": 3377, "flowName": "n", "active": 0, "locked": True, "graph": '{"tasks": []}'}


def make(transport: Any, keys: Credentials, endpoint: str | None, /, **options: Any) -> RunApi[Any]:
    who = {"org": "o15", "user": "alice", "session": Session()}
    return FlowClient(transport, keys, endpoint=endpoint or "https://gw.example", flow="3377", **who, **options)


def begin(api: FlowClient, request: FlowRequest) -> str:
    """Without the look for other runs in the minute, which would be a page of the list for each."""
    body = {"flowId": request.flow_id, "triggerTime": request.trigger_time}
    return api._begin("/flows", "trigger", body, GO).id


def row(id: str, **more: Any) -> dict[str, Any]:
    return {"instanceId": id, "flowId": 3377, "status": 2, "statusDesc": "RUNNING"} | more


def ok(data: Any) -> Answer:
    return says({"status": 0, "msg": " Success", "data": data}, Date=DATE)


def healthy(data: Any) -> dict[str, Any]:
    return {"status": 0, "msg": "", "data": data}


FLOW = Kit(
    name="enos.flow",
    resource="enos.FlowRun",
    arguments={"flow_id": 3377},
    work=lambda name: {"flow_id": int(name.removeprefix("case-"))},
    work_of=lambda request: str(json.loads(request["body"])["flowId"]),
    another={"flow_id": 4488},
    configured={"enos:orgId": "o15", "enos:userId": "alice"},
    make=make,
    request=FlowRequest(3377, int(NOW) * 1000),
    requests=lambda n: FlowRequest(3377, n * 60_000),
    begin=begin,
    good=[
        ("POST /apim-token-service", "json", healthy({"accessToken": ACCESS, "expire": 7200})),
        (f"POST {SERVICE}/flows?", "json", healthy({"flowInstanceId": RUN})),
        (f"GET {SERVICE}/flows?action=get", "json", healthy(FLOW_ITSELF)),
        (f"GET {SERVICE}/flowInstances?action=get", "json", healthy(INSTANCE)),
        (
            f"POST {SERVICE}/flowInstances?action=search",
            "json",
            # in another minute, so that a start goes on
            healthy({"flowInsts": [{**INSTANCE, "triggerTime": "2019-11-22 09:07:44"}], "count": 1}),
        ),
        ("POST /dataflow-batch-service", "json", healthy("")),
    ],
    starts=[f"POST {SERVICE}/flows?action={action}" for action in ("trigger", "updateAndTrigger")],
    says=Sayings(
        started=lambda id: ok({"flowInstanceId": id}),
        told=lambda id, **more: ok(row(id, **more)),
        listed=lambda *ids: ok({"flowInsts": [row(id) for id in ids], "count": len(ids)}),
        empty=[ok({"flowInsts": [], "count": 0}), ok({"flowInsts": None, "count": 0})],
        no_list=[
            ok(None),
            ok({}),
            ok({"flowInsts": [], "count": 0, "error": "timeout"}),
            ok({"flowInsts": [], "count": 0, "code": 62109}),
            says({"status": 0, "errorCode": 5, "data": {"flowInsts": [], "count": 0}}),
            says({"status": 0, "code": 62109, "data": {"flowInsts": [], "count": 0}}),
            says({"status": 0, "apim_status": 5000, "data": {"flowInsts": [], "count": 0}}),
            says({"data": {"flowInsts": [], "count": 0}}),
            ok({"flowInsts": [], "count": 2}),
            ok(row(RUN)),
        ],
        beside=ok({"flowInsts": [row(RUN)], "count": 1, "error": "x"}),
        nameless=ok({"status": 1, "flowId": 3377}),
        odd=lambda text: says({"status": 62109, "msg": text, "data": None}),
        endless=lambda n: ok({"flowInsts": [row(f"1-{n}-{i}", flowId=1) for i in range(50)]}),
        texts={
            "state": lambda text: ok(row(RUN, statusDesc=text)),
            "task": lambda text: ok(row(RUN, graph=json.dumps({"tasks": [{"taskName": text, "status": text}]}))),
        },
    ),
    tree=lambda body: answers.document(body) or {},
    status=lambda tree: answers.instance_status("i", tree),
    started_id=lambda body: answers.started_id(body),
    refused=codes.failure,
    words=dict(answers.STATES.values()),
    success="SUCCESS",
    failure="FAIL",
    cancelled="CANCEL",
    unknown="3377-19690101000000",
    refusals=[(200, "62101"), (403, "62103"), (200, "1203"), (429, "429")],
    doubts=[(500, "62109"), (200, "62109"), (200, "77777")],
    more={
        "org_id": "o15",
        "user_id": "alice",
        "trigger_time": 1574385825000.0,
        "parameters": {"REPLACE": "x"},
    },
    denied="62103",  # after another code it would be in doubt whether a run has started
    token_header="apim-accesstoken",
    by_minute=True,
    tells_end=False,
)
