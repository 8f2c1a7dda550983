"""At most once, and nothing lost, as a model: random histories of ups, each in a process of its own.

The same rules and the same histories for one run and for many objects. The service lags, lies about its time, loses
answers, repeats rows and has its effects late; machines have clocks that are off or stand still; processes are killed,
interrupted, and asked again by an error hook.

`PROMISE_EXAMPLES=500` tries more of them, and others: it shrinks to a script.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cloud_runs import errors
from cloud_runs.promise import reruns
from cloud_runs.promise.records import Content
from cloud_runs.runs import Phase
from tests.promise.kit import TWIN, URN, Cloud, Host, Killed
from tests.promise.stack import ONE, Stack

EXAMPLES = int(os.environ.get("PROMISE_EXAMPLES", "0"))
"""Of 20 steps each, and others each time; without it a few, the same in each run. Who changes the rules tries more."""
FEW, MANY = 50, 2000

ANSWERED = ["answered"] * 4
FATES = st.lists(
    st.sampled_from(
        [
            *ANSWERED,
            "lost",
            "bug",
            "refused",
            "throttled",
            "not reached",
            "reset before",
            "refused but ran",
            "killed",
            "killed before",
            "held",
        ]
    ),
    max_size=4,
)
SKEWS = st.sampled_from([0, 0, 0, 1, -1, 3, -3, 60, -60, 3600, -3600]).map(lambda seconds: timedelta(seconds=seconds))
MINUTES = st.integers(-7, 7).map(lambda minutes: timedelta(minutes=minutes))
SLOW, LAG = st.sampled_from([0.0, 0.0, 12.0, 25.0, 30.0]), st.sampled_from([0.0, 0.0, 4.5, 10.0])
PAUSED = st.sampled_from([0.0, 0.0, 12.0, 3600.0])
TRIGGER = st.sampled_from(["", "1", "2"])


class OneResource(RuleBasedStateMachine):
    """One resource, two machines whose clocks are off, and other people's runs."""

    marked = many = False

    @initialize(server=MINUTES, first=MINUTES, second=MINUTES, skew=SKEWS, repeats=st.sampled_from([1, 1, 2]))
    def begin(self, server: timedelta, first: timedelta, second: timedelta, skew: timedelta, repeats: int) -> None:
        self.cloud = Cloud()
        self.cloud.ahead, self.cloud.skew, self.cloud.repeats = server, skew, repeats
        self.clocks = (first, second)
        self.odd = bool(skew)
        self.minted_on: dict[str, int] = {}
        self.stack = Stack(self.cloud, marked=self.marked)
        self.changes = 0

    def objects(self, chosen: Sequence[str]) -> Sequence[str]:
        return sorted(chosen) if self.many else ONE

    def host(self, machine: int, paused: float = 0.0) -> Host:
        self.cloud.seconds += 3  # no two ups in one moment
        self.odd = self.odd or bool(paused)
        return Host(self.cloud, age=0, machine=f"machine-{machine}", ahead=self.clocks[machine], paused=paused)

    def up(
        self, content: Content, machine: int, objects: Sequence[str], fates: Sequence[str] = (), **how: object
    ) -> str:
        """What was done; empty if the `up` failed."""
        host = self.host(machine, how.pop("paused", 0.0))  # type: ignore[arg-type]
        interrupted = how.pop("interrupted", -1)
        known, told, self.stack.gone_without = self.stack.token(), list(self.stack.said), ()
        self.cloud.fates, held, self.cloud.held = list(fates), self.cloud.held, []

        def fate() -> str:
            host.interrupted = host.interrupted or len(self.cloud.fates) == interrupted
            return "answered"

        self.cloud.fate = fate
        forced = self.stack.replacing and how.get("forced")
        try:
            done = self.stack.up(host, content, objects, **how)  # type: ignore[arg-type]
        except (Killed, errors.RunsError):
            return ""
        finally:
            self.cloud.go_on(held)
            self.stack.excuse_what_is_gone()
            if how.get("stop") in ("intent", "delete") and known != self.stack.token():
                # The run's own step, which tells what was given up, did not come: the former intent's delete tells it.
                self.stack.excused.update(self.stack.ours())
            self.minted_on.setdefault(self.stack.token(), machine)
            self.cloud.fates, self.cloud.fate = [], lambda: "answered"
        self.after(done, machine, bool(forced), told)
        return done

    def after(self, done: str, machine: int, again: bool, told: Sequence[str]) -> None:
        """Of an `up` that has succeeded. `told`: what was said before it."""
        stack, runs = self.stack, {run.id: run for run in self.cloud.runs}
        if done == "kept":
            assert not stack.by_force, "forced and not taken back: what was asked for is lost"
        if done == "found":
            assert runs[stack.ids[""]].phase is not Phase.CANCELLED, "what was cancelled is taken for what is wanted"
        for key, id in stack.ids.items():
            assert runs[id].work == (key or "work"), "the id of its own work"
        foreign = any(run.owner == "foreign" for run in self.cloud.runs)
        certain = self.minted_on[stack.token()] == machine and not self.odd and not foreign
        if done in ("fired", "found") and (certain or self.marked) and not again:
            # Without a marker and between clocks that are off, the lost run of an earlier ask may be taken for this
            # one's. So may the old run, when a replacement is forced again that was killed: nothing shows its diff; and
            # one of this intent that was told before.
            # So may one that is left of a replacement that was forced again: an older one was taken in its place then.
            id = stack.ids[""]
            before = id in stack.excused or any(id in text for text in told)
            assert before or runs[id].owner == stack.ask(), "a run of another ask is taken"
        if again:
            stack.excused.update(stack.ours())
        if done == "unintended":  # and nothing settled
            return
        # What is in doubt is looked for by the next `up`: objects that were refused, and those that were to be fired
        # again, and were refused then.
        doubtful = {*stack.run.refused, *(stack.run.fired.failing if stack.run.reruns else ())} if stack.run else set()
        for id in stack.ours():
            known = id in stack.ever or stack.told(id) or id in stack.excused
            assert known or runs[id].work in doubtful, f"{id} is lost without a word"

    @rule(
        trigger=TRIGGER,
        chosen=st.sets(st.sampled_from("abc"), min_size=1),
        fates=FATES,
        stop=st.sampled_from(["", "", "", "", "intent", "delete"]),
        forced=st.booleans(),
        slow=SLOW,
        lag=LAG,
        machine=st.integers(0, 1),
        paused=PAUSED,
        hooks=st.sampled_from([0, 0, 1, 2]),
        interrupted=st.sampled_from([-1, -1, 0, 1]),
    )
    def an_up(
        self,
        trigger: str,
        chosen: set[str],
        fates: list[str],
        stop: str,
        forced: bool,
        slow: float,
        lag: float,
        machine: int,
        paused: float,
        hooks: int,
        interrupted: int,
    ) -> None:
        self.cloud.slow, self.cloud.lag = slow, lag
        content = Content({"argument": "a"}, {"t": trigger} if trigger else {})
        how = {"stop": stop, "forced": forced, "hooks": hooks, "paused": paused, "interrupted": interrupted}
        self.up(content, machine, self.objects(list(chosen)), fates, **how)

    @rule(machine=st.integers(0, 1), slow=SLOW, lag=LAG, fates=FATES)
    @precondition(lambda self: self.stack.intent)
    def the_same_again(self, machine: int, slow: float, lag: float, fates: list[str]) -> None:
        self.cloud.slow, self.cloud.lag = slow, lag
        assert self.stack.intent
        self.up(self.stack.intent.content, machine, self.objects(["a", "b", "c"]), fates)

    @rule(fates=FATES, stop=st.sampled_from(["", "delete"]), machine=st.integers(0, 1))
    @precondition(lambda self: self.stack.run)
    def forced_again(self, fates: list[str], stop: str, machine: int) -> None:
        assert self.stack.intent
        self.cloud.lag = self.cloud.slow = 0.0
        objects = list(self.stack.ids) or ["a"]
        self.up(self.stack.intent.content, machine, self.objects(objects), fates, forced=True, stop=stop)

    @rule(fates=FATES, machine=st.integers(0, 1))
    @precondition(lambda self: self.stack.run and not self.stack.run.refused)
    def taken_back(self, fates: list[str], machine: int) -> None:
        run, objects = self.stack.run, self.objects(list(self.stack.ids))
        assert run
        change = Content({"argument": "taken-back"}, {})
        self.up(change, machine, objects, ["killed before" if fate == "answered" else fate for fate in fates])
        if self.stack.run == run and self.stack.replacing and run.content.differences(change):
            tried, ids = len(self.cloud.sent), self.stack.ids
            if self.up(run.content, machine, objects) == "kept":
                assert len(self.cloud.sent) == tried
                assert self.stack.ids == ids

    @rule(machine=st.integers(0, 1))
    def a_new_trigger_undisturbed(self, machine: int) -> None:
        """Whatever happened before: a new ask is fulfilled."""
        self.changes += 1
        self.cloud.lag = self.cloud.slow = 0.0
        objects, before = self.objects(["a", "b"]), self.cloud.starts
        done = self.up(Content({"argument": "a"}, {"change": str(self.changes)}), machine, objects)
        assert done == ("created" if self.many else "fired")
        assert self.cloud.starts == before + len(objects)
        assert set(self.stack.ids) == set(objects)

    @rule(
        machine=st.integers(0, 1),
        slow=SLOW,
        lag=LAG,
        paused=PAUSED,
        after=st.sampled_from([0.0, 60.0, 3600.0]),
        answered=st.integers(0, 1),
    )
    def killed_and_again(
        self, machine: int, slow: float, lag: float, paused: float, after: float, answered: int
    ) -> None:
        """What was started is found by the next up, as late as it may come to be, or nothing more is fired."""
        self.go_on()
        self.changes += 1
        self.cloud.slow, self.cloud.lag = slow, lag
        content = Content({"argument": "a"}, {"change": str(self.changes)})
        objects = self.objects(["a", "b"])
        replaces = set(self.stack.ids) >= set(objects) and set(self.stack.ours()) <= self.stack.ever
        fates = ["answered"] * answered if self.many else []
        assert not self.up(content, machine, objects, [*fates, "killed"])
        self.cloud.seconds += after
        tried = len(self.cloud.sent)
        done = self.up(content, machine, objects, paused=paused)
        assert len(self.cloud.sent) - tried <= len(objects) - len(fates) - 1
        foreign = any(run.owner == "foreign" for run in self.cloud.runs)
        # Or older runs may be taken for these, which is told.
        if self.marked or (replaces and not (foreign or self.odd or slow)):
            assert done == ("created" if self.many else "found")
            assert set(self.stack.ids) == set(objects)

    @rule(after=st.sampled_from([0.3, 1.0, 40.0, 599.0, 700.0, 1000.0, 86400.0, 8 * 86400.0]))
    def time_passes(self, after: float) -> None:
        self.cloud.seconds += after

    @rule(key=st.sampled_from("abc"))
    def somebody_else_runs_the_same(self, key: str) -> None:
        self.cloud.begin(work=key if self.many else "work")

    @rule()
    def those_that_were_stopped_go_on(self) -> None:
        self.go_on()

    def go_on(self) -> None:
        self.cloud.go_on(self.cloud.held)
        self.cloud.held = []

    @rule()
    def somebody_cancels_what_is_on_no_record(self) -> None:
        self.cloud.ended(Phase.CANCELLED, set(self.stack.ours()) - set(self.stack.ids.values()))

    @rule()
    def destroyed(self) -> None:
        self.cloud.held = []  # it takes longer than their leave
        self.stack.excused.update(self.stack.ours())  # told by the intent's own delete
        self.stack.destroyed()

    @invariant()
    def never_two_for_one_ask(self) -> None:
        if hasattr(self, "cloud"):
            owners = Counter(run.owner for run in self.cloud.runs if run.owner != "foreign")
            twice = {ask: count for ask, count in owners.items() if count > 1}
            assert not twice, twice


