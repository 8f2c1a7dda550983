"""The two backends that a team can share without Pulumi's service: a PostgreSQL server, and a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.emulator import Emulator
from tests.support.postgres import postgres, programs
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    bin = programs()
    if bin is None:
        pytest.skip("needs a PostgreSQL server: Debian's package postgresql")
    with postgres(bin) as url:
        yield url


@pytest.fixture(params=["postgres", pytest.param("file", marks=pytest.mark.long)])
def backend(request: pytest.FixtureRequest) -> str:
    """The URL of a shared backend; empty for the stack's own folder."""
    return str(request.getfixturevalue("database")) if request.param == "postgres" else ""


@pytest.fixture
def team(tmp_path: Path, cloud: Emulator, backend: str) -> tuple[Stack, Stack]:
    """Two checkouts of one project in different folders, with the same stack."""
    mine = Stack(tmp_path / "mine", cloud, name=tmp_path.name, backend=backend)
    return mine, mine.checkout(tmp_path / "yours")
