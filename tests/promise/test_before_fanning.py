"""An earlier `up` may have started some objects: the rules are those of one run, in one list for all of them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud_runs import errors
from cloud_runs.limits import Limit, Times
from cloud_runs.promise.looking import FORGET, NEAR
from cloud_runs.promise.records import Moment, Recorded
from cloud_runs.promise.rules import Doubt
from cloud_runs.runs import Found
from tests.promise.kit import (
    MINUTE,
    SECOND,
    SPACE,
    TWIN,
    URN,
    Cloud,
    Fleet,
    Host,
    Killed,
    many_on_record,
)
from tests.promise.test_fanning import EVER, KEYS, one_run_each

DAY = 86_400.0  # seconds
SETTLE = Times().settle


def earlier(cloud: Cloud, started: list[str], **of_host: object) -> Moment:
    """An `up` that was killed after these."""
    host = Host(cloud, **of_host)  # type: ignore[arg-type]
    moment = host.process.moment()
    host.fan(started)
    cloud.sleep(5)
    return moment


@pytest.mark.parametrize("count", [0, 1, 20, 40])
def test_what_a_killed_up_started_is_found_in_one_list(cloud: Cloud, count: int) -> None:
    moment = earlier(cloud, KEYS[:count])
    fanned = Host(cloud).fan([], Doubt(KEYS, [moment]), concurrency=4)
    one_run_each(cloud, fanned, KEYS)
    assert sorted(fanned.found) == sorted(KEYS[:count])
    assert len(cloud.looks) == 1
    assert fanned.unsettled == 0


@pytest.mark.parametrize(("slow", "lag"), [(0, 0), (0, 10), (25, 0), (30, 10)])
def test_a_young_process_waits_until_lists_can_be_believed(cloud: Cloud, slow: float, lag: float) -> None:
    cloud.slow, cloud.lag = slow, lag
    cloud.of = {"1.mp4": ["killed"]}
    dying = Host(cloud)
    moment = dying.process.moment()
    with pytest.raises(Killed):
        dying.fan(KEYS[:2])
    began = cloud.seconds
    fanned = Host(cloud, age=0).fan([], Doubt(KEYS[:3], [moment]))
    assert cloud.looks[0] - began >= SETTLE
    one_run_each(cloud, fanned, KEYS[:3])


def test_a_list_that_cannot_be_had_fires_nothing(cloud: Cloud) -> None:
    moment = earlier(cloud, KEYS[:3])
    cloud.trouble = errors.Unavailable("no list")
    with pytest.raises(errors.Unavailable, match=r"nothing was fired: .* could not be looked up. no list"):
        Host(cloud).fan(KEYS[5:], Doubt(KEYS[:5], [moment]))
    assert len(cloud.sent) == 3


def test_a_list_without_an_end_fires_nothing(cloud: Cloud) -> None:
    class Endless(Fleet):
        def find(self, keys: object, since: object, limit: Limit) -> Found:
            while True:
                limit.check()
                self.cloud.sleep(2.5)

    moment = earlier(cloud, KEYS[:3])
    host, began = Host(cloud), cloud.seconds
    with pytest.raises(errors.Unavailable, match=r"not answered within \d+ s"):
        host.fan([], Doubt(KEYS, [moment]), fleet=Endless(cloud, host))
    assert cloud.seconds - began < 90
    assert len(cloud.sent) == 3


def test_ctrl_c_ends_the_look_and_nothing_is_fired(cloud: Cloud) -> None:
    moment = earlier(cloud, KEYS[:3])
    host = Host(cloud, age=0)
    host.interrupted = True
    with pytest.raises(errors.Interrupted):
        host.fan([], Doubt(KEYS, [moment]))
    assert len(cloud.sent) == 3


def test_a_clock_that_is_nonsense_fires_nothing(cloud: Cloud) -> None:
    moment = earlier(cloud, KEYS[:3])
    cloud.ahead = timedelta(days=400)
    with pytest.raises(errors.Unavailable, match="clock"):
        Host(cloud).fan([], Doubt(KEYS, [moment]))
    assert len(cloud.sent) == 3


# -- which times


@pytest.mark.parametrize("late", [0.0, 300.0, 599.0])
def test_somebody_else_s_run_is_taken_for_ours_if_it_is_near_and_the_only_one(cloud: Cloud, late: float) -> None:
    """That cannot be told: nothing is fired, and it is told as found."""
    moment = earlier(cloud, [])
    cloud.sleep(late - 5 if late else 0)
    id = cloud.begin(work="0.mp4")
    fanned = Host(cloud).fan([], Doubt(KEYS, [moment]))
    assert fanned.ids["0.mp4"] == id
    assert fanned.found == ["0.mp4"]
    assert cloud.counts() == dict.fromkeys(KEYS[1:], 1)


@pytest.mark.parametrize(
    ("before", "expected"), [(0, "found"), (2, "found"), (8, "told"), (899, "told"), (902, "fired"), (3600, "fired")]
)
def test_a_run_from_before_the_attempt(cloud: Cloud, before: int, expected: str) -> None:
    """The same table as one run's."""
    id = cloud.begin(work="0.mp4", ago=before * SECOND)
    moment = Host(cloud).process.moment()
    fanned = Host(cloud).fan([], Doubt(KEYS[:2], [moment]))
    assert (id in fanned.ids.values()) is (expected == "found")
    assert (id in fanned.refused.get("0.mp4", "")) is (expected == "told")
    assert cloud.counts() == ({"0.mp4": 1} if expected == "fired" else {}) | {"1.mp4": 1}


