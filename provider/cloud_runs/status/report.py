"""What became of a stack's runs: plain values, the exit code, and the shape of `--json`. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any

from cloud_runs.errors import clean
from cloud_runs.promise import groups, outcomes
from cloud_runs.runs import Phase, RunStatus, rfc3339
from cloud_runs.wire.payloads import moment

VERSION = 2  # of the shape of `--json`; more keys may come without a new one


class Exit(IntEnum):
    """Exit codes of `cloud-runs`. No interpreter, shell or Pulumi ends with 10, 11 or 12 by itself.

    The first of FAILED, NOT_ASKED and GOING that is so of a run counts.
    """

    SUCCEEDED = 0
    """Every run succeeded, or there is none."""
    USAGE = 2
    """The command line is wrong: nothing was asked."""
    FAILED = 10
    """A run failed, was cancelled, is no longer known to its service, or is missing."""
    GOING = 11
    """A run goes on."""
    NOT_ASKED = 12
    """A system or the stack could not be queried."""
    INTERRUPTED = 130
    """By Ctrl-C; as shells have it."""


class Answer(str, Enum):
    """Where the status of a run is from."""

    SERVICE = "service"
    """The system told it now."""
    RECORD = "record"
    """A Completion has recorded its success, which does not change: the system was not asked."""
    GONE = "gone"
    """The system no longer knows the run: it is what is on record, if that is an end."""
    NONE = "none"
    """The system could not be queried: it is what is on record."""


@dataclass(frozen=True)
class Run:
    """A run on record. `object` is that of one run of a fan-out, else empty; `reference` and `url` may be empty."""

    resource: str
    object: str
    urn: str
    kind: str
    system: str
    reference: str
    url: str
    status: RunStatus
    """`started_at` is when the run started, else when it was created or fired."""
    answer: Answer
    problem: str = ""
    """Why the system could not be queried, or that it does not know the run."""
    subject: Mapping[str, str] = field(default_factory=dict)
    """What it works on: `region`, `bucket`, `object`, `workflow`, ..., as far as its kind has them, without secrets."""

    @property
    def label(self) -> str:
        return labelled(self.resource, self.object)

    @property
    def phase(self) -> Phase:
        return Phase.UNKNOWN if self.lost else self.status.phase

    @property
    def lost(self) -> bool:
        """Gone before its end was seen: it may have ended in any way, and what is on record says nothing of that."""
        return self.answer is Answer.GONE and not self.status.phase.terminal

    @property
    def from_record(self) -> bool:
        """What is shown may be out of date."""
        return self.answer in (Answer.GONE, Answer.NONE) and not self.lost

    @property
    def going(self) -> bool:
        return self.answer is Answer.SERVICE and not self.phase.terminal

    @property
    def verdict(self) -> Exit:
        if self.answer is Answer.NONE:
            return Exit.NOT_ASKED
        if self.going:
            return Exit.GOING
        return Exit.SUCCEEDED if self.phase is Phase.SUCCEEDED else Exit.FAILED

    @property
    def word(self) -> str:
        """The phase, and the system's own word where it says more."""
        state = "" if self.lost else clean(self.status.state, 60)
        return self.phase.value + (f" ({state})" if state and state.lower() != self.phase.value else "")

    @property
    def failed_tasks(self) -> list[str]:
        return [clean(task["name"] or task["type"], 100) for task in outcomes.failed_tasks(self.status)]

    @property
    def remarks(self) -> Iterator[str]:
        """What a person should know beside the phase."""
        status = self.status
        if self.answer is Answer.NONE:
            yield f"could not be queried, so this is what is recorded: {clean(self.problem, 600)}"
        elif self.answer is Answer.GONE:
            yield f"{outcomes.GONE}; {'its end is not recorded' if self.lost else 'this is what is recorded'}"
        why = {"code": status.code, "message": status.message, "failed_tasks": outcomes.failed_tasks(status)}
        if status.phase in (Phase.FAILED, Phase.CANCELLED) and (told := outcomes.told(why)):
            yield clean(told, 600)
        if self.answer is Answer.SERVICE and status.phase is Phase.UNKNOWN:
            yield clean(status.message, 300) or "this version does not know the state"
        if status.executions:
            yield "executions: " + ", ".join(f"{n} {clean(word, 60)}" for word, n in sorted(status.executions.items()))
        elif status.summed and status.phase is Phase.SUCCEEDED:
            yield "started no execution: nothing matched its input"


@dataclass(frozen=True)
class Missing:
    """A run that was requested and is not recorded."""

    resource: str
    object: str
    urn: str
    asked_at: str
    """RFC 3339, or empty."""
    reason: str
    possibly_lost: tuple[str, ...] = ()
    """Ids of runs that may be it and that nothing in the stack has on record."""

    @property
    def label(self) -> str:
        return labelled(self.resource, self.object)

    @property
    def verdict(self) -> Exit:
        return Exit.FAILED


GRAVITY = (Exit.FAILED, Exit.NOT_ASKED, Exit.GOING, Exit.SUCCEEDED)
PHASES = (Phase.FAILED, Phase.CANCELLED, Phase.UNKNOWN, Phase.RUNNING, Phase.PENDING, Phase.SUCCEEDED)
"""Both with the worst first."""


