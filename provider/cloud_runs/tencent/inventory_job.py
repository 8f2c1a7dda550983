"""`tencent.InventoryJob`: a batch job that runs a workflow, or one operation, on many objects."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import pulumi

from cloud_runs.checks import Choice, Members, Moment, Problem, Text, moment
from cloud_runs.kinds import Argument, Occasion, Props
from cloud_runs.lifecycle.run import IfRunning, OnDelete, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.limits import Limit
from cloud_runs.runs import Reference, RunApi, RunStatus
from cloud_runs.tencent.bucket import JOB_NAME, PLACE, WORKFLOW_ID, BucketKind
from cloud_runs.tencent.inputs import InventoryInputArgs, TimeIntervalArgs
from cloud_runs.tencent.jobs import InventoryClient, InventoryRequest
from cloud_runs.tencent.operation import OPERATION, OWN, elements, fits
from cloud_runs.wire.payloads import moment as time_told
from cloud_runs.wire.settings import Settings

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport


_INPUTS = {"prefix": "Prefix", "manifest": "Manifest", "url_file": "UrlFile", "object": "Object"}
_KEY = Text("a key", longest_bytes=2048)
_WORKFLOWS = Text(
    "a workflow id (w and 32 hexadecimal digits), or several with commas between them",
    pattern=f"{WORKFLOW_ID}(,{WORKFLOW_ID})*",
)
_TYPE = Argument("type", Choice(("Workflow", "Job")), required=False, default="Workflow")


def _ends_after_it_starts(props: Props) -> Iterator[Problem]:
    interval = _mapping(props.get("time_interval"))
    start, end = (moment(interval.get(name)) for name in ("start", "end"))
    if start and end and start >= end:
        yield "time_interval", "ends before it starts"


def _operation_fits(props: Props) -> Iterator[Problem]:
    kind = _TYPE.default if props.get("type") is None else props["type"]
    if kind in ("Workflow", "Job"):
        yield from fits(kind, props.get("operation"))


_GENERATED = re.compile("-[0-9a-f]{16}$")
_AT_ONCE = timedelta(seconds=60)


class InventoryKind(BucketKind[InventoryRequest]):
    name = "tencent.inventory"
    label = "InventoryJob"
    arguments = (
        *PLACE,
        Argument("name", JOB_NAME, required=False, subject="name"),
        _TYPE,
        Argument("input", Members(dict.fromkeys(_INPUTS, _KEY), only_one=True), subject="input"),
        Argument("workflow_ids", _WORKFLOWS, when=(_TYPE, "Workflow"), subject="workflow"),
        Argument("time_interval", Members({"start": Moment(), "end": Moment()}), required=False),
        Argument("operation", OPERATION, required=False),
    )
    rules = (_ends_after_it_starts, _operation_fits)
    own_outputs = ("job_id", "executions")

    def client(self, place: Reference, settings: Settings, transport: Transport | None = None) -> InventoryClient:
        return InventoryClient(**self.reach(place, settings, transport))

    def request(self, props: Props, occasion: Occasion) -> InventoryRequest:
        interval, operation = props.get("time_interval") or {}, {}
        if interval:
            times = {name.capitalize(): _wire_time(interval[name]) for name in ("start", "end") if interval.get(name)}
            operation["TimeInterval"] = times
        if props.get("workflow_ids"):
            operation["WorkflowIds"] = props["workflow_ids"]
        operation |= elements(props.get("operation") or {})
        inputs = {_INPUTS[name]: value for name, value in props["input"].items() if value is not None}
        name = props.get("name")
        # Unique by the intent's token, so that a job whose name ends so can only be the one that the intent stands for.
        marker = "" if name else f"-{occasion.token[:16]}"
        sent = name or re.sub(r"[^0-9A-Za-z_-]+", "-", occasion.name)[:100] + marker
        return InventoryRequest(sent, props.get("type") or "Workflow", inputs, operation, marker)

    def work(self, request: InventoryRequest) -> Hashable:
        return request.name

    def told(self, status: RunStatus) -> Mapping[str, Any]:
        return _arguments(status.request)

    def marked(self, request: InventoryRequest) -> bool:
        return bool(request.marker)

    def repeated(self, api: RunApi[InventoryRequest], status: RunStatus, limit: Limit) -> tuple[str, ...]:
        """Jobs with the same generated name that began at the same time: a forced replacement has it too, but later."""
        marker = _GENERATED.search(str(status.request.get("name") or ""))
        began = time_told(status.created_at)
        if marker is None or began is None or not isinstance(api, InventoryClient):
            return ()
        return api.namesakes(marker[0], began, _AT_ONCE, limit, but=status.id)

    def mismatches(self, props: Props, status: RunStatus) -> Iterator[str]:
        found = self.told(status)
        for name in ("name", "type", "input", "workflow_ids", "time_interval"):
            asked, told = props.get(name), found.get(name)
            if asked and told and not _same(asked, told):
                yield f"its {name} has another value"  # either may be secret

    def outputs(
        self, reference: Reference, request: InventoryRequest | None, status: RunStatus | None
    ) -> dict[str, Any]:
        outputs: dict[str, Any] = {"job_id": reference.id}
        if status and (status.executions or request):
            outputs["executions"] = dict(status.executions)  # a refresh that could not count keeps the last counts
        if request:
            outputs["name"] = request.name
        return outputs


def _wire_time(value: str) -> str:
    """The vendor's form, an offset without colon; a value that has it already is sent unchanged."""
    if value.endswith("Z"):
        return f"{value[:-1]}+0000"
    return value[:-3] + value[-2:] if value[-3] == ":" else value


