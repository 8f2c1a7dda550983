"""The base of every run resource: its outputs, its intent, and the options that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import pulumi
from pulumi import dynamic

from cloud_runs.kinds import Kind
from cloud_runs.lifecycle import adopting, later, options, positions
from cloud_runs.lifecycle.intent import RunIntent
from cloud_runs.lifecycle.outputs import PhaseWord, Provenance
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.lifecycle.values import carried
from cloud_runs.promise import ledger
from cloud_runs.promise.records import TRIGGERS

if TYPE_CHECKING:
    from typing_extensions import Self

    from cloud_runs.lifecycle.outputs import PastRun, Task
else:  # the SDK heeds annotations of a resource when values come, and takes a dictionary for no TypedDict
    PastRun = Task = dict[str, Any]

Triggers = Mapping[str, pulumi.Input[Any]]
OnDelete = Literal["abandon", "cancel"]
Rerun = bool | Literal["resume"]
IfRunning = Literal["allow", "wait", "skip", "forbid"]

_OUTPUTS = [
    ledger.REFERENCE,
    ledger.STATE,
    ledger.PHASE,
    ledger.CODE,
    ledger.MESSAGE,
    ledger.CREATED_AT,
    ledger.STARTED_AT,
    ledger.FINISHED_AT,
    ledger.TASKS,
    ledger.URL,
    ledger.REQUEST_ID,
    ledger.PROVENANCE,
    ledger.RECORD_EXPIRED,
    ledger.FIRED,
    ledger.HISTORY,
]


class Steering(NamedTuple):
    """Arguments that every run shares. Only `triggers` can ask for a new run."""

    triggers: pulumi.Input[Triggers] | None = None
    adopt_id: pulumi.Input[str] | None = None
    on_delete: pulumi.Input[OnDelete] | None = None
    rerun_on_failure: pulumi.Input[Rerun] | None = None
    if_running: pulumi.Input[IfRunning] | None = None
    max_attempts: pulumi.Input[int] | None = None


class Run(later.Later):
    """Outputs that every run has. Not for use by itself.

    Never:

    - It never sends the request that starts a run again when it may have arrived: it looks for that run instead.
    - It never waits for the run that it has fired. A `Completion` does.
    - A preview, a refresh and an `up` with nothing changed never fire. Neither does a rotated key, another provider, or
      a rename with `aliases`.
    - No credential gets into its inputs or outputs, a log or an error.
    """

    reference: pulumi.Output[str]
    """One string that finds the run again: system, region, bucket or graph, id. Holds no secret."""
    state: pulumi.Output[str]
    """The system's own word; empty until a `pulumi refresh` has asked for it."""
    phase: pulumi.Output[PhaseWord]
    """Our reading of it: `pending`, `running`, `succeeded`, `failed`, `cancelled` or `unknown`."""
    code: pulumi.Output[str]
    message: pulumi.Output[str]
    """The system's own error code and words; empty where it tells none."""
    created_at: pulumi.Output[str]
    started_at: pulumi.Output[str]
    finished_at: pulumi.Output[str]
    """Times are RFC 3339, or empty where the system does not say."""
    tasks: pulumi.Output[list[Task]]
    """`name`, `type`, `state`, `code`, `message` and produced `objects` of each step, where the system tells them."""
    url: pulumi.Output[str]
    """The nearest page of the system's console; empty for EnOS, whose consoles have no common address."""
    request_id: pulumi.Output[str]
    """The system's id of the request that started the run, for its support."""
    provenance: pulumi.Output[Provenance]
    """`fired`, `found` (after a lost answer or a kill) or `given` (`adopt_id`)."""
    record_expired: pulumi.Output[bool]
    """Whether the last refresh found that the system no longer knows the run. Nothing fires because of it."""
    fired: pulumi.Output[str]
    """What the run was fired with, as digests, when (server time) and why, in one line."""
    history: pulumi.Output[list[PastRun]]
    """The runs that the resource had before this one, the last five, oldest first: `id`, `phase` and `code` as the last
    refresh told them, `fired_at`, and `why` it was fired (`first`, `trigger release`, `argument object`, `forced`,
    `rerun after failed`, `adopted`; empty where an earlier version has fired it). A run that went on after it had
    failed is there too, as it was before; `why` it goes on is `resumed after failed`, and `fired_at` when."""

    _run_provider: ClassVar[type[RunProvider[Any]]]

    def _register(
        self,
        resource_name: str,
        arguments: Mapping[str, pulumi.Input[Any]],
        steering: Steering,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        kind = self._run_provider.kind
        self.label = f"{kind.label} {resource_name!r}"  # for messages of others
        given = {**arguments, **steering._asdict()}
        props, opts = intended(self, kind.label, kind, kind.names, resource_name, given, opts)
        # An output must be declared to become an attribute.
        outputs = dict.fromkeys((*kind.names, *kind.quiet, *_OUTPUTS, *kind.own_outputs))
        with positions.of_the_program():
            super().__init__(self._run_provider(), resource_name, {**outputs, **props}, opts)

    @classmethod
    def _existing(
        cls,
        resource_name: str,
        id: pulumi.Input[str],
        where: Mapping[str, pulumi.Input[Any]],
        opts: pulumi.ResourceOptions | None,
    ) -> Self:
        run = cls.__new__(cls)
        run._register(
            resource_name, where, Steering(), pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        )
        return run


def intended(
    resource: dynamic.Resource,
    label: str,
    kind: Kind[Any],
    names: Sequence[str],
    resource_name: str,
    given: Mapping[str, pulumi.Input[Any]],
    opts: pulumi.ResourceOptions | None,
) -> tuple[dict[str, Any], pulumi.ResourceOptions]:
    """Makes the intent of a run or a fan-out. Returns the properties that the resource itself is registered with, and
    its options. With an id it is a look at an existing run: it has no intent, and nothing fires.

    Raises ValueError for options that would break the promise.
    """
    type_ = f"pulumi-python:{resource._resource_type_name}"
    props, opts = options.transformed(resource, type_, resource_name, given, opts or pulumi.ResourceOptions())
    opts = options.for_run(opts, label, resource_name, props.get(ledger.ADOPT_ID))
    urn = urn_of(resource_name, type_, opts.parent)
    props = {name: carried(value) for name, value in props.items()} | {ledger.URN: urn}
    if opts.id is not None:
        return {name: props[name] for name in (*names, *kind.quiet, ledger.URN) if name in props}, opts
    arguments = {name: props.get(name) for name in (*names, *kind.quiet)}
    intent = RunIntent(
        ledger.intent_name(resource_name),
        kind.name,
        arguments,
        props.get(TRIGGERS),
        options.for_intent(opts, names),
        urn,
        props.get(ledger.OBJECTS),
        options.former_names(opts),
    )
    return {
        **props,
        ledger.INTENT: intent.record,
        ledger.ADOPT: adopting.configured(resource_name),
        ledger.IGNORED: options.ignored(opts) or None,
    }, opts


def urn_of(name: str, type_: str, parent: pulumi.Resource | None) -> pulumi.Output[str]:
    """The ledger.URN that the resource will have, without depending on its parent: that would be a circle."""
    if isinstance(parent, pulumi.runtime.stack.Stack):  # the stack is everybody's parent and in no child's ledger.URN
        parent = None
    urn: Any = pulumi.create_urn(name, type_, parent)
    return pulumi.Output(set(), urn.future(), urn.is_known())
