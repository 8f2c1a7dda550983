"""The client of DWR against the emulator, which is an implementation of its own, in both shapes of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from cloud_runs.errors import InvalidConfiguration, NotFound, NotReached, Refused, RunsError, Throttled, UnknownOutcome
from cloud_runs.huawei.dwr import service
from cloud_runs.huawei.dwr.client import WorkflowClient
from cloud_runs.huawei.finding import WorkflowRequest
from cloud_runs.runs import Phase
from cloud_runs.wire.settings import Credentials
from tests.support.clients import GO, an_hour_ago, hasty, soon
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator

SYSTEM = "huawei.dwr"
KEYS = Credentials(SECRET_ID, SECRET_KEY, source="environment HW_ACCESS_KEY")
PROJECT = "0123456789abcdef0123456789abcdef"
TOLD = "0emulatedproject0000000000000000"
"""The project that the emulator's IAM tells."""
RUN = WorkflowRequest("demo-bucket", "/mpc/my clip (1)+~中.mp4", {"template-id": 7.0, "labels": ["a", 1.0]})


@pytest.fixture(params=["sdk", "page"], scope="module")
def both_shapes(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with emulator("--run-seconds", "3600", "--dwr-answers", request.param) as running:
        yield running


@pytest.fixture
def shaped(both_shapes: Emulator) -> Emulator:
    both_shapes.reset()
    return both_shapes


def runs(
    cloud: Emulator, keys: Credentials = KEYS, graph: str = "scan", project: str | None = PROJECT
) -> WorkflowClient:
    place = {"region": "cn-south-1", "graph_name": graph, "project_id": project}
    return WorkflowClient(hasty(), keys, **place, endpoint=cloud.url, sleep=lambda _: None)  # type: ignore[arg-type]


def test_start_get_and_find(shaped: Emulator) -> None:
    client = runs(shaped)
    started = client.start(RUN, GO)
    assert shaped.ids(SYSTEM) == [started.id]
    assert started.request_id
    assert f":cn-south-1:{PROJECT}:execution:scan:{started.id}:" in started.details["execution_urn"]
    found = client.get(started.id)
    assert (found.id, found.phase, found.started_at[:19]) == (
        started.id,
        Phase.RUNNING,
        started.details["started_at"][:19],
    )
    told = found.request
    assert (told["bucket"], told["object"], told["graph_name"]) == (RUN.bucket, RUN.object, "scan")
    assert told["inputs"] == {"template-id": 7, "labels": ["a", 1]}
    listed = client.find(RUN, an_hour_ago(), soon())
    assert [(candidate.id, candidate.exact) for candidate in listed.candidates] == [(started.id, True)]
    assert listed.server_time is not None
    assert client.find(RUN, listed.server_time + timedelta(minutes=50), soon()).candidates == ()
    for other in (
        WorkflowRequest("other-bucket", RUN.object),
        WorkflowRequest(RUN.bucket, "other"),
        WorkflowRequest(RUN.bucket, RUN.object, {"template-id": 8.0}),
    ):
        assert client.find(other, an_hour_ago(), soon()).candidates == ()
    assert runs(shaped, graph="other").find(RUN, an_hour_ago(), soon()).candidates == ()


def test_a_run_that_failed_says_why(cloud: Emulator) -> None:
    client = runs(cloud)
    id = client.start(RUN, GO).id
    cloud.set_state(id, "fail", message="template 7 does not exist")
    ended = client.get(id)
    assert (ended.phase, ended.state, ended.message) == (Phase.FAILED, "fail", "template 7 does not exist")
    assert ended.finished_at


@pytest.mark.parametrize("token", ["", "TOKEN/abc+def=="])
def test_signatures_are_accepted(cloud: Emulator, token: str) -> None:
    client = runs(cloud, Credentials(SECRET_ID, SECRET_KEY, token), project=None)
    id = client.start(RUN, GO).id
    client.get(id)
    client.find(RUN, an_hour_ago(), soon())
    client.workflows(RUN)
    assert cloud.requests()[SYSTEM] == {"projects": 1, "start": 1, "get": 2, "find": 1, "workflow": 1}


def test_all_of_a_list_is_read(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAGE_ROWS", 2)
    client = runs(cloud)
    started = [client.start(RUN, GO).id for _ in range(5)]
    found = client.find(RUN, an_hour_ago(), soon()).candidates
    assert sorted(candidate.id for candidate in found) == sorted(started)
    assert cloud.count(SYSTEM, "find") == 3


def test_the_project_that_iam_tells(cloud: Emulator) -> None:
    client = runs(cloud, project=None)
    started = client.start(RUN, GO)
    assert runs(cloud, project=TOLD).get(started.id).id == started.id
    with pytest.raises(NotFound):
        runs(cloud).get(started.id)


def test_of_two_projects_none_is_taken(cloud: Emulator) -> None:
    two = {"projects": [{"id": "aa11", "name": "cn-south-1"}, {"id": "bb22", "name": "cn-south-1_team"}]}
    cloud.fault(SYSTEM, "projects", "body", body=json.dumps(two))
    with pytest.raises(InvalidConfiguration, match=r"There is: aa11 \(cn-south-1\), bb22 \(cn-south-1_team\)"):
        runs(cloud, project=None).start(RUN, GO)
    assert cloud.requests()[SYSTEM] == {"projects": 1}


def test_a_wrong_key(cloud: Emulator) -> None:
    for project in (PROJECT, None):
        with pytest.raises(Refused, match=r"401 APIGW\.0301: Incorrect IAM.*environment HW_ACCESS_KEY") as caught:
            runs(cloud, Credentials(SECRET_ID, "wrong", source=KEYS.source), project=project).start(RUN, GO)
        assert caught.value.key_from == KEYS.source
    assert cloud.ids() == []


def test_a_wrong_project(cloud: Emulator) -> None:
    with pytest.raises(Refused, match=r"403 SYS\.0005"):
        runs(cloud, project="short").start(RUN, GO)


def test_an_unknown_run(cloud: Emulator) -> None:
    with pytest.raises(NotFound, match="WorkflowExecutionNotFound"):
        runs(cloud).get("none")


def test_what_a_lost_answer_leaves_is_found(cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "start", "drop_response")
    client = runs(cloud)
    with pytest.raises(UnknownOutcome):
        client.start(RUN, GO)
    (candidate,) = client.find(RUN, an_hour_ago(), soon()).candidates
    assert [candidate.id] == cloud.ids(SYSTEM)
    assert candidate.phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("action", "details", "expected"),
    [
        ("status", {"status": 429, "code": "APIG.0308"}, Throttled),
        ("status", {"status": 404, "code": "4711"}, Refused),
        ("status", {"status": 500, "code": "SYS.0001"}, UnknownOutcome),
        ("body", {"body": "<html>Bad Gateway</html>"}, UnknownOutcome),
        ("truncate", {}, None),
        ("reset_before", {}, UnknownOutcome),
    ],
)
def test_a_start_is_sent_once(
    cloud: Emulator, action: str, details: dict[str, str], expected: type[RunsError] | None
) -> None:
    cloud.fault(SYSTEM, "start", action, **details)
    with pytest.raises(expected) if expected else suppress(UnknownOutcome):
        runs(cloud).start(RUN, GO)
    assert cloud.count(SYSTEM, "start") == 1


def test_a_project_that_cannot_be_asked_for_fires_nothing(cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "projects", "reset_before", times=20)
    with pytest.raises(NotReached, match="nothing was fired"):
        runs(cloud, project=None).start(RUN, GO)
    assert cloud.count(SYSTEM, "start") == 0
