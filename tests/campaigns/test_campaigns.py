"""The campaigns, short. `make soak` has the long ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cloud_runs_emulator.orders import ACTIONS
from tests.campaigns import faults, kills, orders, resumes, strikes
from tests.campaigns.oracle import Ask
from tests.campaigns.orders import Round
from tests.campaigns.report import Report
from tests.campaigns.works import FANS_OUT, SYSTEMS

pytestmark = pytest.mark.engine


@pytest.mark.long
def test_kills_at_any_instant(tmp_path: Path) -> None:
    report = Report("kills", 1)
    kills.lane(report, 4, tmp_path / "lane", "short", random.Random(1), hard=0.75)
    print(report.text())
    assert report.found == []
    assert report.total(kills.KILLS) >= 4


@pytest.mark.long
def test_strikes_at_named_instants(tmp_path: Path) -> None:
    report = Report("strikes", 1)
    plan = strikes.Plan(report, kills=6, pauses=2)
    strikes.lane(report, plan, tmp_path / "lane", "short", random.Random(1))
    print(report.text())
    assert report.found == []
    assert report.lacking() == []


def fault(system: str, operation: str, action: str, **details: object) -> orders.Fault:
    return {"system": system, "operation": operation, "action": action, **details}


@pytest.mark.long
def test_faults_while_a_trigger_changes_and_a_replacement_is_forced(tmp_path: Path) -> None:
    workflow, inventory, huawei, enos = "tencent.workflow", "tencent.inventory", "huawei.workflow", "enos.flow"
    dwr = "huawei.dwr"
    lost: dict[str, list[orders.Order]] = {
        workflow: [(fault(workflow, "start", "drop_response"),)],
        inventory: [(fault(inventory, "start", "status", status=400, code="InvalidArgument"),)],
        huawei: [(fault(huawei, "start", "drop_response"), fault(huawei, "start", "foreign_run"))],
        dwr: [(fault(dwr, "start", "drop_response"),), (fault(dwr, "find", "body", body="{}"),)],
        enos: [(fault(enos, "start", "drop_response"),), (fault(enos, "find", "body", body="{}"),)],
    }
    odd: dict[str, list[orders.Order]] = {
        workflow: [(fault(workflow, "start", "truncate"),)],
        inventory: [(fault(inventory, "start", "drop_response"),), (fault(inventory, "find", "reset_before"),)],
        huawei: [(fault(huawei, "start", "status", status=503, code="SlowDown"),)],
        dwr: [(fault(dwr, "start", "status", status=429, code="APIG.0308"),)],
        enos: [(fault(enos, "token", "forget"),)],
    }
    report = Report("faults", 0)
    rounds = [Round(Ask.CHANGE, "plain", lost), Round(Ask.FORCED, "plain", odd)]
    faults.lane(report, rounds, tmp_path / "lane", "short", random.Random(0))
    print(report.text())
    assert report.found == []
    assert report.total(faults.CASES) == 2 * len(lost)


@pytest.mark.long
def test_faults_while_a_fan_out_is_made_grows_and_is_replaced(tmp_path: Path) -> None:
    def both(operation: str, action: str, **details: object) -> dict[str, list[orders.Order]]:
        return {system: [(fault(system, operation, action, **details),)] for system in FANS_OUT}

    report = Report("faults of fan-outs", 0)
    rounds = [
        Round(Ask.CREATE, "interrupted", both("find", "reset_before"), fans=True),
        Round(Ask.ADDED, "plain", both("start", "drop_response"), fans=True),
        Round(Ask.CHANGE, "plain", both("start", "status", status=503, code="SlowDown", times=2), fans=True),
        Round(Ask.FORCED, "plain", both("start", "truncate", times=3), fans=True),
    ]
    faults.lane(report, rounds, tmp_path / "lane", "short", random.Random(0))
    print(report.text())
    assert report.found == []
    assert report.total(faults.CASES) >= 4 * len(FANS_OUT)


@pytest.mark.long
def test_failed_runs_go_on_amid_faults(tmp_path: Path) -> None:
    report = Report("resumes", 0)
    resumes.lane(report, 5, tmp_path / "lane", "short", random.Random(0))
    print(report.text())
    assert report.found == []
    assert report.total(resumes.RESUMES) >= 5


@pytest.mark.parametrize("fans", [False, True])
def test_a_plan_has_every_fault_alone_and_is_repeatable(fans: bool) -> None:
    systems, contexts = (FANS_OUT, orders.CONTEXTS[:2]) if fans else (SYSTEMS, orders.CONTEXTS)
    rounds = orders.plan(random.Random(7), 480, fans)
    assert rounds == orders.plan(random.Random(7), 480, fans)
    assert len(rounds) * len(systems) == 480
    assert len(orders.plan(random.Random(7), 2400, fans)) == 2400 // len(systems)
    ordered = [order for one in rounds for orders in one.orders.values() for order in orders]
    met = {(fault["system"], fault["operation"], fault["action"]) for order in ordered for fault in order}
    actions = {"drop_response", "reset_before", "status", "body", "truncate", "delay", "forget"}
    actions |= {"interim", "error_in_200", "date_skew"}
    for system in systems:
        asked = [name for context in contexts for name in orders.operations(system, context, fans)]
        assert {(system, name, action) for name in asked for action in actions} <= met
        for action in ("foreign_run", "slow_effect", "refused_but_ran", "repeat", "same_id", "odd_id"):
            assert (system, "start", action) in met
        assert (system, "find", "endless_pages") in met


def test_the_campaign_knows_every_fault_of_the_emulator() -> None:
    assert set(orders.ALL) == ACTIONS
