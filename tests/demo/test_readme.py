"""Every block of the README, run as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.emulator import Emulator, emulator
from tests.support.stack import Stack

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
COMMANDS, EMULATOR, PROJECT, EXAMPLE, ACCOUNT = (block for _, block in BLOCKS)


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with emulator("--run-seconds", "1") as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh clone with what has not been committed yet; its environment is this checkout's."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    copy = tmp_path / "checkout"
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    for name in ("requirements.txt", "pyproject.toml"):
        os.utime(copy / name, (0, 0))  # older than the environment: a test installs nothing
    subprocess.run("git init -q && git add -A", shell=True, cwd=copy, check=True)
    return copy


def shell(script: str, checkout: Path, *, typed: str = "", **settings: str) -> str:
    names = ("MAKE", "MFLAGS", "PULUMI_", "TENCENTCLOUD_", "RUNS_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    env |= {"PULUMI_HOME": str(checkout.parent / "home"), **settings}
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=checkout,
        env=env,
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_blocks_are_those_that_are_run_here() -> None:
    assert [language for language, _ in BLOCKS] == ["sh", "sh", "sh", "python", "sh"]


def test_the_two_commands_exist(checkout: Path) -> None:
    """They are not run from here: one has its own test, the other runs this one."""
    for command in COMMANDS.splitlines():
        assert command.startswith("make ")
        assert shell(f"{command} --dry-run", checkout)


def test_the_emulator_starts(checkout: Path) -> None:
    """On a free port, as the default one may be taken; what a reader ends by Ctrl-C is ended here."""
    script = EMULATOR.replace("python -m emulator", "python -m emulator --port 0 & sleep 2; kill $!; wait $!")
    assert script != EMULATOR
    assert "listening on http://127.0.0.1:" in shell(script, checkout)


def test_the_shell_session(checkout: Path, cloud: Emulator) -> None:
    settings = checkout / "stacks" / "Pulumi.dev.yaml"
    text = settings.read_text()
    assert "http://127.0.0.1:9700" in text, "the emulator's default port"
    settings.write_text(text.replace("http://127.0.0.1:9700", cloud.url))
    subprocess.run("git add -A", shell=True, cwd=checkout, check=True)
    shown = shell(PROJECT, checkout)
    assert (len(cloud.ids("tencent.workflow")), len(cloud.ids("tencent.inventory"))) == (2, 1)
    assert cloud.ids("tencent.workflow")[-1] in shown.splitlines(), "the newest id, from `stack output`"
    assert '"pending" => "succeeded"' in shown, "the outputs follow a refresh at once"
    status = subprocess.run(["git", "diff", "--stat"], cwd=checkout, capture_output=True, text=True, check=True)
    assert status.stdout == ""


def test_the_example(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    (stack.project / "__main__.py").write_text(EXAMPLE)
    stack.pulumi("up", "--yes", "-s", stack.name)
    outputs = stack.pulumi("stack", "output", "--json", "-s", stack.name).text
    assert set(re.findall(r'": "(\w+)"', outputs)) == set(cloud.ids())
    stack.pulumi("up", "--yes", "-s", stack.name)
    assert len(cloud.runs()) == 2
    resources = stack.resources()
    assert set(resources) == {"transcode", "transcode-intent", "backfill", "backfill-intent"}
    for name in documented("## Outputs"):
        assert any(name in resources[run]["outputs"] for run in ("transcode", "backfill")), name


def documented(section: str) -> list[str]:
    """The names in the first column of the section's table."""
    text = (ROOT / "README.md").read_text().split(section)[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def test_a_real_account_up_to_the_preview(checkout: Path) -> None:
    """Line by line, as `config set` reads its value from what is typed. A preview sends nothing."""
    first, *lines = ACCOUNT.splitlines()
    for line in lines:
        typed = "AKIDmine" if line.endswith("secretId") else "mine" if line.endswith("secretKey") else ""
        shown = shell(f"{first}\n{line}", checkout, typed=typed, PULUMI_CONFIG_PASSPHRASE="my own")
    assert "+ 9 to create" in shown
    settings = (checkout / "stacks" / "Pulumi.prod.yaml").read_text()
    assert settings.count("secure: ") == 2
    assert "AKIDmine" not in settings
    status = subprocess.run(["git", "status", "--short"], cwd=checkout, capture_output=True, text=True, check=True)
    assert "Pulumi.prod.yaml" not in status.stdout, "ignored by git"
