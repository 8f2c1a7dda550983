"""Huawei Cloud: executions of OBS workflows ("Data+"), and in `dwr` of those that came after them."""

from cloud_runs.huawei import dwr
from cloud_runs.huawei.workflow_run import WorkflowFanOut, WorkflowRun

__all__ = ["WorkflowFanOut", "WorkflowRun", "dwr"]
