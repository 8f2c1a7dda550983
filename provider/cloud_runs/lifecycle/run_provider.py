"""Create, read, diff, update and delete of a run, the same for each system. design.md, "When does it run?", as code.

Providers are pickled by reference into the state and have no attributes of their own in the program; in the host,
`configure` gives them the stack's configuration. They hold no secret.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pulumi import dynamic
from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.lifecycle import checks, progress
from cloud_runs.lifecycle.asked import (
    content_asked,
    current_urn,
    for_outputs,
    minted_for,
    must_checkpoint,
    recorded_run,
    recorded_settings,
    reported,
    token_of,
    unchanged_intent,
)
from cloud_runs.lifecycle.intent import FORMER, differences, intent_of, wanted_content
from cloud_runs.lifecycle.values import known
from cloud_runs.limits import Leave, Limit
from cloud_runs.promise import firing
from cloud_runs.promise.firing import Ask, Settled, World
from cloud_runs.promise.record import PROCESS, Content, Memory
from cloud_runs.runs import Found, Phase, Reference, RunApi, RunStatus, Started, plain, rfc3339

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport

Request = TypeVar("Request")

MEMORY = Memory()
STEERING = ("adopt_id", "on_delete", "rerun_on_failure")


@dataclass(frozen=True)
class Bound(Generic[Request]):
    """One request, bound to the client that sends it: what firing.py needs of a system."""

    api: RunApi[Request]
    request: Request
    work: Hashable

    def prepare(self) -> None: ...

    def start(self) -> Started:
        return self.api.start(self.request, Leave(lambda: True))

    def find(self, since: datetime) -> Found:
        return self.api.find(self.request, since, Limit(600.0))


class RunProvider(dynamic.ResourceProvider, Generic[Request]):
    """What the systems' providers share. What a system adds comes first; what Pulumi calls comes after it."""

    serialize_as_secret_always = False  # it is a reference to a class and holds nothing

    kind: ClassVar[str]
    """The resource's class name, for messages."""
    system: ClassVar[str]
    """The system's name in references."""
    arguments: ClassVar[tuple[str, ...]]
    """The request arguments: a change in one of them asks for a new run."""
    no_cancel: ClassVar[str] = ""
    """Why `on_delete="cancel"` is refused, for a system that has no call that stops a run."""

    by_system: ClassVar[dict[str, type[RunProvider[Any]]]] = {}
    """The provider of each system, for those who have nothing but a reference."""

    _config: dynamic.Config | None = None

    def __init_subclass__(cls) -> None:
        RunProvider.by_system[cls.system] = cls

    @abstractmethod
    def problems(self, props: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Each bad input as (property, reason). Pure; unknown values must pass."""

    def object_problems(self, props: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The part of `problems` that is about `object`, for systems whose runs can be fanned out over objects."""
        return iter(())

    @abstractmethod
    def place(self, props: Mapping[str, Any]) -> Reference:
        """Where the inputs and the configuration put the run; its id is empty. Raises InvalidConfiguration."""

    @abstractmethod
    def client(self, place: Reference) -> RunApi[Request]:
        """Raises MissingCredentials or InvalidConfiguration."""

    @abstractmethod
    def request(self, props: Mapping[str, Any], token: str) -> Request:
        """What is sent. `token` is the intent's: a generated name derives from it, so that a later `up` finds it."""

    @abstractmethod
    def work(self, request: Request) -> Hashable:
        """Equal for requests whose runs a look-up cannot tell apart."""

    @abstractmethod
    def mismatches(self, props: Mapping[str, Any], status: RunStatus) -> Iterator[str]:
        """In what a run that is to be adopted differs from the inputs, each as `argument is X, not Y`."""

    @abstractmethod
    def details(self, reference: Reference, request: Request | None, status: RunStatus | None) -> dict[str, Any]:
        """The system's own outputs and `url`. Called with what is known; must not raise."""

    @staticmethod
    def transport() -> Transport:
        """This process's. Not imported before a client is made: programs, which make none, start faster without it."""
        from cloud_runs.wire.transport import shared

        return shared()

    def look(self, api: Any, id: str) -> RunStatus:
        """All that a refresh asks the system. Raises NotFound if it does not know the run."""
        status: RunStatus = api.get(id)
        return status

    def identity(self, place: Reference) -> Hashable:
        """Equal for places whose ids are one set, so that two resources do not take the same run for their own."""
        return place

    def setting(self, key: str) -> str | None:
        """A value of the stack's (or the explicit provider's) configuration."""
        value = self._config.get(key) if self._config else None
        return value if isinstance(value, str) else None

    # -- what Pulumi calls

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        self._config = req.config

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Reports every bad input at once. Pure: no network, no state."""
        failures = [
            dynamic.CheckFailure(*problem) for problem in [*self.problems(news), *self._steering_problems(news)]
        ]
        return dynamic.CheckResult(news, failures)

    @reported
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """A new run only if the content differs from what was fired AND its intent was made for the new content."""
        recorded = recorded_run(_id, _olds)
        wanted = wanted_content({name: _news.get(name) for name in self.arguments}, _news.get("triggers"))
        changed = differences(recorded.content, wanted)
        MEMORY.saw(current_urn(_olds, _news), self._recorded_at(_olds), recorded)
        bag, adopt = _news.get("intent"), _news.get("adopt_id")
        if adopt and not isinstance(adopt, Unknown):
            if adopt != _id:
                self._verified(_news, str(adopt))  # before the engine deletes the record of the other run
                return dynamic.DiffResult(changes=True, replaces=["adopt_id"], delete_before_replace=True)
            if changed:
                raise errors.RunsError(
                    f"{', '.join(changed)} changed, which asks for a new run, but adopt_id keeps run {_id}. Remove "
                    "adopt_id to fire a new run, or take the change back"
                )
        elif changed and minted_for(bag, recorded, wanted, changed):
            names = sorted({name.split(".")[0] for name in changed})
            return dynamic.DiffResult(changes=True, replaces=names, delete_before_replace=True)
        elif not changed and _news.get("rerun_on_failure") is True and _olds.get("phase") == "failed":
            return dynamic.DiffResult(changes=True, replaces=["rerun_on_failure"], delete_before_replace=True)
        elif changed:
            progress.warn(current_urn(_olds, _news), unchanged_intent(changed))
            return dynamic.DiffResult(changes=False, replaces=[])
        unknown = any(isinstance(value, Unknown) for part in wanted for value in part.values())
        unknown = unknown or any(isinstance(_news.get(name), Unknown) for name in (*STEERING, "triggers"))
        steered = any(_olds.get(name) != _news.get(name) for name in STEERING)
        # A new name or another intent is recorded as well, since `delete` is told nothing but what is on record.
        moved = current_urn(_olds, _news) != current_urn(_olds, {}) or token_of(bag) != token_of(_olds.get("intent"))
        return dynamic.DiffResult(changes=unknown or steered or moved, replaces=[])

    @reported
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Fires, finds, or records a given run, and returns at once. Nothing raises after the id is known."""
        must_checkpoint()
        place = self.place(props)
        api = self.client(place)
        intent, content = intent_of(props.get("intent")), content_asked(self.arguments, props)
        token = intent.token if intent else ""
        if props.get("adopt_id"):
            return self._adopt(props, place, api, content, token)
        request = self.request(props, token)
        urn = props["resource_urn"]
        world = World(MEMORY, lambda: progress.engine_alive(urn), lambda text: progress.tell(urn, text))
        where = self.identity(place)
        work = (where, self.work(request))
        ignored = frozenset(props.get("ignored") or ())
        former = FORMER.pop(urn, None)
        strays = self._strays(props, former, api, world) if former and MEMORY.old(urn, token)[0] is None else []
        settled = firing.settle(Ask(urn, where, intent, content, ignored), Bound(api, request, work), world)
        progress.tell(urn, f"{settled.provenance} {settled.id}")  # in the place of "starting"
        others = [id for id in strays if id != settled.id]
        if others:
            told = f"an interrupted up may have started {', '.join(others[:10])} before this change"
            progress.warn(urn, f"{told}: on no record, and it goes on")
        return self._created(props, place, request, content, token, settled)

    @reported
    @recorded_settings
    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Asks the system for the run's state. A run that is gone stays on record and is marked. Fires nothing."""
        place = self.place(props)
        try:
            status = self.look(self.client(place), id_)
        except errors.NotFound as gone:
            if "fired" not in props:
                raise errors.RunsError(f"there is no run {errors.clean(id_)} to read. {gone}") from gone
            return dynamic.ReadResult(id_, {**props, "record_expired": True})
        reference = replace(place, id=id_)
        outs = {**props, **plain(status), **self.details(reference, None, status), "record_expired": False}
        if "fired" not in props:  # .get(): there is no record of our own to keep
            told = {
                name: _shown(value)
                for name, value in status.request.items()
                if name in self.arguments and name not in props
            }
            outs |= {**told, "reference": str(reference), "provenance": "given", "request_id": ""}
        return dynamic.ReadResult(id_, outs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Records steering arguments. Sends nothing, and never fires."""
        return dynamic.UpdateResult(_restated(_olds, _news))

    @reported
    @recorded_settings
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forgets the run; with `on_delete="cancel"` stops it first. Never fires."""
        if _props.get("on_delete") == "cancel":
            self.client(self.place(_props)).cancel(_id)
        recorded = recorded_run(_id, _props)
        MEMORY.deleted(recorded.shown, self._recorded_at(_props), recorded)

    # -- parts

    def _steering_problems(self, props: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        on_delete, adopt, rerun = (props.get(name) for name in ("on_delete", "adopt_id", "rerun_on_failure"))
        if on_delete == "cancel" and self.no_cancel:
            yield "on_delete", self.no_cancel
        elif on_delete not in (None, "abandon", "cancel") and not isinstance(on_delete, Unknown):
            choices = "'abandon'" if self.no_cancel else "'abandon' or 'cancel'"
            yield "on_delete", f"must be {choices}, not {on_delete!r}"
        id = isinstance(adopt, str) and adopt and adopt == errors.clean(adopt, 1024)
        if adopt is not None and not isinstance(adopt, Unknown) and not id:
            yield "adopt_id", "must be the id of a run that exists"
        if not isinstance(rerun, (bool, type(None), Unknown)):
            yield "rerun_on_failure", f"must be true or false, not {rerun!r}"
        yield from checks.triggers(props)

    def _strays(
        self, props: Mapping[str, Any], record: Mapping[str, Any], api: RunApi[Request], world: World
    ) -> list[str]:
        """The resource had an intent and no run, and another is wanted now: an interrupted `up` may have fired the one,
        and nothing else would tell. Looks once for runs that do the same work, before anything is fired. Never raises.
        """
        former = intent_of(record)
        if former is None or former.process == PROCESS:
            return []
        try:
            request = self.request({**props, "intent": record}, former.token)
            return firing.strays(self.identity(self.place(props)), former, Bound(api, request, None), world)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not keep a run from being fired
            progress.warn(props["resource_urn"], f"an interrupted up may have lost a run; could not look: {error}")
            return []

    def _recorded_at(self, outputs: Mapping[str, Any]) -> Hashable:
        return self.identity(replace(Reference.parse(outputs["reference"]), id=""))

    def _verified(self, props: Mapping[str, Any], id: str, api: RunApi[Request] | None = None) -> RunStatus:
        """The run that is to be adopted. Raises if there is none, or if it does other work than the inputs ask for."""
        given = {name: value for name, value in props.items() if name != "reference" and known(value)}
        try:
            status = self.look(api or self.client(self.place(given)), id)
        except errors.NotFound as gone:
            raise errors.RunsError(f"there is no run {id} to adopt; nothing was fired. {gone}") from gone
        differs = list(self.mismatches(given, status)) if all(known(props.get(name)) for name in self.arguments) else []
        if differs:
            listed = "; ".join(map(errors.clean, differs))
            raise errors.RunsError(
                f"run {id} does other work: {listed}. Nothing was recorded or fired; set "
                "adopt_id to the run that you mean, or the arguments to those of this run"
            )
        return status

    def _adopt(
        self, props: dict[str, Any], place: Reference, api: RunApi[Request], content: Content, token: str
    ) -> dynamic.CreateResult:
        adopt = str(props["adopt_id"])
        status = self._verified(props, adopt, api)
        settled = Settled(adopt, "given", None)
        MEMORY.settled(props["resource_urn"], token, self.identity(place), adopt)
        return self._created(props, place, None, content, token, settled, status)

    def _created(
        self,
        props: dict[str, Any],
        place: Reference,
        request: Request | None,
        content: Content,
        token: str,
        settled: Settled,
        status: RunStatus | None = None,
    ) -> dynamic.CreateResult:
        if settled.note:
            tell = progress.warn if settled.provenance == "found" else progress.note
            tell(props["resource_urn"], settled.note)
        if settled.kept:
            return dynamic.CreateResult(settled.id, _restated(settled.kept.outputs, props))
        started = settled.started
        reference = replace(place, id=settled.id)
        if status is None:
            status = RunStatus(
                settled.id, started.phase if started else Phase.PENDING, started.state if started else ""
            )
        outs = {
            **for_outputs(props),
            **plain(status),
            **self.details(reference, request, status),
            **(started.details if started else {}),
            **({"region": place.region} if place.region else {}),
            "reference": str(reference),
            "provenance": settled.provenance,
            "request_id": started.request_id if started else status.request_id,
            "record_expired": False,
            "fired": {
                "token": token,
                "digests": dict(content.digests),
                "triggers": dict(content.triggers),
                "at": rfc3339(settled.at) if settled.at else status.created_at,
            },
        }
        return dynamic.CreateResult(settled.id, outs)


def _shown(told: Any) -> Any:
    """What a system tells of a request, made fit for outputs."""
    if isinstance(told, str):
        return errors.clean(told, max(len(told), 1))
    if isinstance(told, Mapping):
        return {_shown(name): _shown(item) for name, item in told.items()}
    return [_shown(item) for item in told] if isinstance(told, list) else told


def _restated(outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a run that stays on record, with other inputs; what the program has removed goes."""
    stays = {name: value for name, value in outputs.items() if name not in (*STEERING, "triggers")}
    return {**stays, **for_outputs(inputs)}