def test_a_run_that_began_too_late_to_be_ours_is_not_taken_and_nothing_is_fired(cloud: Cloud) -> None:
    moment = earlier(cloud, [])
    cloud.sleep(NEAR.total_seconds() + 5)
    id = cloud.begin(work="0.mp4")
    fanned = Host(cloud).fan([], Doubt(KEYS, [moment]))
    assert id in fanned.refused["0.mp4"]
    assert "take the object out of the list for one `pulumi up`" in fanned.refused["0.mp4"]
    assert (fanned.unsettled, cloud.counts()) == (1, dict.fromkeys(KEYS[1:], 1))


def test_a_slow_fan_out_is_found_to_its_end(cloud: Cloud, host: Host) -> None:
    """Its last starts were long after the attempt, but never long after one another."""
    moment = host.process.moment()
    host.fan(KEYS[:20], rate=0.01)
    assert cloud.seconds > EVER + 3 * NEAR.total_seconds()
    one_run_each(cloud, Host(cloud).fan([], Doubt(KEYS, [moment])), KEYS)


@pytest.mark.parametrize("ahead", [-10, 10])
def test_a_service_whose_clock_is_off(cloud: Cloud, ahead: int) -> None:
    cloud.ahead = ahead * MINUTE
    moment = earlier(cloud, KEYS[:10])
    one_run_each(cloud, Host(cloud).fan([], Doubt(KEYS, [moment])), KEYS)


@pytest.mark.parametrize("skew", [-3600, -3, 3, 3600])
@pytest.mark.parametrize("machine", ["here", "another"])
def test_a_date_that_is_not_the_time_of_the_lists_hides_no_run(cloud: Cloud, skew: int, machine: str) -> None:
    cloud.skew = skew * SECOND
    moment = earlier(cloud, KEYS[:10], machine=machine)
    one_run_each(cloud, Host(cloud).fan([], Doubt(KEYS, [moment])), KEYS)


@pytest.mark.parametrize("paused", [12.0, 3600.0])
def test_a_kernel_s_clock_that_stood_still_hides_no_run(cloud: Cloud, paused: float) -> None:
    moment = earlier(cloud, KEYS[:10])
    one_run_each(cloud, Host(cloud, paused=paused).fan([], Doubt(KEYS, [moment])), KEYS)


@pytest.mark.parametrize("ahead", [-10, 10])
def test_an_attempt_of_another_machine_whose_clock_is_off(cloud: Cloud, ahead: int) -> None:
    """Nothing is fired twice; what cannot be told is refused."""
    moment = earlier(cloud, KEYS[:10], machine="there", ahead=ahead * MINUTE)
    fanned = Host(cloud).fan([], Doubt(KEYS, [moment]))
    assert cloud.counts() == dict.fromkeys(KEYS, 1)
    assert set(fanned.ids) | set(fanned.refused) == set(KEYS)


@pytest.mark.parametrize("slow", [16, 60, 160])
def test_a_slow_clock_fires_nothing_that_another_machine_may_have_fired(cloud: Cloud, slow: int) -> None:
    """Tencent takes what such a clock has signed. What the other machine noted is compared as it is as well."""
    moment = earlier(cloud, KEYS[:3], machine="another")
    cloud.sleep(60)
    fanned = Host(cloud, ahead=-slow * MINUTE).fan([], Doubt(KEYS[:3], [moment]))
    one_run_each(cloud, fanned, KEYS[:3])
    assert sorted(fanned.found) == KEYS[:3]


