"""OBS workflows: start, look, list, resume, and the definition that is no start."""

from __future__ import annotations

import json
import re

import pytest
from emulator_bench import START, Reply
from huawei_bench import BODY, EXECUTIONS, GRAPH, START_CALL, HuaweiBench


@pytest.fixture
def bench() -> HuaweiBench:
    return HuaweiBench(run_seconds=3.0)


def error(reply: Reply) -> tuple[int, str]:
    """Status and code of an error in JSON."""
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json) == {"code", "message", "request_id"}
    return reply.status, str(reply.json["code"])


def test_start(bench: HuaweiBench) -> None:
    reply = bench.call(*START_CALL)
    assert reply.status == 200
    assert set(reply.json) == {"execution_urn", "execution_name", "started_at"}
    name = reply.json["execution_name"]
    assert re.fullmatch("[0-9a-f]{56}", name)
    urn = reply.json["execution_urn"].split(":")
    assert (urn[:3], urn[4:7]) == (["urn", "fgs", "cn-north-4"], ["execution", GRAPH, name])
    assert reply.json["started_at"] == "2022-08-09T06:54:17.250Z"
    assert re.fullmatch("[0-9A-F]{32}", reply.headers["x-request-id"])
    assert "content-type" not in reply.headers
    row = bench.admin("runs").json[0]
    assert (row["system"], row["id"], row["state"], row["origin"]) == ("huawei.workflow", name, "RUNNING", "api")
    assert row["request"]["body"] == BODY


def test_two_equal_starts_are_two_runs(bench: HuaweiBench) -> None:
    assert bench.start() != bench.start()


@pytest.mark.parametrize(
    ("path", "body", "code", "text"),
    [
        (GRAPH, "", "SYS.0006", "not JSON"),
        (GRAPH, "[]", "SYS.0006", "JSON object"),
        (GRAPH, "{}", "SYS.0010", "bucket"),
        (GRAPH, '{"bucket": "b", "object": "a"}', "SYS.0010", "bucket"),
        (GRAPH, '{"bucket": "a..b", "object": "a"}', "SYS.0010", "bucket"),
        (GRAPH, '{"bucket": "10.0.0.1", "object": "a"}', "SYS.0010", "bucket"),
        (GRAPH, '{"bucket": "demo-bucket"}', "SYS.0010", "object"),
        (GRAPH, '{"bucket": "demo-bucket", "object": ""}', "SYS.0010", "object"),
        (GRAPH, json.dumps({"bucket": "demo-bucket", "object": "a" * 1025}), "SYS.0010", "object"),
        (GRAPH, '{"bucket": "demo-bucket", "object": "a", "inputs": []}', "SYS.0010", "inputs"),
        (GRAPH, '{"bucket": "demo-bucket", "object": "a", "inputs": {"Rate": 1}}', "SYS.0010", "Rate"),
        ("-scan", BODY, "SYS.0010", "workflow name"),
        ("a" * 65, BODY, "SYS.0010", "workflow name"),
        ("a b", BODY, "SYS.0010", "workflow name"),
    ],
)
def test_refused_start(bench: HuaweiBench, path: str, body: str, code: str, text: str) -> None:
    reply = bench.call("POST", f"/v2/workflows/{path}", body=body)
    assert error(reply) == (400, code)
    assert text in reply.json["message"]
    assert bench.origins() == []


@pytest.mark.parametrize("query", [{"x-workflow-create": ""}, {"x-workflow-template-name": "t"}])
def test_definition_is_no_start(bench: HuaweiBench, query: dict[str, str]) -> None:
    reply = bench.call("POST", f"/v2/workflows/{GRAPH}", query, '{"states": []}')
    assert reply.status == 201
    assert set(reply.json) == {"graph_name", "graph_urn", "created_at"}
    assert error(bench.call("POST", f"/v2/workflows/{GRAPH}", query)) == (400, "SYS.0006")
    assert bench.origins() == []
    counts = bench.admin("requests").json["huawei.workflow"]
    assert (counts["create"], counts["start"]) == (2, 0)


