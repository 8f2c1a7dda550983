"""The client of DWR: what it sends, and what it makes of every kind of answer. What it has in common with that of OBS
workflows (bodies, comparing runs) is in test_huawei_client.py."""

from __future__ import annotations

import json
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
from cloud_runs.huawei.dwr.client import WorkflowClient
from cloud_runs.huawei.dwr.codes import HINTS
from cloud_runs.huawei.dwr.service import LAST_OFFSET, PAGE_ROWS, Window
from cloud_runs.huawei.finding import WorkflowRequest
from cloud_runs.runs import Candidate, Phase, RunStatus
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer, Transport
from tests.support.clients import GO, Answering, Scripted, says, service, soon

RECORDINGS = Path(__file__).parents[1] / "recordings" / "dwr"
KEYS = Credentials("AKhunter1", "s3cret-hunter2", "t0ken-hunter3", "environment HW_ACCESS_KEY")
PROJECT = "0123456789abcdef0123456789abcdef"
RUN = "5f1d3c0a9b7e4d2f8a6c1b0e9d8f7a6b"
HOST = "dwr.cn-south-1.myhuaweicloud.com"
BASE = f"/v3/{PROJECT}"
EXECUTE = f"{BASE}/workflows/scan/execute"
LIST = f"{BASE}/workflowexecutions"
WORK = WorkflowRequest("demo-bucket", "/mpc/demo.mp4", {"template-id": 7.0})
OURS = {"bucket": "demo-bucket", "object": "/mpc/demo.mp4", "inputs": {"template-id": 7}}
NOW = 1768469400.0  # 15 January 2026, 9:30:00 UTC
DATE = "Thu, 15 Jan 2026 09:30:00 GMT"
AT = datetime(2026, 1, 15, 9, 30, tzinfo=timezone.utc)
SINCE = AT - timedelta(minutes=15)


def recorded(name: str) -> bytes:
    return (RECORDINGS / name).read_bytes()


def error(code: Any, status: int = 400, message: str = "") -> Answer:
    return says({"error_code": code, "error_msg": message, "request_id": "r1"}, status)


def runs(*answers: Answer | Exception, transport: Any = None, **kwargs: Any) -> tuple[WorkflowClient, Scripted]:
    script = transport or Scripted(f"https://{HOST}", *answers)
    options = {"region": "cn-south-1", "graph_name": "scan", "project_id": PROJECT, "clock": lambda: NOW}
    sleep = getattr(script, "slept", []).append
    return WorkflowClient(script, KEYS, **{**options, "sleep": sleep, **kwargs}), script


def row(name: str, began: Any = "2026-01-15T09:30:00Z", **more: Any) -> dict[str, Any]:
    return {"execution_name": name, "started_at": began, "execution_type": "APICALL", **more}


def page(*rows: Any, **more: Any) -> Answer:
    return says({"count": len(rows), "executions": list(rows), "is_truncated": bool(more), **more}, Date=DATE)


def shown(name: str = "e1", **told: Any) -> Answer:
    return says({"execution_id": name, "status": "running", "begin_time": "2026-01-15T09:30:00Z", "input": told})


# --- start


def test_what_a_start_sends_and_its_answer() -> None:
    with service(lambda _: recorded("start.json"), Date=DATE, X_Request_ID="req1") as (endpoint, received):
        client, _ = runs(transport=Transport(), endpoint=endpoint)
        started = client.start(WORK, GO)
    line, headers, body = received[0]
    assert line == f"POST {EXECUTE} HTTP/1.1"
    assert (headers["Host"], headers["X-Project-Id"], headers["X-Sdk-Date"]) == (HOST, PROJECT, "20260115T093000Z")
    assert (headers["Content-Type"], headers["X-Security-Token"]) == ("application/json", KEYS.token)
    names = "content-type;host;x-project-id;x-sdk-date;x-security-token"
    assert headers["Authorization"].startswith(f"SDK-HMAC-SHA256 Access=AKhunter1, SignedHeaders={names}, Signature=")
    assert body == b'{"bucket": "demo-bucket", "object": "/mpc/demo.mp4", "inputs": {"template-id": 7}}'
    assert (started.id, started.at, started.request_id) == (RUN, AT, "req1")
    assert started.details == {
        "execution_urn": f"urn:fss:cn-south-1:{PROJECT}:execution:scan:{RUN}",
        "created_at": "2026-01-15T09:30:00Z",
        "started_at": "2026-01-15T09:30:00Z",
    }


