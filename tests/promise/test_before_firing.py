"""An earlier `up` may have fired: what is looked for, how long, what is taken, what is told, and when it is fired.

*May it be ours?* is wide: a clock may be off by a quarter of an hour. *Is it surely ours?* is narrow.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cloud_runs import errors
from cloud_runs.limits import Limit, Times
from cloud_runs.promise import firing
from cloud_runs.runs import Candidate, Found
from tests.promise.kit import (
    HOUR,
    MINUTE,
    SECOND,
    SPACE,
    TWIN,
    URN,
    Cloud,
    Host,
    Killed,
    Request,
    killed,
    on_record,
    recorded,
)

SETTLE = Times().settle

# -- how long


@pytest.mark.parametrize(("slow", "lag"), [(0, 0), (0, 10), (12, 9), (25, 0), (30, 0), (30, 10)])
@pytest.mark.parametrize("marker", ["", "m"])
def test_an_effect_and_a_list_that_are_late_after_a_kill_do_not_fire_again(
    cloud: Cloud, slow: float, lag: float, marker: str
) -> None:
    """As late as a start may take, and as a list may lag."""
    cloud.slow, cloud.lag, request = slow, lag, Request(cloud, marker=marker)
    intent = killed(cloud, request=request)
    settled = Host(cloud, age=0).create(intent, request=request)
    assert [settled.id] == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("times", [Times(), Times(2.0, 1.0), Times(90.0, 30.0)])
def test_a_young_process_looks_until_it_is_settled_and_then_fires(cloud: Cloud, times: Times) -> None:
    intent = Host(cloud).mint()
    began = cloud.seconds
    young = Host(cloud, age=0, times=times)
    assert young.create(intent).provenance == "fired"
    assert cloud.looks == [pytest.approx(began + times.settle, abs=0.01)], "before, a look would prove nothing"
    assert f"looking for it before firing, {times.settle - 1:.0f} s left" in young.said[0], "the time that is left"


def test_with_proof_it_is_looked_for_meanwhile_as_well(cloud: Cloud) -> None:
    intent = Host(cloud).mint()
    began = cloud.seconds
    assert Host(cloud, age=0).create(intent, request=Request(cloud, marker="m")).provenance == "fired"
    assert len(cloud.looks) > 5
    assert cloud.looks[-1] - began == pytest.approx(SETTLE, abs=0.01)


def test_with_proof_it_is_found_at_once(cloud: Cloud) -> None:
    request = Request(cloud, marker="m")
    intent = killed(cloud, request=request)
    began = cloud.seconds
    assert Host(cloud, age=0).create(intent, request=request).provenance == "found"
    assert cloud.seconds - began < 2


def test_an_old_process_looks_once_and_gives_siblings_time_to_be_asked(cloud: Cloud) -> None:
    Host(cloud, age=SETTLE).create(Host(cloud).mint())
    assert cloud.slept == [firing.SIBLINGS_SECONDS]
    assert len(cloud.looks) == 1


# -- which time


@pytest.mark.parametrize(("after", "adopted"), [(600, True), (601, False), (86400, False)])
def test_without_proof_only_a_run_within_ten_minutes_is_adopted(cloud: Cloud, after: int, adopted: bool) -> None:
    intent = Host(cloud).mint()
    cloud.seconds += after
    later = cloud.begin("ours")
    host = Host(cloud)
    if adopted:
        assert host.create(intent).id == later
    else:
        with pytest.raises(errors.Ambiguous, match="set adopt_id") as error:
            host.create(intent)
        assert error.value.candidates == (later,)
        assert later in str(error.value)
    assert cloud.starts == 0


@pytest.mark.parametrize("after", [601, 86400, 6 * 86400])
def test_with_proof_a_later_run_is_adopted(cloud: Cloud, after: int) -> None:
    intent = Host(cloud).mint()
    cloud.seconds += after
    later = cloud.begin("ours", marker="m")
    assert Host(cloud).create(intent, request=Request(cloud, marker="m")).id == later
    assert cloud.starts == 0


@pytest.mark.parametrize("before", [2, 3, 600, 899])
def test_with_proof_an_earlier_run_is_adopted(cloud: Cloud, before: int) -> None:
    """Only the token's own intent can have led to it, whatever the clocks say."""
    earlier = cloud.begin("ours", marker="m", ago=before * SECOND)
    assert Host(cloud).create(Host(cloud).mint(), request=Request(cloud, marker="m")).id == earlier
    assert cloud.starts == 0


