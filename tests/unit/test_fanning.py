"""Many starts at once, each at most once: what the service saw is what counts."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta

import pytest
from cloud_runs.promise.record import Intent, Recorded
from fans import NOTHING, SYSTEM, Dead, Process, Service

from cloud_runs import errors
from cloud_runs.promise import fanning
from cloud_runs.promise.fanning import (
    LOST_IN_A_ROW,
    MISSED_IN_A_ROW,
    NOT_SENT,
    THROTTLED_SECONDS,
    TRIES,
    Doubt,
    Fanned,
)
from cloud_runs.promise.firing import ADOPT_WITHIN, FORGET_AFTER, LOOK_SECONDS, SETTLE_SECONDS

KEYS = [f"{number}.mp4" for number in range(40)]
MINUTE = timedelta(minutes=1)
DAY = 86_400.0  # seconds


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def process(service: Service) -> Process:
    return Process(service)


def one_run_each(service: Service, fanned: Fanned, keys: list[str]) -> None:
    """And the ids on record are those of the service."""
    assert service.counts() == dict.fromkeys(keys, 1)
    assert {run.key: run.id for run in service.runs if run.owner != "foreign"} == fanned.ids
    assert fanned.refused == {}


# -- starting


@pytest.mark.parametrize("concurrency", [1, 16])
def test_each_object_is_started_once(service: Service, process: Process, concurrency: int) -> None:
    service.takes = 0.02
    one_run_each(service, process.fan(KEYS, concurrency=concurrency), KEYS)
    assert service.most <= concurrency
    assert not service.looks
    assert not process.memory.free(SYSTEM, process.find(KEYS, service.now() - MINUTE).candidates), "taken"


def test_nothing_to_do_sends_nothing(service: Service, process: Process) -> None:
    assert process.fan([], Doubt([], [])) == Fanned()
    assert not service.sent
    assert not service.looks


def test_the_latest_start_is_told_in_the_time_of_the_service(service: Service, process: Process) -> None:
    service.ahead = 5 * MINUTE
    service.takes = 1.0
    assert process.fan(KEYS[:3]).at == service.now() + 5 * MINUTE


def test_a_refused_object_stops_no_other(service: Service, process: Process) -> None:
    service.fates = {"3.mp4": ["status 400"], "5.mp4": ["bad argument"]}
    fanned = process.fan(KEYS, concurrency=4)
    assert sorted(fanned.refused) == ["3.mp4", "5.mp4"]
    assert fanned.refused["3.mp4"] == "refused POST: 400 No."
    assert (fanned.unsettled, len(fanned.ids)) == (0, 38)
    assert service.counts() == {key: 1 for key in KEYS if key not in fanned.refused}


@pytest.mark.parametrize("fate", ["throttled", "not reached"])
def test_what_did_not_run_is_sent_again_and_all_wait(service: Service, process: Process, fate: str) -> None:
    service.fates = {"0.mp4": [fate] * (TRIES - 1)}
    one_run_each(service, process.fan(KEYS), KEYS)
    times = [at for at, _ in service.sent]
    assert times[1] - times[0] >= 0.75
    assert [key for _, key in service.sent].count("0.mp4") == TRIES


@pytest.mark.parametrize("fate", ["throttled", "not reached"])
def test_what_never_runs_is_refused_after_some_tries(service: Service, process: Process, fate: str) -> None:
    service.fates = {"0.mp4": [fate] * 100}
    fanned = process.fan(KEYS, concurrency=3)
    assert list(fanned.refused) == ["0.mp4"]
    assert fanned.unsettled == 0
    assert len(fanned.ids) == 39
    assert len(service.fates["0.mp4"]) == 100 - TRIES


def test_a_service_that_always_asks_for_fewer_requests_gets_few(service: Service, process: Process) -> None:
    service.fate = lambda: "throttled"
    fanned = process.fan(KEYS[:4], concurrency=4)
    assert len(fanned.refused) == 4
    assert len(service.sent) < 4 * TRIES
    assert service.seconds > 1_000_000 + 60


def test_a_service_that_accepts_nothing_more_is_left_alone(service: Service, process: Process) -> None:
    """A quota that is used up: the `up` must not go on for days."""
    left = iter(["answered"] * 10)
    service.fate = lambda: next(left, "throttled")
    fanned = process.fan([f"{number}.mp4" for number in range(1000)], concurrency=16)
    assert (len(fanned.ids), len(fanned.refused), fanned.unsettled) == (10, 990, 0)
    assert sum(text.startswith(f"{NOT_SENT}: ") for text in fanned.refused.values()) > 900
    assert service.seconds < 1_000_000 + 3 * THROTTLED_SECONDS


@pytest.mark.parametrize("most", [1, 3])
def test_threads_that_cannot_be_had_are_done_without(
    service: Service, process: Process, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def few(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", few)
    assert process.fan(KEYS, concurrency=16).ids.keys() == set(KEYS)


def test_without_any_thread_nothing_is_sent(
    service: Service, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    with pytest.raises(errors.Unavailable, match="nothing was fired: can't start new thread"):
        process.fan(KEYS)
    assert service.sent == []


def test_a_run_that_another_resource_has_taken_is_told(service: Service, process: Process) -> None:
    """Its look for a lost run of its own saw this one, whose answer came late."""
    process.memory.take(SYSTEM, ["i1"])
    fanned = process.fan(KEYS[:3])
    assert fanned.shared == [KEYS[1]]
    assert len(fanned.ids) == 3


# -- halts


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_all(service: Service, process: Process, status: int) -> None:
    service.fates = {"4.mp4": [f"status {status}"]}
    fanned = process.fan(KEYS)
    assert list(fanned.ids) == KEYS[:4]
    assert sorted(fanned.refused) == sorted(KEYS[4:])
    assert fanned.refused["4.mp4"] == f"refused POST: {status} No."
    assert fanned.refused["5.mp4"] == f"not sent: refused POST: {status} No."
    assert fanned.unsettled == 0
    assert len(service.sent) == 5


@pytest.mark.parametrize(("how", "why"), [("over", "interrupted"), ("alive", "engine")])
def test_after_ctrl_c_and_without_an_engine_nothing_is_sent(
    service: Service, process: Process, how: str, why: str
) -> None:
    def at_the_tenth() -> str:
        if len(service.sent) == 10:
            setattr(process, how, how == "over")
        return "answered"

    service.fate = at_the_tenth
    fanned = process.fan(KEYS)
    assert len(service.sent) == len(fanned.ids) == 10
    assert len(fanned.refused) == 30
    assert all(reason.startswith("not sent: the ") and why in reason for reason in fanned.refused.values())
    assert fanned.unsettled == 0


@pytest.mark.parametrize(("fate", "limit"), [("lost", LOST_IN_A_ROW), ("bug", LOST_IN_A_ROW)])
def test_many_lost_answers_in_a_row_stop_all(service: Service, process: Process, fate: str, limit: int) -> None:
    service.fate = lambda: fate
    service.trouble = errors.Unavailable("no list")
    fanned = process.fan(KEYS)
    assert len(service.sent) == limit
    assert len(fanned.refused) == len(KEYS)
    assert sum("not sent: " in reason for reason in fanned.refused.values()) == len(KEYS) - limit
    assert fanned.unsettled == limit


def test_many_starts_that_do_not_arrive_stop_all(service: Service, process: Process) -> None:
    keys = [str(number) for number in range(3 * MISSED_IN_A_ROW)]
    service.fate = lambda: "not reached"
    fanned = process.fan(keys)
    assert len(service.sent) == MISSED_IN_A_ROW
    assert sorted(fanned.refused) == sorted(keys)
    assert fanned.unsettled == 0


def test_lost_answers_with_others_between_stop_nothing(service: Service, process: Process) -> None:
    service.fates = {key: ["lost"] for key in KEYS if int(key.split(".")[0]) % 2}
    one_run_each(service, process.fan(KEYS), KEYS)


def test_at_a_slow_rate_a_halt_is_noticed_by_those_who_wait(service: Service, process: Process) -> None:
    service.fates = {"0.mp4": ["status 403"]}
    process.fan(KEYS, concurrency=8, rate=0.01)
    assert len(service.sent) <= 8
    assert service.seconds < 1_000_000 + 100 * len(service.sent)


# -- lost answers


@pytest.mark.parametrize("fate", ["lost", "bug"])
def test_a_lost_answer_is_looked_for_and_not_sent_again(service: Service, process: Process, fate: str) -> None:
    service.fates = {key: [fate] for key in KEYS[:3]}
    service.lag = 9.0
    fanned = process.fan(KEYS, concurrency=4)
    one_run_each(service, fanned, KEYS)
    assert sorted(fanned.found) == KEYS[:3]
    assert len(service.sent) == len(KEYS)
    ((at, keys, _),) = service.looks
    assert keys == set(KEYS[:3]), "one list for all"
    assert at >= 1_000_000 + SETTLE_SECONDS


def test_a_list_that_lags_more_is_asked_again(service: Service, process: Process) -> None:
    service.fates = {"0.mp4": ["lost"]}
    service.lag = 35.0
    one_run_each(service, process.fan(KEYS[:3]), KEYS[:3])
    assert len(service.looks) == 4


def test_a_list_that_fails_at_first_is_asked_again(service: Service, process: Process) -> None:
    service.fates = {"0.mp4": ["lost"]}
    service.trouble = errors.Unavailable("try later")
    sleep = service.sleep

    def recover(seconds: float) -> None:
        sleep(seconds)
        if service.seconds > 1_000_025:
            service.trouble = None

    service.sleep = recover  # type: ignore[method-assign]
    one_run_each(service, process.fan(KEYS[:3]), KEYS[:3])


@pytest.mark.parametrize(
    "trouble", [None, errors.Unavailable("no list"), errors.Refused("no", status=403), KeyError("a bug")]
)
def test_a_lost_run_that_is_not_found_is_refused_and_in_doubt(
    service: Service, process: Process, trouble: Exception | None
) -> None:
    service.fates = {"0.mp4": ["lost"]}
    service.lag = 1000.0
    service.trouble = trouble
    fanned = process.fan(KEYS[:3])
    assert list(fanned.refused) == ["0.mp4"]
    reason = fanned.refused["0.mp4"]
    assert reason.startswith("connection reset. The run may have started and was not found; the next `pulumi up` looks")
    assert ("The last look-up failed" in reason) is bool(trouble)
    assert fanned.unsettled == 1
    assert LOOK_SECONDS <= service.seconds - 1_000_000 < LOOK_SECONDS + 20
    assert len(service.sent) == 3


def test_a_lost_run_with_another_beside_it_is_not_guessed(service: Service, process: Process) -> None:
    def joined() -> str:
        if len(service.sent) == 2:
            service.begin("1.mp4")
            return "lost"
        return "answered"

    service.fate = joined
    fanned = process.fan(KEYS[:3])
    assert list(fanned.refused) == ["1.mp4"]
    assert all(id in fanned.refused["1.mp4"] for id in ("i1", "i2"))
    assert fanned.unsettled == 1
    assert service.counts()["1.mp4"] == 1


def test_runs_from_before_the_start_are_not_the_lost_one(service: Service, process: Process) -> None:
    service.begin("0.mp4")
    service.sleep(5)
    service.fates = {"0.mp4": ["reset"]}
    fanned = process.fan(["0.mp4"])
    assert list(fanned.refused) == ["0.mp4"]


def test_an_interrupt_ends_the_search_and_leaves_a_doubt(service: Service, process: Process) -> None:
    def interrupted() -> str:
        process.over = True
        return "lost"

    service.fate = interrupted
    fanned = process.fan(KEYS)
    assert fanned.unsettled == 1
    assert len(service.sent) == 1
    assert service.seconds < 1_000_000 + SETTLE_SECONDS


# -- what an earlier up may have started


def earlier(service: Service, started: list[str], machine: str = "here") -> Intent:
    """An `up` that was killed after these."""
    process = Process(service, machine=machine)
    moment = process.moment()
    process.fan(started)
    service.sleep(5)
    return moment


@pytest.mark.parametrize("count", [0, 1, 20, 40])
def test_what_a_killed_up_started_is_found_in_one_list(service: Service, count: int) -> None:
    moment = earlier(service, KEYS[:count])
    fanned = Process(service).fan([], Doubt(KEYS, [moment]), concurrency=4)
    one_run_each(service, fanned, KEYS)
    assert sorted(fanned.found) == sorted(KEYS[:count])
    assert len(service.looks) == 1
    assert fanned.unsettled == 0


def test_a_young_process_waits_until_lists_can_be_believed(service: Service) -> None:
    moment = earlier(service, [])
    began = service.seconds
    Process(service, age=0).fan([], Doubt(KEYS[:1], [moment]))
    assert service.looks[0][0] - began >= SETTLE_SECONDS


def test_a_list_that_cannot_be_had_fires_nothing(service: Service) -> None:
    moment = earlier(service, KEYS[:3])
    service.trouble = errors.Unavailable("no list")
    with pytest.raises(errors.Unavailable, match=r"nothing was fired: .* could not be looked up. no list"):
        Process(service).fan(KEYS[5:], Doubt(KEYS[:5], [moment]))
    assert len(service.sent) == 3


def test_a_clock_that_is_nonsense_fires_nothing(service: Service) -> None:
    moment = earlier(service, KEYS[:3])
    service.ahead = timedelta(days=400)
    with pytest.raises(errors.Unavailable, match="clock"):
        Process(service).fan([], Doubt(KEYS, [moment]))
    assert len(service.sent) == 3


@pytest.mark.parametrize("late", [0.0, 300.0, 599.0])
def test_somebody_else_s_run_is_taken_for_ours_if_it_is_near_and_the_only_one(service: Service, late: float) -> None:
    """That cannot be told: nothing is fired, and it is told as found."""
    moment = earlier(service, [])
    service.sleep(late - 5 if late else 0)
    id = service.begin("0.mp4")
    fanned = Process(service).fan([], Doubt(KEYS, [moment]))
    assert fanned.ids["0.mp4"] == id
    assert fanned.found == ["0.mp4"]
    assert service.counts() == dict.fromkeys(KEYS[1:], 1)


def test_a_run_that_began_too_late_to_be_ours_is_not_taken_and_nothing_is_fired(service: Service) -> None:
    moment = earlier(service, [])
    service.sleep(ADOPT_WITHIN.total_seconds() + 5)
    id = service.begin("0.mp4")
    fanned = Process(service).fan([], Doubt(KEYS, [moment]))
    assert id in fanned.refused["0.mp4"]
    assert "take the object out of the list for one `pulumi up`" in fanned.refused["0.mp4"]
    assert (fanned.unsettled, service.counts()) == (1, dict.fromkeys(KEYS[1:], 1))


def test_a_slow_fan_out_is_found_to_its_end(service: Service) -> None:
    """Its last starts were long after the attempt, but never long after one another."""
    process = Process(service)
    moment = process.moment()
    process.fan(KEYS[:20], rate=0.01)
    assert service.seconds > 1_000_000 + 3 * ADOPT_WITHIN.total_seconds()
    one_run_each(service, Process(service).fan([], Doubt(KEYS, [moment])), KEYS)


@pytest.mark.parametrize("exact", [True, False])
def test_two_that_may_be_ours_are_not_guessed(service: Service, exact: bool) -> None:
    moment = earlier(service, KEYS[:2])
    other = service.begin("0.mp4", exact=exact)
    fanned = Process(service).fan([], Doubt(KEYS, [moment]))
    assert list(fanned.refused) == ["0.mp4"]
    assert other in fanned.refused["0.mp4"]
    assert service.counts()["0.mp4"] == 1


def test_a_run_that_is_told_only_in_part_is_not_taken(service: Service) -> None:
    moment = earlier(service, [])
    service.begin("0.mp4", exact=False)
    fanned = Process(service).fan([], Doubt(KEYS, [moment]))
    assert list(fanned.refused) == ["0.mp4"]


def test_a_run_that_may_be_of_two_objects_is_of_none(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may tell a key encoded, so that it can be of two objects."""
    moment = earlier(service, ["a b"])
    service.runs.append(type(service.runs[0])("i0", "a%20b", "ours a b", service.runs[0].at, 0))
    fanned = Process(service).fan([], Doubt(["a b", "a%20b", "c"], [moment]))
    assert sorted(fanned.refused) == ["a b", "a%20b"]
    assert list(fanned.ids) == ["c"]


