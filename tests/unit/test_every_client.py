"""What holds for the client of every system: what it makes of an answer that is another run's, no list, or an error
with status 200; opaque ids; the leave and the limit that it is given; secrets that come back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from cloud_runs.errors import Interrupted, NotReached, Orphaned, RunsError, Unavailable, UnknownOutcome
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.wire.transport import Answer
from tests.hostile import answers, oracle, systems
from tests.support.clients import GO, says, soon

SINCE = datetime(2019, 11, 22, 0, tzinfo=timezone.utc)
DATE = "Fri, 22 Nov 2019 01:23:45 GMT"
ID = answers.RUN


def xml(inner: str, root: str = "Response") -> Answer:
    return says(f"<{root}><RequestId>r</RequestId>{inner}</{root}>", Date=DATE)


def elements(content: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in content.items())


def execution(id: str, **more: str) -> str:
    row = {"RunId": id, "WorkflowId": "we59a9648e62e48ffb25e4b41f3721799", "Object": "test.mp4", "State": "Running"}
    return elements(row | more)


def job(id: str, **more: str) -> str:
    return elements({"JobId": id, "Name": "demo", "Type": "Workflow", "State": "Running"} | more)


def graph_run(id: str, **more: str) -> dict[str, Any]:
    return {"execution_name": id, "execution_state": "RUNNING", "execution_type": "APICALL"} | more


def instance(id: str, **more: Any) -> dict[str, Any]:
    return {"instanceId": id, "flowId": 3377, "status": 2, "statusDesc": "RUNNING"} | more


def ok(data: Any) -> Answer:
    return says({"status": 0, "msg": " Success", "data": data}, Date=DATE)


@dataclass(frozen=True)
class Kit:
    """What a service of the system says. A `row` is one run in a list; `told` is its run as `get` tells it."""

    started: Callable[[str], Answer]
    told: Callable[..., Answer]
    listed: Callable[..., Answer]
    """Rows of these ids; none of no ids."""
    empty: list[Answer]
    """Lists without rows, as the pages and SDKs show them."""
    no_list: list[Answer]
    """Answers with status 200 that are not surely an empty list."""
    nameless: Answer
    """A run as `get` tells it, without its id."""
    odd: Callable[[str], Answer]
    """An error in a 200, as an answer to anything; its message."""
    endless: Callable[[int], Answer]
    """Page after page."""
    texts: dict[str, Callable[[str], Answer]] = field(default_factory=dict)
    """Answers to `get` with a text of the service in a field."""


TASK = "<Tasks><Name>{0}</Name><Type>t</Type><State>Failed</State><Code>{0}</Code><Message>{0}</Message></Tasks>"
KITS: dict[str, Kit] = {
    "tencent.workflow": Kit(
        started=lambda id: xml(elements({"InstanceId": id})),
        told=lambda id, **more: xml(f"<WorkflowExecution>{execution(id, **more)}</WorkflowExecution>"),
        listed=lambda *ids: xml(
            "".join(f"<WorkflowExecutionList>{execution(id)}</WorkflowExecutionList>" for id in ids) + "<NextToken/>"
        ),
        empty=[
            says("<Response><RequestId>r</RequestId></Response>"),
            says("<Response><NextToken/></Response>"),
            says('<Response xmlns="x"><RequestId>r</RequestId><NextToken></NextToken></Response>'),
            says("<Response><RequestId>r</RequestId><TotalCount>0</TotalCount></Response>"),
        ],
        no_list=[
            says("<Response/>"),
            says("<Response>text</Response>"),
            xml("<Code>InternalError</Code><Message>try again</Message>"),
            xml("<Error><Code>InternalError</Code></Error>"),
            xml("<Error>InternalError</Error>"),
            xml("<Errors><Error>x</Error></Errors><NextToken/>"),
            xml("<ErrorCode>1007</ErrorCode>"),
            xml("<code>1007</code>"),
            xml("<Message>We are sorry</Message><NextToken/>"),
            xml("<Status>failed</Status>"),
            xml("<JobsDetail><JobId>b1</JobId></JobsDetail>"),
            xml("<InstanceId>i1</InstanceId>"),
            xml("<Code>InternalError</Code>", "Error"),
            says({"code": 1007, "message": "x"}),
        ],
        nameless=xml("<WorkflowExecution><State>Success</State><Object>test.mp4</Object></WorkflowExecution>"),
        odd=lambda text: xml(f"<Code>InternalError</Code><Message>{escape(text)}</Message>"),
        endless=lambda n: xml(f"<NextToken>t{n}</NextToken>"),
        texts={
            "state": lambda text: xml(f"<WorkflowExecution>{execution(ID, State=text)}</WorkflowExecution>"),
            "task": lambda text: xml(
                f"<WorkflowExecution>{execution(ID, State='Failed')}{TASK.format(escape(text))}</WorkflowExecution>"
            ),
            "request id": lambda text: says(
                f"<Response>{elements({'RequestId': text})}"
                f"<WorkflowExecution>{execution(ID)}</WorkflowExecution></Response>"
            ),
        },
    ),
    "tencent.inventory": Kit(
        started=lambda id: xml(f"<JobsDetail>{job(id)}</JobsDetail>"),
        told=lambda id, **more: xml(f"<JobsDetail>{job(id, **more)}</JobsDetail>"),
        listed=lambda *ids: xml("".join(f"<JobsDetail>{job(id)}</JobsDetail>" for id in ids) + "<NextToken/>"),
        empty=[says("<Response><RequestId>r</RequestId></Response>"), says("<Response><NextToken/></Response>")],
        no_list=[
            says("<Response/>"),
            xml("<Code>InternalError</Code><Message>try again</Message>"),
            xml("<Error><Message>x</Message></Error>"),
            xml("<NonExistJobIds>b1</NonExistJobIds>"),
            xml("<Code>SlowDown</Code>"),
        ],
        nameless=xml("<JobsDetail><State>Success</State></JobsDetail>"),
        odd=lambda text: xml(f"<Code>InternalError</Code><Message>{escape(text)}</Message>"),
        endless=lambda n: xml(f"<NextToken>t{n}</NextToken>"),
        texts={
            "message": lambda text: xml(f"<JobsDetail>{job(ID, State='Failed', Message=text)}</JobsDetail>"),
            "code": lambda text: xml(f"<JobsDetail>{job(ID, State='Failed', Code=text)}</JobsDetail>"),
        },
    ),
    "huawei.workflow": Kit(
        started=lambda id: says({"execution_name": id, "execution_urn": "u"}, Date=DATE),
        told=lambda id, **more: says({"execution_info": graph_run(id, **more)}, Date=DATE),
        listed=lambda *ids: says(
            {"count": len(ids), "executions": [graph_run(id) for id in ids], "is_truncated": False}, Date=DATE
        ),
        empty=[
            says({"count": 0, "executions": [], "is_truncated": False}),
            says({"count": 0, "is_truncated": False}),
            says({"executions": []}),
        ],
        no_list=[
            says({}),
            says({"error_code": "SYS.0001", "error_msg": "x"}),
            says({"count": 0, "executions": [], "error_code": "SYS.0042"}),
            says({"count": 0, "executions": [], "is_truncated": False, "message": "try again"}),
            says({"count": 0, "errorMsg": "x"}),
            says({"count": 3, "executions": [], "is_truncated": False}),
            says({"count": "0"}),
            says({"executions": [], "error": {"code": "x"}}),
            says({"execution_info": graph_run(ID)}),
            says("<Error><Code>InternalError</Code></Error>"),
        ],
        nameless=says({"execution_info": {"execution_state": "SUCCESS"}}),
        odd=lambda text: says({"count": 0, "executions": [], "error_code": "SYS.0042", "error_msg": text}),
        endless=lambda n: says({"executions": [], "is_truncated": True, "next_marker": f"m{n}"}),
        texts={
            "state": lambda text: says({"execution_info": graph_run(ID, execution_state=text)}),
            "task": lambda text: says(
                {"execution_info": graph_run(ID) | {"state_map": {"s": {"state_name": text, "status": text}}}}
            ),
            "request id": lambda text: says({"execution_info": graph_run(ID)}, X_Request_ID=text),
        },
    ),
    "enos.flow": Kit(
        started=lambda id: ok({"flowInstanceId": id}),
        told=lambda id, **more: ok(instance(id, **more)),
        listed=lambda *ids: ok({"flowInsts": [instance(id) for id in ids], "count": len(ids)}),
        empty=[ok({"flowInsts": [], "count": 0}), ok({"flowInsts": None, "count": 0})],
        no_list=[
            ok(None),
            ok({}),
            ok({"flowInsts": [], "count": 0, "error": "timeout"}),
            ok({"flowInsts": [], "count": 0, "code": 62109}),
            says({"status": 0, "errorCode": 5, "data": {"flowInsts": [], "count": 0}}),
            says({"status": 0, "code": 62109, "data": {"flowInsts": [], "count": 0}}),
            says({"status": 0, "apim_status": 5000, "data": {"flowInsts": [], "count": 0}}),
            says({"data": {"flowInsts": [], "count": 0}}),
            ok({"flowInsts": [], "count": 2}),
            ok(instance(ID)),
        ],
        nameless=ok({"status": 1, "flowId": 3377}),
        odd=lambda text: says({"status": 62109, "msg": text, "data": None}),
        endless=lambda n: ok({"flowInsts": [instance(f"1-{n}-{i}", flowId=1) for i in range(50)]}),
        texts={
            "state": lambda text: ok(instance(ID, statusDesc=text)),
            "task": lambda text: ok(instance(ID, graph=json.dumps({"tasks": [{"taskName": text, "status": text}]}))),
        },
    ),
}
ALL = pytest.mark.parametrize("system", KITS)


class Said:
    """In place of a transport: EnOS gets a token; a start gets `start`, `get` gets `get`, and each list the next of
    `lists`, the last one for ever. `takes`: seconds that each question takes, by `clock`."""

    def __init__(self, start: Answer | None = None, get: Answer | None = None, *lists: Answer) -> None:
        self.started, self.got, self.lists = start, get, list(lists)
        self.starts: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.page: Callable[[int], Answer] | None = None
        self.clock, self.takes = systems.Clock(), 0.0

    def read(self, method: str, url: str, *, params: Any = (), **_: Any) -> Answer:
        query = "&".join(f"{name}={value}" for name, value in params or ())
        line = f"{method} {url.partition('://')[2].partition('/')[2]}?{query}"
        if "token" in line:
            return says(answers.written(*answers.good("POST /apim-token-service")))
        self.asked.append(line)
        self.clock.sleep(self.takes)
        if method == "PUT":
            return self.lists[0]
        if f"/{quote(ID, safe='')}?" in line or "action=get" in line or "workflowexecutions/" in line:
            assert self.got
            return self.got
        if self.page:
            return self.page(len(self.asked))
        return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]

    def start(self, method: str, url: str, **kwargs: Any) -> Answer:
        self.starts.append(kwargs)
        assert self.started
        return self.started


def client(system: str, said: Said, **options: Any) -> Any:
    return systems.client(system, said, **options)


def request(system: str) -> Any:
    return systems.REQUESTS[system]


def found(system: str, *lists: Answer, get: Answer | None = None, **options: Any) -> list[str]:
    said = Said(None, get or KITS[system].told(ID), *lists)
    candidates = client(system, said, **options).find(request(system), SINCE, soon()).candidates
    return [candidate.id for candidate in candidates]


# --- the leave


@ALL
def test_a_start_asks_for_leave_last_and_hands_it_on(system: str) -> None:
    said = Said(KITS[system].started(ID), None, KITS[system].listed())
    asked: list[tuple[int, int]] = []
    leave = Leave(lambda: not asked.append((len(said.asked), len(said.starts))))
    assert client(system, said, seconds=12.5).start(request(system), leave).id == ID
    assert asked == [(len(said.asked), 0)], "after all questions, before the start"
    (sent,) = said.starts
    assert sent["leave"] is leave
    assert sent["seconds"] == 12.5


@ALL
def test_without_the_engine_nothing_is_sent(system: str) -> None:
    said = Said(KITS[system].started(ID), None, KITS[system].listed())
    with pytest.raises(Orphaned):
        client(system, said).start(request(system), Leave(lambda: False))
    assert said.starts == []


# --- an answer is that of its request


@ALL
@pytest.mark.parametrize("other", ["other", f"{ID}0", ID[:-1], ID.upper()])
def test_the_id_in_an_answer_is_compared(system: str, other: str) -> None:
    for answer in (KITS[system].told(other), KITS[system].nameless):
        api = client(system, Said(None, answer, KITS[system].listed()))
        with pytest.raises(Unavailable, match="not about run"):
            api.get(ID)
        told = api.get_many([ID])
        assert isinstance(told[ID], Unavailable)


@ALL
def test_a_list_tells_of_those_alone_that_were_asked_for(system: str) -> None:
    said = Said(None, KITS[system].told(ID), KITS[system].listed(ID, "3377-other"))
    assert set(client(system, said).get_many([ID])) == {ID}


@ALL
def test_the_run_that_was_asked_for_is_told(system: str) -> None:
    assert client(system, Said(None, KITS[system].told(ID), KITS[system].listed())).get(ID).phase is Phase.RUNNING


def test_a_job_that_is_unknown_is_compared_too() -> None:
    other = xml("<NonExistJobIds>b2</NonExistJobIds>")
    with pytest.raises(Unavailable, match="not about run"):
        client("tencent.inventory", Said(None, other)).get(ID)


def test_executions_of_another_workflow_are_not_those_of_ours() -> None:
    """None of them has our object, but that says nothing of our workflow's list."""
    row = execution(ID, WorkflowId="w2", Object="other.mp4")
    answer = xml(f"<WorkflowExecutionList>{row}</WorkflowExecutionList>")
    with pytest.raises(Unavailable, match="listed runs of workflow w2"):
        found("tencent.workflow", answer)