@pytest.mark.parametrize("machine", ["here", "another"])
@pytest.mark.parametrize(
    ("before", "expected"),
    [(0, "found"), (1, "found"), (2, "found"), (3, "told"), (600, "told"), (900, "told"), (902, "fired"),
     (3600, "fired")],
)  # fmt: skip
def test_a_run_from_before_the_intent(cloud: Cloud, machine: str, before: int, expected: str) -> None:
    """Whole seconds are a margin for what is taken, what a clock may be off for what is told."""
    earlier = cloud.begin("ours", ago=before * SECOND)
    intent = Host(cloud, machine=machine).mint()
    host = Host(cloud)
    if expected == "told":
        with pytest.raises(errors.Ambiguous) as error:
            host.create(intent)
        assert error.value.candidates == (earlier,)
        assert cloud.starts == 0
    else:
        settled = host.create(intent)
        assert settled.provenance == expected
        assert (settled.id == earlier, cloud.starts) == ((True, 0) if expected == "found" else (False, 1))


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.999])
def test_whole_seconds_do_not_hide_a_run(cloud: Cloud, fraction: float) -> None:
    cloud.seconds += fraction
    intent = killed(cloud)
    cloud.seconds += 0.7
    assert [Host(cloud).create(intent).id] == cloud.ours()


@pytest.mark.parametrize(
    ("minutes", "adopted"),
    [(-14, False), (-11, False), (-10, True), (-5, True), (0, True), (1, False), (5, False), (10, False), (14, False)],
)
def test_another_machines_clock_never_makes_a_killed_up_fire_again(cloud: Cloud, minutes: int, adopted: bool) -> None:
    intent = killed(cloud, machine="another", ahead=minutes * MINUTE)
    if adopted:
        assert [Host(cloud).create(intent).id] == cloud.ours()
    else:
        with pytest.raises(errors.Ambiguous) as error:
            Host(cloud).create(intent)
        assert list(error.value.candidates) == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("slow", [16, 60, 160])
def test_a_slow_clock_never_makes_another_machines_killed_up_fire_again(cloud: Cloud, slow: int) -> None:
    """Tencent takes what such a clock has signed. What the other machine noted is compared as it is as well."""
    intent = killed(cloud, machine="another")
    cloud.seconds += 60
    assert [Host(cloud, ahead=-slow * MINUTE).create(intent).id] == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("ahead", [4 * HOUR, -4 * HOUR, 400 * 24 * HOUR])
def test_a_service_s_time_that_is_nonsense_fires_nothing(cloud: Cloud, ahead: timedelta) -> None:
    intent = killed(cloud)
    cloud.skew = ahead
    with pytest.raises(errors.Unavailable, match="check this machine's clock"):
        Host(cloud).create(intent)
    assert cloud.starts == 1


@pytest.mark.parametrize("paused", [12.0, 3600.0, -12.0])
@pytest.mark.parametrize("marker", ["", "m"])
def test_a_kernel_s_clock_that_stood_still_hides_no_run(cloud: Cloud, paused: float, marker: str) -> None:
    """A paused or restored virtual machine, or a time namespace."""
    request = Request(cloud, marker=marker)
    intent = killed(cloud, request=request)
    cloud.sleep(90)
    assert [Host(cloud, age=0, paused=paused).create(intent, request=request).id] == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("skew", [-3600, -60, -3, -1, 0, 1, 3, 60, 3600])
@pytest.mark.parametrize("machine", ["here", "another"])
@pytest.mark.parametrize("marker", ["", "m"])
def test_a_date_that_is_not_the_time_of_the_lists_hides_no_run(
    cloud: Cloud, skew: int, machine: str, marker: str
) -> None:
    cloud.skew = skew * SECOND
    request = Request(cloud, marker=marker)
    intent = killed(cloud, request=request, machine=machine)
    cloud.sleep(90)
    assert [Host(cloud, age=0).create(intent, request=request).id] == cloud.ours()
    assert cloud.starts == 1


OFFSETS = (-10, -5, 0, 5, 10)


