"""Ordered faults, as far as they can be seen without a network."""

from __future__ import annotations

import base64

import pytest
from emulator_bench import WORKFLOW, Bench

TRIGGER = ("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": "a.mp4"})


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_drop_response_keeps_the_effect(bench: Bench) -> None:
    bench.fault("drop_response")
    assert bench.call(*TRIGGER).status == 0
    assert bench.transport.ended == ["abort"]
    assert bench.origins() == ["api"]


def test_reset_before_has_no_effect(bench: Bench) -> None:
    bench.fault("reset_before")
    assert bench.call(*TRIGGER).status == 0
    assert bench.transport.ended == ["reset", "abort"]
    assert bench.origins() == []


def test_truncate(bench: Bench) -> None:
    bench.fault("truncate")
    reply = bench.call(*TRIGGER)
    assert len(reply.body) == int(reply.headers["content-length"]) // 2
    assert bench.transport.ended == ["close"]
    assert bench.origins() == ["api"]


def test_truncate_of_an_empty_body(bench: Bench) -> None:
    job = bench.order()
    bench.fault("truncate", "cancel", "tencent.inventory")
    reply = bench.call("PUT", f"/inventorytriggerjob/{job}", {"cancel": ""})
    assert (reply.headers["content-length"], reply.body) == ("1", b"")


def test_status_refuses(bench: Bench) -> None:
    bench.fault("status", status=503, code="SlowDown", message="a <moment>")
    reply = bench.call(*TRIGGER)
    assert reply.error == (503, "SlowDown")
    assert reply.text("Message") == "a <moment>"
    assert bench.origins() == []
    assert bench.call(*TRIGGER).status == 200


def test_status_after_effect(bench: Bench) -> None:
    bench.fault("status", status=500, after_effect=True)
    assert bench.call(*TRIGGER).error == (500, "InternalError")
    assert bench.origins() == ["api"]


def test_status_comes_before_the_signature_check(bench: Bench) -> None:
    bench.fault("status", status=401, code="AccessDenied")
    assert bench.call(*TRIGGER, headers={"authorization": ""}).error == (401, "AccessDenied")
    assert bench.call(*TRIGGER, headers={"authorization": ""}).error == (403, "AccessDenied")


