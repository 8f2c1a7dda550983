"""DWR workflows: start, look, list, retry, and the project that IAM tells."""

from __future__ import annotations

import json
import re

import pytest
from dwr_bench import BASE, BODY, EXECUTION, GRAPH, LIST, START_CALL, DwrBench
from emulator_bench import Reply

from cloud_runs_emulator.huawei.formats import PROJECT
from cloud_runs_emulator.settings import DWR_ANSWERS


@pytest.fixture
def bench() -> DwrBench:
    return DwrBench(run_seconds=3.0)


def error(reply: Reply) -> tuple[int, str]:
    """Status and code of an error."""
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json) == {"error_code", "error_msg", "request_id"}
    return reply.status, str(reply.json["error_code"])


def test_start(bench: DwrBench) -> None:
    reply = bench.call(*START_CALL)
    assert reply.status == 200
    assert set(reply.json) == {"execution_urn", "execution_name", "started_at"}
    name = reply.json["execution_name"]
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert reply.json["execution_urn"].split(":")[2:7] == ["cn-south-1", PROJECT, "execution", GRAPH, name]
    assert reply.json["started_at"] == "2022-08-09T06:54:17Z"
    assert reply.headers["x-request-id"]
    row = bench.admin("runs").json[0]
    assert (row["system"], row["id"], row["state"], row["origin"]) == ("huawei.dwr", name, "running", "api")
    assert row["request"]["body"] == BODY


def test_two_equal_starts_are_two_runs(bench: DwrBench) -> None:
    assert bench.start() != bench.start()


@pytest.mark.parametrize(
    ("graph", "body", "code"),
    [
        (GRAPH, "", "SYS.0006"),
        (GRAPH, "[]", "SYS.0006"),
        (GRAPH, '{"bucket": "demo-bucket"}', "SYS.0010"),
        (GRAPH, '{"bucket": "demo-bucket", "object": "a", "inputs": {"Rate": 1}}', "SYS.0010"),
        ("-scan", BODY, "SYS.0010"),
        ("a b", BODY, "SYS.0010"),
    ],
)
def test_refused_start(bench: DwrBench, graph: str, body: str, code: str) -> None:
    assert error(bench.call("POST", f"{BASE}/workflows/{graph}/execute", body=body)) == (400, code)
    assert bench.origins() == []


OTHER = "0123456789abcdef0123456789abcdef"


def test_a_project_must_be_one_and_told_in_one_way(bench: DwrBench) -> None:
    assert error(bench.call("POST", f"/v3/x/workflows/{GRAPH}/execute", body=BODY)) == (403, "SYS.0005")
    assert error(bench.call(*START_CALL, headers={"x-project-id": OTHER})) == (403, "SYS.0005")
    assert bench.origins() == []


def test_a_project_knows_no_runs_of_another(bench: DwrBench) -> None:
    name = bench.start()
    path = f"/v3/{OTHER}/workflows/{GRAPH}/workflowexecution/{name}"
    assert error(bench.call("GET", path)) == (404, "WorkflowExecutionNotFound")
    assert bench.call("GET", f"/v3/{OTHER}/workflowexecutions", {"graph_name": GRAPH}).json["count"] == 0


def test_no_operation(bench: DwrBench) -> None:
    for method, path in (("PUT", LIST), ("DELETE", f"{BASE}/workflows/{GRAPH}"), ("POST", f"{BASE}/workflows/{GRAPH}")):
        assert error(bench.call(method, path)) == (404, "APIG.0101")


def test_an_execution_that_goes_on(bench: DwrBench) -> None:
    name = bench.start(body='{"bucket": "demo-bucket", "object": "中.mp4", "inputs": {"rate": 1.5, "on": true}}')
    told = bench.look(name).json
    assert told["input"] == {"bucket": "demo-bucket", "object": "中.mp4", "inputs": {"rate": 1.5, "on": True}}
    assert (told["execution_id"], told["status"], told["end_time"]) == (name, "running", "")
    assert told["begin_time"] == "2022-08-09T06:54:17Z"
    assert told["workflow_urn"] == f"urn:fss:cn-south-1:{PROJECT}:workflow:default:{GRAPH}:latest"
    (node,) = told["node_execution_details"]
    assert (node["status"], node["begin_time"], node["end_time"]) == ("running", 1660028057250, 0)
    assert "error_message" not in node


def test_an_execution_that_has_ended(bench: DwrBench) -> None:
    name = bench.start()
    bench.now += 3.1
    told = bench.look(name).json
    assert (told["status"], told["end_time"]) == ("success", "2022-08-09T06:54:20Z")
    assert told["node_execution_details"][0]["end_time"] == 1660028060250
    assert bench.page()["executions"][0]["stopped_at"] == "2022-08-09T06:54:20Z"


def test_a_failed_one_says_why(bench: DwrBench) -> None:
    name = bench.start()
    bench.admin(f"runs/{name}", {"state": "fail", "message": "template 7 does not exist"})
    told = bench.look(name).json
    assert told["status"] == "fail"
    assert told["node_execution_details"][0]["error_message"] == "template 7 does not exist"


def test_unknown_executions(bench: DwrBench) -> None:
    name = bench.start()
    for reply in (bench.look("none"), bench.look(name, "other"), bench.retry("none")):
        assert error(reply) == (404, "WorkflowExecutionNotFound")
    bench.host = "dwr.cn-north-4.myhuaweicloud.com"
    assert error(bench.look(name)) == (404, "WorkflowExecutionNotFound")


