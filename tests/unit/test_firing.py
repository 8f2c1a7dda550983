"""At most once, without Pulumi and HTTP: what the service saw (the number of starts) is what counts.

The service is a small one with a real state: runs with times in whole seconds, lists that lag, a clock of its own,
runs of other people. A host process is a `Process` with a memory of its own; a kill is a `Killed` that nobody catches.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cloud_runs.promise.record import Content, Intent, Memory, Recorded, intent_urn

from cloud_runs import errors
from cloud_runs.promise import firing, record
from cloud_runs.promise.firing import Ask, Settled, World, settle
from cloud_runs.runs import Candidate, Found, Started

URN = "urn:pulumi:test::tests::pulumi-python:dynamic/tencent:WorkflowRun::run"
TWIN = "urn:pulumi:test::tests::pulumi-python:dynamic/tencent:WorkflowRun::twin"
SYSTEM = "tencent.workflow:ap-beijing:media-1250000000:"
A = Content({"object": "a"}, {})
B = Content({"object": "b"}, {})
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
_serial = itertools.count(1)


class Killed(BaseException):
    """SIGKILL in the middle of a start: nothing after it runs, so nothing may catch it."""


class Clock:
    """True time. Begins at a whole second; a sleep is how it goes on."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass(frozen=True)
class Began:
    id: str
    work: str
    marker: str
    owner: str
    at: datetime
    shown_from: float


class Cloud:
    """The service. `fates` says what happens to the next starts; without one a start is answered."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ahead = timedelta(0)
        self.lag = 0.0
        self.dated = True
        self.fates: list[str] = []
        self.trouble: Exception | None = None
        self.tries = 0
        self.starts = 0  # those that arrived
        self.looks: list[float] = []
        self.runs: list[Began] = []

    def time(self) -> datetime:
        """As the service tells it: whole seconds, rounded down."""
        return (self.clock.now() + self.ahead).replace(microsecond=0)

    def begin(self, owner: str, work: str = "work", marker: str = "", at: datetime | None = None) -> str:
        id = f"i{next(_serial)}"
        shown_from = self.clock.seconds + self.lag
        self.runs.append(Began(id, work, marker, owner, (at or self.time()).replace(microsecond=0), shown_from))
        return id

    def ours(self) -> list[str]:
        return [run.id for run in self.runs if run.owner != "foreign"]


@dataclass
class Request:
    """A Starter. With a marker its runs can be told from all others."""

    cloud: Cloud
    owner: str = "ours"
    work: str = "work"
    marker: str = ""

    def prepare(self) -> None:
        """Nothing is to be asked before a start."""

    def start(self) -> Started:
        cloud = self.cloud
        fate = cloud.fates.pop(0) if cloud.fates else "answered"
        cloud.tries += 1
        cloud.starts += fate != "not reached"
        before: dict[str, BaseException] = {
            "refused": errors.Refused("refused POST", status=400, code="InvalidWorkflow"),
            "not reached": errors.NotReached("no such host"),
            "killed before": Killed(),
            "reset before": errors.UnknownOutcome("connection reset"),
        }
        after: dict[str, BaseException] = {
            "killed": Killed(),
            "lost": errors.UnknownOutcome("connection reset"),
            "bug": KeyError("InstanceId"),
        }
        if fate in before:
            raise before[fate]
        assert fate in after or fate == "answered", fate
        id = cloud.begin(self.owner, self.work, self.marker)
        if fate in after:
            raise after[fate]
        return Started(id, cloud.time(), request_id="req")

    def find(self, since: datetime) -> Found:
        cloud = self.cloud
        cloud.looks.append(cloud.clock.seconds)
        if cloud.trouble:
            raise cloud.trouble
        shown = [
            Candidate(run.id, run.at, proof=bool(self.marker))
            for run in cloud.runs
            if run.shown_from <= cloud.clock.seconds
            and run.work == self.work
            and self.marker in ("", run.marker)
            and run.at >= since.replace(microsecond=0)
        ]
        return Found(tuple(reversed(shown)), cloud.time() if cloud.dated else None)


@dataclass
class Process:
    """A host process: its memory, its machine, and how far that machine's clock is ahead of true time."""

    cloud: Cloud
    age: float = 3600.0
    machine: str = "here"
    ahead: timedelta = timedelta(0)
    alive: Callable[[], bool] = lambda: True
    memory: Memory = field(default_factory=Memory)
    name: str = field(default_factory=lambda: f"process {next(_serial)}")
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.cloud.clock.seconds - self.age

    def now(self) -> datetime:
        return self.cloud.clock.now() + self.ahead

    def uptime(self) -> record.Clock:
        return record.Clock(self.machine, self.cloud.clock.seconds)

    def mint(self, content: Content = A) -> Intent:
        return Intent(f"token {next(_serial)}", self.now(), self.name, self.uptime(), content)

    def create(
        self, intent: Intent | None, content: Content = A, urn: str = URN, request: Request | None = None
    ) -> Settled:
        if intent and intent.process == self.name:  # this process is the one that runs the code
            intent = replace(intent, process=record.PROCESS)
        clock = self.cloud.clock
        world = World(
            self.memory,
            lambda: self.alive(),
            self.said.append,
            self.now,
            lambda: clock.seconds,
            clock.sleep,
            self.uptime,
            self.began,
        )
        return settle(Ask(urn, SYSTEM, intent, content), request or Request(self.cloud), world)


