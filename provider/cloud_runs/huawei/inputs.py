"""Checks of `inputs`, the parameters that a workflow is started with. Pure; unknown values pass, at any depth.

Source of the rules: https://support.huaweicloud.com/en-us/sdk-python-devg-obs/obs_22_1121.html (parameters of a
workflow: string, integer, float, boolean, list, map).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.output import Unknown

from cloud_runs.errors import clean
from cloud_runs.lifecycle import checks

MOST = 60
EXACT = 2**53 - 1
"""The engine keeps numbers as doubles, so a whole number beyond this has perhaps been changed before we see it."""

_NAME = re.compile("[a-z0-9-]{1,20}")
_DEPTH = 32


def problems(props: Mapping[str, Any]) -> Iterator[checks.Problem]:
    value = props.get("inputs")
    if value is None or isinstance(value, Unknown):
        return
    if not isinstance(value, Mapping):
        yield "inputs", 'must be a mapping of parameter names to values, for example {"template-id": 7}'
        return
    if len(value) > MOST:
        yield "inputs", f"has {len(value)} parameters, at most {MOST} are possible"
    for name, item in value.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            shown = clean(str(name), 100)
            yield "inputs", f"{shown!r} is not a parameter's name: 1 to 20 lower-case letters, digits and hyphens"
        else:
            yield from ((f"inputs.{name}", reason) for reason in _reasons(item, _DEPTH))


def _reasons(value: Any, depth: int) -> Iterator[str]:
    """Why the service would not get what was meant. Values are not shown: they may be secret."""
    if value is None or isinstance(value, (Unknown, bool)):
        return
    if not depth:
        yield f"is nested deeper than {_DEPTH} levels"
    elif isinstance(value, str):
        if not checks.encodable(value):
            yield "holds half of a character"
    elif isinstance(value, (int, float)):
        if isinstance(value, float) and not math.isfinite(value):
            yield "holds a number that JSON cannot carry"
        elif abs(value) > EXACT and value == int(value):
            yield f"holds a whole number beyond {EXACT}, which Pulumi does not keep exactly: give it as text"
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _reasons(name, depth)
            yield from _reasons(item, depth - 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _reasons(item, depth - 1)
    else:
        yield f"holds a {type(value).__name__}, which JSON cannot carry"
