"""What the clients of more than one system share: starts, questions and lists, and what is said when they fail.

What does NOT happen here: a start is not sent again, whatever the answer; a part of a list is not taken for all of it;
no secret enters an error text, even if the server sends back what it was sent.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from cloud_runs.errors import NotFound, NotReached, Refused, Throttled, Unavailable, UnknownOutcome, clean
from cloud_runs.limits import Leave, Limit, Times
from cloud_runs.runs import Phase, RunStatus, Untold
from cloud_runs.wire.crew import Crew
from cloud_runs.wire.masking import Masker
from cloud_runs.wire.pauses import nap
from cloud_runs.wire.payloads import usable_id
from cloud_runs.wire.settings import Credentials

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer, Auth, Params, Transport

PAGES = 200  # of one list; more runs than that since one intent cannot be told apart by a person either
FAN_OUT_PAGES = 1000  # the same for a fan-out, which has thousands of runs itself
ASK_SECONDS = 120.0  # for one run, where the caller sets no limit
LOOK_SECONDS = 600.0  # for many runs, likewise
MOST_SECONDS = 86_400.0  # for what has limits of its own
MARKER = 4096  # characters; each one is kept, so that a list that goes in circles is noticed
ASKERS = 5  # threads of one look: services count requests, and the host's other three threads ask too
SLOW_DOWN_PAUSES = (1.0, 2.0, 4.0)  # seconds, with jitter, before a question is asked again after SlowDown


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


F = TypeVar("F", bound=Failure)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
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
        what: str = "",
    ) -> Begun:
        """`POST path`, once. Raises Refused, Throttled, NotReached, Orphaned or UnknownOutcome.

        An answer that tells an id and has not the status of an error is a start, whatever else it says. `what` is sent,
        in error texts.
        """
        what = what or f"POST {path}"

        def send(auth: Auth) -> Answer:
            leave.ask()  # nothing slow comes after this
            return self._transport.start(
                "POST",
                self._base + path,
                auth=auth,
                leave=leave,
                seconds=self._times.start,
                headers=headers,
                params=params,
                body=body,
            )

        try:
            answer, failed = self._exchange(send, Limit(ASK_SECONDS))
        except (NotReached, UnknownOutcome) as error:
            raise lost(self._title, error) from None
        except Unavailable as error:  # it could not be signed, for the first time or once more
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
            raise Unavailable(f"{self._title} could not be asked: {error}") from None
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


def together(ask: Callable[[K], V], items: Iterable[K], limit: Limit | None = None) -> dict[K, V | Untold]:
    """What `ask` tells of each item, up to ASKERS at a time, or the error that says why it tells nothing.

    What else `ask` raises is raised, a refused key too; what is refused of one item is its entry. After ASKERS errors
    in a row (NotFound is an answer) the service is taken to be out of order: the items that are left are not asked and
    share the last error. The order is random, so that items that always fail do not keep others from being asked for
    ever. What hangs longer than the limit is left behind, and is Unavailable. Raises Interrupted.
    """
    limit = limit or Limit(MOST_SECONDS)
    wanted = list(items)
    in_a_row: list[Untold] = []

    def enough(answer: V | Exception) -> bool:
        if isinstance(answer, (Throttled, Unavailable)):
            in_a_row.append(answer)
        elif _of_all(answer):
            return True
        else:
            in_a_row.clear()
        return len(in_a_row) >= ASKERS

    questions = {item: partial(ask, item) for item in random.sample(wanted, len(wanted))}
    crew: Crew[K, V] = Crew(ASKERS)
    answers = crew.ask(questions, limit, enough)
    if refused := next(filter(_of_all, answers.values()), None):
        raise refused  # type: ignore[misc]  # an exception
    late = Unavailable(f"not answered within {limit.seconds:.0f} s")
    others = in_a_row[-1] if len(in_a_row) >= ASKERS else late
    return {item: _told(answers[item]) if item in answers else others for item in wanted}


def _of_all(answer: object) -> bool:
    """Whether what `ask` raised of one item goes for each of them, or is no matter of items at all."""
    if not isinstance(answer, Exception) or isinstance(answer, (NotFound, Throttled, Unavailable)):
        return False
    return not isinstance(answer, Refused) or not 400 <= answer.status < 500 or answer.status in (401, 403)


def _told(answer: V | Exception) -> V | Untold:
    if isinstance(answer, Refused) and not isinstance(answer, (NotFound, Throttled)):
        return Unavailable(str(answer))  # of this one alone
    return answer  # type: ignore[return-value]  # no other exception is left


def listed(
    lists: Mapping[K, Collection[str]],
    pages: Callable[[K], Iterable[Mapping[str, RunStatus]]],
    told: dict[str, RunStatus | Untold],
    limit: Limit | None = None,
) -> None:
    """Reads the pages of each list, and adds to `told` what they say of the ids that are looked for in it.

    A list has positive news only: a run that it shows as going on is told, one that it shows otherwise or not at all is
    not. Of a list that broke off, the ids that are left are told to be so: asking for each would cost more. One that is
    refused (older pages lack some of the states) tells nothing, unless the key is refused: that would go for each run.
    """

    def read(name: K) -> None:
        left = set(lists[name])
        idle = 0
        try:
            for page in pages(name):
                news = {id for id in left & page.keys() if page[id].phase in (Phase.PENDING, Phase.RUNNING)}
                told.update((id, page[id]) for id in news)
                left -= news
                idle += not news
                # A page costs as much as the look at one run: those that show nothing of ours may add a tenth to that.
                if not left or idle * 10 >= len(left):
                    break
        except Refused as refused:
            if isinstance(refused, Throttled) or refused.status in (401, 403):
                raise

    for name, error in together(read, lists, limit).items():
        if isinstance(error, (Throttled, Unavailable)):
            for id in lists[name]:
                told.setdefault(id, error)


def server_time(answer: Answer, clock: Callable[[], float]) -> datetime:
    """The server's time, else that of our own clock."""
    return answer.date or datetime.fromtimestamp(clock(), timezone.utc)


def lost(title: str, error: NotReached | UnknownOutcome) -> NotReached | UnknownOutcome:
    """The transport's error, of the same kind, in the name of the system."""
    said = "was not reached, so nothing ran" if isinstance(error, NotReached) else "gave no answer that can be used"
    return type(error)(f"{title} {said}: {error}")


def in_doubt(refusal: Refused) -> UnknownOutcome:
    """For an answer to a start that tells neither an id nor that nothing ran."""
    return UnknownOutcome(f"{str(refusal).rstrip('.')}.")
