"""The report as metrics, in the format of node_exporter's textfile collector. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/ describes it. There are few series, however many runs
there are: some for each resource and phase, none for a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from cloud_runs.errors import clean
from cloud_runs.runs import Phase
from cloud_runs.status.report import Answer, Exit, Report, Run
from cloud_runs.status.rows import MISSING
from cloud_runs.wire.payloads import moment

_PHASES = (*(phase.value for phase in Phase), MISSING)


def text(report: Report) -> str:
    """The whole file."""
    names = dict.fromkeys([run.resource for run in report.runs] + [lost.resource for lost in report.missing])
    lines = [
        *_metric("runs", "Recorded runs by phase; missing ones were requested and are not recorded.", _runs(report)),
        *_metric("runs_not_answered", "Runs that the service gave no answer for.", _unanswered(report, names)),
        *_metric("run_oldest_open_seconds", "How long the oldest run goes on that has not ended.", _oldest(report)),
        *_metric("run_last_finished_timestamp_seconds", "When the last run ended.", _finished(report)),
        *_metric("status_exit_code", "0 all succeeded, 10 failed, 11 goes on, 12 not asked.", [({}, report.exit)]),
        *_metric("status_timestamp_seconds", "When the services were asked.", [({}, report.asked_at.timestamp())]),
    ]
    shared = {"project": report.project, "stack": report.stack}
    return "".join(line if isinstance(line, str) else _sample(*line, shared) for line in lines)


Sample = tuple[dict[str, str], float]


def _metric(name: str, help: str, samples: Iterable[Sample]) -> Iterator[str | tuple[str, dict[str, str], float]]:
    full = f"cloud_runs_{name}"
    yield f"# HELP {full} {help}\n# TYPE {full} gauge\n"
    yield from ((full, labels, value) for labels, value in samples)


def _runs(report: Report) -> Iterator[Sample]:
    """All phases, so that a query need not tell none from not known."""
    counts = Counter((run.resource, run.phase.value) for run in report.runs)
    counts.update((lost.resource, MISSING) for lost in report.missing)
    for resource in dict.fromkeys(resource for resource, _ in counts):
        yield from (({"resource": resource, "phase": phase}, counts[resource, phase]) for phase in _PHASES)


def _unanswered(report: Report, names: Iterable[str]) -> Iterator[Sample]:
    counts = Counter(run.resource for run in report.runs if run.answer is Answer.NONE)
    yield from (({"resource": name}, counts[name]) for name in names)


def _oldest(report: Report) -> Iterator[Sample]:
    longest: dict[str, float] = {}
    for run in report.runs:
        seconds = report.duration(run)
        if run.verdict is Exit.GOING and seconds is not None:
            longest[run.resource] = max(longest.get(run.resource, 0.0), seconds)
    yield from (({"resource": name}, seconds) for name, seconds in longest.items())


def _finished(report: Report) -> Iterator[Sample]:
    latest: dict[str, float] = {}
    for run in report.runs:
        if at := _ended(run):
            latest[run.resource] = max(latest.get(run.resource, 0.0), at)
    yield from (({"resource": name}, at) for name, at in latest.items())


def _ended(run: Run) -> float:
    at = moment(run.status.finished_at)
    return at.timestamp() if at else 0.0


def _sample(name: str, labels: dict[str, str], value: float, shared: dict[str, str]) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in {**shared, **labels}.items())
    return f"{name}{{{pairs}}} {float(value):.15g}\n"


def _escaped(text: str) -> str:
    return clean(text, 500).replace("\\", r"\\").replace('"', r"\"")
