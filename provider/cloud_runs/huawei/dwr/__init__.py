"""Huawei Cloud DWR (Data Workroom): executions of workflows, through the API that came after that of OBS workflows."""

from cloud_runs.huawei.dwr.workflow_run import WorkflowFanOut, WorkflowRun

__all__ = ["WorkflowFanOut", "WorkflowRun"]
