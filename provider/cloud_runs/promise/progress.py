"""How far many runs are, in one short line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from cloud_runs.promise.outcomes import span


def line(done: int, of: int, failed: int, ages: Sequence[float | None], took: Sequence[float]) -> str:
    """`7/12 done, 1 FAILED, 4 running, about 2m left`.

    `done`: all that ended, those that `failed` too. `ages`: for how many seconds the others have been going, as far as
    that is known; `took`: how long those took that ended. A run is taken to need as long as the median of these.
    """
    parts = [f"{done}/{of} done"]
    parts += [f"{failed} FAILED"] if failed else []
    parts += [f"{len(ages)} running"] if ages else []
    left = _left(ages, took)
    return ", ".join([*parts, f"about {span(left)} left"] if left else parts)


def _left(ages: Sequence[float | None], took: Sequence[float]) -> float:
    """Seconds until the last of them ends, rounded so that it does not flicker; 0 if nothing can be said."""
    known = [age for age in ages if age is not None]
    if not took or not known:
        return 0.0
    seconds = max(median(took) - min(known), 0.0)
    unit = 60 if seconds >= 120 else 10
    return float(unit * round(seconds / unit))
