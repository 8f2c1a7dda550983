"""HTTP for all clients: pooled connections of one process, with the retry rules of a thing that must not run twice.

Two kinds of requests, each with its own `urllib3.util.Retry`:

* a *read* (also a cancel, which is the same twice as once) is repeated after lost connections, 429 and 5xx;
* a *start* is repeated only if it provably did not reach the service. An answer, also 429, is given back at once.

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
import re
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from cloud_runs.errors import NotReached, Unavailable, UnknownOutcome, clean
from cloud_runs.wire.connections import Call, NoBundle, ReadRetry, StartRetry, current, open_session
from cloud_runs.wire.settings import is_loopback

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
DIAL_SECONDS = 5.0  # for a start: its engine may be gone by then, and a later `up` has looked and found nothing
DEADLINE_SECONDS = 60.0
BODY_BYTES = 8 * 1024 * 1024
BODY_TRIES = 3

Params = Iterable[tuple[str, str | None]]
Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]
"""Signs a request, as the last thing before it is sent."""


@dataclass(frozen=True)
class Answer:
    """What came back. `complete` is False if a start's body broke off: then `body` is what arrived before that."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes
    complete: bool = True

    @property
    def date(self) -> datetime | None:
        """The server's clock from the `Date` header (RFC 9110, 6.6.1); None if it is missing or cannot be read."""
        try:
            moment = email.utils.parsedate_to_datetime(self.headers.get("Date", ""))
            return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
        except (TypeError, ValueError, OverflowError, IndexError):
            return None


class Transport:
    """Sends requests by the rules above. Safe for threads; `shared()` is the one of this process.

    `deadline` bounds one call with its retries, in seconds (only the resolver's own time-outs come on top); `backoff`
    is the first pause between tries, doubled each time, with jitter. `clock` is monotonic.
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
        self._connect, self._read, self._deadline, self._limit = connect, read, deadline, body_limit
        self._backoff, self._clock, self._sleep = backoff, clock, sleep
        common: dict[str, Any] = {
            "other": 0,  # TLS: a certificate that was refused will be refused again
            "redirect": False,
            "raise_on_status": False,
            "allowed_methods": None,
            "backoff_factor": backoff,
            "backoff_jitter": backoff,
            "backoff_max": 8.0,
        }
        reads = ReadRetry(total=4, connect=2, read=3, status=4, status_forcelist={429, 500, 502, 503, 504}, **common)
        # firing.py repeats what did not arrive, since only there it is known whether the engine is still alive
        starts = StartRetry(total=0, connect=0, read=0, status=0, status_forcelist=(), **common)
        self._reads, adapter = open_session(reads)
        self._starts, _ = open_session(starts, sharing=adapter)

    def read(
        self,
        method: str,
        url: str,
        *,
        auth: Auth,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
    ) -> Answer:
        """Asks, or does what is the same twice as once. Any status is returned, 429 and 5xx after all tries.

        `params` go on the wire in their order, percent-encoded with %20 for a space; a value of None is a bare key.
        Raises Unavailable if there was no whole answer.
        """
        deadline = self._clock() + self._deadline
        for attempt in range(1, BODY_TRIES + 1):
            call = Call(deadline, self._clock, self._limit, self._read)
            try:
                answer = self._send(self._reads, call, method, url, auth, headers, params)
            except _Lost as lost:
                raise Unavailable(lost.text) from None
            if answer.complete:
                return answer
            # urllib3's Retry ends with the head of an answer; a body that broke off is ours to ask for again
            pause = self._backoff * 2**attempt
            if attempt == BODY_TRIES or pause >= call.remaining():
                break
            self._sleep(pause)
        raise Unavailable(
            f"{method} {urlsplit(url).path} to {urlsplit(url).netloc}: the answer broke off before its end"
        )

    def start(
        self,
        method: str,
        url: str,
        *,
        auth: Auth,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Sends a request that starts a run. Any status is returned at once, 429 too.

        Raises NotReached (nothing arrived) or UnknownOutcome (it may have arrived). An answer whose body broke off is
        returned with `complete=False`, since it may hold the id.
        """
        call = Call(self._clock() + self._deadline, self._clock, self._limit, self._read, DIAL_SECONDS)
        try:
            return self._send(self._starts, call, method, url, auth, headers, params, body)
        except _Lost as lost:
            raise (NotReached if lost.unsent else UnknownOutcome)(lost.text) from None

    def _send(
        self,
        session: requests.Session,
        call: Call,
        method: str,
        url: str,
        auth: Auth,
        headers: Mapping[str, str] | None,
        params: Params | None,
        body: bytes = b"",
    ) -> Answer:
        name = f"{method} {urlsplit(url).path} to {urlsplit(url).netloc}"
        query = "&".join(
            _quote(key) if value is None else f"{_quote(key)}={_quote(value)}" for key, value in params or ()
        )
        request = requests.Request(
            method, f"{url}?{query}" if query else url, headers=dict(headers or {}), data=body, auth=auth
        )
        host = urlsplit(url).hostname or ""
        # naming the host itself is the one form that requests decides without changing os.environ (there are threads)
        proxies = {"no_proxy": host} if is_loopback(host) else {}
        try:
            prepared = session.prepare_request(request)
            settings = session.merge_environment_settings(prepared.url or "", proxies, True, None, None)
        except requests.exceptions.RequestException as error:
            # its text may hold the header or URL that was not accepted
            raise _Lost(f"{name}: cannot be sent ({type(error).__name__})", unsent=True) from None
        current.call = call
        try:
            response = session.send(prepared, timeout=(self._connect, self._read), allow_redirects=False, **settings)
            with response:
                content, complete = _body(response, call)
        except _TooLarge:
            raise _Lost(f"{name}: the answer is larger than {call.limit} bytes", unsent=False) from None
        except NoBundle as error:
            raise _Lost(f"{name}: {clean(str(error))}", unsent=True) from None
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            reason = _reason(error)
            if is_loopback(host) and reason == os.strerror(errno.ECONNREFUSED).lower():
                reason += " (nothing listens there; `cloud-runs-emulator` starts the emulator)"
            raise _Lost(f"{name}: {reason}", unsent=call.unsent or _before_sending(error)) from None
        finally:
            current.call = None
        return Answer(response.status_code, response.headers, content, complete)


