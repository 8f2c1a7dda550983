"""HTTP for all clients: pooled connections of one process, with the retry rules of a thing that must not run twice.

Two kinds of requests:

* a *read* (also a cancel, which is the same twice as once) is repeated here after lost connections, 429 and 5xx, within
  the time that it is given;
* a *start* is sent once, and only with the engine's leave. An answer, also 429, is given back at once.

What does NOT happen: redirects are not followed, cookies and `.netrc` are not used, bodies are not read without a
limit, and no header, signature or query enters an error text. Proxies and certificate bundles of the environment are
honoured; a loopback address never goes through a proxy.

requests takes a fifth of the time in which a program starts, and a program sends nothing: the host alone imports this
module, through `RunProvider.transport`.
"""

from __future__ import annotations

import email.utils
import errno
import functools
import http.client
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from cloud_runs.errors import NotReached, Unavailable, UnknownOutcome, clean
from cloud_runs.limits import LEAVE_SECONDS, START_SECONDS, Leave, Limit
from cloud_runs.wire.connections import Call, current
from cloud_runs.wire.pauses import Tries, asked_for, nap
from cloud_runs.wire.reasons import before_sending, cause, reason
from cloud_runs.wire.settings import is_loopback
from cloud_runs.wire.ways import Auth as Auth
from cloud_runs.wire.ways import NoBundle, Ways, prepared

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
DEADLINE_SECONDS = 60.0
BODY_BYTES = 8 * 1024 * 1024

_LATER = frozenset({429, 500, 502, 503, 504})

Params = Iterable[tuple[str, str | None]]


@dataclass(frozen=True)
class Answer:
    """What came back. `complete` is False if a start's body broke off: then `body` is what arrived before that."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes
    complete: bool = True
    dropped: bool = False
    """Not read, since its status means that the same question may be asked again."""

    @property
    def date(self) -> datetime | None:
        """The server's clock from the `Date` header (RFC 9110, 6.6.1); None if it is missing or cannot be read."""
        return _date(self.headers.get("Date", ""))


