"""`huawei.WorkflowRun` on the real engine: fires are counted where they arrive."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.engine.interrupted import kill_after_start
from tests.support.emulator import SECRET_KEY, Emulator
from tests.support.stack import Stack, call, huawei_settings

pytestmark = pytest.mark.engine

SYSTEM = "huawei.workflow"
IMPORT = "from cloud_runs import huawei\n"


def scan(name: str = "scan", /, **arguments: Any) -> str:
    """Source of a workflow run."""
    defaults = {"graph_name": "scan", "bucket": "demo-bucket", "object": "/mpc/demo.mp4"}
    return IMPORT + call("huawei.WorkflowRun", name, **{**defaults, **arguments})


@pytest.fixture
def stack(stack: Stack, cloud: Emulator) -> Stack:
    stack.configure(**huawei_settings(cloud))
    return stack


def sent(cloud: Emulator) -> list[dict[str, Any]]:
    """The bodies of the starts, oldest first."""
    return [json.loads(run["request"]["body"]) for run in cloud.runs(SYSTEM)]


def test_first_up_fires_once_and_records_what_the_start_answers(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan(), "pulumi.export('id', scan.execution_name)")
    (id,) = cloud.ids()
    assert stack.id("scan") == id
    outputs = stack.outputs("scan")
    assert outputs["execution_name"] == id
    assert outputs["execution_urn"].split(":")[-2] == id
    assert outputs["started_at"] == outputs["created_at"] != ""
    assert (outputs["stopped_at"], outputs["finished_at"], outputs["phase"]) == ("", "", "pending")
    assert outputs["provenance"] == "fired"
    assert outputs["reference"] == f"huawei.workflow:cn-north-4:scan:{id}"
    assert outputs["request_id"]
    assert outputs["url"].startswith("https://console.huaweicloud.com/")
    assert sorted(cloud.requests()[SYSTEM]) == ["start"]
    assert SECRET_KEY not in str(stack.resources())


def test_up_without_a_change_and_refresh_fire_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan(inputs={"template-id": 7, "ratio": 0.5, "labels": ["a", 1]}))
    before = cloud.requests()
    assert "unchanged" in stack.up().text
    assert cloud.requests() == before, "an unchanged up sends nothing"
    stack.refresh()
    stack.up(flags=("--refresh",))
    assert cloud.ids() == [stack.id("scan")]
    assert stack.outputs("scan")["phase"] == "running"


def test_inputs_are_sent_as_they_were_written(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan(inputs={"template-id": 7, "ratio": 0.5, "deep": {"list": [1, "2", True]}}))
    stack.up(scan(), scan("bare", inputs={}))
    bare = {"bucket": "demo-bucket", "object": "/mpc/demo.mp4"}
    inputs = {"template-id": 7, "ratio": 0.5, "deep": {"list": [1, "2", True]}}
    assert sent(cloud) == [{**bare, "inputs": inputs}, bare, bare]
    assert "7.0" not in cloud.runs(SYSTEM)[0]["request"]["body"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"object": "mpc/demo.mp4"}, "object"),
        ({"graph_name": "other"}, "graph_name"),
        ({"bucket": "other-bucket"}, "bucket"),
        ({"inputs": {"template-id": 8}}, "inputs"),
        ({"inputs": None}, "inputs"),
        ({"region": "cn-north-1"}, "region"),
        ({"triggers": {"release": "2"}}, "release"),
    ],
)
def test_a_change_fires_once(stack: Stack, cloud: Emulator, change: dict[str, Any], named: str) -> None:
    before = {"inputs": {"template-id": 7}, "triggers": {"release": "1"}}
    stack.up(scan(**before))
    preview = stack.preview(scan(**{**before, **change}), flags=("--diff",))
    assert "replace" in preview.text
    assert named in preview.text
    assert len(cloud.ids()) == 1, "a preview sends nothing"
    stack.up()
    stack.up()
    assert len(cloud.ids()) == 2
    assert cloud.ids()[-1] == stack.id("scan")
    assert cloud.count(SYSTEM, "create") == 0


def test_empty_inputs_in_the_place_of_none_fire_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan())
    stack.up(scan(inputs={}))
    assert cloud.ids() == [stack.id("scan")]


def test_refresh_tells_state_and_end(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan())
    urn = stack.outputs("scan")["execution_urn"]
    cloud.set_state(stack.id("scan"), "FAILED")
    stack.refresh()
    outputs = stack.outputs("scan")
    assert (outputs["state"], outputs["phase"]) == ("FAILED", "failed")
    assert outputs["stopped_at"] == outputs["finished_at"] != ""
    assert outputs["execution_urn"] == urn
    stack.up()
    assert len(cloud.ids()) == 1
    stack.up(scan(rerun_on_failure=True))
    assert len(cloud.ids()) == 2


def test_a_run_that_the_service_forgot_is_marked(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan())
    cloud.fault(SYSTEM, "get", "forget")
    stack.refresh()
    assert stack.outputs("scan")["record_expired"] is True
    stack.up()
    assert cloud.count(SYSTEM, "start") == 1


def test_a_lost_answer_is_found(stack: Stack, cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "start", "drop_response")
    stack.up(scan(inputs={"template-id": 7}))
    assert cloud.ids() == [stack.id("scan")]
    outputs = stack.outputs("scan")
    assert (outputs["provenance"], outputs["execution_urn"]) == ("found", "")
    stack.refresh()
    assert stack.outputs("scan")["execution_urn"].split(":")[-2] == stack.id("scan")


def test_an_up_killed_after_the_start_is_found_by_the_next(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan("other", inputs={"template-id": 8}))
    both = scan("other", inputs={"template-id": 8}), scan(inputs={"template-id": 7})
    lost = kill_after_start(stack, cloud, *both, system=SYSTEM)
    again = stack.up()
    assert stack.id("scan") == lost
    assert cloud.ids() == [stack.id("other"), lost]
    assert f"found run {lost} of an interrupted up; for a new run change a trigger" in again.text


def test_a_refusal_is_one_line_and_the_next_up_tries_again(stack: Stack, cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "start", "status", status=400, code="SYS.0028", message="no agency")
    refused = stack.up(scan(), check=False)
    assert refused.code != 0
    # Before it, older SDKs (pulumi 3.216) have "Exception calling application", newer ones the name of the class.
    (line,) = {
        line.strip() for line in refused.text.splitlines() if re.match(r" +error: [\w ]+: WorkflowRun 'scan'", line)
    }
    assert "WorkflowRun 'scan': Huawei OBS refused POST /v2/workflows/scan: 400 SYS.0028: no agency (request " in line
    assert "agency that may run them" in line
    assert "Traceback" not in refused.text
    stack.up()
    assert cloud.ids() == [stack.id("scan")]


def test_cancel_is_refused(stack: Stack, cloud: Emulator) -> None:
    refused = stack.up(scan(on_delete="cancel"), check=False)
    assert refused.code != 0
    assert "Huawei OBS has no API that cancels a workflow execution" in refused.text
    assert cloud.requests() == {}


def test_destroy_leaves_the_run_alone(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan(on_delete="abandon"))
    before = cloud.requests()
    stack.destroy()
    assert cloud.requests() == before
    assert [run["state"] for run in cloud.runs()] == ["RUNNING"]


def test_bad_arguments_are_named_before_anything_is_sent(stack: Stack, cloud: Emulator) -> None:
    bad = scan(graph_name="-a", bucket="Media", object="x" * 1025, inputs={"Bad": 1, "big": 2**60}, region="a/b")
    refused = stack.preview(bad, check=False)
    assert refused.code != 0
    for part in (
        "workflow's name",
        "bucket's name",
        "1025 characters",
        "'Bad'",
        "give it as text",
        "a region, for example",
    ):
        assert part in refused.text, refused
    assert cloud.requests() == {}


def test_preview_with_unknown_inputs_passes_the_checks(stack: Stack, cloud: Emulator) -> None:
    chained = scan("chained", inputs="={'source': scan.execution_name, 'deep': [{'urn': scan.execution_urn}]}")
    assert "+ 5 to create" in stack.preview(scan(), chained).text
    assert cloud.requests() == {}
    stack.up()
    assert sent(cloud)[1]["inputs"] == {
        "source": stack.id("scan"),
        "deep": [{"urn": stack.outputs("scan")["execution_urn"]}],
    }


def test_a_secret_input_is_sent_and_not_shown(stack: Stack, cloud: Emulator) -> None:
    secret = "={'password': pulumi.Output.secret('hunter2')}"
    fired = stack.up(scan(inputs=secret))
    assert sent(cloud)[0]["inputs"] == {"password": "hunter2"}
    assert "hunter2" not in fired.text + stack.export() + stack.refresh().text + stack.export()


def test_get_reads_a_run_and_manages_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan(inputs={"template-id": 7}))
    id = stack.id("scan")
    read = f"read = huawei.WorkflowRun.get('read', {id!r}, graph_name='scan')\n"
    export = "pulumi.export('inputs', read.inputs)\npulumi.export('name', read.execution_name)\n"
    stack.up(scan(inputs={"template-id": 7}), read, export)
    outputs = stack.outputs("read")
    assert (outputs["phase"], outputs["provenance"], outputs["object"]) == ("running", "given", "/mpc/demo.mp4")
    assert outputs["inputs"] == {"template-id": 7}
    assert cloud.ids() == [id]
    stack.destroy()
    assert [run["state"] for run in cloud.runs()] == ["RUNNING"]


def test_adopt_verifies_and_records(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan("first", inputs={"template-id": 7}))
    id = stack.id("first")
    stack.destroy()
    other = stack.up(scan(inputs={"template-id": 8}, adopt_id=id), check=False)
    assert other.code != 0
    assert "its inputs.template-id has another value" in other.text
    stack.up(scan(inputs={"template-id": 7}, adopt_id=id))
    outputs = stack.outputs("scan")
    assert (outputs["provenance"], outputs["execution_urn"].split(":")[-2]) == ("given", id)
    stack.up(scan(inputs={"template-id": 7}))
    assert cloud.ids() == [id]
