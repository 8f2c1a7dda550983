"""The breaches that there were: what each did, what is expected to find it, and within how many cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PATCHES = Path(__file__).parent / "patches"


@dataclass(frozen=True)
class Breach:
    """`name` is that of its patch, which puts it back. `was`: what happened."""

    name: str
    was: str
    finder: str
    within: int

    @property
    def patch(self) -> Path:
        return PATCHES / f"{self.name}.patch"


BREACHES = (
    Breach(
        "one-clock",
        "when a run was fired was told by the kernel's clock alone, which stands still while a machine is paused: a "
        "killed run was older than its attempt, was not found, and was fired twice",
        "rules OneResource",
        200,
    ),
    Breach(
        "clock-to-the-second",
        "a service's `Date` was believed to two seconds: beside one that is ahead of the times in its lists a killed "
        "run was not found, and was fired twice",
        "rules OneResource",
        200,
    ),
    Breach(
        "too-short-a-look",
        "it was looked for less long than a start may take: a run that came to be after 25 s was fired twice",
        "rules OneResource",
        200,
    ),
    Breach(
        "given-up-and-not-told",
        "an interrupted `up` had started a run, its ask changed, and nobody was told of that run",
        "rules OneResource",
        200,
    ),
    Breach(
        "twins-not-told",
        "two resources had one run on record for ever, and nobody was told",
        "rules Twins",
        500,
    ),
)
