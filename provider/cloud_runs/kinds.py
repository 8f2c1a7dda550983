"""What the package knows of a kind of runs: its arguments, where its runs are, what is sent, and what they tell.

No Pulumi here. A kind is a value: each is made once, in the file of its resource, and listed in `cloud_runs.KINDS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from cloud_runs.checks import LATER, Check, Problem, missing
from cloud_runs.errors import InvalidConfiguration
from cloud_runs.limits import Limit
from cloud_runs.promise.ledger import REFERENCE
from cloud_runs.runs import Reference, RunApi, RunStatus
from cloud_runs.wire.settings import Setting, Settings, Vendor

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport

Request = TypeVar("Request")

Props = Mapping[str, Any]
"""Inputs of a resource by name, with LATER in the place of what is not known yet."""
Rule = Callable[[Props], Iterator[Problem]]
"""A check of several arguments together."""


@dataclass(frozen=True)
class Argument:
    """A request argument: a change of it asks for a new run, unless it is `quiet`: then it tells only how the system is
    asked. Beside it stands the constructor's parameter of the same name, with its description.

    `setting`: where it is looked up if it is left out. `when`: another argument and its value; with that value this one
    is required, with another it is refused. `shared`: a fan-out takes it too, for all of its runs. `subject`: as what
    `cloud-runs status` tells it, if it says what a run works on: `bucket`, `object`, `workflow`.
    """

    name: str
    check: Check
    required: bool = True
    setting: Setting | None = None
    default: Any = None
    when: tuple[Argument, str] | None = None
    shared: bool = True
    quiet: bool = False
    subject: str = ""

    def problems(self, props: Props, settings: Settings) -> Iterator[Problem]:
        value, required = props.get(self.name), self.required
        if self.when:
            other, wanted = self.when
            chosen = other.default if props.get(other.name) is None else props[other.name]
            if chosen is LATER or any(other.check.problems(other.name, chosen)):
                return
            if chosen != wanted:
                if value is not None and value is not LATER:
                    yield self.name, f"is only for {other.name}={wanted!r}"
                return
        if value is None and self.setting:
            yield from self._configured(self.setting, settings)
        elif value is None and required:
            yield missing(self.name, self.check.expected)
        elif value is not None and value is not LATER:
            yield from self.check.problems(self.name, value)

    def _configured(self, setting: Setting, settings: Settings) -> Iterator[Problem]:
        """It must then be configured, in the form that the argument has."""
        try:
            found = settings.value(setting)
        except InvalidConfiguration as error:
            yield self.name, str(error)
            return
        if found:
            yield from self.check.problems(self.name, found)
        elif self.required:
            yield self.name, f"is missing: set the argument, {setting.places}"


@dataclass(frozen=True)
class Occasion:
    """On which a run is fired: what it is sent derives from nothing else but its arguments, so a later `up`, which
    looks for it, comes to the same request.

    `before`: the outputs of the run that the resource had, if there is one; `before_given`: its arguments that were
    not left out.
    """

    token: str = ""
    minted_at: datetime | None = None
    name: str = ""
    """The Pulumi resource's."""
    before: Mapping[str, Any] | None = None
    before_given: frozenset[str] = frozenset()


