"""Clients for those who have nothing but references: `Completion` and `cloud-runs status`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cloud_runs.errors import InvalidConfiguration, RunsError, clean
from cloud_runs.kinds import Kind
from cloud_runs.limits import Limit
from cloud_runs.runs import Reference, RunApi, RunStatus
from cloud_runs.wire.settings import Settings


def kind_named(name: str) -> Kind[Any] | None:
    """The kind that references call so; None if this version does not know it."""
    from cloud_runs import KINDS  # not before: what is listed there is made with the classes of this room

    return KINDS.get(name)


def kinds() -> tuple[Kind[Any], ...]:
    """All that this version knows."""
    from cloud_runs import KINDS

    return tuple(KINDS.values())


class Clients:
    """A client for each place, made when it is needed and kept: it learns what its lists hold."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._made = settings, dict[Reference, RunApi[Any]]()

    def of(self, place: Reference) -> RunApi[Any]:
        """`place` is a reference with an empty id. Raises MissingCredentials or InvalidConfiguration."""
        if place not in self._made:
            kind = kind_named(place.system)
            if kind is None:
                raise InvalidConfiguration(f"this version does not know runs of the kind {clean(place.system, 100)!r}")
            self._made[place] = kind.client(place, self._settings)
        return self._made[place]


REPEATED_SECONDS = 10.0
"""For all looks for jobs that were started twice: they tell what went wrong, and nothing depends on them."""


def repeated(kind: str, api: RunApi[Any], status: RunStatus, limit: Limit, ours: Collection[str]) -> str:
    """What is said of runs that something between us and the service has started beside this one; empty if there is
    nothing to say, or if the service does not tell. Never raises. `ours`: ids of those that were on record: what a
    forced replacement fires has the same generated name."""
    known = kind_named(kind)
    try:
        others = known.repeated(api, status, limit) if known else ()
    except RunsError:  # a question that only warns
        return ""
    strangers = [clean(id) for id in others if id not in ours]
    if not strangers:
        return ""
    listed = ", ".join(strangers[:10])
    return (
        f"run {clean(status.id)} was started more than once: {listed} has the same generated name. A proxy may repeat "
        "requests; what ran twice may have to be cleaned up"
    )
