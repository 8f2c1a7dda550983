"""`cloud-runs status` on real stacks: what it shows, with whose key it asks, and that it changes nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.demo.pages import blocks
from tests.engine.interrupted import kill_after_start
from tests.kits import settings
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import BUCKET, ROOT, WORKFLOW, Stack, call, job, run

pytestmark = pytest.mark.engine

OTHER_ID, OTHER_KEY = "AKIDother", "other-canary-key"
PAIRS = ("--access-key", SECRET_ID, "--secret-key", SECRET_KEY, "--access-key", OTHER_ID, "--secret-key", OTHER_KEY)
CI, JOBS, OBS, FLOWS = "tencent.workflow", "tencent.inventory", "huawei.workflow", "enos.flow"
HEADER = "from cloud_runs import Completion, Provider, enos, huawei\n"
EU = call("Provider", "eu", tencent_secret_id=OTHER_ID, tencent_secret_key=OTHER_KEY, tencent_region="eu-frankfurt")
SCAN = call("huawei.WorkflowRun", "scan", graph_name="scan", bucket="demo-bucket", object="/mpc/demo.mp4")
FLOW = call("enos.FlowRun", "meters", flow_id=3377)


def status(stack: Stack, *flags: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cloud_runs", "status", *flags]
    return subprocess.run(
        command, cwd=cwd or stack.project, env=stack.env | env, capture_output=True, text=True, timeout=120
    )


def told(stack: Stack, **env: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the report as JSON."""
    done = status(stack, "--json", **env)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["exit_code"] == done.returncode
    return done.returncode, report


def unread(stack: Stack) -> tuple[int, str]:
    """The exit code and the errors if nobody reads the report, as with `... | head`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "cloud_runs", "status"]
    done = subprocess.run(
        command, cwd=stack.project, env=stack.env, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(write)
    return done.returncode, done.stderr


def documented(stack: str) -> list[list[str]]:
    """The arguments of the commands in docs/status.md."""
    block = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/status.md").read_text(), re.DOTALL)[0]
    commands = [shlex.split(line.replace("--stack dev", f"--stack {stack}")) for line in block.splitlines()]
    assert {tuple(command[:2]) for command in commands} == {("cloud-runs", "status")}
    return [command[2:] for command in commands]


def files(stack: Stack) -> dict[Path, bytes]:
    """The state, the project and the stack's settings, and which stack is selected."""
    folders = (stack.folder / "state", stack.project, stack.folder / "home" / "workspaces")
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def sent(cloud: Emulator) -> dict[str, dict[str, int]]:
    """Requests that are no questions."""
    asking = ("get", "find", "token")
    others = {
        system: {what: count for what, count in counts.items() if what not in asking}
        for system, counts in cloud.requests().items()
    }
    return {system: counts for system, counts in others.items() if counts}