class Kind(ABC, Generic[Request]):
    """Subclassed in the file of its resource. It holds no state."""

    name: ClassVar[str]
    """`tencent.workflow`: in references, and in `KINDS`."""
    label: ClassVar[str]
    """The resource's class name, for messages."""
    vendor: ClassVar[Vendor]
    arguments: ClassVar[tuple[Argument, ...]]
    rules: ClassVar[tuple[Rule, ...]] = ()
    fans_out: ClassVar[str] = ""
    """The argument of which a fan-out takes many; empty if there is no fan-out. Its client is a `FanOutApi` too."""
    own_outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs beside the arguments and those that every run has."""
    resumes: ClassVar[bool] = False
    """Whether a run that failed can go on at its failed step (`rerun_on_failure="resume"`). Its client is a `ResumeApi`
    too."""
    no_cancel: ClassVar[str] = ""
    """Why `on_delete="cancel"` is refused, for a system that has no call that stops a run."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the arguments that ask for a new run when they change."""
        return tuple(argument.name for argument in self.arguments if not argument.quiet)

    @property
    def quiet(self) -> tuple[str, ...]:
        """Of those that never do."""
        return tuple(argument.name for argument in self.arguments if argument.quiet)

    @property
    def shared(self) -> tuple[str, ...]:
        """The arguments that all runs of a fan-out share."""
        return tuple(one.name for one in self.arguments if one.shared and not one.quiet and one.name != self.fans_out)

    def argument(self, name: str) -> Argument:
        return next(argument for argument in self.arguments if argument.name == name)

    def problems(self, props: Props, settings: Settings) -> Iterator[Problem]:
        """Each bad input, and a setting of times that cannot be right. Pure: nothing is asked."""
        for argument in self.arguments:
            yield from argument.problems(props, settings)
        for rule in self.rules:
            yield from rule(props)
        try:
            settings.times(self.vendor)
        except InvalidConfiguration as error:
            yield "provider", str(error)

    def place(self, props: Props, settings: Settings) -> Reference:
        """Where the run is or will be. A recorded run stays where its reference says, whatever the configuration says
        today; else inputs and configuration say it, and the id is empty. Raises InvalidConfiguration."""
        if isinstance(props.get(REFERENCE), str):
            return Reference.parse(props[REFERENCE])
        return self.where(props, settings)

    @abstractmethod
    def where(self, props: Props, settings: Settings) -> Reference:
        """Where inputs and configuration put a run; its id is empty. Raises InvalidConfiguration."""

    def remark(self, place: Reference, settings: Settings) -> str:
        """What is worth a warning before a run is fired there; empty if nothing is. Must not raise."""
        return ""

    def reached(self, place: Reference, props: Props) -> Reference:
        """Where a run on record is asked for, with the quiet arguments of today; `place` is what is on record."""
        return place

    def pin(self, place: Reference, settings: Settings) -> Callable[[Limit], Reference] | None:
        """What asks for the part of a place that only the service tells, and answers with the whole of it; None if
        nothing is to be asked. It starts nothing. Raises MissingCredentials or InvalidConfiguration; what it returns
        raises InvalidConfiguration, Refused, Unavailable or Interrupted."""
        return None

    def pinned(self, place: Reference, told: Sequence[Reference]) -> Reference:
        """The place, or the whole of it if that was told: it is on record right after the place itself."""
        return place

    def id_space(self, place: Reference) -> Hashable:
        """Equal for places whose ids are one set, so that two resources do not take the same run for their own."""
        return Reference(place.system, place.region, place.scope, "")

    @abstractmethod
    def client(self, place: Reference, settings: Settings, transport: Transport | None = None) -> RunApi[Request]:
        """Without `transport` this process's own. Raises MissingCredentials or InvalidConfiguration."""

    @abstractmethod
    def request(self, props: Props, occasion: Occasion) -> Request:
        """What is sent, for inputs without problems."""

    @abstractmethod
    def work(self, request: Request) -> Hashable:
        """Equal for requests whose runs a look-up cannot tell apart."""

    def marked(self, request: Request) -> bool:
        """Whether what a look finds for this request is ours for certain. No kind with fan-outs says so: a look of
        these tells runs by work and time alone."""
        return False

    def repeated(self, api: RunApi[Request], status: RunStatus, limit: Limit) -> tuple[str, ...]:
        """Other runs that the start of this one has made as well, where a look can tell. Raises as `find` does."""
        return ()

    def subject(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        """What a run with these arguments works on: `region`, `bucket`, `object`, `workflow`, ... What is not known is
        left out; of a mapping its members are told (`prefix`)."""
        found: dict[str, str] = {}
        for argument in self.arguments:
            value = arguments.get(argument.name)
            if argument.subject and value is not None and value is not LATER:
                members = value if isinstance(value, Mapping) else {argument.subject: value}
                found |= {name: _as_text(member) for name, member in members.items()}
        return found

    def told(self, status: RunStatus) -> Mapping[str, Any]:
        """What the system tells of a run's arguments, by their names."""
        return status.request

    @abstractmethod
    def mismatches(self, props: Props, status: RunStatus) -> Iterator[str]:
        """In what a run that is to be adopted differs from the inputs, each as `argument is X, not Y`."""

    @abstractmethod
    def outputs(self, reference: Reference, request: Request | None, status: RunStatus | None) -> dict[str, Any]:
        """The kind's own outputs, from what is known: after a start the request, after a look the status.
        Must not raise."""

    def page(self, reference: Reference, arguments: Mapping[str, Any]) -> str:
        """The address of the nearest page of the system's console (`url`), from what is known of the arguments. Empty
        where there is none, as for EnOS: each customer's console has an address of its own. Must not raise."""
        return ""

    def hindrance(self, id: str, outputs: Mapping[str, Any], props: Props) -> str:
        """Why a run with these inputs could not be fired after the run `id` on record, whose outputs these are. It is
        asked before a replacement deletes (or cancels) that run. Empty: nothing is in its way."""
        return ""

    # -- for the kinds

    def given(self, name: str, props: Props, settings: Settings) -> str:
        """An argument that may be configured in its place. Raises InvalidConfiguration if it is neither."""
        argument = self.argument(name)
        assert argument.setting
        found = props.get(name) or settings.value(argument.setting)
        if not found:
            raise InvalidConfiguration(f"{name} is missing: set the argument, {argument.setting.places}")
        return str(found)


def _as_text(value: Any) -> str:
    """The engine hands whole numbers over as floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def own_transport() -> Transport:
    """This process's. Not imported before a client is made: programs, which make none, start faster without it."""
    from cloud_runs.wire.transport import shared

    return shared()
