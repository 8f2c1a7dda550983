"""The client against the emulator, which is an implementation of its own: both must read the vendor's pages alike."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from cloud_runs.errors import NotFound, NotReached, Refused, RunsError, Throttled, Unavailable, UnknownOutcome
from cloud_runs.huawei.client import WorkflowClient
from cloud_runs.huawei.finding import WorkflowRequest
from cloud_runs.runs import Phase
from cloud_runs.wire.settings import Credentials
from tests.support.clients import GO, an_hour_ago, hasty, soon
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator

SYSTEM = "huawei.workflow"
KEYS = Credentials(SECRET_ID, SECRET_KEY, source="environment HW_ACCESS_KEY")
RUN = WorkflowRequest("demo-bucket", "/mpc/my clip (1)+~中.mp4", {"template-id": 7.0, "labels": ["a", 1.0]})


def runs(cloud: Emulator, keys: Credentials = KEYS, graph: str = "scan") -> WorkflowClient:
    return WorkflowClient(
        hasty(), keys, region="cn-north-4", graph_name=graph, endpoint=cloud.url, sleep=lambda _: None
    )


def test_start_get_and_find(cloud: Emulator) -> None:
    client = runs(cloud)
    started = client.start(RUN, GO)
    assert cloud.ids(SYSTEM) == [started.id]
    assert started.request_id
    assert started.details["execution_urn"].endswith(f":execution:scan:{started.id}:0emulateddomain00000000000000000")
    found = client.get(started.id)
    assert (found.id, found.phase, found.started_at) == (started.id, Phase.RUNNING, started.details["started_at"])
    told = found.request
    assert (told["bucket"], told["object"]) == (RUN.bucket, RUN.object)
    assert told["inputs"] == {"template-id": 7, "labels": ["a", 1]}
    assert isinstance(told["inputs"]["template-id"], int)
    assert told["graph_name"] == "scan"
    listed = client.find(RUN, an_hour_ago(), soon())
    assert [candidate.id for candidate in listed.candidates] == [started.id]
    assert listed.server_time is not None
    assert client.find(RUN, listed.server_time + timedelta(hours=1), soon()).candidates == ()
    for other in (
        WorkflowRequest("other-bucket", RUN.object),
        WorkflowRequest(RUN.bucket, "other"),
        WorkflowRequest(RUN.bucket, RUN.object, {"template-id": 8.0}),
    ):
        assert client.find(other, an_hour_ago(), soon()).candidates == ()
    assert runs(cloud, graph="other").find(RUN, an_hour_ago(), soon()).candidates == ()


def test_a_run_that_ended_tells_when(cloud: Emulator) -> None:
    client = runs(cloud)
    ids = [client.start(RUN, GO).id for _ in range(3)]
    cloud.set_state(ids[1], "FAILED")
    ended = client.get(ids[1])
    assert (ended.phase, ended.state) == (Phase.FAILED, "FAILED")
    assert client.stopped_at(ended)
    assert client.stopped_at(client.get(ids[0])) == ""


@pytest.mark.parametrize("token", ["", "TOKEN/abc+def=="])
def test_signatures_are_accepted(cloud: Emulator, token: str) -> None:
    client = runs(cloud, Credentials(SECRET_ID, SECRET_KEY, token))
    id = client.start(RUN, GO).id
    client.get(id)
    client.find(RUN, an_hour_ago(), soon())
    assert cloud.requests()[SYSTEM] == {"start": 1, "get": 2, "find": 1}


def test_all_pages_are_read(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_runs.huawei.obs.PAGE_ROWS", "2")
    client = runs(cloud)
    started = [client.start(RUN, GO).id for _ in range(5)]
    found = client.find(RUN, an_hour_ago(), soon()).candidates
    assert sorted(candidate.id for candidate in found) == sorted(started)
    assert cloud.count(SYSTEM, "find") == 3
    assert client.find(RUN, an_hour_ago(), soon()).candidates == found
    assert cloud.count(SYSTEM, "get") == 5, "a run's input is asked for once"


def test_no_workflow_is_ever_created(cloud: Emulator) -> None:
    runs(cloud).start(WorkflowRequest("demo-bucket", "a?x-workflow-create=1&b"), GO)
    assert cloud.count(SYSTEM, "create") == 0
    assert cloud.count(SYSTEM, "start") == 1


def test_unknown_runs(cloud: Emulator) -> None:
    with pytest.raises(NotFound):
        runs(cloud).get("e404")
    id = runs(cloud).start(RUN, GO).id
    with pytest.raises(NotFound):
        runs(cloud, graph="other").get(id)
    cloud.fault(SYSTEM, "get", "forget")
    with pytest.raises(NotFound):
        runs(cloud).get(id)


@pytest.mark.parametrize("keys", [Credentials(SECRET_ID, "wrong"), Credentials("AKwrong", SECRET_KEY)])
def test_wrong_key(cloud: Emulator, keys: Credentials) -> None:
    client = runs(cloud, Credentials(keys.id, keys.secret, source="environment HW_ACCESS_KEY"))
    for call in (
        lambda: client.start(RUN, GO),
        lambda: client.get("e1"),
        lambda: client.find(RUN, an_hour_ago(), soon()),
    ):
        with pytest.raises(Refused, match="environment HW_ACCESS_KEY") as caught:
            call()
        assert caught.value.status == 403
        assert not isinstance(caught.value, NotFound)
    assert cloud.ids() == []


@pytest.mark.parametrize(("status", "code"), [(400, "SYS.0010"), (403, "AccessDenied"), (500, "SYS.0008")])
def test_a_refusal(cloud: Emulator, status: int, code: str) -> None:
    cloud.fault(SYSTEM, "start", "status", status=status, code=code, message="because")
    with pytest.raises(Refused, match=rf"{status} {code}: because \(request [0-9A-F]+\)"):
        runs(cloud).start(RUN, GO)
    assert cloud.ids() == []


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (429, "SYS.0011")])
def test_a_throttled_start_is_sent_once(cloud: Emulator, status: int, code: str) -> None:
    cloud.fault(SYSTEM, "start", "status", status=status, code=code)
    with pytest.raises(Throttled):
        runs(cloud).start(RUN, GO)
    assert cloud.ids(SYSTEM) == []
    assert cloud.count(SYSTEM, "start") == 1


def test_a_lost_answer_is_one_start(cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "start", "drop_response")
    client = runs(cloud)
    with pytest.raises(UnknownOutcome):
        client.start(RUN, GO)
    assert cloud.count(SYSTEM, "start") == 1
    assert [candidate.id for candidate in client.find(RUN, an_hour_ago(), soon()).candidates] == cloud.ids(SYSTEM)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_after_the_run_began_is_one_start(cloud: Emulator, status: int) -> None:
    cloud.fault(SYSTEM, "start", "status", status=status, code="InternalError", after_effect=True)
    with pytest.raises(UnknownOutcome, match="InternalError"):
        runs(cloud).start(RUN, GO)
    assert len(cloud.ids(SYSTEM)) == cloud.count(SYSTEM, "start") == 1


def test_a_truncated_answer(cloud: Emulator) -> None:
    """Whether the id is within what came or not: one start, and no id that the service did not give."""
    cloud.fault(SYSTEM, "start", "truncate")
    with suppress(UnknownOutcome):
        assert runs(cloud).start(RUN, GO).id in cloud.ids(SYSTEM)
    assert len(cloud.ids(SYSTEM)) == cloud.count(SYSTEM, "start") == 1


def test_reads_are_repeated(cloud: Emulator) -> None:
    id = runs(cloud).start(RUN, GO).id
    for action in ("drop_response", "reset_before", "truncate"):
        cloud.fault(SYSTEM, "get", action, times=2)
        assert runs(cloud).get(id).id == id
    cloud.fault(SYSTEM, "get", "status", status=503, code="ServiceUnavailable", times=2)
    assert runs(cloud).get(id).id == id
    cloud.fault(SYSTEM, "find", "status", status=500, times=99)
    with pytest.raises(Unavailable):
        runs(cloud).find(RUN, an_hour_ago(), soon())


def test_nobody_is_there() -> None:
    with emulator() as running:
        gone = runs(running)
    with pytest.raises(NotReached):
        gone.start(RUN, GO)
    with pytest.raises(RunsError):
        gone.find(RUN, an_hour_ago(), soon())
