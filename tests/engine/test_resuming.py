"""`rerun_on_failure="resume"` on the real engine, for each kind whose service can: the same run goes on at its failed
step. What is asserted is what the emulator saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.interrupted import wait_until
from tests.engine.test_history import history
from tests.kits import IMPORT, KITS, RESUMING, settings
from tests.kits.kit import Kit
from tests.support.emulator import Emulator
from tests.support.stack import Stack, call

pytestmark = pytest.mark.engine


def one_now_all_long(kits: Iterable[Kit]) -> pytest.MarkDecorator:
    """tests/provider has each of them in `make test`."""
    first, *others = kits
    each = [first, *(pytest.param(kit, marks=pytest.mark.long) for kit in others)]
    return pytest.mark.parametrize("kit", each, ids=lambda kit: kit.name)


each_kit = one_now_all_long(RESUMING.values())


@pytest.fixture
def stack(stack: Stack, cloud: Emulator) -> Stack:
    stack.configure(**settings(cloud.url))
    return stack


def program(kit: Kit, *more: str, **arguments: Any) -> tuple[str, ...]:
    return IMPORT, kit.source("run", **{"rerun_on_failure": "resume", **arguments}), *more


def failed(stack: Stack, cloud: Emulator, kit: Kit, **arguments: Any) -> str:
    """A run that has failed; only the service knows."""
    stack.up(*program(kit, **arguments))
    cloud.set_state(stack.id(), kit.failure)
    return stack.id()


def sent(cloud: Emulator, kit: Kit) -> tuple[int, int]:
    """Starts, and calls that let a run go on."""
    return cloud.count(kit.name, "start"), cloud.count(kit.name, kit.resume)


def why(stack: Stack) -> tuple[list[tuple[str, str, str]], str]:
    """The attempts before, and why the one on record is."""
    _, _, last = stack.outputs()["fired"].partition("why=")
    told = [(one["id"], one["phase"], one["why"]) for one in stack.outputs()["history"]]
    return told, last.split()[0].replace("%20", " ")


def state(cloud: Emulator, id: str) -> str:
    return str(next(run["state"] for run in cloud.runs() if run["id"] == id)).lower()


@each_kit
def test_the_same_run_goes_on_once(stack: Stack, cloud: Emulator, kit: Kit) -> None:
    id = failed(stack, cloud, kit)
    stack.up()
    assert sent(cloud, kit) == (1, 0), "nobody has told the state yet"
    preview = stack.preview(flags=("--refresh",))
    assert "1 to update" in preview.text
    assert f"run {id} failed: an `up` lets it go on" in preview.text
    assert sent(cloud, kit) == (1, 0), "a preview sends nothing"
    stack.refresh()
    assert stack.outputs()["phase"] == "failed"
    assert sent(cloud, kit) == (1, 0), "nor does a refresh"
    seen = cloud.requests()[kit.name]
    stack.up()
    assert sent(cloud, kit) == (1, 1)
    assert cloud.requests()[kit.name]["get"] == seen["get"] + 1, "it was looked at first"
    assert (stack.id(), state(cloud, id)) == (id, "running")
    outputs = stack.outputs()
    assert (outputs["phase"], outputs["state"], outputs["finished_at"], outputs["tasks"]) == ("pending", "", "", [])
    assert why(stack) == ([(id, "failed", "first")], "resumed after failed")

    stack.up()
    stack.up(flags=("--refresh",))
    assert stack.outputs()["phase"] == "running"
    assert why(stack) == ([(id, "failed", "first")], "resumed after failed")
    cloud.set_state(id, kit.success)
    stack.up(flags=("--refresh",))
    assert stack.outputs()["phase"] == "succeeded"
    assert sent(cloud, kit) == (1, 1)
    code, out, _ = history(stack)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["run", "run"]
    assert "resumed after failed" in out.splitlines()[2]


@pytest.mark.long
@each_kit
def test_as_often_as_it_may_and_then_true_fires_a_new_one(stack: Stack, cloud: Emulator, kit: Kit) -> None:
    id = failed(stack, cloud, kit, max_attempts=2)
    stack.up(flags=("--refresh",))
    cloud.set_state(id, kit.failure)
    over = stack.up(flags=("--refresh",), check=False)
    assert over.code != 0
    assert f"run {id} failed after 2 attempts, and max_attempts is 2: nothing was fired" in over.text
    assert sent(cloud, kit) == (1, 1)
    stack.up(*program(kit, max_attempts=3, rerun_on_failure=True))
    assert sent(cloud, kit) == (2, 1)
    assert why(stack) == ([(id, "failed", "first"), (id, "failed", "resumed after failed")], "rerun after failed")
    assert stack.id() == cloud.ids()[-1] != id


@pytest.mark.long
@each_kit
def test_a_refusal_is_one_line_and_the_next_up_asks_again(stack: Stack, cloud: Emulator, kit: Kit) -> None:
    id = failed(stack, cloud, kit)
    cloud.fault(kit.name, kit.resume, "status", status=409, code="Conflict", message="not in this state")
    refused = stack.up(flags=("--refresh",), check=False)
    assert refused.code != 0
    assert f"WorkflowRun 'run': run {id} failed and was not resumed. Huawei" in refused.text
    assert "409 Conflict: not in this state" in refused.text
    assert "Traceback" not in refused.text
    assert (stack.outputs()["phase"], *why(stack)) == ("failed", [], "first")
    assert sent(cloud, kit) == (1, 1)
    stack.up()
    assert sent(cloud, kit) == (1, 2)
    assert why(stack) == ([(id, "failed", "first")], "resumed after failed")


@pytest.mark.long
@each_kit
def test_what_goes_on_already_is_not_asked(stack: Stack, cloud: Emulator, kit: Kit) -> None:
    """Somebody has let it go on in the console, since the refresh; and while it was asked, which is then refused."""
    id = failed(stack, cloud, kit)
    stack.refresh()
    cloud.set_state(id, "running")
    told = stack.up()
    assert sent(cloud, kit) == (1, 0)
    assert f"run {id} is running by now: it was not resumed" in told.text
    assert (stack.outputs()["phase"], *why(stack)) == ("running", [(id, "failed", "first")], "resumed after failed")

    cloud.set_state(id, kit.failure)
    cloud.fault(kit.name, kit.resume, "refused_but_ran", status=409, code="Conflict", message="not failed")
    stack.up(flags=("--refresh",))
    assert sent(cloud, kit) == (1, 1)
    assert stack.outputs()["phase"] == "running"
    assert len(why(stack)[0]) == 2


@pytest.mark.long
@each_kit
def test_a_lost_answer_is_settled_by_the_state_of_the_run(stack: Stack, cloud: Emulator, kit: Kit) -> None:
    id = failed(stack, cloud, kit)
    cloud.fault(kit.name, kit.resume, "drop_response")
    told = stack.up(flags=("--refresh",))
    assert sent(cloud, kit) == (1, 1)
    assert f"the answer was lost: run {id} is running, so it goes on" in told.text
    assert why(stack) == ([(id, "failed", "first")], "resumed after failed")

    cloud.set_state(id, kit.failure)
    cloud.fault(kit.name, kit.resume, "status", status=500, code="SYS.0001", message="internal")
    lost = stack.up(flags=("--refresh",), check=False)
    assert lost.code != 0
    assert f"Run {id} may go on: it was queried, and had not gone on yet" in lost.text
    assert sent(cloud, kit) == (1, 2), "it is not asked blindly again"
    stack.up()
    assert sent(cloud, kit) == (1, 3), "by the next up, which looks first"
    assert state(cloud, id) == "running"


@pytest.mark.parametrize("flags", [(), pytest.param(("--refresh",), marks=pytest.mark.long)], ids=["up", "refresh"])
@each_kit
def test_killed_after_it_was_sent(stack: Stack, cloud: Emulator, kit: Kit, flags: tuple[str, ...]) -> None:
    id = failed(stack, cloud, kit)
    cloud.fault(kit.name, kit.resume, "delay", seconds=60, after_effect=True)
    process = stack.start(flags=("--refresh",))
    wait_until(lambda: state(cloud, id) == "running")
    stack.kill()
    process.wait(timeout=30)
    assert (stack.outputs()["phase"], *why(stack)) == ("failed", [], "first")
    stack.up(flags=flags)
    assert sent(cloud, kit) == (1, 1)
    assert (stack.outputs()["phase"], *why(stack)) == ("running", [(id, "failed", "first")], "resumed after failed")
    stack.up(flags=("--refresh",))
    assert sent(cloud, kit) == (1, 1)


@pytest.mark.long
@pytest.mark.parametrize("kit", [kit for kit in RESUMING.values() if kit.otherwise], ids=lambda kit: kit.name)
def test_in_the_other_way_that_the_vendor_documents(
    tmp_path: Path, emulators: Callable[..., Emulator], kit: Kit
) -> None:
    """Once; with the answer lost; and killed after it was sent."""
    cloud = emulators(*kit.otherwise)
    cloud.reset()
    stack = Stack(tmp_path, cloud)
    stack.configure(**settings(cloud.url))
    id = failed(stack, cloud, kit)
    stack.up(flags=("--refresh",))
    stack.up(flags=("--refresh",))
    assert sent(cloud, kit) == (1, 1)
    assert why(stack) == ([(id, "failed", "first")], "resumed after failed")

    cloud.set_state(id, kit.failure)
    cloud.fault(kit.name, kit.resume, "drop_response")
    told = stack.up(flags=("--refresh",))
    assert f"the answer was lost: run {id} is running, so it goes on" in told.text
    assert sent(cloud, kit) == (1, 2)

    cloud.set_state(id, kit.failure)
    cloud.fault(kit.name, kit.resume, "delay", seconds=60, after_effect=True)
    process = stack.start(flags=("--refresh",))
    wait_until(lambda: state(cloud, id) == "running")
    stack.kill()
    process.wait(timeout=30)
    assert (stack.outputs()["phase"], stack.outputs()["finished_at"]) == ("failed", "")
    stack.up(flags=("--refresh",))
    stack.up(flags=("--refresh",))
    assert sent(cloud, kit) == (1, 3)
    assert (stack.id(), stack.outputs()["phase"], len(why(stack)[0])) == (id, "running", 3)


@pytest.mark.long
@each_kit
def test_a_completion_waits_again(stack: Stack, cloud: Emulator, kit: Kit) -> None:
    """Also one that has recorded the failure and let it pass."""
    done = call("Completion", "done", runs="=[run]", on_failure="continue", poll_interval=1, timeout="60s")
    id = failed(stack, cloud, kit)
    stack.up(*program(kit, done))
    assert (stack.outputs("done")["failed"], stack.outputs()["phase"]) == (1, "pending")
    process = stack.start(flags=("--refresh",))
    wait_until(lambda: cloud.count(kit.name, kit.resume) == 1)
    cloud.set_state(id, kit.success)
    assert process.wait(timeout=120) == 0
    assert (stack.outputs("done")["failed"], stack.outputs("done")["succeeded"]) == (0, 1)
    assert "unchanged" in stack.up().text
    assert sent(cloud, kit) == (1, 1)


@pytest.mark.long
@one_now_all_long(kit for kit in KITS.values() if not kit.resume)
def test_other_systems_refuse_it_before_anything_is_sent(stack: Stack, cloud: Emulator, kit: Kit) -> None:
    refused = stack.preview(*program(kit), check=False)
    assert refused.code != 0
    assert "rerun_on_failure" in refused.text
    assert "must be true or false, not 'resume'" in refused.text
    assert cloud.requests() == {}
