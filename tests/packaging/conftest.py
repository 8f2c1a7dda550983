"""The sdist and the wheel of this checkout, built once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import installed


class Dist(NamedTuple):
    sdist: Path
    wheel: Path


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    """The wheel is built from the sdist, so that the sdist is known to be whole."""
    folder = tmp_path_factory.mktemp("dist")
    sdist = installed.build("sdist", installed.copy_checkout(folder / "checkout"), folder / "made")
    installed.run(["tar", "xf", str(sdist)], folder)
    return Dist(sdist, installed.build("wheel", folder / sdist.name.removesuffix(".tar.gz"), folder / "made"))
