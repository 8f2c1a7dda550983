"""Which objects of a fan-out are fired, and which are looked for first. Pure.

The intent's attempts tell when its objects changed, one for each `up`; the fan-out's record tells which attempt it was
made in. So what an `up` may have started that was killed is told by the attempts that are not on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from cloud_runs.lifecycle.intent import ATTEMPTS, digest_of_objects, moments_of
from cloud_runs.promise.fanning import Doubt, Fanned
from cloud_runs.promise.firing import CLOCKS
from cloud_runs.promise.record import PROCESS, Clock, Content, Intent, Recorded


class Work(NamedTuple):
    """`fire`: objects that no earlier process can have started."""

    fire: Sequence[str]
    look: Sequence[Doubt]


def all_of(objects: Sequence[str], intent: Intent, attempts: Sequence[Intent], just_deleted: bool) -> Work:
    """For a fan-out that is not on record."""
    moments = [intent, *attempts]
    if just_deleted or all(moment.process == PROCESS for moment in moments):
        return Work(objects, [])
    return Work([], [Doubt(objects, moments)])


def forced(objects: Sequence[str], old: Recorded) -> Work:
    """For a replacement that was forced and did not come to its end: no intent tells when that was."""
    at = old.fired_at - CLOCKS if old.fired_at else datetime.fromtimestamp(0, timezone.utc)  # it is the server's time
    return Work([], [Doubt(objects, [Intent("", at, "", Clock(), Content({}, {}))], whenever=True)])


def rest_of(objects: Sequence[str], attempts: Sequence[Intent], recorded: Mapping[str, Any]) -> Work:
    """What the recorded fan-out lacks.

    An object that it does not name may have been started in each attempt since the one that is on record. One that it
    names as refused is tried again by every `up`, which leaves no trace of its own.
    """
    missing = [key for key in objects if key not in recorded["instance_ids"]]
    settled, known, since = _since(attempts, recorded)
    again = [key for key in missing if key in recorded["refused"]]
    look = [Doubt(again, [*(moments_of(recorded["fired"].get("doubt")) or settled), *since])]
    new = [key for key in missing if key not in recorded["refused"]]
    if known and since and all(attempt.process == PROCESS for attempt in since):
        return Work(new, look)
    return Work([], [Doubt(new, [*settled, *since] if not (known and since) else since), *look])


def unsettled(attempts: Sequence[Intent], recorded: Mapping[str, Any] | None) -> list[Intent]:
    """The attempts of earlier processes that are not on record: each may have been killed after it had begun."""
    since = _since(attempts, recorded)[2] if recorded else attempts
    return [attempt for attempt in since if attempt.process != PROCESS]


def _since(attempts: Sequence[Intent], recorded: Mapping[str, Any]) -> tuple[list[Intent], bool, list[Intent]]:
    """The attempt on record, if there is one; whether it is among these; and those after it, else all."""
    settled = moments_of([recorded["fired"].get("attempt")])
    tokens = [attempt.token for attempt in attempts]
    known = bool(settled) and settled[0].token in tokens  # not after a change that was taken back
    return settled, known, list(attempts[tokens.index(settled[0].token) + 1 :] if known else attempts)


def gave_up(props: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool:
    """Whether the objects were changed again after an attempt that did not come to its end. What it may have started
    for objects that are not in the list any more cannot be looked up: which they were is on no record."""
    bag = props.get("intent")
    attempts = moments_of(bag.get("attempts")) if isinstance(bag, Mapping) else []
    return bool(attempts) and attempts[-1].process == PROCESS and bool(unsettled(attempts, recorded))


def still_in_doubt(fanned: Fanned, look: Sequence[Doubt], began: Intent, ended: Intent) -> list[Intent]:
    """Since when the objects that were refused may have been started, for the next `up`.

    What was refused for certain can only be started after this `up`, by one that does not come to its end; so what
    this one has seen and not taken is not taken by the next one either.
    """
    if not fanned.refused:
        return []
    before = {one.token: one for doubt in look for one in doubt.moments} if fanned.unsettled else {}
    moments = sorted(before.values(), key=lambda one: one.minted_at)
    return [*moments[:1], *moments[1:][-ATTEMPTS:], *([began] if fanned.lost else []), ended]


def made_for(props: Mapping[str, Any]) -> bool:
    """Whether the intent has an attempt for these objects, so that a kill while they are fired leaves a trace.

    Under `--target` of the fan-out alone the engine brings the old intent. One that is made in this update is for what
    the program asks for now, whatever a transform has made of it.
    """
    bag = props.get("intent")
    if not isinstance(bag, Mapping) or "objects" in (props.get("ignored") or ()):
        return True
    attempts = moments_of(bag.get("attempts"))
    here = bool(attempts) and attempts[-1].process == PROCESS
    return here or bool(bag.get("objects") == digest_of_objects(props["objects"]))
