"""Workflow executions: start, look, list."""

from __future__ import annotations

import pytest
from emulator_bench import HOST, OTHER_WORKFLOW, START, WORKFLOW, Bench, is_request_id


@pytest.fixture
def bench() -> Bench:
    return Bench(run_seconds=3.0)


def test_start(bench: Bench) -> None:
    reply = bench.call("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": "a.mp4"})
    assert reply.status == 200
    assert [child.tag for child in reply.xml] == ["RequestId", "InstanceId"]
    assert reply.headers["server"] == "tencent-ci"
    assert reply.headers["content-type"] == "application/xml"
    assert "x-ci-trace-id" not in reply.headers
    request_id = reply.text("RequestId") or ""
    assert request_id == reply.headers["x-ci-request-id"]
    assert is_request_id(request_id)


def test_slash_after_the_path_as_in_the_vendors_sample(bench: Bench) -> None:
    reply = bench.call("POST", "/triggerworkflow/", {"workflowId": WORKFLOW, "object": "a.mp4"})
    assert reply.status == 200


def test_two_equal_starts_are_two_runs(bench: Bench) -> None:
    assert bench.start() != bench.start()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"object": "a.mp4"}, "Non-exist workflowId: "),
        ({"workflowId": "", "object": "a.mp4"}, "Non-exist workflowId: "),
        ({"workflowId": "w123", "object": "a.mp4"}, "Non-exist workflowId: w123"),
        ({"workflowId": WORKFLOW}, "object is required"),
        ({"workflowId": WORKFLOW, "object": "a.mp4", "name": "a b"}, "name may have"),
        ({"workflowId": WORKFLOW, "object": "a.mp4", "name": "a" * 129}, "name may have"),
    ],
)
def test_refused_start(bench: Bench, query: dict[str, str], text: str) -> None:
    reply = bench.call("POST", "/triggerworkflow", query)
    assert reply.error == (400, "InvalidArgument")
    assert (reply.text("Message") or "").startswith(text)
    assert bench.origins() == []


ATTACHED = "<Request><AttachParam><WatermarkTemplateId>t1</WatermarkTemplateId></AttachParam></Request>"


def test_attached_parameters(bench: Bench) -> None:
    query = {"workflowId": WORKFLOW, "object": "a.mp4", "attachParam": ""}
    assert bench.call("POST", "/triggerworkflow", query, ATTACHED).status == 200
    for body in ("<Request/>", "<Request><AttachParam/></Request>"):
        assert bench.call("POST", "/triggerworkflow", query, body).error == (400, "InvalidArgument")
    for body in ("", "<a>", "<Other/>"):
        assert bench.call("POST", "/triggerworkflow", query, body).error == (400, "MalformedXML")
    assert bench.origins() == ["api"]


def test_label(bench: Bench) -> None:
    query = {"workflowId": WORKFLOW, "object": "a.mp4", "name": "夜-1_\u2014"}
    assert bench.call("POST", "/triggerworkflow", query).status == 200


def test_running_execution(bench: Bench) -> None:
    run = bench.start("dir/中 a&b<.mp4")
    reply = bench.call("GET", f"/workflowexecution/{run}")
    execution = reply.xml.find("WorkflowExecution")
    assert execution is not None
    assert execution.findtext("RunId") == run
    assert execution.findtext("WorkflowId") == WORKFLOW
    assert execution.findtext("Object") == "dir/中 a&b<.mp4"
    assert execution.findtext("State") == "Running"
    assert execution.findtext("CreateTime") == "2022-08-09T14:54:17+08:00"
    assert execution.findtext("Tasks/State") == "Running"
    assert execution.findtext("Tasks/StartTime") == "2022-08-09T14:54:17+08:00"
    assert execution.findtext("Tasks/EndTime") == "-"
    assert execution.find("Tasks/ResultInfo") is None


def test_finished_execution(bench: Bench) -> None:
    run = bench.start("dir/中 a.mp4")
    bench.now += 3.0
    reply = bench.call("GET", f"/workflowexecution/{run}")
    task = reply.xml.find("WorkflowExecution/Tasks")
    assert reply.text("WorkflowExecution/State") == "Success"
    assert task is not None
    assert task.findtext("State") == "Success"
    assert task.findtext("EndTime") == "2022-08-09T14:54:20+08:00"
    produced = f"output/{run}/中 a.mp4"
    assert task.findtext("ResultInfo/ObjectCount") == "1"
    assert task.findtext("ResultInfo/ObjectInfo/ObjectName") == produced
    assert task.findtext("ResultInfo/ObjectInfo/InputObjectName") == "dir/中 a.mp4"
    assert task.findtext("ResultInfo/ObjectInfo/ObjectUrl") == (
        f"https://media-1250000000.cos.ap-beijing.myqcloud.com/output/{run}/%E4%B8%AD%20a.mp4"
    )


