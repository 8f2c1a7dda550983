"""Recorded answers -> status. The `printed-*` recordings are the samples of the vendor's pages, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloud_runs.runs import Phase, RunStatus, Task
from cloud_runs.tencent import answers as reading
from cloud_runs.tencent import summing
from cloud_runs.wire.payloads import usable_id

RECORDINGS = Path(__file__).parents[1] / "recordings" / "tencent"


def recorded(name: str) -> bytes:
    return (RECORDINGS / f"{name}.xml").read_bytes()


def execution(name: str) -> RunStatus:
    _, content = reading.document(recorded(name))
    return reading.execution_status("i1", reading.mapping(content["WorkflowExecution"]), "r")


def job(name: str) -> RunStatus:
    _, content = reading.document(recorded(name))
    return reading.job_status("b1", reading.mapping(content["JobsDetail"]), "r")


@pytest.mark.parametrize(
    ("state", "phase", "terminal"),
    [
        ("Submitted", Phase.PENDING, False),
        ("Running", Phase.RUNNING, False),
        ("Pause", Phase.PENDING, False),
        ("Success", Phase.SUCCEEDED, True),
        ("Failed", Phase.FAILED, True),
        ("Cancel", Phase.CANCELLED, True),
        ("PartialSuccess", Phase.UNKNOWN, False),
        ("success", Phase.UNKNOWN, False),
        ("", Phase.UNKNOWN, False),
    ],
)
def test_state_words(state: str, phase: Phase, terminal: bool) -> None:
    assert reading.phase(state) is phase
    assert phase.terminal is terminal


def test_execution_with_one_task() -> None:
    found = execution("execution-one-task")
    assert (found.state, found.phase) == ("Success", Phase.SUCCEEDED)
    assert (found.created_at, found.started_at) == ("2022-08-09T06:54:17Z", "2022-08-09T06:54:18Z")
    assert found.finished_at == "2022-08-09T06:54:40Z"
    assert found.tasks == (Task("Transcode_1", "Transcode", "Success", "", "", ("out/a.mp4",)),)
    assert found.request == {
        "workflow_id": "we59a9648e62e48ffb25e4b41f3721799",
        "object": "test.mp4",
        "workflow_name": "demo",
    }
    assert (found.code, found.message) == ("", "")


def test_execution_with_many_tasks() -> None:
    found = execution("execution-many-tasks")
    assert found.phase is Phase.FAILED
    assert (found.code, found.message) == ("NoSuchKey", "the input is gone")
    assert found.finished_at == "2022-08-09T06:54:50Z"  # the last task to end, not the last in the list
    assert [task.objects for task in found.tasks] == [("out/1.jpg", "out/3.jpg"), ()]
    assert found.request["workflow_name"] == "demo"  # WorkflowName, where the other has Name


def test_execution_that_goes_on() -> None:
    found = execution("execution-running")
    assert (found.phase, found.finished_at) == (Phase.RUNNING, "")
    assert execution("execution-no-task").tasks == ()


def test_job_of_the_page() -> None:
    for name in ("printed-job", "printed-job-nodes"):
        found = job(name)
        assert (found.state, found.phase) == ("Running", Phase.RUNNING)
        assert (found.code, found.message) == ("", "")  # the sample says Success while it runs
        assert (found.created_at, found.started_at, found.finished_at) == ("2022-06-27T07:23:10Z", "", "")
        assert found.request == {
            "name": "demo",
            "type": "Workflow",
            "input": {"Prefix": "input"},
            "operation": {
                "TimeInterval": {"Start": "2022-02-01T12:00:00+0800", "End": "2022-05-01T12:00:00+0800"},
                "WorkflowIds": "w7476ff3564ee45b7b490d64bccaba6cc",
            },
        }


def test_job_that_failed() -> None:
    found = job("job-failed")
    assert (found.phase, found.code, found.message) == (Phase.FAILED, "InvalidArgument", "the manifest is empty")
    assert found.finished_at == "2022-06-27T07:24:10Z"
    assert found.request["operation"]["JobParam"] == {"WatermarkTemplateId": ["t1", "t2"]}


@pytest.mark.parametrize("name", ["printed-trigger-2021", "printed-trigger"])
def test_id_in_the_malformed_samples(name: str) -> None:
    body = recorded(name)
    assert body.count(b"<Response>") == 2
    assert b"</Response>" not in body
    assert reading.started_id(body, "InstanceId")[0] == "i6fc78ca77d6011eba0ac5254008618d9="


def test_id_of_the_job_sample() -> None:
    assert reading.started_id(recorded("printed-job"), "JobId")[0] == "b3deffea2f84911ec9cb15254008618d9"


@pytest.mark.parametrize(
    ("body", "id"),
    [
        ("<Response><InstanceId>i1</InstanceId></Response>", "i1"),
        ("<Response><InstanceId> i1\n</InstanceId></Response>", "i1"),
        ("<Response><InstanceId>i&amp;1</InstanceId></Response>", "i&1"),
        ("<Response><InstanceId>i1</InstanceId><InstanceId>i1</InstanceId></Response>", "i1"),
        ("<Response><InstanceId>i1</InstanceId><InstanceId>i2</InstanceId></Response>", ""),
        ("<Response><InstanceId>i1</InstanceId><Resp", "i1"),
        ("<Response><InstanceId>i&amp;1</InstanceId><Resp", "i&1"),
        ("<Response><InstanceId>i1</InstanceId><InstanceId>i2</InstanceId>", ""),
        ("<Response><InstanceId>i6fc78ca77d60", ""),
        ("<Response><InstanceId>i6fc78ca77d60</Inst", ""),
        ("<Response><InstanceId/></Response>", ""),
        ("<Response><InstanceId>..</InstanceId></Response>", ""),
        ("<Response><InstanceId>a b</InstanceId></Response>", "a b"),
        ("<Response><InstanceId><a>i1</a></InstanceId></Response>", ""),
        ("<Response><InstanceId>" + "i" * 1025 + "</InstanceId></Response>", ""),
        ("<html><body>log in</body></html>", ""),
        ("", ""),
        ("\x00\xff", ""),
    ],
)
def test_started_id(body: str, id: str) -> None:
    assert usable_id(reading.started_id(body.encode(), "InstanceId")[0]) == id


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2022-06-27T15:23:10+0800", "2022-06-27T07:23:10Z"),
        ("2022-08-09T14:54:17+08:00", "2022-08-09T06:54:17Z"),
        ("2022-08-09 14:54:17+0800", "2022-08-09T06:54:17Z"),
        ("2022-08-09T14:54:17Z", "2022-08-09T14:54:17Z"),
        ("2022-08-09T14:54:17z", "2022-08-09T14:54:17Z"),
        ("2022-08-09T14:54:17.25+00:00", "2022-08-09T14:54:17.250000Z"),
        ("2022-08-09T14:54:17", ""),
        ("-", ""),
        ("", ""),
        ("0", ""),
        ("2022-13-45T99:99:99+0800", ""),
        ("0001-01-01T00:00:00+0800", ""),
        ("9999-12-31T23:59:59-0800", ""),
        ("2022-08-09T14:54:17+9999", ""),
        ("٢٠٢٢-08-09T14:54:17Z", ""),
    ],
)
def test_times(told: str, expected: str) -> None:
    assert reading.time_text(told) == expected


BOMB = (
    b"""<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><Response>&b;</Response>"""
)
FILE = b"""<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><Response><RequestId>&a;</RequestId></Response>"""


@pytest.mark.parametrize("body", [BOMB, FILE])
def test_entities_are_not_expanded(body: bytes) -> None:
    _, content = reading.document(body)
    assert "aaaa" not in str(content)
    assert "root" not in str(content)


HOSTILE: list[Any] = [None, "", "text", [], [None], ["a", {"b": "c"}], {}, {"#text": "x", "@a": "b"}, {"a": [None, {}]}]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["State", "Tasks", "CreateTime", "Input", "Operation", "Object", "Code", "EndTime"])
def test_any_shape_can_be_read(name: str, value: Any) -> None:
    base = {"State": "Failed", name: value}
    reading.execution_status("i1", base)
    reading.execution_status("i1", {"State": "Failed", "Tasks": [base, value]})
    reading.execution_status("i1", {"State": "Failed", "Tasks": {"ResultInfo": {"ObjectInfo": value}}})
    reading.job_status("b1", base)


def test_very_deep_answers() -> None:
    depth = 100_000
    body = b"<Response><JobsDetail><Input>" + b"<a>" * depth + b"</a>" * depth + b"</Input></JobsDetail></Response>"
    _, content = reading.document(body)
    shown = str(reading.job_status("b1", reading.mapping(reading.mapping(content).get("JobsDetail"))).request)
    assert len(shown) < 1000


def test_text_of_a_server_is_made_fit_for_a_terminal() -> None:
    found = reading.job_status("b1", {"State": "Failed", "Message": "a\x1b[31m\nb" + "x" * 1000})
    assert "\x1b" not in found.message
    assert "\n" not in found.message
    assert len(found.message) <= 300


@pytest.mark.parametrize(
    ("told", "key", "same"),
    [
        ("test.mp4", "test.mp4", True),
        ("https://b-1.cos.r.myqcloud.com/a%20b/%E4%B8%AD.mp4", "a b/中.mp4", True),
        ("/test.mp4", "test.mp4", True),
        ("https://b-1.cos.r.myqcloud.com/x/test.mp4", "test.mp4", False),
        ("a%20b", "a b", False),
        ("test.mp4", "TEST.mp4", False),
        ("https://[::1/test.mp4", "test.mp4", False),
    ],
)
def test_same_object(told: str, key: str, same: bool) -> None:
    assert reading.same_object(told, key) is same


ASKED = {"TimeInterval": {"Start": "2022-02-01T12:00:00+0800"}, "WorkflowIds": "w1", "L": ["1", "2"], "N": 3, "B": True}
ECHO = {"TimeInterval": {"Start": "2022-02-01T04:00:00Z"}, "WorkflowIds": "w1", "L": ["1", "2"], "N": "3", "B": "true"}


def test_an_echo_that_agrees() -> None:
    assert reading.agrees(ASKED, ECHO)
    assert reading.agrees(ASKED, {**ECHO, "Added": {"x": "y"}})
    assert reading.agrees(ASKED, {**ECHO, "WorkflowIds": None})  # left out: says nothing
    assert reading.agrees(ASKED, {})
    assert reading.agrees(ASKED, None)
    assert reading.agrees(["1"], "1")  # one row looks like no list


@pytest.mark.parametrize(
    "change",
    [{"WorkflowIds": "w2"}, {"TimeInterval": {"Start": "2022-02-01T12:00:00Z"}}, {"TimeInterval": "x"}, {"L": ["1"]},
     {"L": ["2", "1"]}, {"N": "4"}, {"B": "false"}, {"N": ["3", "4"]}, {"N": {"a": "b"}}],
)  # fmt: skip
def test_an_echo_of_another_job(change: dict[str, Any]) -> None:
    assert not reading.agrees(ASKED, {**ECHO, **change})


# --- a job with its executions


def ended(at: Phase = Phase.SUCCEEDED, **more: Any) -> RunStatus:
    operation = {"operation": {"WorkflowIds": "w1,w2"}}
    return RunStatus("b1", at, at.value, finished_at="2022-06-27T07:24:10Z", request=operation, **more)


@pytest.mark.parametrize(
    ("at", "counts", "whole", "phase", "message"),
    [
        (Phase.SUCCEEDED, {}, True, Phase.SUCCEEDED, ""),
        (Phase.SUCCEEDED, {"Success": 2}, True, Phase.SUCCEEDED, ""),
        (Phase.SUCCEEDED, {"Success": 9, "Failed": 3}, True, Phase.FAILED, "of 12 executions, 3 failed"),
        (Phase.SUCCEEDED, {"Success": 1, "Cancel": 1}, True, Phase.FAILED, "of 2 executions, 1 cancelled"),
        (
            Phase.SUCCEEDED, {"Failed": 3, "Cancel": 2}, True,
            Phase.FAILED, "of 5 executions, 3 failed and 2 cancelled",
        ),
        (
            Phase.SUCCEEDED, {"Failed": 3, "Running": 2}, True,
            Phase.RUNNING, "the job has ended; of 5 executions, 2 still going",
        ),
        (Phase.SUCCEEDED, {"": 1}, True, Phase.RUNNING, "the job has ended; of 1 executions, 1 still going"),
        (Phase.FAILED, {"Pause": 1}, False, Phase.RUNNING, "the job has ended; some executions still going"),
        (Phase.FAILED, {"Success": 1}, True, Phase.FAILED, ""),
        (Phase.CANCELLED, {"Failed": 1}, True, Phase.CANCELLED, ""),
        (Phase.SUCCEEDED, {"Failed": 100}, False, Phase.FAILED, "100 failed of more executions than can be counted"),
        (Phase.RUNNING, {"Failed": 1}, True, Phase.RUNNING, ""),
        (Phase.UNKNOWN, {"Failed": 1}, True, Phase.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_a_job_is_no_better_than_its_executions(
    at: Phase, counts: dict[str, int], whole: bool, phase: Phase, message: str
) -> None:
    found = summing.summed(ended(at), counts, whole=whole)
    assert (found.phase, found.message, found.summed) == (phase, message, True)
    assert found.executions == (counts if whole else {})
    assert found.state == at.value
    if phase is Phase.RUNNING and at is not phase:
        assert found.finished_at == ""


def test_what_a_failed_job_says_itself_stays() -> None:
    job = ended(Phase.FAILED, code="InvalidInput", message="no video")
    for counts in ({"Running": 1}, {"Success": 1}):
        found = summing.summed(job, counts)
        assert (found.code, found.message) == ("InvalidInput", "no video")


def test_executions_that_were_not_counted_leave_a_success_in_doubt() -> None:
    why = ValueError("403 AccessDenied\n")
    found = summing.uncounted(ended(), why)
    assert (found.phase, found.state, found.finished_at) == (Phase.UNKNOWN, "succeeded", "")
    assert found.message == "the job has ended, but its executions could not be listed: 403 AccessDenied"
    for job in (ended(Phase.FAILED), ended(Phase.CANCELLED), ended(Phase.RUNNING)):
        assert summing.uncounted(job, why) == job
    single = RunStatus("b1", Phase.SUCCEEDED, "Success", request={"operation": {"Tag": "Transcode"}, "type": "Job"})
    assert summing.uncounted(single, why).phase is Phase.UNKNOWN
    assert summing.uncounted(single, why, ever=False).phase is Phase.SUCCEEDED


def test_creation_time_is_read_where_the_other_name_is_missing() -> None:
    at = "2022-08-09T14:54:17+08:00"
    for name in ("CreateTime", "CreationTime"):
        assert reading.execution_status("i1", {name: at}).created_at == "2022-08-09T06:54:17Z"
        assert reading.job_status("b1", {name: at}).created_at == "2022-08-09T06:54:17Z"


@pytest.mark.parametrize(
    ("told", "ids"),
    [("w1", ["w1"]), (" w1 , ,w2,", ["w1", "w2"]), ("", []), (None, []), (["w1"], ["w1"]), ({"a": "w1"}, [])],
)
def test_workflows_of_a_job(told: Any, ids: list[str]) -> None:
    assert summing.workflow_ids(RunStatus("b1", Phase.RUNNING, "", request={"operation": {"WorkflowIds": told}})) == ids
    assert summing.workflow_ids(RunStatus("b1", Phase.RUNNING, "")) == []
