"""The fault campaign: every fault of the emulator, alone and in random sequences, while runs are asked for.

A *case* is one resource that met at least one fault. In each round a run is asked for in each of the four systems in
one `up`, so that a round is four cases, or a fan-out in each of the two systems that have them; each system has its own
faults. First come the single faults (by system, operation, action and kind of answer), then random sequences, all in an
order of the seed's choice. A fault of a fan-out meets one of its objects, or several.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any

from tests.campaigns.lane import START, Lane, due, opened
from tests.campaigns.oracle import Ask, Due, Seen
from tests.campaigns.report import Report
from tests.campaigns.works import CANCELS, FANS_OUT, PARTS, SYSTEMS
from tests.kits import KITS

Fault = dict[str, Any]
Order = tuple[Fault, ...]
"""Faults of one operation that meet one request together."""

ROUNDS_IN_A_LANE = 6
CASES = "cases by what was asked for"
FAULTS = "faults met, by system, operation and action (once for each case)"
CONTEXTS = ("plain", "interrupted", "refresh")
"""In which a fault meets its operation. `interrupted`: an earlier up has made the intents and nothing else, so that
each run is looked for before it is fired. `refresh`: with `--refresh`, which looks at the recorded runs."""

_BODIES = (
    "",
    "{}",
    "[]",
    "<html><body>it works</body></html>",
    '{"status": 0, "data": null}',
    "<Response/>",
    "\x00\xff",
)
_ACTIONS = ("drop_response", "reset_before", "truncate")
_LOSING = frozenset({"drop_response", "reset_before", "truncate", "body", "status"})
"""Actions on a start after which it may be looked for."""


@dataclass
class Round:
    """What is asked for in all systems at once, in which context, and the faults that each of them meets."""

    ask: Ask
    context: str
    orders: dict[str, list[Order]] = field(default_factory=dict)
    fans: bool = False
    """Of fan-outs, and not of runs."""


def operations(system: str, context: str, fans: bool = False) -> list[str]:
    """The operations that the provider asks for in this context, each of which a single fault is to meet."""
    if context == "interrupted":
        return ["find"]
    if fans:
        return ["start"]
    if context == "refresh":
        return ["get"]
    more = ["token", "refresh"] if KITS[system].token_header else []
    return ["start", *(["cancel"] if system in CANCELS else []), *more]


def singles(system: str, context: str, fans: bool = False) -> list[list[Order]]:
    """Each fault of each of the context's operations, alone."""
    found: list[list[Order]] = []
    for operation in operations(system, context, fans):
        where = {"system": system, "operation": operation}
        faults: list[Fault] = [{"action": action} for action in _ACTIONS]
        faults += [{"action": "body", "body": body} for body in _BODIES]
        faults += [{"action": "status", "status": status, "code": code} for status, code in KITS[system].refusals]
        faults += [{"action": "status", "status": status, "code": code} for status, code in KITS[system].doubts]
        faults += [
            {"action": "status", "status": status, "code": code, "after_effect": True}
            for status, code in KITS[system].doubts
        ]
        waits = (0.5, START + 0.5) if operation == "start" else (0.5,)  # the second: nobody waits so long for an answer
        faults += [{"action": "delay", "seconds": wait, "after_effect": after} for wait in waits for after in (0, 1)]
        faults += [{"action": "forget"}]
        if operation == "start":
            faults += [{"action": "foreign_run"}]
        else:  # so often that no repeat helps
            faults += [_often(fault) for fault in faults if fault["action"] in ("status", "reset_before")]
        # The token is refreshed when the gateway calls it expired and then gives the same again.
        expired: list[Order] = [
            ({"system": system, "operation": "find", "action": "status", "status": 200, "code": "1203"},)
        ]
        first = expired if operation == "refresh" else []
        found += [[*first, ({**where, **_plain(fault)},)] for fault in faults]
        if fans and operation == "start":  # and of each object
            found += [[({**where, **_plain(fault), "times": PARTS},)] for fault in faults if "times" not in fault]
    return found


def _plain(fault: Fault) -> Fault:
    return {key: bool(value) if key == "after_effect" else value for key, value in fault.items()}


def _often(fault: Fault) -> Fault:
    """So often that no repeat within an `up` helps. A refusal is not repeated: each one costs an `up`."""
    repeated = fault.get("status", 500) in (429, 500, 503) or fault.get("code") in ("62109", "77777")
    return {**fault, "times": 12 if repeated else 2}


def sequence(rng: random.Random, system: str, context: str, fans: bool = False) -> list[Order]:
    """One to four faults in a row, on whatever operations this context asks for."""
    orders: list[Order] = []
    kit = KITS[system]
    lost = context == "interrupted" or kit.by_minute
    for _ in range(rng.randint(1, 4)):
        choices = ["start", "start", *operations(system, context, fans)]
        choices += ["find"] * 2 if lost else []
        operation = rng.choice(choices)
        times = rng.choice([1, 1, 1, 2, 3]) if operation == "start" else rng.choice([1, 1, 2, 12])
        action = rng.choice([*_ACTIONS, "body", "status", "status", "status", "delay"])
        fault: Fault = {"system": system, "operation": operation, "action": action, "times": times}
        if action == "body":
            fault["body"] = rng.choice(_BODIES)
        elif action == "status":
            after = rng.random() < 0.4
            fault["status"], fault["code"] = rng.choice(kit.doubts if after else [*kit.refusals, *kit.doubts])
            fault["after_effect"] = after
            fault = _often(fault) if times > 3 else fault
        elif action == "delay":
            fault |= {"seconds": round(rng.uniform(0.1, 2.0), 1), "after_effect": rng.random() < 0.5}
        order: Order = (fault,)
        if operation == "start":
            lost = lost or action in _LOSING
            if rng.random() < 0.25:
                order = (fault, {"system": system, "operation": operation, "action": "foreign_run", "times": times})
        orders.append(order)
    return orders


