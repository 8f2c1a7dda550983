"""`cloud-runs check` before the first `up`: what it asks, what it says, and that it fires nothing."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kits import settings
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import BUCKET, WORKFLOW, Stack, call, job, run

pytestmark = pytest.mark.engine

CI, JOBS, OBS, FLOWS = "tencent.workflow", "tencent.inventory", "huawei.workflow", "enos.flow"
HEADER = "from cloud_runs import Completion, Provider, enos, huawei\n"
SCAN = call("huawei.WorkflowRun", "scan", graph_name="scan", bucket="demo-bucket", object="/mpc/demo.mp4")
FLOW = call("enos.FlowRun", "meters", flow_id=3377)
FAN = call("tencent.WorkflowFanOut", "fan", bucket=BUCKET, workflow_id=WORKFLOW, objects=["b.mp4", "c.mp4"])
EU = call("Provider", "eu", tencent_secret_id="AKIDx", tencent_secret_key="secret-of-eu", tencent_region="ap-beijing")
THERE = run("there", object="=other.id", opts="=ResourceOptions(provider=eu)")


def check(stack: Stack, **env: str) -> tuple[int, list[tuple[str, str, str]]]:
    """The exit code, and each line: what was found, of what, and what is said."""
    command = [sys.executable, "-m", "cloud_runs", "check", "-s", stack.name]
    done = subprocess.run(command, cwd=stack.project, env=stack.env | env, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    lines = [re.fullmatch(r"(ok|FAIL|\?) +(.*?): (.*)", line) for line in done.stdout.splitlines()]
    assert all(lines), done.stdout
    return done.returncode, [(line[1], line[2], line[3]) for line in lines if line]


def fired(cloud: Emulator) -> int:
    return sum(cloud.count(system, "start") for system in (CI, JOBS, OBS, FLOWS))


def test_before_the_first_up(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    stack.configure(**settings(cloud.url))
    stack.program(HEADER, run(), run("again", object="x.mp4"), job(), FAN, SCAN, FLOW)
    state = stack.export()
    code, lines = check(stack)
    assert [line for line in lines if line[0] != "ok"] == []
    assert code == 0
    assert [what for _, what, _ in lines[:2]] == ["engine", "clock"]
    asked = "the keys are right, and may query runs"
    places = {what for _, what, said in lines if said == asked}
    assert places == {
        f"{CI} ap-beijing {BUCKET}", f"{JOBS} ap-beijing {BUCKET}", f"{OBS} cn-north-4 scan", f"{FLOWS} 3377/o15",
    }  # fmt: skip
    workflows = [what for _, what, said in lines if said.startswith("workflow ")]
    assert len(workflows) == 4, "one line for each workflow of a place"
    assert stack.export() == state
    assert fired(cloud) == 0
    assert cloud.count(CI, "find") == 1, "one place is asked once"

    cloud.fault(CI, "find", "date_skew", seconds=-300)
    cloud.fault(FLOWS, "workflow", "status", status=200, code="62102", message="no such flow")
    cloud.fault(JOBS, "find", "status", status=403, code="AccessDenied", message="not allowed")
    stack.configure(**settings(cloud.url) | {"huaweicloud:secretKey": "no-longer-good"})
    code, lines = check(stack)
    assert code == 10
    wrong = {what: said for found, what, said in lines if found == "FAIL"}
    assert set(wrong) == {"clock", "job", "scan", "meters"}
    assert re.fullmatch(r"it is (299|300|301|302) s ahead of that of the service: set it \(NTP\)", wrong["clock"])
    assert "403 AccessDenied: not allowed" in wrong["job"]
    assert "SignatureDoesNotMatch" in wrong["scan"]
    assert "huaweicloud:secretKey" in wrong["scan"]
    assert "no-longer-good" not in str(lines)
    assert fired(cloud) == 0


def test_what_is_not_known_before_the_up_and_what_is_wrong_in_the_program(stack: Stack, cloud: Emulator) -> None:
    stack.program(HEADER, EU, run("other"), run("later", object="=other.id"), THERE)
    code, lines = check(stack)
    assert code == 12
    unknown = [(what, said) for found, what, said in lines if found != "ok"]
    assert unknown == [("there", "its keys are given to provider 'eu', which no `pulumi up` has recorded yet")]
    assert "secret-of-eu" not in str(lines)

    stack.program(HEADER, run(workflow_id="w1"))
    code, lines = check(stack)
    assert code == 10
    ((_, what, said),) = [line for line in lines if line[0] == "FAIL"]
    assert (what, "workflow_id" in said) == ("program", True)
    stack.program("1 / 0\n")
    code, lines = check(stack)
    assert (code, lines[1:]) == (10, [("FAIL", "program", "ZeroDivisionError: division by zero")])
    stack.program("")
    assert check(stack) == (0, [*lines[:1], ("ok", "program", "it has no runs")])
    assert fired(cloud) == 0


@pytest.mark.long
def test_what_emulator_env_prints_points_any_program_at_it(stack: Stack, cloud: Emulator) -> None:
    (stack.project / f"Pulumi.{stack.name}.yaml").unlink()
    stack.program(HEADER, run(), job(), FAN, SCAN, FLOW)
    code, lines = check(stack)
    named = re.search("environment (TENCENTCLOUD_|HW_|ENOS_)", str(lines))  # of which run a preview tells first is open
    assert (code, bool(named)) == (10, True), lines
    command = shlex.join([sys.executable, "-m", "cloud_runs", "emulator", "--env", "--url", cloud.url])
    up = f"pulumi up --yes --skip-preview -s {stack.name}"
    stack.shell(f'export TENCENTCLOUD_SECURITY_TOKEN=left-over\nprinted="$({command})"\neval "$printed"\n{up}')
    assert fired(cloud) == 6
    assert {entry["system"] for entry in cloud.runs()} == {CI, JOBS, OBS, FLOWS}


def test_emulator_env_without_an_emulator() -> None:
    def printed(*flags: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "cloud_runs", "emulator", *flags]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    assert printed()[:2] == (2, "")
    code, out, error = printed("--env", "--url", "http://127.0.0.1:1")
    assert (code, out) == (12, "")
    assert error == "error: no emulator answers at http://127.0.0.1:1: start one with `cloud-runs-emulator`\n"
    code, out, error = printed("--env", "--url", "http://elsewhere.example")
    assert (code, out, "is no address of this machine" in error) == (2, "", True)


def test_the_keys_are_those_that_an_emulator_accepts() -> None:
    from cloud_runs.status import pointers

    assert (pointers.ACCESS_KEY, pointers.SECRET_KEY) == (SECRET_ID, SECRET_KEY)
