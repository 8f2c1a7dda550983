"""`pulumi preview --diff`: the lines that are ours, beside Pulumi's own, are the change and little else."""

from __future__ import annotations

import re

import pytest

from tests.engine import goldens
from tests.engine.asks import CI, FAN_OUT, Ask, fan
from tests.kits import KITS
from tests.support.emulator import Emulator
from tests.support.stack import ROOT, Stack, run

pytestmark = pytest.mark.engine

MOST = 8
MOST_OF_A_FAN_OUT = 12
OBJECTS = [f"season-1/{number:03}.mp4" for number in range(170)]
_PULUMIS = re.compile(r" *(\[(id|urn|provider)=.*\]|([+~-]|\+-|-\+|>)? ?\S+: \((same|replace|update|create|delete)\))")
OURS = ("boot", "uptime", "process", "token", "host=", "digest", "intent", "resource_urn", "record", "__provider")


def ours(text: str) -> list[str]:
    """Lines between the heading and the summary that are not about which resource it is."""
    block = text.partition("Previewing update")[2].partition("Resources:")[0].splitlines()[1:]
    lines = [line for line in block if line.strip() and not _PULUMIS.fullmatch(line)]
    said = [line for line in lines for word in OURS if word in line]
    assert not said, said
    return lines


def diff(stack: Stack, *source: str) -> list[str]:
    return ours(stack.preview(*source, flags=("--diff",)).text)


def test_a_changed_trigger_and_an_object_more(stack: Stack) -> None:
    """In the user's words, and of 170 objects the one that is new."""

    def program(release: str, *more: str) -> tuple[str, str]:
        return run(triggers={"release": release, "more": 1}), fan([*OBJECTS[:50], *more, *OBJECTS[50:]])

    stack.up(*program("41"))
    shown = stack.preview(*program("42"), flags=("--diff",)).out
    assert goldens.is_kept("preview-diff.txt", goldens.steady(shown)), shown
    changed = ours(shown)
    assert [line.strip() for line in changed] == ["~ triggers: {", '~ release: "41" => "42"', "}"]
    added = diff(stack, *program("41", "new.mp4"))
    assert [line.strip() for line in added] == ["~ objects: [", '+ [50]: "new.mp4"', "]"]
    stack.up(*program("41", "new.mp4"))
    assert len(stack.outputs("fan")["instance_ids"]) == 171, "what is shown decides nothing"


@pytest.mark.long
@pytest.mark.parametrize("name", KITS)
def test_an_argument_of_each_kind(stack: Stack, cloud: Emulator, name: str) -> None:
    kit = KITS[name]
    stack.configure(**kit.settings(cloud.url))
    imports = f"from cloud_runs import {kit.room}\n"
    stack.up(imports, kit.source("run"))
    (argument, value), *_ = kit.another.items()
    lines = diff(stack, imports, kit.source("run", **kit.another))
    assert any(line.strip().startswith((f"~ {argument}", f"+ {argument}")) for line in lines), lines
    assert len(lines) <= MOST
    assert stack.preview(flags=("--diff",)).text.count("replace") >= 1, value


@pytest.mark.long
def test_objects_that_go_and_that_are_tried_again(stack: Stack, cloud: Emulator) -> None:
    ask = Ask(FAN_OUT, "r")
    a, b = ask.objects
    cloud.fault(CI, "start", "status", status=400, code="NoSuchKey", message="not there")
    given = {"concurrency": 1, "rerun_on_failure": True}
    stack.up(ask.source(**given))
    assert "NoSuchKey" in "".join(diff(stack)), "it is tried again, and why it has no run"
    stack.up()
    gone = diff(stack, ask.source(objects=[a], **given))
    assert any("- [1]" in line and b in line for line in gone), gone
    assert not any(line.strip().startswith("-") and a in line for line in gone), gone
    assert len(gone) <= MOST
    cloud.set_state(ask.on_record(stack)[a], "Failed", "Odd", "it broke")
    stack.refresh()
    again = diff(stack, ask.source(**given))
    assert any("it broke" in line for line in again)
    assert len(again) <= MOST_OF_A_FAN_OUT
    many = fan([a, *"bcd"], **given)
    stack.up(many)
    for id in stack.outputs("fan")["instance_ids"].values():
        cloud.set_state(id, "Failed", "Odd", "it broke")
    stack.refresh()
    assert len(diff(stack, many)) <= MOST_OF_A_FAN_OUT
    assert "failed: an `up` fires them again: 4 objects" in stack.preview().text


@pytest.mark.long
def test_keys_that_no_path_of_the_engine_can_name(stack: Stack, cloud: Emulator) -> None:
    odd = ["a\\", 'b"', "c]", "d.e", 'e\\"f']
    stack.up(fan(odd), run(triggers=dict.fromkeys(odd, 1)))
    stack.up(fan(odd[1:]), run(triggers=dict.fromkeys(odd, 2)))
    stack.up(fan(odd), run(triggers=dict.fromkeys(odd, 2)))
    assert cloud.count(CI, "start") == len(odd) + 1 + 2


@pytest.mark.long
def test_replace_on_changes_asks_for_nothing(stack: Stack, cloud: Emulator) -> None:
    """It goes by what a preview is told; the table in the README does not have it."""
    given = {"opts": "=ResourceOptions(replace_on_changes=['*'])"}
    stack.up(fan(["a"], **given), run(**given))
    stack.up(fan(["a", "b"], **given), run(on_delete="abandon", **given))
    assert cloud.count(CI, "start") == 3


@pytest.mark.long
def test_an_up_whose_wait_fails(stack: Stack, cloud: Emulator) -> None:
    """What it says at its end. One failed, and two objects of a fan-out for the same reason."""
    runs = (run("transcode"), fan(["season-1/07.mp4", "season-1/08.mp4", "season-1/09.mp4"], "episodes"))
    stack.up(*runs)
    for id in cloud.ids(CI):
        cloud.set_state(id, "Success")
    for key in ("season-1/07.mp4", "season-1/08.mp4"):
        id = stack.outputs("episodes")["instance_ids"][key]
        cloud.set_state(id, "Failed", "InvalidInput", "The input cannot be decoded")
    done = "Completion('nightly', runs=[transcode, episodes], poll_interval=1)\n"
    failed = stack.up("from cloud_runs import Completion\n", *runs, done, check=False)
    assert failed.code != 0
    assert goldens.is_kept("up-that-fails.txt", goldens.end_of(failed.out)), failed


def test_the_docs_show_what_is_kept() -> None:
    """As it is when a person reads it: without the colours."""
    page = (ROOT / "docs/screens.md").read_text(encoding="utf-8")
    for file in goldens.FOLDER.iterdir():
        assert f"```text\n{file.read_text(encoding='utf-8')}```\n" in page, file.name
