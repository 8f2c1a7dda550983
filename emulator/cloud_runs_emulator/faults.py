"""Faults that a test or a user orders through `POST /_emulator/faults`, and their queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

CONDITIONS = ("date_skew", "endless_pages")
"""Actions that last while others happen, so that they do not stand in line with those."""

_REFUSALS = frozenset({"status", "error_in_200", "refused_but_ran"})
_PAUSES = frozenset({"delay", "interim", "endless_pages"})


class BadFault(ValueError):
    """The order is not one that can be carried out; the text says why."""


@dataclass(slots=True)
class Fault:
    """One ordered fault; `times` is how many requests it still meets.

    `seconds` is a wait, or with `date_skew` how far the clock of `Date` is ahead; `body` the raw bytes. A `code` of
    `None` is the vendor's own for a request that is wrong. `run_id` is the id that a run is to get; empty: any odd one.
    """

    system: str
    operation: str
    action: str
    times: int = 1
    status: int = 500
    code: str | None = "InternalError"
    message: str = "ordered by a fault"
    body: bytes = b""
    seconds: float = 0.0
    after_effect: bool = False
    run_id: str = ""


class Plan:
    """The faults that meet one request together."""

    __slots__ = ("_faults",)

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._faults = faults

    def has(self, action: str) -> bool:
        """Whether one of them is this action."""
        return self.find(action) is not None

    def find(self, action: str) -> Fault | None:
        """The first fault of this action."""
        return next((fault for fault in self._faults if fault.action == action), None)

    def refusal(self, *, after_effect: bool) -> Fault | None:
        """The first fault by which the request is refused before (or after) it takes effect."""
        faults = (fault for fault in self._faults if fault.action in _REFUSALS)
        return next((fault for fault in faults if fault.after_effect == after_effect), None)

    def pauses(self, *, after_effect: bool) -> Iterator[Fault]:
        """The faults with waits before (or after) the request takes effect, in the order in which they were given."""
        return (fault for fault in self._faults if fault.action in _PAUSES and fault.after_effect == after_effect)

    @property
    def effect_seconds(self) -> float:
        """How long the service takes to carry out the request, in seconds."""
        return sum(fault.seconds for fault in self._faults if fault.action == "slow_effect")

    @property
    def skew(self) -> float:
        """How far the clock of `Date` is ahead, in seconds; negative: behind."""
        return sum(fault.seconds for fault in self._faults if fault.action == "date_skew")


_NOTHING = Plan()


class FaultQueue:
    """Faults waiting for requests. Those added together meet one request together; they wait their turn.

    `CONDITIONS` have lines of their own: such a fault meets a request whatever else meets it.
    """

    def __init__(self, parse: Callable[[object], Fault]) -> None:
        self._parse = parse
        # By system and operation, then by line: the empty name, or that of a condition.
        self._waiting: dict[tuple[str, str], dict[str, list[list[Fault]]]] = {}

    def add(self, order: object) -> int:
        """Queue a fault or a list of them, as parsed from JSON; returns how many. After a `BadFault` none is queued."""
        rows = order if isinstance(order, list) else [order]
        if not rows:
            raise BadFault("the list of faults is empty")
        faults = [self._parse(row) for row in rows]
        ids = [(fault.system, fault.run_id) for fault in [*self._all(), *faults] if fault.run_id]
        if len(set(ids)) != len(ids):
            raise BadFault("an id can be ordered for one run only")
        groups: dict[tuple[str, str, str], list[Fault]] = {}
        for fault in faults:
            line = fault.action if fault.action in CONDITIONS else ""
            groups.setdefault((fault.system, fault.operation, line), []).append(fault)
        for (system, operation, line), group in groups.items():
            self._waiting.setdefault((system, operation), {}).setdefault(line, []).append(group)
        return len(rows)

    def take(self, system: str, operation: str) -> Plan:
        """The faults for the request that has just arrived; each of them is used up once by this."""
        lines = self._waiting.get((system, operation))
        if not lines:
            return _NOTHING
        taken: list[Fault] = []
        for groups in lines.values():
            if groups:
                taken += groups[0]
                for fault in groups[0]:
                    fault.times -= 1
                groups[0] = [fault for fault in groups[0] if fault.times > 0]
                if not groups[0]:
                    del groups[0]
        return Plan(tuple(taken))

    def drop(self) -> list[dict[str, object]]:
        """Forget all orders; what they were, each with the `times` that it has not met a request."""
        orders = [
            {"system": fault.system, "operation": fault.operation, "action": fault.action, "times": fault.times}
            for fault in self._all()
        ]
        self.clear()
        return orders

    def clear(self) -> None:
        """Forget all orders."""
        self._waiting.clear()

    def _all(self) -> Iterator[Fault]:
        for lines in self._waiting.values():
            for groups in lines.values():
                for group in groups:
                    yield from group
