"""What holds for the client of every system: what it makes of an answer that is another run's, no list, or an error
with status 200; opaque ids; the leave and the limit that it is given; secrets that come back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

import pytest

from cloud_runs.errors import Interrupted, NotReached, Orphaned, RunsError, Unavailable, UnknownOutcome
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.wire.transport import Answer
from tests.hostile import answers, oracle, systems
from tests.kits import KITS
from tests.kits.kit import ACCESS, KEY, NOW, RUN, SECRET, TOKEN, xml
from tests.kits.tencent_workflow import execution
from tests.support.clients import GO, Clock, says, soon

SINCE = datetime(2019, 11, 22, 0, tzinfo=timezone.utc)


ALL = pytest.mark.parametrize("system", KITS)


class Said:
    """In place of a transport: EnOS gets a token; a start gets `start`, `get` gets `get`, and each list the next of
    `lists`, the last one for ever. `takes`: seconds that each question takes, by `clock`."""

    def __init__(self, start: Answer | None = None, get: Answer | None = None, *lists: Answer) -> None:
        self.started, self.got, self.lists = start, get, list(lists)
        self.starts: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.page: Callable[[int], Answer] | None = None
        self.clock, self.takes = Clock(NOW), 0.0

    def read(self, method: str, url: str, *, params: Any = (), **_: Any) -> Answer:
        query = "&".join(f"{name}={value}" for name, value in params or ())
        line = f"{method} {url.partition('://')[2].partition('/')[2]}?{query}"
        if "token" in line:
            return says(answers.written(*answers.good("POST /apim-token-service")))
        self.asked.append(line)
        self.clock.sleep(self.takes)
        if method == "PUT":
            return self.lists[0]
        of_one = (f"/{quote(RUN, safe='')}?", "action=get", "/workflowexecution/", "workflowexecutions/")
        if any(part in line for part in of_one):
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
    return KITS[system].request


def found(system: str, *lists: Answer, get: Answer | None = None, **options: Any) -> list[str]:
    said = Said(None, get or KITS[system].says.told(RUN), *lists)
    candidates = client(system, said, **options).find(request(system), SINCE, soon()).candidates
    return [candidate.id for candidate in candidates]


# --- the leave


@ALL
def test_a_start_asks_for_leave_last_and_hands_it_on(system: str) -> None:
    said = Said(KITS[system].says.started(RUN), None, KITS[system].says.listed())
    asked: list[tuple[int, int]] = []
    leave = Leave(lambda: not asked.append((len(said.asked), len(said.starts))))
    assert client(system, said, seconds=12.5).start(request(system), leave).id == RUN
    assert asked == [(len(said.asked), 0)], "after all questions, before the start"
    (sent,) = said.starts
    assert sent["leave"] is leave
    assert sent["seconds"] == 12.5


@ALL
def test_without_the_engine_nothing_is_sent(system: str) -> None:
    said = Said(KITS[system].says.started(RUN), None, KITS[system].says.listed())
    with pytest.raises(Orphaned):
        client(system, said).start(request(system), Leave(lambda: False))
    assert said.starts == []


# --- an answer is that of its request


@ALL
@pytest.mark.parametrize("other", ["other", f"{RUN}0", RUN[:-1], RUN.upper()])
def test_the_id_in_an_answer_is_compared(system: str, other: str) -> None:
    for answer in (KITS[system].says.told(other), KITS[system].says.nameless):
        api = client(system, Said(None, answer, KITS[system].says.listed()))
        with pytest.raises(Unavailable, match="not about run"):
            api.get(RUN)
        told = api.get_many([RUN])
        assert isinstance(told[RUN], Unavailable)


@ALL
def test_a_list_tells_of_those_alone_that_were_asked_for(system: str) -> None:
    said = Said(None, KITS[system].says.told(RUN), KITS[system].says.listed(RUN, "3377-other"))
    assert set(client(system, said).get_many([RUN])) == {RUN}


@ALL
def test_the_run_that_was_asked_for_is_told(system: str) -> None:
    assert (
        client(system, Said(None, KITS[system].says.told(RUN), KITS[system].says.listed())).get(RUN).phase
        is Phase.RUNNING
    )


def test_a_job_that_is_unknown_is_compared_too() -> None:
    other = xml("<NonExistJobIds>b2</NonExistJobIds>")
    with pytest.raises(Unavailable, match="not about run"):
        client("tencent.inventory", Said(None, other)).get(RUN)


def test_executions_of_another_workflow_are_not_those_of_ours() -> None:
    """None of them has our object, but that says nothing of our workflow's list."""
    row = execution(RUN, WorkflowId="w2", Object="other.mp4")
    answer = xml(f"<WorkflowExecutionList>{row}</WorkflowExecutionList>")
    with pytest.raises(Unavailable, match="listed runs of workflow w2"):
        found("tencent.workflow", answer)


# --- a list that is surely one


