"""`create` on the wire: the requests of the vendors' pages, values unchanged, and which of them are sent at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from cloud_runs.lifecycle import progress
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import ledger
from cloud_runs.runs import time_of
from tests.provider.conftest import another_process
from tests.provider.host import JOBS, RUNS, Host, JobHost, RunHost, of_an_earlier_process, older
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import BUCKET, WORKFLOW

HOST = f"{BUCKET}.ci.ap-beijing.myqcloud.com"


def request_of(cloud: Emulator, system: str) -> dict[str, Any]:
    (run,) = cloud.runs(system)
    request: dict[str, Any] = run["request"]
    return request


def header(request: dict[str, Any], name: str) -> str | None:
    return {key.lower(): value for key, value in request["headers"].items()}.get(name)


# -- https://www.tencentcloud.com/document/api/1045/50340 (Trigger Workflow)


def test_the_workflow_request_of_the_page(run: RunHost, cloud: Emulator) -> None:
    id, outs = run.fired(object="test.mp4")
    request = request_of(cloud, RUNS)
    assert (request["method"], request["path"]) == ("POST", "/triggerworkflow")
    assert request["query"] == {"workflowId": "we59a9648e62e48ffb25e4b41f3721799", "object": "test.mp4"}
    assert list(request["query"]) == ["workflowId", "object"]
    assert request["body"] == ""
    assert header(request, "host") == HOST
    assert header(request, "content-type") == "application/xml"
    assert header(request, "content-length") == "0"
    assert (header(request, "authorization") or "").startswith("q-sign-algorithm=sha1&q-ak=")
    assert cloud.requests() == {RUNS: {"start": 1}}, "a run resource asks nothing and waits for nothing"
    assert (id, outs["instance_id"]) == (cloud.ids()[0], cloud.ids()[0])


@pytest.mark.parametrize(
    "key", ["a b+c.mp4", "dir/é中😀.mp4", "%2F&=?#;,:@", "/a//b", "..", " ", "a\\b'\"<>", "x" * 850]
)
def test_an_object_is_sent_unchanged(run: RunHost, cloud: Emulator, key: str) -> None:
    run.fired(object=key)
    assert request_of(cloud, RUNS)["query"]["object"] == key


@pytest.mark.parametrize("name", ["demo", "任务_—-1", "x" * 128])
def test_a_given_name_is_sent_unchanged(run: RunHost, job: JobHost, cloud: Emulator, name: str) -> None:
    run.fired(name=name)
    assert request_of(cloud, RUNS)["query"] == {"workflowId": WORKFLOW, "object": "a.mp4", "name": name}
    _, outs = job.fired(name=name)
    assert ElementTree.fromstring(request_of(cloud, JOBS)["body"]).findtext("Name") == name
    assert outs["name"] == name


def test_attached_parameters_are_a_body(run: RunHost, cloud: Emulator) -> None:
    """As the vendor's Java SDK sends them (`MediaWorkflowListRequest.setAttachParam`); tests/vendor has that one."""
    watermark = {"type": "Text", "pos": "TopRight", "text": {"text": "x<y", "font_size": 30}}
    run.fired(attach_param={"watermark": watermark, "watermark_template_id": "t1"})
    request = request_of(cloud, RUNS)
    assert request["query"] == {"workflowId": WORKFLOW, "object": "a.mp4", "attachParam": ""}
    assert request["body"] == (
        "<Request><AttachParam><Watermark><Pos>TopRight</Pos><Text><FontSize>30</FontSize><Text>x&lt;y</Text></Text>"
        "<Type>Text</Type></Watermark><WatermarkTemplateId>t1</WatermarkTemplateId></AttachParam></Request>"
    )
    assert header(request, "content-md5")
    assert "q-header-list=content-md5;host&" in str(header(request, "authorization"))


def test_a_job_of_workflows_with_a_queue(job: JobHost, cloud: Emulator) -> None:
    job.fired(name="demo", operation={"queue_id": "p1", "job_level": 2, "call_back": "no"})
    root = ElementTree.fromstring(request_of(cloud, JOBS)["body"])
    operation = {element.tag: element.text for element in root.findall("Operation/*")}
    assert operation == {"WorkflowIds": WORKFLOW, "QueueId": "p1", "JobLevel": "2", "CallBack": "no"}


def test_bucket_and_region_are_the_host(cloud: Emulator) -> None:
    configured = RunHost(cloud.url, tencentcloud__region="ap-shanghai")
    id, outs = configured.fired(bucket="other-1250000000")
    assert header(request_of(cloud, RUNS), "host") == "other-1250000000.ci.ap-shanghai.myqcloud.com"
    assert outs["region"] == "ap-shanghai"
    assert outs["reference"] == f"tencent.workflow:ap-shanghai:other-1250000000:{id}"


def test_the_argument_comes_before_the_configured_region(run: RunHost, cloud: Emulator) -> None:
    run.fired(region="ap-shanghai")
    assert header(request_of(cloud, RUNS), "host") == f"{BUCKET}.ci.ap-shanghai.myqcloud.com"


# -- https://www.tencentcloud.com/document/product/1045/47029 (Triggering Job)


SEED = """
<Request>
  <Name>demo</Name>
  <Type>Workflow</Type>
  <Input>
      <Prefix>input</Prefix>
  </Input>
  <Operation>
      <TimeInterval>
          <Start>2022-02-01T12:00:00+0800</Start>
          <End>2022-05-01T12:00:00+0800</End>
      </TimeInterval>
      <WorkflowIds>w7476ff3564ee45b7b490d64bccaba6cc</WorkflowIds>
  </Operation>
</Request>
"""


def squeezed(text: str) -> str:
    return "".join(line.strip() for line in text.splitlines())


def test_the_job_request_of_the_page(job: JobHost, cloud: Emulator) -> None:
    id, outs = job.fired(
        name="demo",
        workflow_ids="w7476ff3564ee45b7b490d64bccaba6cc",
        time_interval={"end": "2022-05-01T12:00:00+0800", "start": "2022-02-01T12:00:00+0800"},
    )
    request = request_of(cloud, JOBS)
    assert (request["method"], request["path"], request["query"]) == ("POST", "/inventorytriggerjob", {})
    assert request["body"] == squeezed(SEED)
    assert header(request, "host") == HOST
    assert header(request, "content-type") == "application/xml"
    assert cloud.requests() == {JOBS: {"start": 1}}
    assert outs["job_id"] == id == cloud.ids(JOBS)[0]


@pytest.mark.parametrize(
    ("name", "element"),
    [("prefix", "Prefix"), ("manifest", "Manifest"), ("url_file", "UrlFile"), ("object", "Object")],
)
@pytest.mark.parametrize("value", ["a/b", "a&b<c>\"d'", "é中😀", "x" * 2048])
def test_an_input_is_sent_unchanged(job: JobHost, cloud: Emulator, name: str, element: str, value: str) -> None:
    job.fired(input={name: value})
    source = ElementTree.fromstring(request_of(cloud, JOBS)["body"]).find("Input")
    assert source is not None
    assert [(child.tag, child.text) for child in source] == [(element, value)]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2022-02-01T12:00:00+0800", "2022-02-01T12:00:00+0800"),
        ("2022-02-01T12:00:00+08:00", "2022-02-01T12:00:00+0800"),
        ("2022-02-01T12:00:00-03:30", "2022-02-01T12:00:00-0330"),
        ("2022-02-01T12:00:00Z", "2022-02-01T12:00:00+0000"),
    ],
)
@pytest.mark.parametrize("bound", ["start", "end"])
def test_a_time_is_sent_in_the_vendors_form(job: JobHost, cloud: Emulator, given: str, sent: str, bound: str) -> None:
    job.fired(time_interval={bound: given})
    body = request_of(cloud, JOBS)["body"]
    assert f"<TimeInterval><{bound.title()}>{sent}</{bound.title()}></TimeInterval>" in body


