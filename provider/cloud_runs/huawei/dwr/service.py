"""What calls to DWR workflows share: signing, sending, the project, the list of executions, and reading what went
wrong."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from cloud_runs.errors import InvalidConfiguration, Unavailable, clean
from cloud_runs.huawei import answers as obs
from cloud_runs.huawei import checked
from cloud_runs.huawei.checked import Row
from cloud_runs.huawei.dwr import answers as reading
from cloud_runs.huawei.dwr.codes import Context, failure
from cloud_runs.huawei.dwr.projects import project_of
from cloud_runs.huawei.dwr.settings import PROJECT_ID
from cloud_runs.huawei.dwr.signing import SdkAuth
from cloud_runs.huawei.obs import GRAPH_NAME, cloud_of
from cloud_runs.limits import Limit, Times
from cloud_runs.wire.calls import Calls, signed
from cloud_runs.wire.payloads import domain_name, region_name, segment
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Transport

DEFAULT_TIMES = Times()
PAGE_ROWS = 200  # more are not given
LAST_OFFSET = 1000
EXECUTIONS = "/workflowexecutions"  # after the project
DAYS = timedelta(days=3)  # a list without times has so much; none with more of it is asked for
SECOND = timedelta(seconds=1)
SMALLEST = 2 * SECOND  # a window that is not split


@dataclass(frozen=True)
class Window:
    """A part of the time, in whole seconds, and where in its list a page begins."""

    begin: datetime
    end: datetime
    offset: int = 1

    def halves(self) -> list[Window]:
        """Each a second over the other: no page says whether the ends belong to it."""
        middle = self.begin + (self.end - self.begin) // (2 * SECOND) * SECOND
        return [Window(self.begin, middle + SECOND), Window(middle, self.end)]

    def __str__(self) -> str:
        return f"{utc(self.begin)} {utc(self.end)} {self.offset}"


class DwrClient:
    """Calls for one workflow ("graph")."""

    api = "Huawei DWR"

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        region: str,
        graph_name: str,
        project_id: str | None = None,
        endpoint: str | None = None,
        domain: str | None = None,
        times: Times = DEFAULT_TIMES,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`endpoint` changes where the bytes go, not the Host header; those to IAM go there too. `domain` is that of
        the cloud; without it, that of the vendor's own cloud of the region. Without `project_id` IAM is asked when it
        is needed. Raises InvalidConfiguration."""
        if not re.fullmatch(GRAPH_NAME, graph_name):
            raise InvalidConfiguration(f"graph_name {clean(graph_name, 100)!r} is not the name of a workflow")
        if project_id and not re.fullmatch(PROJECT_ID, project_id):
            raise InvalidConfiguration(f"project_id {clean(project_id, 100)!r} is not the id of a project")
        self._context = Context(credentials, graph_name, region)
        self._graph, self._region, self._given, self._clock = graph_name, region, project_id or "", clock
        cloud = f"{region_name(region)}.{domain_name(domain or cloud_of(region))}"
        self._host, self._iam_host = f"dwr.{cloud}", f"iam.{cloud}"
        self._asking = threading.Lock()
        calls = partial(Calls, transport=transport, signing=signed(SdkAuth(credentials, clock)), failure=failure)
        calls = partial(calls, mask=self._context.mask, times=times, clock=clock, sleep=sleep)
        self._calls = calls(self.api, base=endpoint or f"https://{self._host}")
        self._iam = calls("Huawei IAM", base=endpoint or f"https://{self._iam_host}")

    def project(self, limit: Limit) -> str:
        """The id of the project, asked of IAM the first time. Raises InvalidConfiguration for none or several."""
        with self._asking:
            if not self._given:
                self._given = project_of(self._region, self._iam_host, self._iam, self._context, limit)
        return self._given

    def _headers(self, project: str) -> dict[str, str]:
        return {"Host": self._host, "Content-Type": "application/json", "X-Project-Id": project}

    def _path(self, id: str) -> str:
        """Of one execution, after the project."""
        return f"/workflows/{self._graph}/workflowexecution/{segment(id)}"  # of one, in the singular

    def _execution(self, id: str, limit: Limit) -> tuple[Answer, Mapping[str, Any]]:
        path = self._path(id)
        answer, content = self._ask(path, [], "dwr:workflow:get*", limit, of_a_run=True)
        checked.about(self.api, path, id, reading.told_id(content), self._context.mask)
        return answer, content

    def _definition(self, limit: Limit) -> Mapping[str, Any]:
        return self._ask(f"/workflows/{self._graph}", [], "dwr:workflow:get*", limit, of_a_run=True)[1]

    def _id(self, row: Row) -> str:
        return checked.run_id(self.api, EXECUTIONS, row, self._context.mask)

    def _pages(self, since: datetime, most: int, limit: Limit, status: str = "") -> Iterator[tuple[Answer, list[Row]]]:
        """All pages of the list of what began since then, or an error; a row may be in more than one of them.

        A list tells of 3 days at most, where no time is given, and shows no more than LAST_OFFSET and a page of them:
        so a time is asked for in windows, and one that does not show all of its own is split.
        """
        # The signature does not hold if our clock is more than 15 minutes off, so nothing has begun after this.
        until = datetime.fromtimestamp(self._clock(), timezone.utc).replace(microsecond=0) + timedelta(hours=1)
        left = list(_windows(since.replace(microsecond=0), until))

        def page(_: str) -> tuple[tuple[Answer, list[Row]], str]:
            window = left.pop()
            answer, rows, following = self._page(window, status, limit)
            left.extend(following)
            return (answer, rows), str(left[-1]) if left else ""

        return self._calls.pages(f"GET {EXECUTIONS}", "next_offset", page, limit, most)

    def _page(self, window: Window, status: str, limit: Limit) -> tuple[Answer, list[Row], list[Window]]:
        """One page, and the windows by which the list goes on."""
        filters = [("graph_name", self._graph), *([("status", status)] if status else [])]
        times = [("start_time", utc(window.begin)), ("end_time", utc(window.end))]
        place = [("limit", str(PAGE_ROWS)), ("offset", str(window.offset))]
        answer, content = self._ask(EXECUTIONS, [*filters, *times, *place], "dwr:workflow:list*", limit)
        rows = checked.rows(self.api, EXECUTIONS, content)
        if not self._goes_on(content, len(rows)):
            return answer, rows, []
        following = content.get("next_offset")
        if type(following) is int and window.offset < following <= LAST_OFFSET:
            return answer, rows, [Window(window.begin, window.end, following)]
        if window.end - window.begin <= SMALLEST:
            raise Unavailable(
                f"Huawei DWR cannot list them all: too many runs of {self._graph} began within {SMALLEST.seconds} s"
            )
        return answer, rows, window.halves()

    def _goes_on(self, content: Mapping[str, Any], rows: int) -> bool:
        """The SDK knows `next_offset`, the page's sample `next_marker`, which no request takes."""
        more = content.get("is_truncated")
        if more is None:
            return bool(content.get("next_offset") or content.get("next_marker")) or rows >= PAGE_ROWS
        if isinstance(more, bool):
            return more
        raise Unavailable(f"{self.api} cannot list them all: GET {EXECUTIONS} tells no is_truncated")

    def _ask(
        self, path: str, params: list[tuple[str, str]], action: str, limit: Limit, *, of_a_run: bool = False
    ) -> tuple[Answer, Mapping[str, Any]]:
        """A read; `path` is what comes after the project. Raises Refused, NotFound, Unavailable (also if the answer is
        no JSON object), InvalidConfiguration (of the project) or Interrupted."""
        project = self.project(limit)
        explain = partial(self._context.refusal, action=action, of_a_run=of_a_run)
        answer = self._calls.ask(
            "GET", f"/v3/{project}{path}", explain, limit=limit, headers=self._headers(project), params=params
        )
        content = obs.parsed(answer.body)
        if not isinstance(content, dict):
            raise Unavailable(f"Huawei DWR gave an answer to GET {path} that cannot be read")
        return answer, content


def utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _windows(begin: datetime, end: datetime) -> Iterator[Window]:
    """The oldest first, so that the newest is asked for first. Each a second over the next."""
    while end - begin > DAYS:
        yield Window(begin, begin + DAYS)
        begin += DAYS - SECOND
    yield Window(begin, end)
