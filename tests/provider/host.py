"""Calls the provider classes as the dynamic host does: what goes in and out passes the engine's wire format."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

from pulumi.dynamic import CheckResult, Config, ConfigureRequest, DiffResult, ResourceProvider
from pulumi.output import UNKNOWN
from pulumi.runtime import rpc

from cloud_runs.lifecycle.intent import IntentProvider
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import rfc3339
from cloud_runs.tencent.inventory_job import InventoryJobProvider
from cloud_runs.tencent.workflow_run import WorkflowRunProvider
from tests.support.emulator import SECRET_ID, SECRET_KEY
from tests.support.stack import BUCKET, WORKFLOW

PROVIDER = "gASVOgAAAA=="
"""Stands for the pickled provider, which is in all properties that the engine sends."""
RUNS, JOBS = "tencent.workflow", "tencent.inventory"


def wire(values: dict[str, Any]) -> dict[str, Any]:
    """Values after the wire: numbers are floats, None vanishes, and the order of keys is nobody's."""
    loop = asyncio.new_event_loop()
    try:
        struct = loop.run_until_complete(rpc.serialize_properties(values, {}))
    finally:
        loop.close()
    received: dict[str, Any] = rpc.deserialize_properties(struct, True)
    return received


_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_HOST = re.compile(r"(?<=host=)\w+|(?<=Z,)[0-9a-f]{32}")  # of the intent itself, and of its attempts
_UPTIME = re.compile(r"(?<=[0-9a-f]\+)[\d.]+")


def of_an_earlier_process(record: str) -> str:
    """The record of an intent, as if another host process had made it."""
    return _HOST.sub("0" * 32, record)


def older(record: str, by: timedelta) -> str:
    """The record of an intent, or of what was fired, as if it were as much older: it is a text with times, and with the
    seconds that the kernel had been running."""
    text = _TIME.sub(lambda at: rfc3339(datetime.fromisoformat(at[0].replace("Z", "+00:00")) - by), record)
    return _UPTIME.sub(lambda seconds: f"{float(seconds[0]) - by.total_seconds():.2f}", text)


class Host:
    """One provider, configured for the emulator at `url`, and the inputs of one resource."""

    kinds: tuple[type[RunProvider[Any]], str, dict[str, Any]]

    def __init__(self, url: str, name: str = "run", **config: str | None) -> None:
        kind, type_, self.defaults = self.kinds
        self.url = url
        settings = {
            "tencentcloud:region": "ap-beijing",
            "tencentcloud:secretId": SECRET_ID,
            "tencentcloud:secretKey": SECRET_KEY,
            "runs:tencentEndpoint": url,
            "runs:startSeconds": "5",
            "runs:lagSeconds": "0",
        } | {key.replace("__", ":"): value for key, value in config.items()}
        self.provider = kind()
        given = {key: value for key, value in settings.items() if value is not None}
        self.provider.configure(ConfigureRequest(Config(given, "tests")))
        self.urn = f"urn:pulumi:test::tests::pulumi-python:dynamic/tencent:{type_}::{name}"

    def inputs(self, **changes: Any) -> dict[str, Any]:
        """What the program gives; a change to None leaves the argument out."""
        given = {**self.defaults, "resource_urn": self.urn, **changes, "__provider": PROVIDER}
        return wire({key: value for key, value in given.items() if value is not None})

    def intended(self, *, earlier: bool = False, **changes: Any) -> dict[str, Any]:
        """Inputs together with an intent made for them: by this process, or by an earlier one."""
        inputs = self.inputs(**changes)
        return inputs | {"intent": self.intent(inputs, earlier=earlier)}

    def intent(self, inputs: dict[str, Any], *, earlier: bool = False) -> str:
        kind = self.provider.kind
        asked = {
            "kind": kind.name,
            "run": self.urn,
            "arguments": {key: inputs[key] for key in kind.names if key in inputs},
            "triggers": inputs.get("triggers"),
        }
        record = str(dict(IntentProvider().create(wire(asked)).outs or {})["record"])
        return of_an_earlier_process(record) if earlier else record

    def check(self, inputs: dict[str, Any]) -> CheckResult:
        return self.provider.check({}, {"intent": UNKNOWN, **inputs})

    def problems(self, **changes: Any) -> dict[str, str]:
        """The failures of a check, reasons by property."""
        return failures(self.check(self.inputs(**changes)))

    def create(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        result = self.provider.create(dict(inputs))
        return result.id, self._out(result.outs, inputs)

    def fired(self, **changes: Any) -> tuple[str, dict[str, Any]]:
        return self.create(self.intended(**changes))

    def diff(self, id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return self.provider.diff(id, dict(olds), dict(news))

    def update(self, id: str, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        return self._out(self.provider.update(id, dict(olds), dict(news)).outs, news)

    def read(self, id: str, props: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        result = self.provider.read(id, dict(props))
        assert result.id is not None
        return result.id, self._out(result.outs, props)

    def delete(self, id: str, props: dict[str, Any]) -> None:
        self.provider.delete(id, dict(props))

    @staticmethod
    def _out(outs: dict[str, Any] | None, given: dict[str, Any]) -> dict[str, Any]:
        outs = dict(outs or {})
        outs["__provider"] = given["__provider"]
        return wire(outs)


class RunHost(Host):
    kinds = WorkflowRunProvider, "WorkflowRun", {"bucket": BUCKET, "workflow_id": WORKFLOW, "object": "a.mp4"}


class JobHost(Host):
    kinds = (
        InventoryJobProvider,
        "InventoryJob",
        {"bucket": BUCKET, "type": "Workflow", "workflow_ids": WORKFLOW, "input": {"prefix": "input"}},
    )


def failures(result: CheckResult) -> dict[str, str]:
    found = result.failures or []
    assert len({failure.property for failure in found}) == len(found), "one reason for each property"
    return {failure.property: failure.reason for failure in found}


def properties(provider: ResourceProvider, inputs: dict[str, Any]) -> list[str]:
    """The properties with failures, for inputs that the wire format cannot carry."""
    return [failure.property for failure in provider.check({}, inputs).failures or []]
