"""Ordinary runs on each backend that a team may have, and with what Pulumi lets it leave out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.measure import Sample, Series
from bench.stage import LATENCY_MS, Project, clouds
from tests.support.emulator import Emulator
from tests.support.postgres import postgres, programs

SETTINGS = {
    "folder": {},
    "folder, zstd": {"PULUMI_DIY_BACKEND_ZSTD": "true"},
    "folder, no backups": {"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true"},
    "folder, parallel diff": {"PULUMI_PARALLEL_DIFF": "true"},
}


def backends(n: int, rounds: int) -> Series:
    """The first `up` of a new stack with N ordinary runs."""
    series = Series("backends", latency_ms=LATENCY_MS)
    with clouds() as cloud, ExitStack() as servers:
        contenders: dict[str, Callable[[], Sample]] = {
            name: partial(_up, cloud, n, **env) for name, env in SETTINGS.items()
        }
        bin = programs()
        url = servers.enter_context(postgres(bin)) if bin else ""
        nothing: Sample = {"skipped": "no PostgreSQL server is installed"}
        contenders["PostgreSQL"] = partial(_up, cloud, n, url) if url else lambda: nothing
        _up(cloud, 3)
        series.take(n, rounds, contenders)
    return series


def _up(cloud: Emulator, n: int, backend: str = "", **env: str) -> Sample:
    cloud.reset()
    with tempfile.TemporaryDirectory(prefix="cloud-runs-bench-") as folder:
        made = Project(Path(folder) / "stack", cloud, "runs", backend=backend, **env)
        sample = made.up(n)
        if backend:
            made.stack.pulumi("stack", "rm", "--force", "--yes", made.stack.name)
        return sample
