"""The resources of the campaigns: their source, and how the emulator's runs of their work are told apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.stack import BUCKET, WORKFLOW, call

SYSTEMS = ("tencent.workflow", "tencent.inventory", "huawei.workflow", "enos.flow")
FANS_OUT = ("tencent.workflow", "huawei.workflow")
"""The systems that have fan-outs."""
PARTS = 3
"""Objects of a new fan-out."""
CANCELS = ("tencent.inventory", "enos.flow")
"""The systems that have a call that stops a run."""
IMPORT = "from cloud_runs import Provider, enos, huawei\n"

_CASE = re.compile(r'case-(\d+)(?:/part-(\d+))?|"flowId":\s*(\d+)')
_CLASSES = {
    "tencent.workflow": "tencent.WorkflowRun",
    "tencent.inventory": "tencent.InventoryJob",
    "huawei.workflow": "huawei.WorkflowRun",
    "enos.flow": "enos.FlowRun",
}


Place = tuple[str, str]
"""A system, and whose work a run of it does: a number, of an object of a fan-out `number/part`."""


@dataclass
class Work:
    """One resource, whose work no other resource of the campaign has. `number` is unique in its system. With `parts` it
    is a fan-out over so many objects, each of which is an ask of its own.

    A generated name proves that a job is ours, and nobody else can have it; so a job that others are to start as well
    is `named`.
    """

    system: str
    number: int
    trigger: int = 1
    adopt_id: str | None = None
    named: bool = False
    parts: int = 0
    adopt_ids: dict[int, str] = field(default_factory=dict)
    """By part."""
    out: set[int] = field(default_factory=set)
    """Parts that are not in the list for now."""
    provider: str = ""
    """The variable of an explicit one, which has a host process of its own."""
    renamed: int = 0
    """How often."""
    former: str = ""
    """Its name before, as an alias."""
    gone: bool = False
    """It is not in the program any more."""

    @property
    def name(self) -> str:
        kind = f"{self.system.replace('.', '-')}-{'fan-' if self.parts else ''}{self.number}"
        return kind + (f"-n{self.renamed}" if self.renamed else "")

    def rename(self, *, alias: bool) -> None:
        self.former = self.name if alias else ""
        self.renamed += 1

    @property
    def kind(self) -> str:
        """For the report."""
        return f"{self.system} fan-out" if self.parts else self.system

    @property
    def asks(self) -> dict[str, Place]:
        if not self.parts:
            return {self.name: (self.system, str(self.number))}
        return {self.ask_of(part): (self.system, f"{self.number}/{part}") for part in range(self.parts)}

    def ask_of(self, part: int) -> str:
        return f"{self.name}[{part}]"

    def object_of(self, part: int) -> str:
        return f"case-{self.number}/part-{part}.mp4"

    def recorded(self, entry: Mapping[str, Any]) -> dict[str, str]:
        """Ids on record by ask, from the resource's entry in the state."""
        if not self.parts:
            return {self.name: str(entry.get("id", ""))}
        ids = entry.get("outputs", {}).get("instance_ids", {})
        return {self.ask_of(part): str(ids.get(self.object_of(part), "")) for part in range(self.parts)}

    def refused(self, entry: Mapping[str, Any]) -> dict[int, str]:
        """Why parts of a fan-out have no run, though the `up` has succeeded."""
        told = entry.get("outputs", {}).get("refused", {})
        return {part: told[self.object_of(part)] for part in range(self.parts) if self.object_of(part) in told}

    def source(self) -> str:
        if self.gone:
            return ""
        steering: dict[str, Any] = {"triggers": {"n": self.trigger}}
        options = [f"provider={self.provider}"] if self.provider else []
        options += [f"aliases=[Alias(name={self.former!r})]"] if self.former else []
        if options:
            steering["opts"] = f"=ResourceOptions({', '.join(options)})"
        if self.parts:
            objects = [self.object_of(part) for part in range(self.parts) if part not in self.out]
            adopted = {self.object_of(part): id for part, id in self.adopt_ids.items()}
            steering |= {"objects": objects, "adopt_ids": adopted or None, "concurrency": 2}
            place = {
                "tencent.workflow": {"bucket": BUCKET, "workflow_id": WORKFLOW},
                "huawei.workflow": {"graph_name": "scan", "bucket": "demo-bucket"},
            }
            kind = _CLASSES[self.system].replace("Run", "FanOut")
            return call(kind, self.name, **place[self.system], **steering)
        case = f"case-{self.number}"
        steering |= {"adopt_id": self.adopt_id, "on_delete": "cancel" if self.system in CANCELS else None}
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
        kind = kind.replace("Run", "FanOut") if self.parts else kind
        kind, name = ("runs:Intent", f"{self.name}-intent") if intent else (kind, self.name)
        return f"urn:pulumi:{stack}::tests::pulumi-python:dynamic/{kind}::{name}"


def place_of(run: dict[str, Any]) -> Place:
    """Whose work a run of the emulator does."""
    request = run["request"]
    found = _CASE.search(f"{request['query']} {request['body']}")
    assert found, f"no run of the campaign: {request}"
    number, part, flow = found.groups()
    return run["system"], flow or (f"{number}/{part}" if part else number)
