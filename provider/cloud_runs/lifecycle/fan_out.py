"""The base of every fan-out: one resource that holds a run for each of many objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import pulumi
from pulumi import dynamic

from cloud_runs.lifecycle import options
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider
from cloud_runs.lifecycle.intent import RunIntent
from cloud_runs.lifecycle.run import Triggers, urn_of
from cloud_runs.lifecycle.values import carried

CONCURRENCY = 16

_OUTPUTS = ("instance_ids", "refused", "counts", "place", "fired")


class FanOut(dynamic.Resource):
    """Outputs that every fan-out has. Not for use by itself.

    Never:

    - It never sends the request that starts a run again when it may have arrived: it looks for that run instead.
    - It never waits for its runs, and never stops one.
    - A preview and a refresh never fire. An `up` with nothing changed only tries again what was refused.
    - No credential gets into its inputs or outputs, a log or an error.
    """

    instance_ids: pulumi.Output[dict[str, str]]
    """The run's id for each object that has one."""
    refused: pulumi.Output[dict[str, str]]
    """Why an object has no run, in one line. These are tried again by the next `pulumi up`."""
    counts: pulumi.Output[dict[str, int]]
    """`objects`, `started` (all that have a run), `refused`."""
    fired: pulumi.Output[dict[str, Any]]
    """What the runs were fired with, as digests, and when the last of them was (server time)."""
    place: pulumi.Output[str]
    """What a reference of one of the runs begins with."""

    label: str
    _fan_out_provider: ClassVar[type[FanOutProvider[Any]]]

    def _register(
        self,
        resource_name: str,
        arguments: Mapping[str, pulumi.Input[Any]],
        objects: pulumi.Input[Sequence[pulumi.Input[str]]],
        triggers: pulumi.Input[Triggers] | None,
        concurrency: pulumi.Input[int],
        rate: pulumi.Input[float] | None,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        kind, label = self._fan_out_provider.kind, type(self).__name__
        opts = options.for_run(opts, label, resource_name)
        self.label = f"{label} {resource_name!r}"
        arguments = {name: carried(value) for name, value in arguments.items()}
        objects, triggers = carried(objects), carried(triggers)
        urn = urn_of(resource_name, f"pulumi-python:{self._resource_type_name}", opts.parent)
        intent = RunIntent(f"{resource_name}-intent", arguments, triggers, options.for_intent(opts), urn, objects)
        props: dict[str, Any] = {
            **dict.fromkeys((*kind.shared, *_OUTPUTS)),
            **arguments,
            "objects": objects,
            "triggers": triggers,
            "concurrency": carried(concurrency),
            "rate": carried(rate),
            "intent": intent.record,
            "ignored": sorted({options.root(path) for path in opts.ignore_changes or []}) or None,
            "resource_urn": urn,
        }
        super().__init__(self._fan_out_provider(), resource_name, props, opts)

    @property
    def references(self) -> pulumi.Output[dict[str, str]]:
        """For each object that has a run, the reference that finds it again (see `Completion`)."""
        return pulumi.Output.all(self.place, self.instance_ids).apply(
            lambda told: {key: told[0] + quote(id, safe="") for key, id in sorted((told[1] or {}).items())}
        )
