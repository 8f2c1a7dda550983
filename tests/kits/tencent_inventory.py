"""Tencent CI inventory jobs: another kind of the same service, whose formats and keys the other file has."""

from __future__ import annotations

import re
from typing import Any

from cloud_runs.runs import RunApi
from cloud_runs.tencent import answers, codes
from cloud_runs.tencent.jobs import InventoryClient, InventoryRequest
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.kits.kit import RUN, Kit, Sayings, elements, xml
from tests.kits.tencent_workflow import CONFIGURED, DOUBTS, ID, OTHER, PLACE, REFUSALS, odd
from tests.support.clients import GO, says
from tests.support.stack import BUCKET

JOB = {
    "JobId": RUN,
    "Name": "demo",
    "Type": "Workflow",
    "State": "Running",
    "CreationTime": "2019-11-22T01:23:44Z",
    "Input": {"Prefix": "input"},
    "Operation": {"WorkflowIds": OTHER},
}


def make(transport: Any, keys: Credentials, endpoint: str | None, /, **options: Any) -> RunApi[Any]:
    return InventoryClient(transport, keys, endpoint=endpoint, **PLACE, **options)


def job(id: str, **more: str) -> str:
    return elements({"JobId": id, "Name": "demo", "Type": "Workflow", "State": "Running"} | more)


def told(id: str, **more: str) -> Answer:
    return xml(f"<JobsDetail>{job(id, **more)}</JobsDetail>")


INVENTORY = Kit(
    name="tencent.inventory",
    resource="tencent.InventoryJob",
    # a prefix that no object has, so that the emulator's job starts no executions
    arguments={"bucket": BUCKET, "type": "Workflow", "workflow_ids": ID, "input": {"prefix": "none/"}},
    work=lambda name: {"input": {"prefix": f"{name}/"}},
    work_of=lambda request: str(re.search("<Prefix>(.*)</Prefix>", request["body"])[1]),
    another={"workflow_ids": "w" + "0" * 32},
    plain=lambda name: {"name": name},
    configured=CONFIGURED,
    make=make,
    request=InventoryRequest("demo", "Workflow", {"Prefix": "input"}, {"WorkflowIds": OTHER}),
    requests=lambda n: InventoryRequest(f"job-{n}", "Workflow", {"Prefix": "none/"}, {"WorkflowIds": "w" + "1" * 32}),
    begin=lambda api, request: str(api.start(request, GO).id),
    good=[
        ("POST /inventorytriggerjob", "xml", {"Response": {"RequestId": "r", "JobsDetail": JOB}}),
        ("GET /inventorytriggerjob", "xml", {"Response": {"RequestId": "r", "JobsDetail": JOB, "NextToken": ""}}),
        ("PUT /inventorytriggerjob", "xml", {}),
    ],
    starts=["POST /inventorytriggerjob"],
    says=Sayings(
        started=told,
        told=told,
        listed=lambda *ids: xml("".join(f"<JobsDetail>{job(id)}</JobsDetail>" for id in ids) + "<NextToken/>"),
        empty=[says("<Response><RequestId>r</RequestId></Response>"), says("<Response><NextToken/></Response>")],
        no_list=[
            says("<Response/>"),
            xml("<Code>InternalError</Code><Message>try again</Message>"),
            xml("<Error><Message>x</Message></Error>"),
            xml("<NonExistJobIds>b1</NonExistJobIds>"),
            xml("<Code>SlowDown</Code>"),
        ],
        beside=xml(f"<Code>InternalError</Code><JobsDetail>{job(RUN)}</JobsDetail>"),
        nameless=xml("<JobsDetail><State>Success</State></JobsDetail>"),
        odd=odd,
        endless=lambda n: xml(f"<NextToken>t{n}</NextToken>"),
        texts={
            "message": lambda text: told(RUN, State="Failed", Message=text),
            "code": lambda text: told(RUN, State="Failed", Code=text),
        },
    ),
    tree=lambda body: answers.mapping(answers.document(body)[1]),
    status=lambda tree: answers.job_status("i", tree, "r"),
    started_id=lambda body: answers.started_id(body, "JobId")[0],
    refused=codes.failure,
    words=answers.PHASES,
    success="Success",
    failure="Failed",
    cancelled="Cancel",
    unknown="b404",
    refusals=REFUSALS,
    doubts=DOUBTS,
    more={
        "region": "ap-beijing",
        "time_interval": {"start": "2022-02-01T12:00:00+0800"},
        "operation": {"user_data": "x"},
    },
    calls={"executions": lambda api: api.executions(api.get(RUN))},
    tells_tasks=False,
    family="tencent.workflow",
)