def test_objects_in_doubt_since_different_moments(cloud: Cloud) -> None:
    """A run from before the moment of its object is an older ask's, whatever is looked for beside it."""
    first = earlier(cloud, ["0.mp4"])
    older = cloud.begin("ours again", "2.mp4")
    cloud.sleep(3600)
    second = Host(cloud).process.moment()
    cloud.sleep(1)
    cloud.begin("ours again", "1.mp4")
    fanned = Host(cloud).fan([], Doubt(["0.mp4"], [first]), Doubt(["1.mp4", "2.mp4"], [second]))
    assert sorted(fanned.found) == ["0.mp4", "1.mp4"]
    assert fanned.ids["2.mp4"] != older


# -- which runs


@pytest.mark.parametrize("exact", [True, False])
def test_two_that_may_be_ours_are_not_guessed(cloud: Cloud, exact: bool) -> None:
    moment = earlier(cloud, KEYS[:2])
    other = cloud.begin(work="0.mp4", exact=exact)
    fanned = Host(cloud).fan([], Doubt(KEYS, [moment]))
    assert list(fanned.refused) == ["0.mp4"]
    assert other in fanned.refused["0.mp4"]
    assert cloud.counts()["0.mp4"] == 1


def test_a_run_that_is_told_only_in_part_is_not_taken(cloud: Cloud) -> None:
    moment = earlier(cloud, [])
    cloud.begin(work="0.mp4", exact=False)
    fanned = Host(cloud).fan([], Doubt(KEYS, [moment]))
    assert list(fanned.refused) == ["0.mp4"]


def test_a_list_that_shows_each_run_twice(cloud: Cloud) -> None:
    moment = earlier(cloud, KEYS[:3])
    cloud.repeats = 2
    one_run_each(cloud, Host(cloud).fan([], Doubt(KEYS, [moment])), KEYS)


def test_a_run_that_may_be_of_two_objects_is_of_none(cloud: Cloud) -> None:
    """A service may tell a key encoded, so that it can be of two objects."""
    moment = earlier(cloud, ["a b"])
    cloud.runs.append(replace(cloud.runs[0], work="a%20b"))
    fanned = Host(cloud).fan([], Doubt(["a b", "a%20b", "c"], [moment]))
    assert sorted(fanned.refused) == ["a b", "a%20b"]
    assert list(fanned.ids) == ["c"]


def test_runs_that_others_have_on_record_are_none_of_ours(cloud: Cloud, host: Host) -> None:
    moment = host.process.moment()
    twin = host.fan(["0.mp4"]).ids["0.mp4"]
    other = Host(cloud)
    other.process.saw(TWIN, SPACE, many_on_record({"0.mp4": twin}))
    fanned = other.fan([], Doubt(["0.mp4"], [moment]))
    assert fanned.found == []
    assert fanned.ids["0.mp4"] != twin


def test_a_run_that_another_takes_between_the_look_and_the_claim(cloud: Cloud) -> None:
    """As a start of other work that the service answers with its id: there are as many asks as runs, so it is fired."""
    moment = earlier(cloud, ["0.mp4"])
    host = Host(cloud)

    class Overtaken(Fleet):
        def find(self, keys: object, since: object, limit: Limit) -> Found:
            found = super().find(keys, since, limit)  # type: ignore[arg-type]
            claim = host.process.claim

            def later(space: object, id: str, urn: str) -> bool:
                host.process.claim = claim  # type: ignore[method-assign]
                assert claim(space, id, TWIN)
                return claim(space, id, urn)

            host.process.claim = later  # type: ignore[method-assign]
            return found

    fanned = host.fan([], Doubt(["0.mp4"], [moment]), fleet=Overtaken(cloud, host))
    assert fanned.ids["0.mp4"] == cloud.runs[1].id
    assert len(cloud.runs) == 2


# -- a fan-out that is replaced


def old_fan_out(cloud: Cloud) -> Recorded:
    fanned = Host(cloud).fan(KEYS)
    return many_on_record(fanned.ids, at=fanned.at)


