"""A line chart as SVG, with logarithmic axes. By hand: it is one kind of chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 860, 430
LEFT, RIGHT, TOP, BOTTOM = 60, 340, 62, 40
COLOURS = ("#0b63bd", "#c23a4d", "#21734a", "#7d4bb0", "#9a5c00", "#566270", "#80493f", "#0b7285")
DARK = ("#5aa9f5", "#ff8795", "#5fd08c", "#c3a3e8", "#f0b35a", "#a9b4c2", "#d29a8d", "#4fd0e0")
"""The same colours for a dark page: each stands out from the background by more than 4.5 to 1, like the others."""


def _style(colours: Sequence[str], text: str, paper: str, grid: str) -> str:
    parts = [f"text{{fill:{text}}}.paper{{fill:{paper}}}.grid{{stroke:{grid}}}"]
    parts += [f".s{at}{{fill:{colour}}}path.s{at}{{fill:none;stroke:{colour}}}" for at, colour in enumerate(colours)]
    return "".join(parts)


# A picture in a page heeds what the reader's browser prefers, not the page's own colours.
_STYLE = (
    f"<style>{_style(COLOURS, '#1f2328', '#fff', '#e3e6ea')}"
    f"@media(prefers-color-scheme:dark){{{_style(DARK, '#e6edf3', '#0d1117', '#30363d')}}}</style>"
)

Points = Sequence[tuple[float, float]]


def lines(title: str, series: Mapping[str, Points], *, unit: str = "", across: str = "N") -> str:
    """One line a name, at most one for each colour; points that are not positive are left out.

    Beside the name is the value at one N, the largest that at least half of them have: values at different N do not
    compare. A line that has none there says where its value was measured.
    """
    shown = {name: [point for point in points if min(point) > 0] for name, points in series.items()}
    shown = {name: points for name, points in shown.items() if points}
    every = [point for points in shown.values() for point in points]
    x_axis = _Axis([x for x, _ in every], LEFT, WIDTH - RIGHT)
    y_axis = _Axis([y for _, y in every], HEIGHT - BOTTOM, TOP)
    common = _common(shown)
    about = f"at {across} = {common:,.10g}, unless another {across} is named" if shown else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>{escape(title)}</title>{_STYLE}',
        '<rect width="100%" height="100%" class="paper"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
        f'<text x="{WIDTH - RIGHT + 10}" y="{TOP - 16}" font-size="11">{escape(about)}</text>',
        *_grid(x_axis, y_axis, across),
    ]
    free = float(TOP)
    for at, (name, points) in enumerate(sorted(shown.items(), key=lambda item: y_axis.at(item[1][-1][1]))):
        placed = [(x_axis.at(x), y_axis.at(y)) for x, y in points]
        path = "L".join(f"{x} {y}" for x, y in placed)
        style = f"s{at % len(COLOURS)}"
        parts.append(f'<path d="M{path}" class="{style}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" class="{style}"/>' for x, y in placed]
        free = max(free, placed[-1][1])  # names do not cover each other
        label = f"{escape(name)}: {_value(points, common, unit, across)}"
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{free + 4}" class="{style}">{label}</text>')
        free += 16
    return "\n".join([*parts, "</svg>\n"])


def _common(series: Mapping[str, Points]) -> float:
    """The largest N that at least half of the lines have."""
    every = [x for points in series.values() for x, _ in points]
    return max((x for x in every if 2 * every.count(x) >= len(series)), default=max(every, default=1))


def _value(points: Points, common: float, unit: str, across: str) -> str:
    at, value = next((point for point in points if point[0] == common), points[-1])
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{number}{unit and ' '}{unit}{'' if at == common else f' at {across} = {at:,.10g}'}"


def _grid(across: _Axis, up: _Axis, name: str) -> list[str]:
    parts = []
    for tick in across.ticks:
        x = across.at(tick)
        parts.append(f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" class="grid"/>')
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:,.10g}</text>')
    for tick in up.ticks:
        y = up.at(tick)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{tick:,.10g}</text>')
    return [*parts, f'<text x="{WIDTH - RIGHT + 30}" y="{HEIGHT - BOTTOM + 18}">{escape(name)}</text>']


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
