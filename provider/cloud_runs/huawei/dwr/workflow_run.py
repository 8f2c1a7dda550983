"""`huawei.dwr.WorkflowRun` and `huawei.dwr.WorkflowFanOut`: start a workflow of Huawei Cloud DWR for one object, or for
each of many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pulumi

from cloud_runs.checks import Text
from cloud_runs.errors import InvalidConfiguration
from cloud_runs.huawei.dwr.client import WorkflowClient
from cloud_runs.huawei.dwr.settings import DWR, PROJECT, PROJECT_ID
from cloud_runs.huawei.finding import WorkflowRequest
from cloud_runs.huawei.settings import CLOUD
from cloud_runs.huawei.workflow_run import WorkflowKind as ObsKind
from cloud_runs.kinds import Argument, Props, own_transport
from cloud_runs.lifecycle.fan_out import AT_ONCE, FanOut, FanOutSteering
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider
from cloud_runs.lifecycle.run import IfRunning, OnDelete, Rerun, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import Reference, RunStatus
from cloud_runs.wire.settings import Settings

if TYPE_CHECKING:
    from cloud_runs.limits import Limit
    from cloud_runs.wire.transport import Transport

# Where the vendor's SDK has a host for workflows; its other four regions have that of another part of the product.
# https://github.com/huaweicloud/huaweicloud-sdk-python-v3, huaweicloudsdkdwr/v3/region/dwr_region.py
REGIONS = ("cn-south-1",)


class WorkflowKind(ObsKind):
    """As that of OBS workflows, in a project."""

    name = "huawei.dwr"
    vendor = DWR
    arguments = (
        *ObsKind.arguments,
        Argument("project_id", Text("the id of a project", pattern=PROJECT_ID), required=False, setting=PROJECT),
    )
    no_cancel = (
        "Huawei DWR has no API that cancels a workflow execution, so only 'abandon' is possible: the run goes on when "
        "the resource is deleted"
    )

    def where(self, props: Props, settings: Settings) -> Reference:
        """Graph and project, as far as it is given: else it is the only one of the key in the region."""
        graph, project = str(props["graph_name"]), props.get("project_id") or settings.value(PROJECT)
        scope = f"{graph}/{project}" if project else graph
        return Reference(self.name, self.given("region", props, settings), scope, "")

    def pin(self, place: Reference, settings: Settings) -> Callable[[Limit], Reference] | None:
        """The project that IAM tells."""
        if "/" in place.scope:
            return None
        client = self.client(place, settings)
        return lambda limit: replace(place, scope=f"{place.scope}/{client.project(limit)}")

    def pinned(self, place: Reference, told: Sequence[Reference]) -> Reference:
        if "/" in place.scope or place not in told[:-1]:
            return place
        whole = told[told.index(place) + 1]
        return whole if whole.scope.startswith(f"{place.scope}/") and whole.region == place.region else place

    def remark(self, place: Reference, settings: Settings) -> str:
        with suppress(InvalidConfiguration):  # which the client tells
            if place.region in REGIONS or settings.endpoint(DWR):
                return ""
        return (
            f"Huawei's SDK knows DWR's workflows in {', '.join(REGIONS)} alone, not in {place.region}. If the service "
            "is there under another address, set runs:huaweiDwrEndpoint"
        )

    def outputs(
        self, reference: Reference, request: WorkflowRequest | None, status: RunStatus | None
    ) -> dict[str, Any]:
        project = reference.scope.partition("/")[2]
        return {**super().outputs(reference, request, status), **({"project_id": project} if project else {})}

    def client(self, place: Reference, settings: Settings, transport: Transport | None = None) -> WorkflowClient:
        graph, _, project = place.scope.partition("/")
        return WorkflowClient(
            transport or own_transport(),
            settings.credentials(DWR),
            region=place.region,
            graph_name=graph,
            project_id=project or settings.value(PROJECT),
            endpoint=settings.endpoint(DWR),
            domain=settings.value(CLOUD),
            times=settings.times(DWR),
        )


WORKFLOW = WorkflowKind()


class WorkflowRunProvider(RunProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = WORKFLOW


class WorkflowFanOutProvider(FanOutProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = WORKFLOW


class WorkflowRun(Run, module="huawei/dwr", name="WorkflowRun"):
    """One execution of a DWR workflow on one object; `POST /v3/{project_id}/workflows/{graph_name}/execute`
    (https://support.huaweicloud.com/api-dwr/dwr_04_0127.html).

    Fired once for each time it is asked for; `execution_name` is the execution's id. The resource returns at once.

    DWR (Data Workroom) is where Huawei Cloud's workflows are for new accounts; `huawei.WorkflowRun` is for OBS
    workflows, which came before it. The vendor's SDK has an address for DWR's workflows in `cn-south-1` alone; in
    another region an `up` that fires warns of that. The vendor's pages and its SDK contradict each other here and
    there, and both are understood: docs/huawei.md tells where, and what only one of them says.

    Never:

    - It never creates, changes or deletes a workflow.
    - It never guesses a project: if IAM tells several, the error lists them, and nothing is fired.
    - It never resumes an execution, but for `rerun_on_failure="resume"`.
    - It never stops an execution, since the service has no call for that. After a destroy the run goes on.
    """

    _run_provider = WorkflowRunProvider

    execution_name: pulumi.Output[str]
    """The id of the execution."""
    execution_urn: pulumi.Output[str]
    """Its URN; empty after a lost answer. `started_at` is then empty until a `pulumi refresh`."""
    stopped_at: pulumi.Output[str]
    """When it ended (RFC 3339), from a refresh; empty before that. The same as `finished_at`."""
    graph_name: pulumi.Output[str]
    bucket: pulumi.Output[str]
    object: pulumi.Output[str]
    inputs: pulumi.Output[dict[str, Any] | None]
    region: pulumi.Output[str]
    project_id: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        graph_name: pulumi.Input[str],
        bucket: pulumi.Input[str],
        object: pulumi.Input[str],
        inputs: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None = None,
        region: pulumi.Input[str] | None = None,
        project_id: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[Rerun] | None = None,
        if_running: pulumi.Input[IfRunning] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Fires a DWR workflow on one object, once for each time it is asked for. Does not wait for its end.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param graph_name: The workflow, which must exist: 1 to 64 letters, digits, underscores and hyphens, the first a
            letter or digit. Changing it fires a new run.
        :param bucket: The bucket, 3 to 63 characters. Changing it fires a new run.
        :param object: The object's key, 1 to 1024 characters, sent unchanged: a leading slash is neither added nor
            taken away (the vendor's sample has one, its SDK guide has none). Changing it fires a new run.
        :param inputs: At most 60 parameters of the workflow and their values, as the pages have them (the SDK's model
            has one typed object in their place); a name has 1 to 20 lower-case letters, digits and hyphens. Values are
            what JSON holds; whole numbers are sent as such, up to 9007199254740991 (give a larger one as text). Empty
            is the same as left out. Changing it fires a new run.
        :param region: For example `cn-south-1`; without it, configuration `huaweicloud:region`, then `HW_REGION_NAME`.
            Changing the argument fires a new run; changing the configuration does not.
        :param project_id: The project of the region; without it, configuration `huaweicloud:projectId`, then
            `HW_PROJECT_ID`, and else the only one that IAM tells for the key: of several none is taken. Changing the
            argument fires a new run; changing the configuration does not.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not.
        :param adopt_id: Records this execution of the workflow instead of firing one. Never fires.
        :param on_delete: Only `"abandon"`: the service has no API that cancels an execution, so deleting the resource
            changes the state of the stack and nothing else. Changing it never fires.
        :param rerun_on_failure: What is done, once, when the recorded phase is `failed`: `True` fires a new run;
            `"resume"` fires nothing and lets the same execution go on at the step that failed
            (`POST .../workflowexecution/{execution_name}/retry`): its id stays, and `history` says so. The phase is
            recorded by a refresh, so use `pulumi up --refresh`. Changing it does nothing unless the recorded phase is
            `failed`. Has no effect together with `adopt_id`.
        :param if_running: What is done when a new run is wanted while the recorded one goes on: `"allow"` (default)
            fires all the same; `"wait"` holds the update until it has ended, then fires; `"skip"` keeps it with a
            warning, fires nothing, and the next `pulumi up` tries again; `"forbid"` fails the update, nothing fired or
            lost (a forced replacement, which cannot fail any more, is skipped). Changing it never fires.
        :param max_attempts: How often at most one ask is fired or resumed, the first time included, 1 to 1000; then the
            update fails, with nothing sent. Without it, once for each `pulumi up`. Changing it never fires.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `replace_with`, `custom_timeouts`.
        """
        if isinstance(inputs, Mapping) and not inputs:
            inputs = None  # the same request: {} in the place of nothing must not look like a change
        work = {"graph_name": graph_name, "bucket": bucket, "object": object, "inputs": inputs}
        self._register(
            resource_name,
            {**work, "region": region, "project_id": project_id},
            Steering(triggers, adopt_id, on_delete, rerun_on_failure, if_running, max_attempts),
            opts,
        )

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],
        *,
        graph_name: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        project_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> WorkflowRun:
        """Reads an execution that exists. Manages nothing: makes no intent, fires nothing and destroys nothing."""
        where = {"graph_name": graph_name, "region": region, "project_id": project_id}
        return cls._existing(resource_name, id, where, opts)


