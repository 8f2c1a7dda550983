"""docs/emulator.md: its tables are what the emulator takes."""

from __future__ import annotations

import re
from pathlib import Path

from emulator_bench import Bench

from cloud_runs_emulator.orders import ACTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()


def table(head: str) -> dict[str, list[str]]:
    """A table's rows by their first cell."""
    rows = PAGE.split(f"| {head} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0].split(" (")[0].strip("`"): row[1:] for row in cells}


def test_every_action_with_its_fields() -> None:
    actions = table("action | fields | goes with | what happens")
    assert set(actions) == ACTIONS
    bench = Bench()
    for action, (fields, goes_with, _) in actions.items():
        operation = "find" if "find" in goes_with else "start"
        order = {"system": bench.system, "operation": operation, "action": action}
        names = ["status", "code", "message", "after_effect", "body", "body_base64", "seconds", "id"]
        for name in names:
            reply = bench.admin("faults", {**order, name: None})
            taken = f"action {action} takes no {name}" != reply.json.get("error")
            assert taken == (f"`{name}`" in fields), (action, name)


def test_every_action_with_its_operations() -> None:
    bench = Bench()
    for action, (_, goes_with, _) in table("action | fields | goes with | what happens").items():
        for operation in ("start", "find", "get", "cancel"):
            wanted = operation in goes_with or goes_with == "any" or (goes_with == "changing" and operation != "find")
            wanted = wanted and (goes_with != "changing" or operation != "get")
            order = {"system": "tencent.inventory", "operation": operation, "action": action}
            error = bench.admin("faults", order).json.get("error", "")
            assert bool(re.search("goes with operation|does not go with", error)) != wanted, (action, operation)


def test_every_system_with_its_operations() -> None:
    counts = Bench().admin("requests").json
    systems = {name: set(value) for name, value in counts.items() if isinstance(value, dict)}
    told = {name: set(re.findall(r"`(\w+)`", cells[0])) for name, cells in table("system | operations").items()}
    assert told == systems
