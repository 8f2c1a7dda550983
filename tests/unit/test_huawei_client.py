"""The Huawei client: what it sends, and what it makes of every kind of answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
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
from cloud_runs.huawei import finding as module
from cloud_runs.huawei.client import WorkflowClient
from cloud_runs.huawei.codes import HINTS
from cloud_runs.huawei.finding import WorkflowRequest, differences
from cloud_runs.runs import Candidate, Phase
from cloud_runs.wire.calls import PAGES
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer, Transport
from tests.support.clients import GO, Answering, Scripted, says, service, soon

RECORDINGS = Path(__file__).parents[1] / "recordings" / "huawei"
KEYS = Credentials("AKhunter1", "s3cret-hunter2", "t0ken-hunter3", "environment HW_ACCESS_KEY")
SEED_RUN = WorkflowRequest("demo-bucket", "/mpc/demo.mp4", {"template-id": 1234567.0})
SINCE = datetime(2020, 4, 23, 13, tzinfo=timezone.utc)
BEGAN = "2020-04-23T13:37:43.847Z"
AT = datetime(2020, 4, 23, 13, 37, 43, 847000, tzinfo=timezone.utc)
DATE = "Thu, 27 Aug 2020 12:38:10 GMT"
HOST = "obs.cn-north-4.myhuaweicloud.com"


def recorded(name: str) -> bytes:
    return (RECORDINGS / name).read_bytes()


def xml_error(code: str, status: int = 400, message: str = "") -> Answer:
    return says(f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>r1</RequestId></Error>", status)


def json_error(code: str, status: int = 400, message: str = "") -> Answer:
    return says({"code": code, "message": message, "request_id": "r1"}, status)


STARTED = says({"execution_name": "e1", "execution_urn": "u", "started_at": BEGAN})


def runs(*answers: Answer | Exception, transport: Any = None, **kwargs: Any) -> tuple[WorkflowClient, Scripted]:
    script = transport or Scripted(f"https://{HOST}", *answers)
    sleep = getattr(script, "slept", []).append
    options = {"region": "cn-north-4", "graph_name": "scan", "sleep": sleep, "clock": lambda: 1598531890.0, **kwargs}
    return WorkflowClient(script, KEYS, **options), script


# --- the sample of the vendor's page obs_04_0127, on the wire


def test_the_request_of_the_page_and_its_answer() -> None:
    answer = recorded("printed-start.json")
    with service(lambda _: answer, Date=DATE, X_Request_ID="000001742FE8FB3CCA20173B00807C43") as (endpoint, received):
        client, _ = runs(transport=Transport(), endpoint=endpoint)
        started = client.start(SEED_RUN, GO)
    line, headers, body = received[0]
    assert line == "POST /v2/workflows/scan HTTP/1.1"
    assert headers["Host"] == HOST
    assert headers["Content-Type"] == "application/json"
    assert headers["Date"] == DATE
    assert headers["Content-Length"] == str(len(body))
    assert re.fullmatch("OBS AKhunter1:[A-Za-z0-9+/]{27}=", headers["Authorization"])
    assert headers["x-obs-security-token"] == KEYS.token
    printed = recorded("printed-request.txt").decode()
    sample = printed.replace("<parameter-name>", "template-id").replace("<parameter-value>", "1234567")
    assert sample != printed
    assert json.loads(body) == json.loads(sample)
    assert list(json.loads(body)) == list(json.loads(sample))
    assert started.id == "<execution_name>"
    assert started.at == datetime(2020, 8, 27, 12, 38, 10, tzinfo=timezone.utc)
    assert started.request_id == "000001742FE8FB3CCA20173B00807C43"
    assert (started.phase, started.state) == (Phase.PENDING, "")
    assert started.details == {
        "execution_urn": "urn:fgs:<region_id>:<project_id>:execution:<graph_name>:<execution_name>:<domain_id>",
        "created_at": "2020-04-23T13:37:43.847000Z",
        "started_at": "2020-04-23T13:37:43.847000Z",
    }


def test_reads_are_signed_and_typed_like_the_sdks() -> None:
    answers = [recorded("sample-get.json"), b'{"count": 0, "executions": [], "is_truncated": false}']
    with service(lambda _: answers.pop(0), Date=DATE) as (endpoint, received):
        client, _ = runs(transport=Transport(), endpoint=endpoint)
        assert client.get("<execution_name>").phase is Phase.RUNNING
        assert client.find(SEED_RUN, SINCE, soon()).candidates == ()
    assert [line for line, _, _ in received] == [
        "GET /v2/workflowexecutions/%3Cexecution_name%3E?x-workflow-graph-name=scan HTTP/1.1",
        "GET /v2/workflowexecutions?x-workflow-graph-name=scan&x-workflow-execution-type=APICALL"
        "&x-workflow-limit=1000 HTTP/1.1",
    ]
    assert all(headers["Content-Type"] == "application/json" for _, headers, _ in received)


# --- start: what is sent


def body_of(request: WorkflowRequest) -> bytes:
    client, script = runs(STARTED)
    client.start(request, GO)
    (sent,) = script.sent
    assert sent[:3] == ("POST", "/v2/workflows/scan", []), "a query could create a workflow"
    return sent[3]


def test_the_body_is_the_sdks_byte_for_byte() -> None:
    body = body_of(WorkflowRequest("demo-bucket", "mpc/demo.mp4", {"transcode-template-id": 1234567.0}))
    assert body == (
        b'{"bucket": "demo-bucket", "object": "mpc/demo.mp4", "inputs": {"transcode-template-id": 1234567}}'
    )
    assert len(body) == 97


@pytest.mark.parametrize("inputs", [{}, {"a": None}])
def test_empty_inputs_are_left_out(inputs: dict[str, Any]) -> None:
    assert body_of(WorkflowRequest("b", "o", inputs)) == b'{"bucket": "b", "object": "o"}'


@pytest.mark.parametrize("key", ["/mpc/demo.mp4", "mpc/demo.mp4", "//a", "a b/中?x=1#y%20", " a "])
def test_the_object_is_sent_unchanged(key: str) -> None:
    body = body_of(WorkflowRequest("b", key))
    assert json.loads(body)["object"] == key
    assert key.encode() in body, "UTF-8, not escaped"


def test_numbers_are_sent_as_they_were_meant() -> None:
    inputs = {"a": 5.0, "b": -0.0, "c": 1.5, "d": [2.0, {"e": 3.0}], "f": True, "g": "5.0", "h": 2.0**53 - 1}
    body = body_of(WorkflowRequest("b", "o", inputs))
    assert body.endswith(
        b'"inputs": {"a": 5, "b": 0, "c": 1.5, "d": [2, {"e": 3}], "f": true, "g": "5.0", "h": 9007199254740991}}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", b"x", {1, 2}, {"a": object()}])
def test_what_json_cannot_hold_is_never_sent(value: Any) -> None:
    client, script = runs(STARTED)
    with pytest.raises(InvalidConfiguration):
        client.start(WorkflowRequest("b", "o", {"a": value}), GO)
    assert not script.sent


@pytest.mark.parametrize("graph", ["", "a?x-workflow-create", "a/b", "..", "-a", "a" * 65, "a\n", "中", "a%3F"])
def test_a_graph_name_cannot_change_the_request(graph: str) -> None:
    with pytest.raises(InvalidConfiguration, match="graph_name"):
        runs(graph_name=graph)


@pytest.mark.parametrize("region", ["", "evil.example/", "a#", "a.evil", "cn-north-4\n"])
def test_a_region_cannot_change_the_host(region: str) -> None:
    with pytest.raises(InvalidConfiguration, match="region"):
        runs(region=region)


@pytest.mark.parametrize(
    ("region", "domain", "host"),
    [
        ("cn-north-4", None, "obs.cn-north-4.myhuaweicloud.com"),
        ("eu-west-101", None, "obs.eu-west-101.myhuaweicloud.eu"),
        ("eu-west-0", None, "obs.eu-west-0.myhuaweicloud.com"),
        ("eu-west-101", "myhuaweicloud.com", "obs.eu-west-101.myhuaweicloud.com"),
        ("eu-west-0", "prod-cloud-ocb.orange-business.com", "obs.eu-west-0.prod-cloud-ocb.orange-business.com"),
    ],
)
def test_the_host_is_that_of_the_cloud_of_the_region(region: str, domain: str | None, host: str) -> None:
    """By the rule of Terraform's provider; the Host header stays when the bytes go elsewhere."""
    with service(lambda _: b'{"execution_name": "e1"}') as (endpoint, received):
        client, _ = runs(transport=Transport(), endpoint=endpoint, region=region, domain=domain)
        client.start(SEED_RUN, GO)
    assert received[0][1]["Host"] == host
    script = Scripted(f"https://{host}", STARTED)
    runs(transport=script, region=region, domain=domain)[0].start(SEED_RUN, GO)
    assert script.sent[0][1] == "/v2/workflows/scan", "sent to that host"


