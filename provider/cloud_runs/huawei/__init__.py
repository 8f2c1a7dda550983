"""Huawei Cloud: executions of OBS workflows ("Data+"), and in `dwr` of those that came after them."""

from cloud_runs.huawei.workflow_run import WorkflowFanOut, WorkflowRun  # noqa: I001  # `dwr` is made of what it has

from cloud_runs.huawei import dwr

__all__ = ["WorkflowFanOut", "WorkflowRun", "dwr"]
