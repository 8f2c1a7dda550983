"""What is read from a state. The states have the shape of `pulumi stack export`."""

from __future__ import annotations

import json
from typing import Any

from cloud_runs.runs import Phase, Reference
from cloud_runs.status import recorded
from cloud_runs.wire.settings import EXPLICIT, EXPLICIT_NAME

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
WHERE = "tencent.workflow:ap-beijing:media-1250000000:"
DEFAULT = "urn:pulumi:s::p::pulumi:providers:pulumi-python::default::0"


def secret(value: Any) -> dict[str, str]:
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def resource(kind: str, name: str, outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    type_ = f"pulumi-python:dynamic/{kind}"
    entry = {"urn": f"urn:pulumi:s::p::{type_}::{name}", "type": type_, "id": name, "outputs": outputs}
    return {**entry, "provider": DEFAULT, **more}


def run(
    name: str = "run", token: str = "t1", digests: Any = (), *, entry: Any = None, **outputs: Any
) -> dict[str, Any]:
    given = {
        "reference": WHERE + name,
        "phase": "pending",
        "state": "",
        "url": "https://console.example",
        "fired": {"at": "2026-11-22T08:00:00Z", "token": token, "digests": dict(digests), "triggers": {}},
        "intent": {"token": token},
        **outputs,
    }
    return resource("tencent:WorkflowRun", name, given, **(entry or {}))


def intent(name: str = "run", token: str = "t1", digests: Any = (), **more: Any) -> dict[str, Any]:
    record = {"token": token, "minted_at": "2026-11-22T07:59:00Z", "digests": dict(digests), "triggers": {}, **more}
    return resource("runs:Intent", f"{name}-intent", {"record": record})


def read(*resources: dict[str, Any]) -> recorded.Records:
    return recorded.read({"resources": list(resources)})


def missing(*resources: dict[str, Any]) -> dict[str, str]:
    return {lost.label: lost.reason for lost in read(*resources).missing}


def test_an_empty_stack() -> None:
    assert recorded.read({}).runs == ()
    assert recorded.read({"resources": []}).missing == ()


def test_a_run_as_it_is_on_record() -> None:
    tasks = [{"name": "T", "type": "Transcode", "state": "Failed", "code": "E", "message": "m", "objects": []}]
    told = {"phase": "failed", "state": "Failed", "finished_at": "2026-11-22T08:05:00Z", "tasks": tasks}
    (found,) = read(intent(), run(**told, executions={"Success": 2.0})).runs
    assert (found.resource, found.kind, found.reference) == ("run", "WorkflowRun", Reference.parse(WHERE + "run"))
    assert (found.status.phase, found.status.state) == (Phase.FAILED, "Failed")
    assert found.status.started_at == "2026-11-22T08:00:00Z", "when it was fired, since nothing else is known"
    assert found.status.finished_at == "2026-11-22T08:05:00Z"
    assert [task.name for task in found.status.tasks] == ["T"]
    assert found.status.executions == {"Success": 2}
    assert read(run(created_at="2026-11-22T07:00:00Z")).runs[0].status.started_at == "2026-11-22T07:00:00Z"


def test_what_is_no_run_of_ours_is_left_out() -> None:
    assert read(
        resource("somebody:Thing", "thing", {"reference": "not ours"}),
        resource("somebody:Other", "other", {"reference": 7, "phase": "full moon"}),
        resource("runs:Completion", "done", {"runs": [WHERE + "run"], "outcomes": []}),
        {"urn": "urn:pulumi:s::p::random:index:Id::x", "type": "random:index:Id"},
        run("replaced", entry={"delete": True}),
    ).runs == ()  # fmt: skip


def test_a_secret_is_used_and_not_shown() -> None:
    hidden = run(reference=secret(WHERE + "run"), url=secret("https://x"), message=secret("hush"), tasks=[secret({})])
    (found,) = read(hidden).runs
    assert found.reference == Reference.parse(WHERE + "run")
    assert (found.shown_reference, found.url, found.status.message, found.status.tasks) == ("", "", "", ())


def test_what_a_completion_has_recorded() -> None:
    def outcome(name: str, phase: str, **more: Any) -> dict[str, Any]:
        return {"reference": WHERE + name, "phase": phase, "state": "X", "finished_at": "2026-11-22T09:00:00Z", **more}

    blamed = [{"name": "T", "type": "", "state": "Failed", "code": "E", "message": ""}]
    outcomes = [outcome("a", "succeeded"), outcome("b", "failed", failed_tasks=blamed), outcome("c", "succeeded")]
    done = resource("runs:Completion", "done", {"outcomes": [*outcomes, outcome("elsewhere", "succeeded")]})
    a, b, c, d = read(run("a"), run("b"), run("c", phase="succeeded", state="Success"), run("d"), done).runs
    assert [one.known_success for one in (a, b, c, d)] == [True, False, True, False]
    assert (a.status.phase, a.status.finished_at) == (Phase.SUCCEEDED, "2026-11-22T09:00:00Z")
    assert a.status.started_at == "2026-11-22T08:00:00Z"
    assert (b.status.phase, b.status.tasks[0].code) == (Phase.FAILED, "E")
    assert c.status.state == "Success", "a refresh knows more"
    assert d.status.phase is Phase.PENDING
    assert [one.attempts[-1]["phase"] for one in (a, b, c, d)] == ["succeeded", "failed", "succeeded", "unknown"]


def test_the_history_of_a_fan_outs_objects() -> None:
    """The end that a Completion has recorded is that of the run on record, and of no other one."""
    past = {"id": "i0", "phase": "failed", "code": "E", "fired_at": "2026-11-22T07:00:00Z", "why": "first"}
    outputs = {
        "instance_ids": {"a": "i1", "b": "i2", "c": "i3"},
        "place": WHERE,
        "fired": "1 token=t at=2026-11-22T08:30:00Z why=trigger%20release again=a:1 first=2026-11-22T08:00:00Z "
        "later=2026-11-22T08:30:00Z/a",
        "failed": {"b": {"id": "i2", "code": "F", "message": "m", "fired_at": "2026-11-22T08:00:01Z"}},
        "history": {"a": [past]},
        "adopt_ids": {"c": "i3"},
    }
    ended = {"reference": WHERE + "i1", "phase": "succeeded", "state": "Success"}
    done = resource("runs:Completion", "done", {"outcomes": [ended]})
    a, b, c = (run.attempts for run in read(resource("tencent:WorkflowFanOut", "fan", outputs), done).runs)
    now = {"id": "i1", "phase": "succeeded", "code": "", "fired_at": "2026-11-22T08:30:00Z"}
    assert a == (past, {**now, "why": "rerun after failed"})
    failed = {"phase": "failed", "code": "F", "fired_at": "2026-11-22T08:00:01Z"}
    assert b == ({"id": "i2", **failed, "why": "trigger release"},)
    assert c == ({"id": "i3", "phase": "unknown", "code": "", "fired_at": "", "why": "adopted"},)
    d = read(resource("tencent:WorkflowFanOut", "fan", {**outputs, "instance_ids": {"a": "i1", "d": "i4"}})).runs
    assert [run.status.started_at for run in d] == ["2026-11-22T08:30:00Z", "2026-11-22T08:00:00Z"], "each its own"


def test_runs_that_are_not_on_record() -> None:
    same, other = {"object": "1"}, {"object": "2"}
    assert missing(intent(), run()) == {}
    assert "interrupted" in missing(intent(), run("another"))["run"]
    assert "to be replaced" in missing(intent(), run(entry={"pendingReplacement": True}))["run"]
    assert "(object changed)" in missing(intent(token="t2", digests=other), run(digests=same))["run"]
    assert missing(intent(token="t2", digests=same), run(digests=same)) == {}, "a change that was taken back"
    ignored = run(digests=same, intent={"token": "t2"})
    assert missing(intent(token="t2", digests=other), ignored) == {}, "the last `up` saw it, and did not fire"
    assert missing(run("read-only", entry={"external": True})) == {}


def test_a_fan_out() -> None:
    ids = {"a/1.mp4": "i1", "b.mp4": "i:2"}
    outputs = {
        "instance_ids": ids,
        "refused": {"c.mp4": "no"},
        "place": WHERE,
        "fired": {"attempt": {"token": "x"}, "at": "2026-11-22T08:00:00Z"},
    }
    fan = resource("tencent:WorkflowFanOut", "fan", outputs)
    first, second = read(fan).runs
    assert (first.object, str(first.reference), first.shown_reference) == ("a/1.mp4", WHERE + "i1", WHERE + "i1")
    assert (second.reference.id, second.kind, second.status.started_at) == (
        "i:2",
        "WorkflowFanOut",
        "2026-11-22T08:00:00Z",
    )
    assert missing(intent("fan", attempts=[{"token": "x"}]), fan) == {"fan[c.mp4]": "was refused: no"}
    assert "its objects changed" in missing(intent("fan", attempts=[{"token": "x"}, {"token": "y"}]), fan)["fan"]


def test_whose_settings_a_run_is_asked_with() -> None:
    def provider(name: str, id: str, **inputs: Any) -> dict[str, Any]:
        urn = f"urn:pulumi:s::p::pulumi:providers:pulumi-python::{name}"
        return {"urn": urn, "id": id, "type": "pulumi:providers:pulumi-python", "inputs": inputs}

    key = "tencentcloud:secretKey"
    ours = {EXPLICIT_NAME: "eu", EXPLICIT + key: secret("eu-key"), key: secret("of the last up"), "gone": "x"}
    records = read(
        provider("default", "0", **{key: "of the last up"}),
        provider("eu", "1", **ours),
        provider("raw", "2", **{key: "r"}),
    )
    config = {key: "of today"}
    place = DEFAULT.rpartition("::default")[0]
    assert records.settings(DEFAULT, config) == config
    assert records.settings("", config) == config
    assert records.settings(f"{place}::eu::1", config) == {
        key: "of today",
        EXPLICIT_NAME: "eu",
        EXPLICIT + key: "eu-key",
    }
    assert records.settings(f"{place}::raw::2", config) == {key: "r"}
    assert records.project == "p"