@pytest.mark.parametrize(
    "domain", ["evil", "evil.example/", "a b.c", ".evil.example", "a..b", "x" * 300 + ".y", "a.b:1"]
)
def test_a_domain_cannot_change_the_request(domain: str) -> None:
    with pytest.raises(InvalidConfiguration, match="is not a domain"):
        runs(domain=domain)


# --- start: what the answer means


def test_without_a_date_our_own_clock_counts() -> None:
    client, _ = runs(says({"execution_name": "e1"}, x_obs_request_id="h"))
    started = client.start(SEED_RUN, GO)
    assert (started.at.timestamp(), started.request_id) == (1598531890.0, "h")
    assert started.details == {"execution_urn": "", "created_at": "", "started_at": ""}


def test_an_answer_that_breaks_off_after_the_id() -> None:
    client, _ = runs(says('{"execution_name": "e1", "execution_u', complete=False))
    assert client.start(SEED_RUN, GO).id == "e1"


@pytest.mark.parametrize("value", [None, 7, [], {}, "\ud800", "x" * 9999, "\x1b[31m"])
def test_nothing_raises_after_the_id(value: Any) -> None:
    client, _ = runs(says({"execution_name": "e1", "execution_urn": value, "started_at": value}))
    json.dumps(client.start(SEED_RUN, GO).details).encode()


