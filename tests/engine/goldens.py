"""Screens of `pulumi` that the docs show, kept as files in golden/: what differs each time is replaced, and what
depends on how fast a machine is, such as the lines of progress, is left out. `KEEP_GOLDENS=1` keeps new ones."""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"

_CHANGES = (
    (r"\b(i|b)?[0-9a-f]{32}\b|\b[0-9a-f]{56}\b|\b\d+-\d{14}\b", "ID"),
    (r"\(request [\w=]+\)", "(request ID)"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b(after|Duration:) [\d.]+(ms|s|m)\w*", r"\1 TIME"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "WHEN"),
)


def steady(text: str) -> str:
    for pattern, instead in _CHANGES:
        text = re.sub(pattern, instead, text)
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())


def end_of(text: str) -> str:
    """Of an `up`: what it says when it is over, resource by resource in the order of their texts."""
    said, _, summary = text.partition("Diagnostics:\n")[2].partition("Resources:\n")
    blocks = sorted(said.strip("\n").split("\n\n"))
    return steady("\n\n".join(["Diagnostics:", *blocks, "Resources:\n" + summary.split("Duration:")[0]]))


def without_progress(text: str) -> str:
    """Of the demo, without what it has counted: how often a run was asked for depends on how fast a machine is. Rows of
    equal rank are in the order of their texts."""
    rows = re.compile(r"^ ?[ +~@-]{1,3} +(pulumi\S*:\S+ .*|updating\.+)\n", re.MULTILINE)
    told = rows.sub("", text).partition("What the emulator counted")[0]
    told = steady(re.sub(r"(?<=is in )\S+(?=/project)", "FOLDER", told))
    return re.sub(
        r"(?:^ok  .*\n)+", lambda found: "".join(sorted(found[0].splitlines(keepends=True))), told, flags=re.M
    )


def is_kept(name: str, text: str) -> bool:
    file = FOLDER / name
    if os.environ.get("KEEP_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8") == text
