"""How many made-up inputs hypothesis tries."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import settings

ALL = os.environ.get("ALL_EXAMPLES", "")

T = TypeVar("T", bound=Callable[..., object])


def examples(count: int) -> Callable[[T], T]:
    """So many in `make test-long`, a fifth of them in `make test`, and always the same ones in both; others each time
    in `make soak` (ALL_EXAMPLES=others)."""

    def mark(test: T) -> T:
        tries = settings(max_examples=count if ALL else count // 5, derandomize=ALL != "others")
        return pytest.mark.examples(tries(test))  # type: ignore[no-any-return]

    return mark
