"""What the processes of an `up` take: processor time of each kind, and the peak memory of the dynamic host."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from tests.support.stack import Stack

LOOK_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


class Processes:
    """Looks at the processes of a stack while an `up` goes on: from outside, since the engine does not wait for them.

    The last look at a process is up to LOOK_SECONDS before its end. Tells nothing where there is no /proc.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._cpu: dict[str, dict[int, float]] = {"engine": {}, "program": {}, "host": {}}
        self._peak_kb = 0

    def __enter__(self) -> Processes:
        if Path("/proc/self/stat").exists():
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def told(self) -> dict[str, float]:
        """Seconds of processor time, and `host_mb`; what was not seen is left out."""
        cpu = {f"{kind}_cpu": round(sum(seen.values()), 2) for kind, seen in self._cpu.items() if seen}
        return {**cpu, "host_mb": round(self._peak_kb / 1024, 1)} if self._peak_kb else dict(cpu)

    def _watch(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            for pid in self._stack.processes():
                with contextlib.suppress(OSError):  # it has ended
                    self._look(pid, Path(f"/proc/{pid}"))

    def _look(self, pid: int, process: Path) -> None:
        kind = _kind((process / "cmdline").read_bytes().split(b"\0"))
        if kind is None:
            return
        # After the name in brackets, which may hold anything: user and system time are the fields 14 and 15 of proc(5).
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        self._cpu[kind][pid] = (int(fields[11]) + int(fields[12])) / _TICKS
        if kind == "host":
            status = (process / "status").read_text().splitlines()
            # the peak since the process began
            self._peak_kb = max([self._peak_kb, *(int(line.split()[1]) for line in status if line.startswith("VmHWM"))])


def _kind(command: list[bytes]) -> str | None:
    name = os.path.basename(command[0])
    if name == b"pulumi":
        return "engine"
    if not name.startswith(b"python"):
        return None
    if b"pulumi.dynamic" in command:
        return "host"
    return "program" if any(b"pulumi-language-python-exec" in part for part in command) else None