@functools.lru_cache(16)  # many answers of one second
def _date(text: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


class Transport:
    """Sends requests by the rules above. Safe for threads; `shared()` is the one of this process.

    `read` is the time without any byte of an answer, `deadline` bounds one question with its repeats, both in seconds
    (only the resolver's own time-outs come on top); `backoff` is the first pause between tries, doubled each time, with
    jitter. `clock` is monotonic.
    """

    def __init__(
        self,
        *,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        deadline: float = DEADLINE_SECONDS,
        body_limit: int = BODY_BYTES,
        backoff: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect, self._read, self._deadline, self._most = connect, read, deadline, body_limit
        self._backoff, self._clock, self._sleep = backoff, clock, sleep
        self._ways = Ways()

    def read(
        self,
        method: str,
        url: str,
        *,
        auth: Auth,
        limit: Limit,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Asks, or does what is the same twice as once; each try is signed anew. Any status is returned, 429 and 5xx
        after all tries.

        `params` go on the wire in their order, percent-encoded with %20 for a space; a value of None is a bare key.
        Raises Unavailable if there was no whole answer, or none within the limit; Interrupted.
        """
        request = _Request(method, url, auth, headers, params, body)
        until = self._clock() + self._deadline
        tries = Tries(self._backoff, lambda: min(until - self._clock(), limit.left()))

        def refused(status: int, head: Mapping[str, str]) -> bool:
            return status in _LATER and tries.pause("status", asked_for(head)) is not None

        while True:
            limit.check()
            try:
                answer = self._send(request, Call(until, self._clock, self._most, self._read, limit=limit), refused)
            except _Lost as lost:
                limit.check()
                pause, trouble = tries.again(lost.cause), lost.text
            else:
                if answer.complete:
                    return answer
                trouble = f"{request.name}: the answer broke off before its end"
                pause = tries.again("status", asked_for(answer.headers)) if answer.dropped else tries.again("body")
            if pause is None:
                raise Unavailable(trouble)
            nap(pause, limit, self._sleep)

    def start(
        self,
        method: str,
        url: str,
        *,
        auth: Auth,
        leave: Leave,
        seconds: float = START_SECONDS,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Sends a request that starts a run, once. Any status is returned at once, 429 too.

        `seconds`: how long its answer is waited for, from the sending to the end. Nothing is sent unless `leave` holds
        right before. Raises NotReached (nothing arrived) or UnknownOutcome (it may have arrived). An answer whose body
        broke off is returned with `complete=False`, since it may hold the id.
        """
        request = _Request(method, url, auth, headers, params, body)
        until = self._clock() + self._connect + seconds + LEAVE_SECONDS
        call = Call(until, self._clock, self._most, seconds, leave=leave)
        try:
            return self._send(request, call, lambda status, head: False)
        except _Lost as lost:
            raise (NotReached if lost.unsent else UnknownOutcome)(lost.text) from None

    def _send(self, request: _Request, call: Call, drop: Callable[[int, Mapping[str, str]], bool]) -> Answer:
        """`drop`: whether an answer is not to be read, by its status and head: a refused one may have any size."""
        try:
            signed = request.prepared()
        except requests.exceptions.RequestException as error:
            # its text may hold the header or URL that was not accepted
            raise _Lost(f"{request.name}: cannot be sent ({type(error).__name__})", "never", unsent=True) from None
        current.call = call
        try:
            response = self._ways.send(signed, self._connect, call.read)
            try:
                if drop(response.status, response.headers):
                    return Answer(response.status, response.headers, b"", complete=False, dropped=True)
                content, complete = _body(response, call)
            finally:
                response.close()  # of what was not read to its end the connection, too
                response.release_conn()
        except _TooLarge:
            raise _Lost(f"{request.name}: the answer is larger than {call.most} bytes", "never", unsent=False) from None
        except NoBundle as error:
            raise _Lost(f"{request.name}: {clean(str(error))}", "never", unsent=True) from None
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            said = reason(error)
            if is_loopback(request.host) and said == os.strerror(errno.ECONNREFUSED).lower():
                said += " (nothing listens there; `cloud-runs-emulator` starts the emulator)"
            unsent = call.unsent or before_sending(error)
            raise _Lost(f"{request.name}: {said}", cause(error, unsent), unsent=unsent) from None
        finally:
            current.call = None
        return Answer(response.status, response.headers, content, complete)


_transport = functools.cache(Transport)
_first = threading.Lock()


def shared() -> Transport:
    """The transport of this process."""
    with _first:  # to a cache alone, threads whose first calls come at once bring one each
        return _transport()


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    auth: Auth
    headers: Mapping[str, str] | None
    params: Params | None
    body: bytes

    @property
    def name(self) -> str:
        """For error texts: without the query."""
        return f"{self.method} {urlsplit(self.url).path} to {urlsplit(self.url).netloc}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def prepared(self) -> requests.PreparedRequest:
        query = "&".join(
            _quote(key) if value is None else f"{_quote(key)}={_quote(value)}" for key, value in self.params or ()
        )
        return prepared(self.method, self.url, query, dict(self.headers or {}), self.body, self.auth)


class _Lost(Exception):
    """No answer. `unsent`: nothing of the request has left this machine; `cause`: one of TRIES, or "never"."""

    def __init__(self, text: str, cause: str, *, unsent: bool) -> None:
        self.text, self.cause, self.unsent = text, cause, unsent
        super().__init__(text)


class _TooLarge(Exception):
    pass


def _body(response: BaseHTTPResponse, call: Call) -> tuple[bytes, bool]:
    """The decoded body, and whether it is whole. Raises _TooLarge; on the wire and decoded, the limit is the same."""
    raw: Any = response
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    inflate = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None  # 47: gzip or zlib head
    parts: list[bytes] = []
    wire = size = 0
    try:
        # read1 hands over what has arrived, so that a start whose answer breaks off still shows what came before
        while chunk := raw.read1(min(65536, raw.length_remaining or 65536), decode_content=False):
            wire += len(chunk)
            data = inflate.decompress(chunk, call.most + 1 - size) if inflate else chunk
            size += len(data)
            if max(wire, size) > call.most:
                raise _TooLarge
            parts.append(data)
    except (HTTPError, http.client.HTTPException, OSError, zlib.error, OverflowError):  # the last: a chunk's size
        return b"".join(parts), False
    return b"".join(parts), inflate is None or inflate.eof or not wire


def _quote(text: str) -> str:
    # RFC 3986 unreserved characters only: no "+" for a space, which signers and services read differently
    return quote(text, safe="-_.~")