def test_just_before_the_end(bench: Bench) -> None:
    run = bench.start()
    bench.now += 2.9
    assert bench.call("GET", f"/workflowexecution/{run}").text("WorkflowExecution/State") == "Running"


def test_forced_failure_shows_as_failed_task(bench: Bench) -> None:
    run = bench.start()
    bench.now += 1.0
    bench.admin(f"runs/{run}", {"state": "Failed", "code": "InvalidVideo", "message": "no <video>"})
    bench.now += 10.0
    reply = bench.call("GET", f"/workflowexecution/{run}")
    assert reply.text("WorkflowExecution/State") == "Failed"
    assert reply.text("WorkflowExecution/Tasks/State") == "Failed"
    assert reply.text("WorkflowExecution/Tasks/Code") == "InvalidVideo"
    assert reply.text("WorkflowExecution/Tasks/Message") == "no <video>"
    assert reply.text("WorkflowExecution/Tasks/EndTime") == "2022-08-09T14:54:18+08:00"


def test_unknown_execution(bench: Bench) -> None:
    reply = bench.call("GET", "/workflowexecution/i0")
    assert reply.error == (404, "WorkflowExecutionNotFound")
    assert [child.tag for child in reply.xml] == ["Code", "Message", "RequestId", "TraceId"]
    assert reply.xml.tag == "Error"
    assert reply.text("RequestId") == reply.headers["x-ci-request-id"]
    assert reply.text("TraceId") == reply.headers["x-ci-trace-id"]
    assert reply.headers["server"] == "tencent-ci"


def test_list_row(bench: Bench) -> None:
    run = bench.start("a b.mp4")
    reply = bench.call("GET", "/workflowexecution", {"workflowId": WORKFLOW})
    row = reply.xml.findall("WorkflowExecutionList")[0]
    assert {child.tag: child.text for child in row} == {
        "RunId": run,
        "WorkflowId": WORKFLOW,
        "Object": "a b.mp4",
        "CreateTime": "2022-08-09T14:54:17+08:00",
        "CreationTime": "2022-08-09T14:54:17+08:00",
        "State": "Running",
    }
    assert reply.text("NextToken") == ""


def test_list_needs_a_workflow(bench: Bench) -> None:
    reply = bench.call("GET", "/workflowexecution")
    assert reply.error == (400, "InvalidArgument")
    assert "workflowId" in (reply.text("Message") or "")


def test_order(bench: Bench) -> None:
    runs = [bench.start() for _ in range(3)]
    assert bench.executions() == runs[::-1]
    assert bench.executions(orderByTime="Desc") == runs[::-1]
    assert bench.executions(orderByTime="Asc") == runs


def test_lists_hold_one_workflow_and_one_bucket(bench: Bench) -> None:
    run = bench.start()
    bench.start(workflow=OTHER_WORKFLOW)
    elsewhere = [HOST.replace("media", "other"), HOST.replace("beijing", "chengdu"), "127.0.0.1:9700"]
    for host in elsewhere:
        other = bench.start(host=host)
        assert bench.call("GET", f"/workflowexecution/{other}", host=host).status == 200
        assert bench.call("GET", f"/workflowexecution/{run}", host=host).status == 404
        listed = bench.call("GET", "/workflowexecution", {"workflowId": WORKFLOW}, host=host)
        assert listed.texts("WorkflowExecutionList/RunId") == [other]
    assert bench.executions() == [run]


def test_host_may_have_a_port_and_capitals(bench: Bench) -> None:
    run = bench.start(host=HOST.upper() + ":80")
    assert bench.executions() == [run]


def test_filter_by_object(bench: Bench) -> None:
    runs = [bench.start(key) for key in ("a.mp4", "a.mp4.bak", "a.mp4")]
    assert bench.executions(name="a.mp4") == [runs[2], runs[0]]
    assert bench.executions(name="") == runs[::-1]
    assert bench.executions(name="A.mp4") == []


def test_filter_by_state(bench: Bench) -> None:
    states = ["Running", "Success", "Failed", "Pause", "Cancel"]
    runs = {state: bench.start() for state in states}
    for state in states:
        bench.admin(f"runs/{runs[state]}", {"state": state})
    for state in states:
        assert bench.executions(states=state) == [runs[state]]
    assert bench.executions(states="Failed,Running") == [runs["Failed"], runs["Running"]]
    assert len(bench.executions(states="All")) == 5
    assert len(bench.executions(states="Running,All")) == 5
    assert bench.executions(states="Submitted") == []


