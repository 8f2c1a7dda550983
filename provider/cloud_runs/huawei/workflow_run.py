"""`huawei.WorkflowRun` and `huawei.WorkflowFanOut`: start a workflow of Huawei Cloud OBS for one object, or for each of
many."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, unquote

import pulumi

from cloud_runs.checks import Text, Values
from cloud_runs.huawei.client import WorkflowClient
from cloud_runs.huawei.finding import WorkflowRequest, differences
from cloud_runs.huawei.obs import GRAPH_NAME
from cloud_runs.huawei.settings import CLOUD, HUAWEI, REGION
from cloud_runs.kinds import Argument, Kind, Occasion, Props, own_transport
from cloud_runs.lifecycle.fan_out import AT_ONCE, FanOut, FanOutSteering
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider
from cloud_runs.lifecycle.run import IfRunning, OnDelete, Rerun, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import Reference, RunApi, RunStatus
from cloud_runs.wire.settings import Settings

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport

_GRAPH = "a workflow's name: 1 to 64 letters, digits, underscores and hyphens, the first a letter or digit"
_BUCKET = Text(
    "a bucket's name: 3 to 63 lower-case letters, digits, hyphens and dots",
    pattern=r"(?!.*(\.\.|\.-|-\.))(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
)
# https://support.huaweicloud.com/en-us/sdk-python-devg-obs/obs_22_1121.html (parameters of a workflow)
_INPUTS = Values(
    'a mapping of parameter names to values, for example {"template-id": 7}',
    pattern="[a-z0-9-]{1,20}",
    name="a parameter's name: 1 to 20 lower-case letters, digits and hyphens",
    most=60,
)
# The pattern also keeps a value from changing the host that the request goes to.
_REGION = Text("a region, for example cn-north-4", pattern="[a-z0-9]+(-[a-z0-9]+)+", longest=60)


class WorkflowKind(Kind[WorkflowRequest]):
    name = "huawei.workflow"
    label = "WorkflowRun"
    vendor = HUAWEI
    arguments: ClassVar[tuple[Argument, ...]] = (
        Argument("graph_name", Text(_GRAPH, pattern=GRAPH_NAME), subject="workflow"),
        Argument("bucket", _BUCKET, subject="bucket"),
        Argument("object", Text("an object key", longest=1024), subject="object"),
        Argument("inputs", _INPUTS, required=False),
        Argument("region", _REGION, setting=REGION, subject="region"),
    )
    fans_out = "object"
    resumes = True
    own_outputs = ("execution_name", "execution_urn", "stopped_at")
    no_cancel = (
        "Huawei OBS has no API that cancels a workflow execution, so only 'abandon' is possible: the run goes on when "
        "the resource is deleted"
    )

    def where(self, props: Props, settings: Settings) -> Reference:
        return Reference(self.name, self.given("region", props, settings), str(props["graph_name"]), "")

    def client(
        self, place: Reference, settings: Settings, transport: Transport | None = None
    ) -> RunApi[WorkflowRequest]:
        return WorkflowClient(
            transport or own_transport(),
            settings.credentials(HUAWEI),
            region=place.region,
            graph_name=place.scope,
            endpoint=settings.endpoint(HUAWEI),
            domain=settings.value(CLOUD),
            times=settings.times(HUAWEI),
        )

    def request(self, props: Props, occasion: Occasion) -> WorkflowRequest:
        return WorkflowRequest(props["bucket"], props["object"], props.get("inputs") or {})

    def work(self, request: WorkflowRequest) -> Hashable:
        # As loosely as `answers.same_object` compares; the inputs of a run cannot be told apart for certain.
        return request.bucket, unquote(request.object).lstrip("/")

    def mismatches(self, props: Props, status: RunStatus) -> Iterator[str]:
        graph = status.request.get("graph_name")
        if graph and graph != props["graph_name"]:
            yield f"its graph_name is {graph!r}, not the requested one"
        for name in differences(self.request(props, Occasion()), status.request):
            yield f"its {name} has another value"  # either may be secret

    def outputs(
        self, reference: Reference, request: WorkflowRequest | None, status: RunStatus | None
    ) -> dict[str, Any]:
        outputs: dict[str, Any] = {
            "execution_name": reference.id,
            "stopped_at": status.finished_at if status else "",
        }
        urn = status.request.get("execution_urn", "") if status else ""
        if urn or request:  # a refresh that is not told the URN keeps the recorded one
            outputs["execution_urn"] = urn
        return outputs

    def page(self, reference: Reference, arguments: Mapping[str, Any]) -> str:
        """The bucket's page; the console has no documented address for a workflow or its run."""
        region, bucket = quote(reference.region, safe=""), arguments.get("bucket")
        shown = f"manage/{quote(str(bucket), safe='')}/overview" if bucket else "manager/buckets"
        return f"https://console.huaweicloud.com/obs/?region={region}#/obs/{shown}"


WORKFLOW = WorkflowKind()