# The signature check refuses a clock that is off by 15 minutes.
@pytest.mark.parametrize(("server", "ours"), [(a, b) for a in OFFSETS for b in OFFSETS if abs(a - b) < 15])
def test_a_clock_that_is_off_on_the_same_machine(cloud: Cloud, server: int, ours: int) -> None:
    cloud.ahead = server * MINUTE
    cloud.begin("foreign", ago=HOUR)
    intent = killed(cloud, ahead=ours * MINUTE)
    cloud.seconds += 120
    assert [Host(cloud, ahead=ours * MINUTE).create(intent).id] == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("step", [-7200, -600, -5, 5, 600, 7200])
def test_a_clock_that_is_set_between_two_ups_hides_no_run(cloud: Cloud, step: int) -> None:
    intent = killed(cloud, ahead=step * SECOND)
    assert Host(cloud).create(intent).id == cloud.ours()[0]
    assert cloud.starts == 1


@pytest.mark.parametrize("ahead", [1, 2])
def test_between_clocks_that_disagree_by_hours_nothing_is_surely_ours(cloud: Cloud, ahead: int) -> None:
    intent = killed(cloud, "killed before", ahead=ahead * HOUR)
    foreign = cloud.begin("foreign", ago=-ahead * HOUR / 2)
    cloud.seconds += 3 * 3600
    with pytest.raises(errors.Ambiguous) as error:
        Host(cloud).create(intent)
    assert error.value.candidates == (foreign,)


def test_a_server_that_tells_no_time_is_taken_to_have_ours(cloud: Cloud) -> None:
    cloud.dated = False
    intent = killed(cloud)
    assert [Host(cloud).create(intent).id] == cloud.ours()


# -- long ago


@pytest.mark.parametrize(("over", "fires"), [(-2, True), (2, False)])
def test_an_intent_older_than_seven_days_with_nothing_found(cloud: Cloud, over: int, fires: bool) -> None:
    intent = Host(cloud).mint()
    cloud.seconds += 7 * 86400 - firing.SIBLINGS_SECONDS + over
    host = Host(cloud)
    if fires:
        assert host.create(intent).provenance == "fired"
    else:
        with pytest.raises(errors.UnknownOutcome, match="change a trigger"):
            host.create(intent)
    assert cloud.starts == int(fires)


def test_an_old_intent_whose_run_is_still_listed(cloud: Cloud) -> None:
    intent = killed(cloud)
    cloud.seconds += 30 * 86400
    assert [Host(cloud).create(intent).id] == cloud.ours()


def test_an_old_intent_of_this_process_or_with_a_delete_fires(cloud: Cloud, host: Host) -> None:
    intent = host.mint()
    cloud.seconds += 30 * 86400
    settled = host.create(intent)
    later = Host(cloud)
    later.process.deleted(intent.token, SPACE, recorded(settled, intent))
    later.create(intent)
    assert (cloud.starts, cloud.looks) == (2, [])


