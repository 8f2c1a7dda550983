"""docs/resources/: made from the docstrings, complete, and the examples run and send what the pages show."""

from __future__ import annotations

import inspect
import json
import re
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

import cloud_runs
from tests.demo.pages import ROOT, blocks, received, sent, stack_of_all_systems, up
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tools import docs

PAGES = {name: f"docs/resources/{name}.md" for name in docs.RESOURCES}


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with emulator("--run-seconds", "1") as running:
        yield running


def test_every_resource_has_a_page() -> None:
    named = {name: getattr(cloud_runs, name) for name in cloud_runs.__all__}
    rooms = {name: module for name, module in named.items() if hasattr(module, "__path__")}
    rooms |= {"huawei.dwr": cloud_runs.huawei.dwr}
    public = {f"{room}.{name}": getattr(module, name) for room, module in rooms.items() for name in module.__all__}
    public |= {name: getattr(cloud_runs, name) for name in cloud_runs.__all__ if name not in rooms}
    resources = {name for name, kind in public.items() if isinstance(kind, type) and issubclass(kind, pulumi.Resource)}
    assert resources == set(docs.RESOURCES)
    assert {path.name for path in docs.EXAMPLES.glob("*.py")} == {f"{name}.py" for name in docs.RESOURCES}


def test_a_page_that_drifts_is_noticed_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs.main(["--check"]) == 0, "make docs"
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "FOLDER", tmp_path / "resources")
    docs.main([])
    (docs.FOLDER / "tencent.Gone.md").write_text("of a resource that is gone")
    with (docs.FOLDER / "enos.FlowRun.md").open("a") as page:
        page.write("by hand")
    assert docs.main(["--check"]) == 1
    assert re.findall(r"resources/(\S+) is not", capsys.readouterr().err) == ["enos.FlowRun.md", "tencent.Gone.md"]
    docs.main([])
    assert docs.main(["--check"]) == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_every_argument_once(name: str) -> None:
    text = (ROOT / PAGES[name]).read_text().split("## Arguments")[1].split("\n## ")[0]
    described = re.findall(r"`(\w+)` \(`", text)
    assert described == list(inspect.signature(docs.RESOURCES[name]).parameters)


@pytest.mark.long
@pytest.mark.engine
def test_the_examples_send_what_their_pages_show(tmp_path: Path, cloud: Emulator) -> None:
    """All of them as one program, to save time; no two of them have a resource of the same type and name."""
    stack = stack_of_all_systems(tmp_path, cloud)
    for key, value in (("archiveSecretId", SECRET_ID), ("archiveSecretKey", SECRET_KEY)):
        stack.pulumi("config", "set", "--secret", key, value, "-s", stack.name)
    shown = {name: [text for language, text in blocks(page) if language == "python"] for name, page in PAGES.items()}
    assert [len(examples) for examples in shown.values()] == [1] * len(PAGES)
    program = "\n".join(example for (example,) in shown.values())
    up(stack, program)

    came = [comparable(received(run)) for run in cloud.runs()]
    for page in PAGES.values():
        for language, text in blocks(page):
            if language == "http":
                assert comparable(sent(text)) in came, page
    assert len(came) == 25, "16 by fan-outs, 9 by resources of one run"
    before = cloud.requests()
    up(stack, program)
    assert cloud.requests() == before

    stack.refresh()
    looks = {system: cloud.count(system, "get") - counts.get("get", 0) for system, counts in before.items()}
    assert looks["tencent.workflow"] == 14, "one for each WorkflowRun, one for each object of a fan-out"
    assert looks["huawei.workflow"] == looks["huawei.dwr"] == 4
    records = {
        record["type"].partition("/")[2].replace(":", ".").replace("/", "."): record
        for record in stack.resources().values()
    }
    for name, page in PAGES.items():
        if name != "Provider":
            outputs = records[name.replace("Completion", "runs.Completion")]["outputs"]
            assert documented_outputs(page) - {"id", "references"} <= set(outputs), name


def comparable(request: tuple[str, str, dict[str, str], str, str]) -> Any:
    """The engine keeps no order of keys, so neither do bodies."""
    *head, body = request
    if body.startswith("<"):
        return head, sorted(xml.tostring(element) for element in xml.fromstring(body).iter())
    return head, json.loads(body) if body else None


def documented_outputs(page: str) -> set[str]:
    section = (ROOT / page).read_text().split("## Outputs")[1].split("\n## ")[0]
    return {name for line in re.findall(r"^- (`[^:]*): ", section, re.MULTILINE) for name in re.findall(r"\w+", line)}
