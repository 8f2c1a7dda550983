"""Create, read, diff, update and delete of a fan-out, the same for each kind that can be fanned out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from pulumi import dynamic
from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.kinds import Kind, Occasion
from cloud_runs.lifecycle import adopting, checks, progress, quiet, refreshing, strays, telling
from cloud_runs.lifecycle.asked import (
    Wanted,
    checked,
    current_urn,
    moved,
    must_checkpoint,
    recorded_settings,
    reported,
    unchanged_intent,
    wanted,
    written_by_0_1,
)
from cloud_runs.lifecycle.bound import Requests
from cloud_runs.lifecycle.losing import LosingProvider
from cloud_runs.lifecycle.on_record import inputs, rewritten
from cloud_runs.lifecycle.values import known
from cloud_runs.promise import digests, fan_out, groups, ledger, reruns, rules
from cloud_runs.promise.records import TRIGGERS, Before, Recorded
from cloud_runs.promise.reruns import Again
from cloud_runs.promise.rules import Ask, Work
from cloud_runs.runs import Reference

Request = TypeVar("Request")

_GAVE_UP = (
    "its objects were changed after an up that was interrupted. Runs that it may have started for objects that are not "
    "in the list any more are not recorded, and they go on"
)


_STEERING = (ledger.RERUN_ON_FAILURE, ledger.MAX_ATTEMPTS)


def fan_out_label(kind: Kind[Any]) -> str:
    """`WorkflowFanOut`: the resource's class name, for messages."""
    return f"{kind.label.removesuffix('Run')}FanOut"


