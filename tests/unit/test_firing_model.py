"""At most once, as a model: random histories of ups, each in a process of its own, against one service.

`Stack` does what the engine does with a run and its intent (docs/engine.md): the intent first,
the delete of a replacement before its create, no `diff` when the replacement is forced. An *ask* is a token and how
often a replacement was forced under it; a start is labelled with the ask that it was for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from cloud_runs.promise.record import Content, Intent, Recorded
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
from test_firing import SYSTEM, TWIN, URN, Cloud, Killed, Process, Request

from cloud_runs import errors
from cloud_runs.promise.firing import Settled

EXAMPLES = 60
"""Of 20 steps each, the same in each run. Who changes the rules tries more of them, and others."""

FATES = ["answered", "lost", "bug", "refused", "not reached", "reset before", "killed", "killed before"]
MINUTES = st.integers(-7, 7).map(lambda minutes: timedelta(minutes=minutes))


class Stack:
    """What is on record for one resource, and the engine's steps of an up."""

    def __init__(self, cloud: Cloud, urn: str, marked: bool) -> None:
        self.cloud, self.urn, self.marked = cloud, urn, marked
        self.intent: Intent | None = None
        self.run: Recorded | None = None
        self.replacing = self.by_force = False
        self.forced: Counter[str] = Counter()
        self.asks: set[str] = set()

    @property
    def token(self) -> str:
        return self.intent.token if self.intent else ""

    @property
    def ask(self) -> str:
        return f"{self.urn} {self.token} {self.forced[self.token]}"

    def diff(self, process: Process) -> None:
        if self.run:
            process.memory.saw(self.urn, SYSTEM, self.run)

    def up(self, process: Process, content: Content, *, forced: bool = False, stop: str = "") -> Settled | None:
        """None if nothing was to be done. `stop` names the step after which the engine was killed."""
        if self.intent is None or self.intent.content.differences(content):
            self.intent = process.mint(content)
            self.by_force = False  # another ask
        if stop == "intent":
            raise Killed
        if not forced:
            self.diff(process)
        if self.run and not self.replacing:
            changed = self.run.content.differences(content) and self.run.token != self.intent.token
            if not (changed or forced):
                self.run = replace(self.run, beside=self.token)  # an update records it
                return None
            process.memory.deleted(self.run.shown, SYSTEM, self.run)
            self.replacing, self.by_force = True, not changed
            self.forced[self.intent.token] += 1
            if stop == "delete":
                raise Killed
        self.asks.add(self.ask)
        marker = f"run-{self.intent.token}" if self.marked else ""
        settled = process.create(self.intent, content, self.urn, Request(self.cloud, self.ask, marker=marker))
        fired = settled.kept or Recorded(settled.id, self.intent.token, content, settled.at, {})
        self.run = replace(fired, beside=self.token)
        self.replacing = False
        return settled


def owners(cloud: Cloud) -> Counter[str]:
    return Counter(run.owner for run in cloud.runs if run.owner != "foreign")