def test_runs_that_others_have_on_record_are_none_of_ours(service: Service) -> None:
    process = Process(service)
    moment = process.moment()
    twin = process.fan(["0.mp4"]).ids["0.mp4"]
    other = Process(service)
    other.memory.take(SYSTEM, [twin])
    fanned = other.fan([], Doubt(["0.mp4"], [moment]))
    assert fanned.found == []
    assert fanned.ids["0.mp4"] != twin


def test_two_who_look_at_the_same_time_do_not_take_the_same_run(service: Service) -> None:
    moment = earlier(service, ["0.mp4"])
    process = Process(service)
    find = process.find

    def overtaken(*args: object) -> object:
        found = find(*args)  # type: ignore[arg-type]
        Process(service, memory=process.memory).fan([], Doubt(["0.mp4"], [moment]))
        return found

    free = process.memory.free
    process.memory.free = lambda system, candidates: list(candidates)  # type: ignore[method-assign]
    process.find = overtaken  # type: ignore[assignment]
    fanned = process.fan([], Doubt(["0.mp4"], [moment]))
    process.memory.free = free  # type: ignore[method-assign]
    assert list(fanned.refused) == ["0.mp4"]
    assert len(service.runs) == 1


def old_fan_out(service: Service) -> Recorded:
    process = Process(service)
    fanned = process.fan(KEYS)
    return Recorded("old", "old", NOTHING, fanned.at, {"instance_ids": fanned.ids})


