"""At most once: when a start request may be sent, and what is done when its answer is lost.

No Pulumi and no HTTP library here; clock and sleep are passed in. design.md, "How the promise is kept", is the
contract; each function below is one of its tables. A run costs money and cannot be taken back: when in doubt,
nothing is fired.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

from cloud_runs import errors
from cloud_runs.promise.record import PROCESS, Clock, Content, Intent, Memory, Recorded, intent_urn
from cloud_runs.runs import Candidate, Found, Started, rfc3339

_BEGAN = time.monotonic()

AGAIN_PAUSES = (1.0, 2.0, 4.0)
"""Seconds, with jitter, before a start is sent again that was refused for too many requests, or that did not arrive
(then once less)."""
LOOK_SECONDS = 60.0
"""How long a lost answer is looked for before the `up` gives up. Lists may lag."""
SETTLE_SECONDS = 10.0
"""An earlier process may have fired just before this one began, and lists lag: this old must this process be before
"no run found", or "one run found" without a marker of ours, is believed. After a lost answer it is looked that long."""
SIBLINGS_SECONDS = 1.0
"""The engine asks for the diffs of sibling runs, which tell their recorded ids, within about this time."""
TICK = timedelta(seconds=2)
"""Services give whole seconds, in `Date` and in their lists, so two times of one moment may differ by this much."""
SKEW = timedelta(minutes=15)
"""A clock that is further off than this is refused by the signature check (RequestTimeTooSkewed), but Tencent bears one
that is slow: see `clocks_agree`."""
CLOCKS = timedelta(hours=3)
"""A service's time that is further than this from ours is nonsense, or our clock is wrong, which must not hide a run.
(Tencent CI takes what a clock has signed that is 10,000 s slow.)"""
ADOPT_WITHIN = timedelta(minutes=10)
"""A run without a marker of ours is taken for the lost one only if it began within this time of the intent."""
FORGET_AFTER = timedelta(days=7)
"""Beyond this the system may have forgotten a run, so "no run found" proves nothing."""


class Starter(Protocol):
    """One request, bound to the system that it is for."""

    @property
    def work(self) -> Hashable:
        """Equal for requests that a look-up cannot tell apart."""

    def prepare(self) -> None: ...

    def start(self) -> Started: ...

    def find(self, since: datetime) -> Found: ...


TAKEN_BACK = (
    "the change was taken back, so the recorded run stays; a run that an interrupted up may have started for the "
    "change is not recorded"
)


@dataclass(frozen=True)
class Ask:
    """What one `create()` is asked for. `intent` is None if the engine brought no token; `ignored` are the properties
    under `ignore_changes`."""

    urn: str
    system: Hashable
    intent: Intent | None
    content: Content
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settled:
    """One run for one ask. `provenance`: `fired`, `found`, or `kept` (the resource's old run stays on record).

    `at` is when the run was fired, in server time. `note` is to be shown to the user, if there is one.
    """

    id: str
    provenance: str
    at: datetime | None
    note: str = ""
    started: Started | None = None
    kept: Recorded | None = None


@dataclass(frozen=True)
class World:
    """What firing needs of the outside. `engine_alive` is asked right before each start: an orphan never fires."""

    memory: Memory
    engine_alive: Callable[[], bool]
    tell: Callable[[str], None] = lambda text: None
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], Clock] = Clock.read
    began: float = _BEGAN


def settle(ask: Ask, api: Starter, world: World) -> Settled:
    """The decision table of `create()`; the order matters. Returns one run, or raises and then has fired nothing
    that it does not name. Asked again for the same intent in this process (an error hook may), it returns the same run.

    Raises Refused or NotReached (nothing ran), UnknownOutcome (what was tried, what to do), Ambiguous (lists the
    candidates), Unavailable (the service cannot be asked; nothing fired), RunsError (no intent; orphan).
    """
    memory, intent = world.memory, ask.intent
    if intent is None:
        raise not_intended(ask.urn)
    minted_here = intent.process == PROCESS
    if not minted_here and _other_work(intent.content, ask):
        raise not_intended(ask.urn)  # firing under a token that stands for other work could fire twice
    before = memory.outcome(ask.urn, intent.token)
    if isinstance(before, Settled):
        return before
    settled = _settle(ask, intent, minted_here, api, world)
    memory.keep(ask.urn, intent.token, settled)
    return settled


def _settle(ask: Ask, intent: Intent, minted_here: bool, api: Starter, world: World) -> Settled:
    memory = world.memory
    with memory.one_at_a_time(api.work):
        old, just_deleted = memory.old(ask.urn, intent.token)
        # Under the token on record beside it the replacement was forced, and no change has been taken back.
        if old and not just_deleted and old.shown != intent.token and not _other_work(old.content, ask):
            memory.settled(ask.urn, intent.token, ask.system, old.id)
            return Settled(old.id, "kept", old.fired_at, TAKEN_BACK, kept=old)
        if memory.attempted(ask.urn, intent.token) or not (minted_here or just_deleted):
            found = _look_before_firing(ask, intent, old, api, world)
            if found:
                return found
        try:
            return _fire(ask, intent, api, world)
        except errors.Occupied as occupied:
            if not old or occupied.by != old.id or just_deleted:
                raise
            # An earlier up forced a replacement that could not fire: without this each further one would fail as well.
            note = f"{occupied}. The recorded run stays"
            memory.settled(ask.urn, intent.token, ask.system, old.id)
            return Settled(old.id, "kept", old.fired_at, note, kept=old)


def _other_work(content: Content, ask: Ask) -> list[str]:
    """In what it was made or fired for something else; not what is under `ignore_changes`, which `create` gets raw."""
    return [name for name in content.differences(ask.content) if name.split(".")[0] not in ask.ignored]


def not_intended(urn: str) -> errors.RunsError:
    return errors.RunsError(
        "nothing was fired: its intent is not part of this update, or was made for other arguments. Leave --target and "
        f"--exclude away, or name the intent too: {intent_urn(urn)}. If a transform changes arguments of the run, "
        "change a trigger"
    )


def _fire(ask: Ask, intent: Intent, api: Starter, world: World) -> Settled:
    pauses = list(AGAIN_PAUSES)
    while True:
        api.prepare()
        if not world.engine_alive():
            raise errors.RunsError(
                "nothing was fired: the Pulumi engine that asked for this run is gone. Run `pulumi up` again"
            )
        sent = world.now()
        world.memory.attempting(ask.urn, intent.token)
        try:
            started = api.start()
            break
        except (errors.Refused, errors.NotReached, errors.InvalidConfiguration) as refused:
            world.memory.refused(ask.urn, intent.token)
            # Connecting is not repeated within a start: its engine may be gone by then.
            again = isinstance(refused, errors.Throttled) or (type(refused) is errors.NotReached and len(pauses) > 1)
            if not (again and pauses):
                raise
        except Exception as lost:  # noqa: BLE001 - whatever it was, a bug of ours included: the request may have arrived
            return _look_for_lost_answer(ask, sent, lost, api, world)
        world.sleep(pauses.pop(0) * random.uniform(0.75, 1.25))
    world.memory.settled(ask.urn, intent.token, ask.system, started.id)
    return Settled(started.id, "fired", fired_at(started, sent), started=started)


def _look_for_lost_answer(ask: Ask, sent: datetime, lost: Exception, api: Starter, world: World) -> Settled:
    """The start was sent in this process, so its time is known; only the list's lag is not."""
    world.tell("the answer was lost; looking for the run")
    began = world.monotonic()
    pause, trouble = 1.0, ""
    while True:
        waited = world.monotonic() - began
        seen = _Seen()
        try:
            seen = _look(ask, api, world, sent - TICK, sent=True)
        except (errors.Unavailable, errors.Refused) as error:
            trouble = f" The last look-up failed: {error}"
        if seen.settled(waited):
            note = f"the answer was lost, the run was found: {seen.candidates[0].id}"
            return _adopt_only(ask, seen, [c for c in seen.candidates if c.proof or (c.exact and c.began)], note, world)
        if waited >= LOOK_SECONDS:
            break
        world.sleep(min(pause, LOOK_SECONDS - waited))
        pause = min(pause * 2, 10.0)
    raise errors.UnknownOutcome(
        f"{str(lost).rstrip('.')}. The run may have started: it was looked for during {LOOK_SECONDS:.0f} s and not "
        f"found, and nothing was fired again.{trouble} The next `pulumi up` looks again before it fires; if you find "
        "the run in the console, set adopt_id to its id"
    ) from lost


def _look_before_firing(ask: Ask, intent: Intent, old: Recorded | None, api: Starter, world: World) -> Settled | None:
    """An earlier `up` may have fired this intent. None means: certainly not, so fire."""
    world.tell(f"an earlier up may have started this run: looking for it before firing (about {SETTLE_SECONDS:.0f} s)")
    world.sleep(SIBLINGS_SECONDS)
    minted_at, margin = when(intent, world)
    pause = 1.0
    while True:
        waited = world.monotonic() - world.began
        try:
            seen = _look(ask, api, world, minted_at - margin, old)
            clocks_agree(margin, seen.offset)
        except (errors.Unavailable, errors.Refused) as error:
            raise errors.Unavailable(
                "nothing was fired: an earlier `pulumi up` may have started this run, and that could not be looked up. "
                f"{error}"
            ) from error
        if seen.settled(waited):
            minted = minted_at + seen.offset
            near = [c for c in seen.candidates if c.proof or is_near(c, minted)]
            note = f"found run {seen.candidates[0].id} of an interrupted up; for a new run change a trigger"
            return _adopt_only(ask, seen, near, note, world)
        if waited >= SETTLE_SECONDS:
            break
        world.sleep(min(pause, SETTLE_SECONDS - waited))
        pause = min(pause * 2, 4.0)
    if world.now() - minted_at > FORGET_AFTER and not seen.remembers:
        raise errors.UnknownOutcome(
            f"nothing was fired: an earlier `pulumi up` may have started this run on {rfc3339(minted_at)}, too "
            "long ago for the service to tell. If it did not, change a trigger to fire it now; if it did, set adopt_id"
        )
    return None


@dataclass(frozen=True)
class _Seen:
    """What one look-up showed: runs that may be the lost one, oldest first, and what to add to our clock to get the
    server's. `remembers`: the list goes back to the resource's old run, so the service has forgotten none since."""

    candidates: list[Candidate] = field(default_factory=list)
    offset: timedelta = timedelta(0)
    remembers: bool = False

    def settled(self, waited: float) -> bool:
        """Whether it may be decided on. A run with our marker is ours at once; another may be joined by ours, which a
        lagging list does not show yet."""
        return bool(self.candidates) and (waited >= SETTLE_SECONDS or any(c.proof for c in self.candidates))


def _look(
    ask: Ask, api: Starter, world: World, since: datetime, old: Recorded | None = None, *, sent: bool = False
) -> _Seen:
    """Never a candidate: a run that this stack has on record, the resource's own old one, and what began before it.

    `sent`: the request was sent at `since`. What began before cannot be it, though it may have our marker: a forced
    replacement keeps the intent, so each run that was fired for that intent has it.
    """
    found = api.find(since - SKEW)  # our clock may be off by as much; filtered below, in server time
    offset = offset_of(found, world)
    free = world.memory.free(ask.system, found.candidates)
    candidates = [c for c in free if (c.proof and not sent) or began_since(c, since + offset)]
    if old:
        after = old.fired_at
        candidates = [c for c in candidates if c.id != old.id and (after is None or began_since(c, after))]
    remembers = old is not None and any(c.id == old.id for c in found.candidates)
    return _Seen(sorted(candidates, key=lambda candidate: candidate.began or since), offset, remembers)


def strays(system: Hashable, former: Intent, api: Starter, world: World) -> list[str]:
    """Runs that an interrupted `up` may have started for an intent that was replaced since: they are on no record.

    Asked before anything is fired. Raises Unavailable or Refused.
    """
    world.sleep(SIBLINGS_SECONDS)
    minted_at, margin = when(former, world)
    found = api.find(minted_at - margin - SKEW)
    offset = offset_of(found, world)
    clocks_agree(margin, offset)
    free = world.memory.free(system, found.candidates)
    return [c.id for c in free if c.proof or is_near(c, minted_at + offset)]


def when(intent: Intent, world: World) -> tuple[datetime, timedelta]:
    """When an intent was made, by our clock, and by how much that may be off."""
    clock = world.clock()
    same = bool(clock.boot) and clock.boot == intent.clock.boot
    minted_at = world.now() - timedelta(seconds=clock.uptime - intent.clock.uptime) if same else intent.minted_at
    # Only another clock can have put the intent later than the run that it was made for.
    return minted_at, TICK if same else SKEW


def clocks_agree(margin: timedelta, offset: timedelta) -> None:
    """Raises Unavailable if the moment is another machine's and this one's clock is far off: a service may bear it
    (Tencent one that is slow), but a run that began after that moment would seem to have begun before."""
    if margin >= SKEW and abs(offset) > SKEW:
        raise errors.Unavailable(
            "the `pulumi up` was on another machine, and it cannot be told which runs are new, since this machine's "
            f"clock is {abs(offset).total_seconds():.0f} s off. Set the clock"
        )


def is_near(candidate: Candidate, minted: datetime, within: timedelta = ADOPT_WITHIN) -> bool:
    """Whether a run without a marker can be taken for the one that the intent of this time was made for."""
    began = candidate.began
    return candidate.exact and began is not None and minted - TICK <= began <= minted + within


def offset_of(found: Found, world: World) -> timedelta:
    """What to add to our clock to get the server's. Raises Unavailable for a time that no service's clock can have."""
    if not found.server_time:
        return timedelta(0)
    offset = found.server_time - world.now()
    if abs(offset) > CLOCKS:
        raise errors.Unavailable(
            f"the service says that it is {rfc3339(found.server_time)}, so it cannot be told which runs are new: check "
            "this machine's clock"
        )
    return offset


def fired_at(started: Started, sent: datetime) -> datetime:
    """In server time, unless that is nonsense: later look-ups take what began before for older runs."""
    return started.at if abs(started.at - sent) <= CLOCKS else sent


def began_since(candidate: Candidate, moment: datetime) -> bool:
    """Whether it began then or later; one whose time is not known may have."""
    return candidate.began is None or candidate.began >= moment


def _adopt_only(ask: Ask, seen: _Seen, near: list[Candidate], note: str, world: World) -> Settled:
    """Adopts if there is one candidate and it can be ours; otherwise says what was found."""
    candidates = seen.candidates
    if len(candidates) > 1 or not near:
        listed = ", ".join(
            f"{c.id} (began {rfc3339(c.began) if c.began else 'at an unknown time'})" for c in candidates[:10]
        )
        more = f" and {len(candidates) - 10} more" if len(candidates) > 10 else ""
        raise errors.Ambiguous(
            f"nothing more was fired: an earlier request may have started one of these runs: {listed}{more}. If one is "
            "yours, set adopt_id to its id; if none is, change a trigger to fire a new run",
            [candidate.id for candidate in candidates],
        )
    token = ask.intent.token if ask.intent else ""
    world.memory.settled(ask.urn, token, ask.system, near[0].id)
    return Settled(near[0].id, "found", near[0].began, note)
