"""What an error answer says, and the error that is made of it. No secret enters its text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from cloud_runs.errors import Refused
from cloud_runs.wire.masking import Masker
from cloud_runs.wire.settings import Credentials


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
    def succeeded(self) -> bool:
        """A success speaks of no error; an answer that does is none, though its status may be 200."""
        return 200 <= self.status < 300 and not self.code and not self.message

    @property
    def denied(self) -> bool:
        """Whether an answer that tells an id says no all the same: then nothing is known."""
        return False

    @property
    def later(self) -> bool:
        """Whether a question is worth asking again."""
        return self.throttled

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
    """What hints are made of, and what keeps secrets out of what is told."""

    credentials: Credentials

    table: ClassVar[Table]

    @cached_property
    def mask(self) -> Masker:
        return Masker(self.credentials, self.table.signature)

    def explained(
        self, kind: type[Refused], what: str, failure: Failure, hint: str = "", *, action: str = ""
    ) -> Refused:
        """The error for an answer that says no. `hint` goes before the table's."""
        hint = hint or self.table.by_code.get(failure.code) or self.table.by_status.get(failure.status, "")
        of_the_key = "{source}" in hint
        if failure.status in (401, 403) and not of_the_key:
            hint = f"{hint} The key came from {{source}}.".strip()
        if 300 <= failure.status < 400 and not hint:
            hint = self.table.moved
        return kind(
            what,
            status=failure.status,
            code=self.mask.text(failure.code),
            message=self.mask.text(failure.message),
            request_id=self.mask.text(failure.request_id),
            hint=hint.format(**vars(self), source=self.credentials.source, action=action),
            key_from=self.credentials.source if of_the_key else "",
        )
