"""Create, read, diff, update and delete of a run, the same for each kind.

Providers are pickled by reference into the state and have no attributes of their own in the program; in the host,
`configure` gives them the stack's configuration. They hold no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Generic, TypeVar

from pulumi import dynamic
from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.kinds import Occasion
from cloud_runs.lifecycle import adopting, checks, host, progress, quiet, strays
from cloud_runs.lifecycle.asked import (
    checked,
    current_urn,
    moved,
    must_checkpoint,
    recorded_settings,
    reported,
    unchanged_intent,
    wanted,
)
from cloud_runs.lifecycle.bound import Bound
from cloud_runs.lifecycle.clients import REPEATED_SECONDS, repeated
from cloud_runs.lifecycle.on_record import STEERING, inputs, restated, shown
from cloud_runs.lifecycle.overlapping import OverlappingProvider
from cloud_runs.lifecycle.values import known
from cloud_runs.limits import Limit
from cloud_runs.promise import firing, history, ledger, outcomes, resuming, rules
from cloud_runs.promise.records import ADOPTED, TRIGGERS, Fired, Recorded, done_with, past_of
from cloud_runs.promise.rules import Ask
from cloud_runs.promise.statuses import outputs_of
from cloud_runs.promise.world import Settled
from cloud_runs.runs import Phase, Reference, RunStatus, time_of

Request = TypeVar("Request")


_STOPPED = (
    "the recorded run stays, and the up that was to replace it has stopped it (on_delete is 'cancel'): for a new one "
    "change a trigger"
)


class RunProvider(OverlappingProvider, Generic[Request]):
    """What the kinds' providers share."""

    # -- what Pulumi calls

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Reports every bad input at once. Pure: no network, no state."""
        return checked(news, checks.of_run(self.kind, news, self.settings))

    @reported
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """A new run only if the content differs from what was fired AND its intent was made for the new content."""
        run, urn = ledger.recorded(_id, _olds), current_urn(_olds, _news)
        asked = wanted(self.kind.names, _news, _news.get(TRIGGERS))
        self._seen(urn, _olds, run)
        self.must_be_of_this_system(_olds)
        if self.written_anew(urn, _olds, run, asked):
            return dynamic.DiffResult(changes=True, replaces=[])
        bag, adopt = _news.get(ledger.INTENT), _news.get(ledger.ADOPT_ID)
        intent = ledger.intent_of(bag)
        previewed = isinstance(bag, Unknown)
        ignored = ledger.ignored_of(_news)
        changed = rules.asking(run, asked.content, asked.unknown, ignored)
        if adopt and not isinstance(adopt, Unknown):
            if (adopted := self._adopting(_id, str(adopt), _news, changed)) is not None:
                return adopted
        else:
            due = rules.due(run, asked.content, asked.unknown, intent, previewed, self.process, ignored)
            if due.unintended:
                progress.warn(urn, unchanged_intent(due.unintended, forced=due.forced))
                return dynamic.DiffResult(changes=False, replaces=[])
            replaces = sorted({name.split(".")[0] for name in due.replaces})
            if not replaces and self.reruns(run, _news, asked):
                replaces = [ledger.RERUN_ON_FAILURE]
                progress.tell(urn, f"run {errors.clean(run.id)} failed: an `up` fires it again")
            if replaces:
                because = errors.clean(history.because(due.replaces)) or history.RERUN
                self.may_replace(run, _news, because, previewed=previewed)
                quiet.shows(quiet.changed(due.replaces) or {ledger.PHASE: "gone"})  # it failed
                return dynamic.DiffResult(changes=True, replaces=replaces, delete_before_replace=True)
        if _news.get(ledger.ADOPT) and not adopt:  # of a new run `create` says what it makes of it
            progress.warn(urn, adopting.stale(ledger.name_of(urn), {"": _news[ledger.ADOPT]}, run.ids))
        steering = (*STEERING, *self.kind.quiet)
        unknown = asked.unknown or any(isinstance(_news.get(name), Unknown) for name in steering)
        steered = any(_olds.get(name) != _news.get(name) for name in steering)
        renamed = previewed or moved(urn, _olds, run, intent)
        resumes, spent = self.resumes(run, _news, asked), self.spent(run, _news, asked)
        if resumes or spent:
            progress.tell(urn, spent or f"run {errors.clean(run.id)} failed: an `up` lets it go on")
        updates = bool(unknown) or steered or renamed or resumes or bool(spent)
        return dynamic.DiffResult(changes=updates, replaces=[])

    @reported
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Fires, finds, or records a given run, and returns at once. Nothing raises after the id is known."""
        must_checkpoint()
        kind, settings, urn = self.kind, self.settings, ledger.urn_of(props)
        if given := props.get(ledger.ADOPT_ID) or self._once(props):
            return self._adopt(props, str(given))
        if props.get(ledger.ADOPT):
            progress.warn(urn, adopting.passed_over(ledger.name_of(urn)))
        props = self.as_intended(props, self._ask(props))
        ask, world = self._ask(props), self.world(urn)
        rules.intended(ask, self.process)
        before = self.process.before(urn, ask.token)
        work = rules.decide(ask, before, self.process)
        place = strays.where(kind, self.arguments(props), ask, work, settings, world)
        request = kind.request(props, self._occasion(ask))
        space = kind.id_space(place)
        bound = Bound(kind.client(place, settings), request, (space, kind.work(request)), kind.marked(request))
        if former := self.given_up(ask, props):
            strays.tell(former, (), settings, world)
        why = history.why(ask, before, rerun=props.get(ledger.RERUN_ON_FAILURE) is True)
        if old := self.overlapped(props, ask, before, work, world):
            return self._created(props, place, request, old.fired, Settled(old.id, at=old.fired.at, kept=old))
        again = before.recorded if why == history.RERUN else None
        forbidden = history.spent(again, props.get(ledger.MAX_ATTEMPTS)) if again else ""
        outcome = firing.settle(ask, space, bound, world, forbidden)
        if outcome.note:
            progress.note(urn, outcome.note)
        if outcome.kept and self.process.stops(outcome.kept):
            progress.warn(urn, _STOPPED)
        if not outcome.kept:  # in the place of "starting"
            progress.tell(urn, f"{outcome.provenance} {errors.clean(outcome.id)}: {errors.clean(why)}")
        past, reruns = past_of(before.recorded, ask.token), history.reruns(why, before)
        done = done_with(before.recorded)
        fired = Fired(ask.token, ask.content, outcome.at, why=why, reruns=reruns, past=past, done=done)
        return self._created(props, place, request, fired, outcome, before=before.recorded)

    @reported
    @recorded_settings
    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Asks the service for the run's state. A run that is gone stays on record and is marked. Fires nothing."""
        place = self.place(props)
        if not ledger.is_ours(props) and (pin := self.kind.pin(place, self.settings)):
            place = host.asked(pin)  # its reference is for other stacks, too
        run, api = ledger.recorded(id_, props), self.kind.client(place, self.settings)
        try:
            status = resuming.seen(host.asked(partial(api.get, id_)), run.fired)
        except errors.NotFound as gone:
            if not ledger.is_ours(props):
                raise errors.RunsError(f"there is no run {errors.clean(id_)} to read. {gone}") from gone
            progress.warn(ledger.urn_of(props), f"run {errors.clean(id_)} is {outcomes.GONE}")
            return dynamic.ReadResult(id_, {**props, ledger.PHASE: Phase.UNKNOWN.value, ledger.RECORD_EXPIRED: True})
        progress.learned(ledger.urn_of(props), outcomes.learned(status), failed=status.phase is Phase.FAILED)
        others = adopting.another(self.kind, props, status, run.fired.at) if ledger.is_ours(props) else ""
        again = repeated(self.kind.name, api, status, Limit(REPEATED_SECONDS), ledger.former_ids(run))
        for warning in filter(None, (others, again)):
            progress.warn(ledger.urn_of(props), warning)
        props, reference = self.gone_on(id_, props, status), replace(place, id=id_)
        url = {ledger.URL: self.kind.page(reference, {**self.kind.told(status), **props})}
        outs = {
            **props,
            **outputs_of(status),
            **url,
            **self.kind.outputs(reference, None, status),
            ledger.RECORD_EXPIRED: False,
        }
        if not ledger.is_ours(props):  # .get(): there is no record of our own to keep
            told = {
                name: shown(value)
                for name, value in self.kind.told(status).items()
                if name in self.kind.names and name not in props
            }
            outs |= {**told, ledger.REFERENCE: str(reference), ledger.PROVENANCE: "given", ledger.REQUEST_ID: ""}
        return dynamic.ReadResult(id_, outs)

    @reported
    @recorded_settings
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forgets the run; with `on_delete="cancel"` stops it first. Never fires."""
        place = self.place(_props)
        run = ledger.recorded(_id, _props)
        stays = self.process.holds(self.space(_props), _id, run)
        if self.process.stops(run) and not stays:
            host.asked(partial(self.kind.client(place, self.settings).cancel, _id), host.CANCEL_SECONDS)
        self.forget(run, _props)

    # -- parts

    def _seen(self, urn: str, olds: Mapping[str, Any], run: Recorded) -> None:
        """Tells the process what is on record, and the user of a run that two resources have on record."""
        twins = self.process.saw(urn, self.space(olds), run)
        for id, other in twins.items():
            progress.warn(
                urn,
                f"run {errors.clean(id)} is recorded by {ledger.name_of(other)!r} as well: one run does the "
                "work of both. For a run of its own, change a trigger of one of them",
            )

    def _occasion(self, ask: Ask) -> Occasion:
        before = self.process.before(ask.urn, ask.token).recorded
        return Occasion(
            token=ask.token,
            minted_at=ask.intent.moment.at if ask.intent else None,
            name=ledger.name_of(ask.urn),
            before=before.outputs if before else None,
            before_given=frozenset(before.content.arguments) if before else frozenset(),
        )

    def _adopting(self, id: str, adopt: str, news: dict[str, Any], changed: list[str]) -> dynamic.DiffResult | None:
        if adopt != id:
            given = {name: value for name, value in news.items() if name != ledger.REFERENCE and known(value)}
            api = self.kind.client(self.today(given), self.settings)
            adopting.verified(self.kind, news, adopt, api)  # before the engine deletes the record of the other run
            return dynamic.DiffResult(changes=True, replaces=[ledger.ADOPT_ID], delete_before_replace=False)
        if changed:
            raise errors.RunsError(
                f"{', '.join(changed)} changed, which requests a new run, but adopt_id keeps run {id}. Remove "
                "adopt_id to fire a new run, or take the change back"
            )
        return None

    def _ask(self, props: Mapping[str, Any]) -> Ask:
        content = wanted(self.kind.names, props, props.get(TRIGGERS)).content
        return Ask(ledger.urn_of(props), ledger.intent_of(props.get(ledger.INTENT)), content, ledger.ignored_of(props))

    def _once(self, props: Mapping[str, Any]) -> str | None:
        """The run that the setting names, if that counts."""
        ask = self._ask(props)
        before = self.process.before(ask.urn, ask.token)
        return adopting.once({"": props.get(ledger.ADOPT)}, before, ask, self.process).get("")

    def _adopt(self, props: dict[str, Any], id: str) -> dynamic.CreateResult:
        ask, place = self._ask(props), self.today(props)
        before = self.process.before(ask.urn, ask.token)
        status = adopting.verified(self.kind, props, id, self.kind.client(place, self.settings))
        if not props.get(ledger.ADOPT_ID):
            name, earlier = ledger.name_of(ask.urn), self.process.earlier(ask.intent)
            adopting.not_older(name, status, before.recorded, earlier)
            if earlier:
                sent = self.kind.outputs(replace(place, id=id), self.kind.request(props, self._occasion(ask)), None)
                adopting.exactly(name, self.kind, {**props, **sent}, status)
        # It will be on record: it is not among the lost ones.
        self.process.claim(self.kind.id_space(place), id, ask.urn, given=True)
        left: list[str] = []
        if ask.intent and (former := self.given_up(ask, props)):
            strays.tell(former, (), self.settings, self.world(ask.urn))
        else:
            left = self.tell_of_adopted(ask, props, rules.in_doubt(ask, before, self.process), [""])
        self.process.settled(ask.urn, ask.token, self.kind.id_space(place), [id])
        progress.tell(ask.urn, f"recorded {errors.clean(id)}: {ADOPTED}")
        reruns, past = history.adopted(before.recorded, ask), past_of(before.recorded, ask.token)
        done = done_with(before.recorded, [] if props.get(ledger.ADOPT_ID) else [id])
        fired = Fired(ask.token, ask.content, None, why=ADOPTED, reruns=reruns, past=past, done=done, left=tuple(left))
        return self._created(props, place, None, fired, Settled(id, "given"), status, before.recorded)

    def _created(
        self,
        props: dict[str, Any],
        place: Reference,
        request: Request | None,
        fired: Fired,
        outcome: Settled,
        status: RunStatus | None = None,
        before: Recorded | None = None,
    ) -> dynamic.CreateResult:
        """The outputs. Must not raise. `before`: the run that the resource had."""
        if outcome.kept:
            return dynamic.CreateResult(
                outcome.id, restated(self.kind, outcome.kept, self.as_recorded(props, outcome.kept))
            )
        started = outcome.started
        reference = replace(place, id=outcome.id)
        if status is None:
            phase, state = (started.phase, started.state) if started else (Phase.PENDING, "")
            status = RunStatus(outcome.id, phase, state)
        at = outcome.at or time_of(status.created_at)
        outs = {
            **inputs(props),
            **outputs_of(status),
            ledger.URL: self.kind.page(reference, props),
            **self.kind.outputs(reference, request, status),
            **(started.details if started else {}),
            **({ledger.REGION: place.region} if place.region else {}),
            ledger.REFERENCE: str(reference),
            ledger.PROVENANCE: outcome.provenance,
            ledger.REQUEST_ID: started.request_id if started else status.request_id,
            ledger.RECORD_EXPIRED: False,
            ledger.FIRED: ledger.fired_text(replace(fired, at=at, beside=fired.token)),
            ledger.HISTORY: history.attempts(before),
        }
        return dynamic.CreateResult(outcome.id, outs)
