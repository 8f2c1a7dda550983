"""What our clients send and what the vendors' SDKs send for the same work, compared field by field.

Both go to the emulator, which accepts both, through a recorder. Each difference is a row of `differences.ROWS`. Ours
signs at the second at which the SDK did, so even signatures must be equal where nothing that they cover differs.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkdwr import v3

from cloud_runs.huawei import client as obs_client
from cloud_runs.huawei.dwr import client as dwr_client
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.tencent import signing
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.tencent.jobs import InventoryClient, InventoryRequest
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Transport
from tests.support.clients import GO, an_hour_ago, soon
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.vendor import differences
from tests.vendor.recorder import Recorded, Recorder, recorder
from tests.vendor.sdks import BUCKET, DWR_PROJECT, GRAPH, HUAWEI_REGION, REGION, dwr, dwr_of_a_region, huawei, tencent
from tests.vendor.wire import differing, fields

WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799"
KEY = "videos/my clip (1)+~中.mp4"
TOKEN = "TOKEN/abc+def=="
AGO = an_hour_ago()
SINCE, SINCE_TEXT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "2026-01-02T03:04:05+0000"
INPUTS = {"template-id": 1234567, "rate": 1.5, "on": True, "tags": ["a", "中"], "deep": {"x": "\"'"}}
WORK = WorkflowRequest(WORKFLOW, KEY)
BATCH = InventoryRequest(
    "demo",
    "Workflow",
    {"Prefix": "input"},
    {
        "TimeInterval": {"Start": "2022-02-01T12:00:00+0800", "End": "2022-05-01T12:00:00+0800"},
        "WorkflowIds": WORKFLOW,
    },
)
SINGLE = InventoryRequest(
    "batch-1",
    "Job",
    {"Object": "a b/中.mp4"},
    {
        "Tag": "Transcode",
        "JobParam": {"TemplateId": "t1", "WatermarkTemplateId": ["t2", "t3"]},
        "Output": {"Region": REGION, "Bucket": BUCKET, "Object": "out/${InputName}.${ext}"},
        "UserData": "a<b>&\"c'",
    },
)


class Bench:
    """Both sides, and a run of each kind to look at. `now` is the clock of ours, `token` that of a temporary key."""

    def __init__(self, cloud: Emulator, record: Recorder) -> None:
        self.cloud, self.record = cloud, record
        self.now, self.token = datetime.now(timezone.utc).timestamp(), ""
        self.execution = self.executions().start(WORK, GO).id
        self.job = self.jobs().start(BATCH, GO).id
        self.dwr_run = self.dwr_graph().start(obs_client.WorkflowRequest("demo-bucket", KEY), GO).id
        self.graph_run = self.graph().start(obs_client.WorkflowRequest("demo-bucket", KEY), GO).id
        record.take()

    def _place(self, **place: str) -> dict[str, Any]:
        return {**place, "endpoint": self.record.url, "clock": lambda: self.now}

    @property
    def _keys(self) -> Credentials:
        return Credentials(SECRET_ID, SECRET_KEY, self.token)

    def executions(self) -> WorkflowClient:
        return WorkflowClient(Transport(), self._keys, **self._place(region=REGION, bucket=BUCKET))

    def jobs(self) -> InventoryClient:
        return InventoryClient(Transport(), self._keys, **self._place(region=REGION, bucket=BUCKET))

    def graph(self) -> obs_client.WorkflowClient:
        place = self._place(region=HUAWEI_REGION, graph_name=GRAPH)
        return obs_client.WorkflowClient(Transport(), self._keys, **place)

    def dwr_graph(self, project: str | None = DWR_PROJECT) -> dwr_client.WorkflowClient:
        place = self._place(region="cn-south-1", graph_name=GRAPH)
        return dwr_client.WorkflowClient(Transport(), self._keys, **place, project_id=project)

    def dwr(self, call: Callable[[Any], Any]) -> Any:
        with self.proxied():
            return call(dwr("http://dwr.cn-south-1.myhuaweicloud.com", token=self.token or None))

    def dwr_project(self) -> Any:
        """What the SDK was told of it before, it does not ask for again in one process."""
        with self.proxied() as patch:
            patch.setattr(BasicCredentials, "_CACHE", {})
            hosts = [f"http://{service}.cn-south-1.myhuaweicloud.com" for service in ("dwr", "iam")]
            return dwr_of_a_region(*hosts, "cn-south-1", self.token or None)

    @contextmanager
    def proxied(self) -> Iterator[pytest.MonkeyPatch]:
        """The SDK of DWR has a proxy of its own for https alone, and heeds the environment's for http."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("no_proxy", "NO_PROXY"):
                patch.delenv(name, raising=False)
            patch.setenv("http_proxy", self.record.url)
            yield patch

    def failed(self, id: str) -> str:
        self.cloud.set_state(id, "fail")
        return id

    def cos(self) -> Any:
        return tencent(self.record.url, token=self.token or None)

    def obs(self) -> Any:
        host = f"http://obs.{HUAWEI_REGION}.myhuaweicloud.com"
        return huawei(host, token=self.token or None, tunnel=self.record.url)


