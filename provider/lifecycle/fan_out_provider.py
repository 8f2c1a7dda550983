"""Create, read, diff, update and delete of a fan-out, the same for each system.

What one of its runs is sent, and where, is the business of the system's own `RunProvider`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from pulumi import dynamic
from pulumi.output import Unknown

from provider import errors, firing
from provider.fanning import Fanned, FanOut, Plan
from provider.firing import ADOPT_WITHIN, World
from provider.lifecycle import checks, progress
from provider.lifecycle.asked import (
    content_asked,
    current_urn,
    minted_for,
    must_checkpoint,
    recorded_run,
    reported,
    token_of,
    unchanged_intent,
)
from provider.lifecycle.intent import attempts_of, differences, intent_of, wanted_content
from provider.lifecycle.interrupts import Stop
from provider.lifecycle.run_provider import MEMORY, RunProvider
from provider.record import PROCESS, Content, Intent
from provider.runs import FanOutApi, Found, Reference, Started, rfc3339

Request = TypeVar("Request")

MOST_OBJECTS = 10_000
MOST_CONCURRENT = 32  # the connections of the host's pool
_SHOWN = 20  # refused objects that the warning names


@dataclass(frozen=True)
class Requests(Generic[Request]):
    """The requests of a fan-out by object, bound to the client that sends them."""

    api: FanOutApi[Request]
    of: Mapping[str, Request]

    def start(self, key: str) -> Started:
        return self.api.start(self.of[key])

    def find(self, keys: Collection[str], since: datetime) -> Found:
        return self.api.find_each({key: self.of[key] for key in keys}, since)


class FanOutProvider(dynamic.ResourceProvider, Generic[Request]):
    """What the systems' fan-outs share."""

    serialize_as_secret_always = False  # it is a reference to a class and holds nothing

    kind: ClassVar[str]
    run: ClassVar[type[RunProvider[Any]]]
    """The provider of one such run."""
    arguments: ClassVar[tuple[str, ...]]
    """The request arguments that all runs share: a change in one of them asks for new runs of all objects."""

    _configured: dynamic.ConfigureRequest | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        self._configured = req

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Reports every bad input at once. Pure: no network, no state."""
        return dynamic.CheckResult(news, [dynamic.CheckFailure(*problem) for problem in self._problems(news)])

    @reported
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """New runs of all objects only by a replacement, as a run's; other objects, and refused ones, by an update."""
        recorded = recorded_run(_id, _olds)
        wanted = wanted_content({name: _news.get(name) for name in self.arguments}, _news.get("triggers"))
        changed = differences(recorded.content, wanted)
        system = self._system(_olds)
        MEMORY.saw(current_urn(_olds, _news), system, recorded)
        MEMORY.take(system, _olds["instance_ids"].values())
        if changed and minted_for(_news.get("intent"), recorded, wanted, changed):
            names = sorted({name.split(".")[0] for name in changed})
            return dynamic.DiffResult(changes=True, replaces=names, delete_before_replace=True)
        if changed:
            progress.warn(current_urn(_olds, _news), unchanged_intent(changed))
            return dynamic.DiffResult(changes=False, replaces=[])
        objects = _news.get("objects")
        unknown = isinstance(objects, Unknown) or any(isinstance(one, Unknown) for one in objects or ())
        unknown = unknown or any(isinstance(value, Unknown) for part in wanted for value in part.values())
        others = unknown or set(objects or ()) != set(_olds["instance_ids"])  # refused ones are tried again
        moved = current_urn(_olds, _news) != current_urn(_olds, {})
        moved = moved or token_of(_news.get("intent")) != token_of(_olds.get("intent"))
        return dynamic.DiffResult(changes=others or moved, replaces=[])

    @reported
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Fires a run for each object. Raises only if none was started."""
        must_checkpoint()
        intent, content = self._intended(props)
        old, just_deleted = MEMORY.old(props["resource_urn"], intent.token)
        same = old and not old.content.differences(content)
        if old and same and not just_deleted and old.shown != intent.token:  # a change that was taken back
            return dynamic.CreateResult(old.id, self._fanned(props, intent, content, old.outputs))
        attempts = attempts_of(props["intent"]) or [intent]
        here = just_deleted or all(attempt.process == PROCESS for attempt in attempts)
        objects = _objects(props)
        plan = Plan(self._system(props), objects if here else (), () if here else objects, intent, old)
        outs = self._fan(props, plan, intent, content, {})
        MEMORY.settled(props["resource_urn"], intent.token, plan.system, "")
        return dynamic.CreateResult(intent.token, outs)

    @reported
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Fires a run for each object that has none, and forgets the runs of objects that are gone. Never raises once
        a run was started."""
        must_checkpoint()
        intent, content = self._intended(_news)
        return dynamic.UpdateResult(self._fanned(_news, intent, content, _olds))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Asks nothing: what became of the runs is told by a `Completion`."""
        return dynamic.ReadResult(id_, props)

    @reported
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forgets the runs. They go on: the systems have no call that stops them."""
        system = self._system(_props)
        recorded = recorded_run(_id, _props)
        MEMORY.take(system, _props["instance_ids"].values())
        MEMORY.deleted(token_of(_props.get("intent")) or recorded.token, system, recorded)

    # -- parts

    def _runs(self) -> RunProvider[Any]:
        provider = self.run()
        if self._configured:
            provider.configure(self._configured)
        return provider

    def _system(self, props: Mapping[str, Any]) -> Hashable:
        """What the ids of these runs are unique in."""
        runs, place = self._runs(), props.get("place")
        return runs.identity(replace(Reference.parse(f"{place}-"), id="") if place else runs.place(props))

    def _intended(self, props: Mapping[str, Any]) -> tuple[Intent, Content]:
        intent, content = intent_of(props.get("intent")), content_asked(self.arguments, props)
        ignored = set(props.get("ignored") or ())
        if intent is None or (
            intent.process != PROCESS
            and any(name.split(".")[0] not in ignored for name in intent.content.differences(content))
        ):
            raise firing.not_intended(props["resource_urn"])
        return intent, content

    def _fanned(
        self, props: Mapping[str, Any], intent: Intent, content: Content, olds: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Fires what the recorded fan-out lacks."""
        missing = [key for key in _objects(props) if key not in olds["instance_ids"]]
        attempts = attempts_of(props["intent"])
        tokens = [attempt.token for attempt in attempts]
        settled = olds["fired"].get("attempt")
        # An earlier `up` may have fired for each attempt since the one that is on record as settled.
        known = settled in tokens
        open_attempts = attempts[tokens.index(settled) + 1 :] if known else attempts
        here = bool(open_attempts) and known and all(attempt.process == PROCESS for attempt in open_attempts)
        # A refused object is tried again under the attempt that refused it: that an `up` did so leaves no trace.
        fire = [key for key in missing if here and key not in olds["refused"]]
        look = [key for key in missing if not here or key in olds["refused"]]
        since = attempts[tokens.index(settled)] if known else intent
        plan = Plan(self._system({**props, "place": olds["place"]}), fire, look, since)
        return self._fan(props, plan, intent, content, olds)

    def _fan(
        self, props: Mapping[str, Any], plan: Plan, intent: Intent, content: Content, olds: Mapping[str, Any]
    ) -> dict[str, Any]:
        runs, urn = self._runs(), props["resource_urn"]
        place = Reference.parse(f"{olds['place']}-") if olds else replace(runs.place(props), id="-")
        api: Any = runs.client(replace(place, id=""))
        wanted = [*plan.fire, *plan.look]
        concurrency, rate = int(props["concurrency"]), props.get("rate")
        seconds = len(wanted) / rate if rate else len(wanted) / concurrency
        attempt = (attempts_of(props["intent"]) or [intent])[-1].token
        if MEMORY.attempted(urn, attempt):  # an error hook asks again: what was lost must be looked for
            plan = replace(plan, fire=(), look=wanted)
        plan = replace(plan, within=ADOPT_WITHIN + timedelta(seconds=seconds))
        requests = Requests(api, {key: runs.request({**props, "object": key}, "") for key in wanted})
        stop = Stop()
        world = World(MEMORY, lambda: not progress.engine_gone(), _Teller(urn).tell)
        MEMORY.attempting(urn, attempt)
        fanned = FanOut(plan, requests, world, concurrency=concurrency, rate=rate, over=stop.over).run()
        if not fanned.unsettled and not fanned.ids:
            MEMORY.refused(urn, attempt)
        kept = {key: id for key, id in olds.get("instance_ids", {}).items() if key in set(_objects(props))}
        if not kept and not fanned.ids and fanned.refused:
            raise errors.RunsError(
                f"no run was started{_listed(fanned.refused)}"
                if fanned.unsettled
                else f"nothing was fired: each of {len(fanned.refused)} objects was refused{_listed(fanned.refused)}"
            )
        ids = kept | fanned.ids
        if wanted:
            progress.tell(urn, f"{len(fanned.ids)} of {len(wanted)} started")
        _warn(urn, fanned)
        latest = max(filter(None, (recorded_run("", olds).fired_at if olds else None, fanned.at)), default=None)
        given = {name: value for name, value in props.items() if name != "objects"}  # the outputs name them all
        return {
            **given,
            **({"region": place.region} if place.region else {}),
            "instance_ids": ids,
            "refused": fanned.refused,
            "counts": {"objects": len(_objects(props)), "started": len(ids), "refused": len(fanned.refused)},
            "place": str(place)[:-1],
            "fired": {
                "token": (olds["fired"]["token"] if olds else intent.token),
                "attempt": attempt,
                "digests": dict(content.digests),
                "triggers": dict(content.triggers),
                "at": rfc3339(latest) if latest else "",
            },
        }

    def _problems(self, props: Mapping[str, Any]) -> Iterator[checks.Problem]:
        runs = self._runs()
        objects = props.get("objects")
        yield from ((name, why) for name, why in runs.problems({**props, "object": "x"}) if name != "object")
        yield from checks.triggers(props)
        yield from _number(props, "concurrency", 1, MOST_CONCURRENT, whole=True)
        if props.get("rate") is not None:
            yield from _number(props, "rate", 0.01, 1000.0)
        if isinstance(objects, Unknown):
            return
        if not isinstance(objects, list):
            yield "objects", f"must be a list of object keys, not {type(objects).__name__}"
            return
        if len(objects) > MOST_OBJECTS:
            yield "objects", f"has {len(objects)} objects, at most {MOST_OBJECTS}; an inventory job takes any number"
        seen: dict[str, int] = {}
        for index, key in enumerate(objects):
            if isinstance(key, Unknown):
                continue
            yield from ((f"objects[{index}]", why) for name, why in runs.object_problems({"object": key}))
            # A look-up cannot tell two keys apart that differ in a leading slash alone.
            first = seen.setdefault(str(key).lstrip("/"), index)
            if first != index:
                yield f"objects[{index}]", f"is the same object as objects[{first}]: {errors.clean(str(key), 100)!r}"


def _warn(urn: str, fanned: Fanned) -> None:
    if fanned.found:
        progress.warn(urn, f"found {fanned.found} runs that an earlier up had started; they were not fired again")
    if fanned.refused:
        progress.warn(urn, f"{len(fanned.refused)} objects have no run{_listed(fanned.refused)}")


class _Teller:
    """At most one line a second on the fan-out's own row."""

    def __init__(self, urn: str) -> None:
        self._urn, self._at, self._said = urn, 0.0, ""

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if text != self._said and now - self._at >= 1:
            self._at, self._said = now, text
            progress.tell(self._urn, text)


def _objects(props: Mapping[str, Any]) -> list[str]:
    return list(props["objects"])


def _listed(refused: Mapping[str, str]) -> str:
    lines = [f"\n  {key}: {why}" for key, why in list(refused.items())[:_SHOWN]]
    more = f"\n  and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    return "".join(lines) + more


def _number(
    props: Mapping[str, Any], name: str, least: float, most: float, *, whole: bool = False
) -> Iterator[checks.Problem]:
    value = props.get(name)
    if isinstance(value, Unknown):
        return
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else -1.0
    if not least <= number <= most or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        yield name, f"must be {kind} from {least:g} to {most:g}, not {value!r}"