def test_retry(bench: DwrBench) -> None:
    name = bench.start()
    assert error(bench.retry(name)) == (400, "SYS.0010")
    bench.admin(f"runs/{name}", {"state": "fail"})
    bench.now += 60
    reply = bench.retry(name)
    assert (reply.status, reply.json["execution_name"]) == (200, name)
    assert reply.json["restored_at"] == "2022-08-09T06:55:17Z"
    assert bench.look(name).json["status"] == "running"
    bench.now += 3.1
    assert bench.look(name).json["status"] == "success"
    assert bench.origins() == ["api"]


# --- lists


def test_list(bench: DwrBench) -> None:
    first = bench.start()
    bench.now += 1
    second = bench.start()
    bench.start("other")
    assert bench.names() == [second, first], "the newest first"
    bench.admin(f"runs/{first}", {"state": "fail"})
    assert bench.names(status="fail") == [first]
    assert bench.names(status="timeout") == []
    row = bench.page(status="fail")["executions"][0]
    assert (row["execution_type"], row["execution_state"]) == ("APICALL", "fail")
    assert row["execution_urn"].split(":")[6] == first


def test_a_list_goes_on_by_an_offset(bench: DwrBench) -> None:
    names = [bench.start() for _ in range(5)][::-1]
    page = bench.page(limit="2")
    assert (page["is_truncated"], page["next_offset"], page["count"]) == (True, 3, 2)
    assert bench.names(limit="2") == names[:2]
    assert bench.names(limit="2", offset="3") == names[2:4]
    last = bench.page(limit="2", offset="5")
    assert (last["is_truncated"], "next_offset" in last) == (False, False)
    assert bench.names(offset="7") == []


def test_more_than_200_are_not_given(bench: DwrBench) -> None:
    for _ in range(201):
        bench.start()
    assert bench.page(limit="1000")["next_offset"] == 201
    assert bench.page()["count"] == 200


def test_a_list_has_three_days(bench: DwrBench) -> None:
    """Where a time is left out."""
    old = bench.start()
    bench.now += 3 * 86_400 + 60
    new = bench.start()
    assert bench.names() == [new]
    assert bench.names(end_time="2022-08-09T07:00:00Z") == [old]
    assert bench.names(start_time="2022-08-09T06:54:17Z") == [old]
    assert bench.names(start_time="2022-08-09T06:56:00Z") == [new]
    assert bench.names(start_time="2022-08-01T00:00:00Z", end_time="2022-09-01T00:00:00Z") == [new, old]
    assert bench.names(start_time="2022-08-01T00:00:00Z", end_time="2022-08-09T06:54:17Z") == [old]


def test_a_list_is_late() -> None:
    bench = DwrBench(list_lag=5.0)
    name = bench.start()
    assert bench.names() == []
    bench.now += 5
    assert bench.names() == [name]


@pytest.mark.parametrize(
    "query",
    [
        {"offset": "0"},
        {"offset": "1001"},
        {"offset": "x"},
        {"limit": "0"},
        {"status": "RUNNING"},
        {"start_time": "2022-08-09 06:54:17"},
        {"end_time": "1660028057"},
        {"graph_name": ""},
    ],
)
def test_refused_list(bench: DwrBench, query: dict[str, str]) -> None:
    assert error(bench.call("GET", LIST, {"graph_name": GRAPH, **query})) == (400, "SYS.0010")


# --- the other shape, IAM, hosts


def test_the_answers_of_the_page() -> None:
    bench = DwrBench(dwr_answers="page")
    name = bench.start()
    bench.start()
    info = bench.look(name).json["execution_info"]
    assert json.loads(info["input"])["bucket"] == "demo-bucket"
    assert (info["execution_name"], info["execution_state"]) == (name, "running")
    page = bench.page(limit="1")
    assert page["is_truncated"] is True
    assert "next_offset" not in page
    assert page["next_marker"].startswith("APICALL")
    assert DWR_ANSWERS == ("sdk", "page")


def test_a_workflow(bench: DwrBench) -> None:
    told = bench.call("GET", f"{BASE}/workflows/{GRAPH}").json
    assert (told["name"], told["definition"]["inputs"]) == (GRAPH, [])
    assert bench.origins() == []


def test_the_project_of_a_region() -> None:
    bench = DwrBench()
    bench.host = "iam.cn-south-1.myhuaweicloud.com"
    (project,) = bench.call("GET", "/v3/projects", {"name": "cn-south-1"}).json["projects"]
    assert (project["id"], project["name"]) == (PROJECT, "cn-south-1")
    assert bench.admin("requests").json["huawei.dwr"]["projects"] == 1
    assert error(bench.call("GET", "/v3/projects", headers={"authorization": "x"})) == (401, "APIGW.0301")


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("dwr.eu-west-101.myhuaweicloud.eu", "eu-west-101"),
        ("dwr.cn-south-1.myhuaweicloud.com:443", "cn-south-1"),
        ("localhost", "cn-emulator-1"),
    ],
)
def test_hosts(bench: DwrBench, host: str, region: str) -> None:
    bench.host = host
    assert bench.call(*START_CALL).json["execution_urn"].split(":")[2] == region


def test_another_host_of_the_vendor_is_none_of_dwrs(bench: DwrBench) -> None:
    bench.host = "dwr-lms.cn-east-3.myhuaweicloud.com"
    reply = bench.call(*START_CALL)
    assert reply.status == 400, "OBS's, which knows it as little"
    assert bench.origins() == []


def test_the_singular_is_needed(bench: DwrBench) -> None:
    name = bench.start()
    assert error(bench.call("GET", EXECUTION.replace("execution", "executions") + f"/{name}")) == (404, "APIG.0101")