@pytest.mark.parametrize(
    "answer",
    [
        says(""),
        says("<html>log in</html>"),
        says({"execution_urn": "u"}),
        says({"code": "SYS.0001"}),
        says('{"execution_name": "e1", "execution_name": "e2"}'),
        says('{"execution_name": "e1', complete=False),
        says({"execution_name": "e1"}, 500),
        xml_error("InternalError", 500),
        xml_error("ServiceUnavailable", 503),
        xml_error("RequestTimeout", 408),
        json_error("SYS.0001", 500),
        json_error("SYS.0042", 500),
        says("", 502),
    ],
)
def test_start_whose_outcome_is_unknown(answer: Answer) -> None:
    client, script = runs(answer)
    with pytest.raises(UnknownOutcome, match=r"POST /v2/workflows/scan"):
        client.start(SEED_RUN, GO)
    assert len(script.sent) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 405, 409, 411, 431, 451])
def test_start_that_is_refused(status: int) -> None:
    for answer in (xml_error("X", status), json_error("X", status), says("", status), says("<html>", status)):
        with pytest.raises(Refused, match=f"Huawei OBS refused POST /v2/workflows/scan: {status}") as caught:
            runs(answer)[0].start(SEED_RUN, GO)
        assert caught.value.status == status
        assert not isinstance(caught.value, (Throttled, NotFound))
        if status in (401, 403):
            assert KEYS.source in str(caught.value)


