"""The resources of the campaigns: their source, and how the emulator's runs of their work are told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.support.stack import BUCKET, WORKFLOW, call

SYSTEMS = ("tencent.workflow", "tencent.inventory", "huawei.workflow", "enos.flow")
CANCELS = ("tencent.inventory", "enos.flow")
"""The systems that have a call that stops a run."""
IMPORT = "from cloud_runs import enos, huawei\n"

_CASE = re.compile(r'case-(\d+)|"flowId":\s*(\d+)')
_CLASSES = {
    "tencent.workflow": "tencent.WorkflowRun",
    "tencent.inventory": "tencent.InventoryJob",
    "huawei.workflow": "huawei.WorkflowRun",
    "enos.flow": "enos.FlowRun",
}


@dataclass
class Work:
    """One resource, whose work no other resource of the campaign has. `number` is unique in its system.

    A generated name proves that a job is ours, and nobody else can have it; so a job that others are to start as well
    is `named`.
    """

    system: str
    number: int
    trigger: int = 1
    adopt_id: str | None = None
    named: bool = False

    @property
    def name(self) -> str:
        return f"{self.system.replace('.', '-')}-{self.number}"

    def source(self) -> str:
        case = f"case-{self.number}"
        steering: dict[str, Any] = {
            "triggers": {"n": self.trigger},
            "adopt_id": self.adopt_id,
            "on_delete": "cancel" if self.system in CANCELS else None,
        }
        asked: dict[str, dict[str, Any]] = {
            "tencent.workflow": {"bucket": BUCKET, "workflow_id": WORKFLOW, "object": f"{case}.mp4"},
            "tencent.inventory": {
                "bucket": BUCKET,
                "workflow_ids": WORKFLOW,
                "input": {"prefix": f"{case}/"},
                "name": case if self.named else None,
            },
            "huawei.workflow": {"graph_name": "scan", "bucket": "demo-bucket", "object": f"{case}.mp4"},
            "enos.flow": {"flow_id": self.number},
        }
        return call(_CLASSES[self.system], self.name, **asked[self.system], **steering)

    def urn(self, stack: str, intent: bool = False) -> str:
        kind = _CLASSES[self.system].replace(".", ":")
        kind, name = ("runs:Intent", f"{self.name}-intent") if intent else (kind, self.name)
        return f"urn:pulumi:{stack}::tests::pulumi-python:dynamic/{kind}::{name}"


def number_of(run: dict[str, Any]) -> int:
    """Whose work a run of the emulator does."""
    request = run["request"]
    found = _CASE.search(f"{request['query']} {request['body']}")
    assert found, f"no run of the campaign: {request}"
    return int(found[1] or found[2])
