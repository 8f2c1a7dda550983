"""Checks of arguments, as values. Pure, without Pulumi.

A check is not asked about what was left out, nor about what is not known yet (`LATER`); inside of a value it passes by
what is not known yet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, Protocol

from cloud_runs.errors import clean

Problem = tuple[str, str]
"""A property and what is wrong with it. Of free values the reason shows nothing: they may be secret."""

EXACT = 2**53 - 1
"""Pulumi keeps numbers as doubles, so a whole number beyond this has perhaps been changed before we see it."""
DEPTH = 32
"""Levels of a free value."""
NOT_CARRIED = "cloud_runs:not-carried"
"""The only key of a mapping that stands for a value that Pulumi cannot carry; its value is the type's name."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:?\d\d|Z)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HALF = re.compile(r"[\ud800-\udfff]")


class _Later(Enum):
    LATER = "not known yet"


LATER: Final = _Later.LATER
"""In the place of a value that is not known yet, as in a preview."""


class Check(Protocol):
    @property
    def expected(self) -> str:
        """What is expected, in words that go on from "expected"."""

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        """`name` is the property's full one, such as `input.prefix`."""


def missing(name: str, expected: str) -> Problem:
    return name, f"{name.rpartition('.')[2]} is missing: expected {expected}"


def known(value: Any) -> bool:
    """Whether the value is known through and through."""
    if isinstance(value, Mapping):
        return all(known(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(known(item) for item in value)
    return value is not LATER


def kind_of(value: Any) -> str:
    """The name of the value's type, also if Pulumi could not carry it."""
    if isinstance(value, Mapping) and NOT_CARRIED in value:
        return str(value[NOT_CARRIED])
    return type(value).__name__


@dataclass(frozen=True)
class Text:
    """Text without control characters: all of it `pattern`, `longest` characters or `longest_bytes` bytes of UTF-8."""

    expected: str = "text"
    pattern: str = ""
    longest: int = 0
    longest_bytes: int = 0

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if value == "":
            yield missing(name, self.expected)
        elif not isinstance(value, str):
            yield name, f"must be {self.expected}, not {kind_of(value)}"
        elif _CONTROL.search(value):
            yield name, "has control characters"
        elif self.longest and len(value) > self.longest:
            yield name, f"is too long: {len(value)} characters, at most {self.longest}"
        elif self.longest_bytes and len(value.encode()) > self.longest_bytes:
            yield name, f"is too long: {len(value.encode())} bytes of UTF-8, at most {self.longest_bytes}"
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield name, f"is not {self.expected}"


@dataclass(frozen=True)
class Whole:
    """A whole number. Pulumi hands it over as a float."""

    expected: str
    least: int
    most: int = EXACT

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield name, f"is not {self.expected}"
        elif not (self.least <= value <= self.most and value == int(value)):
            yield name, f"is not {self.expected}: a whole number from {self.least} to {self.most}"


@dataclass(frozen=True)
class Choice:
    choices: tuple[str, ...]

    @property
    def expected(self) -> str:
        return " or ".join(map(repr, self.choices))

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if value not in self.choices:
            yield name, f"must be {self.expected}, not {value!r}"


@dataclass(frozen=True)
class Moment:
    """An ISO time with offset."""

    expected: str = "a time with offset such as 2022-02-01T12:00:00+0800"

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if moment(value) is None:
            yield name, f"is not {self.expected}"


def moment(value: Any) -> datetime | None:
    """The time that an ISO text with offset names, else None."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


@dataclass(frozen=True)
class Members:
    """A mapping with some of these keys, or with exactly one of them."""

    members: Mapping[str, Check]
    only_one: bool = False

    @property
    def expected(self) -> str:
        return f"a mapping with {'exactly one of ' if self.only_one else ''}{', '.join(self.members)}"

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if not isinstance(value, Mapping) or NOT_CARRIED in value:
            yield name, f"must be {self.expected}, not {kind_of(value)}"
            return
        unknown = [key for key in value if key not in self.members]
        yield from ((f"{name}.{key}", f"is not known; expected one of {', '.join(self.members)}") for key in unknown)
        given = [member for member in self.members if value.get(member) is not None]
        if self.only_one and len(given) != 1:
            has = f"has {' and '.join(given)}" if given else "has none"
            yield name, f"needs exactly one of {', '.join(self.members)}; {has}"
        for member in given:
            if value[member] is not LATER:
                yield from self.members[member].problems(f"{name}.{member}", value[member])


@dataclass(frozen=True)
class Values:
    """A mapping of names to free values; with `flat` to texts, numbers and truth values alone.

    A name is text, and all of `pattern` if there is one; `name` says so in words.
    """

    expected: str
    pattern: str = ""
    name: str = "a name"
    most: int = 0
    flat: bool = False

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if not isinstance(value, Mapping) or NOT_CARRIED in value:
            yield name, f"must be {self.expected}, not {kind_of(value)}"
            return
        if self.most and len(value) > self.most:
            yield name, f"has {len(value)} names, at most {self.most} are possible"
        strange = [key for key in value if not (isinstance(key, str) and re.fullmatch(self.pattern or "(?s:.*)", key))]
        for key in strange[:1]:
            yield name, f"{clean(str(key), 100)!r} is not {self.name}"
        for key, item in value.items():
            if key in strange:
                continue
            if self.flat and isinstance(item, (Mapping, list, tuple)):
                yield f"{name}.{key}", f"must be a text, a number or a truth value, not {kind_of(item)}"
            elif reason := unfit(item):
                yield f"{name}.{key}", reason


def unfit(value: Any, depth: int = DEPTH) -> str:
    """Why a free value would not arrive as it was meant; empty if it would."""
    if value is None or value is LATER or isinstance(value, bool):
        return ""
    if not depth:
        return f"is nested deeper than {DEPTH} levels"
    if isinstance(value, str):
        return "holds half of a character" if _HALF.search(value) else ""
    if isinstance(value, (int, float)):
        return _inexact(value)
    if isinstance(value, Mapping) and NOT_CARRIED not in value:
        if not all(isinstance(name, str) for name in value):
            return "holds a mapping with a name that is not text"
        parts = [*((name, depth) for name in value), *((item, depth - 1) for item in value.values())]
    elif isinstance(value, (list, tuple)):
        parts = [(item, depth - 1) for item in value]
    else:
        return (
            f"holds a {kind_of(value)}, which Pulumi does not carry: give text, a number, true or false, or a list or "
            "mapping of these"
        )
    return next((reason for part, levels in parts if (reason := unfit(part, levels))), "")


def _inexact(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "holds a number that is not finite, or too large for Pulumi: give it as text"
    if abs(value) > EXACT and value == int(value):
        return f"holds a whole number beyond {EXACT}, which Pulumi does not keep exactly: give it as text"
    return ""
