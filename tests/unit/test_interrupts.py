"""What can end a wait from outside: Ctrl-C by way of the SDK's host, and an engine that is gone."""

from __future__ import annotations

import ast
import functools
import importlib.util
import itertools
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import closing
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from cloud_runs.errors import Refused
from cloud_runs.lifecycle import host, interrupts, progress
from cloud_runs.lifecycle.interrupts import Interrupted, Questions, Stop


@pytest.fixture(autouse=True)
def event(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """That of this test alone. No engine is known: the process would be ended for one that is gone."""
    found = threading.Event()
    monkeypatch.setattr(interrupts, "_interrupted", found)
    monkeypatch.setattr(interrupts, "TICK", 0.005)
    monkeypatch.setattr(sys, "argv", ["host"])
    return found


def become(monkeypatch: pytest.MonkeyPatch, cancel: Any) -> type:
    """This process looks like a host whose servicer has that `Cancel`."""
    host: Any = ModuleType("__main__")
    host.empty_pb2 = empty_pb2
    host.DynamicResourceProviderServicer = type("DynamicResourceProviderServicer", (), {"Cancel": cancel})
    monkeypatch.setitem(sys.modules, "__main__", host)
    return host.DynamicResourceProviderServicer  # type: ignore[no-any-return]


# -- Ctrl-C


def the_sdk_s_host() -> ModuleType:
    """The module that the SDK runs as the host, as it stands but for its last line, which would serve for ever."""
    package = importlib.util.find_spec("pulumi.dynamic")
    assert package
    assert package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "__main__.py"
    tree = ast.parse(path.read_text())
    assert ast.unparse(tree.body.pop()) == "main()"
    module = ModuleType("__main__")
    exec(compile(tree, str(path), "exec"), vars(module))
    return module


def test_the_sdk_s_host_tells_of_the_engine_s_cancel_and_answers_it(
    monkeypatch: pytest.MonkeyPatch, event: threading.Event
) -> None:
    """Over gRPC, and with a server that had the method before it was replaced."""
    host: Any = the_sdk_s_host()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(host.DynamicResourceProviderServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        engine = provider_pb2_grpc.ResourceProviderStub(channel)
        engine.Cancel(empty_pb2.Empty(), timeout=20)
        assert not event.is_set(), "the SDK tells nobody"
        monkeypatch.setitem(sys.modules, "__main__", host)
        Stop().sleep(0.001)
        assert engine.Cancel(empty_pb2.Empty(), timeout=20) == empty_pb2.Empty()
        assert event.is_set()
        with pytest.raises(Interrupted):
            Stop().sleep(60)
    server.stop(None).wait()


def known(self: Any, request: Any, context: Any) -> Any:
    return empty_pb2.Empty()


def other_names(self: Any, _request: Any, _context: Any) -> Any:
    return empty_pb2.Empty()


def more_arguments(self: Any, request: Any, context: Any, more: Any = None) -> Any:
    return empty_pb2.Empty()


def does_something(self: Any, request: Any, context: Any) -> Any:
    context.abort()
    return empty_pb2.Empty()


def keeps_something(self: Any, request: Any, context: Any) -> Any:
    kept = request or context
    return empty_pb2.Empty() if kept else kept


def answers_otherwise(self: Any, request: Any, context: Any) -> Any:
    return empty_pb2.DESCRIPTOR()


def closes_over(something: Any) -> Callable[[Any, Any, Any], Any]:
    def cancel(self: Any, request: Any, context: Any) -> Any:
        return something

    return cancel


def names_what_it_closes_over(something: Any) -> Callable[[Any, Any, Any], Any]:
    def cancel(self: Any, request: Any, context: Any) -> Any:
        return empty_pb2.Empty() if something else something

    return cancel


def takes_a_keyword(self: Any, request: Any, *, context: Any) -> Any:
    return empty_pb2.Empty()


@functools.wraps(known)
def decorated(*args: Any) -> Any:
    return known(*args)


def test_what_looks_like_the_sdk_s_is_replaced(monkeypatch: pytest.MonkeyPatch, event: threading.Event) -> None:
    """Without it, the next tests could not fail. A new one, so that `known` stays as it is."""
    namespace: dict[str, Any] = {"empty_pb2": empty_pb2}
    exec("def cancel(self, request, context):\n    return empty_pb2.Empty()", namespace)
    servicer = become(monkeypatch, namespace["cancel"])()
    Stop()
    servicer.Cancel(None, None)
    assert event.is_set()


@pytest.mark.parametrize(
    "cancel",
    [
        other_names, more_arguments, does_something, keeps_something, answers_otherwise, takes_a_keyword, decorated,
        closes_over(1), names_what_it_closes_over(1),
    ],
)  # fmt: skip
def test_another_cancel_is_left_alone(monkeypatch: pytest.MonkeyPatch, cancel: Any) -> None:
    before: CodeType = cancel.__code__
    become(monkeypatch, cancel)
    Stop()
    assert cancel.__code__ is before


@pytest.mark.parametrize("cancel", [None, "text", len, functools.partial(known, None), classmethod(known)])
def test_what_is_no_plain_method_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, cancel: Any, event: threading.Event
) -> None:
    before = known.__code__
    become(monkeypatch, cancel)
    Stop().sleep(0.001)
    assert known.__code__ is before


@pytest.mark.parametrize("main", [ModuleType("__main__"), None])
def test_a_process_that_is_no_host_is_left_alone(monkeypatch: pytest.MonkeyPatch, main: ModuleType | None) -> None:
    if main is None:
        monkeypatch.delitem(sys.modules, "__main__")
    else:
        monkeypatch.setitem(sys.modules, "__main__", main)
    Stop().sleep(0.001)


# -- questions that can be abandoned


def test_a_question_is_answered_or_fails_as_it_does() -> None:
    refusal = Refused("no", status=403)

    def refuse() -> None:
        raise refusal

    questions: Questions[str, Any] = Questions(Stop())
    told = questions.ask({"a": lambda: "an answer", "b": lambda: None, "c": refuse}, 60)
    assert told == {"a": "an answer", "b": None, "c": refusal}


def test_many_questions_are_asked_some_at_a_time() -> None:
    met = threading.Barrier(interrupts.ASKERS, timeout=30)
    asked = [functools.partial(lambda n: met.wait() >= 0 and n, n) for n in range(3 * interrupts.ASKERS)]
    questions: Questions[int, int] = Questions(Stop())
    assert questions.ask(dict(enumerate(asked)), 60) == {n: n for n in range(len(asked))}


@pytest.fixture
def question() -> Iterator[Callable[[], str]]:
    """One that is answered when the test is over."""
    over = threading.Event()

    def ask() -> str:
        over.wait(60)
        return "late"

    yield ask
    over.set()


def test_a_question_that_takes_too_long_is_left_behind_and_not_asked_twice(question: Callable[[], str]) -> None:
    clock = itertools.count().__next__
    questions: Questions[str, str] = Questions(Stop(), clock)
    asked: list[str] = []

    def counted() -> str:
        asked.append("")
        return question()

    assert questions.ask({"slow": counted, "quick": lambda: "here"}, 20) == {"quick": "here"}
    assert questions.ask({"slow": counted, "quick": lambda: "again"}, 20) == {"quick": "again"}
    assert len(asked) == 1


def test_an_interrupt_leaves_a_question_behind(question: Callable[[], str], event: threading.Event) -> None:
    threading.Timer(0.05, event.set).start()
    with pytest.raises(Interrupted):
        Questions(Stop()).ask({1: question}, 3600)


def test_an_interrupt_ends_a_pause(event: threading.Event) -> None:
    threading.Timer(0.05, event.set).start()
    with pytest.raises(Interrupted):
        Stop().sleep(3600)


# -- an engine that is gone


class Ended(Exception):
    """Stands for the end of the process."""


def end(status: int) -> None:
    assert status == 1
    raise Ended


class Clock:
    """Goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listens, and its address is the host's last argument."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        monkeypatch.setattr(sys, "argv", ["host", f"127.0.0.1:{listening.getsockname()[1]}"])
        yield listening


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing listens at the host's last argument, and nothing can begin to."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(sys, "argv", ["host", f"127.0.0.1:{taken.getsockname()[1]}"])
        progress._engine.cache_clear()
        yield
    progress._engine.cache_clear()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What each look at the engine has told."""
    found: list[bool] = []
    look = progress.engine_gone

    def counted() -> bool:
        found.append(look())
        return found[-1]

    monkeypatch.setattr(progress, "engine_gone", counted)
    return found


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the watch has slept; after a long time it is left alone."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if sum(slept) > 100:
            raise Left

    monkeypatch.setattr(host.time, "sleep", sleep)
    return slept


class Left(Exception):
    pass


def test_a_host_whose_engine_is_gone_ends_within_ten_seconds(
    no_engine: None, looks: list[bool], slept: list[float]
) -> None:
    with pytest.raises(Ended):
        host._watch(end)
    assert looks == [True] * host.ENGINE_MISSED
    assert sum(slept) < 10


def test_a_host_whose_engine_listens_never_ends(engine: socket.socket, looks: list[bool], slept: list[float]) -> None:
    with pytest.raises(Left):
        host._watch(end)
    assert len(looks) > 10
    assert not any(looks)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="elsewhere than on Linux nobody tells the two apart")
