"""At most once: when a start request may be sent, and what is done when its answer is lost.

No Pulumi and no HTTP library here; clock and sleep are passed in. design.md, "How the promise is kept", is the
contract; each function below is one of its tables. A run costs money and cannot be taken back: when in doubt,
nothing is fired.
"""

from __future__ import annotations

import hashlib
import platform
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from provider import errors
from provider.runs import Candidate, Found, Started, rfc3339

PROCESS = secrets.token_hex(16)
"""This host process. Random and not a pid, since pids come round again."""

MACHINE = hashlib.sha256(f"{platform.node()}/{uuid.getnode()}".encode()).hexdigest()[:16]
"""This machine, so that a later look-up knows whether the intent's clock was this one. Names nothing."""

_BEGAN = time.monotonic()

LOOK_SECONDS = 60.0
"""How long a lost answer is looked for before the `up` gives up. Lists may lag."""
SETTLE_SECONDS = 10.0
"""An earlier process may have fired just before this one began, and lists lag: this old must this process be
before "no run found" is believed."""
SIBLINGS_SECONDS = 1.0
"""The engine asks for the diffs of sibling runs, which tell their recorded ids, within about this time."""
TICK = timedelta(seconds=2)
"""Services give whole seconds, in `Date` and in their lists, so two times of one moment may differ by this much."""
SKEW = timedelta(minutes=15)
"""A clock that is further off than this is refused by the signature check (RequestTimeTooSkewed)."""
ADOPT_WITHIN = timedelta(minutes=10)
"""A run without a marker of ours is taken for the lost one only if it began within this time of the intent."""
FORGET_AFTER = timedelta(days=7)
"""Beyond this the system may have forgotten a run, so "no run found" proves nothing."""


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
    machine: str
    content: Content


@dataclass(frozen=True)
class Recorded:
    """The run that the stack has on record for a resource."""

    id: str
    token: str
    content: Content
    fired_at: datetime | None
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)


class Starter(Protocol):
    """One request, bound to the system that it is for."""

    @property
    def work(self) -> Hashable:
        """Equal for requests that a look-up cannot tell apart."""

    def start(self) -> Started: ...

    def find(self, since: datetime) -> Found: ...


