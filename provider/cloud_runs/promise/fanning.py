"""Many starts, each at most once: what firing.py does for one run, for the objects of a fan-out.

The rules are the same, object by object. What differs: the starts share one pace, a start that was refused does not
stop the others, and what an earlier `up` may have started is looked up in one list for all of them.

What does NOT happen: nothing raises once a start was sent; an object whose start may have run is not started again.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from cloud_runs import errors
from cloud_runs.crew import hands
from cloud_runs.limits import Limit
from cloud_runs.promise import looking
from cloud_runs.promise.fanned import Fanned, Fleet
from cloud_runs.promise.firing import LOOK_SECONDS, SIBLINGS_SECONDS, candidates, ended, fired_at, listed
from cloud_runs.promise.looking import Looked, Seen, Sight
from cloud_runs.promise.pacing import TICK_SECONDS, Pace
from cloud_runs.promise.records import Moment, Recorded
from cloud_runs.promise.rules import Work
from cloud_runs.promise.world import World
from cloud_runs.runs import Started, rfc3339

TRIES = 8
"""Of one start that was refused for too many requests, or that did not arrive."""
LOST_IN_A_ROW = 16
"""Starts without an answer that can be used, after which the others are not sent: each may be an unknown run."""
MISSED_IN_A_ROW = 64
"""Starts that did not arrive, after which the others are not sent."""
THROTTLED_SECONDS = 300.0
"""How long the service may ask for fewer requests and accept none, before the others are not sent."""
LEAVE_EVERY = 1.0
"""Seconds after which the engine is asked anew before a start."""

LOOK_PAUSE = 10.0  # seconds between two looks for lost answers

NOT_SENT = "not sent"
_WAYS_OUT = "If one of them is its run, give it in adopt_ids; to fire it all the same, take the object out of the list "
_WAYS_OUT += "for one `pulumi up`"
_AGAIN = "To fire it all the same, take the object out of the list for one `pulumi up`"


class FanOut:
    """One fan-out at work."""

    def __init__(
        self, urn: str, space: Hashable, work: Work, fleet: Fleet, world: World, *, concurrency: int, rate: float | None
    ) -> None:
        """`space` is the id space."""
        self._urn, self._space, self._work, self._fleet, self._world = urn, space, work, fleet, world
        self._concurrency = concurrency
        self._clock = world.process.clock
        self._pace = Pace(rate, self._clock.monotonic, world.pause)
        self._leave = world.leave(LEAVE_EVERY)
        self._lock = threading.Lock()
        self._left: deque[str] = deque()
        self._tries: Counter[str] = Counter()
        self._lost: dict[str, tuple[Moment, str]] = {}
        self._in_a_row: Counter[int] = Counter()
        self._accepted_at = 0.0
        self._halted = ""
        self.result = Fanned()

    def run(self) -> Fanned:
        """Raises Unavailable if what may have been started could not be looked up, unless there is a fan-out on record
        that is added to; or if no thread can be had. Then nothing was sent."""
        with self._doubting(self._work.doubtful), self._turn(self._work.doubtful):
            fire = [*self._work.fire, *self._missing()]
        self._accepted_at = self._clock.monotonic()
        self._left.extend(fire)
        for thread in hands(self._start_all, min(self._concurrency, len(fire)), "fan-out"):
            while thread.is_alive():
                thread.join(TICK_SECONDS)
                self._tell(len(fire))
        self._refuse_the_rest()
        with self._doubting(self._lost):
            self._find_lost()
        return self.result

    def _doubting(self, keys: Iterable[str]) -> AbstractContextManager[None]:
        return self._world.process.doubting(self._urn, [self._fleet.work(key) for key in keys])

    def _turn(self, keys: Iterable[str]) -> AbstractContextManager[None]:
        """A run that another resource is starting is not on record yet."""
        return self._world.process.turn(self._fleet.work(key) for key in keys)

    # -- starting

    def _start_all(self) -> None:
        while True:
            try:
                key = self._left.popleft()
            except IndexError:
                return
            self._pace.turn(lambda: bool(self._halted) or self._world.over())
            if self._world.over():
                self._halt("the update was interrupted")
            if self._halted:
                self._left.append(key)
                return
            with self._turn([key]):
                self._start(key)

    def _start(self, key: str) -> None:
        sent = self._world.process.moment()
        try:
            self._accept(key, self._fleet.start(key, self._leave), sent)
        except errors.Orphaned:
            self._halt("the Pulumi engine that requested it is gone")
            self._left.append(key)
        except (errors.Throttled, errors.NotReached) as error:
            self._again(key, error)
        except (errors.Refused, errors.InvalidConfiguration) as error:
            with self._lock:
                self.result.refused[key] = str(error)
                self.result.denied += isinstance(error, errors.Refused)
            if isinstance(error, errors.Refused) and error.status in (401, 403):
                self._halt(str(error))  # the same key would be refused for each of them
        except Exception as error:  # noqa: BLE001 - whatever it was, a bug of ours included: the request may have arrived
            with self._lock:
                self._lost[key] = (sent, str(error).rstrip("."))
            self._failed(error, LOST_IN_A_ROW)

    def _accept(self, key: str, started: Started, sent: Moment) -> None:
        at = fired_at(started, sent.at)
        free = self._world.process.claim(self._space, started.id, self._urn)
        with self._lock:
            self.result.add(key, started.id, at)
            self._in_a_row.clear()
            self._accepted_at = self._clock.monotonic()
            if not free:
                self.result.shared.append(key)
        self._pace.accepted()

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
        elif self._clock.monotonic() - self._accepted_at > THROTTLED_SECONDS:
            self._halt(str(error))

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
        asks = {key: doubt.moments for doubt in self._work.look for key in doubt.keys}
        if not asks:
            return []
        world = self._world
        world.sleep(SIBLINGS_SECONDS)
        moments = {moment for some in asks.values() for moment in some}
        world.wait(moments, "an earlier up may have started runs: looking for them before firing")
        try:
            seen = self._seen(asks, world.limit(LOOK_SECONDS * 3), self._work.keep)
        except (errors.Unavailable, errors.Refused) as error:
            return self._not_looked_up(asks, error)
        for key, what in seen.items():
            if what.sight is Sight.FORGOTTEN:
                self._forgotten(key, asks[key])
        return [*self._adopt(seen), *(key for key, what in seen.items() if what.sight is Sight.NONE)]

    def _not_looked_up(self, asks: Iterable[str], error: errors.RunsError) -> list[str]:
        """What is in doubt is not fired; beside a fan-out on record it keeps nothing else from being fired."""
        if not self._work.keep:
            raise errors.Unavailable(
                "nothing was fired: an earlier `pulumi up` may have started runs, and that could not be looked up. "
                f"{error}"
            ) from error
        why = f"not fired: an earlier `pulumi up` may have started it, and that could not be looked up. {error}"
        for key in asks:
            self.result.doubt(key, f"{why.rstrip('.')}. The next `pulumi up` checks again. {_AGAIN}")
        return []

    def _forgotten(self, key: str, moments: Sequence[Moment]) -> None:
        """The service may have forgotten a run of that time, so that none found proves nothing."""
        at = min(moment.at for moment in moments)
        self.result.doubt(
            key,
            f"not fired: an earlier `pulumi up` may have started it on {rfc3339(at)}, too long ago for the service to "
            f"tell. {_AGAIN}",
        )

    def _find_lost(self) -> None:
        """The starts were sent in this process, so their times are known; only the lag of the list is not."""
        world, trouble = self._world, ""
        settle = world.times.settle
        limit, pause = world.limit(settle + LOOK_SECONDS), settle
        while self._lost and not world.over():
            world.tell(f"answers lost: {len(self._lost)}; looking for the runs, {limit.left():.0f} s left")
            world.pause(min(pause, limit.left()))
            last = limit.left() <= LOOK_SECONDS / 4
            try:
                with self._turn(self._lost):
                    self._look_for_lost()
                trouble = ""
            except Exception as error:  # noqa: BLE001 - whatever it was: others were started, and must get on record
                trouble = f" The last query failed: {error}"
            if last:
                break
            pause = LOOK_PAUSE / 2
        for key, (_, lost) in self._lost.items():
            self.result.doubt(
                key,
                f"{lost}. The run may have started and was not found; the next `pulumi up` checks again before it "
                f"fires.{trouble}",
            )

    def _look_for_lost(self) -> None:
        asks = {key: [sent] for key, (sent, _) in self._lost.items()}
        seen = self._seen(asks, self._world.limit(LOOK_SECONDS))
        again = self._adopt(seen)  # taken by another meanwhile: as if nothing was seen
        for key in seen.keys() - set(again):
            if seen[key].candidates:
                del self._lost[key]

    def _seen(self, asks: Mapping[str, Sequence[Moment]], limit: Limit, own: Recorded | None = None) -> dict[str, Seen]:
        """What one look shows of each object. `own`: the fan-out on record, whose runs are to be seen as well. Raises
        Unavailable or Refused."""
        world, process, replaced = self._world, self._world.process, self._work.replaced
        keys, moments = set(asks), {moment for some in asks.values() for moment in some}
        since = looking.since(moments, world.clocks(), own or replaced)
        if own:  # back to where a run of ours must be, so that it is seen whether the service has forgotten any
            keys |= own.ids.keys()
        found = world.ask(lambda: self._fleet.find(keys, since, limit), limit)
        # Before what others take is left out: one who has taken a run is in doubt no more.
        sharers = {key: max(1, process.doubters(self._fleet.work(key))) for key in asks}
        listing = listed(found, self._space, world, [own, replaced])
        return looking.read(listing, {key: Looked(some, replaced, sharers[key]) for key, some in asks.items()})

    def _adopt(self, seen: Mapping[str, Seen]) -> list[str]:
        """Records the run of each object if it is surely its own. The objects whose runs others have taken meanwhile:
        as many asks as runs have come to them."""
        left = []
        for key, what in seen.items():
            if what.sight is Sight.OURS:
                run = next((c for c in what.candidates if self._claim(c.id)), None)
                if run is None:
                    left.append(key)
                    continue
                self.result.add(key, run.id, run.began)
                self.result.found.append(key)
                self.result.ended[key] = ended(run)
            elif what.sight is Sight.DOUBT:
                self.result.doubt(key, f"not fired: {candidates(what)}. {_WAYS_OUT}")
        return left

    def _claim(self, id: str) -> bool:
        return self._world.process.claim(self._space, id, self._urn)
