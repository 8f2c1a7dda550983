"""Faults that a test or a user orders through `POST /_emulator/faults`, and their queue."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

ACTIONS = frozenset(
    {"drop_response", "reset_before", "status", "body", "truncate", "delay", "forget", "foreign_run"},
)
_FIELDS: dict[str, frozenset[str]] = {
    "status": frozenset({"status", "code", "message", "after_effect"}),
    "body": frozenset({"body", "body_base64"}),
    "delay": frozenset({"seconds", "after_effect"}),
}
_COMMON = frozenset({"system", "operation", "action", "times"})


class BadFault(ValueError):
    """The order is not one that can be carried out; the text says why."""


@dataclass(slots=True)
class Fault:
    """One ordered fault; `times` is how many requests it still meets. `seconds` is a wait, `body` the raw bytes."""

    system: str
    operation: str
    action: str
    times: int = 1
    status: int = 500
    code: str = "InternalError"
    message: str = "ordered by a fault"
    body: bytes = b""
    seconds: float = 0.0
    after_effect: bool = False


class Plan:
    """The faults that meet one request together."""

    __slots__ = ("_faults",)

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._faults = faults

    def has(self, action: str) -> bool:
        """Whether one of them is this action."""
        return any(fault.action == action for fault in self._faults)

    def find(self, action: str, *, after_effect: bool = False) -> Fault | None:
        """The first fault of this action that comes before (or after) the request takes effect."""
        for fault in self._faults:
            if fault.action == action and fault.after_effect == after_effect:
                return fault
        return None

    def seconds(self, *, after_effect: bool) -> float:
        """How long to wait before (or after) the request takes effect, in seconds."""
        return sum(
            fault.seconds for fault in self._faults if fault.action == "delay" and fault.after_effect == after_effect
        )


_NOTHING = Plan()


class FaultQueue:
    """Orders waiting for requests. An order posted as a list meets one request together; orders wait their turn."""

    def __init__(self, operations: Mapping[str, frozenset[str]]) -> None:
        self._operations = operations
        self._waiting: dict[tuple[str, str], list[list[Fault]]] = {}

    def add(self, order: object) -> int:
        """Queue a fault or a list of them, as parsed from JSON; returns how many. After a `BadFault` none is queued."""
        rows = order if isinstance(order, list) else [order]
        if not rows:
            raise BadFault("the list of faults is empty")
        groups: dict[tuple[str, str], list[Fault]] = {}
        for row in rows:
            fault = self._parse(row)
            groups.setdefault((fault.system, fault.operation), []).append(fault)
        for place, faults in groups.items():
            self._waiting.setdefault(place, []).append(faults)
        return len(rows)

    def take(self, system: str, operation: str) -> Plan:
        """The faults for the request that has just arrived; each of them is used up once by this."""
        waiting = self._waiting.get((system, operation))
        if not waiting:
            return _NOTHING
        taken = tuple(waiting[0])
        for fault in taken:
            fault.times -= 1
        waiting[0] = [fault for fault in taken if fault.times > 0]
        if not waiting[0]:
            del waiting[0]
        return Plan(taken)

    def drop(self) -> list[dict[str, object]]:
        """Forget all orders; what they were, each with the `times` that it has not met a request."""
        orders = [fault for waiting in self._waiting.values() for faults in waiting for fault in faults]
        self.clear()
        return [
            {"system": fault.system, "operation": fault.operation, "action": fault.action, "times": fault.times}
            for fault in orders
        ]

    def clear(self) -> None:
        """Forget all orders."""
        self._waiting.clear()

    def _parse(self, row: object) -> Fault:
        if not isinstance(row, dict):
            raise BadFault("a fault is a JSON object")
        system = _one_of(row, "system", frozenset(self._operations))
        operation = _one_of(row, "operation", self._operations[system])
        action = _one_of(row, "action", ACTIONS)
        unknown = sorted(set(row) - _COMMON - _FIELDS.get(action, frozenset()))
        if unknown:
            raise BadFault(f"action {action} takes no {', '.join(unknown)}")
        if action == "foreign_run" and operation != "start":
            raise BadFault("foreign_run goes with operation start only")
        fault = Fault(system, operation, action, times=_integer(row, "times", 1, 1, 1_000_000))
        fault.after_effect = _flag(row, "after_effect")
        if action == "status":
            fault.status = _integer(row, "status", None, 200, 599)
            fault.code = _text(row, "code", fault.code)
            fault.message = _text(row, "message", fault.message)
        elif action == "body":
            fault.body = _body(row)
        elif action == "delay":
            fault.seconds = _seconds(row)
        return fault


def _one_of(row: dict[str, object], name: str, allowed: frozenset[str]) -> str:
    value = row.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise BadFault(f"{name} must be one of {', '.join(sorted(allowed))}; got {value!r}")
    return value


def _integer(row: dict[str, object], name: str, default: int | None, low: int, high: int) -> int:
    value = row.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadFault(f"{name} must be a whole number from {low} to {high}; got {value!r}")
    return value


def _seconds(row: dict[str, object]) -> float:
    value = row.get("seconds")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 3600:
        raise BadFault(f"seconds must be a number from 0 to 3600; got {value!r}")
    return float(value)


def _flag(row: dict[str, object], name: str) -> bool:
    value = row.get(name, False)
    if not isinstance(value, bool):
        raise BadFault(f"{name} must be true or false; got {value!r}")
    return value


def _text(row: dict[str, object], name: str, default: str) -> str:
    value = row.get(name, default)
    if not isinstance(value, str):
        raise BadFault(f"{name} must be a text; got {value!r}")
    return value


def _body(row: dict[str, object]) -> bytes:
    if ("body" in row) == ("body_base64" in row):
        raise BadFault("action body needs either body (text) or body_base64")
    if "body" in row:
        return _text(row, "body", "").encode()
    try:
        return base64.b64decode(_text(row, "body_base64", ""), validate=True)
    except binascii.Error as error:
        raise BadFault(f"body_base64 is not base64: {error}") from None