def recorded(settled: Settled, intent: Intent, content: Content = A) -> Recorded:
    return Recorded(settled.id, intent.token, content, settled.at, {"id": settled.id})


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def process(cloud: Cloud) -> Process:
    return Process(cloud)


def killed(cloud: Cloud, fate: str = "killed", request: Request | None = None, **process: Any) -> Intent:
    """An `up` that was killed in its start; its intent is on record."""
    earlier = Process(cloud, **process)
    intent = earlier.mint()
    cloud.fates = [fate]
    with pytest.raises(Killed):
        earlier.create(intent, request=request)
    return intent


# -- the decision table


def test_without_a_token_nothing_fires(cloud: Cloud, process: Process) -> None:
    with pytest.raises(errors.RunsError, match="--target") as error:
        process.create(None)
    assert intent_urn(URN) in str(error.value)
    assert (cloud.starts, cloud.looks) == (0, [])


def test_without_a_token_nothing_fires_even_after_a_delete(cloud: Cloud, process: Process) -> None:
    first = process.mint()
    run = recorded(process.create(first), first)
    process.memory.deleted(run.token, SYSTEM, run)
    with pytest.raises(errors.RunsError, match="not part of this update"):
        process.create(None)
    assert cloud.starts == 1


def test_a_token_of_this_process_fires_without_a_look(cloud: Cloud, process: Process) -> None:
    cloud.begin("foreign")
    settled = process.create(process.mint())
    assert (settled.provenance, [settled.id]) == ("fired", cloud.ours())
    assert settled.started is not None
    assert settled.at == cloud.time()
    assert (cloud.starts, cloud.looks, settled.note) == (1, [], "")


def test_a_token_of_an_earlier_process_is_looked_up_and_fires_if_nothing_is_found(cloud: Cloud) -> None:
    intent = Process(cloud).mint()
    settled = Process(cloud).create(intent)
    assert settled.provenance == "fired"
    assert (cloud.starts, len(cloud.looks)) == (1, 1)


def test_a_run_of_a_killed_up_is_adopted(cloud: Cloud) -> None:
    intent = killed(cloud)
    settled = Process(cloud).create(intent)
    assert (settled.provenance, [settled.id]) == ("found", cloud.ours())
    assert settled.at == cloud.runs[0].at
    assert settled.note == f"found run {settled.id} of an interrupted up; for a new run change a trigger"
    assert cloud.starts == 1


def test_an_up_killed_before_the_start_fires_in_the_next(cloud: Cloud) -> None:
    intent = killed(cloud, "killed before")
    settled = Process(cloud).create(intent)
    assert (settled.provenance, [settled.id]) == ("fired", cloud.ours())


