"""The calls to OBS workflows ("Data+") on `obs.<region>.myhuaweicloud.com`.

Sources: https://support.huaweicloud.com/en-us/api-obs/obs_04_0127.html (start), _0128 (list), _0129 (get).
The vendor's Python SDK is not used: it sends the start POST again after a lost answer, does not verify certificates by
default, loses the request id, and is one object for the whole process, whichever keys it was made with.

What does NOT happen: no query is ever sent with `POST /v2/workflows/NAME`. With `x-workflow-create` or
`x-workflow-template-name` the same request would create the workflow instead of starting it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from cloud_runs.errors import (
    Interrupted,
    InvalidConfiguration,
    NotFound,
    RunsError,
    Unavailable,
    clean,
)
from cloud_runs.huawei import answers as reading
from cloud_runs.huawei.codes import request_id
from cloud_runs.huawei.obs import BY_API, PAGE_ROWS, ObsClient, Query
from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import Candidate, FanOutApi, Found, RunApi, RunStatus, Started, Untold, Workflow
from cloud_runs.wire.calls import ASK_SECONDS, FAN_OUT_PAGES, LOOK_SECONDS, PAGES
from cloud_runs.wire.looks import listed, together
from cloud_runs.wire.payloads import moment, time_text

if TYPE_CHECKING:
    pass

LOOKS = 500  # runs since one intent whose input is asked for; a person cannot tell more apart either
FAN_OUT_LOOKS = 20_000  # the same for a fan-out, which has many runs itself

_BY_EVENT = ("TRIGGERCAL", "TRIGGERCALL")  # one L throughout the pages; the other spelling would be no surprise


@dataclass(frozen=True)
class WorkflowRequest:
    """`POST /v2/workflows/NAME`. `object` is sent as it is, with or without a slash; empty `inputs` are left out."""

    bucket: str
    object: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


class WorkflowClient(ObsClient, RunApi[WorkflowRequest], FanOutApi[WorkflowRequest]):
    """Executions of one workflow ("graph")."""

    @cached_property
    def _compared(self) -> dict[str, Mapping[str, Any]]:
        """What runs were started with; it stays what it was, so there is no need to ask again."""
        return {}

    def start(self, request: WorkflowRequest, leave: Leave) -> Started:
        """Started.details: `execution_urn`, and the time in RFC 3339, as far as the answer tells them."""
        explain = partial(self._context.refusal, action="dwr:workflow:executeAsync")
        path, body = f"/v2/workflows/{self._graph}", _body(request)
        begun = self._calls.start(path, reading.started_id, explain, leave=leave, headers=self._headers, body=body)
        content = begun.content
        began = time_text(reading.text(content, "started_at"))
        urn = clean(reading.text(content, "execution_urn"), 500)
        details = {"execution_urn": urn, "created_at": began, "started_at": began}
        return Started(
            begun.id,
            begun.at,
            request_id=clean(self._context.mask.text(request_id(begun.answer)), 100),
            details=details,
        )

    def get(self, id: str, limit: Limit | None = None) -> RunStatus:
        return self._complete(id, limit or Limit(ASK_SECONDS))

    def get_many(self, ids: Collection[str], limit: Limit | None = None) -> Mapping[str, RunStatus | Untold]:
        limit = limit or Limit(LOOK_SECONDS)
        told: dict[str, RunStatus | Untold] = {}
        stopped: dict[str, str] = {}
        if len(ids) > 1:
            listed({self._graph: ids}, lambda _: self._shown(ids, stopped, limit), told, limit)
        left = [id for id in ids if id not in told]
        return told | together(lambda id: self._complete(id, limit, stopped.get(id, "")), left, limit)

    def _complete(self, id: str, limit: Limit, stopped_at: str = "") -> RunStatus:
        """The status with the time at which the run ended, which is asked for if it is not given."""
        answer, info = self._execution(id, limit)
        status = self._context.mask.status(reading.execution_status(id, info, request_id(answer)))
        if not status.phase.terminal or status.finished_at:
            return status
        return replace(status, finished_at=stopped_at or self.stopped_at(status, limit))

    def stopped_at(self, status: RunStatus, limit: Limit | None = None) -> str:
        """When a run ended, from the list; empty if it cannot be told. The page of `get` shows no `stopped_at`.

        One request: a page begins right after its marker in the order of names, so just before the run's own.
        """
        kind = status.request.get("execution_type") or BY_API
        try:
            marker: Query = [("x-workflow-next-marker", _before(status.id, kind))]
            rows, _ = self._page(marker, "100", limit or Limit(ASK_SECONDS))[1:]
        except Interrupted:
            raise
        except RunsError:
            return ""
        own = next((row for row in rows if reading.text(row, "execution_name") == status.id), {})
        return time_text(reading.text(own, "stopped_at"))

    def find(self, request: WorkflowRequest, since: datetime, limit: Limit) -> Found:
        """Runs of the workflow that the API started, and that may be of this request.

        A run counts unless it surely is another's: one whose time or input cannot be read counts too.
        """
        return self._find(lambda told: [("", request)], since, LOOKS, PAGES, limit)

    def find_each(self, requests: Mapping[str, WorkflowRequest], since: datetime, limit: Limit) -> Found:
        """The list tells no object, so each run since then is asked for once."""
        by_object: dict[str, list[tuple[str, WorkflowRequest]]] = {}
        for key, request in requests.items():
            for form in {request.object.lstrip("/"), unquote(request.object).lstrip("/")}:
                by_object.setdefault(form, []).append((key, request))

        def of(told: Mapping[str, Any]) -> Iterable[tuple[str, WorkflowRequest]]:
            if "object" not in told:  # it may be of any of them
                return requests.items()
            forms = {told["object"].lstrip("/"), unquote(told["object"]).lstrip("/")}
            return dict(pair for form in forms for pair in by_object.get(form, ())).items()

        return self._find(of, since, FAN_OUT_LOOKS, FAN_OUT_PAGES, limit)

    def find_any(self, request: WorkflowRequest, since: datetime, limit: Limit) -> Found:
        def of(told: Mapping[str, Any]) -> Iterable[tuple[str, WorkflowRequest]]:
            return [("", replace(request, object=told.get("object", "")))]

        return self._find(of, since, FAN_OUT_LOOKS, FAN_OUT_PAGES, limit)

    def _find(
        self,
        of: Callable[[Mapping[str, Any]], Iterable[tuple[str, WorkflowRequest]]],
        since: datetime,
        most: int,
        pages: int,
        limit: Limit,
    ) -> Found:
        """`of`: the requests that a run may be of, by what is told of its own."""
        rows, server_time = self._since(since, most, pages, limit)
        suspects = {id: moment(reading.text(row, "started_at")) for id, row in rows.items()}
        phases = {id: reading.phase(reading.text(row, "execution_state")) for id, row in rows.items()}
        unread = [id for id in suspects if id not in self._compared]
        infos = together(lambda id: self._execution(id, limit)[1], unread, limit)
        found = []
        for id, began in suspects.items():
            info = self._compared.get(id) or infos[id]
            if isinstance(info, NotFound):  # listed all the same
                info = {}
            elif isinstance(info, Exception):
                raise info
            told = reading.told_request(info)
            if told:
                self._compared[id] = info
            began = began or moment(reading.text(info, "started_at"))
            if began is None or began >= since.replace(microsecond=0):
                phase = phases[id]
                found += [
                    Candidate(id, began, exact=_exact(request, told), key=key, phase=phase)
                    for key, request in of(told)
                    if not any(differences(request, told))
                ]
        return Found(tuple(found), server_time)

    def cancel(self, id: str, limit: Limit | None = None) -> None:
        """Always raises: the pages have sixteen calls, and none of them stops an execution (nor have the SDKs)."""
        raise RunsError("Huawei OBS has no API that cancels a workflow execution")

    def workflows(self, request: WorkflowRequest, limit: Limit | None = None) -> tuple[Workflow, ...]:
        """`GET /v2/workflows/NAME`: https://support.huaweicloud.com/en-us/api-obs/obs_04_0123.html."""
        content = self._definition(limit or Limit(ASK_SECONDS))
        if content is None:
            return (Workflow(self._graph, exists=False, runs=False),)
        return (self._context.mask.workflow(reading.workflow(self._graph, content, request.inputs)),)

    # -- parts

    def _shown(self, ids: Collection[str], stopped: dict[str, str], limit: Limit) -> Iterator[Mapping[str, RunStatus]]:
        """Pages of the list that begin just before one of these runs, by name; `stopped` gets when runs ended.

        The list goes by name and has all runs ever, so what lies between two runs is jumped over. Where runs are far
        apart a page tells no more than a look at one of them, and it ends.
        """
        left = sorted(ids)
        covered = pages = 0
        while left and covered >= 2 * pages:
            # As large as is worth while: rows cost little, but not nothing.
            size = min(int(PAGE_ROWS), 100 * len(left))
            marker: Query = [("x-workflow-execution-type", BY_API), ("x-workflow-next-marker", _before(left[0]))]
            _, rows, following = self._page(marker, str(size), limit)
            by_name = {reading.text(row, "execution_name"): row for row in rows}
            stopped |= {name: time_text(reading.text(row, "stopped_at")) for name, row in by_name.items()}
            shown = self._context.mask.status
            yield {name: shown(reading.execution_status(name, row)) for name, row in by_name.items()}
            rest = [id for id in left if following and id > max(by_name, default="")]
            covered, pages, left = covered + len(left) - len(rest), pages + 1, rest

    def _since(
        self, since: datetime, most: int, pages: int, limit: Limit
    ) -> tuple[dict[str, Mapping[str, Any]], datetime | None]:
        """Rows of runs that the API started, by id, and the server's time."""
        suspects: dict[str, Mapping[str, Any]] = {}
        server_time = None
        for answer, rows in self._pages(pages, limit):
            server_time = answer.date or server_time
            for row in rows:
                id = self._id(row)
                began = moment(reading.text(row, "started_at"))
                # whole seconds, since other systems tell no others and the caller's time may come from a `Date`
                old = began is not None and began < since.replace(microsecond=0)
                if not old and reading.text(row, "execution_type").upper() not in _BY_EVENT:
                    suspects[id] = row
            if len(suspects) > most:
                raise Unavailable(f"Huawei OBS cannot compare them all: more than {most} runs of {self._graph} began")
        return suspects, server_time


