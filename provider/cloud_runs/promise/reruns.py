"""Objects of a fan-out whose run has failed: which are fired again, and what is kept of what has failed. Pure.

What is on record before one of them is fired is the failure: a refresh writes it down, with a moment of its process.
What this process has written down, no earlier one can have fired again; for all else the service is asked first. An
object whose new run was refused keeps the one that failed, so the next `up` tries again, and asks first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from cloud_runs.errors import clean
from cloud_runs.promise import groups, history, ledger
from cloud_runs.promise.fanned import Fanned
from cloud_runs.promise.ledger import CODE, FIRED_AT, MAX_ATTEMPTS, PHASE, WHY
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import ADOPTED, LONG_AGO, Content, Fired, Moment, Recorded
from cloud_runs.promise.rules import Doubt, Work
from cloud_runs.runs import Phase, rfc3339

_MOMENTS = 5  # of one object that are kept: the first, and the last ones
_UNTOLD = (Moment("", LONG_AGO),)  # somebody has edited the record


class Again(NamedTuple):
    """Objects that are fired again, and, with their attempts, those that were as often as they may be."""

    keys: Sequence[str] = ()
    spent: Mapping[str, int] = {}
    most: Any = None


def again(own: Recorded, objects: Collection[str], wanted: bool, most: Any, given: Collection[str] = ()) -> Again:
    """`wanted`: whether what failed is to be fired again. `most`: attempts for one ask, the first one included; None
    for any number. `given`: objects whose run is recorded and never fired."""
    failed = [key for key in objects if key in own.failed and key in own.ids and key not in given] if wanted else []
    made = _made(own, failed)
    spent = _spent(made, most)
    return Again([key for key in failed if key not in spent], spent, most)


def _made(own: Recorded, keys: Iterable[str]) -> dict[str, int]:
    """The attempts for each of these objects, the first one included."""
    return {key: own.fired.again.get(key, 0) + 1 for key in keys}


def _spent(made: Mapping[str, int], most: Any) -> dict[str, int]:
    bounded = isinstance(most, (int, float)) and not isinstance(most, bool)
    return {key: count for key, count in made.items() if bounded and count >= most}


def bound(spent: Mapping[str, int], most: float) -> str:
    """What is said of objects that were fired as often as they may be."""
    who = f"object {clean(next(iter(spent)), 100)}" if len(spent) == 1 else groups.objects([*spent])
    made = groups.many(min(spent.values()), "attempt")
    return (
        f"{who} failed after {made}, and max_attempts is {most:g}: not fired again. "
        "Mend what makes it fail, then raise max_attempts or change a trigger"
    )


def added(work: Work, own: Recorded, keys: Collection[str], sent: Sequence[Moment], process: Process) -> Work:
    """The work of a fan-out on record, and these objects again. `sent`: when this process may have started something
    for this ask. The run that failed is none that is looked for."""
    if not keys:
        return work
    fire, doubts = list(work.fire), dict[tuple[Moment, ...], list[str]]()
    for key in keys:
        since = tuple(own.fired.failing.get(key) or _UNTOLD)
        if sent or not all(process.minted(moment) for moment in since):
            doubts.setdefault((*since, *sent), []).append(key)
        else:
            fire.append(key)
    look = [*work.look, *(Doubt(some, moments) for moments, some in doubts.items())]
    ids = {**(work.replaced.ids if work.replaced else {}), **{key: own.ids[key] for key in keys}}
    return replace(work, fire=fire, look=look, replaced=Recorded("", Fired("", Content(), None), ids))


def left_behind(own: Recorded, asked: Again, process: Process) -> dict[tuple[Moment, ...], list[str]]:
    """Objects by the moments since which an earlier process may have fired them again, of those that are not fired
    again now: whatever that has started will be on no record. Not what both the recorded `max_attempts` and that of
    today forbid: no `up` between them can have had a larger one, but for one that was killed (docs/reliability.md)."""
    left: dict[tuple[Moment, ...], list[str]] = {}
    made = _made(own, own.fired.failing)
    forbidden = _spent(made, own.outputs.get(MAX_ATTEMPTS)).keys() & _spent(made, asked.most).keys()
    for key, since in own.fired.failing.items() if own.reruns else ():
        moments = tuple(moment for moment in since if not process.minted(moment))
        if moments and key not in asked.keys and key not in forbidden:
            left.setdefault(moments, []).append(key)
    return left


def recovered(own: Recorded, asked: Again, process: Process) -> bool:
    """Whether one of these has not failed any more, whoever has seen to that: what an earlier process may have fired
    again is told once, and then forgotten."""
    return any(key not in own.failed for keys in left_behind(own, asked, process).values() for key in keys)


def why(own: Recorded, keys: Collection[str]) -> str:
    """Why these objects of a fan-out on record are fired: `object added, rerun after failed`."""
    told = {
        "object added": any(key not in own.ids and key not in own.refused for key in keys),
        "rerun after refused": any(key in own.refused for key in keys),
        history.RERUN: any(key in own.ids for key in keys),
    }
    return ", ".join(word for word, so in told.items() if so)


# -- what is on record then


def failing(own: Recorded | None, fanned: Fanned, objects: Iterable[str], began: Moment) -> dict[str, Sequence[Moment]]:
    """Since when what has failed may have been fired again. One that was refused may have been, from `began` on."""
    since = own.fired.failing if own else {}
    failed = own.failed if own else {}
    kept = {key: tuple(since[key]) for key in objects if key in since and key in failed and key not in fanned.ids}
    refused = {key: (*kept[key][:1], *kept[key][1:][2 - _MOMENTS :], began) for key in kept if key in fanned.refused}
    return {**kept, **refused}


def counts(own: Recorded | None, fanned: Fanned, objects: Iterable[str], work: Work) -> dict[str, int]:
    """How often each object was fired again since it was asked for."""
    if own is None:
        return {}
    now = {key for key in (*work.fire, *work.doubtful) if key in own.ids and key in fanned.ids}
    # What is given in the place of a failed run may be what a killed `up` has fired again.
    now |= {key for key in own.failed if fanned.ids.get(key, own.ids.get(key)) != own.ids.get(key)}
    made = {key: own.fired.again.get(key, 0) + (key in now) for key in objects}
    return {key: count for key, count in made.items() if count}


def first(own: Recorded | None, fanned: Fanned) -> datetime | None:
    """The last start of the `up` that made the fan-out, from the first later one on."""
    if own is None or own.fired.first or not fanned.ids:
        return own.fired.first if own else None
    return own.fired.at


def later(own: Recorded | None, fanned: Fanned, objects: Iterable[str], began: Moment) -> dict[str, datetime]:
    """When the objects were fired that were fired since the fan-out was made."""
    if own is None:
        return {}
    kept = {key: own.fired.later[key] for key in objects if key in own.fired.later}
    return {**kept, **dict.fromkeys(fanned.ids, fanned.at or began.at)}


def past(old: Recorded | None, fanned: Fanned, objects: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
    """By object the runs that failed and were followed by another one, the last few, oldest first. `old`: the fan-out
    that stays, or that is replaced."""
    if old is None:
        return {}
    kept = {key: list(old.past.get(key, ())) for key in objects}
    for key in kept.keys() & old.failed.keys() & fanned.ids.keys():
        kept[key] = [*kept[key], _last(old, key)][-history.KEPT :]
    return {key: runs for key, runs in kept.items() if runs}


def attempts(run: Recorded, key: str) -> list[Mapping[str, Any]]:
    """The runs of an object, oldest first: those that failed and were followed by another one, and the one on
    record, of which nothing but a failure is known."""
    return [*run.past.get(key, ()), _last(run, key)]


def _last(run: Recorded, key: str) -> dict[str, Any]:
    fired, id, told = run.fired, run.ids.get(key, ""), run.failed.get(key, {})
    given = ledger.is_given(run.outputs, id)
    at = None if given else fired.later.get(key) or fired.first or fired.at
    return {
        "id": id,
        PHASE: (Phase.FAILED if key in run.failed else Phase.UNKNOWN).value,
        CODE: str(told.get(CODE) or ""),
        FIRED_AT: str(told.get(FIRED_AT) or "") or (rfc3339(at) if at else ""),
        WHY: ADOPTED if given else history.RERUN if fired.again.get(key) else fired.why,
    }
