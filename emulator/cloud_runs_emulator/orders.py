"""Reading an order of a fault, a row of `POST /_emulator/faults`: which actions there are, and what each takes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cloud_runs_emulator.faults import BadFault, Fault

Known = Callable[[str, str], bool]

MOST = 1_000_000
"""The largest `times`, and what `endless_pages` has when none is given."""

_HOUR, _YEAR = 3600, 31_536_000
_ID_MAX = 200
_COMMON = frozenset({"system", "operation", "action", "times"})


@dataclass(frozen=True, slots=True)
class _Action:
    """What an action takes besides the common fields, and with which operations it goes: `any`, those that change
    something (`change`), or the one that is named."""

    fields: frozenset[str] = frozenset()
    goes_with: str = "any"


_ACTIONS = {
    "drop_response": _Action(),
    "reset_before": _Action(),
    "status": _Action(frozenset({"status", "code", "message", "after_effect"})),
    "body": _Action(frozenset({"body", "body_base64"})),
    "truncate": _Action(),
    "delay": _Action(frozenset({"seconds", "after_effect"})),
    "forget": _Action(),
    "foreign_run": _Action(goes_with="start"),
    "interim": _Action(frozenset({"status", "seconds", "after_effect"})),
    "slow_effect": _Action(frozenset({"seconds"}), goes_with="change"),
    "date_skew": _Action(frozenset({"seconds"})),
    "error_in_200": _Action(frozenset({"code", "message", "after_effect"})),
    "same_id": _Action(goes_with="start"),
    "refused_but_ran": _Action(frozenset({"status", "code", "message"}), goes_with="change"),
    "endless_pages": _Action(frozenset({"seconds"}), goes_with="find"),
    "repeat": _Action(goes_with="change"),
    "odd_id": _Action(frozenset({"id"}), goes_with="start"),
}
ACTIONS = frozenset(_ACTIONS)

_READS = frozenset({"find", "get", "time", "workflow", "task", "projects"})
"""Operations that change nothing, in any system."""


class Orders:
    """Reads orders for the given systems and their operations. `known` tells whether a system has a run of that id."""

    def __init__(self, operations: Mapping[str, frozenset[str]], known: Known) -> None:
        self._operations = operations
        self._known = known

    def parse(self, row: object) -> Fault:
        """The fault that is ordered. Raises `BadFault`."""
        if not isinstance(row, dict):
            raise BadFault("a fault is a JSON object")
        system = _one_of(row, "system", frozenset(self._operations))
        operation = _one_of(row, "operation", self._operations[system])
        action = _one_of(row, "action", ACTIONS)
        unknown = sorted(set(row) - _COMMON - _ACTIONS[action].fields)
        if unknown:
            raise BadFault(f"action {action} takes no {', '.join(unknown)}")
        goes_with = _ACTIONS[action].goes_with
        if goes_with == "change" and operation in _READS:
            raise BadFault(f"{action} does not go with operation {operation}, which changes nothing")
        if goes_with not in ("any", "change", operation):
            raise BadFault(f"{action} goes with operation {goes_with} only")
        fault = Fault(system, operation, action)
        fault.times = _integer(row, "times", MOST if action == "endless_pages" else 1, 1, MOST)
        fault.after_effect = _flag(row, "after_effect")
        if "code" in _ACTIONS[action].fields:
            fault.code = _text(row, "code", "InternalError")
            fault.message = _text(row, "message", fault.message)
        _READERS.get(action, _nothing)(row, fault)
        if fault.run_id and self._known(system, fault.run_id):
            raise BadFault(f"{system} has a run with the id {fault.run_id!r} already")
        return fault


def _nothing(row: dict[str, object], fault: Fault) -> None:
    """The action has no fields of its own."""


def _status(row: dict[str, object], fault: Fault) -> None:
    fault.status = _integer(row, "status", None, 200, 599)


def _refused(row: dict[str, object], fault: Fault) -> None:
    fault.status = _integer(row, "status", 400, 200, 599)
    if "code" not in row:
        fault.code = None
    fault.after_effect = True


def _interim(row: dict[str, object], fault: Fault) -> None:
    fault.status = _integer(row, "status", 102, 100, 199)
    if fault.status == 101:
        raise BadFault("status 101 is no interim answer: the connection would go on with another protocol")
    fault.seconds = _seconds(row, 0, _HOUR, default=0)


def _wait(row: dict[str, object], fault: Fault) -> None:
    fault.seconds = _seconds(row, 0, _HOUR)


def _page_wait(row: dict[str, object], fault: Fault) -> None:
    fault.seconds = _seconds(row, 0, _HOUR, default=0)


def _skew(row: dict[str, object], fault: Fault) -> None:
    fault.seconds = _seconds(row, -_YEAR, _YEAR)


def _body(row: dict[str, object], fault: Fault) -> None:
    if ("body" in row) == ("body_base64" in row):
        raise BadFault("action body needs either body (text) or body_base64")
    if "body" in row:
        fault.body = _text(row, "body", "").encode()
        return
    try:
        fault.body = base64.b64decode(_text(row, "body_base64", ""), validate=True)
    except binascii.Error as error:
        raise BadFault(f"body_base64 is not base64: {error}") from None


def _run_id(row: dict[str, object], fault: Fault) -> None:
    if "id" not in row:
        return
    fault.run_id = _text(row, "id", "")
    # A look names the run in its path, which reaches the emulator decoded: a slash would be one of the path's own.
    if not 1 <= len(fault.run_id) <= _ID_MAX or "/" in fault.run_id or not fault.run_id.isprintable():
        raise BadFault(f"id must be 1 to {_ID_MAX} printable characters without a slash; got {fault.run_id!r}")
    if fault.times > 1:
        raise BadFault("an id is for one run: times must be 1")


_READERS: dict[str, Callable[[dict[str, object], Fault], None]] = {
    "status": _status,
    "body": _body,
    "delay": _wait,
    "interim": _interim,
    "slow_effect": _wait,
    "date_skew": _skew,
    "refused_but_ran": _refused,
    "endless_pages": _page_wait,
    "odd_id": _run_id,
}


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


def _seconds(row: dict[str, object], low: float, high: float, default: float | None = None) -> float:
    value = row.get("seconds", default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise BadFault(f"seconds must be a number from {low} to {high}; got {value!r}")
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
