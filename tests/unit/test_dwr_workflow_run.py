"""What `huawei.dwr.WorkflowRun` has beside `huawei.WorkflowRun`: its project, its settings, and where it is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cloud_runs.checks import LATER
from cloud_runs.errors import InvalidConfiguration
from cloud_runs.huawei.dwr.settings import DWR
from cloud_runs.huawei.dwr.workflow_run import WORKFLOW
from cloud_runs.huawei.settings import HUAWEI
from cloud_runs.runs import Phase, Reference, RunStatus
from cloud_runs.wire.settings import Settings

PROJECT, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
GOOD: dict[str, Any] = {
    "graph_name": "scan",
    "bucket": "demo-bucket",
    "object": "/mpc/demo.mp4",
    "region": "cn-south-1",
}
KEYS = {"huaweicloud:accessKey": "AK", "huaweicloud:secretKey": "SK"}
BARE = Reference("huawei.dwr", "cn-south-1", "scan", "")
PLACE = Reference("huawei.dwr", "cn-south-1", f"scan/{PROJECT}", "")


def settings(**more: str) -> Settings:
    return Settings({name.replace("__", ":"): value for name, value in more.items()}.get, {})


@pytest.mark.parametrize("project", [PROJECT, "a1", LATER, None])
def test_a_project_that_is_accepted(project: Any) -> None:
    assert list(WORKFLOW.problems({**GOOD, "project_id": project}, settings())) == []


@pytest.mark.parametrize("project", ["", "a/b", "..", "a" * 65, "a-b", 7, ["x"], "中"])
def test_a_project_that_is_refused(project: Any) -> None:
    (problem,) = WORKFLOW.problems({**GOOD, "project_id": project}, settings())
    assert problem[0] == "project_id"


def test_a_configured_project_is_checked() -> None:
    (problem,) = WORKFLOW.problems(GOOD, settings(huaweicloud__projectId="a/b"))
    assert problem == ("project_id", "stack configuration huaweicloud:projectId is not the id of a project")


def test_changing_the_project_asks_for_a_new_run() -> None:
    assert "project_id" in WORKFLOW.names
    assert "project_id" in WORKFLOW.shared


def test_the_place_names_the_project_as_far_as_it_is_told() -> None:
    configured = settings(huaweicloud__projectId=OTHER)
    assert WORKFLOW.where(GOOD, settings()) == BARE
    assert WORKFLOW.where(GOOD, configured).scope == f"scan/{OTHER}"
    assert WORKFLOW.where({**GOOD, "project_id": PROJECT}, configured) == PLACE
    assert WORKFLOW.where(GOOD, Settings({}.get, {"HW_PROJECT_ID": PROJECT})) == PLACE
    assert WORKFLOW.where(GOOD, settings(runs__huaweiProjectId=PROJECT)) == PLACE


def test_a_place_without_a_project_is_the_one_that_iam_told_for_it() -> None:
    configured = replace(PLACE, scope=f"scan/{OTHER}")
    told = [BARE, PLACE, configured]
    assert WORKFLOW.pinned(BARE, told) == PLACE, "not what was configured since"
    assert WORKFLOW.pinned(BARE, [configured, BARE]) == BARE
    assert WORKFLOW.pinned(BARE, [BARE]) == WORKFLOW.pinned(BARE, []) == BARE
    assert WORKFLOW.pinned(configured, told) == configured
    assert WORKFLOW.pinned(BARE, [BARE, replace(PLACE, region="cn-north-4")]) == BARE
    assert WORKFLOW.pinned(BARE, [BARE, replace(PLACE, scope=f"scans/{PROJECT}")]) == BARE


def test_iam_is_asked_for_no_project_that_is_told() -> None:
    today = settings(**{name.replace(":", "__"): value for name, value in KEYS.items()})
    assert WORKFLOW.pin(PLACE, today) is None
    assert WORKFLOW.pin(BARE, today) is not None


def test_the_project_of_a_run_is_on_record() -> None:
    assert WORKFLOW.outputs(replace(PLACE, id="e-1"), None, None)["project_id"] == PROJECT
    assert "project_id" not in WORKFLOW.outputs(replace(BARE, id="e-1"), None, None)


def test_the_ids_of_a_workflow_are_those_of_its_project() -> None:
    assert WORKFLOW.id_space(PLACE) != WORKFLOW.id_space(replace(PLACE, scope=f"scan/{OTHER}"))
    assert WORKFLOW.id_space(PLACE) != WORKFLOW.id_space(Reference("huawei.dwr", "cn-south-1", "other", ""))


def test_the_client_asks_in_the_place_s_project_or_that_of_today() -> None:
    transport: Any = object()
    today = settings(**{name.replace(":", "__"): value for name, value in KEYS.items()}, huaweicloud__projectId=OTHER)
    assert WORKFLOW.client(PLACE, today, transport)._given == PROJECT
    assert WORKFLOW.client(BARE, today, transport)._given == OTHER


@pytest.mark.parametrize("scope", ["scan/a?b", "scan/../x", "a?b", "/", f"/{PROJECT}"])
def test_a_place_that_was_tampered_with(scope: str) -> None:
    today = settings(**{name.replace(":", "__"): value for name, value in KEYS.items()})
    with pytest.raises(InvalidConfiguration):
        WORKFLOW.client(Reference("huawei.dwr", "cn-south-1", scope, ""), today, object())  # type: ignore[arg-type]


def test_its_address_is_its_own_and_its_keys_are_the_vendor_s() -> None:
    assert DWR.keys == HUAWEI.keys
    assert (DWR.endpoint.config, DWR.endpoint.environ) == ("runs:huaweiDwrEndpoint", "RUNS_HUAWEI_DWR_ENDPOINT")
    assert settings(runs__huaweiEndpoint="https://obs.example").endpoint(DWR) is None


def test_a_region_where_it_is_not_known_is_worth_a_warning() -> None:
    north = Reference("huawei.dwr", "cn-north-4", "scan", "")
    assert "in cn-south-1 alone, not in cn-north-4" in WORKFLOW.remark(north, settings())
    assert WORKFLOW.remark(PLACE, settings()) == ""
    assert WORKFLOW.remark(north, settings(runs__huaweiDwrEndpoint="https://dwr.example")) == ""
    assert WORKFLOW.remark(north, settings(runs__huaweiDwrEndpoint="nonsense")) != "", "it does not raise"


def test_outputs() -> None:
    status = RunStatus("e1", Phase.SUCCEEDED, "success", finished_at="t", request={"graph_name": "scan"})
    outputs = WORKFLOW.outputs(Reference("huawei.dwr", "cn-south-1", "scan", "e1"), None, status)
    assert outputs == {"execution_name": "e1", "stopped_at": "t"}, "a look tells no URN, so the recorded one stays"
