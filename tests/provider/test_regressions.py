"""Defects that were found and mended; each test says what happened before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.provider.conftest import another_process
from tests.provider.host import JOBS, RUNS, Host, JobHost, RunHost, of_an_earlier_process
from tests.provider.test_requests import refusal
from tests.support.emulator import Emulator
from tests.support.stack import BUCKET


@pytest.mark.parametrize("time", ["<CreateTime>-</CreateTime>", "", "<CreateTime>2024-01-01 10:00:00</CreateTime>"])
def test_a_listed_run_whose_time_cannot_be_read_is_not_fired_again(run: RunHost, cloud: Emulator, time: str) -> None:
    # before: a run whose time cannot be read gets the time that firing.py filters out: it is fired twice
    cloud.fault(
        RUNS,
        "find",
        "body",
        body=f"<Response><WorkflowExecutionList><RunId>i1</RunId><Object>a.mp4</Object>{time}"
        "</WorkflowExecutionList></Response>",
    )
    assert "i1" in refusal(run, run.intended(earlier=True))
    assert cloud.count(RUNS, "start") == 0


def test_a_configured_region_that_cannot_be_one_is_a_failure_of_check(cloud: Emulator) -> None:
    # before: check raises InvalidConfiguration with a traceback
    assert list(RunHost(cloud.url, tencentcloud__region="evil.com/").problems()) == ["region"]


@pytest.mark.parametrize("operation", [{"tag": "T", "x": "a\x01"}, {"tag": "T", "x": {"y": ["a\x00"]}}])
def test_characters_that_xml_cannot_carry_inside_an_operation(job: JobHost, operation: dict[str, Any]) -> None:
    # before: check passes them, start() refuses before sending, and that is looked for during 60 s
    problems = job.problems(type="Job", workflow_ids=None, operation=operation)
    assert [name.partition(".")[0] for name in problems] == ["operation"]


# before: nothing was sent, for certain, and the user is told that the run may have started
def test_a_request_that_cannot_be_written_is_no_unknown_outcome(job: JobHost, cloud: Emulator) -> None:
    text = refusal(job, job.intended(type="Job", workflow_ids=None, operation={"tag": "T", "x": "a\x01"}))
    assert cloud.requests() == {}
    assert "may have started" not in text


# before: delete tells the URN of before the rename: a forced replacement is taken for an interrupted one
@pytest.mark.parametrize("kind", [RunHost, JobHost])
def test_a_forced_replacement_after_a_rename(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, kind: type[Host]
) -> None:
    old, new = kind(cloud.url, "old"), kind(cloud.url, "new")
    inputs = old.intended()
    id, outs = old.create(inputs)
    renamed = {**new.inputs(), "intent": of_an_earlier_process(inputs["intent"])}
    if new.diff(id, outs, renamed).changes:  # the engine asks for an update only then
        outs = new.update(id, outs, renamed)
    another_process(monkeypatch)
    new.delete(id, outs)
    new.create(renamed)
    assert len(cloud.runs()) == 2
    assert not any("find" in counts for counts in cloud.requests().values())


def test_a_kept_record_drops_removed_steering(job: JobHost, monkeypatch: pytest.MonkeyPatch) -> None:
    # before: a record that is kept keeps steering arguments that the program has removed
    id, olds = job.fired(on_delete="cancel", triggers={"a": 1})
    another_process(monkeypatch)
    back = job.intended()
    job.diff(id, olds, back)
    kept, outs = job.create(back)
    assert kept == id
    assert not {"on_delete", "triggers"} & set(outs)


def test_a_lost_job_is_found_after_a_rename(job: JobHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    # before: the generated name holds the resource's: renamed between kill and up, the lost job is not found
    inputs = job.intended()
    id, _ = job.create(inputs)  # and its engine was killed: nothing is on record but the intent
    another_process(monkeypatch)
    renamed = JobHost(cloud.url, "renamed")
    again, _ = renamed.create({**renamed.inputs(), "intent": of_an_earlier_process(inputs["intent"])})
    assert again == id
    assert cloud.count(JOBS, "start") == 1


# before: of a job to adopt only name, type and input are compared
@pytest.mark.parametrize(
    "changes",
    [
        {"workflow_ids": "w" + "0" * 32},
        {"time_interval": {"start": "2022-02-01T12:00:00Z"}},
    ],
)
def test_adopt_verifies_all_that_the_service_tells(job: JobHost, changes: dict[str, Any]) -> None:
    given = {"name": "demo", "time_interval": {"start": "2023-02-01T12:00:00+0800"}}
    id, _ = job.fired(**given)
    assert next(iter(changes)) in refusal(job, job.intended(**{**given, **changes, "adopt_id": id}))


def test_a_job_whose_executions_may_not_be_listed_is_refreshed(job: JobHost, cloud: Emulator) -> None:
    # before: the right to list executions is needed to refresh a job
    id, olds = job.fired()
    cloud.set_state(id, "Success")
    cloud.fault(RUNS, "find", "status", status=403, code="AccessDenied", message="no")
    outs = job.read(id, olds)[1]
    assert (outs["phase"], outs["state"]) == ("unknown", "Success")
    assert (
        "executions could not be listed: Tencent CI refused GET /workflowexecution: 403 AccessDenied" in outs["message"]
    )


def test_none_in_a_list_of_an_operation(job: JobHost, cloud: Emulator) -> None:
    # before: None in a list is sent as the text None
    operation = {"tag": "T", "x": ["a", None]}
    if job.problems(type="Job", workflow_ids=None, operation=operation):
        return
    job.fired(type="Job", workflow_ids=None, operation=operation)
    assert "None" not in cloud.runs(JOBS)[0]["request"]["body"]


def test_get_of_a_job_tells_the_input_as_the_resource_does(job: JobHost) -> None:
    # before: `.get()` tells the vendor's element names where the resource has its own
    id, fired = job.fired()
    _, outs = job.read(id, {"bucket": BUCKET, "resource_urn": job.urn, "__provider": "x"})
    assert outs["input"] == fired["input"]


def test_an_adopted_job_has_executions(job: JobHost) -> None:
    # before: an adopted job has no counts, not even an empty mapping, until its first refresh
    id, _ = job.fired(name="demo")
    assert job.create(job.intended(name="demo", adopt_id=id))[1]["executions"]
