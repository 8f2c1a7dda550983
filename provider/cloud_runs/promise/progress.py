"""How far many runs are, in one short line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from cloud_runs.promise.outcomes import lasted, span
from cloud_runs.promise.waiting import Watch


def line(
    done: int,
    of: int,
    failed: int,
    ages: Sequence[float | None],
    took: Sequence[float],
    waited: float | None = None,
) -> str:
    """`7/12 done, 1 FAILED, 4 running, about 2m left`.

    `done`: those that succeeded. `ages`: for how many seconds those have been going that have not ended, as far as that
    is known; `took`: how long those took that ended. A run is taken to need as long as the median of these. `waited`
    seconds are shown where that tells nothing, so that a line does not look frozen.
    """
    parts = [f"{done}/{of} done"]
    parts += [f"{failed} FAILED"] if failed else []
    parts += [f"{len(ages)} running"] if ages else []
    if left := _left(ages, took):
        parts.append(f"about {span(left)} left")
    elif waited is not None:
        parts.append(span(int(waited)))
    return ", ".join(parts)


def took(watch: Watch) -> list[float]:
    """For how many seconds each run went on that has ended, as far as its service tells."""
    ended = [run.status for run in watch.runs.values() if run.ended and run.status]
    return [seconds for status in ended if (seconds := lasted(status)) is not None]


def _left(ages: Sequence[float | None], took: Sequence[float]) -> float:
    """Seconds until the last of them ends, rounded so that it does not flicker; 0 if nothing can be said."""
    known = [age for age in ages if age is not None]
    if not took or not known:
        return 0.0
    seconds = max(median(took) - min(known), 0.0)
    unit = 60 if seconds >= 120 else 10
    return float(unit * round(seconds / unit))
