"""A line chart as SVG, with logarithmic axes. By hand: it is one kind of chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 200, 40, 40
COLOURS = ("#0b6bcb", "#d1495b", "#2e8b57", "#9467bd", "#e08e0b", "#5f6b7a", "#8c564b", "#17a2b8")

Points = Sequence[tuple[float, float]]


def lines(title: str, series: Mapping[str, Points]) -> str:
    """One line a name, at most one for each colour; points that are not positive are left out."""
    shown = {name: [point for point in points if min(point) > 0] for name, points in series.items()}
    shown = {name: points for name, points in shown.items() if points}
    every = [point for points in shown.values() for point in points]
    across, up = _Axis([x for x, _ in every], LEFT, WIDTH - RIGHT), _Axis([y for _, y in every], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><title>{escape(title)}</title><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for tick in across.ticks:
        x = across.at(tick)
        parts.append(f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#e3e6ea"/>')
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:,.10g}</text>')
    for tick in up.ticks:
        y = up.at(tick)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{tick:,.10g}</text>')
    free = TOP
    for number, (name, points) in enumerate(sorted(shown.items(), key=lambda item: up.at(item[1][-1][1]))):
        colour = COLOURS[number % len(COLOURS)]
        placed = [(across.at(x), up.at(y)) for x, y in points]
        path = "L".join(f"{x} {y}" for x, y in placed)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in placed]
        free = max(free, placed[-1][1])  # names do not cover each other
        last = points[-1][1]
        label = f"{escape(name)} ({last:,.0f})" if last >= 100 else f"{escape(name)} ({last:.3g})"
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{free + 4}" fill="{colour}">{label}</text>')
        free += 16
    return "\n".join([*parts, "</svg>\n"])


class _Axis:
    """Whole powers of ten from one end to the other; `first` and `last` are in the picture."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        low, high = min(values, default=1), max(values, default=10)
        self._from, self._to = math.floor(math.log10(low)), math.ceil(math.log10(high))
        self._to = max(self._to, self._from + 1)
        self._first, self._last = first, last

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self._from, self._to + 1)]

    def at(self, value: float) -> float:
        part = (math.log10(value) - self._from) / (self._to - self._from)
        return round(self._first + part * (self._last - self._first), 1)