def test_the_runs_that_are_replaced_are_never_found(service: Service) -> None:
    old = old_fan_out(service)
    service.begin("0.mp4")
    service.sleep(5)
    moment = earlier(service, KEYS[:10])
    service.sleep(1)
    process = Process(service)
    process.memory.take(SYSTEM, old.outputs["instance_ids"].values())
    fanned = process.fan([], Doubt(KEYS, [moment]), old=old)
    assert sorted(fanned.found) == sorted(KEYS[:10])
    assert service.counts() == dict.fromkeys(KEYS, 2)
    assert not set(fanned.ids.values()) & set(old.outputs["instance_ids"].values())


@pytest.mark.parametrize("days", [0, 3, 30])
def test_a_replacement_whose_time_nobody_knows(service: Service, days: int) -> None:
    """Forced, and killed in the middle: the intent is as old as the runs that are replaced. Older runs are not its."""
    service.begin("20.mp4")
    service.sleep(60)
    old = old_fan_out(service)
    service.sleep(86400 * days + 60)
    earlier(service, KEYS[:10])
    process = Process(service)
    process.memory.take(SYSTEM, old.outputs["instance_ids"].values())
    assert old.fired_at
    doubt = Doubt(KEYS, [Intent("", old.fired_at - timedelta(hours=3), "", process.clock().__class__(), NOTHING)], True)
    fanned = process.fan([], doubt, old=old)
    assert sorted(fanned.found) == sorted(KEYS[:10])
    assert len(fanned.ids) == 40
    assert service.counts() == dict.fromkeys(KEYS, 2)


