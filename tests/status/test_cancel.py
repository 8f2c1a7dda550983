"""`cloud-runs cancel` and `open`: which runs are meant, and that nothing else is stopped."""

from __future__ import annotations

import os
import pty
from pathlib import Path

import pytest

from tests.status.exports import Exported
from tests.support.emulator import Emulator, emulator

CI, JOBS, OBS, FLOWS = "tencent.workflow", "tencent.inventory", "huawei.workflow", "enos.flow"


@pytest.fixture
def cloud() -> Emulator:  # type: ignore[misc]
    with emulator("--run-seconds", "3600") as running:
        yield running  # type: ignore[misc]


def states(cloud: Emulator) -> dict[str, str]:
    return {run["id"]: run["state"] for run in cloud.runs()}


def test_one_run_is_stopped_and_no_other(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, FLOWS, JOBS, FLOWS)
    flow, job, other = stack.runs.values()
    assert stack.run("cancel", "enos-flow-0", "--yes") == (0, "enos-flow-0: asked to stop\n", "")
    assert stack.run("cancel", "tencent-inventory-1", "-y") == (0, "tencent-inventory-1: asked to stop\n", "")
    assert (states(cloud)[flow], states(cloud)[job], states(cloud)[other]) == ("CANCEL", "Cancel", "RUNNING")
    code, out, _ = stack.run("cancel", "enos-flow-0")
    assert (code, out) == (0, "enos-flow-0: cancelled (CANCEL)\n"), "there is nothing to ask"
    assert (cloud.count(FLOWS, "cancel"), cloud.count(JOBS, "cancel")) == (1, 1)


@pytest.mark.parametrize(
    ("typed", "code", "state"), [("n\n", 11, "RUNNING"), ("\n", 11, "RUNNING"), ("y\n", 0, "CANCEL")]
)
def test_it_asks_first(tmp_path: Path, cloud: Emulator, typed: str, code: int, state: str) -> None:
    stack = Exported(tmp_path, cloud, FLOWS)
    ours, theirs = pty.openpty()
    with stack.start("cancel", "enos-flow-0", stdin=theirs) as process:
        os.write(ours, typed.encode())
        out, error = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code
    assert error == f"enos-flow-0: running, {stack.runs['enos-flow-0']} (enos.flow)\nStop this run? [y/N] "
    assert out == ("enos-flow-0: asked to stop\n" if code == 0 else "nothing was stopped\n")
    assert list(states(cloud).values()) == [state]


@pytest.mark.long
def test_what_is_refused(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, CI, OBS, FLOWS)
    stack.fan_out("fan", {"a/b.mp4": "i1", "c.mp4": "i2"})
    refused = {
        "tencent-workflow-0": "tencent-workflow-0: tencent.workflow has no call that stops a run, so it goes on",
        "huawei-workflow-1": "huawei-workflow-1: huawei.workflow has no call that stops a run, so it goes on",
        "fan/a/b.mp4": "fan[a/b.mp4]: tencent.workflow has no call that stops a run, so it goes on",
        "fan": "fan[a/b.mp4]: tencent.workflow has no call that stops a run, so it goes on",
        "nope": "no run of 'nope' is recorded; there are: tencent-workflow-0, huawei-workflow-1, enos-flow-2, fan",
        "enos-flow-2": "cancel asks first, and nobody can answer here: give --yes",
    }
    for name, why in refused.items():
        assert stack.run("cancel", name) == (2, "", f"cloud-runs: error: {why}\n")
    stack.env["ENOS_SECRET_KEY"] = "wrong"
    code, out, _ = stack.run("cancel", "enos-flow-2", "--yes")
    assert (code, out.startswith("enos-flow-2: pending: "), "wrong" in out) == (12, True, False), out
    assert sum(cloud.count(system, "cancel") for system in (CI, JOBS, OBS, FLOWS)) == 0


def test_a_page_for_each_run_that_has_one(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, FLOWS)
    stack.add(CI, "transcode", "i1")
    stack.add(OBS, "scan", "e1", bucket="demo-bucket")
    stack.add(OBS, "bucketless", "e2")
    bucket = "https://console.cloud.tencent.com/ci/bucket?bucket=media-1250000000&region=ap-beijing\n"
    obs = "https://console.huaweicloud.com/obs/?region=cn-north-4#/obs/"
    assert stack.run("open", "transcode") == (0, bucket, "")
    assert stack.run("open", "scan") == (0, f"{obs}manage/demo-bucket/overview\n", "")
    assert stack.run("open", "bucketless") == (0, f"{obs}manager/buckets\n", "")
    none = "cloud-runs: error: no page of a console is known for 'enos-flow-0' (enos.flow)\n"
    assert stack.run("open", "enos-flow-0") == (2, "", none)
    stack.fan_out("fan", {"a.mp4": "i1", "b.mp4": "i2"})
    assert stack.run("open", "fan") == stack.run("open", "fan/a.mp4") == (0, bucket, "")
    assert cloud.requests() == {FLOWS: {"start": 1, "token": 1}}, "no system is asked"
