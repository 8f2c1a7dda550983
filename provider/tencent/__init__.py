"""Tencent Cloud CI (Cloud Infinite): workflow executions and batch inventory jobs."""

from provider.tencent.inventory_job import InventoryInputArgs, InventoryJob, TimeIntervalArgs
from provider.tencent.workflow_fan_out import WorkflowFanOut
from provider.tencent.workflow_run import WorkflowRun

__all__ = ["InventoryInputArgs", "InventoryJob", "TimeIntervalArgs", "WorkflowFanOut", "WorkflowRun"]