# --- a list that is surely one


EMPTY = [(system, answer) for system, kit in KITS.items() for answer in kit.empty]


@pytest.mark.parametrize(("system", "answer"), EMPTY)
def test_an_empty_list_as_the_pages_have_it_is_empty(system: str, answer: Answer) -> None:
    assert found(system, answer) == []


NO_LISTS = [(system, answer) for system, kit in KITS.items() for answer in kit.no_list]


@pytest.mark.parametrize(("system", "answer"), NO_LISTS)
def test_what_is_not_surely_a_list_is_none(system: str, answer: Answer) -> None:
    """A run that is not shown would be fired again."""
    with pytest.raises(Unavailable):
        found(system, answer)
    if system == "enos.flow":  # which looks before each start
        said = Said(KITS[system].started(ID), None, answer)
        with pytest.raises(NotReached):
            client(system, said).start(request(system), GO)
        assert said.starts == []
    said = Said(None, KITS[system].told(ID), answer)
    told = client(system, said).get_many([ID, ID + "2", ID + "3", ID + "4"])
    assert not any(isinstance(one, RunStatus) and one.phase.terminal for one in told.values())


@ALL
def test_rows_beside_an_error_are_no_list(system: str) -> None:
    code, row = "<Code>InternalError</Code>", f"<WorkflowExecutionList>{execution(ID)}</WorkflowExecutionList>"
    beside = {
        "tencent.workflow": xml(code + row),
        "tencent.inventory": xml(f"{code}<JobsDetail>{job(ID)}</JobsDetail>"),
        "huawei.workflow": says({"count": 1, "executions": [graph_run(ID)], "error_code": "x"}),
        "enos.flow": ok({"flowInsts": [instance(ID)], "count": 1, "error": "x"}),
    }
    with pytest.raises(Unavailable):
        found(system, beside[system])


