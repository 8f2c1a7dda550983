"""The calls to OBS workflows ("Data+") on `obs.<region>.myhuaweicloud.com`.

Sources: seed 003; https://support.huaweicloud.com/en-us/api-obs/obs_04_0127.html (start), _0128 (list), _0129 (get).
The vendor's Python SDK is not used: it sends the start POST again after a lost answer, does not verify certificates by
default, loses the request id, and is one object for the whole process, whichever keys it was made with.

What does NOT happen: no query is ever sent with `POST /v2/workflows/NAME`. With `x-workflow-create` or
`x-workflow-template-name` the same request would create the workflow instead of starting it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
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
from cloud_runs.huawei.codes import Context, failure, request_id
from cloud_runs.huawei.signing import ObsAuth
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.runs import Candidate, FanOutApi, Found, RunApi, RunStatus, Started, Untold
from cloud_runs.wire.calls import ASK_SECONDS, FAN_OUT_PAGES, LOOK_SECONDS, PAGES, Calls, signed
from cloud_runs.wire.looks import listed, together
from cloud_runs.wire.payloads import domain_name, moment, region_name, segment, time_text, usable_id
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Transport

# The list has no time filter and goes by name, so all of it must be read.
PAGE_ROWS = "1000"  # the documented maximum; without it a page has 10
LOOKS = 500  # runs since one intent whose input is asked for; a person cannot tell more apart either
FAN_OUT_LOOKS = 20_000  # the same for a fan-out, which has many runs itself

GRAPH_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_BY_API = "APICALL"
_BY_EVENT = ("TRIGGERCAL", "TRIGGERCALL")  # one L throughout the pages; the other spelling would be no surprise
_EXECUTIONS = "/v2/workflowexecutions"
_Query = list[tuple[str, str | None]]
DEFAULT_TIMES = Times()


@dataclass(frozen=True)
class WorkflowRequest:
    """`POST /v2/workflows/NAME`. `object` is sent as it is, with or without a slash; empty `inputs` are left out."""

    bucket: str
    object: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


class WorkflowClient(RunApi[WorkflowRequest], FanOutApi[WorkflowRequest]):
    """Executions of one workflow ("graph")."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        region: str,
        graph_name: str,
        endpoint: str | None = None,
        domain: str | None = None,
        times: Times = DEFAULT_TIMES,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`endpoint` changes where the bytes go, not the Host header. `domain` is that of the cloud; without it, that
        of the vendor's own cloud of the region. Raises InvalidConfiguration."""
        if not re.fullmatch(GRAPH_NAME, graph_name):
            raise InvalidConfiguration(f"graph_name {clean(graph_name, 100)!r} is not the name of a workflow")
        self._context = Context(credentials, graph_name, region)
        self._graph = graph_name
        host = f"obs.{region_name(region)}.{domain_name(domain or cloud_of(region))}"
        self._headers = {"Host": host, "Content-Type": "application/json"}  # the SDK sends the type on reads too
        auth = ObsAuth(credentials, clock)
        self._calls = Calls(
            "Huawei OBS",
            transport,
            signed(auth),
            endpoint or f"https://{host}",
            failure,
            self._context.mask,
            times=times,
            clock=clock,
            sleep=sleep,
        )
        self._compared: dict[str, Mapping[str, Any]] = {}  # a run's input stays what it was: no need to ask again

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
        kind = status.request.get("execution_type") or _BY_API
        try:
            marker: _Query = [("x-workflow-next-marker", _before(status.id, kind))]
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

    # -- parts

    def _execution(self, id: str, limit: Limit) -> tuple[Answer, Mapping[str, Any]]:
        path = f"{_EXECUTIONS}/{segment(id)}"
        answer, content = self._ask(path, [], "dwr:workflow:get*", limit, of_a_run=True)
        info = reading.mapping(content.get("execution_info"))
        if not info:
            raise Unavailable(f"Huawei OBS gave an answer to GET {path} without an execution_info")
        told = reading.text(info, "execution_name")
        if told != id.strip():
            of = f"of {clean(self._context.mask.text(told), 100)}" if told else "of none"
            raise Unavailable(
                f"Huawei OBS gave an answer to GET {path} that is not about run {clean(id, 100)} but {of}"
            )
        return answer, info

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
            marker: _Query = [("x-workflow-execution-type", _BY_API), ("x-workflow-next-marker", _before(left[0]))]
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

    def _id(self, row: Mapping[str, Any]) -> str:
        told = row.get("execution_name")
        if id := usable_id(told):
            return id
        if told:
            shown = clean(self._context.mask.text(str(told)), 100)
            raise Unavailable(
                f"Huawei OBS listed a run whose execution_name cannot be used: GET {_EXECUTIONS}: {shown!r}"
            )
        raise Unavailable(f"Huawei OBS listed a run without execution_name: GET {_EXECUTIONS}")

    def _pages(self, most: int, limit: Limit) -> Iterator[tuple[Answer, list[Mapping[str, Any]]]]:
        """All pages of the list, or an error."""

        def page(marker: str) -> tuple[tuple[Answer, list[Mapping[str, Any]]], str]:
            after: _Query = [("x-workflow-next-marker", marker)] if marker else []
            answer, rows, following = self._page([("x-workflow-execution-type", _BY_API), *after], PAGE_ROWS, limit)
            return (answer, rows), following

        return self._calls.pages(f"GET {_EXECUTIONS}", "next_marker", page, limit, most)

    def _page(self, params: _Query, size: str, limit: Limit) -> tuple[Answer, list[Mapping[str, Any]], str]:
        """One page, and the marker of the next one; empty after the last."""
        query: _Query = [*params, ("x-workflow-limit", size)]
        answer, content = self._ask(_EXECUTIONS, query, "dwr:workflow:list*", limit)
        rows, more, count = content.get("executions"), content.get("is_truncated"), content.get("count")
        marker = reading.text(content, "next_marker")
        if rows is None and count == 0:
            rows = []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Unavailable(f"Huawei OBS gave an answer to GET {_EXECUTIONS} that cannot be read")
        if not rows and count not in (0, None):
            raise Unavailable(f"Huawei OBS gave an answer to GET {_EXECUTIONS} that is not surely a list")
        if more is False or (more is None and not marker):
            return answer, rows, ""
        if more not in (True, None) or not marker:
            raise Unavailable(f"Huawei OBS cannot list them all: GET {_EXECUTIONS} tells no next_marker")
        return answer, rows, marker

    def _ask(
        self, path: str, params: _Query, action: str, limit: Limit, *, of_a_run: bool = False
    ) -> tuple[Answer, Mapping[str, Any]]:
        """A read. Raises Refused, NotFound, Unavailable (also if the answer is no JSON object) or Interrupted."""
        query: _Query = [("x-workflow-graph-name", self._graph), *params]
        explain = partial(self._context.refusal, action=action, of_a_run=of_a_run)
        answer = self._calls.ask("GET", path, explain, limit=limit, headers=self._headers, params=query)
        content = reading.parsed(answer.body)
        if not isinstance(content, dict):
            raise Unavailable(f"Huawei OBS gave an answer to GET {path} that cannot be read")
        return answer, content


def cloud_of(region: str) -> str:
    """The domain of the vendor's own cloud; a partner's cloud has another. By the rule of Terraform's provider
    (`huaweicloud/provider.go` of https://github.com/huaweicloud/terraform-provider-huaweicloud)."""
    return "myhuaweicloud.eu" if region.startswith("eu-west-1") else "myhuaweicloud.com"


def _before(id: str, kind: str = _BY_API) -> str:
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
