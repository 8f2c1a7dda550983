"""Both campaigns, short. `make soak` is the long one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.campaigns import faults, kills
from tests.campaigns.faults import Round
from tests.campaigns.oracle import Ask
from tests.campaigns.report import Report
from tests.campaigns.works import SYSTEMS

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_eight_kills(tmp_path: Path, seed: int) -> None:
    report = Report("kills", seed)
    kills.lane(report, 8, tmp_path / "lane", f"seed {seed}", random.Random(seed), hard=0.75)
    print(report.text())
    assert report.found == []
    assert report.total(kills.KILLS) >= 8


def fault(system: str, operation: str, action: str, **details: object) -> faults.Fault:
    return {"system": system, "operation": operation, "action": action, **details}


@pytest.mark.long
def test_faults_while_a_trigger_changes_and_a_replacement_is_forced(tmp_path: Path) -> None:
    workflow, inventory, huawei, enos = SYSTEMS
    lost: dict[str, list[faults.Order]] = {
        workflow: [(fault(workflow, "start", "drop_response"),)],
        inventory: [(fault(inventory, "start", "status", status=400, code="InvalidArgument"),)],
        huawei: [(fault(huawei, "start", "drop_response"), fault(huawei, "start", "foreign_run"))],
        enos: [(fault(enos, "start", "drop_response"),), (fault(enos, "find", "body", body="{}"),)],
    }
    odd: dict[str, list[faults.Order]] = {
        workflow: [(fault(workflow, "start", "truncate"),)],
        inventory: [(fault(inventory, "start", "drop_response"),), (fault(inventory, "find", "reset_before"),)],
        huawei: [(fault(huawei, "start", "status", status=503, code="SlowDown"),)],
        enos: [(fault(enos, "token", "forget"),)],
    }
    report = Report("faults", 0)
    rounds = [Round(Ask.CHANGE, "plain", lost), Round(Ask.FORCED, "plain", odd)]
    faults.lane(report, rounds, tmp_path / "lane", "short", random.Random(0))
    print(report.text())
    assert report.found == []
    assert report.total(faults.CASES) == 2 * len(SYSTEMS)


def test_a_plan_has_every_fault_alone_and_is_repeatable() -> None:
    rounds = faults.plan(random.Random(7), 200)
    assert rounds == faults.plan(random.Random(7), 200)
    assert len(rounds) * len(SYSTEMS) == 200
    assert len(faults.plan(random.Random(7), 2000)) == 500
    ordered = [order for one in rounds for orders in one.orders.values() for order in orders]
    met = {(fault["system"], fault["operation"], fault["action"]) for order in ordered for fault in order}
    actions = {"drop_response", "reset_before", "status", "body", "truncate", "delay", "forget"}
    for system in SYSTEMS:
        asked = [name for context in faults.CONTEXTS for name in faults.operations(system, context)]
        assert {(system, name, action) for name in asked for action in actions} <= met
        assert (system, "start", "foreign_run") in met
