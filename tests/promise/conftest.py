"""The service of these tests, empty, and a host process that is older than any doubt."""

from __future__ import annotations

import pytest

from tests.promise.kit import Cloud, Host


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def host(cloud: Cloud) -> Host:
    return Host(cloud)
