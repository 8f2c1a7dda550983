"""States that earlier versions made, with this version: nothing fires, and they can be refreshed and destroyed."""

from __future__ import annotations

import base64
import json
import pickletools
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import ResourceProvider

import cloud_runs  # noqa: F401 - so that all providers are known
from tests.support.emulator import Emulator, emulator
from tests.upgrades.kept import STATES, Kept, ids, resources

KEPT = sorted(STATES.glob("*.json"), key=lambda file: [int(part) for part in file.stem.split(".")])
PROVIDERS = {
    "cloud_runs.enos.flow_run.FlowRunProvider",
    "cloud_runs.huawei.dwr.workflow_run.WorkflowFanOutProvider",
    "cloud_runs.huawei.dwr.workflow_run.WorkflowRunProvider",
    "cloud_runs.huawei.workflow_run.WorkflowFanOutProvider",
    "cloud_runs.huawei.workflow_run.WorkflowRunProvider",
    "cloud_runs.lifecycle.completion_provider.CompletionProvider",
    "cloud_runs.lifecycle.intent.IntentProvider",
    "cloud_runs.tencent.inventory_job.InventoryJobProvider",
    "cloud_runs.tencent.workflow_run.WorkflowFanOutProvider",
    "cloud_runs.tencent.workflow_run.WorkflowRunProvider",
}
"""The classes that states refer to. The resources of a class that moves can no longer be refreshed or deleted."""


@pytest.fixture(params=KEPT, ids=lambda file: file.stem)
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text())


def providers(state: str) -> set[str]:
    """The classes behind the references in a state, by their names."""
    found = set()
    for resource in resources(state):
        if "dynamic/" in resource["type"]:
            reference = base64.b64decode(resource["inputs"]["__provider"])
            assert len(reference) < 120, "module and class, and nothing else"
            found.add(
                ".".join(argument for _, argument, _ in pickletools.genops(reference) if isinstance(argument, str))
            )
    return found


def test_each_provider_is_where_the_state_says(state: str) -> None:
    """Since 0.2. Those of 0.1 had a package of another name: the first `up` records the new names."""
    of_0_1 = {name for name in providers(state) if name.startswith("provider.")}
    assert providers(state) - of_0_1 <= PROVIDERS
    assert not of_0_1 or json.loads(state)["deployment"]["manifest"]


def leaves(kind: type) -> set[type]:
    return {leaf for below in kind.__subclasses__() for leaf in leaves(below)} or {kind}


def test_all_providers_are_known() -> None:
    """With a new one: put its resource into the program of this version, and keep a new state (make_state.py)."""
    ours = {f"{kind.__module__}.{kind.__qualname__}" for kind in leaves(ResourceProvider)}
    assert {name for name in ours if name.startswith("cloud_runs.")} == PROVIDERS


def starts(cloud: Emulator) -> int:
    return sum(counts.get("start", 0) for counts in cloud.requests().values())


def told(stack: Kept, output: str) -> set[Any]:
    """What the runs' resources say; a fan-out does not ask."""
    return {entry["outputs"][output] for entry in stack.resources().values() if output in entry["outputs"]}


@pytest.mark.engine
def test_runs_that_the_services_know(state: str, tmp_path: Path) -> None:
    """Another stack fires the same runs, and their ids take the places of those in the state."""
    with emulator("--run-seconds", "0") as cloud:
        new = Kept(tmp_path / "new", cloud, state=state)
        new.up()
        runs = ids(new.resources().values())
        for name, old in ids(resources(state)).items():
            state = state.replace(old, runs[name])
        stack = Kept(tmp_path / "kept", cloud, state=state)
        stack.load(state)
        sent = starts(cloud)
        stack.up()
        assert starts(cloud) == sent, "the first `up` records the new names and fires nothing"
        assert providers(stack.exported()) <= PROVIDERS
        stack.refresh()
        assert told(stack, "phase") == {"succeeded"}
        assert told(stack, "record_expired") == {False}
        stack.up()
        assert ids(stack.resources().values()) == runs
        assert starts(cloud) == sent
        stack.pulumi("config", "set", "release", "2", "-s", stack.name)
        stack.up()
        assert starts(cloud) == sent + 1, "a changed trigger fires as ever"
        assert cloud.ids()[-1] == stack.id("transcode")
        stack.destroy()
        assert starts(cloud) == sent + 1
        assert stack.resources() == {}


@pytest.mark.long
@pytest.mark.engine
def test_runs_that_the_services_have_forgotten(state: str, tmp_path: Path, cloud: Emulator) -> None:
    stack = Kept(tmp_path, cloud, state=state)
    stack.load(state)
    stack.up()
    stack.refresh()
    assert told(stack, "record_expired") == {True}
    stack.up()
    assert ids(stack.resources().values()) == ids(resources(state))
    stack.destroy()
    assert starts(cloud) == 0
