"""Asks the systems for the runs on record: one look at many (`RunApi.get_many`) for each place. Starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from threading import Lock
from typing import Any

from cloud_runs.errors import NotFound, RunsError
from cloud_runs.lifecycle.clients import Clients
from cloud_runs.runs import Reference, RunApi, RunStatus
from cloud_runs.status import lost
from cloud_runs.status.reading import Stack
from cloud_runs.status.recorded import OnRecord, Records
from cloud_runs.status.report import Answer, Report, Run
from cloud_runs.wire.looks import together
from cloud_runs.wire.payloads import moment
from cloud_runs.wire.settings import Settings

_NEVER = datetime.max.replace(tzinfo=timezone.utc)

Told = Mapping[str, RunStatus | RunsError]
Group = tuple[str, Reference]


class Askers:
    """The clients of a stack's providers, each with the settings that the provider would have now."""

    def __init__(self, records: Records, config: Mapping[str, str]) -> None:
        self._records, self._config = records, config
        self._made: dict[str, Clients] = {}
        self._lock = Lock()  # looks at several places are made at once

    def settings(self, provider: str) -> Settings:
        """Raises InvalidConfiguration."""
        return Settings(self._records.settings(provider, self._config).get)

    def of(self, group: Group) -> RunApi[Any]:
        """Raises MissingCredentials or InvalidConfiguration."""
        provider, place = group
        with self._lock:
            if provider not in self._made:
                self._made[provider] = Clients(self.settings(provider))
            return self._made[provider].of(place)


def report(stack: Stack, tell: Callable[[int], None] = lambda _: None) -> Report:
    """What became of the runs of a stack. `tell` is called with the number of runs of each answer."""
    runs = ask(stack.records, stack.config, tell)
    missing = lost.missing(stack.records, stack.config)
    at = datetime.now(timezone.utc).replace(microsecond=0)
    return Report(stack.name, at, tuple(runs), missing, stack.project)


def ask(records: Records, config: Mapping[str, str], tell: Callable[[int], None]) -> list[Run]:
    """Each run of the stack with what its system says now, in the order of their start.

    `tell` is called with the number of runs of each answer. A place that cannot be asked keeps no other from being
    asked.
    """
    groups: dict[Group, set[str]] = {}
    for run in records.runs:
        if not run.known_success:
            groups.setdefault(group(run), set()).add(run.reference.id)

    askers = Askers(records, config)

    def answer(one: Group) -> Told:
        told: Told
        try:
            told = askers.of(one).get_many(groups[one])
        except RunsError as error:
            told = dict.fromkeys(groups[one], error)
        tell(len(groups[one]))
        return told

    answers: dict[Group, Any] = together(answer, groups)
    runs = [
        shown(run, answers[group(run)][run.reference.id] if not run.known_success else None) for run in records.runs
    ]
    return in_order(runs)


def in_order(runs: Iterable[Run]) -> list[Run]:
    """In that of their start."""
    return sorted(runs, key=lambda run: (moment(run.status.started_at) or _NEVER, run.label))


def count(runs: Iterable[OnRecord]) -> int:
    """How many runs `ask` asks for."""
    return len({(group(run), run.reference.id) for run in runs if not run.known_success})


def group(run: OnRecord) -> Group:
    """With what else it is asked for: the provider, and its place."""
    return run.provider, replace(run.reference, id="")


def shown(run: OnRecord, told: RunStatus | RunsError | None) -> Run:
    """A run with what its system has told; None: it was not asked, since its success is on record."""
    status, answer, problem = run.status, Answer.RECORD, ""
    if isinstance(told, RunStatus):
        answer = Answer.SERVICE
        began = told.started_at or told.created_at or run.status.started_at
        status = replace(told, started_at=began)
    elif isinstance(told, NotFound):
        answer, problem = Answer.GONE, str(told)
    elif told is not None:
        answer, problem = Answer.NONE, str(told)
    return Run(
        resource=run.resource,
        object=run.object,
        urn=run.urn,
        kind=run.kind,
        system=run.reference.system,
        reference=run.shown_reference,
        url=run.url,
        status=status,
        answer=answer,
        problem=problem,
        subject=run.subject,
    )
