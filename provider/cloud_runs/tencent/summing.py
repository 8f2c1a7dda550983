"""What a batch job and what it started come to together. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from cloud_runs.errors import clean
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.tencent.answers import listed_ids, mapping, phase, text


def workflow_ids(job: RunStatus) -> list[str]:
    """The workflows that a job starts, each once; none for a job of type Job."""
    return listed_ids(text(mapping(job.request.get("operation")), "WorkflowIds"))


def job_tag(job: RunStatus) -> str:
    """What a job of type Job does, if it is one and the service tells it: the list's sample leaves it out."""
    return text(mapping(job.request.get("operation")), "Tag") if job.request.get("type") == "Job" else ""


def queue_of(job: RunStatus) -> str:
    return text(mapping(job.request.get("operation")), "QueueId")


def starts(job: RunStatus) -> bool:
    """Whether it can be asked for what a job has started."""
    return bool(job_tag(job) or workflow_ids(job))


def untold(job: RunStatus) -> bool:
    """Whether an answer leaves out what a job starts, so that its own success says nothing of that."""
    operation = mapping(job.request.get("operation"))
    return not operation if job.request.get("type") == "Job" else not workflow_ids(job)


def children(job: RunStatus) -> str:
    """What a job starts, in a word."""
    return "jobs" if job_tag(job) else "executions"


def summed(job: RunStatus, executions: Mapping[str, int], *, whole: bool = True) -> RunStatus:
    """A job together with what it started, counted by state word; `whole`: these are all of them.

    Whether a job's `Success` says more than that each object got its execution is nowhere documented, so a job that
    has ended goes on until they have ended too, and one that succeeded has failed if one of them did not succeed. A job
    without executions is what it says itself.
    """
    name = children(job)
    job = replace(job, executions=dict(executions) if whole else {}, summed=True)
    phases: Counter[Phase] = Counter()
    for state, count in executions.items():
        phases[phase(state)] += count
    total, ended = phases.total(), sum(count for at, count in phases.items() if at.terminal)
    bad = {"failed": phases[Phase.FAILED], "cancelled": phases[Phase.CANCELLED]}
    if not job.phase.terminal:
        return job
    if total > ended:
        going = f"of {total} {name}, {total - ended} still going" if whole else f"some {name} still going"
        return replace(job, phase=Phase.RUNNING, finished_at="", message=job.message or f"the job has ended; {going}")
    if job.phase is Phase.SUCCEEDED and any(bad.values()):
        words = " and ".join(f"{count} {word}" for word, count in bad.items() if count)
        said = f"of {total} {name}, {words}" if whole else f"{words} of more {name} than can be counted"
        return replace(job, phase=Phase.FAILED, message=said)
    return job


def uncounted(job: RunStatus, why: Exception, *, ever: bool = True) -> RunStatus:
    """A job whose executions could not be listed. Its own success says nothing of theirs; its own failure is one.

    `ever`: another look may list them. If not, what a job of type Job says itself has to do: the pages of batch jobs
    tell of no way to list what those have started.
    """
    if job.phase is not Phase.SUCCEEDED or not (starts(job) or untold(job)):
        return job
    if job_tag(job) and not ever:
        return replace(job, message=clean(f"its jobs were not counted: {why}"))
    said = clean(f"the job has ended, but its {children(job)} could not be listed: {why}")
    return replace(job, phase=Phase.UNKNOWN, finished_at="", message=said)