def test_running_execution(bench: HuaweiBench) -> None:
    name = bench.start(body='{"bucket": "demo-bucket", "object": "中.mp4", "inputs": {"rate": 1.5, "on": true}}')
    reply = bench.look(name)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    info = reply.json["execution_info"]
    assert json.loads(info["input"]) == {
        "bucket": "demo-bucket",
        "object": "中.mp4",
        "inputs": {"rate": 1.5, "on": True},
    }
    assert info["isTest"] is False
    assert info["execution_name"] == name
    assert info["started_at"] == "2022-08-09T06:54:17.250Z"
    assert (info["execution_type"], info["execution_state"]) == ("APICALL", "RUNNING")
    states = info["state_map"]
    assert states[info["start_state"]]["status"] == "RUNNING"
    assert states["end"] == {"state_name": "end", "status": "NOTRUNNING", "type": "END"}
    assert "stopped_at" not in info


def test_inputs_null_is_none(bench: HuaweiBench) -> None:
    name = bench.start(body='{"bucket": "demo-bucket", "object": "a", "inputs": null}')
    assert bench.look(name).json["execution_info"]["input"] == '{"bucket":"demo-bucket","object":"a"}'


def test_finished_execution(bench: HuaweiBench) -> None:
    name = bench.start()
    bench.now += 2.9
    assert bench.state(name) == "RUNNING"
    bench.now += 0.2
    info = bench.look(name).json["execution_info"]
    assert info["execution_state"] == "SUCCESS"
    assert {state["status"] for state in info["state_map"].values()} == {"SUCCESS"}
    assert bench.page()["executions"][0]["stopped_at"] == "2022-08-09T06:54:20.250Z"


@pytest.mark.parametrize("word", ["FAILED", "timeout", "PAUSED"])
def test_forced_state(bench: HuaweiBench, word: str) -> None:
    name = bench.start()
    bench.now += 1.0
    bench.admin(f"runs/{name}", {"state": word})
    bench.now += 10.0
    info = bench.look(name).json["execution_info"]
    assert info["execution_state"] == word
    assert info["state_map"]["end"]["status"] == "NOTRUNNING"
    stopped = "" if word == "PAUSED" else "2022-08-09T06:54:18.250Z"
    assert bench.page()["executions"][0]["stopped_at"] == stopped


def test_unknown_execution(bench: HuaweiBench) -> None:
    name = bench.start()
    other = "obs.cn-south-1.myhuaweicloud.com"
    for reply in (bench.look("nobody"), bench.look(name, "other"), bench.look(name, host=other), bench.resume("x")):
        assert error(reply) == (404, "WorkflowExecutionNotFound")


def test_graph_is_required(bench: HuaweiBench) -> None:
    name = bench.start()
    for method, path in (("GET", EXECUTIONS), ("GET", f"{EXECUTIONS}/{name}"), ("PUT", f"{EXECUTIONS}/{name}")):
        reply = bench.call(method, path)
        assert error(reply) == (400, "SYS.0010")
        assert "x-workflow-graph-name is required" in reply.json["message"]


def test_list_row(bench: HuaweiBench) -> None:
    name = bench.start()
    page = bench.page()
    assert set(page) == {"count", "executions", "is_truncated"}
    assert (page["count"], page["is_truncated"]) == (1, False)
    assert page["executions"] == [
        {
            "graph_urn": f"urn:fgs:cn-north-4:0emulatedproject0000000000000000:graph:{GRAPH}",
            "execution_urn": (
                f"urn:fgs:cn-north-4:0emulatedproject0000000000000000:execution:{GRAPH}:{name}"
                ":0emulateddomain00000000000000000"
            ),
            "execution_name": name,
            "started_at": "2022-08-09T06:54:17.250Z",
            "execution_type": "APICALL",
            "stopped_at": "",
            "execution_state": "RUNNING",
        }
    ]


def test_lists_hold_one_graph_and_one_region(bench: HuaweiBench) -> None:
    name = bench.start()
    bench.start("other")
    for host in ("obs.cn-south-1.myhuaweicloud.com", "127.0.0.1:9700"):
        other = bench.start(host=host)
        listed = bench.call("GET", EXECUTIONS, {"x-workflow-graph-name": GRAPH}, host=host)
        assert [row["execution_name"] for row in listed.json["executions"]] == [other]
    assert bench.names() == [name]
    assert bench.names(graph="nobody") == []


def test_order_is_by_name_and_pages_do_not_shift(bench: HuaweiBench) -> None:
    names = sorted(bench.start() for _ in range(25))
    assert bench.names() == names[:10]
    assert bench.names(limit="1000") == names
    seen: list[str] = []
    page = bench.page(limit="12")
    while page["is_truncated"]:
        seen += [row["execution_name"] for row in page["executions"]]
        assert page["next_marker"] == f"APICALL{seen[-1]}"
        page = bench.page(limit="12", next_marker=page["next_marker"])
    seen += [row["execution_name"] for row in page["executions"]]
    assert (seen, page["count"]) == (names, 1)