class FanOutProvider(LosingProvider, Generic[Request]):
    """What the kinds' fan-outs share."""

    @property
    def label(self) -> str:
        return fan_out_label(self.kind)

    # -- what Pulumi calls

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Reports every bad input at once. Pure: no network, no state."""
        return checked(news, checks.of_fan_out(self.kind, news, self.settings))

    @reported
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """New runs of all objects only by a replacement, as a run's; other objects, and refused or failed ones, by an
        update."""
        run, urn, asked = ledger.recorded(_id, _olds), current_urn(_olds, _news), self._wanted(_news)
        run = _may_rerun(run, _news)
        self._seen(urn, _olds, run)
        self.must_be_of_this_system(_olds)
        if self.written_anew(urn, _olds, run, asked):
            return dynamic.DiffResult(changes=True, replaces=[])
        bag = _news.get(ledger.INTENT)
        intent, previewed = ledger.intent_of(bag), isinstance(bag, Unknown)
        ignored = ledger.ignored_of(_news)
        due = rules.due(run, asked.content, asked.unknown, intent, previewed, self.process, ignored)
        if due.unintended:
            progress.warn(urn, unchanged_intent(due.unintended, forced=due.forced))
            return dynamic.DiffResult(changes=False, replaces=[])
        if due.replaces:
            names = sorted({name.split(".")[0] for name in due.replaces})
            quiet.shows(quiet.changed(due.replaces))
            return dynamic.DiffResult(changes=True, replaces=names, delete_before_replace=True)
        objects = _news.get(ledger.OBJECTS)
        unknown = isinstance(objects, Unknown) or any(isinstance(one, Unknown) for one in objects or ())
        others = unknown or _others(run, _news)
        if others and not unknown and not previewed and not self._made_for(_news, intent):
            progress.warn(urn, unchanged_intent([ledger.OBJECTS]))
            return dynamic.DiffResult(changes=False, replaces=[])
        if said := adopting.stale(ledger.name_of(urn), adopting.setting(_news), run.ids):
            progress.warn(urn, said)
        gave_up = rules.gave_up(Ask(urn, intent, asked.content), Before(run, deleted=True), self.process)
        if gave_up:  # and an update records that it was told
            progress.warn(urn, _GAVE_UP)
        renamed = previewed or moved(urn, _olds, run, intent)
        unknown = unknown or bool(asked.unknown) or not known(_news.get(ledger.ADOPT_IDS))
        again = self._again(run, _news)
        self._tell_again(urn, run, again, _news)
        if paths := quiet.objects(run, objects, again.keys):
            quiet.shows(paths)
        steered = any(_olds.get(name) != _news.get(name) for name in _STEERING)
        tells = reruns.recovered(run, again, self.process)
        updates = others or unknown or renamed or gave_up or bool(again.keys or again.spent or steered or tells)
        return dynamic.DiffResult(changes=updates, replaces=[])

    @reported
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Fires a run for each object. Raises only if none was started. Asked again in this process, as an error hook
        may, it returns the same."""
        must_checkpoint()
        asked = self._ask(props)
        done = self.process.outcome(asked.urn, asked.token)
        if isinstance(done, dynamic.CreateResult):
            return done
        props = self.as_intended(props, asked)
        ask = self._ask(props)
        rules.intended(ask, self.process)
        before = self.process.before(ask.urn, ask.token)
        adopts = adopting.of_objects(props, before, ask, self.process)
        if adopting.setting(props).keys() - adopts.keys():
            progress.warn(ask.urn, adopting.passed_over(ledger.name_of(ask.urn)))
        former = self.given_up(ask, props)
        if former:
            objects = strays.objects_of(former, ask, before.recorded)
            strays.tell(former, objects, self.settings, self.world(ask.urn))
        if rules.gave_up(ask, before, self.process, former):
            progress.warn(ask.urn, _GAVE_UP)
        adopted = self._adopted(props, adopts, ask, before.recorded, ask.objects)
        told = self.tell_of_adopted(ask, props, rules.decide(ask, before, self.process), adopted)
        work = rules.decide(_without(ask, adopted), before, self.process)
        if work.keep:
            progress.note(ask.urn, rules.TAKEN_BACK)
        elif before.recorded and not former:
            self.tell_refused(ask, before.recorded, before.recorded.refused)
            self.tell_left_behind(ask, before.recorded, Again())
        run, outs = self._fan(props, ask, work, adopted, told)
        self.process.settled(ask.urn, ask.token, self.space({**props, **outs}), run.ids.values())
        created = dynamic.CreateResult(run.id, outs)
        self.process.keep(ask.urn, ask.token, created)
        return created

    @reported
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Fires a run for each object that has none or, if that is asked for, one that failed; forgets the runs of
        objects that are gone. Raises RunsError if all there is to do is what `max_attempts` forbids, and never once a
        run was started. What 0.1 has recorded is written anew, and nothing fires."""
        must_checkpoint()
        run = ledger.recorded(_id, _olds)
        if written_by_0_1(_olds):
            return dynamic.UpdateResult(rewritten(run, self.as_recorded(_news, run), (ledger.OBJECTS, TRIGGERS)))
        run, ask = _may_rerun(run, _news), self._ask(_news)
        rules.intended(ask, self.process)
        lacking, place = adopting.lacking(_news, run), ledger.place_of(run.outputs)
        adopted = self._adopted(_news, lacking, ask, None, run.refused, place)
        told = self.tell_of_adopted(ask, _news, rules.add(ask, run, self.process), adopted)
        again = self._again(run, _news)
        if again.spent:
            said = reruns.bound(again.spent, _news[ledger.MAX_ATTEMPTS])
            if not (again.keys or _others(run, _news) or reruns.left_behind(run, again, self.process)):
                raise errors.RunsError(said)
            progress.warn(ask.urn, said)
        self.tell_left_behind(ask, run, again)
        sent = self.process.attempted(ask.urn, ask.attempt)
        work = rules.add(_without(ask, adopted), run, self.process)
        work = reruns.added(work, run, again.keys, sent, self.process)
        _run, outs = self._fan(_news, ask, work, adopted, told)
        return dynamic.UpdateResult(outs)

    @reported
    @recorded_settings
    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Asks the service once for all runs, and records which have failed. Fires nothing."""
        if written_by_0_1(props):  # the next `up` writes it anew
            return dynamic.ReadResult(id_, props)
        run, api = ledger.recorded(id_, props), self.kind.client(self.place(props), self.settings)
        return dynamic.ReadResult(id_, refreshing.refreshed(self.kind, run, props, api, self.process))

    @reported
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forgets the runs. They go on: the services have no call that stops them."""
        run = ledger.recorded(_id, _props)
        self.forget(run, _props)

    # -- parts

    def _wanted(self, props: Mapping[str, Any]) -> Wanted:
        return wanted(self.kind.shared, props, props.get(TRIGGERS))

    def _ask(self, props: Mapping[str, Any]) -> Ask:
        intent = ledger.intent_of(props.get(ledger.INTENT))
        objects = list(props[ledger.OBJECTS])
        listed = digests.digest_of_objects(objects)
        content = self._wanted(props).content
        return Ask(ledger.urn_of(props), intent, content, ledger.ignored_of(props), objects, listed)

    def _made_for(self, props: Mapping[str, Any], intent: Any) -> bool:
        """Whether the intent has an attempt for these objects, so that a kill while they are fired leaves a trace."""
        return (
            not intent or not rules.other_objects(intent, self._ask(props)) or self.process.minted(intent.moments[-1])
        )

    def _seen(self, urn: str, olds: Mapping[str, Any], run: Recorded) -> None:
        twins = self.process.saw(urn, self.space(olds), run)
        if twins:
            shared = {key: id for key, id in run.ids.items() if id in twins}
            of = {key: f"{id}, recorded by {ledger.name_of(twins[id])!r} too" for key, id in shared.items()}
            progress.warn(
                urn,
                f"{groups.many(len(of), 'run')} recorded by another resource as well: one run does the work of "
                f"both. For runs of their own, take the objects out of one list for one `pulumi up`{groups.listed(of)}",
            )

    def _adopted(
        self,
        props: Mapping[str, Any],
        ids: Mapping[str, str],
        ask: Ask,
        replaced: Recorded | None,
        requested: Collection[str],
        place: Reference | None = None,
    ) -> Mapping[str, str]:
        """The runs that are recorded instead of fired. Raises RunsError if one of them is not there, or does other
        work; then nothing was fired. `requested`: the objects for which an earlier `up` may have requested a run."""
        if ids:
            place = place or self.today(props)
            api, space = self.kind.client(place, self.settings), self.kind.id_space(place)
            adopting.claim(self.kind, api, space, props, ids, ask, replaced, requested, self.process)
        return ids

    def _again(self, run: Recorded, props: Mapping[str, Any]) -> Again:
        """The objects that are fired again since their run failed. None as long as a part of that is not known."""
        objects, given = props.get(ledger.OBJECTS), props.get(ledger.ADOPT_IDS) or {}
        if not (known(objects) and known(given) and known(props.get(ledger.MAX_ATTEMPTS))):
            return Again()
        wanted = props.get(ledger.RERUN_ON_FAILURE) is True
        return reruns.again(run, objects or (), wanted, props.get(ledger.MAX_ATTEMPTS), given)

    def _tell_again(self, urn: str, run: Recorded, again: Again, news: Mapping[str, Any]) -> None:
        """What is fired again, and what is not any more."""
        if again.spent:  # `update` raises it, and not this, as a run's
            progress.tell(urn, reruns.bound(again.spent, news[ledger.MAX_ATTEMPTS]))
        moments = [moment for key in again.keys for moment in run.fired.failing.get(key, ())]
        if again.keys and not all(map(self.process.minted, moments)):  # else the refresh has told more, on the same row
            progress.tell(urn, f"failed: an `up` fires them again: {groups.objects(again.keys)}")

    def _requests(self, props: Mapping[str, Any], place: Reference, keys: Collection[str]) -> Requests[Any]:
        api: Any = self.kind.client(replace(place, id=""), self.settings)
        of = {key: self.kind.request({**props, self.kind.fans_out: key}, Occasion()) for key in keys}
        return Requests(self.kind, self.kind.id_space(place), api, of)

    def _fan(
        self, props: Mapping[str, Any], ask: Ask, work: Work, adopted: Mapping[str, str], told: Sequence[str]
    ) -> tuple[Recorded, dict[str, Any]]:
        """Does the work. What is on record then, and the outputs. `told`: the runs that are to be on no record."""
        own = work.keep
        if own:
            props = self.as_recorded(props, own)
            self.tell_refused(ask, own, [key for key in own.refused if key not in ask.objects])
        place = (ledger.place_of(own.outputs) if own else None) or strays.where(
            self.kind, self.arguments(props), ask, work, self.settings, self.world(ask.urn)
        )
        keys = {*work.fire, *work.doubtful}
        requests = self._requests(props, place, {*keys, *(own.ids if own and work.look else ())})
        fanned, run = fan_out.settle(
            ask,
            work,
            self.kind.id_space(place),
            requests,
            self.world(ask.urn, many=True),
            concurrency=int(props[ledger.CONCURRENCY]),
            rate=props.get(ledger.RATE),
            adopted=adopted,
            done=adopting.brought(props, adopted).values(),
            left=told,
        )
        if keys:
            why = reruns.why(own, keys) if own else errors.clean(run.fired.why)
            progress.tell(ask.urn, f"{len(keys & fanned.ids.keys())} of {len(keys)} started: {why}")
        telling.warn(ask.urn, fanned, run)
        region = {ledger.REGION: place.region} if place.region else {}
        return run, {**inputs(props), **region, **ledger.fan_out_outputs(run, place)}


def _without(ask: Ask, adopted: Mapping[str, str]) -> Ask:
    return replace(ask, objects=[key for key in ask.objects if key not in adopted])


def _others(run: Recorded, props: Mapping[str, Any]) -> bool:
    """Whether objects come or go, or have no run: what was refused is tried again."""
    return bool(run.refused or adopting.lacking(props, run)) or set(props.get(ledger.OBJECTS) or ()) != set(run.ids)


def _may_rerun(run: Recorded, news: Mapping[str, Any]) -> Recorded:
    """With what an earlier `up` may have done that was killed before it could record that it was told to."""
    return replace(run, reruns=run.reruns or news.get(ledger.RERUN_ON_FAILURE) is True)
