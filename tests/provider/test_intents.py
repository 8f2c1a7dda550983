"""The intent: its token lasts as long as what is asked for, and it asks nobody."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pulumi
import pytest
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle.intent import IntentProvider, intent_of
from cloud_runs.lifecycle.values import digest, digests
from cloud_runs.promise import firing, record
from tests.provider.host import RunHost, wire
from tests.support.emulator import Emulator

ASKED = {"object": "a.mp4", "bucket": "b"}


def inputs(arguments: dict[str, Any] | None = None, triggers: Any = None) -> dict[str, Any]:
    given = {"digests": digests(ASKED if arguments is None else arguments), "triggers": triggers}
    return wire({**given, "__provider": "x"})


def created(asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    result = IntentProvider().create(asked)
    return result.id, wire(result.outs or {})


def test_a_record_is_what_the_run_needs() -> None:
    before = datetime.now(timezone.utc)
    id, outs = created(inputs(triggers={"a": 1}))
    intent = intent_of(outs["record"])
    assert intent is not None
    assert intent.token == id
    assert len(id) == 32
    assert intent.process == record.PROCESS
    assert intent.clock.boot == record.Clock.read().boot
    assert 0 <= record.Clock.read().uptime - intent.clock.uptime < 3600
    assert before - timedelta(seconds=1) <= intent.minted_at <= datetime.now(timezone.utc)
    assert intent.content == firing.Content(digests(ASKED), {"a": digest(1)})


def test_each_token_is_another() -> None:
    assert len({created(inputs())[0] for _ in range(20)}) == 20


@pytest.mark.parametrize("bag", [None, UNKNOWN, {}, "x", {"token": UNKNOWN}, {"minted_at": "2024-01-01T00:00:00Z"}])
def test_no_record(bag: Any) -> None:
    assert intent_of(bag) is None


@pytest.mark.parametrize(
    ("news", "replaced"),
    [
        (inputs(triggers={"a": 1, "b": "x"}), False),
        (inputs(triggers={"b": "x", "a": 1.0}), False),
        (inputs(triggers={"a": 1}), False),
        (inputs(triggers={}), False),
        (inputs(), False),
        (inputs(triggers={"a": 1, "b": "x"}) | {"__provider": "y"}, False),
        (inputs(triggers={"a": 2, "b": "x"}), True),
        (inputs(triggers={"a": 1, "b": "x", "c": None, "d": 0}), True),
        (inputs({"object": "b.mp4", "bucket": "b"}, {"a": 1}), True),
        (inputs({"bucket": "b"}, {"a": 1}), True),
        (inputs({**ASKED, "name": "n"}, {"a": 1}), True),
    ],
)
def test_diff(news: dict[str, Any], replaced: bool) -> None:
    id, olds = created(inputs(triggers={"a": 1, "b": "x"}))
    result = IntentProvider().diff(id, olds, news)
    assert bool(result.replaces) is replaced
    assert result.changes is replaced


@pytest.mark.parametrize(
    "unknown",
    [
        {"digests": UNKNOWN},
        {"digests": {**digests(ASKED), "object": UNKNOWN}},
        {"digests": {**digests(ASKED), "name": UNKNOWN}},
        {"triggers": UNKNOWN},
        {"triggers": {"a": UNKNOWN}},
        {"triggers": {"a": 1, "c": {"d": [UNKNOWN]}}},
        {"digests": UNKNOWN, "triggers": UNKNOWN},
    ],
)
def test_unknown_never_means_replace(unknown: dict[str, Any]) -> None:
    id, olds = created(inputs(triggers={"a": 1}))
    result = IntentProvider().diff(id, olds, inputs(triggers={"a": 1}) | unknown)
    assert (result.changes, result.replaces) == (True, [])


def test_a_known_change_beside_an_unknown_value() -> None:
    id, olds = created(inputs(triggers={"a": 1}))
    assert IntentProvider().diff(id, olds, inputs(triggers={"a": 2}) | {"digests": UNKNOWN}).replaces


def test_update_keeps_the_token_and_what_it_was_made_for() -> None:
    id, olds = created(inputs(triggers={"a": 1, "b": 2}))
    outs = IntentProvider().update(id, olds, inputs(triggers={"a": 1})).outs or {}
    assert outs == {"record": olds["record"]}, "nothing twice: the engine keeps the inputs beside it"
    assert IntentProvider().diff(id, wire(outs), inputs(triggers={"a": 1, "b": 2})).changes is False, "put back"


@pytest.mark.parametrize("bad", ["42", ["a"], 4.2, {"file": pulumi.StringAsset("x")}])
def test_triggers_that_are_none_are_left_to_the_check_of_the_run(run: RunHost, bad: Any) -> None:
    _, outs = created(inputs(triggers={}) | {"triggers": bad})
    assert outs["record"]["triggers"] == {}
    assert [name.partition(".")[0] for name in run.problems(triggers=bad, bucket="Bad")] == ["bucket", "triggers"]


def test_it_asks_nobody(cloud: Emulator) -> None:
    id, outs = created(inputs())
    IntentProvider().diff(id, outs, inputs())
    IntentProvider().delete(id, outs)
    assert cloud.requests() == {}
