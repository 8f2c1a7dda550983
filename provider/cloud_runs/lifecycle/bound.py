"""A request, or those of a fan-out, bound to the client that sends them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from cloud_runs.kinds import Kind
from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import FanOutApi, Found, RunApi, Started

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


@dataclass(frozen=True)
class Requests(Generic[Request]):
    """The requests of a fan-out by object, bound to the client that sends them."""

    kind: Kind[Request]
    space: Hashable
    api: FanOutApi[Request]
    of: Mapping[str, Request]

    def work(self, key: str) -> Hashable:
        return self.space, self.kind.work(self.of[key])

    def start(self, key: str, leave: Leave) -> Started:
        return self.api.start(self.of[key], leave)

    def find(self, keys: Collection[str], since: datetime, limit: Limit) -> Found:
        return self.api.find_each({key: self.of[key] for key in keys}, since, limit)