class OneResource(RuleBasedStateMachine):
    """One run resource, two machines whose clocks are off, lists that lag, and other people's runs."""

    marked = False

    @initialize(server=MINUTES, first=MINUTES, second=MINUTES)
    def begin(self, server: timedelta, first: timedelta, second: timedelta) -> None:
        self.cloud = Cloud()
        self.cloud.ahead = server
        self.clocks = (first, second)
        self.minted_on: dict[str, int] = {}
        self.stack = Stack(self.cloud, URN, self.marked)
        self.changes = 0

    def up(self, content: Content, machine: int, forced: bool = False, stop: str = "") -> Settled | None:
        self.cloud.clock.seconds += 3  # no two ups in one moment
        process = Process(self.cloud, age=0, machine=f"machine {machine}", ahead=self.clocks[machine])
        starts = self.cloud.starts
        again = forced and self.stack.replacing  # shows no diff: the old run may be found, and the row says so
        settled: Settled | None = None
        try:
            settled = self.stack.up(process, content, forced=forced, stop=stop)
        except (Killed, errors.RunsError):
            assert self.cloud.starts <= starts + 1
            return None
        finally:
            if self.stack.intent:
                self.minted_on.setdefault(self.stack.intent.token, machine)
        if settled is None or settled.provenance in ("kept", "found"):
            assert self.cloud.starts <= starts + (1 if settled and "answer was lost" in settled.note else 0)
            if settled and settled.provenance == "kept":
                assert not self.stack.by_force, "forced and not taken back: what was asked for is lost"
            if settled is None or settled.provenance == "kept":
                return settled
        (recorded,) = [run for run in self.cloud.runs if run.id == settled.id]
        if settled.provenance == "fired":
            assert self.cloud.starts == starts + 1
            assert recorded.owner == self.stack.ask
        if recorded.owner == "foreign":
            assert not self.marked, "a marker is proof"
        elif not again and (self.marked or self.minted_on[self.stack.token] == machine):
            # Without a marker and between two clocks, the lost run of an earlier ask may be taken for this one's.
            assert recorded.owner == self.stack.ask
            assert owners(self.cloud)[self.stack.ask] == 1, "as soon as an up succeeds: exactly one"
        return settled

    @rule(
        content=st.sampled_from("abc"),
        trigger=st.sampled_from(["", "1", "2"]),
        fate=st.sampled_from(FATES),
        stop=st.sampled_from(["", "", "", "intent", "delete"]),
        forced=st.booleans(),
        lag=st.sampled_from([0.0, 1.0, 4.5, 9.0]),
        machine=st.integers(0, 1),
    )
    def an_up(self, content: str, trigger: str, fate: str, stop: str, forced: bool, lag: float, machine: int) -> None:
        self.cloud.fates, self.cloud.lag = [fate], lag
        self.up(Content({"object": content}, {"t": trigger} if trigger else {}), machine, forced, stop)
        self.cloud.fates = []

    @rule(machine=st.integers(0, 1), lag=st.sampled_from([0.0, 9.0]))
    @precondition(lambda self: self.stack.intent)
    def the_same_again(self, machine: int, lag: float) -> None:
        self.cloud.lag = lag
        assert self.stack.intent
        self.up(self.stack.intent.content, machine)

    @rule(fate=st.sampled_from(FATES), stop=st.sampled_from(["", "delete"]), machine=st.integers(0, 1))
    @precondition(lambda self: self.stack.run)
    def forced(self, fate: str, stop: str, machine: int) -> None:
        assert self.stack.intent
        self.cloud.fates, self.cloud.lag = [fate], 0.0
        self.up(self.stack.intent.content, machine, True, stop)
        self.cloud.fates = []

    @rule(fate=st.sampled_from(FATES), machine=st.integers(0, 1))
    @precondition(lambda self: self.stack.run)
    def taken_back(self, fate: str, machine: int) -> None:
        run = self.stack.run
        assert run
        self.cloud.fates = [fate]
        self.up(Content({"object": "taken back"}, {}), machine)
        self.cloud.fates = []
        if (
            self.stack.run is run
            and self.stack.replacing
            and self.stack.run.content.differences(Content({"object": "taken back"}, {}))
        ):
            starts = self.cloud.starts
            self.up(run.content, machine)
            assert self.cloud.starts == starts
            assert self.stack.run.id == run.id

    @rule(machine=st.integers(0, 1))
    def a_new_trigger_undisturbed(self, machine: int) -> None:
        """Whatever happened before: a new ask is fulfilled."""
        self.changes += 1
        self.cloud.lag = 0.0
        starts = self.cloud.starts
        settled = self.up(Content({"object": "a"}, {"change": str(self.changes)}), machine)
        assert settled
        assert settled.provenance == "fired"
        assert self.cloud.starts == starts + 1

    @rule(after=st.sampled_from([0.3, 1.0, 40.0, 599.0, 700.0, 86400.0, 8 * 86400.0]))
    def time_passes(self, after: float) -> None:
        self.cloud.clock.seconds += after

    @rule()
    def somebody_else_runs_the_same(self) -> None:
        self.cloud.begin("foreign")

    @rule()
    def destroyed(self) -> None:
        self.stack.intent = self.stack.run = None
        self.stack.replacing = False

    @invariant()
    def never_two_for_one_ask(self) -> None:
        if hasattr(self, "cloud"):
            twice = {ask: count for ask, count in owners(self.cloud).items() if count > 1}
            assert not twice, twice


class OneMarkedResource(OneResource):
    """The same with a generated name, which is proof of a run."""

    marked = True

    @precondition(lambda self: self.stack.run)
    @rule(after=st.sampled_from([0.0, 60.0, 3600.0]), machine=st.integers(0, 1))
    def killed_and_found(self, after: float, machine: int) -> None:
        """With proof a killed up is always found, whoever else runs the same."""
        self.changes += 1
        self.cloud.fates, self.cloud.lag = ["killed"], 9.0
        content = Content({"object": "a"}, {"change": str(self.changes)})
        assert self.up(content, machine) is None
        self.cloud.clock.seconds += after
        settled = self.up(content, machine)
        assert settled
        assert settled.provenance == "found"


class Twins(RuleBasedStateMachine):
    """Two resources that ask for the same work; in each up the engine asks for both diffs first."""

    def __init__(self) -> None:
        super().__init__()
        self.cloud = Cloud()
        self.stacks = [Stack(self.cloud, URN, False), Stack(self.cloud, TWIN, False)]

    @rule(
        contents=st.tuples(st.sampled_from("ab"), st.sampled_from("ab")),
        fates=st.lists(st.sampled_from(FATES), max_size=2),
        lag=st.sampled_from([0.0, 9.0]),
    )
    def an_up(self, contents: tuple[str, str], fates: list[str], lag: float) -> None:
        self.cloud.fates, self.cloud.lag = list(fates), lag
        self.cloud.clock.seconds += 3
        process = Process(self.cloud, age=0)
        for stack in self.stacks:
            stack.diff(process)
        for stack, content in zip(self.stacks, contents, strict=True):
            try:
                stack.up(process, Content({"object": content}, {}))
            except errors.RunsError:
                continue
            except Killed:
                break
        self.cloud.fates = []

    @rule(after=st.sampled_from([1.0, 30.0, 700.0]))
    def time_passes(self, after: float) -> None:
        self.cloud.clock.seconds += after

    @invariant()
    def no_run_is_on_record_twice_and_none_is_fired_twice(self) -> None:
        ids = [stack.run.id for stack in self.stacks if stack.run]
        assert len(set(ids)) == len(ids)
        # The run of one that was killed may be taken by the other, which does not fire then.
        assert len(self.cloud.ours()) <= sum(len(stack.asks) for stack in self.stacks)


@pytest.mark.parametrize("model", [OneResource, OneMarkedResource, Twins])
def test_random_histories(model: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        model,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=20, deadline=None, derandomize=True),
    )
