"""Plain values that every room speaks: a run, where it is, how it is.

Nothing here knows Pulumi or HTTP. A *system* is one of the services (`tencent.workflow`, `tencent.inventory`,
...); a *run* is one execution of a workflow or one batch job, whatever the system calls it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, unquote

from cloud_runs.errors import NotFound, Throttled, Unavailable
from cloud_runs.limits import Leave, Limit


class Phase(str, Enum):
    """Our reading of a system's own state word, which is kept beside it as `state`.

    A word that we do not know is `UNKNOWN`: never success, never failure.
    """

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def terminal(self) -> bool:
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED)


@dataclass(frozen=True)
class Reference:
    """Finds a run again: system, region, scope (bucket, graph or flow) and id. Holds no secret.

    As text: `tencent.workflow:ap-beijing:media-1250000000:i6fc78ca77d60`; each part is percent-encoded, since
    ids are opaque and may hold any character.
    """

    system: str
    region: str
    scope: str
    id: str

    def __str__(self) -> str:
        return ":".join(quote(part, safe="") for part in (self.system, self.region, self.scope, self.id))

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The reference that `str()` wrote. Raises ValueError for anything else."""
        parts = [unquote(part) for part in text.split(":")]
        if len(parts) != 4 or not parts[0] or not parts[3]:
            raise ValueError(f"not a run reference: {text[:200]!r} (expected system:region:scope:id)")
        return cls(*parts)


@dataclass(frozen=True)
class Task:
    """One step of a run, where the system tells its steps. `objects` are the keys that it produced."""

    name: str
    type: str
    state: str
    code: str = ""
    message: str = ""
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunStatus:
    """What a system says of one run. Times are RFC 3339 with offset, or empty where the system does not say.

    `request` is what the run was started with, as the system tells it (for example `workflow_id`, `object`).
    `executions` counts the executions that an inventory job started, by the system's own state word. `summed`: the
    phase was made of them too. They begin late, so such a phase is the last one only if two looks in a row told it.
    """

    id: str
    phase: Phase
    state: str
    code: str = ""
    message: str = ""
    created_at: str = ""
    started_at: str = ""
    finished_at: str = ""
    tasks: tuple[Task, ...] = ()
    executions: Mapping[str, int] = field(default_factory=dict)
    summed: bool = False
    request: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True)
class Workflow:
    """What a system says of a workflow (a graph, a flow) itself, whether a run of it exists or not.

    `runs`: whether it can be run; None where the service does not tell. `state`: the system's own word. `lacks`: the
    inputs that a run needs and the request does not give. `remark`: what else is worth knowing, in words; where `runs`
    is False it says why. Empty if there is nothing to say.
    """

    id: str
    exists: bool = True
    name: str = ""
    runs: bool | None = None
    state: str = ""
    lacks: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Started:
    """The answer to a start request. `at` is the server's time (its `Date` header), else our own clock.

    `details` are outputs that the answer tells already, under their names.
    """

    id: str
    at: datetime
    request_id: str = ""
    state: str = ""
    phase: Phase = Phase.PENDING
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A run found in a list that does the work that was asked for. `proof`: only we can have made its marker.

    `began` is None where the service tells no time that can be read: such a run may be ours. So may one that is not
    `exact`: what the service tells of its work agrees with what was asked for, but is less or more. `key` tells which
    of several requests it may be of, where many were looked for at once.
    """

    id: str
    began: datetime | None
    proof: bool = False
    exact: bool = True
    key: str = ""
    phase: Phase = Phase.UNKNOWN
    """As the list tells it; unknown where it tells no state."""


@dataclass(frozen=True)
class Found:
    """The answer to a look-up, and the server's time when it gave it (None if it sent no `Date`)."""

    candidates: tuple[Candidate, ...]
    server_time: datetime | None


Untold = NotFound | Throttled | Unavailable
"""Why a look tells nothing of one run: the system does not know it, or could not be queried now."""

Request = TypeVar("Request", contravariant=True)


class FanOutApi(Protocol[Request]):
    """What the client of a system that can be fanned out offers beside `RunApi`."""

    def start(self, request: Request, leave: Leave) -> Started: ...

    def find_each(self, requests: Mapping[str, Request], since: datetime, limit: Limit) -> Found:
        """As `find`, for many requests at once: each candidate has the `key` of the request that it may be of.

        The work of two requests must differ.
        """

    def find_any(self, request: Request, since: datetime, limit: Limit) -> Found:
        """As `find`, but of any object: for runs of which nothing tells which objects they are of."""


class ResumeApi(Protocol):
    """What the client of a kind that `resumes` offers beside `RunApi`."""

    def resume(self, id: str, leave: Leave) -> Started:
        """Asks the system to let a run that failed go on at its failed step, as the same run; at most once on the wire
        unless it provably did not arrive.

        Raises as `RunApi.start`, and NotFound if the system does not know the run; UnknownOutcome also for an answer
        that tells of another run.
        """


class RunApi(Protocol[Request]):
    """What each system's client offers. Errors are those of errors.py; none of them holds a secret.

    A question ends with its `limit`: Unavailable when the time is over, Interrupted when the user gave up. Without one
    each client has a limit of its own.
    """

    def start(self, request: Request, leave: Leave) -> Started:
        """Sends the request that starts a run; at most once on the wire unless it provably did not arrive.

        What must be known before is asked before. `leave` is asked for when nothing but the start is left, and must
        hold when its bytes go. Raises Refused (nothing ran), NotReached (nothing arrived), Orphaned (nothing was sent),
        or UnknownOutcome.
        """

    def find(self, request: Request, since: datetime, limit: Limit) -> Found:
        """The runs that do the same work and began at `since` (server time) or later. Starts nothing.

        Raises Unavailable or Refused if the service cannot be asked, or cannot list them all.
        """

    def get(self, id: str, limit: Limit | None = None) -> RunStatus:
        """Raises NotFound if the system does not know the run."""

    def get_many(self, ids: Collection[str], limit: Limit | None = None) -> Mapping[str, RunStatus | Untold]:
        """One look at many runs, with as few requests as the system's lists allow: an entry for each id.

        Of a run that goes on, a list may tell no more than its phase and state; one that has ended is told as by
        `get`. Raises Refused if the service refuses the whole question (a wrong key), as it would for each of them.
        """

    def cancel(self, id: str, limit: Limit | None = None) -> None:
        """Asks the system to stop a run. A run that has ended, or that is not known, is no error."""

    def workflows(self, request: Request, limit: Limit | None = None) -> tuple[Workflow, ...]:
        """The workflows that a run of this request would be of, in their order; none if it is of none.

        For those who want to know before they fire: nothing is started or changed, and no start depends on it. Raises
        Refused (a wrong key, a right that is missing) or Unavailable.
        """


def rfc3339(moment: datetime) -> str:
    """UTC, with the fraction only where there is one: `2022-06-27T07:23:10Z`."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def time_of(text: str) -> datetime | None:
    """The moment that an RFC 3339 text tells; None for what is none."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:  # an adopted run whose service told no time
        return None
