"""Reading requests: the trigger's parameters, the list parameters, and the XML that asks for an inventory job.

Each check refuses with 400 and a message that names the parameter or element. Sources: "Trigger Workflow" (1045/50340),
"Triggering Job" (1045/47029, 1045/50369), the list pages (436/113269, 1045/47031).
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element

from cloud_runs_emulator.markup import xml_text
from cloud_runs_emulator.runs import Run
from cloud_runs_emulator.systems import Refused, Request
from cloud_runs_emulator.tencent.formats import parse_time, parse_xml
from cloud_runs_emulator.tencent.models import STATES, JobOrder, Query

INVALID = "InvalidArgument"

_WORKFLOW_ID = re.compile(r"w[0-9a-f]{32}", re.ASCII)
_NAME = re.compile(r"[\w\u2014-]{0,128}")
_TAG = re.compile(r"[A-Za-z]+", re.ASCII)
_USER_DATA = re.compile(r"[ -~]{0,1024}", re.ASCII)
_SOURCES = ("Manifest", "UrlFile", "Prefix", "Object")
_CHOICES = {
    "JobLevel": ("0", "1", "2"),
    "CallBackFormat": ("JSON", "XML"),
    "CallBackType": ("Url", "TDMQ", "Kafka"),
}
_PAGE_DEFAULT = 10
_PAGE_MAX = 100


def invalid(message: str) -> Refused:
    """The refusal of one parameter or element."""
    return Refused(400, INVALID, message)


def workflow_id(text: str) -> str:
    """A workflow id: `w` and 32 hex digits; any such exists. The message is in the vendor's Android test."""
    if not _WORKFLOW_ID.fullmatch(text):
        raise invalid(f"Non-exist workflowId: {text}")
    return text


def trigger(request: Request) -> tuple[str, str]:
    """Workflow id and object key of a trigger request. The label `name`, and a body with `AttachParam` (known from the
    vendor's Java SDK alone), are checked and otherwise without effect."""
    workflow = workflow_id(request.param("workflowId"))
    key = request.param("object")
    if not key:
        raise invalid("object is required")
    if not _NAME.fullmatch(request.param("name")):
        raise invalid("name may have up to 128 letters, digits, hyphens and underscores")
    if any(name == "attachParam" for name, _ in request.query):
        _container(_root(request.body), "AttachParam")
    return workflow, key


def workflow_ids(request: Request) -> tuple[list[str], list[str]]:
    """The ids that a look at workflows names: those that exist, which is any of the right form, and the others."""
    asked = list(dict.fromkeys(part for part in request.param("ids").split(",") if part))
    if not asked:
        raise invalid("ids is required: the emulator has every workflow and lists none")
    for name in ("pageNumber", "pageSize"):
        if not re.fullmatch(r"[1-9]\d{0,5}|", request.param(name), re.ASCII):
            raise invalid(f"{name} must be a number from 1")
    first = (int(request.param("pageNumber") or 1) - 1) * int(request.param("pageSize") or _PAGE_DEFAULT)
    known = [id for id in asked if _WORKFLOW_ID.fullmatch(id)]
    page = known[first : first + int(request.param("pageSize") or _PAGE_DEFAULT)]
    return page, [id for id in asked if id not in known]


def list_query(request: Request, *, jobs: bool) -> Query:
    """The parameters of a list of executions or of inventory `jobs`."""
    kind = request.param("type") if jobs else ""
    if kind not in ("", "Workflow", "Job"):
        raise invalid("type must be Workflow or Job")
    wanted = request.param("workflowId")
    return replace(
        _page_query(request),
        name=request.param("name"),
        type=kind,
        job_id=request.param("jobId"),
        workflow_id=wanted if jobs and not wanted else workflow_id(wanted),
    )


def media_query(request: Request) -> Query:
    """The parameters of a list of media or picture jobs (460/48235; a tag is required by the vendor's demos)."""
    tag = request.param("tag")
    if not _TAG.fullmatch(tag):
        raise invalid("tag is required")
    return replace(
        _page_query(request),
        name=request.param("inputObject"),
        job_id=request.param("inventoryTriggerJobId"),
        workflow_id=request.param("workflowId"),
        tag=tag,
        queue=request.param("queueId"),
    )


def _page_query(request: Request) -> Query:
    """What all lists have. As the Python SDK sends unused ones empty, an empty one is the same as none."""
    size = request.param("size") or str(_PAGE_DEFAULT)
    if not re.fullmatch(r"\d{1,3}", size, re.ASCII) or not 1 <= int(size) <= _PAGE_MAX:
        raise invalid(f"size must be a number from 1 to {_PAGE_MAX}")
    order = request.param("orderByTime") or "Desc"
    if order not in ("Desc", "Asc"):
        raise invalid("orderByTime must be Desc or Asc")
    states = frozenset(request.param("states").split(",")) - {""}
    if not states <= STATES | {"All"}:
        raise invalid(f"states must be All or a list of {', '.join(sorted(STATES))}")
    return Query(
        size=int(size),
        newest_first=order == "Desc",
        after=_after(request.param("nextToken")),
        states=frozenset() if "All" in states else states,
        start=_bound(request, "startCreationTime"),
        end=_bound(request, "endCreationTime"),
    )


