"""`make demo`, as a process: it shows each step, leaves nothing behind, and fails when it should."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_runs_emulator.keys import DEFAULT_SECRET_KEY
from tests.engine import goldens
from tools import demo

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tools.demo"]
STEPS = [
    "1. The first up",
    "2. Up again, with nothing changed",
    "3. Refresh, when the runs have ended",
    "4. A changed trigger",
    "5. An up that waits",
    "6. Another stack takes the ids",
    "7. Destroy",
    "What the emulator counted",
]
# A user's own settings: with any of these the demo would go elsewhere, or nowhere.
SETTINGS = {
    "PULUMI_BACKEND_URL": "https://backend.invalid",
    "PULUMI_CONFIG_PASSPHRASE": "the user's own",
    "PULUMI_STACK": "production",
    "TENCENTCLOUD_SECRET_ID": "AKIDreal",
    "TENCENTCLOUD_SECRET_KEY": "the-users-own-key",
    "TENCENTCLOUD_REGION": "ap-shanghai",
    "RUNS_TENCENT_ENDPOINT": "https://endpoint.invalid",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the demo makes its folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def environment(temporary: Path) -> dict[str, str]:
    return os.environ | SETTINGS | {"TMPDIR": str(temporary)}


def changes() -> str:
    """Where Pulumi would write. The code's own folders are left out: somebody may be working there."""
    command = ["git", "status", "--short", "--", ":(top,glob)*", "stacks"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def processes(folder: Path) -> list[str]:
    """Those that have the folder in their environment: the engine, its plugins, the emulator."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if bytes(folder) in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text())
    return found


def test_the_demo_shows_each_step_and_leaves_nothing_behind(temporary: Path) -> None:
    before = changes()
    done = subprocess.run(
        COMMAND, cwd=ROOT, env=environment(temporary), capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert goldens.is_kept("demo.txt", goldens.without_progress(done.stdout)), done.stdout
    found = [done.stdout.find(step) for step in STEPS]
    assert found == sorted(found), "in this order"
    assert found[0] >= 0
    counted = re.findall(r"emulator: (\d) runs started so far \(expected (\d)\)", done.stdout)
    assert counted == [(n, n) for n in "5556777"]
    assert "executions Success 3" in done.stdout
    assert re.search(r"creating \(\d+s\) \d/5 done, \d running, ", done.stdout)
    assert re.search(r"5/5 done, \d+s", done.stdout)
    assert re.search(r"made output/\w+/test\.mp4", done.stdout)
    assert "\033" not in done.stdout, "no colours where there is no terminal"
    assert done.stderr == ""
    for secret in ("PULUMI_CONFIG_PASSPHRASE", "TENCENTCLOUD_SECRET_KEY"):
        assert SETTINGS[secret] not in done.stdout
    assert DEFAULT_SECRET_KEY not in done.stdout, "public as it is, nobody should get used to seeing one"
    assert changes() == before
    for ignored in ("stacks", "stacks/consumer", "."):  # the settings of a user's own stack are ignored by git
        assert not (ROOT / ignored / f"Pulumi.{demo.STACK}.yaml").exists()
    assert processes(temporary) == []
    assert list(temporary.iterdir()) == []


@pytest.fixture
def running(temporary: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment(temporary), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("creating (0s)", signal.SIGINT),
        pytest.param("unchanged", signal.SIGTERM, marks=pytest.mark.long),
        pytest.param("4. A", signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_an_interrupted_demo_leaves_nothing_behind(
    running: subprocess.Popen[str], temporary: Path, line: str, number: signal.Signals
) -> None:
    assert running.stdout is not None
    assert any(line in shown for shown in running.stdout), "it has come so far"
    assert processes(temporary) != []
    running.send_signal(number)
    _, errors = running.communicate(timeout=300)
    assert running.returncode == 128 + number
    assert "stopped, and cleaned up" in errors
    assert processes(temporary) == []
    assert list(temporary.iterdir()) == []


@pytest.fixture
def in_this_process(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    handlers = {number: signal.getsignal(number) for number in demo.SIGNALS}
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield monkeypatch
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_wrong_count_fails_the_demo(
    in_this_process: pytest.MonkeyPatch, temporary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The first `up` is left out, so that nothing fires: the demo must see that for itself."""
    shown = demo.Demo.pulumi
    calls: list[tuple[str, ...]] = []

    def leave_out_the_first(self: demo.Demo, *arguments: str, folder: str = ".") -> None:
        calls.append(arguments)
        if len(calls) > 1:
            shown(self, *arguments, folder=folder)

    in_this_process.setattr(demo.Demo, "pulumi", leave_out_the_first)
    assert demo.main() == 1
    assert "FAILED: step 1, not as expected: emulator: 0 runs started so far (expected 5)" in capfd.readouterr().err
    assert list(temporary.iterdir()) == []


def test_a_pulumi_that_fails_fails_the_demo(
    in_this_process: pytest.MonkeyPatch, temporary: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A program with a mistake, as somebody who tries things out would make it."""
    broken = tmp_path / "checkout"
    shutil.copytree(ROOT / "stacks", broken / "stacks")
    shutil.copy(ROOT / "Pulumi.yaml", broken)
    (broken / "emulator").symlink_to(ROOT / "emulator")
    (broken / "__main__.py").write_text("raise RuntimeError('a mistake')\n")
    in_this_process.setattr(demo, "ROOT", broken)
    assert demo.main() == 1
    told = capfd.readouterr()
    assert "RuntimeError: a mistake" in told.out + told.err
    assert "FAILED: `pulumi up --yes --skip-preview --stack demo` ended with status" in told.err
    assert list(temporary.iterdir()) == []
