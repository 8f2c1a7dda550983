"""Real emulators for the tests: one that all share, emptied before each, and others with flags of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from emulator_process import Server
from hostile_bench import CLOUDS, Cloud


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Starts emulators with flags; they end with the test."""
    servers: list[Server] = []

    def make(*flags: str) -> Server:
        servers.append(Server(*flags))
        return servers[-1]

    yield make
    for server in servers:
        if server.process.returncode is None:
            assert server.stop() == (0, "")


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """The emulator that tests without special flags share."""
    server = Server()
    yield server
    assert server.stop() == (0, "")


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The shared emulator, emptied."""
    shared_server.admin("reset", {})
    return shared_server


@pytest.fixture(params=CLOUDS, ids=lambda make: make.system)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each system in turn, in an emulator without a network."""
    made: Cloud = request.param()
    return made