# https://support.huaweicloud.com/api-obs/obs_04_0115.html, tables 2 and 3, row by row: status, codes
DOCUMENTED: list[tuple[int, str]] = [
    (500, "SYS.0001 SYS.0008 SYS.0016 SYS.0018 SYS.0019 SYS.0020 SYS.0024 SYS.0025 SYS.0026"),
    (500, "SYS.0031 SYS.0032 SYS.0033 SYS.0034 SYS.0035 SYS.0039 SYS.0040 SYS.0042 SYS.0043 SYS.0044"),
    (404, "SYS.0003 SYS.0014 SYS.0015 NoSuchBucket NoSuchKey"),
    (401, "SYS.0004"),
    (403, "SYS.0005 SYS.0013 SYS.0021 SYS.0022"),
    (400, "SYS.0006 SYS.0007 SYS.0010 SYS.0012 SYS.0023 SYS.0027 SYS.0028 SYS.0029 SYS.0030 SYS.0036 SYS.0037"),
    (400, "SYS.0038 SYS.0041 BadRequest InvalidArgument InvalidRequest InvalidRequestBody MissingRequiredHeader"),
    (400, "UnexpectedContent TooManyWrongSignature"),
    (431, "SYS.0009"),
    (429, "SYS.0011"),
    (301, "PermanentRedirect"),
    (307, "TemporaryRedirect"),
    (403, "AccessDenied InvalidAccessKeyId SignatureDoesNotMatch RequestTimeTooSkewed NotSignedUp DeregisterUserId"),
    (403, "InArrearOrInsufficientBalance Unauthorized VirtualHostDomainRequired"),
    (405, "MethodNotAllowed FsNotSupport"),
    (408, "RequestTimeout"),
    (409, "OperationAborted ServiceNotSupported"),
    (411, "MissingContentLength"),
    (500, "InternalError"),
    (501, "ServiceNotImplemented"),
    (503, "ServiceUnavailable SlowDown"),
]
ROWS = [(status, code) for status, codes in DOCUMENTED for code in codes.split()]
THROTTLED = {"SYS.0011", "SlowDown"}
REFUSED_WITH_500 = {"SYS.0008", "ServiceNotImplemented"}


def test_the_table_is_the_facts() -> None:
    assert {code for _, code in ROWS} == set(HINTS)
    assert len(ROWS) == len(HINTS)


@pytest.mark.parametrize(("status", "code"), ROWS)
def test_every_documented_code_has_its_kind_and_a_hint(status: int, code: str) -> None:
    forms = [says({"error_code": code, "error_msg": "m", "request_id": "r1"}, status)]
    forms += [xml_error(code, status, "m"), json_error(code, status, "m"), says({"code": code, "message": "m"}, status)]
    for answer in forms:
        client, script = runs(answer)
        expected: type[RunsError] = UnknownOutcome
        if code in THROTTLED:
            expected = Throttled
        elif (status in range(300, 500) and status != 408) or code in REFUSED_WITH_500:
            expected = Refused
        with pytest.raises(expected) as caught:
            client.start(SEED_RUN, GO)
        assert type(caught.value) is expected
        text = str(caught.value)
        assert f"{status} {code}: m" in text
        assert "{" not in text
        hint = HINTS[code].split("{")[0].rstrip(". ")
        assert hint in text
        assert text.endswith(".")
        assert len(script.sent) == 1
        with pytest.raises((Refused, Unavailable)) as read:
            runs(answer)[0].get("e1")
        assert isinstance(read.value, Refused) is (expected is Refused), "what a start does not know a read asks again"
        assert not isinstance(read.value, NotFound)


def test_text_of_a_refusal() -> None:
    client, _ = runs(says(recorded("error-obs.xml"), 404))
    with pytest.raises(Refused) as caught:
        client.start(SEED_RUN, GO)
    assert str(caught.value).startswith(
        "Huawei OBS refused POST /v2/workflows/scan: 404 NoSuchKey: The resource you requested does not exist (request "
        "001B21A61C6C0000013402C4616D5285). Check that the object exists in the bucket."
    )


def test_access_denied_names_the_right_and_the_source() -> None:
    with pytest.raises(Refused, match=r"dwr:workflow:executeAsync on workflow scan; .* environment HW_ACCESS_KEY\.$"):
        runs(xml_error("AccessDenied", 403))[0].start(SEED_RUN, GO)
    with pytest.raises(Refused, match=r"dwr:workflow:list\*"):
        runs(xml_error("AccessDenied", 403))[0].find(SEED_RUN, SINCE, soon())


def test_a_region_without_workflows_says_what_became_of_them() -> None:
    for answer in (xml_error("MethodNotAllowed", 405), json_error("SYS.0003", 404), xml_error("NoSuchBucket", 404)):
        with pytest.raises(Refused, match=r"cn-north-4 offers OBS workflows.*DWR"):
            runs(answer)[0].start(SEED_RUN, GO)


@pytest.mark.parametrize("name", ["X-Request-ID", "x-obs-request-id", "x-amz-request-id", "x-oef-request-id"])
def test_each_name_of_the_request_id(name: str) -> None:
    with pytest.raises(Refused, match=r"400 \(request h\)"):
        runs(says("", 400, **{name.replace("-", "_"): "h"}))[0].start(SEED_RUN, GO)


