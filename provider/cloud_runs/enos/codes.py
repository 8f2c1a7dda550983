"""What an error answer of EnOS means, and what a person can do: one table.

Codes: the overview of the Batch Processing API (V2.0) and its page "Trigger Flow" (62xxx), the gateway's page on access
tokens (1xxx), and the vendor's SDK (4011 and 4012 in `apim_status`). Business errors come in answers
with status 200. A code that is not in the table leaves the outcome of a start unknown, unless the HTTP status refuses
it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from cloud_runs.enos.answers import document, mapping, number, text
from cloud_runs.errors import Refused, Throttled
from cloud_runs.wire import failures
from cloud_runs.wire.payloads import trouble

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer


class Kind(Enum):
    """What an answer means for a start."""

    REFUSED = "nothing ran"
    EXPIRED = "nothing ran, since the gateway did not let it pass; a new token is worth one more try"
    THROTTLED = "nothing ran; later"
    AGAIN = "a token request whose timestamp was used before: nothing ran; a new timestamp is worth a try"
    IN_DOUBT = "the service failed inside: it may run"


_BUG = "This is a bug of the provider or a change of the service; please report it."
_TOKEN = "A new access token was refused as well; check the key, which came from {source}, and this machine's clock."
_LATER = "The service limits how often it is asked; try again later."
_INSIDE = "The service failed inside; try again later, and ask EnOS's support if it goes on."

CODES: Mapping[str, tuple[Kind, str]] = {
    # the batch service
    "62101": (Kind.REFUSED, "Check that user {user} exists and belongs to organization {org}."),
    "62102": (Kind.REFUSED, "Check the ids of run, flow and task, and that they belong to organization {org}."),
    "62103": (
        Kind.REFUSED,
        "User {user} must own flow {flow}, neither of them may be locked, and the application of the access key (it "
        "came from {source}) must be granted the batch processing API.",
    ),
    "62104": (Kind.REFUSED, "Give flow {flow} a task first: it has none."),
    "62109": (Kind.IN_DOUBT, _INSIDE),
    # the token service
    "1001": (Kind.AGAIN, "The same token request came twice; run it again."),
    "1002": (Kind.REFUSED, "Check the access key: the gateway does not know it. It came from {source}."),
    "1003": (Kind.REFUSED, "The secret key does not belong to the access key; both came from {source}."),
    "1004": (Kind.REFUSED, _BUG),
    "1005": (Kind.IN_DOUBT, _INSIDE),
    "1202": (Kind.REFUSED, _BUG),
    "1203": (Kind.EXPIRED, _TOKEN),
    "1204": (Kind.EXPIRED, _TOKEN),
    # the gateway, for tokens of the vendor's SDK
    "4011": (Kind.EXPIRED, _TOKEN),
    "4012": (Kind.EXPIRED, _TOKEN),
    # not documented; the HTTP status, should a gateway repeat it in the body
    "429": (Kind.THROTTLED, _LATER),
}

# By the HTTP status where the code tells nothing.
_STATUS_HINTS: Mapping[int, str] = {
    401: "Check the key and what it is granted; it came from {source}.",
    403: "Check the key and what it is granted; it came from {source}.",
    404: "Check that {endpoint} is the address of the API gateway.",
    429: _LATER,
}
_UNLISTED = (
    "The code is in none of the service's pages; check flow_id {flow}, organization {org} and user {user} first."
)
_MOVED = "Check the endpoint {endpoint}: it sends to another address."


@dataclass(frozen=True)
class Failure(failures.Failure):
    """An answer, read as far as it can be read. `code` is `0` for success, and empty if there is none. `trouble`: what
    speaks of an error all the same."""

    trouble: str = ""

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300 and self.code == "0" and not self.trouble

    @property
    def denied(self) -> bool:
        """A code that says no beside the id of a run settles nothing."""
        return self.code not in ("0", "")

    @property
    def later(self) -> bool:
        """An error of the service inside a 200 as well, since errors come with that status; others were asked again."""
        doubt = self.kind is Kind.IN_DOUBT and 200 <= self.status < 300
        return not self.succeeded and (self.throttled or doubt or self.kind is Kind.AGAIN)

    @property
    def kind(self) -> Kind:
        """For an answer that has not succeeded. A documented code counts before the HTTP status, which is not."""
        if self.code in CODES:
            return CODES[self.code][0]
        if self.status == 429:
            return Kind.THROTTLED
        return Kind.REFUSED if super().refused else Kind.IN_DOUBT

    @property
    def throttled(self) -> bool:
        return self.kind is Kind.THROTTLED

    @property
    def refused(self) -> bool:
        return self.kind in (Kind.REFUSED, Kind.EXPIRED, Kind.AGAIN)


@dataclass(frozen=True)
class Context(failures.Context):
    """What hints are made of."""

    endpoint: str
    org: str = ""
    user: str = ""
    flow: str = ""

    table = failures.Table(
        {code: hint for code, (_, hint) in CODES.items()},
        _STATUS_HINTS,
        _MOVED,
        re.compile("[0-9a-f]{64}"),  # a signature, or the proof of a token request
    )

    def refusal(self, what: str, failure: Failure, kind: type[Refused] | None = None) -> Refused:
        """For an answer that says no."""
        known = failure.code in (*CODES, "0", "") or failure.status in _STATUS_HINTS
        hint = _UNLISTED if self.flow and not known else ""
        return self.explained(kind or (Throttled if failure.throttled else Refused), what, failure, hint)


def failure(answer: Answer) -> Failure:
    """Reads the envelope: `status` (V2.0), `code` (V2.1), `apim_status` (gateway). Never raises."""
    told = document(answer.body) or {}
    message = next((found for name in ("msg", "message", "apim_message") if (found := text(told.get(name)))), "")
    code, odd = _code(told), ""
    if code == "0":
        odd = trouble({name: value for name, value in told.items() if name not in _ENVELOPE})
        odd = odd or trouble(mapping(told.get("data")))
    return Failure(answer.status, code, odd or message, trouble=odd)


_ENVELOPE = ("status", "stauts", "code", "apim_status", "msg", "message", "apim_message")


def _code(told: Mapping[str, Any]) -> str:
    # `stauts`: so some pages of the token service print it.
    codes = [
        _one_code(told[name]) for name in ("apim_status", "status", "code", "stauts") if told.get(name) is not None
    ]
    return next((code for code in codes if code != "0"), "0" if codes else "")


def _one_code(value: Any) -> str:
    whole = number(value)
    return str(whole) if whole is not None else text(value) or "unreadable"
