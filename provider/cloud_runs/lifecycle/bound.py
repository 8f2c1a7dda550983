"""A request, bound to the client that sends it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import Found, RunApi, Started

Request = TypeVar("Request")


@dataclass(frozen=True)
class Bound(Generic[Request]):
    """One request, bound to the client that sends it: what firing needs of a service."""

    api: RunApi[Request]
    request: Request
    work: Hashable
    marked: bool

    def start(self, leave: Leave) -> Started:
        return self.api.start(self.request, leave)

    def find(self, since: datetime, limit: Limit) -> Found:
        return self.api.find(self.request, since, limit)
