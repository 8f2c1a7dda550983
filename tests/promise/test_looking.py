"""What a list says of what was asked for: a list, the asks and the clocks go in; for each ask comes what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_runs.promise import looking
from cloud_runs.promise.looking import FORGET, NEAR, SKEW, TICK, Clocks, Listing, Looked, Seen, Sight
from cloud_runs.promise.records import Moment, Recorded
from cloud_runs.runs import Candidate, Found, Phase, rfc3339
from tests.promise.kit import DAY, HOUR, MINUTE, NOON, SECOND, many_on_record, on_record

LATER = NOON + HOUR
BOOT = "b"
ATTEMPT = Moment("t", NOON, "earlier", BOOT, 1000.0)
ELSEWHERE = Moment("t", NOON, "earlier", "another kernel", 77.0)


def clocks(
    now: datetime = LATER, *, date: timedelta | None = timedelta(0), paused: float = 0.0, ahead: timedelta = 0 * HOUR
) -> Clocks:
    """An hour later on the machine of the attempt. `date`: how far the service's `Date` is from the time of day;
    `paused`: for how long the kernel's clock stood still; `ahead`: how far this clock is ahead of true time now."""
    uptime = 1000.0 + (now - NOON).total_seconds() - paused
    return Clocks(now + ahead, BOOT, uptime, None if date is None else now + date)


def run(
    id: str = "i1", after: timedelta = timedelta(0), *, key: str = "", proof: bool = False, exact: bool = True,
    phase: Phase = Phase.UNKNOWN,
) -> Candidate:  # fmt: skip
    """That began so long after the attempt."""
    return Candidate(id, NOON + after, proof, exact, key, phase)


def listing(
    *shown: Candidate, at: Clocks | None = None, taken: Sequence[str] = (), own: Recorded | None = None
) -> Listing:
    at = at or clocks()
    known = {*taken, *(own.ids.values() if own else ())}
    free = [candidate for candidate in shown if candidate.id not in known]
    return Listing(Found(tuple(shown), at.server), free, at, frozenset(own.ids.values()) if own else frozenset())


def seen(*shown: Candidate, ask: Looked | None = None, **how: object) -> Seen:
    return looking.read(listing(*shown, **how), {"": ask or Looked([ATTEMPT])})[""]  # type: ignore[arg-type]


def sight(*shown: Candidate, ask: Looked | None = None, **how: object) -> Sight:
    return seen(*shown, ask=ask, **how).sight


# -- may it be ours, and is it surely ours


@pytest.mark.parametrize("attempt", [ATTEMPT, ELSEWHERE])
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (-SKEW - SECOND, Sight.NONE),
        (-SKEW, Sight.DOUBT),
        (-TICK - SECOND, Sight.DOUBT),
        (-TICK, Sight.OURS),
        (0 * SECOND, Sight.OURS),
        (NEAR, Sight.OURS),
        (NEAR + SECOND, Sight.DOUBT),
        (50 * MINUTE, Sight.DOUBT),
    ],
)
def test_by_its_time(attempt: Moment, after: timedelta, expected: Sight) -> None:
    found = seen(run(after=after), ask=Looked([attempt]))
    assert found.sight is expected
    assert [one.id for one in found.candidates] == (["i1"] if expected is not Sight.NONE else [])
    assert not found.marked


@pytest.mark.parametrize("after", [-30 * DAY, -SKEW - SECOND, -MINUTE, NEAR + SECOND, 50 * MINUTE])
def test_what_carries_our_marker_is_never_left_out_by_time(after: timedelta) -> None:
    found = seen(run(after=after, proof=True))
    assert (found.sight, found.run.id, found.marked) == (Sight.OURS, "i1", True)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (-SKEW - SECOND, Sight.NONE),
        (-SKEW, Sight.DOUBT),
        (-TICK - SECOND, Sight.DOUBT),
        (-TICK, Sight.OURS),
        (NEAR, Sight.OURS),
        (NEAR + SECOND, Sight.DOUBT),
    ],
)
def test_a_marker_of_a_start_of_this_process_is_not_of_what_began_before_it(after: timedelta, expected: Sight) -> None:
    """A run of the same intent may be on no record, told when its change was taken back."""
    assert sight(run(after=after, proof=True), ask=Looked([ATTEMPT], sent=True)) is expected
    assert sight(replace(run(proof=True), began=None), ask=Looked([ATTEMPT], sent=True)) is Sight.OURS
    assert sight(run(after=after, proof=True, exact=False), ask=Looked([ATTEMPT], sent=True)) is expected


