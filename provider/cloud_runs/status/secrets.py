"""Secrets in a state: in plain text, or kept encrypted by an export. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

HIDDEN = object()
"""In the place of a secret that the export keeps encrypted."""

# Keys with which Pulumi marks a secret in a state.
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


def revealed(value: Any, *, secrets: bool = True) -> Any:
    """The value with its secrets in plain text, or without what is secret."""
    if isinstance(value, list):
        shown = [item for item in value if secrets or not _is_secret(item)]
        return [revealed(item, secrets=secrets) for item in shown]
    if not isinstance(value, dict):
        return value
    if _is_secret(value):
        if not secrets:
            return None
        return revealed(json.loads(value["plaintext"])) if "plaintext" in value else HIDDEN
    shown_items = ((key, item) for key, item in value.items() if secrets or not _is_secret(item))
    return {key: revealed(item, secrets=secrets) for key, item in shown_items}


def readable(value: Any) -> bool:
    """Whether nothing in it is encrypted."""
    if isinstance(value, Mapping):
        return all(map(readable, value.values()))
    return all(map(readable, value)) if isinstance(value, list) else value is not HIDDEN


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET
