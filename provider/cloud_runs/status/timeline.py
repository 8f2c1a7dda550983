"""The timeline of a report's runs, drawn for provider/cloud_runs/status/page.py, which has its style. Pure.

Words are in columns of their own, and wrap there: how wide a font is, only the reader's browser knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import NamedTuple

from cloud_runs.promise.outcomes import span
from cloud_runs.status.report import Answer, Report, Run
from cloud_runs.wire.payloads import moment

ROWS = 15  # of one drawing; a longer one does not fit on a sheet of paper, below the head of the page

_LABEL, _HEAD = 28, 9  # characters; a longer one is cut after its head: runs of a fan-out differ in the tail
_MOST_TICKS = 6
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(count * _MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * _HOUR for count in (1, 2, 3, 6, 12)),
    *(count * _DAY for count in (1, 2, 7, 14, 30, 90, 180, 365, 730, 1825, 3650)),
)


class Bar(NamedTuple):
    run: Run
    began: datetime | None
    ended: datetime | None
    """None if it goes on, or if its end is not known."""


class Scale(NamedTuple):
    """Where a moment is in a drawing, in percent of the bars' column."""

    first: datetime
    last: datetime

    @property
    def seconds(self) -> float:
        return max((self.last - self.first).total_seconds(), 1.0)

    def x(self, when: datetime) -> float:
        part = (when - self.first).total_seconds() / self.seconds
        return round(100 * part, 2)

    def ticks(self) -> list[datetime]:
        """Round moments, a few of them."""
        step = next((step for step in _STEPS if self.seconds / step <= _MOST_TICKS), _STEPS[-1])
        midnight = self.first.replace(hour=0, minute=0, second=0, microsecond=0)
        first = math.ceil((self.first - midnight).total_seconds() / step)
        last = math.floor((self.last - midnight).total_seconds() / step)
        every = math.ceil((last - first + 1) / (_MOST_TICKS + 1)) or 1
        return [midnight + timedelta(seconds=step * count) for count in range(first, last + 1, every)]


def drawings(report: Report) -> Iterator[str]:
    """One for every ROWS runs, all on the same scale; none if no run tells when it started."""
    bars = [_bar(report, run) for run in report.listed]
    known = [when for bar in bars for when in (bar.began, bar.ended) if when]
    if not known:
        return
    last = max([*known, report.asked_at] if any(run.going for run in report.listed) else known)
    scale = Scale(min(known), last)
    for at in range(0, len(bars), ROWS):
        yield _drawing(report, scale, bars[at : at + ROWS], at)


def _bar(report: Report, run: Run) -> Bar:
    began = moment(run.status.started_at)
    ended = report.asked_at if run.going else moment(run.status.finished_at)
    return Bar(run, began, max(began, ended) if began and ended else None)


def _drawing(report: Report, scale: Scale, bars: Sequence[Bar], at: int) -> str:
    some = f"runs {at + 1} to {at + len(bars)} of {len(report.listed)}" if len(report.listed) > ROWS else report.summary
    title = f"Timeline from {_words(scale.first)} to {_words(scale.last)} UTC, {some}. The table has the same facts."
    ticks = scale.ticks()
    parts = [
        f'<div class="timeline" role="img" aria-label="{escape(title)}">',
        *(_tick(scale, tick) for tick in ticks),
        f'<div class="grid" style="grid-row: 2 / span {len(bars)}">',
        "".join(f'<i style="left: {scale.x(tick)}%"></i>' for tick in ticks) + "</div>",
        *(_row(scale, bar, row) for row, bar in enumerate(bars, start=2)),
        "</div>",
    ]
    return "\n".join(parts)


def _tick(scale: Scale, when: datetime) -> str:
    forms = ((5 * _MINUTE, "%H:%M:%S"), (_DAY, "%H:%M"), (6 * _DAY, "%m-%d %H:%M"), (math.inf, "%Y-%m-%d"))
    form = next(form for most, form in forms if scale.seconds <= most)
    return f'<span class="tick muted" style="margin-left: {scale.x(when) - 7:.2f}%">{when:{form}}</span>'


def _row(scale: Scale, bar: Bar, row: int) -> str:
    run = bar.run
    label = run.label if len(run.label) <= _LABEL else f"{run.label[:_HEAD]}…{run.label[_HEAD + 1 - _LABEL :]}"
    fact, drawn = "start not told", ""
    if bar.began is not None:
        fact = "end not told"
        x = scale.x(bar.began)
        end = scale.x(bar.ended) if bar.ended else x
        tip = f"{run.label}: {run.word}, started {_words(bar.began)} UTC"
        if bar.ended:
            fact = span((bar.ended - bar.began).total_seconds())
            tip += f", {'for' if run.going else 'took'} {fact}"
        drawn = (
            f'<span class="bar {"open" if run.going else "closed"} {run.phase.value}" title="{escape(tip)}" '
            f'style="left: {x}%; width: {end - x:.2f}%"></span>'
        )
    words = f"{run.phase.value}, {'not answered' if run.answer is Answer.NONE else fact}"  # there is room for one
    return (
        f'<span class="label" style="grid-row: {row}">{escape(label)}</span>'
        f'<span class="lane" style="grid-row: {row}">{drawn}</span>'
        f'<span class="phase {run.phase.value}" style="grid-row: {row}">{escape(words)}</span>'
    )


def _words(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"
