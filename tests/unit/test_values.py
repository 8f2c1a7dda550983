"""Digests are part of the state format: a change of one would make every recorded run look changed."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.output import UNKNOWN

from cloud_runs.checks import LATER, NOT_CARRIED, unfit
from cloud_runs.lifecycle.values import carried, known, unknowns_as_later
from cloud_runs.promise.digests import digest

GOLDEN = [
    ("", "12ae32cb1ec02d01eda3581b127c1fee"),
    ("a.mp4", "57feca19c50b1d6217e83ba7fe830e6f"),
    ("中é😀", "30c7c4e2fcc7dfd47c262bbdd4d781b3"),
    (0, "8aed642bf5118b9d3c859bd4be35ecac"),
    (1, "d0ff5974b6aa52cf562bea5921840c03"),
    (-1.5, "37c2b212b94e5372b33df924ea2a9118"),
    (42, "53519e43db90bd08ff4459fd23fc9443"),
    (True, "b5bea41b6c623f7c09f1bf24dcae58eb"),
    (False, "fcbcf165908dd18a9e49f7ff27810176"),
    (None, "74234e98afe7498fb5daf1f36ac2d78a"),
    ([], "4f53cda18c2baa0c0354bb5f9a3ecbe5"),
    ({}, "44136fa355b3678a1146ad16f7e8649e"),
    (["a", 1, None, True], "f0a9d2f2ff122fa149685e0f151c69a9"),
    ({"prefix": "input"}, "f9a6c5bf6a67b6f72bac86eb6ff5d973"),
    ({"start": "2022-02-01T12:00:00+0800", "end": "2022-05-01T12:00:00+0800"}, "2e986f97d3d47f1ac7a4f5dbd24a9154"),
    ({"b": {"y": [1, {"z": 0.1}]}, "a": False}, "39ef013fbb33269194bca114798af77b"),
]


@pytest.mark.parametrize(("value", "expected"), GOLDEN)
def test_golden_values(value: Any, expected: str) -> None:
    assert digest(value) == expected


def test_golden_values_differ() -> None:
    assert len({expected for _, expected in GOLDEN}) == len(GOLDEN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1.0}),
        ({"a": None}, {}),
        ({"x": {"a": None, "b": 0}}, {"x": {"b": 0.0}}),
        (("a", 1), ["a", 1.0]),
        (OrderedDict(a=1), {"a": 1}),
        ({1: "a"}, {"1": "a"}),
        (2**53, float(2**53)),
    ],
)
def test_what_the_engine_does_not_tell_apart(one: Any, other: Any) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (False, 0),
        (True, "True"),
        (True, "true"),
        (1, "1"),
        (1, "1.0"),
        (None, "None"),
        (None, "null"),
        ("", None),
        ([], {}),
        ([], ""),
        (["a"], "a"),
        ([1, 2], [2, 1]),
        ([None], []),
        ({"a": []}, {}),
        ({"a": {"b": 1}}, {"a.b": 1}),
        ("é", "e\u0301"),
        ("a", "A"),
        ("a", "a "),
        (0.1, 0.1 + 1e-17 * 2),
        ([["a"], "b"], ["a", ["b"]]),
    ],
)
def test_what_is_told_apart(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, [UNKNOWN]])
def test_what_cannot_be_a_property(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be a property value"):
        digest(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers(-9, 9) | st.floats(allow_nan=False, width=16),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def engine(value: Any) -> Any:
    """What the engine makes of it."""
    if isinstance(value, dict):
        return {key: engine(item) for key, item in reversed(value.items()) if item is not None}
    if isinstance(value, list):
        return [engine(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(VALUES)
def test_the_program_and_the_host_agree(value: Any) -> None:
    assert digest(value) == digest(engine(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (UNKNOWN, False),
        ([UNKNOWN], False),
        (["a", {"b": [UNKNOWN]}], False),
        ({"a": {"b": UNKNOWN}}, False),
        (None, True),
        ("", True),
        (0, True),
        ("text with letters", True),
        ([], True),
        ({}, True),
        ([{"a": [1, None]}], True),
    ],
)
def test_known(value: Any, expected: bool) -> None:
    assert known(value) is expected


# --- what Pulumi cannot carry


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 2


class Pair(NamedTuple):
    a: int
    b: Any


NOT_ONES = [
    (datetime(2026, 1, 1, tzinfo=timezone.utc), "datetime"),
    (Decimal("1.5"), "Decimal"),
    (Path("a"), type(Path()).__name__),
    (b"x", "bytes"),
    (bytearray(b"x"), "bytearray"),
    ({1, 2}, "set"),
    (frozenset(), "frozenset"),
    (Color.RED, "Color"),
    (range(3), "range"),
    ((n for n in "a"), "generator"),
    (object(), "object"),
    (pulumi.StringAsset("x"), "StringAsset"),
    ({1: "a"}, "mapping with a name that is not text"),
]


@pytest.mark.parametrize(("value", "name"), NOT_ONES)
def test_what_cannot_be_carried_is_marked_and_refused(value: Any, name: str) -> None:
    mark = {NOT_CARRIED: name}
    assert carried(value) == mark
    assert carried({"a": [0, {"b": value}]}) == {"a": [0, {"b": mark}]}
    assert f"holds a {name}, which Pulumi does not carry" in unfit(carried([value]))
    assert digest(carried([value])), "the intent is made before the run is checked"


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1.5, "", "x", UNKNOWN, [], {}, [1, {"a": [None, UNKNOWN]}], {"": {"b": "c"}}, Level.HIGH, 2**62],
)
def test_what_can_be_carried_is_left_alone(value: Any) -> None:
    assert carried(value) == value


def test_sequences_are_lists_and_numbers_that_are_too_large_are_not_finite() -> None:
    assert carried((1, Pair(1, "x"))) == [1, [1, "x"]]
    assert carried(10**400) == math.inf
    assert carried({"a": -(10**400)}) == {"a": math.inf}


def test_outputs_are_looked_into_and_stay_secret() -> None:
    async def made() -> tuple[Any, bool, Any]:
        later = pulumi.Output.secret({"when": datetime(2026, 1, 1, tzinfo=timezone.utc), "n": 1})
        outer = carried({"a": later, "b": asyncio.sleep(0, Path("x"))})
        return await outer["a"].future(), await outer["a"].is_secret(), await outer["b"].future()

    value, secret, awaited = asyncio.run(made())
    assert value == {"when": {NOT_CARRIED: "datetime"}, "n": 1}
    assert secret
    assert awaited == {NOT_CARRIED: type(Path()).__name__}


def test_what_is_not_known_is_called_so_at_any_depth() -> None:
    assert unknowns_as_later({"a": UNKNOWN, "b": [UNKNOWN, {"c": UNKNOWN, "d": 1}]}) == {
        "a": LATER,
        "b": [LATER, {"c": LATER, "d": 1}],
    }
    assert unknowns_as_later(UNKNOWN) is LATER