def test_a_full_last_page_is_not_truncated(bench: HuaweiBench) -> None:
    for _ in range(2):
        bench.start()
    assert bench.page(limit="2")["is_truncated"] is False


def test_marker_of_the_other_type(bench: HuaweiBench) -> None:
    name = bench.start()
    assert bench.names(next_marker="APICALL") == [name]
    assert bench.names(next_marker="TRIGGERCAL") == []


def test_filter_by_type(bench: HuaweiBench) -> None:
    name = bench.start()
    assert bench.names(execution_type="APICALL") == [name]
    assert bench.names(execution_type="TRIGGERCAL") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-workflow-limit", "0"),
        ("x-workflow-limit", "1001"),
        ("x-workflow-limit", "ten"),
        ("x-workflow-execution-type", "TRIGGERCALL"),
        ("x-workflow-next-marker", "elsewhere"),
        ("x-workflow-graph-name", "a b"),
    ],
)
def test_refused_list(bench: HuaweiBench, name: str, value: str) -> None:
    reply = bench.call("GET", EXECUTIONS, {"x-workflow-graph-name": GRAPH, name: value})
    assert error(reply) == (400, "SYS.0010")


def test_list_lag() -> None:
    bench = HuaweiBench(list_lag=5.0)
    name = bench.start()
    assert bench.look(name).status == 200
    assert bench.names() == []
    bench.now += 5.0
    assert bench.names() == [name]


@pytest.mark.parametrize("word", ["FAILED", "fail"])
def test_resume(bench: HuaweiBench, word: str) -> None:
    name = bench.start()
    bench.admin(f"runs/{name}", {"state": word})
    bench.now = START + 100.0
    reply = bench.resume(name)
    assert reply.status == 200
    assert set(reply.json) == {"execution_urn", "execution_name", "restored_at"}
    assert (reply.json["execution_name"], reply.json["restored_at"]) == (name, "2022-08-09T06:55:57.250Z")
    bench.now += 2.9
    assert bench.state(name) == "RUNNING"
    bench.now += 0.2
    assert bench.state(name) == "SUCCESS"
    assert bench.page()["executions"][0]["started_at"] == "2022-08-09T06:54:17.250Z"
    assert bench.origins() == ["api"]


@pytest.mark.parametrize("word", ["RUNNING", "SUCCESS", "CANCEL"])
def test_only_a_failed_execution_can_be_resumed(bench: HuaweiBench, word: str) -> None:
    name = bench.start()
    bench.admin(f"runs/{name}", {"state": word})
    reply = bench.resume(name)
    assert error(reply) == (400, "SYS.0010")
    assert word in reply.json["message"]


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("DELETE", f"/v2/workflows/{GRAPH}", {}),
        ("GET", f"/v2/workflows/{GRAPH}", {"x-workflow-prefix": ""}),
        ("DELETE", f"{EXECUTIONS}/x", {}),
        ("GET", f"{EXECUTIONS}/x", {"x-workflow-prefix": ""}),
        ("POST", "/v2/workflows/", {}),
        ("GET", "/", {}),
    ],
)
def test_no_operation_of_the_vendor(bench: HuaweiBench, method: str, path: str, query: dict[str, str]) -> None:
    assert error(bench.call(method, path, query)) == (404, "SYS.0003")


@pytest.mark.parametrize("host", ["obs.myhuaweicloud.com", "demo-bucket.obs.cn-north-4.myhuaweicloud.com"])
def test_wrong_host_of_the_vendor(bench: HuaweiBench, host: str) -> None:
    assert error(bench.call(*START_CALL, host=host)) == (400, "SYS.0029")


def test_a_look_at_a_workflow(bench: HuaweiBench) -> None:
    reply = bench.call("GET", f"/v2/workflows/{GRAPH}")
    assert reply.status == 200
    assert reply.json["name"] == GRAPH
    assert reply.json["graph_urn"].endswith(f":graph:{GRAPH}")
    assert reply.json["definition"]["inputs"] == []
    assert error(bench.call("GET", "/v2/workflows/-x")) == (400, "SYS.0010")
    assert bench.origins() == []
