"""Where it happens: the emulated clouds, and `up`s of the programs in programs/, each on a stack of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.measure import Sample
from bench.processes import Processes
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Stack

PROGRAMS = Path(__file__).parent / "programs"
SDKS = Path(__file__).parents[1] / ".venv" / "sdks"  # `make sdks`
LATENCY_MS = 20
RUN_SECONDS = 3600  # runs do not end while they are measured


@contextlib.contextmanager
def clouds(run_seconds: float = RUN_SECONDS) -> Iterator[Emulator]:
    """The emulator with 20 ms in each answer."""
    with emulator("--latency-ms", str(LATENCY_MS), "--run-seconds", str(run_seconds)) as running:
        yield running


class Project:
    """A new stack with one of the programs; `up` measures. `endpoint` is in the place of the emulator's own address,
    `env` comes on top of the environment."""

    def __init__(
        self, folder: Path, cloud: Emulator, program: str, endpoint: str = "", backend: str = "", **env: str
    ) -> None:
        self._cloud = cloud
        self.stack = Stack(folder, cloud, backend=backend)
        shutil.copytree(PROGRAMS / program, self.stack.project, dirs_exist_ok=True)
        if endpoint:
            self.stack.configure(runs__tencentEndpoint=endpoint)
        self._env = env

    def start(self, n: int, *flags: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "-s", "test", "--non-interactive", "--color", "never", *flags],
            cwd=self.stack.project,
            env=self.stack.env | self._env | {"BENCH_N": str(n)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def up(self, n: int, *flags: str) -> Sample:
        """One whole `pulumi up`, from the start of the command to its end. Raises if it fails."""
        before = counted(self._cloud)
        began = time.perf_counter()
        process = self.start(n, *flags)
        with Processes(self.stack) as processes:
            _, errors = process.communicate()
        seconds = time.perf_counter() - began
        if process.returncode:
            raise RuntimeError(f"`up` ended with status {process.returncode}: {errors.decode()[-2000:]}")
        after = counted(self._cloud)
        return {
            "seconds": round(seconds, 4),
            **{name: after[name] - before[name] for name in after},
            **processes.told(),
            "state_kb": self._state_kb(),
        }

    def _state_kb(self) -> int | None:
        """As it is stored; None for one that is in no folder."""
        files = Path(self.stack.backend.removeprefix("file://")).glob(f".pulumi/stacks/*/{self.stack.name}.json*")
        found = [file.stat().st_size for file in files if file.suffix in (".json", ".zst")]
        return round(found[0] / 1000) if found else None


@contextlib.contextmanager
def project(cloud: Emulator, program: str, endpoint: str = "", **env: str) -> Iterator[Project]:
    with tempfile.TemporaryDirectory(prefix="cloud-runs-bench-") as folder:
        yield Project(Path(folder) / "stack", cloud, program, endpoint, **env)


def up(cloud: Emulator, program: str, n: int, endpoint: str = "", **env: str) -> Sample:
    """The first `up` of a new stack, on clouds that have seen nothing yet."""
    cloud.reset()
    with project(cloud, program, endpoint, **env) as made:
        return made.up(n)


def profiled(cloud: Emulator, program: str, n: int, **env: str) -> Sample:
    """The first `up` of a new stack: what the engine, by its own profiler, and Pulumi's SDK in the program do with
    their processor time, and how often the digests of arguments are on record. Without Go, which reads it, no engine's
    profile.
    """
    cloud.reset()
    with project(cloud, program, BENCH_TOLD="told.json", **env) as made:
        main = made.stack.project / "__main__.py"
        main.rename(main.with_name("watched.py"))
        shutil.copy(PROGRAMS / "watched" / "__main__.py", main)
        sample = made.up(n, "--profiling", str(made.stack.folder / "profile"))
        told = json.loads((made.stack.project / "told.json").read_text())
        sample |= {**told, "waiting_cpu": round(told["waiting_cpu"], 3)}
        sample["digests"] = str(made.stack.deployment()).count(" args=")
        if go := shutil.which("go"):
            (profile,) = made.stack.folder.glob("profile.*.cpu")
            command = [go, "tool", "pprof", "-top", "-cum", profile]
            sample |= saving(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return sample


def saving(top: str) -> Sample:
    """From what `go tool pprof -top -cum` prints: CPU seconds of the engine, and of those that write the state.

    It takes 100 samples a second and leaves out what was in none: a small state is written in no time.
    """
    (total,) = re.findall(r"Total samples = (\S+)", top)
    written = re.findall(r"(\S+)\s+\S+%\s+\S*\.saveSnapshot$", top, re.MULTILINE)
    return {"profiled_cpu": _seconds(total), "saving_cpu": sum(map(_seconds, written))}


def _seconds(told: str) -> float:
    return float(told[:-2]) / 1000 if told.endswith("ms") else float(told.removesuffix("s"))


def counted(cloud: Emulator) -> dict[str, int]:
    return {
        "requests": sum(n for operations in cloud.requests().values() for n in operations.values()),
        "connections": cloud.connections(),
    }


def script(cloud: Emulator, n: int, threads: int) -> Sample:
    """The vendor's SDK in a pool of threads, without Pulumi: what a script would do. The whole process is measured."""
    cloud.reset()
    # Python warns of the SDK's escape sequences where its compiled files are missing.
    command = [sys.executable, "-W", "ignore", str(PROGRAMS / "script.py"), cloud.url, str(n), str(threads)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(SDKS)})
    return {"seconds": round(time.perf_counter() - began, 4), **counted(cloud)}


def terraform(cloud: Emulator, n: int, threads: int) -> Sample:
    """`terraform_data` with `local-exec` and curl, unsigned, which is in its favour."""
    program = shutil.which("terraform")
    if not program or not shutil.which("curl"):
        return {"skipped": f"{'curl' if program else 'terraform'} is not installed"}
    cloud.reset()
    with tempfile.TemporaryDirectory(prefix="cloud-runs-bench-") as folder:
        shutil.copy(PROGRAMS / "main.tf", folder)
        env = os.environ | {"CHECKPOINT_DISABLE": "1"}  # it would ask for newer versions of itself
        how: dict[str, Any] = {"cwd": folder, "check": True, "capture_output": True, "env": env}
        subprocess.run([program, "init"], **how)
        settings = ["-var", f"n={n}", "-var", f"endpoint={cloud.url}"]
        began = time.perf_counter()
        subprocess.run([program, "apply", "-auto-approve", f"-parallelism={threads}", *settings], **how)
        return {"seconds": round(time.perf_counter() - began, 4), **counted(cloud)}
