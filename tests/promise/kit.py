"""The kit of these tests: one service, one way to make a host process, and one stack.

`Cloud` is a small service with a real state and a clock that a sleep moves: runs with times in whole seconds, lists
that lag, a `Date` that may lie, effects that come late, runs of other people. `Host` is a host process on some machine;
a kill is a `Killed` that nobody catches. `Request` and `Fleet` are what the clients of the systems are to the rules.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import NamedTuple

from cloud_runs import errors
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.promise import given_up
from cloud_runs.promise.clock import Clock
from cloud_runs.promise.digests import digest_of_objects
from cloud_runs.promise.fanning import Fanned, FanOut
from cloud_runs.promise.firing import Settled, World, settle
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Content, Fired, Intent, Moment, Recorded
from cloud_runs.promise.rules import Ask, Doubt, Work
from cloud_runs.runs import Candidate, Found, Phase, Started

URN = "urn:pulumi:test::tests::pulumi-python:dynamic/tencent:WorkflowRun::run"
TWIN = "urn:pulumi:test::tests::pulumi-python:dynamic/tencent:WorkflowRun::twin"
SPACE = "tencent.workflow:ap-beijing:media-1250000000:"
A, B = Content({"object": "a"}), Content({"object": "b"})
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)
_serial = itertools.count(1)


class Killed(BaseException):
    """SIGKILL in the middle of a start: nothing after it runs, so nothing may catch it."""


@dataclass(frozen=True)
class Run:
    """`at` is its start as lists tell it; lists show it `shown_from` then on."""

    id: str
    work: str
    marker: str
    owner: str
    at: datetime | None
    shown_from: float
    exact: bool = True
    phase: Phase = Phase.UNKNOWN


class Cloud:
    """The service. `fates` says what happens to the next starts, `of` to those of one work, `fate` to all others.

    `ahead`: its clock; `skew`: of its `Date` beside that. `slow`: how late effects are (the caller has gone, or waits
    for as long); `lag`: how late lists are.
    """

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.ahead = self.skew = timedelta(0)
        self.lag = self.takes = self.slow = 0.0
        self.dated = True
        self.repeats = 1  # how often a list shows each run
        self.fates: list[str] = []
        self.of: dict[str, list[str]] = {}
        self.fate: Callable[[], str] = lambda: "answered"
        self.trouble: Exception | None = None
        self.sent: list[tuple[float, str]] = []  # each start that was tried, with its work
        self.starts = 0  # those that arrived
        self.looks: list[float] = []
        self.asked: list[tuple[frozenset[str], datetime]] = []  # the works of each look, and since when
        self.slept: list[float] = []
        self.runs: list[Run] = []
        self.held: list[tuple[Leave, Callable[[], str]]] = []  # starts whose hosts were stopped right before they left
        self.most = self._at_once = 0
        self.lock = threading.RLock()

    # -- its time

    def now(self) -> datetime:
        """True time."""
        return datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.seconds)

    def time(self) -> datetime:
        """As its lists tell it: whole seconds, rounded down."""
        return (self.now() + self.ahead).replace(microsecond=0)

    def date(self) -> datetime:
        return (self.now() + self.ahead + self.skew).replace(microsecond=0)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        with self.lock:
            self.slept.append(seconds)
            self.seconds += max(seconds, 1e-4)  # no clock stands still

    # -- its runs

    def begin(
        self,
        owner: str = "foreign",
        work: str = "work",
        marker: str = "",
        *,
        at: datetime | None = None,
        ago: timedelta = timedelta(0),
        exact: bool = True,
        phase: Phase = Phase.UNKNOWN,
        late: float = 0.0,
    ) -> str:
        """A run begins: now, or `late` seconds from now; `at` or `ago` is what lists tell."""
        with self.lock:
            id = f"i{next(_serial)}"
            told = at or self.time() + timedelta(seconds=late) - ago
            shown = self.seconds + late + self.lag
            self.runs.append(Run(id, work, marker, owner, told.replace(microsecond=0), shown, exact, phase))
            return id

    def ours(self, work: str | None = None) -> list[str]:
        return [run.id for run in self.runs if run.owner != "foreign" and work in (None, run.work)]

    def counts(self) -> Counter[str]:
        """Of our runs by work."""
        return Counter(run.work for run in self.runs if run.owner != "foreign")

    # -- its calls

    def go_on(self, held: Sequence[tuple[Leave, Callable[[], str]]]) -> None:
        """Hosts that were stopped are woken: what was to leave does so if there is still leave, as a client looks."""
        for leave, begin in held:
            if leave.holds():
                begin()

    def ended(self, phase: Phase, ids: Collection[str]) -> None:
        self.runs = [replace(run, phase=phase) if run.id in ids else run for run in self.runs]

    def start(self, work: str, owner: str, marker: str, leave: Leave) -> Started:
        with self.lock:
            self.sent.append((self.seconds, work))
            fates = self.of.get(work) or self.fates
            fate = fates.pop(0) if fates else self.fate()
            self.starts += fate != "not reached"
            if fate == "held":
                self.held.append((leave, partial(self.begin, owner, work, marker)))
                raise Killed  # its engine; it itself is stopped
            self._at_once += 1
            self.most = max(self.most, self._at_once)
        try:
            if self.takes:
                self.sleep(self.takes)
            if self.slow and fate == "answered":  # with its effect
                self.sleep(self.slow)
            return self._answer(fate, work, owner, marker)
        finally:
            with self.lock:
                self._at_once -= 1

    def _answer(self, fate: str, work: str, owner: str, marker: str) -> Started:
        if fate.startswith("status"):
            raise errors.Refused("refused POST", status=int(fate.split()[1]), code="No")
        before: dict[str, BaseException] = {
            "refused": errors.Refused("refused POST", status=400, code="InvalidWorkflow"),
            "throttled": errors.Throttled("refused POST", status=503, code="SlowDown"),
            "not reached": errors.NotReached("no such host"),
            "killed before": Killed(),
            "reset before": errors.UnknownOutcome("connection reset."),
            "bad argument": errors.InvalidConfiguration("half of a character"),
        }
        after: dict[str, BaseException] = {
            "killed": Killed(),
            "lost": errors.UnknownOutcome("connection reset."),
            "refused but ran": errors.Refused("refused POST", status=400, code="Odd"),
            "bug": KeyError("InstanceId"),
        }
        if fate in before:
            raise before[fate]
        assert fate in after or fate in ("answered", "same id"), fate
        if fate == "same id":
            return Started(next(run.id for run in self.runs if run.owner != "foreign"), self.date())
        id = self.begin(owner, work, marker, late=0.0 if fate == "answered" else self.slow)
        if fate in after:
            raise after[fate]
        return Started(id, self.date(), request_id="req")

    def find(self, works: Mapping[str, str], marker: str, since: datetime, limit: Limit) -> Found:
        """`works` by key. Raises what `trouble` says, or Unavailable when the time is over, as a client does."""
        limit.check()
        self.looks.append(self.seconds)
        self.asked.append((frozenset(works.values()), since))
        if self.trouble:
            raise self.trouble
        shown = [
            Candidate(run.id, run.at, proof=bool(marker), exact=run.exact, key=key, phase=run.phase)
            for run in self.runs
            for key, work in works.items()
            if run.shown_from <= self.seconds
            and run.work == work
            and marker in ("", run.marker)
            and (run.at is None or run.at >= since.replace(microsecond=0))
        ]
        return Found(tuple(reversed(shown)) * self.repeats, self.date() if self.dated else None)


@dataclass
class Request:
    """One request, as firing.Starter. With a marker its runs can be told from all others."""

    cloud: Cloud
    owner: str = "ours"
    work: str = "work"
    marker: str = ""

    @property
    def marked(self) -> bool:
        return bool(self.marker)

    def start(self, leave: Leave) -> Started:
        leave.ask()
        return self.cloud.start(self.work, self.owner, self.marker, leave)

    def find(self, since: datetime, limit: Limit) -> Found:
        return self.cloud.find({"": self.work}, self.marker, since, limit)


@dataclass
class Fleet:
    """The requests of a fan-out, as fanning.Fleet: the work of an object is its key. `keys` are those that it has
    requests for; None for all. `host` is the process that sends them: a kill must end it."""

    cloud: Cloud
    host: Host
    owner: Callable[[str], str] = lambda key: f"ours {key}"
    keys: Collection[str] | None = None
    prefix: str = ""

    def work(self, key: str) -> Hashable:
        return self._of(key)

    def start(self, key: str, leave: Leave) -> Started:
        leave.ask()
        try:
            return self.cloud.start(self._of(key), self.owner(key), "", leave)
        except Killed:
            # In a thread, where nobody would see it. The main one ends in its next step.
            self.host.dead = True
            raise errors.UnknownOutcome("nobody sees this") from None

    def find(self, keys: Collection[str], since: datetime, limit: Limit) -> Found:
        self.host.check()
        return self.cloud.find({key: self._of(key) for key in keys}, "", since, limit)

    def _of(self, key: str) -> str:
        assert self.keys is None or key in self.keys, key
        return self.prefix + key


class Former(NamedTuple):
    """An intent that was given up, and how to look for its runs."""

    moments: Sequence[Moment]
    find: Callable[[datetime, Limit], Found]


class Host:
    """A host process: `age` seconds old, on a `machine` whose clock is `ahead` of true time and whose kernel's clock
    has stood still for `paused` seconds. `interrupted` is the user's Ctrl-C."""

    def __init__(
        self,
        cloud: Cloud,
        *,
        age: float = 3600.0,
        machine: str = "here",
        ahead: timedelta = timedelta(0),
        paused: float = 0.0,
        alive: Callable[[], bool] = lambda: True,
        times: Times | None = None,
    ) -> None:
        self.cloud, self.machine, self.ahead, self.paused = cloud, machine, ahead, paused
        self.alive, self.times = alive, times or Times()
        self.interrupted = self.dead = False
        self.said: list[str] = []
        self.warned: list[str] = []
        self._past = age
        self.process = Process(Clock(self.now, self.monotonic, lambda: machine, self.uptime))
        self._past = 0.0

    # -- its clocks

    def now(self) -> datetime:
        return self.cloud.now() + self.ahead - timedelta(seconds=self._past)

    def monotonic(self) -> float:
        return self.cloud.seconds - self._past

    def uptime(self) -> float:
        return self.cloud.seconds - self._past - self.paused

    # -- its world

    def world(self) -> World:
        return World(
            self.process,
            lambda: not self.dead and self.alive(),
            self.said.append,
            self.warned.append,
            self.sleep,
            self.pause,
            lambda: self.interrupted or self.dead,
            times=self.times,
        )

    def check(self) -> None:
        if self.dead:
            raise Killed

    def sleep(self, seconds: float) -> None:
        self.check()
        if self.interrupted:
            raise errors.Interrupted("interrupted")
        self.cloud.sleep(seconds)

    def pause(self, seconds: float) -> None:
        if not (self.interrupted or self.dead):
            self.cloud.sleep(seconds)

    # -- what it is asked for

    def mint(self, content: Content = A, objects: Sequence[str] = ()) -> Intent:
        moment = self.process.moment()
        if not objects:
            return Intent(moment, content)
        return Intent(moment, content, objects=digest_of_objects(objects), attempts=(moment,))

    def create(
        self,
        intent: Intent | None,
        content: Content = A,
        urn: str = URN,
        request: Request | None = None,
        *,
        ignored: Collection[str] = (),
        former: Former | None = None,
    ) -> Settled:
        ask, world = Ask(urn, intent, content, frozenset(ignored)), self.world()
        if former:
            given_up.tell(former.moments, former.find, SPACE, world)
        return settle(ask, SPACE, request or Request(self.cloud), world)

    def fan(
        self,
        fire: Sequence[str] = (),
        *look: Doubt,
        keep: Recorded | None = None,
        replaced: Recorded | None = None,
        fleet: Fleet | None = None,
        urn: str = URN,
        concurrency: int = 1,
        rate: float | None = None,
    ) -> Fanned:
        """Raises Killed if the process was killed meanwhile: then nothing came of it but what the service saw."""
        work = Work(list(fire), list(look), keep, replaced)
        return self.run(work, fleet or Fleet(self.cloud, self), urn, concurrency, rate)

    def run(self, work: Work, fleet: Fleet, urn: str = URN, concurrency: int = 1, rate: float | None = None) -> Fanned:
        fan_out = FanOut(urn, SPACE, work, fleet, self.world(), concurrency=concurrency, rate=rate)
        result = fan_out.run()
        self.check()
        return result


