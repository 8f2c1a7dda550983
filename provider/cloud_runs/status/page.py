"""The report as one HTML page: no script, nothing from outside, light and dark, for keyboards, readers and paper. Pure.

Everything that comes from a server or a state is escaped. The page also tells the browser to load and run nothing.
The worst comes first; what succeeded is folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from cloud_runs.errors import clean
from cloud_runs.promise import groups
from cloud_runs.promise.outcomes import span
from cloud_runs.runs import Phase
from cloud_runs.status import timeline
from cloud_runs.status.report import Exit, Missing, Report, Run, shown_time
from cloud_runs.status.rows import MISSING, Row, remarks, rows
from cloud_runs.status.style import STYLE

_SIGNS = {
    Phase.SUCCEEDED.value: "✓",
    Phase.FAILED.value: "✕",
    Phase.CANCELLED.value: "⊘",
    Phase.RUNNING.value: "▸",
    Phase.PENDING.value: "○",
    Phase.UNKNOWN.value: "?",
    MISSING: "✕",
}
_NOT_ANSWERED = "not_answered"
_COLUMNS = ("Resource", "Phase", "Remarks", "Started", "Duration", "Id")
_CLASSES = ("phase-cell", "remarks", "when", "duration", "id")
_CODE = re.compile("`([^`]+)`")


def page(report: Report, renewed: float | None = None) -> str:
    """The whole file. `renewed`: seconds after which the browser is to load it again."""
    title = "Runs of " + clean(" / ".join(part for part in (report.project, report.stack) if part), 200)
    asked = _time(report.asked_at.isoformat(), f"{report.asked_at:%Y-%m-%d %H:%M:%S}")
    again = f" This page is renewed every {span(renewed)}." if renewed else ""
    found = rows(report)
    good = [row for row in found if row.verdict is Exit.SUCCEEDED]
    others = [row for row in found if row.verdict is not Exit.SUCCEEDED]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            *([f'<meta http-equiv="refresh" content="{max(1, round(renewed))}">'] if renewed else []),
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
            f'<h1>{escape(title)}</h1>\n<p class="muted">Queried at {asked} UTC.{again}</p>',
            *_counts(report, found),
            *_reasons(report),
            *_section("runs", "Runs", report, others, others + good),
            *_succeeded(report, good, others + good, folded=bool(others)),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _counts(report: Report, found: Sequence[Row]) -> Iterator[str]:
    """How many runs are in each phase; each leads to the first of them."""
    anchors = {_anchor(row) for row in found}
    yield '<ul class="counts" aria-label="Numbers of runs">'
    for word, count in report.counts.items():
        # Those of a phase may all be among the runs without an answer.
        anchor = word if word in anchors else _NOT_ANSWERED
        yield f'<li><a class="{word}" href="#{anchor}">{count} {word.replace("_", " ")}</a></li>'
    yield f"{'' if report.counts else '<li>no runs</li>'}</ul>"


def _reasons(report: Report) -> Iterator[str]:
    """Of what failed or could not be queried, where several have the same."""
    told, more = remarks(report)
    bad = [remark for remark in told if remark.verdict in (Exit.FAILED, Exit.NOT_ASKED)]
    if more or any(remark.count > 1 for remark in bad):
        yield '<h2 id="reasons">Reasons</h2>\n<ul class="reasons">'
        yield from (f"<li><b>{escape(remark.who)}</b>: {_prose(remark.what)}</li>" for remark in bad)
        yield f"<li>{more}</li></ul>" if more else "</ul>"


def _section(name: str, title: str, report: Report, shown: Sequence[Row], scaled: Sequence[Row]) -> Iterator[str]:
    """`scaled`: whose times the drawing has room for, so that two drawings can be compared."""
    if not shown:
        return
    yield f'<h2 id="{name}">{title}</h2>'
    yield from _table(report, shown, name)
    drawings = list(timeline.drawings(report, shown, scaled))
    if drawings:
        yield f"<h3>{title}: timeline</h3>"
        yield from (f"<figure>{drawing}</figure>" for drawing in drawings)


def _succeeded(report: Report, good: Sequence[Row], scaled: Sequence[Row], *, folded: bool) -> Iterator[str]:
    if good:
        count = sum(len(row.found) for row in good)
        yield f"<details{'' if folded else ' open'}>\n<summary>{count} succeeded</summary>"
        yield from _section("succeeded-runs", "Runs that succeeded", report, good, scaled)
        yield "</details>"


def _table(report: Report, shown: Sequence[Row], name: str) -> Iterator[str]:
    # The roles are those of the elements: a narrow window shows them as cards, and then browsers forget them.
    yield f'<table role="table" aria-labelledby="{name}">\n<thead role="rowgroup"><tr role="row">'
    yield from (f'<th role="columnheader" scope="col">{column}</th>' for column in _COLUMNS)
    yield "</tr></thead>"
    anchors: set[str] = set()
    for anchor, of_it in groupby(shown, _anchor):
        id = "" if anchor in anchors else f' id="{anchor}"'
        yield f'<tbody role="rowgroup"{id}>'
        anchors.add(anchor)
        yield from (_row(report, row) for row in of_it)
        yield "</tbody>"
    yield '</table>\n<p class="muted">Times are in UTC.</p>'


def _anchor(row: Row) -> str:
    return _NOT_ANSWERED if row.verdict is Exit.NOT_ASKED else row.phase


def _row(report: Report, row: Row) -> str:
    seconds = row.duration(report)
    started = row.started_at
    kind = clean(row.first.kind) if isinstance(row.first, Run) else ""
    cells = (
        _phase(row),
        "<ul>" + "".join(f"<li>{remark}</li>" for remark in _remarks(row)) + "</ul>",
        _time(started, shown_time(started).replace(" ", "\n")),
        "" if seconds is None else span(seconds),
        _id(row),
    )
    told = "".join(
        f'<td role="cell" class="{name}" data-name="{column}">{cell}</td>'
        for name, column, cell in zip(_CLASSES, _COLUMNS[1:], cells, strict=True)
    )
    return f'<tr role="row"><th role="rowheader" scope="row">{escape(row.label)}{_small(escape(kind))}</th>{told}</tr>'


def _phase(row: Row) -> str:
    state = row.run.word.removeprefix(row.phase).strip(" ()") if row.run else ""
    sign = f'<span class="{row.phase}"><span aria-hidden="true">{_SIGNS[row.phase]}</span> <b>{row.phase}</b></span>'
    return sign + _small(escape(state)) + _small("as recorded" if row.doubtful else "")


def _remarks(row: Row) -> Iterator[str]:
    """Of several runs the same is said once."""
    told = [(run.object, remark) for run in row.runs for remark in run.remarks]
    for keys, remark in groups.alike(told):
        of = "" if len(keys) == len(row.found) else f"{groups.objects([clean(key, 100) for key in keys])}: "
        yield _prose(of + remark)
    lost = [(one.object, one.reason) for one in row.found if isinstance(one, Missing)]
    yield from (_prose(reason, end=".") for _, reason in groups.alike(lost))
    if lost and isinstance(row.first, Missing) and (at := shown_time(row.first.asked_at)):
        yield f'<span class="muted">Requested at {_time(row.first.asked_at, at)} UTC.</span>'


def _id(row: Row) -> str:
    if row.run is None:
        return ""
    id, url = f"<code>{escape(clean(row.run.status.id, 1000))}</code>", escape(clean(row.run.url, 2000))
    if row.run.url.startswith("https://"):
        id = f'<a href="{url}" rel="noreferrer" title="the nearest page of the service">{id}</a>'
    return id + _small(escape(row.system))


def _small(text: str) -> str:
    return f'<span class="kind">{text}</span>' if text else ""


def _prose(text: str, end: str = "") -> str:
    """A sentence, in which what is between backticks is code. It gets this `end` unless it has one."""
    text = clean(text, 600)
    return _CODE.sub(r"<code>\1</code>", escape(text)) + ("" if text.endswith((".", "!", "?", "…", "。")) else end)


def _time(told: str, shown: str) -> str:
    return f'<time datetime="{escape(clean(told))}">{shown}</time>' if shown else ""
