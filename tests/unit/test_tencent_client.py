"""The Tencent clients: what they send, and what they make of every kind of answer."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from cloud_runs.errors import (
    InvalidConfiguration,
    NotFound,
    NotReached,
    Refused,
    RunsError,
    Throttled,
    Unavailable,
    UnknownOutcome,
)
from cloud_runs.runs import Candidate, Phase
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.tencent.codes import HINTS
from cloud_runs.tencent.jobs import InventoryClient, InventoryRequest
from cloud_runs.wire.calls import PAGES
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer, Transport
from tests.support.clients import GO, Scripted, says, service, soon

RECORDINGS = Path(__file__).parents[1] / "recordings" / "tencent"
KEYS = Credentials("AKIDhunter1", "s3cret-hunter2", "t0ken-hunter3", "environment TENCENTCLOUD_SECRET_ID")
SEED_RUN = WorkflowRequest("we59a9648e62e48ffb25e4b41f3721799", "test.mp4")
SEED_JOB = InventoryRequest(
    "demo",
    "Workflow",
    {"Prefix": "input"},
    {
        "TimeInterval": {"Start": "2022-02-01T12:00:00+0800", "End": "2022-05-01T12:00:00+0800"},
        "WorkflowIds": "w7476ff3564ee45b7b490d64bccaba6cc",
    },
)
SINCE = datetime(2022, 8, 9, 6, 50, tzinfo=timezone.utc)
BASE = "https://media-1250000000.ci.ap-beijing.myqcloud.com"
RECORDED = "i166ee19017b011eda8a5525400c540df"
DATE = "Thu, 14 Jul 2022 12:37:29 GMT"


def recorded(name: str) -> bytes:
    return (RECORDINGS / f"{name}.xml").read_bytes()


STARTED = says("<Response><InstanceId>i1</InstanceId></Response>")


def error(code: str, status: int = 400, message: str = "") -> Answer:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>NTk0</RequestId></Error>"
    return says(text, status)


def runs(*answers: Answer | Exception, transport: Any = None, **kwargs: Any) -> tuple[WorkflowClient, Scripted]:
    script = transport or Scripted(BASE, *answers)
    sleep = getattr(script, "slept", []).append
    options = {"region": "ap-beijing", "bucket": "media-1250000000", "sleep": sleep, "clock": lambda: 1.0, **kwargs}
    return WorkflowClient(script, KEYS, **options), script


def jobs(*answers: Answer | Exception, transport: Any = None, **kwargs: Any) -> tuple[InventoryClient, Scripted]:
    script = transport or Scripted(BASE, *answers)
    sleep = getattr(script, "slept", []).append
    options = {"region": "ap-beijing", "bucket": "media-1250000000", "sleep": sleep, "clock": lambda: 1.0, **kwargs}
    return InventoryClient(script, KEYS, **options), script


# --- the samples of the vendor's pages, on the wire


def test_workflow_request_of_the_page_and_its_malformed_answer() -> None:
    with service(lambda _: recorded("printed-trigger"), Date=DATE) as (endpoint, received):
        client, _ = runs(transport=Transport(), endpoint=endpoint)
        started = client.start(SEED_RUN, GO)
    line, headers, body = received[0]
    assert line == "POST /triggerworkflow?workflowId=we59a9648e62e48ffb25e4b41f3721799&object=test.mp4 HTTP/1.1"
    assert headers["Host"] == "media-1250000000.ci.ap-beijing.myqcloud.com"
    assert headers["Content-Length"] == "0"
    assert headers["Content-Type"] == "application/xml"
    assert headers["Authorization"].startswith("q-sign-algorithm=sha1&q-ak=AKIDhunter1&q-sign-time=")
    assert headers["x-ci-security-token"] == headers["x-cos-security-token"] == KEYS.token
    assert body == b""
    assert started.id == "i6fc78ca77d6011eba0ac5254008618d9="
    assert started.at == datetime(2022, 7, 14, 12, 37, 29, tzinfo=timezone.utc)


def shape(element: ET.Element) -> Any:
    return element.tag, [shape(child) for child in element] or (element.text or "").strip()


def test_job_request_of_the_page() -> None:
    sample = """<Request><Name>demo</Name><Type>Workflow</Type><Input><Prefix>input</Prefix></Input><Operation>
      <TimeInterval><Start>2022-02-01T12:00:00+0800</Start><End>2022-05-01T12:00:00+0800</End></TimeInterval>
      <WorkflowIds>w7476ff3564ee45b7b490d64bccaba6cc</WorkflowIds></Operation></Request>"""
    with service(lambda _: recorded("printed-job"), Date=DATE) as (endpoint, received):
        client, _ = jobs(transport=Transport(), endpoint=endpoint)
        started = client.start(SEED_JOB, GO)
        client.cancel(started.id)
    line, headers, body = received[0]
    assert line == "POST /inventorytriggerjob HTTP/1.1"
    assert headers["Content-Type"] == "application/xml"
    assert shape(ET.fromstring(body)) == shape(ET.fromstring(sample))
    assert (started.id, started.state) == ("b3deffea2f84911ec9cb15254008618d9", "Running")
    assert started.phase is Phase.RUNNING
    line, headers, body = received[1]
    assert line == "PUT /inventorytriggerjob/b3deffea2f84911ec9cb15254008618d9?cancel HTTP/1.1"
    assert (headers["Content-Length"], body) == ("0", b"")


# --- start


def test_a_label_is_sent_only_when_given() -> None:
    client, script = runs(says("<Response><InstanceId>i1</InstanceId></Response>"))
    client.start(SEED_RUN, GO)
    client.start(WorkflowRequest("w1", "a", "nightly"), GO)
    assert [name for name, _ in script.sent[0][2]] == ["workflowId", "object"]
    assert script.sent[1][2] == [("workflowId", "w1"), ("object", "a"), ("name", "nightly")]


def test_without_a_date_our_own_clock_counts() -> None:
    client, _ = runs(says("<Response><InstanceId>i1</InstanceId><RequestId>r</RequestId></Response>"))
    started = client.start(SEED_RUN, GO)
    assert (started.at, started.request_id) == (datetime.fromtimestamp(1, timezone.utc), "r")


def test_an_answer_that_breaks_off_after_the_id() -> None:
    client, _ = runs(says("<Response><InstanceId>i1</InstanceId><Re", complete=False, x_ci_request_id="h"))
    started = client.start(SEED_RUN, GO)
    assert (started.id, started.request_id) == ("i1", "h")


@pytest.mark.parametrize(
    "answer",
    [
        says(""),
        says("<html>log in</html>"),
        says("<Response><RequestId>r</RequestId></Response>"),
        says("<Response><InstanceId>i1</InstanceId><InstanceId>i2</InstanceId></Response>"),
        says("<Response><InstanceId>i6fc78", complete=False),
        says("<Response><InstanceId>i1</InstanceId></Response>", 500),
        error("InternalError", 500),
        error("ServiceUnavailable", 503),
        error("RequestTimeout", 408),
        error("InternalError", 200),
    ],
)
def test_start_whose_outcome_is_unknown(answer: Answer) -> None:
    client, script = runs(answer)
    with pytest.raises(UnknownOutcome, match=r"POST /triggerworkflow"):
        client.start(SEED_RUN, GO)
    assert len(script.sent) == 1


def test_the_code_is_in_the_text_of_an_unknown_outcome() -> None:
    client, _ = runs(error("InternalError", 500, "try again"))
    with pytest.raises(
        UnknownOutcome, match=r"failed at POST /triggerworkflow: 500 InternalError: try again \(request"
    ):
        client.start(SEED_RUN, GO)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 405, 407, 411, 451])
def test_start_that_is_refused(status: int) -> None:
    for client in (runs(error("X", status))[0], runs(says("", status))[0], runs(says("<html>", status))[0]):
        with pytest.raises(Refused, match=f"Tencent CI refused POST /triggerworkflow: {status}") as caught:
            client.start(SEED_RUN, GO)
        assert caught.value.status == status
        if status in (401, 403):
            assert KEYS.source in str(caught.value)


def test_text_of_a_refusal() -> None:
    client, _ = runs(says(recorded("error-ci"), 400))
    with pytest.raises(Refused) as caught:
        client.start(SEED_RUN, GO)
    assert str(caught.value) == (
        "Tencent CI refused POST /triggerworkflow: 400 MediaBucketUnBinded: The bucket is not bound (request NTk0). "
        "Enable media processing for bucket media-1250000000 first."
    )


def test_access_denied_names_the_right_and_the_source() -> None:
    client, _ = jobs(error("AccessDenied", 401))
    with pytest.raises(Refused, match=r"ci:CreateInventoryTriggerJob.* environment TENCENTCLOUD_SECRET_ID\.$"):
        client.start(SEED_JOB, GO)


def test_errors_in_other_forms() -> None:
    client, _ = runs(says('{"code": 1020, "message": "no", "request_id": "j"}', 400))
    with pytest.raises(Refused, match=r"400 1020: no \(request j\)"):
        client.start(SEED_RUN, GO)
    client, _ = runs(says("", 400, x_ci_request_id="h"))
    with pytest.raises(Refused, match=r"400 \(request h\)"):
        client.start(SEED_RUN, GO)
    for body in ("[]", "{", '{"code": [1], "message": 3}', "1" * 5000, "<Error><Code><a/></Code></Error>", "<Error/>"):
        client, _ = runs(says(body, 400))
        with pytest.raises(Refused):
            client.start(SEED_RUN, GO)


def test_unknown_workflow_is_known_by_its_message() -> None:
    client, _ = runs(error("InvalidArgument", 400, "Non-exist workflowId: w1"))
    with pytest.raises(Refused, match="Check the workflow id"):
        client.start(SEED_RUN, GO)


@pytest.mark.parametrize("status", [200, 400, 429, 503])
def test_a_start_is_not_repeated_after_slow_down(status: int) -> None:
    client, script = runs(error("SlowDown", status), STARTED)
    with pytest.raises(Throttled, match="try again later"):
        client.start(SEED_RUN, GO)
    assert len(script.sent) == 1
    assert not script.slept


@pytest.mark.parametrize(("status", "tries"), [(200, 4), (400, 4), (429, 1), (503, 4)])
def test_a_question_is_asked_again_after_slow_down(status: int, tries: int) -> None:
    client, script = runs(error("SlowDown", status))
    with pytest.raises(Unavailable):
        client.get("i1")
    assert len(script.sent) == tries  # the transport has tried 429 again already
    if tries > 1:
        client, script = runs(
            error("SlowDown", status), error("SlowDown", status), says(recorded("execution-one-task"))
        )
        assert client.get(RECORDED).phase is Phase.SUCCEEDED
        assert len(script.slept) == 2


@pytest.mark.parametrize("kind", [NotReached, UnknownOutcome])
def test_errors_of_the_transport_keep_their_kind(kind: type[RunsError]) -> None:
    client, script = runs(kind("POST /triggerworkflow to h: because"))
    with pytest.raises(kind, match=r"^Tencent CI .*: because$"):
        client.start(SEED_RUN, GO)
    assert len(script.sent) == 1


def test_a_server_that_sends_back_what_it_was_sent() -> None:
    echo = f"{KEYS.token} {KEYS.secret} {KEYS.id} q-signature=0123abcd q-ak=x"
    for status in (400, 500):
        client, _ = runs(error("A" + KEYS.token, status, echo))
        with pytest.raises(RunsError) as caught:
            client.start(SEED_RUN, GO)
        assert "hunter" not in str(caught.value)
        assert "0123abcd" not in str(caught.value)


@pytest.mark.parametrize("code", list(HINTS))
def test_every_hint_can_be_said(code: str) -> None:
    client, _ = runs(error(code, 403))
    with pytest.raises(Refused) as caught:
        client.start(SEED_RUN, GO)
    assert "{" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_request_elements() -> None:
    client, script = jobs(says("<Response><JobsDetail><JobId>b1</JobId></JobsDetail></Response>"))
    operation = {
        "Tag": "Transcode",
        "JobParam": {"WatermarkTemplateId": ["t1", "t2"], "Empty": {}},
        "UserData": "a<b>&\"'\r\n]]>中",
        "JobLevel": 1,
        "FreeTranscode": True,
    }
    started = client.start(InventoryRequest("n", "Job", {"Object": "a/b"}, operation), GO)
    assert (started.phase, started.state) == (Phase.PENDING, "")
    root = ET.fromstring(script.sent[0][3])
    assert [child.tag for child in root] == ["Name", "Type", "Input", "Operation"]
    assert [child.tag for child in root[3]] == list(operation)
    assert [child.text for child in root[3][1]] == ["t1", "t2", None]
    assert [child.text for child in root[3][2:]] == ["a<b>&\"'\r\n]]>中", "1", "true"]


@pytest.mark.parametrize(
    "operation",
    [{"a b": "x"}, {"": "x"}, {"T": "a\x00"}, {"T": "\ud800"}, {"T": {"<": "x"}}, {"@a": "x"}, {"T": ["\ufffe"]}],
)
def test_malformed_xml_is_never_sent(operation: dict[str, Any]) -> None:
    client, script = jobs(says(""))
    with pytest.raises(InvalidConfiguration):
        client.start(InventoryRequest("n", "Job", {"Object": "a"}, operation), GO)
    assert not script.sent


def test_half_a_character_is_never_sent() -> None:
    client, script = runs(says(""))
    with pytest.raises(InvalidConfiguration):
        client.start(WorkflowRequest("w1", "a\ud800"), GO)
    assert not script.sent


@pytest.mark.parametrize("bucket", ["", "media", "evil.example/-1", "a-1.evil.example#-1", "-1", "a_b-1", "a-1\n"])
def test_a_bucket_cannot_change_the_host(bucket: str) -> None:
    with pytest.raises(InvalidConfiguration, match="bucket"):
        runs(bucket=bucket)
    with pytest.raises(InvalidConfiguration, match="region"):
        runs(region=f"{bucket}/")


@pytest.mark.parametrize("domain", [None, "tencentci.cn"])
def test_the_domain_is_a_part_of_the_host_that_is_signed(domain: str | None) -> None:
    host = f"media-1250000000.ci.ap-beijing.{domain or 'myqcloud.com'}"
    with service(lambda _: recorded("printed-trigger")) as (endpoint, received):
        runs(transport=Transport(), endpoint=endpoint, domain=domain)[0].start(SEED_RUN, GO)
    assert received[0][1]["Host"] == host
    with pytest.raises(InvalidConfiguration, match="is not a domain"):
        runs(domain="evil.example/?")


# --- get


def test_get_execution() -> None:
    client, script = runs(says(recorded("execution-one-task")))
    found = client.get(RECORDED)
    assert (found.id, found.phase, found.request_id) == (RECORDED, Phase.SUCCEEDED, "NjJmMjA1OTlfZGM0OGE5MDlf")
    assert script.sent[0][:2] == ("GET", f"/workflowexecution/{RECORDED}")


@pytest.mark.parametrize("id", ["a/../b", "a\r\nHost: evil", "a?cancel", "a#b", "a%2Fb", "中"])
def test_an_id_stays_one_segment(id: str) -> None:
    client, script = runs(says(recorded("execution-one-task")))
    with pytest.raises(Unavailable, match="is not about run"):
        client.get(id)
    path = script.sent[0][1].removeprefix("/workflowexecution/")
    assert not set(path) & set("/?# \r\n")


@pytest.mark.parametrize("id", ["", " ", ".", "..", "\ud800"])
def test_what_cannot_be_an_id(id: str) -> None:
    client, script = runs(says(""))
    with pytest.raises(InvalidConfiguration):
        client.get(id)
    assert not script.sent


def test_unknown_runs() -> None:
    with pytest.raises(NotFound):
        runs(error("WorkflowExecutionNotFound", 404))[0].get("i1")
    with pytest.raises(NotFound):
        runs(error("WorkflowExecutionNotFound.X", 400))[0].get("i1")
    with pytest.raises(NotFound):
        jobs(says(recorded("job-unknown")))[0].get("b404")


def test_another_404_is_not_an_unknown_run() -> None:
    for answer in (error("NoSuchBucket", 404), says("<html>not found</html>", 404)):
        with pytest.raises(Refused) as caught:
            runs(answer)[0].get("i1")
        assert not isinstance(caught.value, NotFound)


@pytest.mark.parametrize("answer", [error("X", 500), error("SlowDown", 400), says("", 429), says("", 408)])
def test_get_that_is_not_answered(answer: Answer) -> None:
    with pytest.raises(Unavailable, match="Tencent CI did not answer GET /workflowexecution/i1"):
        runs(answer)[0].get("i1")


@pytest.mark.parametrize(
    "body", ["", "<html/>", "<Response/>", "<Response>", "{}", "<Response>x</Response>", "<Other/>"]
)
def test_get_that_cannot_be_read(body: str) -> None:
    for get in (runs(says(body))[0].get, jobs(says(body))[0].get):
        with pytest.raises(Unavailable):
            get("x1")


# --- find


def test_find_executions() -> None:
    client, script = runs(says(recorded("executions-many")), says(recorded("executions-none"), Date=DATE))
    found = client.find(SEED_RUN, SINCE, soon())
    assert found.server_time == datetime(2022, 7, 14, 12, 37, 29, tzinfo=timezone.utc)
    began = datetime(2022, 8, 9, 6, 54, 17, tzinfo=timezone.utc)
    # i2 is of another object and i4 began before; i3 tells a URL, and i5 a time that cannot be read
    assert found.candidates == (
        Candidate("i1", began, phase=Phase.SUCCEEDED),
        Candidate("i3", began, phase=Phase.SUCCEEDED),
        Candidate("i5", None, phase=Phase.SUCCEEDED),
    )
    first, second = (dict(sent[2]) for sent in script.sent)
    assert first == {
        "workflowId": SEED_RUN.workflow_id,
        "startCreationTime": "2022-08-09T06:50:00+0000",
        "size": "100",
    }
    assert second == {**first, "nextToken": "25"}


def test_find_in_lists_of_one_and_none() -> None:
    assert [c.id for c in runs(says(recorded("executions-one")))[0].find(SEED_RUN, SINCE, soon()).candidates] == ["i1"]
    assert runs(says(recorded("executions-none")))[0].find(SEED_RUN, SINCE, soon()).candidates == ()
    for inner in ("<RequestId>r</RequestId>", "<WorkflowExecutionList/>", "<NextToken/><TotalCount>0</TotalCount>"):
        none = f"<Response>{inner}</Response>"
        assert runs(says(none))[0].find(SEED_RUN, SINCE, soon()).candidates == ()


def test_a_run_of_the_same_second_is_not_hidden() -> None:
    client, _ = runs(says(recorded("executions-one")))
    assert client.find(SEED_RUN, datetime(2022, 8, 9, 6, 54, 17, 999, tzinfo=timezone.utc), soon()).candidates
    assert not client.find(SEED_RUN, datetime(2022, 8, 9, 6, 54, 18, tzinfo=timezone.utc), soon()).candidates
    ahead = SINCE.astimezone(timezone(timedelta(hours=8)))
    assert client.find(SEED_RUN, ahead, soon()).candidates


def page(number: int, token: str) -> Answer:
    row = f"<RunId>i{number}</RunId><Object>test.mp4</Object><CreateTime>2022-08-09T14:54:17+08:00</CreateTime>"
    return says(
        f"<Response><WorkflowExecutionList>{row}</WorkflowExecutionList><NextToken>{token}</NextToken></Response>"
    )


def test_all_pages_or_none() -> None:
    whole = [page(number, str(number + 1)) for number in range(PAGES - 1)]
    assert len(runs(*whole, page(PAGES, ""))[0].find(SEED_RUN, SINCE, soon()).candidates) == PAGES
    with pytest.raises(Unavailable, match="cannot list them all"):
        runs(*whole, page(PAGES, "more"))[0].find(SEED_RUN, SINCE, soon())
    with pytest.raises(Unavailable, match="cannot list them all"):
        runs(page(1, "a"), page(2, "b"), page(3, "a"))[0].find(SEED_RUN, SINCE, soon())


@pytest.mark.parametrize(
    "answer",
    [
        says("<Response><WorkflowExecutionList>x</WorkflowExecutionList></Response>"),
        says("<Response><WorkflowExecutionList><Object>test.mp4</Object></WorkflowExecutionList></Response>"),
        says("<Response><WorkflowExecutionList><RunId>i1</RunId></WorkflowExecutionList></Response>"),
        says("<Response><Workflow"),
        says("<html/>"),
        says(""),
        error("InternalError", 500),
        Unavailable("gone"),
    ],
)
def test_a_list_that_cannot_be_read_is_not_an_empty_one(answer: Answer | Exception) -> None:
    for answers in ([answer], [page(1, "a"), answer]):
        with pytest.raises(Unavailable):
            runs(*answers)[0].find(SEED_RUN, SINCE, soon())


def listed(*changes: tuple[str, str]) -> Answer:
    body = recorded("printed-job").decode()
    for old, new in changes:
        assert old in body
        body = body.replace(old, new)
    return says(body)


JOB_SINCE = datetime(2022, 6, 27, 7, tzinfo=timezone.utc)


def found_jobs(answer: Answer, **change: Any) -> tuple[Candidate, ...]:
    client, script = jobs(answer)
    found = client.find(InventoryRequest(**{**vars(SEED_JOB), **change}), JOB_SINCE, soon())
    assert [name for name, _ in script.sent[0][2]] == ["type", "startCreationTime", "size"]
    return found.candidates


def test_find_jobs() -> None:
    began = datetime(2022, 6, 27, 7, 23, 10, tzinfo=timezone.utc)
    id = "b3deffea2f84911ec9cb15254008618d9"
    plain = Candidate(id, began, phase=Phase.RUNNING)
    proof = replace(plain, proof=True)
    assert found_jobs(listed()) == (plain,)
    assert found_jobs(listed(), marker="demo") == (proof,)
    assert found_jobs(listed(), marker="demo", input={"Prefix": "other"}) == (proof,)
    assert found_jobs(listed(), input={"Prefix": "other"}) == ()
    assert found_jobs(listed(), input={"Object": "input"}) == (plain,)  # an echo without it says nothing
    assert found_jobs(listed(("<WorkflowIds>w7", "<WorkflowIds>w8"))) == ()
    assert found_jobs(listed(("2022-02-01T12:00:00+0800", "2022-02-01T04:00:00Z"))) == (plain,)
    assert found_jobs(listed(("<Name>demo<", "<Name>demo2<"))) == ()
    assert found_jobs(listed(("<Type>Workflow<", "<Type>Job<"))) == ()
    with pytest.raises(Unavailable, match="without Name"):
        found_jobs(listed(("<Name>demo</Name>", "")))


# --- executions of a job


def test_executions_are_counted_by_state() -> None:
    client, script = jobs(listed(), says(recorded("executions-many")), page(1, ""))
    counts = client.executions(client.job("b3deffea2f84911ec9cb15254008618d9"))
    assert counts == {"": 1, "Success": 4}  # i1 is on both pages and its later state counts
    assert dict(script.sent[1][2]) == {
        "workflowId": "w7476ff3564ee45b7b490d64bccaba6cc",
        "jobId": "b3deffea2f84911ec9cb15254008618d9",
        "size": "100",
    }


# --- cancel


def test_cancel() -> None:
    client, script = jobs(says(""))
    client.cancel("b1")
    assert script.sent == [("PUT", "/inventorytriggerjob/b1", [("cancel", None)], b"")]


@pytest.mark.parametrize(("id", "after"), [("b1", "job-failed"), ("b404", "job-unknown")])
def test_cancel_of_a_job_that_has_ended_or_is_unknown(id: str, after: str) -> None:
    client, script = jobs(error("JobCannotCancel", 400), says(recorded(after)))
    client.cancel(id)
    assert [sent[0] for sent in script.sent] == ["PUT", "GET"]


@pytest.mark.parametrize("after", [listed(), error("AccessDenied", 403), error("X", 500)])
def test_cancel_that_is_refused(after: Answer) -> None:
    client, _ = jobs(error("AccessDenied", 403), after)
    with pytest.raises(Refused, match="refused PUT /inventorytriggerjob/b1: 403"):
        client.cancel("b1")


def test_a_workflow_execution_cannot_be_cancelled() -> None:
    client, script = runs(says(""))
    with pytest.raises(RunsError, match="no API that cancels a workflow execution"):
        client.cancel("i1")
    assert not script.sent


# --- answers of any shape


SHAPES: list[str] = [
    "<a/>", "<a>x</a><a/>", "<a b='c'>x</a>", "<a><b/></a>", "<a>99999999999999999999999999</a>", "<a>\u202e</a>",
]  # fmt: skip
NAMES = ["JobsDetail", "WorkflowExecution", "WorkflowExecutionList", "NextToken", "RequestId", "NonExistJobIds"]


@pytest.mark.parametrize("form", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_errors_are_ours(name: str, form: str) -> None:
    inner = form.replace("<a", f"<{name}").replace("</a", f"</{name}")
    calls: list[Callable[[], object]] = []
    for body in (inner, f"<Response>{inner}</Response>", f"<Response><JobsDetail>{inner}</JobsDetail></Response>"):
        for status in (200, 400):
            run, job = runs(says(body, status))[0], jobs(says(body, status))[0]
            calls += [
                lambda c=run: c.start(SEED_RUN, GO),
                lambda c=run: c.get("x"),
                lambda c=run: c.find(SEED_RUN, SINCE, soon()),
            ]
            calls += [
                lambda c=job: c.start(SEED_JOB, GO),
                lambda c=job: c.get("x"),
                lambda c=job: c.find(SEED_JOB, SINCE, soon()),
            ]
            calls += [lambda c=job: c.cancel("x")]
    for call in calls:
        try:
            call()
        except RunsError as raised:
            assert "\u202e" not in str(raised)  # noqa: PT017
