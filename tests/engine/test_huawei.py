"""`huawei.WorkflowRun` on the real engine: fires are counted where they arrive."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.engine.asks import BLOCK
from tests.engine.interrupted import kill_after_start
from tests.kits import KITS
from tests.support.emulator import SECRET_KEY, Emulator
from tests.support.stack import Stack, call

pytestmark = pytest.mark.engine

SYSTEM = "huawei.workflow"
IMPORT = "from cloud_runs import huawei\n"


def scan(name: str = "scan", /, **arguments: Any) -> str:
    """Source of a workflow run."""
    defaults = {"graph_name": "scan", "bucket": "demo-bucket", "object": "/mpc/demo.mp4"}
    return IMPORT + call("huawei.WorkflowRun", name, **{**defaults, **arguments})


@pytest.fixture
def stack(stack: Stack, cloud: Emulator) -> Stack:
    stack.configure(**KITS[SYSTEM].settings(cloud.url))
    return stack


def sent(cloud: Emulator) -> dict[str, list[dict[str, Any]]]:
    """The bodies of the starts, oldest first, by object."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in cloud.runs(SYSTEM):
        body = json.loads(run["request"]["body"])
        found.setdefault(body["object"], []).append(body)
    return found


@pytest.mark.long
def test_the_life_of_a_run(stack: Stack, cloud: Emulator) -> None:
    inputs = {"template-id": 7, "ratio": 0.5, "deep": {"list": [1, "2", True]}}
    mine, export = scan(inputs=inputs), "pulumi.export('id', scan.execution_name)"
    stack.up(mine, scan("bare", object="bare"), scan("empty", object="empty", inputs={}), export)
    id, fired = stack.id("scan"), cloud.ids()
    outputs = stack.outputs("scan")
    assert outputs["execution_name"] == id
    assert outputs["execution_urn"].split(":")[-2] == id
    assert outputs["started_at"] == outputs["created_at"] != ""
    assert (outputs["stopped_at"], outputs["finished_at"], outputs["phase"]) == ("", "", "pending")
    assert outputs["provenance"] == "fired"
    assert outputs["reference"] == f"huawei.workflow:cn-north-4:scan:{id}"
    assert outputs["request_id"]
    assert outputs["url"] == "https://console.huaweicloud.com/obs/?region=cn-north-4#/obs/manage/demo-bucket/overview"
    assert sorted(cloud.requests()[SYSTEM]) == ["start"]
    assert SECRET_KEY not in str(stack.resources())
    body = {"bucket": "demo-bucket", "object": "/mpc/demo.mp4", "inputs": inputs}
    assert sent(cloud) == {
        "/mpc/demo.mp4": [body],
        **{name: [{"bucket": "demo-bucket", "object": name}] for name in ("bare", "empty")},
    }, "inputs are sent as they were written"
    assert not any("7.0" in run["request"]["body"] for run in cloud.runs(SYSTEM))

    stack.up(mine, scan("bare", object="bare", inputs={}), scan("empty", object="empty"), export)
    assert cloud.ids() == fired, "empty inputs in the place of none"
    stack.refresh()
    assert stack.outputs("scan")["phase"] == "running"

    cloud.set_state(id, "FAILED")
    stack.refresh()
    refreshed = stack.outputs("scan")
    assert (refreshed["state"], refreshed["phase"]) == ("FAILED", "failed")
    assert refreshed["stopped_at"] == refreshed["finished_at"] != ""
    assert refreshed["execution_urn"] == outputs["execution_urn"]
    stack.up()
    assert cloud.ids() == fired
    stack.up(scan(inputs=inputs, rerun_on_failure=True))
    assert cloud.ids() == [*fired, stack.id("scan")]

    stack.up(scan(inputs=inputs, on_delete="abandon"))
    assert cloud.ids() == [*fired, stack.id("scan")]


CHANGES: dict[str, dict[str, Any]] = {
    "object": {"object": "another"},
    "graph_name": {"graph_name": "other"},
    "bucket": {"bucket": "other-bucket"},
    "inputs": {"inputs": {"template-id": 8}},
    "no-inputs": {"inputs": None},
    "region": {"region": "cn-north-1"},
    "release": {"triggers": {"release": "2"}},
}


