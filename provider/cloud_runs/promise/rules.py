"""What is fired, looked for, kept or refused; when an intent needs a new token; when a replacement is due. Pure.

One rule for one run and for each object of a fan-out: a run is a fan-out over the one object ''. When in doubt, nothing
is fired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cloud_runs.errors import RunsError
from cloud_runs.promise.ignored import is_ignored
from cloud_runs.promise.ledger import intent_urn
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Before, Content, Fired, Former, Intent, Moment, Recorded, attempts_since

TAKEN_BACK = "the change was taken back, so the recorded run stays"


@dataclass(frozen=True)
class Ask:
    """What one `create` or `update` is asked for. `intent` is None if the engine brought no token. `ignored` are the
    paths under `ignore_changes`. `objects`: a run is that of the object ''; `listed` is their digest."""

    urn: str
    intent: Intent | None
    content: Content
    ignored: frozenset[str] = frozenset()
    objects: Sequence[str] = ("",)
    listed: str = ""

    @property
    def token(self) -> str:
        return self.intent.token if self.intent else ""

    @property
    def attempt(self) -> str:
        """What stands for this `up`'s start: the intent's token, of a fan-out that of its last attempt."""
        return self.intent.moments[-1].token if self.intent else ""


class Doubt(NamedTuple):
    """Objects that an earlier `up` may have started, and the moments at which it may have begun to do so."""

    keys: Sequence[str]
    moments: Sequence[Moment]


@dataclass(frozen=True)
class Work:
    """What is to be done. `fire`: objects that no earlier process can have started. `look`: those that may have been.

    `keep`: what is on record and stays, `replaced` what goes, or what went while objects of what stays were refused.
    `keep` with nothing to fire and nothing to look for: nothing is to be done.
    """

    fire: Sequence[str] = ()
    look: Sequence[Doubt] = ()
    keep: Recorded | None = None
    replaced: Recorded | None = None

    @property
    def doubtful(self) -> list[str]:
        return [key for doubt in self.look for key in doubt.keys]


def decide(ask: Ask, before: Before, process: Process) -> Work:
    """For a resource that is created. The order matters. Raises RunsError if nothing may be fired.

    | what the process knows | is done |
    |---|---|
    | no token came, or one that stands for other work | refused |
    | the resource's old run, fired for the same under another token, and not deleted here: taken back | kept |
    | the token is of this process, or this process has just deleted the resource's run (a replacement) | fired |
    | anything else: an earlier `up`, or this process, may have fired | looked for |
    """
    intent = intended(ask, process)
    old, deleted = before
    # Under the token on record beside it the replacement was forced, and no change has been taken back.
    if old and not deleted and old.fired.shown != intent.token and not other_work(old.content, ask):
        return add(ask, old, process)
    doubt = in_doubt(ask, before, process)
    return doubt if doubt.look else Work(fire=ask.objects, replaced=old)


def in_doubt(ask: Ask, before: Before, process: Process) -> Work:
    """What an earlier `up`, or this process (an error hook asks again), may have fired, whatever is done about it."""
    minted = ask.intent.moments if ask.intent else ()
    here = before.deleted or all(process.minted(moment) for moment in minted)
    moments = [*(() if here else minted), *process.attempted(ask.urn, ask.attempt)]
    return Work(look=[Doubt(ask.objects, moments)] if moments else [], replaced=before.recorded)


def abandoned(ask: Ask, before: Before, process: Process) -> list[Moment]:
    """Since when an earlier `up` may have started what will be on no record, while the intent stays. (Where that
    changes, `Process.former` tells.)

    Either a trigger was added and is removed again, so that its change is taken back; or a fan-out is replaced by
    force, and objects were added or refused that may have been started.
    """
    old, deleted = before
    if ask.intent is None or old is None:
        return []
    if deleted:
        doubt = [moment for moment in old.unsettled if not process.minted(moment)]
        same = ask.intent.token == old.fired.shown
        return [*unsettled(ask.intent.attempts, old.fired, process), *doubt] if same else []
    taken_back = decide(ask, before, process).keep is not None
    return [moment for moment in ask.intent.moments if taken_back and not process.minted(moment)]


def add(ask: Ask, own: Recorded, process: Process) -> Work:
    """For a resource on record that stays: a run needs nothing; of a fan-out what it lacks.

    An object that it does not name may have been started in each attempt since the one on record. One that it names as
    refused is tried again by every `up`, which leaves no trace of its own.
    """
    missing = [key for key in ask.objects if key not in own.ids]
    attempts = ask.intent.attempts if ask.intent else ()
    known, since = attempts_since(attempts, own.fired.tried)
    settled = [own.fired.attempt] if own.fired.attempt else []
    again = [key for key in missing if key in own.refused]
    new = [key for key in missing if key not in own.refused]
    here = bool(known and since) and all(process.minted(attempt) for attempt in since)
    sent = process.attempted(ask.urn, ask.attempt)
    look = [Doubt(again, [*(own.fired.doubt or settled), *since, *sent])]
    replaced = Recorded("", Fired("", Content(), None), own.fired.predecessors) if own.fired.predecessors else None
    if here and not sent:
        return Work(fire=new, look=[doubt for doubt in look if doubt.keys], keep=own, replaced=replaced)
    moments = [] if here else since if known and since else [*settled, *since]
    look = [doubt for doubt in (Doubt(new, [*moments, *sent]), *look) if doubt.keys]
    return Work(look=look, keep=own, replaced=replaced)


def predecessors(refused: Iterable[str], work: Work) -> dict[str, str]:
    """Of the objects that were refused: the runs that they had on record before, which only this `up` knows."""
    ids: dict[str, str] = {}
    for run in filter(None, (work.replaced, work.keep)):
        ids |= {**run.fired.predecessors, **run.ids}
    return {key: ids[key] for key in refused if key in ids}


def intended(ask: Ask, process: Process) -> Intent:
    """The intent that the engine brought. Raises RunsError if it brought none, or one that was made for other work or
    other objects: firing under a token that stands for something else could fire twice."""
    intent = ask.intent
    if intent is None:
        raise not_intended(ask.urn)
    of_others = not process.minted(intent.moment) and other_work(intent.content, ask)
    if of_others or (not process.minted(intent.moments[-1]) and other_objects(intent, ask)):
        raise not_intended(ask.urn)
    return intent


def not_intended(urn: str) -> RunsError:
    return RunsError(
        "nothing was fired: its intent is not part of this update, or was made for other arguments. Leave --target and "
        f"--exclude away, or name the intent too: {intent_urn(urn)}. If a transform of the stack or a parent changes "
        "arguments or ignore_changes of the run, change a trigger"
    )


def other_work(content: Content, ask: Ask) -> list[str]:
    """In what it was made or fired for something else; not what is under `ignore_changes`, which `create` gets raw."""
    return [name for name in content.differences(ask.content) if not is_ignored(name, ask.ignored)]


def other_objects(intent: Intent, ask: Ask) -> bool:
    return bool(ask.listed) and intent.objects != ask.listed and not is_ignored("objects", ask.ignored)


def made_for_others(ask: Ask, before: Before, process: Process) -> list[str]:
    """The arguments under `ignore_changes` in which the intent was made for another value than the program has by now.

    `create` gets the program's value, since there is no record that the engine could take the old one from. An earlier
    `up` may have started a run with the value that the intent was made for, so that one counts. Under the intent of a
    run on record a replacement was forced, which has fired for the program's value.
    """
    intent = ask.intent
    forced = before.recorded is not None and intent is not None and before.recorded.fired.shown == intent.token
    if intent is None or forced or process.minted(intent.moment):
        return []
    names = {*intent.content.arguments, *ask.content.arguments}
    return [name for name in intent.content.differences(ask.content) if name in names and is_ignored(name, ask.ignored)]


def new_token(intent: Intent, wanted: Content, unknown: Collection[str]) -> list[str]:
    """Why an intent needs a new token: a changed argument, a new or changed trigger. What is unknown asks for none."""
    return [name for name in intent.content.differences(wanted) if name not in unknown]


def asking(run: Recorded, wanted: Content, unknown: Collection[str], ignored: frozenset[str]) -> list[str]:
    """The arguments and triggers that ask for another run than the one on record."""
    changed = run.content.differences(wanted)
    return [name for name in changed if name not in unknown and not is_ignored(name, ignored)]


class Due(NamedTuple):
    """Whether a new run is due. `replaces`: what asks for it. `unintended`: what has changed while the intent did not
    change with it, so that nothing fires; `forced`: since the run was forced with another value under `ignore_changes`,
    and the intent has had this one all along."""

    replaces: Sequence[str] = ()
    unintended: Sequence[str] = ()
    forced: bool = False


def due(
    run: Recorded,
    wanted: Content,
    unknown: Collection[str],
    intent: Intent | None,
    previewed: bool,
    process: Process,
    ignored: frozenset[str] = frozenset(),
) -> Due:
    """For a run or a fan-out on record. `unknown`: arguments and triggers whose value is not known yet.

    `ignored`: the paths under `ignore_changes`. The engine gives a replacement the program's values of these, and goes
    by them from then on, also if the replacement has kept the run on record: so they never ask for a run.

    What is unknown asks for nothing: the engine asks with unknowns during an `up` too, and the value may be the same.
    `previewed`: the intent itself is not known, as in a preview alone. That over-estimates: what is unknown may change.
    """
    changed = asking(run, wanted, unknown, ignored)
    if previewed:
        return Due(replaces=[*changed, *sorted(name for name in unknown if not is_ignored(name, ignored))])
    if changed and not minted_for(intent, run, wanted, changed, process):
        return Due((), changed, intent is not None and intent.content.alike(wanted, changed))
    return Due(replaces=changed)


def minted_for(intent: Intent | None, run: Recorded, wanted: Content, changed: Iterable[str], process: Process) -> bool:
    """Whether the intent was made for the change, so that its token stands for the new run and for nothing else. Under
    `--target` of the run alone the engine brings the old one: to fire under it could fire twice, since the next full
    `up` makes a new one."""
    if intent is None or intent.token == run.fired.token:
        return False
    if process.minted(intent.moment):  # made in this update, so for what the program asks for now
        return True
    return intent.content.alike(wanted, changed)


def unsettled(attempts: Sequence[Moment], own: Fired | None, process: Process) -> list[Moment]:
    """The attempts of earlier processes that are not on record: each may have been killed after it had begun."""
    since = attempts_since(attempts, own.tried)[1] if own else list(attempts)
    return [attempt for attempt in since if not process.minted(attempt)]


def gave_up(ask: Ask, before: Before, process: Process, former: Former | None = None) -> bool:
    """Whether the objects were changed after an `up` that did not come to its end. What that one may have started for
    objects that are not in the list any more cannot be looked up: which they were is on no record.

    `before`: with the run on record as deleted, if it stays; else an earlier `up` has deleted it, to replace it.
    `former`: the intent that is given up, if it is another one. If the `up` that changed them was killed before it
    told, the next one tells as long as nothing is on record: attempts before the last one are of other lists."""
    if former and former.intent.token != ask.token:
        lists = {moment.token for moment in former.moments} & {moment.token for moment in former.intent.attempts}
        return former.intent.objects != ask.listed or len(lists) > 1
    attempts = ask.intent.attempts if ask.intent else ()
    run, deleted = before
    lost = unsettled(attempts, run.fired if run else None, process)
    untold = attempts_since(attempts, run.fired.told if run else "")[1][:-1]
    again = len(attempts) > 1 and run is not None and not deleted and attempts[-1].token != run.fired.tried
    return again or any(attempt in lost for attempt in untold)


def still_in_doubt(refused: bool, unsettled: bool, look: Sequence[Doubt], began: Moment) -> tuple[Moment, ...]:
    """Since when the objects that were refused may have been started, for the next `up`.

    A refusal is what the service says, and it may have started the run all the same: so at the latest since this `up`
    began. Objects whose look was not settled keep their moments.
    """
    if not refused:
        return ()
    before = {moment.token: moment for doubt in look for moment in doubt.moments} if unsettled else {}
    moments = sorted(before.values(), key=lambda moment: moment.at)
    return (*moments[:1], *moments[1:][-18:], began)
