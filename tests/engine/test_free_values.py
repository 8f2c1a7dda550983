"""Values that Pulumi cannot carry, or does not keep exactly: one line each with the property, and nothing fires."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.emulator import Emulator
from tests.support.stack import BUCKET, WORKFLOW, Result, Stack, call, job

pytestmark = pytest.mark.engine

IMPORTS = """
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
Color = Enum("Color", ["RED"])
"""
TRIGGERS = """={
    "time": datetime(2026, 1, 1), "output": pulumi.Output.secret([Decimal("1.5")]), "path": {"a": Path("x")},
    "bytes": b"x", "set": {1}, "enum": Color.RED, "file": pulumi.FileAsset("x"), "names": {1: "a"},
    "large": 1790000000000000001, "huge": 10**400, "nan": float("nan"), "good": {"a": [1, None, "x", True]},
}"""
REFUSED = {
    "time": "holds a datetime, which Pulumi does not carry",
    "output": "holds a Decimal,",
    "path": "holds a PosixPath,",
    "bytes": "holds a bytes,",
    "set": "holds a set,",
    "enum": "holds a Color,",
    "file": "holds a FileAsset,",
    "names": "holds a mapping with a name that is not text,",
    "large": "holds a whole number beyond 9007199254740991, which Pulumi does not keep exactly: give it as text",
    "huge": "holds a number that is not finite, or too large for Pulumi: give it as text",
    "nan": "holds a number that is not finite, or too large for Pulumi: give it as text",
}


def problems(refused: Result) -> dict[str, str]:
    assert refused.code != 0
    assert "Traceback" not in refused.text
    assert "site-packages" not in refused.text
    return dict(re.findall(r"property (\S+) value \{.*?\} has a problem: (.*)", refused.out))


def test_of_a_run(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    wrong = {"type": "Job", "workflow_ids": None, "operation": "={'tag': 'x', 'user_data': b'x'}"}
    found = problems(stack.up(IMPORTS, job(name='=Path("x")', triggers=TRIGGERS, **wrong), check=False))
    assert "not PosixPath" in found.pop("name")
    assert "holds a bytes," in found.pop("operation")
    assert found.keys() == {f"triggers.{name}" for name in REFUSED}
    for name, reason in REFUSED.items():
        assert found[f"triggers.{name}"].startswith(reason)
    assert cloud.requests() == {}


def test_of_a_fan_out(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    fan = {"bucket": BUCKET, "workflow_id": WORKFLOW, "objects": '=["a.mp4", Path("b.mp4")]'}
    found = problems(stack.up(IMPORTS, call("tencent.WorkflowFanOut", "fan", **fan, triggers=TRIGGERS), check=False))
    assert found.pop("objects[1]") == "must be an object key, not PosixPath"
    assert found.keys() == {f"triggers.{name}" for name in REFUSED}
    assert cloud.requests() == {}
