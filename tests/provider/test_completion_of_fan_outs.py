"""`Completion` over fan-outs: each object is told, and what was refused counts as failed."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle import progress
from cloud_runs.lifecycle.reporting import RunError
from tests.provider.fan_stack import FanStack
from tests.provider.host import RUNS, RunHost
from tests.provider.test_completion import NOTHING, UPDATE, Host
from tests.support.emulator import Emulator

LABEL = "WorkflowFanOut 'fan'"


@pytest.fixture
def done(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(sys, "argv", ["host"])  # no engine, so none that could be gone
    return Host(cloud.url)


def given(fan: FanStack) -> dict[str, Any]:
    """What the resource hands over."""
    references = {key: fan.state["place"] + id for key, id in fan.ids.items()}
    return {"references": references, "refused": fan.refused}


def end(cloud: Emulator, word: str = "Success") -> None:
    for id in cloud.ids(RUNS):
        cloud.set_state(id, word)


def refuse(cloud: Emulator, count: int) -> None:
    cloud.fault(RUNS, "start", "status", status=400, code="NoSuchKey", message="not there", times=count)


def labels(*labels: str) -> dict[str, Any]:
    return {"labels": list(labels)}


def test_outcomes_are_in_the_order_of_the_runs_and_of_the_objects(done: Host, fan: FanStack, cloud: Emulator) -> None:
    fan.up(["c", "a", "b"])
    _, run = RunHost(cloud.url).fired(object="x.mp4")
    end(cloud)
    references = given(fan)["references"]
    outs = done.create(run["reference"], given(fan), [run["reference"]], **labels("run", LABEL, ""))
    told = [(found["reference"], found.get("object")) for found in outs["outcomes"]]
    assert told == [
        (run["reference"], None),
        *((references[key], key) for key in "abc"),
        (run["reference"], None),
    ]
    assert {found["phase"] for found in outs["outcomes"]} == {"succeeded"}
    assert (outs["succeeded"], outs["failed"]) == (4, 0)  # one is listed twice


def test_refused_objects_fail_the_up_after_all_others_have_ended(
    done: Host, fan: FanStack, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "tell", lambda urn, text: told.append(text))
    refuse(cloud, 2)
    fan.up(["a", "b", "c", "d"])
    (first, second) = cloud.ids(RUNS)
    cloud.set_state(first, "Success")
    cloud.set_state(second, "Failed", "AccessDenied", "no right")
    with pytest.raises(RunError) as error:
        done.create(given(fan), **labels(LABEL))
    head, *lines = str(error.value).splitlines()
    assert head.startswith(
        "Completion 'done': 3 of 4 runs did not succeed; the next `pulumi up` tries again what a fan"
    )
    same, other, _where = lines
    assert same.startswith(f"  {LABEL}: 2 objects (a, b): failed: "), "one refusal is told once"
    assert "NoSuchKey: not there" in same
    assert other.startswith(f"  {LABEL} object 'd': failed: ")
    assert "AccessDenied: no right" in other
    assert told[-1].startswith("1/4 done, 3 FAILED, ")


def test_with_continue_refused_objects_are_outcomes(done: Host, fan: FanStack, cloud: Emulator) -> None:
    refuse(cloud, 1)
    fan.up(["a", "b"])
    end(cloud)
    outs = done.create(given(fan), on_failure="continue", **labels(LABEL))
    refused, other = outs["outcomes"]
    assert (refused["object"], refused["reference"], refused["phase"]) == ("a", "", "failed")
    assert refused["message"] == fan.refused["a"]
    assert refused.keys() == other.keys() - {"duration"}
    assert (outs["succeeded"], outs["failed"]) == (1, 1)

    asked = cloud.count(RUNS, "get")
    fan.up(["a", "b"])
    end(cloud)
    again = done.update(outs, given(fan), **labels(LABEL))
    assert [found["phase"] for found in again["outcomes"]] == ["succeeded", "succeeded"]
    assert cloud.count(RUNS, "get") == asked + 1, "what succeeded before is not asked again"


def test_all_refused_asks_nothing(done: Host, cloud: Emulator) -> None:
    with pytest.raises(RunError, match="2 of 2 runs did not succeed"):
        done.create({"references": {}, "refused": {"a": "no", "b": "no"}}, **labels(LABEL))
    assert cloud.requests() == {}


def test_a_time_out_names_what_was_refused_as_well(done: Host, fan: FanStack, cloud: Emulator) -> None:
    refuse(cloud, 1)
    fan.up(["a", "b"])
    with pytest.raises(RunError) as error:
        done.create(given(fan), timeout=0.2, **labels(LABEL))
    assert f"{LABEL} object 'a': failed: " in str(error.value)
    assert f"{LABEL} object 'b': running" in str(error.value)


def test_many_failures_are_named_in_part(done: Host) -> None:
    refused = {f"{number:03}": f"no {number}" for number in range(200)}
    with pytest.raises(RunError) as error:
        done.create({"references": {}, "refused": refused}, **labels(LABEL))
    lines = str(error.value).splitlines()
    assert len(lines) == 53
    assert lines[-2:] == ["  and 150 more", "  See docs/errors.md#a-run-failed"]


def test_what_is_waited_for_again(done: Host, fan: FanStack, cloud: Emulator) -> None:
    fan.up(["a", "b"])
    end(cloud)
    outs = done.create(given(fan), **labels(LABEL))

    def diff(of: Any) -> Any:
        found = done.diff(outs, done.inputs(of, **labels(LABEL)))
        return found.changes, found.replaces

    assert diff(given(fan)) == NOTHING
    assert diff(dict(reversed(list(given(fan).items())))) == NOTHING
    assert diff(UNKNOWN) == UPDATE
    assert diff({"references": UNKNOWN, "refused": {}}) == UPDATE
    assert diff({**given(fan), "refused": {"c": "no"}}) == UPDATE
    fan.up(["a", "b", "c"])
    assert diff(given(fan)) == UPDATE


def test_references_alone(done: Host, fan: FanStack, cloud: Emulator) -> None:
    """As another stack exports them."""
    refuse(cloud, 1)
    fan.up(["a", "b", "references"])
    end(cloud)
    outs = done.create(given(fan)["references"], **labels(""))
    assert [found["object"] for found in outs["outcomes"]] == ["b", "references"]
    assert outs["failed"] == 0


@pytest.mark.parametrize("bad", ["x", 7, ["a"], "tencent.workflow:ap-beijing:media-1250000000:"])
def test_a_reference_that_is_none(done: Host, bad: Any) -> None:
    for runs in ({"a": bad}, {"references": {"a": bad}, "refused": {}}):
        ((name, reason),) = done.problems(runs, **labels(LABEL)).items()
        assert name == "runs[0]['a']"
        assert reason.startswith("is not a run, or a reference")
    assert done.problems({"references": {}, "refused": {"a": "no"}}, **labels(LABEL)) == {}


def test_what_is_kept_of_ten_thousand_objects(done: Host, cloud: Emulator) -> None:
    """The references are in the inputs; the outputs hold an outcome for each, and not the references once more."""
    refused = {f"input/folder/{number:06}.mp4": "no" for number in range(10_000)}
    outs = done.create({"references": {}, "refused": refused}, on_failure="continue", **labels(LABEL))
    assert len(outs["outcomes"]) == 10_000
    assert len(json.dumps(outs)) < 4_000_000
    assert len(json.dumps({**outs, "outcomes": []})) < 1000
