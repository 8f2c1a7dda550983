"""Many starts at once, each at most once: what `firing.py` does for one run, for the objects of a fan-out.

The rules are the same, object by object. What differs: the starts share one pace, a start that was refused does not
stop the others, and what an earlier `up` may have started is looked up in one list for all of them.

What does NOT happen: nothing raises once a start was sent; an object whose start may have run is not started again.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

from cloud_runs import errors
from cloud_runs.promise.firing import (
    ADOPT_WITHIN,
    FORGET_AFTER,
    LOOK_SECONDS,
    SETTLE_SECONDS,
    SIBLINGS_SECONDS,
    SKEW,
    TICK,
    World,
    began_since,
    clocks_agree,
    fired_at,
    offset_of,
    when,
)
from cloud_runs.promise.pacing import TICK_SECONDS, Pace
from cloud_runs.promise.record import Intent, Recorded
from cloud_runs.runs import Candidate, Found, Started, rfc3339

TRIES = 8
"""Of one start that was refused for too many requests, or that did not arrive."""
LOST_IN_A_ROW = 16
"""Starts without an answer that can be used, after which the others are not sent: each may be an unknown run."""
MISSED_IN_A_ROW = 64
"""Starts that did not arrive, after which the others are not sent."""
THROTTLED_SECONDS = 300.0
"""How long the service may ask for fewer requests and accept none, before the others are not sent."""

LOOK_PAUSE = 10.0  # seconds between two looks for lost answers

NOT_SENT = "not sent"
_AGAIN = "To fire it all the same, take the object out of the list for one `pulumi up`"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Fleet(Protocol):
    """The requests of a fan-out, by object."""

    def start(self, key: str) -> Started: ...

    def find(self, keys: Collection[str], since: datetime) -> Found: ...


@dataclass(frozen=True)
class Doubt:
    """Objects that an earlier `up` may have started, and the moments at which it may have begun to do so.

    `whenever`: it may have begun at any time since the first of them, so what began later is as near.
    """

    keys: Sequence[str]
    moments: Sequence[Intent]
    whenever: bool = False


@dataclass(frozen=True)
class Plan:
    """`fire`: objects that were certainly not started. `look`: those that may have been. `old` is the fan-out whose
    runs are replaced, `own` the one that is added to: what of it the list still shows has not been forgotten."""

    system: Hashable
    fire: Sequence[str]
    look: Sequence[Doubt] = ()
    old: Recorded | None = None
    own: Recorded | None = None


@dataclass
class Fanned:
    """What became of each object: its run's id, or why it has none. `at`: the latest start, in server time."""

    ids: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    """The objects whose run was found, and not fired here."""
    unsettled: int = 0
    """Refused ones that may have started all the same."""
    lost: int = 0
    """Those of them that were sent here, and whose run was not found."""
    shared: list[str] = field(default_factory=list)
    """The objects whose run another resource has taken for its own lost one."""
    at: datetime | None = None

    def add(self, key: str, id: str, at: datetime | None) -> None:
        self.ids[key] = id
        self.at = max(filter(None, (self.at, at)), default=None)

    def doubt(self, key: str, why: str) -> None:
        """No id is known, but it may have started."""
        self.unsettled += 1
        self.refused[key] = why


