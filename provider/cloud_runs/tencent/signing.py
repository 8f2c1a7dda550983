"""The `q-sign-algorithm=sha1` signature of COS and CI, as named steps.

Source: https://cloud.tencent.com/document/product/436/7778 ("Request Signature"), and the vendor's SDKs where it is
silent. Pure functions apart from the clock; tests/vectors/tencent/ has one folder a case, so a mismatch shows at which
step it starts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from cloud_runs.wire.payloads import query_pairs
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from requests import PreparedRequest

Pairs = Iterable[tuple[str, str | None]]


class Listed(NamedTuple):
    """Pairs as they are signed."""

    names: str
    values: str


LIFETIME_SECONDS = 900
"""Of a signature, as in the vendor's Node.js SDK (its Python SDK has 10,060): what somebody has copied is soon good for
nothing, and a clock that is further behind is refused."""
BEFORE_SECONDS = 60
"""Of these before our clock, so that one that is a little fast still signs."""


def listed(pairs: Pairs) -> Listed:
    """Steps 3 and 4, of the parameters or headers that are signed, decoded: the names joined by `;`, and `name=value`
    joined by `&`. Names are lowered after encoding. A name without a value counts as one with an empty value.
    """
    encoded = sorted((_encoded(name).lower(), _encoded(value or "")) for name, value in pairs)
    return Listed(";".join(name for name, _ in encoded), "&".join(f"{name}={value}" for name, value in encoded))


def http_string(method: str, path: str, params: Listed, headers: Listed) -> str:
    """Step 5. `path` is decoded and without query."""
    return f"{method.lower()}\n{path}\n{params.values}\n{headers.values}\n"


def string_to_sign(key_time: str, http_string: str) -> str:
    """Step 6. `key_time` is `<start>;<end>` in Unix seconds."""
    return f"sha1\n{key_time}\n{hashlib.sha1(http_string.encode()).hexdigest()}\n"


def signature(secret: str, key_time: str, string_to_sign: str) -> str:
    """Steps 2 and 7. The second key is the first result as hexadecimal text, not as bytes."""
    return _hmac(_hmac(secret, key_time), string_to_sign)


def authorization(id: str, key_time: str, params: Listed, headers: Listed, signature: str) -> str:
    """Step 8: the header. The order of its parts is fixed and nothing in it is encoded."""
    return (
        f"q-sign-algorithm=sha1&q-ak={id}&q-sign-time={key_time}&q-key-time={key_time}"
        f"&q-header-list={headers.names}&q-url-param-list={params.names}&q-signature={signature}"
    )


class QSignAuth:
    """Signs `Host`, all query parameters, the token if there is one, and the `Content-MD5` of a body, which nothing
    else in this signature covers; so does the vendor's Go SDK.

    Content-Type and Content-Length are sent but NOT signed: CI answers 401 when a proxy or library changes them after
    signing, and the vendor's own examples sign no header at all. A temporary token is sent under both names, since the
    vendor's SDKs disagree on which one CI reads.
    """

    def __init__(self, credentials: Credentials, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        url = urlsplit(r.url or "")
        # An endpoint override changes where the bytes go, not the Host that the client has set.
        r.headers.setdefault("Host", url.netloc)
        signed = {"host": r.headers["Host"]}
        if self._credentials.token:
            for name in ("x-ci-security-token", "x-cos-security-token"):
                r.headers[name] = signed[name] = self._credentials.token
        if r.body:
            body = r.body.encode() if isinstance(r.body, str) else r.body
            digest = hashlib.md5(body, usedforsecurity=False).digest()
            r.headers["Content-MD5"] = signed["content-md5"] = base64.b64encode(digest).decode()
        start = int(self._clock()) - BEFORE_SECONDS
        key_time = f"{start};{start + LIFETIME_SECONDS}"
        params, headers = listed(query_pairs(url.query)), listed(signed.items())
        text = http_string(r.method or "", unquote(url.path), params, headers)
        value = signature(self._credentials.secret, key_time, string_to_sign(key_time, text))
        r.headers["Authorization"] = authorization(self._credentials.id, key_time, params, headers, value)
        return r


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _hmac(key: str, text: str) -> str:
    return hmac.digest(key.encode(), text.encode(), "sha1").hex()
