"""The emulator and a stack for the tests that need them."""

from __future__ import annotations

import functools
import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.emulator import Emulator, emulator
from tests.support.stack import QUICKLY, Stack

# Without a terminal (`make test &`, nohup) SIGINT is ignored, and whatever is started inherits that: no test could then
# interrupt what it has started, which would go on for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hundreds of interpreters are started, and each would compile the package for itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long a machine takes for an example is not what is tested.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

Stack.settings = QUICKLY


def pytest_sessionstart() -> None:
    gc.disable()  # while thousands of tests are collected, which are there until the end


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def emulators() -> Iterator[Callable[..., Emulator]]:
    """An emulator by its flags, which is started when it is first asked for."""
    with ExitStack() as running:
        yield functools.cache(lambda *flags: running.enter_context(emulator("--run-seconds", "3600", *flags)))


@pytest.fixture(scope="session")
def running_emulator(emulators: Callable[..., Emulator]) -> Emulator:
    return emulators()


@pytest.fixture
def cloud(running_emulator: Emulator) -> Emulator:
    """The emulator, empty. Runs go on for an hour, so that a state changes only when a test says so."""
    running_emulator.reset()
    return running_emulator


@pytest.fixture
def stack(tmp_path: Path, cloud: Emulator) -> Stack:
    return Stack(tmp_path, cloud)
