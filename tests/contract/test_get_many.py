"""One look at many runs against the emulator: all systems keep one contract, `RunApi.get_many`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloud_runs.errors import NotFound, Refused, Unavailable
from cloud_runs.limits import Times
from cloud_runs.runs import Phase, RunApi, RunStatus
from cloud_runs.wire.settings import Credentials
from tests.kits import KITS
from tests.kits.kit import EMULATED, Kit
from tests.support.clients import hasty
from tests.support.emulator import SECRET_ID, Emulator, emulator


@pytest.fixture(params=KITS.values(), ids=KITS)
def kit(request: pytest.FixtureRequest) -> Kit:
    found: Kit = request.param
    return found


@pytest.fixture(scope="module")
def late() -> Iterator[Emulator]:
    """A service whose lists show nothing yet."""
    with emulator("--run-seconds", "3600", "--list-lag-seconds", "3600") as running:
        yield running


def client_of(kit: Kit, cloud: Emulator, keys: Credentials = EMULATED) -> RunApi[Any]:
    return kit.make(hasty(), keys, cloud.url, sleep=lambda _: None, times=Times(lag=0.0))


def started(kit: Kit, cloud: Emulator, count: int) -> list[str]:
    client = client_of(kit, cloud)
    return [kit.begin(client, kit.requests(n)) for n in range(count)]


def asked(cloud: Emulator) -> int:
    """How many requests have come that start nothing."""
    return sum(n for counts in cloud.requests().values() for what, n in counts.items() if what != "start")


def phases(told: Any) -> list[Phase]:
    assert all(isinstance(status, RunStatus) for status in told.values())
    return [status.phase for status in told.values()]


@pytest.mark.parametrize("count", [250, pytest.param(1000, marks=pytest.mark.long)])
def test_many_runs(kit: Kit, cloud: Emulator, count: int) -> None:
    """However many they are, no more requests than for the pages of a thousand."""
    ids = started(kit, cloud, count)
    client = client_of(kit, cloud)
    for _ in range(2):
        before = asked(cloud)
        told = client.get_many(ids)
        assert asked(cloud) - before <= 12
        assert sorted(told) == sorted(ids)
        assert set(phases(told)) <= {Phase.PENDING, Phase.RUNNING}
    ended = [ids[n] for n in (0, 1, count // 2 - 1, count // 2, count - 1)]
    for id in ended:
        cloud.set_state(id, kit.success)
    before = asked(cloud)
    told = client.get_many(ids)
    assert asked(cloud) - before <= 12 + 3 * len(ended)
    assert {id for id, status in told.items() if status.phase is Phase.SUCCEEDED} == set(ended)
    assert sum(not phase.terminal for phase in phases(told)) == count - 5


def test_runs_that_have_ended_are_told_as_by_a_single_look(kit: Kit, cloud: Emulator) -> None:
    ids = started(kit, cloud, 12)
    states = {ids[0]: kit.success, ids[4]: kit.failure, ids[11]: kit.success}
    for id, state in states.items():
        cloud.set_state(id, state, "Code1", "why")
    client = client_of(kit, cloud)
    told = client.get_many(ids)
    assert {id for id, status in told.items() if isinstance(status, RunStatus) and status.phase.terminal} == set(states)
    for id, state in states.items():
        status, alone = told[id], client_of(kit, cloud).get_many([id])[id]
        assert isinstance(status, RunStatus)
        assert isinstance(alone, RunStatus)
        assert vars(status) == {**vars(alone), "request_id": status.request_id}
        assert status.state == state
        assert bool(status.tasks) == kit.tells_tasks
        assert bool(status.finished_at) == kit.tells_end


def test_one_run_is_asked_without_a_list(kit: Kit, cloud: Emulator) -> None:
    (id,) = started(kit, cloud, 1)
    assert not phases(client_of(kit, cloud).get_many([id]))[0].terminal
    assert (cloud.count(kit.name, "get"), cloud.count(kit.name, "find")) == (1, 0)
    assert client_of(kit, cloud).get_many([]) == {}


def test_unknown_runs_cost_the_others_nothing(kit: Kit, cloud: Emulator) -> None:
    ids = started(kit, cloud, 5)
    cloud.fault(kit.name, "get", "forget")
    gone = next(iter(client_of(kit, cloud).get_many([ids[2]]).values()))
    assert isinstance(gone, NotFound)
    told = client_of(kit, cloud).get_many([kit.unknown, *ids])
    assert {id for id, status in told.items() if isinstance(status, NotFound)} == {kit.unknown, ids[2]}
    assert sum(isinstance(status, RunStatus) for status in told.values()) == 4


def test_a_run_that_no_list_shows_yet_is_told(kit: Kit, late: Emulator) -> None:
    late.reset()
    ids = started(kit, late, 7)
    assert len(phases(client_of(kit, late).get_many(ids))) == 7


def test_lists_that_fail_lose_nothing_that_is_known(kit: Kit, cloud: Emulator) -> None:
    ids = started(kit, cloud, 30)
    client = client_of(kit, cloud)
    assert len(phases(client.get_many(ids))) == 30
    cloud.fault(kit.name, "find", "status", status=500, times=100)
    told = client.get_many(ids)
    assert sorted(told) == sorted(ids)
    assert all(isinstance(status, Unavailable) for status in told.values())
    assert cloud.count(kit.name, "get") <= 1, "the list is not replaced by a look at each"
    cloud.reset()


def test_single_looks_that_fail_leave_the_others(kit: Kit, cloud: Emulator) -> None:
    ids = started(kit, cloud, 30)
    client = client_of(kit, cloud)
    client.get_many(ids)
    cloud.set_state(ids[7], kit.success)
    cloud.fault(kit.name, "get", "status", status=500, times=100)
    told = client.get_many(ids)
    assert {id for id, status in told.items() if isinstance(status, Unavailable)} == {ids[7]}
    assert sum(isinstance(status, RunStatus) for status in told.values()) == 29


def test_a_service_that_is_out_of_order_is_not_asked_for_each(kit: Kit, cloud: Emulator) -> None:
    ids = started(kit, cloud, 100)
    for operation in ("find", "get"):
        cloud.fault(kit.name, operation, "status", status=503, times=1000)
    told = client_of(kit, cloud).get_many(ids)
    assert sorted(told) == sorted(ids)
    assert all(isinstance(status, Unavailable) for status in told.values())
    assert asked(cloud) < 60, "with the repeats of each request"


def test_a_wrong_key_is_refused_at_once(kit: Kit, cloud: Emulator) -> None:
    ids = started(kit, cloud, 5)
    wrong = Credentials(SECRET_ID, "wrong", source="environment")
    with pytest.raises(Refused, match="environment") as caught:
        client_of(kit, cloud, wrong).get_many(ids)
    assert not isinstance(caught.value, NotFound)
