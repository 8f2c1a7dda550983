"""Clients for those who have nothing but references: `Completion` and `cloud-runs status`."""

from __future__ import annotations

from typing import Any

from pulumi import dynamic

from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import Reference, RunApi


class Clients:
    """A client for each place, with the settings that the dynamic host gave, made when it is needed and kept: it
    learns what its lists hold.
    """

    def __init__(self, configured: dynamic.ConfigureRequest | None) -> None:
        self._configured, self._made = configured, dict[Reference, RunApi[Any]]()

    def of(self, place: Reference) -> RunApi[Any]:
        """`place` is a reference with an empty id. Raises MissingCredentials or InvalidConfiguration."""
        if place not in self._made:
            provider = RunProvider.by_system[place.system]()
            if self._configured:
                provider.configure(self._configured)
            self._made[place] = provider.client(place)
        return self._made[place]
