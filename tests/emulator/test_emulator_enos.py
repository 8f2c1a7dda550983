"""EnOS batch flows: trigger, look, cancel, one running instance a flow."""

from __future__ import annotations

import json

import pytest
from emulator_bench import START
from enos_bench import FLOW, FLOWS, INSTANCES, MINUTE, NOW_ID, NOW_MS, TIME, WHO, EnosBench, code


@pytest.fixture
def bench() -> EnosBench:
    return EnosBench(run_seconds=3.0)


def test_trigger(bench: EnosBench) -> None:
    reply = bench.trigger()
    assert reply.json == {"status": 0, "msg": " Success", "data": {"flowInstanceId": NOW_ID}}
    row = bench.admin("runs").json[0]
    assert (row["system"], row["id"], row["state"], row["origin"]) == ("enos.flow", NOW_ID, "RUNNING", "api")
    assert json.loads(row["request"]["body"]) == {"flowId": FLOW, "triggerTime": NOW_MS}


def test_id_is_the_minute_of_the_trigger_time(bench: EnosBench) -> None:
    assert bench.start(1574385824000) == "3377-20191122012300"
    assert bench.start(0, 2791) == "2791-19700101000000"
    assert bench.start(59_999, 2792) == "2792-19700101000000"
    assert bench.start(60_000, 2793) == "2793-19700101000100"


def test_same_flow_and_minute_is_the_same_instance(bench: EnosBench) -> None:
    first = bench.start(NOW_MS // MINUTE * MINUTE)
    assert bench.start(NOW_MS // MINUTE * MINUTE + 59_999) == first
    bench.cancel(first)
    assert bench.start() == first
    assert bench.state(first) == (8, "CANCEL")
    assert bench.origins() == ["api"]


def test_update_and_trigger(bench: EnosBench) -> None:
    body = {"flowId": FLOW, "triggerTime": NOW_MS, "parameters": {"day": "中"}}
    assert bench.data(bench.post(FLOWS, "updateAndTrigger", body)) == {"flowInstanceId": NOW_ID}
    assert json.loads(bench.data(bench.look(NOW_ID))["parameters"]) == {"day": "中"}
    assert (bench.found(type=0), bench.found(type=1), bench.found(type=2)) == ([], [], [NOW_ID])
    counts = bench.admin("requests").json["enos.flow"]
    assert counts["start"] == 1


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("", 62109),
        ("[]", 62109),
        ("{}", 62102),
        (f'{{"flowId": "{FLOW}", "triggerTime": {NOW_MS}}}', 62102),
        (f'{{"flowId": true, "triggerTime": {NOW_MS}}}', 62102),
        (f'{{"flowId": 0, "triggerTime": {NOW_MS}}}', 62102),
        (f'{{"flowId": {FLOW}}}', 62102),
        (f'{{"flowId": {FLOW}, "triggerTime": -1}}', 62102),
        (f'{{"flowId": {FLOW}, "triggerTime": {NOW_MS}.5}}', 62102),
        (f'{{"flowId": {FLOW}, "triggerTime": 253402300800000}}', 62102),
    ],
)
def test_refused_trigger(bench: EnosBench, body: str, number: int) -> None:
    assert code(bench.call("POST", FLOWS, {"action": "trigger", **WHO}, body)) == number
    assert bench.origins() == []


def test_update_and_trigger_needs_parameters(bench: EnosBench) -> None:
    body = {"flowId": FLOW, "triggerTime": NOW_MS}
    assert code(bench.post(FLOWS, "updateAndTrigger", body)) == 62102


@pytest.mark.parametrize("missing", ["userId", "orgId"])
def test_caller_is_required(bench: EnosBench, missing: str) -> None:
    who = {**WHO, missing: ""}
    assert code(bench.look(NOW_ID, who)) == 62101
    for path, action in ((FLOWS, "trigger"), (INSTANCES, "search"), (INSTANCES, "cancel")):
        assert code(bench.call("POST", path, {"action": action, **who}, "{}")) == 62101


