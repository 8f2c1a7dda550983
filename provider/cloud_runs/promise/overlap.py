"""What is done when a new run is wanted while the recorded one still goes on (`if_running`). Fires nothing.

When a run is created the engine has deleted the record of the old one, so nothing raises here: what does not fire
keeps it.
"""

from __future__ import annotations

from collections.abc import Callable

from cloud_runs.errors import Interrupted, NotFound, RunsError, Throttled, Unavailable, clean
from cloud_runs.promise.outcomes import span
from cloud_runs.promise.records import Recorded
from cloud_runs.promise.world import World
from cloud_runs.runs import RunStatus

ALLOW, WAIT, SKIP, FORBID = POLICIES = ("allow", "wait", "skip", "forbid")

LONGEST_WAIT = 24 * 3600.0
"""Seconds. A run whose end its service never tells must not hold an `up` for ever."""
PAUSES = (1.0, 10.0)
"""Seconds between two looks while it is waited for: the first pause, and the longest."""


def _look(get: Callable[[], RunStatus]) -> tuple[str, bool]:
    """What is told of a run that has not ended, or of which that is not known; empty if it has, or if its service knows
    it no longer. And whether it pays to ask again: a key that is refused will be refused again."""
    try:
        status = get()
    except NotFound:
        return "", False
    except RunsError as error:
        return f"could not be queried: {error}", isinstance(error, (Interrupted, Unavailable, Throttled))
    return "" if status.phase.terminal else f"is {status.phase.value}", True


def why_not(policy: str, old: Recorded, get: Callable[[], RunStatus], world: World) -> str:
    """Why the new run is not fired, in words; empty if it may be. `wait` holds until it may, or until Ctrl-C."""
    if policy == ALLOW:
        return ""
    clock = world.process.clock.monotonic
    began, pause = clock(), PAUSES[0]
    while (looked := _look(get))[0]:
        told, again = looked
        run = f"run {clean(old.id)} {told.rstrip('.')}"
        waited = clock() - began
        if policy != WAIT or not again:
            return f"{run}, and if_running is {policy!r}"
        if world.over() or waited >= LONGEST_WAIT:
            ended = "was interrupted" if world.over() else f"took {span(waited)}"
            return f"{run}, and the wait for its end {ended}"
        world.tell(f"waiting for its end before firing: {run}, {span(int(waited))}")
        world.pause(pause)
        pause = min(pause * 2, PAUSES[1])
    return ""
