"""The calls to Tencent CI for workflow executions on `<bucket>.ci.<region>.myqcloud.com`; jobs.py has the batch jobs.

Sources: the API pages named at each call. The vendor's Python SDK is not used: it repeats the start POST after a read
time-out, cannot send `name`, and cannot read CI's errors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from cloud_runs.errors import InvalidConfiguration, RunsError, Throttled, Unavailable, clean
from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import Candidate, FanOutApi, Found, RunApi, RunStatus, Started, Untold, Workflow
from cloud_runs.tencent import answers as reading
from cloud_runs.tencent.bodies import written
from cloud_runs.tencent.ci import EXECUTIONS, LIST_EXECUTIONS, CiClient, Query, Row, needed
from cloud_runs.wire.calls import ASK_SECONDS, FAN_OUT_PAGES, LOOK_SECONDS
from cloud_runs.wire.looks import listed, together
from cloud_runs.wire.payloads import segment

_ACTIVE = "Running,Pause"
_EXECUTION = Row("WorkflowExecutionList", "RunId")


@dataclass(frozen=True)
class WorkflowRequest:
    """`POST /triggerworkflow`. `name` is a label that no answer tells again; it is sent only when given. `attach_param`
    has the vendor's element names, and goes into a body, which none of the pages shows."""

    workflow_id: str
    object: str
    name: str = ""
    attach_param: Mapping[str, Any] = field(default_factory=dict)


