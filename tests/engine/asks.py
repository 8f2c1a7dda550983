"""One ask of a row of the README's table "When does it run?": the same work as a run, or as a fan-out over two objects.

Both have one rule, so a row is tried with both, and many rows in one program: each has objects of its own, by which its
runs are told apart where they arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.kits import KITS
from tests.support.emulator import Emulator
from tests.support.stack import Stack

CI = "tencent.workflow"
KIT = KITS[CI]
"""Of all kinds; what the others have of their own is in test_every_kind.py and in a file each."""
RUN, FAN_OUT = "run", "fan-out"
BOTH = (RUN, FAN_OUT)
BLOCK = re.compile(r"\((\w+)\)\n +\[id=.*\]\n +\[urn=.*::(.*)\]\n((?: {6}.*\n)*)")
"""Of a preview with `--diff`: what is done to a resource, its name, and its arguments."""


def fan(objects: Any, name: str = "fan", /, **arguments: Any) -> str:
    """Source of a fan-out."""
    return KIT.fan(objects, name, **arguments)


@dataclass(frozen=True)
class Ask:
    subject: str
    row: str

    @property
    def resource(self) -> str:
        return f"{self.row}-{self.subject}"

    @property
    def objects(self) -> list[str]:
        return [f"{self.row}.mp4"] if self.subject == RUN else [f"{self.row}/{part}.mp4" for part in "ab"]

    def source(self, resource: str = "", /, **arguments: Any) -> str:
        """`resource` is another name for it."""
        name = resource or self.resource
        if self.subject == RUN:
            return KIT.source(name, **{"object": self.objects[0], **arguments})
        return fan(self.objects, name, **arguments)

    def on_record(self, stack: Stack, resource: str = "") -> dict[str, str]:
        """Ids by object."""
        outputs = stack.outputs(resource or self.resource)
        return dict(outputs["instance_ids"]) if self.subject == FAN_OUT else {self.objects[0]: outputs["instance_id"]}

    def urn(self, stack: Stack) -> str:
        return KIT.urn(stack.name, self.resource, self.subject == FAN_OUT)

    def intent(self, stack: Stack) -> str:
        return f"urn:pulumi:{stack.name}::tests::pulumi-python:dynamic/runs:Intent::{self.resource}-intent"


def asks(*rows: str, of: Iterable[str] = BOTH) -> list[Ask]:
    return [Ask(subject, row) for row in rows for subject in of]


def fired(cloud: Emulator) -> dict[str, list[str]]:
    """Ids of what was asked for, oldest first, by object."""
    found: dict[str, list[str]] = {}
    for one in cloud.runs(CI):
        found.setdefault(KIT.work_of(one["request"]), []).append(str(one["id"]))
    return found


def problems(
    wanted: Iterable[Ask], stack: Stack, cloud: Emulator, times: int, renamed: Mapping[Ask, str] | None = None
) -> dict[str, str]:
    """By resource: what is wrong, if each of its objects is to have been fired so many times, and its newest run is to
    be on record."""
    ids, found = fired(cloud), {}
    for ask in wanted:
        counts = {key: len(ids.get(key, ())) for key in ask.objects}
        if set(counts.values()) != {times}:
            found[ask.resource] = f"fired {counts}, not {times} times"
        elif times and ask.on_record(stack, (renamed or {}).get(ask, "")) != {k: ids[k][-1] for k in ask.objects}:
            found[ask.resource] = "its newest run is not on record"
    return found