@pytest.mark.parametrize("proof", [False, True])
def test_one_that_was_cancelled_is_never_taken(proof: bool) -> None:
    assert sight(run(proof=proof, phase=Phase.CANCELLED)) is Sight.DOUBT


@pytest.mark.parametrize("phase", [Phase.SUCCEEDED, Phase.FAILED, Phase.RUNNING, Phase.PENDING])
def test_one_that_has_ended_otherwise_is(phase: Phase) -> None:
    assert sight(run(phase=phase)) is Sight.OURS


def test_one_that_only_agrees_is_never_taken() -> None:
    assert sight(run(exact=False)) is Sight.DOUBT


def test_one_without_a_time_may_be_ours() -> None:
    timeless = replace(run(), began=None)
    assert sight(timeless) is Sight.DOUBT
    assert sight(replace(timeless, proof=True)) is Sight.OURS
    assert sight(run("i2"), timeless) is Sight.DOUBT


def test_what_this_stack_has_on_record_is_none() -> None:
    assert sight(run(), taken=["i1"]) is Sight.NONE
    assert seen(run(), run("i2"), taken=["i1"]).run.id == "i2"


def test_several_are_told_oldest_first() -> None:
    found = seen(run("i3", 3 * SECOND), run("i1", SECOND), run("i2", 2 * SECOND))
    assert found.sight is Sight.DOUBT
    assert [one.id for one in found.candidates] == ["i1", "i2", "i3"]


def test_a_marker_does_not_settle_which_of_several() -> None:
    assert sight(run("i1", proof=True), run("i2", proof=True)) is Sight.DOUBT
    assert sight(run("i1", proof=True), run("i2")) is Sight.DOUBT


def test_a_row_that_is_listed_twice_is_one() -> None:
    found = seen(run(), run())
    assert (found.sight, len(found.candidates)) == (Sight.OURS, 1)


def test_nothing_listed() -> None:
    assert seen() == Seen(Sight.NONE)


# -- clocks


OFF = [s * SECOND for s in (-3600, -60, -3, -1, 1, 3, 60, 3600)]


@pytest.mark.parametrize("date", OFF)
@pytest.mark.parametrize("attempt", [ATTEMPT, ELSEWHERE])
def test_a_date_that_is_not_the_time_of_the_list_hides_nothing(attempt: Moment, date: timedelta) -> None:
    assert sight(run(after=SECOND), ask=Looked([attempt]), at=clocks(date=date)) is Sight.OURS


@pytest.mark.parametrize("date", OFF)
def test_a_service_whose_clock_is_off_as_a_whole(date: timedelta) -> None:
    assert sight(run(after=date + SECOND), at=clocks(date=date)) is Sight.OURS


@pytest.mark.parametrize("paused", [12.0, 3600.0, -12.0, 1e6])
def test_a_kernel_s_clock_that_stood_still_hides_nothing(paused: float) -> None:
    """A paused or restored virtual machine: by that clock the attempt was later than the run."""
    assert sight(run(after=SECOND), at=clocks(paused=paused)) is Sight.OURS


@pytest.mark.parametrize("ahead", [-2 * HOUR, -5 * SECOND, 5 * SECOND, 2 * HOUR])
def test_a_time_of_day_that_was_corrected_hides_nothing(ahead: timedelta) -> None:
    """What was noted is wrong, and the kernel's clock tells when it was."""
    noted = replace(ATTEMPT, at=NOON + ahead)
    assert sight(run(after=SECOND), ask=Looked([noted])) is Sight.OURS


@pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR])
def test_another_machine_s_time_is_all_there_is(ahead: timedelta) -> None:
    """Off by hours it has signed nothing that a service would take; what began after it may be ours."""
    noted = replace(ELSEWHERE, at=NOON + ahead)
    assert sight(run(after=SECOND), ask=Looked([noted])) is (Sight.DOUBT if ahead < 0 * HOUR else Sight.NONE)


