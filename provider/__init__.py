"""Pulumi resources that fire cloud workflow runs and batch jobs: once for each time you ask, and no id is lost."""

from provider import tencent

__all__ = ["tencent"]
