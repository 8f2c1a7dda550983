"""The type checker of editors finds what is misspelt in a program, and shows what a class does.

`make pyright` installs it into `.venv/pyright`; without that this is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.test_packaging import LOOKING, PROGRAM
from tests.support.stack import ROOT

CHECKER = ROOT / ".venv" / "pyright"
MISTAKES = {'"failed"': '"faild"', '"why"': '"whi"', '"duration"': '"durration"', "bucket=": "buckett="}
STRICT = {
    "typeCheckingMode": "standard",
    "reportUnnecessaryComparison": "error",
    "reportTypedDictNotRequiredAccess": "none",
    "extraPaths": [str(ROOT / "provider")],
}

pytestmark = pytest.mark.skipif(not CHECKER.exists(), reason="make pyright installs it")


def errors(folder: Path, source: str) -> list[str]:
    """What is said of a program, with its line."""
    (folder / "pyrightconfig.json").write_text(json.dumps(STRICT))
    file = folder / "program.py"
    file.write_text(source)
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(CHECKER)}, capture_output=True, text=True, check=False
    )
    told: dict[str, Any] = json.loads(done.stdout)
    lines = source.splitlines()
    return [
        f"{one['message']} | {lines[one['range']['start']['line']]}"
        for one in told["generalDiagnostics"]
        if one["severity"] == "error"
    ]


def test_a_right_program_has_no_error(tmp_path: Path) -> None:
    assert errors(tmp_path, PROGRAM.read_text() + LOOKING) == []


@pytest.mark.parametrize("right", MISTAKES)
def test_what_is_misspelt_is_found(tmp_path: Path, right: str) -> None:
    source = PROGRAM.read_text() + LOOKING
    assert right in source
    found = errors(tmp_path, source.replace(right, MISTAKES[right]))
    assert any(MISTAKES[right].strip('"=') in one for one in found), found
