"""The base of every fan-out: one resource that holds a run for each of many objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import pulumi

from cloud_runs.lifecycle import later, positions
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider, fan_out_label
from cloud_runs.lifecycle.run import Triggers, intended
from cloud_runs.promise import ledger

if TYPE_CHECKING:
    from cloud_runs.lifecycle.outputs import FailedRun, PastRun
else:  # the SDK heeds annotations of a resource when values come, and takes a dictionary for no TypedDict
    FailedRun = PastRun = dict[str, Any]

AT_ONCE = 16

_OUTPUTS = (
    ledger.IDS,
    ledger.REFUSED,
    ledger.COUNTS,
    ledger.FAILED,
    ledger.HISTORY,
    ledger.PLACE,
    ledger.FIRED,
)


class FanOutSteering(NamedTuple):
    """Arguments that every fan-out shares. Of these `triggers` asks for new runs of all objects."""

    triggers: pulumi.Input[Triggers] | None
    concurrency: pulumi.Input[int]
    rate: pulumi.Input[float] | None
    adopt_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None
    rerun_on_failure: pulumi.Input[bool] | None
    max_attempts: pulumi.Input[int] | None


class FanOut(later.Later):
    """Outputs that every fan-out has. Not for use by itself.

    Never:

    - It never sends the request that starts a run again when it may have arrived: it looks for that run instead.
    - It never waits for its runs, and never stops one.
    - A preview and a refresh never fire. An `up` with nothing changed only tries again what was refused, and with
      `rerun_on_failure` what has failed.
    - No credential gets into its inputs or outputs, a log or an error. Object keys get into outputs and messages.
    """

    instance_ids: pulumi.Output[dict[str, str]]
    """The run's id for each object that has one."""
    refused: pulumi.Output[dict[str, str]]
    """Why an object has no run, in one line. These are tried again by the next `pulumi up`."""
    counts: pulumi.Output[dict[str, int]]
    """`objects`, `started` (all that have a run), `refused`."""
    fired: pulumi.Output[str]
    """What the runs were fired with, as digests, and when the last of them was (server time), in one line."""
    failed: pulumi.Output[dict[str, FailedRun]]
    """The objects whose run has failed, as the last refresh has told it: `id`, `code`, `message`, `fired_at`."""
    history: pulumi.Output[dict[str, list[PastRun]]]
    """By object the runs that failed and were fired again or replaced, the last five, oldest first: `id`, `phase`,
    `code`, `fired_at`, and `why` it was fired."""
    place: pulumi.Output[str]
    """What a reference of one of the runs begins with."""

    label: str
    _fan_out_provider: ClassVar[type[FanOutProvider[Any]]]

    def _register(
        self,
        resource_name: str,
        arguments: Mapping[str, pulumi.Input[Any]],
        objects: pulumi.Input[Sequence[pulumi.Input[str]]],
        steering: FanOutSteering,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        kind = self._fan_out_provider.kind
        label = fan_out_label(kind)
        self.label = f"{label} {resource_name!r}"
        given = {**arguments, ledger.OBJECTS: objects, **steering._asdict()}
        props, opts = intended(self, label, kind, kind.shared, resource_name, given, opts)
        outputs = dict.fromkeys((*kind.shared, *_OUTPUTS))  # an output must be declared to become an attribute
        with positions.of_the_program():
            super().__init__(self._fan_out_provider(), resource_name, {**outputs, **props}, opts)

    @property
    def references(self) -> pulumi.Output[dict[str, str]]:
        """For each object that has a run, the reference that finds it again (see `Completion`)."""
        return pulumi.Output.all(self.place, self.instance_ids).apply(
            lambda told: ledger.references({ledger.PLACE: told[0], ledger.IDS: dict(sorted((told[1] or {}).items()))})
        )
