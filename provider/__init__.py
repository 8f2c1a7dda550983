"""Pulumi resources that fire cloud workflow runs and batch jobs: once for each time you ask, and no id is lost."""

from provider import enos, huawei, tencent
from provider.lifecycle.completion import Completion
from provider.lifecycle.provider import Provider

__all__ = ["Completion", "Provider", "enos", "huawei", "tencent"]
