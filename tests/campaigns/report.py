"""What a campaign counted, and what it found."""

from __future__ import annotations

import threading
import time
from collections import Counter


class Report:
    """Counts under headings, and breaches of the promise. Safe for threads."""

    def __init__(self, title: str, seed: int) -> None:
        self.title, self.seed = title, seed
        self.found: list[str] = []
        self._counts: dict[str, Counter[str]] = {}
        self._least: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def count(self, heading: str, what: str, more: int = 1) -> None:
        with self._lock:
            self._counts.setdefault(heading, Counter())[what] += more

    def total(self, heading: str) -> int:
        with self._lock:
            return sum(self._counts.get(heading, Counter()).values())

    def counts(self, heading: str) -> Counter[str]:
        with self._lock:
            return Counter(self._counts.get(heading))

    def least(self, heading: str, amount: int, *whats: str) -> None:
        """So much must be counted of each of these, in all if none is named: what was only skipped has not held."""
        for what in whats or ("",):
            self._least[heading, what] = amount

    def lacking(self, under: str = "") -> list[str]:
        """What was counted less often than it must be, of one heading or of all."""
        return [
            f"{heading}{f', {what}' if what else ''}: {found} of at least {least}"
            for (heading, what), least in self._least.items()
            if under in ("", heading) and (found := self.counts(heading)[what] if what else self.total(heading)) < least
        ]

    def breach(self, text: str, context: str = "") -> None:
        """`context` is what the last command printed."""
        with self._lock:
            self.found.append(f"{text}\n{context}")
        print(f"BREACH {text}\n{context}", flush=True)

    def text(self) -> str:
        minutes = (time.monotonic() - self._began) / 60
        lines = [f"{self.title}: seed {self.seed}, {minutes:.0f} minutes, {len(self.found)} breaches"]
        for heading in sorted(self._counts):
            lines.append(f"  {heading}: {self.total(heading)}")
            lines += [f"    {count:5} {what}" for what, count in sorted(self._counts[heading].items())]
        lines += [f"  NOT ENOUGH {text}" for text in self.lacking()]
        return "\n".join(lines)