def test_the_same_where_the_service_has_forgotten_the_old_runs(service: Service) -> None:
    old = old_fan_out(service)
    service.sleep(86400 * 8)
    service.runs.clear()
    assert old.fired_at
    doubt = Doubt(KEYS, [Intent("", old.fired_at, "", Process(service).clock().__class__(), NOTHING)], whenever=True)
    fanned = Process(service).fan([], doubt, old=old)
    assert len(fanned.refused) == fanned.unsettled == 40


def test_what_the_service_may_have_forgotten_is_not_fired_object_by_object(service: Service) -> None:
    ancient, recent = Process(service).moment("ancient"), None
    Process(service).fan(KEYS[:1])
    service.sleep(FORGET_AFTER.total_seconds() + 60)
    recent = Process(service).moment("recent")
    fanned = Process(service).fan(KEYS[6:8], Doubt(KEYS[:3], [ancient]), Doubt(KEYS[3:6], [recent]))
    assert sorted(fanned.ids) == [KEYS[0], *KEYS[3:8]], "what is listed is known all the same"
    assert sorted(fanned.refused) == KEYS[1:3]
    assert "too long ago for the service to tell" in fanned.refused["1.mp4"]
    assert fanned.unsettled == 2


def test_objects_in_doubt_since_different_moments(service: Service) -> None:
    """A run from before the moment of its object is an older ask's, whatever is looked for beside it."""
    first = earlier(service, ["0.mp4"])
    service.sleep(60)
    second = Process(service).moment()
    service.sleep(1)
    service.begin("1.mp4", at_owner := "ours again")
    service.runs.insert(0, type(service.runs[0])("older", "2.mp4", at_owner, service.runs[0].at, 0))
    fanned = Process(service).fan([], Doubt(["0.mp4"], [first]), Doubt(["1.mp4", "2.mp4"], [second]))
    assert sorted(fanned.found) == ["0.mp4", "1.mp4"]
    assert fanned.ids["2.mp4"] != "older"


