"""EnOS's answers -> plain values. Pure functions; tests/recordings/enos/ has an answer of each shape.

Sources: https://support.enos-iot.com/docs/batch-processing-api/en/3.0.0/v2.0/trigger_flow.html (trigger), and
https://support.enos-iot.com/docs/batch-processing-api/en/2.4.4/v2.0/get_flow_instance.html (instance). Everything in
an answer is hostile: what is missing or has the wrong shape reads as empty.

Times of an instance are NOT told as times: they have no zone, and within one printed sample `triggerTime` is eight
hours away from `startTime` and `timestamp`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, NoReturn

from cloud_runs.errors import clean
from cloud_runs.runs import Phase, RunStatus, Task, Workflow
from cloud_runs.wire.payloads import integer, overfull, usable_id

MINUTE = 60_000
"""Milliseconds. EnOS tells the runs of one flow apart by the minute of their trigger time."""

# Numbers and words: the page "List Flow Instances" of V2.1.
STATES: Mapping[int, tuple[str, Phase]] = {
    -1: ("FAIL", Phase.FAILED),
    0: ("INIT", Phase.PENDING),
    1: ("SUCCESS", Phase.SUCCEEDED),
    2: ("RUNNING", Phase.RUNNING),
    3: ("SUSPEND", Phase.PENDING),
    4: ("INTERNAL_ERROR", Phase.FAILED),
    5: ("WAIT", Phase.PENDING),
    6: ("READY", Phase.PENDING),
    7: ("TIMEOUT", Phase.FAILED),
    8: ("CANCEL", Phase.CANCELLED),
    9: ("RERUN", Phase.RUNNING),
    # It has ended without doing its work, and not by a failure: whoever waits for it must stop.
    10: ("SKIP", Phase.CANCELLED),
}
_BY_WORD = dict(STATES.values())

_RAW_ID = re.compile(r'"flowInstanceId"\s*:\s*"([^"\\]*)"')
_RAW_CODE = re.compile(r'"(?:status|code|stauts|apim_status)"\s*:\s*"?(-?\d+)')
_LOCAL_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?", re.ASCII)
_ZONES = timedelta(minutes=15)  # the offsets of all time zones are multiples of this
_WESTERNMOST = timedelta(hours=12)  # no zone is further behind UTC
_TASKS = 1000


def document(body: bytes) -> Mapping[str, Any] | None:
    """The JSON object of an answer, or None, also if it is too much.

    The printed samples of an instance hold its `graph` as a text with bare quotes in it, so an answer that is no JSON
    is read once more without it.
    """
    if overfull(body):
        return None
    told = body.decode("utf-8-sig", "replace")
    for text_ in (told, _without_graph(told)):
        try:
            value = json.loads(text_, parse_int=integer, parse_constant=_no_number)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """A JSON text, without halves of characters, which nothing could send on; empty for anything else."""
    return value.strip().encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def number(value: Any) -> int | None:
    """A whole number, also as a text; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,18}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def started_id(body: bytes) -> str:
    """The `flowInstanceId` in an answer to a trigger; empty if there is none. A broken answer may still show it."""
    told = document(body)
    if told is not None:
        id = mapping(told.get("data")).get("flowInstanceId")
        return id if isinstance(id, str) else ""
    raw = body.decode("utf-8", "replace")
    ids = set(_RAW_ID.findall(raw))
    said_no = any(int(code[:19]) for code in _RAW_CODE.findall(raw))
    return ids.pop() if len(ids) == 1 and not said_no else ""


def phase(status: Any, word: str) -> Phase:
    """By the number; by the word only where there is no number. What is not in the table is unknown."""
    if status is None:
        return _BY_WORD.get(word, Phase.UNKNOWN)
    return _known(status)[1]


def instance_status(id: str, instance: Mapping[str, Any]) -> RunStatus:
    """A `FlowInstance`. The printed samples contradict themselves, so the number counts and the word is kept."""
    status = instance.get("status")
    word = clean(text(instance.get("statusDesc")), 100)
    return RunStatus(
        id=id,
        phase=phase(status, word),
        state=word or _known(status)[0],
        tasks=_tasks(instance.get("graph")),
        request={
            "flow_id": flow_of(instance),
            "trigger_minute": text(instance.get("triggerTime")),
        },
    )


