"""Waiting for many runs: our look at all of them against one question a run. The same loop, threads and connections."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench.measure import Sample, Series
from bench.stage import LATENCY_MS, clouds, counted
from cloud_runs.limits import Leave
from cloud_runs.promise.waiting import Watch, wait
from cloud_runs.runs import Reference, RunStatus, Untold
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.wire.looks import together
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Transport
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator

RUN_SECONDS = 8.0
INTERVAL = 2.0  # seconds; a Completion has 10, but then it is chance how soon after the end a look comes
PLACE = Reference("tencent.workflow", "ap-beijing", "media-1250000000", "")
WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799"

Ask = Callable[[WorkflowClient, Collection[str]], Mapping[str, RunStatus | Untold]]


def waiting(sizes: Iterable[int], rounds: Callable[[int], int]) -> Series:
    series = Series("waiting", latency_ms=LATENCY_MS, run_seconds=RUN_SECONDS)
    asks: dict[str, Ask] = {
        "ours": lambda client, ids: client.get_many(ids),
        "one question a run": lambda client, ids: together(client.get, ids),
    }
    with clouds(RUN_SECONDS) as cloud:
        for n in sizes:
            series.take(n, rounds(n), {name: partial(_waited, cloud, n, ask) for name, ask in asks.items()})
    return series


def _waited(cloud: Emulator, n: int, ask: Ask) -> Sample:
    """How long after the end of the last run it is known, and how many requests that took.

    `going`: those of the first look, while all of them go on. In a wait of an hour these are nearly all.
    """
    cloud.reset()
    client = WorkflowClient(
        Transport(), Credentials(SECRET_ID, SECRET_KEY), region=PLACE.region, bucket=PLACE.scope, endpoint=cloud.url
    )
    with ThreadPoolExecutor(8) as pool:
        started = pool.map(
            lambda number: client.start(WorkflowRequest(WORKFLOW, f"{number:05}.mp4"), Leave(lambda: True)).id, range(n)
        )
        watch = Watch(Reference(PLACE.system, PLACE.region, PLACE.scope, id) for id in started)
    end = time.monotonic() + RUN_SECONDS
    before, began = counted(cloud)["requests"], time.process_time()
    looks: list[int] = []
    in_time = wait(
        watch,
        lambda places: {place: ask(client, ids) for place, ids in places.items()},
        timeout=120.0,
        interval=INTERVAL,
        clock=time.monotonic,
        sleep=time.sleep,
        jitter=random.Random(1).random,
        tell=lambda watch, waited: looks.append(counted(cloud)["requests"] - before),
    )
    assert in_time
    assert watch.tally.succeeded == n
    return {
        "seconds": round(time.monotonic() - end, 3),
        "cpu_seconds": round(time.process_time() - began, 3),
        "looks": len(looks),
        "requests": looks[-1],
        "going": looks[0],
    }