@dataclass(frozen=True)
class Remark:
    who: str
    """`scan`, `thumbs: 2 objects (07, 08)`, or several of these."""
    what: str
    verdict: Exit
    count: int
    """Of how many runs it is said."""


@dataclass(frozen=True)
class Report:
    """What became of the runs of a stack. `runs` are in the order of their start."""

    stack: str
    asked_at: datetime
    runs: tuple[Run, ...]
    missing: tuple[Missing, ...] = ()
    project: str = ""

    @property
    def exit(self) -> Exit:
        verdicts = {run.verdict for run in self.runs} | {Exit.FAILED for _ in self.missing}
        return next((code for code in GRAVITY if code in verdicts), Exit.SUCCEEDED)

    @property
    def counts(self) -> dict[str, int]:
        """How many runs are in each phase, how many are missing, and of how many the system gave no answer: these are
        in a phase as well, the one on record. The worst first; what there is none of is left out.
        """
        counted = Counter(run.phase.value for run in self.runs)
        found = {phase.value: counted[phase.value] for phase in PHASES}
        found = {"failed": found["failed"], "missing": len(self.missing), **found}
        found["not_answered"] = sum(run.answer is Answer.NONE for run in self.runs)
        return {word: count for word, count in found.items() if count}

    @property
    def remarks(self) -> list[Remark]:
        """What a person should know beside the phases, the worst first; the same of many is said once."""
        told: list[tuple[Run | Missing, str]] = [(run, remark) for run in self.runs for remark in run.remarks]
        told += [(lost, _lost(lost)) for lost in self.missing]
        found = []
        for verdict in GRAVITY:
            for runs, remark in groups.alike(pair for pair in told if pair[0].verdict is verdict):
                found.append(Remark(_who(runs), remark, verdict, len(runs)))
        return found

    def duration(self, run: Run) -> float | None:
        """Seconds that the run took, or has taken until now; None where the system does not tell both ends."""
        seconds = outcomes.lasted(run.status)
        began = moment(run.status.started_at)
        if seconds is None and run.going and began:
            seconds = (self.asked_at - began).total_seconds()
        return None if seconds is None else max(seconds, 0.0)  # two clocks may differ

    @property
    def summary(self) -> str:
        """`4 runs: 2 succeeded, 1 failed, 1 running; 1 not answered`."""
        total = len(self.runs) + len(self.missing)
        if not total:
            return "no runs"
        counts = self.counts
        unanswered = counts.pop("not_answered", 0)
        words = ", ".join(f"{count} {word}" for word, count in counts.items())
        words += f"; {unanswered} not answered" if unanswered else ""
        return f"{total} run{'s' if total != 1 else ''}: {words}"

    def as_json(self) -> dict[str, Any]:
        """docs/status.md has the meaning of each key."""
        return {
            "version": VERSION,
            "project": self.project,
            "stack": self.stack,
            "asked_at": rfc3339(self.asked_at),
            "exit_code": int(self.exit),
            "counts": self.counts,
            "runs": [self._run_as_json(run) for run in self.runs],
            "missing": [asdict(run) for run in self.missing],
        }

    def _run_as_json(self, run: Run) -> dict[str, Any]:
        status = run.status
        return {
            "resource": run.resource,
            "object": run.object,
            "urn": run.urn,
            "kind": run.kind,
            "system": run.system,
            "subject": dict(run.subject),
            "id": status.id,
            "reference": run.reference,
            "url": run.url,
            "phase": run.phase.value,
            "state": status.state,
            "code": status.code,
            "message": status.message,
            "failed_tasks": outcomes.failed_tasks(status),
            "executions": dict(status.executions),
            "started_at": status.started_at,
            "finished_at": status.finished_at,
            "duration": self.duration(run),
            "request_id": status.request_id,
            "answer": run.answer.value,
            "problem": run.problem,
        }


def _who(runs: Sequence[Run | Missing]) -> str:
    """Each run by its name; several objects of one fan-out as one."""
    by_resource: dict[str, list[Run | Missing]] = {}
    for run in runs:
        by_resource.setdefault(run.resource, []).append(run)
    return groups.some([_named(resource, some) for resource, some in by_resource.items()])


def _named(resource: str, runs: Sequence[Run | Missing]) -> str:
    if len(runs) == 1:
        return runs[0].label
    return f"{clean(resource, 200)}: {groups.objects([clean(run.object, 100) for run in runs])}"


def _lost(lost: Missing) -> str:
    at = shown_time(lost.asked_at)
    return clean(lost.reason, 600) + (f" (requested at {at} UTC)" if at else "")


def labelled(resource: str, object: str) -> str:
    return clean(f"{resource}[{object}]" if object else resource, 200)


def shown_time(told: str) -> str:
    """`2022-06-27 07:23:10`, in UTC; empty for what is no time."""
    found = moment(told)
    return f"{found:%Y-%m-%d %H:%M:%S}" if found else ""
