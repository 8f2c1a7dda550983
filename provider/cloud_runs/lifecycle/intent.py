"""The durable record made before firing: a small private resource that each run makes before itself.

Its token is in the state by the time the run fires, so that a run which was started but never recorded can be told
from one that was never started. It never causes a run. It asks a service only when it is given up while a run that was
started for it may be on no record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi
from pulumi import dynamic

from cloud_runs import addresses, errors
from cloud_runs.kinds import Kind
from cloud_runs.lifecycle import host, later, positions, quiet, strays
from cloud_runs.lifecycle.asked import Wanted, of_0_1, wanted
from cloud_runs.lifecycle.base import HostProvider
from cloud_runs.lifecycle.clients import kind_named
from cloud_runs.lifecycle.reporting import one_line
from cloud_runs.lifecycle.values import known
from cloud_runs.promise import digests, intents, ledger, rules
from cloud_runs.promise.ledger import ARGUMENTS, FORMERLY, OBJECTS, RECORD
from cloud_runs.promise.records import TRIGGERS, Former, Intent
from cloud_runs.runs import Reference

_RUN, _KIND = "run", "kind"


def _whose(_provider: IntentProvider, *args: Any) -> str:
    """`WorkflowRun 'transcode'`: users know the run, not its intent."""
    of = str(args[-1].get(_RUN) or "")
    return f"{of.rpartition('::')[0].rpartition(':')[2]} {ledger.name_of(of)!r}"


_reported = one_line(_whose, errors.RunsError, addresses.with_address)


class IntentProvider(HostProvider):
    """Frozen name: the state refers to this class by module and name."""

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """A changed argument, or a new or changed trigger, asks for a new token; a removed trigger does not."""
        intent = ledger.intent_of(_olds[RECORD])
        if intent is None or of_0_1(_olds) or ledger.is_old(_olds[RECORD]):
            return dynamic.DiffResult(changes=True, replaces=[])
        made_for = _with_quiet(_olds.get(ARGUMENTS), _news)
        self.process.intends(intent.token, made_for)
        asked = _wanted(_news, intent)
        other_kind = intent.kind and _news.get(_KIND) != intent.kind  # of one vendor two may have the same arguments
        if other_kind or rules.new_token(intent, asked.content, asked.unknown):
            if isinstance(_news.get(_RUN), str):
                self.process.replaced(_news[_RUN], intent, made_for)
            quiet.shows(quiet.TOKEN)
            return dynamic.DiffResult(changes=True, replaces=[ARGUMENTS, TRIGGERS])
        renamed = known(_news.get(_RUN)) and ledger.name_of(str(_news.get(_RUN))) != intent.name
        # Of a fan-out: other objects need another attempt, but no other token. Unknown is another value as well.
        others = intent.objects != (_news.get(OBJECTS) or "")
        place = self._place(_news)
        others = others or (place is not None and ledger.place_text(place) not in intent.places)
        others = others or made_for != _olds.get(ARGUMENTS)
        if others and not (asked.unknown or renamed):
            quiet.shows(quiet.ATTEMPTS)
        return dynamic.DiffResult(changes=bool(asked.unknown) or others or renamed, replaces=[])

    @_reported
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Mints a token. Sends nothing, but for a place that only the service tells in full: then it asks for that."""
        self.process.formerly(str(props.get(_RUN) or ""), props.get(FORMERLY) or ())
        intent = intents.minted(
            self.process,
            str(props.get(_RUN) or ""),
            _wanted(props, None).content,
            props.get(OBJECTS) or "",
            kind=str(props.get(_KIND) or ""),
            places=self._places(props, None),
        )
        return dynamic.CreateResult(intent.token, _outputs(intent, props.get(ARGUMENTS)))

    @_reported
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Keeps the token, and what it was made for. When the objects of a fan-out change, an attempt is added; a place
        where the configuration puts the run by now is added too."""
        intent = ledger.intent_of(_olds[RECORD])
        assert intent
        listing = intents.listing(intent, _news.get(OBJECTS) or "", self.process)
        listing = intents.placed(listing, self._places(_news, intent))
        named = replace(listing, kind=str(_news.get(_KIND) or ""), name=ledger.name_of(str(_news.get(_RUN) or "")))
        made_for = _with_quiet(_olds.get(ARGUMENTS), _news) or _made_for(named, _news)
        return dynamic.UpdateResult(_outputs(named, made_for))

    def _place(self, props: Mapping[str, Any]) -> Reference | None:
        """Where the configuration of today puts the run: an `up` that looks for it may have another one."""
        kind, arguments = _kind(props), props.get(ARGUMENTS)
        try:
            return kind.place(arguments, self.settings) if kind and arguments else None
        except Exception:  # noqa: BLE001 - whatever is wrong with the arguments, the run's own check tells it
            return None

    def _places(self, props: Mapping[str, Any], before: Intent | None) -> tuple[str, ...]:
        """That place, and the whole of it where only the service tells that: if it told another one tomorrow, a run of
        today would be looked for in the wrong place. What is on record is not asked for again. Raises RunsError."""
        place, kind = self._place(props), _kind(props)
        if place is None or kind is None:
            return ()
        text = ledger.place_text(place)
        if before and text in before.places:
            return ()
        try:
            pin = kind.pin(place, self.settings)
        except errors.RunsError:  # as above; without it nothing is on record, so the next `up` comes here again
            return ()
        return (text, ledger.place_text(host.asked(pin))) if pin else (text,)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing is sent, unless a run that was started for this intent may be on no record: then it is looked for,
        and told."""
        intent = ledger.intent_of(_props.get(RECORD))
        if intent and (moments := self.process.lost(intent)):
            urn = ""  # the engine shows it on the stack's row: the intent itself goes
            world = host.world(urn, strays.times_of(intent, self.settings), self.process)
            former = Former(intent, _props.get(ARGUMENTS), moments, self.process.reopened(intent))
            strays.tell(former, (), self.settings, world)


