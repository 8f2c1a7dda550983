"""What tests of clients share: services that say what a test tells them to, in place of a transport or on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from requests.structures import CaseInsensitiveDict

from cloud_runs.limits import Leave, Limit
from cloud_runs.wire.transport import Answer, Params, Transport

GO = Leave(lambda: True)
"""The leave of an engine that is there."""


def soon(seconds: float = 60.0) -> Limit:
    """A limit that no test reaches unless it wants to."""
    return Limit(seconds)


def hasty() -> Transport:
    """A transport that repeats without pauses."""
    return Transport(backoff=0.0, sleep=lambda _: None)


def an_hour_ago() -> datetime:
    return datetime.now(timezone.utc) - timedelta(hours=1)


def says(body: Any = b"", status: int = 200, complete: bool = True, **headers: str) -> Answer:
    """An answer; what is neither bytes nor text is sent as JSON. `x_request_id="r"` is a header."""
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, CaseInsensitiveDict(named), body.encode() if isinstance(body, str) else body, complete)


class Clock:
    """Goes on only while one sleeps, or a test moves it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now, self.slept = now, 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


class Scripted:
    """In place of a transport: gives the next answer (the last one for ever), or raises it.

    `base` is what the URLs should begin with; it is left out of `sent`.
    """

    def __init__(self, base: str, *answers: Answer | Exception) -> None:
        self.base, self.answers = base, list(answers)
        self.sent: list[tuple[str, str, list[tuple[str, str | None]], bytes]] = []
        self.slept: list[float] = []

    def read(self, method: str, url: str, **kwargs: Any) -> Answer:
        path = url.removeprefix(self.base)
        self.sent.append((method, path, list(kwargs.get("params") or ()), kwargs.get("body", b"")))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    start = read


class Answering:
    """In place of a transport: what `answer` makes of method, URL, query and body. For calls whose order is nobody's.

    `asked` has the URLs without their beginning, and the queries.
    """

    def __init__(self, base: str, answer: Callable[[str, str, dict[str, str | None], bytes], Answer]) -> None:
        self.base, self.answer = base, answer
        self.asked: list[tuple[str, dict[str, str | None]]] = []

    def read(self, method: str, url: str, *, params: Params = (), body: bytes = b"", **_: Any) -> Answer:
        path, query = url.removeprefix(self.base), dict(params)
        self.asked.append((path, query))
        return self.answer(method, path, query, body)

    start = read


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of a server on loopback, with a thread for each connection."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def service(
    answer: Callable[[str], bytes], **headers: str
) -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """The URL of a service on loopback that answers by path, and what it received: request line, headers, body."""
    received: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.append((self.requestline, dict(self.headers), content))
            body = answer(self.path)
            self.send_response_only(200)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do

        def log_message(self, *args: object) -> None: ...

    with serving(Handler) as url:
        yield url, received
