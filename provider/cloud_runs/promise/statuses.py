"""What a service told of a run, as the state keeps it and back: the outputs of a run, and what a Completion records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cloud_runs.promise import ledger
from cloud_runs.runs import RunStatus, Task


def outputs_of(status: RunStatus) -> dict[str, Any]:
    """The outputs that a status fills, as plain values for a Pulumi state."""
    return {
        "state": status.state,
        "phase": status.phase.value,
        "code": status.code,
        "message": status.message,
        "created_at": status.created_at,
        "started_at": status.started_at,
        "finished_at": status.finished_at,
        "tasks": [
            {
                "name": task.name,
                "type": task.type,
                "state": task.state,
                "code": task.code,
                "message": task.message,
                "objects": list(task.objects),
            }
            for task in status.tasks
        ],
    }


def status_of(id: str, told: Mapping[str, Any], fired_at: str = "") -> RunStatus:
    """The status on record: a run's outputs, or what a Completion recorded of it."""
    return RunStatus(
        id=id,
        phase=ledger.phase_of(told),
        state=_text(told, "state"),
        code=_text(told, "code"),
        message=_text(told, "message"),
        started_at=_text(told, "started_at") or _text(told, "created_at") or fired_at,
        finished_at=_text(told, "finished_at"),
        tasks=tuple(
            Task(
                _text(task, "name"),
                _text(task, "type"),
                _text(task, "state"),
                _text(task, "code"),
                _text(task, "message"),
            )
            for task in told.get("tasks") or told.get("failed_tasks") or ()
        ),
        executions={word: int(count) for word, count in (told.get("executions") or {}).items()},
        request_id=_text(told, "request_id"),
    )


def outcomes_of(outputs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a Completion has recorded of runs."""
    told = outputs.get("outcomes")
    for found in told if isinstance(told, list) else ():
        if isinstance(found, Mapping) and isinstance(found.get("reference"), str):
            yield found


def _text(told: Mapping[str, Any], name: str) -> str:
    return str(told.get(name) or "")
