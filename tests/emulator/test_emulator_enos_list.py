"""The list of instances of EnOS flows."""

from __future__ import annotations

import pytest
from enos_bench import FLOW, MINUTE, NOW_MS, EnosBench, code


@pytest.fixture
def bench() -> EnosBench:
    return EnosBench(run_seconds=3.0)


def test_list(bench: EnosBench) -> None:
    runs = [bench.start(NOW_MS, flow) for flow in (1, 2, 3)]
    data = bench.data(bench.search())
    assert set(data) == {"flowInsts", "count"}
    assert data["count"] == 3
    assert [row["instanceId"] for row in data["flowInsts"]] == runs[::-1]
    assert data["flowInsts"][0]["isCancelled"] is False


def test_list_expression_is_fuzzy(bench: EnosBench) -> None:
    runs = {flow: bench.start(NOW_MS, flow) for flow in (77, 3377, 5)}
    assert bench.found(expression="77") == [runs[3377], runs[77]]
    assert bench.found(expression="emulated_5") == [runs[5]]
    assert bench.found(expression=runs[77]) == [runs[3377], runs[77]]
    assert bench.found(expression="nobody") == []


def test_list_time_range_is_half_open(bench: EnosBench) -> None:
    run = bench.start(NOW_MS)
    assert bench.found(fromTriggerTime=NOW_MS, toTriggerTime=NOW_MS + 1) == [run]
    assert bench.found(fromTriggerTime=NOW_MS - 1, toTriggerTime=NOW_MS) == []
    minute = NOW_MS // MINUTE * MINUTE
    assert bench.found(expression=str(FLOW), fromTriggerTime=minute, toTriggerTime=minute + MINUTE) == [run]


def test_list_filters(bench: EnosBench) -> None:
    failed, running = bench.start(flow=1), bench.start(flow=2)
    bench.admin(f"runs/{failed}", {"state": "FAIL"})
    assert bench.found(status="-1") == [failed]
    assert bench.found(status=2) == [running]
    assert bench.found(status="2, -1") == [running, failed]
    assert bench.found(status="5") == []
    assert bench.found(owner="alice") == [running, failed]
    assert bench.found(owner="bob") == []


def test_list_pages_and_order(bench: EnosBench) -> None:
    runs = []
    for flow, minutes in ((1, 3), (2, 1), (3, 2), (4, 1)):
        runs.append(bench.start(NOW_MS - minutes * MINUTE, flow))
        bench.now += 1.0
    one, two, three, four = runs

    def page(number: int, *sorters: dict[str, str]) -> list[str]:
        data = bench.data(bench.search(pagination={"pageNo": number, "pageSize": 3, "sorters": list(sorters)}))
        assert data["count"] == 4
        return [row["instanceId"] for row in data["flowInsts"]]

    assert (page(0), page(1), page(2)) == ([four, three, two], [one], [])
    assert page(0, {"field": "createTime", "order": "ASC"}) == [one, two, three]
    by_time = {"field": "triggerTime", "order": "DESC"}
    assert page(0, by_time, {"field": "createTime", "order": "ASC"}) == [two, four, three]
    assert page(1, by_time) == [one]
    for name in ("startTime", "endTime", "updateTime"):
        assert len(page(0, {"field": name, "order": "ASC"})) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"type": 3},
        {"type": None},
        {"expression": 1},
        {"owner": None},
        {"fromTriggerTime": "0"},
        {"toTriggerTime": None},
        {"status": None},
        {"status": "RUNNING"},
        {"pagination": None},
        {"pagination": {"pageNo": -1, "pageSize": 1}},
        {"pagination": {"pageNo": 0, "pageSize": 0}},
        {"pagination": {"pageNo": 0, "pageSize": 1, "sorters": {}}},
        {"pagination": {"pageNo": 0, "pageSize": 1, "sorters": [{"field": "start_time", "order": "ASC"}]}},
        {"pagination": {"pageNo": 0, "pageSize": 1, "sorters": [{"field": "startTime", "order": "up"}]}},
        {"pagination": {"pageNo": 0, "pageSize": 1, "sorters": ["startTime"]}},
    ],
)
def test_refused_list(bench: EnosBench, change: dict[str, object]) -> None:
    assert code(bench.search(**change)) == 62102


def test_list_lag() -> None:
    bench = EnosBench(list_lag=5.0)
    run = bench.start()
    assert bench.state(run) == (2, "RUNNING")
    assert bench.found() == []
    bench.now += 5.0
    assert bench.found() == [run]
