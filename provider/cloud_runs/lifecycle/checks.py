"""Pure checks of inputs. An unknown value always passes: a preview may not know it yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.lifecycle.values import plain

Problem = tuple[str, str]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:?\d\d|Z)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HALF = re.compile(r"[\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff\ufffe\uffff]")


def text(
    props: Mapping[str, Any],
    name: str,
    *,
    required: bool = True,
    pattern: str = "",
    expected: str = "text",
    longest: int = 0,
    longest_bytes: int = 0,
) -> Iterator[Problem]:
    """A property that is text: whole-value `pattern`, `longest` characters or `longest_bytes` bytes of UTF-8."""
    value = props.get(name)
    if isinstance(value, Unknown):
        return
    label = name.rpartition(".")[2]
    if value is None or value == "":
        if required or value == "":
            yield name, f"{label} is missing: expected {expected}"
    elif not isinstance(value, str):
        yield name, f"must be {expected}, not {type(value).__name__}"
    elif _CONTROL.search(value) or _SURROGATE.search(value):
        yield name, "has control characters"
    elif longest and len(value) > longest:
        yield name, f"is too long: {len(value)} characters, at most {longest}"
    elif longest_bytes and len(value.encode()) > longest_bytes:
        yield name, f"is too long: {len(value.encode())} bytes of UTF-8, at most {longest_bytes}"
    elif pattern and not re.fullmatch(pattern, value):
        yield name, f"is not {expected}"


def encodable(value: str) -> bool:
    """Whether it can be sent as UTF-8: half of a character (a lone surrogate) cannot."""
    return not _HALF.search(value)


def clean_text(value: Any) -> bool:
    """Whether no text in it has a control character, line breaks and tabs apart."""
    if isinstance(value, Mapping):
        return all(clean_text(item) for item in value.values())
    if isinstance(value, list):
        return all(clean_text(item) for item in value)
    return not (isinstance(value, str) and (_NOT_XML.search(value) or _SURROGATE.search(value)))


def moment(value: Any) -> datetime | None:
    """The time that an ISO text with offset names, else None."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def time(props: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """An optional property that is an ISO time with offset."""
    value = props.get(name)
    if value is not None and not isinstance(value, Unknown) and moment(value) is None:
        yield name, "is not a time with offset such as 2022-02-01T12:00:00+0800"


def nested(props: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    """An optional property that is a mapping with keys of `allowed`."""
    value = props.get(name)
    if value is None or isinstance(value, Unknown):
        return
    if not isinstance(value, Mapping):
        yield name, f"must be a mapping with {', '.join(allowed)}"
        return
    for key in value:
        if key not in allowed:
            yield f"{name}.{key}", f"is not known; expected one of {', '.join(allowed)}"


def inside(props: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The members of a nested property under their full names (`input.prefix`); empty if it is no mapping."""
    value = props.get(name)
    return {f"{name}.{key}": item for key, item in value.items()} if isinstance(value, Mapping) else {}


def triggers(props: Mapping[str, Any]) -> Iterator[Problem]:
    """The property `triggers`: names with plain values of any kind."""
    value = props.get("triggers")
    if not isinstance(value, (Mapping, type(None), Unknown)):
        yield "triggers", 'must be a mapping of names to values, for example {"release": "42"}'
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not plain(item):
                kind = type(item).__name__
                yield f"triggers.{key}", f"must be text, a number, or a list or mapping of such, not {kind}"


def configured(
    name: str, look_up: Callable[[], str | None], places: str, *, pattern: str = "", expected: str = "text"
) -> Iterator[Problem]:
    """A property that was left out and must then be configured, in the form that the argument has."""
    try:
        found = look_up()
    except errors.InvalidConfiguration as error:
        yield name, str(error)
        return
    if found:
        yield from text({name: found}, name, pattern=pattern, expected=expected)
    else:
        yield name, f"is missing: set {places}"
