"""Pulumi resources that fire cloud workflow runs and batch jobs: once for each time you ask, and no id is lost."""

from cloud_runs import enos, huawei, tencent
from cloud_runs.accounts import Provider
from cloud_runs.lifecycle.completion import Completion

__all__ = ["Completion", "Provider", "enos", "huawei", "tencent"]
