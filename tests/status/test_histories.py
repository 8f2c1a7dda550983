"""`cloud-runs history` of a large fan-out: few lines, and JSON has all. On the engine: tests/engine/test_history.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_runs.status import histories
from cloud_runs.status.rows import LISTED
from tests.status.exports import Exported
from tests.support.emulator import Emulator


@pytest.mark.parametrize(
    ("again", "folded"), [(LISTED, ["fan (280 objects)"]), (LISTED + 5, ["fan (5 objects)", "fan (275 objects)"])]
)
def test_few_lines_for_many_objects(tmp_path: Path, cloud: Emulator, again: int, folded: list[str]) -> None:
    keys = [f"{number:03}.mp4" for number in range(300)]
    past = {"id": "i0", "phase": "failed", "code": "E", "fired_at": "2026-11-22T07:00:00Z", "why": "first"}
    counts = ",".join(f"{key}:1" for key in keys[:again])
    stack = Exported(tmp_path, cloud)
    stack.fan_out(
        "fan",
        {key: f"i{key}" for key in keys},
        fired=f"1 token=t at=2026-11-22T08:00:00Z why=first again={counts}",
        history={key: [past] for key in keys[:again]},
    )
    code, out, error = stack.run("history")
    assert (code, error) == (0, "")
    _head, *lines = out.splitlines()
    assert [line.split("  ")[0] for line in lines[2 * LISTED :]] == folded
    assert len(json.loads(stack.run("history", "--json")[1])["runs"]) == 300


@pytest.mark.parametrize(("told", "version"), [({"version": 7}, 7), ({"version": 0}, None), ({}, None)])
def test_the_number_of_an_update_if_the_backend_has_one(told: dict[str, int], version: int | None) -> None:
    times = {"startTime": "2026-11-22T07:59:00Z", "endTime": "2026-11-22T08:01:00Z"}
    assert (histories._plain(histories._update({**times, **told})) or {})["version"] == version
