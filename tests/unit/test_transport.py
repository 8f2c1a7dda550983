"""What reaches the wire: real servers on loopback, and how many requests each of them received."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.auth import AuthBase

from cloud_runs.errors import NotReached, RunsError, Unavailable, UnknownOutcome
from cloud_runs.limits import Leave
from cloud_runs.wire.connections import CONNECTIONS
from cloud_runs.wire.transport import Answer, Transport, shared
from tests.support.clients import soon
from tests.support.sockets import ENDLESS, OK, Action, Service, answer, certified, hang_up, reset


class Signed(AuthBase):
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = "signature-hunter2"
        return r


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Transport:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return make()


def make(**options: Any) -> Transport:
    return Transport(**{"backoff": 0.0, "connect": 5.0, "read": 5.0, "sleep": lambda _: None, **options})


def start(transport: Transport, url: str, **kwargs: Any) -> Answer:
    return transport.start("POST", url, auth=Signed(), **{"leave": asked(), "seconds": 5.0, **kwargs})


def read(transport: Transport, url: str, **kwargs: Any) -> Answer:
    return transport.read("GET", url, auth=Signed(), **{"limit": soon(), **kwargs})


def asked(alive: bool = True, **clocks: Any) -> Leave:
    """A leave as a client has it when it sends."""
    leave = Leave(lambda: alive, **clocks)
    leave.ask()
    return leave


def refused_address() -> tuple[socket.socket, str]:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))  # bound, not listening: the port stays ours and refuses
    return bound, f"127.0.0.1:{bound.getsockname()[1]}"


# --- what is sent


def test_request_on_the_wire(transport: Transport) -> None:
    with Service(OK) as service:
        params = [("workflowId", "w1"), ("object", "a b/+中~.mp4"), ("cancel", None)]
        found = start(transport, service.url, params=params, headers={"Host": "h.example"}, body=b"<x/>")
    head, _, body = service.received[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /path?workflowId=w1&object=a%20b%2F%2B%E4%B8%AD~.mp4&cancel HTTP/1.1"
    assert "Host: h.example" in headers
    assert "Content-Length: 4" in headers
    assert body == b"<x/>"
    assert (found.status, found.body, found.complete) == (200, b"ok", True)


def test_an_empty_body_has_a_length(transport: Transport) -> None:
    with Service(OK) as service:
        start(transport, service.url)
    assert b"\r\nContent-Length: 0\r\n" in service.received[0]


# --- a start is sent once


@pytest.mark.parametrize("action", [reset, hang_up])
def test_start_whose_answer_is_lost(transport: Transport, action: Action) -> None:
    with Service(action) as service:
        with pytest.raises(UnknownOutcome) as caught:
            start(transport, service.url, params=[("object", "hunter2")])
        assert len(service.received) == 1
    assert "hunter2" not in str(caught.value)
    assert "POST /path" in str(caught.value)


@pytest.mark.parametrize("status", [302, 400, 403, 408, 413, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("after", ["0", "1", "soon"])
def test_start_is_not_repeated_after_an_answer(transport: Transport, status: int, after: str) -> None:
    with Service(answer(status, f"Retry-After: {after}", "Location: /elsewhere", body=b"why")) as service:
        found = start(transport, service.url)
        assert (found.status, found.body) == (status, b"why")
        assert len(service.received) == 1


def test_start_that_cannot_connect(transport: Transport) -> None:
    bound, address = refused_address()
    with bound, pytest.raises(NotReached, match="connection refused"):
        start(transport, f"http://{address}/path")


def failing_names(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    real, asked = socket.getaddrinfo, list[str]()

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        if len(asked) <= times:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_start_whose_host_has_no_address(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = failing_names(monkeypatch, 99)
    with pytest.raises(NotReached, match="cannot be resolved"):
        start(transport, "https://ci.example/path")
    assert len(asked) == 1, "firing.py repeats it, after it has asked the engine"


def test_start_over_a_connection_that_the_peer_closes_meanwhile(transport: Transport) -> None:
    with Service(OK, hang_up) as service:
        start(transport, service.url)
        with pytest.raises(UnknownOutcome):
            start(transport, service.url)
        assert (len(service.received), service.connections) == (2, 1)


def test_start_after_the_peer_closed_an_idle_connection(transport: Transport) -> None:
    closed = threading.Event()

    def ok_and_close(connection: socket.socket) -> None:
        connection.sendall(OK)
        connection.close()
        closed.set()

    with Service(ok_and_close, OK) as service:
        start(transport, service.url)
        assert closed.wait(30)
        assert start(transport, service.url).status == 200
        assert (len(service.received), service.connections) == (2, 2)


def test_reads_and_starts_share_connections(transport: Transport) -> None:
    with Service(OK) as service:
        start(transport, service.url)
        read(transport, service.url)
        assert service.connections == 1


def test_start_keeps_what_came_before_the_answer_broke_off(transport: Transport) -> None:
    def broken(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<InstanceId>i1</InstanceId>")
        hang_up(connection)

    def broken_chunk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<InstanceId>i1</InstanceId>")
        hang_up(connection)

    with Service(broken, broken_chunk) as service:
        for _ in range(2):
            found = start(transport, service.url)
            assert (found.status, found.complete) == (200, False)
            assert found.body == b"<InstanceId>i1</InstanceId>"
        assert len(service.received) == 2


# --- TLS


def test_start_to_a_port_that_does_not_speak_tls(transport: Transport) -> None:
    with Service(OK) as service, pytest.raises(NotReached, match="TLS failed"):
        start(transport, f"https://{service.address}/path")
    assert not service.received


def test_start_to_a_port_that_never_answers_the_tls_greeting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotReached, match="no answer in time"):
        start(make(connect=0.2), f"https://127.0.0.1:{silent.getsockname()[1]}/path")


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    return certified(tmp_path)


def test_start_to_a_host_whose_certificate_is_not_trusted(transport: Transport, certificate: ssl.SSLContext) -> None:
    with Service(OK, tls=certificate) as service:
        with pytest.raises(NotReached, match="certificate is not trusted"):
            start(transport, f"https://{service.address}/path")
        assert not service.received
        assert service.connections == 1  # it would be refused again


def test_start_over_tls_whose_answer_is_lost(
    transport: Transport, certificate: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "crt.pem"))
    with Service(OK, reset, tls=certificate) as service:
        assert start(transport, f"https://{service.address}/path").status == 200
        with pytest.raises(UnknownOutcome):
            start(transport, f"https://{service.address}/path")
        assert len(service.received) == 2


def test_missing_certificate_bundle(transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(NotReached, match=r"none\.pem"):
        start(transport, "https://ci.example/path")


# --- proxies


def test_start_through_a_proxy_that_loses_the_answer(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 calls this ProxyError("Unable to connect to proxy"), although the request was sent."""
    with Service(reset) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        with pytest.raises(UnknownOutcome):
            start(transport, "http://ci.example/path")
        assert len(proxy.received) == 1


