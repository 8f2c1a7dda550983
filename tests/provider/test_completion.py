"""`Completion` as the dynamic host calls it, against the emulator: what is waited for, what is not asked again."""

from __future__ import annotations

import re
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest, DiffResult
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle import completion_wait, interrupts, progress
from cloud_runs.lifecycle.clients import Clients
from cloud_runs.lifecycle.completion_provider import CompletionProvider
from cloud_runs.lifecycle.completion_wait import Wait, Wanted
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise.waiting import Watch, Watched
from cloud_runs.runs import Phase, Reference, RunStatus
from tests.provider.host import JOBS, PROVIDER, RUNS, JobHost, RunHost, failures, wire
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator

URN = "urn:pulumi:test::tests::pulumi-python:dynamic/runs:Completion::done"
NOTHING, UPDATE = (False, []), (True, [])


class Host:
    """The provider of a Completion. `labels` are `run 0`, `run 1`, ... unless they are given."""

    def __init__(self, url: str, **config: str) -> None:
        self.provider = CompletionProvider()
        settings = {
            "tencentcloud:secretId": SECRET_ID,
            "tencentcloud:secretKey": SECRET_KEY,
            "runs:tencentEndpoint": url,
        }
        self.provider.configure(ConfigureRequest(Config(settings | config, "tests")))

    def inputs(self, *runs: Any, **changes: Any) -> dict[str, Any]:
        given = {
            "runs": list(runs),
            "labels": [f"run {n}" if isinstance(run, str) else "" for n, run in enumerate(runs)],
            "timeout": "30s",
            "poll_interval": 1,
            "on_failure": "halt",
            "on_timeout": "leave",
            "resource_urn": URN,
            "__provider": PROVIDER,
        }
        return wire({**given, **changes})

    def problems(self, *runs: Any, **changes: Any) -> dict[str, str]:
        return failures(self.provider.check({}, self.inputs(*runs, **changes)))

    def create(self, *runs: Any, **changes: Any) -> dict[str, Any]:
        inputs = self.inputs(*runs, **changes)
        result = self.provider.create(dict(inputs))
        assert result.id == "done"
        return wire({**(result.outs or {}), "__provider": PROVIDER})

    def diff(self, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return self.provider.diff("done", dict(olds), dict(news))

    def update(self, olds: dict[str, Any], *runs: Any, **changes: Any) -> dict[str, Any]:
        result = self.provider.update("done", dict(olds), self.inputs(*runs, **changes))
        return wire({**(result.outs or {}), "__provider": PROVIDER})


@pytest.fixture
def done(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(sys, "argv", ["host"])  # no engine, so none that could be gone
    return Host(cloud.url)


class Shown:
    """What was shown on the row."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.warned: list[str] = []
        monkeypatch.setattr(progress, "tell", lambda urn, text: self.told.append(text))
        monkeypatch.setattr(progress, "warn", lambda urn, text: self.warned.append(text))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(monkeypatch)


@pytest.fixture
def runs(run: RunHost) -> list[tuple[str, str]]:
    """Ids and references of three runs that go on."""
    fired = [RunHost(run.url, f"r{n}").fired(object=f"{n}") for n in range(3)]
    return [(id, outs["reference"]) for id, outs in fired]


def asked(cloud: Emulator) -> int:
    return sum(count for counts in cloud.requests().values() for what, count in counts.items() if what != "start")


def all_answered() -> None:
    """Questions that were left behind must not reach the emulator in the next test."""
    for thread in threading.enumerate():
        if thread.name == "question":
            thread.join(60)


GOOD = "tencent.workflow:ap-beijing:media-1250000000:i1"


# -- check


@pytest.mark.parametrize(
    "runs",
    [
        (),
        (GOOD,),
        (GOOD, [GOOD, "huawei.workflow:cn-north-4:scan:x"], []),
        ("tencent.inventory:ap-beijing:media-1250000000:b1", "enos.flow::3377%2Fo15:3377-20261122085000"),
        (UNKNOWN, [GOOD, UNKNOWN]),
    ],
)
def test_runs_that_pass(done: Host, cloud: Emulator, runs: tuple[Any, ...]) -> None:
    assert done.problems(*runs) == {}
    assert cloud.requests() == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "is not a run, or a reference"),
        ("i1", "is not a run, or a reference"),
        ("tencent.workflow:ap-beijing:media-1250000000:", "is not a run, or a reference"),
        ("amazon.workflow:us-east-1:x:i1", "is not a run, or a reference"),
        (GOOD + ":more", "is not a run, or a reference"),
        (7, "is not a run, or a reference"),
        ({"reference": 7}, "is not a run, or a reference"),
        ([GOOD, "i1"], "is not a run, or a reference"),
        ([[GOOD]], "is not a run, or a reference"),
        ([None], "is missing: a stack reference gives None"),
    ],
)
def test_a_run_that_is_none(done: Host, given: Any, said: str) -> None:
    ((name, reason),) = done.problems(GOOD, given).items()
    assert name.startswith("runs[1]")
    assert reason.startswith(said)
    assert reason.isprintable()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("timeout", "soon"),
        ("timeout", 0),
        ("poll_interval", "-1s"),
        ("poll_interval", True),
        ("on_failure", "stop"),
        ("on_failure", None),
        ("on_timeout", "halt"),
    ],
)
def test_a_bad_argument_is_named(done: Host, name: str, given: Any) -> None:
    assert list(done.problems(GOOD, **{name: given})) == [name]


def test_every_bad_argument_is_named_at_once_and_unknown_ones_pass(done: Host) -> None:
    steering = ("timeout", "poll_interval", "on_failure", "on_timeout")
    assert set(done.problems("i1", **dict.fromkeys(steering, "bad"))) == {"runs[0]", *steering}
    assert done.problems(GOOD, **dict.fromkeys(steering, UNKNOWN)) == {}


# -- diff and read

STEERING: list[dict[str, Any]] = [
    {"timeout": "2h"},
    {"poll_interval": "3s"},
    {"on_failure": "continue"},
    {"on_timeout": "cancel"},
    {"timeout": UNKNOWN},
    {"labels": ["renamed", "too"]},
    {"resource_urn": URN + "2"},
]


def recorded(done: Host, *runs: Any, failed: int = 0, **changes: Any) -> dict[str, Any]:
    return {**done.inputs(*runs, **changes), "outcomes": [], "succeeded": len(runs) - failed, "failed": failed}


@pytest.mark.parametrize("changes", [{}, *STEERING], ids=lambda changes: "".join(changes))
def test_how_to_wait_is_of_no_matter_when_the_wait_is_over(done: Host, changes: dict[str, Any]) -> None:
    olds = recorded(done, GOOD, GOOD + "2")
    result = done.diff(olds, done.inputs(GOOD, GOOD + "2", **changes))
    assert (result.changes, result.replaces) == NOTHING


@pytest.mark.parametrize(
    "runs",
    [(GOOD,), (GOOD + "2", GOOD), (GOOD, GOOD + "3"), (GOOD, GOOD + "2", GOOD), ([GOOD, GOOD + "2"],), ()],
)
def test_other_runs_or_another_order_is_an_update(done: Host, runs: tuple[Any, ...]) -> None:
    result = done.diff(recorded(done, GOOD, GOOD + "2"), done.inputs(*runs))
    assert (result.changes, result.replaces) == UPDATE


@pytest.mark.parametrize("runs", [(UNKNOWN, GOOD), (GOOD, [UNKNOWN])], ids=["one", "inside"])
def test_an_unknown_reference_is_an_update_and_never_a_replacement(done: Host, runs: tuple[Any, ...]) -> None:
    result = done.diff(recorded(done, GOOD, GOOD), done.inputs(*runs))
    assert (result.changes, result.replaces) == UPDATE


def test_runs_that_were_let_pass_are_looked_at_again_when_they_are_to_halt(done: Host) -> None:
    passed = recorded(done, GOOD, failed=1, on_failure="continue")
    assert done.diff(passed, done.inputs(GOOD, on_failure="continue", timeout="1h")).changes is False
    result = done.diff(passed, done.inputs(GOOD, on_failure="halt"))
    assert (result.changes, result.replaces) == UPDATE


def test_a_refresh_asks_nothing_and_changes_nothing(done: Host, cloud: Emulator) -> None:
    olds = recorded(done, GOOD, failed=1)
    result = done.provider.read("done", dict(olds))
    assert (result.id, result.outs) == ("done", olds)
    assert cloud.requests() == {}


# -- create and update


def test_the_outcomes_are_in_the_order_of_the_runs(
    done: Host, cloud: Emulator, runs: list[tuple[str, str]], shown: Shown
) -> None:
    for id, _ in runs:
        cloud.set_state(id, "Success")
    (_, a), (_, b), (_, c) = runs
    outs = done.create(c, [a, b], a)
    assert [found["reference"] for found in outs["outcomes"]] == [c, a, b, a]
    assert (outs["succeeded"], outs["failed"]) == (3, 0)  # one is listed twice
    assert outs["finished_at"].endswith("Z")
    assert shown.told == ["3/3 done, 0s"]
    assert shown.warned == []
    assert cloud.count(RUNS, "get") == 3
    assert cloud.count(RUNS, "start") == 3


def test_nothing_to_wait_for_is_done(done: Host, cloud: Emulator) -> None:
    outs = done.create()
    assert (outs["outcomes"], outs["succeeded"], outs["failed"]) == ([], 0, 0)
    assert cloud.requests() == {}


def forget(run: RunHost, cloud: Emulator, id: str) -> None:
    cloud.fault(RUNS, "get", "forget")
    _, outs = run.read(id, run.inputs(fired={}))
    assert outs["record_expired"]


def test_an_update_keeps_what_succeeded_and_asks_for_the_rest(
    done: Host, cloud: Emulator, run: RunHost, runs: list[tuple[str, str]], shown: Shown
) -> None:
    """The service may have forgotten the runs that succeeded; those that did not may have been set right."""
    (first, a), (second, b), (third, c) = runs
    cloud.set_state(first, "Success")
    cloud.set_state(second, "Failed", "Broken", "it broke")
    before = done.create(a, b, on_failure="continue")
    assert [found["phase"] for found in before["outcomes"]] == ["succeeded", "failed"]
    (warning,) = shown.warned
    assert warning.startswith(
        "1 of 2 runs did not succeed\n  run 1: failed: task Transcode_1: Broken: it broke (request"
    )
    forget(run, cloud, first)
    cloud.set_state(second, "Success")
    cloud.set_state(third, "Success")
    shown.told.clear()
    after = done.update(before, c, b, a)
    assert [found["phase"] for found in after["outcomes"]] == ["succeeded"] * 3
    assert after["outcomes"][2] == before["outcomes"][0]
    assert shown.told == ["3/3 done, 0s"]
    assert (after["succeeded"], after["failed"]) == (3, 0)
    told = cloud.requests()
    assert done.update(after, a)["outcomes"] == [before["outcomes"][0]]
    assert cloud.requests() == told, "nothing is left to ask"


def test_a_failed_run_is_told_with_what_to_do(done: Host, cloud: Emulator, runs: list[tuple[str, str]]) -> None:
    (first, a), (second, b), _ = runs
    cloud.set_state(first, "Success")
    cloud.set_state(second, "Failed", "Broken", "it\nbroke")
    with pytest.raises(RunError) as raised:
        done.create(a, b)
    head, line, where = str(raised.value).split("\n  ")
    assert where == "See docs/errors.md#a-run-failed"
    assert head == (
        "Completion 'done': 1 of 2 runs did not succeed; the next `pulumi up` checks again and fires nothing. To fire "
        "one again, change one of its triggers; with rerun_on_failure=True `pulumi up --refresh` does it, as often as "
        "max_attempts allows"
    )
    assert line.startswith("run 1: failed: task Transcode_1: Broken: it broke (request ")
    assert len(cloud.ids()) == 3


def test_a_time_out_names_what_goes_on_by_its_reference_if_it_has_no_resource(
    done: Host, runs: list[tuple[str, str]]
) -> None:
    (_, a), (_, b), _ = runs
    odd = f"{b}\x1b[31m"
    with pytest.raises(RunError) as raised:
        done.create(a, [odd], timeout=0.1)
    head, *lines = str(raised.value).split("\n  ")
    assert "2 of 2 runs had not ended after 0.1s. They go on; the next `pulumi up` waits again and fires" in head
    assert lines[0] == "run 0: running (state Running)"
    assert lines[1].startswith(f"{b}%1B%5B31m: not known: ")
    assert str(raised.value).replace("\n", "").isprintable()


def test_one_run_goes_on_alone(done: Host, runs: list[tuple[str, str]]) -> None:
    with pytest.raises(RunError) as raised:
        done.create(runs[0][1], timeout=0.1)
    assert "the run had not ended after 0.1s. It goes on; " in str(raised.value)


def test_a_service_that_does_not_answer_in_time_is_left_behind(
    done: Host, cloud: Emulator, runs: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion_wait, "_LAST_LOOK", 0.2)
    cloud.fault(RUNS, "get", "delay", seconds=2, times=1)
    with pytest.raises(RunError) as raised:
        done.create(runs[0][1], timeout=0.1)
    assert "\n  run 0: not known: no answer within 0.2s" in str(raised.value)
    all_answered()


def test_an_interrupt_ends_a_wait_with_what_is_known(
    done: Host, cloud: Emulator, runs: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    event = threading.Event()
    monkeypatch.setattr(interrupts, "_interrupted", event)
    monkeypatch.setattr(progress, "tell", lambda urn, text: event.set())
    cloud.set_state(runs[0][0], "Success")
    with pytest.raises(RunError) as raised:
        done.create(runs[0][1], runs[1][1], timeout="1h")
    assert str(raised.value) == (
        "Completion 'done': interrupted; 1/2 done, 1 running. The runs go on; the next `pulumi up` checks again "
        "and fires nothing"
    )


def test_progress_is_told_at_every_look(shown: Shown) -> None:
    reference = Reference.parse(GOOD)
    others = [Wanted(f"run {n}", replace(reference, id=f"i{n}")) for n in range(2)]  # ended in a former wait
    wait = Wait("urn", [Wanted("run", reference), *others], Watch([reference]), Clients(None), 60)
    for waited in (0, 10, 59.9, 120.4):
        wait._tell(wait._watch, waited)
    assert shown.told == [f"2/3 done, 1 running, {span}" for span in ("0s", "10s", "59s", "2m")]


def test_what_is_left_is_the_median_of_what_the_others_took(shown: Shown) -> None:
    references = [replace(Reference.parse(GOOD), id=f"i{n}") for n in range(4)]
    wait = Wait("urn", [Wanted("run", one) for one in references], watch := Watch(references), Clients(None), 3600)
    for reference, end in zip(references, ("01:10", "02:00", "09:00"), strict=False):
        status = RunStatus(
            reference.id,
            Phase.SUCCEEDED,
            "Success",
            started_at="2026-01-02T03:00:00Z",
            finished_at=f"2026-01-02T03:{end}Z",
        )
        watch.runs[reference] = Watched(status, ended=True)
    for waited in (30, 130):
        wait._tell(watch, waited)
    assert shown.told == ["3/4 done, 1 running, about 1m30s left", "3/4 done, 1 running, 2m10s"]


@pytest.mark.parametrize("secret", ["tencentcloud:secretId", "tencentcloud:secretKey"])
def test_refused_credentials_end_the_wait_at_once(
    cloud: Emulator, done: Host, runs: list[tuple[str, str]], secret: str
) -> None:
    before = asked(cloud)
    with pytest.raises(RunError) as raised:
        Host(cloud.url, **{secret: "wrong" * 8}).create(runs[0][1], timeout="1h")
    assert "tencentcloud:secretKey" in str(raised.value)
    assert "wrong" not in str(raised.value)
    assert asked(cloud) - before <= 2


# -- how it waits


def test_the_poll_interval_is_the_longest_pause(
    done: Host, cloud: Emulator, runs: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, a), *_ = runs
    slept: list[float] = []

    def sleep(stop: interrupts.Stop, seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 12:
            cloud.set_state(first, "Success")

    monkeypatch.setattr(interrupts.Stop, "sleep", sleep)
    done.create(a, poll_interval="7s", timeout="1h")
    assert 0.9 <= slept[0] <= 1
    assert 6.3 <= slept[-1] <= 7
    assert max(slept) <= 7


def test_places_that_hang_do_not_keep_others_waiting(
    done: Host, cloud: Emulator, runs: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion_wait, "_LAST_LOOK", 8.0)
    (first, a), *_ = runs
    cloud.set_state(first, "Success")
    elsewhere = [a.replace("media-", f"media{n}-") for n in range(5)]
    cloud.fault(RUNS, "get", "delay", seconds=12, times=5)
    with pytest.raises(RunError) as raised:
        done.create(*elsewhere, a, timeout=0.1)
    told = str(raised.value)
    # Whichever five came first: none of them kept the sixth from its answer, nor each other from one round.
    assert re.search(r"(run \d, ){4}run \d: not known: no answer within 8s", told), told
    assert cloud.count(RUNS, "get") >= 5
    all_answered()


def test_a_time_out_names_what_failed_meanwhile_as_well(
    done: Host, cloud: Emulator, runs: list[tuple[str, str]]
) -> None:
    (first, a), (second, b), (_, c) = runs
    cloud.set_state(first, "Failed", "Broken", "it broke")
    cloud.set_state(second, "Success")
    with pytest.raises(RunError) as raised:
        done.create(a, b, c, c, timeout=0.1)
    head, *lines, where = str(raised.value).split("\n  ")
    assert where == "See docs/errors.md#the-time-is-up"
    assert "1 of 3 runs had not ended" in head
    assert [line.split(" ")[1] for line in lines] == ["0:", "2:"]
    assert "failed: task Transcode_1: Broken" in lines[0]
    assert lines[1].endswith("running (state Running)")


@pytest.fixture
def jobs(job: JobHost) -> list[tuple[str, str]]:
    """Ids and references of two batch jobs that go on."""
    fired = [JobHost(job.url, f"j{n}").fired(name=f"j{n}") for n in range(2)]
    return [(id, outs["reference"]) for id, outs in fired]


def test_runs_are_asked_to_stop_and_looked_at_once_more(
    done: Host, cloud: Emulator, runs: list[tuple[str, str]], jobs: list[tuple[str, str]]
) -> None:
    (going, a), _ = jobs
    for row in cloud.runs("tencent.workflow", origin="job"):
        cloud.set_state(row["id"], "Success")
    (_, c), *_ = runs
    with pytest.raises(RunError) as raised:
        done.create(a, c, timeout=0.1, on_timeout="cancel")
    head, *lines = str(raised.value).split("\n  ")
    assert "2 of 2 runs had not ended after 0.1s. What was not stopped goes on" in head
    assert "cancelled (state Cancel)" in lines[0] or "; asked to stop" in lines[0]
    assert "not cancelled: Tencent CI has no API that cancels" in lines[1]
    assert {row["id"]: row["state"] for row in cloud.runs(JOBS)}[going] == "Cancel"
    assert cloud.count(JOBS, "cancel") == 1


def test_an_interrupt_while_runs_are_stopped_tells_how_many_were_asked(
    done: Host, cloud: Emulator, jobs: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    event = threading.Event()
    monkeypatch.setattr(interrupts, "_interrupted", event)
    cloud.fault(JOBS, "cancel", "delay", seconds=4)
    told: list[str] = []

    def tell(urn: str, text: str) -> None:
        told.append(text)
        if "asking 2 to stop" in text:
            threading.Timer(1.0, event.set).start()

    monkeypatch.setattr(progress, "tell", tell)
    with pytest.raises(RunError, match=r"interrupted; 0/2 done, 2 running, 1 asked to stop\. The runs go on"):
        done.create(*(reference for _, reference in jobs), timeout=0.1, on_timeout="cancel")
    assert any("asking 2 to stop" in text for text in told)
    all_answered()


def test_a_job_with_executions_is_not_warned_of(
    done: Host, cloud: Emulator, jobs: list[tuple[str, str]], shown: Shown
) -> None:
    (first, a), (_, _) = jobs
    cloud.set_state(first, "Success")
    for row in cloud.runs("tencent.workflow", origin="job"):
        cloud.set_state(row["id"], "Success")
    outs = done.create(a)
    assert outs["succeeded"] == 1
    assert outs["outcomes"][0]["executions"]["Success"] > 0
    assert not shown.warned


def test_what_cannot_be_asked_names_the_run(done: Host, cloud: Emulator) -> None:
    with pytest.raises(RunError, match=r"Completion 'done': run 0: .*organization"):
        done.create("enos.flow::3377:abc")