@pytest.mark.parametrize("ahead", [-10, 10])
def test_a_service_whose_clock_is_off(service: Service, ahead: int) -> None:
    service.ahead = ahead * MINUTE
    moment = earlier(service, KEYS[:10])
    one_run_each(service, Process(service).fan([], Doubt(KEYS, [moment])), KEYS)


@pytest.mark.parametrize("ahead", [-10, 10])
def test_an_attempt_of_another_machine_whose_clock_is_off(service: Service, ahead: int) -> None:
    """Nothing is fired twice; what cannot be told is refused."""
    killed = Process(service, machine="there", ahead=ahead * MINUTE)
    moment = killed.moment()
    killed.fan(KEYS[:10])
    service.sleep(5)
    fanned = Process(service).fan([], Doubt(KEYS, [moment]))
    assert service.counts() == dict.fromkeys(KEYS, 1)
    assert set(fanned.ids) | set(fanned.refused) == set(KEYS)


@pytest.mark.parametrize("seed", range(40))
def test_random_fates(service: Service, seed: int) -> None:
    """Ups one after the other, with many threads, each start with a fate of its own; some are killed.

    No object is started twice, and in the end the id of each is on record.
    """
    dice = random.Random(seed)
    fates = ["answered"] * 12 + ["lost", "bug", "reset", "throttled", "not reached", "status 400", "status 500"]
    service.lag, service.takes = dice.choice([0.0, 5.0, 9.0]), 0.01
    moments, ids = [Process(service).moment()], dict[str, str]()
    for number in range(6):
        service.sleep(dice.uniform(0, 60))
        process = Process(service, age=dice.choice([0.0, 100.0]))
        process.memory.take(SYSTEM, ids.values())
        killing = dice.choice([[], ["killed"], ["killed before"]])
        service.fate = lambda: "answered" if number == 5 else dice.choice([*fates, *killing])  # noqa: B023
        moments.append(process.moment())
        missing = [key for key in KEYS if key not in ids]
        concurrency = dice.choice([1, 4, 16])
        try:
            ids |= process.fan([], Doubt(missing, moments), concurrency=concurrency).ids
        except Dead:
            continue
        finally:
            assert not [key for key, count in service.counts().items() if count > 1]
    assert ids == {run.key: run.id for run in service.runs}
    assert set(ids) == set(KEYS)