@pytest.mark.long
def test_runs_of_every_system_in_every_state(tmp_path: Path) -> None:
    with emulator("--run-seconds", "3600", *PAIRS) as cloud:
        stack = Stack(tmp_path, cloud)
        stack.pulumi("stack", "select", stack.name)
        others = settings(cloud.url)
        del others["huaweicloud:secretKey"]
        stack.configure(**others, tencentcloud__secretKey=None)
        for key in ("tencentcloud:secretKey", "huaweicloud:secretKey"):
            stack.pulumi("config", "set", "--secret", key, SECRET_KEY, "-s", stack.name)
        fixed = (run("here"), run("there", object="b.mp4", opts="=ResourceOptions(provider=eu)"), job(), SCAN, FLOW)
        again = run("again", object="c.mp4", triggers={"release": 1})
        stack.up(HEADER, EU, *fixed, run("good", object="d.mp4"), run("again", object="c.mp4"))
        cloud.fault(CI, "start", "status", status=403, code="AccessDenied", message="no")
        cloud.fault(CI, "start", "status", status=403, code="AccessDenied", message="no")
        lost = run("lost", object="e.mp4")
        assert stack.up(HEADER, EU, *fixed, run("good", object="d.mp4"), again, lost, check=False).code != 0
        cloud.set_state(stack.id("here"), "Failed", "AccessDenied", "no <b>right</b> to [red]read[/red]")
        for name, word in (("good", "Success"), ("scan", "SUCCESS")):
            cloud.set_state(stack.id(name), word)

        before, requests = files(stack), sent(cloud)
        shown, as_json, with_page, wide, summary = (status(stack, *flags) for flags in documented(stack.name))
        page = stack.project / "runs.html"
        text = page.read_text()
        page.unlink()
        metrics = (stack.project / "runs.prom").read_text()
        (stack.project / "runs.prom").unlink()
        assert files(stack) == before
        assert sent(cloud) == requests, "it has started and cancelled nothing"

        for done in (shown, as_json, with_page, wide, summary):
            assert (done.returncode, done.stderr) == (10, "")
        report = json.loads(as_json.stdout)
        found = {entry["resource"]: entry for entry in report["runs"]}
        assert {name: (entry["system"], entry["phase"]) for name, entry in found.items()} == {
            "here": (CI, "failed"),
            "there": (CI, "running"),
            "good": (CI, "succeeded"),
            "again": (CI, "running"),
            "job": (JOBS, "pending"),
            "scan": (OBS, "succeeded"),
            "meters": (FLOWS, "running"),
        }
        for name, entry in found.items():
            assert (entry["id"], entry["reference"]) == (stack.id(name), stack.outputs(name)["reference"])
            assert entry["answer"] == "service"
            assert entry["started_at"]
            assert entry["duration"] is not None
        assert [task["code"] for task in found["here"]["failed_tasks"]] == ["AccessDenied"]
        missing = {entry["resource"]: entry["reason"] for entry in report["missing"]}
        assert set(missing) == {"again", "lost"}
        assert "to be replaced" in missing["again"]
        assert "was requested and is not recorded" in missing["lost"]
        assert "here: task Transcode_1: AccessDenied: no <b>right</b> to [red]read[/red]\n" in shown.stdout
        assert all(entry["id"] in wide.stdout for entry in found.values())
        assert f'cloud_runs_runs{{project="tests",stack="{stack.name}",resource="here",phase="failed"}} 1\n' in metrics
        assert summary.stdout.startswith(f"### Runs of tests/{stack.name}\n")
        assert r"no &lt;b\>right&lt;/b\> to \[red\]read\[/red\]" in summary.stdout
        assert with_page.stdout.splitlines()[0] == shown.stdout.splitlines()[0], "the page comes beside the table"
        assert found["there"]["subject"] == {
            "region": "eu-frankfurt", "bucket": BUCKET, "workflow": WORKFLOW, "object": "b.mp4"
        }  # fmt: skip
        assert found["meters"]["subject"] == {"workflow": "3377"}
        assert (report["project"], found["meters"]["url"]) == ("tests", "")
        assert "&lt;b&gt;right&lt;/b&gt;" in text
        for secret in (OTHER_KEY, SECRET_KEY):
            assert secret not in shown.stdout + as_json.stdout + text + metrics + wide.stdout + summary.stdout

        locked = status(stack, PULUMI_CONFIG_PASSPHRASE="another")
        assert (locked.returncode, locked.stdout) == (12, "")
        assert "incorrect passphrase" in locked.stderr

        # A key of one system that is no longer good, and runs that the services have forgotten.
        cloud.reset()
        stack.configure(**others, huaweicloud__secretKey="no-longer-good")
        code, report = told(stack)
        found = {entry["resource"]: entry for entry in report["runs"]}
        problem = found.pop("scan")["problem"]
        assert "SignatureDoesNotMatch" in problem
        assert "huaweicloud:secretKey" in problem
        assert "no-longer-good" not in json.dumps(report)
        assert {(entry["answer"], entry["phase"]) for entry in found.values()} == {("gone", "unknown")}
        assert code == 10


@pytest.mark.long
def test_what_a_pipeline_does_with_the_exit_code(stack: Stack, cloud: Emulator) -> None:
    stack.pulumi("stack", "select", stack.name)
    empty = status(stack, "--cwd", str(stack.project), cwd=stack.folder)
    assert (empty.returncode, empty.stdout.rpartition(": ")[2]) == (0, "no runs\n")
    fan = call("tencent.WorkflowFanOut", "fan", bucket=BUCKET, workflow_id=WORKFLOW, objects=["b.mp4", "c.mp4"])
    program = (run("a"), fan)
    stack.up(*program)
    code, report = told(stack)
    assert (code, report["counts"]) == (11, {"running": 3})
    assert [entry["object"] for entry in report["runs"] if entry["resource"] == "fan"] == ["b.mp4", "c.mp4"]
    assert cloud.requests() == {CI: {"start": 3, "get": 1, "find": 1}}, "a look at one, and a list"
    assert unread(stack) == (11, "")
    for id in cloud.ids():
        cloud.set_state(id, "Success")
    stack.up(HEADER, *program, call("Completion", "done", runs="=[a]", poll_interval=1))
    code, report = told(stack)
    assert (code, report["counts"]) == (0, {"succeeded": 3})
    assert [entry["answer"] for entry in report["runs"] if entry["resource"] == "a"] == ["record"]
    without = {"runs__tencentEndpoint": cloud.url, "tencentcloud__secretId": None, "tencentcloud__secretKey": None}
    (stack.project / f"Pulumi.{stack.name}.yaml").unlink()
    stack.configure(**without)
    code, report = told(stack)
    assert (code, report["counts"]) == (12, {"pending": 2, "succeeded": 1, "not_answered": 2})
    assert "no Tencent Cloud credentials" in next(
        entry["problem"] for entry in report["runs"] if entry["answer"] == "none"
    )
    assert told(stack, TENCENTCLOUD_SECRET_ID=SECRET_ID, TENCENTCLOUD_SECRET_KEY=SECRET_KEY)[0] == 0

    refused = status(stack, "--stack", "nope")
    assert (refused.returncode, refused.stdout) == (12, "")
    assert refused.stderr.endswith("error: no stack named 'nope' found\n")


