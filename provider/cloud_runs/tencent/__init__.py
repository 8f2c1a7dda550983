"""Tencent Cloud CI (Cloud Infinite): workflow executions and batch inventory jobs."""

from cloud_runs.tencent.inputs import InventoryInputArgs, TimeIntervalArgs
from cloud_runs.tencent.inventory_job import InventoryJob
from cloud_runs.tencent.workflow_run import WorkflowFanOut, WorkflowRun

__all__ = ["InventoryInputArgs", "InventoryJob", "TimeIntervalArgs", "WorkflowFanOut", "WorkflowRun"]