class OneMarkedResource(OneResource):
    """The same with a generated name, which is proof of a run."""

    marked = True


class ManyObjects(OneResource):
    """The same for the objects of a fan-out. What failed is fired again, or not."""

    many = True

    @rule(rerun=st.booleans())
    def steered(self, rerun: bool) -> None:
        self.stack.rerun = rerun

    @rule(keys=st.sets(st.sampled_from("abcxy"), min_size=1))
    def some_fail(self, keys: set[str]) -> None:
        self.fail(keys)

    def fail(self, keys: Collection[str]) -> None:
        self.cloud.ended(Phase.FAILED, {id for key, id in self.stack.ids.items() if key in keys})

    @rule(machine=st.integers(0, 1))
    def refreshed(self, machine: int) -> None:
        self.stack.refresh(self.host(machine))

    @rule(
        keys=st.sets(st.sampled_from("abc"), min_size=1),
        fates=FATES,
        slow=SLOW,
        lag=LAG,
        machine=st.integers(0, 1),
        rerun=st.sampled_from([True, True, False]),
        paused=PAUSED,
    )
    @precondition(lambda self: self.stack.run and self.stack.ids and not self.stack.replacing)
    def an_up_after_a_refresh(
        self, keys: set[str], fates: list[str], slow: float, lag: float, machine: int, rerun: bool, paused: float
    ) -> None:
        """Some have failed meanwhile, perhaps those that an `up` which was killed has fired again already."""
        assert self.stack.intent
        self.fail(keys)
        self.cloud.slow, self.cloud.lag, self.stack.rerun = slow, lag, rerun
        content, objects = self.stack.intent.content, sorted({*self.stack.ids, *keys})
        self.up(content, machine, objects, fates, refresh=True, paused=paused)

    @rule(machine=st.integers(0, 1), kill=st.booleans(), refreshes=st.booleans(), after=st.sampled_from([0.0, 3600.0]))
    def fired_again(self, machine: int, kill: bool, refreshes: bool, after: float) -> None:
        """Once for a failure, the others are left alone, and what failed is kept."""
        content, old, tried = self.one_has_failed(machine)
        if kill:
            assert not self.up(content, machine, sorted(old), ["killed"], refresh=True)
            self.cloud.seconds += after
        done = self.up(content, machine, sorted(old), refresh=not kill or refreshes)
        assert len(self.cloud.sent) == tried + 1
        run = self.stack.run
        assert run
        if done == "updated" and not run.refused and "a" not in run.failed:
            assert run.ids["b"] == old["b"]
            assert run.ids["a"] != old["a"]
            assert run.past["a"][-1]["id"] == old["a"]
            assert reruns.attempts(run, "a")[-1]["why"] == "rerun after failed"
            assert self.up(content, machine, sorted(old), refresh=True) == "nothing"
            assert len(self.cloud.sent) == tried + 1
        else:
            assert kill, "nothing was in doubt"

    def one_has_failed(self, machine: int) -> tuple[Content, dict[str, str], int]:
        """Of a new ask, which nothing has disturbed. What is asked for, what is on record, and how often was fired."""
        self.go_on()
        self.stack.rerun = True
        self.a_new_trigger_undisturbed(machine)
        assert self.stack.intent
        self.fail("a")
        return self.stack.intent.content, self.stack.ids, len(self.cloud.sent)

    @rule(machine=st.integers(0, 1), slow=SLOW, gone=st.booleans(), refreshes=st.booleans())
    def killed_while_it_fires_again_and_told_not_to(
        self, machine: int, slow: float, gone: bool, refreshes: bool
    ) -> None:
        """What was started is told (`after`). `gone`: the object leaves the list instead."""
        content, old, tried = self.one_has_failed(machine)
        self.cloud.slow = slow
        assert not self.up(content, machine, sorted(old), ["killed"], refresh=True)
        self.stack.rerun = gone
        assert self.up(content, machine, ["b"] if gone else sorted(old), refresh=refreshes) == "updated"
        assert len(self.cloud.sent) == tried + 1

    @rule(fates=FATES, more=st.booleans(), again=st.booleans(), machine=st.integers(0, 1))
    @precondition(lambda self: self.stack.run and self.stack.ids and not self.stack.replacing)
    def its_list_is_changed_and_changed_again(self, fates: list[str], more: bool, again: bool, machine: int) -> None:
        """Both times by an `up` that is killed: first while it fires, then right after its intent."""
        assert self.stack.intent
        content, objects = self.stack.intent.content, list(self.stack.ids)
        self.up(content, machine, sorted({*objects, "x"}), [*fates, "killed"])
        others = [*objects, "y"] if more else objects
        self.up(content, machine, others, stop="intent")
        self.up(content, machine, others)
        if again:
            self.up(content, machine, sorted({*others, "x"}))


