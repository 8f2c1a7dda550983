"""`Completion`: waits for runs of any system, shows their progress, and fails the update if one failed.

It starts nothing. Whatever ends a wait (a failed run, the time-out, an interrupt, a kill), the next `pulumi up` just
looks again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pulumi

from cloud_runs import addresses
from cloud_runs.lifecycle import durations, later, options, positions
from cloud_runs.lifecycle.completion_provider import LONGEST, LONGEST_PAUSE, CompletionProvider
from cloud_runs.lifecycle.durations import Duration
from cloud_runs.lifecycle.fan_out import FanOut
from cloud_runs.lifecycle.run import Run, urn_of
from cloud_runs.promise import ledger
from cloud_runs.promise.history import resumed_at

if TYPE_CHECKING:
    from cloud_runs.lifecycle.outputs import Outcome
else:  # the SDK heeds annotations of a resource when values come, and takes a dictionary for no TypedDict
    Outcome = dict[str, Any]

HOST_THREADS = 4  # of the dynamic host, whatever --parallel says (docs/engine.md)

_TYPE = "pulumi-python:dynamic/runs:Completion"
_made = itertools.count(1)


class Completion(later.Later, module="runs", name="Completion"):
    """Holds the update until its runs have ended. Fires, changes and cancels nothing (but see `on_timeout`).

    It is waited for again when its `runs` change, that is when a run was fired anew, and when one of the run resources
    goes on after it had failed. While it waits, for any number of runs, it takes one of the four threads that Pulumi
    gives to all dynamic resources of one provider: so prefer one Completion with many runs to many of them. With four
    at work nothing else of that provider goes on, the first Ctrl-C is noticed only when one of them has ended, and a
    second one only after Pulumi's own time-out.

    Do not export its outputs if it can fail: Pulumi records the outputs of a stack together, so all of them are held
    back until it is done, and the stack keeps the ids of former runs if it fails.

    Never:

    - It never fires a run, and never fires one again.
    - It never changes or forgets a run, and stops one only with `on_timeout="cancel"`.
    - It never takes a missing answer for an end.
    """

    outcomes: pulumi.Output[list[Outcome]]
    """For each run, in the order of `runs`, in a fan-out in the order of its objects: `reference`, `phase`, `state`,
    `code`, `message`, `failed_tasks`, produced `objects`, `executions` of an inventory job by state, `started_at`,
    `finished_at`, `duration` (seconds; left out where the system does not tell both times), `request_id`; of a fan-out
    also `object`. What a system does not tell is empty. A run that its service no longer knows is `failed`, and so is
    an object that was refused: then `reference` is empty and `message` the reason."""
    succeeded: pulumi.Output[int]
    """How many runs succeeded."""
    failed: pulumi.Output[int]
    """How many failed, were cancelled or refused, or are no longer known. Above 0 only with `on_failure="continue"`."""
    finished_at: pulumi.Output[str]
    """When the last of them was seen to have ended, RFC 3339."""

    def __init__(
        self,
        resource_name: str,
        runs: Sequence[Run | FanOut | pulumi.Input[str] | pulumi.Input[Sequence[str]] | pulumi.Input[Mapping[str, str]]]
        | pulumi.Output[Any],
        *,
        timeout: pulumi.Input[Duration] | None = None,
        poll_interval: pulumi.Input[Duration] = LONGEST_PAUSE,
        on_failure: pulumi.Input[Literal["halt", "continue"]] = "halt",
        on_timeout: pulumi.Input[Literal["leave", "cancel"]] = "leave",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Holds the update until its runs have ended, and fails it if one did not succeed. Fires nothing.
        :param resource_name: The name of the Pulumi resource.
        :param runs: Run resources of any system, fan-outs, or references (the output `reference` of a run, `references`
            of a fan-out), also lists of them, for example from a `StackReference`. What a fan-out was refused counts as
            failed; its references alone do not tell of it. Runs are asked for with the credentials of this resource's
            provider.
        :param timeout: How long to wait: `"90s"`, `"1h30m"`, a timedelta or seconds, at most a year. Without it
            `opts.custom_timeouts.create`, else 30 minutes. A time-out fails the update, also with
            `on_failure="continue"`; the runs go on.
        :param poll_interval: The longest pause between two queries; the first ones are shorter, from one second.
        :param on_failure: When all runs have ended and some did not succeed: `"halt"` fails the update with one line
            for each of them; `"continue"` records them in `outcomes` and warns.
        :param on_timeout: `"leave"` leaves alone what still runs; `"cancel"` asks the system to stop it, where the
            system can (inventory jobs and EnOS flows).
        :param opts: Pulumi's options. Changing `timeout`, `poll_interval`, `on_failure` or `on_timeout` after all runs
            succeeded does nothing.

        Raises ValueError if a run has another explicit provider than this resource: its credentials would not be used.
        """
        opts = opts or pulumi.ResourceOptions()
        given = [runs] if isinstance(runs, (pulumi.Output, Run, FanOut, str)) else list(runs)
        _same_provider(resource_name, given, opts)
        if timeout is None and opts.custom_timeouts:
            timeout = getattr(opts.custom_timeouts, "create", None) or None
        props: dict[str, Any] = {
            # Declared, to become attributes.
            **dict.fromkeys((ledger.OUTCOMES, ledger.SUCCEEDED, ledger.FAILED, ledger.FINISHED_AT)),
            ledger.RUNS: [_given(run) for run in given],
            ledger.RESUMED: [run.fired.apply(resumed_at) if isinstance(run, Run) else "" for run in given],
            ledger.LABELS: [run.label if isinstance(run, (Run, FanOut)) else "" for run in given],
            ledger.TIMEOUT: durations.wired(LONGEST if timeout is None else timeout),
            ledger.POLL_INTERVAL: durations.wired(poll_interval),
            ledger.ON_FAILURE: on_failure,
            ledger.ON_TIMEOUT: on_timeout,
            ledger.URN: urn_of(resource_name, _TYPE, opts.parent),
        }
        with positions.of_the_program():
            super().__init__(CompletionProvider(), resource_name, props, opts)
        assert f"pulumi-python:{self._resource_type_name}" == _TYPE
        if next(_made) == HOST_THREADS:
            pulumi.log.warn(
                f"{HOST_THREADS} Completions in one program can take all {HOST_THREADS} threads of Pulumi's host for "
                "dynamic resources while they wait: nothing else goes on then, and Ctrl-C is not noticed. "
                "One Completion waits for any number of runs",
                self,
            )


def _given(run: Any) -> Any:
    if isinstance(run, FanOut):
        return pulumi.Output.all(references=run.references, refused=run.refused)
    return run.reference if isinstance(run, Run) else run


def _same_provider(name: str, runs: Sequence[Any], opts: pulumi.ResourceOptions) -> None:
    own = options.named_provider(opts, _TYPE)
    for run in runs:
        if not isinstance(run, (Run, FanOut)):
            continue
        other = run.get_provider(run.pulumi_resource_type)
        if other is not own:
            told = (
                f"Completion {name!r}: {run.label} has {_named(other)}, this Completion has {_named(own)}: it would be "
                "asked for with other credentials. Give both the same provider, and runs of another provider a "
                "Completion of their own"
            )
            raise ValueError(addresses.of_argument(told))


def _named(provider: pulumi.ProviderResource | None) -> str:
    return f"the provider {provider.pulumi_resource_name!r}" if provider else "the default provider"
