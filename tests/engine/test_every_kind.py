"""What holds for a run of each kind, and for a fan-out of each that can be fanned out, on the real engine. Fires are
counted where they arrive. The rows of README's table are tried with one kind, in test_when_it_runs.py."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engine.asks import BLOCK
from tests.engine.interrupted import wait_until
from tests.kits import FANS, IMPORT, KITS, settings
from tests.kits.kit import Kit
from tests.support.emulator import SECRET_KEY, Emulator
from tests.support.stack import Stack

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Asked:
    """One resource; its work is its own in its kind."""

    system: str
    fans: bool

    @property
    def kit(self) -> Kit:
        return KITS[self.system]

    @property
    def name(self) -> str:
        return f"{self.system.replace('.', '-')}-{'fan' if self.fans else 'run'}"

    @property
    def objects(self) -> list[str]:
        return ["case-2/part-0.mp4", "case-2/part-1.mp4"]

    def source(self, **changes: Any) -> str:
        if self.fans:
            return self.kit.fan(self.objects, self.name, **changes)
        return self.kit.source(self.name, **{**self.kit.work("case-1"), **changes})

    def ids(self, stack: Stack) -> list[str]:
        """On record."""
        return list(stack.outputs(self.name)["instance_ids"].values()) if self.fans else [stack.id(self.name)]


ALL = [*(Asked(system, False) for system in KITS), *(Asked(system, True) for system in FANS)]


@pytest.fixture
def stack(stack: Stack, cloud: Emulator) -> Stack:
    stack.configure(**settings(cloud.url))
    return stack


def started(cloud: Emulator) -> Counter[str]:
    return Counter(str(run["system"]) for run in cloud.runs())


def wanted(times: int) -> dict[str, int]:
    """How many runs there are by system if each ask was fired so often."""
    return {system: times * (1 + 2 * (system in FANS)) for system in KITS}


def test_each_fires_once_for_each_time_it_is_asked_for(stack: Stack, cloud: Emulator) -> None:
    stack.up(IMPORT, *(one.source() for one in ALL))
    assert started(cloud) == wanted(1)
    first = set(cloud.ids())
    assert first == {id for one in ALL for id in one.ids(stack)}
    runs = [one for one in ALL if not one.fans]
    assert {stack.outputs(one.name)["provenance"] for one in runs} == {"fired"}
    assert [stack.outputs(one.name)["reference"].partition(":")[0] for one in runs] == list(KITS)
    assert SECRET_KEY not in str(stack.resources())

    sent = cloud.requests()
    assert "unchanged" in stack.up().text
    assert cloud.requests() == sent, "an unchanged up sends nothing"
    stack.refresh()
    assert {stack.outputs(one.name)["phase"] for one in runs} <= {"pending", "running"}
    stack.up(flags=("--refresh",))
    assert set(cloud.ids()) == first

    sent = cloud.requests()
    preview = stack.preview(IMPORT, *(one.source(**one.kit.another) for one in ALL), flags=("--diff",)).text
    does = {name: what for what, name, _ in BLOCK.findall(preview)}
    assert {does[one.name] for one in ALL} == {"replace"}
    assert cloud.requests() == sent, "a preview sends nothing"
    stack.up()
    assert started(cloud) == wanted(2)
    assert set(cloud.ids()) - first == {id for one in ALL for id in one.ids(stack)}
    stack.up()
    assert started(cloud) == wanted(2)

    states = {run["id"]: run["state"] for run in cloud.runs()}
    sent = cloud.requests()
    stack.destroy()
    assert cloud.requests() == sent
    assert {run["id"]: run["state"] for run in cloud.runs()} == states, "they go on"


@pytest.mark.long
def test_a_lost_answer_is_found(stack: Stack, cloud: Emulator) -> None:
    runs = [one for one in ALL if not one.fans]
    for one in runs:
        cloud.fault(one.system, "start", "drop_response")
    stack.up(IMPORT, *(one.source() for one in runs))
    assert started(cloud) == dict.fromkeys(KITS, 1)
    for one in runs:
        assert stack.outputs(one.name)["provenance"] == "found"
        assert one.ids(stack) == cloud.ids(one.system)


def test_a_refusal_is_one_line_and_the_next_up_tries_again(stack: Stack, cloud: Emulator) -> None:
    runs = [one for one in ALL if not one.fans]
    for one in runs:
        cloud.fault(one.system, "start", "status", status=403, code=one.kit.denied, message="no right to it")
    failed = stack.up(IMPORT, *(one.source() for one in runs), flags=("--continue-on-error",), check=False)
    assert failed.code != 0
    assert cloud.runs() == []
    assert "Traceback" not in failed.text
    for one in runs:
        label = f"{one.kit.kind.label} {one.name!r}"
        (line, *_) = [line for line in failed.text.splitlines() if f"{label}: " in line]
        assert "403" in line
        assert "no right to it" in line
    stack.up()
    assert started(cloud) == dict.fromkeys(KITS, 1)


@pytest.mark.parametrize("system", [name for name, kit in KITS.items() if kit.cancels])
def test_destroy_with_cancel_stops_the_run(stack: Stack, cloud: Emulator, system: str) -> None:
    one = Asked(system, False)
    stack.up(IMPORT, one.source(on_delete="cancel"))
    (id,) = one.ids(stack)
    stack.destroy()
    assert [(run["id"], run["state"]) for run in cloud.runs(system)] == [(id, one.kit.cancelled)]


def test_one_that_goes_on_is_not_joined_by_another(stack: Stack, cloud: Emulator) -> None:
    """`if_running`: skipped, forbidden, and fired once the recorded run has ended."""
    runs = [one for one in ALL if not one.fans]

    def asked(policy: str) -> list[str]:
        return [IMPORT, *(one.source(if_running=policy, **one.kit.another) for one in runs)]

    stack.up(IMPORT, *(one.source() for one in runs))
    first = {one: stack.id(one.name) for one in runs}
    skipped = stack.up(*asked("skip")).text
    for one, id in first.items():
        assert f"nothing was fired: run {id} is" in skipped
        assert stack.id(one.name) == id
    forbidden = stack.up(*asked("forbid"), check=False)
    assert forbidden.code != 0
    assert any(f"run {id} is" in forbidden.text for id in first.values()), "the engine stops at the first of them"
    assert "if_running is 'forbid'. Nothing was fired or d" in forbidden.text
    assert {one: stack.id(one.name) for one in runs} == first, "all are on record"
    assert started(cloud) == dict.fromkeys(KITS, 1)
    for one, id in first.items():
        cloud.set_state(id, one.kit.success)
    stack.up(*asked("forbid"))
    assert started(cloud) == dict.fromkeys(KITS, 2)
    assert {one: [past["id"] for past in stack.outputs(one.name)["history"]] for one in runs} == {
        one: [id] for one, id in first.items()
    }


def test_one_that_goes_on_is_waited_for(stack: Stack, cloud: Emulator) -> None:
    runs = [one for one in ALL if not one.fans]
    stack.up(IMPORT, *(one.source() for one in runs))
    first = {one: stack.id(one.name) for one in runs}
    looked = {one: cloud.count(one.system, "get") for one in runs}
    waiting = [one.source(if_running="wait", **one.kit.another) for one in runs]
    with stack.start(IMPORT, *waiting) as process:
        for one, id in first.items():  # the host makes four at a time
            wait_until(lambda one=one: cloud.count(one.system, "get") > looked[one])  # type: ignore[misc]
            assert len(cloud.ids(one.system)) == 1
            cloud.set_state(id, one.kit.success)
        assert process.wait(timeout=120) == 0
    assert started(cloud) == dict.fromkeys(KITS, 2)
    assert all(stack.id(one.name) not in first.values() for one in runs)


@pytest.mark.long
def test_after_a_kill_while_it_was_waited_for_it_is_not_joined_by_another(stack: Stack, cloud: Emulator) -> None:
    one = next(one for one in ALL if not one.fans)
    stack.up(IMPORT, one.source())
    first = stack.id(one.name)
    waiting = one.source(if_running="wait", **one.kit.another)
    for kills in (True, False):
        looked = cloud.count(one.system, "get")
        with stack.start(IMPORT, waiting) as process:
            wait_until(lambda at=looked: cloud.count(one.system, "get") > at)  # type: ignore[misc]
            assert cloud.ids(one.system) == [first]
            if kills:
                stack.kill()
                process.wait(timeout=60)
            else:
                cloud.set_state(first, one.kit.success)
                assert process.wait(timeout=120) == 0
    assert len(cloud.ids(one.system)) == 2
    assert stack.id(one.name) == cloud.ids(one.system)[-1]
    assert [past["id"] for past in stack.outputs(one.name)["history"]] == [first]
