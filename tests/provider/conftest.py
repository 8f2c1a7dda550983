from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from cloud_runs.lifecycle import fan_out_provider, run_provider
from cloud_runs.promise import firing
from cloud_runs.promise.firing import Memory
from tests.provider.host import JobHost, RunHost
from tests.support.emulator import Emulator


@pytest.fixture(autouse=True)
def tracebacks() -> Iterator[None]:
    """An error whose text nobody asked for would leave the process without tracebacks."""
    yield
    assert not hasattr(sys, "tracebacklimit")


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host process that has seen nothing, has been there for long, and has no settings but the stack's."""
    another_process(monkeypatch)
    monkeypatch.setattr(firing, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(firing, "SIBLINGS_SECONDS", 0.0)
    for name in [*os.environ]:
        if name.startswith(("TENCENTCLOUD_", "RUNS_")):
            monkeypatch.delenv(name)


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process knows of the stack is gone. Its intents are those with `earlier=True`."""
    memory = Memory()
    for module in (run_provider, fan_out_provider):
        monkeypatch.setattr(module, "MEMORY", memory)


@pytest.fixture
def run(cloud: Emulator) -> RunHost:
    return RunHost(cloud.url)


@pytest.fixture
def job(cloud: Emulator) -> JobHost:
    return JobHost(cloud.url, "job")