@pytest.mark.parametrize(
    ("region", "domain", "cloud"),
    [
        ("cn-south-1", None, "cn-south-1.myhuaweicloud.com"),
        ("eu-west-101", None, "eu-west-101.myhuaweicloud.eu"),
        ("eu-west-0", "prod-cloud-ocb.orange-business.com", "eu-west-0.prod-cloud-ocb.orange-business.com"),
    ],
)
def test_the_hosts_are_those_of_the_cloud(region: str, domain: str | None, cloud: str) -> None:
    urls: list[str] = []

    class Asked(Scripted):
        def read(self, method: str, url: str, **kwargs: Any) -> Answer:
            urls.append(url)
            assert kwargs["headers"]["Host"] == url.split("/")[2]
            return super().read(method, url, **kwargs)

        start = read

    script = Asked("", says(recorded("projects-one.json")), says(recorded("start.json")))
    runs(transport=script, region=region, domain=domain, project_id=None)[0].start(WORK, GO)
    assert urls == [f"https://iam.{cloud}/v3/projects", f"https://dwr.{cloud}{EXECUTE}"]


@pytest.mark.parametrize(
    "change", [{"graph_name": "a/b"}, {"graph_name": ""}, {"region": "evil.example/"}, {"domain": "evil"}]
    + [{"project_id": text} for text in ("..", "a/b", "a?b", "a" * 65, "中")]
)  # fmt: skip
def test_what_is_given_cannot_change_the_request(change: dict[str, str]) -> None:
    with pytest.raises(InvalidConfiguration):
        runs(**change)


@pytest.mark.parametrize(
    "answer",
    [
        says(""),
        says("<html>log in</html>"),
        says({"execution_urn": "u"}),
        says({"code": "SYS.0001"}),
        says({"execution_name": "e1"}, 500),
        error("APIG.0201", 504),
        error("SYS.0042", 500),
        says("<html>Bad Gateway</html>", 502),
        says("", 408),
    ],
)
def test_a_start_whose_outcome_is_unknown(answer: Answer) -> None:
    client, script = runs(answer)
    with pytest.raises(UnknownOutcome, match=f"POST {EXECUTE}"):
        client.start(WORK, GO)
    assert len(script.sent) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 451])
def test_a_start_that_is_refused(status: int) -> None:
    for answer in (error("X", status), error(4711, status), says("", status), says("<html>", status)):
        with pytest.raises(Refused, match=f"Huawei DWR refused POST {EXECUTE}: {status}") as caught:
            runs(answer)[0].start(WORK, GO)
        assert not isinstance(caught.value, (Throttled, NotFound))


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "APIGW.0301", "error_msg": "m"},
        {"errorCode": "APIGW.0301", "errorMsg": "m"},
        {"code": "APIGW.0301", "message": "m"},
        {"error": {"code": "APIGW.0301", "message": "m"}},
        {"error": {"error_code": "APIGW.0301", "error_msg": "m"}},
    ],
)
def test_each_shape_of_an_error(body: dict[str, Any]) -> None:
    """As the vendor's SDK looks for them, in `exceptions/exception_handler.py`."""
    with pytest.raises(Refused, match=r"401 APIGW.0301: m \(request h\)\. Check the key.*clock") as caught:
        runs(says(body, 401, X_Request_Id="h"))[0].start(WORK, GO)
    assert (caught.value.code, caught.value.key_from) == ("APIGW.0301", KEYS.source)


