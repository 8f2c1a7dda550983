"""What is on record, as text: what is written is read again, the bags of 0.1 are read, and the rest is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_runs.errors import RunsError
from cloud_runs.promise import ledger
from cloud_runs.promise.digests import SHORT, digest, digest_of_objects, short
from cloud_runs.promise.records import Content, Fired, Intent, Moment
from cloud_runs.runs import Reference

KEPT = Path(__file__).parent.parent / "upgrades/states/0.1.0.json"
FEW = settings(max_examples=60, deadline=None, derandomize=True)

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.sampled_from(
    ["a b", "a,b", "a:b", "a=b", "a;b", "a%20b", "é", "\n", "\x00", "💥", "-", "1", "a|b", "input.prefix"]
)
KEYS = NAMES | st.sampled_from(["season-1/01.mp4", "a/b$c", "/", "$"])
HEX = st.text("0123456789abcdef", min_size=1, max_size=32)
TIMES = st.integers(1, 2**53).map(
    lambda micros: datetime.fromtimestamp(0, timezone.utc) + micros * timedelta.resolution
)
MOMENTS = st.builds(
    lambda token, at, host, boot, hundredths: Moment(token, at, host, boot, hundredths / 100 if boot else 0.0),
    HEX,
    TIMES,
    HEX | st.just(""),
    HEX | st.just(""),
    st.integers(0, 10**10),
)
CONTENTS = st.builds(Content, st.dictionaries(NAMES, HEX, max_size=5), st.dictionaries(NAMES, HEX, max_size=5))
INTENTS = st.builds(
    Intent, MOMENTS, CONTENTS, NAMES | st.just(""), NAMES | st.just(""), HEX | st.just(""), st.lists(MOMENTS).map(tuple)
)
FIRINGS = st.builds(
    Fired,
    HEX,
    CONTENTS,
    TIMES | st.none(),
    HEX,
    MOMENTS | st.none(),
    st.lists(MOMENTS, max_size=5).map(tuple),
    st.dictionaries(NAMES, NAMES, max_size=5),
    why=NAMES | st.just(""),
    reruns=st.integers(0, 1000),
    resumed=TIMES | st.none(),
    over=TIMES | st.none(),
    past=st.lists(HEX, max_size=3).map(tuple),
    told=HEX | st.just(""),
    failing=st.dictionaries(KEYS, st.lists(MOMENTS, min_size=1, max_size=3).map(tuple), max_size=5),
    again=st.dictionaries(KEYS, st.integers(1, 1000), max_size=5),
    first=TIMES | st.none(),
    later=st.dictionaries(KEYS, TIMES, max_size=5),
)


# -- what is written is read again


@FEW
@given(INTENTS)
def test_an_intent(intent: Intent) -> None:
    text = ledger.intent_text(intent)
    assert ledger.intent_of(text) == intent
    assert ledger.token_of(text) == intent.token
    one_line(text)


@FEW
@given(FIRINGS, st.booleans())
def test_what_was_fired(fired: Fired, beside_itself: bool) -> None:
    if beside_itself:
        fired = replace(fired, beside=fired.token)
    text = ledger.fired_text(fired)
    assert ledger.fired_of({ledger.FIRED: text}) == fired
    one_line(text)


def one_line(text: str) -> None:
    """No mapping, so that a diff shows one line; and no JSON or YAML, which a language's SDK would read for us."""
    assert text.isprintable()
    assert text.isascii()
    assert text.startswith("1 ")
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    assert not re.search(r": |[{}\[\]\"'#&*!|>@`]", text), "nothing that YAML gives a meaning"


