"""A look at the workflow itself: what each system says of it, and that nothing is fired by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloud_runs.enos.client import FlowRequest
from cloud_runs.errors import Refused, Unavailable
from cloud_runs.huawei.client import WorkflowRequest as HuaweiRequest
from cloud_runs.runs import Workflow
from cloud_runs.tencent.client import WorkflowRequest
from cloud_runs.tencent.jobs import InventoryRequest
from tests.hostile import answers, systems
from tests.kits import KITS
from tests.kits.kit import EMULATED
from tests.support.clients import Scripted, hasty, says
from tests.support.emulator import Emulator, emulator

FIRST, SECOND = "we59a9648e62e48ffb25e4b41f3721799", "w7476ff3564ee45b7b490d64bccaba6cc"
ONE = WorkflowRequest(FIRST, "test.mp4")
SYSTEMS = pytest.mark.parametrize("system", KITS)


def asked(system: str, request: Any, *said: Any) -> tuple[tuple[Workflow, ...], Scripted]:
    token = says(answers.written(*answers.good("POST /apim-token-service")))
    transport = Scripted("", *([token] if KITS[system].token_header else []), *said)
    return systems.client(system, transport).workflows(request), transport


def told(system: str, request: Any, *said: Any) -> Workflow:
    (workflow,), _ = asked(system, request, *said)
    return workflow


def definitions(*rows: str) -> Any:
    return says(f"<Response><RequestId>r</RequestId><TotalCount>1</TotalCount>{''.join(rows)}</Response>")


def definition(id: str, state: str = "Active") -> str:
    return (
        f"<MediaWorkflowList><Name>clips</Name><WorkflowId>{id}</WorkflowId><State>{state}</State></MediaWorkflowList>"
    )


# --- against the emulator


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with emulator() as cloud:
        yield cloud


@SYSTEMS
def test_a_look_tells_that_it_exists_and_fires_nothing(running: Emulator, system: str) -> None:
    running.reset()
    kit = KITS[system]
    (workflow,) = kit.make(hasty(), EMULATED, running.url).workflows(kit.request)
    assert workflow.exists
    assert workflow.runs is not False
    assert workflow.lacks == ()
    assert running.runs(origin=None) == []
    assert running.count(kit.family or system, "workflow") == 1
    assert sum(n for counts in running.requests().values() for what, n in counts.items() if what == "start") == 0


# --- what is read


@pytest.mark.parametrize(("state", "runs"), [("Active", True), ("Paused", True), ("Archived", None), ("", None)])
def test_tencent_a_paused_workflow_runs(state: str, runs: bool | None) -> None:
    workflow = told("tencent.workflow", ONE, definitions(definition(SECOND), definition(FIRST, state)))
    assert (workflow.exists, workflow.name, workflow.state, workflow.runs) == (True, "clips", state, runs)
    assert ("uploads" in workflow.remark) == (state == "Paused")


@pytest.mark.parametrize(
    "unknown",
    [
        f"<NonExistIDs>{FIRST}</NonExistIDs>",
        f"<NonExistIDs>{SECOND}</NonExistIDs><NonExistIDs>{FIRST}</NonExistIDs>",
        f"<NonExistIDs>{SECOND}, {FIRST}</NonExistIDs>",
    ],
)
def test_tencent_an_unknown_workflow(unknown: str) -> None:
    workflow = told("tencent.workflow", ONE, definitions(unknown))
    assert (workflow.id, workflow.exists, workflow.runs) == (FIRST, False, False)


def test_tencent_an_answer_about_others_says_nothing() -> None:
    for rows in ("", definition(SECOND), f"<NonExistIDs>{SECOND}</NonExistIDs>"):
        with pytest.raises(Unavailable, match=FIRST):
            asked("tencent.workflow", ONE, definitions(rows))


def test_tencent_a_job_asks_for_all_of_its_workflows_at_once() -> None:
    job = InventoryRequest("demo", "Workflow", {"Prefix": "input"}, {"WorkflowIds": f"{FIRST},{SECOND}"})
    said = definitions(definition(SECOND), f"<NonExistIDs>{FIRST}</NonExistIDs>")
    workflows, transport = asked("tencent.inventory", job, said)
    assert [(workflow.id, workflow.exists) for workflow in workflows] == [(FIRST, False), (SECOND, True)]
    ((method, url, query, _),) = transport.sent
    assert (method, url.rpartition("/")[2], dict(query)["ids"]) == ("GET", "workflow", f"{FIRST},{SECOND}")


def test_tencent_a_job_of_type_job_is_of_no_workflow() -> None:
    job = InventoryRequest("demo", "Job", {"Prefix": "input"}, {"Tag": "Transcode"})
    workflows, transport = asked("tencent.inventory", job, says())
    assert workflows == ()
    assert transport.sent == []


def graph(name: str = "scan", **definition: Any) -> Any:
    return says({"name": name, "graph_urn": "u", "definition": definition})


def test_huawei_a_parameter_without_a_default_must_be_given() -> None:
    inputs = [
        {"parameter_name": "template-id", "type": "integer"},
        {"parameter_name": "rate", "default": 0},
        {"parameter_name": "tag", "default": None},
    ]
    request = HuaweiRequest("demo-bucket", "a.mp4", {"template-id": 7})
    workflow = told("huawei.workflow", request, graph(inputs=inputs))
    assert (workflow.exists, workflow.runs, workflow.lacks) == (True, None, ("tag",))
    assert told("huawei.workflow", request, graph(inputs=None)).lacks == ()


def test_huawei_an_unknown_workflow() -> None:
    request = HuaweiRequest("demo-bucket", "a.mp4")
    said = says({"code": "SYS.9999", "message": "no such workflow"}, 404)
    assert told("huawei.workflow", request, said) == Workflow("scan", exists=False, runs=False)
    with pytest.raises(Refused, match="scan"):  # that the API is gone says nothing of the workflow
        asked("huawei.workflow", request, says({"code": "SYS.0003", "message": "not supported"}, 404))
    with pytest.raises(Unavailable, match="not about that workflow"):
        asked("huawei.workflow", request, graph("other"))


def flow(**more: Any) -> Any:
    data = {"flowId": 3377, "flowName": "meters", "active": 1, "locked": False, "graph": '{"tasks": [{}]}'} | more
    return says({"status": 0, "msg": "", "data": data})


ENOS = FlowRequest(3377, 0)


def test_enos_a_flow() -> None:
    assert told("enos.flow", ENOS, flow()) == Workflow("3377", name="meters", runs=True, state="Start")
    paused = told("enos.flow", ENOS, flow(active=0))
    assert (paused.runs, paused.state, paused.remark) == (
        True, "Pause", "its schedule is off; a run that is requested here starts",
    )  # fmt: skip
    for unknown in (None, "x", {}):
        untold = told("enos.flow", ENOS, flow(active=unknown))
        assert (untold.runs, untold.state, untold.remark) == (True, "", "")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"locked": True}, "the flow is locked"),
        ({"isUserLocked": True}, "the user is locked"),
        ({"graph": '{"tasks": []}'}, "the flow has no task"),
        ({"graph": {"tasks": [], "flows": []}, "locked": True}, "the flow is locked and the flow has no task"),
    ],
)
def test_enos_a_flow_that_cannot_be_triggered(more: dict[str, Any], why: str) -> None:
    workflow = told("enos.flow", ENOS, flow(**more))
    assert (workflow.exists, workflow.runs, workflow.remark) == (True, False, why)


def test_enos_an_unknown_flow() -> None:
    for said in (says({"status": 62102, "msg": "no flow"}), says({"status": 0, "msg": "", "data": None})):
        assert told("enos.flow", ENOS, said) == Workflow("3377", exists=False, runs=False)
    with pytest.raises(Unavailable, match="not about that flow"):
        asked("enos.flow", ENOS, flow(flowId=1))
    with pytest.raises(Refused, match="62103"):
        asked("enos.flow", ENOS, says({"status": 62103, "msg": "no"}))
