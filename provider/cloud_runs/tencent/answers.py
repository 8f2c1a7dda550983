"""Tencent CI's answers -> plain values. Pure functions; tests/recordings/tencent/ has an answer of each shape.

Sources: https://cloud.tencent.com/document/api/460/80044 (execution), https://cloud.tencent.com/document/api/460/76893
(batch job). Everything in an answer is hostile: a part that is missing or has the wrong shape reads as empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import unescape

import xmltodict

from cloud_runs.errors import clean
from cloud_runs.runs import Phase, RunStatus, Task, Workflow, rfc3339
from cloud_runs.wire.payloads import moment, overfull, time_text

PHASES: Mapping[str, Phase] = {
    "Submitted": Phase.PENDING,
    "Running": Phase.RUNNING,
    # A paused queue makes its waiting items Pause: the run waits for somebody, and nothing of it is being worked on.
    "Pause": Phase.PENDING,
    "Success": Phase.SUCCEEDED,
    "Failed": Phase.FAILED,
    "Cancel": Phase.CANCELLED,
}

_DEPTH = 16
SUCCESS_CODES = ("", "0", "Success")


def document(body: bytes) -> tuple[str, Any]:
    """The root's name and content of an XML answer; `("", None)` if it is not XML, or too much of it.

    Entities are not expanded.
    """
    if overfull(body):
        return "", None
    try:
        parsed = xmltodict.parse(body, disable_entities=True)
    except (ExpatError, ValueError, LookupError, TypeError):
        return "", None
    return next(iter(parsed.items())) if isinstance(parsed, dict) and parsed else ("", None)


def mapping(value: Any) -> Mapping[str, Any]:
    """The element's children; of several elements where one is expected, the first. Empty for anything else."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Any]:
    """An element that may be there once, many times or not at all."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text(parent: Mapping[str, Any], name: str) -> str:
    """The text of a child; empty if there is none, or if several differ."""
    found = {_own_text(item) for item in rows(parent.get(name))}
    return found.pop() if len(found) == 1 else ""


def told_time(parent: Mapping[str, Any]) -> str:
    """When it was made. The pages say `CreateTime` of an execution and `CreationTime` of a job; the vendor's Go SDK
    reads `CreationTime` of both."""
    return text(parent, "CreateTime") or text(parent, "CreationTime")


def phase(state: str) -> Phase:
    return PHASES.get(state, Phase.UNKNOWN)


def execution_status(id: str, execution: Mapping[str, Any], request_id: str = "") -> RunStatus:
    """A `WorkflowExecution`. It has no times of its own but `CreateTime`; the others come from its tasks.

    A failed task inside a run that succeeded stays a matter of the task: the service decides on the run.
    """
    state = clean(text(execution, "State"), 100)
    tasks = [mapping(task) for task in rows(execution.get("Tasks"))]
    at = phase(state)
    failed = next((task for task in tasks if text(task, "State") == "Failed"), {}) if at is Phase.FAILED else {}
    return RunStatus(
        id=id,
        phase=at,
        state=state,
        code=clean(text(failed, "Code"), 100),
        message=clean(text(failed, "Message")),
        created_at=time_text(told_time(execution)),
        started_at=_edge(tasks, "StartTime", min),
        finished_at=_edge(tasks, "EndTime", max) if at.terminal else "",
        tasks=tuple(_task(task) for task in tasks),
        request={
            "workflow_id": text(execution, "WorkflowId"),
            "object": text(execution, "Object"),
            # The page's table says WorkflowName, its sample Name. It is the workflow's: a run's own label is not told.
            "workflow_name": text(execution, "WorkflowName") or text(execution, "Name"),
        },
        request_id=clean(request_id, 100),
    )


def job_status(id: str, job: Mapping[str, Any], request_id: str = "") -> RunStatus:
    """A `JobsDetail`. Its `Code` and `Message` count only when it has failed (samples say `Success`)."""
    state = clean(text(job, "State"), 100)
    at = phase(state)
    return RunStatus(
        id=id,
        phase=at,
        state=state,
        code=clean(text(job, "Code"), 100) if at is Phase.FAILED else "",
        message=clean(text(job, "Message")) if at is Phase.FAILED else "",
        created_at=time_text(told_time(job)),
        started_at=time_text(text(job, "StartTime")),
        finished_at=time_text(text(job, "EndTime")),
        request={
            "name": text(job, "Name"),
            "type": text(job, "Type"),
            "input": _plain(mapping(job.get("Input"))),
            "operation": _plain(mapping(job.get("Operation"))),
        },
        request_id=clean(request_id, 100),
    )


def listed_ids(told: str) -> list[str]:
    """Ids with commas between them, each once."""
    return list(dict.fromkeys(id for part in told.split(",") if (id := part.strip())))


def workflow(id: str, content: Mapping[str, Any]) -> Workflow | None:
    """What an answer to `GET /workflow` tells of one of the ids that were asked for; None if it tells nothing of it.

    A paused workflow runs all the same: its state says only whether uploads trigger it (the vendor's Python test
    triggers one right after pausing it).
    """
    listed = (mapping(row) for row in rows(content.get("MediaWorkflowList")))
    row = next((row for row in listed if text(row, "WorkflowId") == id), None)
    if row is not None:
        state = clean(text(row, "State"), 100)
        remark = "uploads do not trigger it; a run that is requested here starts" if state == "Paused" else ""
        known = True if state in ("Active", "Paused") else None
        return Workflow(id, name=clean(text(row, "Name"), 200), state=state, runs=known, remark=remark)
    # The vendor's Go SDK reads one element for each id; the job's answer has a text of all of them.
    unknown = (_own_text(told) for told in rows(content.get("NonExistIDs")))
    if any(id in listed_ids(told) for told in unknown):
        return Workflow(id, exists=False, runs=False)
    return None


def started_id(body: bytes, element: str) -> tuple[str, Any]:
    """The id in an answer to a start, and the answer's content; `("", ...)` if there is none, or more than one.

    The page's sample has `<Response>` for `</Response>` (https://cloud.tencent.com/document/product/436/76863): a
    started run must not be lost by that.
    """
    root, content = document(body)
    if root == "Response":
        parent = mapping(content)
        id = text(parent, element) or text(mapping(parent.get("JobsDetail")), element)
    else:
        raw = body.decode("utf-8", "replace")
        ids = set(re.findall(f"<{element}>([^<>]*)</{element}>", raw))
        id = ids.pop().strip() if len(ids) == 1 else ""
        if "&" in re.sub("&(?:amp|lt|gt);", "", id):  # it is an entity, which is not expanded
            id = ""
        id = unescape(id)
    return id, content


def same_object(told: str, key: str) -> bool:
    return told == key.strip() or key.lstrip("/") in object_forms(told)


def object_forms(told: str) -> tuple[str, ...]:
    """The keys, without leading slashes, that a told object can be: newer answers tell the key, those of 2019 to 2021
    the object's URL."""
    try:
        parts = urlsplit(told)
    except ValueError:
        parts = urlsplit("")
    url = (unquote(parts.path).lstrip("/"),) if parts.scheme and parts.netloc else ()
    return (told.lstrip("/"), *url)