def test_another_program_at_the_engine_s_address_is_not_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as engine:
        address = engine.getsockname()
        monkeypatch.setattr(sys, "argv", ["host", f"127.0.0.1:{address[1]}"])
        assert not progress.engine_gone()
    with closing(socket.create_server(address)):
        assert progress.engine_gone()
    assert progress.engine_gone()


def test_where_nobody_tells_who_listens_the_address_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as engine:
        monkeypatch.setattr(progress, "_listener", lambda host, port: None)
        monkeypatch.setattr(sys, "argv", ["host", f"127.0.0.1:{engine.getsockname()[1]}"])
        progress._first_listener.cache_clear()
        assert not progress.engine_gone()
    assert progress.engine_gone()
    progress._first_listener.cache_clear()


def test_looks_that_miss_count_only_in_a_row(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    told = itertools.chain([True, True, False, True, True, False], itertools.repeat(True))
    asked: list[bool] = []
    monkeypatch.setattr(progress, "engine_gone", lambda: asked.append(next(told)) or asked[-1])
    with pytest.raises(Ended):
        host._watch(end)
    assert len(asked) == 9


@pytest.mark.parametrize("argument", ["", "host", "engine.example:1", "127.0.0.1", "127.0.0.1:", "0.0.0.0:1", ":1"])
def test_an_address_that_is_not_understood_never_ends_a_host(
    monkeypatch: pytest.MonkeyPatch, looks: list[bool], argument: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["host", argument])
    assert not progress.has_engine(), "then nothing is watched"
    assert not progress.engine_gone()


def test_what_cannot_be_shown_is_not_shown_and_stops_nobody(no_engine: None) -> None:
    progress.tell("urn", "1 of 2 finished")
    progress.note("urn", "text")
    progress.warn("urn", "text")
    assert not progress.engine_alive("urn"), "an orphan, which must not fire"