def test_a_flow_and_its_instances_are_of_one_organisation(bench: EnosBench) -> None:
    run = bench.start()
    other = {**WHO, "orgId": "o16"}
    body = json.dumps({"flowId": FLOW, "triggerTime": NOW_MS})
    assert code(bench.call("POST", FLOWS, {"action": "trigger", **other}, body)) == 62103
    assert code(bench.look(run, other)) == 62102


def test_running_instance(bench: EnosBench) -> None:
    data = bench.data(bench.look(bench.start()))
    assert data["instanceId"] == NOW_ID
    assert (data["flowId"], data["flowName"], data["owner"]) == (FLOW, "emulated_3377", "alice")
    assert (data["status"], data["statusDesc"]) == (2, "RUNNING")
    assert data["triggerTime"] == data["startTime"] == data["timestamp"] == "2022-08-09 14:54:17"
    assert data["endTime"] is None
    assert data["calDt"] == "2022-08-09"
    assert json.loads(data["parameters"]) == {}
    graph = json.loads(data["graph"])
    assert [task["status"] for task in graph["tasks"]] == ["RUNNING"]
    assert "isCancelled" not in data


def test_finished_instance(bench: EnosBench) -> None:
    run = bench.start()
    bench.now += 2.9
    assert bench.state(run) == (2, "RUNNING")
    bench.now += 0.2
    data = bench.data(bench.look(run))
    assert (data["status"], data["statusDesc"], data["endTime"]) == (1, "SUCCESS", "2022-08-09 14:54:20")


@pytest.mark.parametrize(
    ("word", "number", "ended"),
    [("FAIL", -1, True), ("TIMEOUT", 7, True), ("SKIP", 10, True), ("RERUN", 9, False), ("Mystery", 99, False)],
)
def test_forced_state(bench: EnosBench, word: str, number: int, ended: bool) -> None:
    run = bench.start()
    bench.admin(f"runs/{run}", {"state": word, "code": "x", "message": "y"})
    bench.now += 100.0
    data = bench.data(bench.look(run))
    assert (data["status"], data["statusDesc"]) == (number, word)
    assert data["endTime"] == ("2022-08-09 14:54:17" if ended else None)


def test_unknown_instance(bench: EnosBench) -> None:
    assert code(bench.look("1-20220809065400")) == 62102
    assert code(bench.cancel("1-20220809065400")) == 62102
    assert code(bench.call("GET", INSTANCES, {"action": "get", **WHO})) == 62102


def test_one_instance_of_a_flow_runs_at_a_time(bench: EnosBench) -> None:
    first, second, third = (bench.start(NOW_MS - number * MINUTE) for number in range(3))
    other = bench.start(flow=1)
    assert [bench.state(run)[1] for run in (first, second, third, other)] == ["RUNNING", "WAIT", "WAIT", "RUNNING"]
    assert bench.data(bench.look(second))["startTime"] is None
    bench.now += 4.0
    assert [bench.state(run)[1] for run in (first, second, third)] == ["SUCCESS", "RUNNING", "WAIT"]
    assert bench.data(bench.look(second))["startTime"] == "2022-08-09 14:54:20"
    bench.now += 6.0
    assert [bench.state(run)[1] for run in (first, second, third)] == ["SUCCESS", "SUCCESS", "SUCCESS"]
    assert bench.data(bench.look(third))["endTime"] == "2022-08-09 14:54:26"


def test_nobody_needs_to_look(bench: EnosBench) -> None:
    runs = [bench.start(NOW_MS - number * MINUTE) for number in range(3)]
    bench.now += 20.0
    assert [row["state"] for row in bench.admin("runs").json] == ["SUCCESS"] * 3
    assert bench.data(bench.look(runs[2]))["endTime"] == "2022-08-09 14:54:26"


def test_a_cancelled_or_failed_instance_lets_the_next_run(bench: EnosBench) -> None:
    first, second, third = (bench.start(NOW_MS - number * MINUTE) for number in range(3))
    bench.cancel(second)
    bench.now += 1.0
    bench.admin(f"runs/{first}", {"state": "FAIL"})
    assert [bench.state(run)[1] for run in (first, second, third)] == ["FAIL", "CANCEL", "RUNNING"]
    assert bench.data(bench.look(second))["startTime"] is None
    assert bench.data(bench.look(third))["startTime"] == "2022-08-09 14:54:18"


