"""Fingerprints of property values, by which a record tells what was asked for without holding it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

SHORT = 12  # characters of a digest in a record; 48 bits tell one value of an argument from another


def digest(value: Any) -> str:
    """A fingerprint of a known value: the same in the program and in the host, in every later version.

    Frozen: a change here would make every recorded run look changed. Raises TypeError for what is no property value.
    """
    text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def short(value: Any) -> str:
    """The digest as the texts have it."""
    return digest(value)[:SHORT]


def digest_of_objects(objects: Any) -> str:
    """The same in any order, since their order asks for nothing. What is no list of texts is refused by the fan-out."""
    return short(sorted(map(str, objects))) if isinstance(objects, Sequence) else ""


def _canonical(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return float(value)  # the engine keeps numbers as doubles
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, Sequence):
        return [_canonical(item) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot be a property value")
