"""Fan-outs on the real engine: what the service saw, and what is on record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.engine.asks import fan
from tests.engine.interrupted import hosts, kill_after_start, mint_only, wait_until
from tests.engine.test_waiting_interrupted import Terminal, peak_megabytes
from tests.kits import KITS
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import BUCKET, Result, Stack, call, run

pytestmark = pytest.mark.engine

CI, OBS = "tencent.workflow", "huawei.workflow"
IMPORT = "from cloud_runs import Completion, Provider, huawei\n"
RECOVERY = 25
"""Requests at most that finding the runs of a killed fan-out of 1,000 objects takes."""


def many(count: int, first: int = 0) -> str:
    """Source of a list of objects, and not the list: a program of 10,000 lines is slow by itself."""
    return f"=[f'input/{{n:05}}.mp4' for n in range({first}, {first + count})]"


def scans(objects: Any, **arguments: Any) -> str:
    given = {"graph_name": "scan", "bucket": "demo-bucket", "objects": objects, "inputs": {"ratio": 2}, **arguments}
    return call("huawei.WorkflowFanOut", "scans", **given)


def objects(cloud: Emulator) -> dict[str, str]:
    """The runs of the service by object. Fails if an object has two."""
    runs = cloud.runs(CI)
    found = {str(run["request"]["query"]["object"]): str(run["id"]) for run in runs}
    assert len(found) == len(runs), Counter(str(run["request"]["query"]["object"]) for run in runs).most_common(3)
    return found


def ids(stack: Stack, name: str = "fan") -> dict[str, str]:
    return dict(stack.outputs(name)["instance_ids"])


def succeed(cloud: Emulator) -> None:
    for id in cloud.ids(CI):
        cloud.set_state(id, "Success")


@contextmanager
def going(stack: Stack, *source: str) -> Iterator[Result]:
    """An `up` that goes on while the test does something; its result is there afterwards."""
    if source:
        stack.program(*source)
    result = Result.__new__(Result)
    with ThreadPoolExecutor(1) as pool:
        up = pool.submit(stack.up, check=False)
        yield result
        vars(result).update(vars(up.result(timeout=200)))


@pytest.fixture
def stack(stack: Stack, cloud: Emulator) -> Stack:
    stack.configure(**KITS[OBS].settings(cloud.url))
    return stack


def test_the_life_of_a_fan_out(stack: Stack, cloud: Emulator) -> None:
    export = "pulumi.export('ids', fan.instance_ids)\npulumi.export('references', fan.references)\n"
    stack.up(fan(["a", "b"]), export)
    assert cloud.requests() == {CI: {"start": 2}}
    first = objects(cloud)
    assert ids(stack) == first
    outputs = stack.deployment()["resources"][0]["outputs"]
    assert outputs["ids"] == first
    assert outputs["references"] == {key: f"{CI}:ap-beijing:{BUCKET}:{id}" for key, id in first.items()}

    stack.refresh()
    assert cloud.count(CI, "start") == 2
    asked = cloud.requests()
    assert "3 unchanged" in stack.up(fan(["b", "a"], concurrency=3, rate=50), export).text
    assert cloud.requests() == asked

    added = fan(["c", "b", "a", "d"])
    preview = stack.preview(added, export)
    assert "nothing fires" not in preview.text
    assert "2 to update" in preview.text
    assert "replace" not in preview.text
    stack.up()
    assert cloud.count(CI, "start") == 4
    assert ids(stack) == objects(cloud)
    assert ids(stack).items() > first.items()

    stack.up(fan(["c", "b"]))
    assert set(ids(stack)) == {"b", "c"}
    assert cloud.count(CI, "start") == 4, "a removed object has no record, and its run goes on"
    stack.up(fan(["c", "b", "a"]))
    assert cloud.count(CI, "start") == 5, "it is asked for anew"
    stack.destroy()
    assert cloud.count(CI, "start") == 5


@pytest.mark.long
def test_an_object_for_which_a_replacement_was_refused_is_tried_again(stack: Stack, cloud: Emulator) -> None:
    """Its run of before the change is none that may have been started since."""
    stack.up(fan(["a", "b"], concurrency=1))
    cloud.fault(CI, "start", "status", status=404, code="NoSuchKey", message="not there")
    stack.up(fan(["a", "b"], concurrency=1, triggers={"r": 1}))
    assert sorted(stack.outputs("fan")["refused"]) == ["a"]
    stack.up()
    assert stack.outputs("fan")["refused"] == {}
    fired = [(run["request"]["query"]["object"], run["id"]) for run in cloud.runs(CI)]
    assert [key for key, _ in fired] == ["a", "b", "b", "a"]
    assert ids(stack) == dict(fired[2:])


@pytest.mark.long
def test_refused_objects_a_completion_over_them_and_the_next_up(stack: Stack, cloud: Emulator) -> None:
    done = call("Completion", "done", runs="=[run, fan]", poll_interval=1, timeout="60s")
    program = (IMPORT, run(object="x.mp4"), fan(list("abcdef"), concurrency=1))
    stack.up(IMPORT, run(object="x.mp4"))
    cloud.fault(CI, "start", "status", status=503, code="SlowDown", message="slower")
    cloud.fault(CI, "start", "drop_response")
    cloud.fault(CI, "start", "status", status=400, code="NoSuchKey", message="not there", times=2)
    with going(stack, *program, done) as result:
        wait_until(lambda: cloud.count(CI, "get") > 0)
        succeed(cloud)
    assert result.code != 0, "red, since two objects have no run"
    assert "2 of 7 runs did not succeed" in result.text
    assert (
        "WorkflowFanOut 'fan': 2 objects (c, d): failed: Tencent CI refused POST /triggerworkflow: 400 NoSuchKey"
        in result.text
    )
    outputs = stack.outputs("fan")
    assert outputs["counts"] == {"objects": 6, "started": 4, "refused": 2}
    assert sorted(outputs["refused"]) == ["c", "d"]
    assert {"x.mp4": stack.id("run"), **ids(stack)} == objects(cloud), "also that whose answer was lost"
    assert cloud.count(CI, "start") == 8
    assert "done" not in stack.resources()

    with going(stack) as result:
        wait_until(lambda: len(cloud.ids(CI)) == 7)
        succeed(cloud)
    assert result.code == 0, result
    assert {"x.mp4": stack.id("run"), **ids(stack)} == objects(cloud)
    outcomes = stack.outputs("done")["outcomes"]
    assert [found.get("object") for found in outcomes] == [None, *"abcdef"]
    assert {found["phase"] for found in outcomes} == {"succeeded"}
    sent = cloud.requests()
    assert "unchanged" in stack.up().text
    assert cloud.requests() == sent


def test_slow_down_slows_all_of_it_down(stack: Stack, cloud: Emulator) -> None:
    """The others wait as well, then they come one after the other, and none is lost."""
    cloud.fault(CI, "start", "status", status=503, code="SlowDown", message="slower", times=3)
    stack.up(fan(many(100)))
    assert ids(stack) == objects(cloud)
    assert len(ids(stack)) == 100
    assert cloud.count(CI, "start") == 103
    began = sorted(run["started_at"] for run in cloud.runs(CI))
    assert began[0][:19] < began[-1][:19], "not all in one moment"


@pytest.mark.long
@pytest.mark.parametrize("more", [pytest.param(False, marks=pytest.mark.long), True])
def test_a_killed_fan_out_of_a_thousand(stack: Stack, cloud: Emulator, more: bool) -> None:
    """In the first up, or in one that adds objects: each has one run, all are on record, and it took few requests."""
    if more:
        stack.up(fan(many(20)))
    process = stack.start(fan(many(1000), rate=150))
    wait_until(lambda: len(cloud.ids(CI)) >= 150)
    stack.kill()
    process.wait(timeout=30)
    before = len(cloud.ids(CI))
    assert before < 1000
    sent = cloud.requests()[CI]
    result = stack.up()
    assert ids(stack) == objects(cloud)
    assert len(ids(stack)) == 1000
    extra = sum(cloud.requests()[CI].values()) - sum(sent.values()) - (1000 - before)
    print(f"{before} of 1000 were started; {extra} requests to find them")
    assert extra <= RECOVERY
    assert f"found {before - (20 if more else 0)} runs that had been started: not fired again" in result.text
    sent = cloud.requests()[CI]
    stack.up()
    assert cloud.requests()[CI] == sent


def test_a_killed_fan_out_and_a_changed_trigger(stack: Stack, cloud: Emulator) -> None:
    """What was started is on no record then, so it is told."""
    lost = kill_after_start(stack, cloud, fan(["a", "b"], concurrency=1))
    told = stack.up(fan(["a", "b"], triggers={"r": 1})).text
    assert re.search(rf"an earlier up may have started {lost} .*: not recorded after this", told)
    assert "2 of 2 started" in told, "on its row"
    assert sorted(run["request"]["query"]["object"] for run in cloud.runs(CI)) == ["a", "a", "b"]
    assert sorted([lost, *ids(stack).values()]) == sorted(cloud.ids(CI))


@pytest.mark.long
def test_a_list_that_is_taken_back_by_an_up_that_is_killed_too(stack: Stack, cloud: Emulator) -> None:
    """What is on no record is told by the next one, once, and found when the object is put back."""
    stack.up(fan(["a"]))
    lost = kill_after_start(stack, cloud, fan(["a", "b"]))
    mint_only(stack, "fan", fan(["a"]))
    told = stack.up(fan(["a"])).text
    assert "not in the list any more are not recorded" in told
    assert "not in the list any more" not in stack.up(fan(["a"])).text
    stack.up(fan(["a", "b"]))
    assert ids(stack)["b"] == lost
    assert cloud.count(CI, "start") == 2


def test_ctrl_c_in_the_middle_records_what_was_fired(stack: Stack, cloud: Emulator) -> None:
    stack.program(fan(many(1000), rate=100))
    terminal = Terminal(stack)
    wait_until(lambda: len(cloud.ids(CI)) >= 100)
    terminal.ctrl_c()
    assert terminal.wait() != 0
    fired = objects(cloud)
    assert 100 <= len(fired) < 1000
    assert ids(stack) == fired
    refused = stack.outputs("fan")["refused"]
    assert len(refused) == 1000 - len(fired)
    assert set(refused.values()) == {"not sent: the update was interrupted"}
    stack.up(fan(many(1000)))
    assert ids(stack) == objects(cloud)
    assert len(ids(stack)) == 1000


@pytest.mark.long
def test_huawei(stack: Stack, cloud: Emulator) -> None:
    """Its list does not tell the object, so each run since then is asked for once."""

    def numbers(count: int) -> str:
        return f"=[f'/in/{{n}}.mp4' for n in range({count})]"

    stack.up(IMPORT, scans(numbers(5)))
    process = stack.start(IMPORT, scans(numbers(60), rate=10))
    wait_until(lambda: len(cloud.ids(OBS)) >= 10)
    stack.kill()
    process.wait(timeout=30)
    before = len(cloud.ids(OBS))
    assert before < 60
    sent = sum(cloud.requests()[OBS].values())
    done = call("Completion", "done", runs="=[scans]", poll_interval=1, timeout="60s")
    with going(stack, IMPORT, scans(numbers(60)), done) as result:
        wait_until(lambda: len(cloud.ids(OBS)) == 60)
        print(f"{before} of 60 were started; {sum(cloud.requests()[OBS].values()) - sent} requests")
        for id in cloud.ids(OBS):
            cloud.set_state(id, "SUCCESS")
    assert result.code == 0, result
    assert cloud.count(OBS, "start") == 60
    assert sorted(ids(stack, "scans").values()) == sorted(cloud.ids(OBS))
    assert stack.outputs("done")["succeeded"] == 60


@pytest.mark.long
def test_an_explicit_provider(stack: Stack, cloud: Emulator) -> None:
    """Its own host fires; the Completion must have the same one."""
    stack.configure(tencentcloud__secretKey="wrong" * 8)
    eu = f"eu = Provider('eu', tencent_secret_id={SECRET_ID!r}, tencent_secret_key={SECRET_KEY!r}, "
    eu += f"tencent_endpoint={cloud.url!r}, tencent_region='eu-frankfurt')\n"
    there = fan(["a", "b"], opts="=ResourceOptions(provider=eu)")
    refused = stack.up(IMPORT, eu, there, call("Completion", "done", runs="=[fan]"), check=False)
    assert refused.code != 0
    assert "WorkflowFanOut 'fan' has the provider 'eu', this Completion has the default" in refused.text
    done = call("Completion", "done", runs="=[fan]", timeout="1s", opts="=ResourceOptions(provider=eu)")
    stack.up(IMPORT, eu, there, done, check=False)
    assert ids(stack) == objects(cloud)
    assert stack.outputs("fan")["place"].startswith(f"{CI}:eu-frankfurt:")
    wrong = stack.up(IMPORT, fan(["a"], "wrong"), check=False)
    assert wrong.code != 0
    assert "nothing was fired: 1 object refused" in wrong.text
    assert "Traceback" not in wrong.text


@pytest.mark.long
def test_three_thousand(stack: Stack, cloud: Emulator) -> None:
    """Ten thousand are in `make bench`."""
    process = stack.start(fan(many(3000)))
    peak = peak_megabytes(lambda: hosts(stack), lambda: process.poll() is not None)
    assert process.returncode == 0
    assert ids(stack) == objects(cloud)
    print(f"peak {peak:.0f} MB")
    assert 0 < peak < 300
