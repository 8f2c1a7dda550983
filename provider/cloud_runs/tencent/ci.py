"""What both clients of Tencent CI share: signing, sending, lists, and reading what went wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from cloud_runs.errors import InvalidConfiguration, Unavailable, clean
from cloud_runs.runs import Candidate, Found, Started
from cloud_runs.tencent import answers as reading
from cloud_runs.tencent.codes import Context, failure
from cloud_runs.tencent.signing import QSignAuth
from cloud_runs.wire.calls import PAGES, Calls
from cloud_runs.wire.payloads import moment, region_name
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Params, Transport

PAGE_ROWS = "100"  # the documented maximum
MOST_ROWS = 1000  # of a page that has more than was asked for
EXECUTIONS = "/workflowexecution"
LIST_EXECUTIONS = "ci:DescribeMediaWorkflowExecutions"  # the right to look at them

Query = list[tuple[str, str | None]]

_BUCKET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?-[0-9]+")


@dataclass(frozen=True)
class Row:
    """What a list calls its rows, and their id and time."""

    element: str
    id: str
    time: str


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
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`endpoint` changes where the bytes go, not the Host that is signed. Raises InvalidConfiguration."""
        if not _BUCKET.fullmatch(bucket):
            raise InvalidConfiguration(f"bucket {clean(bucket, 100)!r} is not a bucket with its account number")
        host = f"{bucket}.ci.{region_name(region)}.myqcloud.com"
        self._headers = {"Host": host}
        self._context = Context(credentials, bucket, region)
        auth = QSignAuth(credentials, clock)
        self._calls = Calls("Tencent CI", transport, auth, endpoint or f"https://{host}", failure, clock, sleep)

    def _start(
        self, path: str, params: Params, body: bytes, element: str, action: str
    ) -> tuple[Started, Mapping[str, Any]]:
        """Sends a start and reads the id out of `element`; also returns what the answer holds, as far as it is read."""
        # The seeds send the type on both calls. It is not signed.
        headers = {**self._headers, "Content-Type": "application/xml"}
        begun = self._calls.start(
            path,
            lambda answer: reading.started_id(answer, element),
            partial(self._context.refusal, action=action),
            headers=headers,
            params=params,
            body=body,
        )
        content = reading.mapping(begun.content)
        request_id = clean(self._request_id(begun.answer, content), 100)
        return Started(begun.id, begun.at, request_id=request_id), content

    def _ask(self, method: str, path: str, params: Params, action: str) -> Answer:
        """A read. Raises Refused, NotFound or Unavailable."""
        explain = partial(self._context.refusal, action=action)
        return self._calls.ask(method, path, explain, headers=self._headers, params=params)

    def _content(self, answer: Answer, what: str) -> Mapping[str, Any]:
        root, content = reading.document(answer.body)
        if root != "Response":
            raise Unavailable(f"Tencent CI gave an answer to {what} that cannot be read")
        return reading.mapping(content)

    def _request_id(self, answer: Answer, content: Mapping[str, Any]) -> str:
        return reading.text(content, "RequestId") or answer.headers.get("x-ci-request-id") or ""

    def _pages(
        self, path: str, params: Query, element: str, action: str, limit: int = PAGES
    ) -> Iterator[tuple[Answer, list[Mapping[str, Any]]]]:
        """All pages of a list, or an error. Raises TooManyPages for more than `limit`."""
        what = f"GET {path}"

        def page(token: str) -> tuple[tuple[Answer, list[Mapping[str, Any]]], str]:
            after = [("nextToken", token)] if token else []
            answer = self._ask("GET", path, [*params, ("size", PAGE_ROWS), *after], action)
            content = self._content(answer, what)
            listed = reading.rows(content.get(element))
            if len(listed) > MOST_ROWS or not all(isinstance(row, dict) for row in listed):
                raise Unavailable(f"Tencent CI gave an answer to {what} that cannot be read")
            return (answer, listed), reading.text(content, "NextToken")

        return self._calls.pages(what, "nextToken", page, limit)

    def _candidates(
        self, path: str, params: Query, names: Row, since: datetime,
        key: Callable[[Mapping[str, Any]], str | None], proof: bool, action: str, limit: int = PAGES,
    ) -> Found:  # fmt: skip
        """`key`: of which request a row may be; None for none."""
        # In UTC, so that a server that overlooks the offset and reads Beijing's time lists more, never fewer.
        start = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")
        found: dict[str, Candidate] = {}
        server_time = None
        for answer, listed in self._pages(path, [*params, ("startCreationTime", start)], names.element, action, limit):
            server_time = answer.date or server_time
            for row in listed:
                id = reading.usable_id(reading.text(row, names.id))
                if not id:
                    raise Unavailable(f"Tencent CI listed a run without {names.id} in its answer to GET {path}")
                began = moment(reading.text(row, names.time))
                # The service tells whole seconds, rounded down. A time that cannot be read must not hide a run.
                if began is None or began >= since.replace(microsecond=0):
                    of = key(row)
                    if of is not None:
                        found[id] = Candidate(id, began, proof, key=of)
        return Found(tuple(found.values()), server_time)


def needed(row: Mapping[str, Any], name: str) -> str:
    found = reading.text(row, name)
    if not found:  # neither a match nor none: to guess could hide a run
        raise Unavailable(f"Tencent CI listed a run without {name}")
    return found