class Twins(RuleBasedStateMachine):
    """Two resources that ask for the same work; in each up the engine asks for both diffs first."""

    def __init__(self) -> None:
        super().__init__()
        self.cloud = Cloud()
        self.stacks = [Stack(self.cloud, URN), Stack(self.cloud, TWIN)]

    @rule(
        contents=st.sampled_from(["aa", "bb", "ab", "ba"]),  # what each asks for
        fates=FATES,
        slow=SLOW,
        lag=LAG,
        left_out=st.sampled_from([(), (), (0,), (1,)]),
    )
    def an_up(self, contents: str, fates: list[str], slow: float, lag: float, left_out: tuple[int, ...]) -> None:
        """`left_out`: by --target, so that nothing asks for its diff."""
        self.cloud.fates, self.cloud.slow, self.cloud.lag = list(fates), slow, lag
        self.cloud.seconds += 3
        held, self.cloud.held = self.cloud.held, []
        host = Host(self.cloud, age=0)
        chosen = [stack for number, stack in enumerate(self.stacks) if number not in left_out]
        for stack in chosen:
            stack.diff(host.process)
        for stack, content in zip(self.stacks, contents, strict=True):
            if stack not in chosen:
                continue
            try:
                stack.up(host, Content({"argument": content}), seen=True)
            except errors.RunsError:
                continue
            except Killed:
                break
        self.cloud.fates = []
        self.cloud.go_on(held)

    @rule(contents=st.sampled_from(["aa", "bb"]), fates=FATES, slow=SLOW, lag=LAG, alone=st.integers(0, 1))
    def an_up_and_one_of_them_again(self, contents: str, fates: list[str], slow: float, lag: float, alone: int) -> None:
        self.an_up(contents, fates, slow, lag, ())
        self.an_up(contents, [], 0.0, 0.0, (1 - alone,))
        self.a_whole_up()

    @rule(after=st.sampled_from([1.0, 30.0, 700.0]))
    def time_passes(self, after: float) -> None:
        self.cloud.seconds += after

    @rule()
    def a_whole_up(self) -> None:
        """What two have on record is told by the next one."""
        host = Host(self.cloud, age=0)
        self.cloud.seconds += 3
        said = [text for stack in self.stacks for text in stack.diff(host.process)]
        ids = [set(stack.ids.values()) for stack in self.stacks]
        for id in ids[0] & ids[1]:
            assert any(id in text for text in said), f"nobody is told that two have {id} on record"

    @invariant()
    def none_is_fired_twice(self) -> None:
        # The run of one that was killed may be taken by the other, which does not fire then.
        assert len(self.cloud.ours()) <= sum(len(stack.asks) for stack in self.stacks)


