"""What an intent stands for and is not on record. Pure; for those who read a stack without its engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cloud_runs.promise.records import Intent, Recorded, attempts_since


class Lack(NamedTuple):
    """That what an intent stands for is not on record. `changed`: what a new run was asked for, if there is one."""

    what: str
    changed: Sequence[str] = ()


NEVER = "was requested and is not recorded"
REPLACED = "was to be replaced, and what replaces it is not recorded"
CHANGED = "a new run was requested and is not recorded"
OBJECTS_CHANGED = "its objects changed, and what was fired for them is not recorded"


def lacking(intent: Intent, run: Recorded | None, replacing: bool = False) -> Lack | None:
    """Whether a run may have been started for this intent, or is due, that is on no record. None if there is none.

    `replacing`: the engine has deleted the run and not yet recorded what replaces it.
    """
    if run is None:
        return Lack(NEVER)
    if replacing:
        return Lack(REPLACED)
    changed = run.content.differences(intent.content)
    if changed and intent.token != run.fired.shown:
        return Lack(CHANGED, changed)
    if intent.attempts and attempts_since(intent.attempts, run.fired.told or run.fired.tried)[1]:
        return Lack(OBJECTS_CHANGED)
    return None
