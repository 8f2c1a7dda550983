"""The work of one fan-out, and what is on record of it: what firing.py's `settle` is for one run."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from types import MappingProxyType

from cloud_runs import errors
from cloud_runs.promise import groups, history, reruns, rules
from cloud_runs.promise.fanned import Fanned, Fleet
from cloud_runs.promise.fanning import FanOut
from cloud_runs.promise.records import Before, Fired, Moment, Recorded, attempts_since, done_with, past_of
from cloud_runs.promise.rules import Ask, Work
from cloud_runs.promise.world import World


def settle(
    ask: Ask,
    work: Work,
    space: Hashable,
    fleet: Fleet,
    world: World,
    *,
    concurrency: int,
    rate: float | None = None,
    adopted: Mapping[str, str] = MappingProxyType({}),
    done: Collection[str] = (),
    left: Collection[str] = (),
) -> tuple[Fanned, Recorded]:
    """Does the work. What became of each object, and what is on record then, with the runs that were `adopted`. `done`
    and `left`: ids, as in `Fired`.

    `space`: the id space. Raises RunsError if each object was refused and nothing is on record; and what `FanOut.run`
    raises. Then nothing runs that was not told.
    """
    process, began = world.process, world.process.moment()
    process.attempting(ask.urn, ask.attempt)
    fanned = FanOut(ask.urn, space, work, fleet, world, concurrency=concurrency, rate=rate).run()
    process.sent(ask.urn, ask.attempt)
    if not (fanned.unsettled or fanned.denied or fanned.ids):
        process.refused(ask.urn, ask.attempt)
    if fanned.refused and not (work.keep or adopted or fanned.ids or fanned.unsettled):
        raise errors.RunsError(
            f"nothing was fired: {groups.many(len(fanned.refused), 'object')} refused{groups.reasons(fanned.refused)}"
        )
    fanned.ids.update(adopted)
    return fanned, on_record(ask, work, fanned, began, done, left)


def on_record(
    ask: Ask, work: Work, fanned: Fanned, began: Moment, done: Collection[str] = (), left: Collection[str] = ()
) -> Recorded:
    """What is on record of a fan-out once the work is done, which began then. Objects that are not asked for any more
    are forgotten."""
    own, wanted = work.keep, set(ask.objects)
    old = own or work.replaced
    kept = {key: id for key, id in own.ids.items() if key in wanted} if own else {}
    refused = {key: why for key, why in fanned.refused.items() if key not in kept}  # else what failed stays on record
    attempt = _attempt(ask, work, fanned)
    fired = Fired(
        token=own.fired.token if own else ask.token,
        content=own.content if own else ask.content,
        at=max(filter(None, (own.fired.at if own else None, fanned.at)), default=None),
        beside=ask.token,
        attempt=attempt,
        told=ask.attempt if attempt and attempt.token != ask.attempt else "",
        doubt=rules.still_in_doubt(bool(refused), bool(fanned.unsettled), work.look, began),
        predecessors=rules.predecessors(refused, work),
        why=own.fired.why if own else history.why(ask, Before(work.replaced), rerun=False),
        past=own.fired.past if own else past_of(work.replaced, ask.token),
        done=done_with(old, done),
        left=tuple(dict.fromkeys([*(own.fired.left if own else ()), *left])),
        failing=reruns.failing(own, fanned, kept, began),
        again=reruns.counts(own, fanned, kept, work),
        first=reruns.first(own, fanned),
        later=reruns.later(own, fanned, kept, began),
    )
    failed = {key: own.failed[key] for key in kept if key in own.failed and key not in fanned.ids} if own else {}
    past = reruns.past(old, fanned, wanted)
    return Recorded(own.id if own else ask.token, fired, kept | fanned.ids, refused, failed=failed, past=past)


def _attempt(ask: Ask, work: Work, fanned: Fanned) -> Moment | None:
    """The one that what is on record comes from: an `up` that only told, or renamed, has settled no attempt, so that
    what was started for objects which have left the list is found when they are put back."""
    own, intent = work.keep, ask.intent
    if own is None or intent is None:
        return intent.moments[-1] if intent else None
    added = {*fanned.ids, *fanned.refused} - own.ids.keys()  # and not what failed and is fired again
    idle = own.ids.keys() == set(ask.objects) and not (own.refused or added)
    known, _since = attempts_since(intent.attempts, own.fired.tried)
    return own.fired.attempt if idle and known else intent.moments[-1]
