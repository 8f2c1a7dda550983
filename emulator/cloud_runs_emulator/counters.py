"""What `GET /_emulator/requests` shows: how many requests of each kind came, and over how many connections."""

from __future__ import annotations

from collections.abc import Mapping


class Counters:
    """Counts since the start or the last reset. Admin requests, and connections that carry nothing else, do not count.

    A connection counts with its first request to a cloud. One that stays open over a reset counts again with its first
    request afterwards. A refused request counts like any other; one that is no operation of any cloud is `unrouted`.
    """

    def __init__(self, operations: Mapping[str, frozenset[str]]) -> None:
        self._operations = operations
        self.epoch = 0
        self.clear()

    def clear(self) -> None:
        """Back to zero. `epoch` tells requests from before a clear from those after it."""
        self.epoch += 1
        self._requests = {system: dict.fromkeys(sorted(names), 0) for system, names in self._operations.items()}
        self._unrouted = 0
        self._connections = 0

    def request(self, system: str, operation: str) -> None:
        """Count a request."""
        self._requests[system][operation] += 1

    def unrouted(self) -> None:
        """Count a request that is no operation."""
        self._unrouted += 1

    def connection(self) -> None:
        """Count a connection."""
        self._connections += 1

    def as_json(self) -> dict[str, object]:
        """All counts; every operation is there from the start, with 0."""
        return {**self._requests, "unrouted": self._unrouted, "connections": self._connections}
