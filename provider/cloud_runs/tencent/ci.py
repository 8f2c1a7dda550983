"""What both clients of Tencent CI share: signing, sending, lists, and reading what went wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from cloud_runs.errors import InvalidConfiguration, Unavailable, clean
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.runs import Candidate, Found, RunStatus, Started, Workflow
from cloud_runs.tencent import answers as reading
from cloud_runs.tencent.codes import Context, failure
from cloud_runs.tencent.signing import QSignAuth
from cloud_runs.wire.calls import PAGES, Calls, of_another, signed
from cloud_runs.wire.payloads import domain_name, moment, region_name, usable_id
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Params, Transport

DOMAIN = "myqcloud.com"
PAGE_ROWS = "100"  # the documented maximum
MOST_ROWS = 1000  # of a page that has more than was asked for
EXECUTIONS = "/workflowexecution"
LIST_EXECUTIONS = "ci:DescribeMediaWorkflowExecutions"  # the right to look at them

DEFAULT_TIMES = Times()

Query = list[tuple[str, str | None]]

_BESIDE_ROWS = re.compile(r"@.*|RequestId|NextToken|\w*(?:count|size|total|number|token)", re.IGNORECASE)
_BUCKET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?-[0-9]+")


@dataclass(frozen=True)
class Row:
    """What a list calls its rows, and their id."""

    element: str
    id: str


class CiClient:
    """What both clients share: signing, sending, and reading what went wrong."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        region: str,
        bucket: str,
        endpoint: str | None = None,
        domain: str | None = None,
        times: Times = DEFAULT_TIMES,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`endpoint` changes where the bytes go, not the Host that is signed, which ends with `domain`
        (`myqcloud.com`). Raises InvalidConfiguration."""
        if not _BUCKET.fullmatch(bucket):
            raise InvalidConfiguration(f"bucket {clean(bucket, 100)!r} is not a bucket with its account number")
        host = f"{bucket}.ci.{region_name(region)}.{domain_name(domain or DOMAIN)}"
        self._headers = {"Host": host}
        self._context = Context(credentials, bucket, region)
        auth = QSignAuth(credentials, clock)
        self._times, self._sleep, self._monotonic = times, sleep, monotonic
        self._calls = Calls(
            "Tencent CI",
            transport,
            signed(auth),
            endpoint or f"https://{host}",
            failure,
            self._context.mask,
            times=times,
            clock=clock,
            sleep=sleep,
        )

    def _start(
        self, path: str, params: Params, body: bytes, element: str, action: str, leave: Leave
    ) -> tuple[Started, Mapping[str, Any]]:
        """Sends a start and reads the id out of `element`; also returns what the answer holds, as far as it is read."""
        # The pages send the type on both calls. It is not signed.
        headers = {**self._headers, "Content-Type": "application/xml"}
        begun = self._calls.start(
            path,
            lambda answer: reading.started_id(answer, element),
            partial(self._context.refusal, action=action),
            leave=leave,
            headers=headers,
            params=params,
            body=body,
        )
        content = reading.mapping(begun.content)
        request_id = clean(self._context.mask.text(self._request_id(begun.answer, content)), 100)
        return Started(begun.id, begun.at, request_id=request_id), content

    def _ask(self, method: str, path: str, params: Params, action: str, limit: Limit) -> Answer:
        """A read. Raises Refused, NotFound, Unavailable or Interrupted."""
        explain = partial(self._context.refusal, action=action)
        return self._calls.ask(method, path, explain, limit=limit, headers=self._headers, params=params)

    def _content(self, answer: Answer, what: str) -> Mapping[str, Any]:
        root, content = reading.document(answer.body)
        if root != "Response":
            raise Unavailable(f"Tencent CI gave an answer to {what} that cannot be read")
        return reading.mapping(content)

    def _request_id(self, answer: Answer, content: Mapping[str, Any]) -> str:
        return reading.text(content, "RequestId") or answer.headers.get("x-ci-request-id") or ""

    def _told(self, content: Mapping[str, Any], path: str, element: str, names: str, id: str) -> Mapping[str, Any]:
        """What an answer to `GET path` tells of run `id` in `element`; `names` is what the run's id is called there."""
        told = reading.mapping(content.get(element))
        if not told:
            raise Unavailable(f"Tencent CI gave an answer to GET {path} without a {element}")
        if reading.text(told, names) != id.strip():
            raise of_another("Tencent CI", path, id, reading.text(told, names), self._context.mask)
        return told

    def _definitions(self, ids: Sequence[str], limit: Limit) -> tuple[Workflow, ...]:
        """`GET /workflow`, as the vendor's Python SDK asks for definitions (`ci_get_workflow`)."""
        path = "/workflow"
        query: Query = [("ids", ",".join(ids)), ("pageNumber", "1"), ("pageSize", PAGE_ROWS)]
        content = self._content(self._ask("GET", path, query, "ci:DescribeMediaWorkflows", limit), f"GET {path}")
        found = [reading.workflow(id, content) for id in ids]
        if missing := next((id for id, one in zip(ids, found, strict=True) if one is None), None):
            raise Unavailable(f"Tencent CI gave an answer to GET {path} that tells nothing of {clean(missing, 100)}")
        return tuple(self._context.mask.workflow(one) for one in found if one)

    def _shown(self, status: RunStatus) -> RunStatus:
        return self._context.mask.status(status)

    def _pages(
        self, path: str, params: Query, element: str, action: str, limit: Limit, most: int = PAGES
    ) -> Iterator[tuple[Answer, list[Mapping[str, Any]]]]:
        """All pages of a list, or an error. Raises TooManyPages for more than `most`."""
        what = f"GET {path}"

        def page(token: str) -> tuple[tuple[Answer, list[Mapping[str, Any]]], str]:
            after = [("nextToken", token)] if token else []
            answer = self._ask("GET", path, [*params, ("size", PAGE_ROWS), *after], action, limit)
            content = self._content(answer, what)
            listed = reading.rows(content.get(element))
            if len(listed) > MOST_ROWS or not all(isinstance(row, dict) for row in listed):
                raise Unavailable(f"Tencent CI gave an answer to {what} that cannot be read")
            if not listed and not _an_empty_list(content, element):
                raise Unavailable(f"Tencent CI gave an answer to {what} that is not surely a list")
            return (answer, listed), reading.text(content, "NextToken")

        return self._calls.pages(what, "nextToken", page, limit, most)

    def _candidates(
        self, path: str, params: Query, names: Row, since: datetime,
        key: Callable[[Mapping[str, Any]], str | None], proof: bool, action: str, limit: Limit, most: int = PAGES,
    ) -> Found:  # fmt: skip
        """`key`: of which request a row may be; None for none."""
        # In UTC, so that a server that overlooks the offset and reads Beijing's time lists more, never fewer.
        start = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")
        query: Query = [*params, ("startCreationTime", start)]
        found: dict[str, Candidate] = {}
        server_time = None
        for answer, listed in self._pages(path, query, names.element, action, limit, most):
            server_time = answer.date or server_time
            for row in listed:
                id = self._id(row, names.id, path)
                began = moment(reading.told_time(row))
                # The service tells whole seconds, rounded down. A time that cannot be read must not hide a run.
                if began is None or began >= since.replace(microsecond=0):
                    of = key(row)
                    if of is not None:
                        phase = reading.phase(reading.text(row, "State"))
                        found[id] = Candidate(id, began, proof, key=of, phase=phase)
        return Found(tuple(found.values()), server_time)

    def _id(self, row: Mapping[str, Any], name: str, path: str) -> str:
        told = reading.text(row, name)
        if id := usable_id(told):
            return id
        if told:
            raise Unavailable(
                f"Tencent CI listed a run whose {name} cannot be used, in its answer to GET {path}: "
                f"{clean(self._context.mask.text(told), 100)!r}"
            )
        raise Unavailable(f"Tencent CI listed a run without {name} in its answer to GET {path}")


def _an_empty_list(content: Mapping[str, Any], element: str) -> bool:
    """Whether an answer without rows is a list that has none, and not something else that lacks them.

    The pages show `RequestId` and `NextToken` beside the rows; a count would be no surprise, anything else would.
    """
    others = [name for name in content if name != element and not _BESIDE_ROWS.fullmatch(name)]
    return not others and any(name in content for name in (element, "RequestId", "NextToken"))


def needed(row: Mapping[str, Any], name: str) -> str:
    found = reading.text(row, name)
    if not found:  # neither a match nor none: to guess could hide a run
        raise Unavailable(f"Tencent CI listed a run without {name}")
    return found
