"""Ordered faults on the calls of EnOS."""

from __future__ import annotations

import pytest
from enos_bench import MINUTE, NOW_ID, NOW_MS, TOKEN_GET, TOKEN_REFRESH, EnosBench, code

from cloud_runs_emulator.enos.signing import encryption


@pytest.fixture
def bench() -> EnosBench:
    bench = EnosBench()
    bench.access_token = bench.token()
    return bench


def test_drop_response_keeps_the_effect(bench: EnosBench) -> None:
    bench.fault("drop_response")
    assert bench.trigger().status == 0
    assert bench.transport.ended == ["abort"]
    assert bench.origins() == ["api"]
    assert bench.start() == NOW_ID
    assert bench.origins() == ["api"]


def test_reset_before_has_no_effect(bench: EnosBench) -> None:
    bench.fault("reset_before")
    assert bench.trigger().status == 0
    assert bench.transport.ended == ["reset", "abort"]
    assert bench.origins() == []


def test_dropped_token_request_has_used_its_encryption(bench: EnosBench) -> None:
    bench.fault("drop_response", "token")
    stamp = int(bench.now * 1000) + 500
    same = {"timestamp": stamp, "encryption": encryption(bench.keys[0], stamp, bench.keys[1])}
    assert bench.token_call(**same).status == 0
    assert code(bench.token_call(**same)) == 1001
    assert bench.token_call().json["status"] == 0


@pytest.mark.parametrize("number", ["62104", "62109", "1203"])
def test_status_may_be_a_business_error_in_a_200(bench: EnosBench, number: str) -> None:
    bench.fault("status", status=200, code=number, message="no")
    reply = bench.trigger()
    assert code(reply) == int(number)
    assert reply.json["msg"] == "no"
    assert ("business" in reply.json) == (number == "1203")
    assert bench.origins() == []
    assert bench.start() == NOW_ID


def test_status_after_effect(bench: EnosBench) -> None:
    bench.fault("status", status=200, code="62109", after_effect=True)
    assert code(bench.trigger()) == 62109
    assert bench.origins() == ["api"]


def test_status_with_a_code_that_is_no_number(bench: EnosBench) -> None:
    bench.fault("status", status=503)
    reply = bench.trigger()
    assert (reply.status, reply.json["status"]) == (503, 62109)
    assert reply.json["msg"] == "InternalError: ordered by a fault"


@pytest.mark.parametrize("number", ["4011", "4012"])
def test_status_of_the_vendors_sdk_tokens(bench: EnosBench, number: str) -> None:
    bench.fault("status", status=200, code=number)
    reply = bench.trigger()
    assert reply.json["apim_status"] == int(number)
    assert ("apim_refreshtoken" in reply.json) == (number == "4011")
    assert "status" not in reply.json


def test_body_and_truncate(bench: EnosBench) -> None:
    bench.fault("body", body="<html>")
    bench.fault("truncate")
    assert bench.trigger().body == b"<html>"
    reply = bench.trigger(NOW_MS - MINUTE)
    assert len(reply.body) == int(reply.headers["content-length"]) // 2
    assert bench.origins() == ["api", "api"]


def test_delay(bench: EnosBench) -> None:
    seen: list[list[str]] = []
    bench.on_sleep = lambda: seen.append(bench.origins())
    bench.fault("delay", seconds=2.5)
    bench.fault("delay", seconds=1.5, after_effect=True)
    bench.start()
    bench.start(NOW_MS - MINUTE)
    assert (bench.waits, seen) == ([2.5, 1.5], [[], ["api", "api"]])


def test_foreign_run_has_the_same_minute_and_so_the_same_id(bench: EnosBench) -> None:
    bench.fault("foreign_run")
    assert bench.start() == NOW_ID
    assert bench.origins() == ["foreign"]


def test_foreign_run_alone(bench: EnosBench) -> None:
    place = {"system": "enos.flow", "operation": "start"}
    bench.admin("faults", [{**place, "action": "foreign_run"}, {**place, "action": "reset_before"}])
    assert bench.trigger().status == 0
    assert bench.origins() == ["foreign"]
    assert bench.found() == [NOW_ID]


@pytest.mark.parametrize("operation", ["get", "find", "cancel"])
def test_forget(bench: EnosBench, operation: str) -> None:
    run = bench.start()
    bench.fault("forget", operation)
    if operation == "get":
        assert code(bench.look(run)) == 62102
    elif operation == "find":
        assert bench.found() == []
    else:
        assert code(bench.cancel(run)) == 62102
    assert code(bench.look(run)) == 62102
    assert bench.found() == []
    assert bench.origins() == []


def test_forget_what_was_just_started(bench: EnosBench) -> None:
    bench.fault("forget")
    assert code(bench.look(bench.start())) == 62102


@pytest.mark.parametrize(("operation", "path"), [("token", TOKEN_GET), ("refresh", TOKEN_REFRESH)])
def test_forget_on_a_token_lets_all_tokens_expire(bench: EnosBench, operation: str, path: str) -> None:
    bench.fault("forget", operation)
    reply = bench.token_call(path, accessToken=bench.access_token)
    assert reply.json["status"] == 0
    for token in (bench.access_token, reply.json["data"]["accessToken"]):
        bench.access_token = token
        assert code(bench.trigger()) == 1203
    assert bench.origins() == []
    bench.access_token = bench.token()
    assert bench.start() == NOW_ID


def test_counts_and_reset(bench: EnosBench) -> None:
    run = bench.start()
    bench.look(run)
    bench.found()
    bench.cancel(run)
    bench.token_call(TOKEN_REFRESH, accessToken=bench.access_token)
    counts = bench.admin("requests").json["enos.flow"]
    once = dict.fromkeys(["cancel", "find", "get", "refresh", "start", "token"], 1)
    assert counts == {**once, "time": 0, "workflow": 0, "task": 0}
    bench.admin("reset", {})
    assert code(bench.trigger()) == 1203
    bench.access_token = bench.token()
    assert bench.found() == []
    assert bench.start(NOW_MS - MINUTE)
    assert bench.admin("runs").json[0]["state"] == "RUNNING"


def test_found_by_path_on_any_host(bench: EnosBench) -> None:
    assert bench.start(host="127.0.0.1:9700") == NOW_ID
    assert code(bench.trigger(host="", headers={"apim-accesstoken": "x"})) == 1203