@pytest.mark.long
def test_a_change_fires_once(stack: Stack, cloud: Emulator) -> None:
    before = {"inputs": {"template-id": 7}, "triggers": {"release": "1"}}
    stack.up(*(scan(name, **{"object": name, **before}) for name in CHANGES))
    changed = (scan(name, **{"object": name, **before, **change}) for name, change in CHANGES.items())
    preview = stack.preview(*changed, flags=("--diff",)).text
    told = {name: (does, lines) for does, name, lines in BLOCK.findall(preview)}
    for name in CHANGES:
        does, lines = told[name]
        assert does == "replace"
        assert re.search(rf"^ *[~+-] {name.removeprefix('no-')} *:", lines, re.MULTILINE), preview
    assert {len(bodies) for bodies in sent(cloud).values()} == {1}, "a preview sends nothing"
    stack.up()
    stack.up()
    counts = {name: len(bodies) for name, bodies in sent(cloud).items()}
    assert counts == {**dict.fromkeys(CHANGES, 2), "object": 1, "another": 1}
    newest = set(cloud.ids()[len(CHANGES) :])
    assert newest == {stack.id(name) for name in CHANGES}
    assert cloud.count(SYSTEM, "create") == 0


@pytest.mark.long
def test_a_lost_answer_is_found_and_a_run_that_the_service_forgot_is_marked(stack: Stack, cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "start", "drop_response")
    stack.up(scan(inputs={"template-id": 7}))
    assert cloud.ids() == [stack.id("scan")]
    outputs = stack.outputs("scan")
    assert (outputs["provenance"], outputs["execution_urn"]) == ("found", "")
    stack.refresh()
    assert stack.outputs("scan")["execution_urn"].split(":")[-2] == stack.id("scan")
    cloud.fault(SYSTEM, "get", "forget")
    stack.refresh()
    assert stack.outputs("scan")["record_expired"] is True
    stack.up()
    assert cloud.count(SYSTEM, "start") == 1


@pytest.mark.long
def test_an_up_killed_after_the_start_is_found_by_the_next(stack: Stack, cloud: Emulator) -> None:
    stack.up(scan("other", inputs={"template-id": 8}))
    both = scan("other", inputs={"template-id": 8}), scan(inputs={"template-id": 7})
    lost = kill_after_start(stack, cloud, *both, system=SYSTEM)
    again = stack.up()
    assert stack.id("scan") == lost
    assert cloud.ids() == [stack.id("other"), lost]
    assert f"found run {lost} of an interrupted up; for a new run change a trigger" in again.text


@pytest.mark.long
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


@pytest.mark.long
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
    refused = stack.preview(scan(on_delete="cancel"), check=False)
    assert refused.code != 0
    assert "Huawei OBS has no API that cancels a workflow execution" in refused.text
    assert cloud.requests() == {}


def test_unknown_and_secret_inputs(stack: Stack, cloud: Emulator) -> None:
    """A preview with unknown inputs passes the checks. A secret one is sent and not shown."""
    chained = scan("chained", inputs="={'source': scan.execution_name, 'deep': [{'urn': scan.execution_urn}]}")
    secret = scan("secret", object="secret", inputs="={'password': pulumi.Output.secret('hunter2')}")
    assert "+ 7 to create" in stack.preview(scan(), chained, secret).text
    assert cloud.requests() == {}
    fired = stack.up()
    assert sent(cloud)["/mpc/demo.mp4"][1]["inputs"] == {
        "source": stack.id("scan"),
        "deep": [{"urn": stack.outputs("scan")["execution_urn"]}],
    }
    assert sent(cloud)["secret"][0]["inputs"] == {"password": "hunter2"}
    assert "hunter2" not in fired.text + stack.export() + stack.refresh().text + stack.export()


@pytest.mark.long
def test_get_reads_a_run_and_manages_nothing_and_adopt_verifies_and_records(stack: Stack, cloud: Emulator) -> None:
    first = scan("first", inputs={"template-id": 7})
    stack.up(first)
    id = stack.id("first")
    read = f"read = huawei.WorkflowRun.get('read', {id!r}, graph_name='scan')\n"
    export = "pulumi.export('inputs', read.inputs)\npulumi.export('name', read.execution_name)\n"
    stack.up(first, read, export)
    outputs = stack.outputs("read")
    assert (outputs["phase"], outputs["provenance"], outputs["object"]) == ("running", "given", "/mpc/demo.mp4")
    assert outputs["inputs"] == {"template-id": 7}
    stack.destroy()
    assert [(run["id"], run["state"]) for run in cloud.runs()] == [(id, "RUNNING")]

    other = stack.up(scan(inputs={"template-id": 8}, adopt_id=id), check=False)
    assert other.code != 0
    assert "its inputs.template-id has another value" in other.text
    stack.up(scan(inputs={"template-id": 7}, adopt_id=id))
    outputs = stack.outputs("scan")
    assert (outputs["provenance"], outputs["execution_urn"].split(":")[-2]) == ("given", id)
    stack.up(scan(inputs={"template-id": 7}))
    assert cloud.ids() == [id]
