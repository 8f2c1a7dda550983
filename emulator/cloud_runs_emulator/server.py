"""uvicorn, set up for the emulator: connections in reach of the application, quick and quiet ends, one start line."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from types import FrameType
from typing import ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cloud_runs_emulator.app import Emulator
from cloud_runs_emulator.authority import Authority, NoAuthority
from cloud_runs_emulator.link import EXTENSION, Link

_CONNECT = b"CONNECT "
_HEAD_BYTES = 65_536

KEEP_ALIVE_SECONDS = 75
"""Longer than the pool of any usual client keeps an idle connection, so that the client decides when to close."""


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which puts the connection into each request's scope.

    A request line with an absolute URI, as HTTP proxies get it, is split by the parser: the application sees the path.
    A CONNECT is answered here, by a tunnel to this very process: to port 443 with TLS as the host that it names.
    """

    authority: ClassVar[Authority | None] = None
    """Who gives hosts their certificates; None without `--tls`."""
    _head: bytes | None = b""
    """What has come of a first line that may be a CONNECT's; None after that."""
    _made = False
    _early = b""
    """What has come before the connection was made."""

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with what has come."""
        if not self._made:  # with the last of the client's words on TLS came the first of its request
            self._early += data
            return
        if self._head is None:
            super().data_received(data)
            return
        self._head += data
        begun = self._head[: len(_CONNECT)]
        if not _CONNECT.startswith(begun):
            data, self._head = self._head, None
            super().data_received(data)
        elif b"\r\n\r\n" in self._head or len(self._head) > _HEAD_BYTES:
            head, self._head = self._head, None
            self.transport.pause_reading()
            self._tunnelling = self.loop.create_task(self._tunnel(head))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Called by the event loop; of the inner end of a tunnel when that stands."""
        self._made = True
        super().connection_made(transport)
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop, also before the other end of a tunnel has agreed with the client on TLS."""
        if self._made:
            super().connection_lost(exc)

    async def _tunnel(self, head: bytes) -> None:
        host, _, port = head.split(b" ")[1].decode("latin-1").rpartition(":")
        context = None
        try:
            if not port.isdigit():
                raise NoAuthority("CONNECT takes host:port")
            if port == "443" and self.authority is None:
                raise NoAuthority("start the emulator with --tls to reach it by https")
            if port == "443" and self.authority:
                context = await self.loop.run_in_executor(None, self.authority.context, host)
        except NoAuthority as error:
            self._refuse(str(error))
            return
        if self.transport.is_closing():
            return
        inner = Protocol(self.config, self.server_state, self.app_state, self.loop)
        inner._head = None
        # Nothing may be awaited between these: what the client says next is for the other end of the tunnel.
        self.transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        made: asyncio.Transport | None = self.transport
        if context is None:
            self.transport.set_protocol(inner)
        else:
            try:
                made = await self.loop.start_tls(self.transport, inner, context, server_side=True)
            except (OSError, ssl.SSLError):  # the client does not trust it, or has left
                made = None
        self.connections.discard(self)
        if made is not None:
            inner.connection_made(made)
            made.resume_reading()

    def _refuse(self, why: str) -> None:
        body = f"{why}\n".encode()
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()

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


def run(app: Emulator, bound: socket.socket, announce: Callable[[], None], authority: Authority | None = None) -> None:
    """Serve until a signal comes. `announce` is called once, when requests are accepted."""
    config = uvicorn.Config(
        app,
        http=type("Protocol", (Protocol,), {"authority": authority}),
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