@dataclass(frozen=True)
class Call:
    """The same work by both. `which` of the requests that it takes is compared."""

    ours: Callable[[Bench], Any]
    theirs: Callable[[Bench], Any]
    which: int = 0
    token: str = ""


def trigger(bench: Bench) -> Any:
    return bench.cos().ci_trigger_workflow(Bucket=BUCKET, WorkflowId=WORKFLOW, Key=KEY)


def create(request: InventoryRequest) -> Callable[[Bench], Any]:
    """As in the SDK's own demo, which gives the content type."""
    body = {"Name": request.name, "Type": request.type, "Input": request.input, "Operation": request.operation}
    return lambda bench: bench.cos().ci_create_inventory_trigger_jobs(
        Bucket=BUCKET, JobBody=body, ContentType="application/xml"
    )


def cancel(bench: Bench) -> Any:
    bench.cloud.set_state(bench.job, "Running")
    return bench.cos().ci_delete_inventory_trigger_jobs(Bucket=BUCKET, JobId=bench.job)


def our_cancel(bench: Bench) -> None:
    bench.cloud.set_state(bench.job, "Running")
    bench.jobs().cancel(bench.job)


def second_page(bench: Bench) -> Any:
    def page(token: str) -> Any:
        return bench.cos().ci_list_workflowexecution(
            Bucket=BUCKET, WorkflowId=WORKFLOW, BatchJobId=bench.job, Size=100, NextToken=token
        )

    return page(page("")["NextToken"])


def going(bench: Bench) -> None:
    """The list that a look at many runs asks for, after one of them has told the workflow."""
    client = bench.executions()
    client.get_many([bench.execution, *(client.start(WORK, GO).id for _ in range(2))])


def going_jobs(bench: Bench) -> None:
    client = bench.jobs()
    client.get_many([bench.job, client.start(BATCH, GO).id])


def dwr_start(bench: Bench, body: Any) -> Any:
    request = v3.AsyncInvokeApiStartWorkflowRequest(graph_name=GRAPH, body=body)
    return bench.dwr(lambda sdk: sdk.async_invoke_api_start_workflow(request))


def our_project(bench: Bench) -> Any:
    """Asked for before the first call that needs it."""
    return bench.dwr_graph(project=None).workflows(obs_client.WorkflowRequest("demo-bucket", KEY))


def dwr_list(bench: Bench) -> Any:
    """For the window of ours, which ends a while after now: both within one second, else once more."""
    while True:
        bench.record.take()
        bench.now = float(int(time.time()))
        bench.dwr_graph().find(obs_client.WorkflowRequest("demo-bucket", KEY), AGO, soon())
        asked = dict(parse_qsl(bench.record.take()[0].target.partition("?")[2]))
        window = {name: asked[name] for name in ("start_time", "end_time")}
        request = v3.ListWorkflowInstanceRequest(graph_name=GRAPH, limit=200, **window)
        answer = bench.dwr(lambda sdk, request=request: sdk.list_workflow_instance(request))
        if int(time.time()) == bench.now:
            return answer


