from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from cloud_runs.lifecycle import host, strays
from cloud_runs.promise import fanning, firing, given_up
from cloud_runs.promise.process import Process
from tests.kits import PREFIXES
from tests.provider.clock import old_process
from tests.provider.fan_stack import STACKS, FanStack
from tests.provider.host import JobHost, RunHost
from tests.provider.host_stack import HostStack
from tests.support.emulator import Emulator


@pytest.fixture(autouse=True)
def tracebacks() -> Iterator[None]:
    """An error whose text nobody asked for would leave the process without tracebacks."""
    yield
    assert not hasattr(sys, "tracebacklimit")


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet(monkeypatch)


def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host process that has seen nothing, has been there for long, and has no settings but the stack's."""
    another_process(monkeypatch)
    for module in (firing, fanning, given_up, strays):
        monkeypatch.setattr(module, "SIBLINGS_SECONDS", 0.0)
    for name in [*os.environ]:
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)


def another_process(monkeypatch: pytest.MonkeyPatch) -> Process:
    """What a process knows of the stack is gone. It is old enough for what an earlier one has started to show."""
    began = old_process(monkeypatch)
    monkeypatch.setattr(host, "this_process", lambda: began)
    return began


@pytest.fixture(params=STACKS.values(), ids=STACKS)
def stack(request: pytest.FixtureRequest, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> HostStack:
    made: HostStack = request.param(cloud, monkeypatch)
    return made


@pytest.fixture
def fan(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> FanStack:
    return FanStack(cloud, monkeypatch)


@pytest.fixture
def run(cloud: Emulator) -> RunHost:
    return RunHost(cloud.url)


@pytest.fixture
def job(cloud: Emulator) -> JobHost:
    return JobHost(cloud.url, "job")
