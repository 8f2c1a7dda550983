"""`huawei.WorkflowRun`: starts a workflow of Huawei Cloud OBS for one object (seed 003)."""

from __future__ import annotations

import functools
import os
from collections.abc import Hashable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

import pulumi

from cloud_runs import errors
from cloud_runs.huawei import inputs as parameters
from cloud_runs.huawei.client import GRAPH_NAME, WorkflowClient, WorkflowRequest, differences
from cloud_runs.lifecycle import checks
from cloud_runs.lifecycle.run import OnDelete, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import Reference, RunStatus
from cloud_runs.wire.settings import HUAWEI, HUAWEI_REGION

_BUCKET = r"(?!.*(\.\.|\.-|-\.))(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_REGION = "[a-z0-9]+(-[a-z0-9]+)+"
_PLACES = f"the argument, {HUAWEI_REGION.places}"


class WorkflowRunProvider(RunProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = "WorkflowRun"
    system = "huawei.workflow"
    arguments = ("graph_name", "bucket", "object", "inputs", "region")
    no_cancel = (
        "Huawei OBS has no API that cancels a workflow execution, so only 'abandon' is possible: the run goes on when "
        "the resource is deleted"
    )

    def problems(self, props: Mapping[str, Any]) -> Iterator[checks.Problem]:
        name = "1 to 64 letters, digits, underscores and hyphens, the first a letter or digit"
        yield from checks.text(props, "graph_name", pattern=GRAPH_NAME, expected=f"a workflow's name: {name}")
        label = "a bucket's name: 3 to 63 lower-case letters, digits, hyphens and dots"
        yield from checks.text(props, "bucket", pattern=_BUCKET, expected=label)
        yield from self.object_problems(props)
        yield from parameters.problems(props)
        # The pattern also keeps a value from changing the host that the request goes to.
        region = "a region, for example cn-north-4"
        yield from checks.text(props, "region", required=False, pattern=_REGION, expected=region, longest=60)
        if props.get("region") is None:
            configured = functools.partial(HUAWEI.region, self.setting, os.environ)
            yield from checks.configured("region", configured, _PLACES, pattern=_REGION, expected=region)

    def object_problems(self, props: Mapping[str, Any]) -> Iterator[checks.Problem]:
        return checks.text(props, "object", expected="an object key", longest=1024)

    def place(self, props: Mapping[str, Any]) -> Reference:
        """A recorded run stays where its reference says, whatever the configuration says today."""
        if isinstance(props.get("reference"), str):
            return Reference.parse(props["reference"])
        region = props.get("region") or HUAWEI.region(self.setting, os.environ)
        if not region:
            raise errors.InvalidConfiguration(f"the region is missing: set {_PLACES}")
        return Reference(self.system, str(region), str(props["graph_name"]), "")

    def client(self, place: Reference) -> WorkflowClient:
        return WorkflowClient(
            self.transport(),
            HUAWEI.credentials(self.setting, os.environ),
            region=place.region,
            graph_name=place.scope,
            endpoint=HUAWEI.endpoint(self.setting, os.environ),
        )

    def look(self, api: WorkflowClient, id: str) -> RunStatus:
        return api.complete(api.get(id))

    def request(self, props: Mapping[str, Any], token: str) -> WorkflowRequest:
        return WorkflowRequest(props["bucket"], props["object"], props.get("inputs") or {})

    def work(self, request: WorkflowRequest) -> Hashable:
        # As loosely as `status.same_object` compares; the inputs of a run cannot be told apart for certain.
        return request.bucket, unquote(request.object).lstrip("/")

    def mismatches(self, props: Mapping[str, Any], status: RunStatus) -> Iterator[str]:
        graph = status.request.get("graph_name")
        if graph and graph != props["graph_name"]:
            yield f"its graph_name is {graph!r}, not {props['graph_name']!r}"
        for name in differences(self.request(props, ""), status.request):
            if name in ("bucket", "object"):
                yield f"its {name} is {status.request[name]!r}, not {props[name]!r}"
            else:  # inputs may be secret
                yield f"its {name} has another value"

    def details(
        self, reference: Reference, request: WorkflowRequest | None, status: RunStatus | None
    ) -> dict[str, Any]:
        region = quote(reference.region, safe="")
        outputs: dict[str, Any] = {
            "execution_name": reference.id,
            "stopped_at": status.finished_at if status else "",
            # the list of buckets: the console has no documented address for a workflow or its run
            "url": f"https://console.huaweicloud.com/obs/?region={region}#/obs/manager/buckets",
        }
        urn = status.request.get("execution_urn", "") if status else ""
        if urn or request:  # a refresh that is not told the URN keeps the recorded one
            outputs["execution_urn"] = urn
        return outputs


class WorkflowRun(Run, module="huawei", name="WorkflowRun"):
    """One execution of an OBS workflow on one object; `POST /v2/workflows/{graph_name}`
    (https://support.huaweicloud.com/api-obs/obs_04_0127.html).

    Fired once for each time it is asked for; `execution_name` is the execution's id. The resource returns at once.

    **Status of the product:** Huawei has taken OBS workflows ("Data+") offline for new use and points to DWR (Data
    Workroom) instead (https://support.huaweicloud.com/api-obs/obs_04_0138.html, 2026-02-02). DWR's own requests have
    another path and another signature, and are not sent by this resource. Whether the service still answers depends on
    account and region; `runs:huaweiEndpoint` (`RUNS_HUAWEI_ENDPOINT`) sends the requests to another address.

    Never:

    - It never creates, changes or deletes a workflow.
    - It never resumes a failed execution: `rerun_on_failure` starts a new one.
    - It never stops an execution, since the service has no call for that. After a destroy the run goes on.
    """

    _run_provider = WorkflowRunProvider
    _own_outputs = ("execution_name", "execution_urn", "stopped_at")

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
        rerun_on_failure: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
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
        :param rerun_on_failure: Fires again, once, when the recorded phase is `failed`. The phase is recorded by a
            refresh, so use `pulumi up --refresh`. Changing it fires nothing unless the recorded phase is `failed`.
            Has no effect together with `adopt_id`. It is a new run: the failed one is never resumed.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `custom_timeouts`.
        """
        if isinstance(inputs, Mapping) and not inputs:
            inputs = None  # the same request: {} in the place of nothing must not look like a change
        self._register(
            resource_name,
            {"graph_name": graph_name, "bucket": bucket, "object": object, "inputs": inputs, "region": region},
            Steering(triggers, adopt_id, on_delete, rerun_on_failure),
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
