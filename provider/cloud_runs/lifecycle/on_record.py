"""What a run records: its inputs as the outputs keep them, and what a service tells, made fit for a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloud_runs import errors
from cloud_runs.kinds import Kind
from cloud_runs.promise import ledger
from cloud_runs.promise.ledger import ADOPT, FIRED, INTENT, REFERENCE
from cloud_runs.promise.records import Recorded
from cloud_runs.runs import Reference

STEERING = ("adopt_id", "on_delete", "rerun_on_failure", "if_running", "max_attempts")


def inputs(props: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the outputs keep them. Not the intent: its own resource has it on record."""
    return {name: value for name, value in props.items() if name not in (INTENT, ADOPT)}


def shown(told: Any) -> Any:
    """What a service tells of a request, made fit for outputs."""
    if isinstance(told, str):
        return errors.clean(told, max(len(told), 1))
    if isinstance(told, Mapping):
        return {shown(name): shown(item) for name, item in told.items()}
    return [shown(item) for item in told] if isinstance(told, list) else told


def restated(kind: Kind[Any], run: Recorded, given: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a run that stays on record, with other inputs; what the program has removed goes."""
    gone = (*STEERING, *kind.quiet, "triggers", INTENT, ADOPT)
    stays = {name: value for name, value in run.outputs.items() if name not in gone}
    if kind.quiet and isinstance(recorded := stays.get(REFERENCE), str):
        stays[REFERENCE] = str(kind.reached(Reference.parse(recorded), given))
    token = ledger.token_of(given.get(INTENT)) or run.fired.shown
    return {**stays, **inputs(given), FIRED: ledger.fired_text(replace(run.fired, beside=token))}
