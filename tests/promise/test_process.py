"""This host process: what it has seen, what it takes, what it lets wait. Another process is another object."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import pytest

from cloud_runs.promise.clock import Clock, kernel
from cloud_runs.promise.ledger import HISTORY
from cloud_runs.promise.ledger import URN as URN_
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Fired, Intent, Moment, Recorded
from cloud_runs.runs import Candidate
from tests.promise.kit import SPACE, TWIN, URN, A, Cloud, Host, many_on_record, moment, on_record


@pytest.fixture
def process() -> Process:
    return Process()


# -- names and clocks


def test_a_process_and_its_machine_have_no_telling_names(process: Process) -> None:
    assert re.fullmatch("[0-9a-f]{32}", process.id)
    assert Process().id != process.id
    assert re.fullmatch("[0-9a-f]{16}|", kernel())


def test_a_moment_is_now_under_a_token_of_its_own(process: Process) -> None:
    moments = [process.moment() for _ in range(100)]
    assert len({one.token for one in moments}) == 100
    assert {one.host for one in moments} == {process.id}
    assert all(process.minted(one) for one in moments)
    assert not Process().minted(moments[0])
    assert process.moment("given").token == "given"
    uptimes = [one.uptime for one in moments]
    assert uptimes == sorted(uptimes)


def test_where_the_system_does_not_name_its_kernel_its_clock_is_worth_nothing() -> None:
    assert Process(Clock(boot=lambda: "")).moment().uptime == 0.0


def test_its_age(cloud: Cloud) -> None:
    host = Host(cloud, age=5)
    cloud.sleep(3)
    assert host.process.age == pytest.approx(8)


# -- what is on record


def test_a_run_that_two_have_on_record(process: Process) -> None:
    assert process.saw(URN, SPACE, on_record("i1", "t1")) == {}
    assert process.saw(TWIN, SPACE, on_record("i1", "t2")) == {"i1": URN}
    assert process.saw(TWIN, SPACE, on_record("i2", "t2")) == {}


def test_objects_that_two_have_on_record(process: Process) -> None:
    process.saw(URN, SPACE, many_on_record({"a": "i1", "b": "i2", "c": "i3"}))
    assert process.saw(TWIN, SPACE, many_on_record({"a": "i3", "x": "i9", "y": "i2"})) == {"i3": URN, "i2": URN}


def test_what_is_no_twin(process: Process) -> None:
    run = on_record("i1", "t1")
    process.saw(URN, SPACE, run)
    assert process.saw(URN, SPACE, run) == {}, "itself"
    assert process.saw(TWIN, "another id space", run) == {}
    process.deleted("t3", SPACE, on_record("i3", "t3"))
    assert process.saw(TWIN, SPACE, on_record("i3", "t3")) == {}, "deleted, and renamed"
    process.claim(SPACE, "i4", URN)
    assert process.saw(TWIN, SPACE, on_record("i4", "t4")) == {}, "not on its record"


def test_runs_of_before_are_no_new_ones_and_keep_nobody_from_having_them(process: Process) -> None:
    later = replace(on_record("i1", "t"), outputs={HISTORY: [{"id": "i0"}]})
    process.saw(URN, SPACE, later)
    assert process.free(SPACE, [Candidate("i0", None)]) == []
    assert process.on_record(SPACE) == {"i0", "i1"}
    assert not process.claim(SPACE, "i0", TWIN), "an answer with it is an old one"
    assert Process().claim(SPACE, "i0", TWIN)
    other = Process()
    other.saw("the later one's", SPACE, later)
    one, two = on_record("i0", "t1"), on_record("i0", "t2")
    assert other.saw(URN, SPACE, one) == {}
    assert other.saw(TWIN, SPACE, two) == {"i0": URN}
    assert other.holds(SPACE, "i0", two), "it stays on the other's record, and is not to be cancelled"


def test_an_answer_with_the_id_of_a_run_before_of_what_is_deleted_later(process: Process) -> None:
    old = replace(on_record("i1", "t1"), outputs={HISTORY: [{"id": "i0"}], URN_: URN})
    assert process.claim(SPACE, "i0", TWIN), "nobody has told of it yet"
    assert process.deleted("t1", SPACE, old) == {"i0": TWIN}
    itself = Process()
    itself.claim(SPACE, "i0", URN)
    assert itself.deleted("t1", SPACE, old) == {}


@pytest.mark.parametrize("how", ["saw", "deleted", "settled", "claimed"])
def test_what_is_taken(process: Process, how: str) -> None:
    run = many_on_record({"a": "i1", "b": "i2"})
    if how == "saw":
        process.saw(URN, SPACE, run)
    elif how == "deleted":
        process.deleted("t", SPACE, run)
    elif how == "settled":
        process.settled(URN, "t", SPACE, run.ids.values())
    else:
        assert all(process.claim(SPACE, id, URN) for id in run.ids.values())
    candidates = [Candidate(id, None) for id in ("i1", "i2", "i3")]
    assert [one.id for one in process.free(SPACE, candidates)] == ["i3"]
    assert process.free("another id space", candidates) == candidates
    assert not process.claim(SPACE, "i1", TWIN)
    assert not process.claim(SPACE, "i1", URN), "whoever asks"
    assert process.claim(SPACE, "i3", TWIN)
    assert not process.claim(SPACE, "i3", URN)


def test_the_record_before(process: Process) -> None:
    assert process.before(URN, "t") == (None, False)
    run = on_record("i1", "t")
    process.saw(URN, SPACE, run)
    assert process.before(URN, "other") == (run, False)
    process.deleted("t", SPACE, run)
    assert process.before(URN, "t") == (run, True)
    assert process.before(URN, "other") == (run, True), "by the record that diff has shown"
    assert process.before(TWIN, "t") == (run, True), "by the token, after a rename"
    assert process.before(TWIN, "other") == (None, False)
    process.settled(URN, "t", SPACE, ["i2"])
    assert process.before(URN, "t") == (None, False), "one delete stands for one replacement"


def test_the_record_before_of_a_replacement_that_no_diff_tells_of(process: Process) -> None:
    run = replace(on_record("i1", "t1"), outputs={URN_: URN})
    process.deleted("t1", SPACE, run)
    here = process.moment().token
    assert process.before(URN, "of an earlier process") == (None, False), "which may have fired"
    assert process.before(TWIN, here) == (None, False)
    assert process.before(URN, here) == (run, True)
    process.settled(URN, here, SPACE, ["i2"])
    assert process.before(URN, here) == (None, False)
    other = Process()
    other.saw(TWIN, SPACE, run)
    other.deleted("t1", SPACE, run)
    assert other.before(URN, other.moment().token) == (None, False), "it has another name by now"


OF = "pulumi-python:dynamic/tencent:WorkflowRun"


@pytest.mark.parametrize(
    "old",
    [
        f"urn:pulumi:renamed::tests::{OF}::run",
        f"urn:pulumi:test::tests::my:m:Media${OF}::run",
        f"urn:pulumi:test::tests::{OF}::before",
    ],
)
def test_the_record_before_of_such_a_replacement_under_another_urn(process: Process, old: str) -> None:
    """The stack is renamed with it, or the run is moved into a component, or has an alias."""
    run = replace(on_record("i1", "t1"), outputs={URN_: old})
    process.deleted("t1", SPACE, run)
    here = process.moment().token
    process.formerly(URN, ["before"])
    assert process.before(TWIN, process.moment().token) == (None, False)
    assert process.before(URN, here) == (run, True)
    process.settled(URN, here, SPACE, ["i2"])
    assert process.before(old, process.moment().token) == (None, False), "one delete stands for one replacement"


def test_such_a_replacement_is_not_of_another_resource_of_that_name(process: Process) -> None:
    """Two components may have a run of one name each. The other one is in the program itself, so it was not renamed."""
    first, second = (f"urn:pulumi:test::tests::my:m:Part${OF}::run", f"urn:pulumi:test::tests::my:m:Other${OF}::run")
    process.formerly(first, [])
    run = replace(on_record("i1", "t1"), outputs={URN_: first})
    process.deleted("t1", SPACE, run)
    process.formerly(second, [])
    here, there = process.moment().token, process.moment().token
    assert process.before(second, there) == (None, False)
    process.settled(second, there, SPACE, ["i2"])
    assert process.before(first, here) == (run, True)


# -- what it does itself


def test_attempts(cloud: Cloud) -> None:
    process = Host(cloud, age=100).process
    assert process.attempted(URN, "t") == ()
    first = process.attempting(URN, "t")
    cloud.sleep(5)
    second = process.attempting(URN, "t")
    assert process.attempted(URN, "t") == (first, second)
    assert process.attempted(TWIN, "t") == process.attempted(URN, "other") == ()
    process.refused(URN, "t")
    process.refused(TWIN, "t")
    assert process.attempted(URN, "t") == (first,)
    process.settled(URN, "t", SPACE, ["i"])
    assert process.attempted(URN, "t") == ()


def test_how_long_it_is_quiet(cloud: Cloud) -> None:
    """Since an earlier process has ended, or since this one has sent something of these moments itself."""
    process = Host(cloud, age=100).process
    minted = process.moment()
    sent = process.attempting(URN, "t")
    cloud.sleep(7)
    assert process.quiet([]) == pytest.approx(107)
    assert process.quiet([moment(0), minted]) == pytest.approx(107)
    assert process.quiet([moment(0), sent, minted]) == pytest.approx(7)


def test_what_an_ask_came_to(process: Process) -> None:
    process.keep(URN, "t", "a run")
    assert process.outcome(URN, "t") == "a run"
    assert process.outcome(URN, "other") is process.outcome(TWIN, "t") is None
    process.deleted("t", SPACE, on_record("i1", "t"))
    assert process.outcome(URN, "t") is None


# -- intents that are given up


def intent(host: str = "earlier", token: str = "t", *attempts: Moment) -> Intent:
    return Intent(moment(0, host, token), A, attempts=attempts)


def test_an_intent_that_nobody_stands_for_is_lost(process: Process) -> None:
    assert process.lost(intent())
    assert not process.lost(intent(process.id)), "of this process: it knows what it has sent"
    process.saw(TWIN, SPACE, on_record("i1", "t"))
    assert not process.lost(intent())


@pytest.mark.parametrize("how", ["saw", "saw beside", "deleted", "settled"])
def test_what_stands_for_an_intent(process: Process, how: str) -> None:
    run = on_record("i1", "t") if how != "saw beside" else on_record("i1", "of its fire", beside="t")
    if how == "settled":
        process.settled(URN, "t", SPACE, ["i1"])
    elif how == "deleted":
        process.deleted("t", SPACE, run)
    else:
        process.saw(URN, SPACE, run)
    assert not process.lost(intent())
    assert process.lost(intent(token="other"))


def test_a_fan_out_stands_for_no_attempt_after_its_own(process: Process) -> None:
    first, second = moment(0, "earlier", "t"), moment(5, "earlier", "t5")
    run = many_on_record({"a": "i1"}, attempt=first)
    process.saw(URN, SPACE, run)
    assert not process.lost(intent("earlier", "t", first))
    assert process.lost(intent("earlier", "t", first, second))
    process.saw(URN, SPACE, many_on_record({"a": "i1"}, attempt=second))
    assert not process.lost(intent("earlier", "t", first, second))


def test_the_intent_that_is_given_up_is_told_once(process: Process) -> None:
    assert process.former(URN) is None
    process.replaced(URN, intent(), {"object": "a"})
    assert process.former(TWIN) is None
    former = process.former(URN)
    assert former
    assert former == (intent(), {"object": "a"}, [intent().moment], None)
    assert process.former(URN) is None
    assert not process.lost(intent()), "the intent's own delete has nothing to tell"


def test_the_intent_of_a_run_that_is_replaced_now_is_not_given_up(process: Process) -> None:
    run = on_record("i1", "t")
    process.saw(URN, SPACE, run)
    process.replaced(URN, intent())
    process.deleted("t", SPACE, run)
    assert process.former(URN) is None


def test_a_replacement_that_an_earlier_up_has_begun(process: Process) -> None:
    """It has deleted the run, for another of the same intent: what it may have started is on no record."""
    run = on_record("i1", "t")
    process.saw(URN, SPACE, run)
    process.replaced(URN, intent())
    former = process.former(URN)
    assert former
    assert (former.moments, former.after) == (intent().moments, run)
    assert process.former(URN) is None


def test_attempts_that_nobody_stands_for(process: Process) -> None:
    """Objects were changed and the `up` was killed; now a trigger changes, which replaces them all."""
    attempts = [moment(minute, "earlier") for minute in range(4)]
    run = many_on_record({"a": "i1"}, attempt=attempts[2])
    process.saw(URN, SPACE, run)
    process.replaced(URN, intent("earlier", "t", *attempts))
    process.deleted("t", SPACE, run)
    former = process.former(URN)
    assert former
    assert (former.moments, former.after) == ([attempts[3]], None)


@pytest.mark.parametrize("forced", [False, True])
def test_objects_that_were_refused_may_have_been_started_all_the_same(process: Process, forced: bool) -> None:
    doubt = moment(3)
    run = many_on_record({"a": "i1"}, ["b"], moment(0, "earlier", "t"), [doubt])
    if not forced:
        process.saw(URN, SPACE, run)
    process.replaced(URN, intent("earlier", "t", moment(0, "earlier", "t")))
    process.deleted("t", SPACE, run)
    former = process.former(URN)
    assert former
    assert (former.moments, former.after) == ([doubt], None)


# -- who is in doubt


def test_doubts_are_counted_by_resource(process: Process) -> None:
    with process.doubting(URN, ["w", "v"]):
        assert (process.doubters("w"), process.doubters("v"), process.doubters("u")) == (1, 1, 0)
        with process.doubting(URN, ["w"]):
            assert process.doubters("w") == 1, "one resource asks once"
            with process.doubting(TWIN, ["w"]):
                assert process.doubters("w") == 2
            assert process.doubters("w") == 1
        assert process.doubters("w") == 1
        with pytest.raises(KeyError), process.doubting(TWIN, ["w"]):
            raise KeyError
        assert process.doubters("w") == 1
    assert process.doubters("w") == 0


def test_the_same_work_takes_turns_and_other_work_does_not_wait(process: Process) -> None:
    done, waits = threading.Event(), threading.Event()

    def other() -> None:
        with process.turn(["b"]):
            done.set()

    def same() -> None:
        with process.turn(["a"]):
            waits.set()

    threads = [threading.Thread(target=other), threading.Thread(target=same)]
    with process.turn(["a"]):
        for thread in threads:
            thread.start()
        assert done.wait(20)
        assert not waits.is_set()
    for thread in threads:
        thread.join(20)
    assert waits.is_set()


def test_a_turn_of_many_is_had_at_once(process: Process) -> None:
    """Who waits for one of them holds none of the others."""
    done = threading.Event()

    def both() -> None:
        with process.turn(["b", "a"]):
            done.set()

    thread = threading.Thread(target=both)
    with process.turn(["a"]):
        thread.start()
        assert not done.wait(0.1)
        with process.turn(["b"]):
            pass
    thread.join(20)
    assert done.is_set()


def test_a_turn_ends_with_an_error(process: Process) -> None:
    with pytest.raises(KeyError), process.turn(["a"]):
        raise KeyError
    with process.turn(["a"]):
        pass


def test_a_run_is_a_fan_out_over_one_object() -> None:
    run = on_record("i1", "t")
    assert run == Recorded("i1", Fired("t", A, None, "t"), {"": "i1"})
    assert run.fired_at is None
