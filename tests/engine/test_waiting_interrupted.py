"""A wait that is interrupted, killed, or very large, on the real engine."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import shared
from tests.engine.interrupted import hosts, kill_engine_alone, wait_until
from tests.support.clients import GO
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import BUCKET, WORKFLOW, Stack, call, job, run

pytestmark = pytest.mark.engine

CI = "tencent.workflow"
INVENTORY = "tencent.inventory"
IMPORT = "from cloud_runs import Completion\n"


def done(name: str = "done", /, **arguments: object) -> str:
    return call("Completion", name, **{"runs": "=[run]", "poll_interval": 1, "timeout": "1h", **arguments})


class Terminal:
    """An `up` that a person started in a terminal."""

    def __init__(self, stack: Stack) -> None:
        self._master, slave = pty.openpty()
        command = ["pulumi", "up", "--yes", "--skip-preview", "-s", stack.name, "--color", "never"]

        def own_terminal() -> None:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command, cwd=stack.project, env=stack.env | {"TERM": "xterm"}, stdin=slave, stdout=slave, stderr=slave,
            preexec_fn=own_terminal,
        )  # fmt: skip
        os.close(slave)
        self._text = b""
        self._reader = ThreadPoolExecutor(1)
        self._read = self._reader.submit(self._drain)

    def _drain(self) -> None:
        with contextlib.suppress(OSError):  # the other end was closed
            while read := os.read(self._master, 65536):
                self._text += read

    @property
    def text(self) -> str:
        return self._text.decode(errors="replace")

    def ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def wait(self) -> int:
        code = self.process.wait(timeout=120)
        self._read.result(timeout=30)
        self._reader.shutdown()
        os.close(self._master)
        return code


def test_the_first_ctrl_c_ends_a_wait_and_loses_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.program(IMPORT, run(), done())
    terminal = Terminal(stack)
    wait_until(lambda: cloud.count(CI, "get") >= 2)
    terminal.ctrl_c()
    began = time.monotonic()
    assert terminal.wait() != 0
    print(f"ended {time.monotonic() - began:.1f} s after the first Ctrl-C")
    assert "interrupted; 0/1 done, 1 running. The runs go on; the next" in terminal.text
    assert stack.id("run") == cloud.ids()[0]
    assert "done" not in stack.resources()
    cloud.set_state(cloud.ids()[0], "Success")
    stack.up()
    assert stack.outputs("done")["succeeded"] == 1
    assert len(cloud.ids()) == 1


def test_the_second_ctrl_c_ends_everything(stack: Stack, cloud: Emulator) -> None:
    """A start whose answer does not come: the engine waits for it after the first Ctrl-C, but not after the second."""
    stack.up(IMPORT, run())
    cloud.fault(CI, "start", "delay", seconds=600, after_effect=True)
    stack.program(IMPORT, run(), done(), run("slow", object="slow.mp4"))
    terminal = Terminal(stack)
    wait_until(lambda: cloud.count(CI, "get") >= 2 and len(cloud.ids()) == 2)
    terminal.ctrl_c()
    wait_until(lambda: "interrupted; 0/1 done" in terminal.text)
    assert terminal.process.poll() is None
    terminal.ctrl_c()
    began = time.monotonic()
    assert terminal.wait() != 0
    print(f"ended {time.monotonic() - began:.1f} s after the second Ctrl-C")
    wait_until(lambda: not stack.processes())
    for id in cloud.ids():
        cloud.set_state(id, "Success")
    stack.up()
    assert len(cloud.ids()) == 2
    assert {stack.id("run"), stack.id("slow")} == set(cloud.ids())
    assert stack.outputs("done")["succeeded"] == 1


def test_a_host_of_a_completion_alone_ends_with_its_engine_and_cancels_nothing(
    stack: Stack, cloud: Emulator, tmp_path: Path
) -> None:
    """Its runs are of another stack."""
    stack.up(job())
    waiter = Stack(tmp_path / "waiter", cloud)
    process = waiter.start(IMPORT, done(runs=[stack.outputs("job")["reference"]], timeout="15s", on_timeout="cancel"))
    wait_until(lambda: cloud.count(INVENTORY, "get") >= 2)
    kill_engine_alone(waiter)
    process.wait(timeout=30)
    wait_until(lambda: not hosts(waiter))
    assert cloud.count(INVENTORY, "cancel") == 0
    assert cloud.runs(INVENTORY)[0]["state"] != "Cancel"


def test_a_wait_whose_engine_was_killed_ends_its_host_and_the_next_up_resumes(stack: Stack, cloud: Emulator) -> None:
    process = stack.start(IMPORT, run(), done())
    wait_until(lambda: cloud.count(CI, "get") >= 2)
    assert hosts(stack)
    kill_engine_alone(stack)
    process.wait(timeout=30)
    began = time.monotonic()
    wait_until(lambda: not hosts(stack))
    print(f"the host ended {time.monotonic() - began:.1f} s after the engine")
    stack.kill()
    cloud.set_state(cloud.ids()[0], "Success")
    stack.up()
    assert stack.outputs("done")["succeeded"] == 1
    assert cloud.ids() == [stack.id("run")]


def start_many(cloud: Emulator, count: int) -> list[str]:
    """References of runs that were started without Pulumi."""
    credentials = Credentials(SECRET_ID, SECRET_KEY, "", "the test")
    client = WorkflowClient(shared(), credentials, region="ap-beijing", bucket=BUCKET, endpoint=cloud.url)

    def start(number: int) -> str:
        return client.start(WorkflowRequest(WORKFLOW, f"{number}.mp4"), GO).id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(start, range(count)))
    return [f"{CI}:ap-beijing:{BUCKET}:{id}" for id in ids]


@pytest.fixture
def brief() -> Iterator[Emulator]:
    with emulator("--run-seconds", "5") as running:
        yield running


def peak_megabytes(pids: Callable[[], list[int]], until: Callable[[], bool]) -> float:
    peak = 0.0
    while not until():
        for pid in pids():
            with contextlib.suppress(OSError, IndexError):
                text = Path(f"/proc/{pid}/status").read_text()
                peak = max(peak, int(text.split("VmHWM:")[1].split()[0]) / 1024)
        time.sleep(0.05)
    return peak


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 does not know Z


@pytest.mark.long
def test_a_thousand_runs_are_waited_for_by_one_completion(brief: Emulator, tmp_path: Path) -> None:
    stack = Stack(tmp_path, brief)
    wanted = "=Path('runs.txt').read_text().split()"
    stack.program(IMPORT, "from pathlib import Path\n", done(runs=wanted, poll_interval=5))
    references = start_many(brief, 1000)
    (stack.project / "runs.txt").write_text("\n".join(references))
    process = stack.start()
    peak = peak_megabytes(lambda: hosts(stack), lambda: process.poll() is not None)
    assert process.returncode == 0
    outputs = stack.outputs("done")
    assert [found["reference"] for found in outputs["outcomes"]] == references
    assert (outputs["succeeded"], outputs["failed"]) == (1000, 0)
    last = max(moment(found["finished_at"]) for found in outputs["outcomes"])
    late = (moment(outputs["finished_at"]) - last).total_seconds()
    print(f"{brief.requests()}, host {peak:.0f} MB, {late:.0f} s after the last run")
    assert 0 < peak < 150
    assert brief.count(CI, "start") == 1000
    # One question for each run that ended and one to learn the workflow; all else are pages of lists.
    assert brief.count(CI, "get") <= 1001
    assert late <= 2 * 5
