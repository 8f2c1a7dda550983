"""One case: one call of one client against answers that a seed chooses, judged by the oracle."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from cloud_runs.errors import RunsError
from cloud_runs.wire.transport import Transport
from tests.hostile import answers, oracle, systems, wires
from tests.support.sockets import Service


def judged(
    system: str, name: str, transport: Any, endpoint: str | None, service: systems.Hostile | Spoiled,
    seconds: float = 30.0,
) -> str:  # fmt: skip
    """Makes the call, asserts what must hold, and tells how it ended. `service`: what has answered."""
    outcome: Any
    try:
        outcome = systems.operations(system)[name](systems.client(system, transport, endpoint, seconds))
    except RunsError as error:
        outcome = error
        oracle.an_error(error, service.secrets)
    else:
        oracle.a_result(outcome, service.secrets)
    for once, answered in zip(systems.ONCE, (service.started, service.resumed), strict=True):
        if name == once:
            oracle.a_start(outcome, answered)
        else:
            assert not answered, f"{name} sent a {once}"
    return type(outcome).__name__


def told(seed: str) -> str:
    """A client that is told answers as a transport hands them over."""
    choices = systems.Choices(f"told {seed}")
    system, name = choices.first.choice(systems.ALL)
    hostile = systems.Hostile(choices)
    how = judged(system, name, hostile, None, hostile)
    return f"{system} {name}: {how}"


def hasty(deadline: float) -> Transport:
    return Transport(connect=5.0, read=deadline, deadline=deadline, backoff=0.0, body_limit=65536, sleep=lambda _: None)


class Spoiled(Service):
    """A service on loopback that spoils bytes, framing and connections."""

    def __init__(self, choices: systems.Choices) -> None:
        self.started: list[tuple[int, bytes]] = []
        self.resumed: list[tuple[int, bytes]] = []
        self.secrets = {answers.KEY, answers.SECRET, answers.TOKEN}
        self._choices, self._over = choices, threading.Event()
        super().__init__()

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        super().__exit__(*exc)

    def act(self, connection: socket.socket, received: bytes) -> bool:
        head = received.partition(b"\r\n\r\n")[0].decode()
        line = head.partition(" HTTP/1.1\r\n")[0]
        if answers.ACCESS in head:
            self.secrets.add(answers.ACCESS)
        r = self._choices.for_request(line)
        sent = wires.wire(r, line) if r else wires.healthy(line)
        if systems.starts_a_run(line):
            self.started.append((sent.status, sent.said))
        if systems.lets_go_on(line):
            self.resumed.append((sent.status, sent.said))
        for piece in sent.pieces:
            connection.sendall(piece)
        if sent.end == "hang":
            self._over.wait(60)
        elif sent.end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return sent.end == "keep"


def wire(seed: str, deadline: float = 0.5) -> str:
    """A client with a real transport."""
    choices = systems.Choices(f"wire {seed}")
    system, name = choices.first.choice(systems.ALL)
    with Spoiled(choices) as service:
        how = judged(system, name, hasty(deadline), f"http://{service.address}", service, deadline)
    return f"{system} {name}: {how}"


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """The result of a call that must end: a guard against hanging, far beyond what it should take."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised by the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"still at it after {seconds:.0f} s"
    if errors:
        raise errors[0]
    return results[0]
