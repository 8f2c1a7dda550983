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


@pytest.mark.parametrize("seed", range(3))
def test_five_kills(tmp_path: Path, seed: int) -> None:
    report = Report("kills", seed)
    kills.lane(report, 5, tmp_path / "lane", f"seed {seed}", random.Random(seed))
    print(report.text())
    assert report.found == []
    assert report.total(kills.KILLS) >= 5


def each(operation: str, action: str, **details: object) -> dict[str, list[faults.Order]]:
    """The same fault for each system."""
    fault = {"operation": operation, "action": action, **details}
    return {system: [({"system": system, **fault},)] for system in SYSTEMS}


def test_faults_alone_and_in_a_sequence(tmp_path: Path) -> None:
    lost = each("start", "drop_response")
    refused = each("start", "status", status=400, code="InvalidArgument")
    unread = each("find", "body", body="<html/>", times=2)
    report = Report("faults", 0)
    rounds = [
        Round(Ask.CHANGE, "plain", lost),
        Round(Ask.FORCED, "plain", {system: refused[system] + lost[system] for system in SYSTEMS}),
        Round(Ask.CREATE, "interrupted", unread),
    ]
    faults.lane(report, rounds, tmp_path / "lane", "short", random.Random(0))
    print(report.text())
    assert report.found == []
    assert report.total(faults.CASES) == 3 * len(SYSTEMS)


def test_a_plan_has_every_fault_alone_and_is_repeatable() -> None:
    rounds = faults.plan(random.Random(7), 1000)
    assert rounds == faults.plan(random.Random(7), 1000)
    assert len(rounds) * len(SYSTEMS) >= 1000
    ordered = [order for one in rounds for orders in one.orders.values() for order in orders]
    met = {(fault["system"], fault["operation"], fault["action"]) for order in ordered for fault in order}
    actions = {"drop_response", "reset_before", "status", "body", "truncate", "delay", "forget"}
    for system in SYSTEMS:
        asked = [name for context in faults.CONTEXTS for name in faults.operations(system, context)]
        assert {(system, name, action) for name in asked for action in actions} <= met
        assert (system, "start", "foreign_run") in met
