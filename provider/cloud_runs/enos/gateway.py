"""Requests to EnOS behind its API gateway: with a token, signed, each sent once.

One path and one method serve calls that read and calls that act (`action` tells them apart), and Delete Flow is a GET.
So every request goes out once, through `Transport.start`; what may be asked again is asked again here, with a new
timestamp.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cloud_runs.enos import answers as reading
from cloud_runs.enos.codes import Context, Failure, Kind, failure
from cloud_runs.enos.signing import ApimAuth
from cloud_runs.enos.tokens import JSON, Session, Tokens, session
from cloud_runs.errors import NotReached, Throttled, Unavailable, UnknownOutcome
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Transport

PAUSES = (0.5, 1.0, 2.0)  # seconds, with jitter, before a question is asked again
ASK_SECONDS = 60.0  # for one question with its repeats

_session = session  # a parameter of the same name hides it


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
        session: Session | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`endpoint` is the customer's API gateway, `scheme://host[:port]`; `flow` is named in hints."""
        self._transport, self._credentials, self._endpoint = transport, credentials, endpoint
        self._org, self._user = org, user
        self._session = session or _session(endpoint, credentials.id)
        self._tokens = Tokens(transport, credentials, endpoint, self._session, clock, sleep)
        self._context = Context(credentials, endpoint, org, user, flow)
        self._clock, self._sleep = clock, sleep

    def _ask(
        self, method: str, path: str, action: str, params: list[tuple[str, str]], body: Mapping[str, Any] | None = None
    ) -> tuple[Any, Answer]:
        """`data` of a call that is the same twice as once. Raises Refused or Unavailable."""
        what = f"{method} {path}?action={action}"
        deadline = self._clock() + ASK_SECONDS
        for pause in (*PAUSES, 0.0):
            try:
                answer, failed, token = self._send(method, path, action, params, body)
            except (NotReached, UnknownOutcome, Throttled) as error:  # the last: of the token
                trouble = f"EnOS could not be asked: {error}"
            else:
                told = reading.document(answer.body)
                if failed.succeeded and told is not None:
                    return told.get("data"), answer
                if failed.refused:
                    raise self._context.refusal(f"EnOS refused {what}", failed, secret=token)
                unread = told is None and 200 <= answer.status < 300
                trouble = f"EnOS gave an answer to {what} that cannot be read"
                if not unread:
                    trouble = str(self._context.refusal(f"EnOS did not answer {what}", failed, secret=token))
            pause *= random.uniform(0.75, 1.25)
            if not pause or self._clock() + pause >= deadline:
                break
            self._sleep(pause)
        raise Unavailable(trouble)

    def _send(
        self, method: str, path: str, action: str, params: list[tuple[str, str]], body: Mapping[str, Any] | None
    ) -> tuple[Answer, Failure, str]:
        """One request, and once more with a new token if the gateway called the first one expired: then it did not let
        the request pass (facts, section 4). Also returns the token, for what must not be told."""
        query: list[tuple[str, str | None]] = [
            ("action", action),
            ("userId", self._user),
            ("orgId", self._org),
            *params,
        ]
        # Spaces and lines as the vendor prints them; these very bytes are signed.
        content = json.dumps(body, indent=2, separators=(",", ":"), ensure_ascii=False).encode() if body else b""
        for last in (False, True):
            token = self._tokens.token()
            auth = ApimAuth(token, self._credentials.secret, lambda: self._session.stamp(self._clock))
            answer = self._transport.start(
                method,
                f"{self._endpoint}/dataflow-batch-service/v2.0{path}",
                auth=auth,
                headers=JSON if content else {},
                params=query,
                body=content,
            )
            failed = failure(answer)
            # A run's id beside such a code: it did pass.
            if failed.succeeded or failed.kind is not Kind.EXPIRED or last or reading.started_id(answer.body):
                break
            self._tokens.expired(token)
        return answer, failed, token