@pytest.mark.parametrize("minutes", range(-14, 15, 7))
def test_another_machine_whose_clock_is_off_by_what_a_service_bears(minutes: int) -> None:
    noted = replace(ELSEWHERE, at=NOON + minutes * MINUTE)
    assert sight(run(after=SECOND), ask=Looked([noted])) in (Sight.OURS, Sight.DOUBT)


def test_between_two_clocks_that_disagree_nothing_is_near() -> None:
    noted = replace(ATTEMPT, at=NOON - HOUR)
    assert [sight(run(after=after), ask=Looked([noted])) for after in (-HOUR, -30 * MINUTE, 0 * HOUR)] == [
        Sight.OURS,
        Sight.DOUBT,
        Sight.OURS,
    ]


def test_a_service_that_tells_no_time() -> None:
    assert sight(run(), at=clocks(date=None)) is Sight.OURS


def test_a_kernel_without_a_name() -> None:
    nameless = replace(clocks(), boot="")
    assert nameless.estimates(replace(ATTEMPT, boot="")) == [NOON, NOON]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.integers(-14, 14), st.integers(-14, 14), st.sampled_from([0, 1, -1, 3, -3, 60, -60, 3600, -3600]),
    st.sampled_from([0.0, 12.0, 3600.0]), st.booleans(), st.integers(0, 30),
)  # fmt: skip
def test_the_run_of_an_attempt_is_never_hidden(
    ours: int, server: int, skew: int, paused: float, same: bool, slow: int
) -> None:
    """Whatever the clocks say: our machine's at the attempt, the service's, its Date's, the kernel's."""
    if abs(ours - server) > 14:
        return  # refused by the check of the signature
    noted = replace(ATTEMPT if same else ELSEWHERE, at=NOON + ours * MINUTE)
    began = NOON + server * MINUTE + slow * SECOND
    at = clocks(date=server * MINUTE + skew * SECOND, paused=paused)
    ask = Looked([noted])
    assert looking.since(ask.moments, replace(at, server=None), None) <= began, "asked for"
    assert sight(Candidate("i1", began), ask=ask, at=at) is not Sight.NONE


# -- beside the run that is replaced


OLD = on_record("old", "t", at=NOON + 10 * SECOND)
REPLACING = Looked([ATTEMPT], OLD, token="t")


def test_the_run_that_is_replaced_is_no_candidate() -> None:
    assert sight(run("old", 10 * SECOND), ask=REPLACING) is Sight.NONE


@pytest.mark.parametrize("proof", [False, True])
@pytest.mark.parametrize(
    ("after", "expected"), [(9, Sight.NONE), (10, Sight.DOUBT), (12, Sight.DOUBT), (13, Sight.OURS)]
)
def test_what_began_before_its_row_is_older_and_with_it_no_replacement(
    after: int, expected: Sight, proof: bool
) -> None:
    """With the marker too: a forced replacement keeps the intent, so what was replaced before has it as well."""
    row = run("old", 10 * SECOND, proof=proof)
    assert sight(row, run("i1", after * SECOND, proof=proof), ask=REPLACING, own=OLD) is expected


@pytest.mark.parametrize("after", [0 * SECOND, SECOND])
def test_a_changed_one_may_begin_with_the_run_that_it_replaces(after: timedelta) -> None:
    row = run("old", 10 * SECOND)
    ask = Looked([ATTEMPT], OLD, token="of the change")
    assert sight(row, run("i1", 10 * SECOND + after), ask=ask, own=OLD) is Sight.OURS


@pytest.mark.parametrize("after", [-30 * DAY, -HOUR, 0 * HOUR, 9 * SECOND, HOUR])
def test_a_marker_of_another_intent_than_the_old_run_s_needs_no_time(after: timedelta) -> None:
    """The old run's row has another marker, so that no list shows it, and its time on record is another clock's."""
    ask = Looked([ATTEMPT], OLD, token="of the change")
    assert sight(run(after=after, proof=True), ask=ask) is Sight.OURS


@pytest.mark.parametrize("date", [-HOUR, HOUR])
def test_its_row_tells_its_time_whatever_was_recorded(date: timedelta) -> None:
    """A row of a run whose id we know shows how far the times of the list are from the others."""
    old = on_record("old", "t", at=NOON + date)
    row = run("old", 10 * SECOND)
    ask = Looked([ATTEMPT], old)
    assert sight(row, run("i1", 9 * SECOND), ask=ask, own=old, at=clocks(date=date)) is Sight.NONE
    assert sight(row, run("i1", 11 * SECOND), ask=ask, own=old, at=clocks(date=date)) is Sight.OURS


@pytest.mark.parametrize("proof", [False, True])
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (10 * SECOND - SKEW - SECOND, Sight.NONE),
        (10 * SECOND - SKEW, Sight.DOUBT),
        (10 * SECOND + TICK, Sight.DOUBT),
        (10 * SECOND + TICK + SECOND, Sight.OURS),
    ],
)
def test_without_its_row_what_is_on_record_is_another_clock_s(after: timedelta, expected: Sight, proof: bool) -> None:
    assert sight(run("i1", after, proof=proof), ask=REPLACING, own=OLD) is expected


def test_a_record_without_a_time_leaves_nothing_out_but_itself() -> None:
    timeless = on_record("old", "t")
    ask = Looked([ATTEMPT], timeless)
    assert sight(run("old"), ask=ask, own=timeless) is Sight.NONE
    assert sight(run("old"), run("i1"), ask=ask, own=timeless) is Sight.OURS
    assert sight(run("i1", -50 * DAY, proof=True), ask=replace(ask, token="t"), own=timeless) is Sight.OURS


def test_many_that_are_replaced_each_by_its_own_row() -> None:
    old = many_on_record({"a": "oa", "b": "ob"}, ["c"], at=NOON + 30 * SECOND)
    rows = [run("oa", 10 * SECOND, key="a"), run("ob", 30 * SECOND, key="b")]
    shown = [run(f"n{key}", 20 * SECOND, key=key) for key in "abc"]
    asks = {key: Looked([ATTEMPT], old) for key in "abc"}
    found = looking.read(listing(*rows, *shown, own=old), asks)
    assert {key: one.sight for key, one in found.items()} == {"a": Sight.OURS, "b": Sight.NONE, "c": Sight.DOUBT}


# -- many


def test_each_object_has_its_own() -> None:
    shown = [run(f"i{key}", key=key) for key in "abc"] + [run("ib2", key="b"), run("ix", key="not asked for")]
    found = looking.read(listing(*shown), {key: Looked([ATTEMPT]) for key in "abcd"})
    assert {key: one.sight for key, one in found.items()} == {
        "a": Sight.OURS,
        "b": Sight.DOUBT,
        "c": Sight.OURS,
        "d": Sight.NONE,
    }


def test_one_that_may_be_of_two_objects_is_of_none() -> None:
    found = looking.read(
        listing(run(key="a b"), run(key="a%20b")), {key: Looked([ATTEMPT]) for key in ("a b", "a%20b")}
    )
    assert {one.sight for one in found.values()} == {Sight.DOUBT}
    alone = looking.read(listing(run(key="a b"), run(key="a%20b")), {"a b": Looked([ATTEMPT])})
    assert alone["a b"].sight is Sight.OURS


def test_starts_go_on_for_as_long_as_their_pace_takes() -> None:
    keys = [str(number) for number in range(50)]
    shown = [run(f"i{key}", int(key) * (NEAR - SECOND), key=key) for key in keys]
    asks = {key: Looked([ATTEMPT]) for key in keys}
    now = clocks(NOON + DAY)
    assert {one.sight for one in looking.read(listing(*shown, at=now), asks).values()} == {Sight.OURS}
    gap = [one for one in shown if one.key != "7"]
    found = looking.read(listing(*gap, at=now), asks)
    assert [key for key in keys if found[key].sight is Sight.DOUBT] == keys[8:], "after a gap it is somebody else's"


