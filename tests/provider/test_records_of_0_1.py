"""States that version 0.1 has made: the first `up` writes the records anew and fires nothing, whatever has changed with
it; nothing that 0.1 has started is lost."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from cloud_runs.promise import ledger
from cloud_runs.promise.digests import digest, digest_of_objects
from cloud_runs.promise.records import Content, Moment
from cloud_runs.runs import rfc3339
from tests.provider.fan_stack import RUNS, FanStack
from tests.provider.host_stack import HostStack
from tests.support.emulator import Emulator

FIRST, SECOND = {"release": "1"}, {"release": "2"}
LATER = "recorded in the form of this version"


def provider_of_0_1(module: str) -> str:
    """A class as pickle writes it by reference."""
    return base64.b64encode(b"\x80\x04\x8c" + bytes([len(module)]) + module.encode() + b"\x94.").decode()


def whole(short: Mapping[str, str]) -> dict[str, str]:
    """0.1 kept 32 characters of each digest."""
    return {name: value.ljust(32, "0") for name, value in short.items()}


def bag(moment: Moment) -> dict[str, Any]:
    return {
        "token": moment.token,
        "minted_at": rfc3339(moment.at),
        "process": moment.host,
        "boot": moment.boot,
        "uptime": moment.uptime,
    }


def content(of: Content) -> dict[str, Any]:
    return {"digests": whole(of.arguments), "triggers": whole(of.triggers)}


def intent_bag(record: str) -> dict[str, Any]:
    intent = ledger.intent_of(record)
    assert intent is not None
    found = {**bag(intent.moment), **content(intent.content)}
    if intent.objects:
        found |= {"objects": intent.objects.ljust(32, "0"), "attempts": [bag(one) for one in intent.attempts]}
    return found


def as_0_1(stack: HostStack, *, provider: bool = True) -> None:
    """What is on record, in the form of 0.1. Without `provider` the first `up` was refused after its intent."""
    record = intent_bag(stack.intent["record"])
    stack.intent = {"record": record, "digests": record["digests"], "__provider": stack.intent.get("__provider", "")}
    if provider:
        stack.intent["__provider"] = provider_of_0_1("provider.lifecycle.intent")
    if stack.state:
        fired = ledger.fired_of(stack.state)
        old = {"token": fired.token, **content(fired.content), "at": rfc3339(fired.at) if fired.at else ""}
        if isinstance(stack, FanStack):
            attempt = {"attempt": bag(fired.attempt)} if fired.attempt else {}
            old |= {**attempt, "doubt": [bag(one) for one in fired.doubt]}
        stack.state |= {"fired": old, "intent": record}
        if provider:
            stack.state["__provider"] = provider_of_0_1(f"provider.{stack.kit.room}.workflow_run")


def in_form(stack: HostStack) -> bool:
    return isinstance(stack.intent["record"], str) and isinstance(stack.state["fired"], str)


@pytest.mark.parametrize("provider", [True, False])
def test_nothing_has_changed(stack: HostStack, provider: bool) -> None:
    stack.up(triggers=FIRST)
    own, fired = stack.ids, ledger.fired_of(stack.state)
    as_0_1(stack, provider=provider)
    looks = stack.cloud.requests()
    assert stack.up(triggers=FIRST) == "update"
    assert in_form(stack)
    assert stack.ids == own
    assert "intent" not in stack.state
    assert stack.warned == []
    told = ledger.fired_of(stack.state)
    assert (told.token, told.content, told.at, told.attempt) == (fired.token, fired.content, fired.at, fired.attempt)
    assert stack.up(triggers=FIRST) == "same"
    assert stack.up(triggers={}) in ("same", "update")
    assert stack.cloud.requests() == looks, "nobody is asked"
    assert stack.up(triggers=SECOND) == "create"
    assert len(stack.started()) == 2 * stack.asks


@pytest.mark.parametrize("what", ["trigger", "argument"])
def test_something_has_changed_with_the_version(stack: HostStack, what: str) -> None:
    change = {"triggers": SECOND} if what == "trigger" else {"triggers": FIRST, **stack.other}
    stack.up(triggers=FIRST)
    own = stack.ids
    as_0_1(stack)
    assert stack.up(**change) == "update"
    assert in_form(stack)
    assert (stack.ids, len(stack.started())) == (own, stack.asks)
    ((said),) = stack.warned
    assert said.startswith(LATER)
    assert ("triggers.release" if what == "trigger" else next(iter(stack.other))) in said
    assert "which fires with the next `pulumi up`" in said
    assert stack.up(**change) == "create"
    assert len(stack.started()) == 2 * stack.asks
    assert set(stack.ids.values()).isdisjoint(own.values())
    assert stack.up(**change) == "same"


def test_the_first_up_is_killed_between_its_two_records(stack: HostStack) -> None:
    stack.up(triggers=FIRST)
    own = stack.ids
    as_0_1(stack)
    assert stack.up(triggers=SECOND, kill="intent") == "killed"
    assert stack.up(triggers=SECOND) == "update"
    assert (stack.ids, len(stack.started())) == (own, stack.asks)
    assert stack.up(triggers=SECOND) == "create"
    assert len(stack.started()) == 2 * stack.asks


def test_what_was_killed_under_0_1_is_found(stack: HostStack) -> None:
    """Nothing but the intent is on record."""
    stack.up(triggers=FIRST, kill=stack.asks)
    lost = stack.started()
    as_0_1(stack)
    assert stack.up(triggers=FIRST) == "create"
    assert sorted(stack.ids.values()) == sorted(lost)
    assert in_form(stack)


def test_a_trigger_changes_after_a_kill_under_0_1(stack: HostStack) -> None:
    """The first `up` fires nothing, as always; the next one tells what was lost, and fires."""
    stack.up(triggers=FIRST, kill=stack.asks)
    lost = stack.started()
    as_0_1(stack)
    assert "nothing was fired" in stack.stops(triggers=SECOND)
    assert stack.started() == lost
    assert stack.up(triggers=SECOND) == "create"
    assert stack.told(lost, runs=stack.asks)
    assert len(stack.started()) == 2 * stack.asks


def test_an_argument_changes_after_a_kill_under_0_1(stack: HostStack) -> None:
    """Its intent holds digests alone, so what was started for it cannot be looked for: that is told."""
    stack.up(triggers=FIRST, kill=stack.asks)
    lost = stack.started()
    as_0_1(stack)
    assert "nothing was fired" in stack.stops(triggers=FIRST, **stack.other)
    assert stack.started() == lost
    assert stack.up(triggers=FIRST, **stack.other) == "create"
    ((said),) = stack.warned
    assert "may have started runs" in said
    assert "what it requested is not known any more: look in the console" in said
    assert len(stack.started()) == 2 * stack.asks


def test_a_replacement_that_was_killed_under_0_1(stack: HostStack) -> None:
    stack.up(triggers=FIRST)
    old = stack.started()
    stack.up(triggers=SECOND, kill=stack.asks)
    as_0_1(stack)
    assert stack.up(triggers=SECOND) == "create"
    assert len(stack.started()) == 2 * stack.asks
    assert sorted(stack.ids.values()) == sorted(set(stack.started()) - set(old))


def test_a_refresh_and_a_destroy_before_any_up(stack: HostStack) -> None:
    stack.up(triggers=FIRST)
    as_0_1(stack)
    fired = stack.state["fired"]
    stack.refresh()
    assert stack.state["fired"] == fired
    stack.destroy()
    assert stack.warned == []
    assert len(stack.started()) == stack.asks


def test_a_fan_out_of_0_1_with_refused_objects(fan: FanStack) -> None:
    """They are tried again as soon as the record is written anew, and what was started for them is found."""
    fan.cloud.fault(fan.system, "start", "refused_but_ran")
    fan.up(["a1", "a2", "a3"])
    ((refused),) = fan.refused
    as_0_1(fan)
    assert fan.up(["a1", "a2", "a3"]) == "update"
    assert list(fan.refused) == [refused]
    assert fan.up(["a1", "a2", "a3"]) == "update"
    assert fan.all_on_record(["a1", "a2", "a3"])


@pytest.mark.parametrize("kill", ["intent", 1, 2])
def test_objects_that_were_added_by_a_killed_up_of_0_1(fan: FanStack, kill: str | int) -> None:
    fan.up(["a1"])
    fan.up(["a1", "b1", "b2"], kill=kill)
    as_0_1(fan)
    fan.up(["a1", "b1", "b2"])
    fan.up(["a1", "b1", "b2"])
    assert fan.all_on_record(["a1", "b1", "b2"])


@pytest.mark.parametrize("kind", RUNS.values(), ids=RUNS)
def test_a_failed_run_of_0_1_that_is_to_run_again(
    kind: type[HostStack], cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = kind(cloud, monkeypatch)
    stack.up(rerun_on_failure=True)
    stack.state["phase"] = "failed"
    as_0_1(stack)
    assert stack.up(rerun_on_failure=True) == "update"
    assert len(stack.started()) == 1
    assert stack.up(rerun_on_failure=True) == "create"
    assert len(stack.started()) == 2


def test_the_helper_writes_what_0_1_wrote() -> None:
    """Against a digest of the kept state."""
    assert digest("media-1250000000") == "df588f9a67bc4f1a7ff604ba766e8c08"
    assert len(digest_of_objects(["a"])) < 32
