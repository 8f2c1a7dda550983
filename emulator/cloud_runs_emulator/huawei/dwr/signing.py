"""The gateway's check of `SDK-HMAC-SHA256`: HMAC-SHA256 over method, path, query, some headers and the body.

Source: the vendor's "API signing guide" (https://support.huaweicloud.com/devg-apisign/api-sign-algorithm.html) and, for
what it leaves open, its SDK (`huaweicloudsdkcore/signer/signer.py`). The gateway takes any list of signed headers that
has Host and the date; a security token counts only if it is signed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from urllib.parse import quote

from cloud_runs_emulator.systems import Refused, Request

MAX_SKEW_SECONDS = 900
CODE = "APIGW.0301"
_ALGORITHM = "SDK-HMAC-SHA256"
_HEADER = re.compile(
    rf"{_ALGORITHM} Access=([^,\s]+), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{{64}})", re.ASCII
)
_UNSIGNED = "UNSIGNED-PAYLOAD"


def canonical_request(request: Request, signed: Sequence[str]) -> str:
    """Step "CanonicalRequest": six parts, of which the headers end with a line feed of their own."""
    path = "/".join(quote(part, safe="~") for part in request.path.split("/"))
    query = "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in request.query))
    headers = "".join(f"{name}:{(request.header(name) or '').strip()}\n" for name in signed)
    return "\n".join([request.method, path.rstrip("/") + "/", query, headers, ";".join(signed), _payload(request)])


def string_to_sign(request: Request, signed: Sequence[str]) -> str:
    """Step "StringToSign"."""
    digest = hashlib.sha256(canonical_request(request, signed).encode()).hexdigest()
    return f"{_ALGORITHM}\n{request.header('x-sdk-date')}\n{digest}"


def signature(secret_key: str, text: str) -> str:
    """Step "Signature" from a StringToSign."""
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign(request: Request, access_key: str, secret_key: str, signed: Sequence[str] = ("host", "x-sdk-date")) -> str:
    """The Authorization header for a request that has its other headers."""
    digits = signature(secret_key, string_to_sign(request, signed))
    return f"{_ALGORITHM} Access={access_key}, SignedHeaders={';'.join(signed)}, Signature={digits}"


def verify(request: Request, keys: Mapping[str, str], now: float) -> None:
    """Refuse a request whose signature does not hold at Unix time `now`: 401, and one code for all reasons."""
    match = _HEADER.fullmatch((request.header("authorization") or "").strip())
    if match is None:
        raise _incorrect("the Authorization header is missing or malformed")
    access_key, names, given = match.groups()
    signed = names.split(";")
    if signed != sorted(set(signed)) or not {"host", "x-sdk-date"} <= set(signed):
        raise _incorrect("SignedHeaders must be sorted and hold host and x-sdk-date")
    if any(request.header(name) is None for name in signed):
        raise _incorrect("a signed header is missing")
    if request.header("x-security-token") and "x-security-token" not in signed:
        raise _incorrect("the security token is not signed")
    if access_key not in keys:
        raise _incorrect("failed to get the secret of the access key")
    if abs(_date(request) - now) > MAX_SKEW_SECONDS:
        raise _incorrect("the request time is too far off")
    if not hmac.compare_digest(signature(keys[access_key], string_to_sign(request, signed)), given):
        raise _incorrect("verify aksk signature fail")


def _incorrect(why: str) -> Refused:
    return Refused(401, CODE, f"Incorrect IAM authentication information: {why}")


def _date(request: Request) -> float:
    try:
        text = request.header("x-sdk-date") or ""
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise _incorrect("X-Sdk-Date is missing or malformed") from None


def _payload(request: Request) -> str:
    """The body's digest; another content than JSON may go unsigned."""
    kind = request.header("content-type") or ""
    if request.header("x-sdk-content-sha256") == _UNSIGNED and not kind.startswith("application/json"):
        return _UNSIGNED
    return hashlib.sha256(request.body).hexdigest()