def test_what_may_be_lost_is_named_and_the_printed_command_records_it(stack: Stack, cloud: Emulator) -> None:
    stack.up(run("other", object="b.mp4"))
    other = stack.id("other")
    stack.pulumi("stack", "select", stack.name)
    lost = kill_after_start(stack, cloud, run("other", object="b.mp4"), run())
    code, report = told(stack)
    assert code == 10
    (missing,) = report["missing"]
    assert (missing["resource"], missing["possibly_lost"]) == ("run", [lost])
    assert cloud.ids() == [other, lost], "asking starts nothing"
    (command,) = re.findall(r"`(pulumi config set [^`]*)`", missing["reason"])
    stack.pulumi(*shlex.split(command.replace(" ID", f" {lost}"))[1:], "-s", stack.name)
    stack.up(run("other", object="b.mp4"), run())
    assert stack.id() == lost
    assert stack.outputs()["provenance"] == "given"
    assert cloud.ids() == [other, lost]
    again = stack.up(run("other", object="b.mp4"), run())
    (forget,) = set(re.findall(r"pulumi config rm --path '[^']*'", again.text))
    stack.pulumi(*shlex.split(forget)[1:], "-s", stack.name)
    assert "runs:adopt" not in stack.up(run("other", object="b.mp4"), run()).text
    assert cloud.ids() == [other, lost]


@pytest.mark.long
def test_an_export_without_project_pulumi_or_backend(stack: Stack, cloud: Emulator, tmp_path: Path) -> None:
    eu = call("Provider", "eu", tencent_secret_id=SECRET_ID, tencent_secret_key=SECRET_KEY, tencent_region="ap-beijing")
    stack.up(HEADER, eu, run(), run("there", object="b.mp4", opts="=ResourceOptions(provider=eu)"))
    plain, revealed = (
        stack.pulumi("stack", "export", "-s", stack.name, *flags).out for flags in ((), ("--show-secrets",))
    )
    requests = sent(cloud)
    keys = {"TENCENTCLOUD_SECRET_ID": SECRET_ID, "TENCENTCLOUD_SECRET_KEY": SECRET_KEY}

    def python(export: str, *command: str, **env: str) -> tuple[int, str]:
        elsewhere = {"PATH": str(tmp_path), "RUNS_TENCENT_ENDPOINT": cloud.url}
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=elsewhere | env, input=export, capture_output=True, text=True
        )
        return done.returncode, done.stdout

    def asked(export: str, *flags: str, **env: str) -> tuple[int, Any]:
        code, out = python(export, "-m", "cloud_runs", "status", "--json", "--state", "-", *flags, **env)
        return code, json.loads(out or "null")

    code, report = asked(plain, **keys)
    found = {entry["resource"]: (entry["answer"], entry["phase"]) for entry in report["runs"]}
    assert (code, found) == (12, {"run": ("service", "running"), "there": ("none", "pending")})
    (problem,) = (entry["problem"] for entry in report["runs"] if entry["resource"] == "there")
    assert problem.startswith("the keys of provider 'eu' are encrypted in this export: make the export with `pulumi st")
    assert (report["project"], report["stack"]) == ("tests", stack.name)

    code, report = asked(revealed)
    assert [entry["answer"] for entry in report["runs"]] == ["service", "service"]
    assert asked(revealed, "--stack", "x") == (2, None)
    assert [asked(wrong)[0] for wrong in ("[]", "no JSON", '{"deployment": 7}')] == [12, 12, 12]

    *_, (_, commands), (_, program) = blocks("docs/status.md")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    printed = stack.shell(f"set +e\n{commands.replace('--stack dev', f'--stack {stack.name}')}true", PATH=path, **keys)
    assert re.findall(r"UTC: (.*)", printed) == ["2 runs: 1 running, 1 pending; 1 not answered", "2 runs: 2 running"]
    (stack.project / "show.py").write_text(program.replace("dev", stack.name))
    shown = stack.shell("python show.py", PATH=path)
    *lines, summed = [line.split()[:3] for line in shown.splitlines()]
    # In the order of the state, which is that in which the engine came to have them.
    assert sorted(lines) == [["run", "running", "a.mp4"], ["there", "running", "b.mp4"]]
    assert summed == ["11", "2", "runs:"]
    assert sent(cloud) == requests, "it has started and cancelled nothing"