def _arguments(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the service tells of a job, under the names of the arguments."""
    operation, inputs = _mapping(told.get("operation")), _mapping(told.get("input"))
    interval = _mapping(operation.get("TimeInterval"))
    arguments: dict[str, Any] = {name: told.get(name) for name in ("name", "type")}
    arguments["input"] = {name: inputs[element] for name, element in _INPUTS.items() if inputs.get(element)}
    arguments["workflow_ids"] = operation.get("WorkflowIds")
    arguments["time_interval"] = {name: interval.get(name.capitalize()) for name in ("start", "end")}
    arguments["operation"] = {element: value for element, value in operation.items() if element not in OWN}
    return {name: value for name, value in arguments.items() if value}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _same(asked: Any, told: Any) -> bool:
    """Equal as far as the service tells; times are compared as moments."""
    if isinstance(asked, Mapping) and isinstance(told, Mapping):
        return all(_same(asked[name], told[name]) for name in asked if asked[name] and told.get(name))
    moments = moment(asked), moment(told)
    return moments[0] == moments[1] if all(moments) else str(asked) == str(told)


INVENTORY = InventoryKind()


class InventoryJobProvider(RunProvider[InventoryRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = INVENTORY


class InventoryJob(Run, module="tencent", name="InventoryJob"):
    """A Tencent Cloud Infinite (CI, media processing) batch job over objects of a bucket; `POST /inventorytriggerjob`
    (type Workflow: https://www.tencentcloud.com/document/product/1045/47029, type Job:
    https://www.tencentcloud.com/document/api/1045/50369).

    Started once for each time it is asked for; `job_id` is its id. The resource returns at once. A job has no `tasks`:
    that output stays empty, and `executions` counts what the job has started: executions of its workflows, or, with
    `type="Job"`, jobs of the media or picture queues.

    Never:

    - It never creates, changes or deletes a workflow, nor an object of the bucket: what the job writes, its workflow or
      its operation says.
    - It never cancels a job unless `on_delete="cancel"` says so.
    """

    _run_provider = InventoryJobProvider

    job_id: pulumi.Output[str]
    """The id of the job (`JobId`)."""
    executions: pulumi.Output[dict[str, int]]
    """How much the job has started, by state, as of the last refresh that could count it; empty before it. The job's
    `phase` is made of it too: a job that succeeded has failed if a part of it did. With `type="Job"` it is counted only
    where the service heeds the batch job that its list is asked for (`inventoryTriggerJobId`, known from the vendor's
    SDKs and its API reference of `/jobs`; of the picture queues, `/pic_jobs`, from one source, the demo of its
    JavaScript SDK); else `message` says so, and the job's own state is the phase."""
    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
    name: pulumi.Output[str]
    """The name that was sent; generated if none was given."""
    type: pulumi.Output[str]
    input: pulumi.Output[dict[str, str]]
    workflow_ids: pulumi.Output[str | None]
    time_interval: pulumi.Output[dict[str, str] | None]
    operation: pulumi.Output[dict[str, Any] | None]

    def __init__(
        self,
        resource_name: str,
        *,
        bucket: pulumi.Input[str],
        input: pulumi.Input[InventoryInputArgs],
        workflow_ids: pulumi.Input[str] | None = None,
        time_interval: pulumi.Input[TimeIntervalArgs] | None = None,
        type: pulumi.Input[Literal["Workflow", "Job"]] = "Workflow",
        operation: pulumi.Input[Mapping[str, Any]] | None = None,
        region: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        if_running: pulumi.Input[IfRunning] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Starts a batch job of Tencent CI, once for each time it is asked for. Does not wait for its end.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param bucket: The bucket with its account number, `name-appid`. Changing it fires a new run.
        :param input: Exactly one of `prefix`, `manifest`, `url_file`, `object`; sent unchanged. Changing it fires.
        :param workflow_ids: For `type="Workflow"`: the workflow, `w` and 32 hexadecimal digits, or several with commas
            between them (several: one source, a comment in the vendor's Java SDK). Changing it fires a new run.
        :param time_interval: Only objects uploaded between `start` and `end`, ISO times with an offset; an offset with
            a colon and `Z` are sent in the vendor's form (`+0800`). Changing it fires a new run.
        :param type: `"Workflow"` (default) or `"Job"`, one operation without a workflow. Changing it fires a new run.
        :param operation: For `type="Job"`: elements of the vendor's `Operation` container, such as `tag` (required),
            `job_param`, `output`, `queue_id`, `user_data`, `job_level`, `call_back`, at any depth, in snake case or in
            the vendor's spelling. Sent in the order of the names, since the engine keeps no order. For
            `type="Workflow"` only `queue_id`, `user_data`, `job_level` and the elements that begin with `call_back`
            (but Kafka's), and these from one source: the vendor's Go and Java SDKs can send them, the pages have them
            for type Job alone. One source each: `call_back_type="Kafka"` with `call_back_kafka_config`, for type Job
            alone, from the Java SDK; that `user_data` is at most 1,024 printable ASCII characters, from the Android
            SDK; that with `call_back="no"` nobody is called, not even as the queue says, from the vendor's JavaScript
            demo. Changing it fires a new run.
        :param region: For example `ap-beijing`; without it, configuration `tencentcloud:region`, then
            `TENCENTCLOUD_REGION`. Changing the argument fires a new run; changing the configuration does not.
        :param name: The job's name, at most 128 letters, digits, hyphens, underscores or Chinese characters, sent
            unchanged; the service does not demand that it is unique. Without it, the resource's name with a random
            suffix, by which a lost job is found again for certain. Changing it fires a new run.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not.
        :param adopt_id: Records this job instead of firing one. Never fires.
        :param on_delete: `"abandon"` (default): deleting the resource leaves the job alone. `"cancel"`: it asks the
            service to cancel a job that is still going; executions that the job has already started may go on, and a
            job that has ended is no error. Changing it never fires.
        :param rerun_on_failure: Fires again, once, when the recorded phase is `failed`, so also if one of the job's
            executions did not succeed; the new job takes all objects again. The phase is recorded by a refresh, so use
            `pulumi up --refresh`. Changing it fires nothing unless the recorded phase is `failed`.
            Has no effect together with `adopt_id`.
        :param if_running: What is done when a new run is wanted while the recorded one goes on: `"allow"` (default)
            fires all the same; `"wait"` holds the update until it has ended, then fires; `"skip"` keeps it with a
            warning, fires nothing, and the next `pulumi up` tries again; `"forbid"` fails the update, nothing fired or
            lost (a forced replacement, which cannot fail any more, is skipped). Changing it never fires.
        :param max_attempts: How often at most `rerun_on_failure` fires for one ask, the first time included, 1 to 1000;
            then the update fails, with nothing fired. Without it, once for each `pulumi up`. Changing it never fires.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `replace_with`, `custom_timeouts`.
        """
        self._register(
            resource_name,
            {
                "bucket": bucket,
                "region": region,
                "name": name,
                "type": type,
                "input": input,
                "workflow_ids": workflow_ids,
                "time_interval": time_interval,
                "operation": operation,
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
        bucket: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> InventoryJob:
        """Reads a job that exists. Manages nothing: makes no intent, fires nothing and destroys nothing."""
        return cls._existing(resource_name, id, {"bucket": bucket, "region": region}, opts)