@pytest.mark.parametrize("interval", [None, {}])
def test_without_an_interval_there_is_no_element(job: JobHost, cloud: Emulator, interval: Any) -> None:
    job.fired(time_interval=interval, type=None)
    body = request_of(cloud, JOBS)["body"]
    assert "TimeInterval" not in body
    assert "<Type>Workflow</Type>" in body


def test_several_workflows(job: JobHost, cloud: Emulator) -> None:
    both = f"{WORKFLOW},w{'0' * 32}"
    job.fired(workflow_ids=both)
    assert f"<WorkflowIds>{both}</WorkflowIds>" in request_of(cloud, JOBS)["body"]


def test_a_job_of_one_operation(job: JobHost, cloud: Emulator) -> None:
    job.fired(
        name="demo",
        type="Job",
        workflow_ids=None,
        time_interval={"start": "2022-02-01T12:00:00Z"},
        operation={
            "tag": "Transcode",
            "job_param": {"TemplateId": "t0", "watermark_template_id": ["w1", "w2"], "removeWatermark": {"dx": 128}},
            "output": {"region": "ap-beijing", "bucket": BUCKET, "object": "output/${InventoryTriggerJobId}/<a>&.mp4"},
            "job_level": 1,
            "UserData": "This is my data.",
            "free_transcode": True,
            "ratio": 0.5,
        },
    )
    root = ElementTree.fromstring(request_of(cloud, JOBS)["body"])
    assert [child.tag for child in root] == ["Name", "Type", "Input", "Operation"]
    assert root.findtext("Type") == "Job"
    operation = root.find("Operation")
    assert operation is not None
    # No order among these: the engine's maps have none.
    assert sorted(child.tag for child in operation) == [
        "FreeTranscode", "JobLevel", "JobParam", "Output", "Ratio", "Tag", "TimeInterval", "UserData",
    ]  # fmt: skip
    told = {path: operation.findtext(path) for path in (
        "Tag", "JobParam/TemplateId", "JobParam/RemoveWatermark/Dx", "Output/Object", "JobLevel", "UserData",
        "FreeTranscode", "Ratio", "TimeInterval/Start",
    )}  # fmt: skip
    assert told == {
        "Tag": "Transcode",
        "JobParam/TemplateId": "t0",
        "JobParam/RemoveWatermark/Dx": "128",
        "Output/Object": "output/${InventoryTriggerJobId}/<a>&.mp4",
        "JobLevel": "1",
        "UserData": "This is my data.",
        "FreeTranscode": "true",
        "Ratio": "0.5",
        "TimeInterval/Start": "2022-02-01T12:00:00+0000",
    }
    assert [item.text for item in operation.findall("JobParam/WatermarkTemplateId")] == ["w1", "w2"]


def test_an_omitted_name_is_made_unique_by_the_token(job: JobHost, cloud: Emulator) -> None:
    first = job.intended()
    names = [job.create(inputs)[1]["name"] for inputs in (first, job.intended())]
    sent = [ElementTree.fromstring(run["request"]["body"]).findtext("Name") for run in cloud.runs(JOBS)]
    assert names == sent
    assert names[0] == f"job-{ledger.token_of(first['intent'])[:16]}"
    assert names[0] != names[1]


@pytest.mark.parametrize("name", ["x" * 300, "任务 (1)/a::b", "-"])
def test_a_generated_name_is_one_that_the_service_takes(cloud: Emulator, name: str) -> None:
    host = JobHost(cloud.url, name)
    generated = host.fired()[1]["name"]
    assert len(generated) <= 128
    assert host.problems(name=generated) == {}


# -- outputs