@pytest.mark.parametrize("forgotten", [False, True])
def test_an_old_intent_fires_only_if_the_list_still_shows_the_run_that_is_replaced(
    cloud: Cloud, forgotten: bool
) -> None:
    first = Host(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    cloud.seconds += 8 * 86400
    if forgotten:
        cloud.runs.clear()
    later = Host(cloud)
    later.process.saw(URN, SPACE, old)
    if forgotten:
        with pytest.raises(errors.UnknownOutcome, match="too long ago"):
            later.create(intent)
    else:
        assert later.create(intent).provenance == "fired"
    assert cloud.starts == 1 + (not forgotten)


# -- a service that cannot be asked


@pytest.mark.parametrize("trouble", [errors.Unavailable("503"), errors.Refused("listing", status=403)])
def test_a_service_that_cannot_be_asked_fires_nothing(cloud: Cloud, trouble: Exception) -> None:
    intent = killed(cloud)
    cloud.trouble = trouble
    with pytest.raises(errors.Unavailable, match="nothing was fired") as error:
        Host(cloud).create(intent)
    assert str(trouble) in str(error.value)
    assert cloud.starts == 1
    cloud.trouble = None
    assert [Host(cloud).create(intent).id] == cloud.ours()


@pytest.mark.parametrize("age", [0, SETTLE])
def test_a_list_without_an_end_fires_nothing(cloud: Cloud, age: float) -> None:
    """Each page is answered; the limit of the look is handed down to each request."""

    class Endless(Request):
        def find(self, since: object, limit: Limit) -> Found:
            while True:
                limit.check()
                self.cloud.sleep(2.5)

    intent = killed(cloud)
    began = cloud.seconds
    with pytest.raises(errors.Unavailable, match=r"could not be looked up. not answered within \d+ s"):
        Host(cloud, age=age).create(intent, request=Endless(cloud))
    assert cloud.seconds - began < SETTLE - age + firing.LOOK_SECONDS + 5
    assert cloud.starts == 1


# -- which runs


@pytest.mark.parametrize("many", [2, 10, 13])
def test_several_candidates_are_listed(cloud: Cloud, many: int) -> None:
    intent = Host(cloud).mint()
    began = [cloud.begin("foreign", ago=-n * SECOND) for n in range(many)]
    with pytest.raises(errors.Ambiguous) as error:
        Host(cloud).create(intent)
    text = str(error.value)
    assert error.value.candidates == tuple(began), "all of them, oldest first"
    assert all(f"{id} (began 2024-" in text for id in began[:10])
    assert all(id not in text for id in began[10:])
    assert ("and 3 more" in text) == (many == 13)
    assert cloud.starts == 0


def test_one_that_can_be_ours_and_a_later_one_are_ambiguous(cloud: Cloud) -> None:
    intent = Host(cloud).mint()
    both = cloud.begin("ours"), cloud.begin("foreign", ago=-11 * MINUTE)
    cloud.seconds += 3600
    with pytest.raises(errors.Ambiguous) as error:
        Host(cloud).create(intent)
    assert error.value.candidates == both
    assert cloud.starts == 0


def test_candidates_are_listed_in_the_order_of_their_times(cloud: Cloud) -> None:
    intent = Host(cloud).mint()
    began = [cloud.begin("foreign", ago=-n * SECOND) for n in (5, 1, 3)]
    with pytest.raises(errors.Ambiguous) as error:
        Host(cloud).create(intent)
    assert error.value.candidates == (began[1], began[2], began[0])


def test_two_with_proof_are_ambiguous_too(cloud: Cloud) -> None:
    intent = Host(cloud).mint()
    both = [cloud.begin("ours", marker="m") for _ in range(2)]
    with pytest.raises(errors.Ambiguous) as error:
        Host(cloud).create(intent, request=Request(cloud, marker="m"))
    assert set(error.value.candidates) == set(both)
    assert cloud.starts == 0


def test_a_run_that_a_list_shows_twice_is_one(cloud: Cloud) -> None:
    intent = killed(cloud)
    cloud.repeats = 2
    assert [Host(cloud).create(intent).id] == cloud.ours()


def test_other_work_is_no_candidate(cloud: Cloud) -> None:
    intent = Host(cloud).mint()
    cloud.begin("foreign", work="other")
    assert Host(cloud).create(intent).provenance == "fired"


def test_a_run_that_only_agrees_is_neither_adopted_nor_fired_again(cloud: Cloud) -> None:
    intent = killed(cloud)
    cloud.runs[0] = replace(cloud.runs[0], exact=False)
    with pytest.raises(errors.Ambiguous) as error:
        Host(cloud).create(intent)
    assert list(error.value.candidates) == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("lag", [1, 5, 9])
def test_somebody_elses_run_is_not_taken_while_ours_is_not_listed_yet(cloud: Cloud, lag: int) -> None:
    foreign = cloud.begin("foreign")
    cloud.lag = lag
    intent = killed(cloud)
    with pytest.raises(errors.Ambiguous) as error:
        Host(cloud, age=0).create(intent)
    assert sorted(error.value.candidates) == sorted([foreign, *cloud.ours()])
    assert cloud.starts == 1


# -- beside the run that is replaced


def test_the_old_run_and_what_began_before_it_are_no_candidates(cloud: Cloud) -> None:
    """A forced replacement under the same token that was killed before (or after) its start."""
    first = Host(cloud)
    intent = first.mint()
    cloud.begin("foreign")
    cloud.seconds += 5
    old = recorded(first.create(intent), intent)
    cloud.seconds += 5
    second = Host(cloud)
    second.process.saw(URN, SPACE, old)
    new = second.create(intent)
    assert new.provenance == "fired"
    third = Host(cloud)
    third.process.saw(URN, SPACE, old)
    assert third.create(intent).id == new.id
    assert cloud.starts == 2


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_the_row_of_the_old_run_tells_its_time_whatever_the_date_says(cloud: Cloud, skew: timedelta) -> None:
    """What is on record is the time of another clock than the list's."""
    cloud.skew = skew
    first = Host(cloud)
    intent = first.mint()
    cloud.begin("foreign", marker="m")
    cloud.seconds += 5
    request = Request(cloud, marker="m")
    old = recorded(first.create(intent, request=request), intent)
    cloud.seconds += 5
    second = Host(cloud)
    second.process.deleted(intent.token, SPACE, old)
    cloud.fates = ["killed"]
    with pytest.raises(Killed):
        second.create(intent, request=request)
    third = Host(cloud)
    third.process.saw(URN, SPACE, old)
    assert third.create(intent, request=request).id == cloud.ours()[-1]
    assert cloud.starts == 2


def test_an_old_run_without_a_time_is_left_out_by_its_id(cloud: Cloud) -> None:
    intent = Host(cloud).mint()
    old = on_record(cloud.begin("ours"), intent.token)
    host = Host(cloud)
    host.process.saw(URN, SPACE, old)
    assert host.create(intent).provenance == "fired"


def test_a_run_of_the_same_second_as_the_old_one_is_named_and_not_taken(cloud: Cloud) -> None:
    """A forced replacement is an `up` of its own."""
    first = Host(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    lost = cloud.begin("ours")
    second = Host(cloud)
    second.process.saw(URN, SPACE, old)
    with pytest.raises(errors.Ambiguous) as error:
        second.create(intent)
    assert error.value.candidates == (lost,)
    assert cloud.starts == 1


def test_a_forced_replacement_long_after_its_intent_is_told_and_not_fired_again(cloud: Cloud) -> None:
    """Killed, so that nothing tells when it was."""
    first = Host(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    cloud.seconds += 7200
    second = Host(cloud)
    second.process.deleted(intent.token, SPACE, old)
    lost = cloud.begin("ours")
    third = Host(cloud)
    third.process.saw(URN, SPACE, old)
    with pytest.raises(errors.Ambiguous) as error:
        third.create(intent)
    assert error.value.candidates == (lost,)
    assert cloud.starts == 1


# -- a list that tells no time of a run


class WithoutATime(Request):
    """Somebody's run, of yesterday or of now, is in every list."""

    def find(self, since: object, limit: Limit) -> Found:
        found = super().find(since, limit)  # type: ignore[arg-type]
        return Found((Candidate("timeless", None), *found.candidates), found.server_time)


def test_a_run_without_a_time_may_be_ours_and_is_neither_adopted_nor_fired_again(cloud: Cloud) -> None:
    with pytest.raises(errors.Ambiguous, match=r"timeless.*unknown time") as error:
        Host(cloud).create(Host(cloud).mint(), request=WithoutATime(cloud))
    assert error.value.candidates == ("timeless",)
    assert cloud.starts == 0


def test_a_run_without_a_time_does_not_stop_a_token_of_this_process(cloud: Cloud, host: Host) -> None:
    assert host.create(host.mint(), request=WithoutATime(cloud)).provenance == "fired"


def test_a_run_without_a_time_is_not_taken_for_a_lost_one(cloud: Cloud, host: Host) -> None:
    cloud.fates = ["reset before"]
    with pytest.raises(errors.Ambiguous):
        host.create(host.mint(), request=WithoutATime(cloud))


# -- a name that is used again


def test_the_delete_of_a_run_that_was_renamed_is_not_that_of_a_new_one_with_its_old_name(cloud: Cloud) -> None:
    """`run` became `twin` with an alias, a new `run` was killed in its start, and now the renamed one is replaced."""
    first = Host(cloud)
    intent = first.mint()
    renamed = recorded(first.create(intent), intent)
    new = killed(cloud, request=Request(cloud, work="other"))
    second = Host(cloud)
    second.process.deleted(renamed.fired.token, SPACE, renamed)  # its outputs still tell the URN of before the rename
    assert second.create(new, request=Request(cloud, work="other")).provenance == "found"
    assert second.create(intent, urn=TWIN).provenance == "fired"
    assert [run.work for run in cloud.runs] == ["work", "other", "work"]
