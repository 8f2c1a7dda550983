"""What the clients of more than one system share: starts, questions and lists, and what is said when they fail.

What does NOT happen here: a start is not sent again, whatever the answer; a part of a list is not taken for all of it;
no secret enters an error text, even if the server sends back what it was sent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from cloud_runs.errors import Interrupted, NotReached, Refused, Unavailable, UnknownOutcome, clean
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.wire.failures import Failure
from cloud_runs.wire.masking import Masker
from cloud_runs.wire.pauses import nap
from cloud_runs.wire.payloads import usable_id

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Auth, Params, Transport

PAGES = 200  # of one list; more runs than that since one intent cannot be told apart by a person either
FAN_OUT_PAGES = 1000  # the same for a fan-out, which has thousands of runs itself
ASK_SECONDS = 120.0  # for one run, where the caller sets no limit
LOOK_SECONDS = 600.0  # for many runs, likewise
MARKER = 4096  # characters; each one is kept, so that a list that goes in circles is noticed
SLOW_DOWN_PAUSES = (1.0, 2.0, 4.0)  # seconds, with jitter, before a question is asked again after SlowDown


F = TypeVar("F", bound=Failure)
Page = TypeVar("Page")


class TooManyPages(Unavailable):
    """A list goes on after the last page that was to be read, or after the time for it."""


class Begun(NamedTuple):
    """A start that was accepted. `content` is what `read_id` made of the answer."""

    id: str
    at: datetime
    content: Any
    answer: Answer


Signing = Generator["Auth", "tuple[Answer, F]", None]
"""The exchange that one request is: yields how it is signed, is sent what came of it, and may yield once more if the
request was not let pass. It raises Refused or Unavailable if it cannot be signed."""


def signed(auth: Auth) -> Callable[[Limit], Signing[Any]]:
    """By a key pair: each request goes out once."""

    def exchange(_: Limit) -> Signing[Any]:
        yield auth

    return exchange


class Calls(Generic[F]):
    """Calls to one address of a system. Safe for threads.

    `title` is the system's in error texts, `failure` reads an error answer. Where a call takes `explain`, that makes
    the error of its first words and the failure. `signing` begins the exchange of one request.
    """

    def __init__(
        self,
        title: str,
        transport: Transport,
        signing: Callable[[Limit], Signing[F]],
        base: str,
        failure: Callable[[Answer], F],
        mask: Masker,
        *,
        times: Times,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._times, self._mask = times, mask
        self._title, self._transport, self._signing, self._base = title, transport, signing, base
        self._failure, self._clock, self._sleep = failure, clock, sleep

    def start(
        self,
        path: str,
        read_id: Callable[[bytes], tuple[str, Any]],
        explain: Callable[[str, F], Refused],
        *,
        leave: Leave,
        headers: Mapping[str, str],
        params: Params = (),
        body: bytes = b"",
        method: str = "POST",
        what: str = "",
    ) -> Begun:
        """`POST path`, once. Raises Refused, Throttled, NotReached, Orphaned or UnknownOutcome.

        An answer that tells an id and has not the status of an error is a start, whatever else it says. `what` is sent,
        in error texts.
        """
        what = what or f"{method} {path}"

        def send(auth: Auth) -> Answer:
            leave.ask()  # nothing slow comes after this
            return self._transport.start(
                method,
                self._base + path,
                auth=auth,
                leave=leave,
                seconds=self._times.start,
                headers=headers,
                params=params,
                body=body,
            )

        try:
            answer, failed = self._exchange(send, leave.limit(ASK_SECONDS))
        except (NotReached, UnknownOutcome) as error:
            raise lost(self._title, error) from None
        except (Unavailable, Interrupted) as error:  # it could not be signed, for the first time or once more
            raise NotReached(f"nothing was fired: {error}") from None
        told, content = read_id(answer.body)
        good, id = 200 <= answer.status < 300, usable_id(told)
        if good and id and not failed.denied:
            return Begun(id, server_time(answer, self._clock), content, answer)
        if (failed.throttled or failed.refused) and not (good and told):
            raise explain(f"{self._title} refused {what}", failed)
        said = "gave no readable id for" if failed.succeeded else "failed at"
        if good and told and not id:
            said = f"gave an id that cannot be used ({clean(self._mask.text(told), 100)!r}) for"
        raise in_doubt(explain(f"{self._title} {said} {what}", failed))

    def ask(
        self,
        method: str,
        path: str,
        explain: Callable[[str, F], Refused],
        *,
        limit: Limit,
        headers: Mapping[str, str],
        params: Params = (),
        body: bytes = b"",
        what: str = "",
    ) -> Answer:
        """What is the same twice as once. Raises Refused, NotFound, Unavailable (also after the limit) or Interrupted.

        Asked again after a code that means "later"; 429 was repeated by the transport already. An answer that speaks of
        an error has not succeeded, whatever its status.
        """
        what = what or f"{method} {path}"

        def send(auth: Auth) -> Answer:
            limit.check()
            return self._transport.read(
                method, self._base + path, auth=auth, limit=limit, headers=headers, params=params, body=body
            )

        try:
            for pause in (*SLOW_DOWN_PAUSES, None):
                answer, failed = self._exchange(send, limit)
                wait = pause and pause * random.uniform(0.75, 1.25)
                if wait is None or answer.status == 429 or not failed.later or wait >= limit.left():
                    break
                nap(wait, limit, self._sleep)
        except Unavailable as error:
            raise Unavailable(f"{self._title} could not be queried: {error}") from None
        if failed.succeeded:
            return answer
        if failed.later or failed.throttled or not failed.refused:
            raise Unavailable(str(explain(f"{self._title} did not answer {what}", failed)))
        raise explain(f"{self._title} refused {what}", failed)

    def _exchange(self, send: Callable[[Auth], Answer], limit: Limit) -> tuple[Answer, F]:
        """The last answer of the exchange that one request is."""
        exchange = self._signing(limit)
        auth = next(exchange)
        while True:
            answer = send(auth)
            failed = self._failure(answer)
            try:
                auth = exchange.send((answer, failed))
            except StopIteration:
                return answer, failed

    def pages(
        self, what: str, marker: str, ask: Callable[[str], tuple[Page, str]], limit: Limit, most: int = PAGES
    ) -> Iterator[Page]:
        """All pages of a list, or Unavailable: a run that a part of a list does not show would be fired twice.

        TooManyPages if there are more than `most`, or if they take longer than the limit. `ask` gives a page by its
        marker, the first by "", and the marker of the page after it, "" after the last. `marker` is what the service
        calls it.
        """
        at, seen = "", set[str]()
        for _ in range(most):
            if seen and not limit.left():
                raise TooManyPages(f"{self._title} cannot list them all: {what} took more than {limit.seconds:.0f} s")
            page, at = ask(at)
            yield page
            if not at:
                return
            if at in seen or len(at) > MARKER:
                how = "the same" if at in seen else "too long a"
                raise Unavailable(f"{self._title} cannot list them all: {what} gave {how} {marker}")
            seen.add(at)
        raise TooManyPages(f"{self._title} cannot list them all: {what} has more than {most} pages")


def server_time(answer: Answer, clock: Callable[[], float]) -> datetime:
    """The server's time, else that of our own clock."""
    return answer.date or datetime.fromtimestamp(clock(), timezone.utc)


def lost(title: str, error: NotReached | UnknownOutcome) -> NotReached | UnknownOutcome:
    """The transport's error, of the same kind, in the name of the system."""
    said = "was not reached, so nothing ran" if isinstance(error, NotReached) else "gave no answer that can be used"
    return type(error)(f"{title} {said}: {error}")


def of_another(title: str, path: str, id: str, told: str, mask: Masker) -> Unavailable:
    """For an answer that is not about the run that was asked for; `told`: of which it says that it is."""
    of = f"of {clean(mask.text(told), 100)}" if told else "of none"
    return Unavailable(f"{title} gave an answer to GET {path} that is not about run {clean(id, 100)} but {of}")


def in_doubt(refusal: Refused) -> UnknownOutcome:
    """For an answer to a start that tells neither an id nor that nothing ran."""
    return UnknownOutcome(f"{str(refusal).rstrip('.')}.")
