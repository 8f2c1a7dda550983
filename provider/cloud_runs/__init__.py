"""Pulumi resources that fire cloud workflow runs and batch jobs: once for each time you ask, and no id is lost."""

from collections.abc import Mapping
from typing import Any

from cloud_runs import enos, huawei, tencent
from cloud_runs.accounts import Provider
from cloud_runs.enos.flow_kind import FLOW
from cloud_runs.huawei.dwr.workflow_run import WORKFLOW as DWR_WORKFLOW
from cloud_runs.huawei.workflow_run import WORKFLOW as HUAWEI_WORKFLOW
from cloud_runs.kinds import Kind
from cloud_runs.lifecycle.completion import Completion
from cloud_runs.reports import report
from cloud_runs.tencent.inventory_job import INVENTORY
from cloud_runs.tencent.workflow_run import WORKFLOW as TENCENT_WORKFLOW

KINDS: Mapping[str, Kind[Any]] = {
    "tencent.workflow": TENCENT_WORKFLOW,
    "tencent.inventory": INVENTORY,
    "huawei.workflow": HUAWEI_WORKFLOW,
    "huawei.dwr": DWR_WORKFLOW,
    "enos.flow": FLOW,
}
"""By their names in references. A kind that is not here is not known."""

__all__ = ["Completion", "Provider", "enos", "huawei", "report", "tencent"]