def plan(rng: random.Random, cases: int, fans: bool = False) -> list[Round]:
    """The rounds for so many cases, of runs or of fan-outs: each action on each operation alone, then its other kinds,
    then sequences."""
    systems = FANS_OUT if fans else SYSTEMS
    contexts = CONTEXTS[:2] if fans else CONTEXTS  # a refresh of a fan-out asks nothing
    first: list[Round] = []
    other: list[Round] = []
    for context in contexts:
        columns = []
        for system in systems:
            column = singles(system, context, fans)
            rng.shuffle(column)
            columns.append(_one_of_each_first(column))
        firsts = max(len({_kind(alone) for alone in column}) for column in columns)
        for at, row in enumerate(zip_longest(*columns)):
            orders = {
                system: alone or sequence(rng, system, context, fans)
                for system, alone in zip(systems, row, strict=True)
            }
            one = Round(_ask(rng, context, fans), context, orders, fans)
            alone = [system for system, order in zip(systems, row, strict=True) if order]
            if any(KITS[system].plain for system in alone) and _others_order_jobs(one):
                one.ask = Ask.CREATE  # a job that others start too must have a name that they can know
            (first if at < firsts else other).append(one)
    rng.shuffle(first)
    rng.shuffle(other)
    rounds = first + other
    wanted = -(-cases // len(systems))
    while len(rounds) < wanted:
        context = rng.choice(contexts)
        orders = {system: sequence(rng, system, context, fans) for system in systems}
        rounds.append(Round(_ask(rng, context, fans), context, orders, fans))
    return rounds[:wanted]


def _kind(alone: list[Order]) -> tuple[str, str]:
    return alone[-1][0]["operation"], alone[-1][0]["action"]


def _one_of_each_first(column: list[list[Order]]) -> list[list[Order]]:
    seen: set[tuple[str, str]] = set()
    again = []
    for alone in column:  # sorting is stable, and False comes before True
        again.append(_kind(alone) in seen)
        seen.add(_kind(alone))
    return [alone for _, alone in sorted(zip(again, column, strict=True), key=itemgetter(0))]


def _ask(rng: random.Random, context: str, fans: bool) -> Ask:
    if context == "interrupted":
        return Ask.CREATE  # a replacement has just been deleted by its own process, which fires without a look
    return rng.choice([Ask.CREATE, Ask.CHANGE, Ask.CHANGE, Ask.FORCED, *([Ask.ADDED] if fans else [])])


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
        tries = _Rounds(its)
        for one in rounds:
            tries.round(one)
        its.end()


class _Rounds:
    def __init__(self, lane: Lane) -> None:
        self.lane, self.cloud = lane, lane.cloud

    def round(self, one: Round) -> None:
        """Asks for runs that meet the faults, until an `up` has succeeded."""
        lane = self.lane
        lane.still()
        if one.ask is Ask.CREATE:
            named = _others_order_jobs(one) or lane.rng.random() < 0.5
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
        gone = {
            fault["system"] for fault in _faults(one) if (fault["operation"], fault["action"]) == ("start", "forget")
        }
        asks = {ask for ask, want in wants.items() if want.due is not Due.KEPT}
        forgotten = frozenset(ask for ask in asks if lane.work_of(ask).system in gone)
        ended = lane.settle(one.ask.value, wants, result, forgotten)
        for system in gone:
            starts = self.cloud.count(system, "start") - sent.get(system, {}).get("start", 0)
            if starts != sum(lane.work_of(ask).system == system for ask in asks):
                lane.breach(f"{system}: {starts} start requests for runs that the service forgot at once")
        self._count(one, ended)

    def _order(self, one: Round) -> None:
        named = all(work.named for work in self.lane.works.values())
        for system, orders in one.orders.items():
            if KITS[system].plain and not named:  # a generated name is proof: nobody else has it
                orders = [tuple(fault for fault in order if fault["action"] != "foreign_run") for order in orders]
            for order in filter(None, orders):
                self.cloud.faults(*order)

    def _count(self, one: Round, ended: dict[str, str]) -> None:
        """Only faults that have met a request count."""
        met = Counter(_place(fault) for fault in _faults(one) for _ in range(fault.get("times", 1)))
        for left in self.cloud.drop_faults():
            met[_place(left)] -= left["times"]
        report, lane = self.lane.report, self.lane
        for work in lane.works.values():
            places = [place for place, times in met.items() if times > 0 and place[0] == work.system]
            for place in places:
                report.count(FAULTS, " ".join((work.kind, *place[1:])))
            if places:
                report.count(CASES, one.ask.value)
                for ask in work.asks.keys() & ended.keys():
                    report.count("outcomes", f"{work.kind}: {ended[ask]}")


def _others_order_jobs(one: Round) -> bool:
    return any(fault["action"] == "foreign_run" and KITS[fault["system"]].plain for fault in _faults(one))


def _faults(one: Round) -> list[Fault]:
    return [fault for orders in one.orders.values() for order in orders for fault in order]


def _place(fault: Fault) -> tuple[str, str, str]:
    return fault["system"], fault["operation"], fault["action"]