def test_body(bench: Bench) -> None:
    raw = b"\xff<html>"
    bench.fault("body", body="<Response>")
    bench.fault("body", body_base64=base64.b64encode(raw).decode())
    replies = [bench.call(*TRIGGER) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert [reply.body for reply in replies[:2]] == [b"<Response>", raw]
    assert replies[1].headers["content-length"] == "7"
    assert bench.origins() == ["api", "api", "api"]


def test_delay_before_the_effect(bench: Bench) -> None:
    seen: list[list[str]] = []
    bench.on_sleep = lambda: seen.append(bench.origins())
    bench.fault("delay", seconds=2.5)
    assert bench.call(*TRIGGER).status == 200
    assert (bench.waits, seen) == ([2.5], [[]])
    assert bench.admin("runs").json[0]["started_at"] == "2022-08-09T06:54:19.750000Z"


def test_delay_after_the_effect(bench: Bench) -> None:
    seen: list[list[str]] = []
    bench.on_sleep = lambda: seen.append(bench.origins())
    bench.fault("delay", seconds=2.5, after_effect=True)
    assert bench.call(*TRIGGER).status == 200
    assert (bench.waits, seen) == ([2.5], [["api"]])


def test_reset_while_a_request_waits(bench: Bench) -> None:

    def reset() -> None:
        bench.admin("reset", {})

    bench.on_sleep = reset
    bench.fault("delay", seconds=1)
    assert bench.call(*TRIGGER).status == 0
    assert bench.transport.ended == ["abort"]
    assert bench.origins() == []


def test_latency() -> None:
    bench = Bench(latency=0.25)
    bench.call(*TRIGGER)
    bench.call("GET", "/workflowexecution/i0")
    bench.admin("runs")
    assert bench.waits == [0.25, 0.25]


def test_foreign_run(bench: Bench) -> None:
    bench.fault("foreign_run")
    ours = bench.start()
    rows = bench.admin("runs").json
    assert [row["origin"] for row in rows] == ["foreign", "api"]
    assert rows[1]["id"] == ours
    assert rows[0]["request"] == rows[1]["request"]
    assert bench.executions() == [ours, rows[0]["id"]]


def test_foreign_job(bench: Bench) -> None:
    bench.fault("foreign_run", system="tencent.inventory")
    bench.order()
    assert bench.origins() == ["foreign", "job", "job", "job", "api", "job", "job", "job"]


def test_foreign_run_of_a_refused_request(bench: Bench) -> None:
    bench.fault("foreign_run")
    assert bench.call("POST", "/triggerworkflow").status == 400
    assert bench.origins() == []


@pytest.mark.parametrize("operation", ["get", "find"])
def test_forget_execution(bench: Bench, operation: str) -> None:
    run = bench.start()
    bench.fault("forget", operation)
    if operation == "get":
        assert bench.call("GET", f"/workflowexecution/{run}").status == 404
    else:
        assert bench.executions() == []
    assert bench.call("GET", f"/workflowexecution/{run}").status == 404
    assert bench.executions() == []
    assert bench.origins() == []


def test_forget_finds_only_what_the_filters_leave(bench: Bench) -> None:
    gone, kept = bench.start("a.mp4"), bench.start("b.mp4")
    bench.fault("forget", "find")
    assert bench.executions(name="a.mp4") == []
    assert bench.executions() == [kept]
    assert bench.call("GET", f"/workflowexecution/{gone}").status == 404


def test_forget_job(bench: Bench) -> None:
    job = bench.order()
    bench.fault("forget", "get", "tencent.inventory")
    assert bench.call("GET", f"/inventorytriggerjob/{job}").text("NonExistJobIds") == job
    assert bench.jobs() == []
    assert len(bench.executions(jobId=job)) == 3


def test_forget_what_was_just_started(bench: Bench) -> None:
    bench.fault("forget")
    run = bench.start()
    assert run
    assert bench.call("GET", f"/workflowexecution/{run}").status == 404


def test_times_and_turns(bench: Bench) -> None:
    bench.fault("status", status=500, times=2)
    bench.fault("status", status=503)
    assert [bench.call(*TRIGGER).status for _ in range(4)] == [500, 500, 503, 200]


def test_a_list_meets_one_request(bench: Bench) -> None:
    place = {"system": "tencent.workflow", "operation": "start"}
    order = [
        {**place, "action": "drop_response"},
        {**place, "action": "foreign_run", "times": 2},
        {"system": "tencent.workflow", "operation": "find", "action": "status", "status": 500},
    ]
    assert bench.admin("faults", order).json == {"accepted": 3}
    assert bench.call(*TRIGGER).status == 0
    assert bench.origins() == ["foreign", "api"]
    assert bench.call(*TRIGGER).status == 200
    assert bench.origins() == ["foreign", "api", "foreign", "api"]
    assert bench.call("GET", "/workflowexecution", {"workflowId": WORKFLOW}).status == 500


def test_a_fault_leaves_other_operations_alone(bench: Bench) -> None:
    bench.fault("status", "get", status=500)
    assert bench.executions() == []
    assert bench.order()


GOOD = {"system": "tencent.workflow", "operation": "start", "action": "drop_response"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"system": "tencent"}, "system must be one of"),
        ({"operation": "cancel"}, "operation must be one of find, get, start"),
        ({"operation": ["start"]}, "operation must be one of"),
        ({"action": "explode"}, "action must be one of"),
        ({"times": 0}, "times must be"),
        ({"times": True}, "times must be"),
        ({"status": 500}, "drop_response takes no status"),
        ({"action": "status"}, "status must be"),
        ({"action": "status", "status": 99}, "status must be"),
        ({"action": "status", "status": 500, "code": 7}, "code must be"),
        ({"action": "status", "status": 500, "after_effect": 1}, "after_effect must be"),
        ({"action": "delay"}, "seconds must be"),
        ({"action": "delay", "seconds": -1}, "seconds must be"),
        ({"action": "body"}, "body (text) or body_base64"),
        ({"action": "body", "body": 1}, "body must be"),
        ({"action": "body", "body_base64": "?"}, "not base64"),
        ({"action": "foreign_run", "operation": "get"}, "operation start only"),
    ],
)
def test_bad_fault(bench: Bench, change: dict[str, object], text: str) -> None:
    for order in ({**GOOD, **change}, [GOOD, {**GOOD, **change}]):
        reply = bench.admin("faults", order)
        assert reply.status == 400
        assert text in reply.json["error"]
    assert bench.call(*TRIGGER).status == 200


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '"drop_response"', "[[]]"])
def test_bad_fault_body(bench: Bench, body: str) -> None:
    reply = bench.call("POST", "/_emulator/faults", body=body)
    assert reply.status == 400
    assert reply.json["error"]
