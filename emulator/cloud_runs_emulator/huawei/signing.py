"""OBS's header signature, HMAC-SHA1 over a few headers and the resource, as the service checks it.

Sources: "Authentication of Signature in a Header", https://support.huaweicloud.com/api-obs/obs_04_0010.html, for the
steps; the allow-list of query parameters is in no document, so it is the union of those of the vendor's Python, Node.js
and browser SDKs. Neither the host nor the body is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from cloud_runs_emulator.systems import Refused, Request

MAX_SKEW_SECONDS = 900
"""15 minutes: OBS error page, code RequestTimeTooSkewed."""

SIGNED_PARAMETERS = frozenset(
    {
        "x-workflow-prefix",
        "x-workflow-start",
        "x-workflow-limit",
        "x-workflow-template-name",
        "x-workflow-graph-name",
        "x-workflow-execution-state",
        "x-workflow-execution-type",
        "x-workflow-next-marker",
        "x-workflow-create",
        "x-workflow-category",
        "x-workflow-status",
        "x-workflow-type",
        "x-workflow-forbid",
    }
)
_VENDOR = "x-obs-"
_HEADER = re.compile(r"OBS ([^:\s]+):(\S+)", re.ASCII)


def canonical_headers(headers: list[tuple[str, str]]) -> str:
    """Step "CanonicalizedHeaders": all `x-obs-` headers, sorted, one a line; a repeated one is joined by commas."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        if name.startswith(_VENDOR):
            values.setdefault(name, []).append(value.strip())
    return "".join(f"{name}:{','.join(values[name])}\n" for name in sorted(values))


def canonical_resource(path: str, query: list[tuple[str, str]]) -> str:
    """Step "CanonicalizedResource" for a path without a bucket: the encoded path, and signed parameters, decoded.

    A parameter without a value stands alone. One with an empty value is taken for such: on arrival they are the same.
    """
    signed = sorted(
        (name, value) for name, value in query if name.lower() in SIGNED_PARAMETERS or name.lower().startswith(_VENDOR)
    )
    parameters = "&".join(f"{name}={value}" if value else name for name, value in signed)
    return quote(path, safe="/~") + (f"?{parameters}" if parameters else "")


def string_to_sign(request: Request) -> str:
    """Step "StringToSign". With an `x-obs-date` header the line of Date is empty."""
    date = "" if request.header("x-obs-date") is not None else request.header("date") or ""
    lines = [request.method, request.header("content-md5") or "", request.header("content-type") or "", date]
    resource = canonical_resource(request.path, request.query)
    return "\n".join(line.strip() for line in lines) + "\n" + canonical_headers(request.headers) + resource


def signature(secret_key: str, text: str) -> str:
    """Step "Signature" from a StringToSign."""
    return base64.b64encode(hmac.new(secret_key.encode(), text.encode(), "sha1").digest()).decode()


def sign(request: Request, access_key: str, secret_key: str) -> str:
    """The Authorization header for a request that has its Date, Content-Type and `x-obs-` headers."""
    return f"OBS {access_key}:{signature(secret_key, string_to_sign(request))}"


def verify(request: Request, keys: Mapping[str, str], now: float) -> None:
    """Refuse a request whose signature does not hold at Unix time `now`.

    A security token is accepted with any key pair, and checked only as a signed header. The body counts only through
    Content-MD5, if that is sent. The scheme `AWS` (with `x-amz-` headers), which OBS knows for buckets, is refused: no
    document or SDK uses it for workflows. Codes: OBS error page, https://support.huaweicloud.com/api-obs/obs_04_0115.html
    """
    text = request.header("authorization")
    if not text:
        raise Refused(403, "AccessDenied", "Access Denied: the Authorization header is missing.")
    match = _HEADER.fullmatch(text.strip())
    if match is None:
        raise Refused(400, "InvalidArgument", "Authorization header is invalid: it must be OBS <AK>:<signature>.")
    access_key, given = match.groups()
    secret_key = keys.get(access_key)
    if secret_key is None:
        raise Refused(403, "InvalidAccessKeyId", "The OBS Access Key Id you provided does not exist in our records.")
    if abs(_date(request) - now) > MAX_SKEW_SECONDS:
        message = "The difference between the request time and the current time is too large."
        raise Refused(403, "RequestTimeTooSkewed", message)
    if not hmac.compare_digest(signature(secret_key, string_to_sign(request)).encode(), given.encode()):
        message = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method."
        )
        raise Refused(403, "SignatureDoesNotMatch", message)
    digest = request.header("content-md5")
    if digest is not None:
        actual = base64.b64encode(hashlib.md5(request.body, usedforsecurity=False).digest()).decode()
        if digest.strip() != actual:
            raise Refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")


def _date(request: Request) -> float:
    """The time that the request says, in Unix seconds. That it must be there and readable: 0010, AccessDenied."""
    text = request.header("x-obs-date") or request.header("date")
    try:
        moment = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        raise Refused(403, "AccessDenied", "A valid Date or x-obs-date header is required.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
