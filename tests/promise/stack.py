"""One stack: what is on record for one resource, and the steps of the engine and of the lifecycle around the rules.

As seen of the engine: the intent first, the delete of a replacement before its create, no `diff` when the replacement
is forced. What is on record goes through the texts of the ledger. An *ask* is a token, how often a replacement was
forced under it, and an object with how often it was put into the list; each start is labelled with the ask that it is
for, so that the cloud can tell whether one was fired twice. Where an object is fired again since its run has failed,
that run is a part of the ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from cloud_runs import errors
from cloud_runs.promise import fan_out, given_up, intents, ledger, reruns, rules
from cloud_runs.promise.digests import digest_of_objects
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Before, Content, Fired, Former, Intent, Recorded, past_of
from cloud_runs.promise.reruns import Again
from cloud_runs.promise.rules import Ask, Work
from cloud_runs.runs import Phase, Reference
from tests.promise.kit import SPACE, URN, Cloud, Fleet, Host, Killed, Request

ONE = ("",)
PLACE = Reference("tencent.workflow", "ap-beijing", "media-1250000000", "")


class Stack:
    """`said` is all that was ever told, `ever` all ids that were ever on record."""

    def __init__(self, cloud: Cloud, urn: str = URN, *, marked: bool = False, concurrency: int = 1) -> None:
        self.cloud, self.urn, self.marked, self.concurrency = cloud, urn, marked, concurrency
        self.intent_text = ""
        self.outputs: dict[str, Any] = {}
        self.replacing = self.by_force = False
        self.forced: Counter[str] = Counter()
        self.listed: set[str] = set()
        self.put: Counter[str] = Counter()
        self.asks: set[str] = set()
        self.ever: set[str] = set()
        self.said: list[str] = []
        self.excused: set[str] = set()
        self.gone_without: Collection[str] = ()
        self.rerun = False

    # -- what is on record

    @property
    def intent(self) -> Intent | None:
        return ledger.intent_of(self.intent_text or None)

    @property
    def run(self) -> Recorded | None:
        return ledger.recorded(self.outputs["id"], self.outputs) if self.outputs else None

    @property
    def ids(self) -> dict[str, str]:
        return dict(self.run.ids) if self.run else {}

    def token(self) -> str:
        return self.intent.token if self.intent else ""

    def ask(self, key: str = "", failed: str = "") -> str:
        return f"{self.urn} {self.token()} {self.forced[self.token()]} {key} {self.put[key]} {failed}"

    def ours(self) -> list[str]:
        return [run.id for run in self.cloud.runs if run.owner.startswith(f"{self.urn} ")]

    def told(self, id: str) -> bool:
        return any(id in text for text in self.said)

    def destroyed(self) -> None:
        self.intent_text, self.outputs, self.replacing = "", {}, False

    # -- a refresh

    def refresh(self, host: Host) -> None:
        """Writes down which runs have failed, as a fan-out's `read` does."""
        run = self.run
        if run is None or not (self.intent and self.intent.objects):
            return
        failed = {one.id for one in self.cloud.runs if one.phase is Phase.FAILED}
        told = {key: {"id": id} for key, id in run.ids.items() if id in failed}
        failing = {**dict.fromkeys(told, (host.process.moment(),)), **run.fired.failing}
        self._record(replace(run, failed=told, fired=replace(run.fired, failing=failing)), run.reruns)

    def _may_rerun(self, run: Recorded) -> Recorded:
        """With what an earlier `up` may have done that was killed before it could record that it was told to."""
        return replace(run, reruns=run.reruns or self.rerun)

    # -- an up

    def diff(self, process: Process) -> list[str]:
        """What is said of it."""
        twins = process.saw(self.urn, SPACE, self._may_rerun(self.run)) if self.run else {}
        said = [f"{id} is on record of {other} as well" for id, other in twins.items()]
        self.said += said
        return said

    def up(
        self,
        host: Host,
        content: Content,
        objects: Sequence[str] = ONE,
        *,
        forced: bool = False,
        stop: str = "",
        hooks: int = 0,
        seen: bool = False,
        refresh: bool = False,
    ) -> str:
        """What was done: `nothing`, `unintended`, `updated`, or how a run was come by. Raises Killed, or what is shown.

        `stop` names the step after which the engine was killed; `hooks`: how often an error hook asks again.
        """
        if refresh:
            self.refresh(host)
        try:
            return self._up(host, content, tuple(objects), forced, stop, hooks, seen)
        except errors.RunsError as error:
            self.said.append(str(error))
            raise
        finally:
            self.said += host.warned
            host.warned.clear()

    def _up(
        self, host: Host, content: Content, objects: tuple[str, ...], forced: bool, stop: str, hooks: int, seen: bool
    ) -> str:
        process = host.process
        self.listed.update(objects)
        self._intend(process, content, objects)
        if stop == "intent":
            raise Killed
        if not (forced or seen):
            self.diff(process)
        run, intent = self.run, self.intent
        assert intent
        if run and not run.reruns and (forced or not self.rerun):
            # That an earlier `up` was told to, which was killed, is on no record (docs/reliability.md).
            self.excused.update(one.id for one in self.cloud.runs if one.work in run.fired.failing)
        if run and not self.replacing:
            due = rules.due(run, content, (), intent, False, process)
            if due.unintended and not forced:
                return "unintended"
            if not (due.replaces or forced):
                return self._update(host, content, objects)
            process.deleted(run.fired.shown, SPACE, run)
            # Not where an `up` was killed between its intent and its run: then the change may be taken back as well.
            self.replacing, self.by_force = True, not due.replaces and run.fired.shown == intent.token
            self.forced[intent.token] += 1
            if stop == "delete":
                raise Killed
        for left in range(hooks, -1, -1):
            try:
                return self._create(host, content, objects)
            except errors.RunsError as error:
                self.said.append(str(error))
                if not left:
                    raise
        raise AssertionError

    def _intend(self, process: Process, content: Content, objects: tuple[str, ...]) -> None:
        """The intent's own steps."""
        intent, listed = self.intent, _listed(objects)
        if intent is None or rules.new_token(intent, content, ()):
            if intent:
                process.replaced(self.urn, intent)
            intent = intents.minted(process, self.urn, content, listed, kind="kind")
            self.by_force = False  # another ask
        else:
            intent = intents.listing(intent, listed, process)
        self.intent_text = ledger.intent_text(intent)

    # -- the lifecycle

    def _ask(self, content: Content, objects: tuple[str, ...]) -> Ask:
        return Ask(self.urn, self.intent, content, objects=objects, listed=_listed(objects))

    def _create(self, host: Host, content: Content, objects: tuple[str, ...]) -> str:
        process, ask = host.process, self._ask(content, objects)
        rules.intended(ask, process)
        former = self._tell_what_is_given_up(host, ask, objects)
        if objects == ONE:
            return self._one(host, ask)
        before = process.before(self.urn, ask.token)
        self._warn_of_what_was_given_up(host, before, objects, former)
        work = rules.decide(ask, before, process)
        if before.recorded and not (work.keep or former):
            self._tell_left_behind(host, before.recorded, Again())
        self._fan(host, ask, work)
        process.settled(self.urn, ask.token, SPACE, self.ids.values())
        self.replacing = False
        return "kept" if work.keep else "created"

    def _one(self, host: Host, ask: Ask) -> str:
        self.asks.add(self.ask())
        request = Request(self.cloud, self.ask(), marker=self._marker(ask.token))
        past = past_of(host.process.before(self.urn, ask.token).recorded, ask.token)
        settled = host.create(ask.intent, ask.content, self.urn, request)
        fired = Fired(ask.token, ask.content, settled.at, ask.token, past=past)
        if settled.kept:
            fired = replace(settled.kept.fired, beside=ask.token)
        self._record(Recorded(settled.id, fired, {"": settled.id}))
        self.replacing = False
        return "kept" if settled.kept else settled.provenance

    def _update(self, host: Host, content: Content, objects: tuple[str, ...]) -> str:
        run = self.run
        assert run
        told = self._warn_of_what_was_given_up(host, Before(run, deleted=True), objects)
        again = reruns.again(run, objects, self.rerun, None)
        same = not (told or run.refused or again.keys or run.reruns != self.rerun) and set(run.ids) == set(objects)
        if objects == ONE or same:
            self._record(replace(run, fired=replace(run.fired, beside=self.token())), run.reruns)
            return "nothing"
        run = self._may_rerun(run)
        ask, process = self._ask(content, objects), host.process
        rules.intended(ask, process)
        self._tell_left_behind(host, run, again)
        work, sent = rules.add(ask, run, process), process.attempted(ask.urn, ask.attempt)
        self._fan(host, ask, reruns.added(work, run, again.keys, sent, process), again.keys)
        return "updated"

    def _tell_left_behind(self, host: Host, old: Recorded, again: Again) -> None:
        for moments, keys in reruns.left_behind(old, again, host.process).items():
            given_up.tell(moments, partial(Fleet(self.cloud, host).find, keys), SPACE, host.world())

    def _fan(self, host: Host, ask: Ask, work: Work, again: Collection[str] = ()) -> None:
        """`again`: the objects that are fired again since their run has failed."""
        own = work.keep
        gone = set(own.refused if own else ()) - set(ask.objects)
        if own and gone and own.fired.doubt:  # they may run all the same
            given_up.tell(own.fired.doubt, partial(Fleet(self.cloud, host).find, gone), SPACE, host.world())
        asked = {
            key: self.ask(key, own.ids[key] if own and key in again else "") for key in (*work.fire, *work.doubtful)
        }
        self.asks.update(asked.values())
        keys = {*work.fire, *work.doubtful, *(own.ids if own and work.look else ())}
        fleet = Fleet(self.cloud, host, asked.__getitem__, keys)
        fanned, run = fan_out.settle(ask, work, SPACE, fleet, host.world(), concurrency=self.concurrency)
        host.check()
        self.said += [f"{key}: {why}" for key, why in fanned.refused.items()]
        self.said += [f"{fanned.ids[key]} is recorded already" for key in fanned.shared]
        for key in self.listed - set(ask.objects):
            self.put[key] += 1  # put into the list again it is another ask
        self._record(run, self.rerun)

    def _record(self, run: Recorded, rerun: bool = False) -> None:
        many = ledger.fan_out_outputs(run, PLACE) if self.intent and self.intent.objects else {}
        fired = {ledger.FIRED: ledger.fired_text(run.fired), ledger.RERUN_ON_FAILURE: rerun}
        self.outputs = {"id": run.id, **fired, **many}
        self.ever.update(self.ids.values())

    def _tell_what_is_given_up(self, host: Host, ask: Ask, objects: tuple[str, ...]) -> Former | None:
        """What was started for the intent that this update replaces, or for a change that is taken back, and is on no
        record."""
        former = given_up.former(ask, None, host.process)
        if former is None:
            return None
        if objects == ONE:
            find = Request(self.cloud, marker=self._marker(former.intent.token)).find
        else:
            keys = {*objects, *self.ids, *(self.run.refused if self.run else ())}
            fleet = Fleet(self.cloud, host)
            find = lambda since, limit: fleet.find(keys, since, limit)  # noqa: E731
        given_up.tell(former.moments, find, SPACE, host.world(), former.after)
        return former

    def _warn_of_what_was_given_up(
        self, host: Host, before: Before, objects: tuple[str, ...], former: Former | None = None
    ) -> bool:
        """Objects were taken out of the list after an `up` that was killed. Which they were is on no record."""
        gave_up = rules.gave_up(self._ask(Content(), objects), before, host.process, former)
        if gave_up:
            self._excuse(objects)
        return gave_up

    def _excuse(self, objects: Collection[str]) -> None:
        """A sentence says that runs of objects that are not in the list any more may be on no record."""
        self.gone_without = objects
        self.excuse_what_is_gone()

    def excuse_what_is_gone(self) -> None:
        """Also what leaves only now, of an earlier `up` that was stopped."""
        objects = self.gone_without
        if objects:
            self.excused.update(run.id for run in self.cloud.runs if run.work not in objects)

    def _marker(self, token: str) -> str:
        return f"run-{token}" if self.marked else ""


def _listed(objects: tuple[str, ...]) -> str:
    return "" if objects == ONE else digest_of_objects(objects)
