"""Series of whole `up`s: starting runs, over TLS too, an `up` with nothing to do, and one after a kill."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench.measure import Sample, Series
from bench.stage import LATENCY_MS, Project, clouds, counted, profiled, project, script, terraform, up
from bench.tls import tls
from tests.support.emulator import Emulator

THREADS = 16  # of the fan-out, the script and Terraform alike; a dynamic provider has the four of Pulumi's host
SLOW = 100  # resources; beyond that the engine takes minutes for two of them a run

# What makes the state of 200 zero-work resources as large as that of 100 ordinary runs, 694 kB in place of 380 kB, and
# in as many values, since what the engine takes depends on both: a run and its intent have 57 in inputs and outputs;
# two zero-work resources have 8, and these are 48, as outputs repeat inputs. `state_kb` shows if it still is so.
PADDING = {"BENCH_VALUES": "12", "BENCH_LENGTH": "56"}


def fire(sizes: Iterable[int], rounds: Callable[[int], int], long: bool) -> Series:
    """Starting N runs, every way. The second floor has two resources a run: an ordinary run has an intent."""
    series = Series("fire", latency_ms=LATENCY_MS, threads=THREADS)
    with clouds() as cloud:
        for program in ("naive", "runs", "fan_out"):  # what is read for the first time
            up(cloud, program, 3)
        for n in sizes:
            contenders: dict[str, Callable[[], Sample]] = {
                "empty up": partial(up, cloud, "empty", 0),
                "fan-out": partial(up, cloud, "fan_out", n),
                "vendor SDK in threads": partial(script, cloud, n, THREADS),
                "Terraform local-exec": partial(terraform, cloud, n, THREADS),
                "naive provider": partial(up, cloud, "naive", n),
                "zero-work": partial(up, cloud, "floor", n),
            }
            if n <= SLOW or long:
                contenders["ordinary runs"] = partial(up, cloud, "runs", n)
                contenders["zero-work, 2 a run"] = partial(up, cloud, "floor", 2 * n)
            if n <= SLOW:  # Pulumi's SDK cannot do many more
                padded = partial(up, cloud, "floor", 2 * n, **PADDING)
                contenders["zero-work, 2 a run, as large a state"] = padded
                contenders["zero-work in the program, 2 a run"] = partial(up, cloud, "floor_inline", 2 * n)
            series.take(n, rounds(n), contenders)
    return series


def ideal(n: int, rounds: int) -> Series:
    """A fan-out beside an empty `up`, in more rounds than `fire` has: what it takes beyond the service's own time."""
    series = Series("ideal", latency_ms=LATENCY_MS, threads=THREADS)
    with clouds() as cloud:
        up(cloud, "fan_out", 3)  # what is read for the first time
        series.take(
            n, rounds, {"empty up": partial(up, cloud, "empty", 0), "fan-out": partial(up, cloud, "fan_out", n)}
        )
    return series


def profile(n: int, rounds: int) -> Series:
    """Where the time of the engine and of the program goes, for ordinary runs and for as many zero-work resources."""
    series = Series("profile", latency_ms=LATENCY_MS)
    with clouds() as cloud:
        contenders = {
            "ordinary runs": partial(profiled, cloud, "runs", n),
            "zero-work, 2 a run": partial(profiled, cloud, "floor", 2 * n),
        }
        series.take(n, rounds, contenders)
    return series


def over_tls(n: int, rounds: Callable[[int], int]) -> Series:
    """The same over TLS, where a connection costs more than its packets."""
    series = Series("tls", latency_ms=LATENCY_MS, threads=THREADS)
    with clouds() as cloud, tls(cloud.url) as (endpoint, bundle):
        programs = {"naive provider": "naive", "ordinary runs": "runs", "fan-out": "fan_out"}
        contenders = {
            name: partial(up, cloud, program, n, endpoint, REQUESTS_CA_BUNDLE=bundle)
            for name, program in programs.items()
        }
        series.take(n, rounds(n), contenders)
    return series


def large(few: int, many: int, rounds: Callable[[int], int]) -> Series:
    """A fan-out of few and of many objects, and a second `up` of the latter, in which nothing has changed."""
    series = Series("large", latency_ms=LATENCY_MS, threads=THREADS)
    with clouds() as cloud, project(cloud, "empty") as empty, contextlib.ExitStack() as stacks:
        empty.up(0)
        latest: list[Project] = []

        def first() -> Sample:
            stacks.close()
            cloud.reset()
            latest[:] = [stacks.enter_context(project(cloud, "fan_out"))]
            return latest[0].up(many)

        contenders: dict[str, Callable[[], Sample]] = {
            "empty up, again": partial(empty.up, 0),
            "few": partial(up, cloud, "fan_out", few),
            "many": first,
            "many, again": lambda: latest[0].up(many),
        }
        series.settings |= {"few": few, "many": many}
        series.take(many, rounds(many), contenders)
    return series


def recovery(n: int, rounds: Callable[[int], int]) -> Series:
    """A fan-out that is killed half-way, and the `up` after it."""
    series = Series("recovery", latency_ms=LATENCY_MS, threads=THREADS)
    with clouds() as cloud:
        series.take(n, rounds(n), {"fan-out": partial(_recovered, cloud, n)})
    return series


def _recovered(cloud: Emulator, n: int) -> Sample:
    cloud.reset()
    with tempfile.TemporaryDirectory(prefix="cloud-runs-bench-") as folder:
        made = Project(Path(folder) / "stack", cloud, "fan_out")
        process = made.start(n)
        while counted(cloud)["requests"] < n // 2 and process.poll() is None:
            time.sleep(0.01)
        made.stack.kill_processes()
        process.communicate()
        made.stack.unlock()
        time.sleep(1)  # what was on its way arrives
        started = len(cloud.runs())
        sample = made.up(n)
        runs = cloud.runs()
    return {
        **sample,
        "started_before": started,
        "beyond_missing": sample["requests"] - (n - started),
        "runs": len(runs),
        "twice": twice(runs, n),
    }


def twice(runs: Iterable[Mapping[str, Any]], n: int) -> int:
    """How many runs there are beyond one for each object. Raises RuntimeError if not each of n objects has one."""
    objects = [run["request"]["query"]["object"] for run in runs]
    if len(set(objects)) != n:
        raise RuntimeError(f"{len(set(objects))} of {n} objects have a run")
    return len(objects) - n
