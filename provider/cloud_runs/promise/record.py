"""What is on record before and after a run is fired: intents, fired runs, and what this host process has seen of them.

No Pulumi and no HTTP library here, and nothing is decided here: that is firing.py.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cloud_runs.runs import Candidate

PROCESS = secrets.token_hex(16)
"""This host process. Random and not a pid, since pids come round again."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux; one for each start of the kernel, whose clock it names


@dataclass(frozen=True)
class Clock:
    """A kernel's own clock, which nobody sets: `boot` names the kernel, `uptime` are the seconds since it started.

    With it a later look-up on the same machine knows how long ago an intent was made, even if the machine's time of day
    was corrected in between. Both are empty where the system does not tell.
    """

    boot: str = ""
    uptime: float = 0.0

    @classmethod
    def read(cls) -> Clock:
        try:
            boot = hashlib.sha256(_BOOT_ID.read_bytes()).hexdigest()[:16]
            return cls(boot, time.clock_gettime(time.CLOCK_BOOTTIME))
        except (OSError, AttributeError):  # not Linux
            return cls()


@dataclass(frozen=True)
class Content:
    """What a run was asked for: a digest of each request argument, and of each trigger's value."""

    digests: Mapping[str, str]
    triggers: Mapping[str, str]

    def differences(self, wanted: Content) -> list[str]:
        """Arguments and triggers (`triggers.KEY`) in which `wanted` asks for another run than this one.

        A trigger that was removed is no difference, so putting it back with its old value is none either.
        """
        names = sorted({*self.digests, *wanted.digests})
        changed = [name for name in names if self.digests.get(name) != wanted.digests.get(name)]
        changed += [
            f"triggers.{key}" for key, value in sorted(wanted.triggers.items()) if self.triggers.get(key) != value
        ]
        return changed


@dataclass(frozen=True)
class Intent:
    """The durable record that was made before firing."""

    token: str
    minted_at: datetime
    process: str
    clock: Clock
    content: Content


@dataclass(frozen=True)
class Recorded:
    """The run that the stack has on record for a resource. `token` is that of the intent that it was fired for,
    `beside` that of the intent on record beside it: another one after a rename, or after a change was taken back.
    """

    id: str
    token: str
    content: Content
    fired_at: datetime | None
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    beside: str = ""

    @property
    def shown(self) -> str:
        """The token that a forced replacement keeps, and that a changed argument or trigger gives up."""
        return self.beside or self.token


class Memory:
    """What this host process has seen of the stack. Thread-safe: the dynamic host has four threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recorded: dict[str, Recorded] = {}
        self._deleted: dict[str, Recorded] = {}
        self._attempted: set[tuple[str, str]] = set()
        self._taken: set[tuple[Hashable, str]] = set()
        self._work: dict[Hashable, threading.Lock] = {}
        self._outcomes: dict[tuple[str, str], object] = {}

    def saw(self, urn: str, system: Hashable, run: Recorded) -> None:
        """`diff` was asked about this run."""
        with self._lock:
            self._recorded[urn] = run
            self._taken.add((system, run.id))

    def deleted(self, token: str, system: Hashable, run: Recorded) -> None:
        """`delete` was called for this run: if a create with its intent's token follows, it is a replacement.

        The token and not the URN: a rename changes the URN, and another run may have taken it since.
        """
        with self._lock:
            self._deleted[token] = run
            self._outcomes = {asked: outcome for asked, outcome in self._outcomes.items() if asked[1] != token}
            self._taken.add((system, run.id))

    def old(self, urn: str, token: str) -> tuple[Recorded | None, bool]:
        """The run that the resource had, and whether this process has just deleted it."""
        with self._lock:
            recorded = self._recorded.get(urn)
            gone = self._deleted.get(token) or (recorded if recorded in self._deleted.values() else None)
            return gone or recorded, gone is not None

    def keep(self, urn: str, token: str, outcome: object) -> None:
        """What an ask came to: a second `create` for it must not fire."""
        with self._lock:
            self._outcomes[urn, token] = outcome

    def outcome(self, urn: str, token: str) -> object | None:
        with self._lock:
            return self._outcomes.get((urn, token))

    def attempted(self, urn: str, token: str) -> bool:
        with self._lock:
            return (urn, token) in self._attempted

    def attempting(self, urn: str, token: str) -> None:
        with self._lock:
            self._attempted.add((urn, token))

    def refused(self, urn: str, token: str) -> None:
        """The attempt came to nothing for certain, so that another one needs no look-up."""
        with self._lock:
            self._attempted.discard((urn, token))

    def settled(self, urn: str, token: str, system: Hashable, id: str) -> None:
        with self._lock:
            self._deleted.pop(token, None)  # one delete stands for one replacement
            self._recorded.pop(urn, None)
            self._taken.add((system, id))

    def take(self, system: Hashable, ids: Iterable[str]) -> None:
        """These runs are on record, or will be."""
        with self._lock:
            self._taken.update((system, id) for id in ids)

    def claim(self, system: Hashable, id: str) -> bool:
        """Takes a run, unless another resource was faster."""
        with self._lock:
            free = (system, id) not in self._taken
            self._taken.add((system, id))
            return free

    def free(self, system: Hashable, candidates: tuple[Candidate, ...]) -> list[Candidate]:
        """The candidates that no run of this stack has on record."""
        with self._lock:
            return [candidate for candidate in candidates if (system, candidate.id) not in self._taken]

    @contextmanager
    def one_at_a_time(self, work: Hashable) -> Iterator[None]:
        """Two resources that ask for the same work must not take each other's run for their own."""
        with self._lock:
            lock = self._work.setdefault(work, threading.Lock())
        with lock:
            yield


INTENT_TYPE = "pulumi-python:dynamic/runs:Intent"


def intent_urn(urn: str) -> str:
    """The URN of the intent of the run with this URN: same parent, own type, own name."""
    stack, project, types, name = urn.removeprefix("urn:pulumi:").split("::", 3)
    *parents, _type = types.split("$")
    return f"urn:pulumi:{stack}::{project}::{'$'.join([*parents, INTENT_TYPE])}::{name}-intent"
