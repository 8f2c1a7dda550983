"""Huawei Cloud OBS workflows ("Data+"): executions of workflows."""

from cloud_runs.huawei.workflow_fan_out import WorkflowFanOut
from cloud_runs.huawei.workflow_run import WorkflowRun

__all__ = ["WorkflowFanOut", "WorkflowRun"]
