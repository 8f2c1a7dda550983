"""The bars of what must be reached, read from the results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.measure import Results


@dataclass(frozen=True)
class Bar:
    """`measured` is None if it was not measured; `most`: the measured figure may not be more than that."""

    what: str
    bar: str
    most: float
    measured: float | None
    shown: str = "{:.2f} x"

    @property
    def met(self) -> bool | None:
        return None if self.measured is None else self.measured <= self.most

    @property
    def row(self) -> tuple[str, str, str, str]:
        words = {None: "not measured", True: "yes", False: "**no**"}
        told = "" if self.measured is None else self.shown.format(self.measured)
        return self.what, self.bar, told, words[self.met]


def bars(results: Results) -> Iterator[Bar]:
    """In the order of the issue."""
    fan_out, ordinary = ("fan-out", 1000), ("ordinary runs", 100)
    first = "fan-out of 1,000 objects, whole `up`"
    naive = results.ratio("fire", fan_out, ("naive provider", 1000))
    yield Bar(first, "at most 1/15 of the naive provider's", 1 / 15, naive, "{:.3f} x")
    terraform = results.ratio("fire", fan_out, ("Terraform local-exec", 1000))
    yield Bar(first, "at most 1/2 of Terraform's `local-exec`", 1 / 2, terraform)
    yield Bar(first, "at most 1.5 x (empty `up` + 1,000 x 20 ms / 16)", 1.5, _over_ideal(results))
    many, few = (results.median("large", name, MANY) for name in ("many", "few"))
    growth = many / few if many and few else None
    large = "fan-out of 10,000 objects"
    yield Bar(large, "at most 12 x the time of 1,000", 12, growth)
    yield Bar(large, "peak memory of the host under 300 MB", 300, _worst(results, "many", "host_mb"), "{:.0f} MB")
    again = "second `up` with 10,000 objects, nothing changed"
    ratio = results.ratio("large", ("many, again", MANY), ("empty up, again", MANY))
    yield Bar(again, "at most 2.5 x an empty `up`", 2.5, ratio)
    yield Bar(again, "no request", 0, _worst(results, "many, again", "requests"), "{:.0f}")
    hundred = "100 ordinary runs, with their intents"
    floor = results.ratio("fire", ordinary, ("zero-work, 2 a run", 100))
    yield Bar(hundred, "at most 1.15 x 200 zero-work resources", 1.15, floor)
    documented = results.ratio("fire", ordinary, ("zero-work in the program, 2 a run", 100))
    yield Bar(hundred, "the same, their provider in the program, as documented", 1.15, documented)
    connections = results.median("fire", *ordinary, "connections")
    yield Bar(hundred, "at most 8 connections", 8, connections, "{:.0f}")
    killed = "recovery of a killed fan-out of 1,000 objects"
    beyond = [sample["beyond_missing"] for sample in results.samples("recovery", *fan_out)]
    yield Bar(killed, "at most 25 requests beyond the missing starts", 25, max(beyond, default=None), "{:.0f}")
    twice = [sample["twice"] for sample in results.samples("recovery", *fan_out)]
    yield Bar(killed, "no object twice", 0, max(twice, default=None), "{:.0f}")
    for system in ("Tencent", "Huawei"):
        time = results.ratio("signing", (f"{system}, ours", 1), (f"{system}, vendor", 1))
        yield Bar(f"signing, {system}", "at most the time of the vendor's SDK", 1, time)
    time = results.ratio("parsing", ("Tencent, ours", 100), ("Tencent, vendor", 100))
    yield Bar("parsing a page of 100 executions", "less time than the vendor's SDK", 1, time)


MANY = 10_000


def _over_ideal(results: Results) -> float | None:
    """The fan-out's time by what it would be if nothing but the empty `up` and the service took any."""
    time, empty = (results.median("fire", name, 1000) for name in ("fan-out", "empty up"))
    return time / (empty + 1000 * 0.020 / 16) if time and empty else None


def _worst(results: Results, contender: str, what: str) -> float | None:
    found = [sample[what] for sample in results.samples("large", contender, MANY)]
    return max((value for value in found if value is not None), default=None)
