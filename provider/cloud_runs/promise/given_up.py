"""Runs of an intent that is given up: its ask has changed, or was removed, while an interrupted `up` may have fired it.

They will be on no record, so they are told, with their ids, before anything else is fired.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any

from cloud_runs import errors
from cloud_runs.limits import Limit
from cloud_runs.promise import looking, rules
from cloud_runs.promise.firing import LOOK_SECONDS, SIBLINGS_SECONDS, listed
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Former, Moment, Recorded
from cloud_runs.promise.rules import Ask
from cloud_runs.promise.world import World
from cloud_runs.runs import Found, rfc3339

NAMED = 100
"""Runs that a warning names."""
NOT_LOOKED_UP = (
    "an earlier up requested a run that will not be recorded, and whether it was started could not be looked up"
)
"""After a refusal as well as after a kill: which of the two it was, no state tells."""


def former(ask: Ask, arguments: Any, process: Process) -> Former | None:
    """The intent for which an interrupted `up` may have started what will be on no record. Told once. `arguments`:
    those of the program, for an intent that stays."""
    replaced, before = process.former(ask.urn), process.before(ask.urn, ask.token)
    if replaced is None and before.recorded and not before.deleted and before.recorded.fired.shown != ask.token:
        process.reopen(before.recorded)
    moments = rules.abandoned(ask, before, process)
    if replaced or not (moments and ask.intent):
        return replaced
    return Former(ask.intent, arguments, moments)


def tell(
    moments: Sequence[Moment],
    find: Callable[[datetime, Limit], Found],
    space: Hashable,
    world: World,
    after: Recorded | None = None,
) -> list[str]:
    """Warns of the runs that may have been started since these moments; their ids. `after`: the run that was deleted
    for a replacement. Fires nothing; raises Interrupted and nothing else, since it must keep nothing from being fired.

    An `up` that tries again leaves no moment of its own, so what one that has ended just before this one may have
    started is waited for, whatever the moments say.
    """
    try:
        world.sleep(SIBLINGS_SECONDS)
        world.wait(moments, "an earlier up may have started a run that will not be recorded: looking for it")
        limit = world.limit(LOOK_SECONDS)
        since = looking.since(moments, world.clocks(), after)
        found = world.ask(lambda: find(since, limit), limit)
        lost = looking.strays(listed(found, space, world, [after]), moments, after)
    except errors.Interrupted:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not keep a run from being fired
        world.warn(f"{NOT_LOOKED_UP}: {error}")
        return []
    if lost:
        named = looking.describe(lost, rfc3339, NAMED)
        world.warn(
            f"an earlier up may have started {named}: not recorded after this unless another resource has it, and what "
            "has not ended goes on. To record one, set adopt_id to its id in a resource of its own"
        )
    return [candidate.id for candidate in lost]
