"""The lines that a person is shown, in tables and on the page: the worst first, and few for a large fan-out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud_runs.errors import clean
from cloud_runs.status.report import GRAVITY, PHASES, Exit, Missing, Remark, Report, Run
from cloud_runs.wire.payloads import moment

LISTED = 20  # runs of one fan-out that have a line of their own; JSON has them all
MISSING = "missing"


@dataclass(frozen=True)
class Row:
    """A run, or several of one fan-out that are in the same phase."""

    found: Sequence[Run | Missing]

    @property
    def first(self) -> Run | Missing:
        return self.found[0]

    @property
    def run(self) -> Run | None:
        """The only run of this line."""
        return self.first if len(self.found) == 1 and isinstance(self.first, Run) else None

    @property
    def runs(self) -> list[Run]:
        return [one for one in self.found if isinstance(one, Run)]

    @property
    def label(self) -> str:
        if len(self.found) == 1:
            return self.first.label
        return f"{clean(self.first.resource, 200)} ({len(self.found)} objects)"

    @property
    def phase(self) -> str:
        """A phase, or `missing`."""
        return self.first.phase.value if isinstance(self.first, Run) else MISSING

    @property
    def system(self) -> str:
        return self.first.system if isinstance(self.first, Run) else ""

    @property
    def verdict(self) -> Exit:
        return self.first.verdict

    @property
    def doubtful(self) -> bool:
        """It is shown as it is on record, which may be out of date."""
        return any(run.from_record for run in self.runs)

    @property
    def started_at(self) -> str:
        """When the first of its runs started."""
        known = [(at, run.status.started_at) for run in self.runs if (at := moment(run.status.started_at))]
        return min(known)[1] if known else ""

    def duration(self, report: Report) -> float | None:
        """In seconds; of several runs from the start of the first to the end of the last, or until now."""
        if self.run:
            return report.duration(self.run)
        began, ended = moment(self.started_at), self.ended_at(report)
        return max((ended - began).total_seconds(), 0.0) if began and ended else None

    def ended_at(self, report: Report) -> datetime | None:
        """When the last of its runs ended, or now if one goes on. None if it is not known of one."""
        ends = [report.asked_at if run.going else moment(run.status.finished_at) for run in self.runs]
        known = [end for end in ends if end]
        return max(known) if known and len(known) == len(ends) else None


def rows(report: Report) -> list[Row]:
    """The worst first, each kind in the order of the start."""
    found: list[Run | Missing] = [*report.runs, *report.missing]
    found.sort(key=_gravity)
    return sorted(_folded(found), key=lambda row: _gravity(row.first))


def remarks(report: Report) -> tuple[list[Remark], str]:
    """The LISTED worst, and what is said of the others; empty if there are none."""
    found = report.remarks
    left = len(found) - LISTED
    return found[:LISTED], f"{left} more reasons: --json has them all" if left > 0 else ""


def _gravity(one: Run | Missing) -> tuple[float, float]:
    """Missing ones come after those that failed."""
    return GRAVITY.index(one.verdict), PHASES.index(one.phase) if isinstance(one, Run) else 0.5


def _folded(found: Sequence[Run | Missing]) -> Iterator[Row]:
    """Of a fan-out the LISTED worst each by itself; the others, and all that succeeded, are one line a phase."""
    taken: Counter[str] = Counter()
    others: dict[tuple[str, tuple[float, float]], list[Run | Missing]] = {}
    for one in found:
        taken[one.urn] += one.verdict is not Exit.SUCCEEDED
        if one.object and (one.verdict is Exit.SUCCEEDED or taken[one.urn] > LISTED):
            others.setdefault((one.urn, _gravity(one)), []).append(one)
        else:
            yield Row([one])
    yield from map(Row, others.values())
