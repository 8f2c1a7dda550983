"""The seam between the server and one emulated cloud: what a cloud gets, what it gives back, and what it must offer.

A further cloud is a folder with a class that meets `System`, and its line in `emulator.app.SYSTEMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from cloud_runs_emulator.runs import Run, RunStore
from cloud_runs_emulator.settings import Settings


@dataclass(slots=True)
class Request:
    """A request as received. `path` is decoded and has no query; header names are lower case, values Latin-1 text."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes

    def param(self, name: str) -> str:
        """The first value of a query parameter; an absent one and an empty one are both `""`."""
        return next((value for key, value in self.query if key == name), "")

    def header(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def host(self) -> str:
        """The Host header without its port, in lower case."""
        return (self.header("host") or "").rpartition("@")[2].partition(":")[0].lower()

    def as_json(self) -> dict[str, object]:
        """The form that `GET /_emulator/runs` shows. Signatures are shown too: the keys open only this emulator."""
        return {
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "headers": dict(self.headers),
            "body": self.body.decode("utf-8", "replace"),
        }


@dataclass(frozen=True, slots=True)
class Match:
    """Which operation of which system a request is. `run_id` is the run that it names, if it names one in its path."""

    system: str
    operation: str
    run_id: str = ""


@dataclass(slots=True)
class Answer:
    """What goes back. `runs` are the runs that it tells of: the started one, the one looked at, or those of a page.

    `forget` is for what it tells of besides runs (a token): called by a fault `forget`, after which the answer stands.
    `skew` is how far its `Date` is ahead of the clock, in seconds.
    """

    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    runs: tuple[Run, ...] = ()
    forget: Callable[[], None] | None = None
    skew: float = 0.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How an operation is done, beyond what its request says.

    A run that it starts is recorded with `origin`, and gets the id `run_id` unless that is empty. An `endless` list
    says on each page that there is another one, with a new marker if the system has markers.
    """

    origin: str = "api"
    run_id: str = ""
    endless: bool = False


class Refused(Exception):
    """The service says no. Nothing was started, changed or cancelled.

    `request` is what was refused, once the server has it, for systems whose formats differ by it.
    """

    request: Request | None = None

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class ErrorIn200(Refused):
    """A refusal that is to be sent where the answer of a success would be: with status 200, and in its format."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(200, code, message)


class System(Protocol):
    """One emulated cloud. It answers at once: faults, latency and counting are the server's business, not its own."""

    operations: ClassVar[Mapping[str, frozenset[str]]]
    """The names of its systems as the admin calls show them, each with its operations."""

    unrouted: ClassVar[Refused]
    """The answer to a request on this cloud's host that is none of its operations."""

    invalid_code: ClassVar[str]
    """The vendor's code for a request that is wrong."""

    def __init__(self, settings: Settings, store: RunStore) -> None: ...

    def claims(self, host: str) -> bool:
        """Whether this Host (lower case, no port) belongs to this cloud."""

    def match(self, request: Request) -> Match | None:
        """The operation by method and path, never by host; `None` if it is none of this cloud's."""

    def authenticate(self, request: Request) -> None:
        """Check the signature. Raises `Refused` with the vendor's own error; changes nothing."""

    def handle(self, request: Request, match: Match, manner: Manner) -> Answer:
        """Do the operation. Raises `Refused`."""

    def started(self, run: Run) -> Answer:
        """The answer to a start, for a run of one of this cloud's systems; starts nothing."""

    def refuse(self, refused: Refused) -> Answer:
        """The refusal in the vendor's format; an `ErrorIn200` in that of the vendor's successes."""

    def clear(self) -> None:
        """Forget what it keeps besides runs."""