def test_a_code_that_is_a_number_is_told() -> None:
    with pytest.raises(Refused, match=r"400 4711: no"):
        runs(error(4711, 400, "no"))[0].start(WORK, GO)


def test_what_a_404_may_mean_is_told() -> None:
    with pytest.raises(Refused, match=r"Check workflow scan, the project and region cn-south-1.*in cn-south-1 alone"):
        runs(error("", 404))[0].start(WORK, GO)


def test_a_throttled_start_is_not_repeated() -> None:
    for answer in (says(recorded("error-throttled.json"), 429), error("APIG.0308", 503), error("SYS.0011", 500)):
        client, script = runs(answer, says(recorded("start.json")))
        with pytest.raises(Throttled):
            client.start(WORK, GO)
        assert (len(script.sent), script.slept) == (1, [])


@pytest.mark.parametrize("code", HINTS)
def test_every_code_has_a_hint(code: str) -> None:
    with pytest.raises(Refused) as caught:
        runs(error(code, 400, "m"))[0].start(WORK, GO)
    assert HINTS[code].split("{")[0].rstrip(". ") in str(caught.value)
    assert "{" not in str(caught.value)
    assert "OBS workflows" not in str(caught.value)


def test_a_server_that_sends_back_what_it_was_sent() -> None:
    echo = (
        f"{KEYS.token} {KEYS.secret} {KEYS.id} SDK-HMAC-SHA256 Access=AK, SignedHeaders=a;b, Signature=0123456789abcdef"
    )
    for status in (400, 500):
        with pytest.raises(RunsError) as caught:
            runs(error("A" + KEYS.token, status, echo))[0].start(WORK, GO)
        assert "hunter" not in str(caught.value)
        assert "0123456789abcdef" not in str(caught.value).replace(PROJECT, "")


# --- the project


def of_iam(*projects: dict[str, Any]) -> Answer:
    return says({"projects": list(projects)})


def asking(*answers: Answer | Exception) -> tuple[WorkflowClient, Scripted]:
    return runs(transport=Scripted("", *answers), project_id=None)


def test_the_only_project_is_taken_and_asked_for_once() -> None:
    client, script = asking(says(recorded("projects-one.json")), says(recorded("start.json")), shown(RUN, **OURS))
    assert client.start(WORK, GO).id
    assert client.get(RUN).id == RUN
    assert [sent[:3] for sent in script.sent[:2]] == [
        ("GET", "https://iam.cn-south-1.myhuaweicloud.com/v3/projects", [("name", "cn-south-1")]),
        ("POST", f"https://{HOST}{EXECUTE}", []),
    ]
    assert len(script.sent) == 3


def test_of_several_projects_none_is_taken() -> None:
    two = of_iam({"id": "aa11", "name": "cn-south-1"}, {"id": "bb22", "name": "cn-south-1_team"})
    for call in (lambda c: c.start(WORK, GO), lambda c: c.get("e"), lambda c: c.find(WORK, SINCE, soon())):
        client, script = asking(two)
        with pytest.raises(
            InvalidConfiguration, match=r"HW_PROJECT_ID, or .*\. There is: aa11 \(cn-south-1\), bb22 \(cn-so"
        ):
            call(client)
        assert len(script.sent) == 1, "nothing was fired"


def test_without_a_project_nothing_is_fired() -> None:
    client, script = asking(of_iam())
    with pytest.raises(InvalidConfiguration, match="knows no project cn-south-1 of this key: give the project: set "):
        client.start(WORK, GO)
    assert len(script.sent) == 1


@pytest.mark.parametrize("id", ["", "..", "a/b", None, 7])
def test_a_project_that_cannot_be_used_is_not_used(id: Any) -> None:
    client, script = asking(of_iam({"id": id, "name": "cn-south-1"}))
    with pytest.raises(InvalidConfiguration):
        client.start(WORK, GO)
    assert len(script.sent) == 1


