"""A service, or a proxy, that sends back all that it received and all that it may know, wherever an answer has room."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from xml.sax.saxutils import escape

from tests.support.clients import serving

STYLES = ("xml", "json", "text", "code")
"""How the body looks; `code`: as XML or JSON (by the request), with the echo in the place of the error code."""


class Echo:
    """What it does next: `status` and `style` of each answer, and the `secrets` that it tells beside what it received.

    `token` is what it gives to those who ask for an access token; None: it echoes them, too.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets, self.status, self.style = secrets, 403, "xml"
        self.token: str | None = None
        self.url = ""

    def body(self, told: str, wants_json: bool) -> bytes:
        code = told if self.style == "code" else "AccessDenied"
        if self.style == "xml" or (self.style == "code" and not wants_json):
            told = escape(told)
            text = f"<Code>{escape(code)}</Code><Message>{told}</Message><RequestId>{told}</RequestId>"
            return f"<?xml version='1.0'?><Error>{text}<InstanceId/></Error>".encode()
        if self.style == "text":
            return told.encode()
        names = ("message", "msg", "error_msg", "error_message", "requestId", "request_id", "submsg")
        answer: dict[str, Any] = dict.fromkeys(names, told) | {"code": code, "error_code": code, "status": 1}
        return json.dumps(answer).encode()


@contextmanager
def echo(secrets: Sequence[str]) -> Iterator[Echo]:
    service = Echo(secrets)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece, or each answer waits for an acknowledgement

        def do(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received = [self.requestline, *self.headers.values(), content.decode()]
            told = " ".join(" ".join([*service.secrets, *received]).split())  # in one line, for heads
            if service.token and "/token/" in self.path:
                status, body = 200, json.dumps({"status": 0, "data": {"accessToken": service.token, "expire": 7200}})
                body = body.encode()
            else:
                json_wanted = "json" in self.headers.get("Content-Type", "") or "dataflow" in self.path
                status, body = service.status, service.body(told, json_wanted)
            self.send_response_only(status, told)
            for name in ("x-ci-request-id", "x-obs-request-id", "WWW-Authenticate", "Location"):
                self.send_header(name, ("http://127.0.0.1:1/?" if name == "Location" else "") + told)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = do

        def log_message(self, *args: object) -> None: ...

    with serving(Handler) as service.url:
        yield service
