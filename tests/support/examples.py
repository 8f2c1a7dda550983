"""How many made-up inputs hypothesis tries."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import settings

ALL = bool(os.environ.get("ALL_EXAMPLES"))

T = TypeVar("T", bound=Callable[..., object])


def examples(count: int) -> Callable[[T], T]:
    """So many, and others each time, in `make test-long`; a fifth of them, and always the same ones, in `make test`."""

    def mark(test: T) -> T:
        tries = settings(max_examples=count) if ALL else settings(max_examples=count // 5, derandomize=True)
        return pytest.mark.examples(tries(test))  # type: ignore[no-any-return]

    return mark
