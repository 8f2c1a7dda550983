"""`make demo`: the life of a run, on the real engine, against the emulated clouds. Needs no account.

A copy of the project works in a temporary folder, with a state and a Pulumi home of its own, so nothing is written in
the checkout. After each step the demo compares what the emulator counted with what should have fired. The exit status
is 0 if all agreed, 1 if a step failed, and 128 plus the signal's number after a signal. What it started has ended by
then, and the folder is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STACK = "demo"
IDS = ("instance_id", "job_id", "execution_name", "dwr_execution_name", "flow_instance_id")
"""The outputs that hold an id, one for each system."""
RUN_SECONDS = 2
LISTED_SECONDS = 2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Settings of the user's own must not lead the demo to a real cloud, nor loopback through a proxy.
FOREIGN = re.compile(r"(PULUMI|TENCENTCLOUD|HW|ENOS|RUNS)_.*|.*_proxy", re.IGNORECASE)


class Failed(Exception):
    """A step did not do what it should; the text says what."""


class Stopped(Exception):
    """A signal came."""


class Signals:
    """Notes the first signal. Nothing is raised from the handler: a child that was just started must not get lost."""

    def __init__(self) -> None:
        self.number = 0
        for number in SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self.number = self.number or number

    def check(self) -> None:
        if self.number:
            print("\ndemo: stopping", file=sys.stderr)
            raise Stopped


@dataclass(frozen=True)
class Cloud:
    """The emulator, and what it saw."""

    url: str

    def ask(self, what: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/_emulator/{what}", timeout=10) as answer:
                return json.load(answer)
        except OSError as error:
            raise Failed(f"the emulator does not answer: {error}") from error

    def fired(self) -> list[str]:
        """Ids of the runs that were asked for, oldest first; without the executions that a job starts by itself."""
        return [run["id"] for run in self.ask("runs") if run["origin"] == "api"]


@dataclass
class Demo:
    """Runs commands in the copy of the project, and checks what they did."""

    project: Path
    env: dict[str, str]
    cloud: Cloud
    signals: Signals
    steps: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    """Ids that the stack has given, each with the output and the step that gave it first."""

    def step(self, title: str, look: str) -> None:
        self.signals.check()
        self.steps += 1
        say(f"\n{bold(f'{self.steps}. {title}')}\n   {look}\n")

    def pulumi(self, *arguments: str, folder: str = ".") -> None:
        """Shows a command and, as it comes, its output."""
        shown = shlex.join(["pulumi", *arguments])
        say(bold(f"{folder.removeprefix('.')}$ {shown}"))
        extra = [] if sys.stdout.isatty() else ["--non-interactive", "--color=never", "--suppress-progress"]
        if arguments[0] == "config":
            extra = []
        status = run(["pulumi", *arguments, *extra], self.project / folder, self.env, self.signals)
        if status:
            raise Failed(f"`{shown}` ended with status {status}")

    def ask(self, *arguments: str, folder: str = ".") -> str:
        """What a short command prints; nothing is shown."""
        self.signals.check()
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(
            command,
            cwd=self.project / folder,
            env=self.env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        if done.returncode:
            raise Failed(f"`{shlex.join(command)}` ended with status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def stack_outputs(self, folder: str = ".") -> dict[str, str]:
        values: dict[str, str] = json.loads(self.ask("stack", "output", "--json", "--stack", STACK, folder=folder))
        return values

    def expect_ids(self, *new: str) -> None:
        """Each id that the stack gives is a fired run's; those of the outputs `new` were not seen before."""
        ids = {value: name for name, value in self.stack_outputs().items() if name in IDS}
        changed = {name for value, name in ids.items() if value not in self.outputs}
        which = f"new: {' and '.join(new)}" if new else "none is new"
        true = set(ids) <= set(self.cloud.fired()) and changed == set(new)
        self.expect(f"the stack's ids are those of runs ({which})", true)
        self.outputs = {value: f"{name} (step {self.steps})" for value, name in ids.items()} | self.outputs

    def expect_fired(self, expected: int) -> None:
        fired = len(self.cloud.fired())
        self.expect(f"emulator: {fired} runs started so far (expected {expected})", fired == expected)

    def expect(self, what: str, true: bool) -> None:
        if not true:
            raise Failed(f"step {self.steps}, not as expected: {what}")
        say(green(f"ok  {what}"))

    def wait_for_the_runs(self) -> None:
        end = time.monotonic() + RUN_SECONDS + 10
        while any(run["state"] in ("Submitted", "Running") for run in self.cloud.ask("runs")):
            self.signals.check()
            if time.monotonic() > end:
                raise Failed("the emulator's runs did not end in time")
            time.sleep(0.05)
        # A batch job goes on until all of its executions must be listed: runs:lagSeconds of the stack, whole seconds.
        listed = time.monotonic() + LISTED_SECONDS
        while time.monotonic() < listed:
            self.signals.check()
            time.sleep(0.05)

    def records(self) -> dict[str, dict[str, Any]]:
        """What the state holds of each resource, by its name."""
        resources = json.loads(self.ask("stack", "export", "--stack", STACK))["deployment"]["resources"]
        return {entry["urn"].split("::")[-1]: entry["outputs"] for entry in resources}


