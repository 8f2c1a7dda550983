"""What is fired at once and what is looked for first, by the attempts of the intent and the record of the fan-out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cloud_runs.promise.record import PROCESS, Clock, Content, Intent, Recorded
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle import fan_out_plan
from cloud_runs.lifecycle.intent import ATTEMPTS, digest_of_objects, moment, noted
from cloud_runs.promise.fanning import Doubt, Fanned

NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)


def at(minute: int, *, here: bool = False) -> Intent:
    moment = NOON + timedelta(minutes=minute)
    return Intent(f"t{minute}", moment, PROCESS if here else "another", Clock(), Content({}, {}))


def record(ids: str = "", refused: str = "", attempt: Intent | None = None, *doubt: Intent) -> dict[str, Any]:
    return {
        "instance_ids": {key: f"id of {key}" for key in ids},
        "refused": dict.fromkeys(refused, "no"),
        "fired": {"attempt": noted(attempt or at(0)), "doubt": [noted(one) for one in doubt]},
    }


def told(look: list[Doubt] | Any) -> list[tuple[str, list[str]]]:
    return [("".join(doubt.keys), [one.token for one in doubt.moments]) for doubt in look if doubt.keys]


# -- not on record


def test_all_of_it_made_here_is_fired() -> None:
    assert fan_out_plan.all_of("abc", at(0, here=True), [at(0, here=True)], False) == ("abc", [])


@pytest.mark.parametrize("attempts", [[at(0)], [at(0), at(5, here=True)], [at(0), at(5)]])
def test_after_a_kill_all_is_looked_for(attempts: list[Intent]) -> None:
    fire, look = fan_out_plan.all_of("abc", at(0), attempts, False)
    assert not fire
    assert told(look) == [("abc", ["t0", *(attempt.token for attempt in attempts)])]


def test_just_deleted_is_fired_whatever_the_intent_says() -> None:
    assert fan_out_plan.all_of("abc", at(0), [at(0)], True) == ("abc", [])


@pytest.mark.parametrize("fired_at", [NOON, None])
def test_a_forced_replacement_of_an_earlier_up(fired_at: datetime | None) -> None:
    fire, (doubt,) = fan_out_plan.forced("abc", Recorded("x", "t0", Content({}, {}), fired_at))
    assert (fire, doubt.keys, doubt.whenever) == ([], "abc", True)
    assert doubt.moments[0].minted_at <= (NOON - timedelta(hours=3) if fired_at else NOON - timedelta(days=9999))


# -- on record


def test_new_objects_of_this_update_are_fired() -> None:
    assert fan_out_plan.rest_of("abcd", [at(0), at(5, here=True)], record("ab"))[0] == ["c", "d"]
    assert told(fan_out_plan.rest_of("abcd", [at(0), at(5, here=True)], record("ab"))[1]) == []


def test_new_objects_of_a_killed_update_are_looked_for_since_then() -> None:
    """And not since the attempt on record, which may be weeks ago."""
    fire, look = fan_out_plan.rest_of("abcd", [at(0), at(5)], record("ab"))
    assert (fire, told(look)) == ([], [("cd", ["t5"])])


def test_objects_changed_again_after_a_kill() -> None:
    fire, look = fan_out_plan.rest_of("abcd", [at(0), at(5), at(9, here=True)], record("ab"))
    assert (fire, told(look)) == ([], [("cd", ["t5", "t9"])])


def test_refused_objects_are_looked_for_since_they_were() -> None:
    """A retry leaves no trace, so an `up` that was killed may have started them."""
    fire, look = fan_out_plan.rest_of("abcd", [at(0)], record("ab", "cd", at(0), at(2)))
    assert (fire, told(look)) == ([], [("cd", ["t2"])])
    fire, look = fan_out_plan.rest_of("abcde", [at(0), at(9, here=True)], record("ab", "cd", at(0), at(2)))
    assert (fire, told(look)) == (["e"], [("cd", ["t2", "t9"])])


def test_a_doubt_outlives_later_attempts() -> None:
    """Lost under the first attempt, and not found under the second: it is looked for since the first."""
    first, second, third = at(0), at(5), at(9, here=True)
    fire, look = fan_out_plan.rest_of("axy", [first, second], record("a", "x", first, first))
    doubt = fan_out_plan.still_in_doubt(fanned("x", 1), look, at(6), at(7))
    fire, look = fan_out_plan.rest_of("axyz", [first, second, third], record("ay", "x", second, *doubt))
    assert fire == ["z"]
    assert told(look)[0][0] == "x"
    assert look[-1].moments[0].token == "t0"


def test_no_attempt_is_open_and_yet_an_object_is_missing() -> None:
    fire, look = fan_out_plan.rest_of("abc", [at(0)], record("ab"))
    assert (fire, told(look)) == ([], [("c", ["t0"])])


def test_the_attempt_on_record_is_pruned() -> None:
    many = [at(minute) for minute in range(100, 100 + ATTEMPTS)]
    fire, look = fan_out_plan.rest_of("abc", [*many[1:], at(500, here=True)], record("ab"))
    assert not fire
    assert look[0].moments[0].token == "t0"


def test_the_intent_is_another_since_a_change_was_taken_back() -> None:
    """What an `up` before the change may have started is not forgotten."""
    fire, look = fan_out_plan.rest_of("abc", [at(9, here=True)], record("ab"))
    assert (fire, told(look)) == ([], [("c", ["t0", "t9"])])


def test_a_record_that_tells_no_attempt() -> None:
    bare = record("ab") | {"fired": {"attempt": "text of an early version"}}
    fire, look = fan_out_plan.rest_of("abc", [at(3), at(4, here=True)], bare)
    assert (fire, told(look)) == ([], [("c", ["t3", "t4"])])


# -- what is left in doubt


def test_nothing_refused_leaves_no_doubt() -> None:
    assert fan_out_plan.still_in_doubt(Fanned(), [Doubt("a", [at(0)])], at(8), at(9)) == []


def test_a_refusal_for_certain_is_in_doubt_from_now_on() -> None:
    assert fan_out_plan.still_in_doubt(fanned("a"), [Doubt("a", [at(0)])], at(8), at(9)) == [at(9)]


def test_what_was_lost_in_this_up_is_in_doubt_from_its_beginning_on() -> None:
    """What was only seen began before the end, so the next `up` takes it no more than this one did."""
    assert fan_out_plan.still_in_doubt(fanned("a", 1, lost=1), [], at(8), at(9)) == [at(8), at(9)]
    assert fan_out_plan.still_in_doubt(fanned("a", 1), [], at(8), at(9)) == [at(9)]


def test_a_doubt_keeps_its_first_moment_for_ever() -> None:
    moments = [at(minute) for minute in range(50)]
    kept = fan_out_plan.still_in_doubt(fanned("a", 1), [Doubt("a", moments[25:]), Doubt("b", moments)], at(98), at(99))
    assert kept[0] == at(0)
    assert kept[-2:] == [at(49), at(99)]
    assert len(kept) == ATTEMPTS + 2


def fanned(refused: str, unsettled: int = 0, lost: int = 0) -> Fanned:
    return Fanned(refused=dict.fromkeys(refused, "refused"), unsettled=unsettled, lost=lost)


# -- the intent


def props(objects: Any, bag: Any, **more: Any) -> dict[str, Any]:
    return {"objects": objects, "intent": bag, **more}


def bag(objects: list[str], *attempts: Intent) -> dict[str, Any]:
    return {"objects": digest_of_objects(objects), "attempts": [noted(attempt) for attempt in attempts]}


def test_whether_the_intent_was_made_for_the_objects() -> None:
    assert fan_out_plan.made_for(props(["b", "a"], bag(["a", "b"], at(0))))
    assert not fan_out_plan.made_for(props(["a", "b", "c"], bag(["a", "b"], at(0))))
    assert not fan_out_plan.made_for(props(["a"], bag(["a", "b"], at(0))))
    assert fan_out_plan.made_for(props(["a", "b", "c"], bag(["a", "b"], at(0), at(1, here=True))))
    assert fan_out_plan.made_for(props(["a"], bag(["a", "b"], at(0)), ignored=["objects"]))
    assert fan_out_plan.made_for(props(["a"], UNKNOWN))


def test_a_moment_as_the_state_keeps_it() -> None:
    now = moment()
    again = fan_out_plan.moments_of([noted(now)])[0]
    assert again == now
    assert len({moment().token for _ in range(100)}) == 100