MODELS = [OneResource, OneMarkedResource, ManyObjects, Twins]


def histories(model: type[RuleBasedStateMachine], examples: int, *, same: bool) -> None:
    run_state_machine_as_test(
        model,
        settings=settings(
            max_examples=examples, stateful_step_count=20, deadline=None, derandomize=same, database=None
        ),
    )


def test_a_run_from_before_two_forced_replacements_is_not_taken_for_the_last() -> None:
    """All three have one marker, this machine's clock is slow, and the list does not show the second yet."""
    cloud = Cloud()
    cloud.lag, content, stack = 4.5, Content({"argument": "a"}, {}), Stack(cloud, marked=True)
    for fate in ("answered", "answered", "lost"):
        cloud.seconds += 3
        cloud.fates, cloud.slow = [fate], 12.0 if fate == "lost" else 0.0
        stack.up(Host(cloud, age=0, ahead=timedelta(minutes=-1)), content, forced=bool(stack.run))
    assert stack.ids == {"": cloud.runs[-1].id}
    assert len(cloud.runs) == 3


def test_a_run_of_a_change_that_was_taken_back_is_not_taken_for_a_forced_one() -> None:
    """A forced `up` amid a change is killed, and the next one keeps what is on record under the same intent. A second
    forced one shares its marker, and this machine's clock is slow, so the first run seen with it may be the older."""
    cloud = Cloud()
    stack, a, b = Stack(cloud, marked=True), Content({"argument": "a"}, {}), Content({"argument": "b"}, {})

    def up(content: Content, fate: str, *, slow: float = 0.0, forced: bool = False) -> None:
        cloud.seconds += 3
        cloud.fates, cloud.slow = [fate], slow
        with contextlib.suppress(Killed):
            stack.up(Host(cloud, age=0, ahead=timedelta(minutes=-1)), content, forced=forced)

    up(a, "answered")
    up(b, "killed before")
    up(a, "killed", forced=True)
    up(a, "never asked")
    assert stack.ids == {"": cloud.runs[0].id}, "taken back"
    with pytest.raises(errors.Ambiguous) as stopped:
        up(a, "lost", slow=12.0, forced=True)
    assert [run.id for run in cloud.runs[1:]] == list(stopped.value.candidates)


