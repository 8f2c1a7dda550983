"""What a list says of what was asked for. Pure: a list, the asks and the clocks go in, and for each ask what it shows.

*May it be ours?* is wide, *is it surely ours?* is narrow. Between the two nothing is fired and nothing is taken: the
run is named. Times are compared as the service tells them; no clock is believed further than it must be.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import cached_property

from cloud_runs.promise.records import Moment, Recorded
from cloud_runs.runs import Candidate, Found, Phase

TICK = timedelta(seconds=2)
"""Services give whole seconds, in `Date` and in their lists, so two times of one moment may differ by this much."""
BESIDE = TICK
"""A replacement is forced by an `up` of its own, so what began so soon after the run that it replaces is none."""
SKEW = timedelta(minutes=15)
"""How far a clock may be off, ours or that of a service's `Date` from that of its lists: with more than this a service
refuses a signature (RequestTimeTooSkewed)."""
NEAR = timedelta(minutes=10)
"""A run without a marker of ours is taken for the lost one only if it began within this time of an attempt."""
CLOCKS = timedelta(hours=3)
"""A service's time that is further from ours is nonsense, or our clock is wrong, which must not hide a run."""
FORGET = timedelta(days=7)
"""Beyond this a service may have forgotten a run, so that none found proves nothing."""


_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


class Sight(Enum):
    NONE = "no run that may be ours"
    OURS = "one run, and it is surely ours"
    DOUBT = "runs that may be ours, and none of them surely"
    FORGOTTEN = "none, and it is too long ago for the service to tell"


@dataclass(frozen=True)
class Seen:
    """What a list shows of one ask. `candidates`: the runs that may be ours, oldest first."""

    sight: Sight
    candidates: tuple[Candidate, ...] = ()

    @property
    def run(self) -> Candidate:
        return self.candidates[0]

    @property
    def marked(self) -> bool:
        """A run with our marker needs no second look; another may be joined by ours, which a list may show late."""
        return any(candidate.proof for candidate in self.candidates)


@dataclass(frozen=True)
class Clocks:
    """This machine's clocks at the time of the look, and the service's in its answer (None if it told none)."""

    now: datetime
    boot: str
    uptime: float
    server: datetime | None = None

    def estimates(self, moment: Moment) -> list[datetime]:
        """When the moment may have been: by the time of day that was noted, by the kernel's clock, and both by the
        clock of the service. Each of them may be off: a time of day is corrected, a machine is paused and restored, a
        service has more than one clock."""
        ours = [moment.at]
        if self.boot and self.boot == moment.boot:
            ours.append(self.now - timedelta(seconds=self.uptime - moment.uptime))
        offset = self.server - self.now if self.server else timedelta(0)
        return [*ours, *(at + offset for at in ours)]


@dataclass(frozen=True)
class Looked:
    """What is looked for of one ask. `sharers`: so many asks of this stack are in doubt about the same work.

    `after`: the run or fan-out on record that is replaced; a run of ours began after its own, and is none of those.
    `token`: the intent's, which the marker is made of. `sent`: the moments are those of starts of this process, so that
    a run of theirs began no earlier, whatever marker it has.
    """

    moments: Sequence[Moment]
    after: Recorded | None = None
    sharers: int = 1
    token: str = ""
    sent: bool = False

    @property
    def same_marker(self) -> bool:
        """Whether what is replaced has the same marker: a forced replacement keeps the intent."""
        return self.after is not None and self.token == self.after.fired.token

    @property
    def marker_proves(self) -> bool:
        """Whether the first run seen with our marker is surely the one that is looked for. Not where other starts under
        this intent may have left one: those before it that were replaced by force, or of a change that was taken back
        (then the intent is beside what is on record)."""
        return self.after is None or self.token not in (self.after.fired.token, self.after.fired.shown)

    def began_beside(self, candidate: Candidate, listing: Listing) -> bool:
        """Whether it began with the run that a forced replacement replaces, like one of another resource or of somebody
        else. Of another intent its own moment tells as much."""
        if self.after is None or not self.same_marker or candidate.began is None:
            return False
        own = begun(self.after, candidate.key, listing, timedelta(0))
        return own is not None and candidate.began <= _plus(own, BESIDE)

    def began_after(self, candidate: Candidate, listing: Listing, margin: timedelta) -> bool:
        """Whether it began after the run that is replaced. A marker tells as much, unless that run has the same one."""
        if self.after is None or (candidate.proof and not self.same_marker):
            return True
        return began_since(candidate, begun(self.after, candidate.key, listing, margin))


