"""One connection: an answer is that of its request, and the bytes of a start leave with the engine's leave or not at
all. Real sockets on loopback; a late answer comes on the connection of the next request."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from cloud_runs.errors import Interrupted, NotReached, Orphaned, Unavailable, UnknownOutcome
from cloud_runs.limits import LEAVE_SECONDS, Leave, Limit
from cloud_runs.wire import connections
from cloud_runs.wire.connections import INTERIM, PIECE
from cloud_runs.wire.transport import Answer, Transport
from tests.support.clients import GO, soon
from tests.support.sockets import OK, Service, answer, certified

pytestmark = pytest.mark.usefixtures("no_proxies")


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def transport() -> Transport:
    return Transport(backoff=0.0, connect=5.0, read=5.0, sleep=lambda _: None)


def unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def asked() -> Leave:
    """A leave as a client has it when it sends."""
    leave = Leave(lambda: True)
    leave.ask()
    return leave


def start(transport: Transport, url: str, leave: Leave | None = None, **more: Any) -> Answer:
    return transport.start("POST", url, auth=unsigned, leave=leave or asked(), **{"seconds": 5.0, **more})


def read(transport: Transport, url: str, **more: Any) -> Answer:
    return transport.read("GET", url, auth=unsigned, **{"limit": soon(), **more})


def interim(status: int, times: int = 1) -> bytes:
    return f"HTTP/1.1 {status} X\r\nLink: </x>\r\n\r\n".encode() * times


class Late(Service):
    """Says `early` at once, and the rest when the next connection or request comes, or after a while: so the final
    answer comes on a connection that may have gone back to the pool."""

    def __init__(self, early: bytes, late: bytes, **more: Any) -> None:
        self.early, self.late, self.next = early, late, threading.Event()
        super().__init__(OK, **more)

    def act(self, connection: socket.socket, received: bytes) -> bool:
        if len(self.received) > 1:
            self.next.set()
            connection.sendall(answer(200, body=b"own"))
            return True
        connection.sendall(self.early)
        self.next.wait(0.3)
        connection.sendall(self.late)
        return True


# --- interim answers


@pytest.mark.parametrize("status", [100, 102, 103, 199])
@pytest.mark.parametrize("times", [1, 3])
def test_an_interim_answer_is_not_taken_for_the_final_one(transport: Transport, status: int, times: int) -> None:
    """RFC 9110, 15.2. The final answer comes later, on the same connection, and the next request has its own."""
    for send in (start, read):
        with Late(interim(status, times), answer(200, body=b"late")) as service:
            assert send(transport, service.url).body == b"late"
            assert read(transport, service.url).body == b"own"
            assert service.connections == 2, "the one with an interim answer is not used again"


def test_an_interim_answer_in_pieces(transport: Transport) -> None:
    def drip(connection: socket.socket) -> None:
        for byte in interim(102) + answer(200, body=b"late"):
            connection.sendall(bytes([byte]))

    with Service(drip) as service:
        assert start(transport, service.url).body == b"late"


def test_another_protocol_is_no_answer(transport: Transport) -> None:
    with Service(b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + OK) as service:
        with pytest.raises(UnknownOutcome):
            start(transport, service.url)
        with pytest.raises(Unavailable):
            read(transport, service.url)


def test_interim_answers_have_a_bound(transport: Transport) -> None:
    with Service(interim(102, INTERIM) + OK, interim(102, INTERIM + 1) + OK) as service:
        assert start(transport, service.url).status == 200
        with pytest.raises(UnknownOutcome):
            start(transport, service.url)


def test_interim_answers_do_not_make_a_start_longer(transport: Transport) -> None:
    """A run may be made as long after its start as the answer is waited for, so that has an end."""
    over = threading.Event()

    def heads(connection: socket.socket) -> None:
        while not over.wait(0.02):
            connection.sendall(interim(102))

    with Service(heads) as service:
        with pytest.raises(UnknownOutcome, match="no answer in time"):
            start(transport, service.url, seconds=0.3)
        over.set()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "crt.pem"))
    return certified(tmp_path)


def test_over_tls(transport: Transport, certificate: ssl.SSLContext) -> None:
    with Late(interim(102), answer(200, body=b"late"), tls=certificate) as service:
        url = f"https://{service.address}/path"
        assert start(transport, url).body == b"late"
        assert read(transport, url).body == b"own"
        assert service.connections == 2
    extra = Late(answer(200, body=b"first") + answer(200, body=b"more"), b"", tls=certificate)
    with extra as service:
        url = f"https://{service.address}/path"
        assert start(transport, url).body == b"first"
        assert read(transport, url).body == b"own"
        assert service.connections == 2


# --- other odd things: the connection is not used again

ODD = {
    "a second answer": answer(200, body=b"first") + answer(200, body=b"more"),
    "bytes after the body": answer(200, body=b"first") + b"x",
    "a body where there is none": b"HTTP/1.1 204 X\r\n\r\nmore",
    "two framings": b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nfirst\r\n0\r\n\r\n",
    "bytes after the last chunk": b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\nmore",
    "two codings": b"HTTP/1.1 200 X\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\nfirst",
}


@pytest.mark.parametrize("odd", ODD)
def test_a_connection_on_which_anything_odd_was_seen_is_not_used_again(transport: Transport, odd: str) -> None:
    with Late(ODD[odd], b"") as service:
        assert start(transport, service.url).body in (b"first", b"")
        assert read(transport, service.url).body == b"own"
        assert service.connections == 2


def test_bytes_that_come_while_nobody_asks(transport: Transport) -> None:
    came = threading.Event()

    def say(connection: socket.socket) -> None:
        connection.sendall(answer(200, body=b"first"))
        connection.sendall(answer(200, body=b"unasked"))
        came.set()
        threading.Event().wait(0.2)

    with Service(say, answer(200, body=b"own")) as service:
        assert start(transport, service.url).body == b"first"
        assert came.wait(30)
        assert start(transport, service.url).body == b"own"


@pytest.mark.parametrize("lengths", [("5", "6"), ("5, 6",), ("5", "")])
def test_contradictory_lengths_are_no_answer(transport: Transport, lengths: tuple[str, ...]) -> None:
    head = "".join(f"Content-Length: {length}\r\n" for length in lengths)
    with Late(f"HTTP/1.1 200 X\r\n{head}\r\nfirst".encode(), b"") as service:
        with pytest.raises(UnknownOutcome):
            start(transport, service.url)
        assert read(transport, service.url).body == b"own"
        assert service.connections == 2


# --- the leave


class Clocks:
    """Wall clock and boot clock that a test sets."""

    wall = boot = 1000.0

    def leave(self) -> Leave:
        leave = Leave(lambda: True, lambda: self.wall, lambda: self.boot)
        leave.ask()
        return leave


LOST: dict[str, Callable[[Clocks], None]] = {
    "both clocks": lambda clocks: vars(clocks).update(wall=1000.0 + LEAVE_SECONDS + 1, boot=1000.0 + LEAVE_SECONDS + 1),
    "the boot clock stood still": lambda clocks: vars(clocks).update(wall=1000.0 + LEAVE_SECONDS + 1),
    "the wall clock was set": lambda clocks: vars(clocks).update(boot=1000.0 + LEAVE_SECONDS + 1),
    "the wall clock was set back": lambda clocks: vars(clocks).update(wall=900.0),
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("pooled", [False, True])
def test_a_start_whose_leave_is_too_old_is_not_sent(transport: Transport, how: str, pooled: bool) -> None:
    clocks = Clocks()
    with Service(OK) as service:
        if pooled:
            start(transport, service.url, clocks.leave())
        leave = clocks.leave()
        LOST[how](clocks)
        with pytest.raises(NotReached, match="nothing was sent, since the Pulumi engine was asked more than 5 s"):
            start(transport, service.url, leave)
        assert len(service.received) == pooled
        assert read(transport, service.url).status == 200, "a question needs no leave"
        assert service.connections == 2, "a connection of a start that was not sent is closed"


def test_the_leave_is_looked_at_when_the_connection_is_there(transport: Transport) -> None:
    """After name, TCP, TLS and a place in the pool, which may all take long; with all bytes still to go."""
    seen: list[int] = []

    class Watched(Leave):
        def holds(self) -> bool:
            seen.append(len(service.received))
            return super().holds()

    leave = Watched(lambda: True)
    leave.ask()
    with Service(OK) as service:
        start(transport, service.url, leave, body=b"x" * 1000)
        start(transport, service.url, leave, body=b"x" * 1000)
    assert seen == [0, 1], "head and body go as one"


def test_head_and_body_are_one_piece(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    real = socket.socket.sendall

    def sendall(self: socket.socket, data: Any, *more: Any) -> None:
        sent.append(len(data))
        real(self, data, *more)

    monkeypatch.setattr(connections.socket.socket, "sendall", sendall)
    with Service(OK) as service:
        start(transport, service.url, body=b"x" * 1000)
    assert len([size for size in sent if size > 1000]) == 1


def test_a_large_start_whose_leave_ends_on_the_way_may_have_arrived(transport: Transport) -> None:
    class Brief(Leave):
        looks = 0

        def holds(self) -> bool:
            self.looks += 1
            return self.looks < 3

    leave = Brief(lambda: True)
    with Service(OK) as service:
        with pytest.raises(UnknownOutcome, match="the rest was not sent"):
            start(transport, service.url, leave, body=b"x" * 10 * PIECE)
        assert service.received == []
    assert leave.looks == 3


def test_a_start_that_waits_for_a_place_in_the_pool_is_not_sent_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS", 1)
    transport, clocks = Transport(connect=5.0, read=5.0), Clocks()
    busy, free = threading.Event(), threading.Event()

    def hold(connection: socket.socket) -> None:
        busy.set()
        free.wait(30)
        connection.sendall(OK)

    with Service(hold, OK) as service:
        first = threading.Thread(target=read, args=(transport, service.url))
        first.start()
        assert busy.wait(30)
        leave, told = clocks.leave(), []

        def later() -> None:
            with pytest.raises(NotReached) as caught:
                start(transport, service.url, leave)
            told.append(str(caught.value))

        second = threading.Thread(target=later)
        second.start()
        clocks.wall = clocks.boot = 1000.0 + LEAVE_SECONDS + 1
        free.set()
        first.join(30)
        second.join(30)
        assert len(told) == 1
        assert [one.partition(b" ")[0] for one in service.received] == [b"GET"]


def test_a_proxy_is_not_asked_for_a_tunnel_without_leave(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks()
    leave = clocks.leave()
    clocks.boot += LEAVE_SECONDS + 1
    with Service(OK) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        with pytest.raises(NotReached):
            start(transport, "https://ci.example/path", leave)
        assert proxy.received == []


def test_an_engine_that_is_gone_gives_no_leave() -> None:
    with pytest.raises(Orphaned):
        Leave(lambda: False).ask()
    assert not GO.__class__(lambda: True).holds(), "one that was never asked for"


# --- the limit


class GivenUp:
    """The user, who gives up when a test says so."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.looks = 0

    def __call__(self) -> bool:
        self.looks += 1
        return self.event.is_set()


