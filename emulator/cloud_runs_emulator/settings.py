"""What the command line sets, as one value that every part of the emulator is given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from cloud_runs_emulator.keys import DEFAULT_KEYS

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

DWR_ANSWERS = ("sdk", "page")
"""In whose shape Huawei DWR tells of executions: the vendor's sources contradict each other."""
DEFAULT_OBJECTS = ("input/a.mp4", "input/b.mp4", "input/c.mp4")


@dataclass(frozen=True, slots=True)
class Settings:
    """Behaviour of all systems.

    `run_seconds`: how long a run takes, in seconds. `latency`: seconds added to each answer of a cloud (never to admin
    answers). `list_lag`: seconds until a run shows in lists; a look at one run by its id is never late.
    `keys`: accepted access keys with their secret keys. `objects`: the object keys that every bucket holds; only
    inventory jobs read them, a run on one named object is accepted for any name. `dwr_answers`: one of DWR_ANSWERS.
    `clock` gives Unix seconds, `sleep` waits for seconds: for latency and ordered delays only, a run's state needs no
    waiting.
    """

    run_seconds: float = 3.0
    latency: float = 0.0
    list_lag: float = 0.0
    keys: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_KEYS))
    objects: tuple[str, ...] = DEFAULT_OBJECTS
    dwr_answers: str = DWR_ANSWERS[0]
    clock: Clock = time.time
    sleep: Sleep = asyncio.sleep
