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
from cloud_runs.promise import given_up, ledger, looking
from cloud_runs.promise.digests import digest_of_objects
from cloud_runs.promise.firing import LOOK_SECONDS, SIBLINGS_SECONDS, listed
from cloud_runs.promise.records import Former, Intent, Recorded
from cloud_runs.promise.rules import Ask, Work
from cloud_runs.promise.world import World
from cloud_runs.runs import Found, Reference
from cloud_runs.wire.settings import Settings

_NO_PLACE = (301, 404)
"""Answers of a service that has no such bucket or workflow there, so that nothing can have run."""


def tell(former: Former, objects: Collection[str], settings: Settings, world: World) -> list[str]:
    """The ids of runs that an interrupted `up` may have started for this intent, each named in a warning. Fires
    nothing. Raises Interrupted and nothing else. `objects`: those that a fan-out may have been fired for; empty if
    nothing tells them, then runs of any object are."""
    intent, arguments = former.intent, former.arguments
    kind = kind_named(intent.kind)
    if kind is None or not arguments or not isinstance(arguments, Mapping):
        world.warn(
            f"an earlier up may have started runs for {intent.name or 'this resource'} that will not be recorded; "
            "what it requested is not known any more: look in the console of the service"
        )
        return []
    try:
        places = places_of(kind, intent, arguments, settings)
    except errors.RunsError as error:
        world.warn(f"{given_up.NOT_LOOKED_UP}: {error}")
        return []
    told = []
    for place in places:

        def find(since: datetime, limit: Limit, place: Reference = place) -> Found:
            return search(kind, kind.client(place, settings), arguments, intent, objects, since, limit)

        told += given_up.tell(former.moments, find, kind.id_space(place), world, former.after)
    return told


def places_of(kind: Kind[Any], intent: Intent, arguments: Mapping[str, Any], settings: Settings) -> list[Reference]:
    """Where an intent may have been fired. Raises as `Kind.place` for one whose record does not tell."""
    return meant_for(kind, intent, arguments) or [kind.place(arguments, settings)]


def meant_for(kind: Kind[Any], intent: Intent | None, arguments: Mapping[str, Any]) -> list[Reference]:
    """Where an intent was to be fired, asked for as these arguments say; none if its record does not tell."""
    told = ledger.meant_for(intent)
    return [kind.reached(place, arguments) for place in dict.fromkeys(kind.pinned(place, told) for place in told)]


def today(kind: Kind[Any], arguments: Mapping[str, Any], intent: Intent | None, settings: Settings) -> Reference:
    """Where the configuration of today puts a run of this intent. Raises as `Kind.place`."""
    return kind.pinned(kind.place(arguments, settings), ledger.meant_for(intent))


def where(
    kind: Kind[Any], arguments: Mapping[str, Any], ask: Ask, work: Work, settings: Settings, world: World
) -> Reference:
    """Where the run is to be: where the configuration says today, unless an earlier `up` may have fired it where the
    configuration said then and something of it is there. Fires nothing; raises Unavailable if that cannot be told."""
    now = today(kind, arguments, ask.intent, settings)
    if remark := kind.remark(now, settings):
        world.warn(remark)
    for then in meant_for(kind, ask.intent, arguments) if work.look else ():
        if then != now and _fired_there(kind, then, arguments, ask, work, settings, world):
            return then
    return now


def _fired_there(
    kind: Kind[Any],
    then: Reference,
    arguments: Mapping[str, Any],
    ask: Ask,
    work: Work,
    settings: Settings,
    world: World,
) -> bool:
    """Whether something is there that an earlier `up` may have fired. Raises Unavailable if that cannot be told."""
    assert ask.intent
    moments = [moment for doubt in work.look for moment in doubt.moments]
    world.sleep(SIBLINGS_SECONDS)
    world.wait(moments, f"an earlier up may have fired in {then.region or then.scope}: looking there before firing")
    limit = world.limit(LOOK_SECONDS)
    since = looking.since(moments, world.clocks(), work.replaced)
    intent, objects = ask.intent, [key for key in work.doubtful if key]
    try:
        api = kind.client(then, settings)
        found = world.ask(lambda: search(kind, api, arguments, intent, objects, since, limit), limit)
        listing = listed(found, kind.id_space(then), world, [work.replaced])
    except (errors.Unavailable, errors.Refused, errors.MissingCredentials, errors.InvalidConfiguration) as error:
        if isinstance(error, errors.Refused) and error.status in _NO_PLACE:
            return False
        raise errors.Unavailable(
            f"nothing was fired: an earlier `pulumi up` was configured for {then.region or then.scope} and may have "
            f"started it there, and that could not be looked up. {str(error).rstrip('.')}. If nothing runs there, "
            "change a trigger to fire it where the configuration says now"
        ) from error
    return bool(looking.strays(listing, moments, work.replaced))


def objects_of(former: Former, ask: Ask, recorded: Recorded | None) -> Collection[str]:
    """The objects that may have been fired for an intent that is given up. Empty if nothing tells them all, since an
    intent holds no more than the digest of its last list."""
    own = [*recorded.ids, *recorded.refused] if recorded else []
    listed = former.intent.objects in (ask.listed, digest_of_objects(own))
    lists = {moment.token for moment in former.moments} & {moment.token for moment in former.intent.moments}
    return {*ask.objects, *own} if listed and (former.after or len(lists) <= 1) else ()


def times_of(intent: Intent, settings: Settings) -> Times:
    try:
        kind = kind_named(intent.kind)
        return settings.times(kind.vendor) if kind else Times()
    except errors.RunsError:
        return Times()


def search(
    kind: Kind[Any],
    api: Any,
    arguments: Mapping[str, Any],
    intent: Intent,
    objects: Collection[str],
    since: datetime,
    limit: Limit,
) -> Found:
    """The runs that may be of this intent, made for these arguments. Starts nothing. Raises Unavailable or Refused."""
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