def test_many_starts_through_one_proxy(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service(OK) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        for _ in range(3):
            assert start(transport, "http://ci.example/path").status == 200
        assert (len(proxy.received), proxy.connections) == (3, 1)


def test_start_through_a_proxy_that_refuses_the_tunnel(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service(answer(407)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:hunter2@{proxy.address}")
        with pytest.raises(NotReached, match="407") as caught:
            start(transport, "https://ci.example/path")
        assert proxy.received[0].startswith(b"CONNECT ci.example:443 ")
    assert "hunter2" not in str(caught.value)


def test_start_through_a_proxy_that_is_not_there(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    bound, address = refused_address()
    monkeypatch.setenv("https_proxy", f"http://{address}")
    with bound, pytest.raises(NotReached, match="connection refused"):
        start(transport, "https://ci.example/path")


def test_a_proxy_setting_that_cannot_be_used(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http:///hunter2")
    with pytest.raises(NotReached) as caught:
        start(transport, "https://ci.example/path")
    assert "hunter2" not in str(caught.value)


def test_loopback_never_goes_through_a_proxy(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service(OK) as service, Service(OK) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        start(transport, service.url)
        assert (len(service.received), len(proxy.received)) == (1, 0)


def test_netrc_and_cookies_are_not_used(transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login u password p\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Service(answer(200, "Set-Cookie: a=b; Path=/")) as service:
        start(transport, service.url)
        read(transport, service.url)
    for received in service.received:
        assert b"Authorization: signature-hunter2" in received
        assert b"Cookie" not in received


# --- reads


def test_read_is_repeated(transport: Transport) -> None:
    with Service(reset, answer(503), hang_up, answer(429), OK) as service:
        assert read(transport, service.url).status == 200
        assert len(service.received) == 5


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_read_gives_the_last_answer_back(transport: Transport, status: int) -> None:
    with Service(answer(status, "Retry-After: 0", body=b"why")) as service:
        found = read(transport, service.url)
        assert (found.status, found.body) == (status, b"why")
        assert len(service.received) == 5


def test_read_without_an_answer(transport: Transport) -> None:
    with Service(reset) as service:
        with pytest.raises(Unavailable, match="GET /path"):
            read(transport, service.url)
        assert len(service.received) == 4


def test_read_is_repeated_when_its_body_breaks_off(transport: Transport) -> None:
    def broken(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
        hang_up(connection)

    with Service(broken, broken, OK) as service:
        assert read(transport, service.url).body == b"ok"
    with Service(broken) as service, pytest.raises(Unavailable, match="broke off"):
        read(transport, service.url)


def test_pauses_of_our_own_loop_are_passed_in(transport: Transport) -> None:
    pauses = list[float]()

    def broken(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
        hang_up(connection)

    with Service(broken) as service, pytest.raises(Unavailable):
        read(make(backoff=0.01, sleep=pauses.append), service.url)
    assert len(pauses) == 2
    assert 0.0075 <= pauses[0] <= 0.0125
    assert 0.015 <= pauses[1] <= 0.025


def test_retry_after_is_not_waited_for_beyond_the_deadline(transport: Transport) -> None:
    with Service(answer(429, "Retry-After: 86400")) as service:
        assert read(make(deadline=5.0), service.url).status == 429
        assert len(service.received) == 1


# --- limits


@pytest.mark.parametrize("status", [200, 302])
def test_body_is_bounded(transport: Transport, status: int) -> None:
    with Service(OK) as service:
        head = f"HTTP/1.1 {status} X\r\nLocation: /\r\nContent-Length: {ENDLESS}\r\n\r\n".encode()
        service.actions = [service.endless(head)]
        with pytest.raises(Unavailable, match="larger"):
            read(transport, service.url)
        with pytest.raises(UnknownOutcome, match="larger"):
            start(transport, service.url)
        assert len(service.received) == 2
        assert service.sent < ENDLESS / 2


def test_a_body_of_a_try_that_is_repeated_is_not_drunk(transport: Transport) -> None:
    with Service(OK) as service:
        head = f"HTTP/1.1 503 X\r\nContent-Length: {10**15}\r\n\r\n".encode()
        service.actions = [service.endless(head), OK]
        assert read(transport, service.url).status == 200
        assert service.sent < ENDLESS / 2


def test_a_small_body_that_unpacks_to_a_large_one(transport: Transport) -> None:
    bomb = answer(200, "Content-Encoding: gzip", body=gzip.compress(bytes(ENDLESS)))
    with Service(bomb) as service:
        with pytest.raises(Unavailable, match="larger"):
            read(transport, service.url)
        with pytest.raises(UnknownOutcome, match="larger"):
            start(transport, service.url)


def test_packed_bodies(transport: Transport) -> None:
    whole = gzip.compress(b"hello")
    broken = answer(200, "Content-Encoding: gzip", body=whole[:-9])
    no_gzip = answer(200, "Content-Encoding: gzip", body=b"<x/>")
    with Service(answer(200, "Content-Encoding: gzip", body=whole), broken, no_gzip) as service:
        assert read(transport, service.url).body == b"hello"
        assert not start(transport, service.url).complete
        assert not start(transport, service.url).complete


def test_an_answer_that_trickles_ends_with_the_deadline(transport: Transport) -> None:
    """Each byte comes well within the read time-out."""
    slow = make(deadline=0.3)
    with Service(OK) as service:
        body = service.endless(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", 0.02)
        heads = service.endless(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.02)
        service.actions = [body]
        with pytest.raises(Unavailable):
            read(slow, service.url)
        found = start(slow, service.url, seconds=0.3)
        assert (found.status, found.complete) == (200, False)
        service.actions = [heads]
        with pytest.raises(UnknownOutcome, match="no answer in time"):
            start(slow, service.url, seconds=0.3)
        with pytest.raises(Unavailable, match="no answer in time"):
            read(slow, service.url)


def test_hostile_heads(transport: Transport) -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(200))
    for raw in (b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n", b"HTTP/1.1 200 " + b"x" * 70000):
        with Service(raw) as service:
            with pytest.raises(RunsError) as caught:
                start(transport, service.url)
            assert isinstance(caught.value, UnknownOutcome)
            assert len(service.received) == 1


def test_many_threads_use_few_connections(transport: Transport) -> None:
    with Service(OK) as service:
        results = list[int]()
        threads = [
            threading.Thread(target=lambda: results.extend(read(transport, service.url).status for _ in range(5)))
            for _ in range(2 * CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert results == [200] * 10 * CONNECTIONS
        assert service.most <= CONNECTIONS


# --- values


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Thu, 14 Jul 2022 12:37:29 GMT", datetime(2022, 7, 14, 12, 37, 29, tzinfo=timezone.utc)),
        ("Thu, 14 Jul 2022 12:37:29 -0000", datetime(2022, 7, 14, 12, 37, 29, tzinfo=timezone.utc)),
        ("Thu, 14 Jul 2022 12:37:29 +0800", datetime(2022, 7, 14, 4, 37, 29, tzinfo=timezone.utc)),
        ("yesterday", None),
        ("Thu, 99 Jul 99999 12:37:29 GMT", None),
        ("", None),
    ],
)
def test_date(told: str, expected: datetime | None) -> None:
    assert Answer(200, {"Date": told}, b"").date == expected
    assert Answer(200, {}, b"").date is None


def test_headers_are_found_in_any_case(transport: Transport) -> None:
    with Service(answer(200, "x-CI-request-id: abc")) as service:
        assert read(transport, service.url).headers["X-Ci-Request-Id"] == "abc"


def test_the_process_has_one_transport() -> None:
    assert shared() is shared()