def workflow(flow_id: int, flow: Mapping[str, Any]) -> Workflow:
    """What `GET /flows?action=get` tells; nothing of an unknown flow. `active` is whether its schedule is on, which a
    trigger does not need: https://support.enos-iot.com/docs/batch-processing-api/en/2.4.4/v2.0/get_flow.html."""
    if not flow:
        return Workflow(str(flow_id), exists=False, runs=False)
    graph = _graph(flow.get("graph"))
    reasons = {
        "the flow is locked": flow.get("locked") is True,
        "the user is locked": flow.get("isUserLocked") is True,
        "the flow has no task": graph.get("tasks") == [] and not graph.get("flows"),
    }
    why_not = " and ".join(reason for reason, holds in reasons.items() if holds)
    active = number(flow.get("active"))
    state = "" if active is None else {0: "Pause", 1: "Start"}.get(active, "")
    return Workflow(
        str(flow_id),
        name=clean(text(flow.get("flowName")), 200),
        runs=not why_not,
        state=state,
        remark=why_not or ("its schedule is off; a run that is requested here starts" if state == "Pause" else ""),
    )


def flow_of(instance: Mapping[str, Any]) -> int | None:
    """The flow that an instance belongs to: its `flowId`, else what its id begins with (`2430-20190718075000`)."""
    told = number(instance.get("flowId"))
    return told if told is not None else number(text(instance.get("instanceId")).partition("-")[0])


def minute_of(trigger_time: int) -> int:
    """A trigger time in milliseconds, floored to the minute."""
    return trigger_time - trigger_time % MINUTE


def may_be_in_minute(told: Any, trigger_time: int) -> bool:
    """Whether a `triggerTime` without zone can be in the minute of `trigger_time`. What cannot be read can."""
    local = _local_time(told)
    if local is None:
        return True
    minute = datetime.fromtimestamp(minute_of(trigger_time) / 1000, timezone.utc)
    return (local - minute) % _ZONES < timedelta(minutes=1)


def latest_creation(instance: Mapping[str, Any]) -> datetime | None:
    """The latest moment that `timestamp`, the time of creation without zone, can mean; None if it cannot be read."""
    local = _local_time(instance.get("timestamp"))
    return local + _WESTERNMOST if local and local.year < 9999 else None


def _known(status: Any) -> tuple[str, Phase]:
    whole = number(status)
    return ("", Phase.UNKNOWN) if whole is None else STATES.get(whole, (str(whole), Phase.UNKNOWN))


def _local_time(told: Any) -> datetime | None:
    match = _LOCAL_TIME.fullmatch(text(told))
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00") if match else None
    except ValueError:
        return None


def _tasks(graph: Any) -> tuple[Task, ...]:
    """The steps in `graph`, a text that holds JSON, with keys in two styles; none if it cannot be read."""
    return tuple(
        Task(
            name=clean(text(task.get("taskName") or task.get("task_name")), 200),
            type="",
            state=clean(text(task.get("status")), 100),
        )
        for task in _rows(graph)
    )


def troubled(instance: Mapping[str, Any]) -> dict[int, str]:
    """The ids of the task instances that did not succeed, by their place among the tasks."""
    found = enumerate(text(task.get("taskInstId") or task.get("task_inst_id")) for task in _rows(instance.get("graph")))
    states = [text(task.get("status")) for task in _rows(instance.get("graph"))]
    return {at: id for at, id in found if usable_id(id) and states[at] != "SUCCESS"}


def detailed(task: Task, told: Mapping[str, Any]) -> Task:
    """A task with what `GET /taskInstances?action=get` tells of it (V2.1):
    https://www.envisioniot.com/docs/batch-processing-api/en/2.3.0/v2.1/get_task_instance.html."""
    times, limit = number(told.get("runNum")) or 0, number(told.get("timeout"))
    said = [f"timed out after {limit} minutes" if limit else "timed out"] * (told.get("isTimeout") in (True, 1, "1"))
    said += [f"run {times} times"] * (times > 1)
    return replace(task, state=clean(text(told.get("stsDesc")), 100) or task.state, message="; ".join(said))


def _rows(graph: Any) -> list[Mapping[str, Any]]:
    tasks = _graph(graph).get("tasks")
    named = [mapping(task) for task in tasks[:_TASKS]] if isinstance(tasks, list) else []
    return [task for task in named if task]


def _graph(told: Any) -> Mapping[str, Any]:
    return mapping(told) or document(text(told).encode()) or {}


def _without_graph(told: str) -> str:
    """Cuts each `"graph": "{...}"` out. One pass, so that no answer can keep us busy."""
    parts, at = [], 0
    while (begin := told.find('"graph"', at)) >= 0 and (end := told.find('}"', begin)) >= 0:
        parts.append(told[at:begin] + '"graph":""')
        at = end + 2
    return "".join(parts) + told[at:]


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
