"""Fixtures for clients against the emulator: `pytest_plugins = "tests.support.clouds"` in a test file.

Only fixtures: pytest wants to be the first to import a module that it loads as a plugin.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.emulator import Emulator, emulator


@pytest.fixture(scope="module")
def running_emulator() -> Iterator[Emulator]:
    with emulator("--run-seconds", "3600") as running:
        yield running


@pytest.fixture
def cloud(running_emulator: Emulator) -> Emulator:
    """The emulator, empty. Runs go on for an hour, so that a state changes only when a test says so."""
    running_emulator.reset()
    return running_emulator
