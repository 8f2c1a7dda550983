"""Put into the dynamic hosts of a campaign: named instants are told on a socket, and the host waits there until it is
let go on (tests/campaigns/holds.py); and its clocks may be set. The package knows nothing of this.

The instants lie around functions of the package, so a change there may need one here: then an instant is never hit, and
the campaign fails, since each of them has a least count.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, timezone
from typing import Any

PORT, CLOCKS = "CAMPAIGN_PORT", "CAMPAIGN_CLOCKS"
END = "end"
"""What is created or updated is done, or has failed: nothing more comes of it in this host."""


class _Here(threading.local):
    name = ""
    """Of the resource that this thread works for."""
    starting = False
    """Whether what it sends is a start."""


_here = _Here()
_of_object: dict[tuple[str, str], str] = {}
"""The fan-out that starts an object, by system and object: its threads are not told."""


def at(point: str) -> None:
    """Returns when the test lets it, if it is there at all."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(os.environ[PORT]))) as told:
        told.sendall(json.dumps({"pid": os.getpid(), "name": _here.name, "point": point}).encode() + b"\n")
        told.recv(1)


def install() -> None:
    clocks = json.loads(os.environ.get(CLOCKS, "{}"))
    with _time_of_day(clocks):
        _set_points()
    if clocks:
        _set_clocks(clocks)


# -- points


def _around(
    owner: type, method: str, before: str = "", after: str = "", within: Callable[..., Any] | None = None
) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        with within(self, *args) if within else contextlib.nullcontext():
            try:
                if before:
                    at(before)
                result = original(self, *args, **kwargs)
                if after:
                    at(after)
                return result
            finally:
                if after == "return":
                    at(END)

    setattr(owner, method, wrapped)


@contextlib.contextmanager
def _set(**values: Any) -> Iterator[None]:
    before = {name: getattr(_here, name) for name in values}
    vars(_here).update(values)
    try:
        yield
    finally:
        vars(_here).update(before)


def _for(urn_of: Callable[..., str]) -> Callable[..., AbstractContextManager[None]]:
    return lambda self, *args: _set(name=urn_of(self, *args).split("::", 3)[-1])


def _urn(_self: Any, *args: Any) -> str:
    """In the properties, which come last."""
    return str(args[-1].get("resource_urn") or args[-1].get("run") or "")


def _set_points() -> None:
    import pulumi.dynamic  # noqa: F401 - before the package

    from cloud_runs import enos, huawei, tencent  # noqa: F401 - with their clients
    from cloud_runs.lifecycle.bound import Requests
    from cloud_runs.lifecycle.fan_out_provider import FanOutProvider
    from cloud_runs.lifecycle.intent import IntentProvider
    from cloud_runs.lifecycle.run_provider import RunProvider
    from cloud_runs.limits import Leave
    from cloud_runs.promise.fanning import FanOut
    from cloud_runs.promise.firing import _Look
    from cloud_runs.wire import connections
    from cloud_runs.wire.transport import Transport

    for method in ("create", "update"):
        _around(IntentProvider, method, after="minting", within=_for(_urn))
        _around(FanOutProvider, method, "intent", "return", _for(_urn))
    _around(RunProvider, "create", "intent", "return", _for(_urn))
    _around(RunProvider, "delete", "delete", "deleted", _for(_urn))
    _around(Leave, "ask", "ask", "asked")
    _around(Transport, "start", after="read", within=lambda *_: _set(starting=True))
    _around(connections._Response, "begin", within=_and_told)
    _around(_Look, "once", "look", "looked")
    _around(FanOut, "_seen", "look", "looked", _for(lambda fan, *_: fan._urn))
    _around(FanOutProvider, "_requests", within=_remember)
    _around(Requests, "start", within=lambda requests, key, _: _set(name=_of_object[requests.kind.name, key]))
    _in_two(connections.HTTPConnection)


@contextlib.contextmanager
def _and_told(_response: Any) -> Iterator[None]:
    yield
    if _here.starting:
        at("headers")


@contextlib.contextmanager
def _remember(provider: Any, _props: Any, _place: Any, keys: Any) -> Iterator[None]:
    _of_object.update({(provider.kind.name, key): _here.name for key in keys})
    yield


def _in_two(connection: type) -> None:
    """Of a start the request line leaves before the rest."""
    original: Callable[..., None] = connection.send  # type: ignore[attr-defined]

    def send(self: Any, data: Any) -> None:
        if not _here.starting:
            original(self, data)
            return
        line, end, rest = bytes(data).partition(b"\r\n")
        original(self, line + end)
        at("line")
        original(self, rest)
        at("sent")

    connection.send = send  # type: ignore[attr-defined]


# -- clocks


@contextlib.contextmanager
def _time_of_day(clocks: Mapping[str, Any]) -> Iterator[None]:
    """What the package takes for its clocks when it is imported. Not for good: gRPC compares it with its own."""
    true, ahead = time.time, float(clocks.get("wall", 0))
    time.time = lambda: true() + ahead
    try:
        yield
    finally:
        time.time = true


def _set_clocks(clocks: Mapping[str, Any]) -> None:
    """Of the machine as the package sees it: `wall` and `boot` are seconds that they are ahead, `kernel` its name."""
    from cloud_runs.lifecycle import host
    from cloud_runs.limits import since_boot
    from cloud_runs.promise.clock import Clock, kernel
    from cloud_runs.promise.process import Process

    wall, boot = timedelta(seconds=clocks.get("wall", 0)), float(clocks.get("boot", 0))
    clock = Clock(
        now=lambda: datetime.now(timezone.utc) + wall,
        boot=lambda: clocks.get("kernel") or kernel(),
        uptime=lambda: since_boot() + boot,
    )
    host._process = functools.cache(lambda: Process(clock))
