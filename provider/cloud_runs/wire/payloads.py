"""What requests and answers of more than one system are made of: times, ids and queries. Pure functions.

Everything in an answer is hostile: what is missing or has the wrong shape reads as empty or None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, unquote

from cloud_runs.errors import InvalidConfiguration, clean, fit
from cloud_runs.runs import rfc3339

PARTS = 200_000
DIGITS = 300
ID_LENGTH = 1024  # characters
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)? ?(?:[Zz]|([+-]\d\d):?(\d\d))", re.ASCII)
_TROUBLE = re.compile(r"err|fault|exception|fail|^(?:\w*:)?(?:code|message|msg|reason)$", re.IGNORECASE)
_FINE = re.compile(r"\s*(?:0|200|ok|success|succeeded|false|none|null)?\s*", re.IGNORECASE)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGION = re.compile(_LABEL)
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")


def overfull(body: bytes | str) -> bool:
    """Whether an XML or JSON text has more elements, attributes or members than PARTS: each takes hundreds of bytes of
    memory to read, and a page of a thousand runs has a tenth of them."""
    marks = "<={[,"
    if isinstance(body, bytes):
        return sum(body.count(mark.encode()) for mark in marks) > PARTS
    return sum(body.count(mark) for mark in marks) > PARTS


def integer(digits: str) -> int:
    """A JSON number that is whole. Raises ValueError for one so long that it is no double: Python before 3.10.7 would
    be busy with it, and a Pulumi state has only doubles."""
    if len(digits) > DIGITS:
        raise ValueError("too long")
    return int(digits)


def as_text(value: Any) -> str:
    """A plain value as the vendors' samples send it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():  # the engine hands whole numbers over as floats
        return str(int(value))
    return str(value)


def moment(told: str) -> datetime | None:
    """A time with its offset: `+0800`, `+08:00` or `Z`, with `T` or a space. None for `-`, empty and anything else.

    A time without offset is None as well: whether it would be the server's time zone or UTC is nowhere documented.
    """
    match = _TIME.fullmatch(told.strip())
    if match is None:
        return None
    date, clock, fraction, hours, minutes = match.groups()
    offset = f"{hours}:{minutes}" if hours else "+00:00"
    try:
        found = datetime.fromisoformat(f"{date}T{clock}.{(fraction or '').ljust(6, '0')}{offset}")
        return found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def time_text(told: str) -> str:
    """RFC 3339 in UTC, or empty."""
    found = moment(told)
    return rfc3339(found) if found else ""


def region_name(region: str) -> str:
    """The region as part of a host name; it cannot be more than one label. Raises InvalidConfiguration."""
    if not _REGION.fullmatch(region):
        raise InvalidConfiguration(f"region {clean(region, 100)!r} is not the name of a region")
    return region


def domain_name(domain: str) -> str:
    """The domain of a cloud, for example `myhuaweicloud.com`; it cannot change the rest of a URL. Raises
    InvalidConfiguration."""
    if len(domain) > 200 or not _DOMAIN.fullmatch(domain):
        raise InvalidConfiguration(f"{clean(domain, 100)!r} is not a domain")
    return domain.lower()


def segment(id: str) -> str:
    """An id as one segment of a path; ids are opaque, and come from states and users too.

    Raises InvalidConfiguration for what cannot be one.
    """
    try:
        id.encode()
    except UnicodeEncodeError:
        raise InvalidConfiguration("an id holds half of a character (a lone surrogate)") from None
    if id.strip() in ("", ".", ".."):  # a path of dots names another resource, however it is encoded
        raise InvalidConfiguration(f"{id!r} cannot be the id of a run")
    return quote(id, safe="-_.~")


def usable_id(value: object) -> str:
    """The id of a run if it can be asked for, else empty. Ids are opaque: any text that can be shown, and no path of
    dots."""
    usable = isinstance(value, str) and len(value) <= ID_LENGTH and fit(value)
    return value if isinstance(value, str) and usable and value.strip() not in ("", ".", "..") else ""


def trouble(content: Mapping[str, Any]) -> str:
    """What an answer that should be a success says of an error, in its own words; empty if nothing.

    No page shows an error inside a 200, so whatever is called like one counts unless it is empty or says success.
    """
    said = [
        f"{name} {value}"
        for name, value in content.items()
        if _TROUBLE.search(name) and value and not (isinstance(value, (str, int)) and _FINE.fullmatch(str(value)))
    ]
    return "; ".join(said)


def query_pairs(query: str) -> list[tuple[str, str | None]]:
    """A query as it is on the wire, decoded. A key without `=` has no value; `+` is a plus, spaces are %20."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(key), unquote(value) if equals else None) for key, equals, value in pairs]