@ALL
def test_an_error_inside_a_200_is_an_answer_to_nothing(system: str) -> None:
    said = Said(KITS[system].odd("try again"), KITS[system].odd("try again"), KITS[system].listed())
    api = client(system, said)
    with pytest.raises(UnknownOutcome, match="try again"):
        api.start(request(system), GO)
    with pytest.raises(Unavailable, match="try again"):
        api.get(ID)
    if system in ("tencent.inventory", "enos.flow"):
        with pytest.raises(RunsError, match="try again"):
            client(system, Said(None, KITS[system].told(ID), KITS[system].odd("try again"))).cancel(ID)


# --- the limit


@ALL
@pytest.mark.parametrize("many", [False, True])
def test_a_list_without_end_ends_with_the_limit(system: str, many: bool) -> None:
    said = Said()
    said.page, said.takes = KITS[system].endless, 2.5
    api = client(system, said)
    if many and system not in ("tencent.workflow", "huawei.workflow"):
        return
    limit = Limit(60, said.clock)
    look = (lambda: api.find_each({"a": request(system)}, SINCE, limit)) if many else None
    with pytest.raises(Unavailable):
        (look or (lambda: api.find(request(system), SINCE, limit)))()
    assert said.clock.now <= systems.NOW + 60 + 2.5
    assert len(said.asked) <= 25


