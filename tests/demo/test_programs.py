"""The programs of outputs.md, how-to.md (another stack), fan-out.md, accounts.md, huawei.md and enos.md, run as they
stand there; and the tables of outputs and settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_runs.accounts import settings as known_settings
from cloud_runs.promise import ledger
from tests.demo.pages import ROOT, blocks, documented, stack_of_all_systems, up
from tests.kits import KITS
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import Stack

pytestmark = pytest.mark.engine

OTHER_ID, OTHER_KEY = "AKIDarchive", "archive-canary-key"


def programs(page: str) -> list[str]:
    return [text for language, text in blocks(page) if language == "python"]


(ALL_KINDS,) = programs("docs/outputs.md")
(REFERENCE,) = [text for text in programs("docs/how-to.md") if "StackReference" in text]
(FAN_OUT,) = programs("docs/fan-out.md")
(ACCOUNTS,) = programs("docs/accounts.md")
(HUAWEI_GET,) = programs("docs/huawei.md")
(ENOS_MINUTE,) = programs("docs/enos.md")
HUAWEI, ENOS = (programs(f"docs/resources/{kind}.md")[0] for kind in ("huawei.WorkflowRun", "enos.FlowRun"))


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with emulator("--run-seconds", "1") as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, cloud: Emulator) -> Stack:
    return stack_of_all_systems(tmp_path, cloud)


@pytest.mark.long
def test_all_kinds_and_the_stack_that_takes_an_id(stack: Stack, cloud: Emulator) -> None:
    up(stack, ALL_KINDS)
    outputs = stack.pulumi("stack", "output", "--json", "-s", stack.name).text
    assert set(json.loads(outputs).values()) == set(cloud.ids())
    sent = cloud.requests()
    up(stack, ALL_KINDS)
    assert cloud.requests() == sent
    assert len(cloud.runs()) == len(KITS)
    resources = stack.resources()
    runs = ("transcode", "backfill", "scan", "review", "meters")
    assert set(resources) == {*runs, *(f"{run}-intent" for run in runs)}
    for name in documented("docs/outputs.md", "# Outputs"):
        assert any(name in resources[run]["outputs"] for run in runs), name
    assert {resources[run]["outputs"]["phase"] for run in runs} == {"pending"}
    another = Stack(stack.folder / "another", cloud, "another", backend=stack.backend)
    up(another, REFERENCE.replace("cloud-runs/dev", f"tests/{stack.name}"))
    assert another.output() == {"instance_id": stack.id("transcode")}


def test_a_fan_out(stack: Stack, cloud: Emulator) -> None:
    shown = up(stack, FAN_OUT)
    assert "10/10 done" in shown
    assert sorted(stack.output()["instance_ids"].values()) == sorted(cloud.ids())
    assert sorted(run["request"]["query"]["object"] for run in cloud.runs())[0] == "season-1/01.mp4"
    assert len(cloud.ids()) == 10


@pytest.mark.long
def test_several_accounts(tmp_path: Path) -> None:
    pairs = ("--access-key", SECRET_ID, "--secret-key", SECRET_KEY, "--access-key", OTHER_ID, "--secret-key", OTHER_KEY)
    with emulator(*pairs) as cloud:
        stack = Stack(tmp_path, cloud)
        for key, value in (("archiveSecretId", OTHER_ID), ("archiveSecretKey", OTHER_KEY)):
            stack.pulumi("config", "set", "--secret", key, value, "-s", stack.name)
        up(stack, ACCOUNTS)
        signed = {run["request"]["headers"]["host"]: run["request"]["headers"]["authorization"] for run in cloud.runs()}
        assert f"q-ak={SECRET_ID}&" in signed["media-1250000000.ci.ap-beijing.myqcloud.com"]
        assert f"q-ak={OTHER_ID}&" in signed["archive-1260000000.ci.eu-frankfurt.myqcloud.com"]
        state = stack.export()
        assert OTHER_ID not in state, "encrypted"
        assert OTHER_KEY not in state
        moved = ACCOUNTS.replace("opts=pulumi.ResourceOptions(provider=archive),", "")
        assert moved != ACCOUNTS
        up(stack, moved)
        up(stack, ACCOUNTS)
        assert len(cloud.runs()) == 2, "another provider fires nothing"


def test_every_setting_is_in_the_table() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    rows = [tuple(re.findall(r"`([\w:]+)`", line)) for line in text.splitlines() if line.startswith("| ")]
    known = [(setting.config, setting.environ, setting.argument) for setting in known_settings()]
    assert sorted(row for row in rows if len(row) == 3) == sorted(known)


@pytest.mark.long
def test_huawei_is_asked_for_what_the_page_says(stack: Stack, cloud: Emulator) -> None:
    up(stack, HUAWEI)
    (run,) = cloud.runs()
    assert run["request"]["headers"]["host"] == "obs.cn-north-4.myhuaweicloud.com"
    assert cloud.requests() == {"huawei.workflow": {"start": 1}}
    cloud.set_state(run["id"], "SUCCESS")
    stack.refresh()
    assert cloud.requests() == {"huawei.workflow": {"start": 1, "get": 1, "find": 1}}
    assert stack.outputs("scan")["stopped_at"] == stack.outputs("scan")["finished_at"] != ""
    up(stack, HUAWEI_GET.replace("EXECUTION_NAME", run["id"]))
    assert set(stack.resources()) == {"seen"}
    assert stack.outputs("seen")["phase"] == "succeeded"
    stack.destroy()
    assert cloud.ids() == [run["id"]]
    assert cloud.requests()["huawei.workflow"]["start"] == 1


def test_huawei_that_is_closed_is_told_as_such(stack: Stack, cloud: Emulator) -> None:
    cloud.fault("huawei.workflow", "start", "status", status=405, code="MethodNotAllowed", message="not here")
    assert "Huawei has closed them to new users in favour of DWR" in up(stack, HUAWEI, check=False)


@pytest.mark.long
def test_enos_tells_no_times_as_the_page_says(stack: Stack, cloud: Emulator) -> None:
    up(stack, ENOS)
    (run,) = cloud.runs()
    cloud.set_state(run["id"], "SUCCESS")
    stack.refresh()
    outputs = stack.outputs("meters")
    assert outputs["phase"] == "succeeded"
    assert [outputs[name] for name in ("created_at", "started_at", "finished_at", "request_id")] == [""] * 4


@pytest.mark.long
def test_enos_has_one_run_of_a_flow_a_minute(stack: Stack, cloud: Emulator) -> None:
    text = re.sub(r"\s+", " ", (ROOT / "docs/enos.md").read_text())
    (said,) = re.findall(r"`(nothing was fired: [^`]*)`", text)
    assert said in up(stack, ENOS_MINUTE, check=False)
    assert cloud.ids() == ["3377-20191122012300"]
    up(stack, ENOS_MINUTE.replace("01:23:30", "01:24:30"))
    assert cloud.ids() == ["3377-20191122012300", "3377-20191122012400"]


@pytest.mark.long
def test_enos_records_somebody_elses_run_after_a_refusal(stack: Stack, cloud: Emulator, tmp_path: Path) -> None:
    up(stack_of_all_systems(tmp_path / "theirs", cloud), ENOS)
    (theirs,) = cloud.ids()
    assert f"run {theirs} of flow 3377 has the trigger minute" in up(stack, ENOS, check=False)
    assert f"warning: found run {theirs} of an interrupted up" in up(stack, ENOS)
    assert stack.id("meters") == theirs
    assert stack.outputs("meters")["provenance"] == "found"
    up(stack, ENOS.replace("01:23:44", "01:24:44").replace('on_delete="cancel",', ""))
    assert cloud.ids() == [theirs, stack.id("meters")]


@pytest.mark.long
def test_enos_is_fired_after_a_refusal_with_another_minute(stack: Stack, cloud: Emulator, tmp_path: Path) -> None:
    up(stack_of_all_systems(tmp_path / "theirs", cloud), ENOS)
    (theirs,) = cloud.ids()
    up(stack, ENOS, check=False)
    up(stack, ENOS.replace("01:23:44", "01:24:44"))
    assert cloud.ids() == [theirs, stack.id("meters")]
    assert stack.outputs("meters")["provenance"] == "fired"


@pytest.mark.long
def test_enos_retries_with_the_minute_that_was_fixed_before(stack: Stack, cloud: Emulator) -> None:
    untimed = re.sub(r"    trigger_time=.*\n", "", ENOS)
    assert untimed != ENOS
    cloud.fault("enos.flow", "start", "status", status=200, code="62104", message="This workflow has no task.")
    assert "Give flow 3377 a task first" in up(stack, untimed, check=False)
    intent = ledger.intent_of(stack.outputs("meters-intent")["record"])
    assert intent
    up(stack, untimed)
    assert stack.id("meters") == f"3377-{intent.moment.at:%Y%m%d%H%M}00"


@pytest.mark.long
def test_enos_cannot_be_replaced_by_force_under_a_time_that_stays(tmp_path: Path) -> None:
    with emulator("--run-seconds", "3600") as cloud:
        stack = stack_of_all_systems(tmp_path, cloud)
        up(stack, ENOS)
        forced = stack.up(flags=("--replace", stack.urn("meters")), check=False)
        assert forced.code != 0
        assert "has the trigger minute 2019-11-22T01:23:00Z already" in forced.text
        assert [run["state"] for run in cloud.runs()] == ["CANCEL"]
        kept = up(stack, ENOS)
        assert "The recorded run stays" in kept
        assert [stack.id("meters")] == cloud.ids()
        assert "has the trigger minute" not in up(stack, ENOS), "it is said once"
        up(stack, ENOS.replace("01:23:44", "01:24:44"))
        assert cloud.ids() == ["3377-20191122012300", stack.id("meters")]
