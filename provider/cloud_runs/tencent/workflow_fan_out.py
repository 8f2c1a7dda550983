"""`tencent.WorkflowFanOut`: triggers a Tencent CI workflow for each of many objects (seeds 000 and 001)."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from cloud_runs.lifecycle.fan_out import CONCURRENCY, FanOut
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider
from cloud_runs.lifecycle.run import Triggers
from cloud_runs.tencent.client import WorkflowRequest
from cloud_runs.tencent.workflow_run import WorkflowRunProvider


class WorkflowFanOutProvider(FanOutProvider[WorkflowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = "WorkflowFanOut"
    run = WorkflowRunProvider
    arguments = ("bucket", "region", "workflow_id")


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
        concurrency: pulumi.Input[int] = CONCURRENCY,
        rate: pulumi.Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
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
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `custom_timeouts`.
        """
        arguments = {"bucket": bucket, "region": region, "workflow_id": workflow_id}
        self._register(resource_name, arguments, objects, triggers, concurrency, rate, opts)