@pytest.mark.parametrize("objects", [ONE, ("a",)])
def test_a_start_behind_a_refusal_is_waited_for_since_it_has_left(objects: Sequence[str]) -> None:
    """An error hook asks again. Before that start an earlier `up` was looked for, which has taken its time."""
    cloud = Cloud()
    stack, content = Stack(cloud), Content({"argument": "a"}, {})
    with pytest.raises(Killed):
        stack.up(Host(cloud, age=0), content, objects, stop="intent")
    cloud.seconds += 3
    cloud.fates, cloud.slow = ["refused but ran"], 12.0
    stack.up(Host(cloud, age=0), content, objects, hooks=1)
    assert list(stack.ids.values()) == [run.id for run in cloud.runs]
    assert len(cloud.runs) == 1


def test_a_run_that_is_left_of_a_replacement_forced_again_is_told_when_it_is_taken() -> None:
    """The service has it behind a refusal, and its list is late, so that the old run is taken once more (nothing shows
    its diff). The one that is left is found for the next replacement: as documented, and said on the row."""
    cloud = Cloud()
    stack, content = Stack(cloud, marked=True), Content({"argument": "a"}, {})

    def up(*fates: str, **how: Any) -> str:
        cloud.seconds += 3
        cloud.fates, cloud.lag = list(fates), 4.5
        with contextlib.suppress(Killed, errors.RunsError):
            return stack.up(Host(cloud, age=0), content, **how)
        return ""

    assert up() == "fired"
    assert not up(forced=True, stop="delete")
    assert not up("refused but ran")
    assert up(forced=True) == "found"
    assert not up(forced=True, stop="delete")
    assert up() == "found"
    assert len(cloud.runs) == 2
    assert stack.told(stack.ids[""])


@pytest.mark.parametrize("model", MODELS)
def test_random_histories(model: type[RuleBasedStateMachine]) -> None:
    histories(model, EXAMPLES or FEW, same=not EXAMPLES)


@pytest.mark.long
@pytest.mark.parametrize("model", MODELS)
def test_many_random_histories(model: type[RuleBasedStateMachine]) -> None:
    histories(model, MANY, same=True)
