"""What a batch job has started, counted by listing it: the executions of its workflows or, where it is of type Job, the
media or picture jobs.

No answer has counters. Sources: https://cloud.tencent.com/document/api/436/113269 (executions, `jobId`);
https://cloud.tencent.com/document/product/460/48235 and the vendor's Go SDK (`DescribeMediaJobsOptions`) for `/jobs`,
and the vendor's JavaScript demo for `/pic_jobs`, both with `inventoryTriggerJobId`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from cloud_runs.errors import Refused, Unavailable, clean
from cloud_runs.limits import Limit
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.tencent import answers as reading
from cloud_runs.tencent import summing
from cloud_runs.tencent.ci import EXECUTIONS, LIST_EXECUTIONS, CiClient, Query
from cloud_runs.wire.calls import LOOK_SECONDS, PAGES, TooManyPages
from cloud_runs.wire.pauses import nap
from cloud_runs.wire.payloads import moment

WORKFLOWS = 100  # of one job whose executions are asked for
ACTIVE = "Submitted,Running,Pause"
_ACTIVE_EXECUTIONS = "Running,Pause"
_EXECUTION_PAGES = 2000  # of one job's executions, when its end is told
_PICTURES = frozenset({"PicProcess", "ImageInspect"})  # kinds of jobs that the picture queues do
_NO_JOB = "b" + "0" * 32  # the id of no batch job

Row = Mapping[str, Any]


class NotCounted(Unavailable):
    """The service does not tell which jobs a batch job has started: it is no use to ask again."""


@dataclass(frozen=True)
class Listing:
    """One list that has what a job started; `jobs`: it has jobs, not executions. `of`: the query's name of the batch
    job's id."""

    path: str
    query: tuple[tuple[str, str | None], ...]
    of: str
    element: str
    id: str
    action: str
    jobs: bool = False

    @property
    def active(self) -> str:
        return ACTIVE if self.jobs else _ACTIVE_EXECUTIONS


def listings(job: RunStatus) -> list[Listing]:
    """By what the service says of the job: each takes requests, so there is an end to them. None for a job of type Job
    whose kind is not told."""
    if tag := summing.job_tag(job):
        queue = summing.queue_of(job)
        path = "/pic_jobs" if tag in _PICTURES else "/jobs"
        query = (("tag", tag), *((("queueId", queue),) if queue else ()))
        return [Listing(path, query, "inventoryTriggerJobId", "JobsDetail", "JobId", "ci:DescribeMediaJobs", jobs=True)]
    ids = summing.workflow_ids(job)
    if len(ids) > WORKFLOWS:
        raise Unavailable(f"Tencent CI tells of a job with {len(ids)} workflows; at most {WORKFLOWS} are asked for")
    return [
        Listing(EXECUTIONS, (("workflowId", id),), "jobId", "WorkflowExecutionList", "RunId", LIST_EXECUTIONS)
        for id in ids
    ]


