"""`cloud-runs history` on a real stack: why each run was fired, what became of it, and in which update."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.pages import blocks
from tests.engine.asks import fan
from tests.support.emulator import Emulator
from tests.support.stack import Stack, run

pytestmark = pytest.mark.engine


def history(stack: Stack, *flags: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "cloud_runs", "history", "-s", stack.name, *flags]
    done = subprocess.run(command, cwd=stack.project, env=stack.env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_why_did_it_run(stack: Stack, cloud: Emulator, tmp_path: Path) -> None:
    assert history(stack) == (0, "no history is recorded\n", "")
    stack.up(run(), run("other", object="b.mp4"))
    first, other = stack.id(), stack.id("other")
    cloud.set_state(first, "Failed", "AccessDenied", "no right")
    program = (run(triggers={"release": "42"}), run("other", object="b.mp4"))
    stack.up(*program, flags=("--refresh", "-m", "release 42"))
    requests = cloud.requests()

    code, out, error = history(stack)
    assert (code, error) == (0, "")
    head, *lines = out.splitlines()
    assert head.split() == ["Resource", "Fired", "(UTC)", "Phase", "Code", "Why", "Id", "Update"]
    told = {line.split("  ")[0]: line for line in lines}
    assert set(told) == {"run", "other"}
    before, now = [line for line in lines if line.startswith("run ")]
    assert "failed   AccessDenied  first" in before
    assert "trigger release" in now
    assert now.endswith("release 42")
    assert "release 42" not in before

    code, out, _ = history(stack, "run", "--json")
    told_ = json.loads(out)
    ((entry,), project) = (told_["runs"], told_["project"])
    assert (code, project, entry["resource"]) == (0, "tests", "run")
    assert [(one["id"], one["why"], one["phase"], one["code"]) for one in entry["attempts"]] == [
        (first, "first", "failed", "AccessDenied"),
        (stack.id(), "trigger release", "unknown", ""),
    ]
    assert [one["update"]["message"] for one in entry["attempts"]] == ["", "release 42"]
    assert stack.id() in history(stack, "--wide")[1]
    assert history(stack, "nope")[0] == 2

    ((_, block),) = [one for one in blocks("docs/status.md") if one[1].startswith("cloud-runs history")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert stack.shell(block.replace("transcode", "run").replace("dev", stack.name), PATH=path).count("\nrun ") == 2
    export = tmp_path / "state.json"
    export.write_text(stack.pulumi("stack", "export", "-s", stack.name).out)
    command = [sys.executable, "-m", "cloud_runs", "history", "--state", str(export), "other"]
    done = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1].split()[0] == "other"
    assert other[-7:] in done.stdout
    assert cloud.requests() == requests, "no system is asked"


@pytest.mark.long
def test_why_each_object_of_a_fan_out_ran(stack: Stack, cloud: Emulator) -> None:
    objects = [f"{number}.mp4" for number in range(1, 5)]
    stack.up(fan(objects, rerun_on_failure=True), flags=("-m", "begin"))
    first = dict(stack.outputs("fan")["instance_ids"])
    cloud.set_state(first["2.mp4"], "Failed", "AccessDenied", "no right")
    stack.up(flags=("--refresh", "-m", "once more"))
    second = stack.outputs("fan")["instance_ids"]["2.mp4"]
    cloud.set_state(first["4.mp4"], "Failed", "AccessDenied", "no right")
    stack.up(fan(objects), flags=("--refresh",))
    requests = cloud.requests()

    code, out, error = history(stack, "fan", "--wide")
    assert (code, error) == (0, "")
    assert [re.split(r" {2,}", re.sub(r"\d\d\d\d-\S+ \S+", "AT", line)) for line in out.splitlines()[1:]] == [
        ["fan[2.mp4]", "AT", "failed", "AccessDenied", "first", first["2.mp4"], "begin"],
        ["fan[2.mp4]", "AT", "unknown", "rerun after failed", second, "once more"],
        ["fan (2 objects)", "AT", "unknown", "first", "begin"],
        ["fan[4.mp4]", "AT", "failed", "AccessDenied", "first", first["4.mp4"], "begin"],
    ]
    assert history(stack, "--wide")[1] == out
    code, out, _ = history(stack, "fan/2.mp4", "--json")
    (entry,) = json.loads(out)["runs"]
    assert (code, entry["resource"], entry["object"]) == (0, "fan", "2.mp4")
    assert [(one["id"], one["phase"], one["code"], one["why"]) for one in entry["attempts"]] == [
        (first["2.mp4"], "failed", "AccessDenied", "first"),
        (second, "unknown", "", "rerun after failed"),
    ]
    assert history(stack, "fan/2.mp4")[1].count("fan[2.mp4]") == 2
    assert history(stack, "fan/1.mp4")[1].count("first") == 1
    assert [len(one["attempts"]) for one in json.loads(history(stack, "fan", "--json")[1])["runs"]] == [1, 2, 1, 1]
    assert history(stack, "fan/5.mp4")[0] == 2
    assert cloud.requests() == requests, "no system is asked"
