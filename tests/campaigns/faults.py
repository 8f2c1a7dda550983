"""The fault campaign: every fault of the emulator, alone and in random sequences, while runs are asked for and awaited.

A *case* is one resource that met at least one fault. In each round a run is asked for in each of the four systems in
one `up`, so that a round is four cases, or a fan-out in each of the two systems that have them; each system has its own
faults (orders.py). A fault of a fan-out meets one of its objects, or several. After a round its runs end, some of them
badly, and a Completion over them all meets faults too (waits.py). Now and then runs that can go on fail, and meet
faults while they are asked to (resumes.py).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.campaigns.lane import Lane, due, opened
from tests.campaigns.oracle import Ask, Due, Seen, untold
from tests.campaigns.orders import ALL, Order, Round, faults_of, others_order_jobs, place_of_fault, plan
from tests.campaigns.report import Report
from tests.campaigns.resumes import RESUMES, Resumes
from tests.campaigns.waits import Waits
from tests.campaigns.works import Work
from tests.kits import KITS

ROUNDS = 6
"""In a lane."""
WAITED_FOR = 0.3
"""How often a Completion follows."""
FAILING = 0.1
"""How often runs of a lane fail after a round, and are to go on."""
CASES = "cases by what was asked for"
FAULTS = "faults met, by system, operation and action (once for each case)"
ACTIONS = "faults met, by action (once for each case)"
COMPLETION = "a Completion over them"


def lanes(report: Report, cases: int) -> list[Callable[[Path, str, random.Random], None]]:
    """Of an eighth of the cases fan-outs meet the faults, of some Completions. A few more are planned than are needed:
    now and then a request that is to meet a fault is never sent."""
    report.least(CASES, cases)
    report.least(CASES, cases // 20, COMPLETION)
    report.least(ACTIONS, cases // 100, *ALL)
    report.least(RESUMES, cases // 100)
    planned, found = cases * 21 // 20, []
    for fans, share in ((False, planned - planned // 8), (True, planned // 8)):
        rounds = plan(random.Random(f"{report.seed} faults {fans}"), share, fans)
        found += [partial(lane, report, rounds[at : at + ROUNDS]) for at in range(0, len(rounds), ROUNDS)]
    return found


def lane(report: Report, rounds: list[Round], folder: Path, name: str, rng: random.Random) -> None:
    """The rounds one after the other on one stack, with all that the ones before have left. All are of runs, or all of
    fan-outs."""
    with opened(folder, report, name, rng) as its:
        fans = rounds[0].fans
        assert all(one.fans == fans for one in rounds)
        its.renew(runs=not fans, fans=fans)
        first = its.up()
        if first.code != 0:
            raise RuntimeError(f"an up without faults failed: {first}")
        its.rest()
        tries, waits = _Rounds(its), Waits(its)
        dice = random.Random(f"{report.seed} {name} resumes")
        resumes = Resumes(its, dice)
        for one in rounds:
            tries.round(one)
            if rng.random() < WAITED_FOR and waits.round():
                report.count(CASES, COMPLETION)
            if not fans and dice.random() < FAILING:
                resumes.round()
        its.end()


class _Rounds:
    def __init__(self, lane: Lane) -> None:
        self.lane, self.cloud = lane, lane.cloud

    def round(self, one: Round) -> None:
        """Asks for runs that meet the faults, until an `up` has succeeded."""
        lane = self.lane
        lane.still()
        lane.said.clear()
        if one.ask is Ask.CREATE:
            named = others_order_jobs(one) or lane.rng.random() < 0.5
            lane.renew(named=named, runs=not one.fans, fans=one.fans)
        before = lane.look()
        if one.ask is Ask.CHANGE:
            lane.change()
        if one.ask is Ask.ADDED:
            lane.add()
            before = {name: before.get(name, Seen()) for name in lane.look()}
        if one.context == "interrupted":
            lane.mint_only()
        sent = self.cloud.requests()
        self._order(one)
        # Not with --continue-on-error, which hangs in the engine at times when a create fails (pulumi/pulumi#16373).
        flags = lane.replacing() if one.ask is Ask.FORCED else ()
        result = lane.up(*flags, *(["--refresh"] if one.context == "refresh" else []))
        wants = due(one.ask, before, lane.look() if result.code != 0 else None)
        met = {action: _of_starts(one, action) for action in ("forget", "repeat", "same_id")}
        gone, lane.repeats = met["forget"].keys(), met["same_id"].keys()
        for ask, want in wants.items():
            wants[ask] = replace(want, spare=met["repeat"][lane.work_of(ask).system])
        asks = {ask for ask, want in wants.items() if want.due is not Due.KEPT}
        forgotten = frozenset(ask for ask in asks if lane.work_of(ask).system in gone)
        ordered = max(map(_times, one.orders.values()), default=0)  # a list that cannot be read ends an `up`
        ended = lane.settle(one.ask.value, wants, result, forgotten, ordered)
        for system in gone:
            starts = self.cloud.count(system, "start") - sent.get(system, {}).get("start", 0)
            if starts != sum(lane.work_of(ask).system == system for ask in asks):
                lane.breach(f"{system}: {starts} start requests for runs that the service forgot at once")
        self._judge_told(before, doubled=met["repeat"])
        self._count(one, ended)

    def _judge_told(self, before: dict[str, Seen], doubled: Counter[str]) -> None:
        """What was lost was named; what ran twice was told where a service can tell it."""
        lane, now = self.lane, self.lane.look()
        twice = any(self._jobs_doubled(before[ask], now[ask], lane.work_of(ask)) for ask in before)
        if twice and "was started more than once" not in lane.up("--refresh").text:
            lane.breach("a batch job with a generated name was started twice, and a refresh did not tell it")
        said = "\n".join(lane.said)
        for ask, seen in now.items():
            if not doubled[lane.work_of(ask).system]:
                for breach in untold(before[ask], seen, (), said):
                    lane.breach(f"{ask}: {breach}")

    @staticmethod
    def _jobs_doubled(before: Seen, now: Seen, work: Work) -> bool:
        return bool(work.kit.plain) and not work.named and len(now.fired - before.fired) > 1

    def _order(self, one: Round) -> None:
        named = all(work.named for work in self.lane.works.values())
        for system, orders in one.orders.items():
            if KITS[system].plain and not named:  # a generated name is proof: nobody else has it
                orders = [tuple(fault for fault in order if fault["action"] != "foreign_run") for order in orders]
            for order in filter(None, orders):
                self.cloud.faults(*order)

    def _count(self, one: Round, ended: dict[str, str]) -> None:
        """Only faults that have met a request count."""
        met = Counter(place_of_fault(fault) for fault in faults_of(one) for _ in range(fault.get("times", 1)))
        for left in self.cloud.drop_faults():
            met[place_of_fault(left)] -= left["times"]
        report, lane = self.lane.report, self.lane
        for work in lane.works.values():
            places = [place for place, times in met.items() if times > 0 and place[0] == work.system]
            for place in places:
                report.count(FAULTS, " ".join((work.kind, *place[1:])))
            for action in {place[2] for place in places}:
                report.count(ACTIONS, action)
            if places:
                report.count(CASES, one.ask.value)
                for ask in work.asks.keys() & ended.keys():
                    report.count("outcomes", f"{work.kind}: {ended[ask]}")


def _times(orders: list[Order]) -> int:
    return sum(fault.get("times", 1) for order in orders for fault in order)


def _of_starts(one: Round, action: str) -> Counter[str]:
    """How many starts are to meet this, by system."""
    met: Counter[str] = Counter()
    for fault in faults_of(one):
        if (fault["operation"], fault["action"]) == ("start", action):
            met[fault["system"]] += fault.get("times", 1)
    return met