def test_errors_in_other_forms() -> None:
    with pytest.raises(Refused, match=r"400 1020: no \(request j\)"):
        runs(says('\n {"code": 1020, "message": "no", "request_id": "j"}', 400, Content_Type="text/html"))[0].get("e")
    bodies = ["[]", "{", '{"code": [1], "message": 3}', "1" * 5000, "<Error><Code><a/></Code></Error>", "<Error/>", "<"]
    bodies += ["{" * 100_000, "<Error>" * 10_000, '<Error><Code a="b">X</Code></Error>', '{"code": NaN}']
    for body in bodies:
        with pytest.raises(Refused):
            runs(says(body, 400))[0].start(SEED_RUN, GO)


THROTTLING = [xml_error("SlowDown", 503), json_error("SYS.0011", 500), json_error("SYS.0011", 429)]


@pytest.mark.parametrize("answer", THROTTLING)
def test_a_start_is_not_repeated_when_throttled(answer: Answer) -> None:
    client, script = runs(answer, STARTED)
    with pytest.raises(Throttled, match="try again later"):
        client.start(SEED_RUN, GO)
    assert len(script.sent) == 1
    assert not script.slept


@pytest.mark.parametrize(("answer", "tries"), list(zip(THROTTLING, (4, 4, 1), strict=True)))
def test_a_question_is_asked_again_when_throttled(answer: Answer, tries: int) -> None:
    client, script = runs(answer)
    with pytest.raises(Unavailable, match="try again later"):
        client.get("e1")
    assert len(script.sent) == tries  # the transport has tried 429 again already
    if tries > 1:
        client, script = runs(answer, answer, says(recorded("get-failed.json")))
        assert client.get("e1").phase is Phase.FAILED
        assert len(script.slept) == 2


@pytest.mark.parametrize("kind", [NotReached, UnknownOutcome])
def test_errors_of_the_transport_keep_their_kind(kind: type[RunsError]) -> None:
    client, script = runs(kind("POST /v2/workflows/scan to h: because"))
    with pytest.raises(kind, match=r"^Huawei OBS .*: because$"):
        client.start(SEED_RUN, GO)
    assert len(script.sent) == 1


def test_a_server_that_sends_back_what_it_was_sent() -> None:
    echo = f"{KEYS.token} {KEYS.secret} {KEYS.id} OBS AK:c2lnbmF0dXJl="
    for status in (400, 500):
        for answer in (xml_error("A" + KEYS.token, status, echo), json_error("A" + KEYS.token, status, echo)):
            with pytest.raises(RunsError) as caught:
                runs(answer)[0].start(SEED_RUN, GO)
            assert "hunter" not in str(caught.value)
            assert "c2lnbmF0dXJl" not in str(caught.value)


# --- get


def test_get() -> None:
    client, script = runs(says(recorded("get-failed.json"), X_Request_ID="r"))
    found = client.get("e1")
    assert (found.id, found.phase, found.request_id) == ("e1", Phase.FAILED, "r")
    assert script.sent == [("GET", "/v2/workflowexecutions/e1", [("x-workflow-graph-name", "scan")], b"")]


@pytest.mark.parametrize("id", ["a/../b", "a\r\nHost: evil", "a?x-workflow-prefix", "a#b", "a%2Fb", "中"])
def test_an_id_stays_one_segment(id: str) -> None:
    client, script = runs(says(recorded("get-failed.json")))
    with pytest.raises(Unavailable, match="is not about run"):  # but about e1
        client.get(id)
    path = script.sent[0][1].removeprefix("/v2/workflowexecutions/")
    assert not set(path) & set("/?# \r\n")


@pytest.mark.parametrize("id", ["", " ", ".", "..", "\ud800"])
def test_what_cannot_be_an_id(id: str) -> None:
    client, script = runs(says(""))
    with pytest.raises(InvalidConfiguration):
        client.get(id)
    assert not script.sent


