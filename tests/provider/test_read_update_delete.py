"""`read`, `update` and `delete`: what is recorded, and that none of them fires."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cloud_runs.lifecycle import host as lifecycle_host
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import ledger
from tests.provider.host import JOBS, PROVIDER, RUNS, Host, JobHost, RunHost
from tests.support.emulator import SECRET_ID, Emulator, emulator
from tests.support.stack import BUCKET, WORKFLOW


@pytest.fixture(scope="module")
def finished() -> Iterator[Emulator]:
    """Runs end at once."""
    with emulator("--run-seconds", "0", "--objects", "input/a.mp4", "input/b.mp4", "other.mp4") as running:
        yield running


def looked_up(host: Host, id: str, **where: Any) -> tuple[str, dict[str, Any]]:
    """`.get()`: only the place is known."""
    return host.read(id, {"bucket": BUCKET, "resource_urn": host.urn, "__provider": PROVIDER, **where})


# -- read


def test_a_finished_run_with_its_tasks(finished: Emulator) -> None:
    finished.reset()
    run = RunHost(finished.url)
    id, olds = run.fired(triggers={"a": 1})
    again, outs = run.read(id, olds)
    assert again == id
    assert (outs["phase"], outs["state"], outs["record_expired"]) == ("succeeded", "Success", False)
    assert outs["created_at"] <= outs["started_at"] <= outs["finished_at"]
    (task,) = [task for task in outs["tasks"] if task["objects"]]
    assert set(task) == {"name", "type", "state", "code", "message", "objects"}
    assert task["state"] == "Success"
    assert "intent" not in outs, "its own resource has it on record"
    for name in ("fired", "triggers", "provenance", "request_id", "instance_id", "reference", "__provider"):
        assert outs[name] == olds[name], name
    assert run.diff(id, outs, run.intended(triggers={"a": 1})).replaces == []
    assert finished.count(RUNS, "start") == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"input": {"prefix": "input/"}}, {"Success": 2}),
        ({"input": {"object": "other.mp4"}}, {"Success": 1}),
        ({"input": {"prefix": "input/"}, "workflow_ids": f"{WORKFLOW},w{'0' * 32}"}, {"Success": 4}),
        ({"input": {"prefix": "none/"}}, {}),
        ({"type": "Job", "workflow_ids": None, "operation": {"tag": "Transcode"}}, {"Success": 2}),
    ],
)
def test_a_finished_job_with_its_counts(finished: Emulator, given: dict[str, Any], expected: dict[str, int]) -> None:
    finished.reset()
    job = JobHost(finished.url)
    id, olds = job.fired(**given)
    again, outs = job.read(id, olds)
    assert again == id
    assert (outs["phase"], outs["state"]) == ("succeeded", "Success")
    assert outs["executions"] == expected
    assert outs["name"] == olds["name"], "the generated one"
    assert finished.count(JOBS, "start") == 1


def test_counts_that_cannot_be_had_are_kept(job: JobHost, cloud: Emulator) -> None:
    id, olds = job.fired()
    cloud.fault(RUNS, "find", "body", body="not XML")
    cloud.set_state(id, "Success")
    _, outs = job.read(id, {**olds, "executions": {"Running": 7}})
    assert (outs["phase"], outs["state"], outs["executions"]) == ("unknown", "Success", {"Running": 7})
    assert "executions could not be listed" in outs["message"]


@pytest.mark.parametrize(
    ("job_state", "states", "phase", "message"),
    [
        ("Success", ["Success", "Success"], "succeeded", ""),
        ("Success", ["Success", "Running"], "running", "the job has ended; of 2 executions, 1 still going"),
        ("Success", ["Failed", "Pondering"], "running", "the job has ended; of 2 executions, 1 still going"),
        ("Success", ["Failed", "Success"], "failed", "of 2 executions, 1 failed"),
        ("Success", ["Failed", "Cancel"], "failed", "of 2 executions, 1 failed and 1 cancelled"),
        ("Cancel", ["Success", "Running"], "running", "the job has ended; of 2 executions, 1 still going"),
        ("Cancel", ["Success", "Failed"], "cancelled", ""),
        ("Running", ["Failed", "Failed"], "running", ""),
    ],
)
def test_a_job_is_as_its_executions_are(
    job: JobHost, cloud: Emulator, job_state: str, states: list[str], phase: str, message: str
) -> None:
    given = {"input": {"object": "a.mp4"}, "workflow_ids": f"{WORKFLOW},w{'0' * 32}"}
    inputs = job.intended(**given)
    id, olds = job.create(inputs)
    executions = cloud.runs(RUNS, origin="job")
    for execution, state in zip(executions, states, strict=True):
        cloud.set_state(execution["id"], state)
    cloud.set_state(id, job_state)
    _, outs = job.read(id, olds)
    assert (outs["phase"], outs["state"], outs["message"]) == (phase, job_state, message)
    assert outs["executions"] == {state: states.count(state) for state in states}
    again = job.diff(id, outs, {**inputs, "rerun_on_failure": True})
    assert again.replaces == (["rerun_on_failure"] if phase == "failed" else [])


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("Running", "running"), ("Submitted", "pending"), ("Pause", "pending"), ("Success", "succeeded"),
        ("Failed", "failed"), ("Cancel", "cancelled"), ("Pondering", "unknown"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [RunHost, JobHost])
def test_phases(cloud: Emulator, kind: type[Host], state: str, phase: str) -> None:
    host = kind(cloud.url)
    id, olds = host.fired(**({"input": {"prefix": "none/"}} if kind is JobHost else {}))
    cloud.set_state(id, state)
    _, outs = host.read(id, olds)
    assert (outs["phase"], outs["state"]) == (phase, state)
    assert bool(outs["finished_at"]) <= (phase in ("succeeded", "failed", "cancelled"))


def test_a_failed_job_tells_why(job: JobHost, cloud: Emulator) -> None:
    id, olds = job.fired()
    cloud.set_state(id, "Failed", "InvalidInput", "no\tvideo\u202eoediv")
    _, outs = job.read(id, olds)
    assert (outs["code"], outs["message"]) == ("InvalidInput", "no video oediv")


@pytest.mark.parametrize(("kind", "system"), [(RunHost, RUNS), (JobHost, JOBS)])
def test_a_run_that_is_gone_stays_on_record_and_is_marked(cloud: Emulator, kind: type[Host], system: str) -> None:
    host = kind(cloud.url)
    id, olds = host.fired()
    cloud.fault(system, "get", "forget")
    again, outs = host.read(id, olds)
    assert again == id
    assert outs == {**olds, "phase": "unknown", "record_expired": True}
    assert host.diff(id, outs, host.intended()).replaces == []
    assert cloud.count(system, "start") == 1


def test_a_run_that_is_back_is_no_longer_marked(run: RunHost) -> None:
    id, olds = run.fired()
    assert run.read(id, {**olds, "record_expired": True})[1]["record_expired"] is False


@pytest.mark.parametrize(("kind", "system"), [(RunHost, RUNS), (JobHost, JOBS)])
def test_a_service_that_cannot_be_asked_changes_no_record(cloud: Emulator, kind: type[Host], system: str) -> None:
    host = kind(cloud.url)
    id, olds = host.fired()
    cloud.fault(system, "get", "status", status=403, code="AccessDenied", message="no")
    with pytest.raises(RunError) as error:
        host.read(id, olds)
    assert "AccessDenied" in str(error.value)


def test_a_recorded_run_stays_where_it_is(run: RunHost, cloud: Emulator) -> None:
    """Whatever the configuration says today."""
    id, olds = run.fired()
    moved = RunHost(cloud.url, tencentcloud__region="ap-shanghai")
    _, outs = moved.read(id, olds)
    assert (outs["region"], outs["record_expired"]) == ("ap-beijing", False)
    without = {name: value for name, value in olds.items() if name != "region"}
    assert moved.read(id, without)[1]["record_expired"] is False, "the reference tells it"


def test_get_of_a_run(run: RunHost, cloud: Emulator) -> None:
    id, _ = run.fired(object="dir/a b.mp4")
    _, outs = looked_up(run, id)
    assert (outs["object"], outs["workflow_id"], outs["instance_id"]) == ("dir/a b.mp4", WORKFLOW, id)
    assert (outs["provenance"], outs["request_id"], outs["phase"]) == ("given", "", "running")
    assert outs["reference"] == f"tencent.workflow:ap-beijing:{BUCKET}:{id}"
    assert "fired" not in outs
    assert cloud.count(RUNS, "start") == 1
    assert looked_up(run, id, region="ap-beijing")[1]["state"] == "Running"


def test_get_of_a_job(job: JobHost) -> None:
    id, fired = job.fired()
    _, outs = looked_up(job, id)
    assert (outs["name"], outs["type"], outs["job_id"]) == (fired["name"], "Workflow", id)
    assert outs["reference"] == f"tencent.inventory:ap-beijing:{BUCKET}:{id}"


@pytest.mark.parametrize("kind", [RunHost, JobHost])
@pytest.mark.parametrize("where", [{}, {"region": "ap-shanghai"}, {"bucket": "other-1250000000"}])
def test_get_of_a_run_that_is_not_there(cloud: Emulator, kind: type[Host], where: dict[str, str]) -> None:
    host = kind(cloud.url)
    id = host.fired()[0] if where else "i0"
    with pytest.raises(RunError) as error:
        looked_up(host, id, **where)
    assert f"there is no run {id} to read" in str(error.value)


# -- update


def test_update_keeps_computed_outputs_and_drops_removed_steering(job: JobHost, cloud: Emulator) -> None:
    id, olds = job.fired(on_delete="cancel", rerun_on_failure=True, triggers={"a": 1, "b": 2})
    sent = cloud.requests()
    news = job.intended(triggers={"a": 1})
    outs = job.update(id, olds, news)
    assert not {"on_delete", "rerun_on_failure", "adopt_id"} & set(outs)
    assert outs["triggers"] == {"a": 1}
    computed = ("job_id", "reference", "name", "region", "state", "phase", "executions", "provenance", "tasks")
    assert {name: outs[name] for name in computed} == {name: olds[name] for name in computed}
    fired = ledger.fired_of(olds)
    assert set(fired.content.triggers) == {"a", "b"}
    assert ledger.fired_of(outs) == replace(fired, beside=ledger.token_of(news["intent"])), (
        "what it was fired with, not what is asked for now"
    )
    assert cloud.requests() == sent
    assert "triggers" not in job.update(id, outs, job.intended())


# -- delete


def test_delete_leaves_the_run_alone(run: RunHost, job: JobHost, cloud: Emulator) -> None:
    for one, given in ((run, {}), (run, {"on_delete": "abandon"}), (job, {}), (job, {"on_delete": "abandon"})):
        id, olds = one.fired(**given)
        sent = cloud.requests()
        one.delete(id, olds)
        assert cloud.requests() == sent


def test_delete_with_cancel(job: JobHost, cloud: Emulator) -> None:
    id, olds = job.fired(on_delete="cancel")
    job.delete(id, olds)
    assert [entry["state"] for entry in cloud.runs()] == ["Cancel"]
    assert (cloud.count(JOBS, "cancel"), cloud.count(JOBS, "start")) == (1, 1)


@pytest.mark.parametrize("how", ["ended", "gone"])
def test_delete_with_cancel_of_a_job_that_has_ended_or_is_gone(job: JobHost, cloud: Emulator, how: str) -> None:
    id, olds = job.fired(on_delete="cancel")
    if how == "ended":
        cloud.set_state(id, "Success")
    else:
        cloud.fault(JOBS, "cancel", "forget")
    job.delete(id, olds)
    assert [entry["state"] for entry in cloud.runs()] == (["Success"] if how == "ended" else [])


def test_a_cancel_that_is_refused_is_told_and_is_no_delete(job: JobHost, cloud: Emulator) -> None:
    id, olds = job.fired(on_delete="cancel")
    cloud.fault(JOBS, "cancel", "status", status=403, code="AccessDenied", message="no")
    with pytest.raises(RunError) as error:
        job.delete(id, olds)
    assert str(error.value).startswith("InventoryJob 'job': ")
    assert "AccessDenied" in str(error.value)
    assert lifecycle_host.this_process().before(job.urn, ledger.token_of(olds["fired"])) == (None, False)


@pytest.mark.parametrize("call", ["read", "delete"])
def test_a_key_of_the_state_that_is_refused_may_be_an_old_one(
    job: JobHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The environment is read anew each time, and what `.get()` reads comes with the settings of its own `up`."""

    def told(host: JobHost, props: dict[str, Any]) -> bool:
        with pytest.raises(RunError) as error:
            getattr(host, call)(id, props)
        return "if they have changed since, run a plain `pulumi up`, or add --run-program" in str(error.value)

    id, olds = job.fired(on_delete="cancel")
    wrong = JobHost(cloud.url, "job", tencentcloud__secretKey="wrong")
    assert told(wrong, olds)
    assert not told(wrong, {name: value for name, value in olds.items() if name != "fired"})
    none = JobHost(cloud.url, "job", tencentcloud__secretKey=None, tencentcloud__secretId=None)
    assert told(none, olds)
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", SECRET_ID)
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", "wrong")
    assert not told(none, olds)
    cloud.fault(JOBS, "get" if call == "read" else "cancel", "status", status=400, code="InvalidArgument", message="no")
    assert not told(job, olds), "not refused because of its key"


def test_cancel_goes_to_where_the_run_is(job: JobHost, cloud: Emulator) -> None:
    id, olds = job.fired(on_delete="cancel")
    JobHost(cloud.url, tencentcloud__region="ap-shanghai").delete(id, olds)
    assert [entry["state"] for entry in cloud.runs()] == ["Cancel"]


@pytest.mark.parametrize("call", ["diff", "read", "update", "delete"])
@pytest.mark.parametrize("kind", [RunHost, JobHost])
def test_nothing_but_create_fires(cloud: Emulator, kind: type[Host], call: str) -> None:
    host = kind(cloud.url)
    id, olds = host.fired(on_delete="cancel" if kind is JobHost else "abandon")
    news = host.intended(name="other", triggers={"a": 1}, rerun_on_failure=True)
    arguments = (olds, news) if call in ("diff", "update") else (olds,)
    getattr(host, call)(id, *arguments)
    assert sum(counts.get("start", 0) for counts in cloud.requests().values()) == 1
