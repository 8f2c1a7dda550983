"""One resource and its intent as the engine treats them, with the real providers, step by step; an `up` can be killed.

What is on record passes the wire format, each `up` is a host process of its own, and the service is the emulator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from pulumi import ResourceOptions
from pulumi.dynamic import Config, ConfigureRequest

from cloud_runs.lifecycle import host, options, progress
from cloud_runs.lifecycle.intent import IntentProvider
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.lifecycle.run_provider import Bound
from cloud_runs.limits import Leave, Limit
from tests.kits import KITS
from tests.kits.kit import Kit
from tests.provider.clock import old_process
from tests.provider.host import PROVIDER, older, wire
from tests.support.emulator import Emulator

Props = dict[str, Any]


class Killed(BaseException):
    """SIGKILL: nothing after it runs, and nothing is written down."""


class HostStack:
    """What is on record, and the steps of an `up`. A run is that of the object ''."""

    kit: ClassVar[Kit]
    fans: ClassVar[bool] = False
    asks: ClassVar[int] = 1
    """So many runs are asked for."""

    def __init__(
        self, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, name: str = "", beside: HostStack | None = None
    ) -> None:
        self.cloud, self.patch = cloud, monkeypatch
        type_ = self.kit.type(self.fans)
        self.system = self.kit.name
        self.named(name or type_.__name__.lower())
        self.provider: Any = type_._fan_out_provider() if self.fans else type_._run_provider()
        self.intents = IntentProvider()
        own = {**self.kit.settings(cloud.url), "runs:startSeconds": "5", "runs:lagSeconds": "0"}
        self.settings = {**(beside.settings if beside else {}), **own}
        self.configure(self.settings)
        self.given: Props = dict(self.kit.arguments)
        self.other = self.kit.another
        """A change that asks for another run."""
        self.plain = self.kit.plain("demo") if self.kit.plain else {}
        """Arguments with which nothing in a list is surely ours."""
        self.intent: Props = {}
        self.intent_inputs: Props = {}
        self.former: list[Props] = []
        """Intents that were replaced, which the engine deletes at the end of an `up`."""
        self.inputs: Props = {}
        self.state: Props = {}
        self.id = ""
        self.replacing = False
        self.warned: list[str] = beside.warned if beside else []
        self.before: list[tuple[str, int]] = beside.before if beside else []
        """Each warning, and how many runs there were by then."""
        self.steps: list[str] = []
        self.looks: Callable[[Hashable], None] = lambda work: None
        """Called before each list is asked for, with the work (of one object) that is in doubt."""
        self._left, self._dead, self.kill = -1, False, ""
        monkeypatch.setattr(progress, "warn", self._warn)
        monkeypatch.setattr(progress, "engine_gone", lambda: self._dead)
        self.process()

    def configure(self, settings: Mapping[str, str]) -> None:
        for provider in (self.provider, self.intents):
            provider.configure(ConfigureRequest(Config(dict(settings), "tests")))

    def named(self, name: str) -> None:
        """The program calls the resource so; what is recorded stays, as by an alias."""
        self.name = name
        self.urn = self.kit.urn("test", name, self.fans)

    def process(self) -> None:
        """From here on it is another host process."""
        began = old_process(self.patch)
        self._dead = False
        self.patch.setattr(host, "this_process", lambda: began)

    def _warn(self, _urn: str, text: str) -> None:
        self.warned.append(text)
        self.before.append((text, len(self.cloud.ids())))

    # -- what is seen

    @property
    def ids(self) -> dict[str, str]:
        return {"": self.id} if self.id and self.state and not self.replacing else {}

    @property
    def refused(self) -> dict[str, str]:
        return dict(self.state.get("refused") or {})

    def started(self) -> list[str]:
        """The ids of all runs that the service has, oldest first."""
        return self.cloud.ids(self.system)

    def lost(self) -> list[str]:
        """Of these, those on no record."""
        return [id for id in self.started() if id not in self.ids.values()]

    def fired(self) -> Counter[str]:
        return Counter("" for _ in self.started())

    def told(self, ids: Collection[str], *, runs: int) -> bool:
        """Whether these were named in one warning while there were no more than so many runs."""
        return any(all(id in text for id in ids) and count <= runs for text, count in self.before)

    def stops(self, **given: Any) -> str:
        """Why an `up` fires nothing: an error, or of a fan-out what is on record of its objects."""
        try:
            self.up(**given)
        except RunError as error:
            return str(error)
        return "\n".join(self.refused.values())

    def refuse(self, times: int = 1, **answer: Any) -> None:
        """The next starts are refused, and nothing runs."""
        refusal = {"status": 403, "code": "AccessDenied", "message": "no", **answer}
        self.cloud.fault(self.system, "start", "status", times=times, **refusal)

    def no_lists(self) -> None:
        """No list can be had until the faults are dropped."""
        self.cloud.fault(self.system, "find", "status", status=403, code="AccessDenied", message="no", times=1000)

    # -- the engine

    def up(
        self,
        objects: Collection[str] = (),
        *,
        kill: str | int = "",
        forced: bool = False,
        target: str = "",
        ignore: Collection[str] = (),
        same_process: bool = False,
        **given: Any,
    ) -> str:
        """The last step: `same`, `update`, `create`, ... `kill`: after the step of that name, or with the POST of that
        number, which arrives. `target` is `run`, `fan` or `intent`; `ignore` are paths of `ignore_changes`."""
        if not same_process:
            self.process()
        self.steps, self.kill = [], kill if isinstance(kill, str) else ""
        self._dead, self._left = False, kill if isinstance(kill, int) else -1
        self._patched(self.patch)
        raw = {key: value for key, value in {**self.given, **given}.items() if value is not None}
        try:
            if target in ("", "intent"):
                self._intent(raw, objects, ignore)
            if target in ("", "run", "fan"):
                self._resource(raw, objects, ignore, forced)
            while self.former:
                self.intents.delete("", self.former[0])
                self.former.pop(0)
        except Killed:
            return "killed"
        return self.steps[-1] if self.steps else "same"

    def destroy(self, *, intent: bool = True, same_process: bool = False) -> None:
        """Of the whole stack; without `intent` of the run alone, as by `--target`."""
        if not same_process:
            self.process()
        if self.state and not self.replacing:
            self.provider.delete(self.id, dict(self.state))
        self.state, self.inputs, self.id, self.replacing = {}, {}, "", False
        if intent:
            for one in (*self.former, self.intent):
                self.intents.delete("", one)
            self.intent, self.intent_inputs, self.former = {}, {}, []

    def refresh(self) -> None:
        read = self.provider.read(self.id, dict(self.state))
        self.state = wire({**(read.outs or {}), "__provider": PROVIDER})

    def ages(self, **by: float) -> None:
        """What is on record is as old as that; the runs of the service are not."""
        self.intent, self.state, *self.former = (
            _older(bag, timedelta(**by)) for bag in (self.intent, self.state, *self.former)
        )

    # -- parts of an `up`

    def _intent_news(self, given: Props, _objects: Collection[str]) -> Props:
        kind = self.provider.kind
        arguments = {key: given[key] for key in (*kind.names, *kind.quiet) if key in given}
        asked = {"arguments": arguments, "triggers": given.get("triggers")}
        return wire({"kind": self.provider.kind.name, "run": self.urn, **asked, "__provider": PROVIDER})

    def _news(self, given: Props, _objects: Collection[str]) -> Props:
        return wire({**given, "intent": self.intent.get("record"), "resource_urn": self.urn, "__provider": PROVIDER})

    def _intent(self, given: Props, objects: Collection[str], ignore: Collection[str]) -> None:
        raw = self._intent_news(given, objects)
        opts = options.for_intent(ResourceOptions(ignore_changes=list(ignore)), self.provider.kind.names)
        news = pinned(raw, self.intent_inputs, opts.ignore_changes or [])
        diff = self.intents.diff("", self.intent, news) if self.intent else None
        if diff is None or diff.replaces:
            if self.intent:
                self.former.append(self.intent)
            self.intent, self.intent_inputs = wire(dict(self.intents.create(raw).outs or {})), raw
            self._step("intent")
        elif diff.changes:
            self.intent = wire(dict(self.intents.update("", self.intent, news).outs or {}))
            self.intent_inputs = news
            self._step("intent")

    def _resource(self, given: Props, objects: Collection[str], ignore: Collection[str], forced: bool) -> None:
        ignored = options.ignored(ResourceOptions(ignore_changes=list(ignore))) or None
        raw = self._news({**given, "ignored": ignored}, objects)
        news = pinned(raw, self.inputs, ignore)
        assert not self.provider.check({}, news).failures
        if not self.state:
            self._create(raw)
        elif forced:
            self._replace(raw, None)
        else:
            diff = self.provider.diff(self.id, dict(self.state), dict(news))
            if diff.replaces or self.replacing:
                self._replace(raw, diff.delete_before_replace)
            elif diff.changes:
                result = self.provider.update(self.id, dict(self.state), dict(news))
                self._written(self.id, dict(result.outs or {}), news, "update")

    def _replace(self, news: Props, first: bool | None) -> None:
        """`first`: whether the provider has said that the old one is to be deleted first. The option goes before."""
        option = options.for_run(None, "", "", news.get("adopt_id")).delete_before_replace
        first = bool(first) if option is None else option
        old = (self.id, dict(self.state))
        if not self.replacing and first:
            self.provider.delete(*old)
            self.replacing = True
            self._step("delete")
        before = self.replacing
        self._create(news)
        if not before:
            self.provider.delete(*old)
            self._step("delete the old one")

    def _create(self, news: Props) -> None:
        result = self.provider.create(dict(news))
        self._written(str(result.id), dict(result.outs or {}), news, "create")

    def _written(self, id: str, outs: Props, news: Props, step: str) -> None:
        if self._dead or self.kill == f"before {step}":
            raise Killed
        self.id, self.inputs, self.state = id, news, wire({**outs, "__provider": PROVIDER})
        self.replacing = False
        self._step(step)

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name == self.kill:
            raise Killed

    def _patched(self, patch: pytest.MonkeyPatch) -> None:
        """Starts are counted, to be killed with one of them; looks are told."""

        def start(bound: Bound[Any], leave: Leave) -> Any:
            started = bound.api.start(bound.request, leave)
            self._left -= 1
            if self._left == 0:
                raise Killed
            return started

        def told(bound: Bound[Any], since: datetime, limit: Limit) -> Any:
            self.looks(bound.work)
            return bound.api.find(bound.request, since, limit)

        patch.setattr(Bound, "start", start)
        patch.setattr(Bound, "find", told)


class RunStack(HostStack):
    kit = KITS["tencent.workflow"]


class JobStack(HostStack):
    """Its name is made by us, so that what a look finds is ours for certain."""

    kit = KITS["tencent.inventory"]


def pinned(news: Props, olds: Props, paths: Collection[str]) -> Props:
    """What the engine makes of `ignore_changes` for check, diff and update: the values of the last inputs."""
    result = dict(news)
    for path in paths if olds else ():
        names = options.parts(path)
        if names == [options.EVERYTHING]:
            return dict(olds)
        _pin(result, olds, names)
    return result


def _pin(news: Props, olds: Mapping[str, Any], names: list[str]) -> None:
    first, *rest = names
    if first == options.EVERYTHING:
        news.update({name: value for name, value in olds.items() if name in news})
        return
    if rest and isinstance(news.get(first), Mapping) and isinstance(olds.get(first), Mapping):
        news[first] = dict(news[first])
        _pin(news[first], olds[first], rest)
    elif not rest and first in olds:
        news[first] = olds[first]
    elif not rest:
        news.pop(first, None)


def _older(bag: Props, by: timedelta) -> Props:
    return {key: older(value, by) if key in ("record", "fired") else value for key, value in bag.items()}
