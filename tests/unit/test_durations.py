"""Durations as users write them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pulumi
import pytest
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle import durations

YEAR = 365 * 86_400


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h0m5s", 3605),
        ("1h5s", 3605),
        ("1.5h", 5400),
        ("0.25s", 0.25),
        ("90m", 5400),
        ("  45s\n", 45),
        (45, 45),
        (0.5, 0.5),
        (YEAR, YEAR),
        ("8760h", YEAR),
    ],
)
def test_what_counts(given: Any, expected: float) -> None:
    found = durations.seconds(given)
    assert found == expected
    assert type(found) is float
    assert list(durations.problems({"timeout": given}, "timeout")) == []


@pytest.mark.parametrize(
    "given",
    [
        "", " ", "s", "h", "90", "soon", "-5s", "+5s", "1d", "1m1h", "5s5s", "1h 30m", "30M", "1,5h", ".5s", "5.s",
        "1e3s", "٣s", "0s", "0h0m", "8761h", "9" * 400 + "h", 0, -1, 0.0, YEAR + 1, 10**400, float("nan"), float("inf"),
        True, [], {}, ["5s"], b"5s",
    ],
)  # fmt: skip
def test_what_does_not_count(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        durations.seconds(given)
    ((name, reason),) = durations.problems({"poll_interval": given}, "poll_interval")
    assert name == "poll_interval"
    assert reason.startswith('is not a duration such as "90s", "30m", "1h30m" or a number of seconds: ')
    assert reason.isprintable()
    assert len(reason) < 200


@pytest.mark.parametrize("props", [{}, {"timeout": None}, {"timeout": UNKNOWN}])
def test_what_is_not_given_or_not_known_yet_is_no_problem(props: dict[str, Any]) -> None:
    assert list(durations.problems(props, "timeout")) == []


@pytest.mark.parametrize("given", ["90s", 45, 0.5, None])
def test_what_the_engine_can_carry_is_left_as_it_is(given: Any) -> None:
    assert durations.wired(given) is given


def test_a_timedelta_becomes_seconds_also_inside_an_output() -> None:
    assert durations.wired(timedelta(minutes=2, milliseconds=500)) == 120.5

    async def told(value: Any) -> Any:
        wired: Any = durations.wired(pulumi.Output.from_input(value))
        return await wired.future()

    assert asyncio.run(told(timedelta(hours=1))) == 3600
    assert asyncio.run(told("90s")) == "90s"