class Counting(CiClient):
    """Looks at what jobs have started."""

    def summed(self, job: RunStatus, pages: int = PAGES, limit: Limit | None = None, *, wait: bool = True) -> RunStatus:
        """A job of `job` together with what it started, whether it has ended or not; as it is if nothing tells that.

        All of it is listed; if that takes more than `pages`, or most of the time, the first page of what is active, has
        failed and was cancelled decides, and there are no counts. `wait`: where the service tells no time of the end, a
        second look is made after a while. Raises Unavailable or Refused.
        """
        if job.phase is Phase.SUCCEEDED and summing.untold(job):
            raise Unavailable(f"Tencent CI's answer leaves out what job {clean(job.id, 100)} has started")
        if not summing.starts(job):
            return job
        limit = limit or Limit(LOOK_SECONDS)
        status = self._counted(job, pages, limit)
        if job.phase is not Phase.SUCCEEDED or not status.phase.terminal:
            return status
        end = self._ends.setdefault(job.id, _End(self._monotonic()))
        if end.age is None and wait and limit.left() > self._times.lag:
            nap(self._times.lag - self._monotonic() + end.seen_at, limit, self._sleep)
            status = self._counted(job, pages, limit)
        if not status.phase.terminal or self._sure(end):
            return status
        said = f"the job has ended; its {summing.children(job)} may not all be listed yet"
        return replace(status, phase=Phase.RUNNING, finished_at="", message=said)

    def ended(self, job: RunStatus, limit: Limit) -> RunStatus:
        """As `summed`, for a job that has ended and those who wait. First what tells with one request that the end has
        not come; all of it may take a thousand."""
        going = {state: n for state, n in self._first(job, "", limit).items() if not reading.phase(state).terminal}
        if going:
            return summing.summed(job, going, whole=False)
        return self.summed(job, _EXECUTION_PAGES, limit, wait=False)

    def seen(self, job: RunStatus, now: datetime | None) -> None:
        """A look at a job told this, at `now` by the service's clock: its lists may lag behind its end."""
        if job.phase.terminal:
            self._ends.setdefault(job.id, _End(self._monotonic())).note(now, moment(job.finished_at))

    def executions(self, job: RunStatus, pages: int = PAGES, limit: Limit | None = None) -> Mapping[str, int]:
        """How much a job has started, by state word.

        Raises Unavailable, Refused or NotCounted; TooManyPages if a list has more than `pages` of 100.
        """
        limit = limit or Limit(LOOK_SECONDS)
        counts: Counter[str] = Counter()
        for listing in listings(job):
            states: dict[str, str] = {}  # by id: rows move to a later page when others begin in between
            for rows in self._listed(listing, job, limit, pages):
                states |= {self._id(row, listing.id, listing.path): _state(row) for row in rows}
            counts.update(states.values())
        return dict(counts)

    def _counted(self, job: RunStatus, pages: int, limit: Limit) -> RunStatus:
        try:
            return self._shown(summing.summed(job, self.executions(job, pages, limit.part(0.8))))
        except TooManyPages:
            some = sum((self._first(job, states, limit) for states in ("", "Failed", "Cancel")), Counter[str]())
            return self._shown(summing.summed(job, some, whole=False))

    def _first(self, job: RunStatus, states: str, limit: Limit) -> Counter[str]:
        """What is in these states (in those that go on, if empty), by state: on the first page of each list."""
        found: Counter[str] = Counter()
        for listing in listings(job):
            rows = next(self._listed(listing, job, limit, states=states or listing.active))
            found.update({self._id(row, listing.id, listing.path): _state(row) for row in rows}.values())
        return found

    def _listed(
        self, listing: Listing, job: RunStatus, limit: Limit, pages: int = PAGES, states: str = ""
    ) -> Iterator[list[Row]]:
        params: Query = [*listing.query, (listing.of, job.id), *([("states", states)] if states else [])]
        for _, rows in self._pages(listing.path, params, listing.element, listing.action, limit, pages):
            if listing.jobs and rows:
                self._of_it_alone(listing, job, rows, limit)
            yield rows

    def _of_it_alone(self, listing: Listing, job: RunStatus, rows: list[Row], limit: Limit) -> None:
        """Raises NotCounted if a list has jobs that this one cannot have started: a service that overlooks the filter
        would give the jobs of the whole queue. One request more tells it: the list for a job that does not exist."""
        where = f"GET {listing.path}"
        ids = [reading.text(row, listing.id) for row in rows]
        began, times = moment(job.created_at), [moment(reading.told_time(row)) for row in rows]
        if len(set(ids)) < len(ids):
            raise NotCounted(f"Tencent CI listed a job twice in its answer to {where}")
        if began and any(at < began for at in times if at):
            raise NotCounted(f"Tencent CI listed jobs that are older than the batch job in its answer to {where}")
        if listing.query not in self._honoured:
            params: Query = [*listing.query, (listing.of, _NO_JOB)]
            try:
                _, others = next(self._pages(listing.path, params, listing.element, listing.action, limit))
            except Refused as refused:
                if refused.status in (401, 403):
                    raise
                others = []  # it has read the id
            if others:
                raise NotCounted(f"Tencent CI overlooks {listing.of} in {where}")
            self._honoured.add(listing.query)

    @cached_property
    def _honoured(self) -> set[tuple[tuple[str, str | None], ...]]:
        """Queries whose lists are known to heed the filter."""
        return set()

    def _sure(self, end: _End) -> bool:
        """Whether the lists had the time to show all that a job has started, before they were asked for."""
        age = self._monotonic() - end.seen_at if end.age is None else end.age
        return age >= self._times.lag

    @cached_property
    def _ends(self) -> dict[str, _End]:
        """What looks have told of the end of each job."""
        return {}


@dataclass
class _End:
    """The end of a job: when this process saw it first, by its own clock, and how old it was in the last look, in
    seconds of the service's clock; None if that cannot be told."""

    seen_at: float
    age: float | None = None

    def note(self, now: datetime | None, ended: datetime | None) -> None:
        age = (now - ended).total_seconds() if now and ended else -1.0
        self.age = age if age >= 0 else None


def _state(row: Row) -> str:
    return clean(reading.text(row, "State"), 100)
