"""Version 2.1 of EnOS's batch service: other paths and envelopes, runs from a task, and what it tells of a task."""

from __future__ import annotations

import json

import pytest
from emulator_bench import Reply
from enos_bench import FLOW, NOW_ID, NOW_MS, WHO, EnosBench

BASE = "/batch-processing-service/v2.1"
TASK = FLOW * 10 + 1
TASK_INSTANCE = f"{TASK}-{NOW_ID.partition('-')[2]}"


@pytest.fixture
def bench() -> EnosBench:
    return EnosBench(run_seconds=3.0)


def post(bench: EnosBench, action: str, **body: object) -> Reply:
    return bench.post(f"{BASE}/flows", action, body)


def told(reply: Reply) -> dict[str, object]:
    """The data of a success, whose code has this version's name alone."""
    assert (reply.status, reply.json["code"], reply.json["msg"]) == (200, 0, "OK"), reply.body
    assert set(reply.json) == {"code", "msg", "data"}
    return dict(reply.json["data"])


def refused(reply: Reply) -> int:
    assert "status" not in reply.json
    return int(reply.json["code"])


def look(bench: EnosBench, path: str, **query: str) -> Reply:
    return bench.call("GET", f"{BASE}/{path}", {"action": "get", **query, **WHO})


def test_a_run_is_the_same_in_both_versions(bench: EnosBench) -> None:
    run = told(post(bench, "trigger", flowId=FLOW, triggerTime=NOW_MS))["flowInstanceId"]
    assert run == NOW_ID == bench.start()  # in the minute there is one
    assert told(look(bench, "flowInstances", flowInstId=NOW_ID)) == bench.data(bench.look(NOW_ID))
    assert told(look(bench, "flows", flowId=str(FLOW)))["flowId"] == FLOW
    cancelled = bench.post(f"{BASE}/flowInstances", "cancel", {"flowInstId": NOW_ID})
    assert (cancelled.json["code"], cancelled.json["data"]) == (0, "")
    assert bench.state(NOW_ID) == (8, "CANCEL")


@pytest.mark.parametrize("parameters", [{"A": "1"}, [{"key": "A", "value": "1"}]])
def test_both_forms_of_parameters_are_taken(bench: EnosBench, parameters: object) -> None:
    told(post(bench, "updateAndTrigger", flowId=FLOW, triggerTime=NOW_MS, parameters=parameters))
    assert json.loads(str(told(look(bench, "flowInstances", flowInstId=NOW_ID))["parameters"])) == parameters


def test_a_run_from_a_task(bench: EnosBench) -> None:
    start = {"flowId": FLOW, "taskId": TASK, "triggerTime": NOW_MS}
    assert refused(post(bench, "triggerFromTask", **{**start, "taskId": TASK + 1})) == 62102
    assert refused(post(bench, "triggerFromTask", flowId=FLOW, triggerTime=NOW_MS)) == 62102
    assert bench.origins() == []
    assert told(post(bench, "triggerFromTask", **start)) == {"flowInstanceId": NOW_ID}
    again = post(bench, "triggerFromTask", **start)
    assert (refused(again), "1 minute" in again.json["msg"]) == (62102, True)
    assert bench.origins() == ["api"]


def test_a_look_at_a_task(bench: EnosBench) -> None:
    bench.start()
    (task,) = json.loads(bench.data(bench.look(NOW_ID))["graph"])["tasks"]
    assert task["taskInstId"] == TASK_INSTANCE
    found = told(look(bench, "taskInstances", taskInstId=TASK_INSTANCE))
    assert (found["instanceId"], found["flowInstId"], found["stsDesc"]) == (TASK_INSTANCE, NOW_ID, "RUNNING")
    bench.admin(f"runs/{NOW_ID}", {"state": "TIMEOUT"})
    assert told(look(bench, "taskInstances", taskInstId=TASK_INSTANCE))["isTimeout"] is True
    assert refused(look(bench, "taskInstances", taskInstId="x")) == 62102


def test_refusals_have_the_field_of_their_service(bench: EnosBench) -> None:
    assert refused(look(bench, "flowInstances", flowInstId="x")) == 62102
    order = {"system": "enos.flow", "operation": "get", "action": "status", "status": 200, "code": "62109"}
    bench.admin("faults", order)
    assert refused(look(bench, "flowInstances", flowInstId=NOW_ID)) == 62109
    gateway = bench.call("GET", f"{BASE}/flows", {"action": "get", **WHO}, headers={"apim-accesstoken": "x"})
    assert (gateway.json["status"], gateway.json["business"]) == (1203, "apim-token-service")
