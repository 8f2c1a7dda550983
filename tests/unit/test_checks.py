"""Pure checks: each alone, without Pulumi's resources."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle import checks


def said(problems: Any) -> dict[str, str]:
    return dict(problems)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("abc", None),
        (UNKNOWN, None),
        (None, "is missing: expected text"),
        ("", "is missing: expected text"),
        (5.0, "not float"),
        (True, "not bool"),
        (["a"], "not list"),
        ("a\x00", "control characters"),
        ("a\x7f", "control characters"),
        ("\n", "control characters"),
        ("\ud800", "control characters"),
        ("abcdef", "6 characters, at most 5"),
        ("x", "is not text"),
    ],
)
def test_text(value: Any, reason: str | None) -> None:
    problems = said(checks.text({"p": value}, "p", pattern="[a-f]+", longest=5))
    assert list(problems) == ([] if reason is None else ["p"])
    assert reason is None or reason in problems["p"]


@pytest.mark.parametrize(("value", "good"), [("中", True), ("中a", False), ("abc", True), ("abcd", False)])
def test_length_in_bytes(value: str, good: bool) -> None:
    assert (said(checks.text({"p": value}, "p", longest_bytes=3)) == {}) is good


def test_optional_text_may_be_left_out_but_not_empty() -> None:
    assert said(checks.text({}, "p", required=False)) == {}
    assert said(checks.text({"p": None}, "p", required=False)) == {}
    assert list(said(checks.text({"p": ""}, "p", required=False))) == ["p"]


def test_a_pattern_is_for_the_whole_value() -> None:
    for value in ("ab", "ba", "a\n"):
        assert list(said(checks.text({"p": value}, "p", pattern="a"))) == ["p"]
    assert said(checks.text({"p": "a"}, "p", pattern="a|ab")) == {}


def test_a_nested_property_is_named_in_full_and_spoken_of_by_its_own_name() -> None:
    assert said(checks.text({}, "input.prefix")) == {"input.prefix": "prefix is missing: expected text"}


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
        # Finding 9: `\d` takes digits of every script; they are sent as they are.
        ("٢٠٢٢-02-01T12:00:00Z", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)  # fmt: skip
def test_moment(value: Any, expected: datetime | None) -> None:
    assert checks.moment(value) == expected


def test_time() -> None:
    for good in (None, UNKNOWN, "2022-02-01T12:00:00Z"):
        assert said(checks.time({"t": good}, "t")) == {}
    for bad in ("", "2022-02-01", 5.0, ["x"]):
        assert "is not a time with offset" in said(checks.time({"t": bad}, "t"))["t"]


def test_nested() -> None:
    for good in (None, UNKNOWN, {}, {"a": 1}, {"a": UNKNOWN, "b": 2}):
        assert said(checks.nested({"n": good}, "n", ("a", "b"))) == {}
    assert list(said(checks.nested({"n": {"a": 1, "c": 2, "d": 3}}, "n", ("a", "b")))) == ["n.c", "n.d"]
    for bad in ("a", ["a"], 5.0):
        assert list(said(checks.nested({"n": bad}, "n", ("a", "b")))) == ["n"]


def test_inside() -> None:
    assert checks.inside({"n": {"a": 1, "b": UNKNOWN}}, "n") == {"n.a": 1, "n.b": UNKNOWN}
    for nothing in (None, UNKNOWN, "a", ["a"]):
        assert checks.inside({"n": nothing}, "n") == {}


def test_triggers() -> None:
    for good in (None, UNKNOWN, {}, {"a": 1}, {"a": UNKNOWN}):
        assert said(checks.triggers({"triggers": good})) == {}
    assert said(checks.triggers({})) == {}
    for bad in ("42", ["a"], 5.0, False):
        assert list(said(checks.triggers({"triggers": bad}))) == ["triggers"]