CALLS = {
    "CI trigger": Call(lambda b: b.executions().start(WORK, GO), trigger),
    "CI trigger, temporary key": Call(lambda b: b.executions().start(WORK, GO), trigger, token=TOKEN),
    "CI get execution": Call(
        lambda b: b.executions().get(b.execution),
        lambda b: b.cos().ci_get_workflowexecution(Bucket=BUCKET, RunId=b.execution),
    ),
    "CI list executions": Call(
        lambda b: b.executions().find(WORK, SINCE, soon()),
        lambda b: b.cos().ci_list_workflowexecution(
            Bucket=BUCKET, WorkflowId=WORKFLOW, StartCreationTime=SINCE_TEXT, Size=100
        ),
    ),
    "CI list executions of a job, page 2": Call(lambda b: b.jobs().executions(b.jobs().get(b.job)), second_page, -1),
    "CI list executions that go on": Call(
        going,
        lambda b: b.cos().ci_list_workflowexecution(
            Bucket=BUCKET, WorkflowId=WORKFLOW, States="Running,Pause", Size=100
        ),
        -1,
    ),
    "CI create job": Call(lambda b: b.jobs().start(BATCH, GO), create(BATCH)),
    "CI create job of type Job": Call(lambda b: b.jobs().start(SINGLE, GO), create(SINGLE)),
    "CI get job": Call(
        lambda b: b.jobs().get(b.job), lambda b: b.cos().ci_get_inventory_trigger_jobs(Bucket=BUCKET, JobID=b.job)
    ),
    "CI list jobs": Call(
        lambda b: b.jobs().find(BATCH, SINCE, soon()),
        lambda b: b.cos().ci_list_inventory_trigger_jobs(Bucket=BUCKET, StartCreationTime=SINCE_TEXT, Size=100),
    ),
    "CI list jobs that go on": Call(
        going_jobs,
        lambda b: b.cos().ci_list_inventory_trigger_jobs(Bucket=BUCKET, States="Submitted,Running,Pause", Size=100),
        -1,
    ),
    "CI cancel job": Call(our_cancel, cancel),
    "OBS start": Call(
        lambda b: b.graph().start(obs_client.WorkflowRequest("demo-bucket", KEY, INPUTS), GO),
        lambda b: b.obs().asyncAPIStartWorkflow(GRAPH, "demo-bucket", KEY, INPUTS),
    ),
    "OBS start without inputs": Call(
        lambda b: b.graph().start(obs_client.WorkflowRequest("demo-bucket", KEY), GO),
        lambda b: b.obs().asyncAPIStartWorkflow(GRAPH, "demo-bucket", KEY),
    ),
    "OBS start, temporary key": Call(
        lambda b: b.graph().start(obs_client.WorkflowRequest("demo-bucket", KEY, INPUTS), GO),
        lambda b: b.obs().asyncAPIStartWorkflow(GRAPH, "demo-bucket", KEY, INPUTS),
        token=TOKEN,
    ),
    "OBS get": Call(lambda b: b.graph().get(b.graph_run), lambda b: b.obs().getWorkflowExecution(b.graph_run, GRAPH)),
    "OBS list": Call(
        lambda b: b.graph().find(obs_client.WorkflowRequest("demo-bucket", KEY), SINCE, soon()),
        lambda b: b.obs().listWorkflowExecution(GRAPH, "APICALL", limit=1000),
    ),
    "OBS list after a marker": Call(
        lambda b: b.graph().stopped_at(RunStatus("a/b c+=", Phase.SUCCEEDED, "SUCCESS")),
        lambda b: b.obs().listWorkflowExecution(GRAPH, nextMarker="APICALLa/b c+", limit=100),
    ),
    "OBS resume": Call(
        lambda b: b.graph().resume(b.failed(b.graph_run), GO),
        lambda b: b.obs().restoreFailedWorkflowExecution(b.failed(b.graph_run), GRAPH),
    ),
    "OBS workflow": Call(
        lambda b: b.graph().workflows(obs_client.WorkflowRequest("demo-bucket", KEY)),
        lambda b: b.obs().getWorkflow(GRAPH),
    ),
    "DWR start": Call(
        lambda b: b.dwr_graph().start(obs_client.WorkflowRequest("demo-bucket", KEY, INPUTS), GO),
        lambda b: dwr_start(b, {"bucket": "demo-bucket", "object": KEY, "inputs": INPUTS}),
    ),
    "DWR start without inputs": Call(
        lambda b: b.dwr_graph().start(obs_client.WorkflowRequest("demo-bucket", KEY), GO),
        lambda b: dwr_start(b, v3.ExecuteWorkflowBody(bucket="demo-bucket", object=KEY)),
    ),
    "DWR start, temporary key": Call(
        lambda b: b.dwr_graph().start(obs_client.WorkflowRequest("demo-bucket", KEY, INPUTS), GO),
        lambda b: dwr_start(b, {"bucket": "demo-bucket", "object": KEY, "inputs": INPUTS}),
        token=TOKEN,
    ),
    "DWR get": Call(
        lambda b: b.dwr_graph().get(b.dwr_run),
        lambda b: b.dwr(
            lambda sdk: sdk.show_workflow_instance(
                v3.ShowWorkflowInstanceRequest(execution_name=b.dwr_run, graph_name=GRAPH)
            )
        ),
    ),
    "DWR list": Call(
        lambda b: b.dwr_graph().find(obs_client.WorkflowRequest("demo-bucket", KEY), AGO, soon()), dwr_list
    ),
    "DWR retry": Call(
        lambda b: b.dwr_graph().resume(b.failed(b.dwr_run), GO),
        lambda b: b.dwr(
            lambda sdk: sdk.restore_workflow_execution(
                v3.RestoreWorkflowExecutionRequest(execution_name=b.failed(b.dwr_run), graph_name=GRAPH)
            )
        ),
    ),
    "DWR workflow": Call(
        lambda b: b.dwr_graph().workflows(obs_client.WorkflowRequest("demo-bucket", KEY)),
        lambda b: b.dwr(lambda sdk: sdk.show_workflow_info(v3.ShowWorkflowInfoRequest(graph_name=GRAPH))),
    ),
    "DWR project": Call(our_project, Bench.dwr_project),
    "DWR project, temporary key": Call(our_project, Bench.dwr_project, token=TOKEN),
}