def test_filter_by_time_is_inclusive_to_the_second(bench: Bench) -> None:
    runs = []
    for _ in range(3):
        runs.append(bench.start())
        bench.now += 60.0
    assert bench.now == START + 180.0
    assert bench.executions(startCreationTime="2022-08-09T14:55:17+0800") == [runs[2], runs[1]]
    assert bench.executions(startCreationTime="2022-08-09T14:55:18+0800") == [runs[2]]
    assert bench.executions(endCreationTime="2022-08-09T14:55:17+0800") == [runs[1], runs[0]]
    assert bench.executions(endCreationTime="2022-08-09T14:55:16+0800") == [runs[0]]
    both = {"startCreationTime": "2022-08-09T06:55:00Z", "endCreationTime": "2022-08-09T14:56:00+08:00"}
    assert bench.executions(**both) == [runs[1]]


def test_size(bench: Bench) -> None:
    for _ in range(101):
        bench.start()
    assert len(bench.executions()) == 10
    assert len(bench.executions(size="3")) == 3
    assert len(bench.executions(size="100")) == 100


@pytest.mark.parametrize("order", ["Desc", "Asc"])
def test_pages_do_not_shift_when_runs_are_added(bench: Bench, order: str) -> None:
    runs = [bench.start() for _ in range(5)]
    query = {"workflowId": WORKFLOW, "size": "2", "orderByTime": order}
    seen: list[str] = []
    token = ""
    for _ in range(3):
        reply = bench.call("GET", "/workflowexecution", {**query, "nextToken": token})
        seen += reply.texts("WorkflowExecutionList/RunId")
        token = reply.text("NextToken") or ""
        if order == "Desc":
            bench.start()
    assert seen == (runs if order == "Asc" else runs[::-1])
    assert token == ""


def test_pages_with_a_filter(bench: Bench) -> None:
    runs = [bench.start() for _ in range(6)]
    for run in runs[::2]:
        bench.admin(f"runs/{run}", {"state": "Failed"})
    query = {"workflowId": WORKFLOW, "size": "2", "states": "Failed"}
    first = bench.call("GET", "/workflowexecution", query)
    assert first.texts("WorkflowExecutionList/RunId") == [runs[4], runs[2]]
    second = bench.call("GET", "/workflowexecution", {**query, "nextToken": first.text("NextToken") or ""})
    assert second.texts("WorkflowExecutionList/RunId") == [runs[0]]
    assert second.text("NextToken") == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "0"),
        ("size", "101"),
        ("size", "ten"),
        ("orderByTime", "desc"),
        ("states", "Done"),
        ("nextToken", "25"),
        ("nextToken", "é"),
        ("startCreationTime", "yesterday"),
        ("startCreationTime", "2022-08-09T14:54:17 0800"),
        ("endCreationTime", "2022-13-09T14:54:17+0800"),
    ],
)
def test_refused_list(bench: Bench, name: str, value: str) -> None:
    reply = bench.call("GET", "/workflowexecution", {"workflowId": WORKFLOW, name: value})
    assert reply.error == (400, "InvalidArgument")
    assert name in (reply.text("Message") or "")


def test_list_lag() -> None:
    bench = Bench(list_lag=5.0)
    run = bench.start()
    assert bench.call("GET", f"/workflowexecution/{run}").status == 200
    assert bench.executions() == []
    bench.now += 4.9
    assert bench.executions() == []
    bench.now += 0.1
    assert bench.executions() == [run]


def test_both_domains_of_the_vendor_are_one_cloud(bench: Bench) -> None:
    run = bench.start()
    other = HOST.replace("myqcloud.com", "tencentci.cn")
    assert bench.call("GET", f"/workflowexecution/{run}", host=other).text("WorkflowExecution/RunId") == run


def test_a_look_at_workflows(bench: Bench) -> None:
    reply = bench.call("GET", "/workflow", {"ids": f"{WORKFLOW},{OTHER_WORKFLOW},w1"})
    assert [row.findtext("WorkflowId") for row in reply.xml.findall("MediaWorkflowList")] == [WORKFLOW, OTHER_WORKFLOW]
    assert [row.findtext("State") for row in reply.xml.findall("MediaWorkflowList")] == ["Active", "Active"]
    assert (reply.text("TotalCount"), reply.text("NonExistIDs")) == ("2", "w1")
    second = bench.call("GET", "/workflow", {"ids": f"{WORKFLOW},{OTHER_WORKFLOW}", "pageNumber": "2", "pageSize": "1"})
    assert [row.findtext("WorkflowId") for row in second.xml.findall("MediaWorkflowList")] == [OTHER_WORKFLOW]
    assert bench.call("GET", "/workflow", {"ids": ""}).error == (400, "InvalidArgument")
    assert bench.call("GET", "/workflow", {"ids": WORKFLOW, "pageSize": "0"}).error == (400, "InvalidArgument")
    assert bench.origins() == []
