"""Connections of ours in the pools of requests and urllib3: they know what has been sent, and they end.

Two things that the libraries do not give are here: whether anything of a request has left this machine (which decides
if a start may be sent again), and a bound on the time and size of one whole answer. Used by transport.py only.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError
from urllib3.util import Retry

CONNECTIONS = 32  # at most; as many as a fan-out may have starts at once. Reads and starts share the pool
RETRY_AFTER_SECONDS = 10.0  # more than this is not waited for between two tries


class Call:
    """What is known of the call that this thread makes now.

    `unsent` is True only while a connection is being made (name, TCP, proxy tunnel, TLS) or after that failed:
    then nothing of the request has left this machine. In doubt it is False. The kind of the exception would not do:
    urllib3 reports a reset connection to a forwarding proxy as ProxyError even after the request was sent.
    """

    def __init__(
        self, deadline: float, clock: Callable[[], float], limit: int, read: float, dial: float | None = None
    ) -> None:
        """`dial`: seconds after which a connection that was made comes too late for the request."""
        self.deadline, self.clock, self.limit, self.read, self.dial = deadline, clock, limit, read, dial
        self.unsent = False

    def remaining(self) -> float:
        return self.deadline - self.clock()


class _Current(threading.local):
    call: Call | None = None


current = _Current()


class _LimitedReader(io.RawIOBase):
    """A socket's bytes up to the call's deadline and size; socket time-outs alone never end an answer that trickles."""

    def __init__(self, raw: Any, sock: Any, call: Call) -> None:
        self._raw, self._sock, self._call = raw, sock, call
        self._left = call.limit + 1024 * 1024  # a head may come on top of the body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        remaining = self._call.remaining()
        if remaining <= 0:
            raise TimeoutError("deadline")
        if self._left <= 0:
            raise OSError("answer too large")
        self._sock.settimeout(min(self._call.read, remaining))
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if current.call is not None:
            self.fp = io.BufferedReader(_LimitedReader(self.fp.detach(), sock, current.call))

    def begin(self) -> None:
        super().begin()
        # requests reads cookies even for a jar that takes none, and a bad one makes it print a traceback
        for name in ("Set-Cookie", "Set-Cookie2"):
            del self.headers[name]
        told = {length.strip() for line in self.headers.get_all("Content-Length", []) for length in line.split(",")}
        if len(told) > 1:  # urllib3 finds that later, and then forgets to close the connection
            raise http.client.HTTPException("contradictory lengths")


class _Connection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        call = current.call
        if call is None:
            super().connect()
            return
        call.unsent = True
        if isinstance(self.timeout, (int, float)):
            self.timeout = max(0.001, min(self.timeout, call.remaining()))
        began = call.clock()
        super().connect()
        if call.dial is not None and call.clock() - began > call.dial:
            self.close()
            raise ConnectTimeoutError(self, f"Connection to {self.host} took too long to be used for a start")
        call.unsent = False


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class ReadRetry(Retry):
    """`Retry` that keeps the call's deadline and does not drink a refused answer's body to its end."""

    RETRY_AFTER_STATUS_CODES = frozenset({429, 503})

    def get_retry_after(self, response: Any) -> float | None:
        try:
            seconds = super().get_retry_after(response)
        except (HTTPError, ValueError, OverflowError):  # a header that is neither a number nor a date
            return None
        return None if seconds is None else min(seconds, RETRY_AFTER_SECONDS)

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Any:  # fmt: skip
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        wait = (following.get_retry_after(response) if response else None) or following.get_backoff_time()
        if current.call is not None and wait >= current.call.remaining():
            raise MaxRetryError(_pool, url, error)
        if response:
            # urllib3 would read the rest into memory without a limit so that the connection can be used again
            response.close()
            response.release_conn()
        return following


class StartRetry(ReadRetry):
    """Repeats only what has not left this machine; no answer is repeated, whatever its status or `Retry-After`."""

    # The default holds 503: urllib3 would repeat a POST that a gateway has perhaps passed on.
    RETRY_AFTER_STATUS_CODES = frozenset()

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Any:  # fmt: skip
        if error is not None and not (current.call and current.call.unsent):
            raise MaxRetryError(_pool, url, error) from error
        return super().increment(method, url, response, error, _pool, _stacktrace)


class _Adapter(HTTPAdapter):
    """Connections of ours in requests' pools; requests calls the first two methods to make its pool managers."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if proxy.lower().startswith("http"):  # SOCKS has connections of its own: every error is then an unknown outcome
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().cert_verify(*args, **kwargs)  # type: ignore[no-untyped-call]
        except OSError as error:  # REQUESTS_CA_BUNDLE names no file; this comes before a connection is asked for
            raise NoBundle(str(error)) from None


class _Session(requests.Session):
    def get_redirect_target(self, resp: Any) -> None:
        # Even with allow_redirects=False requests prepares the next request, and reads this body without a limit.
        return None


class NoBundle(Exception):
    pass


def open_session(retry: Retry, sharing: HTTPAdapter | None = None) -> tuple[requests.Session, HTTPAdapter]:
    adapter = _Adapter(max_retries=retry, pool_maxsize=CONNECTIONS, pool_block=True)
    if sharing is not None:
        adapter.poolmanager, adapter.proxy_manager = sharing.poolmanager, sharing.proxy_manager
    session = _Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"User-Agent": "cloud-runs", "Accept-Encoding": "gzip"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session, adapter