def test_the_runs_that_are_replaced_are_never_found(cloud: Cloud) -> None:
    old = old_fan_out(cloud)
    cloud.sleep(5)
    moment = earlier(cloud, KEYS[:10])
    cloud.sleep(1)
    host = Host(cloud)
    host.process.saw(URN, SPACE, old)
    fanned = host.fan([], Doubt(KEYS, [moment]), replaced=old)
    assert sorted(fanned.found) == sorted(KEYS[:10])
    assert cloud.counts() == dict.fromkeys(KEYS, 2)
    assert not set(fanned.ids.values()) & set(old.ids.values())


@pytest.mark.parametrize("days", [0, 3, 30])
def test_a_replacement_whose_time_nobody_knows(cloud: Cloud, days: int) -> None:
    """Forced, and killed in the middle: the intent is as old as the runs that are replaced. Older runs are not its, and
    what began long after it may be anybody's: as of one run, it is told and not taken."""
    cloud.begin(work="20.mp4")
    cloud.sleep(1200)
    intended = Host(cloud).process.moment()
    old = old_fan_out(cloud)
    cloud.sleep(DAY * days + 60)
    earlier(cloud, KEYS[:10])
    host = Host(cloud)
    host.process.saw(URN, SPACE, old)
    fanned = host.fan([], Doubt(KEYS, [intended]), replaced=old)
    near = days == 0
    assert sorted(fanned.found) == (sorted(KEYS[:10]) if near else [])
    assert sorted(fanned.refused) == ([] if near else sorted(KEYS[:10]))
    assert all(cloud.ours(key)[-1] in why for key, why in fanned.refused.items())
    assert cloud.counts() == dict.fromkeys(KEYS, 2), "the others are fired, since the list still shows the old ones"


def test_the_same_where_the_service_has_forgotten_the_old_runs(cloud: Cloud) -> None:
    intended = Host(cloud).process.moment()
    old = old_fan_out(cloud)
    cloud.sleep(DAY * 8)
    cloud.runs.clear()
    fanned = Host(cloud).fan([], Doubt(KEYS, [intended]), replaced=old)
    assert len(fanned.refused) == fanned.unsettled == 40
    assert len(cloud.sent) == 40


def test_a_replaced_fan_out_with_objects_that_had_no_run(cloud: Cloud) -> None:
    """And with objects that the new one has not."""
    host = Host(cloud)
    moment = host.process.moment()
    fanned = host.fan(["a", "b"])
    old = many_on_record(fanned.ids, ["c"], at=fanned.at)
    cloud.sleep(5)
    later = Host(cloud)
    later.process.saw(URN, SPACE, old)
    fleet = Fleet(cloud, later, keys={"b", "c", "d"})
    fanned = later.fan([], Doubt(["b", "c", "d"], [moment]), replaced=old, fleet=fleet)
    assert cloud.counts() == {"a": 1, "b": 2, "c": 1, "d": 1}
    assert fanned.ids.keys() == {"b", "c", "d"}


# -- what the service may have forgotten


def test_what_the_service_may_have_forgotten_is_not_fired_object_by_object(cloud: Cloud) -> None:
    ancient = Host(cloud).process.moment()
    Host(cloud).fan(KEYS[:1])
    cloud.sleep(FORGET.total_seconds() + 60)
    recent = Host(cloud).process.moment()
    fanned = Host(cloud).fan(KEYS[6:8], Doubt(KEYS[:3], [ancient]), Doubt(KEYS[3:6], [recent]))
    assert sorted(fanned.ids) == [KEYS[0], *KEYS[3:8]], "what is listed is known all the same"
    assert sorted(fanned.refused) == KEYS[1:3]
    assert "too long ago for the service to tell" in fanned.refused["1.mp4"]
    assert fanned.unsettled == 2


# -- added to


def test_what_cannot_be_looked_up_keeps_nothing_else_from_being_fired(cloud: Cloud, host: Host) -> None:
    own = many_on_record(host.fan(KEYS[:3]).ids, at=cloud.now())
    doubt = Doubt([KEYS[3]], [host.process.moment()])
    cloud.trouble = errors.Unavailable("has more than 200 pages")
    fanned = Host(cloud).fan([KEYS[4]], doubt, keep=own)
    assert list(fanned.ids) == [KEYS[4]]
    assert fanned.unsettled == 1
    assert "could not be looked up. has more than 200 pages. The next `pulumi up`" in fanned.refused[KEYS[3]]
    cloud.trouble = None
    assert Host(cloud).fan([], doubt, keep=own).ids.keys() == {KEYS[3]}, "looked for again, and fired"