@pytest.mark.parametrize(
    "answer",
    [
        json_error("WorkflowExecutionNotFound", 404),
        json_error("SYS.4711", 404, "no such execution"),
        says({"error_msg": "execution not found"}, 404),
        json_error("SYS.4711", 400, "The execution does not exist"),
        xml_error("Anything", 404),
    ],
)
def test_an_unknown_run(answer: Answer) -> None:
    with pytest.raises(NotFound, match="Check the execution's name"):
        runs(answer)[0].get("e1")
    with pytest.raises(Refused) as caught:
        runs(answer)[0].start(SEED_RUN, GO)
    assert not isinstance(caught.value, NotFound)


@pytest.mark.parametrize(
    "answer",
    [
        says("<html>not found</html>", 404),
        says("", 404),
        xml_error("NoSuchBucket", 404),
        json_error("SYS.0003", 404, "not found"),
        json_error("SYS.0010", 400, "parameter not found"),
        json_error("SYS.4711", 400, "no"),
        json_error("X", 403, "not found"),
    ],
)
def test_another_refusal_is_not_an_unknown_run(answer: Answer) -> None:
    with pytest.raises(Refused) as caught:
        runs(answer)[0].get("e1")
    assert not isinstance(caught.value, NotFound)


@pytest.mark.parametrize("answer", [xml_error("X", 500), xml_error("SlowDown", 503), says("", 429), says("", 408)])
def test_get_that_is_not_answered(answer: Answer) -> None:
    with pytest.raises(Unavailable, match="Huawei OBS did not answer GET /v2/workflowexecutions/e1"):
        runs(answer)[0].get("e1")


@pytest.mark.parametrize(
    "body",
    ["", "<html/>", "{}", "[]", "null", '{"execution_info": []}', '{"execution_info": {}}', '{"execution_info"', "NaN"],
)
def test_get_that_cannot_be_read(body: str) -> None:
    with pytest.raises(Unavailable):
        runs(says(body))[0].get("e1")


# --- when a run ended


def row(name: str, began: Any = BEGAN, **more: Any) -> dict[str, Any]:
    return {"execution_name": name, "started_at": began, "execution_type": "APICALL", **more}


def page(*rows: Any, marker: str = "") -> Answer:
    more = {"is_truncated": True, "next_marker": marker} if marker else {"is_truncated": False}
    return says({"count": len(rows), "executions": list(rows), **more}, Date=DATE)


def info(name: str = "e1", **told: Any) -> Answer:
    return says({"execution_info": {"execution_name": name, "started_at": BEGAN, "input": json.dumps(told)}})


OURS = {"bucket": "demo-bucket", "object": "/mpc/demo.mp4", "inputs": {"template-id": 1234567}}


def test_the_list_tells_when_a_run_ended() -> None:
    ended = row("e12", stopped_at="2020-04-23T13:38:00.5Z")
    client, script = runs(info("e12"), page(row("e11"), ended))
    assert client.stopped_at(client.get("e12")) == "2020-04-23T13:38:00.500000Z"
    assert dict(script.sent[1][2])["x-workflow-next-marker"] == "APICALLe1"
    assert len(script.sent) == 2


@pytest.mark.parametrize("answer", [page(row("e1")), page(), xml_error("X", 500), xml_error("X", 403), says("x")])
def test_when_a_run_ended_may_stay_unknown(answer: Answer) -> None:
    client, _ = runs(info(), answer)
    assert client.stopped_at(client.get("e1")) == ""


# --- find


def found(*answers: Answer | Exception, request: WorkflowRequest = SEED_RUN) -> list[str]:
    client, _ = runs(*answers)
    return [candidate.id for candidate in client.find(request, SINCE, soon()).candidates]


def test_find() -> None:
    rows = [row("e1"), row("old", "2020-04-23T12:59:59.9Z"), row("e2"), row("event", execution_type="TRIGGERCAL")]
    told = {"e1": info(**OURS), "e2": info("e2", **{**OURS, "object": "other"}), "e3": info("e3", **OURS)}

    def answer(_method: str, path: str, query: dict[str, str | None], _body: bytes) -> Answer:
        last = page(row("e3")) if "x-workflow-next-marker" in query else page(*rows, marker="APICALLe2")
        return told.get(path.rpartition("/")[2], last)

    script = Answering(f"https://{HOST}", answer)
    client, _ = runs(transport=script)
    result = client.find(SEED_RUN, SINCE, soon())
    assert result.candidates == (Candidate("e1", AT), Candidate("e3", AT))
    assert result.server_time == datetime(2020, 8, 27, 12, 38, 10, tzinfo=timezone.utc)
    common = {
        "x-workflow-graph-name": "scan",
        "x-workflow-execution-type": "APICALL",
        "x-workflow-limit": "1000",
    }
    assert script.asked[0][1] == common
    assert script.asked[1][1] == {**common, "x-workflow-next-marker": "APICALLe2"}
    assert sorted(path.rpartition("/")[2] for path, _ in script.asked[2:]) == ["e1", "e2", "e3"]


