"""Many starts at once, each at most once: what `firing.py` does for one run, for the objects of a fan-out.

The rules are the same, object by object. What differs: the starts share one pace, a start that was refused does not
stop the others, and what an earlier `up` may have started is looked up in one list for all of them.

What does NOT happen: nothing raises once a start was sent; an object whose start may have run is not started again.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from provider import errors
from provider.firing import (
    ADOPT_WITHIN,
    FORGET_AFTER,
    LOOK_SECONDS,
    SETTLE_SECONDS,
    SIBLINGS_SECONDS,
    SKEW,
    TICK,
    World,
    began_since,
    fired_at,
    is_near,
    offset_of,
    when,
)
from provider.record import Intent, Recorded
from provider.runs import Candidate, Found, Started, rfc3339

TRIES = 8
"""Of one start that was refused for too many requests, or that did not arrive."""
LOST_IN_A_ROW = 16
"""Starts without an answer that can be used, after which the others are not sent: each may be an unknown run."""
MISSED_IN_A_ROW = 64
"""Starts that did not arrive, after which the others are not sent."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds, of all starts, after "too many requests"
FIRST_SPACING, LONGEST_SPACING = 0.05, 5.0  # seconds between two starts after that; each accepted one shortens it
EASING = 0.98
TICK_SECONDS = 0.2  # between two looks at whether all is over

NOT_SENT = "not sent"


class Fleet(Protocol):
    """The requests of a fan-out, by object."""

    def start(self, key: str) -> Started: ...

    def find(self, keys: Collection[str], since: datetime) -> Found: ...


@dataclass(frozen=True)
class Plan:
    """`fire`: objects that were certainly not started. `look`: objects that an earlier `up` may have started since
    `attempt`. `old` is the fan-out whose runs are replaced."""

    system: Hashable
    fire: Sequence[str]
    look: Sequence[str] = ()
    attempt: Intent | None = None
    old: Recorded | None = None
    within: timedelta = ADOPT_WITHIN


@dataclass
class Fanned:
    """What became of each object: its run's id, or why it has none. `at`: the latest start, in server time."""

    ids: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    found: int = 0
    unsettled: int = 0
    """Refused ones that may have started all the same."""
    at: datetime | None = None

    def add(self, key: str, id: str, at: datetime | None) -> None:
        self.ids[key] = id
        self.at = max(filter(None, (self.at, at)), default=None)


