"""Many starts at once, each at most once: what the service saw is what counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable

import pytest

from cloud_runs import errors
from cloud_runs.limits import Times
from cloud_runs.promise import fanning
from cloud_runs.promise.fanning import (
    LOST_IN_A_ROW,
    MISSED_IN_A_ROW,
    NOT_SENT,
    THROTTLED_SECONDS,
    TRIES,
    Fanned,
)
from cloud_runs.promise.firing import LOOK_SECONDS
from cloud_runs.promise.rules import Doubt
from tests.promise.kit import MINUTE, SPACE, TWIN, Cloud, Fleet, Host

KEYS = [f"{number}.mp4" for number in range(40)]
SETTLE = Times().settle
EVER = 1_000_000


def one_run_each(cloud: Cloud, fanned: Fanned, keys: list[str]) -> None:
    """And the ids on record are those of the service."""
    assert cloud.counts() == dict.fromkeys(keys, 1)
    assert {run.work: run.id for run in cloud.runs if run.owner != "foreign"} == fanned.ids
    assert fanned.refused == {}


# -- starting


@pytest.mark.parametrize("concurrency", [1, 16])
def test_each_object_is_started_once(cloud: Cloud, host: Host, concurrency: int) -> None:
    cloud.takes = 0.02
    fanned = host.fan(KEYS, concurrency=concurrency)
    one_run_each(cloud, fanned, KEYS)
    assert cloud.most <= concurrency
    assert not cloud.looks
    assert not any(host.process.claim(SPACE, id, TWIN) for id in fanned.ids.values()), "taken"


def test_nothing_to_do_sends_nothing(cloud: Cloud, host: Host) -> None:
    assert host.fan([], Doubt([], [])) == Fanned()
    assert not cloud.sent
    assert not cloud.looks


def test_the_latest_start_is_told_in_the_earlier_of_two_times(cloud: Cloud, host: Host) -> None:
    """Later looks take what began before it for older runs, and the service's `Date` may be another clock's."""
    cloud.ahead, cloud.takes = -5 * MINUTE, 1.0
    assert host.fan(KEYS[:3]).at == cloud.now() - 5 * MINUTE
    cloud.ahead = 5 * MINUTE
    before = cloud.now()
    at = host.fan(KEYS[:3]).at
    assert at
    assert before < at < cloud.now()


def test_a_refused_object_stops_no_other(cloud: Cloud, host: Host) -> None:
    cloud.of = {"3.mp4": ["status 400"], "5.mp4": ["bad argument"]}
    fanned = host.fan(KEYS, concurrency=4)
    assert sorted(fanned.refused) == ["3.mp4", "5.mp4"]
    assert fanned.refused["3.mp4"] == "refused POST: 400 No."
    assert (fanned.unsettled, len(fanned.ids)) == (0, 38)
    assert cloud.counts() == {key: 1 for key in KEYS if key not in fanned.refused}


@pytest.mark.parametrize("fate", ["throttled", "not reached"])
def test_what_did_not_run_is_sent_again_and_all_wait(cloud: Cloud, host: Host, fate: str) -> None:
    cloud.of = {"0.mp4": [fate] * (TRIES - 1)}
    one_run_each(cloud, host.fan(KEYS), KEYS)
    times = [at for at, _ in cloud.sent]
    assert times[1] - times[0] >= 0.75
    assert [key for _, key in cloud.sent].count("0.mp4") == TRIES


@pytest.mark.parametrize("fate", ["throttled", "not reached"])
def test_what_never_runs_is_refused_after_some_tries(cloud: Cloud, host: Host, fate: str) -> None:
    cloud.of = {"0.mp4": [fate] * 100}
    fanned = host.fan(KEYS, concurrency=3)
    assert list(fanned.refused) == ["0.mp4"]
    assert fanned.unsettled == 0
    assert len(fanned.ids) == 39
    assert len(cloud.of["0.mp4"]) == 100 - TRIES


def test_a_service_that_always_asks_for_fewer_requests_gets_few(cloud: Cloud, host: Host) -> None:
    cloud.fate = lambda: "throttled"
    fanned = host.fan(KEYS[:4], concurrency=4)
    assert len(fanned.refused) == 4
    assert len(cloud.sent) < 4 * TRIES
    assert cloud.seconds > EVER + 60


def test_a_service_that_accepts_nothing_more_is_left_alone(cloud: Cloud, host: Host) -> None:
    """A quota that is used up: the `up` must not go on for days."""
    left = iter(["answered"] * 10)
    cloud.fate = lambda: next(left, "throttled")
    fanned = host.fan([f"{number}.mp4" for number in range(1000)], concurrency=16)
    assert (len(fanned.ids), len(fanned.refused), fanned.unsettled) == (10, 990, 0)
    assert sum(text.startswith(f"{NOT_SENT}: ") for text in fanned.refused.values()) > 900
    assert cloud.seconds < EVER + 3 * THROTTLED_SECONDS


@pytest.mark.parametrize("most", [1, 3])
def test_threads_that_cannot_be_had_are_done_without(
    cloud: Cloud, host: Host, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def few(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", few)
    assert host.fan(KEYS, concurrency=16).ids.keys() == set(KEYS)


def test_without_any_thread_nothing_is_sent(cloud: Cloud, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    with pytest.raises(errors.Unavailable, match="nothing was sent: no thread can be had"):
        host.fan(KEYS)
    assert cloud.sent == []


@pytest.mark.parametrize("fate", ["answered", "same id"])
def test_an_answer_with_an_id_that_is_on_record_is_told(cloud: Cloud, host: Host, fate: str) -> None:
    """Another's look for a lost run saw this one, whose answer came late; or the service has given it twice."""
    claim = host.process.claim

    def late(space: Hashable, id: str, urn: str, **how: bool) -> bool:
        if len(cloud.runs) == 2:
            claim(space, id, TWIN)
        return claim(space, id, urn, **how)

    if fate == "answered":
        host.process.claim = late  # type: ignore[method-assign]
    cloud.of = {KEYS[1]: [fate]}
    fanned = host.fan(KEYS[:3])
    assert fanned.shared == [KEYS[1]]
    assert len(fanned.ids) == 3


