"""`tencent.WorkflowRun` and `tencent.WorkflowFanOut`: trigger a Tencent CI workflow for one object, or each of many."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from cloud_runs.checks import Text
from cloud_runs.kinds import Argument, Occasion, Props
from cloud_runs.lifecycle.fan_out import AT_ONCE, FanOut, FanOutSteering
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider
from cloud_runs.lifecycle.run import IfRunning, OnDelete, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import Reference, RunStatus
from cloud_runs.tencent.bucket import JOB_NAME, PLACE, WORKFLOW_ID, BucketKind
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.tencent.operation import ATTACH_PARAM, elements
from cloud_runs.wire.settings import Settings

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport


class WorkflowKind(BucketKind[WorkflowRequest]):
    name = "tencent.workflow"
    label = "WorkflowRun"
    arguments = (
        *PLACE,
        Argument(
            "workflow_id", Text("a workflow id: w and 32 hexadecimal digits", pattern=WORKFLOW_ID), subject="workflow"
        ),
        Argument("object", Text("an object key", longest_bytes=850), subject="object"),
        Argument("name", JOB_NAME, required=False, shared=False),
        Argument("attach_param", ATTACH_PARAM, required=False, shared=False),
    )
    fans_out = "object"
    own_outputs = ("instance_id",)
    no_cancel = (
        "Tencent CI has no API that cancels a workflow execution, so only 'abandon' is possible: the run goes on when "
        "the resource is deleted"
    )

    def client(self, place: Reference, settings: Settings, transport: Transport | None = None) -> WorkflowClient:
        return WorkflowClient(**self.reach(place, settings, transport))

    def request(self, props: Props, occasion: Occasion) -> WorkflowRequest:
        attached = elements(props.get("attach_param") or {})
        return WorkflowRequest(props["workflow_id"], props["object"], props.get("name") or "", attached)

    def work(self, request: WorkflowRequest) -> Hashable:
        return request.workflow_id, request.object.lstrip("/")  # as loosely as `answers.same_object` compares

    def mismatches(self, props: Props, status: RunStatus) -> Iterator[str]:
        for name in ("workflow_id", "object"):  # the service does not tell the label
            told = status.request.get(name)
            if told and told != props[name]:
                yield f"its {name} has another value"  # either may be secret

    def outputs(
        self, reference: Reference, request: WorkflowRequest | None, status: RunStatus | None
    ) -> dict[str, Any]:
        return {"instance_id": reference.id}


WORKFLOW = WorkflowKind()


class WorkflowRunProvider(RunProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = WORKFLOW


class WorkflowFanOutProvider(FanOutProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = WORKFLOW


class WorkflowRun(Run, module="tencent", name="WorkflowRun"):
    """One execution of a Tencent Cloud Infinite (CI, media processing) workflow on one object; `POST /triggerworkflow`
    (https://www.tencentcloud.com/document/api/1045/50340).

    Fired once for each time it is asked for; `instance_id` is the execution's id. The resource returns at once.

    Never:

    - It never creates, changes, activates or deletes the workflow.
    - It never stops an execution, since the service has no call for that. After a destroy the run goes on.
    """

    _run_provider = WorkflowRunProvider

    instance_id: pulumi.Output[str]
    """The id of the execution (`InstanceId`; the same value is the `RunId` of later answers, as a test of the vendor's
    Python SDK uses it: one source)."""
    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
    workflow_id: pulumi.Output[str]
    object: pulumi.Output[str]
    name: pulumi.Output[str | None]
    attach_param: pulumi.Output[dict[str, Any] | None]

    def __init__(
        self,
        resource_name: str,
        *,
        bucket: pulumi.Input[str],
        workflow_id: pulumi.Input[str],
        object: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        attach_param: pulumi.Input[Mapping[str, Any]] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        if_running: pulumi.Input[IfRunning] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Fires a workflow of Tencent CI on one object, once for each time it is asked for. Does not wait for its end.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param bucket: The bucket with its account number, `name-appid`. Changing it fires a new run.
        :param workflow_id: `w` and 32 hexadecimal digits. A paused workflow runs as well, since pausing stops only the
            triggers of uploads (one source: a test of the vendor's Python SDK). Changing it fires a new run.
        :param object: The object's key, 1 to 850 bytes of UTF-8, sent unchanged. Changing it fires a new run.
        :param region: For example `ap-beijing`; without it, configuration `tencentcloud:region`, then
            `TENCENTCLOUD_REGION`. Changing the argument fires a new run; changing the configuration does not.
        :param name: A label of at most 128 letters, digits, hyphens, underscores or Chinese characters; sent
            unchanged, and left out if not given, as in the vendor's own sample. The service does not tell it again.
            Changing it fires a new run.
        :param attach_param: A watermark for this run: `watermark_template_id`, or `watermark` with the vendor's
            elements, in snake case or in the vendor's spelling. One source: the vendor's Java SDK, which says that it
            takes effect with adaptive bitrate alone; no page shows it. Changing it fires a new run.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not.
        :param adopt_id: Records this execution instead of firing one. Never fires.
        :param on_delete: Only `"abandon"`: the service has no API that cancels an execution, so deleting the resource
            changes the state of the stack and nothing else. Changing it never fires.
        :param rerun_on_failure: Fires again, once, when the recorded phase is `failed`. The phase is recorded by a
            refresh, so use `pulumi up --refresh`. Changing it fires nothing unless the recorded phase is `failed`.
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
                "workflow_id": workflow_id,
                "object": object,
                "name": name,
                "attach_param": attach_param,
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
    ) -> WorkflowRun:
        """Reads an execution that exists. Manages nothing: makes no intent, fires nothing and destroys nothing."""
        return cls._existing(resource_name, id, {"bucket": bucket, "region": region}, opts)


class WorkflowFanOut(FanOut, module="tencent", name="WorkflowFanOut"):
    """One execution of a Tencent Cloud Infinite (CI, media processing) workflow for each of up to 10,000 objects;
    `POST /triggerworkflow` for each.

    Each object is fired once for each time it is asked for. The resource returns when all starts were answered, and
    does not wait for the runs: a `Completion` does. If some objects were refused, the `up` succeeds with a warning, and
    the next one tries them again; a `Completion` that holds the fan-out fails on them. Deleting it changes the state of
    the stack and nothing else.

    An `InventoryJob` with `url_file` or `prefix` is the better choice for more objects than that, or where nobody needs
    an id for each of them: it is one request, and the service does the rest.
    """

    _fan_out_provider = WorkflowFanOutProvider

    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
    workflow_id: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        bucket: pulumi.Input[str],
        workflow_id: pulumi.Input[str],
        objects: pulumi.Input[Sequence[pulumi.Input[str]]],
        region: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        concurrency: pulumi.Input[int] = AT_ONCE,
        rate: pulumi.Input[float] | None = None,
        adopt_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Fires a workflow of Tencent CI for each of up to 10,000 objects, once for each time it is asked for.
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param bucket: The bucket with its account number, `name-appid`. Changing it fires all objects again.
        :param workflow_id: `w` and 32 hexadecimal digits. Changing it fires all objects again.
        :param objects: Up to 10,000 keys, each of 1 to 850 bytes of UTF-8, none twice (a leading slash or space around
            it makes no difference), in any order. An added one is fired; of a removed one only the record goes, and if
            it is added again later it is fired again.
        :param region: For example `ap-beijing`; without it, configuration `tencentcloud:region`, then
            `TENCENTCLOUD_REGION`. Changing the argument fires all objects again.
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
        arguments = {"bucket": bucket, "region": region, "workflow_id": workflow_id}
        steering = FanOutSteering(triggers, concurrency, rate, adopt_ids, rerun_on_failure, max_attempts)
        self._register(resource_name, arguments, objects, steering, opts)
