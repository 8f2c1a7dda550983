"""Strikes at named instants: hosts are held exactly there, and then killed, or stopped and woken up later, or left
without an engine; then the user goes on with the program unchanged, changed, renamed or without the resource.

In each *volley* one `up` asks for a run of each system and a fan-out of each that has them, each with an explicit
provider, so with a host of its own, on the real engine. When all hosts are held, each meets its fate.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path

from tests.campaigns.holds import Hit, Holds
from tests.campaigns.lane import Lane, opened
from tests.campaigns.oracle import Ask, Expected, Seen, Then, onwards, untold
from tests.campaigns.report import Report
from tests.campaigns.works import CANCELS, FANS_OUT, SYSTEMS, Work
from tests.support.stack import Result

KILLS = "kills, by the instant at which the host was held"
PAUSES = "pauses (SIGSTOP, its engine killed, SIGCONT later), by the instant"
FATES = "what was done to the host"
WAKES = "when a paused host was woken up"
THENS = "how the program went on after it"
ASKS = "what was asked for"
KINDS = "of what"

POINTS = {
    "minting": "an intent was made, and is not on record",
    "intent": "between intent and run: the one is on record, the other not begun",
    "ask": "before the engine is asked",
    "asked": "the engine has answered, and nothing was sent",
    "line": "the request line was sent, and no more",
    "sent": "the whole request was sent",
    "effect": "the run has come to be, and its answer was not read",
    "headers": "the head of the answer was read",
    "read": "the answer was read",
    "return": "the record is made, and not yet given to the engine",
    "kth": "the second or third start of a fan-out has its effect",
    "delete": "inside `delete` of a replacement with on_delete=cancel, before the cancel",
    "deleted": "the same, after the cancel",
    "look": "a look before firing: before the list is asked for",
    "looked": "a look before firing: after the list was read",
}
STARTING = ("minting", "intent", "ask", "asked", "line", "sent", "effect", "headers", "read", "return")
"""Instants of any `up` that fires, in their order."""
LOOKS = ("look", "looked")
FINDING = ("intent", *LOOKS, "return")
"""Of one that finds a run."""
LOOKING = (*FINDING, *STARTING[2:])
"""Of one that finds none, and fires."""
HELD_AT = {"effect": "sent", "kth": "sent"}
"""Of those that the service has a part in: where the host waits until it has happened."""
TIMES = {"start": 2.0, "lags": (0.0, 1.0)}
"""What the provider is told that a start and a list may take: so a look lasts about 9 s."""
GONE_SECONDS = 10.0
"""Each host of ours ends within this time of its engine (or of its wake-up); a busy machine is given three times it."""


class Fate(Enum):
    HOST = "host killed, its engine goes on"
    BOTH = "host and engine killed"
    ORPHAN = "engine killed, host goes on at once"
    SOON = "host stopped and engine killed; woken before the next up"
    DURING = "host stopped and engine killed; woken while the next up is held at the instant before it would fire"
    AFTER = "host stopped and engine killed; woken after the next up"


KILLED = (Fate.HOST, Fate.BOTH, Fate.ORPHAN)
WOKEN = (Fate.SOON, Fate.DURING, Fate.AFTER)


@dataclass
class Case:
    """One ask that is struck, and how the user goes on."""

    work: Work
    ask: Ask
    point: str
    fate: Fate
    then: Then = Then.SAME
    nth: int = 1
    before: list[Seen] = field(default_factory=list)
    """By object."""
    interrupted: list[Seen] = field(default_factory=list)
    hit: Hit | None = None
    names: set[str] = field(default_factory=set)
    """All that it was called."""

    def __str__(self) -> str:
        hit = "" if self.hit else " (not hit)"
        return f"{self.work.name} {self.ask.value} {self.point}{hit} {self.fate.name} then {self.then.value}"


@dataclass
class Orphan:
    """A host whose engine is dead, and since when it can know it."""

    hit: Hit
    fate: Fate
    since: float
    name: str
    woken: bool = False


class Striker:
    """Volleys on one lane, one after the other, with all that the ones before have left."""

    def __init__(self, lane: Lane, holds: Holds) -> None:
        self.lane, self.holds, self.rng, self.report = lane, holds, lane.rng, lane.report
        self.orphans: list[Orphan] = []

    # -- one volley

    def volley(
        self,
        cases: Sequence[Case],
        interrupt: Callable[[tuple[str, ...]], None],
        more: Callable[[dict[str, Expected]], None] = lambda wants: None,
    ) -> dict[str, str]:
        """An `up` for these asks is interrupted, the user goes on in each case's way, `more` may happen to that, and
        then an `up` succeeds. How it ended, by ask. `interrupt` is given the flags of the `up`."""
        lane = self.lane
        lane.works = {case.work.name: case.work for case in cases}
        lane.still()
        lane.said.clear()
        self._ask_for(cases)
        lane.write()
        interrupt(tuple(f"--replace={case.work.urn(lane.stack.name)}" for case in cases if case.ask is Ask.FORCED))
        for case in cases:
            case.interrupted = self._seen(case)
        self._go_on(cases)
        wants = self._wants(cases)
        self._wake(Fate.SOON)
        more(wants)
        ended = lane.settle("a volley", wants, self._recover(cases))
        self._wake(Fate.AFTER)
        self._end_orphans()
        self._judge_untold(cases)
        lane.still()
        for case in cases:
            case.work.former = ""
        return ended

    def strike_again(self, cases: Sequence[Case], plan: Plan, times: int, wants: dict[str, Expected]) -> None:
        """The recovery is struck as well, so often."""
        for number in range(times):
            self.strike(self._again(cases, plan, first=number == 0))
            self.lane.judge(wants, settled=False)
            self._wake(Fate.SOON)

    def _ask_for(self, cases: Sequence[Case]) -> None:
        for case in cases:
            case.before = self._seen(case)
            case.names.add(case.work.name)
            case.work.trigger += case.ask is Ask.CHANGE
            if case.ask is Ask.ADDED:
                case.work.parts += 1
                case.before.append(Seen())

    def _go_on(self, cases: Sequence[Case]) -> None:
        for case in cases:
            work = case.work
            if case.then is Then.CHANGED:
                work.trigger += 1
            elif case.then is Then.BACK:
                work.trigger -= 1
            elif case.then in (Then.ALIAS, Then.RENAMED):
                work.rename(alias=case.then is Then.ALIAS)
            work.gone = case.then is Then.REMOVED
            case.names.add(work.name)
        self.lane.works = {case.work.name: case.work for case in cases}
        self.lane.write()

    def _wants(self, cases: Sequence[Case]) -> dict[str, Expected]:
        """By what the asks are called now."""
        wants = {}
        for case in cases:
            by_minute = case.work.kit.by_minute
            for name, before, interrupted in zip(case.work.asks, case.before, case.interrupted, strict=True):
                wants[name] = onwards(case.ask, case.then, before, interrupted, by_minute=by_minute)
        return wants

    def _again(self, cases: Sequence[Case], plan: Plan, *, first: bool) -> list[Case]:
        """The recoveries of those that are still asked for."""
        fates, again = plan.fates(self.rng), []
        for case in cases:
            if case.then in (Then.CHANGED, Then.RENAMED) and first:
                points = STARTING
            else:
                lost = sum(len(seen.fired) for seen in self._seen(case)) > sum(len(seen.fired) for seen in case.before)
                points = FINDING if lost or case.then is Then.BACK else LOOKING
            if not case.work.gone:
                fate = self.rng.choice(fates)
                again.append(Case(case.work, case.ask, plan.point(self.rng, points, fate), fate, case.then))
        return again

    def _seen(self, case: Case) -> list[Seen]:
        now = self.lane.look()
        return [now[name] for name in case.work.asks]

    def _judge_untold(self, cases: Sequence[Case]) -> None:
        said = "\n".join(self.lane.said)
        for case in cases:
            for first, between, now in zip(case.before, case.interrupted, self._seen(case), strict=True):
                for breach in untold(first, now, {between.recorded}, said):
                    self.lane.breach(f"{case.work.name}: {breach}")

    # -- an `up` that is struck

    def strike(self, cases: Sequence[Case], flags: tuple[str, ...] = ()) -> None:
        """An `up` in which each case's host is held at its instant and meets its fate."""
        lane = self.lane
        sent = {case.work.name: len(self._ids(case.work)) for case in cases}
        for case in cases:
            self.holds.arm(case.work.name, HELD_AT.get(case.point, case.point), case.nth)
        with self._running("--parallel=32", *flags) as (process, result):
            hits = self.holds.wait(lambda: process.poll() is not None)
            # One was seen to be gone by now; why is not known. It may be a host of an `up` before, ended by its watch.
            alive = {name: hit for name, hit in hits.items() if _alive(hit.pid)}
            for case in cases:
                case.hit = alive.get(case.work.name)
                if case.hit and case.point in HELD_AT:
                    _until(lambda case=case: len(self._ids(case.work)) >= sent[case.work.name] + case.nth)  # type: ignore[misc]
            self._meet(cases, process)
            lane.ended(result(), "\n    struck: ".join(["", *map(str, cases)]))
        for case in cases:
            if case.hit:
                self._count(case)

    def _meet(self, cases: Sequence[Case], engine: subprocess.Popen[bytes]) -> None:
        """Each held host meets its fate."""
        held = [(case, case.hit) for case in cases if case.hit]
        for case, hit in held:
            if case.fate in (Fate.HOST, Fate.BOTH):
                _strike(hit.pid, signal.SIGKILL)
        for case, hit in held:
            if case.fate in (Fate.HOST, Fate.BOTH):
                hit.release()
        if all(case.fate is Fate.HOST for case in cases):
            return
        hosts = {hit.pid for _, hit in held}
        for pid in {engine.pid, *self.lane.stack.processes()} - hosts - {one.hit.pid for one in self.orphans}:
            _strike(pid, signal.SIGKILL)
        engine.wait(timeout=60)
        for case, hit in held:
            if case.fate in (Fate.ORPHAN, *WOKEN):
                if case.fate in WOKEN:  # not before: the kernel ends what is stopped when its parent ends (SIGHUP)
                    _strike(hit.pid, signal.SIGSTOP)
                    _until(lambda hit=hit: _state(hit.pid) in ("T", ""))  # type: ignore[misc]  # a busy machine takes a while
                hit.release()  # which it finds when it is woken up
                self.orphans.append(Orphan(hit, case.fate, time.monotonic(), case.work.name))
        self.lane.unlock()

    @contextmanager
    def _running(self, *flags: str) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], Result]]]:
        """An `up` in the background, and what it has come to once it has ended."""
        with tempfile.TemporaryFile("w+") as output:
            process = self.lane.stack.start(flags=flags, output=output)

            def result() -> Result:
                output.seek(0)
                text = output.read()
                return Result(subprocess.CompletedProcess([], process.wait(timeout=300), text, ""))

            try:
                yield process, result
            finally:
                process.wait(timeout=300)

    # -- the `up` after it

    def _recover(self, cases: Sequence[Case]) -> Result:
        """The next `up`; hosts that are to be woken during it are woken while it is held before it would fire."""
        sleeping = [one for one in self.orphans if one.fate is Fate.DURING]
        if not sleeping:
            return self.lane.up()
        asleep = {one.name for one in sleeping}
        for case in cases:
            if case.names & asleep and not case.work.gone:
                self.holds.arm(case.work.name, self.rng.choice(("look", "looked", "ask", "asked")))
        with self._running("--parallel=32") as (process, result):
            hits = self.holds.wait(lambda: process.poll() is not None)
            self._wake(Fate.DURING)
            time.sleep(self.rng.uniform(0.2, 3.0))
            for hit in hits.values():
                hit.release()
            process.wait(timeout=300)
            return self.lane.ended(result(), "with a former host woken during it")

    def _wake(self, fate: Fate) -> None:
        for one in self.orphans:
            if one.fate is fate and not one.woken:
                if not _alive(one.hit.pid):
                    self.lane.breach(f"the host of {one.name} is gone before it is woken: this shows nothing")
                _strike(one.hit.pid, signal.SIGCONT)
                one.since, one.woken = time.monotonic(), True

    def _end_orphans(self) -> None:
        """They had all this time to do harm, and end by themselves."""
        self._wake(Fate.DURING)  # if no recovery was held for it
        for one in self.orphans:
            end = one.since + 3 * GONE_SECONDS
            while _alive(one.hit.pid):
                if time.monotonic() > end:
                    self.lane.breach(f"the host of {one.name} is alive {3 * GONE_SECONDS:.0f} s after its engine")
                    os.kill(one.hit.pid, signal.SIGKILL)
                time.sleep(0.05)
        self.orphans.clear()

    def _ids(self, work: Work) -> set[str]:
        runs, places = self.lane.runs(), work.asks.values()
        return {id for place in places for id in runs.get(place, ())}

    def _count(self, case: Case) -> None:
        self.report.count(KILLS if case.fate in KILLED else PAUSES, case.point)
        self.report.count(FATES if case.fate in KILLED else WAKES, case.fate.value)
        self.report.count(THENS, case.then.value)
        self.report.count(ASKS, case.ask.value)
        self.report.count(KINDS, case.work.kind)


