"""uvicorn, set up for the emulator: connections in reach of the application, quick and quiet ends, one start line."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cloud_runs_emulator.app import Emulator
from cloud_runs_emulator.link import EXTENSION, Link

KEEP_ALIVE_SECONDS = 75
"""Longer than the pool of any usual client keeps an idle connection, so that the client decides when to close."""


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which puts the connection into each request's scope.

    A request line with an absolute URI, as HTTP proxies get it, is split by the parser: the application sees the path.
    """

    def on_message_begin(self) -> None:
        """Called by the parser at the start of each request."""
        super().on_message_begin()
        if not hasattr(self, "_link"):
            self._link = Link(self.transport)
        self.scope["extensions"] = {EXTENSION: {"link": self._link}}


class Server(uvicorn.Server):
    """Says when it listens, and ends within a second of SIGINT or SIGTERM, whatever is still open."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then announce it."""
        await super().startup(sockets=sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut open connections, not wait for them: clients keep theirs, and a delayed answer may be an hour off."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As in uvicorn, but a signal is not raised again at the end: that would end the process with it."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._stop) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 picks a free one. Raises `OSError` if the address cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def run(app: Emulator, bound: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until a signal comes. `announce` is called once, when requests are accepted."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    Server(config, announce).run(sockets=[bound])
