"""What holds for the client of each kind whose runs can go on after they have failed: what it sends, once, and what it
makes of the answer. The client of another kind has no such call."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from cloud_runs.errors import NotFound, NotReached, Orphaned, Refused, RunsError, Throttled, UnknownOutcome
from cloud_runs.limits import Leave
from cloud_runs.runs import Phase
from cloud_runs.wire.transport import Answer
from tests.contract.test_every_client import FORMS, SECRETS, leaked
from tests.kits import KITS, RESUMING
from tests.kits.kit import DATE, KEYS, RUN, Kit
from tests.support.clients import GO, says

each_kit = pytest.mark.parametrize("kit", RESUMING.values(), ids=RESUMING)


class Sent:
    """In place of a transport: gives one answer to what is sent as a start."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer, self.sent = answer, list[tuple[str, dict[str, Any]]]()

    def start(self, method: str, url: str, **kwargs: Any) -> Answer:
        self.sent.append((f"{method} {urlsplit(url).path}", kwargs))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def resumed(kit: Kit, answer: Answer | Exception, leave: Leave = GO, id: str = RUN, **options: Any) -> tuple[Any, Sent]:
    service = Sent(answer)
    api: Any = kit.make(service, KEYS, None, **options)
    try:
        return api.resume(id, leave), service
    finally:
        assert len(service.sent) <= 1


def test_a_client_has_the_call_if_its_kind_says_so() -> None:
    for name, kit in KITS.items():
        api = kit.make(Sent(says()), KEYS, None)
        assert hasattr(api, "resume") == (name in RESUMING)


@each_kit
def test_what_is_sent_and_what_is_told(kit: Kit) -> None:
    answer = {"execution_name": RUN, "execution_urn": "u", "restored_at": "2019-11-22T01:23:45Z"}
    started, service = resumed(kit, says(answer, Date=DATE, X_Request_ID="r1"))
    ((line, given),) = service.sent
    assert line == kit.resume_path
    assert (given["body"], given["leave"]) == (b"", GO)
    assert given["params"] == ([("x-workflow-graph-name", "scan")] if kit.name == "huawei.workflow" else ())
    assert (started.id, started.phase, started.request_id) == (RUN, Phase.PENDING, "r1")
    assert started.at.isoformat() == "2019-11-22T01:23:45+00:00"


@each_kit
def test_without_the_engine_nothing_is_sent(kit: Kit) -> None:
    service = Sent(says())
    with pytest.raises(Orphaned):
        kit.make(service, KEYS, None).resume(RUN, Leave(lambda: False))  # type: ignore[attr-defined]
    assert service.sent == []


@each_kit
def test_an_answer_about_another_run_or_none_tells_nothing(kit: Kit) -> None:
    for answer in (kit.says.started("other"), says({}), says(b"<html>"), says({"error_code": "SYS.0001"}), says()):
        with pytest.raises(UnknownOutcome):
            resumed(kit, answer)


@each_kit
def test_refusals_and_doubts(kit: Kit) -> None:
    for status, code in kit.refusals:
        with pytest.raises(Throttled if status == 429 or code == "SlowDown" else Refused):
            resumed(kit, says({"code": code, "error_code": code, "error_msg": "no"}, status))
    for status, code in kit.doubts:
        with pytest.raises(UnknownOutcome):
            resumed(kit, says({"code": code, "error_code": code}, status))
    with pytest.raises(Refused, match="409 Odd: not failed"):
        resumed(kit, says({"code": "Odd", "message": "not failed"}, 409))
    with pytest.raises(Refused, match=r"let failed executions go on .*on workflow scan"):
        resumed(kit, says({"error_code": kit.denied, "error_msg": "no"}, 403))
    with pytest.raises(NotFound):
        resumed(kit, says({"code": "WorkflowExecutionNotFound", "message": "none"}, 404))
    for lost, told in ((NotReached("x"), NotReached), (UnknownOutcome("x"), UnknownOutcome)):
        with pytest.raises(told):
            resumed(kit, lost)


@each_kit
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_that_is_told_again_is_masked(kit: Kit, form: str) -> None:
    for secret in SECRETS:
        text = f"see {FORMS[form](secret)} there"
        refusal = says({"error_code": "Odd", "error_msg": text}, 409)
        for answer in (kit.says.odd(text), refusal, says({"execution_name": text})):
            with pytest.raises(RunsError) as raised:
                resumed(kit, answer)
            assert not leaked(str(raised.value), secret, form), raised.value
            assert "***" in str(raised.value)
        started, _ = resumed(kit, says({"execution_name": RUN, "execution_urn": text}, X_Request_ID=text))
        assert not leaked(repr(started), secret, form), started
        assert "***" in repr(started)


@each_kit
@pytest.mark.parametrize("id", ["a b", "中文/é~", "a/b?c#d%2e&e=f", "x" * 1024])
def test_ids_are_opaque(kit: Kit, id: str) -> None:
    assert resumed(kit, kit.says.started(id), id=id)[0].id == id
