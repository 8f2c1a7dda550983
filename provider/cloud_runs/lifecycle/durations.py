"""Durations as users write them: `"90s"`, `"1h30m"`, a timedelta, seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pulumi
from pulumi.output import Unknown

from cloud_runs.checks import Problem

_PARTS = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
_LONGEST = 365 * 86_400.0  # seconds

Duration = str | float | timedelta
"""`"90s"`, `"1h30m"`, a timedelta, or a number of seconds."""


def wired(value: pulumi.Input[Duration] | None) -> pulumi.Input[str | float] | None:
    """The value as the engine can carry it: a timedelta becomes seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, pulumi.Output):
        return value.apply(lambda known: known.total_seconds() if isinstance(known, timedelta) else known)
    return value  # type: ignore[return-value]  # an awaitable is the SDK's to resolve


def seconds(value: Any) -> float:
    """Raises ValueError for what is not a duration of more than nothing and at most a year."""
    if isinstance(value, str):
        match = _PARTS.fullmatch(value.strip())
        if not match or not any(match.groups()):
            raise ValueError
        hours, minutes, rest = (float(part or 0) for part in match.groups())
        value = hours * 3600 + minutes * 60 + rest
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LONGEST:
        raise ValueError
    return float(value)


def problems(props: Mapping[str, Any], name: str, least: float = 0.0) -> Iterator[Problem]:
    """An optional property that is a duration, of at least so many seconds."""
    value = props.get(name)
    if value is None or isinstance(value, Unknown):
        return
    try:
        if seconds(value) < least:
            yield name, f"is too short: at least {least:g} s"
    except ValueError:
        yield name, f'is not a duration such as "90s", "30m", "1h30m" or a number of seconds: {str(value)[:50]!r}'
