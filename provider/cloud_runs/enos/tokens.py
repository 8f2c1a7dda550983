"""Access tokens of the EnOS gateway: one for each access key and gateway, kept in this process's memory only.

Sources: https://support.enos-iot.com/docs/apim/en/3.0.0/token/get_access_token (get; the gateway gives one token for
each access key, so `expire` may be the rest of its life) and
https://support.enos-iot.com/docs/api/en/2.3.0/token/refresh_access_token (refresh).

What does NOT happen: a token is written nowhere, and enters no error text.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_runs.enos.answers import document, mapping, number
from cloud_runs.enos.codes import Context, failure
from cloud_runs.enos.signing import Proof
from cloud_runs.errors import Interrupted, RunsError, Unavailable
from cloud_runs.limits import Limit, Times
from cloud_runs.wire.calls import Calls, signed

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport

RENEW_SECONDS = 300.0
"""A token is renewed this long before it expires, or after half of its life if that is shorter."""
JSON = {"Content-Type": "application/json; charset=utf-8"}  # as in the vendor's samples

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


class _Token(NamedTuple):
    text: str
    seconds: float


@dataclass
class Session:
    """What this process knows of one access key at one gateway. Safe for threads."""

    token: str = field(default="", repr=False)
    renew_at: float = 0.0
    rejected: str = field(default="", repr=False)
    """The last token that the gateway called expired."""
    fired: dict[tuple[str, int, int], str] = field(default_factory=dict)
    """Organization, flow and trigger minute -> run: lists may lag behind what this process itself has fired."""
    renewing: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _stamping: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _stamped: int = 0

    def stamp(self, clock: Callable[[], float]) -> int:
        """Milliseconds, never the same twice: the gateway refuses a token request that it has seen (1001)."""
        with self._stamping:
            self._stamped = max(int(clock() * 1000), self._stamped + 1)
            return self._stamped


_sessions: dict[tuple[str, str], Session] = {}
_sessions_lock = threading.Lock()


def session(endpoint: str, key: str) -> Session:
    """The session of this process."""
    with _sessions_lock:
        return _sessions.setdefault((endpoint, key), Session())


class Tokens:
    """Gets and renews the token of a session. `clock` is wall-clock seconds."""

    def __init__(
        self,
        transport: Transport,
        context: Context,
        session: Session,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport, self._context, self._session = transport, context, session
        self._clock, self._sleep = clock, sleep

    def token(self, limit: Limit) -> str:
        """A token that is good for a while; one thread renews it, the others wait.

        Raises Refused (wrong key), Throttled, Unavailable or Interrupted.
        """
        with self._session.renewing:
            if not self._session.token or self._clock() >= self._session.renew_at:
                self._renew(limit)
            return self._session.token

    def expired(self, token: str) -> None:
        """The gateway has called this token expired."""
        with self._session.renewing:
            if self._session.token == token:  # else another thread has renewed it
                self._session.token, self._session.rejected = "", token

    def _renew(self, limit: Limit) -> None:
        found = self._refreshed(self._session.token, limit) or self._ask("get", {}, limit)
        # Until it expires the gateway gives the same token again, even if it is about to, or was refused elsewhere.
        if found.seconds <= RENEW_SECONDS or found.text == self._session.rejected:
            found = self._refreshed(found.text, limit) or found
        good_for = max(found.seconds - RENEW_SECONDS, found.seconds / 2)
        self._session.token, self._session.renew_at = found.text, self._clock() + good_for

    def _refreshed(self, token: str, limit: Limit) -> _Token | None:
        if not token:
            return None
        try:
            return self._ask("refresh", {"accessToken": token}, limit)
        except Interrupted:
            raise
        except RunsError:  # the old one is still good, and "get" will tell what is wrong
            return None

    def _ask(self, action: str, more: dict[str, str], limit: Limit) -> _Token:
        """`POST /apim-token-service/v2.0/token/{get,refresh}`: the same twice as once, so it is repeated if need be."""
        path, keys = f"/apim-token-service/v2.0/token/{action}", self._context.credentials
        no_token = "EnOS gave no access token"
        for known in (self._session.token, self._session.rejected, *more.values()):
            self._context.mask.learn(known)
        proof = Proof(keys.id, keys.secret, lambda: self._session.stamp(self._clock), more)
        calls = Calls(
            "EnOS",
            self._transport,
            signed(proof),
            self._context.endpoint,
            failure,
            self._context.mask,
            times=Times(),
            clock=self._clock,
            sleep=self._sleep,
        )
        try:
            answer = calls.ask(
                "POST",
                path,
                lambda _, failed: self._context.refusal(f"{no_token} for POST {path}", failed),
                limit=limit,
                headers=JSON,
            )
        except Unavailable as error:
            said = str(error)
            raise Unavailable(said if said.startswith(no_token) else f"{no_token}: {said}") from None
        token = _read(answer.body)
        if token is None:
            raise Unavailable(f"{no_token}: the answer to POST {path} cannot be read")
        return token


def _read(body: bytes) -> _Token | None:
    data: Any = mapping((document(body) or {}).get("data"))
    token, seconds = data.get("accessToken"), number(data.get("expire"))
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return None
    return _Token(token, float(min(max(seconds or 0, 0), 86_400)))
