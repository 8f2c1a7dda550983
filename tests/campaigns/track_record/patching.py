"""Unified diffs applied to a folder, without git, which a checkout may lack. Strict: the old lines are there, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


class DoesNotApply(Exception):
    """The code has changed since the patch was made: it must be made anew."""


@dataclass(frozen=True)
class Hunk:
    """`at`: the number of the first old line, from 0."""

    path: str
    at: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def hunks(patch: str) -> Iterator[Hunk]:
    """Raises ValueError for what is no unified diff, or changes nothing."""
    path = ""
    for part in re.split(r"^(?=--- |@@ )", patch, flags=re.MULTILINE)[1:]:
        first, *lines = part.splitlines()
        if first.startswith("--- "):
            path = lines[0].removeprefix("+++ ").partition("\t")[0].removeprefix("b/")
            continue
        found = _HUNK.match(first)
        old = tuple(line[1:] for line in lines if line[:1] in ("", " ", "-"))
        new = tuple(line[1:] for line in lines if line[:1] in ("", " ", "+"))
        if not (found and path) or old == new:
            raise ValueError(f"no change: {first}")
        yield Hunk(path, int(found[1]) - 1, old, new)


def apply(patch: str, root: Path) -> list[str]:
    """The files that were changed. Raises DoesNotApply, and then has changed none."""
    texts: dict[str, list[str]] = {}
    for hunk in reversed(list(hunks(patch))):  # from the end, so that line numbers hold
        lines = texts.setdefault(hunk.path, _lines(root / hunk.path))
        at = _place(lines, hunk)
        lines[at : at + len(hunk.old)] = hunk.new
    for path, lines in texts.items():
        (root / path).write_text("\n".join(lines) + "\n")
    return sorted(texts)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DoesNotApply(f"there is no {path.name}")
    return path.read_text().splitlines()


def _place(lines: list[str], hunk: Hunk) -> int:
    """Where it says, or else the one place with these lines."""
    size = len(hunk.old)
    places = [at for at in range(len(lines) - size + 1) if tuple(lines[at : at + size]) == hunk.old]
    if hunk.at in places:
        return hunk.at
    if len(places) != 1:
        raise DoesNotApply(f"{hunk.path}: line {hunk.at + 1}: its old lines are there {len(places)} times")
    return places[0]
