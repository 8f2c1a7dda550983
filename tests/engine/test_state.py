"""What is in the state: refreshed states, existing runs that are only read, secrets, and ids for other stacks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import kits
from tests.support.emulator import SECRET_ID, Emulator, emulator
from tests.support.stack import BUCKET, ROOT, WORKFLOW, Stack, call, job, run

pytestmark = pytest.mark.engine


def test_refresh_records_state_times_tasks_and_counts(tmp_path: Path) -> None:
    with emulator("--run-seconds", "0.2", "--objects", "input/a.mp4", "input/b.mp4", "other.mp4") as cloud:
        stack = Stack(tmp_path, cloud)
        stack.up(run(), job(input={"prefix": "input/"}))
        assert stack.outputs()["phase"] == "pending", "a run resource never waits"
        stack.refresh()
        outputs, batch = stack.outputs(), stack.outputs("job")
        assert (outputs["phase"], outputs["state"]) == ("succeeded", "Success")
        assert outputs["created_at"] <= outputs["finished_at"]
        assert outputs["tasks"][0]["objects"], "the produced objects are on record"
        assert batch["executions"] == {"Success": 2}
        while batch["phase"] == "running":  # the job has ended, and a list may show another of its executions
            stack.refresh()
            batch = stack.outputs("job")
        assert batch["phase"] == "succeeded"
        assert batch["name"].startswith("job-"), "an omitted name is made unique"
        assert outputs["url"] == f"https://console.cloud.tencent.com/ci/bucket?bucket={BUCKET}&region=ap-beijing"


def test_a_failed_run_shows_code_message_and_task_and_an_unknown_state_is_neither(
    stack: Stack, cloud: Emulator
) -> None:
    stack.up(run("failed"), run("odd", object="b.mp4", rerun_on_failure=True))
    cloud.set_state(stack.id("failed"), "Failed", "InvalidInput", "no video\x1b[31m stream")
    cloud.set_state(stack.id("odd"), "Pondering")
    stack.up(flags=("--refresh",))
    outputs = stack.outputs("failed")
    (failed,) = [task for task in outputs["tasks"] if task["state"] == "Failed"]
    assert outputs["phase"] == "failed"
    assert failed["code"] == "InvalidInput"
    assert failed["message"].startswith("no video")
    assert "\x1b" not in str(outputs), "a server's text cannot steer a terminal"
    assert (stack.outputs("odd")["phase"], stack.outputs("odd")["state"]) == ("unknown", "Pondering")
    assert len(cloud.runs()) == 2


def test_get_reads_a_run_and_manages_nothing(stack: Stack, cloud: Emulator) -> None:
    """And the option `id` reads as well."""
    mine = run("first", object="dir/a b.mp4"), job("batch", name="demo")
    stack.up(*mine)
    known = stack.id("first"), stack.id("batch")
    look = [
        call("tencent.WorkflowRun.get", "read", id=known[0], bucket=BUCKET),
        call("tencent.InventoryJob.get", "read-job", id=known[1], bucket=BUCKET, region="ap-beijing"),
        run("again", object="dir/a b.mp4", opts=f"=ResourceOptions(id={known[0]!r})"),
        "pulumi.export('told', [read.object, read.instance_id, read_job.name])\n",
    ]
    stack.up(*mine, *look)
    exported = str(stack.output())
    assert "dir/a b.mp4" in exported
    assert "'demo'" in exported
    assert known[0] in exported
    assert {"read-intent", "again-intent"}.isdisjoint(stack.resources()), "no intent is made"
    for made in stack.deployment()["resources"]:
        if made["type"].startswith("pulumi-python:dynamic/"):
            assert made["sourcePosition"].startswith("project:///__main__.py#"), "the line of the program"
    stack.up(*mine, *look)
    stack.up(*mine)
    stack.destroy()
    assert len(cloud.runs()) == 2
    assert cloud.count("tencent.inventory", "cancel") == 0


def test_get_of_an_unknown_run_is_an_error(stack: Stack, cloud: Emulator) -> None:
    unknown = stack.up(call("tencent.WorkflowRun.get", "read", id="i" + "0" * 32, bucket=BUCKET), check=False)
    assert unknown.code != 0
    assert "there is no run i000" in unknown.text
    assert "Traceback" not in unknown.text


def test_secret_configuration_is_encrypted_in_the_state(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    stack.configure(tencentcloud__secretKey=None)
    stack.pulumi(
        "config", "set", "--secret", "tencentcloud:secretKey", "this-is-not-a-secret-emulator-only", "-s", "test"
    )
    stack.up(run())
    assert cloud.ids() == [stack.id()]
    assert "this-is-not-a-secret" not in stack.export()


def test_missing_credentials_name_every_place(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    stack.configure(tencentcloud__secretId=None, tencentcloud__secretKey=None)
    missing = stack.up(run(), check=False).text
    assert "tencentcloud:secretId" in missing
    assert "TENCENTCLOUD_SECRET_ID" in missing
    stack.configure(tencentcloud__secretId=f" {SECRET_ID}")
    assert "white space" in stack.up(check=False).text
    assert cloud.requests() == {}


def test_bad_input_is_named_by_property_before_anything_is_sent(stack: Stack, cloud: Emulator) -> None:
    bad = run(bucket="Bad", workflow_id="nope", object="x" * 851, region="x/evil.com", name="a b")
    said = stack.preview(bad, check=False).text
    for name in ("bucket", "workflow_id", "object", "region", "name"):
        assert f"property {name}" in said
    batch = job(input={"prefix": "a", "object": "b"}, time_interval={"start": "2022-02-01"}, name="n" * 129)
    said += stack.preview(batch, check=False).text
    for name in ("input", "time_interval.start", "name"):
        assert f"property {name}" in said
    assert "Traceback" not in said
    assert cloud.requests() == {}


@pytest.mark.long
def test_the_program_of_the_repository_and_the_stack_that_reads_its_ids(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud, "dev")
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, stack.project / name)
    settings = (stack.project / "Pulumi.yaml").read_text()
    (stack.project / "Pulumi.yaml").write_text(settings.replace("virtualenv: .venv", f"virtualenv: {ROOT / '.venv'}"))
    (stack.project / "stacks").mkdir()
    (stack.project / "Pulumi.dev.yaml").rename(stack.project / "stacks" / "Pulumi.dev.yaml")
    environment = stack.env
    subprocess.run(
        ["pulumi", "stack", "init", "dev"], cwd=stack.project, env=environment, check=True, capture_output=True
    )
    for key, value in kits.settings(cloud.url).items():
        stack.pulumi("config", "set", "--plaintext", "-s", "dev", key, value)
    stack.up()
    assert sorted(entry["system"] for entry in cloud.runs()) == sorted(kits.KITS)
    consumer = tmp_path / "consumer"
    shutil.copytree(
        ROOT / "stacks" / "consumer", consumer, ignore=shutil.ignore_patterns("__pycache__", "Pulumi.*.yaml")
    )
    project = consumer / "Pulumi.yaml"
    project.write_text(project.read_text().replace("../../.venv", os.fspath(ROOT / ".venv")))
    for command in (["stack", "init", "dev"], ["up", "--yes", "--skip-preview"]):
        subprocess.run(["pulumi", *command], cwd=consumer, env=environment, check=True, capture_output=True)
    shown = subprocess.run(
        ["pulumi", "stack", "output", "--json"],
        cwd=consumer,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    for entry in cloud.runs():
        assert entry["id"] in shown.stdout
    (transcode,) = cloud.runs("tencent.workflow")
    assert transcode["request"]["query"] == {"workflowId": WORKFLOW, "object": "test.mp4"}
    stack.pulumi("config", "set", "-s", "dev", "--path", "systems[0]", "huawei.workflow")
    stack.destroy()
    stack.up()
    assert len(cloud.runs()) == len(kits.KITS) + 1, "the other systems are left out"
