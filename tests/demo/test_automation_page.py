"""docs/automation-api.md: its program, run as a script."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from cloud_runs import report
from tests.demo.pages import blocks
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import Stack

pytestmark = pytest.mark.engine

((_, PROGRAM),) = blocks("docs/automation-api.md")


@pytest.mark.long
def test_its_program_fires_once(stack: Stack, cloud: Emulator) -> None:
    file = stack.folder / "script.py"
    file.write_text(PROGRAM)
    keys = {"TENCENTCLOUD_SECRET_ID": SECRET_ID, "TENCENTCLOUD_SECRET_KEY": SECRET_KEY}
    env = stack.env | keys | {"RUNS_TENCENT_ENDPOINT": cloud.url}
    for _ in range(2):
        done = subprocess.run([sys.executable, file], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (fired,) = cloud.ids()
        assert f"fired {fired}\n" in done.stdout
        assert re.search(r"^transcode (pending|running)$", done.stdout, re.MULTILINE)


def test_report_takes_what_is_no_export_for_none() -> None:
    from pulumi.automation import Deployment

    assert report(state=Deployment(version=3)).runs == ()