@dataclass(frozen=True)
class Listing:
    """A list with what this stack has on record taken out: `free` are the candidates that nobody has."""

    found: Found
    free: Sequence[Candidate]
    clocks: Clocks
    known: frozenset[str] = field(default_factory=frozenset)
    """Ids of runs on record: if the list shows one, the service has forgotten none since."""

    @cached_property
    def began(self) -> Mapping[str, datetime]:
        """When each run of the list began, where it tells."""
        return {candidate.id: candidate.began for candidate in self.found.candidates if candidate.began}

    @cached_property
    def reaches(self) -> datetime | None:
        """When the first of the runs on record began that the list shows."""
        return min((began for id, began in self.began.items() if id in self.known), default=None)


def read(listing: Listing, asks: Mapping[str, Looked]) -> dict[str, Seen]:
    """For each ask by its key (a run's is '') what the list shows."""
    by_key: dict[str, list[Candidate]] = {}
    for candidate in {(candidate.key, candidate.id): candidate for candidate in listing.free}.values():
        if candidate.key in asks and may_be(candidate, asks[candidate.key], listing):
            by_key.setdefault(candidate.key, []).append(candidate)
    shared = Counter(candidate.id for candidates in by_key.values() for candidate in candidates)
    near = near_ids(listing, asks, by_key)
    return {key: _seen(key, ask, by_key.get(key, []), near, shared, listing) for key, ask in asks.items()}


def _seen(
    key: str,
    ask: Looked,
    candidates: list[Candidate],
    near: Collection[str],
    shared: Mapping[str, int],
    listing: Listing,
) -> Seen:
    if not candidates:
        return Seen(Sight.FORGOTTEN if _forgotten(key, ask, listing) else Sight.NONE)
    ordered = tuple(sorted(candidates, key=lambda candidate: candidate.began or listing.clocks.now))
    # So many asks and at most as many runs of the same work: any assignment is right.
    enough = len(ordered) <= ask.sharers and all(shared[candidate.id] == 1 for candidate in ordered)
    sure = enough and all(_is_sure(candidate, ask, near, listing) for candidate in ordered)
    return Seen(Sight.OURS if sure else Sight.DOUBT, ordered)


def _forgotten(key: str, ask: Looked, listing: Listing) -> bool:
    """Whether the service may have forgotten a run of that time, so that none found proves nothing. Not if the list
    goes back to a run on record that is as old."""
    times = [time for moment in ask.moments for time in listing.clocks.estimates(moment)]
    after = begun(ask.after, key, listing, timedelta(0)) if ask.after else None
    first = max(filter(None, (min(times, default=None), after)), default=listing.clocks.now)
    forgets = listing.clocks.now - first > FORGET
    return forgets and not (listing.reaches and listing.reaches <= _plus(first, NEAR))


def _is_sure(candidate: Candidate, ask: Looked, near: Collection[str], listing: Listing) -> bool:
    """A marker of ours, or a run that began near an attempt, and not before the run that it replaces. One that was
    cancelled is never taken: somebody did not want it."""
    if candidate.phase is Phase.CANCELLED or ask.began_beside(candidate, listing):
        return False
    proof = candidate.proof and (not ask.sent or candidate.began is None)
    return ask.began_after(candidate, listing, TICK) and (proof or candidate.id in near)