def test_a_forced_replacement_fires_without_a_look(cloud: Cloud) -> None:
    first = Process(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    second = Process(cloud)
    second.memory.deleted(old.token, SYSTEM, old)
    settled = second.create(intent)
    assert settled.provenance == "fired"
    assert settled.id != old.id
    assert (cloud.starts, cloud.looks) == (2, [])


def test_the_delete_of_another_resource_is_no_replacement(cloud: Cloud) -> None:
    intent = killed(cloud)
    process = Process(cloud)
    process.memory.deleted("t", SYSTEM, Recorded("i0", "t", A, None))
    assert process.create(intent).provenance == "found"
    assert cloud.starts == 1


def test_one_delete_stands_for_one_replacement(cloud: Cloud) -> None:
    process = Process(cloud)
    intent = Process(cloud).mint()
    run = Recorded("i0", intent.token, A, None)
    process.memory.deleted(intent.token, SYSTEM, run)
    first = process.create(intent)
    assert cloud.looks == []
    assert process.create(intent) == first, "asked again, by an error hook"
    assert cloud.starts == 1
    process.memory.deleted(intent.token, SYSTEM, recorded(first, intent))
    assert process.create(intent) != first
    assert cloud.starts == 2


def test_a_create_that_is_asked_again_returns_the_same_run(cloud: Cloud, process: Process) -> None:
    intent = process.mint()
    first = process.create(intent)
    assert process.create(intent) == first
    assert process.create(process.mint()) != first, "another intent is another ask"
    assert cloud.starts == 2


@pytest.mark.parametrize("replaced", [True, False])
def test_a_change_taken_back_keeps_the_run(cloud: Cloud, replaced: bool) -> None:
    first = Process(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    second = Process(cloud)
    second.memory.saw(URN, SYSTEM, old)
    settled = second.create(second.mint() if replaced else replace(intent, token="of the change", process="before"))
    assert (settled.provenance, settled.id, settled.at) == ("kept", old.id, old.fired_at)
    assert settled.kept is old
    assert "taken back" in settled.note
    assert (cloud.starts, cloud.looks) == (1, [])


def test_a_removed_trigger_is_taken_back_as_well(cloud: Cloud) -> None:
    process = Process(cloud)
    process.memory.saw(URN, SYSTEM, Recorded("i0", "t", Content(A.digests, {"day": "1", "x": "y"}), None))
    assert process.create(process.mint(), Content(A.digests, {"day": "1"})).provenance == "kept"
    assert process.create(process.mint(), Content(A.digests, {"day": "2"})).provenance == "fired"


def test_not_kept_with_other_content(cloud: Cloud, process: Process) -> None:
    process.memory.saw(URN, SYSTEM, Recorded("i0", "t", A, None))
    assert process.create(process.mint(B), B).provenance == "fired"


def test_not_kept_after_its_delete(cloud: Cloud, process: Process) -> None:
    old = Recorded("i0", "t", A, None)
    process.memory.saw(URN, SYSTEM, old)
    process.memory.deleted(old.token, SYSTEM, old)
    assert process.create(process.mint()).provenance == "fired"
    assert cloud.starts == 1


def test_not_kept_under_its_own_token(cloud: Cloud) -> None:
    """A forced replacement that did not get to fire: the same token and content, and a new run is wanted."""
    first = Process(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    second = Process(cloud)
    second.memory.saw(URN, SYSTEM, old)
    settled = second.create(intent)
    assert settled.provenance == "fired"
    assert settled.id != old.id


def test_not_kept_under_the_token_on_record_beside_it(cloud: Cloud) -> None:
    """The same after a change was taken back, which has left another intent beside the run than the one of its fire."""
    first = Process(cloud)
    old = recorded(first.create(first.mint()), first.mint())
    intent = first.mint()
    second = Process(cloud)
    second.memory.saw(URN, SYSTEM, replace(old, token="of its fire", beside=intent.token))
    settled = second.create(intent)
    assert settled.provenance == "fired"
    assert cloud.starts == 2


def test_the_run_of_another_resource_is_not_kept(cloud: Cloud, process: Process) -> None:
    process.memory.saw(TWIN, SYSTEM, Recorded("i0", "t", A, None))
    assert process.create(process.mint()).provenance == "fired"


# -- the orphan


def test_an_orphan_never_fires(cloud: Cloud) -> None:
    orphan = Process(cloud, alive=lambda: False)
    with pytest.raises(errors.RunsError, match="is gone"):
        orphan.create(orphan.mint())
    assert cloud.starts == 0


def test_an_orphan_never_fires_after_a_look(cloud: Cloud) -> None:
    with pytest.raises(errors.RunsError, match="is gone"):
        Process(cloud, alive=lambda: False).create(Process(cloud).mint())
    assert cloud.starts == 0


def test_the_engine_is_asked_after_the_look(cloud: Cloud) -> None:
    seen: list[int] = []

    def alive() -> bool:
        seen.append(len(cloud.looks))
        return True

    Process(cloud, alive=alive).create(Process(cloud).mint())
    assert seen == [1]


def test_an_orphan_is_no_attempt(cloud: Cloud) -> None:
    process = Process(cloud, alive=lambda: False)
    intent = process.mint()
    with pytest.raises(errors.RunsError):
        process.create(intent)
    assert not process.memory.attempted(URN, intent.token)


# -- answers to the start


@pytest.mark.parametrize(("fate", "kind"), [("refused", errors.Refused), ("not reached", errors.NotReached)])
def test_a_refusal_is_no_attempt(cloud: Cloud, process: Process, fate: str, kind: type[Exception]) -> None:
    intent = process.mint()
    cloud.fates = [fate] * 3
    with pytest.raises(kind):
        process.create(intent)
    assert cloud.tries == (3 if fate == "not reached" else 1), "what did not arrive is sent again, a few times"
    assert cloud.looks == []
    cloud.fates = []
    assert process.create(intent).provenance == "fired"
    assert cloud.looks == [], "nothing ran for certain, so there is nothing to look for"
    assert len(cloud.ours()) == 1


def test_a_refusal_leaves_the_replacement_wanted(cloud: Cloud) -> None:
    process = Process(cloud)
    intent = Process(cloud).mint()
    process.memory.deleted(intent.token, SYSTEM, Recorded("i0", intent.token, A, None))
    cloud.fates = ["refused"]
    with pytest.raises(errors.Refused):
        process.create(intent)
    assert process.create(intent).provenance == "fired"
    assert cloud.looks == []


@pytest.mark.parametrize("fate", ["lost", "bug"])
def test_a_lost_answer_is_found(cloud: Cloud, process: Process, fate: str) -> None:
    cloud.fates = [fate]
    settled = process.create(process.mint())
    assert (settled.provenance, [settled.id]) == ("found", cloud.ours())
    assert "answer was lost" in settled.note
    assert settled.id in settled.note
    assert any("looking for the run" in text for text in process.said)
    assert cloud.starts == 1


@pytest.mark.parametrize("lag", [0, 1, 3, 54.5, 55])
def test_a_lost_answer_is_found_up_to_the_last_look(cloud: Cloud, process: Process, lag: float) -> None:
    cloud.lag, cloud.fates = lag, ["lost"]
    assert [process.create(process.mint()).id] == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("fate", ["lost", "bug", "reset before"])
def test_a_lost_answer_that_is_not_found_fires_nothing_more(cloud: Cloud, process: Process, fate: str) -> None:
    cloud.lag, cloud.fates = 61, [fate]
    intent, began = process.mint(), cloud.clock.seconds
    with pytest.raises(errors.UnknownOutcome, match=r"may have started.*adopt_id"):
        process.create(intent)
    assert cloud.starts == 1
    assert 50 <= cloud.clock.seconds - began <= 60
    assert max(cloud.clock.slept) <= 10
    assert len(cloud.looks) > 5
    # Later in the same process it is looked up first; by then the list shows it, if it is there.
    cloud.clock.sleep(10)
    settled = process.create(intent)
    assert settled.provenance == ("fired" if fate == "reset before" else "found")
    assert cloud.ours() == [settled.id]


def test_the_cause_of_an_unknown_outcome_is_told(cloud: Cloud, process: Process) -> None:
    cloud.fates = ["reset before"]
    with pytest.raises(errors.UnknownOutcome, match="connection reset") as error:
        process.create(process.mint())
    assert isinstance(error.value.__cause__, errors.UnknownOutcome)


@pytest.mark.parametrize("trouble", [errors.Unavailable("503"), errors.Refused("listing", status=403)])
def test_a_service_that_cannot_be_asked_after_a_lost_answer(cloud: Cloud, process: Process, trouble: Exception) -> None:
    cloud.fates, cloud.trouble = ["lost"], trouble
    intent = process.mint()
    with pytest.raises(errors.UnknownOutcome, match="The last look-up failed: ") as error:
        process.create(intent)
    assert str(trouble) in str(error.value)
    assert (cloud.starts, len(cloud.looks) > 1) == (1, True)
    cloud.trouble = None
    assert [process.create(intent).id] == cloud.ours()
    assert cloud.starts == 1


def test_a_look_up_that_fails_in_between_is_tried_again(cloud: Cloud, process: Process) -> None:
    cloud.fates, cloud.trouble = ["lost"], errors.Unavailable("503")
    honest = cloud.clock.sleep

    def sleep(seconds: float) -> None:
        cloud.trouble = None
        honest(seconds)

    cloud.clock.sleep = sleep  # type: ignore[method-assign]
    assert [process.create(process.mint()).id] == cloud.ours()


def test_a_lost_answer_and_a_run_of_somebody_else_are_told_apart_by_nobody(cloud: Cloud, process: Process) -> None:
    foreign = cloud.begin("foreign")
    cloud.fates = ["lost"]
    with pytest.raises(errors.Ambiguous) as error:
        process.create(process.mint())
    assert set(error.value.candidates) == {foreign, *cloud.ours()}
    assert cloud.starts == 1


def test_with_proof_a_run_of_somebody_else_is_no_trouble(cloud: Cloud, process: Process) -> None:
    cloud.begin("foreign")
    cloud.fates = ["lost"]
    settled = process.create(process.mint(), request=Request(cloud, marker="run-0123"))
    assert [settled.id] == cloud.ours()


@pytest.mark.parametrize("fate", ["lost", "reset before"])
def test_an_earlier_run_with_the_same_marker_is_not_the_lost_one(cloud: Cloud, process: Process, fate: str) -> None:
    """A forced replacement keeps the intent, and with it the generated name."""
    cloud.begin("ours", marker="m", at=cloud.time() - 60 * SECOND)
    cloud.fates = [fate]
    if fate == "lost":
        settled = process.create(process.mint(), request=Request(cloud, marker="m"))
        assert settled.id == cloud.ours()[-1]
    else:
        with pytest.raises(errors.UnknownOutcome):
            process.create(process.mint(), request=Request(cloud, marker="m"))
    assert cloud.starts == 1


@pytest.mark.parametrize(("before", "found"), [(2, True), (3, False)])
def test_a_lost_answer_is_not_looked_for_before_it_was_sent(
    cloud: Cloud, process: Process, before: int, found: bool
) -> None:
    cloud.begin("foreign", at=cloud.time() - before * SECOND)
    cloud.fates = ["lost"]
    if found:  # the margin for whole seconds
        with pytest.raises(errors.Ambiguous):
            process.create(process.mint())
    else:
        assert [process.create(process.mint()).id] == cloud.ours()


@pytest.mark.parametrize("minutes", [-14, -10, -5, 5, 10, 14])
def test_a_lost_answer_is_found_with_a_server_clock_that_is_off(cloud: Cloud, process: Process, minutes: int) -> None:
    cloud.ahead = minutes * MINUTE
    cloud.begin("foreign", at=cloud.time() - 10 * SECOND)
    cloud.fates = ["lost"]
    assert [process.create(process.mint()).id] == cloud.ours()


# -- looking before firing: times


@pytest.mark.parametrize("lag", [0, 1, 5, 9, 10])
def test_a_list_that_lags_after_a_kill_does_not_fire_again(cloud: Cloud, lag: float) -> None:
    cloud.lag = lag
    intent = killed(cloud)
    settled = Process(cloud, age=0).create(intent)
    assert [settled.id] == cloud.ours()
    assert cloud.starts == 1


def test_a_young_process_looks_until_it_is_settled_and_then_fires(cloud: Cloud) -> None:
    intent = Process(cloud).mint()
    young = Process(cloud, age=0)
    assert young.create(intent).provenance == "fired"
    assert cloud.looks[-1] - young.began == firing.SETTLE_SECONDS
    assert len(cloud.looks) > 1


def test_an_old_process_looks_once_and_gives_siblings_time_to_be_asked(cloud: Cloud) -> None:
    Process(cloud, age=firing.SETTLE_SECONDS).create(Process(cloud).mint())
    assert cloud.clock.slept == [firing.SIBLINGS_SECONDS]
    assert len(cloud.looks) == 1


@pytest.mark.parametrize(("after", "adopted"), [(600, True), (601, False), (86400, False)])
def test_without_proof_only_a_run_within_ten_minutes_is_adopted(cloud: Cloud, after: int, adopted: bool) -> None:
    intent = Process(cloud).mint()
    cloud.clock.seconds += after
    later = cloud.begin("ours")
    process = Process(cloud)
    if adopted:
        assert process.create(intent).id == later
    else:
        with pytest.raises(errors.Ambiguous, match="set adopt_id") as error:
            process.create(intent)
        assert error.value.candidates == (later,)
        assert later in str(error.value)
    assert cloud.starts == 0


@pytest.mark.parametrize("after", [601, 86400, 6 * 86400])
def test_with_proof_a_later_run_is_adopted(cloud: Cloud, after: int) -> None:
    intent = Process(cloud).mint()
    cloud.clock.seconds += after
    later = cloud.begin("ours", marker="m")
    assert Process(cloud).create(intent, request=Request(cloud, marker="m")).id == later
    assert cloud.starts == 0


@pytest.mark.parametrize(
    "before",
    [2, 3, 600, 899],
)
def test_with_proof_an_earlier_run_is_adopted(cloud: Cloud, before: int) -> None:
    """Only the token's own intent can have led to it, whatever the clocks say."""
    earlier = cloud.begin("ours", marker="m", at=cloud.time() - before * SECOND)
    process = Process(cloud)
    assert process.create(Process(cloud).mint(), request=Request(cloud, marker="m")).id == earlier
    assert cloud.starts == 0


@pytest.mark.parametrize(("before", "adopted"), [(0, True), (1, True), (2, True), (3, False), (3600, False)])
def test_a_run_from_before_the_intent_is_not_ours(cloud: Cloud, before: int, adopted: bool) -> None:
    """On one machine the two clocks are one, so that only whole seconds are a margin."""
    earlier = cloud.begin("foreign", at=cloud.time() - before * SECOND)
    settled = Process(cloud).create(Process(cloud).mint())
    assert (settled.id == earlier, cloud.starts) == (adopted, 0 if adopted else 1)


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.999])
def test_whole_seconds_do_not_hide_a_run(cloud: Cloud, fraction: float) -> None:
    cloud.clock.seconds += fraction
    intent = killed(cloud)
    cloud.clock.seconds += 0.7
    assert [Process(cloud).create(intent).id] == cloud.ours()


@pytest.mark.parametrize(
    ("before", "expected"),
    [(0, "found"), (2, "found"), (3, "ambiguous"), (600, "ambiguous"), (900, "ambiguous"), (901, "fired")],
)
def test_another_machines_intent_may_be_later_than_its_run(cloud: Cloud, before: int, expected: str) -> None:
    earlier = cloud.begin("ours", at=cloud.time() - before * SECOND)
    intent = Process(cloud, machine="another").mint()
    process = Process(cloud)
    if expected == "ambiguous":
        with pytest.raises(errors.Ambiguous) as error:
            process.create(intent)
        assert error.value.candidates == (earlier,)
        assert cloud.starts == 0
    else:
        settled = process.create(intent)
        assert settled.provenance == expected
        assert (settled.id == earlier, cloud.starts) == ((True, 0) if expected == "found" else (False, 1))


@pytest.mark.parametrize(
    ("minutes", "adopted"),
    [(-14, False), (-11, False), (-10, True), (-5, True), (0, True), (1, False), (5, False), (10, False), (14, False)],
)
def test_another_machines_clock_never_makes_a_killed_up_fire_again(cloud: Cloud, minutes: int, adopted: bool) -> None:
    intent = killed(cloud, machine="another", ahead=minutes * MINUTE)
    if adopted:
        assert [Process(cloud).create(intent).id] == cloud.ours()
    else:
        with pytest.raises(errors.Ambiguous) as error:
            Process(cloud).create(intent)
        assert list(error.value.candidates) == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("slow", [16, 60, 160])
def test_a_slow_clock_never_makes_another_machines_killed_up_fire_again(cloud: Cloud, slow: int) -> None:
    """Tencent takes what such a clock has signed. A time of the other machine means nothing by it."""
    intent = killed(cloud, machine="another")
    cloud.clock.seconds += 60
    with pytest.raises(errors.Unavailable, match="Set the clock"):
        Process(cloud, ahead=-slow * MINUTE).create(intent)
    assert cloud.starts == 1
    assert Process(cloud).create(intent).id == cloud.ours()[0]


OFFSETS = (-10, -5, 0, 5, 10)


# The signature check refuses a clock that is off by 15 minutes.
@pytest.mark.parametrize(("server", "ours"), [(a, b) for a in OFFSETS for b in OFFSETS if abs(a - b) < 15])
def test_a_clock_that_is_off_on_the_same_machine(cloud: Cloud, server: int, ours: int) -> None:
    cloud.ahead = server * MINUTE
    cloud.begin("foreign", at=cloud.time() - MINUTE)
    intent = killed(cloud, ahead=ours * MINUTE)
    cloud.clock.seconds += 120
    assert [Process(cloud, ahead=ours * MINUTE).create(intent).id] == cloud.ours()
    assert cloud.starts == 1


def test_a_server_that_tells_no_time_is_taken_to_have_ours(cloud: Cloud) -> None:
    cloud.dated = False
    intent = killed(cloud)
    assert [Process(cloud).create(intent).id] == cloud.ours()


@pytest.mark.parametrize(("over", "fires"), [(0, True), (1, False)])
def test_an_intent_older_than_seven_days_with_nothing_found(cloud: Cloud, over: int, fires: bool) -> None:
    intent = Process(cloud).mint()
    cloud.clock.seconds += 7 * 86400 - firing.SIBLINGS_SECONDS + over
    process = Process(cloud)
    if fires:
        assert process.create(intent).provenance == "fired"
    else:
        with pytest.raises(errors.UnknownOutcome, match="change a trigger"):
            process.create(intent)
    assert cloud.starts == int(fires)


def test_an_old_intent_whose_run_is_still_listed(cloud: Cloud) -> None:
    intent = killed(cloud)
    cloud.clock.seconds += 30 * 86400
    assert [Process(cloud).create(intent).id] == cloud.ours()


def test_an_old_intent_of_this_process_or_with_a_delete_fires(cloud: Cloud) -> None:
    process = Process(cloud)
    intent = process.mint()
    cloud.clock.seconds += 30 * 86400
    settled = process.create(intent)
    later = Process(cloud)
    later.memory.deleted(intent.token, SYSTEM, recorded(settled, intent))
    later.create(intent)
    assert (cloud.starts, cloud.looks) == (2, [])


# -- looking before firing: which runs


@pytest.mark.parametrize("trouble", [errors.Unavailable("503"), errors.Refused("listing", status=403)])
def test_a_service_that_cannot_be_asked_fires_nothing(cloud: Cloud, trouble: Exception) -> None:
    intent = killed(cloud)
    cloud.trouble = trouble
    with pytest.raises(errors.Unavailable, match="nothing was fired") as error:
        Process(cloud).create(intent)
    assert str(trouble) in str(error.value)
    assert cloud.starts == 1
    cloud.trouble = None
    assert [Process(cloud).create(intent).id] == cloud.ours()


@pytest.mark.parametrize("many", [2, 10, 13])
def test_several_candidates_are_listed(cloud: Cloud, many: int) -> None:
    intent = Process(cloud).mint()
    began = [cloud.begin("foreign", at=cloud.time() + n * SECOND) for n in range(many)]
    with pytest.raises(errors.Ambiguous) as error:
        Process(cloud).create(intent)
    text = str(error.value)
    assert error.value.candidates == tuple(began), "all of them, oldest first"
    assert all(f"{id} (began 2024-" in text for id in began[:10])
    assert all(id not in text for id in began[10:])
    assert ("and 3 more" in text) == (many == 13)
    assert cloud.starts == 0


def test_one_that_can_be_ours_and_a_later_one_are_ambiguous(cloud: Cloud) -> None:
    intent = Process(cloud).mint()
    both = cloud.begin("ours"), cloud.begin("foreign", at=cloud.time() + 11 * MINUTE)
    cloud.clock.seconds += 3600
    with pytest.raises(errors.Ambiguous) as error:
        Process(cloud).create(intent)
    assert error.value.candidates == both
    assert cloud.starts == 0


def test_candidates_are_listed_in_the_order_of_their_times(cloud: Cloud) -> None:
    intent = Process(cloud).mint()
    began = [cloud.begin("foreign", at=cloud.time() + n * SECOND) for n in (5, 1, 3)]
    with pytest.raises(errors.Ambiguous) as error:
        Process(cloud).create(intent)
    assert error.value.candidates == (began[1], began[2], began[0])


def test_two_with_proof_are_ambiguous_too(cloud: Cloud) -> None:
    intent = Process(cloud).mint()
    both = [cloud.begin("ours", marker="m") for _ in range(2)]
    with pytest.raises(errors.Ambiguous) as error:
        Process(cloud).create(intent, request=Request(cloud, marker="m"))
    assert set(error.value.candidates) == set(both)
    assert cloud.starts == 0


def test_other_work_is_no_candidate(cloud: Cloud) -> None:
    intent = Process(cloud).mint()
    cloud.begin("foreign", work="other")
    assert Process(cloud).create(intent).provenance == "fired"


def test_the_old_run_and_what_began_before_it_are_no_candidates(cloud: Cloud) -> None:
    """A forced replacement under the same token that was killed before (or after) its start."""
    first = Process(cloud)
    intent = first.mint()
    cloud.begin("foreign")
    cloud.clock.seconds += 5
    old = recorded(first.create(intent), intent)
    cloud.clock.seconds += 5
    second = Process(cloud)
    second.memory.saw(URN, SYSTEM, old)
    new = second.create(intent)
    assert new.provenance == "fired"
    third = Process(cloud)
    third.memory.saw(URN, SYSTEM, old)
    assert third.create(intent).id == new.id
    assert cloud.starts == 2


def test_an_old_run_without_a_time_is_left_out_by_its_id(cloud: Cloud) -> None:
    intent = Process(cloud).mint()
    old = Recorded(cloud.begin("ours"), intent.token, A, None)
    process = Process(cloud)
    process.memory.saw(URN, SYSTEM, old)
    assert process.create(intent).provenance == "fired"


def test_a_run_of_the_same_second_as_the_old_one_is_a_candidate(cloud: Cloud) -> None:
    first = Process(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    lost = cloud.begin("ours")
    second = Process(cloud)
    second.memory.saw(URN, SYSTEM, old)
    assert second.create(intent).id == lost
    assert cloud.starts == 1


# -- a list that tells no time of a run


class WithoutATime(Request):
    """Somebody's run, of yesterday or of now, is in every list."""

    def find(self, since: datetime) -> Found:
        found = super().find(since)
        return Found((Candidate("timeless", None), *found.candidates), found.server_time)


def test_a_run_without_a_time_may_be_ours_and_is_neither_adopted_nor_fired_again(cloud: Cloud) -> None:
    with pytest.raises(errors.Ambiguous, match=r"timeless.*unknown time") as error:
        Process(cloud).create(Process(cloud).mint(), request=WithoutATime(cloud))
    assert error.value.candidates == ("timeless",)
    assert cloud.starts == 0


def test_a_run_without_a_time_does_not_stop_a_token_of_this_process(cloud: Cloud, process: Process) -> None:
    assert process.create(process.mint(), request=WithoutATime(cloud)).provenance == "fired"


def test_a_run_without_a_time_is_not_taken_for_a_lost_one(cloud: Cloud, process: Process) -> None:
    cloud.fates = ["reset before"]
    with pytest.raises(errors.Ambiguous):
        process.create(process.mint(), request=WithoutATime(cloud))


# -- a name that is used again


def test_the_delete_of_a_run_that_was_renamed_is_not_that_of_a_new_one_with_its_old_name(cloud: Cloud) -> None:
    """`run` became `twin` with an alias, a new `run` was killed in its start, and now the renamed one is replaced."""
    first = Process(cloud)
    intent = first.mint()
    renamed = recorded(first.create(intent), intent)
    new = killed(cloud, request=Request(cloud, work="other"))
    second = Process(cloud)
    second.memory.deleted(renamed.token, SYSTEM, renamed)  # its outputs still tell the URN of before the rename
    assert second.create(new, request=Request(cloud, work="other")).provenance == "found"
    assert second.create(intent, urn=TWIN).provenance == "fired"
    assert [run.work for run in cloud.runs] == ["work", "other", "work"]


# -- twins: the same work twice in one stack


@pytest.mark.parametrize("how", ["diff", "delete", "create"])
def test_a_run_that_a_twin_has_on_record_is_no_candidate(cloud: Cloud, how: str) -> None:
    first = Process(cloud)
    intents = first.mint(), first.mint()
    twin = recorded(first.create(intents[0], urn=TWIN), intents[0])
    second = Process(cloud)
    if how == "diff":
        second.memory.saw(TWIN, SYSTEM, twin)
    elif how == "delete":
        second.memory.deleted(twin.token, SYSTEM, twin)
    else:
        second.memory.settled(TWIN, "t", SYSTEM, twin.id)
    settled = second.create(intents[1])
    assert settled.provenance == "fired"
    assert settled.id != twin.id
    assert cloud.starts == 2


def test_the_same_id_in_another_system_is_no_twin(cloud: Cloud) -> None:
    intent = killed(cloud)
    process = Process(cloud)
    process.memory.saw(TWIN, "huawei", Recorded(cloud.ours()[0], "t", A, None))
    assert process.create(intent).provenance == "found"


def test_two_lost_twins_each_find_a_run(cloud: Cloud) -> None:
    process = Process(cloud)
    cloud.fates = ["lost", "lost"]
    found = [process.create(process.mint(), urn=urn).id for urn in (URN, TWIN)]
    assert found == cloud.ours()
    assert cloud.starts == 2


class Meeting(Request):
    """A start that lets a second thread into it, if anything would."""

    inside = 0
    most = 0

    def start(self) -> Started:
        Meeting.inside += 1
        Meeting.most = max(Meeting.most, Meeting.inside)
        try:
            threading.Event().wait(0.02)
            return super().start()
        finally:
            Meeting.inside -= 1


@pytest.mark.parametrize("fate", ["answered", "lost"])
def test_threads_that_ask_for_the_same_work_at_once_each_end_with_their_own_run(cloud: Cloud, fate: str) -> None:
    process = Process(cloud)
    cloud.fates = [fate] * 4
    Meeting.most = 0
    ids: list[str] = []
    gate = threading.Barrier(4)

    def work(urn: str) -> None:
        gate.wait(20)
        ids.append(process.create(process.mint(), urn=urn, request=Meeting(cloud)).id)

    threads = [threading.Thread(target=work, args=(f"{URN}{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ids) == sorted(cloud.ours())
    assert len(set(ids)) == len(ids) == cloud.starts == 4
    assert Meeting.most == 1, "the same work takes turns"


def test_other_work_does_not_wait(cloud: Cloud) -> None:
    memory = Memory()
    with memory.one_at_a_time("a"):
        done = threading.Event()

        def other() -> None:
            with memory.one_at_a_time("b"):
                done.set()

        thread = threading.Thread(target=other)
        thread.start()
        assert done.wait(20)
        thread.join(20)


# -- content


@pytest.mark.parametrize(
    ("recorded", "wanted", "expected"),
    [
        (({"a": "1"}, {}), ({"a": "1"}, {}), []),
        (({"a": "1"}, {}), ({"a": "2"}, {}), ["a"]),
        (({"a": "1"}, {}), ({}, {}), ["a"]),
        (({}, {}), ({"a": "1"}, {}), ["a"]),
        (({}, {"x": "1"}), ({}, {"x": "2"}), ["triggers.x"]),
        (({}, {}), ({}, {"x": "1"}), ["triggers.x"]),
        (({}, {"x": "1"}), ({}, {}), []),
        (({"b": "1", "a": "1"}, {"y": "1"}), ({"b": "2", "a": "2"}, {"y": "2", "x": "1"}),
         ["a", "b", "triggers.x", "triggers.y"]),
    ],
)  # fmt: skip
def test_differences(
    recorded: tuple[Mapping[str, str], Mapping[str, str]],
    wanted: tuple[Mapping[str, str], Mapping[str, str]],
    expected: list[str],
) -> None:
    assert Content(*recorded).differences(Content(*wanted)) == expected


@pytest.mark.parametrize(
    ("urn", "expected"),
    [
        (URN, "urn:pulumi:test::tests::pulumi-python:dynamic/runs:Intent::run-intent"),
        (
            "urn:pulumi:s::p::my:mod:Group$pulumi-python:dynamic/tencent:WorkflowRun::a::b",
            "urn:pulumi:s::p::my:mod:Group$pulumi-python:dynamic/runs:Intent::a::b-intent",
        ),
    ],
)
def test_urn_of_the_intent(urn: str, expected: str) -> None:
    assert intent_urn(urn) == expected


def test_this_process_and_machine_have_no_telling_names() -> None:
    assert len(record.PROCESS) == 32
    assert int(record.PROCESS, 16) >= 0
    assert re.fullmatch("[0-9a-f]{16}|", record.Clock.read().boot)


# -- clocks that are set, lists that lag, services that throttle


@pytest.mark.parametrize("step", [-600, -5, 5, 600])
def test_a_clock_that_is_set_between_two_ups_hides_no_run(cloud: Cloud, step: int) -> None:
    intent = killed(cloud, ahead=timedelta(seconds=step))
    assert Process(cloud).create(intent).id == cloud.ours()[0]
    assert cloud.starts == 1


@pytest.mark.parametrize("ahead", [1, 5, 14])
def test_another_machine_whose_clock_was_ahead_is_no_reason_to_fire_again(cloud: Cloud, ahead: int) -> None:
    intent = killed(cloud, machine="elsewhere", ahead=ahead * MINUTE)
    with pytest.raises(errors.Ambiguous) as error:
        Process(cloud).create(intent)
    assert list(error.value.candidates) == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("lag", [1, 5, 9])
def test_somebody_elses_run_is_not_taken_while_ours_is_not_listed_yet(cloud: Cloud, lag: int) -> None:
    foreign = cloud.begin("foreign")
    cloud.lag = lag
    intent = killed(cloud)
    with pytest.raises(errors.Ambiguous) as error:
        Process(cloud, age=0).create(intent)
    assert sorted(error.value.candidates) == sorted([foreign, *cloud.ours()])
    assert cloud.starts == 1


def test_the_last_look_for_a_lost_answer_is_at_its_limit(cloud: Cloud, process: Process) -> None:
    cloud.fates = ["reset before"]
    began = cloud.clock.seconds
    with pytest.raises(errors.UnknownOutcome):
        process.create(process.mint())
    assert cloud.looks[-1] - began == firing.LOOK_SECONDS


def test_an_old_intent_fires_if_the_list_still_shows_the_run_that_is_replaced(cloud: Cloud) -> None:
    first = Process(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    cloud.clock.seconds += 8 * 86400
    later = Process(cloud)
    later.memory.saw(URN, SYSTEM, old)
    assert later.create(intent).provenance == "fired"
    assert cloud.starts == 2


class Throttling(Request):
    """Refuses the first starts for too many requests."""

    refusals: int = 0

    def start(self) -> Started:
        if self.refusals:
            self.refusals -= 1
            self.cloud.starts += 1
            raise errors.Throttled("refused POST", status=503, code="SlowDown")
        return super().start()


@pytest.mark.parametrize(("refusals", "fired"), [(1, True), (3, True), (4, False)])
def test_a_throttled_start_is_sent_again_a_few_times(
    cloud: Cloud, process: Process, refusals: int, fired: bool
) -> None:
    request = Throttling(cloud)
    request.refusals = refusals
    asked: list[float] = []
    process.alive = lambda: not asked.append(cloud.clock.seconds)
    intent = process.mint()
    if fired:
        assert process.create(intent, request=request).provenance == "fired"
        assert cloud.starts == refusals + 1
    else:
        with pytest.raises(errors.Throttled):
            process.create(intent, request=request)
        assert (cloud.starts, cloud.ours()) == (4, [])
    assert len(asked) == cloud.starts, "the engine is asked before each"
    assert cloud.looks == []


def test_a_throttled_start_is_not_sent_again_when_the_engine_has_gone(cloud: Cloud, process: Process) -> None:
    request = Throttling(cloud)
    request.refusals = 1
    process.alive = lambda: cloud.starts == 0
    with pytest.raises(errors.RunsError, match="engine"):
        process.create(process.mint(), request=request)
    assert (cloud.starts, cloud.ours()) == (1, [])


class Unlike(Request):
    """What the service tells of its runs agrees with what was asked for, but is more or less."""

    def find(self, since: datetime) -> Found:
        found = super().find(since)
        return Found(tuple(replace(c, exact=False) for c in found.candidates), found.server_time)


@pytest.mark.parametrize("fate", ["killed", "lost"])
def test_a_run_that_only_agrees_is_neither_adopted_nor_fired_again(cloud: Cloud, fate: str) -> None:
    process = Process(cloud)
    intent = killed(cloud) if fate == "killed" else process.mint()
    cloud.fates = [] if fate == "killed" else ["lost"]
    with pytest.raises(errors.Ambiguous) as error:
        process.create(intent, request=Unlike(cloud))
    assert list(error.value.candidates) == cloud.ours()
    assert cloud.starts == 1


def test_what_must_be_asked_before_a_start_comes_before_the_engine_is_asked(cloud: Cloud, process: Process) -> None:
    order: list[str] = []

    class Preparing(Request):
        def prepare(self) -> None:
            order.append("prepare")

        def start(self) -> Started:
            order.append("start")
            return super().start()

    process.alive = lambda: not order.append("engine")
    process.create(process.mint(), request=Preparing(cloud))
    assert order == ["prepare", "engine", "start"]


def test_a_preparation_that_fails_is_no_attempt(cloud: Cloud, process: Process) -> None:
    class Failing(Request):
        def prepare(self) -> None:
            raise errors.NotReached("nothing ran")

    intent = process.mint()
    with pytest.raises(errors.NotReached):
        process.create(intent, request=Failing(cloud))
    assert process.create(intent).provenance == "fired"
    assert (cloud.starts, cloud.looks) == (1, [])
