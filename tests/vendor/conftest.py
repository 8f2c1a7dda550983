"""The SDKs are imported here first: where their compiled files are missing, Python warns of their escape sequences."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from tests.support.emulator import Emulator, emulator

with warnings.catch_warnings():
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.filterwarnings("ignore", "invalid escape sequence", DeprecationWarning)  # the same, up to Python 3.11
    try:
        import obs  # noqa: F401
        import qcloud_cos  # noqa: F401
    except ModuleNotFoundError as missing:
        raise pytest.UsageError(f"{missing}: `make sdks` installs the vendors' SDKs") from None


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    # The objects are those of an inventory job: more than a page of any list has.
    with emulator("--run-seconds", "3600", "--objects", *(f"input/{number}.mp4" for number in range(150))) as running:
        yield running


@pytest.fixture
def cloud(running_emulator: Emulator) -> Emulator:
    """The emulator, empty. Runs go on for an hour, so that a state changes only when a test says so."""
    running_emulator.reset()
    return running_emulator
