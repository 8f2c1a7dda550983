"""One start of a fan-out, in processor time of this process: signed, sent, read and noted, beside an unsigned POST that
plain urllib3 sends to the same place, which the emulator refuses. Both in 16 threads, as a fan-out has them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from unittest import mock

import urllib3

from bench.measure import Sample, Series
from cloud_runs.kinds import Occasion
from cloud_runs.lifecycle import host, progress
from cloud_runs.lifecycle.bound import Requests
from cloud_runs.limits import Times
from cloud_runs.promise.fanning import FanOut
from cloud_runs.promise.rules import Work
from cloud_runs.tencent.workflow_run import WorkflowRun
from cloud_runs.wire.settings import Settings
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import BUCKET, WORKFLOW

THREADS = 16
URN = "urn:pulumi:test::bench::pulumi-python:dynamic/tencent:WorkflowFanOut::fan"
KEYS = {"TENCENTCLOUD_SECRET_ID": SECRET_ID, "TENCENTCLOUD_SECRET_KEY": SECRET_KEY}
ARGUMENTS = {"bucket": BUCKET, "region": "ap-beijing", "workflow_id": WORKFLOW}


def starts(n: int, rounds: int) -> Series:
    series = Series("start", unit="CPU seconds of one", threads=THREADS)
    with emulator() as cloud, engine_alive(), ThreadPoolExecutor(THREADS) as threads:
        pool = urllib3.PoolManager(maxsize=THREADS)
        url = f"{cloud.url}/triggerworkflow?workflowId=w&object=a.mp4"

        def post(_: int) -> int:
            return len(pool.request("POST", url, body=b"", headers={"Authorization": "q-sign"}, retries=False).data)

        contenders = {
            "fan-out": lambda: spent(lambda: fire(cloud, n), n),
            "urllib3": lambda: spent(lambda: list(threads.map(post, range(n))), n),
        }
        for contender in contenders.values():
            contender()  # what is made once
        series.take(n, rounds, contenders)
    return series


def fire(cloud: Emulator, n: int) -> None:
    kind = WorkflowRun._run_provider.kind
    settings = Settings({"runs:tencentEndpoint": cloud.url}.get)
    place = kind.place({**ARGUMENTS, "object": ""}, settings)
    keys = [f"videos/{number:05}.mp4" for number in range(n)]
    of = {key: kind.request({**ARGUMENTS, "object": key}, Occasion()) for key in keys}
    fleet = Requests(kind, kind.id_space(place), kind.client(place, settings), of)
    world = host.world(URN, Times(), host.Process(), many=True)
    result = FanOut(URN, fleet.space, Work(fire=keys), fleet, world, concurrency=THREADS, rate=None).run()
    assert len(result.ids) == n, next(iter(result.refused.items()))


@contextmanager
def engine_alive() -> Iterator[None]:
    """There is none here, and nobody to tell of the progress."""
    gone = mock.patch.object(progress, "engine_gone", return_value=False)
    with mock.patch.dict(os.environ, KEYS), gone, mock.patch.object(progress, "tell"):
        yield


def spent(work: Callable[[], object], n: int) -> Sample:
    began = time.process_time()
    work()
    return {"seconds": (time.process_time() - began) / n, "calls": n}
