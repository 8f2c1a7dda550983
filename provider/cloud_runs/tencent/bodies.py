"""Bodies of requests to Tencent CI: XML 1.0 in UTF-8 without a declaration, as the pages have it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from cloud_runs.errors import InvalidConfiguration, clean
from cloud_runs.tencent.answers import wire_text

_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(name: str, value: Any) -> bytes:
    """Elements in the order given, with nothing between them; a list repeats its element. Raises InvalidConfiguration
    for what XML forbids."""
    return _element(name, value).encode()


def _element(name: str, value: Any) -> str:
    if not isinstance(name, str) or not _ELEMENT.fullmatch(name):
        raise InvalidConfiguration(f"{clean(str(name), 100)!r} cannot be the name of an element")
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_element(child, item) for child, item in value.items())}</{name}>"
    if isinstance(value, (list, tuple)):
        return "".join(_element(name, item) for item in value)
    text = wire_text(value)
    if _NOT_XML.search(text):
        raise InvalidConfiguration(f"{name} holds a character that XML cannot carry")
    # A reader turns a bare carriage return into a line feed.
    return f"<{name}>{escape(text, {chr(13): '&#13;'})}</{name}>"