@ALL
def test_giving_up_ends_a_look(system: str) -> None:
    said = Said()
    said.page = KITS[system].endless

    def given_up() -> bool:
        return len(said.asked) >= 3

    def read(*args: Any, **kwargs: Any) -> Answer:
        kwargs["limit"].check()  # as a transport does
        return Said.read(said, *args, **kwargs)

    said_and_checked: Any = type("Checked", (), {"read": staticmethod(read)})
    with pytest.raises(Interrupted):
        client(system, said_and_checked).find(request(system), SINCE, Limit(600, given_up=given_up))
    assert len(said.asked) == 3


# --- ids are opaque

OPAQUE = ["a b", "中文/é~", "a/b?c#d%2e&e=f", "x" * 1024, "'\"<>{}$(id)", "-rf"]
UNUSABLE = ["..", "\u202eevil", "a\u200bb", "x" * 1025]


@ALL
@pytest.mark.parametrize("id", OPAQUE)
def test_an_id_is_whatever_the_service_says(system: str, id: str) -> None:
    kit = KITS[system]
    said = Said(kit.started(id), kit.told(id), kit.listed(id))
    assert client(system, Said(kit.started(id), None, kit.listed())).start(request(system), GO).id == id
    assert found(system, kit.listed(id), get=kit.told(id)) == [id]
    said.read = lambda *args, **kwargs: (  # type: ignore[method-assign]
        Said.read(said, *args, **kwargs) if "token" in args[1] else kit.told(id)
    )
    assert client(system, said).get(id).id == id