def life_of_a_run(demo: Demo) -> None:
    up = ("up", "--yes", "--skip-preview", "--stack", STACK)

    demo.step("The first up", "Five runs fire, one of each kind. Their ids are stack outputs.")
    demo.pulumi(*up)
    demo.expect_fired(len(IDS))
    demo.expect_ids(*IDS)

    demo.step("Up again, with nothing changed", "Nothing fires, and the ids stay.")
    demo.pulumi(*up)
    demo.expect_fired(len(IDS))
    demo.expect_ids()

    demo.step("Refresh, when the runs have ended", "The phases go from pending to succeeded. Nothing fires.")
    demo.wait_for_the_runs()
    demo.pulumi("refresh", "--yes", "--skip-preview", "--run-program", "--stack", STACK)
    for name, record in demo.records().items():
        if "phase" not in record:
            continue
        objects = [key for task in record["tasks"] for key in task["objects"]]
        told = f"{name}: {record['phase']}"
        told += f", finished at {record['finished_at']}" if record["finished_at"] else ""
        told += f", made {', '.join(objects)}" if objects else ""
        told += f", executions {counts(record['executions'])}" if record.get("executions") else ""
        demo.expect(told, record["phase"] == "succeeded")
    demo.expect_fired(len(IDS))

    demo.step(
        "A changed trigger",
        "One more Tencent workflow run fires and takes the old one's place. The rest is left alone.",
    )
    demo.pulumi("config", "set", "release", "2", "--stack", STACK)
    demo.pulumi(*up)
    demo.expect_fired(len(IDS) + 1)
    demo.expect_ids("instance_id")

    demo.step(
        "An up that waits",
        "With `wait` set, a Completion holds the up until the runs have ended, and shows how many have. One more run\n"
        "   fires because of its trigger; waiting fires none.",
    )
    demo.pulumi("config", "set", "wait", "1m", "--stack", STACK)
    demo.pulumi("config", "set", "release", "3", "--stack", STACK)
    demo.pulumi(*up)
    for outcome in demo.records()["done"]["outcomes"]:
        demo.expect(f"{outcome['reference']}: {outcome['phase']}", outcome["phase"] == "succeeded")
    demo.expect_fired(len(IDS) + 2)
    demo.expect_ids("instance_id")

    consumer = "stacks/consumer"
    demo.step("Another stack takes the ids", "The program in stacks/consumer reads them by StackReference.")
    demo.ask("stack", "init", STACK, folder=consumer)
    producer = f"organization/cloud-runs/{STACK}"
    demo.pulumi("config", "set", "producer", producer, "--stack", STACK, folder=consumer)
    demo.pulumi(*up, folder=consumer)
    taken, given = demo.stack_outputs(consumer), demo.stack_outputs()
    demo.expect("the consumer has the newest ids", taken == {name: given[name] for name in IDS})
    demo.expect_fired(len(IDS) + 2)

    demo.step("Destroy", "Both stacks go. Nothing fires, and nothing is asked of the cloud: runs that were fired stay.")
    requests = demo.cloud.ask("requests")
    demo.pulumi("destroy", "--yes", "--skip-preview", "--stack", STACK, folder=consumer)
    demo.pulumi("destroy", "--yes", "--skip-preview", "--stack", STACK)
    demo.expect("emulator: no request came", demo.cloud.ask("requests") == requests)
    demo.expect_fired(len(IDS) + 2)


def what_the_emulator_counted(demo: Demo) -> None:
    say(f"\n{bold('What the emulator counted')}\n")
    requests = [
        (system, counts(operations))
        for system, operations in demo.cloud.ask("requests").items()
        if isinstance(operations, dict) and any(operations.values())
    ]
    table(("system", "requests"), *requests)
    runs = demo.cloud.ask("runs")
    fired = [run for run in runs if run["origin"] == "api"]
    table(
        ("run", "system", "state", "stack output"),
        *((run["id"], run["system"], run["state"], demo.outputs.get(run["id"], "")) for run in fired),
    )
    say(f"  The batch job itself started {len(runs) - len(fired)} executions more, one an object.\n")


def counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {round(number)}" for name, number in numbers.items() if number)