class WorkflowClient(CiClient, RunApi[WorkflowRequest], FanOutApi[WorkflowRequest]):
    """Workflow executions. Sources: https://cloud.tencent.com/document/product/436/76863 (start);
    https://cloud.tencent.com/document/api/436/113269 (list)."""

    @cached_property
    def _workflows(self) -> dict[str, str]:
        """The workflow of each run that a look has told; it stays what it is."""
        return {}

    def start(self, request: WorkflowRequest, leave: Leave) -> Started:
        _encodable(request.workflow_id, request.object, request.name)
        params: Query = [("workflowId", request.workflow_id), ("object", request.object)]
        params += [("name", request.name)] if request.name else []
        body = b""
        if request.attach_param:  # as the vendor's Java SDK sends it
            params.append(("attachParam", None))
            body = written("Request", {"AttachParam": request.attach_param})
        started, _ = self._start("/triggerworkflow", params, body, "InstanceId", "ci:TriggerMediaWorkflow", leave)
        return started

    def find(self, request: WorkflowRequest, since: datetime, limit: Limit) -> Found:
        # Not filtered by `name` (the object's): its matching rule is nowhere documented, and a filter that hides a run
        # would make us fire twice.
        return self._candidates(
            EXECUTIONS,
            [("workflowId", request.workflow_id)],
            _EXECUTION,
            since,
            lambda row: "" if _is_of(request.workflow_id, row) and _same_object(row, request.object) else None,
            False,
            LIST_EXECUTIONS,
            limit,
        )

    def find_each(self, requests: Mapping[str, WorkflowRequest], since: datetime, limit: Limit) -> Found:
        """One list for each workflow of the requests."""
        keys = {(request.workflow_id, request.object.strip().lstrip("/")): key for key, request in requests.items()}
        found: list[Candidate] = []
        server_time = None
        for workflow in {request.workflow_id for request in requests.values()}:
            listed = self._candidates(
                EXECUTIONS,
                [("workflowId", workflow)],
                _EXECUTION,
                since,
                partial(_key_of, keys, workflow),
                False,
                LIST_EXECUTIONS,
                limit,
                FAN_OUT_PAGES,
            )
            found += listed.candidates
            server_time = listed.server_time or server_time
        return Found(tuple(found), server_time)

    def find_any(self, request: WorkflowRequest, since: datetime, limit: Limit) -> Found:
        return self._candidates(
            EXECUTIONS,
            [("workflowId", request.workflow_id)],
            _EXECUTION,
            since,
            lambda row: "" if _is_of(request.workflow_id, row) else None,
            False,
            LIST_EXECUTIONS,
            limit,
            FAN_OUT_PAGES,
        )

    def get(self, id: str, limit: Limit | None = None) -> RunStatus:
        path = f"{EXECUTIONS}/{segment(id)}"
        answer = self._ask("GET", path, [], LIST_EXECUTIONS, limit or Limit(ASK_SECONDS))
        content = self._content(answer, f"GET {path}")
        execution = self._told(content, path, "WorkflowExecution", "RunId", id)
        return self._shown(reading.execution_status(id, execution, self._request_id(answer, content)))

    def get_many(self, ids: Collection[str], limit: Limit | None = None) -> Mapping[str, RunStatus | Untold]:
        """The list needs a workflow, which no id tells: it is learned from a look at one run, then at two, four, ...
        of those that no list has shown; later looks know it.
        """
        limit = limit or Limit(LOOK_SECONDS)
        told: dict[str, RunStatus | Untold] = {}
        groups: dict[str, list[str]] = {}
        for id in self._workflows.keys() & ids:
            groups.setdefault(self._workflows[id], []).append(id)
        many = {workflow: group for workflow, group in groups.items() if len(group) > 1}
        listed(many, partial(self._going, limit), told, limit)
        told |= self._explored([id for id in ids if id not in self._workflows], limit)
        told |= together(partial(self.get, limit=limit), [id for id in ids if id not in told], limit)
        self._learn(told)
        return told

    def _explored(self, unknown: Sequence[str], limit: Limit) -> Mapping[str, RunStatus | Untold]:
        """What is told of runs whose workflow is not known, without asking for each of them."""
        told: dict[str, RunStatus | Untold] = {}
        seen: set[str] = set()
        few = 1
        while len(unknown) > 1:
            asked = together(partial(self.get, limit=limit), unknown[:few], limit)
            told |= asked
            self._learn(asked)
            if all(isinstance(answer, (Throttled, Unavailable)) for answer in asked.values()):
                break
            rest = unknown[few:]
            new = {self._workflows[id] for id in asked.keys() & self._workflows.keys()} - seen
            if len(rest) > 1:
                shown: dict[str, RunStatus | Untold] = {}
                listed(dict.fromkeys(new, rest), partial(self._going, limit), shown, limit)
                # A list that broke off says nothing of runs that may be of another workflow.
                told |= {id: status for id, status in shown.items() if isinstance(status, RunStatus)}
            seen |= new
            unknown = [id for id in rest if id not in told]
            few *= 2
        return told

    def _learn(self, told: Mapping[str, RunStatus | Untold]) -> None:
        for id, status in told.items():
            if isinstance(status, RunStatus) and status.request["workflow_id"]:
                self._workflows[id] = status.request["workflow_id"]

    def _going(self, limit: Limit, workflow: str) -> Iterator[Mapping[str, RunStatus]]:
        params: Query = [("workflowId", workflow), ("states", _ACTIVE)]
        for _, rows in self._pages(EXECUTIONS, params, "WorkflowExecutionList", LIST_EXECUTIONS, limit):
            found = ((reading.text(row, "RunId"), row) for row in rows)
            yield {id: self._shown(reading.execution_status(id, row)) for id, row in found}

    def cancel(self, id: str, limit: Limit | None = None) -> None:
        """Always raises: neither the pages nor any of the vendor's SDKs have such a call."""
        raise RunsError("Tencent CI has no API that cancels a workflow execution")

    def workflows(self, request: WorkflowRequest, limit: Limit | None = None) -> tuple[Workflow, ...]:
        return self._definitions([request.workflow_id], limit or Limit(ASK_SECONDS))


def _is_of(workflow: str, row: Mapping[str, Any]) -> bool:
    """True. A list of another workflow is none of this one: to read it as one would hide its runs."""
    told = reading.text(row, "WorkflowId")
    if told and told != workflow.strip():
        raise Unavailable(
            f"Tencent CI listed runs of workflow {clean(told, 100)}, not of {clean(workflow, 100)}, in its answer to "
            f"GET {EXECUTIONS}"
        )
    return True


def _same_object(row: Mapping[str, Any], key: str) -> bool:
    return reading.same_object(needed(row, "Object"), key)


def _key_of(keys: Mapping[tuple[str, str], str], workflow: str, row: Mapping[str, Any]) -> str | None:
    """The key of the request that a listed execution may be of."""
    _is_of(workflow, row)
    forms = (keys.get((workflow, form)) for form in reading.object_forms(needed(row, "Object")))
    return next((key for key in forms if key is not None), None)


def _encodable(*values: str) -> None:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        raise InvalidConfiguration("an argument holds half of a character (a lone surrogate)") from None
