"""What a run records: its inputs as the outputs keep them, and what a service tells, made fit for a state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from cloud_runs import errors
from cloud_runs.kinds import Kind
from cloud_runs.promise import ledger
from cloud_runs.promise.records import TRIGGERS, Recorded
from cloud_runs.runs import Reference

STEERING = (ledger.ADOPT_ID, ledger.ON_DELETE, ledger.RERUN_ON_FAILURE, ledger.IF_RUNNING, ledger.MAX_ATTEMPTS)


def inputs(props: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the outputs keep them. Not the intent: its own resource has it on record. Nor the objects of a fan-out,
    which are keys of other outputs."""
    return {name: value for name, value in props.items() if name not in (ledger.OBJECTS, ledger.INTENT, ledger.ADOPT)}


def shown(told: Any) -> Any:
    """What a service tells of a request, made fit for outputs."""
    if isinstance(told, str):
        return errors.clean(told, max(len(told), 1))
    if isinstance(told, Mapping):
        return {shown(name): shown(item) for name, item in told.items()}
    return [shown(item) for item in told] if isinstance(told, list) else told


def restated(kind: Kind[Any], run: Recorded, given: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a run that stays on record, with other inputs; what the program has removed goes."""
    outs = rewritten(run, given, (*STEERING, *kind.quiet, TRIGGERS, ledger.ADOPT))
    if kind.quiet and isinstance(recorded := outs.get(ledger.REFERENCE), str):
        outs[ledger.REFERENCE] = str(kind.reached(Reference.parse(recorded), given))
    return outs


def rewritten(run: Recorded, given: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """The outputs of what stays on record, without those that are `gone`, with other inputs."""
    stays = {name: value for name, value in run.outputs.items() if name not in (*gone, ledger.INTENT)}
    token = ledger.token_of(given.get(ledger.INTENT)) or run.fired.shown
    return {**stays, **inputs(given), ledger.FIRED: ledger.fired_text(replace(run.fired, beside=token))}
