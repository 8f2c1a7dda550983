"""The base of every run resource: its outputs, its intent, and the options that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import pulumi
from pulumi import dynamic

from cloud_runs.lifecycle import options
from cloud_runs.lifecycle.intent import RunIntent
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.lifecycle.values import carried

if TYPE_CHECKING:
    from typing_extensions import Self

Triggers = Mapping[str, pulumi.Input[Any]]
OnDelete = Literal["abandon", "cancel"]

_OUTPUTS = [
    "reference",
    "state",
    "phase",
    "code",
    "message",
    "created_at",
    "started_at",
    "finished_at",
    "tasks",
    "url",
    "request_id",
    "provenance",
    "record_expired",
    "fired",
]


class Steering(NamedTuple):
    """Arguments that every run shares. Only `triggers` can ask for a new run."""

    triggers: pulumi.Input[Triggers] | None = None
    adopt_id: pulumi.Input[str] | None = None
    on_delete: pulumi.Input[OnDelete] | None = None
    rerun_on_failure: pulumi.Input[bool] | None = None


class Run(dynamic.Resource):
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
    phase: pulumi.Output[str]
    """Our reading of it: `pending`, `running`, `succeeded`, `failed`, `cancelled` or `unknown`."""
    code: pulumi.Output[str]
    message: pulumi.Output[str]
    """The system's own error code and words; empty where it tells none."""
    created_at: pulumi.Output[str]
    started_at: pulumi.Output[str]
    finished_at: pulumi.Output[str]
    """Times are RFC 3339, or empty where the system does not say."""
    tasks: pulumi.Output[list[dict[str, Any]]]
    """`name`, `type`, `state`, `code`, `message` and produced `objects` of each step, where the system tells them."""
    url: pulumi.Output[str]
    """The nearest page of the system's console; for EnOS, whose consoles have no common address, a page of its
    documentation."""
    request_id: pulumi.Output[str]
    """The system's id of the request that started the run, for its support."""
    provenance: pulumi.Output[str]
    """`fired`, `found` (after a lost answer or a kill) or `given` (`adopt_id`)."""
    record_expired: pulumi.Output[bool]
    """Whether the last refresh found that the system no longer knows the run. Nothing fires because of it."""
    fired: pulumi.Output[dict[str, Any]]
    """What the run was fired with, as digests, and when (server time)."""

    _run_provider: ClassVar[type[RunProvider[Any]]]

    def _register(
        self,
        resource_name: str,
        arguments: Mapping[str, pulumi.Input[Any]],
        steering: Steering,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        kind = self._run_provider.kind
        opts = options.for_run(opts, kind.label, resource_name)
        self.label = f"{kind.label} {resource_name!r}"  # for messages of others
        urn = urn_of(resource_name, f"pulumi-python:{self._resource_type_name}", opts.parent)
        arguments = {name: carried(value) for name, value in arguments.items()}
        steering = Steering(*map(carried, steering))
        props: dict[str, Any] = {
            # An output must be declared to become an attribute.
            **dict.fromkeys((*kind.names, *_OUTPUTS, *kind.own_outputs)),
            **arguments,
            "resource_urn": urn,
        }
        if opts.id is None:  # with an id it is a look-up of an existing run: no intent, nothing fires
            intent = RunIntent(f"{resource_name}-intent", arguments, steering.triggers, options.for_intent(opts), urn)
            ignored = sorted({options.root(path) for path in opts.ignore_changes or []})
            props |= {"intent": intent.record, "ignored": ignored or None, **steering._asdict()}
        super().__init__(self._run_provider(), resource_name, props, opts)

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


def urn_of(name: str, type_: str, parent: pulumi.Resource | None) -> pulumi.Output[str]:
    """The URN that the resource will have, without depending on its parent: that would be a circle."""
    if isinstance(parent, pulumi.runtime.stack.Stack):  # the stack is everybody's parent and in no child's URN
        parent = None
    urn: Any = pulumi.create_urn(name, type_, parent)
    return pulumi.Output(set(), urn.future(), urn.is_known())
