"""The API gateway's two digests, as it checks them: of a token request and of each call.

Sources: "Get Access Token" and "Invoke API with the Access Token",
https://support.enos-iot.com/docs/apim/en/2.4.4/token/invoke_api_with_access_token.html, which also has the error codes.
Both are plain SHA-256 over texts that end with the secret. Method and path are not signed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

from cloud_runs_emulator.systems import Refused, Request

MAX_SKEW_SECONDS = 900
"""The gateway's tolerance is documented nowhere; this is what the other clouds have."""

_TIMESTAMP = re.compile(r"\d{1,16}", re.ASCII)

REPEATED, NO_KEY, BAD_ENCRYPTION, BAD_PARAMETER = "1001", "1002", "1003", "1004"
EMPTY, EXPIRED, NOT_REFRESHED = "1202", "1203", "1204"
"""The gateway's codes. How it answers a wrong `apim-signature` is not documented: here as a wrong `encryption`."""


def refused(code: str, message: str) -> Refused:
    """A refusal by the gateway or by the flow service. Which HTTP status goes with it is not documented: here 200."""
    return Refused(200, code, message)


def encryption(app_key: str, timestamp: int, secret: str) -> str:
    """The digest of a token request; the timestamp is in milliseconds."""
    return hashlib.sha256(f"{app_key}{timestamp}{secret}".encode()).hexdigest()


def params_data(query: Iterable[tuple[str, str]]) -> str:
    """The query part of `paramsData`: names sorted, each followed by its decoded value; of a repeated one the first."""
    first: dict[str, str] = {}
    for name, value in query:
        first.setdefault(name, value)
    return "".join(name + first[name] for name in sorted(first))


def signature(token: str, query: Iterable[tuple[str, str]], body: bytes, timestamp: str, secret: str) -> str:
    """`apim-signature`; the body counts byte for byte."""
    return hashlib.sha256(f"{token}{params_data(query)}".encode() + body + f"{timestamp}{secret}".encode()).hexdigest()


def same(expected: str, given: str) -> bool:
    """Whether two digests are the same; the comparison takes the same time for any."""
    return hmac.compare_digest(expected.encode(), given.encode())


def check_time(timestamp: int, now: float) -> None:
    """Refuse a timestamp (milliseconds) that is too far from Unix time `now`."""
    if abs(timestamp / 1000 - now) > MAX_SKEW_SECONDS:
        raise refused(BAD_PARAMETER, "invalid parameter: the timestamp is too far from the server's time")


def verify(request: Request, secret: str, token: str, now: float) -> None:
    """Refuse a call whose signature by this token and secret does not hold at Unix time `now`."""
    timestamp, given = request.header("apim-timestamp") or "", request.header("apim-signature") or ""
    if not timestamp or not given:
        raise refused(EMPTY, "parameter is empty: apim-timestamp and apim-signature are required")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise refused(BAD_PARAMETER, "invalid parameter: apim-timestamp")
    check_time(int(timestamp), now)
    if not same(signature(token, request.query, request.body, timestamp, secret), given):
        raise refused(BAD_ENCRYPTION, "the encryption is not valid: apim-signature does not match the request")
