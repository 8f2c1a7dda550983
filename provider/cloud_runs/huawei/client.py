"""The calls to OBS workflows ("Data+") on `obs.<region>.myhuaweicloud.com`.

Sources: https://support.huaweicloud.com/en-us/api-obs/obs_04_0127.html (start), _0128 (list), _0129 (get).
The vendor's Python SDK is not used: it sends the start POST again after a lost answer, does not verify certificates by
default, loses the request id, and is one object for the whole process, whichever keys it was made with.

What does NOT happen: no query is ever sent with `POST /v2/workflows/NAME`. With `x-workflow-create` or
`x-workflow-template-name` the same request would create the workflow instead of starting it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from cloud_runs.errors import Interrupted, RunsError
from cloud_runs.huawei import answers as reading
from cloud_runs.huawei import checked
from cloud_runs.huawei.checked import Row
from cloud_runs.huawei.codes import RETRY, request_id
from cloud_runs.huawei.finding import Finding, Looked, WorkflowRequest, resumed, started
from cloud_runs.huawei.obs import BY_API, EXECUTIONS, PAGE_ROWS, ObsClient, Query
from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import FanOutApi, ResumeApi, RunApi, RunStatus, Started, Untold, Workflow
from cloud_runs.wire.calls import ASK_SECONDS, LOOK_SECONDS
from cloud_runs.wire.looks import listed, together
from cloud_runs.wire.payloads import moment, segment, time_text

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer


class WorkflowClient(ObsClient, Finding, RunApi[WorkflowRequest], FanOutApi[WorkflowRequest], ResumeApi):
    """Executions of one workflow ("graph")."""

    def start(self, request: WorkflowRequest, leave: Leave) -> Started:
        """Started.details: `execution_urn`, and the time in RFC 3339, as far as the answer tells them."""
        explain = partial(self._context.refusal, action="dwr:workflow:executeAsync")
        path, body = f"/v2/workflows/{self._graph}", request.body()
        begun = self._calls.start(path, reading.started_id, explain, leave=leave, headers=self._headers, body=body)
        return started(begun, self._context.mask)

    def resume(self, id: str, leave: Leave) -> Started:
        """`PUT /v2/workflowexecutions/NAME`, with no body
        (https://support.huaweicloud.com/en-us/api-obs/obs_04_0130.html)."""
        explain = partial(self._context.refusal, action=RETRY, of_a_run=True)
        path, named = f"{EXECUTIONS}/{segment(id)}", [self._named]
        begun = self._calls.start(
            path, reading.started_id, explain, leave=leave, headers=self._headers, params=named, method="PUT"
        )
        return resumed(self.api, begun, id, self._context.mask)

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

    def cancel(self, id: str, limit: Limit | None = None) -> None:
        """Always raises: the pages have sixteen calls, and none of them stops an execution (nor have the SDKs)."""
        raise RunsError("Huawei OBS has no API that cancels a workflow execution")

    def workflows(self, request: WorkflowRequest, limit: Limit | None = None) -> tuple[Workflow, ...]:
        """`GET /v2/workflows/NAME`: https://support.huaweicloud.com/en-us/api-obs/obs_04_0123.html."""
        limit = limit or Limit(ASK_SECONDS)
        return checked.workflow(
            self.api, self._graph, request.inputs, self._context.mask, lambda: self._definition(limit)
        )

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

    def _list(self, since: datetime, pages: int, limit: Limit) -> Iterator[tuple[Answer, list[Row]]]:
        return self._pages(pages, limit)

    def _looked(self, id: str, limit: Limit) -> Looked:
        info = self._execution(id, limit)[1]
        return Looked(reading.told_request(info), moment(reading.text(info, "started_at")))


def _before(id: str, kind: str = BY_API) -> str:
    """A marker just before a run's own, whether a run has that name or not."""
    return f"{kind}{id[:-1]}"