@pytest.mark.parametrize("forgotten", [False, True])
def test_its_own_runs_show_what_a_service_has_not_forgotten(cloud: Cloud, host: Host, forgotten: bool) -> None:
    """Refused for certain; a month of refusals; and the object is there at last."""
    own = many_on_record(host.fan(KEYS[:3]).ids, at=cloud.now())
    cloud.sleep(20 * DAY)
    doubt = Doubt([KEYS[3]], [host.process.moment()])
    cloud.sleep(20 * DAY)
    if forgotten:
        cloud.runs.clear()
    fanned = Host(cloud).fan([], doubt, keep=own)
    assert cloud.counts()[KEYS[3]] == (not forgotten)
    assert ("too long ago" in fanned.refused.get(KEYS[3], "")) is forgotten


def test_its_own_runs_of_yesterday_do_not_show_what_a_service_has_forgotten_of_last_week(cloud: Cloud) -> None:
    """The record is as old as the objects that were added to it last."""
    first = Host(cloud)
    doubt = Doubt([KEYS[3]], [first.process.moment()])
    cloud.begin("ours", KEYS[3])
    cloud.sleep(9 * DAY)
    cloud.runs.clear()  # it forgets what is older than a week
    own = many_on_record(Host(cloud).fan(KEYS[:3]).ids, [KEYS[3]], at=cloud.now())
    cloud.sleep(DAY)
    fanned = Host(cloud).fan([], doubt, keep=own)
    assert "too long ago" in fanned.refused[KEYS[3]]
    assert cloud.counts()[KEYS[3]] == 0


def test_a_lost_answer_of_an_object_that_was_added_is_looked_for_alone(cloud: Cloud, host: Host) -> None:
    """Requests are made for what is fired and looked for, not for what is on record."""
    own = many_on_record(host.fan(["a", "b"]).ids, at=cloud.now())
    later = Host(cloud)
    cloud.of = {"c": ["lost"]}
    fanned = later.fan(["c", "d"], keep=own, fleet=Fleet(cloud, later, keys={"c", "d"}))
    assert (fanned.ids.keys(), fanned.found) == ({"c", "d"}, ["c"])


def test_the_list_of_a_fan_out_that_is_added_to_asks_for_no_object_without_a_request(cloud: Cloud, host: Host) -> None:
    own = many_on_record(host.fan(["a", "b"]).ids, at=cloud.now())
    later = Host(cloud)
    fleet = Fleet(cloud, later, keys={"a", "b", "c"})
    assert later.fan([], Doubt(["c"], [host.process.moment()]), keep=own, fleet=fleet).ids.keys() == {"c"}
    assert cloud.asked[-1][0] == {"a", "b", "c"}


# -- many threads


@pytest.mark.parametrize("seed", range(12))
def test_random_fates(cloud: Cloud, seed: int) -> None:
    """Ups one after the other, with many threads, each start with a fate of its own; some are killed.

    No object is started twice, and in the end the id of each is on record.
    """
    dice = random.Random(seed)
    fates = ["answered"] * 12 + ["lost", "bug", "reset before", "throttled", "not reached", "status 400", "status 500"]
    cloud.lag, cloud.slow, cloud.takes = dice.choice([0.0, 5.0, 10.0]), dice.choice([0.0, 0.0, 30.0]), 0.01
    moments, ids = [Host(cloud).process.moment()], dict[str, str]()
    for number in range(6):
        cloud.sleep(dice.uniform(0, 60))
        host = Host(cloud, age=dice.choice([0.0, 100.0]) if not cloud.slow else 0.0)
        host.process.saw(TWIN, SPACE, many_on_record(ids))
        killing = dice.choice([[], ["killed"], ["killed before"]])
        cloud.fate = lambda: "answered" if number == 5 else dice.choice([*fates, *killing])  # noqa: B023
        moments.append(host.process.moment())
        missing = [key for key in KEYS if key not in ids]
        try:
            ids |= host.fan([], Doubt(missing, moments), concurrency=dice.choice([1, 4, 16])).ids
        except Killed:
            continue
        finally:
            assert not [key for key, count in cloud.counts().items() if count > 1]
    assert ids == {run.work: run.id for run in cloud.runs}
    assert set(ids) == set(KEYS)