def test_an_instance_that_is_held_holds_up_its_flow(bench: EnosBench) -> None:
    first, second = bench.start(), bench.start(NOW_MS - MINUTE)
    bench.admin(f"runs/{first}", {"state": "RUNNING"})
    bench.now += 100.0
    assert [bench.state(run)[1] for run in (first, second)] == ["RUNNING", "WAIT"]
    bench.admin(f"runs/{first}", {"state": "SUCCESS"})
    assert bench.state(second) == (2, "RUNNING")


def test_trigger_time_in_the_future(bench: EnosBench) -> None:
    later = bench.start(NOW_MS + 10_000 + MINUTE)
    now = bench.start()
    assert [bench.state(run) for run in (later, now)] == [(0, "INIT"), (2, "RUNNING")]
    bench.now = START + 71.0
    assert [bench.state(run)[1] for run in (later, now)] == ["RUNNING", "SUCCESS"]
    assert bench.data(bench.look(later))["startTime"] == "2022-08-09 14:55:27"


def test_trigger_time_in_the_past_runs_at_once(bench: EnosBench) -> None:
    run = bench.start(1574385824000)
    data = bench.data(bench.look(run))
    assert (data["statusDesc"], data["triggerTime"]) == ("RUNNING", "2019-11-22 09:23:44")
    assert data["startTime"] == "2022-08-09 14:54:17"


def test_cancel(bench: EnosBench) -> None:
    run = bench.start()
    bench.now += 1.0
    reply = bench.cancel(run)
    assert reply.json == {"status": 0, "msg": " Success", "data": ""}
    bench.now += 10.0
    data = bench.data(bench.look(run))
    assert (data["status"], data["statusDesc"], data["endTime"]) == (8, "CANCEL", "2022-08-09 14:54:18")
    assert bench.data(bench.search())["flowInsts"][0]["isCancelled"] is True


def test_cancel_of_an_ended_instance_changes_nothing(bench: EnosBench) -> None:
    run = bench.start()
    bench.now += 10.0
    assert bench.data(bench.cancel(run)) == ""
    assert bench.state(run) == (1, "SUCCESS")


def test_cancel_is_the_owners(bench: EnosBench) -> None:
    run = bench.start()
    query = {"action": "cancel", **WHO, "userId": "bob"}
    assert code(bench.call("POST", INSTANCES, query, json.dumps({"flowInstId": run}))) == 62103
    assert code(bench.call("POST", INSTANCES, {"action": "cancel", **WHO}, "{}")) == 62102
    assert bench.state(run) == (2, "RUNNING")


def test_time_zone(bench: EnosBench) -> None:
    assert bench.data(bench.call("GET", TIME, {"action": "getTimeZone"})) == {"timezone": "GMT+8"}


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", FLOWS, "delete"),
        ("GET", FLOWS, "trigger"),
        ("POST", FLOWS, ""),
        ("POST", INSTANCES, "rerun"),
        ("POST", FLOWS, "triggerFromTask"),
        ("GET", "/dataflow-batch-service/v2.0/taskInstances", "get"),
        ("POST", "/batch-processing-service/v2.0/flows", "trigger"),
        ("GET", "/batch-processing-service/v2.1/flows", "delete"),
    ],
)
def test_not_emulated(bench: EnosBench, method: str, path: str, action: str) -> None:
    reply = bench.call(method, path, {"action": action, **WHO}, "{}")
    assert reply.status == 404
    assert "no emulated cloud" in reply.json["error"]


def test_a_look_at_a_flow(bench: EnosBench) -> None:
    flow = bench.data(bench.call("GET", FLOWS, {"action": "get", "flowId": str(FLOW), **WHO}))
    assert (flow["flowId"], flow["flowName"], flow["active"], flow["locked"]) == (FLOW, f"emulated_{FLOW}", 0, False)
    (task,) = json.loads(flow["graph"])["tasks"]
    run = bench.data(bench.look(bench.start()))
    (instance,) = json.loads(run["graph"])["tasks"]
    assert {**instance, **task} == instance  # the same task, with what became of it
    assert code(bench.call("GET", FLOWS, {"action": "get", "flowId": "x", **WHO})) == 62102
