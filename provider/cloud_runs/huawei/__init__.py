"""Huawei Cloud OBS workflows ("Data+"): executions of workflows."""

from cloud_runs.huawei.workflow_run import WorkflowFanOut, WorkflowRun

__all__ = ["WorkflowFanOut", "WorkflowRun"]