class Memory:
    """What this host process has seen of the stack. Thread-safe: the dynamic host has four threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recorded: dict[str, Recorded] = {}
        self._deleted: dict[str, Recorded] = {}
        self._attempted: set[tuple[str, str]] = set()
        self._taken: set[tuple[Hashable, str]] = set()
        self._work: dict[Hashable, threading.Lock] = {}

    def saw(self, urn: str, system: Hashable, run: Recorded) -> None:
        """`diff` was asked about this run."""
        with self._lock:
            self._recorded[urn] = run
            self._taken.add((system, run.id))

    def deleted(self, urn: str, system: Hashable, run: Recorded) -> None:
        """`delete` was called for this run: if a create follows in this process, it is a replace.

        A rename has changed the URN that create tells, but not the token.
        """
        with self._lock:
            self._deleted[urn] = self._deleted[run.token] = run
            self._taken.add((system, run.id))

    def old(self, urn: str, token: str) -> tuple[Recorded | None, bool]:
        """The run that the resource had, and whether this process has just deleted it."""
        with self._lock:
            deleted = self._deleted.get(urn) or self._deleted.get(token)
            return deleted or self._recorded.get(urn), deleted is not None

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
            deleted = self._deleted.pop(urn, None) or self._deleted.pop(token, None)
            if deleted:  # one delete stands for one replacement
                self._deleted.pop(deleted.token, None)
            self._taken.add((system, id))

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


@dataclass(frozen=True)
class Ask:
    """What one `create()` is asked for. `intent` is None if the engine brought no token."""

    urn: str
    system: Hashable
    intent: Intent | None
    content: Content


@dataclass(frozen=True)
class Settled:
    """One run for one ask. `provenance`: `fired`, `found`, or `kept` (the resource's old run stays on record).

    `at` is when the run was fired, in server time. `note` is to be shown to the user, if there is one.
    """

    id: str
    provenance: str
    at: datetime | None
    note: str = ""
    started: Started | None = None
    kept: Recorded | None = None


@dataclass(frozen=True)
class World:
    """What firing needs of the outside. `engine_alive` is asked right before each start: an orphan never fires."""

    memory: Memory
    engine_alive: Callable[[], bool]
    tell: Callable[[str], None] = lambda text: None
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    began: float = _BEGAN


def settle(ask: Ask, api: Starter, world: World) -> Settled:
    """The decision table of `create()`; the order matters. Returns one run, or raises and then has fired nothing
    that it does not name.

    Raises Refused or NotReached (nothing ran), UnknownOutcome (what was tried, what to do), Ambiguous (lists the
    candidates), Unavailable (the service cannot be asked; nothing fired), RunsError (no intent; orphan).
    """
    memory, intent = world.memory, ask.intent
    if intent is None:
        raise errors.RunsError(
            "nothing was fired: its intent is not part of this update. Leave --target and --exclude away, or name the "
            f"intent too: {intent_urn(ask.urn)}"
        )
    with memory.one_at_a_time(api.work):
        old, just_deleted = memory.old(ask.urn, intent.token)
        if old and not just_deleted and old.token != intent.token and not old.content.differences(ask.content):
            memory.settled(ask.urn, intent.token, ask.system, old.id)
            return Settled(
                old.id, "kept", old.fired_at, "the change was taken back before it ran; nothing fired", kept=old
            )
        minted_here = intent.process == PROCESS
        if memory.attempted(ask.urn, intent.token) or not (minted_here or just_deleted):
            found = _look_before_firing(ask, intent, old, api, world)
            if found:
                return found
        return _fire(ask, intent, api, world)


def _fire(ask: Ask, intent: Intent, api: Starter, world: World) -> Settled:
    if not world.engine_alive():
        raise errors.RunsError(
            "nothing was fired: the Pulumi engine that asked for this run is gone. Run `pulumi up` again"
        )
    sent = world.now()
    world.memory.attempting(ask.urn, intent.token)
    try:
        started = api.start()
    except (errors.Refused, errors.NotReached, errors.InvalidConfiguration):
        world.memory.refused(ask.urn, intent.token)
        raise
    except Exception as lost:  # noqa: BLE001 - whatever it was, a bug of ours included: the request may have arrived
        return _look_for_lost_answer(ask, sent, lost, api, world)
    world.memory.settled(ask.urn, intent.token, ask.system, started.id)
    return Settled(started.id, "fired", started.at, started=started)


def _look_for_lost_answer(ask: Ask, sent: datetime, lost: Exception, api: Starter, world: World) -> Settled:
    """The start was sent in this process, so its time is known; only the list's lag is not."""
    world.tell("the answer was lost; looking for the run")
    deadline = world.monotonic() + LOOK_SECONDS
    pause, trouble = 1.0, ""
    while True:
        try:
            candidates, _ = _candidates(ask, api, world, sent - TICK)
        except (errors.Unavailable, errors.Refused) as error:
            candidates, trouble = [], f" The last look-up failed: {error}"
        if candidates:
            note = f"the answer was lost, the run was found: {candidates[0].id}"
            return _adopt_only(ask, candidates, candidates, note, world)
        if world.monotonic() + pause > deadline:
            break
        world.sleep(pause)
        pause = min(pause * 2, 10.0)
    raise errors.UnknownOutcome(
        f"{lost}. The run may have started: it was looked for during {LOOK_SECONDS:.0f} s and not found, and nothing "
        f"was fired again.{trouble} The next `pulumi up` looks again before it fires; if you find the run in the "
        "console, set adopt_id to its id"
    ) from lost


def _look_before_firing(ask: Ask, intent: Intent, old: Recorded | None, api: Starter, world: World) -> Settled | None:
    """An earlier `up` may have fired this intent. None means: certainly not, so fire."""
    world.tell(f"an earlier up may have started this run: looking for it before firing (about {SETTLE_SECONDS:.0f} s)")
    world.sleep(SIBLINGS_SECONDS)
    pause = 1.0
    while True:
        try:
            candidates, offset = _candidates(ask, api, world, intent.minted_at - SKEW, old)
        except (errors.Unavailable, errors.Refused) as error:
            raise errors.Unavailable(
                "nothing was fired: an earlier `pulumi up` may have started this run, and that could not be looked up. "
                f"{error}"
            ) from error
        minted = intent.minted_at + offset
        # Only another machine's clock can have put the intent later than the run that it was made for.
        earliest = minted - (TICK if intent.machine == MACHINE else SKEW)
        candidates = [candidate for candidate in candidates if candidate.proof or _since(candidate, earliest)]
        if candidates:
            near = [
                candidate
                for candidate in candidates
                if candidate.proof or (candidate.began and minted - TICK <= candidate.began <= minted + ADOPT_WITHIN)
            ]
            note = f"found run {candidates[0].id} of an interrupted up; for a new run change a trigger"
            return _adopt_only(ask, candidates, near, note, world)
        waited = world.monotonic() - world.began
        if waited >= SETTLE_SECONDS:
            break
        world.sleep(min(pause, SETTLE_SECONDS - waited))
        pause = min(pause * 2, 4.0)
    if world.now() - intent.minted_at > FORGET_AFTER:
        raise errors.UnknownOutcome(
            f"nothing was fired: an earlier `pulumi up` may have started this run on {rfc3339(intent.minted_at)}, too "
            "long ago for the service to tell. If it did not, change a trigger to fire it now; if it did, set adopt_id"
        )
    return None


def _candidates(
    ask: Ask, api: Starter, world: World, since: datetime, old: Recorded | None = None
) -> tuple[list[Candidate], timedelta]:
    """Runs that may be the lost one, oldest first, and what to add to our clock to get the server's.

    Never a candidate: a run that this stack has on record, the resource's own old run, and what began before that.
    """
    first = api.find(since - SKEW)  # our clock may be off by as much; filtered below, in server time
    offset = first.server_time - world.now() if first.server_time else timedelta(0)
    candidates = [c for c in world.memory.free(ask.system, first.candidates) if _since(c, since + offset)]
    if old:
        candidates = [c for c in candidates if c.id != old.id and (old.fired_at is None or _since(c, old.fired_at))]
    return sorted(candidates, key=lambda candidate: candidate.began or since), offset


def _since(candidate: Candidate, moment: datetime) -> bool:
    """Whether it began then or later; one whose time is not known may have."""
    return candidate.began is None or candidate.began >= moment


def _adopt_only(ask: Ask, candidates: list[Candidate], near: list[Candidate], note: str, world: World) -> Settled:
    """Adopts if there is one candidate and it can be ours; otherwise says what was found."""
    if len(candidates) > 1 or not near:
        times = [rfc3339(c.began) if c.began else "at an unknown time" for c in candidates]
        listed = ", ".join(f"{c.id} (began {time})" for c, time in list(zip(candidates, times, strict=True))[:10])
        more = f" and {len(candidates) - 10} more" if len(candidates) > 10 else ""
        raise errors.Ambiguous(
            f"nothing more was fired: an earlier request may have started one of these runs: {listed}{more}. If one is "
            "yours, set adopt_id to its id; if none is, change a trigger to fire a new run",
            [candidate.id for candidate in candidates],
        )
    token = ask.intent.token if ask.intent else ""
    world.memory.settled(ask.urn, token, ask.system, near[0].id)
    return Settled(near[0].id, "found", near[0].began, note)


INTENT_TYPE = "pulumi-python:dynamic/runs:Intent"


def intent_urn(urn: str) -> str:
    """The URN of the intent of the run with this URN: same parent, own type, own name."""
    stack, project, types, name = urn.removeprefix("urn:pulumi:").split("::", 3)
    *parents, _type = types.split("$")
    return f"urn:pulumi:{stack}::{project}::{'$'.join([*parents, INTENT_TYPE])}::{name}-intent"
