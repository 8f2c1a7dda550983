"""The ASGI application: finds the cloud for a request, lets it be carried out, and answers."""

from __future__ import annotations

import asyncio
import json
import logging
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from cloud_runs_emulator.admin import PREFIX, Admin
from cloud_runs_emulator.counters import Counters
from cloud_runs_emulator.enos.urls import EnosFlows
from cloud_runs_emulator.exchange import Exchange, Gone, World
from cloud_runs_emulator.faults import FaultQueue, Plan
from cloud_runs_emulator.huawei.dwr.urls import HuaweiDwr
from cloud_runs_emulator.huawei.urls import HuaweiObs
from cloud_runs_emulator.link import Link
from cloud_runs_emulator.orders import Orders
from cloud_runs_emulator.runs import RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Answer, Match, Request, System
from cloud_runs_emulator.tencent.urls import TencentCi

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

_log = logging.getLogger("emulator")

SYSTEMS: tuple[type[System], ...] = (TencentCi, HuaweiDwr, HuaweiObs, EnosFlows)


class Emulator:
    """All clouds behind one port."""

    def __init__(self, settings: Settings) -> None:
        store = RunStore()
        self._clock = settings.clock
        self._systems = [make(settings, store) for make in SYSTEMS]
        operations = {name: names for system in SYSTEMS for name, names in system.operations.items()}
        self._counters = Counters(operations)
        self._world = World(settings, store, self._counters)
        orders = Orders(operations, lambda system, run_id: store.get(system, run_id) is not None)
        self._faults = FaultQueue(orders.parse)
        clears = [system.clear for system in self._systems]
        self._admin = Admin(store, self._counters, self._faults, settings.clock, clears)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """The ASGI entry. Cancelled (when the server stops), it ends without an answer."""
        if scope["type"] != "http":
            return
        link = Link.of(scope)
        body = await _read(receive)
        if body is None:
            return
        # uvicorn answers a bug of the emulator with a plain 500, but its log is off: it must be seen all the same.
        try:
            if scope["path"].startswith(PREFIX):
                await self._send(send, self._admin.answer(scope["method"], scope["path"], body))
            else:
                await self._exchange(_request(scope, body), link, send)
        except asyncio.CancelledError:
            link.drop()
        except Exception:
            _log.exception("%s %s", scope["method"], scope["path"])
            raise
        if link.cut:
            # Not before the connection is really gone: uvicorn would take the missing answer for a bug and send a 500.
            while (await receive())["type"] != "http.disconnect":
                pass

    async def _exchange(self, request: Request, link: Link, send: ASGISendCallable) -> None:
        epoch = self._counters.epoch
        if link.counted_in != epoch:
            link.counted_in = epoch
            self._counters.connection()
        system, match = self._route(request)
        plan = Plan()
        if match is None:
            self._counters.unrouted()
        else:
            self._counters.request(match.system, match.operation)
            plan = self._faults.take(match.system, match.operation)
        if system is None:
            await self._send(send, _no_cloud(request))
            return
        try:
            answer = await Exchange(self._world, system, match, request, plan, link, epoch).answer()
        except Gone:
            link.drop()
            return
        if answer is None:
            return
        if plan.has("drop_response"):
            link.drop()
        elif plan.has("truncate"):
            await self._send(send, answer, part=len(answer.body) // 2)
            link.finish()
        else:
            await self._send(send, answer)

    def _route(self, request: Request) -> tuple[System | None, Match | None]:
        host = request.host
        for system in self._systems:
            if system.claims(host):
                return system, system.match(request)
        for system in self._systems:
            match = system.match(request)
            if match is not None:
                return system, match
        return None, None

    async def _send(self, send: ASGISendCallable, answer: Answer, part: int | None = None) -> None:
        """Send it; with `part` only so many bytes of its body, though Content-Length promises all (1 at least)."""
        length = len(answer.body) if part is None else max(1, len(answer.body))
        date = formatdate(self._clock() + answer.skew, usegmt=True).encode()
        headers = [*answer.headers, (b"date", date), (b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": answer.body[:part], "more_body": part is not None})


def _request(scope: HTTPScope, body: bytes) -> Request:
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=body,
    )


def _no_cloud(request: Request) -> Answer:
    text = json.dumps({"error": f"no emulated cloud has {request.method} {request.path} on host {request.host!r}"})
    return Answer(404, text.encode(), [(b"content-type", b"application/json")])


async def _read(receive: ASGIReceiveCallable) -> bytes | None:
    """The body, or `None` if the client left before it was complete: then nothing happens."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body