def next_token(serial: int | None) -> str:
    """The page token for a run's serial number; empty for none. Callers are to treat it as opaque."""
    return "" if serial is None else _token(f"page:{serial}")


def endless_token(query: Query, runs: Sequence[Run]) -> str:
    """A page token that is new each time: of the page after this one, though there may be nothing on it."""
    last = runs[-1].serial if runs else query.after or 0
    return _token(f"page:{last}:{secrets.token_hex(4)}")


def _token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(token: str) -> int | None:
    if not token:
        return None
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    match = re.fullmatch(r"page:(\d{1,18})(?::[0-9a-f]+)?", text, re.ASCII)
    if match is None:
        raise invalid("nextToken is not one that a list answer gave")
    return int(match[1])


def _bound(request: Request, name: str) -> float | None:
    text = request.param(name)
    return _time(name, text) if text else None


def _time(name: str, text: str) -> float:
    try:
        return parse_time(text)
    except ValueError as error:
        raise invalid(f"{name}: {error}") from None


def job_order(body: bytes) -> JobOrder:
    """A checked request for an inventory job."""
    root = _root(body)
    name = _text(root, "Name")
    if not name or not _NAME.fullmatch(name):
        raise invalid("Name is required, with up to 128 letters, digits, hyphens and underscores")
    # Whether CI has a default type is not documented; Workflow is the only one that the older page knows.
    kind = _text(root, "Type") or "Workflow"
    if kind not in ("Workflow", "Job"):
        raise invalid("Type must be Workflow or Job")
    source = _source(_container(root, "Input"))
    operation = _container(root, "Operation")
    interval = _child(operation, "TimeInterval")
    if interval is not None:
        for bound in ("Start", "End"):
            text = _text(interval, bound)
            # 0 is the documented default of Start.
            if text and text != "0":
                _time(f"TimeInterval.{bound}", text)
    workflows: tuple[str, ...] = ()
    if kind == "Workflow":
        ids = _text(operation, "WorkflowIds")
        if not ids:
            raise invalid("Operation.WorkflowIds is required for type Workflow")
        # Several ids with commas: the Java SDK's comment on this element.
        workflows = tuple(dict.fromkeys(workflow_id(part.strip()) for part in ids.split(",")))
    # The kinds of jobs are not a closed list, so any word goes as a Tag; no output is produced.
    elif not _TAG.fullmatch(_text(operation, "Tag")):
        raise invalid("Operation.Tag is required for type Job")
    _check_operation(operation)
    return JobOrder(
        name=name,
        type=kind,
        source=source.tag,
        what=(source.text or "").strip(),
        workflow_ids=workflows,
        input_xml=_xml(_container(root, "Input")),
        operation_xml=_xml(operation),
        tag=_text(operation, "Tag") if kind == "Job" else "",
        queue=_text(operation, "QueueId"),
    )


def _root(body: bytes) -> Element:
    try:
        root = parse_xml(body)
    except ValueError as error:
        raise Refused(400, "MalformedXML", f"The XML you provided was not well-formed: {error}") from None
    if root.tag != "Request":
        raise Refused(400, "MalformedXML", f"The root element must be Request, not {root.tag}")
    return root


def _check_operation(operation: Element) -> None:
    """Elements that both types have: the vendor's SDKs send them with either, its pages show them with type Job."""
    for name, allowed in _CHOICES.items():
        if _text(operation, name) not in ("", *allowed):
            raise invalid(f"Operation.{name} must be one of {', '.join(allowed)}")
    if not _USER_DATA.fullmatch(_text(operation, "UserData")):
        raise invalid("Operation.UserData may have up to 1024 printable ASCII characters")
    callback = _text(operation, "CallBack")
    if callback and callback != "no" and not callback.startswith(("http://", "https://")):
        raise invalid("Operation.CallBack must be an http or https address, or no")


def _source(given: Element) -> Element:
    sources = [child for child in given if child.tag in _SOURCES]
    if len(sources) != 1 or len(given) != 1:
        raise invalid(f"Input must have exactly one of {', '.join(_SOURCES)}")
    if not (sources[0].text or "").strip():
        raise invalid(f"Input.{sources[0].tag} is empty")
    return sources[0]


def _container(parent: Element, name: str) -> Element:
    found = _child(parent, name)
    if found is None or len(found) == 0:
        raise invalid(f"{name} is required")
    return found


def _child(parent: Element, name: str) -> Element | None:
    found = parent.findall(name)
    if len(found) > 1:
        raise invalid(f"{name} is given {len(found)} times")
    return found[0] if found else None


def _text(parent: Element, name: str) -> str:
    found = _child(parent, name)
    return "" if found is None else (found.text or "").strip()


def _xml(element: Element) -> str:
    """The element again, without the white space between elements and without attributes, which CI does not know."""
    inner = "".join(_xml(child) for child in element) if len(element) else xml_text((element.text or "").strip())
    return f"<{element.tag}>{inner}</{element.tag}>"
