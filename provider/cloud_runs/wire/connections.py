"""Connections of ours in the pools of urllib3: they know what has been sent, and they end.

Four things that the libraries do not give are here, used by ways.py and transport.py only:

* whether anything of a request has left this machine, which decides if a start may be sent again;
* a start's leave, looked at right before its bytes go, on a new connection and on one of the pool alike;
* a bound on the time and size of one whole answer, which the user's Ctrl-C ends too;
* an answer is that of its request: interim answers are skipped (RFC 9110, 15.2), and a connection on which anything odd
  was seen is not used again.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import threading
from collections.abc import Callable
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.wait import wait_for_read

from cloud_runs.limits import LEAVE_SECONDS, Leave, Limit

CONNECTIONS = 32  # at most; as many as a fan-out may have starts at once. Reads and starts share the pool
INTERIM = 100  # answers of one request that are not the final one; a service that works on it may tell so now and then
TICK = 0.25  # seconds between two looks at whether the user has interrupted a question
PIECE = 16_384  # bytes that go at once, between two looks at the leave; a request of ours is seldom larger


class Call:
    """What is known of the call that this thread makes now. `leave` is a start's, `limit` a question's.

    `unsent` is True only while a connection is being made (name, TCP, proxy tunnel, TLS), after that failed, and if the
    leave was gone before the first byte: then nothing of the request has left this machine. In doubt it is False. The
    kind of the exception would not do: urllib3 reports a reset connection to a forwarding proxy as ProxyError even
    after the request was sent.
    """

    def __init__(
        self,
        deadline: float,
        clock: Callable[[], float],
        most: int,
        read: float,
        *,
        limit: Limit | None = None,
        leave: Leave | None = None,
    ) -> None:
        """`most`: bytes of the answer. `read`: seconds without any byte; of a start: from its sending to the end."""
        self.deadline, self.clock, self.most, self.read = deadline, clock, most, read
        self.limit, self.leave = limit, leave
        self.unsent = False

    def remaining(self) -> float:
        """Seconds."""
        left = self.deadline - self.clock()
        return left if self.limit is None else min(left, self.limit.left())

    def sending(self, *, first: bool) -> None:
        """Right before bytes go. Raises NoLeave."""
        if self.leave is None:
            return
        if not self.leave.holds():
            self.unsent = self.unsent or first
            raise NoLeave("nothing was sent" if self.unsent else "the rest was not sent")
        # The run may be made as long after the request as a start is waited for; so no longer.
        self.deadline = min(self.deadline, self.clock() + self.read)


class NoLeave(OSError):
    """Too long ago the engine said that it wants this start. `what` was done about it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}, since the Pulumi engine was asked more than {LEAVE_SECONDS:.0f} s before (the connection took "
            "long, or this process was stopped)"
        )


class _Current(threading.local):
    call: Call | None = None


current = _Current()


class _LimitedReader(io.RawIOBase):
    """A socket's bytes up to the call's deadline and size; socket time-outs alone never end an answer that trickles."""

    def __init__(self, raw: Any, sock: Any, call: Call) -> None:
        self._raw, self._sock, self._call = raw, sock, call
        self._left = call.most + 1024 * 1024  # a head may come on top of the body
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        if self.ended:
            return None  # what is read ahead is all there is
        self._wait()
        if self._left <= 0:
            raise OSError("answer too large")
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        return count

    def _wait(self) -> None:
        """Until there is something to read. Raises TimeoutError, or what the call's limit raises."""
        call = self._call
        idle_until = call.clock() + call.read
        while True:
            if call.limit is not None:
                call.limit.check()
            remaining = min(call.remaining(), idle_until - call.clock())
            if remaining <= 0:
                raise TimeoutError("deadline")
            self._sock.settimeout(remaining)  # for the rest of a TLS record whose beginning is there
            wait = min(TICK, remaining) if call.limit is not None and call.limit.watched else remaining
            if _pending(self._sock) or wait_for_read(self._sock, wait):
                return

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    _odd = False
    _reader: _LimitedReader | None = None

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._sock = sock
        if current.call is not None:
            self._reader = _LimitedReader(self.fp.detach(), sock, current.call)
            self.fp = io.BufferedReader(self._reader)

    def _read_status(self) -> tuple[str, int, str]:
        """Of the final answer. Python itself skips 100 alone, however many there are, and takes another interim answer
        for the final one: then that one would be read as the answer to the next request on this connection."""
        for _ in range(INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # typeshed has no private ones
            if not 100 <= status < 200:
                return version, status, reason
            if status == 101:
                raise http.client.HTTPException("another protocol")
            self._odd = True
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim answers")

    def begin(self) -> None:
        super().begin()
        # requests reads cookies even for a jar that takes none, and a bad one makes it print a traceback
        for name in ("Set-Cookie", "Set-Cookie2"):
            del self.headers[name]
        told = {length.strip() for line in self.headers.get_all("Content-Length", []) for length in line.split(",")}
        if len(told) > 1:  # urllib3 finds that later, and then forgets to close the connection
            raise http.client.HTTPException("contradictory lengths")
        coded = self.headers.get_all("Transfer-Encoding", [])
        if coded and (told or [one.strip().lower() for one in coded] != ["chunked"]):
            self._odd = True  # RFC 9112, 6.1 and 6.3
        if self._odd:
            self.will_close = True

    def _close_conn(self) -> None:
        """The answer was read to its end, or is given up; after this the connection may go back to the pool."""
        if self._reader is not None and self.fp is not None:
            self._reader.ended = True
            try:
                more = bool(self.fp.peek(1)) or _pending(self._sock)
            except (OSError, ValueError):
                more = True
            if more:  # than was asked for: what comes next on it may be the answer to something else
                _shut(self._sock)
        super()._close_conn()  # type: ignore[misc]  # typeshed has no private ones


def _pending(sock: Any) -> bool:
    """Whether TLS has read more than was asked for; `select` does not see that."""
    pending = getattr(sock, "pending", None)
    return bool(pending and pending())


def _shut(sock: Any) -> None:
    """The pool finds it to be closed, and makes another one."""
    with contextlib.suppress(AttributeError, OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _Connection(HTTPConnection):
    response_class = _Response
    _held: list[bytes] | None = None

    def connect(self) -> None:
        call = current.call
        if call is None:
            super().connect()
            return
        call.unsent = True
        if isinstance(self.timeout, (int, float)):
            self.timeout = max(0.001, min(self.timeout, call.remaining()))
        super().connect()
        call.unsent = False

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Head and body go as one, so that nothing can come between them."""
        self._held = []
        try:
            super().request(*args, **kwargs)
            whole = memoryview(b"".join(self._held))
        finally:
            self._held = None
        if self.sock is None:
            self.connect()
        for at in range(0, len(whole), PIECE):
            self.send(whole[at : at + PIECE], first=at == 0)

    def send(self, data: Any, *, first: bool = True) -> None:
        if self._held is not None:
            self._held.append(bytes(data))
            return
        if current.call is not None:
            try:
                current.call.sending(first=first)
            except NoLeave:
                self.close()
                raise
        super().send(data)


def ours(pool: Any) -> Any:
    """A pool class with connections of ours."""
    if issubclass(pool.ConnectionCls, _Connection):  # a manager that was asked for before
        return pool
    connection = type("Connection", (_Connection, pool.ConnectionCls), {})
    return type("Pool", (pool,), {"ConnectionCls": connection})


POOLS = {"http": ours(HTTPConnectionPool), "https": ours(HTTPSConnectionPool)}