class WorkflowRunProvider(RunProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = WORKFLOW


class WorkflowFanOutProvider(FanOutProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = WORKFLOW


class WorkflowRun(Run, module="huawei", name="WorkflowRun"):
    """One execution of an OBS workflow on one object; `POST /v2/workflows/{graph_name}`
    (https://support.huaweicloud.com/api-obs/obs_04_0127.html).

    Fired once for each time it is asked for; `execution_name` is the execution's id. The resource returns at once.

    **Status of the product:** Huawei has taken OBS workflows ("Data+") offline for new use and points to DWR (Data
    Workroom) instead (https://support.huaweicloud.com/api-obs/obs_04_0138.html, 2026-02-02). DWR's own requests have
    another path and another signature: `huawei.dwr.WorkflowRun` sends those. Whether the service still answers depends
    on account and region; `runs:huaweiEndpoint` (`RUNS_HUAWEI_ENDPOINT`) sends the requests to another address.

    Never:

    - It never creates, changes or deletes a workflow.
    - It never resumes an execution, but for `rerun_on_failure="resume"`.
    - It never stops an execution, since the service has no call for that. After a destroy the run goes on.
    """

    _run_provider = WorkflowRunProvider

    execution_name: pulumi.Output[str]
    """The id of the execution."""
    execution_urn: pulumi.Output[str]
    """Its URN. After a lost answer it is empty until a `pulumi refresh`; so is `started_at`."""
    stopped_at: pulumi.Output[str]
    """When it ended (RFC 3339), from a refresh; empty before that. The same as `finished_at`."""
    graph_name: pulumi.Output[str]
    bucket: pulumi.Output[str]
    object: pulumi.Output[str]
    inputs: pulumi.Output[dict[str, Any] | None]
    region: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        graph_name: pulumi.Input[str],
        bucket: pulumi.Input[str],
        object: pulumi.Input[str],
        inputs: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None = None,
        region: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[Rerun] | None = None,
        if_running: pulumi.Input[IfRunning] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Fires an OBS workflow on one object, once for each time it is asked for. Does not wait for its end.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param graph_name: The workflow, which must exist: 1 to 64 letters, digits, underscores and hyphens, the first a
            letter or digit. Changing it fires a new run.
        :param bucket: The bucket, 3 to 63 characters. Changing it fires a new run.
        :param object: The object's key, 1 to 1024 characters, sent unchanged: a leading slash is neither added nor
            taken away (the vendor's sample has one, its SDK guide has none). Changing it fires a new run.
        :param inputs: At most 60 parameters of the workflow and their values; a name has 1 to 20 lower-case letters,
            digits and hyphens. Values are what JSON holds; whole numbers are sent as such, up to 9007199254740991
            (give a larger one as text). Empty is the same as left out. Changing it fires a new run.
        :param region: For example `cn-north-4`; without it, configuration `huaweicloud:region`, then `HW_REGION_NAME`.
            Changing the argument fires a new run; changing the configuration does not.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not.
        :param adopt_id: Records this execution of the workflow instead of firing one. Never fires.
        :param on_delete: Only `"abandon"`: the service has no API that cancels an execution, so deleting the resource
            changes the state of the stack and nothing else. Changing it never fires.
        :param rerun_on_failure: What is done, once, when the recorded phase is `failed`: `True` fires a new run;
            `"resume"` fires nothing and lets the same execution go on at the step that failed
            (`PUT /v2/workflowexecutions/{execution_name}`): its id stays, and `history` says so. The phase is recorded
            by a refresh, so use `pulumi up --refresh`. Changing it does nothing unless the recorded phase is `failed`.
            Has no effect together with `adopt_id`.
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
        self._register(
            resource_name,
            {"graph_name": graph_name, "bucket": bucket, "object": object, "inputs": inputs, "region": region},
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
        opts: pulumi.ResourceOptions | None = None,
    ) -> WorkflowRun:
        """Reads an execution that exists. Manages nothing: makes no intent, fires nothing and destroys nothing."""
        return cls._existing(resource_name, id, {"graph_name": graph_name, "region": region}, opts)


class WorkflowFanOut(FanOut, module="huawei", name="WorkflowFanOut"):
    """One execution of an OBS workflow for each of up to 10,000 objects; `POST /v2/workflows/{graph_name}` for each.

    Each object is fired once for each time it is asked for. The resource returns when all starts were answered, and
    does not wait for the runs: a `Completion` does. If some objects were refused, the `up` succeeds with a warning, and
    the next one tries them again; a `Completion` that holds the fan-out fails on them. Deleting it changes the state of
    the stack and nothing else. See `WorkflowRun` for the status of the product.

    After a kill the lost runs are found by the list of executions and one request for each run since then, since the
    list does not tell the object.
    """

    _fan_out_provider = WorkflowFanOutProvider

    graph_name: pulumi.Output[str]
    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
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
        triggers: pulumi.Input[Triggers] | None = None,
        concurrency: pulumi.Input[int] = AT_ONCE,
        rate: pulumi.Input[float] | None = None,
        adopt_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Fires an OBS workflow for each of up to 10,000 objects, once for each time it is asked for.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param graph_name: The workflow's name. Changing it fires all objects again.
        :param bucket: The bucket that holds the objects. Changing it fires all objects again.
        :param objects: Up to 10,000 keys of at most 1024 characters, none twice (a leading slash or space around it
            makes no difference), in any order. An added one is fired; of a removed one only the record goes, and if it
            is added again later it is fired again.
        :param inputs: The workflow's parameters, the same for all objects. Changing them fires all objects again.
        :param region: For example `cn-north-4`; without it, configuration `huaweicloud:region`, then `HW_REGION_NAME`.
            Changing the argument fires all objects again.
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
        arguments = {"graph_name": graph_name, "bucket": bucket, "inputs": inputs, "region": region}
        steering = FanOutSteering(triggers, concurrency, rate, adopt_ids, rerun_on_failure, max_attempts)
        self._register(resource_name, arguments, objects, steering, opts)