def _strike(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # one host may be held for several, or end in this moment
        os.kill(pid, how)


def _alive(pid: int) -> bool:
    return _state(pid) not in ("", "Z")


def _state(pid: int) -> str:
    """As proc(5) has it; `T` when all its threads are stopped, empty if there is none."""
    try:
        states = [_first(file.read_text()) for file in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return ""
    return next((state for state in states if state != "T"), "T" if states else "")


def _first(stat: str) -> str:
    return stat.rpartition(")")[2].split()[0]


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("what was to happen at the service has not happened")
        time.sleep(0.02)


# -- what is struck when


class Plan:
    """Chooses what is struck next: the instants that were met least often first."""

    def __init__(self, report: Report, kills: int, pauses: int) -> None:
        self.report, self.kills, self.pauses = report, kills, pauses
        least = [point for point in POINTS if kills]
        report.least(KILLS, kills)
        report.least(KILLS, kills // 25, *least)
        report.least(PAUSES, pauses)
        report.least(PAUSES, pauses // 40, *(point for point in least if point != "line" and pauses))

    def over(self) -> bool:
        """Not while an instant was met too seldom, until twice as many have struck as were to."""
        struck = self.report.total(KILLS) + self.report.total(PAUSES)
        return not self.report.lacking() or struck >= 2 * (self.kills + self.pauses)

    def _left(self, heading: str, wanted: int) -> int:
        return max(wanted - self.report.total(heading), len(self.report.lacking(heading)))

    def fates(self, rng: random.Random) -> tuple[Fate, ...]:
        """Of one strike: its engine goes on, or is killed, for all of its hosts."""
        kills, pauses = self._left(KILLS, self.kills), self._left(PAUSES, self.pauses)
        if pauses <= 0 or (kills > 0 and rng.random() < 0.3):
            return rng.choice(((Fate.HOST,), (Fate.BOTH, Fate.ORPHAN)))
        return WOKEN if kills <= 0 else (Fate.BOTH, Fate.ORPHAN, *WOKEN)

    def case(self, rng: random.Random, work: Work, ask: Ask, fates: Sequence[Fate]) -> Case:
        fate = rng.choice(fates)
        point = self.point(rng, _points(work, ask), fate)
        thens = [Then.SAME, Then.SAME, Then.ALIAS, Then.REMOVED]
        if not work.kit.by_minute or rng.random() < 0.2:  # another run of a flow waits for the next minute
            thens += [Then.CHANGED, Then.RENAMED]
        if ask is Ask.CHANGE:
            thens += [Then.BACK, Then.BACK]
        return Case(work, ask, point, fate, rng.choice(thens), rng.choice((2, 3)) if point == "kth" else 1)

    def point(self, rng: random.Random, points: Sequence[str], fate: Fate) -> str:
        if fate in WOKEN:  # a request leaves in one call to the kernel: nobody is stopped in the middle of it
            points = [point for point in points if point != "line"]
        met = self.report.counts(KILLS if fate in KILLED else PAUSES)
        return min(points, key=lambda point: met[point] + rng.uniform(0, 3))


def _points(work: Work, ask: Ask) -> list[str]:
    """Where the first `up` for this ask can be struck."""
    points = list(STARTING)
    if ask is Ask.FORCED:
        points.remove("minting")
    if work.parts and ask is not Ask.ADDED:
        points.append("kth")
    if work.system in CANCELS and ask in (Ask.CHANGE, Ask.FORCED):
        points += ["delete", "deleted"]
    return points


def _asks(rng: random.Random, work: Work) -> list[Ask]:
    """Of a resource that is on record."""
    if work.kit.by_minute and rng.random() < 0.7:
        return [Ask.CREATE]  # another run of the same flow waits for the next minute
    return [Ask.CREATE, Ask.CHANGE, Ask.CHANGE, Ask.FORCED, *([Ask.ADDED] if work.parts else [])]


def lane(report: Report, plan: Plan, folder: Path, name: str, rng: random.Random) -> None:
    """Volleys until all lanes together have struck often enough."""
    slots = [*((system, False) for system in (*SYSTEMS, *SYSTEMS[:2])), *((system, True) for system in FANS_OUT)]
    with opened(folder, report, name, rng, **TIMES) as its, contextlib.closing(Holds()) as holds:
        its.stack.environment = holds.environment
        striker, works = Striker(its, holds), dict[int, Work]()
        while not plan.over():
            fates, cases = plan.fates(rng), []
            for at, (system, fan) in enumerate(slots):
                work = works.get(at)
                asks = [Ask.CREATE] if work is None or work.gone else _asks(rng, work)
                if work is None or (ask := rng.choice(asks)) is Ask.CREATE:
                    work, ask = its.fresh(system, f"p{at}", fan=fan), Ask.CREATE
                works[at] = work
                cases.append(plan.case(rng, work, ask, fates))
            again = partial(striker.strike_again, cases, plan, rng.randint(0, 3))
            striker.volley(cases, partial(striker.strike, cases), again)
        its.end()
