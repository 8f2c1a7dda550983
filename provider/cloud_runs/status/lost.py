"""Runs that an intent may have started and that nobody has on record: looked for, and named as possibly lost.

What does NOT happen: nothing is started, recorded or waited for; a service that cannot be asked only says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cloud_runs.errors import RunsError, clean
from cloud_runs.lifecycle import adopting, strays
from cloud_runs.lifecycle.clients import kind_named
from cloud_runs.limits import Limit
from cloud_runs.promise import looking
from cloud_runs.promise.firing import listed
from cloud_runs.promise.process import Process
from cloud_runs.promise.world import World
from cloud_runs.status.recorded import Lacking, Records
from cloud_runs.status.report import Missing
from cloud_runs.wire.settings import Settings

_SECONDS = 20.0  # for one look
_NAMED = 10


def missing(records: Records, config: Mapping[str, str]) -> tuple[Missing, ...]:
    """All that is not on record, with the ids of runs that may be it."""
    known = {run.reference.id for run in records.runs}
    found = [_told(one, known, partial(records.settings, one.provider, config)) for one in records.lacking]
    return (*found, *records.refused)


def _told(one: Lacking, known: Collection[str], settings: Callable[[], Mapping[str, Any]]) -> Missing:
    try:
        ids = _ids(one, known, Settings(settings().get))
    except RunsError as error:
        return replace(one.missing, reason=f"{one.missing.reason}; could not look for it: {clean(str(error))}")
    if not ids:
        return one.missing
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    shown = ", ".join(map(clean, ids[:_NAMED])) + more
    how = adopting.how(one.missing.resource, of_object=bool(one.intent.objects))
    reason = f"{one.missing.reason}. Possibly lost: {shown}. To record one with the next `pulumi up`: `{how}`"
    return replace(one.missing, reason=reason, possibly_lost=tuple(ids))


def _ids(one: Lacking, known: Collection[str], settings: Settings) -> list[str]:
    """Raises Unavailable, Refused, MissingCredentials or InvalidConfiguration."""
    kind = kind_named(one.intent.kind)
    if kind is None or not one.arguments:  # an intent of 0.1 does not tell what it asked for
        return []
    world, limit, lost = World(Process(), lambda: True), Limit(_SECONDS), []
    since = looking.since(one.intent.moments, world.clocks(), one.run)
    for place in strays.places_of(kind, one.intent, one.arguments, settings):
        api = kind.client(place, settings)
        found = strays.search(kind, api, one.arguments, one.intent, (), since, limit)
        listing = listed(found, kind.id_space(place), world, [one.run])
        lost += looking.strays(listing, one.intent.moments, one.run)
    return [candidate.id for candidate in lost if candidate.id not in known]
