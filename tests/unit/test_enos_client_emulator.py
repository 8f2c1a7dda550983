"""The client against the emulator, which is an implementation of its own: both must read the vendor's pages alike."""

from __future__ import annotations

import json

import pytest

from cloud_runs.enos.client import FlowClient, FlowRequest, MinuteTaken
from cloud_runs.enos.tokens import Session
from cloud_runs.errors import (
    InvalidConfiguration,
    NotFound,
    NotReached,
    Refused,
    RunsError,
    Throttled,
    Unavailable,
    UnknownOutcome,
)
from cloud_runs.runs import Phase
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Transport
from tests.support.clients import GO, an_hour_ago, hasty, soon
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator

KEYS = Credentials(SECRET_ID, SECRET_KEY, source="environment ENOS_ACCESS_KEY")
SEED = FlowRequest(3377, 1574385824000)
FLOW = "enos.flow"


@pytest.fixture(params=["2.0", "2.1"], autouse=True)
def version(request: pytest.FixtureRequest) -> str:
    """Each test with both versions of the API."""
    VERSION[0] = request.param
    return str(request.param)


VERSION = ["2.0"]


def flows(cloud: Emulator, keys: Credentials = KEYS, session: Session | None = None, user: str = "alice") -> FlowClient:
    return FlowClient(
        hasty(),
        keys,
        endpoint=cloud.url,
        org="o15",
        user=user,
        version=VERSION[0],
        session=session or Session(),
        sleep=lambda _: None,
    )


def test_start_get_and_find(cloud: Emulator) -> None:
    client = flows(cloud)
    started = client.start(SEED, GO)
    assert cloud.ids(FLOW) == [started.id] == ["3377-20191122012300"]
    assert cloud.runs(FLOW)[0]["request"]["query"] == {"action": "trigger", "userId": "alice", "orgId": "o15"}
    found = client.get(started.id)
    assert (found.id, found.phase, found.state) == (started.id, Phase.RUNNING, "RUNNING")
    assert [task.state for task in found.tasks] == ["RUNNING"]
    listed = client.find(SEED, an_hour_ago(), soon())
    assert [candidate.id for candidate in listed.candidates] == [started.id]
    assert listed.server_time is not None
    assert client.find(FlowRequest(3377, SEED.trigger_time + 60_000), an_hour_ago(), soon()).candidates == ()
    assert client.find(FlowRequest(337, SEED.trigger_time), an_hour_ago(), soon()).candidates == ()
    for state, phase in (("FAIL", Phase.FAILED), ("SUCCESS", Phase.SUCCEEDED), ("WHAT", Phase.UNKNOWN)):
        cloud.set_state(started.id, state)
        assert client.get(started.id).phase is phase


def test_a_run_with_parameters_is_found_too(cloud: Emulator) -> None:
    request = FlowRequest(3377, 1574385824000, {"REPLACE": "é"})
    client = flows(cloud)
    started = client.start(request, GO)
    assert [candidate.id for candidate in client.find(request, an_hour_ago(), soon()).candidates] == [started.id]


def test_a_second_run_in_the_minute_is_never_sent(cloud: Emulator) -> None:
    first = flows(cloud).start(SEED, GO)
    with pytest.raises(MinuteTaken, match=first.id):
        flows(cloud, user="bob").start(FlowRequest(3377, SEED.trigger_time + 1000, {"a": "b"}), GO)
    assert cloud.count(FLOW, "start") == 1


def test_wrong_keys(cloud: Emulator) -> None:
    for keys, hint in ((Credentials(SECRET_ID, "wrong"), "1003"), (Credentials("AKIDwrong", SECRET_KEY), "1002")):
        client = flows(cloud, Credentials(keys.id, keys.secret, source="environment ENOS_ACCESS_KEY"))
        for call in (
            lambda c=client: c.start(SEED, GO),
            lambda c=client: c.get("1-1"),
            lambda c=client: c.cancel("1-1"),
        ):
            with pytest.raises(Refused, match=f"{hint}.*environment ENOS_ACCESS_KEY"):
                call()
    assert cloud.ids() == []


