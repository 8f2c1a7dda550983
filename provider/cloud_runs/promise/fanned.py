"""The requests of a fan-out by object, and what became of each."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import Found, Started


class Fleet(Protocol):
    """The requests of a fan-out, by object."""

    def work(self, key: str) -> Hashable:
        """Equal for requests that a look cannot tell apart."""

    def start(self, key: str, leave: Leave) -> Started: ...

    def find(self, keys: Collection[str], since: datetime, limit: Limit) -> Found: ...


@dataclass
class Fanned:
    """What became of each object: its run's id, or why it has none. `at`: the latest start, in server time."""

    ids: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    """The objects whose run was found, and not fired here."""
    ended: dict[str, str] = field(default_factory=dict)
    """Of those, what is to be said of the ones that have ended."""
    denied: int = 0
    """Those that an answer refused: it is what the service says, and they may have started all the same."""
    unsettled: int = 0
    """Refused ones that may have started all the same."""
    shared: list[str] = field(default_factory=list)
    """The objects whose start was answered with a run that is on record already."""
    at: datetime | None = None

    def add(self, key: str, id: str, at: datetime | None) -> None:
        self.ids[key] = id
        self.at = max(filter(None, (self.at, at)), default=None)

    def doubt(self, key: str, why: str) -> None:
        """No id is known, but it may have started."""
        self.unsettled += 1
        self.refused[key] = why
