"""The two hashes of the EnOS gateway, as named steps: one asks for a token, one signs each call with it.

Source: https://support.enos-iot.com/docs/apim/en/2.4.4/token/invoke_api_with_access_token.html and the page "get access
token" beside it. The secret is part of what is hashed; there is no HMAC. Method and path are not
signed. Pure functions apart from the clock; tests/vectors/enos/ has one folder a case, so a mismatch shows at which
step it starts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cloud_runs.wire.payloads import query_pairs

if TYPE_CHECKING:
    from requests import PreparedRequest

Pairs = Iterable[tuple[str, str | None]]


def encryption(key: str, timestamp: int, secret: str) -> str:
    """What proves the key in a token request. `timestamp` is in milliseconds; the same one twice is refused (1001)."""
    return _sha256(f"{key}{timestamp}{secret}")


def params_data(params: Pairs) -> str:
    """All query parameters, decoded: name and value without separators, sorted by name in ASCII order."""
    return "".join(name + value for name, value in sorted((name, value or "") for name, value in params))


def sign_input(token: str, params_data: str, body: str, timestamp: int, secret: str) -> str:
    """What is hashed. `body` is the text as it is sent, empty if there is none; `timestamp` in milliseconds."""
    return f"{token}{params_data}{body}{timestamp}{secret}"


def signature(sign_input: str) -> str:
    """The header `apim-signature`: lower-case hexadecimal SHA-256 of the UTF-8 text."""
    return _sha256(sign_input)


class ApimAuth:
    """Signs the query and the bytes of the body as they are sent, with a new timestamp for each request."""

    def __init__(self, token: str, secret: str, stamp: Callable[[], int]) -> None:
        """`stamp` gives milliseconds, never the same twice."""
        self._token, self._secret, self._stamp = token, secret, stamp

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        body = r.body or b""
        text = body if isinstance(body, str) else body.decode("utf-8")
        timestamp = self._stamp()
        params = params_data(query_pairs(urlsplit(r.url or "").query))
        r.headers["apim-accesstoken"] = self._token
        r.headers["apim-timestamp"] = str(timestamp)
        r.headers["apim-signature"] = signature(sign_input(self._token, params, text, timestamp, self._secret))
        return r


class Proof:
    """The body of a token request, which proves the key: made anew for each try, since the gateway refuses a timestamp
    that it has seen (1001)."""

    def __init__(self, key: str, secret: str, stamp: Callable[[], int], more: Mapping[str, str]) -> None:
        """`stamp` gives milliseconds, never the same twice; `more` goes into the body as well."""
        self._key, self._secret, self._stamp, self._more = key, secret, stamp, dict(more)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        timestamp = self._stamp()
        proof = encryption(self._key, timestamp, self._secret)
        r.body = json.dumps({"appKey": self._key, "timestamp": timestamp, "encryption": proof, **self._more}).encode()
        return r


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
