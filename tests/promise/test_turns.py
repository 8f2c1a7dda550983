"""A run and a fan-out of the same work in one process: a start under way is in nobody's record yet, so that a look of
another would take its run. They take turns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from cloud_runs.limits import Leave
from cloud_runs.promise.rules import Doubt
from cloud_runs.runs import Found, Started
from tests.promise.kit import TWIN, Cloud, Fleet, Host, Request
from tests.promise.test_before_fanning import earlier
from tests.promise.test_fanning import KEYS

T = TypeVar("T")


def test_a_look_waits_for_a_start_of_the_same_work(cloud: Cloud) -> None:
    """Else it takes the run that is being started, and two asks come to one run."""
    moment = earlier(cloud, [])
    host = Host(cloud)
    effect, looked = threading.Event(), threading.Event()

    class Slow(Request):
        def start(self, leave: Leave) -> Started:
            started = super().start(leave)
            effect.set()
            assert not looked.wait(0.3), "a look while the answer is under way"
            return started

    class Watched(Fleet):
        def find(self, *asked: Any) -> Found:
            looked.set()
            return super().find(*asked)

    run = in_thread(lambda: host.create(host.mint(), urn=TWIN, request=Slow(cloud, work="0.mp4")))
    assert effect.wait(20)
    fanned = host.fan([], Doubt(["0.mp4"], [moment]), fleet=Watched(cloud, host))
    assert fanned.ids["0.mp4"] != run.result(20).id
    assert cloud.counts() == {"0.mp4": 2}


def test_a_start_waits_for_a_look_of_the_same_work(cloud: Cloud) -> None:
    moment = earlier(cloud, [])
    host = Host(cloud)
    looking, started = threading.Event(), threading.Event()

    class Watched(Request):
        def start(self, leave: Leave) -> Started:
            started.set()
            return super().start(leave)

    class Slow(Fleet):
        def find(self, *asked: Any) -> Found:
            looking.set()
            assert not started.wait(0.3), "a start while the list is under way"
            return super().find(*asked)

    fan = in_thread(lambda: host.fan([], Doubt(["0.mp4"], [moment]), fleet=Slow(cloud, host)))
    assert looking.wait(20)
    run = host.create(host.mint(), urn=TWIN, request=Watched(cloud, work="0.mp4"))
    assert fan.result(20).ids["0.mp4"] != run.id
    assert cloud.counts() == {"0.mp4": 2}


def test_a_start_of_a_fan_out_waits_for_a_run_that_looks_for_its_lost_answer(cloud: Cloud) -> None:
    """Else the look shows two runs, of which one is on no record yet."""
    host = Host(cloud)
    cloud.of["0.mp4"] = ["lost"]
    looking, effect, listed = threading.Event(), threading.Event(), threading.Event()

    class Lost(Request):
        def find(self, *asked: Any) -> Found:
            looking.set()
            effect.wait(0.3)
            found = super().find(*asked)
            listed.set()
            return found

    class Slow(Fleet):
        def start(self, key: str, leave: Leave) -> Started:
            started = super().start(key, leave)
            effect.set()
            assert listed.wait(20)
            return started

    run = in_thread(lambda: host.create(host.mint(), urn=TWIN, request=Lost(cloud, work="0.mp4")))
    assert looking.wait(20)
    fanned = host.fan(["0.mp4"], fleet=Slow(cloud, host))
    first, second = [one.id for one in cloud.runs]
    assert (run.result(20).id, fanned.ids["0.mp4"]) == (first, second)


def test_two_fan_outs_of_the_same_objects_in_other_orders(cloud: Cloud) -> None:
    """Neither waits for the other for ever, and each has runs of its own."""
    moment = earlier(cloud, [])
    host = Host(cloud)
    other = in_thread(lambda: host.fan([], Doubt(KEYS[3::-1], [moment]), urn=TWIN, concurrency=4))
    fanned = host.fan([], Doubt(KEYS[:4], [moment]), concurrency=4)
    assert not set(fanned.ids.values()) & set(other.result(20).ids.values())
    assert cloud.counts() == dict.fromkeys(KEYS[:4], 2)


def in_thread(work: Callable[[], T]) -> Future[T]:
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - for the test to raise
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done