def test_a_flow_of_another_organization(cloud: Emulator) -> None:
    flows(cloud).start(SEED, GO)
    other = FlowClient(Transport(), KEYS, endpoint=cloud.url, org="o16", user="eve", session=Session())
    with pytest.raises(Refused, match="62103"):
        other.start(FlowRequest(3377, 0), GO)
    assert len(cloud.ids()) == 1


def test_expired_tokens_are_renewed(cloud: Emulator) -> None:
    session = Session()
    cloud.fault(FLOW, "token", "forget")
    client = flows(cloud, session=session)
    id = client.start(SEED, GO).id
    assert cloud.count(FLOW, "token") == 2
    assert cloud.ids(FLOW) == [id]
    session.token = "APIMnever"
    client.start(FlowRequest(3377, 0), GO)
    assert len(cloud.ids(FLOW)) == 2
    session.renew_at = 0.0
    client.get(id)
    assert cloud.count(FLOW, "refresh") == 1


@pytest.mark.parametrize("code", ["1203", "4011", "4012"])
def test_a_start_refused_as_expired_is_repeated_once(cloud: Emulator, code: str) -> None:
    cloud.fault(FLOW, "start", "status", status=200, code=code)
    started = flows(cloud).start(SEED, GO)
    assert cloud.ids(FLOW) == [started.id]
    assert cloud.count(FLOW, "start") == 2
    cloud.fault(FLOW, "start", "status", status=200, code=code, times=9)
    with pytest.raises(Refused, match=code):
        flows(cloud).start(FlowRequest(3377, 0), GO)
    assert cloud.count(FLOW, "start") == 4


def test_throttled(cloud: Emulator) -> None:
    cloud.fault(FLOW, "start", "status", status=429, code="429")
    with pytest.raises(Throttled):
        flows(cloud).start(SEED, GO)
    assert cloud.ids(FLOW) == []
    assert cloud.count(FLOW, "start") == 1


@pytest.mark.parametrize("fault", [{"action": "drop_response"}, {"action": "truncate"},
                                   {"action": "status", "status": 200, "code": "62109", "after_effect": True},
                                   {"action": "status", "status": 503, "code": "", "after_effect": True}])  # fmt: skip
def test_a_lost_answer_is_one_start_and_can_be_found(cloud: Emulator, fault: dict[str, object]) -> None:
    cloud.fault(FLOW, "start", **fault)  # type: ignore[arg-type]
    client = flows(cloud)
    try:
        assert client.start(SEED, GO).id in cloud.ids(FLOW)
    except UnknownOutcome:
        assert [candidate.id for candidate in client.find(SEED, an_hour_ago(), soon()).candidates] == cloud.ids(FLOW)
    assert len(cloud.ids(FLOW)) == cloud.count(FLOW, "start") == 1


def test_a_reset_before_the_effect_is_still_unknown(cloud: Emulator) -> None:
    cloud.fault(FLOW, "start", "reset_before")
    with pytest.raises(UnknownOutcome):
        flows(cloud).start(SEED, GO)


def test_questions_are_repeated(cloud: Emulator) -> None:
    client = flows(cloud)
    id = client.start(SEED, GO).id
    for action in ("drop_response", "reset_before", "truncate"):
        cloud.fault(FLOW, "get", action, times=2)
        assert client.get(id).id == id
    cloud.fault(FLOW, "find", "status", status=200, code="62109", times=99)
    with pytest.raises(Unavailable):
        client.find(SEED, an_hour_ago(), soon())
    with pytest.raises(NotReached, match="nothing was fired"):
        client.start(FlowRequest(3377, 0), GO)
    assert cloud.count(FLOW, "start") == 1


def test_cancel(cloud: Emulator) -> None:
    client = flows(cloud)
    running, waiting, ended = (client.start(FlowRequest(3377, minute * 60_000), GO).id for minute in range(3))
    assert client.get(waiting).phase is Phase.PENDING
    cloud.set_state(ended, "SUCCESS")
    cloud.fault(FLOW, "cancel", "drop_response")
    for id in (running, waiting, ended):
        client.cancel(id)
    assert [run["state"] for run in cloud.runs(FLOW)] == ["CANCEL", "CANCEL", "SUCCESS"]
    assert cloud.count(FLOW, "cancel") == 3  # the lost one again, and none for the one that has ended
    client.cancel("3377-404")
    with pytest.raises(Refused, match="62103"):
        flows(cloud, user="eve").cancel(client.start(FlowRequest(3377, 600_000), GO).id)


