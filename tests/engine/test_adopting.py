"""README.md, "When does it run?", the row of `adopt_id`: a run that is there is verified and recorded, not fired."""

from __future__ import annotations

import pytest

from tests.engine.asks import FAN_OUT, RUN, Ask, problems
from tests.support.emulator import Emulator
from tests.support.stack import Stack, job, run

pytestmark = pytest.mark.engine


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
    assert "object is 'other.mp4', not 'a.mp4'" in wrong.text
    given = stack.id("twin")
    stack.up(run(adopt_id=given), other)
    assert stack.id() == given
    assert cloud.ids() == ids
