"""A fan-out and its intent as the engine treats them (see host_stack.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any

import pytest

from cloud_runs import errors
from cloud_runs.lifecycle.bound import Requests
from cloud_runs.limits import Leave, Limit
from cloud_runs.promise.digests import digest_of_objects
from tests.kits import KITS
from tests.provider.host_stack import HostStack, Killed, Props


def key_of(run: Props) -> str:
    """The object of a run, as the emulator tells it."""
    return KITS[run["system"]].work_of(run["request"])


class FanStack(HostStack):
    """Of two objects, if none are given."""

    kit = KITS["tencent.workflow"]
    fans = True
    asks = 2
    objects: tuple[str, ...] = ("a1", "a2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.given = {name: self.given[name] for name in self.kit.kind.shared if name in self.given} | {
            "concurrency": 1
        }

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


STACKS: dict[str, type[HostStack]] = {
    f"{name}{' fan-out' if base.fans else ''}": type(base.__name__, (base,), {"kit": kit})
    for name, kit in KITS.items()
    for base in (HostStack, *([FanStack] if kit.fan_out else []))
    if not kit.by_minute  # another run of the same work must wait for the next minute
}
"""A run of each kind and a fan-out of each that can be fanned out, for what holds for each of them."""
RUNS: dict[str, type[HostStack]] = {name: stack for name, stack in STACKS.items() if not stack.fans}
"""Of these, what has one run."""