def test_a_bug_of_ours_after_an_answer_loses_no_object(cloud: Cloud, host: Host) -> None:
    """It is looked for, as if its answer was lost."""
    claim = host.process.claim

    def broken(space: Hashable, id: str, urn: str, **how: bool) -> bool:
        if len(cloud.runs) == 2:
            raise KeyError("a bug")
        return claim(space, id, urn, **how)

    host.process.claim = broken  # type: ignore[method-assign]
    fanned = host.fan(KEYS[:4])
    one_run_each(cloud, fanned, KEYS[:4])
    assert len(fanned.found) == 1


# -- halts


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_all(cloud: Cloud, host: Host, status: int) -> None:
    cloud.of = {"4.mp4": [f"status {status}"]}
    fanned = host.fan(KEYS)
    assert list(fanned.ids) == KEYS[:4]
    assert sorted(fanned.refused) == sorted(KEYS[4:])
    assert fanned.refused["4.mp4"] == f"refused POST: {status} No."
    assert fanned.refused["5.mp4"] == f"not sent: refused POST: {status} No."
    assert fanned.unsettled == 0
    assert len(cloud.sent) == 5


def test_after_ctrl_c_nothing_is_sent(cloud: Cloud, host: Host) -> None:
    def at_the_tenth() -> str:
        host.interrupted = len(cloud.sent) == 10
        return "answered"

    cloud.fate = at_the_tenth
    fanned = host.fan(KEYS)
    assert len(cloud.sent) == len(fanned.ids) == 10
    assert set(fanned.refused.values()) == {"not sent: the update was interrupted"}
    assert len(fanned.refused) == 30
    assert fanned.unsettled == 0