@ALL
@pytest.mark.parametrize("id", UNUSABLE)
def test_an_id_that_cannot_be_used_is_shown(system: str, id: str) -> None:
    kit, shown = KITS[system], id.replace("\u202e", "").replace("\u200b", " ")[:90]
    with pytest.raises(Unavailable) as listed:
        found(system, kit.listed(id))
    with pytest.raises(UnknownOutcome) as started:
        client(system, Said(kit.started(id), None, kit.listed())).start(request(system), GO)
    for raised in (listed, started):
        assert "cannot be used" in str(raised.value)
        assert shown in str(raised.value)
        oracle.fit(str(raised.value))


# --- what a candidate is


@ALL
def test_a_candidate_has_the_phase_that_its_row_tells(system: str) -> None:
    said = Said(None, KITS[system].told(ID), KITS[system].listed(ID))
    (candidate,) = client(system, said).find(request(system), SINCE, soon()).candidates
    assert candidate.phase is Phase.RUNNING


# --- secrets

FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent": lambda s: quote(s, safe=""),
    "percent, small": lambda s: quote(s, safe="").lower() if "%" in quote(s, safe="") else s,
    "percent, all of it": lambda s: "".join(f"%{byte:02x}" for byte in s.encode()),
    "percent, twice": lambda s: quote(quote(s, safe=""), safe=""),
    "its beginning": lambda s: s[:9],
    "its end": lambda s: s[-9:],
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64, shifted once": lambda s: base64.b64encode(b"x" + s.encode() + b"yy").decode(),
    "base64, shifted twice": lambda s: base64.b64encode(b"xy" + s.encode() + b"z").decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "html": lambda s: "".join(f"&#{ord(char)};" for char in s),
    "html, hexadecimal": lambda s: "".join(f"&#x{ord(char):X};" for char in s),
    "json": lambda s: "".join(f"\\u{ord(char):04x}" for char in s),
    "json, slashes": lambda s: s.replace("/", "\\/"),
}
SECRETS = [answers.KEY, answers.SECRET, answers.TOKEN]


def leaked(text: str, secret: str, form: str) -> bool:
    """Whether eight characters in a row of what was written are still there."""
    written = FORMS[form](secret)
    core = written[4:-4] if form.startswith("base64") else written
    width = 16 if "%" in core or "&" in core or "\\u" in core else 8
    return any(core[at : at + width] in text for at in range(max(1, len(core) - width + 1)))


@ALL
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_that_is_told_again_is_masked_wherever_it_is_told(system: str, form: str) -> None:
    kit = KITS[system]
    access = [answers.ACCESS] if system == "enos.flow" else []
    for secret in [*SECRETS, *access]:
        text = f"see {FORMS[form](secret)} there"
        api = client(system, Said(kit.odd(text), kit.odd(text), kit.listed()))
        for call in (lambda api=api: api.start(request(system), GO), lambda api=api: api.get(ID)):
            with pytest.raises(RunsError) as raised:
                call()
            assert not leaked(str(raised.value), secret, form), raised.value
            assert "***" in str(raised.value)
        for name, told in kit.texts.items():
            status = client(system, Said(None, told(text), kit.listed())).get(ID)
            shown = repr([status.state, status.code, status.message, status.request_id, status.tasks])
            assert not leaked(shown, secret, form), (name, shown)
            assert "***" in shown


def test_what_is_compared_is_not_masked() -> None:
    """An object whose key looks like a part of a secret is still the one that was asked for."""
    key = answers.SECRET[:10]
    asked = type(request("tencent.workflow"))(request("tencent.workflow").workflow_id, key)
    row = xml(f"<WorkflowExecutionList>{execution(ID, Object=key)}</WorkflowExecutionList>")
    said = Said(None, None, row)
    assert [one.id for one in client("tencent.workflow", said).find(asked, SINCE, soon()).candidates] == [ID]
    assert Times().start == 30.0
