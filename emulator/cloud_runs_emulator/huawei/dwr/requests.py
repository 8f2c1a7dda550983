"""Reading requests: the parameters of a list. The body of a start is that of OBS workflows.

Sources: the models of the vendor's SDK (`huaweicloudsdkdwr/v3/model`); page dwr_04_0128 of the API reference.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from cloud_runs_emulator.huawei.dwr.models import Query
from cloud_runs_emulator.huawei.requests import graph_name, invalid
from cloud_runs_emulator.systems import Request

DAYS = 3 * 86_400
_PAGE_MAX = 200
_OFFSET_MAX = 1000
_STATES = ("", "success", "fail", "running", "timeout", "cancel")


def list_query(request: Request, now: float) -> Query:
    """The parameters of a list; an empty one is the same as none. Three days where a time is left out."""
    status = request.param("status")
    if status not in _STATES:
        raise invalid(f"status must be one of {', '.join(_STATES[1:])}")
    begin, end = _time(request, "start_time"), _time(request, "end_time")
    if end is None:
        end = now if begin is None else begin + DAYS
    if begin is None:
        begin = end - DAYS
    limit = min(_number(request, "limit", _PAGE_MAX, 1_000_000), _PAGE_MAX)  # more is given as so many
    return Query(
        graph_name(request.param("graph_name")), status, begin, end, limit, _number(request, "offset", 1, _OFFSET_MAX)
    )


def _time(request: Request, name: str) -> float | None:
    text = request.param(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise invalid(f"{name} must be yyyy-MM-ddTHH:mm:ssZ") from None


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.param(name) or str(default)
    if not re.fullmatch(r"\d{1,7}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise invalid(f"{name} must be a number from 1 to {most}")
    return int(text)
