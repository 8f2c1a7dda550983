"""One start: it is sent at most once, or the run of an earlier start is looked for. Raises, or returns one run.

A thin driver over rules.py (what is to be done) and looking.py (what a list shows). Clock and sleep are handed in. A
run costs money and cannot be taken back: when in doubt, nothing is fired.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cloud_runs import errors
from cloud_runs.limits import Limit
from cloud_runs.promise import looking, rules
from cloud_runs.promise.looking import CLOCKS, Listing, Looked, Seen, Sight
from cloud_runs.promise.records import Recorded
from cloud_runs.promise.rules import Ask
from cloud_runs.promise.world import Settled, Starter, World
from cloud_runs.runs import Candidate, Found, Phase, Started, rfc3339

AGAIN_PAUSES = (1.0, 2.0, 4.0)
"""Seconds, with jitter, before a start is sent again that was refused for too many requests, or that did not arrive
(then once less)."""
LOOK_SECONDS = 20.0
"""How long is looked beyond the time in which a run must have come to be and to show: lists may lag more than told."""
_LOOKING = "an earlier up may have started this run: looking for it before firing"
SIBLINGS_SECONDS = 1.0
"""The engine asks for the diffs of sibling runs, which tell their recorded ids, within about this time."""


def settle(ask: Ask, space: Hashable, api: Starter, world: World, forbidden: str = "") -> Settled:
    """The run of one `create()`. Raises, and then has fired nothing that it does not name. Asked again for the same
    intent in this process (an error hook may), it returns the same run.

    `space`: the id space. `forbidden`: why nothing may be fired, while what was fired before may be found.

    Raises Refused or NotReached (nothing ran), UnknownOutcome (what was tried, what to do), Ambiguous (lists the
    candidates), Unavailable (the service cannot be asked; nothing fired), RunsError (no intent), Orphaned, Interrupted.
    """
    process = world.process
    before = process.outcome(ask.urn, ask.attempt)
    if isinstance(before, Settled):
        return before
    work = rules.decide(ask, process.before(ask.urn, ask.token), process)
    with process.doubting(ask.urn, [api.work] if work.look else []), process.turn([api.work]):
        if work.keep:
            world.tell(rules.TAKEN_BACK)
            settled = Settled(work.keep.id, at=work.keep.fired.at, kept=work.keep, note=rules.TAKEN_BACK)
        else:
            settled = _one(ask, work, space, api, world, forbidden)
        process.settled(ask.urn, ask.token, space, [settled.id])
    process.keep(ask.urn, ask.attempt, settled)
    return settled


def _one(ask: Ask, work: rules.Work, space: Hashable, api: Starter, world: World, forbidden: str) -> Settled:
    if work.look:
        moments = list(work.look[0].moments)
        sent = all(world.process.minted(moment) for moment in moments)
        asked = Looked(moments, work.replaced, token=ask.token, sent=sent)
        found = _before_firing(ask.urn, asked, space, api, world)
        if found:
            return found
    if forbidden:
        raise errors.RunsError(forbidden)
    try:
        return _fire(ask, work.replaced, space, api, world)
    except errors.Occupied as occupied:
        old = work.replaced
        if not old or occupied.by != old.id or world.process.before(ask.urn, ask.attempt).deleted:
            raise
        # An earlier up forced a replacement that could not fire: without this each further one would fail as well.
        world.warn(f"{occupied}. The recorded run stays")
        return Settled(old.id, at=old.fired.at, kept=old)


def _fire(ask: Ask, old: Recorded | None, space: Hashable, api: Starter, world: World) -> Settled:
    process, pauses, leave = world.process, list(AGAIN_PAUSES), world.leave()
    while True:
        sent = process.attempting(ask.urn, ask.attempt)
        try:
            started = api.start(leave)
            break
        except (errors.Refused, errors.NotReached, errors.InvalidConfiguration, errors.Orphaned) as refused:
            process.sent(ask.urn, ask.attempt)  # not when it was handed over: a client may ask other things first
            if nothing_ran(refused):
                process.refused(ask.urn, ask.attempt)
            if not once_more(refused, pauses):
                raise
        except Exception as lost:  # noqa: BLE001 - whatever it was, a bug of ours included: the request may have arrived
            return _lost_answer(ask.urn, Looked([sent], old, token=ask.token, sent=True), lost, space, api, world)
        world.sleep(pauses.pop(0) * random.uniform(0.75, 1.25))
    settled = Settled(started.id, "fired", fired_at(started, sent.at), started=started)
    if not process.claim(space, started.id, ask.urn):
        world.warn(
            f"the service answered with run {errors.clean(started.id)}, which is recorded already: nothing new may "
            "have run. Look for it in the console; a changed trigger requests it once more"
        )
    return settled


def once_more(refused: Exception, pauses: Sequence[float]) -> bool:
    """Whether it is sent again, after the first of these pauses. Connecting is not repeated within a start: its engine
    may be gone by then."""
    patient = isinstance(refused, errors.Throttled) or (type(refused) is errors.NotReached and len(pauses) > 1)
    return patient and bool(pauses)


def nothing_ran(refused: Exception) -> bool:
    """Whether it is certain, so that another try in this process needs no look. A refusal is what the service says, and
    it may have started the run all the same; only a request for patience is believed, since it is tried again here."""
    return isinstance(refused, errors.Throttled) or not isinstance(refused, errors.Refused)


# -- looking


def _before_firing(urn: str, asked: Looked, space: Hashable, api: Starter, world: World) -> Settled | None:
    """An earlier `up` may have fired. None means: certainly not, so fire."""
    world.sleep(SIBLINGS_SECONDS)
    look = _Look(urn, asked, space, api, world)
    settle = max(0.0, world.times.settle - world.process.quiet(asked.moments))
    try:
        seen = look.until(settle, settle, _LOOKING)
    except (errors.Unavailable, errors.Refused) as error:
        raise errors.Unavailable(
            "nothing was fired: an earlier `pulumi up` may have started this run, and that could not be looked up. "
            f"{error}"
        ) from error
    if seen.sight is Sight.FORGOTTEN:
        at = min(moment.at for moment in asked.moments)
        raise errors.UnknownOutcome(
            f"nothing was fired: an earlier `pulumi up` may have started this run on {rfc3339(at)}, too long ago for "
            "the service to tell. If it did not, change a trigger to fire it now; if it did, set adopt_id"
        )
    return look.taken(seen, "found run {run} of an interrupted up; for a new run change a trigger")


def _lost_answer(urn: str, asked: Looked, lost: Exception, space: Hashable, api: Starter, world: World) -> Settled:
    """The start was sent in this process, so its time is known; only the lag of the list is not."""
    look = _Look(urn, asked, space, api, world)
    end, trouble = world.times.settle + LOOK_SECONDS, ""
    try:
        with world.process.doubting(urn, [api.work]):
            seen = look.until(world.times.settle, end, "the answer was lost; looking for the run")
        if found := look.taken(seen, "the answer was lost, the run was found: {run}"):
            return found
    except (errors.Unavailable, errors.Refused) as error:
        trouble = f" The last query failed: {error}"
    except errors.Interrupted:
        trouble = " The look-up was interrupted."
    raise errors.UnknownOutcome(
        f"{str(lost).rstrip('.')}. The run may have started: it was looked for during {end:.0f} s and not found, and "
        f"nothing was fired again.{trouble} The next `pulumi up` checks again before it fires; if you find the run in "
        "the console, set adopt_id to its id"
    ) from lost


@dataclass
class _Look:
    """Looks for the run of one ask, again and again."""

    urn: str
    asked: Looked
    space: Hashable
    api: Starter
    world: World

    def until(self, settle: float, end: float, what: str) -> Seen:
        """What is shown once it may be decided on: a run that our marker proves at once; another when `settle` seconds
        are over, since ours may still come to be; none, and an error, after `end` seconds."""
        limit, clock, pause = self.world.limit(end + LOOK_SECONDS), self.world.process.clock.monotonic, 1.0
        began, proves = clock(), self.api.marked and self.asked.marker_proves
        while True:
            waited = clock() - began
            if proves or waited >= settle:
                seen = self._once(limit, forgiving=waited < end)
                if seen.candidates and (waited >= settle or (seen.marked and seen.sight is Sight.OURS)):
                    return seen
                if waited >= end:
                    return seen
            left = end - waited
            self.world.tell(f"{what}, {left:.0f} s left")
            self.world.sleep(min(pause, settle - waited if waited < settle else left))
            pause = min(pause * 2, 4.0)

    def _once(self, limit: Limit, *, forgiving: bool) -> Seen:
        try:
            return self.once(limit)
        except (errors.Unavailable, errors.Throttled):
            if not forgiving:
                raise
            return Seen(Sight.NONE)

    def once(self, limit: Limit) -> Seen:
        api, world = self.api, self.world
        since = looking.since(self.asked.moments, world.clocks(), self.asked.after)
        found = world.ask(lambda: api.find(since, limit), limit)
        sharers = max(1, world.process.doubters(api.work))
        listing = listed(found, self.space, world, [self.asked.after])
        return looking.read(listing, {"": replace(self.asked, sharers=sharers)})[""]

    def taken(self, seen: Seen, note: str) -> Settled | None:
        """The run that is recorded; None if there is none. Raises Ambiguous for runs that may be ours."""
        if seen.sight is Sight.NONE:
            return None
        if seen.sight is not Sight.OURS:
            raise ambiguous(seen)
        free = (c for c in seen.candidates if self.world.process.claim(self.space, c.id, self.urn))
        run = next(free, None)
        if run is None:  # others have taken them meanwhile: as many asks as runs have come to them
            return None
        self.world.warn(note.format(run=errors.clean(run.id)) + ended(run))
        return Settled(run.id, "found", run.began)


def listed(found: Found, space: Hashable, world: World, own: Sequence[Recorded | None]) -> Listing:
    """The list, without what this stack has on record. Raises Unavailable for a service's time that none can have."""
    known = frozenset(id for run in own if run for id in run.ids.values())
    free = world.process.free(space, found.candidates)
    return Listing(found, free, world.clocks(found.server_time), known)


def ended(run: Candidate) -> str:
    """A run that has ended is not taken without saying so."""
    return f" (it has ended: {run.phase.value})" if run.phase.terminal else ""


def ambiguous(seen: Seen) -> errors.Ambiguous:
    return errors.Ambiguous(
        f"nothing more was fired: {candidates(seen)}. If one is yours, set adopt_id to its id; if none is, change a "
        "trigger to fire a new run",
        [candidate.id for candidate in seen.candidates],
    )


def candidates(seen: Seen) -> str:
    """Names the runs that may be of an ask, and why none of them is taken where that is not plain."""
    cancelled = all(candidate.phase is Phase.CANCELLED for candidate in seen.candidates)
    why = "; what was cancelled is not taken for a run that is wanted" if cancelled else ""
    listed = looking.describe(seen.candidates, rfc3339)
    return f"an earlier request may have started one of these runs: {listed}{why}"


def fired_at(started: Started, sent: datetime) -> datetime:
    """The earlier of the service's time and ours, since later looks take what began before it for older runs; ours
    alone where the service's is nonsense."""
    return min(started.at, sent) if abs(started.at - sent) <= CLOCKS else sent
