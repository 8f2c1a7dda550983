"""The clocks of this machine."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from cloud_runs.limits import since_boot

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux; one for each start of the kernel, whose clock it names


@functools.cache
def kernel() -> str:
    """The name of this start of the kernel; empty where the system does not tell."""
    try:
        return hashlib.sha256(_BOOT_ID.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


class Clock(NamedTuple):
    """The clocks of a machine. `boot` names the kernel, whose own clock `uptime` nobody sets."""

    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    monotonic: Callable[[], float] = time.monotonic
    boot: Callable[[], str] = kernel
    uptime: Callable[[], float] = since_boot
