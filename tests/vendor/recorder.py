"""A server on loopback that notes each request byte for byte and passes it on to the emulator, which checks it."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.support.clients import serving

_PROXY_FORM = re.compile(r"http://[^/]+")
_OF_ONE_CONNECTION = frozenset({"connection", "transfer-encoding"})


@dataclass(frozen=True)
class Recorded:
    """A request as it was on the wire, and the status that it was answered with.

    `target` is path and query as sent, without the `http://host` that comes before them on the way to a proxy.
    """

    version: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int


class Recorder:
    """`url` takes requests, also as a proxy and through a tunnel (CONNECT)."""

    def __init__(self, url: str, noted: list[Recorded]) -> None:
        self.url = url
        self._noted = noted

    def take(self) -> list[Recorded]:
        """What came since the last time."""
        taken = self._noted.copy()
        self._noted.clear()
        return taken


@contextmanager
def recorder(upstream: str) -> Iterator[Recorder]:
    class Handler(_Handler):
        to, noted = urlsplit(upstream).netloc, []

    with serving(Handler) as url:
        yield Recorder(url, Handler.noted)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    to: str
    noted: list[Recorded]

    def do_CONNECT(self) -> None:
        # A tunnel ends here: the requests that come through it follow on the same connection.
        self.send_response_only(200)
        self.end_headers()
        self.close_connection = False  # the request for a tunnel may be of HTTP/1.0

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = tuple(self.headers.items())
        target = _PROXY_FORM.sub("", self.path, count=1)
        connection = http.client.HTTPConnection(self.to, timeout=30)
        try:
            connection.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in _OF_ONE_CONNECTION:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.noted.append(Recorded(self.request_version, self.command, target, headers, body, answer.status))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {*_OF_ONE_CONNECTION, "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass
