"""What calls to OBS workflows share: signing, sending, the list of executions, and reading what went wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cloud_runs.errors import InvalidConfiguration, Unavailable, clean
from cloud_runs.huawei import answers as reading
from cloud_runs.huawei import checked
from cloud_runs.huawei.checked import Row
from cloud_runs.huawei.codes import Context, failure
from cloud_runs.huawei.signing import ObsAuth
from cloud_runs.limits import Limit, Times
from cloud_runs.wire.calls import Calls, signed
from cloud_runs.wire.payloads import domain_name, region_name, segment
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Transport

# The list has no time filter and goes by name, so all of it must be read.
PAGE_ROWS = "1000"  # the documented maximum; without it a page has 10
GRAPH_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
BY_API = "APICALL"
EXECUTIONS = "/v2/workflowexecutions"
DEFAULT_TIMES = Times()

Query = list[tuple[str, str | None]]


class ObsClient:
    """Calls for one workflow ("graph")."""

    api = "Huawei OBS"

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
        self._graph, self._named = graph_name, ("x-workflow-graph-name", graph_name)
        host = f"obs.{region_name(region)}.{domain_name(domain or cloud_of(region))}"
        self._headers = {"Host": host, "Content-Type": "application/json"}  # the SDK sends the type on reads too
        auth = ObsAuth(credentials, clock)
        self._calls = Calls(
            self.api,
            transport,
            signed(auth),
            endpoint or f"https://{host}",
            failure,
            self._context.mask,
            times=times,
            clock=clock,
            sleep=sleep,
        )

    def _execution(self, id: str, limit: Limit) -> tuple[Answer, Mapping[str, Any]]:
        path = f"{EXECUTIONS}/{segment(id)}"
        answer, content = self._ask(path, [self._named], "dwr:workflow:get*", limit, of_a_run=True)
        info = reading.mapping(content.get("execution_info"))
        if not info:
            raise Unavailable(f"Huawei OBS gave an answer to GET {path} without an execution_info")
        checked.about(self.api, path, id, reading.text(info, "execution_name"), self._context.mask)
        return answer, info

    def _definition(self, limit: Limit) -> Mapping[str, Any]:
        return self._ask(f"/v2/workflows/{self._graph}", [], "dwr:workflow:get*", limit, of_a_run=True)[1]

    def _id(self, row: Row) -> str:
        return checked.run_id(self.api, EXECUTIONS, row, self._context.mask)

    def _pages(self, most: int, limit: Limit) -> Iterator[tuple[Answer, list[Row]]]:
        """All pages of the list, or an error."""

        def page(marker: str) -> tuple[tuple[Answer, list[Row]], str]:
            after: Query = [("x-workflow-next-marker", marker)] if marker else []
            answer, rows, following = self._page([("x-workflow-execution-type", BY_API), *after], PAGE_ROWS, limit)
            return (answer, rows), following

        return self._calls.pages(f"GET {EXECUTIONS}", "next_marker", page, limit, most)

    def _page(self, params: Query, size: str, limit: Limit) -> tuple[Answer, list[Row], str]:
        """One page, and the marker of the next one; empty after the last."""
        query: Query = [self._named, *params, ("x-workflow-limit", size)]
        answer, content = self._ask(EXECUTIONS, query, "dwr:workflow:list*", limit)
        rows = checked.rows(self.api, EXECUTIONS, content)
        more, marker = content.get("is_truncated"), reading.text(content, "next_marker")
        if more is False or (more is None and not marker):
            return answer, rows, ""
        if more not in (True, None) or not marker:
            raise Unavailable(f"Huawei OBS cannot list them all: GET {EXECUTIONS} tells no next_marker")
        return answer, rows, marker

    def _ask(
        self, path: str, params: Query, action: str, limit: Limit, *, of_a_run: bool = False
    ) -> tuple[Answer, Mapping[str, Any]]:
        """A read. Raises Refused, NotFound, Unavailable (also if the answer is no JSON object) or Interrupted."""
        explain = partial(self._context.refusal, action=action, of_a_run=of_a_run)
        answer = self._calls.ask("GET", path, explain, limit=limit, headers=self._headers, params=params)
        content = reading.parsed(answer.body)
        if not isinstance(content, dict):
            raise Unavailable(f"Huawei OBS gave an answer to GET {path} that cannot be read")
        return answer, content


def cloud_of(region: str) -> str:
    """The domain of the vendor's own cloud; a partner's cloud has another. By the rule of Terraform's provider
    (`huaweicloud/provider.go` of https://github.com/huaweicloud/terraform-provider-huaweicloud)."""
    return "myhuaweicloud.eu" if region.startswith("eu-west-1") else "myhuaweicloud.com"
