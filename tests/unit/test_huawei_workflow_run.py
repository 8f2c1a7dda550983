"""`huawei.WorkflowRun`: checks of arguments, where a run is, and what a status becomes."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_runs.checks import LATER
from cloud_runs.errors import InvalidConfiguration
from cloud_runs.huawei.workflow_run import WORKFLOW
from cloud_runs.kinds import Occasion
from cloud_runs.runs import Phase, Reference, RunStatus
from cloud_runs.wire.settings import Settings

GOOD: dict[str, Any] = {
    "graph_name": "scan",
    "bucket": "demo-bucket",
    "object": "/mpc/demo.mp4",
    "inputs": {"template-id": 7.0},
    "region": "cn-north-4",
}
PLACE = Reference("huawei.workflow", "cn-north-4", "scan", "e1")


@pytest.fixture(autouse=True)
def no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HW_REGION_NAME", raising=False)


def problems(**change: Any) -> list[tuple[str, str]]:
    return list(WORKFLOW.problems({**GOOD, **change}, Settings()))


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else "x"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"inputs": None},
        {"inputs": {}},
        {"graph_name": "a" * 64},
        {"graph_name": "9_a-B"},
        {"bucket": "a.b-c"},
        {"bucket": "a" * 63},
        {"object": "x" * 1024},
        {"object": "中" * 1024},
        {"region": "eu-west-101"},
        {"inputs": {"a" * 20: True, "b": [1.5, {"Any Key": None}], "c": 2.0**53 - 1, "d": "中\n", "e": -1.0}},
        {"inputs": {f"p{number}": "x" for number in range(60)}},
        {"inputs": LATER},
        {"inputs": {"a": LATER, "b": [LATER, {"c": LATER}]}},
        {"graph_name": LATER, "bucket": LATER, "object": LATER, "region": LATER},
    ],
)
def test_what_is_accepted(change: dict[str, Any]) -> None:
    assert problems(**change) == []


@pytest.mark.parametrize(
    ("change", "property"),
    [
        ({"graph_name": ""}, "graph_name"),
        ({"graph_name": None}, "graph_name"),
        ({"graph_name": "-a"}, "graph_name"),
        ({"graph_name": "a" * 65}, "graph_name"),
        ({"graph_name": "a?x-workflow-create"}, "graph_name"),
        ({"graph_name": "a\n"}, "graph_name"),
        ({"bucket": "ab"}, "bucket"),
        ({"bucket": "a" * 64}, "bucket"),
        ({"bucket": "Abc"}, "bucket"),
        ({"bucket": "a..b"}, "bucket"),
        ({"bucket": "a.-b"}, "bucket"),
        ({"bucket": "a-.b"}, "bucket"),
        ({"bucket": "-ab"}, "bucket"),
        ({"bucket": "127.0.0.1"}, "bucket"),
        ({"object": ""}, "object"),
        ({"object": "x" * 1025}, "object"),
        ({"object": 7.0}, "object"),
        ({"object": "\ud800"}, "object"),
        ({"region": "a/b"}, "region"),
        ({"region": "evil.example#"}, "region"),
        ({"region": None}, "region"),
        ({"inputs": "a"}, "inputs"),
        ({"inputs": ["a"]}, "inputs"),
        ({"inputs": {"Name": 1.0}}, "inputs"),
        ({"inputs": {"a" * 21: 1.0}}, "inputs"),
        ({"inputs": {"": 1.0}}, "inputs"),
        ({"inputs": {f"p{number}": "x" for number in range(61)}}, "inputs"),
        ({"inputs": {"a": float("nan")}}, "inputs.a"),
        ({"inputs": {"a": float("inf")}}, "inputs.a"),
        ({"inputs": {"a": 2.0**53}}, "inputs.a"),
        ({"inputs": {"a": 10**400}}, "inputs.a"),
        ({"inputs": {"a": "\ud800"}}, "inputs.a"),
        ({"inputs": {"a": {"\ud800": 1.0}}}, "inputs.a"),
        ({"inputs": {"a": [b"x"]}}, "inputs.a"),
        ({"inputs": {"a": deep(40)}}, "inputs.a"),
    ],
)
def test_what_is_refused(change: dict[str, Any], property: str) -> None:
    found = problems(**change)
    assert {name for name, _ in found} == {property}


def test_values_of_inputs_are_not_shown() -> None:
    assert "hunter" not in str(problems(inputs={"a": ["hunter", b"hunter", "hunter\ud800", float("nan")]}))


def test_the_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HW_REGION_NAME", "cn-east-3")
    assert problems(region=None) == []
    assert WORKFLOW.place({**GOOD, "region": None}, Settings()).region == "cn-east-3"
    assert WORKFLOW.place(GOOD, Settings()).region == "cn-north-4"
    monkeypatch.setenv("HW_REGION_NAME", "evil.example")
    assert [name for name, _ in problems(region=None)] == ["region"]


def test_where_a_run_is() -> None:
    assert str(WORKFLOW.place(GOOD, Settings())) == "huawei.workflow:cn-north-4:scan:"
    assert WORKFLOW.place({**GOOD, "reference": str(PLACE), "region": "cn-east-3"}, Settings()) == PLACE
    with pytest.raises(InvalidConfiguration, match="HW_REGION_NAME"):
        WORKFLOW.place({**GOOD, "region": None}, Settings())


def status(**told: Any) -> RunStatus:
    return RunStatus("e1", Phase.RUNNING, "RUNNING", request=told)


def test_mismatches() -> None:
    told = {"graph_name": "other", "bucket": "b", "object": "o", "inputs": {"template-id": "hunter"}}
    found = list(WORKFLOW.mismatches(GOOD, status(**told)))
    assert found == [
        "its graph_name is 'other', not the requested one",
        "its bucket has another value",
        "its object has another value",
        "its inputs.template-id has another value",
    ]
    assert list(WORKFLOW.mismatches(GOOD, status())) == []


def test_the_urn_that_is_recorded_is_kept_by_an_answer_without_one() -> None:
    request = WORKFLOW.request(GOOD, Occasion())
    assert WORKFLOW.outputs(PLACE, request, status())["execution_urn"] == ""
    assert WORKFLOW.outputs(PLACE, None, status(execution_urn="u"))["execution_urn"] == "u"
    assert "execution_urn" not in WORKFLOW.outputs(PLACE, None, status())
    assert WORKFLOW.outputs(PLACE, None, None)["stopped_at"] == ""


def test_runs_that_a_look_up_cannot_tell_apart_wait_for_each_other() -> None:

    def work(**change: Any) -> Any:
        return WORKFLOW.work(WORKFLOW.request({**GOOD, **change}, Occasion()))

    assert work() == work(inputs=None) == work(object="mpc/demo.mp4") == work(object="mpc%2Fdemo.mp4")
    assert work() != work(object="mpc/other.mp4")
    assert work() != work(bucket="other")
