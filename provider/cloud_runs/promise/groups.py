"""The same thing said of many is said once. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

SHOWN = 5  # objects that are named
LINES = 20  # of a list, below what is said

_REQUEST = re.compile(r" \(request [^()]*\)")  # each answer has an id of its own

T = TypeVar("T", bound=Hashable)


def alike(told: Iterable[tuple[T, str]]) -> list[tuple[list[T], str]]:
    """Each reason once, in the order of its first, with all of whom it is told.

    Reasons that differ only in the id of the request are one, and the first is shown. Who has several reasons is in
    several groups.
    """
    groups: dict[str, tuple[list[T], str]] = {}
    for who, why in told:
        groups.setdefault(_REQUEST.sub("", why), ([], why))[0].append(who)
    return list(groups.values())


def many(count: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def objects(keys: Sequence[str]) -> str:
    """`2 objects (07, 08)`; of many the first few by name."""
    return f"{many(len(keys), 'object')} ({some(keys)})"


def some(names: Sequence[str]) -> str:
    """`a, b, c, d, e and 2 more`."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def listed(told: Mapping[str, str]) -> str:
    """A line each, and how many more there are."""
    lines = [f"\n  {key}: {what}" for key, what in list(told.items())[:LINES]]
    more = f"\n  and {len(told) - LINES} more" if len(told) > LINES else ""
    return "".join(lines) + more


def reasons(refused: Mapping[str, str]) -> str:
    """One line a reason, with the objects that have it."""
    return listed({keys[0] if len(keys) == 1 else objects(keys): why for keys, why in alike(refused.items())})
