"""Which faults meet which requests: each fault of the emulator alone, then in random sequences. Pure; the seed chooses.

First come the single faults (by system, operation, action and kind of answer), then random sequences.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from tests.campaigns.lane import START
from tests.campaigns.oracle import Ask
from tests.campaigns.works import CANCELS, FANS_OUT, PARTS, SYSTEMS
from tests.kits import KITS

Fault = dict[str, Any]
Order = tuple[Fault, ...]
"""Faults of one operation that meet one request together."""

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
ALL = (
    *(*_ACTIONS, "body", "status", "delay", "forget", "foreign_run", "interim", "slow_effect", "date_skew"),
    *("error_in_200", "same_id", "refused_but_ran", "endless_pages", "repeat", "odd_id"),
)
"""Every action of the emulator."""
ALONE = ("same_id", "repeat", "odd_id")
"""Actions after which other things are due: each of them comes alone."""
_ENDLESS = {system: 6 if system == "enos.flow" else 400 for system in KITS}
"""Pages beyond the end of a look. EnOS counts them, which is seen to be wrong at the first: a look then meets one."""
_LOSING = frozenset({"drop_response", "reset_before", "truncate", "body", "status", "error_in_200", "refused_but_ran"})
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
        faults += [{"action": "forget"}, *hostile(operation, system)]
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
        if operation == "start":  # reset at once, and the run comes to be all the same
            late = {**where, "action": "slow_effect", "seconds": START - 2}
            found += [[(late, {**where, "action": "reset_before"})]]
        if fans and operation == "start":  # and of each object
            many = [fault for fault in faults if "times" not in fault and fault["action"] != "odd_id"]
            found += [[({**where, **_plain(fault), "times": PARTS},)] for fault in many]
    return found


def hostile(operation: str, system: str) -> list[Fault]:
    """What a service or a box on the way does that none should."""
    faults: list[Fault] = [
        {"action": "interim", "seconds": 0.3},
        {"action": "interim", "status": 103, "seconds": 0.5, "after_effect": 1},
        {"action": "error_in_200"},
        *({"action": "date_skew", "seconds": seconds} for seconds in (-3600, -3, 3, 3600)),
    ]
    if operation == "find":
        faults += [{"action": "endless_pages", "times": times, "seconds": 0.05} for times in (3, _ENDLESS[system])]
    if operation in ("start", "cancel"):
        faults += [{"action": "error_in_200", "after_effect": 1}, {"action": "refused_but_ran"}, {"action": "repeat"}]
        faults += [{"action": "slow_effect", "seconds": START - 1}]
    if operation == "start":
        faults += [{"action": "same_id"}, {"action": "odd_id"}]
    return faults


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
        action = rng.choice([*_ACTIONS, "body", "status", "status", "status", "delay", "hostile", "hostile", "hostile"])
        fault: Fault = {"system": system, "operation": operation, "action": action, "times": times}
        if action == "hostile":
            chosen = rng.choice([one for one in hostile(operation, system) if one["action"] not in ALONE])
            fault |= _plain(chosen)
        elif action == "body":
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
            if any(KITS[system].plain for system in alone) and others_order_jobs(one):
                one.ask = Ask.CREATE  # a job that others start too must have a name that they can know
            (first if at < firsts else other).append(one)
    for action in ALONE:  # in no sequence, so that once in each system would be few
        each = {system: [({"system": system, "operation": "start", "action": action},)] for system in systems}
        first.append(Round(_ask(rng, CONTEXTS[0], fans), CONTEXTS[0], each, fans))
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


def others_order_jobs(one: Round) -> bool:
    return any(fault["action"] == "foreign_run" and KITS[fault["system"]].plain for fault in faults_of(one))


def faults_of(one: Round) -> list[Fault]:
    return [fault for orders in one.orders.values() for order in orders for fault in order]


def place_of_fault(fault: Fault) -> tuple[str, str, str]:
    return fault["system"], fault["operation"], fault["action"]
