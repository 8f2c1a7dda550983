"""`ignore_changes`: what is ignored asks for no run, also where an `up` was refused or killed in between."""

from __future__ import annotations

import pytest

from cloud_runs.lifecycle.reporting import RunError
from tests.provider.fan_stack import FanStack
from tests.provider.host_stack import HostStack

FIRST, SECOND = {"release": "1"}, {"release": "2"}
NOT_TRIGGERS = ["*", "triggers", "triggers.release", 'triggers["release"]', "triggers.*"]


def test_a_refused_change_beside_an_ignored_one_is_taken_back(stack: HostStack) -> None:
    """`create` gets the raw arguments; those under `ignore_changes` are no other work than what is on record."""
    ignore = list(stack.other)
    stack.up(triggers=FIRST, ignore=ignore)
    own = stack.ids
    stack.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        stack.up(triggers=SECOND, ignore=ignore, **stack.other)
    assert stack.up(triggers=FIRST, ignore=ignore, **stack.other) == "create"
    assert stack.ids == own
    assert len(stack.started()) == stack.asks
    assert stack.up(triggers=FIRST, ignore=ignore, **stack.other) == "same"
    assert {name: stack.state[name] for name in stack.given if name in stack.state} == stack.given, "what they do"
    assert stack.up(triggers=SECOND, ignore=ignore, **stack.other) == "create"
    assert len(stack.started()) == 2 * stack.asks


@pytest.mark.parametrize("path", NOT_TRIGGERS)
def test_an_ignored_trigger_changes_after_a_kill(stack: HostStack, path: str) -> None:
    stack.up(triggers=FIRST, kill=stack.asks, ignore=[path])
    assert stack.up(triggers=SECOND, ignore=[path]) == "create"
    assert len(stack.started()) == stack.asks
    assert sorted(stack.ids.values()) == sorted(stack.started())
    assert stack.up(triggers={"release": "3"}, ignore=[path]) == "same"


@pytest.mark.parametrize("every", [True, False])
def test_an_ignored_argument_changes_after_a_kill(stack: HostStack, every: bool) -> None:
    ignore = ["*"] if every else list(stack.other)
    stack.up(kill=stack.asks, ignore=ignore)
    stack.up(ignore=ignore)
    assert sorted(stack.ids.values()) == sorted(stack.started())
    stack.up(ignore=ignore, **stack.other)
    assert len(stack.started()) == stack.asks


@pytest.mark.parametrize("every", [True, False])
def test_an_ignored_argument_changes_before_what_was_killed_is_on_record(stack: HostStack, every: bool) -> None:
    """`create` gets the program's value then. What counts is the one that the intent was made for: there is its run."""
    ignore = ["*"] if every else list(stack.other)
    stack.up(triggers=FIRST, kill=stack.asks, ignore=ignore)
    stack.up(triggers=FIRST, ignore=ignore, **stack.other)
    assert len(stack.started()) == stack.asks
    assert sorted(stack.ids.values()) == sorted(stack.started())
    assert stack.up(triggers=FIRST, ignore=ignore, **stack.other) == "same"
    if not every:
        assert stack.up(triggers=SECOND, ignore=ignore, **stack.other) == "create"
        assert len(stack.started()) == 2 * stack.asks


def test_an_ignored_argument_changes_while_the_run_alone_is_the_target(stack: HostStack) -> None:
    """Nobody tells then what the intent was made for."""
    ignore = list(stack.other)
    stack.up(kill=stack.asks, ignore=ignore)
    with pytest.raises(RunError, match="nothing was fired: its intent is not part of this update"):
        stack.up(target="run", ignore=ignore, **stack.other)
    assert len(stack.started()) == stack.asks


def test_all_is_ignored_and_nothing_fires_again(stack: HostStack) -> None:
    stack.up(triggers=FIRST)
    own = stack.ids
    for given in ({"triggers": SECOND}, {"triggers": SECOND, **stack.other}, {}):
        assert stack.up(ignore=["*"], **given) in ("same", "update")
    assert stack.ids == own
    assert len(stack.started()) == stack.asks


def test_all_is_ignored_and_the_objects_change_after_a_kill(fan: FanStack) -> None:
    """`create` gets the raw list: its objects are fired, and what was started for the old ones is found."""
    fan.up(["a1", "a2"], kill=1, ignore=["*"])
    fan.up(["a1", "a2", "b1"], ignore=["*"])
    assert fan.all_on_record(["a1", "a2", "b1"])
    fan.up(["a1"], ignore=["*"])
    assert fan.all_on_record(["a1", "a2", "b1"])


def test_objects_that_are_added_beside_an_ignored_change_do_what_the_others_do(fan: FanStack) -> None:
    ignore = ["workflow_id"]
    fan.up(["a1", "a2"], triggers=FIRST, ignore=ignore)
    fan.refuse()
    with pytest.raises(RunError, match="AccessDenied"):
        fan.up(["a1", "a2", "b1"], triggers=SECOND, ignore=ignore, **fan.other)
    fan.up(["a1", "a2", "b1"], triggers=FIRST, ignore=ignore, **fan.other)
    fan.up(["a1", "a2", "b1", "b2"], triggers=FIRST, ignore=ignore, **fan.other)
    assert fan.all_on_record(["a1", "a2", "b1", "b2"])
    assert {run["request"]["query"]["workflowId"] for run in fan.cloud.runs()} == {fan.given["workflow_id"]}


def test_what_is_not_ignored_still_fires(stack: HostStack) -> None:
    stack.up(triggers={**FIRST, "a.b": 1}, ignore=['triggers["a.b"]'])
    stack.up(triggers={**FIRST, "a.b": 2}, ignore=['triggers["a.b"]'])
    assert len(stack.started()) == stack.asks
    assert stack.up(triggers={**SECOND, "a.b": 2}, ignore=['triggers["a.b"]']) == "create"
    assert len(stack.started()) == 2 * stack.asks


def test_an_argument_that_was_ignored_when_a_run_was_forced_is_not_ignored_any_more(stack: HostStack) -> None:
    """The intent has the first value all along, so that nothing tells it from the one that it was made for."""
    stack.up(triggers=FIRST)
    assert stack.up(triggers=FIRST, ignore=list(stack.other), forced=True, **stack.other) == "create"
    assert len(stack.started()) == 2 * stack.asks
    for _ in range(2):
        assert stack.up(triggers=FIRST) == "same"
        assert "while that was under ignore_changes: nothing fires. For a new run change a trigger" in stack.warned[-1]
        assert "the next full" not in stack.warned[-1]
    assert stack.up(triggers=SECOND) == "create"
    assert len(stack.started()) == 3 * stack.asks
