"""The bars of what must be reached, read from the results."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.measure import Results

MANY = 10_000
IDEAL = "at most 1.25 x (empty `up` + 1,000 x 20 ms / 16)"
BESIDE_FLOOR = 1.25  # times 200 zero-work resources, for 100 ordinary runs


@dataclass(frozen=True)
class Bar:
    """`values`: one a round, none if it was not measured. `most`: what is measured may not be more than that, for a
    ratio its median, for a count (with its own `shown`) the worst round."""

    what: str
    bar: str
    most: float
    values: Sequence[float]
    shown: str = ""

    @property
    def measured(self) -> float | None:
        of = max if self.shown else statistics.median
        return of(self.values) if self.values else None

    @property
    def met(self) -> bool | None:
        return None if self.measured is None else self.measured <= self.most

    @property
    def row(self) -> tuple[str, str, str, str]:
        words = {None: "not measured", True: "yes", False: "**no**"}
        if self.measured is None:
            told = ""
        elif self.shown:
            told = self.shown.format(self.measured)
        else:
            shown = "{:.2f}" if self.measured >= 0.1 else "{:.3f}"
            middle, low, high = map(shown.format, (self.measured, min(self.values), max(self.values)))
            told = f"{middle} x ({low} to {high})" if len(self.values) > 1 else f"{middle} x"
        return self.what, self.bar, told, words[self.met]


def bars(results: Results) -> Iterator[Bar]:
    """In the order of the issue."""
    fan_out, ordinary = ("fan-out", 1000), ("ordinary runs", 100)
    first = "fan-out of 1,000 objects, whole `up`"
    naive = results.ratios("fire", fan_out, ("naive provider", 1000))
    yield Bar(first, "at most 1/15 of the naive provider's", 1 / 15, naive)
    terraform = results.ratios("fire", fan_out, ("Terraform local-exec", 1000))
    yield Bar(first, "at most 1/2 of Terraform's `local-exec`", 1 / 2, terraform)
    # what it would be if nothing but the empty `up` and the service took any time
    ideal = [time / (empty + 1000 * 0.020 / 16) for time, empty in results.pairs("ideal", fan_out, ("empty up", 1000))]
    yield Bar(first, IDEAL, 1.25, ideal)
    empty, script = ("empty up", 1000), ("vendor SDK in threads", 1000)
    beside = zip(*(results.values("fire", *one) for one in (fan_out, empty, script)), strict=False)
    sdk = [ours / (nothing + theirs) for ours, nothing, theirs in beside]
    yield Bar(first, "at most 1.05 x (empty `up` + the vendor's SDK in 16 threads)", 1.05, sdk)
    start = results.ratios("start", fan_out, ("urllib3", 1000))
    yield Bar("one start of it, processor time", "at most 2 x an unsigned POST of urllib3", 2, start)
    large = "fan-out of 10,000 objects"
    growth = results.ratios("large", ("many", MANY), ("few", MANY))
    yield Bar(large, "at most 12 x the time of 1,000", 12, growth)
    pairs = results.pairs("large", ("many", MANY), ("empty up, again", MANY))
    ideal = [time / (empty + MANY * 0.020 / 16) for time, empty in pairs]
    yield Bar(large, "at most 1.15 x (empty `up` + 10,000 x 20 ms / 16)", 1.15, ideal)
    memory = results.values("large", "many", MANY, "host_mb")
    yield Bar(large, "peak memory of the host under 300 MB", 300, memory, "{:.0f} MB")
    again = "second `up` with 10,000 objects, nothing changed"
    ratio = results.ratios("large", ("many, again", MANY), ("empty up, again", MANY))
    yield Bar(again, "at most 1.8 x an empty `up`", 1.8, ratio)
    yield Bar(again, "no request", 0, results.values("large", "many, again", MANY, "requests"), "{:.0f}")
    hundred = "100 ordinary runs, with their intents"
    floor = results.ratios("fire", ordinary, ("zero-work, 2 a run", 100))
    yield Bar(hundred, f"at most {BESIDE_FLOOR} x 200 zero-work resources", BESIDE_FLOOR, floor)
    for what, key, most in (("state", "state_kb", 1.3), ("program's processor time", "program_cpu", 1.3)):
        ratio = results.ratios("fire", ordinary, ("zero-work, 2 a run", 100), key)
        yield Bar(f"{hundred}: {what}", f"at most {most} x that of 200 zero-work resources", most, ratio)
    yield Bar(hundred, "at most 8 connections", 8, results.values("fire", *ordinary, "connections"), "{:.0f}")
    killed = "recovery of a killed fan-out of 1,000 objects"
    beyond = results.values("recovery", *fan_out, "beyond_missing")
    yield Bar(killed, "at most 25 requests beyond the missing starts", 25, beyond, "{:.0f}")
    yield Bar(killed, "no object twice", 0, results.values("recovery", *fan_out, "twice"), "{:.0f}")
    for system in ("Tencent", "Huawei"):
        time = results.ratios("signing", (f"{system}, ours", 1), (f"{system}, vendor", 1))
        yield Bar(f"signing, {system}", "at most the time of the vendor's SDK", 1, time)
    time = results.ratios("parsing", ("Tencent, ours", 100), ("Tencent, vendor", 100))
    yield Bar("parsing a page of 100 executions", "less time than the vendor's SDK", 1, time)
