"""A hostile service on a real socket: other hosts, drips, lies about lengths, and what they do to a start."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_runs.errors import NotReached, Refused, RunsError, Unavailable, UnknownOutcome
from tests.hostile import answers, cases, systems
from tests.kits import KITS
from tests.kits.huawei_dwr import PROJECT
from tests.support.clients import GO
from tests.support.examples import examples
from tests.support.sockets import OK, Service, answer

pytestmark = pytest.mark.usefixtures("no_proxies")


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@examples(150)
@given(st.integers(0, 2**32).map(str))
def test_answers_as_they_come_over_a_socket(seed: str) -> None:
    cases.within(120, lambda: cases.wire(seed, deadline=0.3))


def call(system: str, name: str, service: Service, deadline: float = 5.0) -> Any:
    api = systems.client(system, cases.hasty(deadline), f"http://{service.address}", deadline)
    return cases.within(120, lambda: systems.operations(system)[name](api))


class Routed(Service):
    """Healthy but for the requests that a test spoils."""

    def __init__(self, spoiled: Callable[[socket.socket], None] | bytes, *, if_start: bool) -> None:
        self._spoiled, self._if_start = spoiled, if_start
        self.over = threading.Event()
        super().__init__()

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        super().__exit__(*exc)

    def act(self, connection: socket.socket, received: bytes) -> bool:
        line = received.partition(b" HTTP/1.1\r\n")[0].decode()
        healthy = "token" in line or (self._if_start and not systems.starts_a_run(line))
        action = answers.written(*answers.good(line)) if healthy else self._spoiled
        if callable(action):
            action(connection)
            return False
        connection.sendall(answer(200, body=action) if healthy else action)
        return True

    def starts(self) -> list[bytes]:
        return [one for one in self.received if systems.starts_a_run(one.partition(b" HTTP/1.1\r\n")[0].decode())]


LOCATIONS = ["http://{evil}/", "//{evil}/", "http://{own}@{evil}/", "\\\\{evil}\\", "http:/{evil}", "/elsewhere"]


# Each system and each location more than once; `make test-long` has all pairs.
PAIRS = [
    pytest.param(location, system, marks=() if (number + place) % 3 == 0 else pytest.mark.long)
    for place, location in enumerate(LOCATIONS)
    for number, system in enumerate(KITS)
]


@pytest.mark.parametrize(("location", "system"), PAIRS)
def test_nothing_follows_to_another_host(location: str, system: str) -> None:
    with Service(OK) as evil:
        for status in (300, 301, 302, 303, 304, 305, 307, 308, 401, 407, 200):
            with Routed(b"", if_start=False) as service:
                where = location.format(evil=evil.address, own=service.address)
                names = ("Location", "Content-Location", "Refresh", "Alt-Svc", "Proxy-Authenticate", "WWW-Authenticate")
                told = dict.fromkeys(names, where) | {
                    "Refresh": f"0; url={where}",
                    "Alt-Svc": f'h2="{evil.address}"',
                }
                service._spoiled = answer(status, *(f"{name}: {value}" for name, value in told.items()))
                for name in systems.operations(system):
                    try:
                        call(system, name, service)
                    except RunsError as error:
                        assert evil.address not in str(error)  # noqa: PT017
                service._if_start = True
                with pytest.raises(Refused if status != 200 else UnknownOutcome):
                    call(system, "start", service)
                assert len(service.starts()) == (1 if KITS[system].by_minute else 2)
        assert evil.connections == 0


def dripping(head: bytes, piece: bytes) -> Callable[[Routed, socket.socket], None]:
    """One piece at a time, each well within the time-out of a socket."""

    def drip(service: Routed, connection: socket.socket) -> None:
        connection.sendall(head)
        while not service.over.wait(0.02):
            connection.sendall(piece)

    return drip


DRIPS = {
    "silence": lambda service, connection: service.over.wait(60),
    "head": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "heads": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "length": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
    "no length": dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"<"),
    "chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n"),
    "chunk size": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailer": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"y"),
}


@pytest.mark.parametrize("system", KITS)
@pytest.mark.parametrize("name", DRIPS)
def test_a_start_that_is_answered_for_ever(system: str, name: str) -> None:
    """It ends with the deadline, was sent once, and may have run."""
    with Routed(lambda connection: DRIPS[name](service, connection), if_start=True) as service:
        with pytest.raises(UnknownOutcome):
            call(system, "start", service, deadline=0.3)
        assert len(service.starts()) == 1


@pytest.mark.parametrize("system", KITS)
def test_questions_that_are_answered_for_ever(system: str) -> None:
    for name in ("silence", "head", "chunks"):
        with Routed(lambda connection, name=name: DRIPS[name](service, connection), if_start=False) as service:
            for operation in ("find", "get"):
                with pytest.raises(RunsError):
                    call(system, operation, service, deadline=0.2)
            assert not service.starts()


@pytest.mark.parametrize("system", KITS)
def test_a_hundred_megabytes(system: str) -> None:
    """No more than the limit is read, of a start's answer and of a question's."""

    def send(connection: socket.socket) -> None:
        service.endless(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")(connection)

    with Routed(send, if_start=True) as service:
        with pytest.raises(UnknownOutcome):
            call(system, "start", service)
        service._if_start = False
        with pytest.raises(RunsError):
            call(system, "get", service)
        assert service.sent < 40_000_000  # what the kernel buffers comes on top


@pytest.mark.parametrize("lie", ["1,2", "5, 5, 6"])
def test_two_lengths(lie: str) -> None:
    """They are the way to smuggle an answer: neither is believed, and the connection is closed."""
    bad = f"HTTP/1.1 200 OK\r\nContent-Length: {lie}\r\n\r\n".encode() + answers.written(
        *answers.good("POST /triggerworkflow")
    )
    with Service(bad) as service:
        with pytest.raises(UnknownOutcome):
            call("tencent.workflow", "start", service)
        assert len(service.received) == 1


@pytest.mark.parametrize("size", ["-ffffffffffffffffffff", "-1", "f" * 5000, "zz", ""])
def test_a_size_that_no_chunk_has(size: str) -> None:
    head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    with Service(f"{head}{size}\r\n<Response><Insta".encode()) as service:
        for name, error in (("start", UnknownOutcome), ("get", Unavailable)):
            with pytest.raises(error):
                call("tencent.workflow", name, service, deadline=0.5)


def test_an_answer_that_holds_a_second_one() -> None:
    """It is not taken for the answer to the next request."""
    first, second = (f"<Response><InstanceId>{id}</InstanceId></Response>".encode() for id in ("i1", "i2"))
    with Service(answer(200, body=first) + answer(200, body=second)) as service:
        client = systems.client("tencent.workflow", cases.hasty(5.0), f"http://{service.address}")
        for _ in range(3):
            assert client.start(KITS["tencent.workflow"].request, GO).id == "i1"
        assert len(service.received) == 3


@pytest.mark.filterwarnings("error")
def test_cookies_are_not_even_read() -> None:
    """http.cookiejar prints a traceback for this one."""
    with Service(
        answer(200, "Set-Cookie: a=b; Version=1; Max-Age=" + "9" * 400, "Set-Cookie: a=b", "Set-Cookie: ;")
    ) as service:
        with pytest.raises(UnknownOutcome):
            call("tencent.workflow", "start", service)
        with pytest.raises(RunsError):
            call("tencent.workflow", "get", service)
    assert all(b"Cookie" not in one for one in service.received)


ids = st.text(min_size=1, max_size=20) | st.sampled_from([text for text in answers.TEXTS if text])


@examples(150)
@given(ids, ids)
def test_no_value_makes_another_request(id: str, object: str) -> None:
    """What a server reads of an id, of an object, of inputs: one request, to the same place, with the same words."""
    with Service(answer(404)) as service:
        for system in ("tencent.workflow", "tencent.inventory", "huawei.workflow", "huawei.dwr"):
            with pytest.raises(RunsError):
                systems.client(system, cases.hasty(5.0), f"http://{service.address}").get(id)
        request = type(KITS["tencent.workflow"].request)("w1", object, object)
        with pytest.raises(RunsError):
            systems.client("tencent.workflow", cases.hasty(5.0), f"http://{service.address}").start(request, GO)
        request = type(KITS["huawei.workflow"].request)("b", object, {"a": object})
        for system in ("huawei.workflow", "huawei.dwr"):
            with pytest.raises(RunsError):
                systems.client(system, cases.hasty(5.0), f"http://{service.address}").start(request, GO)
    dwr = f"/v3/{PROJECT}/workflows/scan/"
    paths = (
        "/workflowexecution/",
        "/inventorytriggerjob/",
        "/v2/workflowexecutions/",
        f"{dwr}workflowexecution/",
        "/triggerworkflow?workflowId=w1&object=",
    )
    for received in service.received:
        head = received.partition(b"\r\n\r\n")[0].decode("ascii")
        method, target, version = head.partition("\r\n")[0].split(" ")
        assert version == "HTTP/1.1"
        assert method in ("GET", "POST")
        assert target.startswith((*paths, "/v2/workflows/scan", f"{dwr}execute"))
        assert head.lower().count("\r\nhost:") == 1
        assert ".my" in head
        if target.startswith(paths[:4]):
            of_one = next(path for path in paths if target.startswith(path))
            assert target.partition("?")[0].count("/") == of_one.count("/")
            assert "/../" not in target
            assert not target.endswith("/..")
        elif "trigger" in target:
            assert target.count("&") == 2
            assert target.count("=") == 3


def test_a_loopback_address_where_nothing_listens_hints_at_the_emulator() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, not listening: the port stays ours and refuses
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(NotReached, match=r"connection refused .*cloud-runs-emulator"):
            systems.client("huawei.workflow", cases.hasty(5.0), endpoint).start(KITS["huawei.workflow"].request, GO)
    assert os.strerror(errno.ECONNREFUSED) == "Connection refused"
