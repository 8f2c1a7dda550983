"""The admin calls, counting, and requests that are no operation or not properly signed."""

from __future__ import annotations

import pytest
from emulator_bench import HOST, ORDER, START, WORKFLOW, Bench

TRIGGER = ("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": "a.mp4"})


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_runs(bench: Bench) -> None:
    run = bench.start("dir/中 a.mp4")
    job = bench.order()
    rows = bench.admin("runs").json
    assert set(rows[0]) == {"system", "id", "state", "request", "started_at", "origin"}
    assert [row["system"] for row in rows[:3]] == ["tencent.workflow", "tencent.inventory", "tencent.workflow"]
    assert [row["id"] for row in rows[:2]] == [run, job]
    assert [row["state"] for row in rows[:2]] == ["Running", "Submitted"]
    assert rows[0]["started_at"] == "2022-08-09T06:54:17.250000Z"
    first, second = rows[0]["request"], rows[1]["request"]
    assert (first["method"], first["path"]) == ("POST", "/triggerworkflow")
    assert first["query"] == {"workflowId": WORKFLOW, "object": "dir/中 a.mp4"}
    assert first["headers"]["host"] == HOST
    assert first["body"] == ""
    assert second["body"] == ORDER
    assert rows[2]["request"] == second


def test_set_state(bench: Bench) -> None:
    run = bench.start()
    assert bench.admin(f"runs/{run}", {"state": "Pause"}).json["state"] == "Pause"
    bench.now = START + 1000
    assert bench.admin("runs").json[0]["state"] == "Pause"
    bench.admin(f"runs/{run}", {"state": "Mystery"})
    assert bench.call("GET", f"/workflowexecution/{run}").text("WorkflowExecution/State") == "Mystery"


@pytest.mark.parametrize(
    "value", [{}, [], {"state": ""}, {"state": 1}, {"state": "Failed", "code": 1}, {"state": "Failed", "why": "x"}]
)
def test_bad_state(bench: Bench, value: object) -> None:
    run = bench.start()
    assert bench.admin(f"runs/{run}", value).status == 400
    assert bench.call("POST", f"/_emulator/runs/{run}", body="{").status == 400
    assert bench.admin("runs").json[0]["state"] == "Running"


@pytest.mark.parametrize(
    ("method", "call", "status"),
    [
        ("POST", "runs/i0", 404),
        ("GET", "nothing", 404),
        ("GET", "", 404),
        ("POST", "reset/now", 404),
        ("POST", "runs", 405),
        ("GET", "runs/i0", 405),
        ("GET", "reset", 405),
        ("GET", "faults", 405),
    ],
)
def test_bad_admin_call(bench: Bench, method: str, call: str, status: int) -> None:
    reply = bench.call(method, f"/_emulator/{call}")
    assert reply.status == status
    assert reply.json["error"]
    assert reply.headers["content-type"] == "application/json"


def test_drop_faults(bench: Bench) -> None:
    bench.fault("status", status=500, times=3)
    bench.fault("drop_response", "get")
    assert bench.start() == ""
    assert bench.call("DELETE", "/_emulator/faults").json == [
        {"system": bench.system, "operation": "start", "action": "status", "times": 2},
        {"system": bench.system, "operation": "get", "action": "drop_response", "times": 1},
    ]
    assert bench.call("DELETE", "/_emulator/faults").json == []
    assert bench.start()


def test_reset(bench: Bench) -> None:
    bench.start()
    bench.fault("status", status=500)
    assert bench.admin("reset", {}).status == 200
    assert bench.admin("runs").json == []
    counts = bench.admin("requests").json
    assert counts["connections"] == counts["tencent.workflow"]["start"] == 0
    assert bench.start()


def test_counts(bench: Bench) -> None:
    run = bench.start()
    bench.call(*TRIGGER, headers={"authorization": "wrong"})
    bench.call("GET", f"/workflowexecution/{run}")
    bench.executions()
    job = bench.order()
    bench.jobs()
    bench.call("PUT", f"/inventorytriggerjob/{job}")
    bench.call("GET", "/nothing")
    assert bench.admin("requests").json == {
        "tencent.workflow": {"find": 1, "get": 1, "start": 2, "workflow": 0},
        "tencent.inventory": {"cancel": 1, "find": 1, "get": 0, "start": 1},
        "tencent.job": {"find": 0},
        "huawei.workflow": dict.fromkeys(["create", "find", "get", "resume", "start", "workflow"], 0),
        "huawei.dwr": dict.fromkeys(["find", "get", "projects", "retry", "start", "workflow"], 0),
        "enos.flow": dict.fromkeys(
            ["cancel", "find", "get", "refresh", "start", "time", "token", "workflow", "task"], 0
        ),
        "unrouted": 1,
        "connections": 1,
    }


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/workflowexecution/i0"), ("GET", "/"), ("GET", "/nothing")])
def test_no_operation_of_the_vendor(bench: Bench, method: str, path: str) -> None:
    assert bench.call(method, path).error == (405, "MethodNotAllowed")


def test_no_operation_at_all(bench: Bench) -> None:
    reply = bench.call("GET", "/nothing", host="127.0.0.1")
    assert reply.status == 404
    assert "no emulated cloud" in reply.json["error"]


@pytest.mark.parametrize(
    "host",
    [
        "ci.ap-beijing.myqcloud.com",
        "media-1.cos.ap-beijing.myqcloud.com",
        "media-1.ci.ap-beijing.tencentcos.cn",
        "media-1.ci.ap-beijing.myqcloud.com.example",
        "media-1.ci.ap-beijing.tencentci.com",
    ],
)
def test_wrong_host_of_the_vendor(bench: Bench, host: str) -> None:
    assert bench.call(*TRIGGER, host=host).error == (400, "InvalidHost")


def test_wrong_signature(bench: Bench) -> None:
    bench.now += 1_000
    good = bench.admin("requests")
    assert good.status == 200
    late = bench.call(*TRIGGER)
    assert late.status == 200
    header = bench.admin("runs").json[0]["request"]["headers"]["authorization"]
    assert bench.call(*TRIGGER, headers={"authorization": header[:-1] + "x"}).error == (403, "SignatureDoesNotMatch")
    other = ("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": "b.mp4"})
    assert bench.call(*other, headers={"authorization": header}).error == (403, "SignatureDoesNotMatch")
    bench.now += 3_600
    assert bench.call(*TRIGGER, headers={"authorization": header}).error == (403, "RequestTimeTooSkewed")
    assert bench.origins() == ["api"]
