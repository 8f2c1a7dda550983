"""The project of a DWR run, told by IAM, and the warning of a region where DWR is not known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from cloud_runs.huawei.dwr.workflow_run import WORKFLOW
from cloud_runs.lifecycle.reporting import RunError
from tests.kits import KITS
from tests.provider.fan_stack import FanStack
from tests.provider.host_stack import HostStack, RunStack
from tests.support.emulator import Emulator

KIT = KITS["huawei.dwr"]
TOLD = "0emulatedproject0000000000000000"


class One(RunStack):
    kit = KIT


class Many(FanStack):
    kit = KIT


@pytest.fixture(params=[One, Many])
def stack(request: pytest.FixtureRequest, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    made: HostStack = request.param(cloud, monkeypatch)
    configured(made)
    return made


def configured(stack: HostStack, **more: str) -> None:
    """Without a project, unless it is given."""
    settings = {**KIT.settings(stack.cloud.url), "runs:startSeconds": "5", "runs:lagSeconds": "0"}
    del settings["huaweicloud:projectId"]
    for provider in (stack.provider, stack.intents):
        provider.configure(ConfigureRequest(Config({**settings, **more}, "tests")))


def test_the_project_that_iam_tells_is_asked_for_once(stack: HostStack) -> None:
    assert stack.up() == "create"
    assert len(stack.started()) == stack.asks
    assert stack.cloud.count(KIT.name, "projects") == 1
    assert stack.up() == "same"
    assert stack.cloud.count(KIT.name, "projects") == 1


def test_a_run_stays_where_it_is_when_another_project_is_configured(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = One(cloud, monkeypatch)
    configured(stack)
    stack.up()
    assert stack.state["project_id"] == TOLD
    configured(stack, **{"huaweicloud:projectId": "0123456789abcdef0123456789abcdef"})
    seen: dict[str, Any] = dict(stack.provider.read(stack.id, stack.state).outs or {})
    assert seen["phase"] == "running"
    assert seen["project_id"] == TOLD
    assert cloud.count(KIT.name, "projects") == 1


OTHERS = json.dumps({"projects": [{"id": "1" + TOLD[1:], "name": "cn-north-4"}]})
"""Of another key, or of the same one tomorrow."""


@pytest.mark.parametrize("kill", [1, "before create"])
def test_a_run_that_was_lost_in_the_project_that_iam_told_is_found_there_when_iam_tells_another(
    stack: HostStack, kill: str | int
) -> None:
    stack.up(kill=kill)
    lost = stack.lost()
    assert len(lost) == (1 if kill == 1 else stack.asks)
    stack.cloud.fault(KIT.name, "projects", "body", body=OTHERS, times=1000)
    stack.up()
    assert len(stack.started()) == stack.asks
    assert stack.lost() == []
    assert set(lost) <= set(stack.ids.values())


def test_a_lost_run_is_found_when_the_project_is_configured_by_now(stack: HostStack) -> None:
    stack.up(kill="before create")
    assert len(stack.lost()) == stack.asks
    configured(stack, **{"huaweicloud:projectId": "1" + TOLD[1:]})
    stack.up()
    assert len(stack.started()) == stack.asks
    assert stack.lost() == []


def test_nothing_is_fired_while_iam_does_not_tell_the_project(stack: HostStack) -> None:
    stack.cloud.fault(KIT.name, "projects", "status", status=403, code="APIGW.0301", message="no")
    with pytest.raises(RunError, match=rf"Run|FanOut '{stack.name}': Huawei IAM refused GET /v3/projects"):
        stack.up()
    assert stack.started() == []
    assert stack.up() == "create"
    assert len(stack.started()) == stack.asks


def test_several_projects_fire_nothing(stack: HostStack) -> None:
    two = {"projects": [{"id": "aa11", "name": "cn-north-4"}, {"id": "bb22", "name": "cn-north-4_x"}]}
    stack.cloud.fault(KIT.name, "projects", "body", body=json.dumps(two), times=10)
    said = stack.stops()
    assert "aa11 (cn-north-4), bb22 (cn-north-4_x)" in said
    assert stack.started() == []
    configured(stack, **{"huaweicloud:projectId": TOLD})
    stack.up()
    assert len(stack.started()) == stack.asks


def test_a_region_where_dwr_is_not_known_is_told_once_before_anything_is_fired(
    stack: HostStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(WORKFLOW), "remark", lambda self, place, settings: f"not known in {place.region}")
    stack.up()
    assert stack.before == [("not known in cn-north-4", 0)]
    stack.up()
    assert len(stack.before) == 1
