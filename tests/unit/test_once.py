"""What a host process has once, though its first calls come from four threads in the same moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

AT_ONCE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from {module} import {name}

sys.setswitchinterval(1e-6)
together = threading.Barrier(4)
with ThreadPoolExecutor(4) as pool:
    found = list(pool.map(lambda _: (together.wait(), {name}())[1], range(4)))
assert len(set(map(id, found))) == 1, found
"""


@pytest.mark.parametrize(
    ("module", "name"), [("cloud_runs.lifecycle.host", "this_process"), ("cloud_runs.wire.transport", "shared")]
)
def test_threads_whose_first_calls_come_at_once_get_the_same(module: str, name: str) -> None:
    subprocess.run([sys.executable, "-c", AT_ONCE.format(module=module, name=name)], check=True)
