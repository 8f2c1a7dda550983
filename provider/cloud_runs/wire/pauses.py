"""When a question is asked again, and pauses that end when the user gives up."""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Callable, Mapping

from cloud_runs.limits import Limit

TRIES = {"connect": 2, "lost": 3, "status": 4, "body": 2, "never": 0}
"""How often a question is asked again, by what came of it."""
AGAIN = 4  # times in all
RETRY_AFTER_SECONDS = 10.0  # more than this is not waited for between two tries
NAP = 0.25  # seconds between two looks at whether the user has interrupted a pause


def nap(seconds: float, limit: Limit, sleep: Callable[[float], None]) -> None:
    """Sleeps so long. Raises as `limit.check` does, soon after there is no time left or the user has given up."""
    while seconds > 0:
        limit.check()
        piece = min(NAP, seconds) if limit.watched else seconds
        sleep(piece)
        seconds -= piece


class Tries:
    """How often one question may still be asked again, and after which pause. `left` gives the seconds for it all."""

    def __init__(self, backoff: float, left: Callable[[], float]) -> None:
        self._backoff, self._time_left = backoff, left
        self._left, self._used = dict(TRIES), 0

    def pause(self, cause: str, after: float | None = None) -> float | None:
        """Seconds, `after` if the service asks for that; None if there is no other try."""
        wait = self._backoff * 2**self._used * random.uniform(0.75, 1.25) if after is None else after
        return wait if self._left[cause] and self._used < AGAIN and wait < self._time_left() else None

    def again(self, cause: str, after: float | None = None) -> float | None:
        """As `pause`, and it counts as used."""
        wait = self.pause(cause, after)
        if wait is not None:
            self._left[cause] -= 1
            self._used += 1
        return wait


def asked_for(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` asks for, a number or a date; None if it says nothing that can be read."""
    told = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", told, re.ASCII):
        return min(float(told), RETRY_AFTER_SECONDS)
    try:
        wait = email.utils.parsedate_to_datetime(told).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return min(max(wait, 0.0), RETRY_AFTER_SECONDS)
