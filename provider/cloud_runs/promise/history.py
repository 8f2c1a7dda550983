"""Why a run was fired, and what became of the runs that its resource had before. Pure.

A replacement that was killed between its delete and its create has forgotten the run before it: that one is on no
record by then, and the history begins anew. Why it was fired is in the intent, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloud_runs.errors import clean
from cloud_runs.promise import ledger
from cloud_runs.promise.groups import many
from cloud_runs.promise.ledger import CODE, FIRED_AT, PHASE, WHY
from cloud_runs.promise.records import TRIGGERS, Before, Recorded
from cloud_runs.promise.rules import Ask
from cloud_runs.runs import Phase, rfc3339

KEPT = 5
"""Attempts before the run on record that its history holds."""

FIRST, FORCED, RERUN = "first", "forced", "rerun after failed"
RESUMED, RESUME = "resumed after failed", "resume"
"""Why a run goes on that had failed, and the value of `rerun_on_failure` that lets it."""


def because(changed: Iterable[str]) -> str:
    """`trigger release`, `argument object`; empty if nothing has changed."""
    triggers: list[str] = []
    arguments: list[str] = []
    for name in changed:
        root, _, key = name.partition(".")
        (triggers if root == TRIGGERS else arguments).append(key or name)
    told = [("trigger", triggers), ("argument", arguments)]
    return ", ".join(f"{word}{'s' * (len(names) > 1)} {' '.join(names)}" for word, names in told if names)


def why(ask: Ask, before: Before, *, rerun: bool) -> str:
    """Why this ask fires. `rerun`: a run that failed is to be fired again."""
    if old := before.recorded:
        if changed := old.content.differences(ask.content):
            return because(changed)
        return RERUN if rerun and failed(old) and old.fired.shown == ask.token else FORCED
    return ask.intent.why or FIRST if ask.intent else FIRST


def failed(run: Recorded) -> bool:
    """As the last refresh has recorded it."""
    return ledger.phase_of(run.outputs) is Phase.FAILED


def again(run: Recorded, most: Any) -> bool:
    """Whether a run failed and may be tried again. `most`: the attempts for one ask, the first one included; None for
    any number."""
    return failed(run) and not spent(run, most)


def spent(run: Recorded, most: Any) -> str:
    """Why a run that failed is not tried again; empty if it may be, or if it has not failed."""
    made = run.fired.reruns + 1
    if not (failed(run) and isinstance(most, (int, float)) and made >= most):
        return ""
    return (
        f"run {clean(run.id)} failed after {many(made, 'attempt')}, and max_attempts is {most:g}: nothing was "
        "fired. Mend what makes it fail, then raise max_attempts or change a trigger"
    )


def reruns(why: str, before: Before) -> int:
    """How often a run that failed was fired again since it was asked for."""
    return before.recorded.fired.reruns + 1 if why == RERUN and before.recorded else 0


def adopted(old: Recorded | None, ask: Ask) -> int:
    """The same, for a run that was given in the place of one that failed: it may be what a killed `up` has fired."""
    return old.fired.reruns + 1 if old and failed(old) and not old.content.differences(ask.content) else 0


def resumed_at(fired: str) -> str:
    """When a run went on after it had failed, by the record of its firing; empty if it did not."""
    at = ledger.fired_of({ledger.FIRED: fired}).resumed
    return rfc3339(at) if at else ""


def attempts(old: Recorded | None) -> list[dict[str, Any]]:
    """The runs before the one that follows this one, oldest first. One that went on after it had failed is there once
    for each time. How one ended of which no refresh has told it is not known."""
    if old is None:
        return []
    phase = ledger.phase_of(old.outputs)
    last = {
        "id": old.id,
        PHASE: (phase if phase.terminal else Phase.UNKNOWN).value,
        CODE: ledger.code_of(old.outputs),
        FIRED_AT: rfc3339(at) if (at := old.fired.resumed or old.fired.at) else "",
        WHY: old.fired.why,
    }
    return [*ledger.history_of(old.outputs), last][-KEPT:]