def agrees(asked: Any, told: Any) -> bool:
    """Whether an echo can be of this request: what it leaves out (the list's sample has no `Tag`) or adds says nothing.

    Only an element that is there and differs makes it another job's. Times are compared as instants.
    """
    if told is None:
        return True
    if isinstance(asked, Mapping):
        return isinstance(told, dict) and all(agrees(value, told.get(name)) for name, value in asked.items())
    if isinstance(asked, (list, tuple)):
        items = rows(told)
        return len(items) == len(asked) and all(agrees(one, other) for one, other in zip(asked, items, strict=True))
    if not isinstance(told, str):
        return False
    wanted, instant = wire_text(asked).strip(), moment(told)
    return told.strip() == wanted or (instant is not None and instant == moment(wanted))


def wire_text(value: Any) -> str:
    """A value as it stands in a request's element."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _task(task: Mapping[str, Any]) -> Task:
    result = mapping(task.get("ResultInfo"))
    produced = [mapping(item) for kind in ("ObjectInfo", "SpriteObjectInfo") for item in rows(result.get(kind))]
    names = [text(item, "ObjectName") or text(item, "ObjectUrl") for item in produced if _succeeded(item)]
    return Task(
        name=clean(text(task, "Name"), 200),
        type=clean(text(task, "Type"), 100),
        state=clean(text(task, "State"), 100),
        code="" if text(task, "Code") in SUCCESS_CODES else clean(text(task, "Code"), 100),
        message=clean(text(task, "Message")),
        objects=tuple(clean(name, 1024) for name in names if name),
    )


def _succeeded(item: Mapping[str, Any]) -> bool:
    # an ObjectInfo with another code names an object that was not made (vendor's Android SDK, field comment)
    return text(item, "Code") in SUCCESS_CODES


def _edge(tasks: list[Mapping[str, Any]], name: str, choose: Any) -> str:
    times = [found for task in tasks if (found := moment(text(task, name)))]
    return rfc3339(choose(times)) if times else ""


def _own_text(value: Any) -> str:
    if isinstance(value, dict):  # an element with attributes
        value = value.get("#text")
    return value.strip() if isinstance(value, str) else ""


def _plain(value: Any, depth: int = _DEPTH) -> Any:
    """Fit for a Pulumi state: an empty element is an empty text, and nothing is deeper than a person would write."""
    if isinstance(value, dict):
        return {key: _plain(item, depth - 1) for key, item in value.items()} if depth else {}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value] if depth else []
    return value if isinstance(value, str) else ""
