"""Property values as the engine hands them over: whole numbers are floats, `None` vanishes, and in a preview (and in
some questions of a real `up`) a value may be an `Unknown` object, at any depth.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import dynamic
from pulumi.output import Unknown

from cloud_runs.checks import LATER, NOT_CARRIED
from cloud_runs.wire.settings import Settings


def known(value: Any) -> bool:
    """Whether the value is known through and through."""
    if isinstance(value, Unknown):
        return False
    if isinstance(value, Mapping):
        return all(known(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(known(item) for item in value)
    return True


def plain(value: Any) -> bool:
    """Whether the value is made of what a digest can be taken of, or is not known yet."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and plain(item) for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return all(plain(item) for item in value)
    return isinstance(value, (str, bool, int, float, type(None), Unknown))


def carried(value: Any) -> Any:
    """The value with a mark in the place of what Pulumi cannot carry (times, paths, bytes, sets, ...), also in outputs.

    Pulumi would end the program there, with a traceback that names nothing of the user's. A mark is refused by `check`,
    in one line with the property's name, and Pulumi's own kinds of values (assets, resources) like it.
    """
    if value is None or isinstance(value, (str, float, Unknown)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= sys.float_info.max else math.inf  # `check` refuses both kinds of numbers
    if isinstance(value, pulumi.Output):
        return value.apply(carried)
    if inspect.isawaitable(value):
        return pulumi.Output.from_input(value).apply(carried)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: carried(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [carried(item) for item in value]
    return {NOT_CARRIED: "mapping with a name that is not text" if isinstance(value, Mapping) else type(value).__name__}


def unknowns_as_later(value: Any) -> Any:
    """The value with LATER in the place of what is not known yet, at any depth: for those who know no Pulumi."""
    if isinstance(value, Unknown):
        return LATER
    if isinstance(value, Mapping):
        return {key: unknowns_as_later(item) for key, item in value.items()}
    return [unknowns_as_later(item) for item in value] if isinstance(value, list) else value


def settings_of(request: dynamic.ConfigureRequest) -> Settings:
    """What the engine has told the host: the stack's configuration, or that of an explicit provider."""
    return Settings(request.config.get)
