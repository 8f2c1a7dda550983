"""The resources of the campaigns: their source, and how the emulator's runs of their work are told apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.kits import FANS, KITS
from tests.kits.kit import Kit

SYSTEMS = tuple(KITS)
FANS_OUT = tuple(FANS)
"""The systems that have fan-outs."""
PARTS = 3
"""Objects of a new fan-out."""
CANCELS = tuple(name for name, kit in KITS.items() if kit.cancels)
"""The systems that have a call that stops a run."""
UNMARKED = tuple(name for name, kit in KITS.items() if not (kit.by_minute or kit.plain))
"""The systems in whose lists nothing is surely ours."""

_CASE = re.compile(r"(\d+)(?:/part-(\d+))?")

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
    resumes: bool = False
    """Its run goes on if it fails."""

    @property
    def kit(self) -> Kit:
        return KITS[self.system]

    @property
    def case(self) -> str:
        """Its work has this name."""
        return f"case-{self.number}"

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
        return f"{self.case}/part-{part}.mp4"

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
            return self.kit.fan(objects, self.name, **steering)
        asked = self.kit.work(self.case) | (self.kit.plain(self.case) if self.named and self.kit.plain else {})
        steering |= {"rerun_on_failure": "resume" if self.resumes else None}
        steering |= {"adopt_id": self.adopt_id, "on_delete": "cancel" if self.kit.cancels else None}
        return self.kit.source(self.name, **asked, **steering)

    def urn(self, stack: str, intent: bool = False) -> str:
        if intent:
            return f"urn:pulumi:{stack}::tests::pulumi-python:dynamic/runs:Intent::{self.name}-intent"
        return self.kit.urn(stack, self.name, bool(self.parts))


def place_of(run: dict[str, Any]) -> Place:
    """Whose work a run of the emulator does."""
    found = _CASE.search(KITS[run["system"]].work_of(run["request"]))
    assert found, f"no run of the campaign: {run['request']}"
    number, part = found.groups()
    return run["system"], f"{number}/{part}" if part else number