def test_what_a_text_looks_like() -> None:
    """As the state has it; a later version must read these."""
    at = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    here = Moment("t0", at, "h0", "b0", 12.5)
    content = Content({"object": "1f0c", "input.x": "2b"}, {"a b": "3c"})
    assert ledger.intent_text(Intent(here, content, "tencent.workflow", "run ü", "4d", (here, Moment("t1", at)))) == (
        "1 kind=tencent.workflow of=run%20%C3%BC token=t0 at=2024-01-02T03:04:05Z host=h0 clock=b0+12.50 "
        "args=object:1f0c,input.x:2b triggers=a%20b:3c objects=4d "
        "tries=t0,2024-01-02T03:04:05Z,h0,b0+12.50;t1,2024-01-02T03:04:05Z,,"
    )
    assert ledger.fired_text(Fired("t0", Content({"object": "1f0c"}), at, "t0")) == (
        "1 token=t0 at=2024-01-02T03:04:05Z args=object:1f0c"
    )
    assert ledger.fired_text(Fired("t0", Content(), None, "t9", here, (here,))) == (
        "1 token=t0 beside=t9 try=t0,2024-01-02T03:04:05Z,h0,b0+12.50 doubt=t0,2024-01-02T03:04:05Z,h0,b0+12.50"
    )
    assert ledger.fired_text(Fired("t0", Content(), None, "t0", predecessors={"a/b c": "i:1", "d": "i,2"})) == (
        "1 token=t0 former=a%2Fb%20c:i%3A1,d:i%2C2"
    )
    assert ledger.fired_text(Fired("t0", Content(), None, "t0", told="t2")) == "1 token=t0 told=t2"


def test_a_field_of_a_later_release_of_this_version_is_left_alone() -> None:
    intent = ledger.intent_of("1 token=t at=2024-01-02T03:04:05Z mood=good word")
    assert intent
    assert (intent.token, intent.content) == ("t", Content())


@pytest.mark.parametrize("text", ["2 token=t", "", "token=t", "{}", "10 token=t", "null"])
def test_an_unknown_version_is_refused_and_nothing_fires(text: str) -> None:
    for read in (ledger.intent_of, ledger.token_of, lambda text: ledger.fired_of({ledger.FIRED: text})):
        with pytest.raises(RunsError, match=r"not one that this version can read .*Nothing was fired"):
            read(text)


@pytest.mark.parametrize("clock", ["b+soon", "b", "b+nan", "b+1e999", "+", "b+-1"])
def test_a_clock_that_somebody_has_edited_is_none(clock: str) -> None:
    """The time of day is there beside it."""
    intent = ledger.intent_of(f"1 token=t at=2024-01-02T03:04:05Z clock={clock} tries=t,2024-01-02T03:04:05Z,h,{clock}")
    assert intent
    assert [(one.boot, one.uptime, one.at.year) for one in intent.moments] == [("", 0.0, 2024)] * 2


def test_a_time_that_somebody_has_edited_is_long_ago() -> None:
    """So that nothing fires: the service cannot tell what was started since then."""
    intent = ledger.intent_of("1 token=t at=soon")
    assert intent
    assert intent.moment.at.year == 1970


@pytest.mark.parametrize("bag", [None, object(), 1, True, {}, {"token": None}])
def test_what_the_engine_did_not_bring(bag: object) -> None:
    assert ledger.intent_of(bag) is None
    assert ledger.token_of(bag) == ""


# -- of 0.1


def resources() -> list[dict[str, Any]]:
    state = json.loads(KEPT.read_text())
    found: list[dict[str, Any]] = state["deployment"]["resources"]
    return [resource["outputs"] for resource in found if resource.get("outputs")]


OLD_INTENTS = [outputs["record"] for outputs in resources() if "record" in outputs]
OLD_RUNS = [outputs for outputs in resources() if "fired" in outputs]


def test_the_kept_state_has_some_of_each() -> None:
    assert len(OLD_INTENTS) == len(OLD_RUNS) == 7
    assert sum("instance_ids" in outputs for outputs in OLD_RUNS) == 2


