"""`enos.FlowRun` on the real engine: fires are counted where they arrive."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cloud_runs.promise import ledger
from tests.engine.asks import BLOCK
from tests.engine.interrupted import hosts, kill_after_start, kill_after_starts, kill_engine_alone, wait_until
from tests.kits import KITS
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import Stack, call

pytestmark = pytest.mark.engine

SYSTEM = "enos.flow"
IMPORT = "from datetime import datetime, timezone\nfrom cloud_runs import enos\n"
SEED_TIME = 1574385824000
FIRST = "3377-20191122012300"


def flow(name: str = "meters", /, **arguments: Any) -> str:
    """Source of a flow run."""
    return IMPORT + call("enos.FlowRun", name, **{"flow_id": 3377, **arguments})


@pytest.fixture
def stack(stack: Stack, cloud: Emulator) -> Stack:
    stack.configure(**KITS[SYSTEM].settings(cloud.url))
    return stack


def bodies(cloud: Emulator) -> list[dict[str, Any]]:
    """The bodies of the starts, oldest first."""
    return [json.loads(run["request"]["body"]) for run in cloud.runs(SYSTEM)]


def test_the_life_of_a_run(stack: Stack, cloud: Emulator) -> None:
    timed, given = flow(trigger_time=SEED_TIME), flow("given", flow_id=1, parameters={"REPLACE": "ddee", "count": 7})
    stack.up(timed, given, flow("untimed", flow_id=2), "pulumi.export('id', meters.flow_instance_id)")
    assert stack.id("meters") == FIRST
    fired = {run["id"]: run for run in cloud.runs(SYSTEM)}
    assert set(fired) == {stack.id(name) for name in ("meters", "given", "untimed")}
    request = fired[FIRST]["request"]
    assert request["body"] == '{\n  "flowId":3377,\n  "triggerTime":1574385824000\n}'
    assert request["query"] == {"action": "trigger", "userId": "alice", "orgId": "o15"}
    outputs = stack.outputs("meters")
    assert outputs["flow_instance_id"] == FIRST
    assert outputs["trigger_time"] == SEED_TIME
    assert outputs["reference"] == f"enos.flow::3377%2Fo15:{FIRST}"
    assert (outputs["provenance"], outputs["phase"]) == ("fired", "pending")
    assert SECRET_KEY not in str(stack.resources())
    assert request["headers"]["apim-accesstoken"] not in stack.export()
    body = json.loads(fired[stack.id("given")]["request"]["body"])
    assert body["parameters"] == [{"key": "REPLACE", "value": "ddee"}, {"key": "count", "value": "7"}]

    body = json.loads(fired[stack.id("untimed")]["request"]["body"])
    intent = ledger.intent_of(stack.outputs("untimed-intent")["record"])
    assert intent
    assert body["triggerTime"] == stack.outputs("untimed")["trigger_time"]
    assert body["triggerTime"] == intent.moment.at.timestamp() // 60 * 60_000, "without a time: the intent's minute"

    stack.refresh()
    assert stack.outputs("meters")["state"] == "RUNNING"
    assert set(cloud.ids()) == set(fired)


CHANGES: dict[str, list[dict[str, Any]]] = {
    "release": [{"flow_id": 1, "triggers": {"release": "1"}}, {"flow_id": 1, "triggers": {"release": "2"}}],
    "trigger_time": [{"flow_id": 2, "trigger_time": time} for time in (SEED_TIME, SEED_TIME + 60_000)],
    "flow_id": [{"flow_id": id, "trigger_time": SEED_TIME} for id in (3, 4)],
    "parameters": [
        {"flow_id": 5, "trigger_time": SEED_TIME},
        {"flow_id": 5, "trigger_time": 0, "parameters": {"a": "b"}},
    ],
}


@pytest.mark.long
def test_a_changed_argument_or_trigger_fires_once(stack: Stack, cloud: Emulator) -> None:
    stack.up(*(flow(name, **before) for name, (before, _) in CHANGES.items()))
    first = {name: stack.id(name) for name in CHANGES}
    preview = stack.preview(*(flow(name, **after) for name, (_, after) in CHANGES.items()), flags=("--diff",)).text
    told = {name: (does, lines) for does, name, lines in BLOCK.findall(preview)}
    for name in CHANGES:
        does, lines = told[name]
        assert does == "replace"
        assert re.search(rf"^ *[~+] {name} *:", lines, re.MULTILINE), preview
    assert sorted(cloud.ids()) == sorted(first.values()), "a preview sends nothing"
    for _ in range(2):
        stack.up()
        assert sorted(cloud.ids()) == sorted([*first.values(), *(stack.id(name) for name in CHANGES)])
        assert not {stack.id(name) for name in CHANGES} & set(first.values())


@pytest.mark.long
def test_another_spelling_of_the_same_time_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    spellings = ["2019-11-22T01:23:44Z", "2019-11-22T09:23:44+0800",
                 "=datetime(2019, 11, 22, 1, 23, 44, tzinfo=timezone.utc)",
                 "=pulumi.Output.from_input('2019-11-22T01:23:44Z')"]  # fmt: skip
    for times in ([SEED_TIME] * len(spellings), spellings, reversed(spellings)):
        stack.up(*(flow(f"meters{id}", flow_id=id, trigger_time=time) for id, time in enumerate(times, 1)))
        assert sorted(cloud.ids()) == [f"{id}-20191122012300" for id, _ in enumerate(spellings, 1)]
        assert {body["triggerTime"] for body in bodies(cloud)} == {SEED_TIME}


def test_a_datetime_without_zone_is_refused(stack: Stack, cloud: Emulator) -> None:
    refused = stack.up(flow(trigger_time="=datetime(2019, 11, 22)"), check=False)
    assert refused.code != 0
    assert "without a time zone" in refused.text
    assert cloud.requests() == {}


@pytest.mark.long
def test_a_forced_replacement_and_a_rerun_fire_once_each(stack: Stack, cloud: Emulator) -> None:
    """The forced one has the same intent, so it is in the next minute."""
    stack.up(flow(), flow("failed", flow_id=1, rerun_on_failure=True))
    before, failed = stack.outputs("meters")["trigger_time"], stack.id("failed")
    cloud.set_state(failed, "FAIL")
    stack.up(flags=("--refresh", "--replace", stack.urn("meters")))
    assert set(cloud.ids()[2:]) == {stack.id("meters"), stack.id("failed")}
    assert stack.outputs("meters")["trigger_time"] == before + 60_000
    stack.up(flags=("--refresh",))
    assert len(cloud.ids()) == 4
    lost = kill_after_start(stack, cloud, flags=("--replace", stack.urn("meters")), system=SYSTEM)
    stack.up()
    assert stack.id("meters") == lost
    assert stack.outputs("meters")["trigger_time"] == before + 120_000
    assert len(cloud.ids()) == 5


def test_a_second_run_of_the_flow_in_the_minute_is_refused_and_names_the_first(stack: Stack, cloud: Emulator) -> None:
    first = flow("first", trigger_time=SEED_TIME)
    second = flow("second", trigger_time=SEED_TIME + 10_000, opts="=ResourceOptions(depends_on=[first])")
    for _ in range(2):  # also once it is an earlier up's intent
        refused = stack.up(first, second, check=False)
        assert refused.code != 0
        assert "FlowRun 'second': nothing was fired: run " + FIRST in refused.text
        assert "Traceback" not in refused.text
        assert cloud.ids() == [FIRST]
        assert cloud.count(SYSTEM, "start") == 1
    assert set(stack.resources()) == {"first", "first-intent", "second-intent"}
    stack.up(first, flow("second", trigger_time=SEED_TIME + 60_000))
    assert len(cloud.ids()) == 2


@pytest.mark.long
def test_a_change_under_a_time_that_stays_is_refused_and_deletes_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(flow(trigger_time=SEED_TIME, on_delete="cancel"))
    refused = stack.up(flow(trigger_time=SEED_TIME, on_delete="cancel", triggers={"a": "1"}), check=False)
    assert refused.code != 0
    assert "a new run is wanted (trigger a), but trigger_time is still" in refused.text
    assert stack.id("meters") == FIRST
    assert [run["state"] for run in cloud.runs()] == ["RUNNING"]
    stack.up(flow(trigger_time=SEED_TIME))
    assert cloud.ids() == [FIRST]


@pytest.mark.long
def test_a_refused_request_is_told_in_one_line_and_tried_again(stack: Stack, cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "start", "status", status=200, code="62104", message="This workflow has no task.")
    refused = stack.up(flow(), check=False)
    assert refused.code != 0
    (line,) = {line.strip() for line in refused.text.splitlines() if "62104" in line and "creating" not in line}
    assert "FlowRun 'meters': EnOS refused POST /flows?action=trigger: 200 62104: This workflow has no task" in line
    assert "Give flow 3377 a task first" in line
    assert "Traceback" not in refused.text
    stack.up()
    assert cloud.ids() == [stack.id("meters")]


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"action": "drop_response"}, marks=pytest.mark.long),  # of each kind: test_every_kind.py
        {"action": "status", "status": 200, "code": "62109", "after_effect": True},
    ],
    ids=["drop_response", "status"],
)
def test_a_lost_answer_is_found(stack: Stack, cloud: Emulator, fault: dict[str, Any]) -> None:
    cloud.fault(SYSTEM, "start", **fault)
    stack.up(flow(trigger_time=SEED_TIME))
    assert cloud.ids() == [stack.id("meters")]
    assert cloud.count(SYSTEM, "start") == 1
    assert stack.outputs("meters")["provenance"] == "found"
    assert stack.outputs("meters")["trigger_time"] == SEED_TIME


@pytest.mark.long
def test_an_up_killed_after_the_start_is_found_by_the_next(stack: Stack, cloud: Emulator) -> None:
    program = [
        flow(),
        flow("timed", flow_id=1, trigger_time=SEED_TIME),
        flow("given", flow_id=2, parameters={"a": "b"}),
    ]
    lost = kill_after_starts(stack, cloud, {SYSTEM: 3}, *program)
    again = stack.up()
    assert set(cloud.ids()) == lost == {stack.id(name) for name in ("meters", "timed", "given")}
    for name in ("meters", "timed", "given"):
        assert stack.outputs(name)["provenance"] == "found"
        assert f"found run {stack.id(name)} of an interrupted up" in again.text
    assert cloud.count(SYSTEM, "start") == 3


def test_an_expired_token_is_renewed(stack: Stack, cloud: Emulator) -> None:
    cloud.fault(SYSTEM, "start", "status", status=200, code="1203")
    stack.up(flow())
    assert cloud.ids() == [stack.id("meters")]
    assert cloud.count(SYSTEM, "start") == 2
    assert cloud.count(SYSTEM, "token") + cloud.count(SYSTEM, "refresh") >= 2


@pytest.mark.long
def test_destroy_with_cancel_stops_the_run_and_waits(stack: Stack, cloud: Emulator) -> None:
    waiting = flow("waiting", trigger_time=SEED_TIME + 60_000, on_delete="cancel")
    ended = flow("ended", flow_id=1, on_delete="cancel")
    gone = flow("gone", flow_id=2, on_delete="cancel")
    stack.up(flow(trigger_time=SEED_TIME, on_delete="cancel"), waiting, ended, gone)
    cloud.set_state(stack.id("ended"), "SUCCESS")
    cloud.fault(SYSTEM, "get", "forget")
    stack.pulumi("refresh", "--yes", "--skip-preview", "-s", stack.name, "--target", stack.urn("gone"))
    assert stack.outputs("gone")["record_expired"] is True
    gets = cloud.count(SYSTEM, "get")
    stack.destroy()
    assert sorted(run["state"] for run in cloud.runs()) == ["CANCEL", "CANCEL", "SUCCESS"]
    assert cloud.count(SYSTEM, "cancel") == 2
    assert cloud.count(SYSTEM, "get") - gets >= 6, "each cancelled run was asked for before and after"


@pytest.mark.long
def test_adopt_and_get(stack: Stack, cloud: Emulator) -> None:
    stack.up(flow(trigger_time=SEED_TIME))
    stack.destroy()
    read = "seen = enos.FlowRun.get('seen', " + repr(FIRST) + ", flow_id=3377)\npulumi.export('state', seen.state)\n"
    stack.up(flow(trigger_time=SEED_TIME, adopt_id=FIRST), read)
    assert (stack.id("meters"), stack.id("seen")) == (FIRST, FIRST)
    assert stack.outputs("meters")["provenance"] == stack.outputs("seen")["provenance"] == "given"
    assert stack.outputs("seen")["state"] == "RUNNING"
    assert stack.outputs("seen")["flow_instance_id"] == FIRST
    assert cloud.count(SYSTEM, "start") == 1
    for wrong, text in (
        ({"flow_id": 1}, "its flow_id is 3377, not the requested one"),
        ({"trigger_time": 0}, "its trigger_time is"),
    ):
        refused = stack.up(flow("other", adopt_id=FIRST, **wrong), check=False)
        assert refused.code != 0
        assert text in refused.text
    stack.destroy()
    assert cloud.count(SYSTEM, "start") == 1


def test_missing_settings_are_named(stack: Stack, cloud: Emulator) -> None:
    stack.configure(enos__accessKey=SECRET_ID, enos__secretKey=SECRET_KEY)
    refused = stack.up(flow(), check=False)
    assert refused.code != 0
    assert "enos:orgId or environment ENOS_ORG_ID" in refused.text
    assert "enos:userId or environment ENOS_USER_ID" in refused.text
    refused = stack.up(flow(org_id="o15", user_id="bob"), check=False)
    assert refused.code != 0
    assert "enos:endpoint" in refused.text
    assert cloud.requests() == {}


@pytest.mark.long
def test_two_users_of_one_flow_in_one_minute_are_one_run_and_the_second_is_refused(
    stack: Stack, cloud: Emulator
) -> None:
    """Only the number of starts tells: the service has one run of a flow for a minute, whoever asks."""
    first = call("enos.FlowRun", "a", flow_id=3377, trigger_time=1574385824000)
    second = call("enos.FlowRun", "b", flow_id=3377, trigger_time=1574385824000, user_id="bob")
    refused = stack.up(IMPORT, first, second, check=False)
    assert refused.code != 0
    assert "has the trigger minute" in refused.text
    assert cloud.count("enos.flow", "start") == 1
    assert stack.up(check=False).code != 0, "and it does not take the other's run for its own"
    assert cloud.count("enos.flow", "start") == 1


@pytest.mark.long
def test_an_orphan_does_not_fire_after_its_look(stack: Stack, cloud: Emulator) -> None:
    cloud.fault("enos.flow", "find", "delay", seconds=3, after_effect=True)
    process = stack.start(IMPORT, call("enos.FlowRun", "a", flow_id=3377))
    wait_until(lambda: cloud.count("enos.flow", "find") > 0)
    kill_engine_alone(stack)
    process.wait(timeout=30)
    wait_until(lambda: not hosts(stack))
    stack.kill()
    assert cloud.count("enos.flow", "start") == 0
