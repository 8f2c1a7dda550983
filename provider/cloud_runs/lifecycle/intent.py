"""The durable record made before firing: a small private resource that each run makes before itself.

Its token is in the state by the time the run fires, so that a run which was started but never recorded can be told
from one that was never started. It never causes a run, and it never talks to a service.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import pulumi
from pulumi import dynamic
from pulumi.output import UNKNOWN, Unknown

from cloud_runs.lifecycle.values import digest, digests, plain
from cloud_runs.promise.record import INTENT_TYPE, PROCESS, Clock, Content, Intent
from cloud_runs.runs import rfc3339

ATTEMPTS = 20
"""Of one fan-out that are kept on record; each `up` that succeeds settles all of them."""


FORMER: dict[str, Mapping[str, Any]] = {}
"""The record of the intent that this update replaces, by the URN of its run."""


def wanted_content(arguments: Mapping[str, Any], triggers: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Digests of arguments and triggers; unknown where the value is unknown.

    Triggers that are none have no digests: the run's own check refuses them, with all else that is wrong.
    """
    return digests(arguments), digests(triggers) if isinstance(triggers, Mapping) and plain(triggers) else {}


def differences(recorded: Content, wanted: tuple[Mapping[str, Any], Mapping[str, Any]]) -> list[str]:
    """`Content.differences` over what is known. What is unknown never means that a new run is wanted."""
    arguments = {
        key: recorded.digests.get(key) if isinstance(value, Unknown) else value for key, value in wanted[0].items()
    }
    values = {
        key: recorded.triggers.get(key) if isinstance(value, Unknown) else value for key, value in wanted[1].items()
    }
    return recorded.differences(
        Content(
            {key: value for key, value in arguments.items() if value is not None},
            {key: value for key, value in values.items() if value is not None},
        )
    )


class IntentProvider(dynamic.ResourceProvider):
    """Frozen name: the state refers to this class by module and name."""

    serialize_as_secret_always = False  # it is a reference to a class and holds nothing

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """A changed digest, or a new or changed trigger, asks for a new token; a removed trigger does not."""
        content = content_of(_olds["record"])
        digested = _news["digests"]
        arguments = digested if isinstance(digested, Mapping) else dict.fromkeys(content.digests, UNKNOWN)
        triggers = _news.get("triggers")
        wanted = (arguments, wanted_content({}, triggers)[1])
        changed = differences(content, wanted)
        if changed:
            if isinstance(_news.get("run"), str):
                FORMER[_news["run"]] = _olds["record"]
            return dynamic.DiffResult(changes=True, replaces=["digests", "triggers"])
        unknown = isinstance(digested, Unknown) or isinstance(triggers, Unknown)
        unknown = unknown or any(isinstance(value, Unknown) for part in wanted for value in part.values())
        # Of a fan-out: other objects need another attempt, but no other token. Unknown is another value as well.
        others = _olds["record"].get("objects") != _news.get("objects")
        return dynamic.DiffResult(changes=unknown or others, replaces=[])

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Mints a token. Sends nothing."""
        minted = noted(moment())
        record = {
            **minted,
            "digests": dict(props["digests"]),
            "triggers": wanted_content({}, props.get("triggers"))[1],
            **({"attempts": [minted], "objects": props["objects"]} if "objects" in props else {}),
        }
        return dynamic.CreateResult(minted["token"], {"record": record})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Keeps the token. When the objects of a fan-out change, an attempt is added, which has a time of its own."""
        record = _olds["record"]
        if record.get("objects") != _news.get("objects"):
            attempts = [*record.get("attempts", ()), noted(moment())][-ATTEMPTS:]
            record = {**record, "attempts": attempts, "objects": _news["objects"]}
        return dynamic.UpdateResult({"record": record})


def moment() -> Intent:
    """Now, in this process, under a new token."""
    return Intent(secrets.token_hex(16), datetime.now(timezone.utc), PROCESS, Clock.read(), Content({}, {}))


def noted(intent: Intent) -> dict[str, Any]:
    """The record of an intent, but for what it was made for."""
    return {
        "token": intent.token,
        "minted_at": rfc3339(intent.minted_at),
        "process": intent.process,
        "boot": intent.clock.boot,
        "uptime": intent.clock.uptime,
    }


class RunIntent(dynamic.Resource, module="runs", name="Intent"):
    """Made by each run resource as `<name>-intent`; not for use in programs."""

    record: pulumi.Output[dict[str, Any]]

    def __init__(
        self,
        resource_name: str,
        arguments: Mapping[str, pulumi.Input[Any]],
        triggers: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None,
        opts: pulumi.ResourceOptions,
        run: pulumi.Input[str],
        objects: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    ) -> None:
        # One for each argument, so that one unknown value leaves the others known.
        digested = {key: _digested(value) for key, value in arguments.items() if value is not None}
        props: dict[str, Any] = {"digests": digested, "triggers": triggers, "run": run, "record": None}
        if objects is not None:
            props["objects"] = pulumi.Output.from_input(objects).apply(digest_of_objects)
        super().__init__(IntentProvider(), resource_name, props, opts)
        assert f"pulumi-python:{self._resource_type_name}" == INTENT_TYPE


def digest_of_objects(objects: Any) -> str:
    """The same in any order, since their order asks for nothing. What is no list of texts is refused by the fan-out."""
    return digest(sorted(map(str, objects))) if isinstance(objects, Sequence) else ""


def _digested(value: pulumi.Input[Any]) -> pulumi.Input[str | None]:
    """At once where nothing is to be waited for: Pulumi's program process spends most of its time on outputs."""
    if isinstance(value, str):
        return digest(value)
    return pulumi.Output.from_input(value).apply(lambda known: None if known is None else digest(known))


def content_of(record: Mapping[str, Any]) -> Content:
    return Content(dict(record.get("digests") or {}), dict(record.get("triggers") or {}))


def moments_of(bags: Any) -> list[Intent]:
    """The moments that were noted, oldest first."""
    return [intent for bag in bags or () if (intent := intent_of(bag))]


def intent_of(bag: Any) -> Intent | None:
    """The intent whose record the engine brought, or None if it brought none."""
    if not isinstance(bag, Mapping) or not isinstance(bag.get("token"), str):
        return None
    return Intent(
        token=bag["token"],
        minted_at=datetime.fromisoformat(str(bag["minted_at"]).replace("Z", "+00:00")),
        process=str(bag["process"]),
        clock=Clock(str(bag.get("boot") or ""), float(bag.get("uptime") or 0)),
        content=content_of(bag),
    )
