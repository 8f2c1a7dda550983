"""The oracle notices what it is there to notice."""

from __future__ import annotations

import pytest

from tests.campaigns.oracle import Ask, Due, Expected, Seen, Then, adoptable, breaches, expected, onwards, untold
from tests.campaigns.report import Report

NOTHING = Seen()
OLD = Seen(frozenset({"old"}), recorded="old", intent=True)


def seen(*fired: str, recorded: str = "", foreign: tuple[str, ...] = (), pending: bool = False) -> Seen:
    return Seen(frozenset(fired), frozenset(foreign), recorded, pending, intent=True)


FIRST, NEXT = Expected(Due.NEW, NOTHING), Expected(Due.NEW, OLD)
KEPT, BACK, AGAIN = (Expected(due, OLD) for due in (Due.KEPT, Due.UNRECORDED, Due.AGAIN))


@pytest.mark.parametrize(
    ("want", "now"),
    [
        (FIRST, seen("a", recorded="a")),
        (NEXT, seen("old", "a", recorded="a")),
        (FIRST, seen(recorded="x", foreign=("x",))),
        (KEPT, OLD),
        (BACK, OLD),
        (BACK, seen("old", "a", recorded="old")),
        (AGAIN, OLD),
        (AGAIN, seen("old", "a", recorded="a")),
    ],
)
def test_what_is_due_is_no_breach(want: Expected, now: Seen) -> None:
    assert breaches(want, now, settled=True) == []


@pytest.mark.parametrize(
    ("want", "now", "breach"),
    [
        (FIRST, seen("a", "b", recorded="a"), "fired twice: a, b"),
        (BACK, seen("old", "a", "b", recorded="old"), "fired twice: a, b"),
        (AGAIN, seen("old", "a", "b", recorded="a"), "fired twice: a, b"),
        (KEPT, seen("old", "a", recorded="old"), "fired without being asked: a"),
    ],
)
@pytest.mark.parametrize("settled", [True, False])
def test_a_run_fired_twice_or_unasked_is_noticed_at_any_time(
    want: Expected, now: Seen, breach: str, settled: bool
) -> None:
    assert breach in breaches(want, now, settled=settled)


@pytest.mark.parametrize(
    ("want", "now", "breach"),
    [
        (FIRST, seen("a"), "id lost"),
        (NEXT, seen("old", "a", recorded="old", pending=True), "id lost"),
        (KEPT, seen("old"), "id lost"),
        (FIRST, NOTHING, "id lost"),
        (NEXT, OLD, "not fired"),
        (NEXT, seen("old", "a", recorded="old"), "wrong id: old"),
        (FIRST, seen("a", recorded="b"), "wrong id: b"),
        (FIRST, seen("a", recorded="x", foreign=("x",)), "wrong id: x"),
        (FIRST, seen(recorded="b"), "not fired"),
        (KEPT, seen("old", recorded="other"), "wrong id: other"),
        (BACK, seen("old", "a", recorded="a"), "wrong id: a"),
        (AGAIN, seen("old", "a", recorded="old"), "wrong id: old"),
        (AGAIN, seen("old", recorded="b"), "wrong id: b"),
    ],
)
def test_a_lost_or_wrong_id_is_noticed_when_an_up_has_succeeded(want: Expected, now: Seen, breach: str) -> None:
    assert any(found.startswith(breach) for found in breaches(want, now, settled=True))
    assert breaches(want, now, settled=False) == []


def test_a_run_that_the_service_forgot_must_be_on_record() -> None:
    assert breaches(NEXT, seen("old", recorded="gone"), settled=True, forgotten=True) == []
    assert breaches(NEXT, OLD, settled=True, forgotten=True)
    assert breaches(NEXT, seen("old"), settled=True, forgotten=True)
    assert breaches(NEXT, seen("old", "a", recorded="gone"), settled=True, forgotten=True)


def test_one_run_in_a_minute() -> None:
    left = Seen(frozenset({"old", "left"}), recorded="old", intent=True)
    found = Seen(left.fired, recorded="left", intent=True)
    assert breaches(Expected(Due.NEW, left, by_minute=True), found, settled=True) == []
    assert breaches(Expected(Due.NEW, left), found, settled=True)
    assert breaches(Expected(Due.NEW, left, by_minute=True), left, settled=True)


