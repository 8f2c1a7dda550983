"""How an error reaches the user. The host prints `traceback.format_exc()`; so does each test."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest

from cloud_runs.errors import Refused, RunsError
from cloud_runs.lifecycle import reporting
from cloud_runs.lifecycle.reporting import RunError, one_line


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """No test leaves the process without its tracebacks."""
    assert not hasattr(sys, "tracebacklimit")
    yield
    assert not hasattr(sys, "tracebacklimit")
    assert reporting._quiet == 0


def describe(what: str) -> str:
    return f"WorkflowRun {what!r}"


@one_line(describe, RunsError)
def refused(what: str) -> str:
    raise Refused("Tencent CI refused POST /x", status=400, code="Bad")


@one_line(describe, RunsError)
def chained(what: str) -> str:
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise RunsError("outer") from error


@one_line(describe, RunsError)
def buggy(what: str) -> str:
    raise ZeroDivisionError("a bug")


@one_line(describe, RunsError)
def fine(what: str) -> str:
    return what.upper()


def host(method: Callable[[str], str], what: str = "transcode") -> str:
    """As the dynamic host calls a provider: the answer, or what it prints."""
    try:
        return method(what)
    except Exception:  # noqa: BLE001
        return traceback.format_exc()


def test_an_answer_passes() -> None:
    assert host(fine) == "TRANSCODE"


def test_an_error_of_ours_is_one_line_without_a_traceback() -> None:
    assert host(refused) == "RunError: WorkflowRun 'transcode': Tencent CI refused POST /x: 400 Bad.\n"


def test_what_an_error_was_raised_from_is_not_shown() -> None:
    assert host(chained) == "RunError: WorkflowRun 'transcode': outer\n"


def test_a_bug_keeps_its_traceback() -> None:
    text = host(buggy)
    assert text.startswith("Traceback (most recent call last):")
    assert "in buggy" in text
    assert text.endswith("ZeroDivisionError: a bug\n")


def test_a_bug_after_an_error_of_ours_keeps_its_traceback() -> None:
    for _ in range(3):
        assert "in buggy" not in host(refused)
        assert "in buggy" in host(buggy)


def test_the_limit_of_somebody_else_is_put_back() -> None:
    sys.tracebacklimit = 7
    try:
        assert host(refused).startswith("RunError: ")
        assert sys.tracebacklimit == 7
        assert host(chained).startswith("RunError: ")
        assert sys.tracebacklimit == 7
    finally:
        del sys.tracebacklimit


def test_the_text_can_be_asked_for_again() -> None:
    error = RunError("text")
    assert [str(error), str(error), error.args] == ["text", "text", ("text",)]


def test_the_text_is_enough_to_put_the_limit_back() -> None:
    """Somebody who logs the error and goes on."""
    with pytest.raises(RunError) as error:
        refused("x")
    assert sys.tracebacklimit == 0
    assert "400 Bad" in str(error.value)


def test_two_errors_at_once() -> None:
    one, other = RunError("one"), RunError("other")
    assert str(one) == "one"
    assert sys.tracebacklimit == 0, "the other is still to be printed"
    assert str(other) == "other"


def test_errors_in_many_threads() -> None:
    texts: list[str] = []
    gate = threading.Barrier(8)

    def work(name: str) -> None:
        gate.wait(20)
        texts.extend(host(refused, name) for _ in range(50))

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(texts) == 400
    assert all(text.count("\n") == 1 for text in texts)
    assert "in buggy" in host(buggy)


def test_the_wrapped_method_keeps_its_name() -> None:
    assert refused.__name__ == "refused"


def test_other_kinds_are_not_ours() -> None:
    @one_line(describe, Refused)
    def narrow(what: str) -> str:
        raise RunsError("not expected here")

    assert host(narrow).startswith("Traceback")