@pytest.mark.parametrize("rate", [None, 0.5])
def test_without_an_engine_nothing_is_sent_once_its_leave_is_old(cloud: Cloud, host: Host, rate: float | None) -> None:
    """It is asked again after a second: one question a start would cost more than the starts."""
    cloud.takes = 0.1
    host.alive = lambda: len(cloud.sent) < 10
    fanned = host.fan(KEYS, rate=rate)
    assert len(cloud.sent) == len(fanned.ids)
    assert 10 <= len(fanned.ids) <= (20 if rate is None else 10)
    assert set(fanned.refused.values()) == {"not sent: the Pulumi engine that requested it is gone"}
    assert len(fanned.ids) + len(fanned.refused) == len(KEYS)
    assert fanned.unsettled == 0


def test_an_orphan_starts_nothing_at_all(cloud: Cloud, host: Host) -> None:
    host.alive = lambda: False
    fanned = host.fan(KEYS, concurrency=8)
    assert (cloud.sent, fanned.ids, len(fanned.refused)) == ([], {}, len(KEYS))


@pytest.mark.parametrize("fate", ["lost", "bug"])
def test_many_lost_answers_in_a_row_stop_all(cloud: Cloud, host: Host, fate: str) -> None:
    cloud.fate = lambda: fate
    cloud.trouble = errors.Unavailable("no list")
    fanned = host.fan(KEYS)
    assert len(cloud.sent) == LOST_IN_A_ROW
    assert len(fanned.refused) == len(KEYS)
    assert sum("not sent: " in reason for reason in fanned.refused.values()) == len(KEYS) - LOST_IN_A_ROW
    assert fanned.unsettled == LOST_IN_A_ROW


def test_many_starts_that_do_not_arrive_stop_all(cloud: Cloud, host: Host) -> None:
    keys = [str(number) for number in range(3 * MISSED_IN_A_ROW)]
    cloud.fate = lambda: "not reached"
    fanned = host.fan(keys)
    assert len(cloud.sent) == MISSED_IN_A_ROW
    assert sorted(fanned.refused) == sorted(keys)
    assert fanned.unsettled == 0


def test_lost_answers_with_others_between_stop_nothing(cloud: Cloud, host: Host) -> None:
    cloud.of = {key: ["lost"] for key in KEYS if int(key.split(".")[0]) % 2}
    one_run_each(cloud, host.fan(KEYS), KEYS)


def test_at_a_slow_rate_a_halt_is_noticed_by_those_who_wait(cloud: Cloud, host: Host) -> None:
    cloud.of = {"0.mp4": ["status 403"]}
    host.fan(KEYS, concurrency=8, rate=0.01)
    assert len(cloud.sent) <= 8
    assert cloud.seconds < EVER + 100 * len(cloud.sent)


# -- lost answers


@pytest.mark.parametrize("fate", ["lost", "bug"])
@pytest.mark.parametrize(("slow", "lag"), [(0, 9), (30, 9)])
def test_a_lost_answer_is_looked_for_and_not_sent_again(
    cloud: Cloud, host: Host, fate: str, slow: float, lag: float
) -> None:
    cloud.of = {key: [fate] for key in KEYS[:3]}
    cloud.slow, cloud.lag = slow, lag
    fanned = host.fan(KEYS, concurrency=4)
    one_run_each(cloud, fanned, KEYS)
    assert sorted(fanned.found) == KEYS[:3]
    assert len(cloud.sent) == len(KEYS)
    (at,) = cloud.looks
    assert cloud.asked[0][0] == set(KEYS[:3]), "one list for all"
    assert at >= EVER + SETTLE


@pytest.mark.parametrize("lag", [49, 54])
def test_a_list_that_lags_more_is_asked_again(cloud: Cloud, host: Host, lag: float) -> None:
    cloud.of = {"0.mp4": ["lost"]}
    cloud.lag = lag
    one_run_each(cloud, host.fan(KEYS[:3]), KEYS[:3])
    assert len(cloud.looks) > 1


