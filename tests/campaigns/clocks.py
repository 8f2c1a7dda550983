"""Interrupted asks whose recovery has other clocks: those of another machine, of one that was paused and restored, one
that was set, or a service whose `Date` is not the time in its lists.

In each volley one `up` asks for a run of each system and a fan-out of each that has them. Either its hosts are killed
after the runs have come to be, or the answers are lost, or they say "refused" although the runs have started; then the
user goes on, with other clocks.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.campaigns.holds import Holds
from tests.campaigns.lane import opened
from tests.campaigns.oracle import Ask, Then
from tests.campaigns.report import Report
from tests.campaigns.strikes import TIMES, Case, Fate, Striker
from tests.campaigns.works import FANS_OUT, SYSTEMS, Work
from tests.kits import KITS
from tests.support.emulator import Emulator

CASES = "cases, by what the clocks do"
LOSSES = "how the runs were lost"
ENDS = "how the asks ended"
_ALWAYS = 100_000
_OPERATIONS = ("start", "find", "get")
_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True)
class World:
    """`first` and `then` are the clocks of the hosts in the first `up` and after it (inside/host_points.py), or TZ for
    their local time; `under` runs the later ones; `dates` is how far `Date` is ahead, by operation."""

    first: Mapping[str, Any] = field(default_factory=dict)
    then: Mapping[str, Any] = field(default_factory=dict)
    under: tuple[str, ...] = ()
    dates: Mapping[str, float] = field(default_factory=dict)


def _seconds(rng: random.Random, least: float, most: float) -> float:
    """Small ones as often as large ones."""
    return round(least * (most / least) ** rng.random(), 2)


def _namespace(rng: random.Random) -> World:
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    behind = int(_seconds(rng, 3, min(_HOUR, uptime / 2)))
    return World(under=("unshare", "-T", f"--boottime=-{behind}"))


def _boot(rng: random.Random, sign: int) -> World:
    return World(then={"boot": sign * _seconds(rng, 3, 7 * _DAY)})


def _machine(rng: random.Random) -> World:
    return World(then={"kernel": "another", "boot": rng.uniform(-_DAY, 30 * _DAY), "wall": rng.uniform(-5, 5)})


def _wall(rng: random.Random, sign: int) -> World:
    """More than 15 minutes services refuse. The first `up` has the wrong time, or the later ones."""
    wrong = {"wall": sign * _seconds(rng, 1, 800)}
    return World(first=wrong) if rng.random() < 0.5 else World(then=wrong)


def _date(rng: random.Random, sign: int) -> World:
    """Of all its answers, or of some: a service has more than one machine."""
    by = sign * round(_seconds(rng, 1, _HOUR))
    some = rng.choice((_OPERATIONS, _OPERATIONS, ("start",), ("find", "get")))
    return World(dates=dict.fromkeys(some, by))


def _summer(rng: random.Random) -> World:
    zones = ["TST0", "TST-1"] if rng.random() < 0.5 else ["TST+5", "TST+4"]  # POSIX: what is west is positive
    rng.shuffle(zones)
    return World(first={"TZ": zones[0]}, then={"TZ": zones[1]})


WORLDS: dict[str, Callable[[random.Random], World]] = {
    "boot clock behind, in a time namespace": _namespace,
    "boot clock behind": partial(_boot, sign=-1),
    "boot clock ahead": partial(_boot, sign=1),
    "the next up on another machine": _machine,
    "time of day behind": partial(_wall, sign=-1),
    "time of day ahead": partial(_wall, sign=1),
    "Date behind the lists": partial(_date, sign=-1),
    "Date ahead of the lists": partial(_date, sign=1),
    "local time jumps by an hour": _summer,
}


@cache
def worlds() -> tuple[str, ...]:
    """Those that this machine can make: not each may have a time namespace."""
    allowed = subprocess.run(["unshare", "-T", "--boottime=-1", "true"], check=False, capture_output=True)
    return tuple(name for name in WORLDS if allowed.returncode == 0 or WORLDS[name] is not _namespace)


class Plan:
    def __init__(self, report: Report, cases: int) -> None:
        self.report, self.cases = report, cases
        report.least(CASES, cases)
        report.least(CASES, cases // 15, *worlds())

    def over(self) -> bool:
        return self.report.total(CASES) >= self.cases

    def world(self, rng: random.Random) -> str:
        met = self.report.counts(CASES)
        return min(worlds(), key=lambda world: met[world] + rng.uniform(0, 8))


def lane(report: Report, plan: Plan, folder: Path, name: str, rng: random.Random) -> None:
    """Volleys until all lanes together have had so many cases."""
    slots = [*((system, "") for system in SYSTEMS), *((system, "fans") for system in FANS_OUT)]
    with opened(folder, report, name, rng, **TIMES) as its, contextlib.closing(Holds()) as holds:
        striker, works = _Clocks(Striker(its, holds), its.cloud, holds), dict[int, Work]()
        while not plan.over():
            cases = []
            for at, (system, provider) in enumerate(slots):
                work, ask = works.get(at), rng.choice((Ask.CREATE, Ask.CREATE, Ask.CHANGE, Ask.FORCED))
                if work is None or work.gone or ask is Ask.CREATE or KITS[system].by_minute:
                    work, ask = its.fresh(system, provider, fan=bool(provider)), Ask.CREATE
                works[at] = work
                then = rng.choice((Then.SAME, Then.SAME, Then.SAME, Then.ALIAS, Then.REMOVED, Then.CHANGED))
                then = Then.SAME if then is Then.CHANGED and KITS[system].by_minute else then
                cases.append(Case(work, ask, rng.choice(("effect", "read", "return")), Fate.BOTH, then))
            striker.volley(cases, plan.world(rng), rng)
        its.end()


class _Clocks:
    def __init__(self, striker: Striker, cloud: Emulator, holds: Holds) -> None:
        self.striker, self.lane, self.cloud, self.holds = striker, striker.lane, cloud, holds

    def volley(self, cases: list[Case], name: str, rng: random.Random) -> None:
        world, report = WORLDS[name](rng), self.lane.report
        loss = rng.choice(("killed", "killed", "answers lost", "refused, but ran"))
        for operation, seconds in world.dates.items():
            for system in SYSTEMS:
                where = {"system": system, "operation": operation, "times": _ALWAYS}
                self.cloud.faults({**where, "action": "date_skew", "seconds": seconds})
        self._machine(world.first)
        self.lane.step(f"{name}: {world}, {loss}")
        interrupt = partial(self.striker.strike, cases) if loss == "killed" else partial(self._lose, cases, loss)
        ended = self.striker.volley(cases, interrupt, lambda wants: self._machine(world.then, world.under))
        self.cloud.drop_faults()
        self._machine({})
        for case in cases:
            if case.hit or loss != "killed":
                report.count(CASES, name)
                report.count(LOSSES, loss)
        for how in ended.values():
            report.count(ENDS, how)

    def _lose(self, cases: list[Case], loss: str, flags: tuple[str, ...]) -> None:
        action = "drop_response" if loss == "answers lost" else "refused_but_ran"
        for work in (case.work for case in cases):
            where = {"system": work.system, "operation": "start", "times": work.parts or 1}
            self.cloud.faults({**where, "action": action})
        self.lane.up(*flags)

    def _machine(self, clocks: Mapping[str, Any], under: tuple[str, ...] = ()) -> None:
        """From here on the `up`s are on a machine with these clocks."""
        zone = {"TZ": clocks["TZ"]} if "TZ" in clocks else {}
        told = {name: value for name, value in clocks.items() if name != "TZ"}
        stack = self.lane.stack
        stack.environment = {**self.holds.environment, **zone, "CAMPAIGN_CLOCKS": json.dumps(told)}
        stack.under = under
