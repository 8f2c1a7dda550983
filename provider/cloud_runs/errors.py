"""Errors that carry the decision. Each text is one line that a person can act on, and holds no secret.

The kind says what may be done next: `Refused` and `NotReached` mean that nothing ran; `UnknownOutcome` means that
it cannot be told, so a look-up must come before anything is sent again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Controls, format characters (bidi, invisible ones, tags), and halves of characters, which nothing can send on.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]+"
)


def clean(text: str, limit: int = 300) -> str:
    """Text of a server made fit for a terminal: one line, no control, bidi or invisible characters, no halves of
    characters, at most `limit` long."""
    line = _CONTROL.sub(" ", text).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def fit(text: str) -> bool:
    """Whether a text can be shown as it is: without what `clean` takes out."""
    return not _CONTROL.search(text)


class RunsError(Exception):
    """Base of all errors that are meant for the user. Anything else that is raised is a bug of ours."""


class Refused(RunsError):
    """The service said no before running anything."""

    def __init__(
        self,
        what: str,
        *,
        status: int,
        code: str = "",
        message: str = "",
        request_id: str = "",
        hint: str = "",
        key_from: str = "",
    ) -> None:
        self.status = status
        self.code = clean(code, 100)
        self.message = clean(message)
        self.request_id = clean(request_id, 100)
        self.hint = hint
        self.key_from = key_from  # where the key was found, if it was refused because of that
        text = f"{what}: {status}"
        if self.code:
            text += f" {self.code}"
        if self.message and self.message != self.code:
            text += f": {self.message.rstrip('.')}"
        if self.request_id:
            text += f" (request {self.request_id})"
        super().__init__(f"{text}. {hint}".rstrip())


class Throttled(Refused):
    """Refused because of too many requests: nothing ran, and the same request may be sent again later."""


class NotFound(Refused):
    """The service does not know the run."""


class NotReached(RunsError):
    """The request provably did not arrive (no such host, no connection, TLS failed): nothing ran."""


class Occupied(NotReached):
    """The system tells no second run from the run `by`, which is there already: nothing was sent."""

    def __init__(self, text: str, by: str) -> None:
        self.by = by
        super().__init__(text)


class Unavailable(RunsError):
    """A question (never a start) was not answered after several tries."""


class UnknownOutcome(RunsError):
    """A start was sent and its answer was lost or cannot be read: the run may exist."""


class Orphaned(RunsError):
    """The engine that asked for a run is gone: nothing was sent."""


class Interrupted(RunsError):
    """The user has interrupted the update."""


class MissingCredentials(RunsError):
    """Names every place where a credential was looked for."""


class InvalidConfiguration(RunsError):
    """A configured value cannot be used; the text names it and where it came from."""


class Ambiguous(RunsError):
    """A look-up cannot tell which run is ours. Nothing was fired."""

    def __init__(self, text: str, candidates: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        super().__init__(text)
