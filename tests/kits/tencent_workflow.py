"""Tencent CI workflows."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from cloud_runs.runs import RunApi
from cloud_runs.tencent import answers, codes
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.kits.kit import RUN, Kit, Sayings, elements, xml
from tests.support.clients import GO, says
from tests.support.stack import BUCKET
from tests.support.stack import WORKFLOW as ID

PLACE: dict[str, Any] = {"region": "ap-beijing", "bucket": BUCKET}
CONFIGURED = {"tencentcloud:region": "ap-beijing"}
OTHER = "w7476ff3564ee45b7b490d64bccaba6cc"
DEFINITIONS = [
    {"Name": "n", "WorkflowId": ID, "State": "Paused"},
    {"Name": "n", "WorkflowId": OTHER, "State": "Active"},
]
TASK = {
    "Type": "Transcode",
    "Name": "t",
    "State": "Success",
    "Code": "Success",
    "Message": "",
    "StartTime": "-",
    "ResultInfo": {"ObjectInfo": [{"ObjectName": "a.mp4", "Code": "0"}]},
}
EXECUTION = {
    "RunId": RUN,
    "WorkflowId": ID,
    "Object": "test.mp4",
    "State": "Failed",
    "CreateTime": "2019-11-22T01:23:44Z",
    "Tasks": [TASK, TASK],
}
FAILED = "<Tasks><Name>{0}</Name><Type>t</Type><State>Failed</State><Code>{0}</Code><Message>{0}</Message></Tasks>"
REFUSALS = [(400, "MediaBucketUnBinded"), (403, "AccessDenied"), (503, "SlowDown"), (429, "TooMany")]
DOUBTS = [(500, "InternalError"), (503, "ServiceUnavailable"), (408, "RequestTimeout")]


def make(transport: Any, keys: Credentials, endpoint: str | None, /, **options: Any) -> RunApi[Any]:
    return WorkflowClient(transport, keys, endpoint=endpoint, **PLACE, **options)


def execution(id: str, **more: str) -> str:
    return elements({"RunId": id, "WorkflowId": ID, "Object": "test.mp4", "State": "Running"} | more)


def told(id: str, **more: str) -> Answer:
    return xml(f"<WorkflowExecution>{execution(id, **more)}</WorkflowExecution>")


def odd(text: str) -> Answer:
    return xml(f"<Code>InternalError</Code><Message>{escape(text)}</Message>")


WORKFLOW = Kit(
    name="tencent.workflow",
    resource="tencent.WorkflowRun",
    fan_out="tencent.WorkflowFanOut",
    arguments={"bucket": BUCKET, "workflow_id": ID, "object": "a.mp4"},
    work=lambda name: {"object": f"{name}.mp4"},
    work_of=lambda request: str(request["query"]["object"]),
    another={"workflow_id": "w" + "0" * 32},
    configured=CONFIGURED,
    make=make,
    request=WorkflowRequest(ID, "test.mp4"),
    requests=lambda n: WorkflowRequest("w" + "1" * 32, f"{n}.mp4"),
    begin=lambda api, request: str(api.start(request, GO).id),
    good=[
        ("GET /workflow?", "xml", {"Response": {"RequestId": "r", "MediaWorkflowList": DEFINITIONS}}),
        ("POST /triggerworkflow", "xml", {"Response": {"RequestId": "r", "InstanceId": RUN}}),
        ("GET /workflowexecution/", "xml", {"Response": {"RequestId": "r", "WorkflowExecution": EXECUTION}}),
        (
            "GET /workflowexecution",
            "xml",
            {"Response": {"RequestId": "r", "WorkflowExecutionList": [EXECUTION, EXECUTION], "NextToken": ""}},
        ),
    ],
    starts=["POST /triggerworkflow"],
    says=Sayings(
        started=lambda id: xml(elements({"InstanceId": id})),
        told=told,
        listed=lambda *ids: xml(
            "".join(f"<WorkflowExecutionList>{execution(id)}</WorkflowExecutionList>" for id in ids) + "<NextToken/>"
        ),
        empty=[
            says("<Response><RequestId>r</RequestId></Response>"),
            says("<Response><NextToken/></Response>"),
            says('<Response xmlns="x"><RequestId>r</RequestId><NextToken></NextToken></Response>'),
            says("<Response><RequestId>r</RequestId><TotalCount>0</TotalCount></Response>"),
        ],
        no_list=[
            says("<Response/>"),
            says("<Response>text</Response>"),
            xml("<Code>InternalError</Code><Message>try again</Message>"),
            xml("<Error><Code>InternalError</Code></Error>"),
            xml("<Error>InternalError</Error>"),
            xml("<Errors><Error>x</Error></Errors><NextToken/>"),
            xml("<ErrorCode>1007</ErrorCode>"),
            xml("<code>1007</code>"),
            xml("<Message>We are sorry</Message><NextToken/>"),
            xml("<Status>failed</Status>"),
            xml("<JobsDetail><JobId>b1</JobId></JobsDetail>"),
            xml("<InstanceId>i1</InstanceId>"),
            xml("<Code>InternalError</Code>", "Error"),
            says({"code": 1007, "message": "x"}),
        ],
        beside=xml(f"<Code>InternalError</Code><WorkflowExecutionList>{execution(RUN)}</WorkflowExecutionList>"),
        nameless=xml("<WorkflowExecution><State>Success</State><Object>test.mp4</Object></WorkflowExecution>"),
        odd=odd,
        endless=lambda n: xml(f"<NextToken>t{n}</NextToken>"),
        texts={
            "state": lambda text: told(RUN, State=text),
            "task": lambda text: xml(
                f"<WorkflowExecution>{execution(RUN, State='Failed')}{FAILED.format(escape(text))}</WorkflowExecution>"
            ),
            "request id": lambda text: says(
                f"<Response>{elements({'RequestId': text})}"
                f"<WorkflowExecution>{execution(RUN)}</WorkflowExecution></Response>"
            ),
        },
    ),
    tree=lambda body: answers.mapping(answers.document(body)[1]),
    status=lambda tree: answers.execution_status("i", tree, "r"),
    started_id=lambda body: answers.started_id(body, "InstanceId")[0],
    refused=codes.failure,
    words=answers.PHASES,
    success="Success",
    failure="Failed",
    cancelled="Cancel",
    unknown="i404",
    refusals=REFUSALS,
    doubts=DOUBTS,
    more={"region": "ap-beijing"},
)