def test_objects_in_doubt_since_different_moments() -> None:
    second = Moment("t2", NOON + HOUR, "earlier", BOOT, 4600.0)
    asks: Mapping[str, Looked] = {"a": Looked([ATTEMPT]), "b": Looked([second]), "c": Looked([ATTEMPT, second])}
    shown = [run(f"i{key}{n}", n * HOUR, key=key) for n, key in [(0, "a"), (0, "b"), (1, "b"), (1, "c")]]
    found = looking.read(listing(*shown, at=clocks(NOON + 2 * HOUR)), asks)
    assert {key: [one.id for one in what.candidates] for key, what in found.items()} == {
        "a": ["ia0"],
        "b": ["ib1"],
        "c": ["ic1"],
    }
    assert {one.sight for one in found.values()} == {Sight.OURS}


class Counted(tuple[Candidate, ...]):
    """Rows that count how often somebody has gone through them."""

    times = 0

    def __iter__(self) -> Iterator[Candidate]:
        Counted.times += 1
        return super().__iter__()


def test_the_rows_are_not_gone_through_for_each_object() -> None:
    """Of ten thousand objects that would be a hundred million steps."""
    keys = [str(number) for number in range(300)]
    old = many_on_record({key: f"o{key}" for key in keys}, at=NOON)
    rows = [run(f"o{key}", key=key) for key in keys] + [run(f"n{key}", SECOND, key=key) for key in keys]
    asks = {key: Looked([replace(ATTEMPT, token=key)], old) for key in keys}
    shown = listing(*rows, own=old)
    Counted.times = 0
    shown = replace(shown, found=Found(Counted(rows), shown.found.server_time), free=Counted(shown.free))
    found = looking.read(shown, asks)
    assert {one.sight for one in found.values()} == {Sight.OURS}
    assert 0 < Counted.times < 10


# -- as many asks as runs


@pytest.mark.parametrize(("sharers", "runs", "expected"), [(1, 2, False), (2, 2, True), (3, 2, True), (2, 3, False)])
def test_n_asks_and_at_most_n_runs(sharers: int, runs: int, expected: bool) -> None:
    shown = [run(f"i{number}", number * SECOND) for number in range(runs)]
    found = seen(*shown, ask=Looked([ATTEMPT], sharers=sharers))
    assert found.sight is (Sight.OURS if expected else Sight.DOUBT)
    assert found.run.id == "i0", "the oldest is taken"


@pytest.mark.parametrize(
    "other",
    [run("i2", NEAR + SECOND), run("i2", -MINUTE), run("i2", exact=False), run("i2", phase=Phase.CANCELLED)],
)
def test_each_of_them_must_be_surely_ours(other: Candidate) -> None:
    assert sight(run(), other, ask=Looked([ATTEMPT], sharers=2)) is Sight.DOUBT


# -- long ago


@pytest.mark.parametrize(("ago", "expected"), [(FORGET, Sight.NONE), (FORGET + SECOND, Sight.FORGOTTEN)])
def test_none_found_proves_nothing_after_a_week(ago: timedelta, expected: Sight) -> None:
    assert sight(at=clocks(NOON + ago)) is expected
    assert sight(run(), at=clocks(NOON + ago)) is Sight.OURS, "what is listed is known all the same"


@pytest.mark.parametrize(
    ("began", "remembers"),
    [(-DAY, True), (0 * DAY, True), (NEAR, True), (NEAR + SECOND, False), (29 * DAY, False), (None, False)],
)
def test_a_run_on_record_that_is_as_old_proves_that_none_is_forgotten(began: timedelta | None, remembers: bool) -> None:
    own = many_on_record({"x": "ix"}, at=NOON)
    row = run("ix", began or 0 * DAY, key="x")
    shown = listing(row if began is not None else replace(row, began=None), own=own, at=clocks(NOON + 30 * DAY))
    expected = Sight.NONE if remembers else Sight.FORGOTTEN
    assert looking.read(shown, {"a": Looked([ATTEMPT])})["a"].sight is expected


