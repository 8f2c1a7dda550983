"""Ordinary runs on each backend that a team may have, and with what Pulumi lets it leave out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from bench.measure import Sample, Series
from bench.stage import LATENCY_MS, clouds, project, up
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
            name: partial(up, cloud, "runs", n, **env) for name, env in SETTINGS.items()
        }
        bin = programs()
        url = servers.enter_context(postgres(bin)) if bin else ""
        nothing: Sample = {"skipped": "no PostgreSQL server is installed"}
        contenders["PostgreSQL"] = partial(_in_database, cloud, n, url) if url else lambda: nothing
        up(cloud, "runs", 3)
        series.take(n, rounds, contenders)
    return series


def _in_database(cloud: Emulator, n: int, url: str) -> Sample:
    """All rounds share the database, and stacks have one name."""
    cloud.reset()
    with project(cloud, "runs", backend=url) as made:
        sample = made.up(n)
        made.stack.pulumi("stack", "rm", "--force", "--yes", made.stack.name)
    return sample