@pytest.mark.parametrize("answer", [says("x"), says({}), says("", 500), Unavailable("gone")])
def test_an_answer_of_iam_that_tells_nothing_fires_nothing(answer: Answer | Exception) -> None:
    client, script = asking(answer)
    with pytest.raises(NotReached, match="nothing was fired: Huawei IAM"):
        client.start(WORK, GO)
    assert all("/v3/projects" in path for _, path, _, _ in script.sent)


def test_a_refusal_of_iam_names_it() -> None:
    client, _ = asking(says({"error_msg": "no", "error_code": "APIGW.0301"}, 401))
    with pytest.raises(Refused, match=r"Huawei IAM refused GET /v3/projects: 401 APIGW\.0301"):
        client.start(WORK, GO)


# --- get


def test_get() -> None:
    client, script = runs(says(recorded("show-failed.json"), X_Request_ID="r"))
    found = client.get(RUN)
    assert (found.id, found.phase, found.state, found.request_id) == (RUN, Phase.FAILED, "fail", "r")
    assert found.message == "template 7 does not exist"
    assert script.sent == [("GET", f"{BASE}/workflows/scan/workflowexecution/{RUN}", [], b"")]


def test_get_in_the_shape_of_the_page() -> None:
    found = runs(says(recorded("show-document.json")))[0].get(RUN)
    assert (found.phase, found.state, found.tasks[0].name) == (Phase.RUNNING, "RUNNING", "process")
    assert found.request["object"] == "/mpc/demo.mp4"


@pytest.mark.parametrize("id", ["a/../b", "a\r\nHost: evil", "a?x", "a#b", "a%2Fb", "中"])
def test_an_id_stays_one_segment(id: str) -> None:
    client, script = runs(says(recorded("show-failed.json")))
    with pytest.raises(Unavailable, match="is not about run"):
        client.get(id)
    path = script.sent[0][1].removeprefix(f"{BASE}/workflows/scan/workflowexecution/")
    assert not set(path) & set("/?# \r\n")


@pytest.mark.parametrize("answer", [error("X", 404, "no"), error(4711, 404), error("X", 400, "does not exist")])
def test_an_unknown_run(answer: Answer) -> None:
    with pytest.raises(NotFound, match="Check the execution's name"):
        runs(answer)[0].get("e1")


@pytest.mark.parametrize(
    "answer",
    [
        says("<html>not found</html>", 404),
        says("", 404),
        error("SYS.0003", 404, "not found"),
        error("X", 403, "no such"),
        error("APIG.0101", 404, "The API does not exist or has not been published in the environment"),
    ],
)
def test_another_refusal_is_not_an_unknown_run(answer: Answer) -> None:
    with pytest.raises(Refused) as caught:
        runs(answer)[0].get("e1")
    assert not isinstance(caught.value, NotFound)


def test_what_a_run_was_given_is_no_error() -> None:
    told = {"bucket": "b", "object": "o", "inputs": {"error": {"code": "X", "message": "y"}}}
    assert runs(shown("e1", error_code="X", error=told))[0].get("e1").phase is Phase.RUNNING


# --- lists


def found(*answers: Answer | Exception, request: WorkflowRequest = WORK) -> list[str]:
    client, _ = runs(*answers)
    return [candidate.id for candidate in client.find(request, SINCE, soon()).candidates]


def test_find_asks_for_the_time_since_and_compares() -> None:
    rows = [row("e1"), row("old", "2026-01-15T09:14:59Z"), row("e2"), row("event", execution_type="TRIGGERCAL")]
    told = {"e1": shown("e1", **OURS), "e2": shown("e2", **{**OURS, "object": "other"})}

    def answer(_method: str, path: str, _query: dict[str, str | None], _body: bytes) -> Answer:
        return told.get(path.rpartition("/")[2], page(*rows))

    script = Answering(f"https://{HOST}", answer)
    result = runs(transport=script)[0].find(WORK, SINCE, soon())
    assert result.candidates == (Candidate("e1", AT),)
    assert result.server_time == AT
    assert script.asked[0] == (
        LIST,
        {
            "graph_name": "scan",
            "start_time": "2026-01-15T09:05:00Z",
            "end_time": "2026-01-15T10:30:00Z",
            "limit": "200",
            "offset": "1",
        },
    )
    assert sorted(path.rpartition("/")[2] for path, _ in script.asked[1:]) == ["e1", "e2"]


