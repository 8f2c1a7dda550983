"""CI's formats on the wire: XML with refusal of DTDs, its two kinds of time, ids."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime, timedelta, timezone
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.parsers import expat

_ZONE = timezone(timedelta(hours=8))
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:([zZ])|([+-]\d\d):?(\d\d))", re.ASCII)
_MAX_DEPTH = 32

NOT_SET = "-"
"""What CI shows for a time that is not set (sample of "Triggering Job", 1045/47029)."""


def parse_xml(body: bytes) -> Element:
    """The root element. Raises `ValueError` for malformed XML, a DTD (and so any entity of its own), or deep nesting.

    expat is used directly because ElementTree's own parser cannot be told to refuse a document type.
    """
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise ValueError(f"elements are nested more than {_MAX_DEPTH} deep")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise ValueError("a document type declaration is not allowed")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ParseError) as error:
        raise ValueError(str(error)) from None
    root: Element = builder.close()
    return root


def execution_time(moment: float) -> str:
    """Unix seconds as executions show them: `2022-08-09T14:54:17+08:00`."""
    return f"{datetime.fromtimestamp(int(moment), _ZONE):%Y-%m-%dT%H:%M:%S}+08:00"


def job_time(moment: float | None) -> str:
    """Unix seconds as inventory jobs show them: `2022-06-27T15:23:10+0800`, or `-` for none."""
    return NOT_SET if moment is None else f"{datetime.fromtimestamp(int(moment), _ZONE):%Y-%m-%dT%H:%M:%S}+0800"


def parse_time(text: str) -> float:
    """Unix seconds from `2022-02-01T12:00:00+0800`; `+08:00` and `Z` are taken too. Raises `ValueError`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time like 2022-02-01T12:00:00+0800")
    moment, zulu, hours, minutes = match.groups()
    zone = "+00:00" if zulu else f"{hours}:{minutes}"
    return datetime.fromisoformat(moment + zone).timestamp()


def new_id(letter: str) -> str:
    """An id as CI gives them: a letter (`i` execution, `b` inventory job, `j` task) and 32 hex digits."""
    return letter + secrets.token_hex(16)


def new_request_id(now: float) -> str:
    """A request id in CI's look: base64 of hex numbers with underscores, the first one the time."""
    return base64.b64encode(f"{int(now):08x}_{secrets.token_hex(4)}_{secrets.token_hex(2)}_1".encode()).decode()


def new_trace_id() -> str:
    """A trace id; CI adds one to errors only."""
    return base64.b64encode(secrets.token_bytes(48)).decode()
