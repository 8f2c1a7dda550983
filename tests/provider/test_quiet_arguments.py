"""Arguments that tell how a system is asked, not what for: changing them never fires, and they hold from then on."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_runs.enos.flow_kind import FLOW
from cloud_runs.promise import ledger
from cloud_runs.runs import Reference
from tests.kits import KITS
from tests.provider.host_stack import HostStack
from tests.provider.test_records_of_0_1 import as_0_1
from tests.support.emulator import Emulator


class FlowStack(HostStack):
    kit = KITS["enos.flow"]

    def asked_by(self) -> str:
        """The version by which a refresh asks."""
        client = self.provider.kind.client(self.provider.place(self.state), self.provider.settings)
        return str(client._version.name)


@pytest.fixture
def stack(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> FlowStack:
    return FlowStack(cloud, monkeypatch)


def test_the_version_of_the_api_never_fires(stack: FlowStack) -> None:
    assert stack.up() == "create"
    first = stack.ids
    for version, step in (("2.1", "update"), ("2.1", "same"), ("2.0", "update"), ("2.1", "update"), (None, "update")):
        assert stack.up(api_version=version) == step
        assert stack.state.get("api_version") == version
        assert stack.asked_by() == (version or "2.0")
        stack.refresh()
        assert stack.state["phase"] == "running"
    assert stack.ids == first
    assert len(stack.started()) == 1


def test_a_run_is_fired_by_the_version_that_is_asked_for(stack: FlowStack) -> None:
    stack.up(api_version="2.1")
    (run,), flow = stack.cloud.runs(stack.system), int(stack.given["flow_id"])
    assert run["request"]["path"] == "/batch-processing-service/v2.1/flows"
    assert stack.state["reference"] == f"enos.flow::{flow}%2Fo15%2F%2F2.1:{stack.id}"
    stack.up(api_version=None)
    assert stack.state["reference"] == f"enos.flow::{flow}%2Fo15:{stack.id}"


def test_who_has_the_reference_alone_asks_by_the_same_version(stack: FlowStack) -> None:
    stack.up(api_version="2.1", user_id="bob")
    place = Reference.parse(stack.state["reference"])
    client = stack.provider.kind.client(place, stack.provider.settings)
    assert (client._version.name, client._user) == ("2.1", "bob")
    assert client.get(stack.id).id == stack.id


def test_another_version_does_not_make_it_another_run(stack: FlowStack) -> None:
    stack.up()
    own = stack.provider.space(stack.state)
    stack.up(api_version="2.1")
    assert stack.provider.space(stack.state) == own


def test_a_lost_run_is_found_by_either_version(stack: FlowStack) -> None:
    assert stack.up(kill="before create") == "killed"
    assert stack.up(api_version="2.1") == "create"
    assert stack.state["provenance"] == "found"
    assert len(stack.started()) == 1


@pytest.mark.parametrize("given", [{"api_version": "2.1"}, {"api_version": "2.0"}, {"from_task_id": None}])
def test_nothing_that_0_1_recorded_fires(stack: FlowStack, given: dict[str, Any]) -> None:
    stack.up()
    own = stack.ids
    as_0_1(stack)
    assert stack.up(**given) == "update"
    assert stack.up(**given) in ("same", "update")
    assert (stack.ids, len(stack.started()), stack.warned) == (own, 1, [])


def test_a_task_to_begin_with_is_asked_for(stack: FlowStack) -> None:
    stack.up(api_version="2.1")
    assert "from_task_id" not in ledger.fired_of(stack.state).content.arguments
    task = stack.given["flow_id"] * 10 + 1
    assert stack.up(api_version="2.1", from_task_id=task) == "create"
    actions = [run["request"]["query"]["action"] for run in stack.cloud.runs(stack.system)]
    assert actions == ["trigger", "triggerFromTask"]
    assert stack.up(api_version="2.1", from_task_id=task) == "same"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"from_task_id": 33771.0}, "needs api_version 2.1"),
        ({"from_task_id": 33771.0, "api_version": "2.0"}, "needs api_version 2.1"),
        ({"from_task_id": 33771.0, "api_version": "2.1", "parameters": {"a": "b"}}, "parameters"),
        ({"from_task_id": 0.0, "api_version": "2.1"}, "a task's number"),
        ({"api_version": "3.0"}, "must be '2.0' or '2.1'"),
    ],
)
def test_what_is_refused(stack: FlowStack, given: dict[str, Any], problem: str) -> None:
    (failure,) = stack.provider.check({}, {**stack.given, **given}).failures
    assert problem in failure.reason


@pytest.mark.parametrize("end", ["changed", "removed"])
def test_what_may_be_lost_is_looked_for_by_the_version_of_the_run(
    stack: FlowStack, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    stack.up(api_version="2.0", kill=1)
    stack.up(api_version="2.1", target="intent")
    assert stack.intent["arguments"]["api_version"] == "2.1", "that of today"
    asked: list[str] = []
    client = type(FLOW).client

    def noted(kind: Any, *args: Any, **kwargs: Any) -> Any:
        made = client(kind, *args, **kwargs)
        asked.append(made._version.name)
        return made

    monkeypatch.setattr(type(FLOW), "client", noted)
    (lost,) = stack.started()
    if end == "changed":
        stack.up(api_version="2.1", flow_id=4000)
    else:
        stack.destroy()
    assert any(lost in text for text in stack.warned)
    assert set(asked) == {"2.1"}


def test_the_version_alone_makes_no_new_intent(stack: FlowStack) -> None:
    stack.up(api_version="2.0")
    before = stack.intent
    assert stack.up(api_version="2.1") == "update"
    assert stack.intent["record"].split("place=")[0] == before["record"].split("place=")[0]
    assert len(stack.started()) == 1
