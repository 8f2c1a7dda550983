"""The kill campaign: SIGKILL to the engine, to the dynamic host, or to both, at random instants; then `pulumi cancel`
and `up`. After an engine's death its host goes on as an orphan, also during the next `up`.

The seed chooses everything but the instants themselves, which depend on the machine.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.campaigns.lane import Lane, due, opened
from tests.campaigns.oracle import Ask, Seen
from tests.campaigns.report import Report
from tests.campaigns.works import FANS_OUT, SYSTEMS, UNMARKED

TARGETS = ("engine", "host", "both")
KILLS = "kills by what was killed"
WINDOW = "kills that fell between POST and checkpoint"
LOST = "runs that were fired and not on record when they fell"
KILLS_IN_A_LANE = 10
"""Where somebody else's run may look like ours."""
HARD = 0.35
"""How often the recovery is killed too."""


@dataclass(frozen=True)
class Instant:
    """Some seconds after an event of the command: its start, its first checkpoint, its first start request."""

    event: str
    seconds: float


def _instant(rng: random.Random, ask: Ask, again: bool) -> Instant:
    events = ["begin", "checkpoint", "request", "request"]
    event = rng.choice(events[:2] if ask is Ask.DESTROYED and not again else events)
    # A recovery looks until its process is 10 s old.
    longest = {"begin": 13.0 if again else 3.0, "checkpoint": 0.6, "request": 1.0}[event]
    return Instant(event, rng.uniform(0, longest))


def lane(report: Report, kills: int, folder: Path, name: str, rng: random.Random, hard: float = HARD) -> None:
    """Kills until so many have fallen; each finds a stack with the history that the ones before have left."""
    with opened(folder, report, name, rng) as its:
        its.renew(fans=True)
        _Killer(its, kills, hard).run()
        its.end()


class _Killer:
    def __init__(self, lane: Lane, kills: int, hard: float) -> None:
        self.lane, self.left, self.hard, self.rng, self.cloud = lane, kills, hard, lane.rng, lane.cloud
        self.stack = lane.stack

    def run(self) -> None:
        ask = Ask.CREATE
        while self.left > 0:
            self.episode(ask)
            ask = self.rng.choice(list(Ask))

    def episode(self, ask: Ask) -> None:
        """One ask with one or more kills, until an `up` has succeeded."""
        lane = self.lane
        lane.still()
        if ask is Ask.CREATE:
            lane.renew(fans=True)
        before = lane.look()
        if ask in (Ask.CHANGE, Ask.TAKEN_BACK):
            lane.change()
        if ask is Ask.ADDED:
            lane.add()
            before = {name: before.get(name, Seen()) for name in lane.look()}
        flags = lane.replacing() if ask is Ask.FORCED else ()
        again = False
        while True:
            killed, succeeded = self.kill(ask, flags, before, again)
            if not again:
                # What was done before the kill is another thing to take back, or to have destroyed.
                done = succeeded and ask not in (Ask.TAKEN_BACK, Ask.DESTROYED)
                wants = due(ask, before, None if done else lane.look())
            self.left -= killed
            lane.judge(wants, settled=False)
            if ask is Ask.TAKEN_BACK and not again:
                lane.change(-1)
            again = True
            if not killed or self.left <= 0 or self.rng.random() > self.hard:
                break
        ended = lane.settle(ask.value, wants, lane.up())
        for name, how in ended.items():
            lane.report.count(f"outcome after: {ask.value}", f"{lane.work_of(name).kind}: {how}")
        for pid in self.stack.processes():  # orphans: they had all this time to do harm
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill(self, ask: Ask, flags: tuple[str, ...], before: dict[str, Seen], again: bool) -> tuple[bool, bool]:
        """One command, killed unless it ends before: whether it was, and whether it succeeded."""
        target, instant = self.rng.choice(TARGETS), _instant(self.rng, ask, again)
        for system in SYSTEMS:
            faults = []
            if self.rng.random() < 0.7:
                seconds = round(self.rng.uniform(0.2, 2.0), 2)
                faults.append({"action": "delay", "seconds": seconds, "after_effect": True})
            if self.rng.random() < 0.1 and system in UNMARKED:
                faults.append({"action": "foreign_run"})
            if faults:
                times = self.rng.choice((1, 1, 2, 4)) if system in FANS_OUT else 1
                where = {"system": system, "operation": "start", "times": times}
                self.cloud.faults(*({**where, **fault} for fault in faults))
        command = "destroy" if ask is Ask.DESTROYED and not again else "up"
        self.lane.write()
        process = self._begin(command, flags if not again else (), instant)
        time.sleep(instant.seconds)
        killed = process.poll() is None and self._strike(target, process)
        process.wait(timeout=300)
        self.lane.unlock(locked=killed and target != "host")  # else the engine has ended by itself
        self.lane.step(
            f"{ask.value}: {command} {'--replace' if flags and not again else ''} {target} "
            f"{'' if killed else 'not '}killed {instant.seconds:.2f} s after its {instant.event}, exit "
            f"{process.returncode}\n{self.lane.account()}"
        )
        if killed:
            self._count(ask, target, before, again)
        return killed, process.returncode == 0

    def _begin(self, command: str, flags: tuple[str, ...], instant: Instant) -> subprocess.Popen[bytes]:
        """Starts the command and waits for the event."""
        state = next((self.stack.folder / "state").glob(".pulumi/stacks/*/test.json"))
        saved, sent = state.stat().st_mtime_ns, self._starts()
        happened: dict[str, Callable[[], bool]] = {
            "begin": lambda: True,
            "checkpoint": lambda: state.stat().st_mtime_ns != saved,
            "request": lambda: self._starts() > sent,
        }
        process = self.stack.start(flags=flags, command=command)
        while not happened[instant.event]() and process.poll() is None:
            time.sleep(0.05)
        return process

    def _starts(self) -> int:
        return sum(counts.get("start", 0) for counts in self.cloud.requests().values())

    def _strike(self, target: str, engine: subprocess.Popen[bytes]) -> bool:
        hosts = [pid for pid in self.stack.processes() if _is_host(pid)]
        pids = {"engine": [engine.pid], "host": hosts, "both": self.stack.processes()}[target]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pids)

    def _count(self, ask: Ask, target: str, before: dict[str, Seen], again: bool) -> None:
        report, now = self.lane.report, self.lane.look()
        what = f"{ask.value}, {'its recovery' if again else 'the first command'}"
        report.count(KILLS, target)
        report.count("kills by what was asked for", what)
        lost = 0
        for name, seen in now.items():
            if seen.fired - before[name].fired - {seen.recorded}:
                lost += 1
                report.count(LOST, self.lane.work_of(name).kind)
        if lost:
            report.count(WINDOW, what)


def _is_host(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"pulumi.dynamic" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