def test_the_list_of_the_page() -> None:
    """Its marker is of the other type: the page lists without one. The sample of `get` tells no input of ours."""
    client, script = runs(says(recorded("sample-list.json")), page(), says(recorded("sample-get.json")))
    assert client.find(SEED_RUN, SINCE, soon()).candidates == (
        Candidate("<execution_name>", AT, exact=False, phase=Phase.RUNNING),
    )
    marker = "TRIGGERCALaa76d0ccc918619a2853ce2c5965c592ca6d8dfa1c39635029dacea2"
    assert dict(script.sent[1][2])["x-workflow-next-marker"] == marker


def test_a_run_is_compared_once() -> None:
    client, script = runs(page(row("e1")), info(**OURS), page(row("e1")))
    assert client.find(SEED_RUN, SINCE, soon()) == client.find(SEED_RUN, SINCE, soon())
    assert len(script.sent) == 3


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ({}, True),
        ({"bucket": "other"}, False),
        ({"object": "mpc/other.mp4"}, False),
        ({"object": "mpc/demo.mp4"}, True),
        ({"inputs": {"template-id": 7}}, False),
        ({"inputs": {"template-id": "1234567"}}, True),
        ({"inputs": {"template-id": 1234567, "default": 1}}, True),
        ({"inputs": {}}, True),
        ({"inputs": None}, True),
        ({"inputs": {"template-id": "******"}}, True),
        ({"more": 1}, True),
    ],
)
def test_what_is_told_and_differs_is_another_run(change: dict[str, Any], ours: bool) -> None:
    assert found(page(row("e1")), info(**{**OURS, **change})) == (["e1"] if ours else [])


@pytest.mark.parametrize("input", [None, "", "x", "[1]", '[{"x":123}]', "{", 7, {}, "null"])
def test_an_input_that_cannot_be_read_hides_no_run(input: Any) -> None:
    answer = says({"execution_info": {"execution_name": "e1", "started_at": BEGAN, "input": input}})
    assert found(page(row("e1")), answer) == ["e1"]


@pytest.mark.parametrize("began", ["", None, 7, "yesterday", "2020-04-23T13:37:43"])
def test_a_time_that_cannot_be_read_hides_no_run(began: Any) -> None:
    unread = {"execution_name": "e1", "input": ""}
    client, _ = runs(page(row("e1", began)), says({"execution_info": {**unread, "started_at": began}}))
    assert client.find(SEED_RUN, SINCE, soon()).candidates == (Candidate("e1", None, exact=False),)
    client, _ = runs(page(row("e1", began)), info(**OURS))
    assert client.find(SEED_RUN, SINCE, soon()).candidates == (Candidate("e1", AT),), "the run itself may tell its time"
    old = says({"execution_info": {**unread, "started_at": "2020-04-23T12:00:00Z"}})
    assert found(page(row("e1", began)), old) == []


def test_a_listed_run_that_get_does_not_know_is_not_hidden() -> None:
    assert found(page(row("e1")), json_error("WorkflowExecutionNotFound", 404)) == ["e1"]


def test_a_type_that_is_not_told_hides_no_run() -> None:
    for kind in (None, "", 7, "SOMETHING"):
        assert found(page(row("e1", execution_type=kind)), info(**OURS)) == ["e1"]


def test_a_run_of_the_same_second_is_not_hidden() -> None:
    for since in (SINCE + timedelta(milliseconds=900), SINCE.astimezone(timezone(timedelta(hours=8)))):
        client, _ = runs(page(row("e1", "2020-04-23T13:00:00.000Z")), info(**OURS))
        assert client.find(SEED_RUN, since, soon()).candidates


