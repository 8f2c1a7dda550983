"""One look at many runs against the emulator: all systems keep one contract, `RunApi.get_many`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from cloud_runs.enos.client import FlowClient
from cloud_runs.enos.tokens import Session
from cloud_runs.errors import NotFound, Refused, Unavailable
from cloud_runs.huawei import client as huawei
from cloud_runs.limits import Times
from cloud_runs.runs import Phase, RunApi, RunStatus
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.tencent.jobs import InventoryClient, InventoryRequest
from cloud_runs.wire.settings import Credentials
from tests.support.clients import GO, hasty
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator

KEYS = Credentials(SECRET_ID, SECRET_KEY, source="environment")
MINUTE = 60_000
NO_WAIT: dict[str, Any] = {"sleep": lambda _: None}
CI: dict[str, Any] = {"region": "ap-beijing", "bucket": "media-1250000000", **NO_WAIT}
WORKFLOWS = ("w" + "1" * 32, "w" + "2" * 32)


class Kind(NamedTuple):
    """A system as these tests need it. `unknown` is an id that it does not know."""

    system: str
    client: Callable[[str, Credentials], RunApi[Any]]
    start: Callable[[Any, int], str]
    success: str
    failure: str
    unknown: str


def execution(client: WorkflowClient, n: int) -> str:
    return client.start(WorkflowRequest(WORKFLOWS[0], f"{n}.mp4"), GO).id


def job(client: InventoryClient, n: int) -> str:
    operation = {"WorkflowIds": WORKFLOWS[0]}
    return client.start(InventoryRequest(f"job-{n}", "Workflow", {"Prefix": "none/"}, operation), GO).id


def graph_run(client: huawei.WorkflowClient, n: int) -> str:
    return client.start(huawei.WorkflowRequest("demo-bucket", f"{n}.mp4"), GO).id


def flow_run(client: FlowClient, n: int) -> str:
    body = {"flowId": 3377, "triggerTime": n * MINUTE}
    return client._begin("/flows", "trigger", body, GO).id  # without the look for other runs in the minute


KINDS = [
    Kind(
        "tencent.workflow",
        lambda url, keys: WorkflowClient(hasty(), keys, endpoint=url, **CI),
        execution, "Success", "Failed", "i404",
    ),
    Kind(
        "tencent.inventory",
        lambda url, keys: InventoryClient(hasty(), keys, endpoint=url, times=Times(lag=0.0), **CI),
        job, "Success", "Failed", "b404",
    ),
    Kind(
        "huawei.workflow",
        lambda url, keys: huawei.WorkflowClient(
            hasty(), keys, region="cn-north-4", graph_name="scan", endpoint=url, **NO_WAIT
        ),
        graph_run, "SUCCESS", "FAILED", "e404",
    ),
    Kind(
        "enos.flow",
        lambda url, keys: FlowClient(
            hasty(), keys, endpoint=url, org="o15", user="alice", session=Session(), **NO_WAIT
        ),
        flow_run, "SUCCESS", "FAIL", "3377-19690101000000",
    ),
]  # fmt: skip


@pytest.fixture(params=KINDS, ids=[kind.system for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def late() -> Iterator[Emulator]:
    """A service whose lists show nothing yet."""
    with emulator("--run-seconds", "3600", "--list-lag-seconds", "3600") as running:
        yield running


def started(kind: Kind, cloud: Emulator, count: int) -> list[str]:
    client = kind.client(cloud.url, KEYS)
    return [kind.start(client, n) for n in range(count)]


def asked(cloud: Emulator) -> int:
    """How many requests have come that start nothing."""
    return sum(n for counts in cloud.requests().values() for what, n in counts.items() if what != "start")


def phases(told: Any) -> list[Phase]:
    assert all(isinstance(status, RunStatus) for status in told.values())
    return [status.phase for status in told.values()]


def test_a_thousand_runs(kind: Kind, cloud: Emulator) -> None:
    ids = started(kind, cloud, 1000)
    client = kind.client(cloud.url, KEYS)
    for _ in range(2):
        before = asked(cloud)
        told = client.get_many(ids)
        assert asked(cloud) - before <= 12
        assert sorted(told) == sorted(ids)
        assert set(phases(told)) <= {Phase.PENDING, Phase.RUNNING}
    ended = [ids[n] for n in (0, 1, 499, 500, 999)]
    for id in ended:
        cloud.set_state(id, kind.success)
    before = asked(cloud)
    told = client.get_many(ids)
    assert asked(cloud) - before <= 12 + 3 * len(ended)
    assert {id for id, status in told.items() if status.phase is Phase.SUCCEEDED} == set(ended)
    assert sum(not phase.terminal for phase in phases(told)) == 995


def test_runs_that_have_ended_are_told_as_by_a_single_look(kind: Kind, cloud: Emulator) -> None:
    ids = started(kind, cloud, 12)
    states = {ids[0]: kind.success, ids[4]: kind.failure, ids[11]: kind.success}
    for id, state in states.items():
        cloud.set_state(id, state, "Code1", "why")
    client = kind.client(cloud.url, KEYS)
    told = client.get_many(ids)
    assert {id for id, status in told.items() if isinstance(status, RunStatus) and status.phase.terminal} == set(states)
    for id, state in states.items():
        status, alone = told[id], kind.client(cloud.url, KEYS).get_many([id])[id]
        assert isinstance(status, RunStatus)
        assert isinstance(alone, RunStatus)
        assert vars(status) == {**vars(alone), "request_id": status.request_id}
        assert status.state == state
        assert bool(status.tasks) == (kind.system != "tencent.inventory")
        assert bool(status.finished_at) == (kind.system != "enos.flow")


def test_one_run_is_asked_without_a_list(kind: Kind, cloud: Emulator) -> None:
    (id,) = started(kind, cloud, 1)
    assert not phases(kind.client(cloud.url, KEYS).get_many([id]))[0].terminal
    assert (cloud.count(kind.system, "get"), cloud.count(kind.system, "find")) == (1, 0)
    assert kind.client(cloud.url, KEYS).get_many([]) == {}


def test_unknown_runs_cost_the_others_nothing(kind: Kind, cloud: Emulator) -> None:
    ids = started(kind, cloud, 5)
    cloud.fault(kind.system, "get", "forget")
    gone = next(iter(kind.client(cloud.url, KEYS).get_many([ids[2]]).values()))
    assert isinstance(gone, NotFound)
    told = kind.client(cloud.url, KEYS).get_many([kind.unknown, *ids])
    assert {id for id, status in told.items() if isinstance(status, NotFound)} == {kind.unknown, ids[2]}
    assert sum(isinstance(status, RunStatus) for status in told.values()) == 4


def test_a_run_that_no_list_shows_yet_is_told(kind: Kind, late: Emulator) -> None:
    late.reset()
    ids = started(kind, late, 7)
    assert len(phases(kind.client(late.url, KEYS).get_many(ids))) == 7


def test_lists_that_fail_lose_nothing_that_is_known(kind: Kind, cloud: Emulator) -> None:
    ids = started(kind, cloud, 30)
    client = kind.client(cloud.url, KEYS)
    assert len(phases(client.get_many(ids))) == 30
    cloud.fault(kind.system, "find", "status", status=500, times=100)
    told = client.get_many(ids)
    assert sorted(told) == sorted(ids)
    assert all(isinstance(status, Unavailable) for status in told.values())
    assert cloud.count(kind.system, "get") <= 1, "the list is not replaced by a look at each"
    cloud.reset()


def test_single_looks_that_fail_leave_the_others(kind: Kind, cloud: Emulator) -> None:
    ids = started(kind, cloud, 30)
    client = kind.client(cloud.url, KEYS)
    client.get_many(ids)
    cloud.set_state(ids[7], kind.success)
    cloud.fault(kind.system, "get", "status", status=500, times=100)
    told = client.get_many(ids)
    assert {id for id, status in told.items() if isinstance(status, Unavailable)} == {ids[7]}
    assert sum(isinstance(status, RunStatus) for status in told.values()) == 29


def test_a_service_that_is_out_of_order_is_not_asked_for_each(kind: Kind, cloud: Emulator) -> None:
    ids = started(kind, cloud, 100)
    for operation in ("find", "get"):
        cloud.fault(kind.system, operation, "status", status=503, times=1000)
    told = kind.client(cloud.url, KEYS).get_many(ids)
    assert sorted(told) == sorted(ids)
    assert all(isinstance(status, Unavailable) for status in told.values())
    assert asked(cloud) < 60, "with the repeats of each request"


def test_a_wrong_key_is_refused_at_once(kind: Kind, cloud: Emulator) -> None:
    ids = started(kind, cloud, 5)
    wrong = Credentials(SECRET_ID, "wrong", source="environment")
    with pytest.raises(Refused, match="environment") as caught:
        kind.client(cloud.url, wrong).get_many(ids)
    assert not isinstance(caught.value, NotFound)