def test_a_time_longer_than_a_list_tells_of_is_asked_for_in_windows() -> None:
    script = Scripted(f"https://{HOST}", page())
    runs(transport=script)[0].find(WORK, AT - timedelta(days=7), soon())
    times = [(dict(query)["start_time"], dict(query)["end_time"]) for _, _, query, _ in script.sent]
    assert times == [
        ("2026-01-14T09:19:58Z", "2026-01-15T10:30:00Z"),
        ("2026-01-11T09:19:59Z", "2026-01-14T09:19:59Z"),
        ("2026-01-08T09:20:00Z", "2026-01-11T09:20:00Z"),
    ]


def test_the_next_offset_is_followed() -> None:
    client, script = runs(page(row("e1"), next_offset=201), page(row("e2")), shown("e1"), shown("e2"))
    client._since(SINCE, 10, 10, soon())
    assert [dict(query)["offset"] for _, _, query, _ in script.sent] == ["1", "201"]


class Service:
    """Executions that began at these seconds before AT, listed as the service is told to: a page of `limit`, `offset`
    from 1, and no more than LAST_OFFSET; `told` is how a page says that it goes on."""

    def __init__(self, began: list[int], told: str) -> None:
        self.rows = [(AT - timedelta(seconds=ago), f"e{n}") for n, ago in enumerate(began)]
        self.told, self.pages = told, 0

    def __call__(self, _method: str, path: str, query: dict[str, str | None], _body: bytes) -> Answer:
        self.pages += 1
        assert path == LIST
        begin, end = (
            datetime.fromisoformat(str(query[name]).replace("Z", "+00:00")) for name in ("start_time", "end_time")
        )
        assert end - begin <= timedelta(days=3)
        offset, limit = int(str(query["offset"])), min(int(str(query["limit"])), PAGE_ROWS)
        assert 1 <= offset <= LAST_OFFSET
        rows = [row(name, f"{at:%Y-%m-%dT%H:%M:%SZ}") for at, name in self.rows if begin <= at <= end]
        shown = rows[offset - 1 : offset - 1 + limit]
        more = len(rows) > offset - 1 + limit
        news: dict[str, Any] = {"next_offset": offset + limit} if self.told == "next_offset" else {"next_marker": "m"}
        said = {} if self.told == "nothing" else {"is_truncated": more, **(news if more else {})}
        return says({"count": len(shown), "executions": shown, **said}, Date=DATE)


@pytest.mark.parametrize("told", ["next_offset", "next_marker", "nothing"])
@pytest.mark.parametrize(
    "began", [[0], list(range(0, 900, 2)), [n % 600 for n in range(3000)], [60] * 190 + [300] * 190]
)
def test_a_window_that_does_not_show_all_is_split(began: list[int], told: str) -> None:
    """However the service says that there is more: an offset, a marker that no request takes, a page that is full."""
    service = Service(began, told)
    client, _ = runs(transport=Answering(f"https://{HOST}", service))
    rows, _ = client._since(SINCE, 20_000, 1000, soon())
    assert sorted(rows) == sorted(f"e{n}" for n in range(len(began)))
    assert service.pages < 10 + len(began) / 25


def test_what_cannot_be_told_apart_by_time_is_no_list() -> None:
    client, _ = runs(transport=Answering(f"https://{HOST}", Service([60] * 1500, "next_offset")))
    with pytest.raises(Unavailable, match="cannot list them all: too many runs of scan began within 2 s"):
        client._since(SINCE, 20_000, 1000, soon())


