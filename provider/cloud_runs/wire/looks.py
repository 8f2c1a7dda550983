"""Looks at many runs: asked one by one, some at a time, or found in lists."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from cloud_runs.crew import Crew
from cloud_runs.errors import NotFound, Refused, Throttled, Unavailable
from cloud_runs.limits import Limit
from cloud_runs.runs import Phase, RunStatus, Untold

ASKERS = 5  # threads of one look: services count requests, and the host's other three threads ask too
MOST_SECONDS = 86_400.0  # for what has limits of its own

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


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

    def enough(answer: V | BaseException) -> bool:
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
    if not isinstance(answer, BaseException) or isinstance(answer, (NotFound, Throttled, Unavailable)):
        return False
    return not isinstance(answer, Refused) or not 400 <= answer.status < 500 or answer.status in (401, 403)


def _told(answer: V | BaseException) -> V | Untold:
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