class Pace:
    """When the next start may be sent; one for all threads. `rate`: starts a second, None for no limit."""

    def __init__(self, rate: float | None, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._least = 1 / rate if rate else 0.0
        self._spacing, self._pause, self._next, self._paused_until = self._least, 0.0, 0.0, 0.0
        self._monotonic, self._sleep, self._lock = monotonic, sleep, threading.Lock()

    def turn(self, over: Callable[[], bool]) -> None:
        """Returns when the next start may be sent, or when all is over."""
        with self._lock:
            at = max(self._next, self._paused_until, self._monotonic())
            self._next = at + self._spacing
        while (left := max(at, self._paused_until) - self._monotonic()) > 0 and not over():
            self._sleep(min(left, TICK_SECONDS))

    def slow_down(self) -> None:
        """The service asked for fewer requests. Many say so at once, which counts once."""
        with self._lock:
            now = self._monotonic()
            if self._paused_until > now:
                return
            self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
            self._spacing = min(max(self._spacing * 2, FIRST_SPACING), LONGEST_SPACING)
            self._paused_until = now + self._pause * random.uniform(0.75, 1.25)

    def accepted(self) -> None:
        with self._lock:
            self._pause *= EASING
            self._spacing = max(self._least, self._spacing * EASING)


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
        self._halted = ""
        self.result = Fanned()

    def run(self) -> Fanned:
        """Raises Unavailable or UnknownOutcome if what may have been started could not be looked up: then nothing was
        sent."""
        fire = [*self._plan.fire, *(self._missing() if self._plan.look else ())]
        self._left.extend(fire)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(min(self._concurrency, len(fire)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(TICK_SECONDS)
                self._tell(len(fire))
        self._refuse_the_rest()
        if self._lost:
            self._find_lost()
        return self.result

    # -- starting

    def _work(self) -> None:
        while True:
            try:
                key = self._left.popleft()
            except IndexError:
                return
            self._pace.turn(self._over)
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
        except (errors.Refused, errors.RunsError) as error:
            if isinstance(error, errors.UnknownOutcome):
                self._lose(key, sent, error)
                return
            with self._lock:
                self.result.refused[key] = str(error)
            if isinstance(error, errors.Refused) and error.status in (401, 403):
                self._halt(str(error))  # the same key would be refused for each of them
        except Exception as error:  # noqa: BLE001 - a bug of ours included: the request may have arrived
            self._lose(key, sent, error)
        else:
            self._pace.accepted()
            with self._lock:
                self._in_a_row.clear()
                self.result.add(key, started.id, fired_at(started, sent))
            self._world.memory.take(self._plan.system, [started.id])

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
        parts = [f"{started} of {asked + self.result.found} started"]
        parts += [f"{count} {word}" for count, word in ((refused, "refused"), (len(self._lost), "lost")) if count]
        self._world.tell(", ".join(parts))

    # -- looking

    def _missing(self) -> list[str]:
        """The objects that no earlier `up` has started. The others are adopted, or refused where it cannot be told."""
        plan, world = self._plan, self._world
        assert plan.attempt
        world.tell(
            f"an earlier up may have started runs: looking for them before firing (about {SETTLE_SECONDS:.0f} s)"
        )
        world.sleep(SIBLINGS_SECONDS)
        minted_at, margin = when(plan.attempt, world)
        world.sleep(max(0.0, SETTLE_SECONDS - (world.monotonic() - world.began)))
        try:
            seen, offset = self._seen(plan.look, minted_at - margin, plan.old)
        except (errors.Unavailable, errors.Refused) as error:
            raise errors.Unavailable(
                "nothing was fired: an earlier `pulumi up` may have started runs, and that could not be looked up. "
                f"{error}"
            ) from error
        missing = [key for key in plan.look if key not in seen]
        if missing and world.now() - minted_at > FORGET_AFTER:
            raise errors.UnknownOutcome(
                f"nothing was fired: an earlier `pulumi up` may have started runs on {rfc3339(minted_at)}, too long "
                "ago for the service to tell. Change a trigger to fire all of them now"
            )
        near = {key: [c for c in seen[key] if is_near(c, minted_at + offset, plan.within)] for key in seen}
        self._adopt(seen, near)
        return missing

    def _find_lost(self) -> None:
        """The starts were sent in this process, so their times are known; only the lag of the list is not."""
        world, trouble = self._world, ""
        began, pause = world.monotonic(), 1.0
        world.tell(f"{len(self._lost)} answers were lost; looking for the runs")
        while self._lost:
            waited = world.monotonic() - began
            try:
                seen, offset = self._seen(list(self._lost), min(sent for sent, _ in self._lost.values()) - TICK)
                trouble = ""
            except (errors.Unavailable, errors.Refused) as error:
                seen, trouble = {}, f" The last look-up failed: {error}"
            if waited >= SETTLE_SECONDS:
                own = {
                    key: [c for c in found if began_since(c, self._lost[key][0] - TICK + offset)]
                    for key, found in seen.items()
                }
                own = {key: found for key, found in own.items() if found}
                self._adopt(own, {key: [c for c in found if c.exact and c.began] for key, found in own.items()})
                for key in own:
                    del self._lost[key]
            if waited >= LOOK_SECONDS or self._over():
                break
            world.sleep(min(pause, LOOK_SECONDS - waited))
            pause = min(pause * 2, 10.0)
        for key, (_, lost) in self._lost.items():
            self.result.unsettled += 1
            self.result.refused[key] = (
                f"{lost}. The run may have started and was not found; the next `pulumi up` looks again before it "
                f"fires.{trouble}"
            )

    def _seen(
        self, keys: Collection[str], since: datetime, old: Recorded | None = None
    ) -> tuple[Mapping[str, list[Candidate]], timedelta]:
        """The runs that may be of each object, and what to add to our clock to get the server's. Never one that this
        stack has on record, nor one from before the fan-out that is replaced."""
        world = self._world
        found = self._fleet.find(keys, since - SKEW)
        offset = offset_of(found, world)
        candidates = [
            c for c in world.memory.free(self._plan.system, found.candidates) if began_since(c, since + offset)
        ]
        if old and old.fired_at:
            candidates = [c for c in candidates if began_since(c, old.fired_at)]
        seen: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            seen.setdefault(candidate.key, []).append(candidate)
        return seen, offset

    def _adopt(self, seen: Mapping[str, list[Candidate]], near: Mapping[str, list[Candidate]]) -> None:
        for key, candidates in seen.items():
            if len(candidates) == 1 and near[key]:
                self.result.add(key, candidates[0].id, candidates[0].began)
                self.result.found += 1
                self._world.memory.take(self._plan.system, [candidates[0].id])
                continue
            listed = ", ".join(c.id for c in candidates[:10])
            self.result.unsettled += 1
            self.result.refused[key] = (
                f"not fired again: an earlier request may have started one of these runs: {listed}. To fire it all the "
                "same, take the object out of the list for one `pulumi up`"
            )
