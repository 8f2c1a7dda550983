"""The answers of OBS workflows -> plain values. Pure functions; tests/recordings/huawei/ has an answer of each shape.

Sources: https://support.huaweicloud.com/en-us/api-obs/obs_04_0127.html (start), .../obs_04_0128.html (list),
.../obs_04_0129.html (get: only a sample, no table of fields). Everything in an answer is hostile: a part that is
missing or has the wrong shape reads as empty.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from cloud_runs.errors import clean
from cloud_runs.runs import Phase, RunStatus, Task, Workflow
from cloud_runs.wire.payloads import integer, overfull, time_text

# The REST pages have only the sample RUNNING; the SDK's filter has RUNNING, SUCCESS, FAILED; the engine below and the
# successor (DWR) say success, fail, running, timeout, cancel. Compared without case, since both cases are documented.
PHASES: Mapping[str, Phase] = {
    "RUNNING": Phase.RUNNING,
    "SUCCESS": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
    "FAIL": Phase.FAILED,
    "TIMEOUT": Phase.FAILED,
    "CANCEL": Phase.CANCELLED,
    "CANCELLED": Phase.CANCELLED,
}

_NAME_ALONE = re.compile(r'"execution_name"\s*:\s*"([^"\\]*)"')
_DEPTH = 16
_PARAMETERS = 1000  # of one workflow; it can have 60
_INVISIBLE = "******"  # how a parameter reads back that is marked invisible


def parsed(body: bytes | str) -> Any:
    """The value of a JSON text; None if it cannot be read without doubt (NaN, a name twice, a number without end), or
    if it is too much.
    """
    if overfull(body):
        return None
    try:
        return json.loads(
            body, parse_int=integer, parse_float=_float, parse_constant=_refuse, object_pairs_hook=_object
        )
    except (ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    return _whole(value).strip() if isinstance(value, str) else ""


def phase(state: str) -> Phase:
    return PHASES.get(state.upper(), Phase.UNKNOWN)


def started_id(body: bytes) -> tuple[str, Mapping[str, Any]]:
    """The id in an answer to a start, and the answer's content; `("", ...)` if there is none, or more than one.

    A broken answer still yields an id that is whole: a started run must not be lost by that.
    """
    content = parsed(body)
    if isinstance(content, dict):
        name = content.get("execution_name")
        id = name if isinstance(name, str) else ""
    else:
        ids = set(_NAME_ALONE.findall(body.decode("utf-8", "replace")))
        id = ids.pop() if len(ids) == 1 else ""
    return id, mapping(content)


def workflow(graph: str, content: Mapping[str, Any], given: Mapping[str, Any]) -> Workflow:
    """What `GET /v2/workflows/NAME` tells. A parameter without a default must be given at the start
    (https://support.huaweicloud.com/en-us/sdk-python-devg-obs/obs_22_1121.html). No page shows a state."""
    inputs = mapping(content.get("definition")).get("inputs")
    parameters = [mapping(one) for one in inputs[:_PARAMETERS]] if isinstance(inputs, list) else []
    needed = (text(one, "parameter_name") for one in parameters if one.get("default") is None)
    lacks = tuple(clean(name, 100) for name in needed if name and given.get(name) is None)
    return Workflow(graph, name=clean(text(content, "name"), 100), lacks=lacks)


def execution_status(id: str, info: Mapping[str, Any], request_id: str = "") -> RunStatus:
    """An `execution_info`. No field tells why a run failed, so `code` and `message` stay empty.

    `started_at` is in the answer to the start as well, so it is when the run was made. `stopped_at` is shown by the
    page of the list alone, where it is empty while the run goes on.
    """
    began = time_text(text(info, "started_at"))
    state = clean(text(info, "execution_state"), 100)
    at = phase(state)
    told = {name: clean(text(info, name), 500) for name in ("execution_urn", "execution_type")}
    graph = text(info, "graph_urn").partition(":graph:")[2]
    told["graph_name"] = clean(graph, 100)
    return RunStatus(
        id=id,
        phase=at,
        state=state,
        created_at=began,
        started_at=began,
        finished_at=time_text(text(info, "stopped_at")) if at.terminal else "",
        tasks=tuple(_task(name, mapping(step)) for name, step in mapping(info.get("state_map")).items()),
        request={**{name: value for name, value in told.items() if value}, **told_request(info)},
        request_id=clean(request_id, 100),
    )


def told_request(info: Mapping[str, Any]) -> dict[str, Any]:
    """`bucket`, `object` and `inputs` that a run was started with, each only where the service tells it.

    `input` is a text that holds JSON. What it holds for a run started through the API is not documented (the sample is
    a list of made-up objects), so anything else than the members of the start request reads as nothing told.
    """
    value = info.get("input")
    held = mapping(parsed(value) if isinstance(value, str) else value)
    told: dict[str, Any] = {}
    for name in ("bucket", "object"):
        if isinstance(held.get(name), str):
            told[name] = _whole(held[name])
    inputs = held.get("inputs")
    inputs = parsed(inputs) if isinstance(inputs, str) else inputs
    if isinstance(inputs, dict):
        told["inputs"] = _plain(inputs)
    return told


def same_object(told: str, key: str) -> bool:
    """The pages write keys with and without a leading slash; events elsewhere in the service encode them."""
    return any(form.lstrip("/") == key.lstrip("/") for form in (told, unquote(told)))


def agrees(asked: Any, told: Any) -> bool:
    """Whether a value that is told can be the one that was asked for; where the pages are silent, it can.

    Whether numbers stay numbers is not documented, nor whether defaults are added, so `5` and `"5"` agree, and what is
    left out or added says nothing. Only a value that is there and differs makes it another run's.
    """
    if asked is None or told is None or told == _INVISIBLE:
        return True
    if isinstance(told, str) and not isinstance(asked, str):
        value = parsed(told.strip().lower() if isinstance(asked, bool) else told)
        if value is None or isinstance(value, str):
            return isinstance(asked, (Mapping, list, tuple))  # written in a way that we cannot read
        told = value
    elif isinstance(asked, str) and not isinstance(told, str):
        asked = parsed(asked.strip().lower() if isinstance(told, bool) else asked)
    if isinstance(asked, bool) or isinstance(told, bool):
        return asked is told
    if isinstance(asked, Mapping):
        return isinstance(told, dict) and all(agrees(value, told.get(name)) for name, value in asked.items())
    if isinstance(asked, (list, tuple)):
        return (
            isinstance(told, list)
            and len(told) == len(asked)
            and all(agrees(one, other) for one, other in zip(asked, told, strict=True))
        )
    return bool(asked == told)


def _task(name: str, step: Mapping[str, Any]) -> Task:
    return Task(
        name=clean(text(step, "state_name") or _whole(name), 200),
        type=clean(text(step, "type"), 100),
        state=clean(text(step, "status"), 100),
    )


def _plain(value: Any, depth: int = _DEPTH) -> Any:
    """Fit for a Pulumi state, and nothing deeper than a person would write."""
    if isinstance(value, dict):
        return {_whole(key): _plain(item, depth - 1) for key, item in value.items()} if depth else {}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value] if depth else []
    return _whole(value) if isinstance(value, str) else value


def _whole(value: str) -> str:
    """JSON can hold half of a character (a lone surrogate), which no state and no terminal can."""
    return value.encode("utf-8", "replace").decode()


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):  # which of two ids would be the run's?
        raise ValueError("a name twice")
    return made