def test_a_list_that_fails_at_first_is_asked_again(cloud: Cloud, host: Host) -> None:
    cloud.of = {"0.mp4": ["lost"]}
    cloud.trouble = errors.Unavailable("try later")
    sleep = cloud.sleep

    def recover(seconds: float) -> None:
        sleep(seconds)
        if len(cloud.looks) == 2:
            cloud.trouble = None

    cloud.sleep = recover  # type: ignore[method-assign]
    one_run_each(cloud, host.fan(KEYS[:3]), KEYS[:3])


@pytest.mark.parametrize(
    "trouble", [None, errors.Unavailable("no list"), errors.Refused("no", status=403), KeyError("a bug")]
)
def test_a_lost_run_that_is_not_found_is_refused_and_in_doubt(
    cloud: Cloud, host: Host, trouble: Exception | None
) -> None:
    cloud.of = {"0.mp4": ["lost"]}
    cloud.lag = 1000.0
    cloud.trouble = trouble
    fanned = host.fan(KEYS[:3])
    assert list(fanned.refused) == ["0.mp4"]
    reason = fanned.refused["0.mp4"]
    assert reason.startswith(
        "connection reset. The run may have started and was not found; the next `pulumi up` checks"
    )
    assert ("The last query failed" in reason) is bool(trouble)
    assert fanned.unsettled == 1
    assert SETTLE + LOOK_SECONDS / 2 <= cloud.seconds - EVER < SETTLE + LOOK_SECONDS + 1
    assert len(cloud.sent) == 3


def test_a_lost_run_with_another_beside_it_is_not_guessed(cloud: Cloud, host: Host) -> None:
    cloud.begin(work="1.mp4")
    cloud.of = {"1.mp4": ["lost"]}
    fanned = host.fan(KEYS[:3])
    assert list(fanned.refused) == ["1.mp4"]
    assert all(run.id in fanned.refused["1.mp4"] for run in cloud.runs if run.work == "1.mp4")
    assert "give it in adopt_ids" in fanned.refused["1.mp4"]
    assert fanned.unsettled == 1
    assert cloud.counts()["1.mp4"] == 1


@pytest.mark.parametrize("before", [5, 899, 902, 3600])
def test_runs_from_before_the_start_are_not_taken_for_the_lost_one(cloud: Cloud, host: Host, before: int) -> None:
    id = cloud.begin(work="0.mp4")
    cloud.sleep(before)
    cloud.of = {"0.mp4": ["reset before"]}
    fanned = host.fan(["0.mp4"])
    assert list(fanned.refused) == ["0.mp4"]
    assert (id in fanned.refused["0.mp4"]) is (before <= 900), "told, within what a clock may be off"
    assert fanned.unsettled == 1


def test_an_interrupt_ends_the_search_and_leaves_a_doubt(cloud: Cloud, host: Host) -> None:
    def interrupted() -> str:
        host.interrupted = True
        return "lost"

    cloud.fate = interrupted
    fanned = host.fan(KEYS)
    assert fanned.unsettled == 1
    assert len(cloud.sent) == 1
    assert cloud.seconds < EVER + SETTLE


# -- progress


def test_progress(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanning, "TICK_SECONDS", 0.001)
    first = Host(cloud)
    moment = first.process.moment()
    first.fan(["0.mp4"])
    cloud.sleep(5)
    cloud.of = {"1.mp4": ["status 400"]}
    cloud.fate = lambda: time.sleep(0.05) or "answered"  # type: ignore[func-returns-value]
    host = Host(cloud, age=5)
    host.fan([], Doubt(KEYS[:4], [moment]), fleet=Fleet(cloud, host))
    assert host.said[0] == "an earlier up may have started runs: looking for them before firing, 39 s left"
    assert "1 of 4 started, 1 refused" in host.said
