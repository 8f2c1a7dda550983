"""The intent: its token lasts as long as what is asked for, and it asks nobody as long as nothing is lost."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pulumi
import pytest
from pulumi.output import UNKNOWN

from cloud_runs.errors import RunsError
from cloud_runs.lifecycle import host
from cloud_runs.lifecycle.intent import IntentProvider
from cloud_runs.promise import ledger
from cloud_runs.promise.digests import short
from cloud_runs.promise.records import Content
from tests.provider.host import RUNS, RunHost, wire
from tests.support.emulator import Emulator

ASKED = {"object": "a.mp4", "bucket": "b"}
URN = "urn:pulumi:test::tests::pulumi-python:dynamic/tencent:WorkflowRun::"


def inputs(arguments: dict[str, Any] | None = None, triggers: Any = None, name: str = "run") -> dict[str, Any]:
    given = {"arguments": ASKED if arguments is None else arguments, "triggers": triggers}
    return wire({**given, "kind": RUNS, "run": URN + name, "__provider": "x"})


def created(asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    result = IntentProvider().create(asked)
    return result.id, wire(result.outs or {})


def test_a_record_is_what_the_run_needs() -> None:
    before = datetime.now(timezone.utc)
    id, outs = created(inputs(triggers={"a": 1}))
    intent = ledger.intent_of(outs["record"])
    process = host.this_process()
    assert intent is not None
    assert intent.token == id
    assert len(id) == 32
    assert process.minted(intent.moment)
    assert intent.moment.boot == process.clock.boot()
    assert -0.01 <= process.clock.uptime() - intent.moment.uptime < 3600  # hundredths are on record
    assert before - timedelta(seconds=1) <= intent.moment.at <= datetime.now(timezone.utc)
    assert intent.content == Content({name: short(value) for name, value in ASKED.items()}, {"a": short(1)})
    assert (intent.kind, intent.name) == (RUNS, "run"), "a lost run can be looked for without the run's own resource"
    assert outs["arguments"] == ASKED


def test_a_record_is_one_line() -> None:
    _, outs = created(inputs({**ASKED, "name": "a b\n=;,:%"}, {"a b\n=;,:%": 1}, name="a b;=,:ü"))
    assert outs["record"].isprintable()
    intent = ledger.intent_of(outs["record"])
    assert intent is not None
    assert intent.name == "a b;=,:ü"
    assert intent.content.triggers == {"a b\n=;,:%": short(1)}


def test_each_token_is_another() -> None:
    assert len({created(inputs())[0] for _ in range(20)}) == 20


@pytest.mark.parametrize("bag", [None, UNKNOWN, {}, {"token": UNKNOWN}, {"minted_at": "2024-01-01T00:00:00Z"}])
def test_no_record(bag: Any) -> None:
    assert ledger.intent_of(bag) is None


@pytest.mark.parametrize("text", ["", "x", "2 token=0 at=2026-01-01T00:00:00Z", "1token=x"])
def test_a_text_that_this_version_cannot_read_is_none_of_its_own(text: str) -> None:
    """Taken for no record at all, it would be fired again."""
    with pytest.raises(RunsError, match=r"a later version of cloud-runs wrote it.* Nothing was fired"):
        ledger.intent_of(text)


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
        {"arguments": UNKNOWN},
        {"arguments": {**ASKED, "object": UNKNOWN}},
        {"arguments": {**ASKED, "name": UNKNOWN}},
        {"triggers": UNKNOWN},
        {"triggers": {"a": UNKNOWN}},
        {"triggers": {"a": 1, "c": {"d": [UNKNOWN]}}},
        {"arguments": UNKNOWN, "triggers": UNKNOWN},
    ],
)
def test_unknown_never_means_replace(unknown: dict[str, Any]) -> None:
    id, olds = created(inputs(triggers={"a": 1}))
    result = IntentProvider().diff(id, olds, inputs(triggers={"a": 1}) | unknown)
    assert (result.changes, result.replaces) == (True, [])


def test_a_known_change_beside_an_unknown_value() -> None:
    id, olds = created(inputs(triggers={"a": 1}))
    assert IntentProvider().diff(id, olds, inputs(triggers={"a": 2}) | {"arguments": UNKNOWN}).replaces


def test_update_keeps_the_token_and_what_it_was_made_for() -> None:
    id, olds = created(inputs(triggers={"a": 1, "b": 2}))
    outs = IntentProvider().update(id, olds, inputs(triggers={"a": 1})).outs or {}
    assert outs == olds, "nothing more: the engine keeps the inputs beside it"
    assert IntentProvider().diff(id, wire(outs), inputs(triggers={"a": 1, "b": 2})).changes is False, "put back"


def test_a_new_name_is_recorded_under_the_same_token() -> None:
    id, olds = created(inputs())
    news = inputs(name="renamed")
    result = IntentProvider().diff(id, olds, news)
    assert (result.changes, result.replaces) == (True, [])
    outs = wire(IntentProvider().update(id, olds, news).outs or {})
    before, after = (ledger.intent_of(bag["record"]) for bag in (olds, outs))
    assert before is not None
    assert after is not None
    assert (after.name, after.moment, after.content) == ("renamed", before.moment, before.content)
    assert IntentProvider().diff(id, outs, news).changes is False


@pytest.mark.parametrize("bad", ["42", ["a"], 4.2, {"file": pulumi.StringAsset("x")}])
def test_triggers_that_are_none_are_left_to_the_check_of_the_run(run: RunHost, bad: Any) -> None:
    _, outs = created(inputs(triggers={}) | {"triggers": bad})
    intent = ledger.intent_of(outs["record"])
    assert intent is not None
    assert intent.content.triggers == {}
    assert [name.partition(".")[0] for name in run.problems(triggers=bad, bucket="Bad")] == ["bucket", "triggers"]


def test_it_asks_nobody(cloud: Emulator) -> None:
    id, outs = created(inputs())
    IntentProvider().diff(id, outs, inputs())
    IntentProvider().delete(id, outs)
    assert cloud.requests() == {}
