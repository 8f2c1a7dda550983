"""What a record is made of, as types. How it is written into the state is the business of ledger.py alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""For a moment whose time cannot be read."""
PAST = 8
ADOPTED = "adopted"
"""Why a run is on record that was given by the user."""
TRIGGERS = "triggers"
"""The argument, and what a difference in one of them begins with: `triggers.KEY`."""


@dataclass(frozen=True)
class Content:
    """What was asked for: a short digest of each request argument, and of each trigger's value."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str | None:
        """The digest of an argument, or of a trigger (`triggers.KEY`)."""
        root, dot, key = name.partition(".")
        return self.triggers.get(key) if root == TRIGGERS and dot else self.arguments.get(name)

    def alike(self, other: Content, names: Iterable[str]) -> bool:
        """Whether both have the same in these arguments and triggers."""
        return all(self.of(name) == other.of(name) for name in names)

    def differences(self, wanted: Content) -> list[str]:
        """Arguments and triggers (`triggers.KEY`) in which `wanted` asks for another run than this one.

        A trigger that was removed is no difference, so putting it back with its old value is none either.
        """
        names = sorted({*self.arguments, *wanted.arguments})
        changed = [name for name in names if self.arguments.get(name) != wanted.arguments.get(name)]
        changed += [
            f"{TRIGGERS}.{key}" for key, value in sorted(wanted.triggers.items()) if self.triggers.get(key) != value
        ]
        return changed


@dataclass(frozen=True)
class Moment:
    """When something was or may have been started: the time of day of the machine, and the clock of its kernel
    (`boot` names the kernel, `uptime` are the seconds since it started; empty where the system does not tell).

    `host` is the host process (random, since pids come round again).
    """

    token: str
    at: datetime
    host: str = ""
    boot: str = ""
    uptime: float = 0.0


@dataclass(frozen=True)
class Intent:
    """The durable record made before firing. `kind` and `name` tell what of: both are empty in a record of 0.1.

    `why`: what has changed, so that it is wanted. `objects` (a digest) and `attempts` (a moment for each list of
    objects, oldest first) are those of a fan-out.
    `places`: where the configuration has put the run, oldest first, as texts (`ledger.place_text`): a replacement can
    be forced under another one. Empty if nothing told.
    """

    moment: Moment
    content: Content
    kind: str = ""
    name: str = ""
    objects: str = ""
    attempts: tuple[Moment, ...] = ()
    why: str = ""
    places: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        return self.moment.token

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All at which something may have been started."""
        return (self.moment, *self.attempts)


@dataclass(frozen=True)
class Fired:
    """What is on record of the firing. `token` is that of the intent that it was fired for, `beside` that of the intent
    beside it: another one after a rename, or after a change was taken back. `at`: in server time. `why` it was fired,
    and how many `reruns` of what failed it is the last of. `resumed`: when the same run went on after it had failed,
    and `over`: when that failure was, if the service tells.

    `past`: tokens and attempts of runs on record that this one has replaced, so that nothing of theirs is lost. `done`:
    ids of runs that the setting `runs:adopt` has brought. `left`: of those that may have been lost, in whose place
    another was given; they may be another resource's. None of these is a new run of this one.

    Of a fan-out also the attempt that it was made in, and of what it refused the moments at which that may have been
    started, and the runs (`predecessors`, by object) that these objects had on record before: none of these is a new
    one. `told`: the token of a later attempt, up to which it was said that objects that left the list may have runs.
    Of the objects whose run has failed, since when they may have been fired again (`failing`), and how often each
    object was fired `again` since it was asked for. `first`: the last start of the `up` that made it, once there is a
    later one; `later`: when the objects were fired that were fired since.
    """

    token: str
    content: Content
    at: datetime | None
    beside: str = ""
    attempt: Moment | None = None
    doubt: tuple[Moment, ...] = ()
    predecessors: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    reruns: int = 0
    resumed: datetime | None = None
    over: datetime | None = None
    past: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    told: str = ""
    failing: Mapping[str, Sequence[Moment]] = field(default_factory=dict)
    again: Mapping[str, int] = field(default_factory=dict)
    first: datetime | None = None
    later: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def tried(self) -> str:
        """The token of the attempt that it was made in."""
        return self.attempt.token if self.attempt else ""

    @property
    def settled(self) -> tuple[str, ...]:
        """The tokens of all moments of which this record is what came."""
        own = (self.token, self.beside, self.tried)
        return tuple(dict.fromkeys(token for token in (*self.past, *own) if token))

    @property
    def shown(self) -> str:
        """The token that a forced replacement keeps, and that a changed argument or trigger gives up."""
        return self.beside or self.token


@dataclass(frozen=True)
class Recorded:
    """A run or a fan-out on record. `ids` and `refused` by object; a run is that of the object ''.

    Of a fan-out: the objects whose run has `failed`, as the last refresh has told it, and by object the runs (`past`)
    that failed and were fired again. `reruns`: whether what has failed may have been fired again by an earlier `up`.
    """

    id: str
    fired: Fired
    ids: Mapping[str, str]
    refused: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    failed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    past: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    reruns: bool = field(default=False, compare=False)  # as the program says now

    @property
    def content(self) -> Content:
        return self.fired.content

    @property
    def unsettled(self) -> list[Moment]:
        """Since when something may have been started that is on no record: for objects that were refused, and for
        those that may have been fired again."""
        failing = self.fired.failing.values() if self.reruns else ()
        again = {moment.token: moment for since in failing for moment in since}
        return [*(self.fired.doubt if self.refused else ()), *again.values()]

    @property
    def fired_at(self) -> datetime | None:
        return self.fired.at


class Before(NamedTuple):
    """The run that a resource had, and whether this process has just deleted it."""

    recorded: Recorded | None
    deleted: bool = False


class Former(NamedTuple):
    """An intent that this update gives up, and the arguments that it was made for, as far as they are on record.

    `moments`: since when something may have been started for it that is on no record. `after`: the run of this intent
    that an earlier `up` has deleted, to replace it by another one.
    """

    intent: Intent
    arguments: Any
    moments: Sequence[Moment]
    after: Recorded | None = None


def past_of(replaced: Recorded | None, token: str) -> tuple[str, ...]:
    """What the record of a run under this token says of those before it: the engine deletes an intent that was
    replaced some `up`s later, if these fail, and must not be told then that its run was lost."""
    settled = replaced.fired.settled if replaced else ()
    return tuple(one for one in settled if one != token)[-PAST:]


def done_with(before: Recorded | None, ids: Iterable[str] = ()) -> tuple[str, ...]:
    """What a record says of the runs that the setting has brought: what that before it has said, and these."""
    return tuple(dict.fromkeys([*(before.fired.done if before else ()), *ids]))


def attempts_since(attempts: Sequence[Moment], tried: str) -> tuple[bool, list[Moment]]:
    """Whether the attempt with this token is among these, and those after it, else all."""
    tokens = [attempt.token for attempt in attempts]
    known = tried in tokens  # not after a change that was taken back
    return known, list(attempts[tokens.index(tried) + 1 if known else 0 :])
