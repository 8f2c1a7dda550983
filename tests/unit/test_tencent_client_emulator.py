"""The clients against the emulator, which is an implementation of its own: both must read the vendor's pages alike."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta

import pytest

from cloud_runs.errors import NotFound, NotReached, Refused, RunsError, Throttled, Unavailable, UnknownOutcome
from cloud_runs.limits import LAG_SECONDS, Times
from cloud_runs.runs import Phase
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.tencent.jobs import InventoryClient, InventoryRequest
from cloud_runs.wire.settings import Credentials
from tests.support.clients import GO, an_hour_ago, hasty, soon
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator

KEYS = Credentials(SECRET_ID, SECRET_KEY, source="environment TENCENTCLOUD_SECRET_ID")
WORKFLOW = WorkflowRequest("we59a9648e62e48ffb25e4b41f3721799", "videos/my clip (1)+~中.mp4")
JOB = InventoryRequest(
    "demo",
    "Workflow",
    {"Prefix": "input"},
    {
        "TimeInterval": {"Start": "2022-02-01T12:00:00+0800", "End": "2022-05-01T12:00:00+0800"},
        "WorkflowIds": "w7476ff3564ee45b7b490d64bccaba6cc",
    },
)
RUNS, JOBS = "tencent.workflow", "tencent.inventory"


def runs(cloud: Emulator, credentials: Credentials = KEYS, fast_by: float = 0) -> WorkflowClient:
    return WorkflowClient(
        hasty(),
        credentials,
        region="ap-beijing",
        bucket="media-1250000000",
        endpoint=cloud.url,
        clock=lambda: time.time() + fast_by,
        sleep=lambda _: None,
    )


def jobs(cloud: Emulator, credentials: Credentials = KEYS, lag: float = LAG_SECONDS) -> InventoryClient:
    return InventoryClient(
        hasty(),
        credentials,
        region="ap-beijing",
        bucket="media-1250000000",
        endpoint=cloud.url,
        times=Times(lag=lag),
        sleep=lambda _: None,
    )


def test_start_get_and_find_an_execution(cloud: Emulator) -> None:
    client = runs(cloud)
    started = client.start(WORKFLOW, GO)
    assert cloud.ids(RUNS) == [started.id]
    assert started.request_id
    found = client.get(started.id)
    assert (found.id, found.phase) == (started.id, Phase.RUNNING)
    assert found.request["workflow_id"] == WORKFLOW.workflow_id
    assert found.request["object"] == WORKFLOW.object
    cloud.set_state(started.id, "Failed", "NoSuchKey", "gone")
    found = client.get(started.id)
    assert (found.phase, found.code) == (Phase.FAILED, "NoSuchKey")
    assert found.finished_at
    listed = client.find(WORKFLOW, an_hour_ago(), soon())
    assert [candidate.id for candidate in listed.candidates] == [started.id]
    assert listed.server_time is not None
    assert client.find(WORKFLOW, listed.server_time + timedelta(hours=1), soon()).candidates == ()
    assert client.find(WorkflowRequest(WORKFLOW.workflow_id, "other.mp4"), an_hour_ago(), soon()).candidates == ()


def test_start_get_find_and_cancel_a_job(cloud: Emulator) -> None:
    client = jobs(cloud)
    started = client.start(JOB, GO)
    found = client.get(started.id)
    assert not found.phase.terminal
    assert found.request["input"] == JOB.input
    assert found.request["operation"] == JOB.operation
    assert sum(client.executions(found).values()) == len(cloud.runs(RUNS, origin="job"))
    assert [candidate.id for candidate in client.find(JOB, an_hour_ago(), soon()).candidates] == [started.id]
    client.cancel(started.id)
    assert client.job(started.id).phase is Phase.CANCELLED
    client.cancel(started.id)
    client.cancel("b404")
    assert cloud.count(JOBS, "start") == 1


def test_a_job_of_type_job(cloud: Emulator) -> None:
    client = jobs(cloud)
    output = {"Region": "ap-beijing", "Bucket": "media-1250000000", "Object": "out/${InputName}.${ext}"}
    operation = {
        "Tag": "Transcode",
        "JobParam": {"TemplateId": "t1", "WatermarkTemplateId": ["t2", "t3"]},
        "Output": output,
        "UserData": "a<b>&c",
    }
    request = InventoryRequest("batch-1", "Job", {"Object": "a b/中.mp4"}, operation, marker="-1")
    started = client.start(request, GO)
    assert client.get(started.id).request["operation"] == operation
    (found,) = client.find(request, an_hour_ago(), soon()).candidates
    assert (found.id, found.proof) == (started.id, True)
    assert sum(client.executions(client.get(started.id)).values()) == 1
    (child,) = cloud.runs("tencent.job", origin="job")
    for state, phase in (("Success", Phase.SUCCEEDED), ("Failed", Phase.FAILED)):
        cloud.set_state(child["id"], state)
        cloud.set_state(started.id, "Success")
        told = jobs(cloud, lag=0.0).get(started.id)
        assert (told.phase, told.executions) == (phase, {state: 1})


def test_all_pages_are_read(cloud: Emulator) -> None:
    client = runs(cloud)
    started = [client.start(WORKFLOW, GO).id for _ in range(205)]
    found = client.find(WORKFLOW, an_hour_ago(), soon()).candidates
    assert sorted(candidate.id for candidate in found) == sorted(started)
    assert cloud.count(RUNS, "find") == 3
    job = jobs(cloud)
    named = [job.start(JOB, GO).id for _ in range(101)]
    assert sorted(candidate.id for candidate in job.find(JOB, an_hour_ago(), soon()).candidates) == sorted(named)


def test_unknown_runs(cloud: Emulator) -> None:
    with pytest.raises(NotFound):
        runs(cloud).get("i404")
    with pytest.raises(NotFound):
        jobs(cloud).get("b404")


@pytest.mark.parametrize(
    ("fast_by", "told"),
    [
        (3600, r"RequestTimeTooSkewed.*\. Set this machine's clock\. The key came"),
        (-1000, r"AccessDenied: Request has expired.*\. Set this machine's clock: it is a quarter of an hour behind"),
        (-2000, r"RequestTimeTooSkewed.*\. Set this machine's clock\. The key came"),
    ],
)
def test_a_clock_that_is_off(cloud: Emulator, fast_by: float, told: str) -> None:
    with pytest.raises(Refused, match=told):
        runs(cloud, fast_by=fast_by).start(WORKFLOW, GO)
    assert cloud.ids() == []
    for off in (-800, 900):  # a signature begins a minute before, and holds for 840 s more
        assert runs(cloud, fast_by=off).start(WORKFLOW, GO).id in cloud.ids()


@pytest.mark.parametrize("keys", [Credentials(SECRET_ID, "wrong"), Credentials("AKIDwrong", SECRET_KEY)])
def test_wrong_key(cloud: Emulator, keys: Credentials) -> None:
    named = Credentials(keys.id, keys.secret, source="environment TENCENTCLOUD_SECRET_ID")
    for call in (
        lambda: runs(cloud, named).start(WORKFLOW, GO),
        lambda: runs(cloud, named).get("i1"),
        lambda: jobs(cloud, named).start(JOB, GO),
        lambda: jobs(cloud, named).find(JOB, an_hour_ago(), soon()),
        lambda: jobs(cloud, named).cancel("b1"),
    ):
        with pytest.raises(Refused, match="environment TENCENTCLOUD_SECRET_ID") as caught:
            call()
        assert caught.value.status in (401, 403)
    assert cloud.ids() == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_throttled_start_is_sent_once(cloud: Emulator, status: int) -> None:
    cloud.fault(RUNS, "start", "status", status=status, code="SlowDown")
    with pytest.raises(Throttled):
        runs(cloud).start(WORKFLOW, GO)
    assert cloud.ids(RUNS) == []
    assert cloud.count(RUNS, "start") == 1


def test_a_lost_answer_is_one_start(cloud: Emulator) -> None:
    for client, request, system in ((runs(cloud), WORKFLOW, RUNS), (jobs(cloud), JOB, JOBS)):
        cloud.fault(system, "start", "drop_response")
        with pytest.raises(UnknownOutcome):
            client.start(request, GO)  # type: ignore[arg-type]
        assert cloud.count(system, "start") == 1
        found = client.find(request, an_hour_ago(), soon()).candidates  # type: ignore[arg-type]
        assert [candidate.id for candidate in found] == cloud.ids(system)
        assert len(found) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_after_the_run_began_is_one_start(cloud: Emulator, status: int) -> None:
    cloud.fault(RUNS, "start", "status", status=status, code="InternalError", after_effect=True)
    with pytest.raises(UnknownOutcome, match="InternalError"):
        runs(cloud).start(WORKFLOW, GO)
    assert len(cloud.ids(RUNS)) == cloud.count(RUNS, "start") == 1


def test_a_reset_before_the_effect_is_still_unknown(cloud: Emulator) -> None:
    cloud.fault(RUNS, "start", "reset_before")
    with pytest.raises(UnknownOutcome):
        runs(cloud).start(WORKFLOW, GO)
    assert cloud.count(RUNS, "start") <= 1


def test_a_truncated_answer(cloud: Emulator) -> None:
    """Whether the id is within what came or not: one start, and no id that the service did not give."""
    cloud.fault(RUNS, "start", "truncate")
    with suppress(UnknownOutcome):
        assert runs(cloud).start(WORKFLOW, GO).id in cloud.ids(RUNS)
    assert len(cloud.ids(RUNS)) == cloud.count(RUNS, "start") == 1


def test_the_malformed_sample_as_an_answer(cloud: Emulator) -> None:
    sample = "<Response>\n<RequestId>r</RequestId>\n<InstanceId>i6fc=</InstanceId>\n<Response>"
    cloud.fault(RUNS, "start", "body", body=sample)
    assert runs(cloud).start(WORKFLOW, GO).id == "i6fc="


def test_reads_are_repeated(cloud: Emulator) -> None:
    id = runs(cloud).start(WORKFLOW, GO).id
    for action in ("drop_response", "reset_before", "truncate"):
        cloud.fault(RUNS, "get", action, times=2)
        assert runs(cloud).get(id).id == id
    cloud.fault(RUNS, "get", "status", status=503, code="ServiceUnavailable", times=2)
    assert runs(cloud).get(id).id == id
    cloud.fault(RUNS, "find", "status", status=500, times=99)
    with pytest.raises(Unavailable):
        runs(cloud).find(WORKFLOW, an_hour_ago(), soon())


def test_cancel_is_repeated(cloud: Emulator) -> None:
    client = jobs(cloud)
    id = client.start(JOB, GO).id
    cloud.fault(JOBS, "cancel", "drop_response")
    client.cancel(id)
    assert client.job(id).phase is Phase.CANCELLED


def test_a_forgotten_run(cloud: Emulator) -> None:
    client = runs(cloud)
    id = client.start(WORKFLOW, GO).id
    cloud.fault(RUNS, "get", "forget")
    with pytest.raises(NotFound):
        client.get(id)


def test_nobody_is_there() -> None:
    with emulator() as running:
        gone = runs(running)
    with pytest.raises(NotReached):
        gone.start(WORKFLOW, GO)
    with pytest.raises(RunsError):
        gone.find(WORKFLOW, an_hour_ago(), soon())
