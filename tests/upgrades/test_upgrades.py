"""States that earlier versions made, with this version: nothing fires, and they can be refreshed and destroyed."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import pytest

from tests.support.emulator import Emulator, emulator
from tests.upgrades.kept import STATES, Kept, ids

KEPT = sorted(STATES.glob("*.json"), key=lambda file: [int(part) for part in file.stem.split(".")])
PROVIDERS = {
    "provider.enos.flow_run.FlowRunProvider",
    "provider.huawei.workflow_run.WorkflowRunProvider",
    "provider.lifecycle.completion_provider.CompletionProvider",
    "provider.lifecycle.intent.IntentProvider",
    "provider.tencent.inventory_job.InventoryJobProvider",
    "provider.tencent.workflow_run.WorkflowRunProvider",
}
"""The classes that states refer to. The resources of a class that moves can no longer be refreshed or deleted."""


@pytest.fixture(params=KEPT, ids=lambda file: file.stem)
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text())


def providers(state: str) -> set[str]:
    """The classes behind the references in a state. Raises if one is not where it was."""
    found = set()
    for resource in json.loads(state)["deployment"]["resources"]:
        if "dynamic/" in resource["type"]:
            reference = base64.b64decode(resource["inputs"]["__provider"])
            assert len(reference) < 120, "module and class, and nothing else"
            kind = type(pickle.loads(reference))
            found.add(f"{kind.__module__}.{kind.__qualname__}")
    return found


def test_each_provider_is_where_the_state_says(state: str) -> None:
    assert providers(state) <= PROVIDERS


def test_the_newest_state_has_all_providers() -> None:
    assert providers(KEPT[-1].read_text()) == PROVIDERS, "python -m tests.upgrades.make_state"


def starts(cloud: Emulator) -> int:
    return sum(counts.get("start", 0) for counts in cloud.requests().values())


@pytest.mark.engine
def test_runs_that_the_services_know(state: str, tmp_path: Path) -> None:
    """Another stack fires the same runs, and their ids take the places of those in the state."""
    with emulator("--run-seconds", "0") as cloud:
        new = Kept(tmp_path / "new", cloud)
        new.up()
        runs = {name: new.id(name) for name in ids(state)}
        for name, old in ids(state).items():
            state = state.replace(old, runs[name])
        stack = Kept(tmp_path / "kept", cloud)
        stack.load(state)
        sent = starts(cloud)
        stack.refresh()
        assert {stack.outputs(name)["phase"] for name in runs} == {"succeeded"}
        assert not any(stack.outputs(name)["record_expired"] for name in runs)
        stack.up()
        assert {name: stack.id(name) for name in runs} == runs
        assert starts(cloud) == sent
        stack.pulumi("config", "set", "release", "2", "-s", stack.name)
        stack.up()
        assert starts(cloud) == sent + 1, "a changed trigger fires as ever"
        assert cloud.ids()[-1] == stack.id("transcode")
        stack.destroy()
        assert starts(cloud) == sent + 1
        assert stack.resources() == {}


@pytest.mark.engine
def test_runs_that_the_services_have_forgotten(state: str, tmp_path: Path, cloud: Emulator) -> None:
    stack = Kept(tmp_path, cloud)
    stack.load(state)
    stack.refresh()
    runs = ids(state)
    assert all(stack.outputs(name)["record_expired"] for name in runs)
    stack.up()
    assert {name: stack.id(name) for name in runs} == runs
    stack.destroy()
    assert starts(cloud) == 0
