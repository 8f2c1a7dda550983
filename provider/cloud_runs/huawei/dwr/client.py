"""The calls to DWR workflows on `dwr.<region>.myhuaweicloud.com`.

Sources: https://support.huaweicloud.com/api-dwr/dwr_04_0127.html (start), _0128 (list), _0129 (get), whose address is
that of version 3 and whose samples are those of OBS workflows; and the vendor's SDK
(https://github.com/huaweicloud/huaweicloud-sdk-python-v3, `huaweicloud-sdk-dwr`), which knows version 3 alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING

from cloud_runs.errors import Interrupted, NotReached, RunsError, Unavailable
from cloud_runs.huawei import answers as obs
from cloud_runs.huawei import checked
from cloud_runs.huawei.checked import Row
from cloud_runs.huawei.codes import RETRY, request_id
from cloud_runs.huawei.dwr import answers as reading
from cloud_runs.huawei.dwr.service import DAYS, DwrClient
from cloud_runs.huawei.finding import Finding, Looked, WorkflowRequest, resumed, started
from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import FanOutApi, ResumeApi, RunApi, RunStatus, Started, Untold, Workflow
from cloud_runs.wire.calls import ASK_SECONDS, LOOK_SECONDS, PAGES
from cloud_runs.wire.looks import listed, together
from cloud_runs.wire.payloads import moment

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer

BEFORE = timedelta(minutes=10)  # the list may go by another time than the one that it tells


class WorkflowClient(DwrClient, Finding, RunApi[WorkflowRequest], FanOutApi[WorkflowRequest], ResumeApi):
    """Executions of one workflow ("graph")."""

    def start(self, request: WorkflowRequest, leave: Leave) -> Started:
        """Started.details: `execution_urn`, and the time in RFC 3339, as far as the answer tells them."""
        explain = partial(self._context.refusal, action="dwr:workflow:executeAsync")
        body, project = request.body(), self._project_first(leave)
        path = f"/v3/{project}/workflows/{self._graph}/execute"
        headers = self._headers(project)
        begun = self._calls.start(path, obs.started_id, explain, leave=leave, headers=headers, body=body)
        return started(begun, self._context.mask)

    def resume(self, id: str, leave: Leave) -> Started:
        """`POST .../workflowexecution/NAME/retry`, with no body
        (https://support.huaweicloud.com/api-dwr/dwr_04_0130.html)."""
        explain = partial(self._context.refusal, action=RETRY, of_a_run=True)
        project = self._project_first(leave)
        path, headers = f"/v3/{project}{self._path(id)}/retry", self._headers(project)
        begun = self._calls.start(path, obs.started_id, explain, leave=leave, headers=headers)
        return resumed(self.api, begun, id, self._context.mask)

    def get(self, id: str, limit: Limit | None = None) -> RunStatus:
        answer, content = self._execution(id, limit or Limit(ASK_SECONDS))
        return self._context.mask.status(reading.execution_status(id, content, request_id(answer)))

    def get_many(self, ids: Collection[str], limit: Limit | None = None) -> Mapping[str, RunStatus | Untold]:
        limit = limit or Limit(LOOK_SECONDS)
        told: dict[str, RunStatus | Untold] = {}
        if len(ids) > 1:
            listed({self._graph: ids}, lambda _: self._going(limit), told, limit)
        return told | together(lambda id: self.get(id, limit), [id for id in ids if id not in told], limit)

    def cancel(self, id: str, limit: Limit | None = None) -> None:
        """Always raises: neither the pages nor the SDK have a call that stops an execution."""
        raise RunsError("Huawei DWR has no API that cancels a workflow execution")

    def workflows(self, request: WorkflowRequest, limit: Limit | None = None) -> tuple[Workflow, ...]:
        """`GET /v3/PROJECT/workflows/NAME`: the answer is that of OBS workflows."""
        limit = limit or Limit(ASK_SECONDS)
        return checked.workflow(
            self.api, self._graph, request.inputs, self._context.mask, lambda: self._definition(limit)
        )

    # -- parts

    def _project_first(self, leave: Leave) -> str:
        """Asked for before anything is sent. Raises NotReached if it cannot be."""
        try:
            return self.project(leave.limit(ASK_SECONDS))
        except (Unavailable, Interrupted) as error:
            raise NotReached(f"nothing was fired: {error}") from None

    def _going(self, limit: Limit) -> Iterator[Mapping[str, RunStatus]]:
        """Pages of the list of those that go on; of what began earlier than a list tells of, nothing is told."""
        since = datetime.fromtimestamp(self._clock(), timezone.utc) - DAYS + timedelta(hours=1)
        for _, rows in self._pages(since, PAGES, limit, "running"):
            shown = self._context.mask.status
            yield {id: shown(obs.execution_status(id, row)) for row in rows for id in [self._id(row)]}

    def _list(self, since: datetime, pages: int, limit: Limit) -> Iterator[tuple[Answer, list[Row]]]:
        return self._pages(since - BEFORE, pages, limit)

    def _looked(self, id: str, limit: Limit) -> Looked:
        content = self._execution(id, limit)[1]
        return Looked(reading.told_request(content), moment(reading.began(content)))