def test_progress(service: Service, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanning, "TICK_SECONDS", 0.001)
    service.fates = {"1.mp4": ["status 400"]}
    service.fate = lambda: time.sleep(0.05) or "answered"  # type: ignore[func-returns-value]
    moment = earlier(service, ["0.mp4"])
    process.fan([], Doubt(KEYS[:4], [moment]))
    assert process.said[0] == "an earlier up may have started runs: looking for them before firing (about 10 s)"
    assert "1 of 4 started, 1 refused" in process.said


# -- added to


def on_record(fanned: Fanned) -> Recorded:
    return Recorded("own", "own", NOTHING, fanned.at, {"instance_ids": fanned.ids})


def test_what_cannot_be_looked_up_keeps_nothing_else_from_being_fired(service: Service, process: Process) -> None:
    own = on_record(process.fan(KEYS[:3]))
    doubt = Doubt([KEYS[3]], [process.moment()])
    service.trouble = errors.Unavailable("has more than 200 pages")
    fanned = Process(service).fan([KEYS[4]], doubt, own=own)
    assert list(fanned.ids) == [KEYS[4]]
    assert fanned.unsettled == 1
    assert "could not be looked up. has more than 200 pages. The next `pulumi up`" in fanned.refused[KEYS[3]]
    service.trouble = None
    assert Process(service).fan([], doubt, own=own).ids.keys() == {KEYS[3]}, "looked for again, and fired"


@pytest.mark.parametrize("forgotten", [False, True])
def test_its_own_runs_show_what_a_service_has_not_forgotten(
    service: Service, process: Process, forgotten: bool
) -> None:
    """Refused for certain; a month of refusals; and the object is there at last."""
    own = on_record(process.fan(KEYS[:3]))
    service.sleep(20 * DAY)
    doubt = Doubt([KEYS[3]], [process.moment()])
    service.sleep(20 * DAY)
    if forgotten:
        service.runs.clear()
    fanned = Process(service).fan([], doubt, own=own)
    assert service.counts()[KEYS[3]] == (not forgotten)
    assert ("too long ago" in fanned.refused.get(KEYS[3], "")) is forgotten


@pytest.mark.parametrize("slow", [16, 60, 160])
def test_a_slow_clock_fires_nothing_that_another_machine_may_have_fired(service: Service, slow: int) -> None:
    """Tencent takes what such a clock has signed. A time of the other machine means nothing by it."""
    moment = earlier(service, KEYS[:3], machine="another")
    service.sleep(60)
    with pytest.raises(errors.Unavailable, match="Set the clock"):
        Process(service, ahead=-slow * MINUTE).fan([], Doubt(KEYS[:3], [moment]))
    assert service.counts() == dict.fromkeys(KEYS[:3], 1)
    assert Process(service).fan([], Doubt(KEYS[:3], [moment])).ids.keys() == set(KEYS[:3])