class FanOut:
    """One fan-out at work. `over`: whether the user has interrupted it; then no more is sent."""

    def __init__(
        self, plan: Plan, fleet: Fleet, world: World, *, concurrency: int, rate: float | None, over: Callable[[], bool]
    ) -> None:
        self._plan, self._fleet, self._world, self._over = plan, fleet, world, over
        self._concurrency = concurrency
        self._pace = Pace(rate, world.monotonic, world.sleep)
        self._lock = threading.Lock()
        self._left: deque[str] = deque()
        self._tries: Counter[str] = Counter()
        self._lost: dict[str, tuple[datetime, str]] = {}
        self._in_a_row: Counter[int] = Counter()
        self._accepted_at = world.monotonic()
        self._halted = ""
        self._remembers = False  # whether the last list went back to the runs on record
        self.result = Fanned()

    def run(self) -> Fanned:
        """Raises Unavailable if what may have been started could not be looked up, unless there is a fan-out on record
        that is added to; or if no thread can be had. Then nothing was sent."""
        fire = [*self._plan.fire, *self._missing()]
        self._accepted_at = self._world.monotonic()
        self._left.extend(fire)
        for thread in self._threads(min(self._concurrency, len(fire))):
            while thread.is_alive():
                thread.join(TICK_SECONDS)
                self._tell(len(fire))
        self._refuse_the_rest()
        if self._lost:
            self._find_lost()
        return self.result

    # -- starting

    def _threads(self, count: int) -> list[threading.Thread]:
        """As many as can be had: once one of them is at work, nothing may raise."""
        started: list[threading.Thread] = []
        for _ in range(count):
            thread = threading.Thread(target=self._work, daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                if not started:
                    raise errors.Unavailable(f"nothing was fired: {error}") from error
                break
            started.append(thread)
        return started

    def _work(self) -> None:
        while True:
            try:
                key = self._left.popleft()
            except IndexError:
                return
            self._pace.turn(lambda: bool(self._halted) or self._over())
            if not self._may_send():
                self._left.append(key)
                return
            self._start(key)

    def _may_send(self) -> bool:
        if self._over():
            self._halt("the update was interrupted")
        elif not self._world.engine_alive():
            self._halt("the Pulumi engine that asked for it is gone")
        return not self._halted

    def _start(self, key: str) -> None:
        sent = self._world.now()
        try:
            started = self._fleet.start(key)
        except (errors.Throttled, errors.NotReached) as error:
            self._again(key, error)
        except (errors.Refused, errors.InvalidConfiguration) as error:
            with self._lock:
                self.result.refused[key] = str(error)
            if isinstance(error, errors.Refused) and error.status in (401, 403):
                self._halt(str(error))  # the same key would be refused for each of them
        except Exception as error:  # noqa: BLE001 - whatever it was: the request may have arrived
            self._lose(key, sent, error)
        else:
            self._pace.accepted()
            free = self._world.memory.claim(self._plan.system, started.id)
            with self._lock:
                self._in_a_row.clear()
                self._accepted_at = self._world.monotonic()
                self.result.add(key, started.id, fired_at(started, sent))
                if not free:
                    self.result.shared.append(key)

    def _again(self, key: str, error: errors.RunsError) -> None:
        """Nothing ran: later, and all of them slower."""
        self._pace.slow_down()
        with self._lock:
            self._tries[key] += 1
            if self._tries[key] < TRIES:
                self._left.append(key)
            else:
                self.result.refused[key] = str(error)
        if isinstance(error, errors.NotReached):
            self._failed(error, MISSED_IN_A_ROW)
        elif self._world.monotonic() - self._accepted_at > THROTTLED_SECONDS:
            self._halt(str(error))

    def _lose(self, key: str, sent: datetime, error: Exception) -> None:
        with self._lock:
            self._lost[key] = (sent, str(error).rstrip("."))
        self._failed(error, LOST_IN_A_ROW)

    def _failed(self, error: Exception, limit: int) -> None:
        with self._lock:
            self._in_a_row[limit] += 1
            if self._in_a_row[limit] >= limit:
                self._halted = self._halted or str(error)

    def _halt(self, why: str) -> None:
        with self._lock:
            self._halted = self._halted or why

    def _refuse_the_rest(self) -> None:
        for key in self._left:
            self.result.refused[key] = f"{NOT_SENT}: {self._halted}"
        self._left.clear()

    def _tell(self, asked: int) -> None:
        started, refused = len(self.result.ids), len(self.result.refused)
        parts = [f"{started} of {asked + len(self.result.found)} started"]
        parts += [f"{count} {word}" for count, word in ((refused, "refused"), (len(self._lost), "lost")) if count]
        self._world.tell(", ".join(parts))

    # -- looking

    def _missing(self) -> list[str]:
        """The objects that no earlier `up` has started. The others are adopted, or refused where it cannot be told."""
        plan, world = self._plan, self._world
        doubtful = [doubt for doubt in plan.look if doubt.keys]
        if not doubtful:
            return []
        world.tell(
            f"an earlier up may have started runs: looking for them before firing (about {SETTLE_SECONDS:.0f} s)"
        )
        world.sleep(SIBLINGS_SECONDS)
        moments, since, widest = [], dict[str, datetime](), TICK
        for doubt in doubtful:
            times = [when(moment, world) for moment in doubt.moments]
            moments += [moment for moment, _ in times]
            widest = max(widest, *(margin for _, margin in times))
            since |= dict.fromkeys(doubt.keys, min(moment - margin for moment, margin in times))
        world.sleep(max(0.0, SETTLE_SECONDS - (world.monotonic() - world.began)))
        try:
            seen, offset = self._seen(since)
            clocks_agree(widest, offset)
        except (errors.Unavailable, errors.Refused) as error:
            if plan.own:  # what is in doubt is not fired; it keeps nothing else from being fired
                why = f"not fired: an earlier `pulumi up` may have started it, and that could not be looked up. {error}"
                for key in since:
                    self.result.doubt(key, f"{why.rstrip('.')}. The next `pulumi up` looks again. {_AGAIN}")
                return []
            raise errors.Unavailable(
                "nothing was fired: an earlier `pulumi up` may have started runs, and that could not be looked up. "
                f"{error}"
            ) from error
        missing = [key for key in since if key not in seen]
        if not self._remembers:
            missing = [key for key in missing if not self._forgotten(key, since[key])]
        near = _near(seen, [moment + offset for moment in moments])
        for doubt in doubtful:
            if doubt.whenever:
                near |= {c.id for key in doubt.keys for c in seen.get(key, ()) if c.exact and c.began}
        self._adopt(seen, near)
        return missing

    def _forgotten(self, key: str, since: datetime) -> bool:
        """Whether the service may have forgotten a run of that time, so that none found proves nothing."""
        if self._world.now() - since <= FORGET_AFTER:
            return False
        self.result.doubt(
            key,
            f"not fired: an earlier `pulumi up` may have started it on {rfc3339(since)}, too long ago for the service "
            f"to tell. {_AGAIN}",
        )
        return True

    def _find_lost(self) -> None:
        """The starts were sent in this process, so their times are known; only the lag of the list is not."""
        world, trouble, pause = self._world, "", SETTLE_SECONDS
        began = world.monotonic()
        while self._lost and not self._over():
            world.tell(f"{len(self._lost)} answers were lost; looking for the runs")
            world.sleep(pause)
            try:
                seen, _ = self._seen({key: sent - TICK for key, (sent, _) in self._lost.items()})
            except Exception as error:  # noqa: BLE001 - whatever it was: others were started, and must get on record
                seen, trouble = {}, f" The last look-up failed: {error}"
            else:
                trouble = ""
            self._adopt(seen, {c.id for found in seen.values() for c in found if c.exact and c.began})
            for key in seen:
                del self._lost[key]
            if (left := LOOK_SECONDS - (world.monotonic() - began)) <= 0:
                break
            pause = min(LOOK_PAUSE, left)
        for key, (_, lost) in self._lost.items():
            self.result.lost += 1
            self.result.doubt(
                key,
                f"{lost}. The run may have started and was not found; the next `pulumi up` looks again before it "
                f"fires.{trouble}",
            )

    def _seen(self, since: Mapping[str, datetime]) -> tuple[Mapping[str, list[Candidate]], timedelta]:
        """The runs that may be of each object and began at its moment of `since` or later, by our clock; and what to
        add to that to get the server's. Never one that this stack has on record, nor one from before the fan-out that
        is replaced."""
        world, old, own = self._world, self._plan.old, self._plan.own
        keys, earliest = set(since), min(since.values())
        if own and own.fired_at and world.now() - earliest > FORGET_AFTER:  # back to where a run of ours must be
            keys |= own.outputs["instance_ids"].keys()
            earliest = min(earliest, own.fired_at)
        found = self._fleet.find(keys, earliest - SKEW)
        offset = offset_of(found, world)
        known = {id for record in (old, own) if record for id in record.outputs["instance_ids"].values()}
        self._remembers = any(candidate.id in known for candidate in found.candidates)
        seen: dict[str, list[Candidate]] = {}
        for candidate in world.memory.free(self._plan.system, found.candidates):
            after = old.fired_at if old and old.fired_at else _LONG_AGO
            if candidate.key not in since:
                continue
            if began_since(candidate, since[candidate.key] + offset) and began_since(candidate, after):
                seen.setdefault(candidate.key, []).append(candidate)
        return seen, offset

    def _adopt(self, seen: Mapping[str, list[Candidate]], near: Collection[str]) -> None:
        """Records the run of each object if there is one candidate, of this object alone, and it is `near`."""
        objects = Counter(candidate.id for candidates in seen.values() for candidate in candidates)
        for key, candidates in seen.items():
            run = candidates[0]
            only = len(candidates) == 1 and objects[run.id] == 1
            if only and run.id in near and self._world.memory.claim(self._plan.system, run.id):
                self.result.add(key, run.id, run.began)
                self.result.found.append(key)
                continue
            listed = ", ".join(c.id for c in candidates[:10])
            self.result.doubt(
                key, f"not fired again: an earlier request may have started one of these runs: {listed}. {_AGAIN}"
            )


def strays(system: Hashable, former: Sequence[Intent], keys: Collection[str], fleet: Fleet, world: World) -> list[str]:
    """Runs of these objects that an interrupted `up` may have started in attempts that were given up since: they are on
    no record. Asked before anything is fired. Raises Unavailable or Refused."""
    world.sleep(SIBLINGS_SECONDS)
    times = [when(moment, world) for moment in former]
    found = fleet.find(keys, min(moment - margin for moment, margin in times) - SKEW)
    offset = offset_of(found, world)
    clocks_agree(max(margin for _, margin in times), offset)
    free = world.memory.free(system, found.candidates)
    near = _near({"": free}, [moment + offset for moment, _ in times])
    return [c.id for c in free if c.id in near]


def _near(seen: Mapping[str, list[Candidate]], moments: Iterable[datetime]) -> set[str]:
    """The runs that can be ours: each began within ADOPT_WITHIN of one of the moments, or of another such run.

    A fan-out goes on for as long as its pace takes, but there is never that long a time between two of its starts.
    """
    began = sorted((c.began, c.id) for found in seen.values() for c in found if c.exact and c.began)
    near = set[str]()
    for moment in moments:
        until = moment + ADOPT_WITHIN
        for at, id in began:
            if moment - TICK <= at <= until:
                near.add(id)
                until = max(until, at + ADOPT_WITHIN)
    return near