def test_an_ambiguous_stop_must_name_the_lost_run() -> None:
    assert adoptable(NEXT, seen("old", "a", foreign=("x",)), ["x", "a"]) == ("a", [])
    assert adoptable(NEXT, seen("old", foreign=("x", "y")), ["x", "y"]) == ("", [])
    assert adoptable(AGAIN, OLD, ["old", "older"]) == ("old", [])
    left = Seen(frozenset({"old", "left"}), recorded="old", intent=True)
    assert adoptable(Expected(Due.NEW, left), left, ["left", "x"]) == ("", []), "of a change that was taken back"
    assert adoptable(Expected(Due.NEW, OLD, destroyed=True), seen("old"), ["old"]) == ("", [])
    for now, named in [(seen("old", "a", foreign=("x",)), ["x"]), (OLD, ["old", "x"])]:
        adopt, found = adoptable(NEXT, now, named)
        assert adopt == ""
        assert found


@pytest.mark.parametrize(
    ("ask", "interrupted", "due"),
    [
        (Ask.CREATE, NOTHING, Due.NEW),
        (Ask.CHANGE, seen("old", "a", recorded="old", pending=True), Due.NEW),
        (Ask.CHANGE, OLD, Due.NEW),
        (Ask.FORCED, OLD, Due.KEPT),
        (Ask.FORCED, seen("old", recorded="old", pending=True), Due.NEW),
        (Ask.FORCED, seen("old", "a", recorded="a"), Due.NEW),
        (Ask.TAKEN_BACK, OLD, Due.UNRECORDED),
        (Ask.TAKEN_BACK, seen("old", "a", recorded="old", pending=True), Due.UNRECORDED),
        (Ask.TAKEN_BACK, seen("old", "a", recorded="a"), Due.NEW),
        (Ask.DESTROYED, OLD, Due.KEPT),
        (Ask.DESTROYED, seen("old"), Due.AGAIN),
        (Ask.DESTROYED, NOTHING, Due.NEW),
    ],
)
def test_what_is_due_after_an_interruption(ask: Ask, interrupted: Seen, due: Due) -> None:
    assert expected(ask, OLD, interrupted).due is due


@pytest.mark.parametrize("interrupted", [None, OLD, seen("old", recorded="old", pending=True)])
def test_an_object_that_is_added_is_due_and_the_others_stay(interrupted: Seen | None) -> None:
    assert expected(Ask.ADDED, OLD, interrupted) == Expected(Due.KEPT, OLD)
    assert expected(Ask.ADDED, NOTHING, interrupted and NOTHING) == FIRST


def test_a_recorded_change_that_is_taken_back_is_another_ask() -> None:
    done = seen("old", "a", recorded="a")
    want = expected(Ask.TAKEN_BACK, OLD, done)
    assert breaches(want, seen("old", "a", "b", recorded="b"), settled=True) == []
    assert breaches(want, done, settled=True)


@pytest.mark.parametrize(
    ("then", "interrupted", "now", "breach"),
    [
        (Then.CHANGED, NOTHING, seen("a", recorded="a"), ""),
        (Then.CHANGED, seen("a"), seen("a", "b", recorded="b"), ""),
        (Then.CHANGED, seen("a"), seen("a", "b", "c", recorded="c"), "fired twice"),
        (Then.CHANGED, seen("a"), seen("a", "b"), "id lost"),
        (Then.CHANGED, seen("a", recorded="a"), seen("a", "b", "c", recorded="c"), "fired twice"),
        (Then.RENAMED, seen("a", recorded="a"), seen("a", recorded="a"), "wrong id"),
        (Then.REMOVED, seen("a"), seen("a"), ""),
        (Then.REMOVED, seen("a"), seen("a", "b"), "fired twice"),
        (Then.REMOVED, seen("a", recorded="a"), seen("a", "b"), "fired without being asked"),
        (Then.REMOVED, seen("a"), seen("a", recorded="a"), "still on record"),
        (Then.ALIAS, seen("a"), seen("a", "b", recorded="b"), "fired twice"),
        (Then.BACK, NOTHING, seen("a", "b", recorded="a"), "fired twice"),
    ],
)
def test_what_is_due_when_the_user_goes_on_in_another_way(
    then: Then, interrupted: Seen, now: Seen, breach: str
) -> None:
    found = breaches(onwards(Ask.CREATE, then, NOTHING, interrupted), now, settled=True)
    assert bool(found) == bool(breach)
    assert not breach or any(text.startswith(breach) for text in found)


def test_a_run_on_no_record_must_have_been_named() -> None:
    now = seen("old", "a", "b", recorded="b")
    assert untold(OLD, now, {""}, "the service has run a") == []
    assert untold(OLD, now, {"a"}, "") == []
    assert untold(OLD, now, {""}, "") == ["lost without a word: a"]


def test_what_was_only_skipped_is_lacking() -> None:
    report = Report("a campaign", 1)
    report.least("kills", 2)
    report.least("kills", 1, "here", "there")
    report.count("kills", "here", 2)
    assert report.lacking() == ["kills, there: 0 of at least 1"]
    assert "NOT ENOUGH kills, there" in report.text()
