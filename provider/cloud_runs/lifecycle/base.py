"""What the providers of runs, fan-outs, intents and Completions share: the settings and the process of their host."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any, ClassVar

from pulumi import dynamic

from cloud_runs import errors
from cloud_runs.kinds import Kind
from cloud_runs.lifecycle import host, progress, quiet, strays
from cloud_runs.lifecycle.asked import Wanted, next_time, wanted, written_by_0_1
from cloud_runs.lifecycle.values import settings_of
from cloud_runs.promise import given_up, ledger, rules
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Content, Former, Recorded
from cloud_runs.promise.rules import Ask, Work
from cloud_runs.promise.world import World
from cloud_runs.runs import Reference
from cloud_runs.wire.settings import Settings


class HostProvider(dynamic.ResourceProvider):
    """Providers are pickled by reference into the state and have no attributes of their own in the program; in the
    host, `configure` gives them the stack's configuration. They hold no secret."""

    serialize_as_secret_always = False  # it is a reference to a class and holds nothing

    _settings: Settings | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        self._settings = settings_of(req)
        host.end_with_engine()
        quiet.install()

    @property
    def settings(self) -> Settings:
        return self._settings or Settings()

    @property
    def process(self) -> Process:
        return host.this_process()


class KindProvider(HostProvider):
    """Of a run, or of a fan-out over such runs."""

    kind: ClassVar[Kind[Any]]

    @property
    def label(self) -> str:
        """The resource's class name, for messages."""
        return self.kind.label

    def written_anew(self, urn: str, olds: Mapping[str, Any], run: Recorded, asked: Wanted) -> bool:
        """Whether 0.1 has made this record. This `up` writes it anew and fires nothing; what is changed with it is
        told, since it fires with the next one."""
        old = written_by_0_1(olds)
        for told in next_time(run.content.differences(asked.content)) if old else ():
            progress.warn(urn, told)
        return old

    def must_be_of_this_system(self, olds: Mapping[str, Any]) -> None:
        """Raises RunsError for what is recorded of another one, as an alias of its type brings it."""
        place = ledger.place_of(olds)
        if place and place.system != self.kind.name:
            raise errors.RunsError(
                f"what is recorded is of {errors.clean(place.system, 100)}, and this is {self.kind.name}: nothing was "
                "fired. A run of another service is another resource: give it no alias of the old type"
            )

    def as_intended(self, props: dict[str, Any], ask: Ask) -> dict[str, Any]:
        """The properties that `create` goes by: those under `ignore_changes` as the intent was made for them, where an
        earlier `up` may have fired for it. Raises RunsError if that is not known."""
        names = rules.made_for_others(ask, self.process.before(ask.urn, ask.token), self.process)
        if not names:
            return props
        made_for = self.process.arguments(ask.token)
        if not isinstance(made_for, Mapping):
            raise rules.not_intended(ask.urn)
        others = {name: value for name, value in props.items() if name not in names}
        return {**others, **{name: made_for[name] for name in names if name in made_for}}

    def as_recorded(self, props: Mapping[str, Any], run: Recorded) -> dict[str, Any]:
        """The properties with the arguments of what is on record: under `ignore_changes` the engine takes the program's
        values over with a replacement, also if that has kept the run."""
        asked = wanted([name for name in self.kind.names if name in run.content.arguments], props, None)
        others = run.content.differences(Content(asked.content.arguments))
        return {**props, **{name: run.outputs[name] for name in others if name in run.outputs}}

    def world(self, urn: str, *, many: bool = False) -> World:
        return host.world(urn, self.settings.times(self.kind.vendor), self.process, many=many)

    def place(self, props: Mapping[str, Any]) -> Reference:
        """A run on record stays where its reference says, whatever the configuration says today."""
        place = ledger.place_of(props)
        return self.kind.reached(place, props) if place else self.kind.place(props, self.settings)

    def today(self, props: Mapping[str, Any]) -> Reference:
        """Where the configuration of today puts a run with these properties. Raises InvalidConfiguration."""
        return strays.today(self.kind, props, ledger.intent_of(props.get(ledger.INTENT)), self.settings)

    def space(self, props: Mapping[str, Any]) -> Hashable:
        """What the ids of these runs are unique in."""
        return self.kind.id_space(self.place(props))

    def forget(self, run: Recorded, props: Mapping[str, Any]) -> None:
        """The engine deletes this run's record. What another resource has on record now is told."""
        came = self.process.deleted(run.fired.shown, self.space(props), run)
        for id, other in came.items():
            progress.warn(
                other,
                f"run {errors.clean(id)}, which came of its start or was found for it, was recorded already, of "
                f"{ledger.name_of(ledger.urn_of(props))!r} that this update deletes: nothing new may have run. Look "
                "for it in the console; a changed trigger requests it once more",
            )

    def given_up(self, ask: Ask, props: Mapping[str, Any]) -> Former | None:
        """The intent for which an interrupted `up` may have started what will be on no record. Told once."""
        return given_up.former(ask, self.arguments(props), self.process)

    def tell_of_adopted(self, ask: Ask, props: Mapping[str, Any], work: Work, adopted: Collection[str]) -> list[str]:
        """Names what an earlier `up` may have started for the objects for which other runs are recorded now: nobody
        looks for it any more. `work`: what was to be done if no run was given. Returns the ids."""
        told: list[str] = []
        for doubt in work.look:
            objects = [key for key in doubt.keys if key in adopted]
            if objects and ask.intent:
                arguments = self.process.arguments(ask.token) or self.arguments(props)
                former = Former(ask.intent, arguments, doubt.moments, work.replaced)
                told += strays.tell(former, objects, self.settings, self.world(ask.urn))
        return told

    def arguments(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """Those that are given, as an intent has them on record."""
        names = (*self.kind.names, *self.kind.quiet)
        return {name: props[name] for name in names if props.get(name) is not None}
