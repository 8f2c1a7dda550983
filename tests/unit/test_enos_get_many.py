"""Looks at many EnOS runs: three types, of which nobody says which is ours, and pages of the service's own size."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_runs.enos.client import FlowClient
from cloud_runs.enos.tokens import Session
from cloud_runs.errors import NotFound, Unavailable
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.support.clients import Answering, says

BASE = "https://gateway.example.com"
KEYS = Credentials("hunter1-key", "s3cret-hunter2", source="environment ENOS_ACCESS_KEY")
GOING = ("0", "2", "3", "5", "6", "9")


class Service:
    """Runs of flow 7 by id, with their states; all are of type `kind`."""

    def __init__(self, count: int, kind: int = 2) -> None:
        self.states = {f"7-2019112201{n // 60:02}{n % 60:02}": 2 for n in range(count)}
        self.kind = kind
        self.page_size = 100  # the most that it gives
        self.count: Any = None  # what it says in place of their number
        self.rows: list[Any] = []  # shown beside the runs
        self.failing: set[int] = set()
        self.searches: list[dict[str, Any]] = []
        self.looks: list[str] = []
        self.transport = Answering(BASE, self.answer)

    def answer(self, method: str, path: str, query: dict[str, str | None], body: bytes) -> Answer:
        if "token" in path:
            return says({"status": 0, "data": {"accessToken": "hunter3-token", "expire": 7200}})
        if query["action"] == "get":
            id = str(query["flowInstId"])
            self.looks.append(id)
            if id not in self.states:
                return says({"status": 62102, "msg": "not found", "data": None})
            return says({"status": 0, "data": self.row(id)})
        asked = json.loads(body)
        if asked["expression"] != "7":  # the last word on an unknown run
            return says({"status": 0, "data": {"flowInsts": [], "count": 0}})
        self.searches.append(asked)
        if asked["type"] in self.failing:
            return says("", 500)
        wanted = asked["status"].split(",")
        found = [id for id, state in self.states.items() if asked["type"] == self.kind and str(state) in wanted]
        size, page = min(asked["pagination"]["pageSize"], self.page_size), asked["pagination"]["pageNo"]
        rows = [*map(self.row, found[page * size : (page + 1) * size]), *self.rows]
        return says(
            {"status": 0, "data": {"flowInsts": rows, "count": len(found) if self.count is None else self.count}}
        )

    def row(self, id: str) -> dict[str, Any]:
        return {"instanceId": id, "flowId": 7, "status": self.states[id], "statusDesc": "", "graph": "{}"}

    @property
    def asked(self) -> list[tuple[int, int]]:
        """Type and page of each search."""
        return [(search["type"], search["pagination"]["pageNo"]) for search in self.searches]


def client(service: Service) -> FlowClient:
    transport: Any = service.transport
    return FlowClient(transport, KEYS, endpoint=BASE, org="o15", user="alice", session=Session(), sleep=lambda _: None)


def phases(service: Service, one: FlowClient, *more: str) -> dict[str, Any]:
    service.searches, service.looks = [], []
    told = one.get_many([*service.states, *more])
    assert sorted(told) == sorted([*service.states, *more])
    return {id: status.phase if isinstance(status, RunStatus) else type(status) for id, status in told.items()}


def test_the_type_of_our_runs_is_learned() -> None:
    service = Service(250)
    one = client(service)
    assert set(phases(service, one).values()) == {Phase.RUNNING}
    assert service.asked == [(0, 0), (2, 0), (2, 1), (2, 2)]
    search = service.searches[0]
    assert (search["expression"], tuple(search["status"].split(","))) == ("7", GOING)
    phases(service, one)
    assert service.asked == [(2, 0), (2, 1), (2, 2)]
    assert service.looks == []


def test_a_few_runs_are_cheaper_by_themselves_than_three_lists() -> None:
    service = Service(3)
    one = client(service)
    phases(service, one)
    assert (service.asked, len(service.looks)) == ([], 3)
    service = Service(4)
    one = client(service)
    phases(service, one)
    phases(service, one)
    assert (service.asked, service.looks) == ([(2, 0)], [])


@pytest.mark.parametrize("size", [100, 50, 30])
@pytest.mark.parametrize("count", [None, 0, "250", 250.0, 10**9, -1, "many"])
def test_the_service_says_how_large_its_pages_are(size: int, count: Any) -> None:
    service = Service(250, kind=0)
    service.page_size, service.count = size, count
    one = client(service)
    assert set(phases(service, one).values()) == {Phase.RUNNING}
    if count in (None, "250", 250.0) or size == 100:
        assert service.looks == []
        assert len(service.asked) <= -(-250 // size) + 3


def test_runs_that_ended_or_are_unknown_are_asked_by_themselves() -> None:
    service = Service(20)
    ended = list(service.states)[3:5]
    service.states |= dict.fromkeys(ended, -1)
    told = phases(service, client(service), "7-20200101000000", "odd")
    assert {id for id, at in told.items() if at is Phase.FAILED} == set(ended)
    assert {id for id, at in told.items() if at is NotFound} == {"7-20200101000000", "odd"}
    assert sorted(service.looks) == sorted([*ended, "7-20200101000000", "odd"])


def test_other_flows_have_lists_of_their_own() -> None:
    service = Service(10)
    others = [f"70-20191122010{n}00" for n in range(2)]
    assert {phases(service, client(service), *others)[id] for id in others} == {NotFound}
    assert {search["expression"] for search in service.searches} == {"7"}


def test_a_list_that_fails_says_so() -> None:
    service = Service(10)
    one = client(service)
    phases(service, one)
    service.failing = {2}
    assert set(phases(service, one).values()) == {Unavailable}
    assert service.looks == []


@pytest.mark.parametrize("row", [{}, None, "x", {"instanceId": 5}, {"instanceId": "a b"}])
def test_rows_of_any_shape_tell_nothing_that_is_not_so(row: Any) -> None:
    service = Service(10)
    service.rows = [row]
    assert set(phases(service, client(service)).values()) <= {Phase.RUNNING, Unavailable}


def test_a_row_without_a_state_is_no_news() -> None:
    service = Service(10)
    service.states = dict.fromkeys(service.states, 1)
    service.rows = [
        {"instanceId": id, "status": state} for id, state in zip(service.states, (None, 99, 1, "x", [2]), strict=False)
    ]
    assert set(phases(service, client(service)).values()) == {Phase.SUCCEEDED}
