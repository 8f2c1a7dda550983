"""What must be true of one ask (a run, or an object of a fan-out), judged from outside: what its service has, and what
its stack has on record.

It knows nothing of how the provider works; its rules are the table "When does it run?" of the design and the list of
known outcomes of an interrupted forced replacement. Its own test shows that it notices what it is there to notice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Seen:
    """One ask at one moment. `fired`: ids of the runs of its work that were asked for through the API; `foreign`:
    of those that others started; `recorded`: the id in the state's file, "" if there is none; `pending`: that one was
    deleted to be replaced; `intent`: its intent is in the state."""

    fired: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    recorded: str = ""
    pending: bool = False
    intent: bool = False


class Ask(Enum):
    """What the user did."""

    CREATE = "first create"
    CHANGE = "trigger change"
    FORCED = "forced replace"
    TAKEN_BACK = "change taken back"
    DESTROYED = "destroy, then up"
    ADDED = "objects added to a fan-out"


class Due(Enum):
    """What must be there as soon as an `up` succeeds. Never, not even before that: two new runs."""

    NEW = "exactly one new run, and it is on record"
    KEPT = "no new run, and the recorded one stays"
    UNRECORDED = "the recorded run stays; one that was fired for a change that was taken back is not recorded"
    AGAIN = "one new run on record, or none and an earlier run of the resource found again"
    NEXT = "one new run on record, and at most one more for the ask before it, which was told"
    GONE = "no new run but at most one for the ask before it, which was told"


@dataclass(frozen=True)
class Expected:
    """What is due, counted from `before`. `by_minute`: the system tells runs apart by the minute alone, so a run of
    this resource that is on no record (left by a change that was taken back) may be told to be the new one.
    """

    due: Due
    before: Seen
    by_minute: bool = False
    destroyed: bool = False
    """The run of before was destroyed, so that nothing tells it from one that was lost."""
    spare: int = 0
    """So many runs more may have been started, for an ask that was interrupted and then given up."""


def expected(ask: Ask, before: Seen, interrupted: Seen | None = None, *, by_minute: bool = False) -> Expected:
    """`interrupted`: how it was after the first `up` (or destroy) for this ask, if that did not succeed."""
    if ask is Ask.ADDED and before.recorded:
        return Expected(Due.KEPT, before)
    if interrupted is None:
        return Expected(Due.NEW, before, by_minute, ask is Ask.DESTROYED)
    on_record = bool(interrupted.recorded) and not interrupted.pending
    if ask is Ask.FORCED and on_record and interrupted.recorded == before.recorded:
        return Expected(Due.KEPT, before)  # the request was lost with the update: it is in no record
    if ask is Ask.TAKEN_BACK and not (on_record and interrupted.recorded != before.recorded):
        return Expected(Due.UNRECORDED, before)
    if ask is Ask.TAKEN_BACK:  # it was recorded, so that taking it back is another change
        return Expected(Due.NEW, interrupted, by_minute)
    if ask is Ask.DESTROYED and on_record:
        return Expected(Due.KEPT, before)
    if ask is Ask.DESTROYED and (interrupted.intent or interrupted.recorded or by_minute):
        return Expected(Due.AGAIN, before)
    return Expected(Due.NEW, before, by_minute, ask is Ask.DESTROYED)


class Then(Enum):
    """How the user goes on after an interrupted `up`."""

    SAME = "unchanged"
    CHANGED = "changed"
    BACK = "taken back"
    ALIAS = "renamed with an alias"
    RENAMED = "renamed without an alias"
    REMOVED = "removed"


def onwards(ask: Ask, then: Then, before: Seen, interrupted: Seen, *, by_minute: bool = False) -> Expected:
    """What is due if the user goes on so. `interrupted`: how it was after the `up` for this ask."""
    if then in (Then.SAME, Then.ALIAS):
        return expected(ask, before, interrupted, by_minute=by_minute)
    if then is Then.BACK:
        return expected(Ask.TAKEN_BACK, before, interrupted, by_minute=by_minute)
    on_record = bool(interrupted.recorded) and not interrupted.pending
    due = Due.GONE if then is Then.REMOVED else Due.NEXT
    # What another name had on record is another resource's: nothing tells the new one that it is not a lost run.
    renamed = then is Then.RENAMED
    return Expected(due, interrupted if on_record else before, by_minute, renamed, spare=0 if on_record else 1)


def untold(first: Seen, now: Seen, known: Collection[str], said: str) -> list[str]:
    """Runs that were started since, are not on record, and were never named to the user. `known`: ids that were on
    record in between, which the user has then asked to replace."""
    lost = now.fired - first.fired - {now.recorded} - set(known)
    return [f"lost without a word: {id}" for id in sorted(lost) if id not in said]


def breaches(want: Expected, now: Seen, *, settled: bool, forgotten: bool = False) -> list[str]:
    """Where the promise is broken. `settled`: an `up` has just succeeded. `forgotten`: the service was told to forget
    the new run at once, so that it can only be on record."""
    before, new = want.before, now.fired - want.before.fired
    found = []
    asked = want.spare + (want.due is not Due.GONE)
    if len(new) > asked:
        found.append(f"fired {'twice' if asked else 'without being asked'}: {_list(new)}")
    if new and want.due is Due.KEPT:
        found.append(f"fired without being asked: {_list(new)}")
    if not settled or (forgotten and not new and now.recorded and now.recorded not in before.fired | before.foreign):
        return found
    return [*found, *_on_record(want, now, new)]


def _on_record(want: Expected, now: Seen, new: Collection[str]) -> list[str]:
    """After an `up` that has succeeded."""
    before = want.before
    if want.due is Due.GONE:
        return [f"still on record: {now.recorded}"] if now.recorded else []
    if not now.recorded or now.pending:
        return [f"id lost: an up has succeeded and nothing is on record{_of(new)}"]
    found = []
    if want.due is Due.NEW and not new:
        left = before.fired - {before.recorded} if want.by_minute else frozenset()
        if now.recorded not in (now.foreign - before.foreign) | left:
            found.append(f"not fired: an up has succeeded and {now.recorded} is on record")
    elif want.due in (Due.NEW, Due.NEXT) or (want.due is Due.AGAIN and new):
        if now.recorded not in new:
            found.append(f"wrong id: {now.recorded} is on record{_of(new)}")
    elif want.due is Due.AGAIN:
        if now.recorded not in before.fired:
            found.append(f"wrong id: {now.recorded} is on record, which is no run of this resource")
    elif now.recorded != before.recorded:
        found.append(f"wrong id: {now.recorded} is on record, not {before.recorded}{_of(new)}")
    if want.due is Due.NEW and now.recorded not in now.fired | now.foreign:
        found.append(f"wrong id: the service does not know {now.recorded}")
    return found


def adoptable(want: Expected, now: Seen, named: Collection[str]) -> tuple[str, list[str]]:
    """For an `up` that stopped as ambiguous and named these runs: the id to adopt, "" if none of ours was lost, and
    where the promise is broken."""
    lost = now.fired - want.before.fired
    if not lost and want.due is Due.AGAIN:
        lost = frozenset({want.before.recorded})
    if not lost:  # what was left by a change that was taken back, and is on no record, may be named
        known = {want.before.recorded, now.recorded} - {""} if not want.destroyed else set()
        ours = known.intersection(named)
        return "", [f"an ambiguous stop names what is or was on record: {_list(ours)}"] if ours else []
    if not lost.intersection(named):
        return "", [f"an ambiguous stop names {_list(named)}, but not the lost run {_list(lost)}"]
    return min(lost.intersection(named)), []


def _list(ids: Collection[str]) -> str:
    return ", ".join(sorted(ids))


def _of(new: Collection[str]) -> str:
    return f"; the service has {_list(new)}" if new else ""
