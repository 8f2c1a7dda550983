"""Looks at many Huawei runs: the list goes by name and holds all runs ever, so it is jumped through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_runs.errors import NotFound, Unavailable
from cloud_runs.huawei.client import WorkflowClient
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.support.clients import Answering, says

KEYS = Credentials("AKhunter1", "s3cret-hunter2", source="environment HW_ACCESS_KEY")
BASE = "https://obs.cn-north-4.myhuaweicloud.com"
LIST = "/v2/workflowexecutions"
STOPPED = "2020-04-23T13:38:00.000Z"


class Service:
    """Runs by name with their states; `hidden` ones are in no list."""

    def __init__(self, names: list[str], state: str = "RUNNING") -> None:
        self.states = dict.fromkeys(names, state)
        self.hidden: set[str] = set()
        self.said: Answer | None = None
        """In place of a list."""
        self.transport = Answering(BASE, self.answer)

    def answer(self, method: str, path: str, query: dict[str, str | None], _: bytes) -> Answer:
        name = path.removeprefix(LIST).strip("/")
        if name and name not in self.states:
            return says({"code": "WorkflowExecutionNotFound", "message": "m"}, 404)
        if name:
            info = {"execution_name": name, "execution_state": self.states[name]}
            return says({"execution_info": {**info, "state_map": {"s": {"state_name": "s", "status": "x"}}}})
        if self.said:
            return self.said
        after = str(query.get("x-workflow-next-marker") or "APICALL").removeprefix("APICALL")
        names = sorted(name for name in self.states if name > after and name not in self.hidden)
        limit = int(str(query["x-workflow-limit"]))
        rows = [self.row(name) for name in names[:limit]]
        more = len(names) > limit
        marker = {"next_marker": f"APICALL{names[limit - 1]}"} if more else {}
        return says({"count": len(rows), "executions": rows, "is_truncated": more, **marker})

    def row(self, name: str) -> dict[str, str]:
        state = self.states[name]
        stopped = "" if state == "RUNNING" else STOPPED
        return {"execution_name": name, "execution_state": state, "execution_type": "APICALL", "stopped_at": stopped}

    @property
    def lists(self) -> list[tuple[str | None, str | None]]:
        """Marker and limit of each list that was asked for."""
        asked = (query for path, query in self.transport.asked if path == LIST)
        return [(query.get("x-workflow-next-marker"), query.get("x-workflow-limit")) for query in asked]

    @property
    def looks(self) -> list[str]:
        return sorted(path.removeprefix(f"{LIST}/") for path, _ in self.transport.asked if path != LIST)


def look(service: Service, ids: list[str]) -> dict[str, Any]:
    sleep: Any = lambda _: None  # noqa: E731
    transport: Any = service.transport
    told = WorkflowClient(transport, KEYS, region="cn-north-4", graph_name="scan", sleep=sleep).get_many(ids)
    assert sorted(told) == sorted(ids)
    return dict(told)


def names(*numbers: int) -> list[str]:
    return [f"e{n:05}" for n in numbers]


ALL = names(*range(20_000))


def test_what_lies_between_is_jumped_over() -> None:
    service = Service(ALL)
    wanted = [*names(*range(100, 130)), *names(*range(15_000, 15_030))]
    assert {status.phase for status in look(service, wanted[::-1]).values()} == {Phase.RUNNING}
    assert service.lists == [("APICALLe0010", "1000"), ("APICALLe1500", "1000")]
    assert service.looks == []


def test_runs_far_apart_are_asked_by_themselves() -> None:
    service = Service(ALL)
    wanted = names(*range(0, 20_000, 1_000))
    assert len(look(service, wanted)) == 20
    assert len(service.lists) == 1
    assert service.looks == wanted[1:]


def test_a_page_is_no_larger_than_it_is_worth() -> None:
    service = Service(ALL)
    look(service, names(7, 9))
    assert service.lists == [("APICALLe0000", "200")]


def test_runs_that_ended_tell_their_steps_and_when() -> None:
    service = Service(ALL)
    ended = names(3, 5)
    service.states |= dict.fromkeys(ended, "FAILED")
    told = look(service, names(*range(10)))
    assert (service.looks, len(service.lists)) == (ended, 1)
    for id in ended:
        assert (told[id].phase, told[id].finished_at) == (Phase.FAILED, "2020-04-23T13:38:00Z")
        assert [task.name for task in told[id].tasks] == ["s"]
    alone = look(service, ended[:1])[ended[0]]
    assert alone == told[ended[0]]


def test_runs_that_no_list_shows_and_no_look_knows() -> None:
    service = Service(ALL)
    service.hidden = set(names(2, 4))
    told = look(service, [*names(*range(6)), "e99999", "e00003x"])
    assert {id for id, status in told.items() if isinstance(status, NotFound)} == {"e99999", "e00003x"}
    assert sum(isinstance(status, RunStatus) for status in told.values()) == 6
    assert service.looks == sorted([*names(2, 4), "e99999", "e00003x"])


@pytest.mark.parametrize(
    "said",
    [
        {"executions": [{}, {"execution_name": None}], "is_truncated": True, "next_marker": "APICALLe"},
        {"executions": [{"execution_name": "e00001", "execution_state": "SUCCESS"}], "is_truncated": False},
        {"executions": [{"execution_name": "e00001", "execution_state": ["RUNNING"]}], "is_truncated": False},
        {"executions": [{"execution_name": "zzz"}], "is_truncated": True, "next_marker": "m"},
        {"executions": [], "is_truncated": True, "next_marker": "m"},
        {"executions": [{"execution_name": "e"}] * 1000, "is_truncated": True, "next_marker": "m"},
    ],
)
def test_lists_of_any_shape_hide_no_run(said: dict[str, Any]) -> None:
    service = Service(names(*range(5)), "SUCCESS")
    service.said = says(said)
    assert {status.phase for status in look(service, list(service.states)).values()} == {Phase.SUCCEEDED}
    assert len(service.lists) <= 12


@pytest.mark.parametrize("said", [says("no JSON"), says({"executions": 5}), says({}, 500), says(json.dumps([1]))])
def test_a_list_that_cannot_be_read(said: Answer) -> None:
    service = Service(names(*range(5)))
    service.said = said
    assert all(isinstance(status, Unavailable) for status in look(service, list(service.states)).values())
    assert service.looks == []


def test_a_list_that_ignores_where_it_should_begin_ends() -> None:
    service = Service(ALL)
    first = {"executions": [service.row(name) for name in ALL[:1000]], "is_truncated": True, "next_marker": "m"}
    service.said = says(first)
    assert len(look(service, names(*range(19_000, 19_300)))) == 300
    assert len(service.lists) <= 30
