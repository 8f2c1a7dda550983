"""What a service told of a run, as the state keeps it and back: the outputs of a run, and what a Completion records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cloud_runs.promise import ledger
from cloud_runs.runs import RunStatus, Task


def outputs_of(status: RunStatus) -> dict[str, Any]:
    """The outputs that a status fills, as plain values for a Pulumi state."""
    return {
        ledger.STATE: status.state,
        ledger.PHASE: status.phase.value,
        ledger.CODE: status.code,
        ledger.MESSAGE: status.message,
        ledger.CREATED_AT: status.created_at,
        ledger.STARTED_AT: status.started_at,
        ledger.FINISHED_AT: status.finished_at,
        ledger.TASKS: [
            {
                "name": task.name,
                "type": task.type,
                ledger.STATE: task.state,
                ledger.CODE: task.code,
                ledger.MESSAGE: task.message,
                ledger.OBJECTS: list(task.objects),
            }
            for task in status.tasks
        ],
    }


def failed_of(status: RunStatus, message: str) -> dict[str, Any]:
    """What a fan-out records of a run that failed. `message`: what is said of it."""
    return {
        "id": status.id,
        ledger.CODE: status.code or next((task.code for task in status.tasks if task.code), ""),
        ledger.MESSAGE: message,
        ledger.FIRED_AT: status.created_at or status.started_at,
    }


def status_of(id: str, told: Mapping[str, Any], fired_at: str = "") -> RunStatus:
    """The status on record: a run's outputs, or what a Completion recorded of it."""
    return RunStatus(
        id=id,
        phase=ledger.phase_of(told),
        state=_text(told, ledger.STATE),
        code=_text(told, ledger.CODE),
        message=_text(told, ledger.MESSAGE),
        started_at=_text(told, ledger.STARTED_AT) or _text(told, ledger.CREATED_AT) or fired_at,
        finished_at=_text(told, ledger.FINISHED_AT),
        tasks=tuple(
            Task(
                _text(task, "name"),
                _text(task, "type"),
                _text(task, ledger.STATE),
                _text(task, ledger.CODE),
                _text(task, ledger.MESSAGE),
            )
            for task in told.get(ledger.TASKS) or told.get(ledger.FAILED_TASKS) or ()
        ),
        executions={word: int(count) for word, count in (told.get(ledger.EXECUTIONS) or {}).items()},
        request_id=_text(told, ledger.REQUEST_ID),
    )


def outcomes_of(outputs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a Completion has recorded of runs."""
    told = outputs.get(ledger.OUTCOMES)
    for found in told if isinstance(told, list) else ():
        if isinstance(found, Mapping) and isinstance(found.get(ledger.REFERENCE), str):
            yield found


def _text(told: Mapping[str, Any], name: str) -> str:
    return str(told.get(name) or "")
