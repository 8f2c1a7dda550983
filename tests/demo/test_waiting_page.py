"""Every block of docs/waiting.md, run as it stands there, and its tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_runs import Completion
from cloud_runs.runs import Phase
from tests.demo.pages import ROOT, blocks, documented, stack_of_all_systems, up
from tests.engine.interrupted import wait_until
from tests.kits import KITS
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Stack, job, run

PAGE = "docs/waiting.md"
WAIT, AGAIN, COMMAND, OTHER = (block for _, block in blocks(PAGE))


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    """Runs go on for so long that one can be made to fail before."""
    with emulator("--run-seconds", "4") as running:
        yield running


@pytest.mark.long
@pytest.mark.engine
def test_it_waits_for_runs_of_every_system(tmp_path: Path, cloud: Emulator) -> None:
    stack = stack_of_all_systems(tmp_path, cloud)
    shown = up(stack, WAIT)
    assert re.search(r"\d/4 done, \d running, ", shown)
    outputs = stack.outputs("nightly")
    assert [found["phase"] for found in outputs["outcomes"]] == ["succeeded"] * 4
    assert stack.output() == {"instance_id": stack.id("transcode")}
    (row,) = re.findall(r"\| `outcomes` \| .*", (ROOT / PAGE).read_text())
    told = {name for found in outputs["outcomes"] for name in found}
    assert told == set(re.findall(r"`(\w+)`", row)) - {"outcomes", "runs"}
    before = cloud.requests()
    up(stack, WAIT.replace('timeout="2h"', 'timeout="1h", on_timeout="cancel"'))
    assert cloud.requests() == before


def test_its_arguments_and_outputs_are_in_the_tables() -> None:
    arguments = set(inspect.signature(Completion).parameters) - {"resource_name", "opts"}
    assert set(documented(PAGE, "## To wait")) == arguments | set(Completion.__annotations__)


@pytest.mark.long
@pytest.mark.engine
def test_a_pipeline_fires_again_what_failed(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    (stack.project / "__main__.py").write_text(AGAIN)
    first = stack.start()
    wait_until(lambda: bool(cloud.ids()))
    cloud.set_state(cloud.ids()[0], "Failed", "Broken", "it broke")
    assert first.wait(timeout=120) != 0
    assert len(cloud.ids()) == 1
    assert "WorkflowRun 'transcode': failed" in stack.up(check=False).text
    assert len(cloud.ids()) == 1, "without --refresh nothing is fired"
    stack.pulumi(*COMMAND.removeprefix("pulumi ").split(), "-s", stack.name)
    assert cloud.ids()[1:] == [stack.id("transcode"), stack.id("publish")]
    cloud.set_state(stack.id("publish"), "Success")
    both = 'object="index.json",\n    triggers={"of": transcode.reference},'
    (said,) = re.findall(r"`(triggers=\{.*\})`", (ROOT / PAGE).read_text())
    assert said in both
    (stack.project / "__main__.py").write_text(
        AGAIN.replace('object="index.json",', both).replace("rerun_on_failure=True", 'triggers={"release": "2"}')
    )
    stack.up()
    assert cloud.ids()[3:] == [stack.id("transcode"), stack.id("publish")]


@pytest.mark.engine
def test_it_waits_for_runs_of_another_stack(tmp_path: Path, cloud: Emulator) -> None:
    producer = Stack(tmp_path / "producer", cloud)
    exports = [
        f"pulumi.export('{name}_reference', {of}.reference)\n" for name, of in (("instance", "run"), ("job", "job"))
    ]
    producer.up(run(), job(), *exports)
    stack = Stack(tmp_path / "other", cloud, "other", producer.backend)
    up(stack, OTHER.replace("organization/media/dev", "organization/tests/test"))
    outcomes = stack.outputs("arrived")["outcomes"]
    assert [found["reference"] for found in outcomes] == [
        producer.outputs(name)["reference"] for name in ("run", "job")
    ]
    assert len(cloud.ids()) == 2


def test_the_states_are_those_of_the_code() -> None:
    section = (ROOT / PAGE).read_text().split("## What counts")[1].split("\n- ")[0]
    rows = {row[0]: row[1:] for line in section.splitlines() if (row := line.strip("|").split("|"))[0].startswith(" `")}
    known = {kit.resource: kit.words for kit in KITS.values()}
    assert [name.strip(" `") for name in rows] == list(known)
    columns = ({Phase.SUCCEEDED}, {Phase.FAILED}, {Phase.CANCELLED}, {Phase.PENDING, Phase.RUNNING})
    for phases, cells in zip(known.values(), rows.values(), strict=True):
        for kinds, cell in zip(columns, cells, strict=True):
            told = {word.upper() for word in re.findall(r"`(\w+)`", cell)}  # DWR's are read in any case
            assert told == {word.upper() for word, phase in phases.items() if phase in kinds}
