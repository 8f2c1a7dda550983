"""`huawei.WorkflowFanOut`: starts an OBS workflow for each of many objects (seed 003)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from cloud_runs.huawei.client import WorkflowRequest
from cloud_runs.huawei.workflow_run import WorkflowRunProvider
from cloud_runs.lifecycle.fan_out import CONCURRENCY, FanOut
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider
from cloud_runs.lifecycle.run import Triggers


class WorkflowFanOutProvider(FanOutProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = "WorkflowFanOut"
    run = WorkflowRunProvider
    arguments = ("graph_name", "bucket", "inputs", "region")


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
        concurrency: pulumi.Input[int] = CONCURRENCY,
        rate: pulumi.Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
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
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `custom_timeouts`.
        """
        arguments = {"graph_name": graph_name, "bucket": bucket, "inputs": inputs, "region": region}
        self._register(resource_name, arguments, objects, triggers, concurrency, rate, opts)
