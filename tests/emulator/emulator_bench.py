"""The emulator without a network and with a clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from cloud_runs_emulator.app import Emulator
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from cloud_runs_emulator.link import EXTENSION, Link
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Request
from cloud_runs_emulator.tencent.signing import sign

HOST = "media-1250000000.ci.ap-beijing.myqcloud.com"
WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799"
OTHER_WORKFLOW = "w7476ff3564ee45b7b490d64bccaba6cc"
START = 1_660_028_057.25  # 2022-08-09T14:54:17.25+08:00
ORDER = (
    "<Request><Name>demo</Name><Type>Workflow</Type><Input><Prefix>input</Prefix></Input>"
    f"<Operation><WorkflowIds>{WORKFLOW}</WorkflowIds></Operation></Request>"
)


def authorization(
    request: Request, now: float, access: str = DEFAULT_ACCESS_KEY, secret: str = DEFAULT_SECRET_KEY
) -> str:
    """A header that signs host, content length and all parameters, from a minute ago for ten minutes."""
    return sign(request, access, secret, f"{int(now) - 60};{int(now) + 600}", header_names=("host", "content-length"))


@dataclass
class Reply:
    """What the client sees."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    def text(self, path: str) -> str | None:
        return self.xml.findtext(path)

    def texts(self, path: str) -> list[str]:
        return [element.text or "" for element in self.xml.findall(path)]

    @property
    def error(self) -> tuple[int, str | None]:
        return self.status, self.text("Code")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakeTransport(asyncio.Transport):
    """Remembers what was written past HTTP, and how the connection ended."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended: list[str] = []

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return bool(self.ended)

    def abort(self) -> None:
        self.ended.append("abort")

    def close(self) -> None:
        self.ended.append("close")

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self

    def setsockopt(self, *option: Any) -> None:
        self.ended.append("reset")


class Bench:
    """One emulator. `now` is its clock; a wait moves it on and calls `on_sleep` first."""

    host = HOST
    system = "tencent.workflow"

    def __init__(self, **settings: Any) -> None:
        self.now = START
        self.waits: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None
        self.transport = FakeTransport()
        self.link = Link(self.transport)
        self.app = Emulator(Settings(clock=lambda: self.now, sleep=self._sleep, **settings))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        # In a thread, as a test looks at the emulator while the request waits, with an event loop of its own.
        await asyncio.to_thread(self.on_sleep)
        self.now += seconds

    def call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: str | bytes = b"",
        *,
        host: str = "",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """A request, signed unless `headers` say otherwise."""
        raw = body.encode() if isinstance(body, str) else body
        request = Request(method, path, list((query or {}).items()), [("host", host or self.host)], raw)
        request.headers.append(("content-length", str(len(raw))))
        if not path.startswith("/_emulator/"):
            self.sign(request, headers or {})
        return asyncio.run(self._exchange(request, request.headers))

    def sign(self, request: Request, headers: dict[str, str]) -> None:
        """Add the given headers and those of a signature that are not given."""
        request.headers += {"authorization": authorization(request, self.now), **headers}.items()

    async def _exchange(self, request: Request, headers: list[tuple[str, str]]) -> Reply:
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.path,
            "query_string": urlencode(request.query, quote_via=quote).encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
            "extensions": {EXTENSION: {"link": self.link}},
        }
        reply = Reply()
        inbox = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def receive() -> Any:
            return inbox.pop() if inbox else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                reply.body += message["body"]

        await self.app(scope, receive, send)  # type: ignore[arg-type]  # the part of a scope that the application reads
        return reply

    def start(self, key: str = "input/a.mp4", workflow: str = WORKFLOW, **more: Any) -> str:
        """Trigger a workflow; the id of the execution."""
        query = {"workflowId": workflow, "object": key}
        return self.call("POST", "/triggerworkflow", query, **more).text("InstanceId") or ""

    def order(self, body: str = ORDER, **more: Any) -> str:
        """Start an inventory job; its id."""
        return self.call("POST", "/inventorytriggerjob", body=body, **more).text("JobsDetail/JobId") or ""

    def executions(self, **query: str) -> list[str]:
        """The ids on the first page of a workflow's executions."""
        reply = self.call("GET", "/workflowexecution", {"workflowId": WORKFLOW, **query})
        assert reply.status == 200, reply.body
        return reply.texts("WorkflowExecutionList/RunId")

    def jobs(self, **query: str) -> list[str]:
        """The ids on the first page of inventory jobs."""
        reply = self.call("GET", "/inventorytriggerjob", query)
        assert reply.status == 200, reply.body
        return reply.texts("JobsDetail/JobId")

    def admin(self, call: str, value: object = None) -> Reply:
        """An admin call: a GET, or a POST of a value as JSON."""
        method = "GET" if value is None else "POST"
        return self.call(method, f"/_emulator/{call}", body=b"" if value is None else json.dumps(value).encode())

    def fault(self, action: str, operation: str = "start", system: str = "", **more: Any) -> None:
        """Order a fault."""
        reply = self.admin(
            "faults", {"system": system or self.system, "operation": operation, "action": action, **more}
        )
        assert reply.json == {"accepted": 1}

    def origins(self) -> list[str]:
        """The origins of all runs, oldest first."""
        return [row["origin"] for row in self.admin("runs").json]


def is_request_id(text: str) -> bool:
    """Whether it has CI's look."""
    return base64.b64decode(text, validate=True).count(b"_") == 3