def test_all_pages_or_none() -> None:
    whole = [page(marker=f"m{number}") for number in range(PAGES - 1)]
    assert found(*whole, page()) == []
    with pytest.raises(Unavailable, match="cannot list them all"):
        found(*whole, page(marker="more"))
    with pytest.raises(Unavailable, match="cannot list them all"):
        found(page(marker="a"), page(marker="b"), page(marker="a"))


def test_too_many_to_compare_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKS", 2)
    told = {f"/v2/workflowexecutions/{id}": info(id, **OURS) for id in ("e1", "e2")}
    listed = page(row("e1"), row("e2"))
    client, _ = runs(transport=Answering(f"https://{HOST}", lambda _m, path, _q, _b: told.get(path, listed)))
    assert [candidate.id for candidate in client.find(SEED_RUN, SINCE, soon()).candidates] == ["e1", "e2"]
    with pytest.raises(Unavailable, match="cannot compare them all"):
        found(page(row("e1"), row("e2"), row("e3")), info(**OURS))


@pytest.mark.parametrize(
    "answer",
    [
        says({}),
        says({"executions": None}),
        says({"executions": {}, "is_truncated": False}),
        says({"executions": ["x"], "is_truncated": False}),
        says({"executions": [row("")], "is_truncated": False}),
        says({"executions": [row("..")], "is_truncated": False}),
        says({"executions": [{"started_at": BEGAN}], "is_truncated": False}),
        says({"executions": [], "is_truncated": True}),
        says({"executions": [], "is_truncated": True, "next_marker": 7}),
        says({"executions": [], "is_truncated": "yes", "next_marker": "m"}),
        says({"executions": [], "is_truncated": 0}),
        says('{"executions": [], "is_trunc'),
        says('{"executions": [], "is_truncated": true, "is_truncated": false}'),
        says("[]"),
        says("<html/>"),
        says(""),
        says("[" * 100_000),
        xml_error("InternalError", 500),
        Unavailable("gone"),
    ],
)
def test_a_list_that_cannot_be_read_is_not_an_empty_one(answer: Answer | Exception) -> None:
    for answers in ([answer], [page(marker="a"), answer]):
        with pytest.raises(Unavailable):
            found(*answers)


def test_lists_that_say_little() -> None:
    for answer in ({"executions": []}, {"count": 0}, {"count": 0, "executions": None, "is_truncated": False}):
        assert found(says(answer)) == []
    more = says({"executions": [], "next_marker": "m"})  # without is_truncated
    assert found(more, page(row("e1")), info(**OURS)) == ["e1"]


@pytest.mark.parametrize("answer", [xml_error("X", 500), says("x"), says({}), Unavailable("gone")])
def test_a_run_that_cannot_be_asked_for_stops_the_look_up(answer: Answer | Exception) -> None:
    with pytest.raises(Unavailable):
        found(page(row("e1")), answer)


def test_differences_name_the_argument() -> None:
    told = {"bucket": "x", "object": "y", "inputs": {"template-id": 1}}
    assert list(differences(SEED_RUN, told)) == ["bucket", "object", "inputs.template-id"]
    assert list(differences(SEED_RUN, {})) == []


# --- cancel, and answers of any shape


def test_an_execution_cannot_be_cancelled() -> None:
    client, script = runs(says(""))
    with pytest.raises(RunsError, match="no API that cancels a workflow execution"):
        client.cancel("e1")
    assert not script.sent


VALUES: list[Any] = [None, True, 0, -1, 1e308, 10**299, "", "x", "\u202e\x00", "\ud800", [], [[]], {}, {"a": {}}]
NAMES = ["execution_name", "execution_info", "executions", "next_marker", "is_truncated", "count", "code", "message"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_errors_are_ours(name: str, value: Any) -> None:
    calls: list[Callable[[], object]] = []
    for body in ({name: value}, {"execution_info": {name: value}}, {"executions": [{name: value}], name: value}):
        for status in (200, 400, 404, 500):
            client, _ = runs(says(body, status), says(body, status))
            calls += [lambda c=client: c.start(SEED_RUN, GO), lambda c=client: c.get("x")]
            calls += [lambda c=client: c.find(SEED_RUN, SINCE, soon()), lambda c=client: c.stopped_at(c.get("x"))]
    for call in calls:
        try:
            call()
        except RunsError as raised:
            assert "\u202e" not in str(raised)  # noqa: PT017
            str(raised).encode()
