"""A small service for tests of fan-outs, without Pulumi and HTTP: runs by object, lists that lag, a clock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cloud_runs.promise.record import Clock, Content, Intent, Memory, Recorded

from cloud_runs import errors
from cloud_runs.promise.fanning import Doubt, Fanned, FanOut, Plan
from cloud_runs.promise.firing import World
from cloud_runs.runs import Candidate, Found, Started

SYSTEM = "a system"
NOTHING = Content({}, {})


class Dead(BaseException):
    """What a killed process would have done next."""


@dataclass(frozen=True)
class Run:
    id: str
    key: str
    owner: str
    at: datetime
    shown_from: float
    exact: bool = True


class Service:
    """`fates` says what happens to the next starts of an object, `fate` to all others; without one it is answered."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.ahead, self.lag, self.takes = timedelta(0), 0.0, 0.0
        self.fates: dict[str, list[str]] = {}
        self.fate: Callable[[], str] = lambda: "answered"
        self.trouble: Exception | None = None
        self.runs: list[Run] = []
        self.sent: list[tuple[float, str]] = []
        self.looks: list[tuple[float, frozenset[str], datetime]] = []
        self.most = self._at_once = 0
        self.lock = threading.RLock()

    def now(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        with self.lock:
            self.seconds += seconds

    def begin(self, key: str, owner: str = "foreign", exact: bool = True) -> str:
        with self.lock:
            at = (self.now() + self.ahead).replace(microsecond=0)
            self.runs.append(Run(f"i{len(self.runs)}", key, owner, at, self.seconds + self.lag, exact))
            return self.runs[-1].id

    def ids(self, key: str | None = None, owner: str = "ours") -> list[str]:
        return [run.id for run in self.runs if key in (None, run.key) and run.owner.startswith(owner)]

    def counts(self) -> Counter[str]:
        return Counter(run.key for run in self.runs if run.owner.startswith("ours"))


@dataclass
class Process:
    """A host process and its fleet. `over` is the user's Ctrl-C."""

    service: Service
    age: float = 3600.0
    ahead: timedelta = timedelta(0)
    machine: str = "here"
    memory: Memory = field(default_factory=Memory)
    alive: bool = True
    dead: bool = False
    over: bool = False
    owner: Callable[[str], str] = lambda key: f"ours {key}"
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = f"process {id(self)}"
        self.began = self.service.seconds - self.age

    def now(self) -> datetime:
        return self.service.now() + self.ahead

    def clock(self) -> Clock:
        return Clock(self.machine, self.service.seconds)

    def moment(self, token: str = "") -> Intent:
        return Intent(token or f"t{self.service.seconds} {id(self)}", self.now(), self.name, self.clock(), NOTHING)

    def start(self, key: str) -> Started:
        service = self.service
        with service.lock:
            service.sent.append((service.seconds, key))
            service._at_once += 1
            service.most = max(service.most, service._at_once)
            fates = service.fates.get(key)
            fate = fates.pop(0) if fates else service.fate()
        try:
            return self._answer(key, fate)
        finally:
            with service.lock:
                service._at_once -= 1

    def _answer(self, key: str, fate: str) -> Started:
        service = self.service
        if service.takes:
            service.sleep(service.takes)
        if fate.startswith("status"):
            raise errors.Refused("refused POST", status=int(fate.split()[1]), code="No")
        before = {
            "throttled": errors.Throttled("refused POST", status=503, code="SlowDown"),
            "not reached": errors.NotReached("no such host"),
            "reset": errors.UnknownOutcome("connection reset."),
            "bad argument": errors.InvalidConfiguration("half of a character"),
            "killed before": errors.UnknownOutcome("nobody sees this"),
        }
        self.dead = self.dead or fate.startswith("killed")
        if self.dead:
            self.alive = False
        if fate in before:
            raise before[fate]
        id = service.begin(key, self.owner(key))
        after: dict[str, Exception] = {
            "killed": errors.UnknownOutcome("nobody sees this"),
            "lost": errors.UnknownOutcome("connection reset."),
            "bug": KeyError("InstanceId"),
        }
        if fate in after:
            raise after[fate]
        assert fate == "answered", fate
        return Started(id, (service.now() + service.ahead).replace(microsecond=0))

    def find(self, keys: Collection[str], since: datetime) -> Found:
        service = self.service
        if self.dead:
            raise Dead
        service.looks.append((service.seconds, frozenset(keys), since))
        if service.trouble:
            raise service.trouble
        shown = [
            Candidate(run.id, run.at, exact=run.exact, key=run.key)
            for run in service.runs
            if run.shown_from <= service.seconds and run.key in keys and run.at >= since.replace(microsecond=0)
        ]
        return Found(tuple(reversed(shown)), (service.now() + service.ahead).replace(microsecond=0))

    def fan(
        self,
        fire: Sequence[str] = (),
        *look: Doubt,
        old: Recorded | None = None,
        own: Recorded | None = None,
        concurrency: int = 1,
        rate: float | None = None,
    ) -> Fanned:
        """Raises Dead if the process was killed meanwhile: then nothing came of it but what the service saw."""
        world = World(
            self.memory,
            lambda: self.alive,
            self.said.append,
            self.now,
            lambda: self.service.seconds,
            self.service.sleep,
            self.clock,
            self.began,
        )
        plan = Plan(SYSTEM, list(fire), list(look), old, own)
        fan_out = FanOut(plan, self, world, concurrency=concurrency, rate=rate, over=lambda: self.over)
        result = fan_out.run()
        if self.dead:
            raise Dead
        return result