def test_giving_up_ends_a_question_that_is_not_answered() -> None:
    """While it is being waited for: they are looked at more than once."""
    transport, user, over = Transport(connect=5.0, read=20.0, deadline=20.0), GivenUp(), threading.Event()
    with Service(lambda connection: over.wait(60) and None) as service:

        def give_up() -> None:
            while not service.received or user.looks < 4:
                over.wait(0.01)
            user.event.set()

        threading.Thread(target=give_up, daemon=True).start()
        with pytest.raises(Interrupted):
            read(transport, service.url, limit=Limit(600, given_up=user))
        over.set()


def test_giving_up_ends_a_pause_between_two_tries() -> None:
    user, slept = GivenUp(), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        user.event.set()

    with Service(answer(503, "Retry-After: 9")) as service, pytest.raises(Interrupted):
        read(Transport(sleep=sleep), service.url, limit=Limit(60, given_up=user))
    assert len(slept) == 1
    assert slept[0] < 1.0


def test_a_question_ends_with_its_limit() -> None:
    transport = Transport(connect=5.0, read=600.0, deadline=600.0, backoff=0.0)
    over = threading.Event()
    with Service(lambda connection: over.wait(60) and None) as service:
        with pytest.raises(Unavailable):
            read(transport, service.url, limit=Limit(0.2))
        over.set()
        assert len(service.received) == 1


def test_nothing_is_asked_after_the_limit(transport: Transport) -> None:
    with Service(OK) as service:
        with pytest.raises(Unavailable, match="not answered within 0 s"):
            read(transport, service.url, limit=Limit(0))
        assert service.connections == 0
