"""Huawei Cloud OBS workflows ("Data+"): executions of workflows."""

from provider.huawei.workflow_fan_out import WorkflowFanOut
from provider.huawei.workflow_run import WorkflowRun

__all__ = ["WorkflowFanOut", "WorkflowRun"]
