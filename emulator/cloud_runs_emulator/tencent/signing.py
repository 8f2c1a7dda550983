"""CI's request signature, `q-sign-algorithm=sha1`, as the service checks it.

Source: "Request Signature", https://cloud.tencent.com/document/product/436/7778. The named steps follow that page.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from cloud_runs_emulator.systems import Refused, Request

MAX_SKEW_SECONDS = 900
"""15 minutes: COS error page (436/7730), code RequestTimeTooSkewed."""

_FIELDS = (
    "q-sign-algorithm",
    "q-ak",
    "q-sign-time",
    "q-key-time",
    "q-header-list",
    "q-url-param-list",
    "q-signature",
)
_TIMES = re.compile(r"(\d{1,11});(\d{1,11})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of the header. Times are `start;end` in Unix seconds; the lists hold encoded, lower-case keys."""

    access_key: str
    sign_time: str
    key_time: str
    header_list: tuple[str, ...]
    param_list: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, text: str) -> Authorization:
        """Take a header apart. Raises `ValueError` if a part is missing, unknown or malformed."""
        pairs = [part.partition("=") for part in text.split("&")]
        fields = {name.strip().lower(): value for name, _, value in pairs}
        if set(fields) != set(_FIELDS) or len(pairs) != len(_FIELDS):
            raise ValueError(f"the parts must be {', '.join(_FIELDS)}")
        if fields["q-sign-algorithm"] != "sha1":
            raise ValueError("q-sign-algorithm must be sha1")
        for name in ("q-sign-time", "q-key-time"):
            if not _TIMES.fullmatch(fields[name]):
                raise ValueError(f"{name} must be two Unix times with a semicolon between")
        return cls(
            fields["q-ak"],
            fields["q-sign-time"],
            fields["q-key-time"],
            _list(fields["q-header-list"]),
            _list(fields["q-url-param-list"]),
            fields["q-signature"],
        )

    def __str__(self) -> str:
        return (
            f"q-sign-algorithm=sha1&q-ak={self.access_key}&q-sign-time={self.sign_time}&q-key-time={self.key_time}"
            f"&q-header-list={';'.join(self.header_list)}&q-url-param-list={';'.join(self.param_list)}"
            f"&q-signature={self.signature}"
        )


def _list(text: str) -> tuple[str, ...]:
    return tuple(key.lower() for key in text.split(";") if key)


def url_encode(text: str | bytes) -> str:
    """UTF-8 percent-encoding of all but letters, digits and `-_.~`, with upper-case hex digits."""
    return quote(text, safe="")


def canonical_params(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Query pairs as encoded keys, lower case, with encoded values, sorted by key."""
    return sorted((url_encode(key).lower(), url_encode(value)) for key, value in query)


def canonical_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same for headers; their values are Latin-1 text, that is: the bytes as received."""
    return sorted((url_encode(name).lower(), url_encode(value.strip().encode("latin-1"))) for name, value in headers)


def http_string(method: str, path: str, params: list[tuple[str, str]], headers: list[tuple[str, str]]) -> str:
    """Step "HttpString"; the path is decoded and has no query. An empty part keeps its line."""
    joined_params, joined_headers = ("&".join(f"{key}={value}" for key, value in pairs) for pairs in (params, headers))
    return f"{method.lower()}\n{path}\n{joined_params}\n{joined_headers}\n"


def string_to_sign(sign_time: str, text: str) -> str:
    """Step "StringToSign"."""
    return f"sha1\n{sign_time}\n{hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()}\n"


def sign_key(secret_key: str, key_time: str) -> str:
    """Step "SignKey"; the next step uses its hex text as a key."""
    return _hmac(secret_key, key_time)


def signature(key: str, text: str) -> str:
    """Step "Signature" from a SignKey and a StringToSign."""
    return _hmac(key, text)


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), "sha1").hexdigest()


def sign(
    request: Request,
    access_key: str,
    secret_key: str,
    key_time: str,
    *,
    header_names: Iterable[str] = ("host",),
    param_names: Iterable[str] | None = None,
) -> str:
    """The Authorization header for a request; it signs the named headers, and the named parameters or else all."""
    names = {name.lower() for name in header_names}
    headers = canonical_headers(pair for pair in request.headers if pair[0].lower() in names)
    wanted = None if param_names is None else set(param_names)
    params = canonical_params(pair for pair in request.query if wanted is None or pair[0] in wanted)
    text = string_to_sign(key_time, http_string(request.method, request.path, params, headers))
    value = signature(sign_key(secret_key, key_time), text)
    header_list, param_list = (tuple(key for key, _ in pairs) for pairs in (headers, params))
    return str(Authorization(access_key, key_time, key_time, header_list, param_list, value))


def verify(request: Request, keys: Mapping[str, str], now: float) -> None:
    """Refuse a request whose signature does not hold at Unix time `now`.

    What the two lists of the header do not name is not checked: the documented examples sign nothing, and the vendor's
    Python SDK leaves `?cancel` out. A security token header is therefore accepted with any key pair, and checked only
    as a signed header. The body is not part of this signature; only its length can be.

    Codes: COS error page (436/7730), all 403; InvalidAuthorization is in CI's own list (1045/33700). CI was also seen
    to answer 401 AccessDenied to a wrong signature; a `status` fault gives that.
    """
    text = request.header("authorization")
    if not text:
        raise Refused(403, "AccessDenied", "Access Denied: the Authorization header is missing.")
    try:
        given = Authorization.parse(text)
    except ValueError as error:
        raise Refused(403, "InvalidAuthorization", f"The Authorization header is malformed: {error}.") from None
    secret_key = keys.get(given.access_key)
    if secret_key is None:
        raise Refused(403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")
    _check_time(given.sign_time, now)
    _check_time(given.key_time, now)
    params = [pair for pair in canonical_params(request.query) if pair[0] in given.param_list]
    headers = [pair for pair in canonical_headers(request.headers) if pair[0] in given.header_list]
    complete = {key for key, _ in params} == set(given.param_list)
    complete &= {name for name, _ in headers} == set(given.header_list)
    to_sign = string_to_sign(given.sign_time, http_string(request.method, request.path, params, headers))
    expected = signature(sign_key(secret_key, given.key_time), to_sign)
    if not complete or not hmac.compare_digest(expected.encode(), given.signature.encode()):
        message = "The Signature you specified is invalid: it does not match the request as received."
        raise Refused(403, "SignatureDoesNotMatch", message)


def _check_time(times: str, now: float) -> None:
    """A window that begins in the future is a fast clock: borne up to the allowed skew. One that is over is expired."""
    start, end = (int(part) for part in times.split(";"))
    if now < start - MAX_SKEW_SECONDS or now > end + MAX_SKEW_SECONDS:
        message = "The difference between the request time and the server's time is too large."
        raise Refused(403, "RequestTimeTooSkewed", message)
    if now > end:
        raise Refused(403, "AccessDenied", "Request has expired")
