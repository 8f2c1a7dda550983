"""A fan-out and its intent as the engine treats them (see host_stack.py)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar

import pytest

from cloud_runs import errors
from cloud_runs.huawei.workflow_run import WorkflowFanOutProvider as HuaweiFanOutProvider
from cloud_runs.lifecycle.fan_out_provider import Requests
from cloud_runs.limits import Leave, Limit
from cloud_runs.promise.digests import digest_of_objects
from cloud_runs.tencent.workflow_run import WorkflowFanOutProvider
from tests.provider.host_stack import HUAWEI, HUAWEI_RUN, HostStack, HuaweiRunStack, JobStack, Killed, Props, RunStack
from tests.support.stack import BUCKET, WORKFLOW


def key_of(run: Props) -> str:
    """The object of a run, as the emulator tells it."""
    if run["system"] == HUAWEI:
        return str(json.loads(run["request"]["body"])["input"]["object"])
    return str(run["request"]["query"]["object"])


class FanStack(HostStack):
    """Of two objects, if none are given."""

    provider_type = WorkflowFanOutProvider
    type_name = "WorkflowFanOut"
    defaults: ClassVar[Props] = {"bucket": BUCKET, "workflow_id": WORKFLOW, "concurrency": 1}
    asks = 2
    objects: tuple[str, ...] = ("a1", "a2")

    # -- what is seen

    @property
    def ids(self) -> dict[str, str]:
        return dict(self.state.get("instance_ids") or {})

    def fired(self) -> Counter[str]:
        return Counter(key_of(run) for run in self.cloud.runs(self.system))

    def all_on_record(self, objects: Collection[str]) -> bool:
        """One run for each object, and the ids of the service."""
        runs = {key_of(run): run["id"] for run in self.cloud.runs(self.system)}
        return self.fired() == dict.fromkeys(objects, 1) and runs == self.ids and not self.refused

    # -- parts of an `up`

    def _intent_news(self, given: Props, objects: Collection[str]) -> Props:
        asked = {key: value for key, value in given.items() if key in (*self.provider.kind.shared, "triggers")}
        return super()._intent_news(asked, ()) | {"objects": digest_of_objects(list(objects or self.objects))}

    def _news(self, given: Props, objects: Collection[str]) -> Props:
        return super()._news({**given, "objects": list(objects or self.objects)}, ())

    def _patched(self, patch: pytest.MonkeyPatch) -> None:
        def start(requests: Requests[Any], key: str, leave: Leave) -> Any:
            if self._dead:
                raise errors.UnknownOutcome("nobody sees this")
            started = requests.api.start(requests.of[key], leave)
            self._left -= 1
            if self._left == 0:
                self._dead = True
                raise errors.UnknownOutcome("nobody sees this")
            return started

        def find(requests: Requests[Any], keys: Collection[str], since: datetime, limit: Limit) -> Any:
            if self._dead:
                raise Killed
            self.looks(requests.work(min(keys)))
            return requests.api.find_each({key: requests.of[key] for key in keys}, since, limit)

        patch.setattr(Requests, "start", start)
        patch.setattr(Requests, "find", find)


class HuaweiFanStack(FanStack):
    provider_type = HuaweiFanOutProvider
    vendor = "huawei"
    system = HUAWEI
    defaults: ClassVar[Props] = {**{k: v for k, v in HUAWEI_RUN.items() if k != "object"}, "concurrency": 1}
    other: ClassVar[Props] = {"graph_name": "other"}


STACKS: tuple[type[HostStack], ...] = (RunStack, JobStack, FanStack, HuaweiRunStack, HuaweiFanStack)
"""A run, a job and a fan-out, for what holds for each of them."""