@pytest.mark.parametrize(("fired", "expected"), [(29 * DAY, Sight.NONE), (10 * DAY, Sight.FORGOTTEN)])
def test_a_replacement_is_no_older_than_the_run_that_it_replaces(fired: timedelta, expected: Sight) -> None:
    """The intent may be a month old, and the run that was forced under it last is from yesterday."""
    old = on_record("old", "t", at=NOON + fired)
    assert sight(ask=Looked([ATTEMPT], old), own=old, at=clocks(NOON + 30 * DAY)) is expected
    row = run("old", fired)
    assert sight(row, ask=Looked([ATTEMPT], old), own=old, at=clocks(NOON + 30 * DAY)) is Sight.NONE


# -- since when a list is asked for


def test_a_list_is_asked_for_all_that_may_be_ours() -> None:
    assert looking.since([ATTEMPT], clocks(), None) == NOON - SKEW
    assert looking.since([ATTEMPT], clocks(paused=-3600.0), None) == NOON - HOUR - SKEW
    assert looking.since([ATTEMPT, replace(ATTEMPT, at=NOON - DAY)], clocks(), None) == NOON - DAY - SKEW
    assert looking.since([], clocks(), None) == LATER - SKEW


@pytest.mark.parametrize(
    ("now", "fired", "since"),
    [
        (LATER, NOON - 2 * HOUR, NOON - 2 * HOUR - SKEW),  # its row tells how the times compare
        (LATER, NOON - 5 * DAY, NOON - SKEW),  # that would be too much
        (NOON + 8 * DAY, NOON - 5 * DAY, NOON - 5 * DAY - SKEW),  # whether any is forgotten
        (LATER, NOON + MINUTE, NOON - SKEW),
        (LATER, None, NOON - SKEW),
    ],
)
def test_and_for_the_runs_on_record_where_they_tell_something(
    now: datetime, fired: datetime | None, since: datetime
) -> None:
    assert looking.since([ATTEMPT], clocks(now), on_record(at=fired)) == since


# -- strays


def strays(*shown: Candidate, after: Recorded | None = None, at: Clocks | None = None) -> list[str]:
    moments = [ATTEMPT]
    return [one.id for one in looking.strays(listing(*shown, at=at, own=after), moments, after)]


@pytest.mark.parametrize(
    ("stray", "told"),
    [
        (run(), True),
        (run(after=-SKEW), True),
        (run(after=-SKEW - SECOND), False),
        (run(after=50 * MINUTE), True),
        (run(exact=False), True),
        (run(phase=Phase.CANCELLED), True),
        (replace(run(), began=None), True),
        (run(after=-30 * DAY, proof=True), True),
    ],
)
def test_strays_are_told_as_wide_as_can_be(stray: Candidate, told: bool) -> None:
    assert strays(stray) == (["i1"] if told else [])
    assert strays(stray, stray) == (["i1"] if told else []), "once"


@pytest.mark.parametrize("proof", [False, True])
def test_strays_of_a_replacement_began_after_the_run_that_it_replaces(proof: bool) -> None:
    row = run("old", 10 * SECOND, proof=proof)
    shown = [run("before", 9 * SECOND, proof=proof), row, run("after", HOUR, proof=proof)]
    assert strays(*shown, after=OLD) == ["after"]
    assert strays(*shown) == ["before", "old", "after"]


# -- what is told


def test_what_is_told_of_candidates() -> None:
    told = looking.describe(
        [run("i1"), replace(run("i2", phase=Phase.FAILED), began=None), *(run(f"x{n}") for n in range(12))], rfc3339
    )
    assert told.startswith("i1 (began 2024-01-01T12:00:00Z), i2 (began at an unknown time, failed), x0 (")
    assert told.endswith(" and 4 more")


@pytest.mark.parametrize("year", [1, 9999])
def test_times_at_the_ends_of_time_break_nothing(year: int) -> None:
    began = NOON.replace(year=year, month=1 if year == 1 else 12, day=1 if year == 1 else 31)
    odd = Candidate("i1", began)
    assert sight(odd) in (Sight.NONE, Sight.DOUBT)
    for date in (None, -HOUR, HOUR):
        at = clocks(NOON, date=date)
        assert sight(odd, ask=Looked([replace(ELSEWHERE, at=began)]), at=at) in (Sight.OURS, Sight.DOUBT)
