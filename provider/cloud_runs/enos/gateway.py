"""Requests to EnOS behind its API gateway: each with a token, signed, with a timestamp of its own.

One path and one method serve calls that read and calls that act (`action` tells them apart), and Delete Flow is a GET.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloud_runs.enos import answers as reading
from cloud_runs.enos.codes import Context, Failure, Kind, failure
from cloud_runs.enos.signing import ApimAuth
from cloud_runs.enos.tokens import JSON, Session, Tokens, session
from cloud_runs.enos.versions import DEFAULT, VERSIONS
from cloud_runs.errors import InvalidConfiguration, Unavailable
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.wire.calls import Begun, Calls, Signing
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Transport

DEFAULT_TIMES = Times()

_session = session  # a parameter of the same name hides it
_Query = Sequence[tuple[str, "str | None"]]


class Gateway:
    """Calls in the name of one user of one organization. Safe for threads."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        endpoint: str,
        org: str,
        user: str,
        flow: str = "",
        version: str = DEFAULT,
        session: Session | None = None,
        times: Times = DEFAULT_TIMES,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`endpoint` is the customer's API gateway, `scheme://host[:port]`; `flow` is named in hints, `version` is that
        of the API. Raises InvalidConfiguration for one that there is not."""
        if version not in VERSIONS:
            raise InvalidConfiguration(f"the EnOS API has the versions {' and '.join(VERSIONS)}, not {version[:20]!r}")
        self._version = VERSIONS[version]
        self._credentials, self._endpoint, self._org, self._user = credentials, endpoint, org, user
        self._session = session or _session(endpoint, credentials.id)
        self._context = Context(credentials, endpoint, org, user, flow)
        self._tokens = Tokens(transport, self._context, self._session, clock, sleep)
        self._clock, self._sleep, self._times = clock, sleep, times
        base = f"{endpoint}{self._version.path}"
        self._calls = Calls(
            "EnOS", transport, self._signing, base, failure, self._context.mask, times=times, clock=clock, sleep=sleep
        )

    def _signing(self, limit: Limit) -> Signing[Failure]:
        """With a token; once more with a new one if the gateway called the first one expired: then it did not let the
        request pass."""
        for last in (False, True):
            token = self._tokens.token(limit)
            self._context.mask.learn(token)
            answer, failed = yield ApimAuth(token, self._credentials.secret, lambda: self._session.stamp(self._clock))
            # A run's id beside such a code: it did pass.
            if failed.succeeded or failed.kind is not Kind.EXPIRED or last or reading.started_id(answer.body):
                return
            self._tokens.expired(token)

    def _ask(
        self, method: str, path: str, action: str, params: _Query, limit: Limit, body: Mapping[str, Any] | None = None
    ) -> tuple[Any, Answer]:
        """`data` of a call that is the same twice as once. Raises Refused, Unavailable or Interrupted."""
        what, content = f"{method} {path}?action={action}", _written(body)
        answer = self._calls.ask(
            method,
            path,
            self._context.refusal,
            limit=limit,
            headers=JSON if content else {},
            params=self._query(action, params),
            body=content,
            what=what,
        )
        told = reading.document(answer.body)
        if told is None:
            raise Unavailable(f"EnOS gave an answer to {what} that cannot be read")
        return told.get("data"), answer

    def _begin(self, path: str, action: str, body: Mapping[str, Any], leave: Leave) -> Begun:
        """A start. Raises Refused, Throttled, NotReached, Orphaned or UnknownOutcome."""
        return self._calls.start(
            path,
            lambda answer: (reading.started_id(answer), None),
            self._context.refusal,
            leave=leave,
            headers=JSON,
            params=self._query(action, []),
            body=_written(body),
            what=f"POST {path}?action={action}",
        )

    def _query(self, action: str, params: _Query) -> _Query:
        return [("action", action), ("userId", self._user), ("orgId", self._org), *params]


def _written(body: Mapping[str, Any] | None) -> bytes:
    """Spaces and lines as the vendor prints them; these very bytes are signed."""
    return json.dumps(body, indent=2, separators=(",", ":"), ensure_ascii=False).encode() if body else b""