def may_be(candidate: Candidate, ask: Looked, listing: Listing) -> bool:
    """Whether this run can be one that was started for this ask. What carries our marker is never left out by time, but
    for what began before the run that is replaced: a forced replacement keeps the intent, and so the marker."""
    if ask.after and (candidate.id in ask.after.ids.values() or candidate.id in ask.after.fired.left):
        return False
    if not ask.began_after(candidate, listing, SKEW):
        return False
    proof = candidate.proof and not ask.sent
    return proof or began_since(candidate, earliest(ask.moments, listing))


def earliest(moments: Iterable[Moment], listing: Listing) -> datetime | None:
    """Since when a run can be of one of these moments, as the list tells times."""
    times = [time for moment in moments for time in listing.clocks.estimates(moment)]
    return _minus(min(times), SKEW) if times else None


def begun(own: Recorded, key: str, listing: Listing, margin: timedelta) -> datetime | None:
    """When the run on record of this object began, as the list tells times: by its own row, else by what is on record,
    which is the time of another clock, so less a margin."""
    row = listing.began.get(own.ids.get(key, ""))
    if row:
        return row
    return _minus(own.fired.at, margin) if own.fired.at else None


def near_ids(listing: Listing, asks: Mapping[str, Looked], by_key: Mapping[str, Sequence[Candidate]]) -> frozenset[str]:
    """The runs that began near an attempt, or near another such run: many starts go on for as long as their pace takes,
    but there is never that long a time between two of them."""
    moments = {moment for ask in asks.values() for moment in ask.moments}
    times = deque(sorted({time for moment in moments for time in listing.clocks.estimates(moment)}))
    candidates = (c for found in by_key.values() for c in found if c.exact or c.proof)
    near, reach = set[str](), _LONG_AGO
    for at, id in sorted((c.began, c.id) for c in candidates if c.began):
        while times and _minus(times[0], TICK) <= at:
            reach = max(reach, _plus(times.popleft(), NEAR))
        if at <= reach:
            near.add(id)
            reach = max(reach, _plus(at, NEAR))
    return frozenset(near)


def strays(listing: Listing, moments: Sequence[Moment], after: Recorded | None = None) -> list[Candidate]:
    """Runs that interrupted `up`s may have started for an intent that was given up since: they are on no record.

    They are told and not taken, so this is as wide as can be: each `up` until now may have fired for that intent.
    `after`: the run on record that a replacement under that intent has deleted.
    """
    first = earliest(moments, listing)
    return [
        candidate
        for candidate in {candidate.id: candidate for candidate in listing.free}.values()
        if (candidate.proof or began_since(candidate, first))
        and (after is None or began_since(candidate, begun(after, candidate.key, listing, SKEW)))
    ]


def began_since(candidate: Candidate, moment: datetime | None) -> bool:
    """Whether it began then or later; one whose time is not known may have."""
    return candidate.began is None or moment is None or candidate.began >= moment


def since(moments: Iterable[Moment], clocks: Clocks, own: Recorded | None) -> datetime:
    """Since when a list is asked for: it must show all that `may_be` can take, and the runs on record where they tell
    how the list's times compare, or whether the service has forgotten any."""
    times = [time for moment in moments for time in clocks.estimates(moment)] or [clocks.now]
    first = _minus(min(times), SKEW)
    at = own.fired.at if own else None
    if at and (clocks.now - first > FORGET or at > _minus(first, CLOCKS)):
        return min(first, _minus(at, SKEW))
    return first


def describe(candidates: Sequence[Candidate], told: Callable[[datetime], str], most: int = 10) -> str:
    """`id (began 2024-.., succeeded), ...`."""
    shown = [_described(candidate, told) for candidate in candidates[:most]]
    more = f" and {len(candidates) - most} more" if len(candidates) > most else ""
    return ", ".join(shown) + more


def _described(candidate: Candidate, told: Callable[[datetime], str]) -> str:
    when = f"began {told(candidate.began)}" if candidate.began else "began at an unknown time"
    state = f", {candidate.phase.value}" if candidate.phase is not Phase.UNKNOWN else ""
    return f"{candidate.id} ({when}{state})"


def _minus(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment - by
    except OverflowError:
        return moment


def _plus(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment
