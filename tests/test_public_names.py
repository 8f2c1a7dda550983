"""Names that programs and states rely on. A change here breaks somebody; it needs a way for old stacks."""

from __future__ import annotations

import base64
import dataclasses
import inspect
import pickletools

import dill
import pytest
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

import cloud_runs
from cloud_runs import enos, huawei, tencent
from cloud_runs.enos.flow_run import FlowRunProvider
from cloud_runs.huawei.dwr.workflow_run import WorkflowFanOutProvider as DwrFanOutProvider
from cloud_runs.huawei.dwr.workflow_run import WorkflowRunProvider as DwrRunProvider
from cloud_runs.huawei.workflow_run import WorkflowFanOutProvider as HuaweiFanOutProvider
from cloud_runs.huawei.workflow_run import WorkflowRunProvider as HuaweiRunProvider
from cloud_runs.lifecycle.completion_provider import CompletionProvider
from cloud_runs.lifecycle.intent import IntentProvider, RunIntent
from cloud_runs.status.report import Answer, Exit, Missing, Report, Run
from cloud_runs.tencent.inventory_job import InventoryJobProvider
from cloud_runs.tencent.workflow_run import WorkflowFanOutProvider, WorkflowRunProvider

PICKLED: dict[type[ResourceProvider], tuple[str, str]] = {
    IntentProvider: ("cloud_runs.lifecycle.intent", "IntentProvider"),
    WorkflowRunProvider: ("cloud_runs.tencent.workflow_run", "WorkflowRunProvider"),
    InventoryJobProvider: ("cloud_runs.tencent.inventory_job", "InventoryJobProvider"),
    HuaweiRunProvider: ("cloud_runs.huawei.workflow_run", "WorkflowRunProvider"),
    WorkflowFanOutProvider: ("cloud_runs.tencent.workflow_run", "WorkflowFanOutProvider"),
    HuaweiFanOutProvider: ("cloud_runs.huawei.workflow_run", "WorkflowFanOutProvider"),
    DwrRunProvider: ("cloud_runs.huawei.dwr.workflow_run", "WorkflowRunProvider"),
    DwrFanOutProvider: ("cloud_runs.huawei.dwr.workflow_run", "WorkflowFanOutProvider"),
    FlowRunProvider: ("cloud_runs.enos.flow_run", "FlowRunProvider"),
    CompletionProvider: ("cloud_runs.lifecycle.completion_provider", "CompletionProvider"),
}
CLASSES = pytest.mark.parametrize("kind", list(PICKLED))


def test_public_names() -> None:
    assert cloud_runs.__all__ == ["Completion", "Provider", "enos", "huawei", "report", "tencent"]
    assert enos.__all__ == ["FlowRun"]
    assert huawei.__all__ == ["WorkflowFanOut", "WorkflowRun", "dwr"]
    assert huawei.dwr.__all__ == ["WorkflowFanOut", "WorkflowRun"]
    assert tencent.__all__ == [
        "InventoryInputArgs",
        "InventoryJob",
        "TimeIntervalArgs",
        "WorkflowFanOut",
        "WorkflowRun",
    ]
    for module in (cloud_runs, enos, huawei, huawei.dwr, tencent):
        assert all(hasattr(module, name) for name in module.__all__)


def test_a_report_is_values_with_these_names() -> None:
    """What programs read of `report(...)`; JSON has its own names in docs/status.md."""
    given = inspect.signature(cloud_runs.report).parameters
    assert {name: one.kind.name for name, one in given.items()} == {
        "cwd": "POSITIONAL_OR_KEYWORD",
        "stack": "KEYWORD_ONLY",
        "state": "KEYWORD_ONLY",
    }
    assert cloud_runs.report.__annotations__["return"] == "Report"
    fields = {kind: [field.name for field in dataclasses.fields(kind)] for kind in (Report, Run, Missing)}
    assert fields == {
        Report: ["stack", "asked_at", "runs", "missing", "project"],
        Run: [
            "resource", "object", "urn", "kind", "system", "reference", "url", "status", "answer", "problem", "subject",
        ],
        Missing: ["resource", "object", "urn", "asked_at", "reason", "possibly_lost"],
    }  # fmt: skip
    for name in ("exit", "counts", "remarks", "duration", "summary", "as_json"):
        assert hasattr(Report, name)
    for name in ("label", "phase", "going", "verdict", "failed_tasks", "remarks"):
        assert hasattr(Run, name)
    assert {code.name: code.value for code in Exit} == {
        "SUCCEEDED": 0, "USAGE": 2, "FAILED": 10, "GOING": 11, "NOT_ASKED": 12, "INTERRUPTED": 130,
    }  # fmt: skip
    assert [answer.value for answer in Answer] == ["service", "record", "gone", "none"]


@CLASSES
def test_a_state_refers_to_the_class_by_name_and_holds_nothing_else(kind: type[ResourceProvider]) -> None:
    pickled = base64.b64decode(serialize_provider(kind()))
    texts = [argument for _, argument, _ in pickletools.genops(pickled) if isinstance(argument, str)]
    assert tuple(texts) == PICKLED[kind]
    assert len(pickled) < 120


@CLASSES
def test_the_state_of_today_is_read_back(kind: type[ResourceProvider]) -> None:
    again = dill.loads(base64.b64decode(serialize_provider(kind())))
    assert type(again) is kind
    assert vars(again) == {}


@CLASSES
def test_the_program_s_provider_has_no_state(kind: type[ResourceProvider]) -> None:
    assert vars(kind()) == {}
    assert serialize_provider(kind()) == serialize_provider(kind())


@CLASSES
def test_a_reference_is_no_secret(kind: type[ResourceProvider]) -> None:
    assert kind.serialize_as_secret_always is False


@CLASSES
def test_what_a_host_is_told_stays_in_the_host(kind: type[ResourceProvider]) -> None:
    kind().configure(ConfigureRequest(Config({"tencentcloud:secretKey": "very secret"}, "p")))
    assert "very secret" not in repr(vars(kind()))
    assert vars(kind()) == {}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (tencent.WorkflowRun, "dynamic/tencent:WorkflowRun"),
        (tencent.InventoryJob, "dynamic/tencent:InventoryJob"),
        (tencent.WorkflowFanOut, "dynamic/tencent:WorkflowFanOut"),
        (huawei.WorkflowFanOut, "dynamic/huawei:WorkflowFanOut"),
        (huawei.dwr.WorkflowRun, "dynamic/huawei/dwr:WorkflowRun"),
        (huawei.dwr.WorkflowFanOut, "dynamic/huawei/dwr:WorkflowFanOut"),
        (RunIntent, "dynamic/runs:Intent"),
        (cloud_runs.Completion, "dynamic/runs:Completion"),
    ],
)
def test_types_in_the_state(kind: type, expected: str) -> None:
    assert kind._resource_type_name == expected  # type: ignore[attr-defined]


# As the state of a stack had them. What is here must be readable for ever.
STORED = {
    IntentProvider: "gASVNQAAAAAAAACMG2Nsb3VkX3J1bnMubGlmZWN5Y2xlLmludGVudJSMDkludGVudFByb3ZpZGVylJOUKYGULg==",
    WorkflowRunProvider: "gASVPgAAAAAAAACMH2Nsb3VkX3J1bnMudGVuY2VudC53b3JrZmxvd19ydW6UjBNXb3JrZmxv"
    "d1J1blByb3ZpZGVylJOUKYGULg==",
    InventoryJobProvider: "gASVQAAAAAAAAACMIGNsb3VkX3J1bnMudGVuY2VudC5pbnZlbnRvcnlfam9ilIwUSW52ZW50b3J5"
    "Sm9iUHJvdmlkZXKUk5QpgZQu",
    HuaweiRunProvider: "gASVPQAAAAAAAACMHmNsb3VkX3J1bnMuaHVhd2VpLndvcmtmbG93X3J1bpSME1dvcmtmbG93"
    "UnVuUHJvdmlkZXKUk5QpgZQu",
    WorkflowFanOutProvider: "gASVQQAAAAAAAACMH2Nsb3VkX3J1bnMudGVuY2VudC53b3JrZmxvd19ydW6UjBZXb3JrZmxvd0Z"
    "hbk91dFByb3ZpZGVylJOUKYGULg==",
    HuaweiFanOutProvider: "gASVQAAAAAAAAACMHmNsb3VkX3J1bnMuaHVhd2VpLndvcmtmbG93X3J1bpSMFldvcmtmbG93RmF"
    "uT3V0UHJvdmlkZXKUk5QpgZQu",
    DwrRunProvider: "gASVQQAAAAAAAACMImNsb3VkX3J1bnMuaHVhd2VpLmR3ci53b3JrZmxvd19ydW6UjBNXb3JrZmxvd1J1blByb3Zp"
    "ZGVylJOUKYGULg==",
    DwrFanOutProvider: "gASVRAAAAAAAAACMImNsb3VkX3J1bnMuaHVhd2VpLmR3ci53b3JrZmxvd19ydW6UjBZXb3JrZmxvd0Zhbk91dFBy"
    "b3ZpZGVylJOUKYGULg==",
    FlowRunProvider: "gASVMwAAAAAAAACMGGNsb3VkX3J1bnMuZW5vcy5mbG93X3J1bpSMD0Zsb3dSdW5Qcm92aWRlcpSTlCmBlC4=",
    CompletionProvider: "gASVRgAAAAAAAACMKGNsb3VkX3J1bnMubGlmZWN5Y2xlLmNvbXBsZXRpb25fcHJvdmlkZXKUjBJDb21w"
    "bGV0aW9uUHJvdmlkZXKUk5QpgZQu",
}


@pytest.mark.parametrize("kind", list(STORED))
def test_a_stored_reference_is_read(kind: type[ResourceProvider]) -> None:
    assert type(dill.loads(base64.b64decode(STORED[kind]))) is kind
