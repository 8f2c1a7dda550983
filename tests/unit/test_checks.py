"""Pure checks: each alone, without Pulumi."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cloud_runs.checks import (
    EXACT,
    LATER,
    NOT_CARRIED,
    Check,
    Choice,
    Members,
    Moment,
    Text,
    Values,
    Whole,
    known,
    moment,
    unfit,
)


def said(check: Check, value: Any, name: str = "p") -> dict[str, str]:
    found = list(check.problems(name, value))
    assert len(dict(found)) == len(found), "one reason for each property"
    return dict(found)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("abc", None),
        ("", "is missing: expected text"),
        (5.0, "not float"),
        (True, "not bool"),
        (["a"], "not list"),
        ({NOT_CARRIED: "PosixPath"}, "not PosixPath"),
        ("a\x00", "control characters"),
        ("a\x7f", "control characters"),
        ("\n", "control characters"),
        ("\ud800", "control characters"),
        ("abcdef", "6 characters, at most 5"),
        ("x", "is not text"),
    ],
)
def test_text(value: Any, reason: str | None) -> None:
    problems = said(Text(pattern="[a-f]+", longest=5), value)
    assert list(problems) == ([] if reason is None else ["p"])
    assert reason is None or reason in problems["p"]


@pytest.mark.parametrize(("value", "good"), [("中", True), ("中a", False), ("abc", True), ("abcd", False)])
def test_length_in_bytes(value: str, good: bool) -> None:
    assert (said(Text(longest_bytes=3), value) == {}) is good


def test_a_pattern_is_for_the_whole_value() -> None:
    for value in ("ab", "ba", "a\n"):
        assert list(said(Text(pattern="a"), value)) == ["p"]
    assert said(Text(pattern="a|ab"), "a") == {}


def test_a_nested_property_is_named_in_full_and_spoken_of_by_its_own_name() -> None:
    assert said(Text(), "", "input.prefix") == {"input.prefix": "prefix is missing: expected text"}


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (1, True), (7.0, True), (10.0, True),
        (0, False), (11, False), (1.5, False), (True, False), ("7", False), (1e30, False), (math.nan, False),
        (math.inf, False), ([7], False),
    ],
)  # fmt: skip
def test_whole(value: Any, good: bool) -> None:
    problems = said(Whole("a number", 1, 10), value)
    assert (problems == {}) is good
    assert good or problems["p"].startswith("is not a number")


def test_choice() -> None:
    check = Choice(("a", "b"))
    assert said(check, "a") == {}
    for bad in ("c", "", 5, ["a"], {"a": 1}):
        assert "must be 'a' or 'b', not" in said(check, bad)["p"]


EAST = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2022-02-01T12:00:00+0800", datetime(2022, 2, 1, 12, tzinfo=EAST)),
        ("2022-02-01T12:00:00+08:00", datetime(2022, 2, 1, 12, tzinfo=EAST)),
        ("2022-02-01T04:00:00Z", datetime(2022, 2, 1, 12, tzinfo=EAST)),
        ("2022-02-01T12:00:00-0330", datetime(2022, 2, 1, 15, 30, tzinfo=timezone.utc)),
        ("2022-02-01T12:00:00", None),
        ("2022-02-01T12:00:00 +0800", None),
        ("2022-02-01T12:00:00+08", None),
        ("2022-02-01t12:00:00z", None),
        ("2022-02-29T12:00:00Z", None),
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=timezone.utc)),
        ("2022-02-01T12:00:00+2500", None),
        # `\d` would take digits of every script; they are sent as they are.
        ("٢٠٢٢-02-01T12:00:00Z", None),
        ("", None),
        (5, None),
        (None, None),
        (LATER, None),
    ],
)  # fmt: skip
def test_moment(value: Any, expected: datetime | None) -> None:
    assert moment(value) == expected
    assert (said(Moment(), value) == {}) is (expected is not None)


NESTED = Members({"a": Text(), "b": Moment()})


def test_members() -> None:
    for good in ({}, {"a": "x"}, {"a": LATER, "b": "2022-02-01T04:00:00Z"}, {"a": None}):
        assert said(NESTED, good, "n") == {}
    assert list(said(NESTED, {"a": "", "b": "x", "c": 2, "d": 3}, "n")) == ["n.c", "n.d", "n.a", "n.b"]
    for bad in ("a", ["a"], 5.0, {NOT_CARRIED: "set"}):
        assert list(said(NESTED, bad, "n")) == ["n"]


def test_exactly_one_member() -> None:
    only = Members({"a": Text(), "b": Text()}, only_one=True)
    for good in ({"a": "x"}, {"a": LATER}, {"a": "x", "b": None}):
        assert said(only, good) == {}
    assert said(only, {"a": "x", "b": LATER}) == {"p": "needs exactly one of a, b; has a and b"}
    assert said(only, {}) == {"p": "needs exactly one of a, b; has none"}


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else "x"


@pytest.mark.parametrize(
    "value",
    [
        None, LATER, True, "中\n", "", 0, -1.5, float(EXACT), -EXACT, 1e-300, [], {}, [1, {"": [LATER, None]}],
        ("a", 1), deep(31),
    ],
)  # fmt: skip
def test_free_values_that_arrive_as_they_were_meant(value: Any) -> None:
    assert unfit(value) == ""


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (EXACT + 1, "whole number beyond 9007199254740991"),
        (float(EXACT + 1), "give it as text"),
        (-(2**60), "whole number beyond"),
        (1790000000000000001, "whole number beyond"),
        (1e300, "whole number beyond"),
        (10**400, "whole number beyond"),
        (math.nan, "not finite"),
        (-math.inf, "not finite"),
        ("a\ud800", "half of a character"),
        ({"\udfff": 1}, "half of a character"),
        ({1: "a"}, "a name that is not text"),
        (b"x", "holds a bytes"),
        ({NOT_CARRIED: "datetime"}, "holds a datetime, which Pulumi does not carry"),
        ({1, 2}, "holds a set"),
        (object(), "holds a object"),
        (deep(33), "deeper than 32 levels"),
    ],
)
def test_free_values_that_do_not(value: Any, reason: str) -> None:
    for inside in (value, [0, value], {"a": {"b": value}}):
        assert reason in unfit(inside) or "deeper" in unfit(inside)


def test_free_values_are_not_shown() -> None:
    for value in ("hunter\ud800", b"hunter", {"x": ["hunter", {1: "hunter"}]}, 17900000000000000171):
        assert "hunter" not in unfit(value)
        assert "1790" not in unfit(value)


def test_values() -> None:
    check = Values("a mapping of names to values")
    for good in ({}, {"": 0}, {"a": 1}, {"a": LATER}, {"a": ["x", {"b": None}]}):
        assert said(check, good, "triggers") == {}
    for bad in ("42", ["a"], 5.0, False, {NOT_CARRIED: "datetime"}):
        (reason,) = said(check, bad, "triggers").values()
        assert reason.startswith("must be a mapping of names to values, not")
    found = said(check, {"a": b"x", "b": {"c": [math.nan, b"x"]}, "d": 1}, "triggers")
    assert list(found) == ["triggers.a", "triggers.b"]


def test_values_with_rules() -> None:
    check = Values("a mapping", pattern="[a-z]+", name="a small name", most=2, flat=True)
    assert said(check, {"a": 1, "b": True}) == {}
    assert said(check, {"A": b"x", "a": 1}) == {"p": "'A' is not a small name"}
    assert said(check, dict.fromkeys("abc", 1)) == {"p": "has 3 names, at most 2 are possible"}
    assert said(check, {"a": {}, "b": [1]}).keys() == {"p.a", "p.b"}


def test_known() -> None:
    assert known({"a": [1, {"b": None}]})
    assert not known({"a": [1, {"b": LATER}]})
    assert not known(LATER)
