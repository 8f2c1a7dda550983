"""The timeline of a report's runs as SVG, drawn for provider/cloud_runs/status/page.py. Pure."""

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

_WIDTH, _LEFT, _RIGHT = 960, 200, 170  # units of the drawing; a unit is a CSS pixel or less
_ROW, _TOP, _BAR = 30, 34, 14
_LABEL, _HEAD = 28, 9  # characters; a longer one is cut after its head: runs of a fan-out differ in the tail
_LEAST = 4  # of a bar, so that a short run is seen
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
    """Where a moment is in a drawing."""

    first: datetime
    last: datetime

    @property
    def seconds(self) -> float:
        return max((self.last - self.first).total_seconds(), 1.0)

    def x(self, when: datetime) -> float:
        part = (when - self.first).total_seconds() / self.seconds
        return round(_LEFT + part * (_WIDTH - _LEFT - _RIGHT), 1)

    def ticks(self) -> list[datetime]:
        """Round moments, a few of them."""
        step = next((step for step in _STEPS if self.seconds / step <= _MOST_TICKS), _STEPS[-1])
        midnight = self.first.replace(hour=0, minute=0, second=0, microsecond=0)
        first = math.ceil((self.first - midnight).total_seconds() / step)
        last = math.floor((self.last - midnight).total_seconds() / step)
        every = math.ceil((last - first + 1) / (_MOST_TICKS + 1)) or 1
        return [midnight + timedelta(seconds=step * count) for count in range(first, last + 1, every)]


def drawings(report: Report) -> Iterator[str]:
    """One SVG for every ROWS runs, all on the same scale; none if no run tells when it started."""
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
    height = _TOP + len(bars) * _ROW + 6
    some = f"runs {at + 1} to {at + len(bars)} of {len(report.listed)}" if len(report.listed) > ROWS else report.summary
    title = f"Timeline from {_words(scale.first)} to {_words(scale.last)} UTC, {some}. The table has the same facts."
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}" class="timeline">',
        *(_tick(scale, tick, height) for tick in scale.ticks()),
        *(_row(scale, bar, _TOP + index * _ROW) for index, bar in enumerate(bars)),
        "</svg>",
    ]
    return "\n".join(parts)


def _tick(scale: Scale, when: datetime, height: int) -> str:
    x = scale.x(when)
    forms = ((5 * _MINUTE, "%H:%M:%S"), (_DAY, "%H:%M"), (6 * _DAY, "%m-%d %H:%M"), (math.inf, "%Y-%m-%d"))
    form = next(form for most, form in forms if scale.seconds <= most)
    return (
        f'<line class="grid" x1="{x}" y1="22" x2="{x}" y2="{height}"/>'
        f'<text class="muted" x="{x}" y="15" text-anchor="middle">{when:{form}}</text>'
    )


def _row(scale: Scale, bar: Bar, y: int) -> str:
    run, middle = bar.run, y + _ROW / 2 + 4.5
    label = run.label if len(run.label) <= _LABEL else f"{run.label[:_HEAD]}…{run.label[_HEAD + 1 - _LABEL :]}"
    parts = [f'<text x="0" y="{middle}">{escape(label)}</text>']
    fact = "start not told"
    if bar.began is not None:
        fact = "end not told"
        x = scale.x(bar.began)
        end = scale.x(bar.ended) if bar.ended else x
        tip = f"{run.label}: {run.word}, started {_words(bar.began)} UTC"
        if bar.ended:
            fact = span((bar.ended - bar.began).total_seconds())
            tip += f", {'for' if run.going else 'took'} {fact}"
        shape = "open" if run.going else "closed"
        parts.append(
            f'<rect class="bar {shape} {run.phase.value}" x="{x}" y="{y + (_ROW - _BAR) / 2}" rx="3" '
            f'width="{max(end - x, _LEAST):.1f}" height="{_BAR}"><title>{escape(tip)}</title></rect>'
        )
    words = f"{run.phase.value}, {'not answered' if run.answer is Answer.NONE else fact}"  # there is room for one
    parts.append(
        f'<text class="phase {run.phase.value}" x="{_WIDTH - _RIGHT + 14}" y="{middle}">{escape(words)}</text>'
    )
    return "".join(parts)


def _words(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"
