"""What a user's files may be called: a `provider` and an `emulator` of their own are in nobody's way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.emulator import Emulator
from tests.support.stack import Stack, run

pytestmark = pytest.mark.engine

# An import by anything but the program fails.
OWN = """import sys
if not any("pulumi-language-python-exec" in word for word in sys.orig_argv):
    raise ImportError("this is the user's own, and nobody else's")
NAME = "{name}.mp4"
"""
PROGRAM = "import emulator, provider\n" + run(object="=provider.NAME", triggers="={'of': emulator.NAME}")


def test_a_provider_and_an_emulator_of_the_user_s_own(stack: Stack, cloud: Emulator) -> None:
    """A module, then a package in its place. The host of dynamic resources has the folder first on its path."""
    module, package = stack.project / "provider.py", stack.project / "provider"
    (stack.project / "emulator").mkdir()
    (stack.project / "emulator" / "__init__.py").write_text(OWN.format(name="other"))
    module.write_text(OWN.format(name="mine"))
    stack.up(PROGRAM)
    assert [fired["request"]["query"]["object"] for fired in cloud.runs()] == ["mine.mp4"]

    package.mkdir()
    module.rename(package / "__init__.py")
    stack.up()
    assert cloud.ids() == [stack.id()]
    for command in (["cloud-runs"], ["python", "-m", "cloud_runs"]):
        told = subprocess.run(
            [Path(sys.executable).with_name(command[0]), *command[1:], "status", "--json", "--stack", stack.name],
            cwd=stack.project,
            env=stack.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert [entry["id"] for entry in json.loads(told.stdout)["runs"]] == [stack.id()], told.stderr
    stack.destroy()
    assert len(cloud.ids()) == 1
