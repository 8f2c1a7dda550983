"""Pauses that end when the user gives up."""

from __future__ import annotations

from collections.abc import Callable

from cloud_runs.limits import Limit

NAP = 0.25  # seconds between two looks at whether the user has interrupted a pause


def nap(seconds: float, limit: Limit, sleep: Callable[[float], None]) -> None:
    """Sleeps so long. Raises as `limit.check` does, soon after there is no time left or the user has given up."""
    while seconds > 0:
        limit.check()
        piece = min(NAP, seconds) if limit.watched else seconds
        sleep(piece)
        seconds -= piece
