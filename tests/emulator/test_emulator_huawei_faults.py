"""Ordered faults on the workflow calls of OBS."""

from __future__ import annotations

import json

import pytest
from huawei_bench import BODY, EXECUTIONS, GRAPH, START_CALL, HuaweiBench


@pytest.fixture
def bench() -> HuaweiBench:
    return HuaweiBench()


def test_drop_response_keeps_the_effect(bench: HuaweiBench) -> None:
    bench.fault("drop_response")
    assert bench.call(*START_CALL).status == 0
    assert bench.transport.ended == ["abort"]
    assert bench.origins() == ["api"]


def test_reset_before_has_no_effect(bench: HuaweiBench) -> None:
    bench.fault("reset_before")
    assert bench.call(*START_CALL).status == 0
    assert bench.transport.ended == ["reset", "abort"]
    assert bench.origins() == []


@pytest.mark.parametrize("code", ["SYS.0011", "TimeOut"])
def test_status_of_the_front_end_is_json(bench: HuaweiBench, code: str) -> None:
    bench.fault("status", status=429, code=code, message='a "moment"')
    reply = bench.call(*START_CALL)
    assert (reply.status, reply.json["code"], reply.json["message"]) == (429, code, 'a "moment"')
    assert reply.json["request_id"] == reply.headers["x-request-id"]
    assert bench.origins() == []


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_status_of_obs_is_xml(bench: HuaweiBench, code: str) -> None:
    bench.fault("status", status=503, code=code, after_effect=True)
    assert bench.call(*START_CALL).error == (503, code)
    assert bench.origins() == ["api"]


def test_body_and_truncate(bench: HuaweiBench) -> None:
    bench.fault("body", body="<html>")
    bench.fault("truncate")
    assert bench.call(*START_CALL).body == b"<html>"
    reply = bench.call(*START_CALL)
    assert len(reply.body) == int(reply.headers["content-length"]) // 2
    assert bench.origins() == ["api", "api"]


def test_delay(bench: HuaweiBench) -> None:
    seen: list[list[str]] = []
    bench.on_sleep = lambda: seen.append(bench.origins())
    bench.fault("delay", seconds=2.5)
    bench.fault("delay", seconds=1.5, after_effect=True)
    bench.start()
    bench.start()
    assert (bench.waits, seen) == ([2.5, 1.5], [[], ["api", "api"]])


def test_foreign_run(bench: HuaweiBench) -> None:
    bench.fault("foreign_run")
    ours = bench.start()
    rows = bench.admin("runs").json
    assert [row["origin"] for row in rows] == ["foreign", "api"]
    assert rows[1]["id"] == ours
    assert sorted(bench.names()) == sorted(row["id"] for row in rows)
    inputs = [bench.look(row["id"]).json["execution_info"]["input"] for row in rows]
    assert json.loads(inputs[0]) == json.loads(inputs[1]) == json.loads(BODY)


@pytest.mark.parametrize("operation", ["get", "find", "resume"])
def test_forget(bench: HuaweiBench, operation: str) -> None:
    name = bench.start()
    bench.admin(f"runs/{name}", {"state": "FAILED"})
    bench.fault("forget", operation)
    if operation == "get":
        assert bench.look(name).status == 404
    elif operation == "find":
        assert bench.names() == []
    else:
        assert bench.resume(name).status == 404
    assert bench.look(name).status == 404
    assert bench.names() == []
    assert bench.origins() == []


def test_forget_what_was_just_started(bench: HuaweiBench) -> None:
    bench.fault("forget")
    assert bench.look(bench.start()).status == 404


def test_faults_know_the_operations(bench: HuaweiBench) -> None:
    order = {"system": "huawei.workflow", "operation": "cancel", "action": "drop_response"}
    reply = bench.admin("faults", order)
    assert reply.status == 400
    assert "operation must be one of create, find, get, resume, start" in reply.json["error"]
    bench.fault("status", "create", status=403, code="SYS.0005")
    assert bench.call("POST", f"/v2/workflows/{GRAPH}", {"x-workflow-create": ""}, "{}").status == 403


def test_counts_and_reset(bench: HuaweiBench) -> None:
    name = bench.start()
    bench.look(name)
    bench.names()
    bench.resume(name)
    counts = bench.admin("requests").json["huawei.workflow"]
    assert counts == {"create": 0, "find": 1, "get": 1, "resume": 1, "start": 1, "workflow": 0}
    bench.admin("reset", {})
    assert bench.admin("runs").json == []
    assert bench.names() == []


def test_without_the_vendors_host_it_is_found_by_path(bench: HuaweiBench) -> None:
    name = bench.start(host="127.0.0.1:9700")
    assert bench.look(name, host="localhost").status == 200
    listed = bench.call("GET", EXECUTIONS, {"x-workflow-graph-name": GRAPH}, host="[::1]:9700")
    assert listed.json["executions"][0]["execution_urn"].startswith("urn:fgs:cn-emulator-1:")