@pytest.fixture
def bench(cloud: Emulator) -> Iterator[Bench]:
    with recorder(cloud.url) as record:
        yield Bench(cloud, record)


def both(bench: Bench, call: Call) -> tuple[Recorded, Recorded]:
    bench.token = call.token
    call.theirs(bench)
    theirs = bench.record.take()[call.which]
    bench.now = signed_at(theirs)
    call.ours(bench)
    return bench.record.take()[call.which], theirs


def signed_at(request: Recorded) -> float:
    """The clock of the SDK: CI's signature begins 60 seconds before it, OBS's request has a date."""
    sent = fields(request)
    if "X-Sdk-Date" in sent:
        return datetime.strptime(sent["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    if "Date" in sent:
        return email.utils.parsedate_to_datetime(sent["Date"]).timestamp()
    return float(sent["Authorization q-sign-time"].partition(";")[0]) + 60


def expected(name: str) -> Mapping[str, tuple[str, str]]:
    rows = [row for row in differences.ROWS if name in row.calls]
    assert len({row.field for row in rows}) == len(rows), f"two rows for one field of {name}"
    return {row.field: (row.ours, row.theirs) for row in rows}


@pytest.mark.parametrize("name", CALLS)
def test_every_difference_is_in_the_table(bench: Bench, name: str) -> None:
    ours, theirs = both(bench, CALLS[name])
    assert (ours.status, theirs.status) == (200, 200)
    assert differing(ours, theirs) == expected(name)


@pytest.mark.parametrize("name", [name for name in CALLS if name.startswith("CI ")])
def test_our_signer_comes_to_the_sdks_signature(bench: Bench, name: str) -> None:
    bench.token = CALLS[name].token
    CALLS[name].theirs(bench)
    theirs = bench.record.take()[CALLS[name].which]
    sent = fields(theirs)
    times, listed = sent["Authorization q-key-time"], sent["Authorization q-header-list"].split(";")
    path, _, query = theirs.target.partition("?")
    wanted = sent["Authorization q-url-param-list"].split(";")
    params = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key.lower() in wanted]
    headers = [(key, value) for key, value in theirs.headers if key.lower() in listed]
    text = signing.http_string(theirs.method, unquote(path), signing.listed(params), signing.listed(headers))
    digits = signing.signature(SECRET_KEY, times, signing.string_to_sign(times, text))
    assert digits == sent["Authorization q-signature"]


def test_the_table_names_the_calls() -> None:
    assert list(differences.CALLS) == list(CALLS)
    assert all(row.calls and set(row.calls) <= set(CALLS) for row in differences.ROWS)


def test_the_document_shows_the_table() -> None:
    text = differences.DOCUMENT.read_text()
    assert differences.document(text) == text, "write it anew: python -m tests.vendor.differences"
