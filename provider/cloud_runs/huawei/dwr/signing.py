"""The signature `SDK-HMAC-SHA256` of Huawei Cloud's API gateway, as named steps.

Source: the vendor's SDK (https://github.com/huaweicloud/huaweicloud-sdk-python-v3,
`huaweicloud-sdk-core/huaweicloudsdkcore/signer/signer.py`). Pure functions apart from the clock; tests/vectors/dwr/ has
one folder a case, so a mismatch shows at which step it starts.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from cloud_runs.wire.payloads import query_pairs
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from requests import PreparedRequest

Headers = Iterable[tuple[str, str]]
Params = Iterable[tuple[str, str | None]]

ALGORITHM = "SDK-HMAC-SHA256"

# Host and time are what the scheme needs; the others say what is done and for whom. The SDK signs all that it sends,
# its User-Agent too, which a proxy may change.
SIGNED = frozenset({"content-type", "host", "x-project-id", "x-sdk-date", "x-security-token"})


def canonical_uri(path: str) -> str:
    """Line 2: each segment decoded and encoded again, with a slash at the end, which is not on the wire."""
    encoded = quote(unquote(path), safe="/-_.~")
    return encoded if encoded.endswith("/") else f"{encoded}/"


def canonical_query(params: Params) -> str:
    """Line 3: by name, then value; both encoded. `params` are decoded."""
    pairs = sorted((_encoded(name), _encoded(value or "")) for name, value in params)
    return "&".join(f"{name}={value}" for name, value in pairs)


def canonical_headers(headers: Headers) -> str:
    """Line 4: those that are signed as `name:value` and a line feed, by name."""
    return "".join(f"{name.lower()}:{value.strip()}\n" for name, value in sorted(headers, key=_name))


def signed_headers(headers: Headers) -> str:
    return ";".join(sorted(name.lower() for name, _ in headers))


def canonical_request(method: str, path: str, params: Params, headers: Headers, body: bytes) -> str:
    """All six lines; `headers` are those that are signed."""
    pairs = list(headers)
    lines = [method.upper(), canonical_uri(path), canonical_query(params)]
    return "\n".join([*lines, canonical_headers(pairs), signed_headers(pairs), _digest(body)])


def string_to_sign(date: str, canonical_request: str) -> str:
    return "\n".join([ALGORITHM, date, _digest(canonical_request.encode())])


def signature(secret: str, string_to_sign: str) -> str:
    """The secret itself is the key: there is no date, region or service in it."""
    return hmac.digest(secret.encode(), string_to_sign.encode(), "sha256").hex()


def authorization(id: str, signed_headers: str, signature: str) -> str:
    return f"{ALGORITHM} Access={id}, SignedHeaders={signed_headers}, Signature={signature}"


class SdkAuth:
    """Sets `X-Sdk-Date` and the token, if there is one, and signs method, path, query, body and the headers of SIGNED.

    The gateway allows the date to be 15 minutes off, so a request that urllib3 sends again after it could not connect
    is still valid.
    """

    def __init__(self, credentials: Credentials, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        url = urlsplit(r.url or "")
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        r.headers["X-Sdk-Date"] = date
        if self._credentials.token:
            r.headers["X-Security-Token"] = self._credentials.token
        headers = [(name, value) for name, value in r.headers.items() if name.lower() in SIGNED]
        body = r.body.encode() if isinstance(r.body, str) else r.body or b""
        request = canonical_request(r.method or "", url.path, query_pairs(url.query), headers, body)
        signed = signature(self._credentials.secret, string_to_sign(date, request))
        r.headers["Authorization"] = authorization(self._credentials.id, signed_headers(headers), signed)
        return r


def _name(header: tuple[str, str]) -> str:
    return header[0].lower()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
