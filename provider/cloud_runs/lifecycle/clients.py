"""Clients for those who have nothing but references: `Completion` and `cloud-runs status`."""

from __future__ import annotations

from typing import Any

from cloud_runs.errors import InvalidConfiguration, clean
from cloud_runs.kinds import Kind
from cloud_runs.runs import Reference, RunApi
from cloud_runs.wire.settings import Settings


def kind_named(name: str) -> Kind[Any] | None:
    """The kind that references call so; None if this version does not know it."""
    from cloud_runs import KINDS  # not before: what is listed there is made with the classes of this room

    return KINDS.get(name)


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
