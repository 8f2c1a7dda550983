"""What the option `ignore_changes` covers: its paths, and the arguments and triggers under them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cloud_runs.promise.records import TRIGGERS

_STEP = re.compile(r'\["((?:[^"\\]|\\.)+)"\]|([^\[\].]+)')  # of a property path: `["a.b"]`, or `a`, `[0]`, `*`


def is_ignored(name: str, ignored: Iterable[str]) -> bool:
    """Whether a difference is under one of these paths (`input.prefix`, `["input"]`, `triggers["a.b"]`, `*`).

    An argument is one value here, so a path into it covers it; a trigger is covered by a path to its key.
    """
    root, _, key = name.partition(".")
    return any(_covers(steps_of(path), root, key) for path in ignored)


def _covers(steps: Sequence[str], root: str, key: str) -> bool:
    first, inner = steps[:1], steps[1:2]
    return first in ([root], ["*"]) and (root != TRIGGERS or inner in ([], [key], ["*"]))


def steps_of(path: str) -> list[str]:
    """The names and indexes of a property path."""
    return [re.sub(r"\\(.)", r"\1", quoted) if quoted else plain for quoted, plain in _STEP.findall(path)]
