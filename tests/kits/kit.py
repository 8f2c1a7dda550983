"""What the tests know of a kind of runs. The tests of all kinds ask nothing else, so that one file adds a kind."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from xml.sax.saxutils import escape

import cloud_runs
from cloud_runs.kinds import Kind
from cloud_runs.runs import Phase, RunApi, RunStatus
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.support.clients import says
from tests.support.emulator import SECRET_ID, SECRET_KEY
from tests.support.stack import call

Props = dict[str, Any]
Good = tuple[str, str, Any]
"""The beginning of a request line, the format of the answer, and what a healthy service says."""

# What must never be told again, wherever the service puts it.
KEY, SECRET, TOKEN, ACCESS = "AKIDcanary1", "canary2-secret", "canary3/token+x=", "canary4-access-token"
KEYS = Credentials(KEY, SECRET, TOKEN, "environment X")
EMULATED = Credentials(SECRET_ID, SECRET_KEY, source="environment")
"""Those of the emulator."""
RUN = "e0-3377-20191122012300"
"""The id of the run that the good answers tell of, which began on 22 November 2019."""
NOW = 1574385825.0
DATE = "Fri, 22 Nov 2019 01:23:45 GMT"


class Make(Protocol):
    """A client of the kind for a place of its own; `options` are those that all clients have."""

    def __call__(self, transport: Any, keys: Credentials, endpoint: str | None, /, **options: Any) -> RunApi[Any]: ...


@dataclass(frozen=True)
class Sayings:
    """What a service of the kind says. A `row` is one run in a list; `told` is its run as `get` tells it."""

    started: Callable[[str], Answer]
    told: Callable[..., Answer]
    listed: Callable[..., Answer]
    """Rows of these ids; none of no ids."""
    empty: Sequence[Answer]
    """Lists without rows, as the pages and SDKs show them."""
    no_list: Sequence[Answer]
    """Answers with status 200 that are not surely an empty list."""
    beside: Answer
    """A row beside an error."""
    nameless: Answer
    """A run as `get` tells it, without its id."""
    odd: Callable[[str], Answer]
    """An error in a 200, as an answer to anything; its message."""
    endless: Callable[[int], Answer]
    """Page after page."""
    texts: Mapping[str, Callable[[str], Answer]]
    """Answers to `get` with a text of the service in a field."""


@dataclass(frozen=True)
class Kit:
    """One kind. What is about programs comes first, then what is about its client, then its words."""

    name: str
    resource: str
    """As programs write it: `tencent.WorkflowRun`."""
    arguments: Props
    """Of a resource whose run goes on and starts nothing else."""
    work: Callable[[str], Props]
    """Arguments of a run whose work has this name, which no other run of the tests has."""
    work_of: Callable[[Any], str]
    """What tells the work of such a run apart, in the request as the emulator tells it: what `work` has put there."""
    another: Props
    """A change that asks for another run."""
    configured: Mapping[str, str]
    """What the stack's configuration holds beside keys and endpoint."""
    make: Make
    request: Any
    """That of the good answers."""
    requests: Callable[[int], Any]
    """Others, each for work of its own."""
    begin: Callable[[Any, Any], str]
    """Fires a request with a client for the emulator; the id."""
    good: Sequence[Good]
    starts: Sequence[str]
    """Beginnings of the request lines that start a run, by the vendor's pages."""
    says: Sayings
    tree: Callable[[bytes], Mapping[str, Any]]
    """What the room's parsers make of a body; of that, of the answer to a start, and of a refusal."""
    status: Callable[[Mapping[str, Any]], RunStatus]
    started_id: Callable[[bytes], str]
    refused: Callable[[Answer], Any]
    words: Mapping[str, Phase]
    """The service's own words for states."""
    success: str
    failure: str
    cancelled: str
    unknown: str
    """An id that the service does not know."""
    refusals: Sequence[tuple[int, str]]
    """Status and code of answers after which nothing runs."""
    doubts: Sequence[tuple[int, str]]
    """Status and code of answers after which a run may have started."""
    more: Props = field(default_factory=dict)
    """Good values of arguments that may be left out."""
    denied: str = "AccessDenied"
    """The code, beside status 403, with which the service surely refuses keys."""
    fan_out: str = ""
    """As programs write it."""
    plain: Callable[[str], Props] | None = None
    """Arguments, for this name, with which nothing in a list is surely ours: without them its marker proves it. None
    for a kind that has no such choice."""
    calls: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """Calls of its client beside those that all have."""
    token_header: str = ""
    """Of requests to a service that gives an access token for a key."""
    by_minute: bool = False
    """The service has one run of a flow a minute, which is found by that alone; a start looks for it before it is sent.
    """
    tells_tasks: bool = True
    tells_end: bool = True
    resume: str = ""
    """The emulator's name of the call by which a run that failed goes on; empty where the service has none."""
    resume_path: str = ""
    """Its method and path for the run RUN, as the vendor's pages have them."""
    otherwise: Sequence[str] = ()
    """Flags of the emulator with which it answers in the other way that the vendor documents: that tells no end."""
    family: str = ""
    """As which the emulator counts what all kinds of the vendor share."""

    @property
    def kind(self) -> Kind[Any]:
        return cloud_runs.KINDS[self.name]

    @property
    def cancels(self) -> bool:
        return not self.kind.no_cancel

    @property
    def room(self) -> str:
        """As programs import it."""
        return self.resource.partition(".")[0]

    def settings(self, url: str) -> dict[str, str]:
        """The configuration of a stack whose service is the emulator at a URL."""
        vendor = self.kind.vendor
        keys = {vendor.id.config: SECRET_ID, vendor.secret.config: SECRET_KEY, vendor.endpoint.config: url}
        return {**self.configured, **keys}

    def source(self, name: str, /, **changes: Any) -> str:
        """Of a run in a program."""
        return call(self.resource, name, **{**self.arguments, **changes})

    def fan(self, objects: Any, name: str, /, **changes: Any) -> str:
        """Source of a fan-out."""
        shared = {key: value for key, value in self.arguments.items() if key != self.kind.fans_out}
        return call(self.fan_out, name, **{**shared, "objects": objects, **changes})

    def type(self, fan_out: bool = False) -> type[Any]:
        """The class that programs make."""
        found: type[Any] = operator.attrgetter(self.fan_out if fan_out else self.resource)(cloud_runs)
        return found

    def urn(self, stack: str, name: str, fan_out: bool = False) -> str:
        """Of a resource of the project `tests` that has no parent."""
        return f"urn:pulumi:{stack}::tests::pulumi-python:{self.type(fan_out)._resource_type_name}::{name}"

    def begun(self, line: str) -> bool:
        """Whether a request line is one that starts a run."""
        return line.startswith(tuple(self.starts)) and not self.resumed(line)

    def resumed(self, line: str) -> bool:
        """Whether a request line is one that lets the run RUN go on."""
        return bool(self.resume_path) and line.startswith(self.resume_path)


def xml(inner: str, root: str = "Response") -> Answer:
    return says(f"<{root}><RequestId>r</RequestId>{inner}</{root}>", Date=DATE)


def elements(content: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in content.items())
