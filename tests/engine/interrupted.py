"""How the tests interrupt an `up` at a chosen moment."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.emulator import Emulator
from tests.support.stack import Stack


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def kill_after_start(
    stack: Stack,
    cloud: Emulator,
    *source: str,
    flags: tuple[str, ...] = (),
    system: str = "tencent.workflow",
    foreign: bool = False,
) -> str:
    """An `up` whose engine and host are killed between POST and checkpoint. The id of the run that it fired.

    With `foreign` somebody else starts the same work just before.
    """
    (id,) = kill_after_starts(stack, cloud, {system: 1}, *source, flags=flags, foreign=foreign)
    return id


def kill_after_starts(
    stack: Stack,
    cloud: Emulator,
    counts: Mapping[str, int],
    *source: str,
    flags: tuple[str, ...] = (),
    foreign: bool = False,
) -> set[str]:
    """The same, with so many starts by system. Of no more than four resources, as the host makes four at a time."""
    before = set(cloud.ids())
    for system, times in counts.items():
        where = {"system": system, "operation": "start", "times": times}
        others = [{**where, "action": "foreign_run"}] if foreign else []
        cloud.faults(*others, {**where, "action": "delay", "seconds": 60, "after_effect": True})
    process = stack.start(*source, flags=flags)
    wait_until(lambda: len(cloud.ids()) == len(before) + sum(counts.values()))
    stack.kill()
    process.wait(timeout=30)
    return set(cloud.ids()) - before


def mint_only(stack: Stack, name: str = "run", *source: str) -> None:
    """An `up` that ends after the intent is on record and before the run is fired: its token is now an earlier up's."""
    urn = f"urn:pulumi:{stack.name}::tests::pulumi-python:dynamic/runs:Intent::{name}-intent"
    stack.up(*source, flags=("--target", urn))


def refuse(cloud: Emulator, system: str = "tencent.workflow", times: int = 1) -> None:
    """The next start is refused before anything runs."""
    cloud.fault(system, "start", "status", status=400, code="MediaBucketUnBinded", message="not enabled", times=times)


def kill_engine_alone(stack: Stack) -> None:
    """SIGKILL to the engine and the program; the dynamic host goes on as an orphan."""
    for pid in stack.processes():
        with contextlib.suppress(OSError):  # it may end by itself meanwhile
            if b"pulumi.dynamic" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


def hosts(stack: Stack) -> list[int]:
    """The dynamic hosts that work for a stack."""
    found = []
    for pid in stack.processes():
        with contextlib.suppress(OSError):
            if b"pulumi.dynamic" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found
