"""The timeline of a report's runs, drawn for the page. Pure; style.py has its style.

Words are in columns of their own, and wrap there: how wide a font is, only the reader's browser knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import NamedTuple

from cloud_runs.promise.outcomes import span
from cloud_runs.status.report import Exit, Report
from cloud_runs.status.rows import Row
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
    row: Row
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


def drawings(report: Report, shown: Sequence[Row], scaled: Sequence[Row]) -> Iterator[str]:
    """One for every ROWS of what is shown, all on the scale of `scaled`; none if no run tells when it started."""
    known = [when for row in scaled for when in _bar(report, row)[1:] if when]
    bars = [_bar(report, row) for row in shown if row.runs]
    if not known or not bars:
        return
    scale = Scale(min(known), max(known))
    for at in range(0, len(bars), ROWS):
        yield _drawing(report, scale, bars[at : at + ROWS], at, len(bars))


def _bar(report: Report, row: Row) -> Bar:
    began, ended = moment(row.started_at), row.ended_at(report)
    return Bar(row, began, max(began, ended) if began and ended else None)


def _drawing(report: Report, scale: Scale, bars: Sequence[Bar], at: int, of: int) -> str:
    some = f"lines {at + 1} to {at + len(bars)} of {of}" if of > ROWS else report.summary
    title = f"Timeline from {_words(scale.first)} to {_words(scale.last)} UTC, {some}. The table has the same facts."
    ticks = scale.ticks()
    parts = [
        f'<div class="timeline" role="img" aria-label="{escape(title)}">',
        '<div class="grid">' + "".join(f'<i style="left: {scale.x(tick)}%"></i>' for tick in ticks) + "</div>",
        '<div class="row ticks"><span class="lane">',
        *(_tick(scale, tick) for tick in ticks),
        "</span></div>",
        *(_row(scale, bar) for bar in bars),
        "</div>",
    ]
    return "\n".join(parts)


def _tick(scale: Scale, when: datetime) -> str:
    forms = ((5 * _MINUTE, "%H:%M:%S"), (_DAY, "%H:%M"), (6 * _DAY, "%m-%d %H:%M"), (math.inf, "%Y-%m-%d"))
    form = next(form for most, form in forms if scale.seconds <= most)
    return f'<span class="tick muted" style="left: {scale.x(when)}%">{when:{form}}</span>'


def _row(scale: Scale, bar: Bar) -> str:
    row = bar.row
    label = row.label if len(row.label) <= _LABEL else f"{row.label[:_HEAD]}…{row.label[_HEAD + 1 - _LABEL :]}"
    fact, drawn = "start not told", ""
    going = row.verdict is Exit.GOING
    if bar.began is not None:
        fact = "end not told"
        x = scale.x(bar.began)
        end = scale.x(bar.ended) if bar.ended else x
        tip = f"{row.label}: {row.run.word if row.run else row.phase}, started {_words(bar.began)} UTC"
        if bar.ended:
            fact = span((bar.ended - bar.began).total_seconds())
            tip += f", {'for' if going else 'took'} {fact}"
        drawn = (
            f'<span class="bar {"open" if going else "closed"} {row.phase}" title="{escape(tip)}" '
            f'style="left: {x}%; width: {end - x:.2f}%"></span>'
        )
    words = f"{row.phase}, {'not answered' if row.verdict is Exit.NOT_ASKED else fact}"  # there is room for one
    return (
        f'<div class="row"><span class="label">{escape(label)}</span><span class="lane">{drawn}</span>'
        f'<span class="phase {row.phase}">{escape(words)}</span></div>'
    )


def _words(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"
