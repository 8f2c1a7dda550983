"""Create, read, diff, update and delete of a fan-out, the same for each system.

What one of its runs is sent, and where, is the business of the system's own `RunProvider`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pulumi import dynamic
from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.lifecycle import checks, fan_out_plan, progress
from cloud_runs.lifecycle.asked import (
    content_asked,
    current_urn,
    for_outputs,
    minted_for,
    must_checkpoint,
    recorded_run,
    reported,
    token_of,
    unchanged_intent,
)
from cloud_runs.lifecycle.fan_out_plan import Work
from cloud_runs.lifecycle.intent import FORMER, differences, intent_of, moment, moments_of, noted, wanted_content
from cloud_runs.lifecycle.interrupts import Stop
from cloud_runs.lifecycle.run_provider import MEMORY, RunProvider
from cloud_runs.limits import Leave, Limit
from cloud_runs.promise import fanning, firing
from cloud_runs.promise.fanning import Doubt, Fanned, FanOut, Plan
from cloud_runs.promise.firing import World
from cloud_runs.promise.record import PROCESS, Content, Intent, Recorded
from cloud_runs.runs import FanOutApi, Found, Reference, Started, rfc3339

Request = TypeVar("Request")

MOST_OBJECTS = 10_000
MOST_CONCURRENT = 32  # the connections of the host's pool
_BEGAN = moment()
_SHOWN = 20  # objects that a warning names
_GAVE_UP = (
    "its objects were changed after an up that was interrupted. Runs that it may have started for objects that are not "
    "in the list any more are on no record, and they go on"
)


@dataclass(frozen=True)
class Requests(Generic[Request]):
    """The requests of a fan-out by object, bound to the client that sends them."""

    api: FanOutApi[Request]
    of: Mapping[str, Request]

    def start(self, key: str) -> Started:
        return self.api.start(self.of[key], Leave(lambda: True))

    def find(self, keys: Collection[str], since: datetime) -> Found:
        return self.api.find_each({key: self.of[key] for key in keys}, since, Limit(600.0))


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
        objects, refused = _news.get("objects"), _olds["refused"]
        unknown = isinstance(objects, Unknown) or any(isinstance(one, Unknown) for one in objects or ())
        others = unknown or bool(refused) or set(objects or ()) != set(_olds["instance_ids"])  # refused: tried again
        if others and not unknown and not fan_out_plan.made_for(_news):
            progress.warn(current_urn(_olds, _news), unchanged_intent(["objects"]))
            return dynamic.DiffResult(changes=False, replaces=[])
        unknown = unknown or any(isinstance(value, Unknown) for part in wanted for value in part.values())
        if fan_out_plan.gave_up(_news, _olds):
            progress.warn(current_urn(_olds, _news), _GAVE_UP)
        moved = current_urn(_olds, _news) != current_urn(_olds, {})
        moved = moved or token_of(_news.get("intent")) != token_of(_olds.get("intent"))
        return dynamic.DiffResult(changes=others or unknown or moved, replaces=[])

    @reported
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Fires a run for each object. Raises only if none was started."""
        must_checkpoint()
        intent, content = self._intended(props)
        objects, attempts = _objects(props), moments_of(props["intent"]["attempts"])
        old, just_deleted = MEMORY.old(props["resource_urn"], intent.token)
        same = old and not old.content.differences(content)
        former = FORMER.pop(props["resource_urn"], None)
        if old and same and not just_deleted and old.shown != intent.token:  # a change that was taken back
            progress.note(props["resource_urn"], firing.TAKEN_BACK)
            work = fan_out_plan.rest_of(objects, attempts, old.outputs)
            return dynamic.CreateResult(old.id, self._fan(props, work, None, content, old))
        strays = self._strays(props, former, old) if former else []
        work = fan_out_plan.all_of(objects, intent, attempts, just_deleted)
        if old and same and not just_deleted:
            work = fan_out_plan.forced(objects, old)
        outs = self._fan(props, work, old, content, None)
        if others := [id for id in strays if id not in outs["instance_ids"].values()]:
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            told = f"an interrupted up may have started {', '.join(others[:_SHOWN])}{more} before this change"
            progress.warn(props["resource_urn"], f"{told}: on no record, and each goes on")
        MEMORY.settled(props["resource_urn"], intent.token, self._system(outs), "")
        return dynamic.CreateResult(intent.token, outs)

    @reported
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Fires a run for each object that has none, and forgets the runs of objects that are gone. Never raises once
        a run was started."""
        must_checkpoint()
        _, content = self._intended(_news)
        work = fan_out_plan.rest_of(_objects(_news), moments_of(_news["intent"]["attempts"]), _olds)
        return dynamic.UpdateResult(self._fan(_news, work, None, content, recorded_run(_id, _olds)))

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
        if (
            intent is None
            or not fan_out_plan.made_for(props)
            or (
                intent.process != PROCESS
                and any(name.split(".")[0] not in ignored for name in intent.content.differences(content))
            )
        ):
            raise firing.not_intended(props["resource_urn"])
        return intent, content

    def _strays(self, props: Mapping[str, Any], record: Mapping[str, Any], old: Recorded | None) -> list[str]:
        """Runs that an interrupted `up` may have started for the intent that this update replaces. Looks once for runs
        that do the same work on the objects that are known now, before anything is fired. Never raises."""
        former = fan_out_plan.unsettled(moments_of(record.get("attempts")), old.outputs if old else None)
        if not former:
            return []
        urn = props["resource_urn"]
        try:
            runs = self._runs()
            keys = {*_objects(props), *(old.outputs["instance_ids"] if old else ())}
            api: Any = runs.client(runs.place(props))
            requests = Requests(api, {key: runs.request({**props, "object": key}, "") for key in keys})
            world = World(MEMORY, lambda: True, _Teller(urn).tell)
            return fanning.strays(self._system(props), former, keys, requests, world)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not keep runs from being fired
            progress.warn(urn, f"an interrupted up may have lost runs; could not look: {error}")
            return []

    def _fan(
        self,
        props: Mapping[str, Any],
        work: Work,
        old: Recorded | None,
        content: Content,
        own: Recorded | None,
    ) -> dict[str, Any]:
        """`old` is the fan-out that is replaced, `own` the one on record that is added to."""
        runs, urn, olds = self._runs(), props["resource_urn"], own.outputs if own else {}
        place = Reference.parse(f"{olds['place']}-") if olds else replace(runs.place(props), id="-")
        api: Any = runs.client(replace(place, id=""))
        (fire, look), attempts, began = work, moments_of(props["intent"]["attempts"]), moment()
        attempt = attempts[-1]
        if MEMORY.attempted(urn, attempt.token):  # an error hook asks again: what was lost must be looked for
            here = [_BEGAN, *(one for one in attempts if one.process == PROCESS)]
            look, fire = [*look, Doubt(fire, here)], []
        plan = Plan(self._system({**props, "place": olds.get("place")}), fire, look, old, own)
        wanted = [*fire, *(key for doubt in look for key in doubt.keys)]
        asked = {*wanted, *olds.get("instance_ids", ())} if look else wanted
        requests = Requests(api, {key: runs.request({**props, "object": key}, "") for key in asked})
        stop = Stop()
        world = World(MEMORY, lambda: not progress.engine_gone(), _Teller(urn).tell)
        MEMORY.attempting(urn, attempt.token)
        fanned = FanOut(
            plan, requests, world, concurrency=int(props["concurrency"]), rate=props.get("rate"), over=stop.over
        ).run()
        if not fanned.unsettled and not fanned.ids:
            MEMORY.refused(urn, attempt.token)
        objects = set(_objects(props))
        kept = {key: id for key, id in olds.get("instance_ids", {}).items() if key in objects}
        if not own and not fanned.ids and fanned.refused and not fanned.unsettled:
            raise errors.RunsError(
                f"nothing was fired: each of {len(fanned.refused)} objects was refused{_listed(fanned.refused)}"
            )
        ids = kept | fanned.ids
        if wanted:
            progress.tell(urn, f"{len(fanned.ids)} of {len(wanted)} started")
        _warn(urn, fanned)
        doubt = fan_out_plan.still_in_doubt(fanned, look, began, moment())
        latest = max(filter(None, (own.fired_at if own else None, fanned.at)), default=None)
        given = for_outputs({name: value for name, value in props.items() if name != "objects"})  # they are keys
        return {
            **given,
            **({"region": place.region} if place.region else {}),
            "instance_ids": ids,
            "refused": fanned.refused,
            "counts": {"objects": len(objects), "started": len(ids), "refused": len(fanned.refused)},
            "place": str(place)[:-1],
            "fired": {
                "token": own.token if own else token_of(props["intent"]),
                "attempt": noted(attempt),
                "doubt": [noted(one) for one in doubt],
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
            # A look-up cannot tell two keys apart that differ in a leading slash alone, or in space around them.
            first = seen.setdefault(str(key).strip().lstrip("/"), index)
            if first != index:
                same = errors.clean(str(key), 100)
                yield f"objects[{index}]", f"is the same object as objects[{first}], name it once: {same!r}"


def _warn(urn: str, fanned: Fanned) -> None:
    if fanned.found:
        listed = _listed({key: fanned.ids[key] for key in sorted(fanned.found)})
        progress.warn(urn, f"found {len(fanned.found)} runs that had been started; they were not fired again{listed}")
    if fanned.refused:
        progress.warn(urn, f"{len(fanned.refused)} objects have no run{_listed(fanned.refused)}")
    if fanned.shared:
        listed = _listed({key: fanned.ids[key] for key in sorted(fanned.shared)})
        progress.warn(
            urn,
            f"{len(fanned.shared)} runs are on record of another resource as well, which took them for its own: "
            f"two asked, and one run does the work{listed}",
        )


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


def _listed(told: Mapping[str, str]) -> str:
    lines = [f"\n  {key}: {what}" for key, what in list(told.items())[:_SHOWN]]
    more = f"\n  and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
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
