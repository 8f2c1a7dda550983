"""What became of a run that was waited for: as an output, and as a line for a person. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_runs.errors import clean
from cloud_runs.promise import ledger
from cloud_runs.promise.waiting import Watched
from cloud_runs.runs import Phase, Reference, RunStatus, time_of

GONE = "no longer known to the service"

Outcome = dict[str, Any]


def outcome(reference: Reference, run: Watched) -> Outcome:
    """Plain values for the state. A run that is gone is told as failed, in the state that was seen last."""
    status = run.status or RunStatus(reference.id, Phase.UNKNOWN, "")
    seconds = lasted(status)
    return {
        ledger.REFERENCE: str(reference),
        ledger.PHASE: Phase.FAILED.value if run.gone else status.phase.value,
        ledger.STATE: status.state,
        ledger.CODE: status.code,
        ledger.MESSAGE: GONE if run.gone else status.message,
        ledger.FAILED_TASKS: failed_tasks(status),
        ledger.OBJECTS: [key for task in status.tasks for key in task.objects],
        ledger.EXECUTIONS: dict(status.executions),
        ledger.STARTED_AT: status.started_at or status.created_at,
        ledger.FINISHED_AT: status.finished_at,
        **({} if seconds is None else {ledger.DURATION: seconds}),  # a state keeps no None
        ledger.REQUEST_ID: status.request_id,
    }


def refusal(reason: str) -> Outcome:
    """Of an object that a fan-out has no run for."""
    nothing = Watched(RunStatus("", Phase.FAILED, "", message=reason))
    return {**outcome(Reference("", "", "", ""), nothing), ledger.REFERENCE: ""}


def succeeded(found: Mapping[str, Any]) -> bool:
    return bool(found[ledger.PHASE] == Phase.SUCCEEDED.value)


def line(who: str, found: Mapping[str, Any]) -> str:
    """One line on a run that ended."""
    return f"{who}: {became(found)}"


def became(found: Mapping[str, Any]) -> str:
    """What became of a run: what the service says of it, the failing task, and the request id."""
    state = found[ledger.STATE]
    word = found[ledger.PHASE] + (f" (state {state})" if state and state.lower() != found[ledger.PHASE] else "")
    why = told(found)
    request = f" (request {found[ledger.REQUEST_ID]})" if found[ledger.REQUEST_ID] else ""
    return f"{word}{': ' if why else ''}{why}{request}"


def told(found: Mapping[str, Any]) -> str:
    """What the service says of a run that did not succeed."""
    own = _sentence(found[ledger.CODE], found[ledger.MESSAGE])
    blamed = [
        (task, _sentence(task[ledger.CODE] or task[ledger.STATE], task[ledger.MESSAGE]))
        for task in found[ledger.FAILED_TASKS]
    ]
    parts = [] if not own or any(why == own for _, why in blamed) else [own]  # said once is enough
    parts += [f"task {task['name'] or task['type']}: {why}" for task, why in blamed]
    return "; ".join(parts)


def learned(status: RunStatus) -> str:
    """What a look at one run shows, for its own row: `succeeded after 4s`, `failed: task Transcode_1: InvalidInput`."""
    if not status.phase.terminal:
        return status.phase.value + (f" (state {clean(status.state, 100)})" if status.state else "")
    seconds, why = lasted(status), reason(status)
    after = f" after {span(seconds)}" if seconds is not None and seconds >= 0 else ""
    return clean(f"{status.phase.value}{after}{': ' if why else ''}{why}", 1000)


def reason(status: RunStatus) -> str:
    """Why a run did not succeed, without what is its own, such as how long it took: many have the same."""
    return told(outcome(Reference("", "", "", status.id), Watched(status)))


def going(run: Watched) -> str:
    """How a run is that has not ended."""
    if run.untold is not None:
        return f"not known: {run.untold}"
    if run.status is None:
        return "not queried yet"
    if run.status.phase is Phase.UNKNOWN:
        return f"in state {run.status.state!r}, which this version does not know"
    return f"{run.status.phase.value} (state {run.status.state})"


def failed_tasks(status: RunStatus) -> list[dict[str, str]]:
    """The tasks that are to blame: those with an error, where the run did not succeed."""
    if not status.phase.terminal or status.phase is Phase.SUCCEEDED:
        return []
    return [
        {
            "name": task.name,
            "type": task.type,
            ledger.STATE: task.state,
            ledger.CODE: task.code,
            ledger.MESSAGE: task.message,
        }
        for task in status.tasks
        if task.code or task.state.lower() in ("failed", "fail", "timeout")
    ]


def lasted(status: RunStatus) -> float | None:
    """How long the run took in seconds, None where the service does not tell both ends."""
    began, ended = time_of(status.started_at or status.created_at), time_of(status.finished_at)
    try:
        return (ended - began).total_seconds() if began and ended else None
    except TypeError:  # one of them has no zone
        return None


def span(seconds: float) -> str:
    """`0.5s`, `45s`, `2m10s`, `1h30m`."""
    if 0 < seconds < 1:
        return f"{seconds:.2g}s"
    whole = int(seconds)
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "m"), (whole % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _sentence(code: str, message: str) -> str:
    return ": ".join(part for part in (code, message.rstrip(".")) if part)