def recorded(settled: Settled, intent: Intent, content: Content = A) -> Recorded:
    """What is on record of a run after its `create`."""
    return on_record(settled.id, intent.token, content, settled.at)


def on_record(
    id: str = "i0", token: str = "t", content: Content = A, at: datetime | None = None, beside: str = ""
) -> Recorded:
    return Recorded(id, Fired(token, content, at, beside or token), {"": id})


def many_on_record(
    ids: Mapping[str, str],
    refused: Collection[str] = (),
    attempt: Moment | None = None,
    doubt: Sequence[Moment] = (),
    *,
    token: str = "t",
    content: Content = A,
    at: datetime | None = None,
) -> Recorded:
    """A fan-out on record."""
    fired = Fired(token, content, at, token, attempt, tuple(doubt))
    return Recorded(token, fired, dict(ids), dict.fromkeys(refused, "no"))


def killed(
    cloud: Cloud, fate: str = "killed", request: Request | None = None, host: Host | None = None, **of_host: object
) -> Intent:
    """An `up` that was killed in its start; its intent is on record."""
    earlier = host or Host(cloud, **of_host)  # type: ignore[arg-type]
    intent = earlier.mint()
    cloud.fates = [fate]
    try:
        earlier.create(intent, request=request)
    except Killed:
        return intent
    raise AssertionError("it lives")


def moment(minute: float = 0, host: str = "another", token: str = "", **clock: object) -> Moment:
    return replace(Moment(token or f"t{minute:g}", NOON + minute * MINUTE, host), **clock)  # type: ignore[arg-type]
