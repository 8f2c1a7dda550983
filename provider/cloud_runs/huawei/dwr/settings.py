"""The settings of DWR: Huawei Cloud's, with an address of its own and a project."""

from __future__ import annotations

from dataclasses import replace

from cloud_runs.huawei.settings import CLOUD, HUAWEI, REGION
from cloud_runs.wire.settings import Setting

# "letters and digits, 32 characters": https://support.huaweicloud.com/api-functiongraph/functiongraph_06_1016.html
PROJECT_ID = "[A-Za-z0-9]{1,64}"
PROJECT = Setting(
    "huawei_project_id", "huaweicloud:projectId", "HW_PROJECT_ID", pattern=PROJECT_ID, expected="the id of a project"
)

DWR = replace(HUAWEI, endpoint=Setting("huawei_dwr_endpoint"), more=(REGION, CLOUD, PROJECT))
