"""`enos.FlowRun`: triggers a flow of EnOS batch data processing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Literal

import pulumi

from cloud_runs.checks import moment
from cloud_runs.enos.client import FlowRequest
from cloud_runs.enos.flow_kind import FLOW
from cloud_runs.lifecycle.run import IfRunning, OnDelete, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider


class FlowRunProvider(RunProvider[FlowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = FLOW


def _milliseconds(value: Any) -> Any:
    """A time as milliseconds since 1970, so that its spelling never matters; what is no time, for `check` to refuse.

    Raises ValueError for a datetime without zone.
    """
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("trigger_time is a datetime without a time zone: give it one, for example tzinfo=timezone.utc")
    at = value if isinstance(value, datetime) else moment(value)
    if at is None:
        return value
    since = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


class FlowRun(Run, module="enos", name="FlowRun"):
    """One run (instance) of an EnOS flow; `POST /dataflow-batch-service/v2.0/flows?action=trigger`, or the same call of
    version 2.1 (https://support.enos-iot.com/docs/batch-processing-api/en/3.0.0/v2.0/trigger_flow.html).

    Fired once for each time it is asked for; `flow_instance_id` is its id. The resource returns at once. EnOS runs one
    instance of a flow at a time; a further one waits for its turn.

    EnOS tells the runs of one flow apart by the minute of their trigger time. So a run whose flow has another run in
    that minute is an error that names the other one, and nothing is sent.

    EnOS tells times without a zone, so `created_at`, `started_at` and `finished_at` stay empty; and no `request_id`.

    Never:

    - It never creates, changes, enables or deletes a flow, and never resumes a run.
    - It never cancels a run unless `on_delete="cancel"` says so.
    """

    _run_provider = FlowRunProvider

    flow_instance_id: pulumi.Output[str]
    """The id of the instance (`flowInstanceId`), for example `2430-20190718075000`."""
    flow_id: pulumi.Output[int]
    org_id: pulumi.Output[str | None]
    user_id: pulumi.Output[str | None]
    trigger_time: pulumi.Output[int]
    """Milliseconds since 1970, as they were sent. None for a run that was adopted without it: EnOS tells no zone."""
    parameters: pulumi.Output[dict[str, Any] | None]
    from_task_id: pulumi.Output[int | None]
    api_version: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        flow_id: pulumi.Input[int],
        org_id: pulumi.Input[str] | None = None,
        user_id: pulumi.Input[str] | None = None,
        trigger_time: pulumi.Input[int | str | datetime] | None = None,
        parameters: pulumi.Input[Mapping[str, pulumi.Input[str | int | float | bool]]] | None = None,
        from_task_id: pulumi.Input[int] | None = None,
        api_version: pulumi.Input[Literal["2.0", "2.1"]] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        if_running: pulumi.Input[IfRunning] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Runs an EnOS flow, once for each time it is asked for. Does not wait for its end.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param flow_id: The flow's number. The user must own the flow, and neither may be locked. Changing it fires a
            new run.
        :param org_id: The organization; without it, configuration `enos:orgId`, then `ENOS_ORG_ID`. Changing the
            argument fires a new run; changing the configuration does not.
        :param user_id: The user who asks; without it, configuration `enos:userId`, then `ENOS_USER_ID`. Changing the
            argument fires a new run; changing the configuration does not.
        :param trigger_time: The business time that the flow's time parameters are computed from: milliseconds since
            1970, an ISO time with offset (`2019-11-22T01:23:00Z`) or a `datetime` with time zone; sent unchanged.
            A time that has passed runs at once, one to come is waited for by EnOS. Without it: the minute in which this
            run was first asked for, so that a retry days later keeps that business time. (If the run that is replaced
            has that minute, as after `pulumi up --replace`, the minute after it.) Changing it fires a new run; another
            spelling of the same time does not.
        :param parameters: Parameters of the flow for this run alone (`action=updateAndTrigger`), names with texts,
            numbers or truth values, which are sent as text. The stored flow stays as it is. Changing one fires.
        :param from_task_id: The number of a task of the flow: the run begins with it, and does what comes after it
            (`action=triggerFromTask`, API version 2.1, EnOS 2.2 and later). EnOS takes no parameters with it. Changing
            it fires a new run.
        :param api_version: `"2.0"` (default) or `"2.1"`, by which EnOS is asked; without it, configuration
            `enos:apiVersion`, then `ENOS_API_VERSION`. Changing it never fires.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not. Together with a `trigger_time` that stays
            in the same minute it is an error, and the run on record stays.
        :param adopt_id: Records this run instead of firing one. Never fires.
        :param on_delete: `"abandon"` (default): deleting the resource leaves the run alone. `"cancel"`: it asks EnOS to
            cancel a run that is still going, and waits up to 5 minutes until the run has ended; a run that has ended or
            that EnOS no longer knows is no error. Changing it never fires.
        :param rerun_on_failure: Fires again, once, when the recorded phase is `failed`. The phase is recorded by a
            refresh, so use `pulumi up --refresh`. Changing it fires nothing unless the recorded phase is `failed`.
            Has no effect together with `adopt_id`, and is an error together with a `trigger_time` that stays.
        :param if_running: What is done when a new run is wanted while the recorded one goes on: `"allow"` (default)
            fires all the same; `"wait"` holds the update until it has ended, then fires; `"skip"` keeps it with a
            warning, fires nothing, and the next `pulumi up` tries again; `"forbid"` fails the update, nothing fired or
            lost (a forced replacement, which cannot fail any more, is skipped). Changing it never fires.
        :param max_attempts: How often at most `rerun_on_failure` fires for one ask, the first time included, 1 to 1000;
            then the update fails, with nothing fired. Without it, once for each `pulumi up`. Changing it never fires.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `replace_with`, `custom_timeouts`.
        :raises ValueError: `trigger_time` is a `datetime` without time zone.
        """
        convert: Callable[[Any], Any] = _milliseconds
        later: Any = trigger_time
        self._register(
            resource_name,
            {
                "flow_id": flow_id,
                "org_id": org_id,
                "user_id": user_id,
                "trigger_time": later.apply(convert) if isinstance(later, pulumi.Output) else convert(later),
                "parameters": parameters,
                "from_task_id": from_task_id,
                "api_version": api_version,
            },
            Steering(triggers, adopt_id, on_delete, rerun_on_failure, if_running, max_attempts),
            opts,
        )

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],
        *,
        flow_id: pulumi.Input[int],
        org_id: pulumi.Input[str] | None = None,
        user_id: pulumi.Input[str] | None = None,
        api_version: pulumi.Input[Literal["2.0", "2.1"]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> FlowRun:
        """Reads a run that exists. Manages nothing: makes no intent, fires nothing and destroys nothing."""
        where = {"flow_id": flow_id, "org_id": org_id, "user_id": user_id, "api_version": api_version}
        return cls._existing(resource_name, id, where, opts)