@pytest.mark.parametrize("bag", OLD_INTENTS)
def test_an_intent_of_0_1_is_read(bag: dict[str, Any]) -> None:
    intent = ledger.intent_of(bag)
    assert intent
    assert ledger.is_old(bag)
    assert (intent.token, intent.moment.host, intent.moment.boot) == (bag["token"], bag["process"], bag["boot"])
    assert intent.moment.uptime == bag["uptime"]
    assert intent.moment.at.isoformat().startswith(bag["minted_at"].rstrip("Z"))
    assert intent.content == Content(
        {name: value[:SHORT] for name, value in bag["digests"].items()},
        {name: value[:SHORT] for name, value in bag["triggers"].items()},
    )
    assert [one.token for one in intent.attempts] == [one["token"] for one in bag.get("attempts", ())]
    again = ledger.intent_of(ledger.intent_text(intent))
    assert again
    assert again.moment.uptime == pytest.approx(intent.moment.uptime, abs=0.01)
    assert again.content == intent.content
    assert not ledger.is_old(ledger.intent_text(intent))


@pytest.mark.parametrize("outputs", OLD_RUNS)
def test_a_run_of_0_1_is_read(outputs: dict[str, Any]) -> None:
    run = ledger.recorded("x", outputs)
    bag = outputs["fired"]
    assert (run.fired.token, run.fired.beside, run.fired.shown) == (bag["token"], *2 * (outputs["intent"]["token"],))
    assert run.fired.at == datetime(2026, 11, 22, 10, 6, 48, tzinfo=timezone.utc)
    assert run.content.arguments == {name: value[:SHORT] for name, value in bag["digests"].items()}
    assert run.ids == outputs.get("instance_ids", {"": "x"})
    assert ledger.is_ours(outputs)
    intent = ledger.intent_of(outputs["intent"])
    assert intent
    assert run.content.differences(intent.content) == []
    assert (run.fired.attempt is None) is ("instance_ids" not in outputs)
    if run.fired.attempt:
        assert run.fired.attempt == intent.attempts[-1]
    assert ledger.fired_of({ledger.FIRED: ledger.fired_text(run.fired)}).content == run.content
    place = ledger.place_of(outputs)
    assert place
    assert place.id == ""


def test_what_0_1_left_in_doubt_is_read() -> None:
    moment = OLD_INTENTS[3]["attempts"][0]
    outputs = {"fired": {"token": "t", "digests": {}, "triggers": {}, "at": "", "doubt": [moment], "attempt": moment}}
    fired = ledger.fired_of(outputs)
    assert fired.at is None
    assert [one.token for one in fired.doubt] == [moment["token"]]
    assert fired.attempt == fired.doubt[0]
    early = ledger.fired_of({"fired": {"token": "t", "attempt": "text of an early version", "doubt": None}})
    assert (early.attempt, early.doubt) == (None, ())


def test_digests_of_0_1_and_of_today_are_equal() -> None:
    """So that an upgrade asks for no run. The program of the kept state had these arguments."""
    old = ledger.recorded("x", next(outputs for outputs in OLD_RUNS if "transcode" in json.dumps(outputs.get("intent"))
                                    or "release" in outputs["fired"]["triggers"]))  # fmt: skip
    assert old.content.arguments["bucket"] == short("media-1250000000")
    many = ledger.recorded("x", next(outputs for outputs in OLD_RUNS if "instance_ids" in outputs))
    intent = ledger.intent_of(OLD_INTENTS[3])
    assert intent
    assert intent.objects == digest_of_objects(list(many.ids)) == digest_of_objects(reversed_(many.ids))


def reversed_(keys: Any) -> list[str]:
    return list(keys)[::-1]


# -- digests


@FEW
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_a_digest_is_the_same_for_what_the_engine_makes_of_a_value(value: Any) -> None:
    assert digest(value) == digest(as_the_engine(value))
    assert digest(value).startswith(short(value))
    assert re.fullmatch("[0-9a-f]{32}", digest(value))
    assert len(short(value)) == SHORT