class RunIntent(later.Later, module="runs", name="Intent"):
    """Made by each run resource as `<name>-intent`; not for use in programs."""

    record: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        kind: str,
        arguments: Mapping[str, pulumi.Input[Any]],
        triggers: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None,
        opts: pulumi.ResourceOptions,
        run: pulumi.Input[str],
        objects: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        formerly: Sequence[str] | None = None,
    ) -> None:
        props: dict[str, Any] = {
            _KIND: kind,
            _RUN: run,
            # The values themselves, so that a diff shows what the user wrote, and that a lost run can be looked for.
            ARGUMENTS: {name: value for name, value in arguments.items() if value is not None},
            TRIGGERS: triggers,
            RECORD: None,  # declared, to become an attribute
        }
        if formerly:
            props[FORMERLY] = formerly
        if objects is not None:
            props[OBJECTS] = pulumi.Output.from_input(objects).apply(digests.digest_of_objects)
        with positions.of_the_program():
            super().__init__(IntentProvider(), resource_name, props, opts)
        assert f"pulumi-python:{self._resource_type_name}" == ledger.INTENT_TYPE


def _kind(props: Mapping[str, Any]) -> Kind[Any] | None:
    return kind_named(str(props.get(_KIND) or ""))


def _wanted(props: Mapping[str, Any], intent: Intent | None) -> Wanted:
    values = props.get(ARGUMENTS)
    names = {*(values if isinstance(values, Mapping) else ()), *(intent.content.arguments if intent else ())}
    return wanted(sorted(names.difference(_quiet(props))), values, props.get(TRIGGERS))


def _quiet(props: Mapping[str, Any]) -> Collection[str]:
    """The arguments that ask for no other run: they tell how the system is asked, also for what may be lost."""
    kind = _kind(props)
    return kind.quiet if kind else ()


def _with_quiet(arguments: Any, news: Mapping[str, Any]) -> Any:
    """The arguments that an intent was made for, with the quiet ones of today."""
    values, quiet = news.get(ARGUMENTS), _quiet(news)
    if not (quiet and isinstance(arguments, Mapping) and isinstance(values, Mapping)):
        return arguments
    kept = {name: value for name, value in arguments.items() if name not in quiet}
    return {**kept, **{name: values[name] for name in quiet if name in values}}


def _made_for(intent: Intent, props: Mapping[str, Any]) -> Any:
    """The arguments of the program, if the intent was made for them: one of 0.1 has digests alone."""
    same = _wanted(props, intent).content.arguments == intent.content.arguments
    return props.get(ARGUMENTS) if same else None


def _outputs(intent: Intent, arguments: Any) -> dict[str, Any]:
    return {RECORD: ledger.intent_text(intent), **({ARGUMENTS: arguments} if arguments else {})}
