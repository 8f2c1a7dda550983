"""Every block of docs/project.md, run as it stands there in a fresh clone, and `make shell`."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.checkouts import clone, environment, shell
from tests.demo.pages import ROOT, blocks, point_to
from tests.kits import KITS
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Stack
from tools.demo import IDS

pytestmark = pytest.mark.engine

EMULATOR, PROJECT, ACCOUNT = (text for _, text in blocks("docs/project.md"))


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with emulator("--run-seconds", "1") as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return clone(tmp_path)


def test_the_emulator_starts(checkout: Path) -> None:
    """On a free port, as the default one may be taken; what a reader ends by Ctrl-C is ended here."""
    script = EMULATOR.replace("cloud-runs-emulator", "cloud-runs-emulator --port 0 & sleep 2; kill $!; wait $!")
    assert script != EMULATOR
    assert "listening on http://127.0.0.1:" in shell(script, checkout)


@pytest.mark.long
def test_the_shell_session(checkout: Path, cloud: Emulator) -> None:
    point_to(cloud, checkout)
    shown = shell(PROJECT, checkout, **Stack.settings)
    fired = [run["system"] for run in cloud.runs()]
    assert sorted(fired[:-1]) == sorted(KITS)
    assert fired[-1] == "tencent.workflow"
    assert cloud.ids("tencent.workflow")[-1] in shown.splitlines(), "the newest id, from `stack output`"
    assert '"pending" => "succeeded"' in shown, "the outputs follow a refresh at once"
    status = subprocess.run(["git", "diff", "--stat"], cwd=checkout, capture_output=True, text=True, check=True)
    assert status.stdout == ""


def test_make_shell_comes_after_what_a_start_up_file_does(checkout: Path) -> None:
    """With a start-up file that puts another Python first, as pyenv does; at a terminal, where bash reads it."""
    home = checkout.parent / "user"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python3").write_text("#!/bin/sh\necho the wrong Python\nexit 1\n")
    (home / "bin" / "python3").chmod(0o755)
    (home / ".bashrc").write_text(f'PATH="{home}/bin:$PATH"\nmine=read\n')
    temporary = checkout.parent / "temporary"
    temporary.mkdir()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")  # an engine that was made may be there
    bash = shutil.which("bash")
    assert bash
    settings = {"HOME": str(home), "SHELL": bash, "XDG_CACHE_HOME": cache, "TMPDIR": str(temporary)}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["make", "shell"],
        cwd=checkout,
        env=environment(checkout) | settings,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, b'echo "<$mine> <$(command -v python3)> <$PULUMI_PYTHON_CMD> <$PULUMI_BACKEND_URL>"; exit\n')
    shown = b""
    try:
        while more := os.read(ours, 65536):
            shown += more
    except OSError:  # the other side is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 0, shown.decode()
    python = checkout / ".venv" / "bin" / "python"
    assert f"<read> <{python}3> <{python}> <file://{checkout}/.pulumi-state>" in shown.decode()
    assert list(temporary.iterdir()) == []


def test_the_python_of_the_settings_is_used_where_another_is_first_on_path(checkout: Path, cloud: Emulator) -> None:
    point_to(cloud, checkout)
    (checkout / "bin").mkdir()
    for name in ("python", "python3"):
        (checkout / "bin" / name).write_text("#!/bin/sh\necho the wrong Python >&2\nexit 1\n")
        (checkout / "bin" / name).chmod(0o755)
    script = 'eval "$(make -s env)"; PATH="$PWD/bin:$PATH"; pulumi stack init dev; pulumi up --yes --skip-preview'
    assert "wrong Python" not in shell(script, checkout)
    assert len(cloud.runs()) == len(KITS)


def test_a_passphrase_may_hold_anything(checkout: Path) -> None:
    phrase = """it's "two" $words \\"""
    shown = shell('eval "$(make -s env)"; printenv PULUMI_CONFIG_PASSPHRASE', checkout, PULUMI_CONFIG_PASSPHRASE=phrase)
    assert shown == f"{phrase}\n"


@pytest.mark.long
def test_the_program_waits_if_it_is_told_how_long(checkout: Path, cloud: Emulator) -> None:
    point_to(cloud, checkout)
    (setting, off) = re.findall(r"`(pulumi config (?:set|rm) wait.*?)`", (ROOT / "docs/project.md").read_text())
    script = 'eval "$(make -s env)"\npulumi stack init dev\n'
    twice = f"{script}{setting}\npulumi up --yes --skip-preview\n{off}\npulumi up --yes --skip-preview"
    shown, outputs = shell(f"{twice}\necho '<outputs>'; pulumi stack output --json", checkout, **Stack.settings).split(
        "<outputs>"
    )
    assert f"{len(KITS)}/{len(KITS)} done" in shown
    given = json.loads(outputs)
    assert set(given) == {*IDS, "transcode", "backfill", "scan", "review", "meters"}
    assert {given[name] for name in IDS} == {run["id"] for run in given.values() if isinstance(run, dict)}
    assert "- 1 deleted" in shown, "the Completion alone"
    assert len(cloud.runs()) == len(KITS)


def test_the_stack_s_readme_shows_outputs_that_there_are() -> None:
    shown = re.findall(r"\$\{outputs\.(\w+)\}", (ROOT / "stacks" / "README.md").read_text())
    assert sorted(shown) == sorted(IDS)


@pytest.mark.long
def test_a_real_account_up_to_the_preview(checkout: Path) -> None:
    """Line by line, as `config set` reads its value from what is typed. A preview sends nothing."""
    first, *lines = ACCOUNT.splitlines()
    for line in lines:
        typed = "AKIDmine" if line.endswith("secretId") else "mine" if line.endswith("secretKey") else ""
        shown = shell(f"{first}\n{line}", checkout, typed=typed, PULUMI_CONFIG_PASSPHRASE="my own")
    assert "+ 5 to create" in shown, "the stack, two runs and two intents: Tencent alone"
    settings = (checkout / "stacks" / "Pulumi.prod.yaml").read_text()
    assert settings.count("secure: ") == 2
    assert "AKIDmine" not in settings
    status = subprocess.run(["git", "status", "--short"], cwd=checkout, capture_output=True, text=True, check=True)
    assert "Pulumi.prod.yaml" not in status.stdout, "ignored by git"