def as_the_engine(value: Any) -> Any:
    """Numbers are floats, None in a mapping vanishes, and the order of keys is nobody's."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, dict):
        return {key: as_the_engine(item) for key, item in reversed(value.items()) if item is not None}
    return [as_the_engine(item) for item in value]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", 1),
        (True, 1),
        (False, None),
        ("", None),
        ([], {}),
        (["a", "b"], ["b", "a"]),
        ({"a": "b"}, ["a", "b"]),
        (1, 2),
    ],
)
def test_other_values_have_other_digests(one: Any, other: Any) -> None:
    assert short(one) != short(other)


def test_frozen_digests() -> None:
    """A change here would make every recorded run look changed."""
    assert digest("media-1250000000") == "df588f9a67bc4f1a7ff604ba766e8c08"
    assert short({"prefix": "input", "n": [1, None, True]}) == short(
        {"n": [1.0, None, True], "prefix": "input", "x": None}
    )
    with pytest.raises(TypeError, match="a set cannot be a property value"):
        digest({1})


# -- content


@pytest.mark.parametrize(
    ("recorded", "wanted", "expected"),
    [
        (({"a": "1"}, {}), ({"a": "1"}, {}), []),
        (({"a": "1"}, {}), ({"a": "2"}, {}), ["a"]),
        (({"a": "1"}, {}), ({}, {}), ["a"]),
        (({}, {}), ({"a": "1"}, {}), ["a"]),
        (({}, {"x": "1"}), ({}, {"x": "2"}), ["triggers.x"]),
        (({}, {}), ({}, {"x": "1"}), ["triggers.x"]),
        (({}, {"x": "1"}), ({}, {}), []),
        (({"b": "1", "a": "1"}, {"y": "1"}), ({"b": "2", "a": "2"}, {"y": "2", "x": "1"}),
         ["a", "b", "triggers.x", "triggers.y"]),
    ],
)  # fmt: skip
def test_differences(recorded: Any, wanted: Any, expected: list[str]) -> None:
    assert Content(*recorded).differences(Content(*wanted)) == expected


# -- places and names


@FEW
@given(st.tuples(NAMES, st.text(), st.text()), st.dictionaries(NAMES, NAMES, max_size=4))
def test_the_references_of_many_runs(place: tuple[str, str, str], ids: dict[str, str]) -> None:
    where = Reference(*place, "")
    outputs = {ledger.PLACE: ledger.place_text(where), ledger.IDS: ids}
    assert ledger.place_of(outputs) == where
    assert ledger.references(outputs) == {key: str(replace(where, id=id)) for key, id in ids.items()}


def test_the_place_of_one_run() -> None:
    reference = Reference("tencent.workflow", "ap-beijing", "b", "i:1")
    assert ledger.place_of({ledger.REFERENCE: str(reference)}) == replace(reference, id="")
    assert ledger.place_of({}) is None
    assert ledger.references({ledger.REFERENCE: str(reference)}) == {}
    with pytest.raises(ValueError, match="not a run reference"):
        ledger.place_of({ledger.REFERENCE: "nonsense"})


@pytest.mark.parametrize(
    ("urn", "name", "expected"),
    [
        (
            "urn:pulumi:test::tests::pulumi-python:dynamic/tencent:WorkflowRun::run",
            "run",
            "urn:pulumi:test::tests::pulumi-python:dynamic/runs:Intent::run-intent",
        ),
        (
            "urn:pulumi:s::p::my:mod:Group$pulumi-python:dynamic/tencent:WorkflowRun::a::b",
            "a::b",
            "urn:pulumi:s::p::my:mod:Group$pulumi-python:dynamic/runs:Intent::a::b-intent",
        ),
    ],
)
def test_urn_of_the_intent(urn: str, name: str, expected: str) -> None:
    assert ledger.intent_urn(urn) == expected
    assert ledger.name_of(urn) == name


def test_what_steers() -> None:
    assert ledger.ignored_of({}) == frozenset()
    assert ledger.ignored_of({ledger.IGNORED: ["input.prefix", "*"]}) == {"input.prefix", "*"}
    assert ledger.urn_of({}) == ledger.urn_of({ledger.URN: object()}) == ""
    assert ledger.urn_of({ledger.URN: "urn"}) == "urn"


def test_a_time_with_an_offset_is_written_in_utc() -> None:
    at = datetime(2024, 1, 2, 11, 0, tzinfo=timezone(timedelta(hours=8)))
    assert "at=2024-01-02T03:00:00Z" in ledger.fired_text(Fired("t", Content(), at))
