"""A host process for which pauses pass at once: its own clock goes on by them, and nobody waits."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from cloud_runs.enos import tokens
from cloud_runs.lifecycle.interrupts import Stop
from cloud_runs.promise import looking
from cloud_runs.promise.clock import Clock
from cloud_runs.promise.process import Process


def old_process(monkeypatch: pytest.MonkeyPatch) -> Process:
    """It has been there for an hour, so that what an earlier one has started is in the lists, and remembers nothing."""
    skipped = [0.0]

    def pass_by(stop: Stop, seconds: float) -> None:
        skipped[0] += seconds
        stop.check()

    monkeypatch.setattr(looking, "BESIDE", timedelta(seconds=-1))  # here two `up`s may be within one second
    monkeypatch.setattr(tokens, "_sessions", {})  # what one has fired at EnOS
    monkeypatch.setattr(Stop, "sleep", pass_by)
    monkeypatch.setattr(Stop, "pause", lambda stop, seconds: skipped.__setitem__(0, skipped[0] + seconds))
    process = Process(Clock(monotonic=lambda: time.monotonic() + skipped[0]))
    process.began -= 3600
    return process
