"""Reading requests to the flow service: the caller, and the JSON bodies of trigger, search and cancel.

Sources: the pages trigger_flow, update_and_trigger_flow, list_flow_instances and cancel_flow_instance of
https://support.enos-iot.com/docs/batch-processing-api/en/3.0.0/v2.0/. For most mistakes no code is documented: what
cannot be read is 62109, what is missing or wrong 62102.
"""

from __future__ import annotations

import json

from cloud_runs_emulator.enos.models import MANUAL, PERIODIC, SORT_FIELDS, TEMPORARY, Caller, Query, Trigger
from cloud_runs_emulator.enos.signing import refused
from cloud_runs_emulator.systems import Refused, Request

INVALID = "62102"

_TRIGGER_MAX = 253402300799999
"""The last millisecond of the year 9999."""


def invalid(message: str) -> Refused:
    """The refusal of one parameter."""
    return refused(INVALID, message)


def caller(request: Request) -> Caller:
    """User and organisation; any pair matches."""
    user, org = request.param("userId"), request.param("orgId")
    if not user or not org:
        raise refused("62101", "userId and orgId are required and must match")
    return Caller(user, org)


def trigger(request: Request) -> Trigger:
    """The body of a start.

    Of which type an instance is that was started by API is not documented. Here it is manual, and temporary if it has
    parameters of its own, so that a caller has to look for both.
    """
    body = _body(request)
    flow_id = _integer(body, "flowId", 1)
    trigger_ms = _integer(body, "triggerTime", 0)
    if trigger_ms > _TRIGGER_MAX:
        raise invalid("triggerTime is not a time in milliseconds")
    if request.param("action") == "trigger":
        return Trigger(flow_id, trigger_ms, MANUAL, "{}")
    if request.param("action") == "triggerFromTask":
        return Trigger(flow_id, trigger_ms, MANUAL, "{}", _integer(body, "taskId", 1))
    parameters = body.get("parameters")
    if not isinstance(parameters, (dict, list)):
        raise invalid("parameters is required")
    return Trigger(flow_id, trigger_ms, TEMPORARY, json.dumps(parameters, ensure_ascii=False))


def flow_parameter(request: Request) -> int:
    """The flow that a look names; any number is one."""
    text = request.param("flowId")
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**53):
        raise invalid(f"flow not found: {text}")
    return int(text)


def cancelled_id(request: Request) -> str:
    """The body of a cancel."""
    return _text(_body(request), "flowInstId")


def list_query(request: Request) -> Query:
    """The body of a search. All but `expression` and `sorters` must be there; they may be empty."""
    body = _body(request)
    kind = _integer(body, "type", 0)
    if kind not in (MANUAL, PERIODIC, TEMPORARY):
        raise invalid("type must be 0, 1 or 2")
    pagination = body.get("pagination")
    if not isinstance(pagination, dict):
        raise invalid("pagination is required")
    return Query(
        type=kind,
        expression=_text(body, "expression") if "expression" in body else "",
        owner=_text(body, "owner"),
        from_ms=_integer(body, "fromTriggerTime", 0),
        to_ms=_integer(body, "toTriggerTime", 0),
        states=_states(body),
        page=_integer(pagination, "pageNo", 0),
        size=_integer(pagination, "pageSize", 1),
        sorters=tuple(_sorters(pagination.get("sorters"))),
    )


def _states(body: dict[str, object]) -> frozenset[int]:
    """`status`: numbers with commas between, or a number, as in an older sample."""
    value = body.get("status")
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(body, "status")
    try:
        return frozenset(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise invalid("status must be a list of numbers") from None


def _sorters(value: object) -> list[tuple[str, bool]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid("sorters must be a list")
    found: list[tuple[str, bool]] = []
    for row in value:
        name, order = (row.get("field"), row.get("order", "ASC")) if isinstance(row, dict) else (None, None)
        if not isinstance(name, str) or name not in SORT_FIELDS:
            raise invalid(f"illegal sort field: {name}")
        if order not in ("ASC", "DESC"):
            raise invalid("order must be ASC or DESC")
        found.append((name, order == "DESC"))
    return found


def _body(request: Request) -> dict[str, object]:
    try:
        value = json.loads(request.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise refused("62109", "Server internal exception")
    return value


def _integer(body: dict[str, object], name: str, low: int) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise invalid(f"{name} must be a whole number from {low}")
    return value


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be a text")
    return value
