"""What CI keeps: workflow executions and inventory jobs, with their states.

States: an execution goes from Running to Success, a job from Submitted over Running to Success. Failed, Pause and
anything else come only by an admin call, Cancel by that or by a cancel request; for executions CI has no cancel call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from cloud_runs_emulator.runs import Forced, Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Manner, Refused, Request
from cloud_runs_emulator.tencent.formats import new_id

WORKFLOW = "tencent.workflow"
INVENTORY = "tencent.inventory"
JOB = "tencent.job"
"""Media and picture jobs; only inventory jobs of type Job start them here."""

PICTURES = frozenset({"PicProcess", "ImageInspect"})
"""Kinds of jobs that are listed by `/pic_jobs`, all others by `/jobs`. Which they are is not documented as a list."""

QUEUE = "p00000000000000000000000000000000"
"""The queue of a job that names none."""

TERMINAL = frozenset({"Success", "Failed", "Cancel"})
STATES = TERMINAL | {"Submitted", "Running", "Pause"}

_SUBMITTED_SHARE = 0.1
"""Which part of its run time an inventory job is still Submitted."""


class Bucket(NamedTuple):
    """A bucket in a region. Runs of one bucket are not visible in another."""

    name: str
    region: str

    @property
    def key(self) -> str:
        """One text for both, for index keys."""
        return f"{self.name}.{self.region}"


@dataclass(slots=True, kw_only=True, eq=False)
class Execution(Run):
    """One execution of a workflow on one object. `job_id` is the inventory job that started it, or empty."""

    bucket: Bucket
    workflow_id: str
    object: str
    task_id: str
    job_id: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Job(Run):
    """One inventory job. `input_xml` and `operation_xml` are those elements of its request, ready to be shown again."""

    bucket: Bucket
    name: str
    type: str
    workflow_ids: tuple[str, ...]
    input_xml: str
    operation_xml: str


@dataclass(slots=True, kw_only=True, eq=False)
class MediaJob(Run):
    """One media or picture job that an inventory job of type Job started on one object."""

    bucket: Bucket
    tag: str
    object: str
    queue: str
    job_id: str
    operation_xml: str


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What a checked request for an inventory job asks for. `source` is the input's element name, `what` its text. Of
    type Job it has a `tag`, and perhaps a `queue`."""

    name: str
    type: str
    source: str
    what: str
    workflow_ids: tuple[str, ...]
    input_xml: str
    operation_xml: str
    tag: str = ""
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One list request. Empty texts and `None` filter nothing; the time bounds are inclusive Unix seconds. `name` is
    that of the object or of the inventory job."""

    size: int
    newest_first: bool
    after: int | None
    states: frozenset[str]
    start: float | None
    end: float | None
    name: str = ""
    type: str = ""
    job_id: str = ""
    workflow_id: str = ""
    tag: str = ""
    queue: str = ""


class Backend:
    """All executions and jobs of all buckets."""

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._settings = settings
        self._store = store

    def start_execution(
        self, bucket: Bucket, workflow_id: str, key: str, request: Request, manner: Manner, job_id: str = ""
    ) -> Execution:
        """Start a workflow on one object. Neither workflow nor object must have been made known before."""
        run = Execution(
            system=WORKFLOW,
            id=manner.run_id or new_id("i"),
            origin=manner.origin,
            request=request,
            started_at=self._settings.clock(),
            timeline=((0.0, "Running"), (self._settings.run_seconds, "Success")),
            terminal=TERMINAL,
            bucket=bucket,
            workflow_id=workflow_id,
            object=key,
            task_id=new_id("j"),
            job_id=job_id,
        )
        place = (WORKFLOW, bucket.key, workflow_id)
        keys = [place, (*place, "object", key)]
        if job_id:
            keys.append((*place, "job", job_id))
        self._store.add(run, keys)
        return run

    def start_job(self, bucket: Bucket, order: JobOrder, request: Request, manner: Manner) -> Job:
        """Start an inventory job, and for each object that it covers an execution of each of its workflows, or a job.

        The objects' upload times are unknown here, so the order's time interval leaves none of them out.
        """
        seconds = self._settings.run_seconds
        job = Job(
            system=INVENTORY,
            id=manner.run_id or new_id("b"),
            origin=manner.origin,
            request=request,
            started_at=self._settings.clock(),
            timeline=((0.0, "Submitted"), (seconds * _SUBMITTED_SHARE, "Running"), (seconds, "Success")),
            terminal=TERMINAL,
            bucket=bucket,
            name=order.name,
            type=order.type,
            workflow_ids=order.workflow_ids,
            input_xml=order.input_xml,
            operation_xml=order.operation_xml,
        )
        place = (INVENTORY, bucket.key)
        self._store.add(job, [place, (*place, "name", job.name)])
        for workflow_id in order.workflow_ids:
            for key in self._covered(order):
                self.start_execution(bucket, workflow_id, key, request, Manner("job"), job.id)
        if order.type == "Job":
            for key in self._covered(order):
                self._start_media_job(bucket, order, key, request, job.id)
        return job

    def _start_media_job(self, bucket: Bucket, order: JobOrder, key: str, request: Request, job_id: str) -> None:
        seconds = self._settings.run_seconds
        run = MediaJob(
            system=JOB,
            id=new_id("j"),
            origin="job",
            request=request,
            started_at=self._settings.clock(),
            timeline=((0.0, "Submitted"), (seconds * _SUBMITTED_SHARE, "Running"), (seconds, "Success")),
            terminal=TERMINAL,
            bucket=bucket,
            tag=order.tag,
            object=key,
            queue=order.queue or QUEUE,
            job_id=job_id,
            operation_xml=order.operation_xml,
        )
        place = (JOB, bucket.key, order.tag)
        self._store.add(run, [place, (*place, "job", job_id)])

    def _covered(self, order: JobOrder) -> tuple[str, ...]:
        if order.source == "Object":
            return (order.what,)
        # "/" for everything is how the vendor's Python demo writes it; a key never begins with a slash.
        if order.source == "Prefix" and order.what != "/":
            return tuple(key for key in self._settings.objects if key.startswith(order.what))
        return self._settings.objects

    def execution(self, bucket: Bucket, run_id: str) -> Execution | None:
        """The execution with that id in that bucket."""
        run = self._store.get(WORKFLOW, run_id)
        return run if isinstance(run, Execution) and run.bucket == bucket else None

    def job(self, bucket: Bucket, run_id: str) -> Job | None:
        """The inventory job with that id in that bucket."""
        run = self._store.get(INVENTORY, run_id)
        return run if isinstance(run, Job) and run.bucket == bucket else None

    def cancel(self, bucket: Bucket, job_id: str) -> Job:
        """Cancel a job that is still going. Its executions go on: what CI does with them is not documented.

        Raises `Refused` for an unknown or ended job. CI documents no codes for these; the Java SDK's test says that an
        error is the normal outcome.
        """
        job = self.job(bucket, job_id)
        if job is None:
            raise Refused(400, "ResourceNotFound", f"The inventory trigger job does not exist: {job_id}")
        now = self._settings.clock()
        state = job.state(now)
        if state in TERMINAL:
            raise Refused(400, "InvalidArgument", f"The job {job_id} is in state {state} and cannot be cancelled")
        job.forced = Forced("Cancel", now)
        return job

    def executions(self, bucket: Bucket, query: Query) -> tuple[list[Run], int | None]:
        """A page of a workflow's executions; `name` is the object, matched exactly. `job_id`: those of that job."""
        place: tuple[str, ...] = (WORKFLOW, bucket.key, query.workflow_id)
        if query.job_id:
            place = (*place, "job", query.job_id)
        elif query.name:
            place = (*place, "object", query.name)

        def fits(run: Run) -> bool:
            return isinstance(run, Execution) and query.name in ("", run.object)

        return self._page(place, query, fits)

    def jobs(self, bucket: Bucket, query: Query) -> tuple[list[Run], int | None]:
        """A page of the bucket's inventory jobs; `name` is the job's name, matched exactly."""
        place: tuple[str, ...] = (INVENTORY, bucket.key)
        if query.name:
            place = (*place, "name", query.name)

        def fits(run: Run) -> bool:
            return (
                isinstance(run, Job)
                and query.type in ("", run.type)
                and query.job_id in ("", run.id)
                and (not query.workflow_id or query.workflow_id in run.workflow_ids)
            )

        return self._page(place, query, fits)

    def media_jobs(self, bucket: Bucket, query: Query, *, pictures: bool) -> tuple[list[Run], int | None]:
        """A page of the bucket's media or picture jobs of one kind. Those of workflows are not kept."""
        place: tuple[str, ...] = (JOB, bucket.key, query.tag)
        if query.job_id:
            place = (*place, "job", query.job_id)

        def fits(run: Run) -> bool:
            return (
                isinstance(run, MediaJob)
                and (run.tag in PICTURES) == pictures
                and query.queue in ("", run.queue)
                and query.name in ("", run.object)
                and not query.workflow_id
            )

        return self._page(place, query, fits)

    def _page(self, place: tuple[str, ...], query: Query, fits: Callable[[Run], bool]) -> tuple[list[Run], int | None]:
        now = self._settings.clock()
        visible_until = now - self._settings.list_lag

        def wanted(run: Run) -> bool:
            # CI shows whole seconds; an inclusive bound must take in a run that shows exactly that second.
            shown = int(run.started_at)
            return (
                run.started_at <= visible_until
                and (query.start is None or shown >= query.start)
                and (query.end is None or shown <= query.end)
                and (not query.states or run.state(now) in query.states)
                and fits(run)
            )

        return self._store.page(
            place, newest_first=query.newest_first, after=query.after, size=query.size, wanted=wanted
        )
