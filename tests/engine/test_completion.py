"""`Completion` on the real engine: what is asked, what is said, and that nothing is ever fired by waiting."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.engine.interrupted import wait_until
from tests.kits import settings
from tests.support.emulator import Emulator
from tests.support.stack import BUCKET, Result, Stack, call, job, run

pytestmark = pytest.mark.engine

HEADER = "from cloud_runs import Completion, enos, huawei\n"
CI, JOBS, OBS, FLOWS = "tencent.workflow", "tencent.inventory", "huawei.workflow", "enos.flow"
SCAN = call("huawei.WorkflowRun", "scan", graph_name="scan", bucket="demo-bucket", object="/mpc/demo.mp4")
FLOW = call("enos.FlowRun", "meters", flow_id=3377)


def done(*runs: str, name: str = "done", **arguments: Any) -> str:
    return call("Completion", name, runs=f"=[{', '.join(runs)}]", **{"poll_interval": 1, "timeout": "60s", **arguments})


@pytest.fixture
def stack(stack: Stack, cloud: Emulator) -> Stack:
    stack.configure(**settings(cloud.url))
    return stack


class Going:
    """An `up` that goes on while the test does something."""

    def __init__(self, stack: Stack, *source: str, flags: tuple[str, ...] = ()) -> None:
        stack.program(HEADER, *source)
        self._pool = ThreadPoolExecutor(1)
        self._result = self._pool.submit(stack.up, flags=flags, check=False)

    def result(self) -> Result:
        found = self._result.result(timeout=200)
        self._pool.shutdown()
        return found


def asked(cloud: Emulator) -> int:
    return sum(counts.get(what, 0) for counts in cloud.requests().values() for what in ("get", "find"))


def starts(cloud: Emulator) -> dict[str, int]:
    return {system: counts["start"] for system, counts in cloud.requests().items() if counts.get("start")}


def by_object(cloud: Emulator, key: str) -> str:
    (found,) = [row["id"] for row in cloud.runs(CI) if key in str(row["request"])]
    return str(found)


@pytest.mark.long
def test_runs_of_every_system_are_waited_for_and_told_in_their_order(stack: Stack, cloud: Emulator) -> None:
    program = (run(), job(), SCAN, FLOW, done("run", "[job.reference, scan.reference]", "meters", "run"))
    preview = stack.preview(HEADER, *program)
    assert " done, " not in preview.text
    assert not cloud.requests()
    going = Going(stack, *program, "pulumi.export('outcomes', done.outcomes)\n")
    wait_until(lambda: len(cloud.ids()) == 4 and asked(cloud) >= 8)
    ids = {row["system"]: row["id"] for row in cloud.runs()}
    words = {CI: "Success", JOBS: "Success", OBS: "SUCCESS", FLOWS: "SUCCESS"}
    executions = cloud.runs(CI, origin="job")
    cloud.set_state(ids[JOBS], "Success")
    wait_until(lambda: cloud.requests()[CI].get("find", 0) >= 2)  # the job has ended, its executions have not
    for row in executions:
        cloud.set_state(row["id"], "Success")
    for system in (CI, OBS, FLOWS):
        cloud.set_state(ids[system], words[system])
    result = going.result()
    assert result.code == 0, result
    assert starts(cloud) == {CI: 1, JOBS: 1, OBS: 1, FLOWS: 1}
    outputs = stack.outputs("done")
    assert [found["reference"] for found in outputs["outcomes"]] == [
        stack.outputs(name)["reference"] for name in ("run", "job", "scan", "meters", "run")
    ]
    assert {found["phase"] for found in outputs["outcomes"]} == {"succeeded"}
    assert (outputs["succeeded"], outputs["failed"]) == (4, 0), "one of them is listed twice"
    assert outputs["finished_at"].endswith("Z")
    assert outputs["outcomes"][0]["objects"]
    assert outputs["outcomes"][0]["duration"] is not None
    assert outputs["outcomes"][1]["executions"] == {"Success": len(executions)}
    assert "0/4 done, 4 running, " in result.text
    lines = [line for line in result.text.splitlines() if "/4 done" in line]
    assert len([line for line in lines if " creating (" in line]) > 1, "a line for each look"

    before = cloud.requests()
    steering = done(
        "run", "[job.reference, scan.reference]", "meters", "run",
        timeout="2h", poll_interval="3s", on_failure="continue", on_timeout="cancel",
    )  # fmt: skip
    unchanged = stack.up(HEADER, *program[:-1], steering)
    assert "updated" not in unchanged.text
    assert cloud.requests() == before
    stack.up(flags=("--refresh",))
    assert stack.outputs("done")["outcomes"] == outputs["outcomes"]
    assert starts(cloud) == {CI: 1, JOBS: 1, OBS: 1, FLOWS: 1}


def test_a_failed_run_stops_the_up_until_it_is_fired_again_by_a_pipeline(stack: Stack, cloud: Emulator) -> None:
    """`up --refresh` with rerun_on_failure: the failure is recorded, the run replaced, and the new one waited for."""
    program = (
        run(rerun_on_failure=True),
        run("good", object="b.mp4"),
        done("run", "good"),
        call("tencent.WorkflowRun", "after", bucket=BUCKET, workflow_id="=run.workflow_id", object="c.mp4",
             triggers="={'outcome': done.outcomes.apply(lambda o: o[0]['reference'])}"),
    )  # fmt: skip
    going = Going(stack, *program)
    wait_until(lambda: len(cloud.ids()) == 2)
    wait_until(lambda: asked(cloud) > 0)
    bad, good = (by_object(cloud, f"{key}.mp4") for key in "ab")
    cloud.set_state(bad, "Failed", "AccessDenied", "no right to read\nthe \x1b[31mobject")
    time.sleep(2.5)  # the other one is waited for all the same
    cloud.set_state(good, "Success")
    result = going.result()
    assert result.code != 0
    assert "Traceback" not in result.text
    assert "\x1b" not in result.text
    told = next(line for line in result.text.splitlines() if "WorkflowRun 'run': failed" in line)
    assert "AccessDenied" in told
    assert "no right to read the " in told
    assert "(request " in told
    assert "task " in told
    assert "1 of 2 runs did not succeed" in result.text
    assert "WorkflowRun 'good'" not in result.text
    assert "1/2 done, 1 FAILED, " in result.text
    assert stack.id("run") == bad
    assert stack.id("good") == good
    assert "after" not in stack.resources()

    again = stack.up(check=False)
    assert again.code != 0
    assert "WorkflowRun 'run': failed" in again.text
    assert len(cloud.ids()) == 2
    going = Going(stack, *program, flags=("--refresh",))
    wait_until(lambda: len(cloud.ids()) == 3)
    cloud.set_state(cloud.ids()[2], "Success")
    assert going.result().code == 0
    assert stack.id("run") == cloud.ids()[2]
    assert stack.id("good") == good
    assert len(cloud.ids()) == 4
    assert stack.outputs("done")["failed"] == 0

    # A trigger fires a new run; what depends on the Completion sees the new outcome, and not before it is there.
    changed = (run(rerun_on_failure=True, triggers={"release": "2"}), *program[1:])
    going = Going(stack, *changed)
    wait_until(lambda: len(cloud.ids()) == 5)
    time.sleep(2.5)
    assert len(cloud.ids()) == 5, "the run after it is not fired while the new one goes on"
    cloud.set_state(cloud.ids()[4], "Success")
    assert going.result().code == 0
    assert len(cloud.ids()) == 6
    assert stack.outputs("done")["outcomes"][0]["reference"].endswith(cloud.ids()[4])


def test_with_continue_every_kind_of_end_is_told_and_with_halt_the_up_fails(stack: Stack, cloud: Emulator) -> None:
    names = ("ok", "failed", "cancelled", "gone")
    runs = [run(name, object=f"{name}.mp4") for name in names] + [
        job(),
        job("empty", input={"prefix": "none/"}),
        SCAN,
        FLOW,
    ]
    stack.up(HEADER, *runs)
    for name, word in (("ok", "Success"), ("failed", "Failed"), ("cancelled", "Cancel")):
        cloud.set_state(stack.id(name), word, *(("Broken", "it broke") if word == "Failed" else ()))
    for name in ("job", "empty"):
        cloud.set_state(stack.id(name), "Success")
    executions = cloud.runs(CI, origin="job")
    for row in executions:
        cloud.set_state(
            row["id"], "Failed" if row is executions[0] else "Success", "Inner" if row is executions[0] else ""
        )
    cloud.set_state(stack.id("scan"), "TIMEOUT")
    cloud.set_state(stack.id("meters"), "CANCEL")
    before = starts(cloud)
    wanted = (*names, "job", "empty", "scan", "meters")
    going = Going(stack, *runs, done(*wanted, on_failure="continue", timeout="90s"))
    wait_until(lambda: asked(cloud) >= 40)  # some rounds later only the one that goes on is asked for
    cloud.fault(CI, "get", "forget", times=1)  # the only one that still goes on
    result = going.result()
    assert result.code == 0, result
    outcomes = dict(zip(wanted, stack.outputs("done")["outcomes"], strict=True))
    phases = {name: found["phase"] for name, found in outcomes.items()}
    assert phases == {
        "ok": "succeeded", "failed": "failed", "cancelled": "cancelled", "gone": "failed",
        "job": "failed", "empty": "succeeded", "scan": "failed", "meters": "cancelled",
    }  # fmt: skip
    assert outcomes["gone"]["message"] == "no longer known to the service"
    assert outcomes["failed"]["code"] == "Broken"
    assert outcomes["failed"]["failed_tasks"][0]["message"] == "it broke"
    assert outcomes["job"]["executions"] == {"Failed": 1, "Success": len(executions) - 1}
    assert (stack.outputs("done")["succeeded"], stack.outputs("done")["failed"]) == (2, 6)
    assert "InventoryJob 'empty' started no execution" in result.text
    assert "6 of 8 runs did not succeed" in result.text

    assert "updated" not in stack.up(HEADER, *runs, done(*wanted, on_failure="continue", timeout="1s")).text
    halted = stack.up(HEADER, *runs, done(*wanted, timeout="60s"), check=False)
    assert halted.code != 0
    assert starts(cloud) == before
    for name, kind in (
        ("failed", "WorkflowRun"),
        ("gone", "WorkflowRun"),
        ("job", "InventoryJob"),
        ("meters", "FlowRun"),
    ):
        assert f"{kind} {name!r}: " in halted.text
    assert "WorkflowRun 'gone': failed" in halted.text
    assert "no longer known to the service" in halted.text
    assert stack.outputs("done")["failed"] == 6, "a wait that fails leaves what is on record"


def test_time_out_lists_what_goes_on_and_cancels_only_if_asked(stack: Stack, cloud: Emulator) -> None:
    runs = (run(), job(), FLOW, run("odd", object="odd.mp4"))
    stack.up(HEADER, *runs)
    cloud.set_state(stack.id("odd"), "Dancing")
    wanted = ("run", "job", "meters", "odd")
    export = "pulumi.export('id', run.instance_id)\n"
    result = stack.up(HEADER, *runs, export, done(*wanted, timeout="2s"), check=False)
    assert result.code != 0
    assert "done" not in stack.resources()
    assert stack.output() == {"id": stack.id("run")}, "a wait that fails holds back no id"
    assert "4 of 4 runs had not ended after 2s. They go on; the next `pulumi up` waits again" in result.text
    assert "WorkflowRun 'run': running (state Running)" in result.text
    assert "WorkflowRun 'odd': in state 'Dancing', which this version does not know" in result.text
    assert not any(counts.get("cancel") for counts in cloud.requests().values())

    held_back = "pulumi.export('other', odd.instance_id)\npulumi.export('outcomes', done.outcomes)\n"
    waiting = done(*wanted, timeout="2s", on_timeout="cancel")
    result = stack.up(HEADER, *runs, export, waiting, held_back, check=False)
    assert result.code != 0
    assert stack.output() == {"id": stack.id("run")}, "unless something of it is exported: docs/waiting.md"
    states = {row["id"]: row["state"] for row in cloud.runs()}
    assert states[stack.id("job")] == "Cancel"
    assert states[stack.id("meters")] == "CANCEL"
    assert states[stack.id("run")] == "Running"
    assert "InventoryJob 'job': cancelled (state Cancel)" in result.text or "; asked to stop" in result.text
    assert "FlowRun 'meters': cancelled (state CANCEL)" in result.text
    assert "no API that cancels" in result.text
    assert starts(cloud) == {CI: 2, JOBS: 1, FLOWS: 1}


@pytest.mark.long
def test_a_service_that_fails_for_a_while_is_asked_again_and_a_refused_key_is_not(
    stack: Stack, cloud: Emulator
) -> None:
    stack.up(HEADER, run(), run("other", object="b.mp4"))
    cloud.fault(CI, "get", "status", status=500, code="InternalError", message="try later", times=12)  # about 20 s
    going = Going(stack, run(), run("other", object="b.mp4"), done("run", "other", timeout="5m"))
    wait_until(lambda: asked(cloud) >= 12)
    for id in cloud.ids():
        cloud.set_state(id, "Success")
    result = going.result()
    assert result.code == 0, result
    assert "queried again, since Tencent CI did not answer" in result.text
    assert "try later" in result.text
    assert starts(cloud) == {CI: 2}

    stack.up(HEADER, run(), run("other", object="b.mp4"))  # the Completion is gone
    before = asked(cloud)
    stack.configure(tencentcloud__secretKey="wrong" * 8)
    refused = stack.up(HEADER, run(), run("other", object="b.mp4"), done("run", "other", timeout="5m"), check=False)
    assert refused.code != 0
    assert "SignatureDoesNotMatch" in refused.text
    assert "tencentcloud:secretKey" in refused.text
    assert asked(cloud) - before <= 2
    assert len(cloud.ids()) == 2


@pytest.mark.long
def test_references_of_another_stack_and_bad_input(stack: Stack, cloud: Emulator, tmp_path: Path) -> None:
    first = run() + "pulumi.export('reference', run.reference)\npulumi.export('both', [run.reference])\n"
    stack.up(first)
    cloud.set_state(stack.id("run"), "Success")
    other = Stack(tmp_path / "other", cloud, "other")
    reading = "other = pulumi.StackReference('organization/tests/test')\n"
    env = {"PULUMI_BACKEND_URL": stack.env["PULUMI_BACKEND_URL"]}
    other.pulumi("stack", "init", "other", env=env)
    wanted = done("other.get_output('none')", "other.get_output('both')", "'{}'".format("x"))
    refused = other.up(HEADER, reading, wanted, check=False, env=env)
    assert refused.code != 0
    assert "runs[2]" in refused.text
    assert "is not a run, or a reference" in refused.text
    assert "runs[0]" in refused.text
    assert "does not have" in refused.text
    bad = done("other.get_output('reference')", timeout="soon", poll_interval=0, on_failure="stop", on_timeout="wait")
    refused = other.up(HEADER, reading, bad, check=False, env=env)
    for name in ("timeout", "poll_interval", "on_failure", "on_timeout"):
        assert name in refused.text
    assert asked(cloud) == 0
    other.up(HEADER, reading, done("other.get_output('reference')", "other.get_output('both')"), env=env)
    wanted = call("Completion", "whole", runs="=other.get_output('both')",
                  opts="=ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='45s'))")  # fmt: skip
    other.up(HEADER, "import datetime\n", reading, wanted,
             done("other.get_output('reference')", timeout="=datetime.timedelta(minutes=2)"), env=env)  # fmt: skip
    assert len(cloud.ids()) == 1


@pytest.mark.long
def test_runs_of_another_provider_are_refused_and_four_completions_are_warned_of(stack: Stack, cloud: Emulator) -> None:
    eu = f"from cloud_runs import Provider\neu = Provider('eu', tencent_endpoint={cloud.url!r})\n"
    there = run("there", object="b.mp4", opts="=ResourceOptions(provider=eu)")
    refused = stack.up(HEADER, eu, run(), there, done("run", "there"), check=False)
    assert refused.code != 0
    assert (
        "Completion 'done': WorkflowRun 'there' has the provider 'eu', this Completion has the default" in refused.text
    )
    four = [done("run", name=f"c{n}", timeout="1s", on_failure="continue") for n in range(4)]
    ours = done("there", name="ours", opts="=ResourceOptions(provider=eu)")
    going = Going(stack, eu, run(), there, ours)
    wait_until(lambda: asked(cloud) > 0)
    for id in cloud.ids():
        cloud.set_state(id, "Success")
    assert going.result().code == 0
    assert "4 Completions in one program" in stack.up(HEADER, eu, run(), there, ours, *four).text
    assert len(cloud.ids()) == 2
