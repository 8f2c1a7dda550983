"""`tencent.WorkflowRun`: triggers a Tencent CI workflow for one object (seeds 000 and 001)."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pulumi

from cloud_runs.lifecycle import checks
from cloud_runs.lifecycle.run import OnDelete, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import Reference, RunStatus
from cloud_runs.tencent import bucket
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.wire.settings import TENCENT


class WorkflowRunProvider(RunProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = "WorkflowRun"
    system = "tencent.workflow"
    arguments = ("bucket", "region", "workflow_id", "object", "name")
    no_cancel = (
        "Tencent CI has no API that cancels a workflow execution, so only 'abandon' is possible: the run goes on when "
        "the resource is deleted"
    )

    def problems(self, props: Mapping[str, Any]) -> Iterator[checks.Problem]:
        yield from bucket.problems(props, self.setting)
        workflow = "a workflow id: w and 32 hexadecimal digits"
        yield from checks.text(props, "workflow_id", pattern=bucket.WORKFLOW_ID, expected=workflow)
        yield from self.object_problems(props)
        label = "a name of letters, digits, hyphens, underscores or Chinese characters"
        yield from checks.text(props, "name", required=False, pattern=bucket.JOB_NAME, expected=label, longest=128)

    def object_problems(self, props: Mapping[str, Any]) -> Iterator[checks.Problem]:
        return checks.text(props, "object", expected="an object key", longest_bytes=850)

    def place(self, props: Mapping[str, Any]) -> Reference:
        return bucket.place(self.system, props, self.setting)

    def client(self, place: Reference) -> WorkflowClient:
        return WorkflowClient(
            self.transport(),
            TENCENT.credentials(self.setting, os.environ),
            region=place.region,
            bucket=place.scope,
            endpoint=TENCENT.endpoint(self.setting, os.environ),
        )

    def request(self, props: Mapping[str, Any], token: str) -> WorkflowRequest:
        return WorkflowRequest(props["workflow_id"], props["object"], props.get("name") or "")

    def work(self, request: WorkflowRequest) -> Hashable:
        return request.workflow_id, request.object.lstrip("/")  # as loosely as `status.same_object` compares

    def mismatches(self, props: Mapping[str, Any], status: RunStatus) -> Iterator[str]:
        for name in ("workflow_id", "object"):  # the service does not tell the label
            told = status.request.get(name)
            if told and told != props[name]:
                yield f"its {name} is {told!r}, not {props[name]!r}"

    def details(
        self, reference: Reference, request: WorkflowRequest | None, status: RunStatus | None
    ) -> dict[str, Any]:
        return {"instance_id": reference.id, "url": bucket.console(reference)}


class WorkflowRun(Run, module="tencent", name="WorkflowRun"):
    """One execution of a Tencent Cloud Infinite (CI, media processing) workflow on one object; `POST /triggerworkflow`
    (https://www.tencentcloud.com/document/api/1045/50340).

    Fired once for each time it is asked for; `instance_id` is the execution's id. The resource returns at once.

    Never:

    - It never creates, changes, activates or deletes the workflow.
    - It never stops an execution, since the service has no call for that. After a destroy the run goes on.
    """

    _run_provider = WorkflowRunProvider
    _own_outputs = ("instance_id",)

    instance_id: pulumi.Output[str]
    """The id of the execution (`InstanceId`; the same value is the `RunId` of later answers)."""
    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
    workflow_id: pulumi.Output[str]
    object: pulumi.Output[str]
    name: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        bucket: pulumi.Input[str],
        workflow_id: pulumi.Input[str],
        object: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param bucket: The bucket with its account number, `name-appid`. Changing it fires a new run.
        :param workflow_id: `w` and 32 hexadecimal digits. A paused workflow runs as well: pausing stops only the
            triggers of uploads. Changing it fires a new run.
        :param object: The object's key, 1 to 850 bytes of UTF-8, sent unchanged. Changing it fires a new run.
        :param region: For example `ap-beijing`; without it, configuration `tencentcloud:region`, then
            `TENCENTCLOUD_REGION`. Changing the argument fires a new run; changing the configuration does not.
        :param name: A label of at most 128 letters, digits, hyphens, underscores or Chinese characters; sent
            unchanged, and left out if not given, as in the vendor's own sample. The service does not tell it again.
            Changing it fires a new run.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not.
        :param adopt_id: Records this execution instead of firing one. Never fires.
        :param on_delete: Only `"abandon"`: the service has no API that cancels an execution, so deleting the resource
            changes the state of the stack and nothing else. Changing it never fires.
        :param rerun_on_failure: Fires again, once, when the recorded phase is `failed`. The phase is recorded by a
            refresh, so use `pulumi up --refresh`. Changing it fires nothing unless the recorded phase is `failed`.
            Has no effect together with `adopt_id`.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `custom_timeouts`.
        """
        self._register(
            resource_name,
            {"bucket": bucket, "region": region, "workflow_id": workflow_id, "object": object, "name": name},
            Steering(triggers, adopt_id, on_delete, rerun_on_failure),
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
