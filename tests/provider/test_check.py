"""`check`: every bad input at once, by the name of its property, without asking anybody."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pulumi.output import UNKNOWN

from cloud_runs.checks import NOT_CARRIED
from cloud_runs.lifecycle.intent import IntentProvider
from tests.provider.host import Host, JobHost, RunHost, failures, properties, wire
from tests.provider.host_stack import HostStack
from tests.support.emulator import Emulator
from tests.support.stack import WORKFLOW

OK = "w" + "0aF" * 10 + "12"


@pytest.fixture(params=[RunHost, JobHost])
def either(request: pytest.FixtureRequest, cloud: Emulator) -> Host:
    host: Host = request.param(cloud.url)
    return host


def test_good_inputs_pass_unchanged(either: Host, cloud: Emulator) -> None:
    inputs = either.inputs(triggers={"a": 1, "b": ["x", {"c": True}]}, on_delete="abandon", rerun_on_failure=True)
    before = copy.deepcopy(inputs)
    result = either.provider.check({}, inputs)
    assert result.failures == []
    assert result.inputs == inputs == before
    assert cloud.requests() == {}


BAD_BUCKETS = [
    "media", "media-", "media-1234", "media-1250000000000", "-1250000000", "Media-1250000000", "media_x-1250000000",
    "media-1250000000.evil.com/", "evil.com/?-1250000000", "evil.com#-1250000000", "a@b-1250000000", "media--",
    "media-1250000000\n", " media-1250000000", "média-1250000000", "", "x" * 50 + "-1250000000",
]  # fmt: skip
BAD_REGIONS = [
    "evil.com/", "x.evil.com#", "ap-beijing.evil.com", "ap-beijing@evil.com", "ap-beijing/../x", "AP-BEIJING", "ap_1",
    "beijing", "ap-", "ap-beijing\n", " ap-beijing", "ap-bei jing", "", "ap-beijing:80", "ap-beijing%2e",
]  # fmt: skip


@pytest.mark.parametrize("bucket", BAD_BUCKETS)
def test_bad_buckets(either: Host, bucket: str) -> None:
    assert list(either.problems(bucket=bucket)) == ["bucket"]


@pytest.mark.parametrize("bucket", ["a-12500", "a-b-1250000000", "0-125000000000", "x" * 49 + "-1250000000"])
def test_good_buckets(either: Host, bucket: str) -> None:
    assert either.problems(bucket=bucket) == {}


@pytest.mark.parametrize("region", BAD_REGIONS)
def test_bad_regions(either: Host, region: str) -> None:
    assert list(either.problems(region=region)) == ["region"]


@pytest.mark.parametrize("region", ["ap-beijing", "ap-shanghai-fsi", "na-siliconvalley", "ap-beijing-1"])
def test_good_regions(either: Host, region: str) -> None:
    assert either.problems(region=region) == {}


def test_a_region_may_come_from_configuration_or_environment(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    without = RunHost(cloud.url, tencentcloud__region=None)
    assert "TENCENTCLOUD_REGION" in without.problems()["region"]
    monkeypatch.setenv("TENCENTCLOUD_REGION", "Beijing")
    assert list(without.problems()) == ["region"]
    monkeypatch.setenv("TENCENTCLOUD_REGION", "ap-beijing")
    assert without.problems() == {}
    assert list(RunHost(cloud.url, tencentcloud__region="beijing").problems()) == ["region"]
    assert RunHost(cloud.url, tencentcloud__region="beijing").problems(region="ap-beijing") == {}


@pytest.mark.parametrize("value", [5, True, ["x"], {"x": "y"}])
@pytest.mark.parametrize("name", ["bucket", "region", "name"])
def test_texts_of_both_must_be_texts(either: Host, name: str, value: Any) -> None:
    assert list(either.problems(**{name: value})) == [name]


@pytest.mark.parametrize("name", ["a", "0-9_Az", "中文任务", "a—b", "x" * 128, "中" * 128])
def test_good_names(either: Host, name: str) -> None:
    assert either.problems(name=name) == {}


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "x" * 129, "中" * 129, "a\n", "é", "<x>", "\u202e"])
def test_bad_names(either: Host, name: str) -> None:
    assert list(either.problems(name=name)) == ["name"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("on_delete", "stop"), ("on_delete", True), ("on_delete", ""), ("on_delete", ["cancel"]),
        ("adopt_id", ""), ("adopt_id", "  "), ("adopt_id", 5), ("adopt_id", ["x"]),
        ("rerun_on_failure", "yes"), ("rerun_on_failure", 1), ("rerun_on_failure", "true"),
        ("triggers", "42"), ("triggers", ["a"]), ("triggers", 42),
        ("if_running", "queue"), ("if_running", True), ("if_running", ["wait"]),
        ("max_attempts", 0.0), ("max_attempts", 1.5), ("max_attempts", 1001.0), ("max_attempts", "3"),
    ],
)  # fmt: skip
def test_bad_steering(either: Host, name: str, value: Any) -> None:
    assert list(either.problems(**{name: value})) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("on_delete", "abandon"),
        ("adopt_id", "i0"),
        ("rerun_on_failure", False),
        ("triggers", {}),
        ("triggers", {"": 0}),
        ("if_running", "wait"),
        ("max_attempts", 1.0),
        ("max_attempts", 1000.0),
    ],
)
def test_good_steering(either: Host, name: str, value: Any) -> None:
    assert either.problems(**{name: value}) == {}


def test_cancel_where_the_system_can(run: RunHost, job: JobHost) -> None:
    assert "no API that cancels" in run.problems(on_delete="cancel")["on_delete"]
    assert job.problems(on_delete="cancel") == {}
    assert run.problems(on_delete="delete")["on_delete"] == "must be 'abandon', not 'delete'"
    assert job.problems(on_delete="delete")["on_delete"] == "must be 'abandon' or 'cancel', not 'delete'"


# -- WorkflowRun


@pytest.mark.parametrize(
    "workflow", ["", "we59a", "w" + "0" * 31, "w" + "0" * 33, "w" + "g" * 32, "x" + "0" * 32, WORKFLOW + "\n", 5]
)
def test_bad_workflow_ids(run: RunHost, workflow: Any) -> None:
    assert list(run.problems(workflow_id=workflow)) == ["workflow_id"]


def test_a_good_workflow_id(run: RunHost) -> None:
    assert run.problems(workflow_id=OK) == {}


@pytest.mark.parametrize("key", ["", "x" * 851, "中" * 284, "a\x00", "a\n", "\x1b[31m", "a\x7f", 5, ["a"]])
def test_bad_objects(run: RunHost, key: Any) -> None:
    assert list(run.problems(object=key)) == ["object"]


@pytest.mark.parametrize("key", ["x" * 850, "中" * 283, "a b+c%2F?&=#/é😀", "/a", "..", "a//b"])
def test_good_objects(run: RunHost, key: str) -> None:
    assert run.problems(object=key) == {}


@pytest.mark.parametrize("key", ["\ud800", "a\udfff", "a\uffff"])
def test_half_a_character(run: RunHost, key: str) -> None:
    assert properties(run.provider, {**run.inputs(), "object": key}) == ["object"]


@pytest.mark.parametrize("name", ["bucket", "workflow_id", "object"])
def test_missing_arguments(run: RunHost, name: str) -> None:
    problems = run.problems(**{name: None})
    assert list(problems) == [name]
    assert "is missing" in problems[name]


# -- InventoryJob


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ["input"]),
        ("input", ["input"]),
        ({}, ["input"]),
        ({"prefix": "a", "object": "b"}, ["input"]),
        ({"manifest": "a", "url_file": "b"}, ["input"]),
        ({"Prefix": "a"}, ["input.Prefix", "input"]),
        ({"prefix": "a", "suffix": "b"}, ["input.suffix"]),
        ({"prefix": ""}, ["input.prefix"]),
        ({"object": "a\n"}, ["input.object"]),
        ({"url_file": 5}, ["input.url_file"]),
        ({"manifest": "x" * 2049}, ["input.manifest"]),
        ({"prefix": "中" * 683}, ["input.prefix"]),
        ({"prefix": "a"}, []),
        ({"manifest": "x" * 2048}, []),
        ({"url_file": "list.txt"}, []),
        ({"object": "中"}, []),
    ],
)
def test_inputs(job: JobHost, given: Any, expected: list[str]) -> None:
    assert list(job.problems(input=given)) == expected


START, END = "2022-02-01T12:00:00+0800", "2022-05-01T12:00:00+0800"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"start": START, "end": END}, []),
        ({"start": START}, []),
        ({"end": END}, []),
        ({}, []),
        ({"start": "2022-02-01T12:00:00+08:00", "end": "2022-02-01T04:00:01Z"}, []),
        ({"start": "2022-02-01T12:00:00"}, ["time_interval.start"]),
        ({"start": "2022-02-01"}, ["time_interval.start"]),
        ({"start": "2022-02-01 12:00:00+0800"}, ["time_interval.start"]),
        ({"start": "2022-02-01T12:00:00.5Z"}, ["time_interval.start"]),
        ({"start": "2022-02-30T12:00:00Z"}, ["time_interval.start"]),
        ({"start": "2022-02-01T25:00:00Z"}, ["time_interval.start"]),
        ({"start": "2022-02-01T12:00:00+9999"}, ["time_interval.start"]),
        ({"start": "2022-02-01T12:00:00Z\n"}, ["time_interval.start"]),
        ({"start": ""}, ["time_interval.start"]),
        ({"end": "yesterday"}, ["time_interval.end"]),
        ({"end": 1643688000}, ["time_interval.end"]),
        ({"start": "x", "end": "y"}, ["time_interval.start", "time_interval.end"]),
        ({"start": END, "end": START}, ["time_interval"]),
        ({"start": START, "end": START}, ["time_interval"]),
        ({"start": "2022-02-01T12:00:00+0800", "end": "2022-02-01T04:00:00Z"}, ["time_interval"]),
        ({"begin": START}, ["time_interval.begin"]),
        (START, ["time_interval"]),
        ([START, END], ["time_interval"]),
    ],
)
def test_time_intervals(job: JobHost, given: Any, expected: list[str]) -> None:
    assert list(job.problems(time_interval=given)) == expected


@pytest.mark.parametrize("ids", ["", "x", f"{OK},", f",{OK}", f"{OK} {OK}", f"{OK}, {OK}", OK + "\n", 5, [OK]])
def test_bad_workflow_lists(job: JobHost, ids: Any) -> None:
    assert list(job.problems(workflow_ids=ids)) == ["workflow_ids"]


@pytest.mark.parametrize("ids", [OK, f"{OK},{WORKFLOW}"])
def test_good_workflow_lists(job: JobHost, ids: str) -> None:
    assert job.problems(workflow_ids=ids) == {}
    assert job.problems(workflow_ids=ids, type=None) == {}, "the default type is Workflow"


@pytest.mark.parametrize("type_", ["Batch", "workflow", "job", 5, True])
def test_bad_types(job: JobHost, type_: Any) -> None:
    assert list(job.problems(type=type_)) == ["type"]


def test_what_belongs_to_the_other_type(job: JobHost) -> None:
    assert list(job.problems(operation={"tag": "Transcode"})) == ["operation.Tag"]
    assert list(job.problems(type="Job", operation={"tag": "Transcode"})) == ["workflow_ids"]
    assert list(job.problems(workflow_ids=None)) == ["workflow_ids"]
    assert list(job.problems(type="Job", workflow_ids=None)) == ["operation"]


TAG = {"tag": "Transcode"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (TAG, []),
        ({"Tag": "Transcode"}, []),
        ({**TAG, "job_param": {"TemplateId": "t1", "list": [1, {"a": True}]}}, []),
        ({**TAG, "job_level": 2, "call_back_format": "JSON", "call_back_type": "TDMQ", "user_data": "~ " * 512}, []),
        ({**TAG, "call_back": "https://example.com/x?y=1"}, []),
        ({**TAG, "call_back_type": "Kafka", "call_back_kafka_config": {"topic": "t"}}, []),
        ("Transcode", ["operation"]),
        ({}, ["operation"]),
        ({**TAG, "call_back": "no"}, []),
        ({"job_param": {}}, ["operation.Tag"]),
        ({"tag": ""}, ["operation.Tag"]),
        ({"tag": "x" * 129}, ["operation.Tag"]),
        ({"tag": "a", "Tag": "b"}, ["operation"]),
        ({**TAG, "a b": 1}, ["operation"]),
        ({**TAG, "1a": 1}, ["operation"]),
        ({**TAG, "": 1}, ["operation"]),
        ({**TAG, "x": {"<y>": 1}}, ["operation"]),
        ({**TAG, "é": 1}, ["operation"]),
        ({**TAG, "workflow_ids": OK}, ["operation.WorkflowIds"]),
        ({**TAG, "TimeInterval": {"Start": START}}, ["operation.TimeInterval"]),
        ({**TAG, "job_level": 3}, ["operation.JobLevel"]),
        ({**TAG, "job_level": "high"}, ["operation.JobLevel"]),
        ({**TAG, "call_back_format": "YAML"}, ["operation.CallBackFormat"]),
        ({**TAG, "call_back_type": "Http"}, ["operation.CallBackType"]),
        ({**TAG, "call_back": "ftp://example.com"}, ["operation.CallBack"]),
        ({**TAG, "call_back": "https://exa mple.com"}, ["operation.CallBack"]),
        ({**TAG, "user_data": "x" * 1025}, ["operation.UserData"]),
        ({**TAG, "user_data": "é"}, ["operation.UserData"]),
    ],
)  # fmt: skip
def test_operations(job: JobHost, given: Any, expected: list[str]) -> None:
    assert list(job.problems(type="Job", workflow_ids=None, operation=given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"queue_id": "p1", "user_data": "x", "job_level": 1, "call_back": "https://example.com"}, []),
        ({"call_back_format": "XML", "CallBackType": "TDMQ", "call_back_mq_config": {"mq_name": "q"}}, []),
        ({}, ["operation"]),
        ({"job_level": 3}, ["operation.JobLevel"]),
        ({"queue_id": "p1", "job_param": {"template_id": "t1"}}, ["operation.JobParam"]),
        ({"output": {}, **TAG}, ["operation.Output", "operation.Tag"]),
        ({"call_back_kafka_config": {"topic": "t"}}, ["operation.CallBackKafkaConfig"]),
        ({"call_back_type": "Kafka"}, ["operation.CallBackType"]),
    ],
)
def test_operations_beside_workflows(job: JobHost, given: Any, expected: list[str]) -> None:
    assert list(job.problems(operation=given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"watermark_template_id": "t1"}, []),
        ({"WatermarkTemplateId": "t1", "watermark": {"type": "Text", "text": {"text": "x"}}}, []),
        ({}, ["attach_param"]),
        ("t1", ["attach_param"]),
        ({"template_id": "t1"}, ["attach_param.TemplateId"]),
        ({"watermark": {"a b": 1}}, ["attach_param"]),
        ({"watermark": {"text": "a\x00"}}, ["attach_param"]),
    ],
)
def test_attached_parameters(run: RunHost, given: Any, expected: list[str]) -> None:
    assert list(run.problems(attach_param=given)) == expected


# -- all together


def test_every_problem_of_a_run_at_once(run: RunHost, cloud: Emulator) -> None:
    bad = {"bucket": "b", "region": "evil.com/", "workflow_id": "w", "object": "\n", "name": " ", "on_delete": "cancel",
           "adopt_id": " ", "rerun_on_failure": "x", "triggers": "y"}  # fmt: skip
    problems = run.problems(**bad)
    assert set(problems) == set(bad)
    assert all(problems.values())
    assert cloud.requests() == {}


def test_every_problem_of_a_job_at_once(job: JobHost, cloud: Emulator) -> None:
    bad = {"bucket": "b", "region": "evil.com/", "workflow_ids": "w", "name": " ", "on_delete": "x", "adopt_id": " ",
           "rerun_on_failure": "x", "triggers": "y", "operation": {}, "input": {"prefix": "a", "b": "c", "object": ""},
           "time_interval": {"start": "x", "z": "y"}}  # fmt: skip
    assert set(job.problems(**bad)) == (set(bad) - {"time_interval"}) | {
        "input.b", "input.object", "time_interval.start", "time_interval.z",
    }  # fmt: skip
    assert cloud.requests() == {}


@pytest.mark.parametrize(
    "name",
    [
        "bucket",
        "region",
        "workflow_id",
        "object",
        "name",
        "triggers",
        "adopt_id",
        "on_delete",
        "rerun_on_failure",
        "if_running",
        "max_attempts",
    ],
)
def test_an_unknown_value_of_a_run_passes(run: RunHost, name: str) -> None:
    assert failures(run.check({**run.inputs(), name: UNKNOWN})) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"bucket": UNKNOWN, "region": UNKNOWN, "name": UNKNOWN, "workflow_ids": UNKNOWN},
        {"input": UNKNOWN},
        {"input": {"prefix": UNKNOWN}},
        {"time_interval": UNKNOWN},
        {"time_interval": {"start": UNKNOWN, "end": END}},
        {"type": UNKNOWN},
        {"type": UNKNOWN, "operation": TAG, "workflow_ids": None},
        {"type": "Job", "workflow_ids": UNKNOWN, "operation": UNKNOWN},
        {"type": "Job", "workflow_ids": None, "operation": {"tag": UNKNOWN}},
        {"type": "Job", "workflow_ids": None, "operation": {**TAG, "job_param": {"x": [UNKNOWN]}}},
        {"operation": UNKNOWN},
        {"triggers": {"x": UNKNOWN}},
    ],
)
def test_an_unknown_value_of_a_job_passes(job: JobHost, changes: dict[str, Any]) -> None:
    given = {key: value for key, value in {**job.inputs(), **changes}.items() if value is not None}
    assert failures(job.check(given)) == {}


def test_beside_an_unknown_value_the_others_are_checked(job: JobHost) -> None:
    given = {**job.inputs(bucket="b"), "input": UNKNOWN, "time_interval": {"start": UNKNOWN, "end": "x"}}
    assert set(failures(job.check(given))) == {"bucket", "time_interval.end"}


# -- free values

UNFIT = [
    (
        1790000000000000001,
        "a whole number beyond 9007199254740991, which Pulumi does not keep exactly: give it as text",
    ),
    (2**53, "a whole number beyond 9007199254740991, which Pulumi does not keep exactly: give it as text"),
    (float("inf"), "a number that is not finite, or too large for Pulumi: give it as text"),
    ({NOT_CARRIED: "datetime"}, "a datetime, which Pulumi does not carry"),
]


@pytest.mark.parametrize(("value", "said"), UNFIT)
@pytest.mark.parametrize("deep", [False, True])
def test_a_trigger_that_pulumi_does_not_carry_or_keep(stack: HostStack, value: Any, said: str, deep: bool) -> None:
    """Such a number would pass for its neighbour, and a change of it would fire nothing."""
    given = {"objects": ["a"], **stack.given, "triggers": {"when": [{"x": value}] if deep else value, "other": 1}}
    ((failure),) = stack.provider.check({}, wire({**given, "resource_urn": stack.urn})).failures
    assert failure.property == "triggers.when"
    assert failure.reason.startswith(f"holds {said}")
    arguments = {key: stack.given[key] for key in stack.provider.kind.names if key in stack.given}
    asked = {"kind": stack.provider.kind.name, "run": stack.urn, "arguments": arguments, "triggers": given["triggers"]}
    IntentProvider().create(wire(asked))  # the intent comes first, and leaves it to this check


@pytest.mark.parametrize(
    "value", [2**53 - 1, -(2**53) + 1, 0.1, 1.5e-300, True, None, "", [], {}, "1790000000000000001"]
)
def test_a_trigger_that_pulumi_keeps(stack: HostStack, value: Any) -> None:
    given = {"objects": ["a"], **stack.given, "triggers": {"when": value}}
    assert stack.provider.check({}, wire({**given, "resource_urn": stack.urn})).failures == []