class WorkflowFanOut(FanOut, module="huawei/dwr", name="WorkflowFanOut"):
    """One execution of a DWR workflow for each of up to 10,000 objects;
    `POST /v3/{project_id}/workflows/{graph_name}/execute` for each.

    Each object is fired once for each time it is asked for. The resource returns when all starts were answered, and
    does not wait for the runs: a `Completion` does. If some objects were refused, the `up` succeeds with a warning, and
    the next one tries them again; a `Completion` that holds the fan-out fails on them. Deleting it changes the state of
    the stack and nothing else. See `WorkflowRun` for where the product is.

    After a kill the lost runs are found by the list of executions since then and one request for each of them, since
    the list does not tell the object.
    """

    _fan_out_provider = WorkflowFanOutProvider

    graph_name: pulumi.Output[str]
    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
    project_id: pulumi.Output[str | None]
    inputs: pulumi.Output[dict[str, Any] | None]

    def __init__(
        self,
        resource_name: str,
        *,
        graph_name: pulumi.Input[str],
        bucket: pulumi.Input[str],
        objects: pulumi.Input[Sequence[pulumi.Input[str]]],
        inputs: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None = None,
        region: pulumi.Input[str] | None = None,
        project_id: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        concurrency: pulumi.Input[int] = AT_ONCE,
        rate: pulumi.Input[float] | None = None,
        adopt_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Fires a DWR workflow for each of up to 10,000 objects, once for each time it is asked for.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param graph_name: The workflow's name. Changing it fires all objects again.
        :param bucket: The bucket that holds the objects. Changing it fires all objects again.
        :param objects: Up to 10,000 keys of at most 1024 characters, none twice (a leading slash or space around it
            makes no difference), in any order. An added one is fired; of a removed one only the record goes, and if it
            is added again later it is fired again.
        :param inputs: The workflow's parameters, the same for all objects. Changing them fires all objects again.
        :param region: For example `cn-south-1`; without it, configuration `huaweicloud:region`, then `HW_REGION_NAME`.
            Changing the argument fires all objects again.
        :param project_id: The project of the region; without it, configuration `huaweicloud:projectId`, then
            `HW_PROJECT_ID`, and else the only one that IAM tells for the key: of several none is taken. Changing the
            argument fires all objects again.
        :param triggers: Any values. A new key, or a key with another value, fires all objects again; removing a key
            does not.
        :param concurrency: How many starts are under way at once, 1 to 32. Changing it fires nothing.
        :param rate: Starts a second at most, 0.01 to 1000; without it there is no limit but `concurrency`. When the
            service asks for fewer requests, all of them wait, and then go on more slowly. Changing it fires nothing.
        :param adopt_ids: Records these runs for objects of the list, object -> id, instead of firing them: each is
            verified first. Never fires, and taking it away changes nothing.
        :param rerun_on_failure: Fires again, once each, the objects whose recorded phase is `failed`; the others are
            left alone. The phase is recorded by a refresh, so use `pulumi up --refresh`. Changing it fires nothing
            unless a recorded phase is `failed`. Has no effect on the objects of `adopt_ids`.
        :param max_attempts: How often at most `rerun_on_failure` fires for one object, the first time included, 1 to
            1000; then nothing is fired for it, and a `pulumi up` with nothing else to fire fails. Without it, once for
            each `pulumi up`. A changed trigger or argument begins anew. Changing it never fires.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `replace_with`, `custom_timeouts`.
        """
        work = {"graph_name": graph_name, "bucket": bucket, "inputs": inputs}
        arguments = {**work, "region": region, "project_id": project_id}
        steering = FanOutSteering(triggers, concurrency, rate, adopt_ids, rerun_on_failure, max_attempts)
        self._register(resource_name, arguments, objects, steering, opts)