@pytest.mark.parametrize(
    "answer",
    [
        says({}),
        says({"executions": {}, "is_truncated": False}),
        says({"executions": ["x"], "is_truncated": False}),
        says({"executions": [row("")], "is_truncated": False}),
        says({"executions": [{"started_at": "x"}], "is_truncated": False}),
        says({"executions": [], "is_truncated": "yes", "next_offset": 2}),
        says({"executions": [], "is_truncated": 0}),
        says({"executions": [], "is_truncated": True}),
        says({"executions": [], "is_truncated": True, "next_offset": 1}),
        says('{"executions": [], "is_trunc'),
        says("<html/>"),
        error("SYS.0001", 500),
        Unavailable("gone"),
    ],
)
def test_a_list_that_cannot_be_read_is_not_an_empty_one(answer: Answer | Exception) -> None:
    for answers in ([answer], [page(next_offset=2), answer]):
        with pytest.raises(Unavailable):
            found(*answers)


def test_many_are_looked_at_by_the_list_of_those_that_go_on() -> None:
    going = page(row("e1", execution_state="RUNNING"), row("e2", execution_state="running"), row("x"))
    client, script = runs(going, says({**json.loads(shown("e3").body), "status": "success"}))
    told = client.get_many(["e1", "e2", "e3"])
    phases = {id: status.phase for id, status in told.items() if isinstance(status, RunStatus)}
    assert phases == {"e1": Phase.RUNNING, "e2": Phase.RUNNING, "e3": Phase.SUCCEEDED}
    assert dict(script.sent[0][2])["status"] == "running"
    assert dict(script.sent[0][2])["start_time"] == "2026-01-12T10:30:00Z"
    assert len(script.sent) == 2


# --- cancel, and answers of any shape


def test_an_execution_cannot_be_cancelled() -> None:
    client, script = runs(says(""))
    with pytest.raises(RunsError, match="no API that cancels a workflow execution"):
        client.cancel("e1")
    assert not script.sent


VALUES: list[Any] = [None, True, 0, -1, 1e308, 10**299, "", "x", "\u202e\x00", "\ud800", [], [[]], {}, {"a": {}}]
NAMES = [
    "execution_name",
    "execution_id",
    "execution_info",
    "executions",
    "next_offset",
    "is_truncated",
    "count",
    "input",
]


ODD = [
    pytest.param(name, project, marks=() if bool(project) != (name == "projects") else pytest.mark.long)
    for name in [*NAMES, "input", "node_execution_details", "workflow_urn", "error", "status", "projects"]
    for project in (PROJECT, None)
]
"""A client without a project asks for it first, and whatever the answer has is read as one of projects."""


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(("name", "project"), ODD)
def test_errors_are_ours(name: str, project: str | None, value: Any) -> None:
    calls: list[Callable[[], object]] = []
    for body in ({name: value}, {"execution_info": {name: value}}, {"execution_id": "x", name: value}):
        for status in (200, 400, 404, 500):
            script = Scripted("", says(body, status))
            client, _ = runs(transport=script, project_id=project)
            calls += [lambda c=client: c.start(WORK, GO), lambda c=client: c.get("x")]
            calls += [lambda c=client: c.find(WORK, SINCE, soon()), lambda c=client: c.get_many(["x", "y"])]
    for call in calls:
        try:
            call()
        except RunsError as raised:
            assert "\u202e" not in str(raised)  # noqa: PT017
            str(raised).encode()


@pytest.mark.parametrize("seconds", [2, 3, 7, 86400, 259200])
def test_the_halves_of_a_window_leave_no_second_out_whether_its_ends_are_in_it_or_not(seconds: int) -> None:
    begin = datetime(2026, 1, 15, tzinfo=timezone.utc)
    whole = Window(begin, begin + timedelta(seconds=seconds))
    first, second = whole.halves()
    assert (first.begin, second.end) == (whole.begin, whole.end)
    assert second.begin < first.end, "without the ends of either a second is in one of the two"
    assert max(half.end - half.begin for half in (first, second)) < whole.end - whole.begin or seconds == 2
