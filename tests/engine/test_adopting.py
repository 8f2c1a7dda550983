"""README.md, "When does it run?", the row of `adopt_id`: a run that is there is verified and recorded, not fired."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.asks import FAN_OUT, RUN, Ask, problems
from tests.support.emulator import Emulator
from tests.support.stack import Stack, job, run

pytestmark = pytest.mark.engine

INVENTORY = "tencent.inventory"
EU = "from cloud_runs import Provider\neu = Provider('eu')\n"


def test_adopt_records_a_given_run(stack: Stack, cloud: Emulator) -> None:
    first, fan = Ask(RUN, "first"), Ask(FAN_OUT, "fan")
    stack.up(first.source(), fan.source(), job(name="demo"))
    id, ids, batch = stack.id("first-run"), fan.on_record(stack), stack.id("job")
    stack.destroy()
    adopting = [first.source(adopt_id=id), fan.source(adopt_ids=ids), job(name="demo", adopt_id=batch)]
    stack.up(*adopting)
    assert problems([first, fan], stack, cloud, 1) == {}
    assert stack.id("job") == batch
    assert stack.outputs("first-run")["provenance"] == stack.outputs("job")["provenance"] == "given"
    error = stack.up(first.source(triggers={"a": "1"}, adopt_id=id), *adopting[1:], check=False)
    assert error.code != 0
    assert "Remove adopt_id" in error.text
    stack.up(first.source(), fan.source(), job(name="demo"))
    assert problems([first, fan], stack, cloud, 1) == {}, "taking it away fires nothing"
    assert cloud.ids("tencent.inventory") == [stack.id("job")] == [batch]


@pytest.mark.long
def test_adopt_verifies_the_run_and_replaces_the_record(stack: Stack, cloud: Emulator) -> None:
    mine, twin, other = run(), run("twin"), run("other", object="other.mp4")
    stack.up(mine, twin, other)
    ids = cloud.ids()
    unknown = stack.up(run(adopt_id="i" + "0" * 32), twin, other, check=False)
    assert unknown.code != 0
    assert "no run" in unknown.text
    wrong = stack.up(run(adopt_id=stack.id("other")), twin, other, check=False)
    assert wrong.code != 0
    assert "object has another value" in wrong.text
    given = stack.id("twin")
    stack.up(run(adopt_id=given), other)
    assert stack.id() == given
    assert cloud.ids() == ids


@pytest.mark.long
def test_a_job_goes_to_a_resource_under_another_provider(stack: Stack, cloud: Emulator) -> None:
    """docs/reliability.md: each provider has a process of its own, so its former resource must leave it alone first."""
    stack.up(job("a", on_delete="cancel"))
    stack.up(job("a", on_delete="abandon"))
    id, name = stack.id("a"), stack.outputs("a")["name"]
    stack.up(EU, job("b", on_delete="cancel", name=name, adopt_id=id, opts="=ResourceOptions(provider=eu)"))
    assert stack.id("b") == id
    assert cloud.ids(INVENTORY) == [id]
    assert cloud.count(INVENTORY, "cancel") == 0


@pytest.mark.long
def test_forced_together_with_another_provider(stack: Stack, cloud: Emulator) -> None:
    """docs/reliability.md: nobody tells the other provider's process that this `up` has deleted the run."""
    stack.up(EU, run())
    id = stack.id()
    there = "=ResourceOptions(provider=eu)"
    assert f"found run {id}" in stack.up(EU, run(opts=there), flags=("--replace", stack.urn("run"))).text
    assert cloud.ids() == [stack.id()] == [id]
    stack.up(EU, run(opts=there, triggers={"release": 2}))
    assert cloud.ids() == [id, stack.id()]


@pytest.mark.long
@pytest.mark.parametrize("subject", [RUN, FAN_OUT])
def test_a_setting_of_long_ago_and_a_replacement_that_no_diff_tells_of(
    stack: Stack, cloud: Emulator, tmp_path: Path, subject: str
) -> None:
    """The run that it names was recorded, and replaced since."""
    ask, elsewhere = Ask(subject, "first"), Stack(tmp_path / "elsewhere", cloud)
    elsewhere.up(ask.source())
    for key, id in ask.on_record(elsewhere).items():
        path = f'runs:adopt["{ask.resource}"]' + (f'["{key}"]' if subject == FAN_OUT else "")
        stack.pulumi("config", "set", "--path", path, id, "-s", stack.name)
    trigger = "=ResourceOptions(replacement_trigger={!r})".format
    stack.up(ask.source(opts=trigger("1")))
    assert ask.on_record(stack) == ask.on_record(elsewhere)
    stack.up(ask.source(opts=trigger("1"), triggers={"v": 2}))
    assert problems([ask], stack, cloud, 2) == {}
    told = stack.up(ask.source(opts=trigger("2"), triggers={"v": 2})).text
    assert "a new one was requested since: it was left out" in told
    assert problems([ask], stack, cloud, 3) == {}
