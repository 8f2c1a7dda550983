"""The `OBS` header signature (HMAC-SHA1, "V2") of Huawei's object storage service, as named steps.

Source: https://support.huaweicloud.com/api-obs/obs_04_0010.html, and for what it does not say about workflow calls the
vendor's Python SDK (https://github.com/huaweicloud/huaweicloud-sdk-python-obs, `auth.py`, `const.py`): the resource is
the path itself, since there is no bucket. Pure functions apart from the clock; tests/vectors/huawei/ has one folder a
case, so a mismatch shows at which step it starts.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from wsgiref.handlers import format_date_time  # email.utils takes three times as long

from cloud_runs.wire.payloads import query_pairs
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from requests import PreparedRequest

Headers = Iterable[tuple[str, str]]
Params = Iterable[tuple[str, str | None]]

PREFIX = "x-obs-"

# The workflow part of the SDK's list of sub-resources. The server's own list is not published; what is not on it must
# stay out of the resource, or the signature does not match. `x-workflow-create` is not on it and is never sent.
SUB_RESOURCES = frozenset(
    {
        "obsworkflowtriggerpolicy",
        "x-workflow-execution-state",
        "x-workflow-execution-type",
        "x-workflow-graph-name",
        "x-workflow-limit",
        "x-workflow-next-marker",
        "x-workflow-prefix",
        "x-workflow-start",
        "x-workflow-template-name",
    }
)


def canonicalized_headers(headers: Headers) -> str:
    """Line 5: each `x-obs-` header as `name:value` and a line feed, by name; repeated names joined by a comma."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower().startswith(PREFIX):
            found.setdefault(name.lower(), []).append(value.strip())
    return "".join(f"{name}:{','.join(values)}\n" for name, values in sorted(found.items()))


def canonicalized_resource(path: str, params: Params) -> str:
    """Line 6. `path` is as on the wire; `params` are decoded, stay decoded, and appear bare if they have no value."""
    listed = [pair for pair in params if pair[0].lower() in SUB_RESOURCES or pair[0].lower().startswith(PREFIX)]
    listed.sort(key=lambda pair: (pair[0], pair[1] or ""))
    query = "&".join(name if value is None else f"{name}={value}" for name, value in listed)
    return f"{path}?{query}" if query else path


def string_to_sign(method: str, headers: Headers, resource: str) -> str:
    """All six lines. The date's is empty when `x-obs-date` is sent, which then counts in its place."""
    pairs = list(headers)
    named = {name.lower(): value.strip() for name, value in pairs}
    date = "" if "x-obs-date" in named else named.get("date", "")
    lines = (method.upper(), named.get("content-md5", ""), named.get("content-type", ""), date)
    return "\n".join(lines) + f"\n{canonicalized_headers(pairs)}{resource}"


def signature(secret: str, string_to_sign: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), string_to_sign.encode(), "sha1")).decode()


def authorization(id: str, signature: str) -> str:
    return f"OBS {id}:{signature}"


class ObsAuth:
    """Sets `Date` and the token, if there is one, and signs them with the content type and the resource.

    Host, Content-Length, User-Agent and body are NOT part of this signature. The service allows the date to be 15
    minutes off, so a request that urllib3 sends again after it could not connect is still valid.
    """

    def __init__(self, credentials: Credentials, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        url = urlsplit(r.url or "")
        r.headers["Date"] = format_date_time(self._clock())
        if self._credentials.token:
            r.headers["x-obs-security-token"] = self._credentials.token
        resource = canonicalized_resource(url.path, query_pairs(url.query))
        text = string_to_sign(r.method or "", r.headers.items(), resource)
        r.headers["Authorization"] = authorization(self._credentials.id, signature(self._credentials.secret, text))
        return r
