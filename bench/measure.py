"""Samples, taken in turn (A B C A B C ...), and what is made of them: medians, and ratios pair by pair.

A machine's speed drifts while it is measured, so a ratio is taken only of two samples of the same round.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

Sample = dict[str, Any]
"""`seconds`, and what else was counted; or `skipped`, with the reason."""
Contenders = Mapping[str, Callable[[], Sample]]


class Series:
    """The samples of one series, by contender and size; as JSON in `<folder>/<name>.json`."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.name = name
        self.settings = settings
        self.rows: list[dict[str, Any]] = []

    def take(self, n: int, rounds: int, contenders: Contenders) -> None:
        """`rounds` samples of each contender at size `n`, in turn. One that is skipped once is not tried again."""
        samples: dict[str, list[Sample]] = {name: [] for name in contenders}
        for number in range(1, rounds + 1):
            for name, sample in contenders.items():
                if samples[name] and "skipped" in samples[name][0]:
                    continue
                taken = sample()
                samples[name].append(taken)
                told = f"{taken['seconds']:8.3f} s" if "seconds" in taken else f"  skipped: {taken['skipped']}"
                print(f"{self.name:10} n={n:<6} {number}/{rounds} {name:24} {told}", file=sys.stderr, flush=True)
        self.rows += [{"contender": name, "n": n, "samples": taken} for name, taken in samples.items()]

    def write(self, folder: Path) -> None:
        about = {"taken": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine(), **self.settings}
        text = json.dumps({"series": self.name, **about, "rows": self.rows}, indent=1)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.json").write_text(text + "\n")


class Results:
    """What `Series.write` wrote."""

    def __init__(self, folder: Path) -> None:
        self.series: dict[str, dict[str, Any]] = {
            path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))
        }

    def samples(self, series: str, contender: str, n: int) -> list[Sample]:
        """In the order of the rounds; empty if it was not measured."""
        rows = self.series.get(series, {}).get("rows", [])
        found = [row["samples"] for row in rows if (row["contender"], row["n"]) == (contender, n)]
        return [sample for sample in found[0] if "skipped" not in sample] if found else []

    def sizes(self, series: str, contender: str) -> list[int]:
        rows = self.series.get(series, {}).get("rows", [])
        return sorted(row["n"] for row in rows if row["contender"] == contender and "skipped" not in row["samples"][0])

    def values(self, series: str, contender: str, n: int, what: str = "seconds") -> list[float]:
        """One a round; a round in which it was not seen is left out."""
        return [sample[what] for sample in self.samples(series, contender, n) if sample.get(what) is not None]

    def median(self, series: str, contender: str, n: int, what: str = "seconds") -> float | None:
        values = self.values(series, contender, n, what)
        return statistics.median(values) if values else None

    def pairs(
        self, series: str, first: tuple[str, int], second: tuple[str, int], what: str = "seconds"
    ) -> list[tuple[float, float]]:
        """What was measured of both, round by round."""
        return list(zip(self.values(series, *first, what), self.values(series, *second, what), strict=False))

    def ratios(
        self, series: str, first: tuple[str, int], second: tuple[str, int], what: str = "seconds"
    ) -> list[float]:
        """first / second, pair by pair."""
        return [a / b for a, b in self.pairs(series, first, second, what)]

    def ratio(self, series: str, first: tuple[str, int], second: tuple[str, int]) -> float | None:
        """The median of these."""
        found = self.ratios(series, first, second)
        return statistics.median(found) if found else None


def machine() -> dict[str, Any]:
    return {"cores": len(os.sched_getaffinity(0)), "system": platform.system(), "python": platform.python_version()}


def timed(work: Callable[[], object]) -> float:
    """Seconds on the wall."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def calls(work: Callable[[], object], seconds: float = 0.2) -> Sample:
    """What one call takes, in seconds of this process's CPU: as many calls as fit into `seconds`."""
    work()
    count, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        for _ in range(10):
            work()
        count += 10
    return {"seconds": spent / count, "per_second": round(count / spent), "calls": count}
