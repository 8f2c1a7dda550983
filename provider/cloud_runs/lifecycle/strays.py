"""Runs of an intent that is given up: told, with their ids, before anything is fired. What only the state tells of them
(kind, arguments, token) is turned into a look here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from cloud_runs import errors
from cloud_runs.kinds import Kind, Occasion
from cloud_runs.lifecycle.clients import kind_named
from cloud_runs.limits import Limit, Times
from cloud_runs.promise import given_up
from cloud_runs.promise.firing import World
from cloud_runs.promise.process import Former
from cloud_runs.promise.records import Intent
from cloud_runs.runs import Found
from cloud_runs.wire.settings import Settings


def tell(former: Former, objects: Collection[str], settings: Settings, world: World) -> list[str]:
    """The ids of runs that an interrupted `up` may have started for this intent, each named in a warning. Fires
    nothing. Raises Interrupted and nothing else. `objects`: those that a fan-out may have been fired for; empty if
    nothing tells them, then runs of any object are."""
    intent, arguments = former.intent, former.arguments
    kind = kind_named(intent.kind)
    if kind is None or not arguments or not isinstance(arguments, Mapping):
        world.warn(
            f"an interrupted up may have started runs for {intent.name or 'this resource'} that will be on no record; "
            "what it asked for is not known any more: look in the console of the service"
        )
        return []
    try:
        place = kind.place(arguments, settings)
        space = kind.id_space(place)
    except errors.RunsError as error:
        world.warn(f"an interrupted up may have started a run that will be on no record; could not look: {error}")
        return []

    def find(since: datetime, limit: Limit) -> Found:
        return _find(kind, kind.client(place, settings), arguments, intent, objects, since, limit)

    return given_up.tell(former.moments, find, space, world, former.after)


def times_of(intent: Intent, settings: Settings) -> Times:
    try:
        kind = kind_named(intent.kind)
        return settings.times(kind.vendor) if kind else Times()
    except errors.RunsError:
        return Times()


def _find(
    kind: Kind[Any],
    api: Any,
    arguments: Mapping[str, Any],
    intent: Intent,
    objects: Collection[str],
    since: datetime,
    limit: Limit,
) -> Found:
    occasion = Occasion(token=intent.token, minted_at=intent.moment.at, name=intent.name)
    if not intent.objects:
        found: Found = api.find(kind.request(arguments, occasion), since, limit)
        return found
    if not objects:
        of_any: Found = api.find_any(kind.request({**arguments, kind.fans_out: ""}, occasion), since, limit)
        return of_any
    requests = {key: kind.request({**arguments, kind.fans_out: key}, occasion) for key in objects}
    each: Found = api.find_each(requests, since, limit)
    return each