def test_outputs_of_a_fired_run(run: RunHost) -> None:
    inputs = run.intended(triggers={"a": 1}, on_delete="abandon")
    id, outs = run.create(inputs)
    intent = ledger.intent_of(inputs.pop("intent"))
    assert intent is not None
    assert inputs.items() <= outs.items()
    assert "intent" not in outs, "its own resource has it on record"
    assert outs["provenance"] == "fired"
    assert outs["reference"] == f"tencent.workflow:ap-beijing:{BUCKET}:{id}"
    assert (outs["phase"], outs["state"], outs["record_expired"]) == ("pending", "", False)
    assert outs["request_id"]
    assert outs["url"].startswith("https://console.cloud.tencent.com/ci/")
    fired = ledger.fired_of(outs)
    assert (fired.token, fired.beside, fired.content) == (intent.token, intent.token, intent.content)
    assert set(fired.content.arguments) == {"bucket", "workflow_id", "object"}
    assert set(fired.content.triggers) == {"a"}
    assert fired.at is not None
    assert abs(fired.at - intent.moment.at) < timedelta(minutes=1)
    assert outs["fired"].isprintable()
    assert outs["tasks"] == []


def test_outputs_of_a_fired_job(job: JobHost) -> None:
    id, outs = job.fired()
    assert (outs["job_id"], outs["phase"], outs["state"]) == (id, "pending", "Submitted")
    assert outs["executions"] == {}
    assert outs["input"] == {"prefix": "input"}


def test_no_secret_enters_the_outputs(run: RunHost, job: JobHost) -> None:
    for host in (run, job):
        text = repr(host.fired()[1])
        assert SECRET_KEY not in text
        assert SECRET_ID not in text


# -- which requests are sent


def unanswerable(cloud: Emulator, system: str) -> None:
    """The next look-up is refused."""
    cloud.fault(system, "find", "status", status=403, code="AccessDenied")


def test_a_lost_answer_is_found(run: RunHost, job: JobHost, cloud: Emulator) -> None:
    for host, system in ((run, RUNS), (job, JOBS)):
        cloud.fault(system, "start", "drop_response")
        id, outs = host.fired()
        assert cloud.ids(system) == [id]
        assert outs["provenance"] == "found"
        assert ledger.fired_of(outs).at
        assert cloud.count(system, "start") == 1


@pytest.mark.parametrize(("kind", "system"), [(RunHost, RUNS), (JobHost, JOBS)])
def test_a_run_of_an_earlier_process_is_found(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, kind: type[Host], system: str
) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(progress, "warn", lambda urn, text: said.append((urn, text)))
    host = kind(cloud.url)
    inputs = host.intended()
    cloud.fault(system, "start", "drop_response")
    unanswerable(cloud, system)
    assert "may have started" in refusal(host, inputs)

    inputs["intent"] = of_an_earlier_process(inputs["intent"])
    another_process(monkeypatch)
    unanswerable(cloud, system)
    assert "nothing was fired: an earlier `pulumi up` may have started" in refusal(host, inputs)

    another_process(monkeypatch)
    id, outs = host.create(inputs)
    assert cloud.ids(system) == [id]
    assert outs["provenance"] == "found"
    assert ledger.fired_of(outs).token == ledger.token_of(inputs["intent"])
    assert said == [(host.urn, f"found run {id} of an interrupted up; for a new run change a trigger")]
    assert cloud.count(system, "start") == 1


@pytest.mark.parametrize(("name", "found"), [(None, True), ("demo", False)])
def test_a_generated_name_is_proof_and_a_given_one_is_not(
    job: JobHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, name: str | None, found: bool
) -> None:
    """A forced replacement, an hour after its intent, that was killed after the start."""
    inputs = job.intended(name=name)
    inputs["intent"] = older(inputs["intent"], timedelta(hours=1))
    id, _ = job.create(inputs)
    inputs["intent"] = of_an_earlier_process(inputs["intent"])
    another_process(monkeypatch)
    if found:
        again, outs = job.create(inputs)
        assert (again, outs["provenance"]) == (id, "found")
    else:
        assert id in refusal(job, inputs)
    assert cloud.ids(JOBS) == [id]


def refusal(host: Host, inputs: dict[str, Any]) -> str:
    with pytest.raises(RunError) as error:
        host.create(inputs)
    return str(error.value)