def table(*rows: tuple[str, ...]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        say("  " + (line if number else bold(line)))
    say("")


# -- processes


def run(command: list[str], folder: Path, env: dict[str, str], signals: Signals) -> int:
    """Runs a command and shows its output as it comes; in a terminal it gets one of its own.

    So Ctrl-C reaches the demo alone, which hands on one SIGINT: a second would make the engine drop what it is doing.
    """
    with contextlib.ExitStack() as stack:
        output = None
        channel: int | None = None
        if sys.stdout.isatty():
            channel, output = pty.openpty()
            stack.callback(os.close, channel)
            fcntl.ioctl(output, termios.TIOCSWINSZ, fcntl.ioctl(sys.stdout, termios.TIOCGWINSZ, bytes(8)))
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL if output is None else output,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        if output is not None:
            os.close(output)
        try:
            while process.poll() is None:
                signals.check()
                if not show(channel):
                    time.sleep(0.02)
        finally:
            end(process, channel)
            while show(channel):
                pass
    return process.returncode


def show(channel: int | None) -> bool:
    """Passes on what a child has written to its terminal, if it has one; whether there was something."""
    if channel is None or not select.select([channel], [], [], 0)[0]:
        return False
    try:
        data = os.read(channel, 65536)
    except OSError:  # Linux says so when the child has closed its side
        return False
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
    return bool(data)


def end(process: subprocess.Popen[Any], channel: int | None = None) -> None:
    """One SIGINT, which lets the engine finish what it is doing; only if that does not help, more."""
    if process.poll() is not None:
        return
    for number, patience in ((signal.SIGINT, 20), (signal.SIGINT, 10), (signal.SIGKILL, 10)):
        if process.poll() is None:
            process.send_signal(number)
        until = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < until:
            if not show(channel):  # a child whose terminal is full cannot end
                time.sleep(0.02)
    # A plugin may outlive an engine that was stopped while it started. Each child has a session of its own.
    until = time.monotonic() + 2
    while (left := session(process.pid)) and time.monotonic() < until:
        time.sleep(0.02)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def session(leader: int) -> list[int]:
    """The processes in the session that this one began; none can be found where there is no /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def emulator(env: dict[str, str]) -> Iterator[Cloud]:
    command = [sys.executable, "-m", "cloud_runs_emulator", "--port", "0", "--run-seconds", str(RUN_SECONDS)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        if not first.startswith("listening on "):
            raise Failed("the emulator did not start")
        yield Cloud(first.split()[-1])
    finally:
        end(process)
        process.stdout.close()


def environment(folder: Path) -> dict[str, str]:
    """The user's own, without what could lead elsewhere; the state and what Pulumi keeps go to the folder."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",  # nothing is to be downloaded
    }


def copy_project(folder: Path, cloud: Cloud) -> Path:
    """The files that `pulumi` sees, and settings like those of the stack dev, with the emulator's own address."""
    project = folder / "project"
    (folder / "state").mkdir()
    shutil.copytree(ROOT / "stacks", project / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, project)
    (project / ".venv").symlink_to(sys.prefix)
    settings = (project / "stacks/Pulumi.dev.yaml").read_text()
    settings, found = re.subn(r"(?m)^(  \S+:(?:\w+E|e)ndpoint:).*", rf"\1 {cloud.url}", settings)
    if found != 4:  # a request must never go anywhere else
        raise Failed(f"stacks/Pulumi.dev.yaml has {found} endpoints, not one for each of the four services")
    (project / f"stacks/Pulumi.{STACK}.yaml").write_text(settings)
    return project


# -- what it looks like


def say(text: str) -> None:
    print(text, flush=True)


def styled(text: str, code: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain else f"\033[{code}m{text}\033[0m"


def bold(text: str) -> str:
    return styled(text, "1")


def green(text: str) -> str:
    return styled(text, "32")


def main() -> int:
    """The exit status."""
    signals = Signals()
    began = time.monotonic()
    if not shutil.which("pulumi"):
        print("demo: no pulumi on PATH; `make demo` brings one", file=sys.stderr)
        return 1
    try:
        with contextlib.ExitStack() as stack:
            temporary = tempfile.TemporaryDirectory(prefix="cloud-runs-demo-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
            env = environment(folder)
            cloud = stack.enter_context(emulator(env))
            demo = Demo(copy_project(folder, cloud), env, cloud, signals)
            say(f"The clouds are emulated on {cloud.url}; a run takes {RUN_SECONDS} s there.")
            say(f"A copy of the project is in {demo.project}; it goes when the demo ends.")
            demo.ask("stack", "init", STACK)
            life_of_a_run(demo)
            what_the_emulator_counted(demo)
    except Stopped:
        print("\ndemo: stopped, and cleaned up", file=sys.stderr)
        return 128 + signals.number
    except Failed as failure:
        print(f"\ndemo: FAILED: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # as in `make demo | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    say(f"All as promised, in {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