def _before(id: str, kind: str = BY_API) -> str:
    """A marker just before a run's own, whether a run has that name or not."""
    return f"{kind}{id[:-1]}"


def differences(request: WorkflowRequest, told: Mapping[str, Any]) -> Iterator[str]:
    """`bucket`, `object` and `inputs.NAME` that are told and differ."""
    if "bucket" in told and told["bucket"] != request.bucket:
        yield "bucket"
    if "object" in told and not reading.same_object(told["object"], request.object):
        yield "object"
    inputs = told.get("inputs") or {}
    yield from (
        f"inputs.{name}" for name, value in request.inputs.items() if not reading.agrees(value, inputs.get(name))
    )


def _exact(request: WorkflowRequest, told: Mapping[str, Any]) -> bool:
    """Whether all that was asked for is told, and nothing else: a run with other inputs as well is another ask's."""
    return "bucket" in told and "object" in told and set(told.get("inputs") or {}) == set(request.inputs)


def _body(request: WorkflowRequest) -> bytes:
    """As the vendor's SDK writes it: UTF-8 that is not escaped. Raises InvalidConfiguration for what JSON cannot hold.

    The vendor's SDK sends `"inputs": null` where there are none; the pages call the key optional, so it is left out.
    """
    content: dict[str, Any] = {"bucket": request.bucket, "object": request.object}
    if inputs := _wire(request.inputs):
        content["inputs"] = inputs
    try:
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:  # a lone surrogate is a ValueError too
        raise InvalidConfiguration(f"the arguments cannot be written as JSON ({type(error).__name__})") from None


def _wire(value: Any) -> Any:
    """The engine makes each number a float and drops what is None: `5` was meant, so `5` is sent and not `5.0`."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _wire(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_wire(item) for item in value]
    return value
