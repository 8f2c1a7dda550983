"""The project of a DWR run, told by IAM, and the warning of a region where DWR is not known."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from cloud_runs.huawei.dwr.workflow_run import WORKFLOW
from cloud_runs.kinds import Occasion
from cloud_runs.lifecycle import host
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.wire.settings import Settings
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


def test_a_setting_that_was_wrong_and_is_taken_back_fires_where_iam_tells(stack: HostStack) -> None:
    stack.refuse()
    assert "AccessDenied" in stack.stops()
    configured(stack, **{"huaweicloud:projectId": "1" + TOLD[1:]})
    stack.refuse()
    assert "AccessDenied" in stack.stops()
    configured(stack)
    stack.up()
    place = str(stack.state["place"] if stack.fans else stack.state["reference"])
    assert unquote(place).startswith(f"huawei.dwr:cn-north-4:scan/{TOLD}:")
    assert len(stack.started()) == stack.asks


def test_a_run_that_is_given_is_looked_for_in_the_project_on_record(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, other = One(cloud, monkeypatch), One(cloud, monkeypatch, "other")
    configured(stack)
    configured(other)
    stack.up()
    other.up(triggers={"n": 1})
    cloud.fault(KIT.name, "projects", "body", body=OTHERS, times=1000)
    assert stack.up(adopt_id=other.id) == "delete the old one"
    assert stack.ids == other.ids


def test_iam_is_not_asked_again_for_other_objects(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    fan = Many(cloud, monkeypatch)
    configured(fan)
    fan.up(["a1"])
    cloud.fault(KIT.name, "projects", "body", body=OTHERS, times=1000)
    fan.up(["a1", "a3"])
    assert cloud.count(KIT.name, "projects") == 1
    assert TOLD in unquote(str(fan.state["place"]))
    assert len(fan.ids) == len(fan.started()) == 2


def test_a_twin_in_another_project_does_not_share_what_is_found(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs that may be ours, one of them somebody else's: nobody can tell, and another project has neither."""
    stack = One(cloud, monkeypatch)
    configured(stack)
    stack.up(kill=1)
    (ours,) = stack.lost()
    stranger = One(cloud, monkeypatch, "stranger")
    configured(stranger)
    stranger.up()
    stack.process()
    request = WORKFLOW.request(stack.given, Occasion())
    there = {**stack.given, "region": "cn-north-4", "project_id": "1" + TOLD[1:]}
    space = WORKFLOW.id_space(WORKFLOW.where(there, Settings()))
    twin = host.this_process().doubting("twin", [(space, WORKFLOW.work(request))])
    with twin, pytest.raises(RunError, match="may have started one of these runs") as error:
        stack.up(same_process=True)
    assert ours in str(error.value)
    assert stranger.id in str(error.value)


def test_nothing_is_fired_while_iam_does_not_tell_the_project(stack: HostStack) -> None:
    stack.cloud.fault(KIT.name, "projects", "status", status=403, code="APIGW.0301", message="no")
    with pytest.raises(RunError, match=rf"^Workflow(Run|FanOut) '{stack.name}': Huawei IAM refused GET /v3/projects"):
        stack.up()
    assert stack.started() == []
    assert stack.up() == "create"
    assert len(stack.started()) == stack.asks


def test_a_run_that_exists_is_read_with_its_project(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = One(cloud, monkeypatch)
    configured(stack)
    stack.up()
    given = {"graph_name": "scan", "region": "cn-north-4", "resource_urn": stack.urn}
    outs: dict[str, Any] = dict(stack.provider.read(stack.id, given).outs or {})
    assert outs["project_id"] == TOLD
    assert outs["reference"] == stack.state["reference"]


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