@pytest.mark.parametrize("kind", [RunHost, JobHost])
def test_an_intent_of_an_earlier_process_that_did_not_fire(cloud: Emulator, kind: type[Host]) -> None:
    host = kind(cloud.url)
    assert host.create(host.intended(earlier=True))[1]["provenance"] == "fired"
    assert len(cloud.runs()) == 1


def test_no_intent(run: RunHost, cloud: Emulator) -> None:
    for bag in ({}, {"intent": {}}, {"intent": {"token": None}}):
        assert "--target" in refusal(run, run.inputs() | bag)
    assert "a later version of cloud-runs wrote it" in refusal(run, run.inputs() | {"intent": "x"})
    assert cloud.requests() == {}


def test_a_run_that_a_diff_has_shown_is_no_candidate(
    run: RunHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = RunHost(cloud.url, "twin")
    id, outs = twin.fired()
    earlier = run.intended(earlier=True)
    another_process(monkeypatch)
    twin.diff(id, outs, twin.intended())
    found, outs = run.create(earlier)
    assert outs["provenance"] == "fired"
    assert found != id


@pytest.mark.parametrize(("other", "found"), [({}, True), ({"bucket": "other-1250000000"}, False)])
def test_a_run_of_somebody_else_within_ten_minutes(
    run: RunHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, other: dict[str, str], found: bool
) -> None:
    earlier = run.intended(earlier=True)
    id, _ = RunHost(cloud.url, "other").fired(**other)
    another_process(monkeypatch)
    assert (run.create(earlier)[0] == id) is found


def test_jobs_of_one_name_are_told_apart_by_what_they_do(
    job: JobHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = job.intended(earlier=True, name="demo")
    for other in ({"input": {"prefix": "x"}}, {"workflow_ids": "w" + "0" * 32}, {"name": "other"}):
        JobHost(cloud.url, "other").fired(**{"name": "demo", **other})
    another_process(monkeypatch)
    assert job.create(earlier)[1]["provenance"] == "fired"


def test_several_candidates_are_listed(run: RunHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = run.intended(earlier=True)
    both = [RunHost(cloud.url, name).fired()[0] for name in ("one", "two")]
    another_process(monkeypatch)
    text = refusal(run, earlier)
    assert all(id in text for id in both)
    assert "adopt_id" in text
    assert len(cloud.runs()) == 2


@pytest.mark.parametrize("kind", [RunHost, JobHost])
def test_a_forced_replacement_fires_without_a_look(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, kind: type[Host]
) -> None:
    host = kind(cloud.url)
    inputs = host.intended()
    id, outs = host.create(inputs)
    inputs["intent"] = of_an_earlier_process(inputs["intent"])
    another_process(monkeypatch)
    host.delete(id, outs)
    new, _ = host.create(inputs)
    assert cloud.ids() == [id, new]
    assert all("find" not in counts for counts in cloud.requests().values())


def test_a_job_replaced_under_its_token_does_not_find_its_old_run(
    job: JobHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generated name of both is the same, since it is the token's."""
    inputs = job.intended()
    id, outs = job.create(inputs)
    inputs["intent"] = of_an_earlier_process(inputs["intent"])
    another_process(monkeypatch)  # was killed between delete and start; the next up asks for the diff
    job.diff(id, outs, inputs)
    new, outs = job.create(inputs)
    assert outs["provenance"] == "fired"
    assert cloud.ids(JOBS) == [id, new]


def test_a_change_taken_back_keeps_the_old_record(
    run: RunHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "note", lambda urn, text: said.append(text))
    id, olds = run.fired(triggers={"a": 1})
    another_process(monkeypatch)
    back = run.intended(triggers={"a": 1}, rerun_on_failure=True)
    run.diff(id, olds, back)
    kept, outs = run.create(back)
    assert kept == id
    assert ledger.fired_of(outs) == replace(ledger.fired_of(olds), beside=ledger.token_of(back["intent"]))
    assert outs["provenance"] == "fired"
    assert outs["rerun_on_failure"] is True
    assert "taken back" in said[0]
    assert cloud.ids() == [id]
    assert run.diff(kept, outs, back).replaces == []


def test_the_engine_is_gone(run: RunHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def alive(urn: str) -> bool:
        asked.append(urn)
        return False

    monkeypatch.setattr(progress, "engine_alive", alive)
    assert "engine that requested this run is gone" in refusal(run, run.intended())
    assert asked == [run.urn]
    assert cloud.requests() == {}


def test_a_refused_request_is_one_line_with_all_that_helps(run: RunHost, cloud: Emulator) -> None:
    cloud.fault(RUNS, "start", "status", status=400, code="MediaBucketUnBinded", message="not\nenabled")
    text = refusal(run, run.intended())
    assert text.startswith("WorkflowRun 'run': Tencent CI refused POST /triggerworkflow: 400 MediaBucketUnBinded")
    assert "(request " in text
    assert BUCKET in text
    assert "\n" not in text
    assert cloud.ids() == []
    assert cloud.count(RUNS, "start") == 1


def test_wrong_keys_name_their_source_and_not_themselves(cloud: Emulator) -> None:
    wrong = RunHost(cloud.url, tencentcloud__secretKey="wrong-secret")
    text = refusal(wrong, wrong.intended())
    assert "tencentcloud:secretId" in text
    assert "wrong-secret" not in text
    none = RunHost(cloud.url, tencentcloud__secretKey=None, tencentcloud__secretId=None)
    assert "TENCENTCLOUD_SECRET_ID" in refusal(none, none.intended())
    assert cloud.ids() == []


# -- adopt_id


def test_adopt_records_and_fires_nothing(run: RunHost, job: JobHost, cloud: Emulator) -> None:
    for host, system in ((run, RUNS), (job, JOBS)):
        id, _ = host.fired(name="demo")
        starts = cloud.count(system, "start")
        adopted, outs = host.create(host.intended(name="demo", adopt_id=id))
        assert adopted == id
        assert (outs["provenance"], outs["request_id"] != "") == ("given", True)
        assert outs["state"] in ("Running", "Submitted"), "it was asked for"
        assert ledger.fired_of(outs).at == time_of(outs["created_at"]) is not None
        assert cloud.count(system, "start") == starts
        assert host.diff(id, outs, host.intended(name="demo", adopt_id=id)).replaces == []


def test_adopt_needs_no_intent(run: RunHost) -> None:
    id, _ = run.fired()
    assert run.create(run.inputs(adopt_id=id))[0] == id


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        (RunHost, {"object": "b.mp4"}, "its object has another value"),
        (RunHost, {"workflow_id": "w" + "0" * 32}, "its workflow_id has another value"),
        (JobHost, {"name": "other"}, "its name has another value"),
        (JobHost, {"input": {"prefix": "x"}}, "its input has another value"),
        (
            JobHost,
            {"type": "Job", "workflow_ids": None, "operation": {"tag": "x"}},
            "its type has another value",
        ),
    ],
)
def test_adopt_verifies(cloud: Emulator, kind: type[Host], changes: dict[str, Any], said: str) -> None:
    host = kind(cloud.url)
    given = {"name": "demo"}
    id, _ = host.fired(**given)
    text = refusal(host, host.intended(**{**given, "adopt_id": id, **changes}))
    assert said in text
    assert "Nothing was recorded or fired" in text
    assert len(cloud.runs()) == 1


@pytest.mark.parametrize("kind", [RunHost, JobHost])
def test_adopt_of_a_run_that_is_not_there(cloud: Emulator, kind: type[Host]) -> None:
    host = kind(cloud.url)
    assert "there is no run i0 to adopt; nothing was fired" in refusal(host, host.intended(adopt_id="i0"))
    assert cloud.runs() == []


def test_an_adopted_run_is_no_candidate_for_others(
    run: RunHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = run.intended(earlier=True)
    id, _ = run.fired()
    another_process(monkeypatch)
    adopting = RunHost(cloud.url, "adopting")
    adopting.create(adopting.intended(adopt_id=id))
    assert run.create(earlier)[1]["provenance"] == "fired"
