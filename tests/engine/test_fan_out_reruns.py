"""Fan-outs with `rerun_on_failure` on the real engine: what the service saw, and what is on record."""

from __future__ import annotations

import pytest

from tests.engine.asks import CI, FAN_OUT, Ask, fired
from tests.engine.interrupted import kill_after_start
from tests.kits import KITS
from tests.support.emulator import Emulator
from tests.support.stack import Stack

pytestmark = pytest.mark.engine

RERUN = {"rerun_on_failure": True, "concurrency": 1}
ASK = Ask(FAN_OUT, "r")
A, B = ASK.objects
REFRESH = ("--refresh",)


def fails(stack: Stack, cloud: Emulator, *objects: str) -> None:
    for key in objects:
        cloud.set_state(ASK.on_record(stack)[key], "Failed", "Odd", "it broke")


def test_what_failed_is_fired_again_once_each_and_a_killed_up_is_found(stack: Stack, cloud: Emulator) -> None:
    """The refresh of the `up` that is killed is on record by the time that it fires."""
    stack.up(ASK.source(**RERUN))
    (first,), (other,) = fired(cloud).values()
    fails(stack, cloud, A)
    cloud.set_state(other, "Success")
    preview = stack.preview(flags=REFRESH)
    assert "1 to update" in preview.text
    assert fired(cloud) == {A: [first], B: [other]}

    lost = kill_after_start(stack, cloud, flags=REFRESH)
    since = stack.outputs(ASK.resource)["failed"]
    assert list(since) == [A], "what a refresh has read is written before the same `up` changes anything"
    assert fired(cloud) == {A: [first, lost], B: [other]}
    found = stack.up(flags=REFRESH).text
    assert "1 succeeded, 1 failed; 1 object (r/a.mp4): task Transcode_1: Odd: it broke" in found
    assert "found 1 run that had been started: not fired again" in found
    assert fired(cloud) == {A: [first, lost], B: [other]}, "not fired again"
    assert ASK.on_record(stack) == {A: lost, B: other}
    outputs = stack.outputs(ASK.resource)
    assert outputs["failed"] == {}
    ((told,),) = outputs["history"].values()
    assert (told["id"], told["phase"], told["why"]) == (first, "failed", "first")
    sent = cloud.count(CI, "start")
    assert "unchanged" in stack.up().text
    stack.up(flags=REFRESH)
    assert cloud.count(CI, "start") == sent


@pytest.mark.long
def test_as_often_as_it_may_and_an_error_says_so(stack: Stack, cloud: Emulator) -> None:
    stack.up(ASK.source(**RERUN, max_attempts=2))
    fails(stack, cloud, A)
    assert "1 of 1 started: rerun after failed" in stack.up(flags=REFRESH).text
    fails(stack, cloud, A, B)
    told = stack.up(flags=REFRESH).text
    assert {key: len(ids) for key, ids in fired(cloud).items()} == {A: 2, B: 2}
    assert "object r/a.mp4 failed after 2 attempts, and max_attempts is 2: not fired again" in told
    sent = cloud.count(CI, "start")
    over = stack.up(check=False)
    assert over.code != 0
    assert f"error: RunError: WorkflowFanOut {ASK.resource!r}: object r/a.mp4 failed after 2 attempts" in over.text
    stack.refresh()
    assert cloud.count(CI, "start") == sent
    stack.up(ASK.source(**RERUN))
    assert {key: len(ids) for key, ids in fired(cloud).items()} == {A: 3, B: 2}


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, kit in KITS.items() if kit.fan_out])
def test_each_kind(stack: Stack, cloud: Emulator, name: str) -> None:
    """A refresh, and an `up` that is killed while it fires again what failed: the next one finds that."""
    kit = KITS[name]
    stack.configure(**kit.settings(cloud.url))
    objects = [kit.arguments["object"], "b" + kit.arguments["object"]]
    stack.up("from cloud_runs import huawei\n", kit.fan(objects, "fan", **RERUN))
    first, other = cloud.ids(name)
    cloud.set_state(first, kit.failure)
    stack.refresh()
    lost = kill_after_start(stack, cloud, system=name)
    stack.up()
    assert cloud.ids(name) == [first, other, lost]
    assert sorted(stack.outputs("fan")["instance_ids"].values()) == sorted([other, lost])
    assert stack.outputs("fan")["failed"] == {}
    assert "unchanged" in stack.up().text
