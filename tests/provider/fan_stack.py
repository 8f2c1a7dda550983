"""A fan-out and its intent as the engine treats them, with the real providers, step by step; an `up` can be killed.

What is on record passes the wire format, each `up` is a host process of its own, and the service is the emulator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from pulumi.dynamic import Config, ConfigureRequest, DiffResult

from cloud_runs import errors
from cloud_runs.lifecycle import host, progress
from cloud_runs.lifecycle.fan_out_provider import FanOutProvider, Requests
from cloud_runs.lifecycle.intent import IntentProvider
from cloud_runs.limits import Leave, Limit
from cloud_runs.promise.digests import digest_of_objects
from cloud_runs.tencent.workflow_run import WorkflowFanOutProvider
from tests.provider.clock import old_process
from tests.provider.host import PROVIDER, RUNS, older, wire
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import BUCKET, WORKFLOW

URN = "urn:pulumi:test::tests::pulumi-python:dynamic/tencent:WorkflowFanOut::"


def key_of(run: dict[str, Any]) -> str:
    """The object of a run, as the emulator tells it."""
    return str(run["request"]["query"]["object"])


class Killed(BaseException):
    """SIGKILL: nothing after it runs, and nothing is written down."""


class FanStack:
    """What is on record, and the steps of an `up`."""

    kind: ClassVar[type[FanOutProvider[Any]]] = WorkflowFanOutProvider

    def __init__(
        self, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, name: str = "fan", beside: FanStack | None = None
    ) -> None:
        self.cloud, self._patch, self.urn = cloud, monkeypatch, URN + name
        self.provider = self.kind()
        settings = {
            "tencentcloud:region": "ap-beijing",
            "tencentcloud:secretId": SECRET_ID,
            "tencentcloud:secretKey": SECRET_KEY,
            "runs:tencentEndpoint": cloud.url,
            "runs:startSeconds": "5",
            "runs:lagSeconds": "0",
        }
        self.provider.configure(ConfigureRequest(Config(settings, "tests")))
        self.given: dict[str, Any] = {"bucket": BUCKET, "workflow_id": WORKFLOW, "concurrency": 1}
        self.intent: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.id = ""
        self.replacing = False
        self.warned: list[str] = beside.warned if beside else []
        self.steps: list[str] = []
        self._left, self._dead = -1, False
        monkeypatch.setattr(progress, "warn", lambda urn, text: self.warned.append(text))
        monkeypatch.setattr(progress, "engine_gone", lambda: self._dead)
        self.process()

    def process(self) -> None:
        """From here on it is another host process."""
        began = old_process(self._patch)
        self._patch.setattr(host, "this_process", lambda: began)

    # -- what is seen

    @property
    def ids(self) -> dict[str, str]:
        return dict(self.state.get("instance_ids") or {})

    @property
    def refused(self) -> dict[str, str]:
        return dict(self.state.get("refused") or {})

    def fired(self) -> Counter[str]:
        return Counter(key_of(run) for run in self.cloud.runs(RUNS))

    def all_on_record(self, objects: Collection[str]) -> bool:
        """One run for each object, and the ids of the service."""
        runs = {key_of(run): run["id"] for run in self.cloud.runs(RUNS)}
        return self.fired() == dict.fromkeys(objects, 1) and runs == self.ids and not self.refused

    # -- the engine

    def up(
        self,
        objects: Collection[str],
        *,
        kill: str | int = "",
        forced: bool = False,
        target: str = "",
        ignore: bool = False,
        same_process: bool = False,
        **given: Any,
    ) -> str:
        """The last step: `same`, `update`, `create`, ... `kill`: after the step of that name, or with the POST of that
        number, which arrives. `target` is `fan` or `intent`; `ignore` puts `objects` under `ignore_changes`."""
        if not same_process:
            self.process()
        self.steps, self.kill = [], kill if isinstance(kill, str) else ""
        self._dead, self._left = False, kill if isinstance(kill, int) else -1
        self._patch.setattr(Requests, "start", _start(self))
        self._patch.setattr(Requests, "find", _find(self))
        raw = {key: value for key, value in {**self.given, **given}.items() if value is not None}
        pinned = self.inputs.get("objects", list(objects)) if ignore else list(objects)
        try:
            if target != "fan":
                self._intent(raw, pinned, list(objects))
            if target != "intent":
                self._fan({**raw, "ignored": ["objects"] if ignore else None}, pinned, list(objects), forced)
        except Killed:
            return "killed"
        return self.steps[-1] if self.steps else "same"

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name == self.kill:
            raise Killed

    def _intent(self, given: dict[str, Any], pinned: list[str], raw: list[str]) -> None:
        provider = IntentProvider()
        kind = self.provider.kind
        arguments = {key: given[key] for key in kind.shared if key in given}
        news = wire({"kind": kind.name, "run": self.urn, "arguments": arguments, "triggers": given.get("triggers")})
        news["__provider"] = PROVIDER
        news["objects"] = digest_of_objects(pinned)
        diff = provider.diff("", self.intent, news) if self.intent else DiffResult(changes=True, replaces=["arguments"])
        if diff.replaces:
            self.intent = wire(dict(provider.create({**news, "objects": digest_of_objects(raw)}).outs or {}))
            self._step("intent")
        elif diff.changes:
            self.intent = wire(dict(provider.update("", self.intent, news).outs or {}))
            self._step("intent")

    def _fan(self, given: dict[str, Any], pinned: list[str], raw: list[str], forced: bool) -> None:
        news = wire(
            {
                **given,
                "objects": pinned,
                "intent": self.intent.get("record"),
                "resource_urn": self.urn,
                "__provider": PROVIDER,
            }
        )
        assert not self.provider.check({}, news).failures
        if not self.state:
            self._create({**news, "objects": raw})
        elif forced:
            if not self.replacing:
                self._delete()
            self._create({**news, "objects": raw})
        else:
            diff = self.provider.diff(self.id, dict(self.state), dict(news))
            if diff.replaces or self.replacing:
                if not self.replacing:
                    self._delete()
                self._create({**news, "objects": raw})
            elif diff.changes:
                result = self.provider.update(self.id, dict(self.state), dict(news))
                self._written(dict(result.outs or {}), news, "update")

    def _delete(self) -> None:
        self.provider.delete(self.id, dict(self.state))
        self.replacing = True
        self._step("delete")

    def _create(self, news: dict[str, Any]) -> None:
        result = self.provider.create(dict(news))
        self._written(dict(result.outs or {}), news, "create")
        self.id, self.replacing = str(result.id), False

    def _written(self, outs: dict[str, Any], news: dict[str, Any], step: str) -> None:
        if self._dead or self.kill == f"before {step}":
            raise Killed
        self.inputs, self.state = news, wire({**outs, "__provider": PROVIDER})
        self._step(step)

    def refresh(self) -> None:
        read = self.provider.read(self.id, dict(self.state))
        self.state = wire({**(read.outs or {}), "__provider": PROVIDER})

    def ages(self, **by: float) -> None:
        """What is on record is as old as that; the runs of the service are not."""
        self.intent, self.state = _older(self.intent, timedelta(**by)), _older(self.state, timedelta(**by))


def _older(bag: dict[str, Any], by: timedelta) -> dict[str, Any]:
    return {key: older(value, by) if key in ("record", "fired") else value for key, value in bag.items()}


def _start(stack: FanStack) -> Any:
    def start(requests: Requests[Any], key: str, leave: Leave) -> Any:
        if stack._dead:
            raise errors.UnknownOutcome("nobody sees this")
        started = requests.api.start(requests.of[key], leave)
        stack._left -= 1
        if stack._left == 0:
            stack._dead = True
            raise errors.UnknownOutcome("nobody sees this")
        return started

    return start


def _find(stack: FanStack) -> Any:
    def find(requests: Requests[Any], keys: Collection[str], since: datetime, limit: Limit) -> Any:
        if stack._dead:
            raise Killed
        return requests.api.find_each({key: requests.of[key] for key in keys}, since, limit)

    return find
