"""What `cloud-runs check` says of places, against the emulator, and of workflows, clocks and engines in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from cloud_runs.runs import Workflow
from cloud_runs.status import checking, planned
from cloud_runs.status.asking import Askers
from cloud_runs.status.checking import Found, Line
from cloud_runs.status.planned import Planned
from cloud_runs.status.recorded import Records
from tests.demo.pages import ROOT
from tests.kits import KITS
from tests.kits.kit import Kit
from tests.status.exports import place
from tests.support.emulator import Emulator, emulator

EACH = pytest.mark.parametrize("kit", KITS.values(), ids=KITS)


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with emulator() as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Emulator) -> Emulator:
    running.reset()
    running.drop_faults()
    return running


def told(kit: Kit, settings: Mapping[str, str]) -> list[Line]:
    """Of the place of the kit's arguments, without the clock."""
    askers = Askers(Records("", (), (), (), {}), settings)
    run = Planned("one", kit.kind, kit.arguments, "")
    lines = list(checking._place(askers, ("", place(kit)), [run]))
    return [line for line in lines if line.what != "clock"]


@EACH
def test_all_is_well_and_nothing_is_fired(kit: Kit, cloud: Emulator) -> None:
    first, *workflows = told(kit, kit.settings(cloud.url))
    assert (first.found, first.said) == (Found.OK, "the keys are right, and may query runs")
    assert first.what.startswith(kit.name)
    assert [line.found for line in workflows] == [Found.OK]
    assert cloud.runs(origin=None) == []
    assert all(counts.get("start", 0) == 0 for counts in cloud.requests().values())


@EACH
def test_a_key_that_is_wrong_or_missing(kit: Kit, cloud: Emulator) -> None:
    settings = kit.settings(cloud.url)
    secret = kit.kind.vendor.secret
    given = next(key for key in secret.keys if key in settings)
    (wrong,) = told(kit, {**settings, given: "wrong-and-not-told"})
    assert (wrong.found, wrong.what) == (Found.WRONG, "one")
    assert given in wrong.said, "where the key is from"
    assert "wrong-and-not-told" not in wrong.said
    (missing,) = told(
        kit, {key: value for key, value in settings.items() if key not in kit.kind.vendor.keys[0].keys + secret.keys}
    )
    assert (missing.found, "credentials: set" in missing.said) == (Found.WRONG, True)


@pytest.mark.parametrize("step", [1, -1])
def test_each_run_of_a_workflow_is_told_what_it_lacks(cloud: Emulator, step: int) -> None:
    kit = KITS["huawei.dwr"]
    needs = {"name": "scan", "definition": {"inputs": [{"parameter_name": "needed"}]}}
    cloud.fault(kit.name, "workflow", "body", body=json.dumps(needs), times=9)
    gives = {**kit.arguments, "inputs": {"needed": 1}}
    runs = [Planned("lacks", kit.kind, kit.arguments, ""), Planned("gives", kit.kind, gives, "")][::step]
    runs += [Planned("of-another", kit.kind, {**gives, "object": "b.mp4"}, "")]
    askers = Askers(Records("", (), (), (), {}), kit.settings(cloud.url))
    lines = [
        line
        for line in checking._place(askers, ("", place(kit)), runs)
        if line.what in ("lacks", "gives", "of-another")
    ]
    assert {line.what: line.found for line in lines} == {"lacks": Found.WRONG, "gives": Found.OK}
    assert cloud.count(kit.name, "workflow") == 2, "one for what is the same but for the object"


def test_a_bucket_that_is_not_bound_and_a_service_that_is_out_of_order(cloud: Emulator) -> None:
    kit = KITS["tencent.workflow"]
    cloud.fault(kit.name, "find", "status", status=400, code="MediaBucketUnBinded", message="not bound")
    (unbound,) = told(kit, kit.settings(cloud.url))
    assert unbound.found is Found.WRONG
    assert "400 MediaBucketUnBinded" in unbound.said
    assert re.search(r"[Ee]nable media processing", unbound.said), "what to do"


@pytest.mark.parametrize(
    ("workflow", "found", "said"),
    [
        (
            Workflow("w1", runs=True, state="Active", name="clips"),
            Found.OK,
            "workflow w1 (clips) exists (state Active)",
        ),
        (Workflow("w1"), Found.OK, "workflow w1 exists"),
        (
            Workflow("w1", exists=False, runs=False),
            Found.WRONG,
            "workflow w1 does not exist there: make it, or correct workflow_id",
        ),
        (
            Workflow("w1", runs=False, state="Locked", remark="unlock it first"),
            Found.WRONG,
            "workflow w1 cannot be run (state Locked); unlock it first",
        ),
        (
            Workflow("w1", runs=True, lacks=("template-id", "b")),
            Found.WRONG,
            "workflow w1 needs inputs that are not given: template-id, b",
        ),
    ],
)
def test_each_answer_in_words(workflow: Workflow, found: Found, said: str) -> None:
    run = Planned("one", KITS["tencent.workflow"].kind, {}, "")
    assert checking._workflow(run, workflow) == Line(found, "one", said)


def test_inputs_that_may_be_given_by_the_up_are_not_known_to_be_lacking() -> None:
    run = Planned("one", KITS["huawei.workflow"].kind, {}, "", unknown=("inputs",))
    assert checking._workflow(run, Workflow("scan", lacks=("a",))).found is Found.UNKNOWN


@pytest.mark.parametrize(
    ("skew", "found"), [(0.0, Found.OK), (-59.0, Found.OK), (61.0, Found.WRONG), (-61.0, Found.WRONG)]
)
def test_the_clock(skew: float, found: Found) -> None:
    line = checking._clock(skew)
    assert line.found is found
    if found is Found.WRONG:
        which = "behind" if skew > 0 else "ahead of"
        assert line.said == f"it is 61 s {which} that of the service: set it (NTP)"


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("3.216.0", Found.OK),
        ("v3.259.0", Found.OK),
        ("3.300.1-alpha.x1", Found.OK),
        ("3.215.9", Found.WRONG),
        ("4.0.0", Found.WRONG),
        ("", Found.WRONG),
    ],
)
def test_the_engine(version: str, found: Found) -> None:
    assert checking._engine(version).found is found


def test_the_versions_are_those_that_the_package_asks_for() -> None:
    oldest, below = checking._OLDEST, checking._BELOW
    assert f'"pulumi>={oldest[0]}.{oldest[1]},<{below[0]}"' in (ROOT / "pyproject.toml").read_text()


@EACH
def test_status_tells_what_a_run_works_on(kit: Kit) -> None:
    subject = kit.kind.subject(kit.arguments)
    assert subject["workflow"]
    assert all(isinstance(text, str) for text in subject.values())


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("KeyError: 'x'", "KeyError: 'x'"),
        ("ValueError: of two\nlines", "ValueError: of two lines"),
        ("ValueError: first\n  See docs/errors.md#it", "ValueError: first   See docs/errors.md#it"),
    ],
)
def test_of_a_traceback_the_error_is_said(raised: str, said: str) -> None:
    frames = '  File "/x/__main__.py", line 1, in <module>\n    fails()\n    ^^^^^^^\n'
    head = "error: Program failed with an unhandled exception:\nTraceback (most recent call last):\n"
    assert planned._said({"message": f"{head}{frames}{frames}{raised}\n\n"}) == said
