"""What the clients of more than one system share: what an error answer means, and what is said of it.

What does NOT happen here: no secret enters an error text, even if the server sends back what it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from provider.credentials import Credentials
from provider.errors import Refused


@dataclass(frozen=True)
class Failure:
    """An error answer, read as far as it can be read. Empty where the service says nothing."""

    status: int
    code: str
    message: str
    request_id: str = ""

    THROTTLING: ClassVar[frozenset[str]] = frozenset()
    """The system's codes for "not now", which count with any status."""

    @property
    def throttled(self) -> bool:
        """An explicit "not now": nothing ran."""
        return self.status == 429 or self.code in self.THROTTLING

    @property
    def refused(self) -> bool:
        """An explicit "no": nothing ran. A time-out (408) and errors of the server tell nothing."""
        return 300 <= self.status < 500 and self.status != 408


class Table(NamedTuple):
    """What a person can do. `{source}` in a hint is where the key came from, `{action}` the right that is needed; the
    other names are the fields of the system's own `Context`."""

    by_code: Mapping[str, str]
    by_status: Mapping[int, str]
    """Where the code tells nothing."""
    moved: str
    """For a redirect that has no other hint."""
    signature: re.Pattern[str]
    """What a signature looks like, which must not be told."""


@dataclass(frozen=True)
class Context:
    """What hints are made of."""

    credentials: Credentials

    table: ClassVar[Table]

    def explained(
        self, kind: type[Refused], what: str, failure: Failure, hint: str = "", *, action: str = "", secret: str = ""
    ) -> Refused:
        """The error for an answer that says no. `hint` goes before the table's; `secret` must not be told either."""
        hint = hint or self.table.by_code.get(failure.code) or self.table.by_status.get(failure.status, "")
        if failure.status in (401, 403) and "{source}" not in hint:
            hint = f"{hint} The key came from {{source}}.".strip()
        if 300 <= failure.status < 400 and not hint:
            hint = self.table.moved
        return kind(
            what,
            status=failure.status,
            code=self._without_secrets(failure.code, secret),
            message=self._without_secrets(failure.message, secret),
            request_id=self._without_secrets(failure.request_id, secret),
            hint=hint.format(**vars(self), source=self.credentials.source, action=action),
        )

    def _without_secrets(self, told: str, secret: str) -> str:
        """A server may send back what it was sent; error texts end in logs of pipelines."""
        for value in (secret, self.credentials.token, self.credentials.secret, self.credentials.id):
            if value:
                told = told.replace(value, "***")
        return self.table.signature.sub("***", told)