def test_unknown_and_forgotten_runs(cloud: Emulator) -> None:
    client = flows(cloud)
    with pytest.raises(NotFound):
        client.get("3377-404")
    id = client.start(SEED, GO).id
    cloud.fault(FLOW, "get", "forget")
    with pytest.raises(NotFound):
        client.get(id)


def test_nobody_is_there() -> None:
    with emulator() as running:
        gone = flows(running)
    with pytest.raises(NotReached):
        gone.start(SEED, GO)
    with pytest.raises(RunsError):
        gone.find(SEED, an_hour_ago(), soon())


def test_the_paths_are_those_of_the_version(cloud: Emulator, version: str) -> None:
    flows(cloud).start(SEED, GO)
    paths = {"2.0": "/dataflow-batch-service/v2.0/flows", "2.1": "/batch-processing-service/v2.1/flows"}
    assert cloud.runs(FLOW)[0]["request"]["path"] == paths[version]


def test_a_run_from_a_task(cloud: Emulator, version: str) -> None:
    request = FlowRequest(3377, SEED.trigger_time, from_task_id=33771)
    if version == "2.0":
        with pytest.raises(InvalidConfiguration, match=r"2\.1"):
            flows(cloud).start(request, GO)
        assert cloud.requests() == {}, "nothing is asked either"
        return
    id = flows(cloud).start(request, GO).id
    (run,) = cloud.runs(FLOW)
    assert (run["id"], run["request"]["query"]["action"]) == (id, "triggerFromTask")
    body = {"flowId": 3377, "triggerTime": SEED.trigger_time, "taskId": 33771}
    assert json.loads(run["request"]["body"]) == body
    (found,) = flows(cloud).find(request, an_hour_ago(), soon()).candidates
    assert (found.id, found.proof) == (id, True)
    with pytest.raises(MinuteTaken):
        flows(cloud).start(request, GO)
    with pytest.raises(Refused, match="62102"):
        flows(cloud).start(FlowRequest(3377, 0, from_task_id=1), GO)
    with pytest.raises(InvalidConfiguration, match="no parameters"):
        flows(cloud).start(FlowRequest(3377, 0, {"a": "b"}, from_task_id=33771), GO)


def test_tasks_that_did_not_succeed_are_told_in_detail(
    cloud: Emulator, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = flows(cloud)
    if version == "2.0":  # the emulator counts no call that this version does not have
        monkeypatch.setattr(client, "_with_tasks", lambda *_: pytest.fail("asked for"))
    id = client.start(SEED, GO).id
    cloud.set_state(id, "TIMEOUT")
    (task,) = client.get(id).tasks
    told = "timed out after 60 minutes" if version == "2.1" else ""
    assert (task.name, task.state, task.message) == ("emulated", "TIMEOUT", told)
    assert cloud.count(FLOW, "task") == (version == "2.1")
    for state in ("SUCCESS", "RUNNING"):
        cloud.set_state(id, state)
        client.get(id)
    assert cloud.count(FLOW, "task") == (version == "2.1"), "of a run that did well nothing more is asked"


def test_an_enos_without_task_details_tells_the_run_all_the_same(cloud: Emulator, version: str) -> None:
    client = flows(cloud)
    id = client.start(SEED, GO).id
    cloud.set_state(id, "FAIL")
    for status, code in ((404, ""), (403, "62103"), (500, "62109")):
        cloud.fault(FLOW, "task", "status", status=status, code=code, times=99)
        found = client.get(id)
        assert (found.phase, [(task.state, task.message) for task in found.tasks]) == (Phase.FAILED, [("FAIL", "")])
        cloud.drop_faults()


def test_there_is_no_other_version(cloud: Emulator) -> None:
    with pytest.raises(InvalidConfiguration, match=r"versions 2\.0 and 2\.1"):
        FlowClient(hasty(), KEYS, endpoint=cloud.url, org="o15", user="alice", version="3.0")