@functools.cache
def shared() -> Transport:
    """The transport of this process."""
    return Transport()


class _Lost(Exception):
    """No answer. `unsent`: nothing of the request has left this machine."""

    def __init__(self, text: str, *, unsent: bool) -> None:
        self.text, self.unsent = text, unsent
        super().__init__(text)


class _TooLarge(Exception):
    pass


def _body(response: requests.Response, call: Call) -> tuple[bytes, bool]:
    """The decoded body, and whether it is whole. Raises _TooLarge; on the wire and decoded, the limit is the same."""
    raw: Any = response.raw
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    inflate = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None  # 47: gzip or zlib head
    parts: list[bytes] = []
    wire = size = 0
    try:
        # read1 hands over what has arrived, so that a start whose answer breaks off still shows what came before
        while chunk := raw.read1(min(65536, raw.length_remaining or 65536), decode_content=False):
            wire += len(chunk)
            data = inflate.decompress(chunk, call.limit + 1 - size) if inflate else chunk
            size += len(data)
            if max(wire, size) > call.limit:
                raise _TooLarge
            parts.append(data)
    except (HTTPError, http.client.HTTPException, OSError, zlib.error, OverflowError):  # the last: a chunk's size
        return b"".join(parts), False
    return b"".join(parts), inflate is None or inflate.eof or not wire


def _quote(text: str) -> str:
    # RFC 3986 unreserved characters only: no "+" for a space, which signers and services read differently
    return quote(text, safe="-_.~")


def _before_sending(error: Exception) -> bool:
    # a proxy or endpoint that cannot be used at all; requests finds that before it asks urllib3 for a connection
    return isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema))


def _chain(error: BaseException) -> list[BaseException]:
    """requests and urllib3 wrap errors in arguments and attributes rather than in causes: outermost first."""
    found = [error]
    while len(found) < 10:
        last = found[-1]
        inner = [getattr(last, "reason", None), getattr(last, "original_error", None), *last.args, last.__cause__]
        following = next((item for item in inner if isinstance(item, BaseException) and item not in found), None)
        if following is None:
            break
        found.append(following)
    return found


_PROXY = "if this network needs a proxy, set HTTPS_PROXY"


def _reason(error: Exception) -> str:
    """What went wrong, without what the libraries put into their texts: URLs, addresses of objects."""
    chain = _chain(error)
    for item in chain:
        if isinstance(item, NameResolutionError):
            return f"the host name cannot be resolved (check region and endpoint; {_PROXY})"
        if isinstance(item, ssl.SSLCertVerificationError):
            return (
                f"the certificate is not trusted ({clean(item.verify_message, 100)}); if a proxy opens TLS, set "
                "REQUESTS_CA_BUNDLE to a file with its certificate"
            )
        if isinstance(item, ssl.SSLError):
            return f"TLS failed ({clean(str(item.reason or item.args[-1:]), 100)})"
        if isinstance(item, ConnectTimeoutError) and not isinstance(item, NewConnectionError):
            return f"no connection in time (check the network; {_PROXY})"
        if isinstance(item, (Urllib3TimeoutError, TimeoutError)) and not isinstance(item, NewConnectionError):
            return "no answer in time"
        if isinstance(item, http.client.RemoteDisconnected):
            return "the connection was closed without an answer"
        if isinstance(item, OSError) and not isinstance(item, requests.exceptions.RequestException):
            if item.errno:
                return os.strerror(item.errno).lower()
            refused = re.match(r"Tunnel connection failed: (\d+)", str(item))
            if refused:  # the rest is the proxy's own text, and a proxy knows the password in its URL
                return (
                    f"the proxy refused ({refused[1]}); check HTTPS_PROXY and its password, and that the proxy lets "
                    "this host pass"
                )
    return type(chain[-1]).__name__