EMPTY = [(system, answer) for system, kit in KITS.items() for answer in kit.says.empty]


@pytest.mark.parametrize(("system", "answer"), EMPTY)
def test_an_empty_list_as_the_pages_have_it_is_empty(system: str, answer: Answer) -> None:
    assert found(system, answer) == []


NO_LISTS = [(system, answer) for system, kit in KITS.items() for answer in kit.says.no_list]


@pytest.mark.parametrize(("system", "answer"), NO_LISTS)
def test_what_is_not_surely_a_list_is_none(system: str, answer: Answer) -> None:
    """A run that is not shown would be fired again."""
    with pytest.raises(Unavailable):
        found(system, answer)
    if KITS[system].by_minute:
        said = Said(KITS[system].says.started(RUN), None, answer)
        with pytest.raises(NotReached):
            client(system, said).start(request(system), GO)
        assert said.starts == []
    said = Said(None, KITS[system].says.told(RUN), answer)
    told = client(system, said).get_many([RUN, RUN + "2", RUN + "3", RUN + "4"])
    assert not any(isinstance(one, RunStatus) and one.phase.terminal for one in told.values())


@ALL
def test_rows_beside_an_error_are_no_list(system: str) -> None:
    with pytest.raises(Unavailable):
        found(system, KITS[system].says.beside)


@ALL
def test_an_error_inside_a_200_is_an_answer_to_nothing(system: str) -> None:
    said = Said(KITS[system].says.odd("try again"), KITS[system].says.odd("try again"), KITS[system].says.listed())
    api = client(system, said)
    with pytest.raises(UnknownOutcome, match="try again"):
        api.start(request(system), GO)
    with pytest.raises(Unavailable, match="try again"):
        api.get(RUN)
    if KITS[system].cancels:
        with pytest.raises(RunsError, match="try again"):
            client(system, Said(None, KITS[system].says.told(RUN), KITS[system].says.odd("try again"))).cancel(RUN)


# --- the limit


@ALL
@pytest.mark.parametrize("many", [False, True])
def test_a_list_without_end_ends_with_the_limit(system: str, many: bool) -> None:
    said = Said()
    said.page, said.takes = KITS[system].says.endless, 2.5
    api = client(system, said)
    if many and not KITS[system].fan_out:
        return
    limit = Limit(60, said.clock)
    look = (lambda: api.find_each({"a": request(system)}, SINCE, limit)) if many else None
    with pytest.raises(Unavailable):
        (look or (lambda: api.find(request(system), SINCE, limit)))()
    assert said.clock.now <= NOW + 60 + 2.5
    assert len(said.asked) <= 25


@ALL
def test_giving_up_ends_a_look(system: str) -> None:
    said = Said()
    said.page = KITS[system].says.endless

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
    kit = KITS[system].says
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
    kit, shown = KITS[system].says, id.replace("\u202e", "").replace("\u200b", " ")[:90]
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
    said = Said(None, KITS[system].says.told(RUN), KITS[system].says.listed(RUN))
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
SECRETS = [KEY, SECRET, TOKEN]


def leaked(text: str, secret: str, form: str) -> bool:
    """Whether eight characters in a row of what was written are still there."""
    written = FORMS[form](secret)
    core = written[4:-4] if form.startswith("base64") else written
    width = 16 if "%" in core or "&" in core or "\\u" in core else 8
    return any(core[at : at + width] in text for at in range(max(1, len(core) - width + 1)))


@ALL
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_that_is_told_again_is_masked_wherever_it_is_told(system: str, form: str) -> None:
    kit = KITS[system].says
    access = [ACCESS] if KITS[system].token_header else []
    for secret in [*SECRETS, *access]:
        text = f"see {FORMS[form](secret)} there"
        api = client(system, Said(kit.odd(text), kit.odd(text), kit.listed()))
        for call in (lambda api=api: api.start(request(system), GO), lambda api=api: api.get(RUN)):
            with pytest.raises(RunsError) as raised:
                call()
            assert not leaked(str(raised.value), secret, form), raised.value
            assert "***" in str(raised.value)
        for name, told in kit.texts.items():
            status = client(system, Said(None, told(text), kit.listed())).get(RUN)
            shown = repr([status.state, status.code, status.message, status.request_id, status.tasks])
            assert not leaked(shown, secret, form), (name, shown)
            assert "***" in shown


def test_what_is_compared_is_not_masked() -> None:
    """An object whose key looks like a part of a secret is still the one that was asked for."""
    key = SECRET[:10]
    asked = type(request("tencent.workflow"))(request("tencent.workflow").workflow_id, key)
    row = xml(f"<WorkflowExecutionList>{execution(RUN, Object=key)}</WorkflowExecutionList>")
    said = Said(None, None, row)
    assert [one.id for one in client("tencent.workflow", said).find(asked, SINCE, soon()).candidates] == [RUN]
    assert Times().start == 30.0
