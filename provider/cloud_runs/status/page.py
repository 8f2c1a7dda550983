"""The report as one HTML page: no script, nothing from outside, light and dark, for keyboards, readers and paper. Pure.

Everything that comes from a server or a state is escaped. The page also tells the browser to load and run nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from cloud_runs.errors import clean
from cloud_runs.promise.outcomes import span
from cloud_runs.runs import Phase
from cloud_runs.status import timeline
from cloud_runs.status.report import Missing, Report, Run, shown_time

_SIGNS = {
    Phase.SUCCEEDED: "✓",
    Phase.FAILED: "✕",
    Phase.CANCELLED: "⊘",
    Phase.RUNNING: "▸",
    Phase.PENDING: "○",
    Phase.UNKNOWN: "?",
}

# Percent of the table. Given, so that it has its width with any font; words wrap within them.
_COLUMNS = {
    "Resource": 13,
    "System": 13,
    "Id": 17,
    "Phase": 12,
    "Started": 9.5,
    "Duration": 8,
    "Failing task": 10.5,
    "Remarks": 17,
}

_CODE = re.compile("`([^`]+)`")

_STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f8fa; --line: #d1d9e0; --text: #1f2328; --muted: #59636e; --focus: #0550ae;
  --succeeded: #116329; --failed: #b3152a; --cancelled: #7d4e00; --running: #0550ae; --pending: #6639ba;
  --unknown: #59636e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --panel: #161b22; --line: #3d444d; --text: #e6edf3; --muted: #9da7b3; --focus: #79c0ff;
    --succeeded: #56d364; --failed: #ff8f87; --cancelled: #e3b341; --running: #79c0ff; --pending: #d2a8ff;
    --unknown: #9da7b3;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .75rem; font-size: 1.1rem; }
p { margin: .25rem 0; }
.muted { color: var(--muted); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.counts li { padding: .15rem .7rem; border: 1px solid; border-radius: 1rem; font-weight: 600; }
.succeeded { color: var(--succeeded); } .failed, .missing, .not_answered { color: var(--failed); }
.cancelled { color: var(--cancelled); } .running { color: var(--running); }
.pending { color: var(--pending); } .unknown { color: var(--unknown); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
:focus-visible { outline: 3px solid; outline-color: var(--focus); outline-offset: 2px; }
figure { margin: 0; padding: .75rem 1rem; background: var(--panel); }
.timeline {
  display: grid; grid-template-columns: 13rem minmax(0, 1fr) 11rem; column-gap: 1rem; min-width: 60rem;
  font-size: .9rem; line-height: 1.25; overflow-wrap: anywhere;
}
.tick { grid-area: 1 / 2; align-self: end; width: 14%; padding: .5em 0 .25em; text-align: center; font-size: .85em; }
.grid, .lane { grid-column: 2; position: relative; }
.grid i { position: absolute; top: 0; bottom: 0; border-left: 1px solid var(--line); }
.label { grid-column: 1; }
.phase { grid-column: 3; }
.label, .phase { align-self: center; padding: .35em 0; }
.bar {
  position: absolute; top: 50%; height: .95em; min-width: 4px; transform: translateY(-50%);
  border: 1px solid; border-radius: 3px; forced-color-adjust: none;
}
.closed { background: currentColor; }
.open { border-style: dashed; }
.open::before { content: ""; position: absolute; inset: 0; background: currentColor; opacity: .25; }
table { width: 100%; min-width: 68rem; table-layout: fixed; border-collapse: collapse; overflow-wrap: anywhere; }
caption { padding: .6rem .75rem; text-align: left; color: var(--muted); }
th, td { padding: .5rem .75rem; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--panel); font-size: .85rem; }
tbody th { font-weight: 600; }
.kind { display: block; font-weight: 400; font-size: .85rem; color: var(--muted); }
code { font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.when { white-space: pre-wrap; }
.phase-cell b { font-weight: 600; }
.remarks ul { margin: 0; padding: 0; list-style: none; }
a { color: inherit; text-underline-offset: 2px; }
@media print {
  @page { size: landscape; margin: 12mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  .scroll { overflow: visible; border: 0; }
  figure { padding: 0; background: none; break-inside: avoid; }
  .timeline, table { min-width: 0; }
  .bar, .bar::before, .counts li { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  th, td { padding: .3rem .4rem; }
  thead th { background: none; }
  tr { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  code, .kind, thead th { font-size: 8pt; }
}
"""


def page(report: Report) -> str:
    """The whole file."""
    title = f"Runs of {clean(report.stack, 200)}"
    asked = f"{report.asked_at:%Y-%m-%d %H:%M:%S}"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            f"<h1>{escape(title)}</h1>",
            f'<p class="muted">Asked at {_time(report.asked_at.isoformat(), asked)} UTC.</p>',
            '<ul class="counts" aria-label="Numbers of runs">',
            *(f'<li class="{word}">{count} {word.replace("_", " ")}</li>' for word, count in report.counts.items()),
            f"{'' if report.counts else '<li>no runs</li>'}</ul>",
            *_missing(report.listed_missing),
            *_timeline(report),
            *_table(report),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _missing(missing: list[Missing]) -> Iterator[str]:
    if not missing:
        return
    yield "<h2>Not on record</h2>\n<ul>"
    for lost in missing:
        at = shown_time(lost.asked_at)
        when = f' <span class="muted">Asked for at {_time(lost.asked_at, at)} UTC.</span>' if at else ""
        yield f"<li><b>{escape(lost.label)}</b>: {_prose(lost.reason, end='.')}{when}</li>"
    yield "</ul>"


def _timeline(report: Report) -> Iterator[str]:
    drawings = list(timeline.drawings(report))
    if drawings:
        yield '<h2 id="timeline">Timeline</h2>'
        yield '<div class="scroll" role="region" aria-labelledby="timeline" tabindex="0">'
        yield from (f"<figure>{drawing}</figure>" for drawing in drawings)
        yield "</div>"


def _table(report: Report) -> Iterator[str]:
    if not report.runs:
        return
    yield '<h2 id="runs">Runs</h2>\n<div class="scroll" role="region" aria-labelledby="runs" tabindex="0">\n<table>'
    yield f"<caption>{escape(report.summary)}. Times are in UTC.</caption>\n<thead><tr>"
    for name, width in _COLUMNS.items():
        yield f'<th scope="col" style="width: {width}%">{name}</th>'
    yield "</tr></thead>\n<tbody>"
    yield from (_row(report, run) for run in report.listed)
    yield "</tbody>\n</table>\n</div>"
    yield from (f'<p class="muted">{escape(line)}. <code>--json</code> has them all.</p>' for line in report.left_out)


def _row(report: Report, run: Run) -> str:
    phase, seconds = run.phase, report.duration(run)
    id = f"<code>{escape(clean(run.status.id, 1000))}</code>"
    if run.url.startswith("https://"):
        url = escape(clean(run.url, 2000))
        id = f'<a href="{url}" rel="noreferrer" title="the nearest page of the service">{id}</a>'
    doubt = '<span class="kind">on record</span>' if run.from_record else ""
    state = escape(run.word.removeprefix(phase.value).strip(" ()"))
    cells = [
        escape(run.system),
        id,
        f'<span class="{phase.value}"><span aria-hidden="true">{_SIGNS[phase]}</span> <b>{phase.value}</b></span>'
        + (f'<span class="kind">{state}</span>' if state else "")
        + doubt,
        _time(run.status.started_at, shown_time(run.status.started_at).replace(" ", "\n")),
        "" if seconds is None else span(seconds),
        escape(", ".join(run.failed_tasks)),
        "<ul>" + "".join(f"<li>{_prose(remark)}</li>" for remark in run.remarks) + "</ul>",
    ]
    classes = ("", "", "phase-cell", "when", "", "", "remarks")
    told = "".join(f'<td class="{name}">{cell}</td>' for name, cell in zip(classes, cells, strict=True))
    return f'<tr><th scope="row">{escape(run.label)}<span class="kind">{escape(clean(run.kind))}</span></th>{told}</tr>'


def _prose(text: str, end: str = "") -> str:
    """A sentence, in which what is between backticks is code. It gets this `end` unless it has one."""
    text = clean(text, 600)
    return _CODE.sub(r"<code>\1</code>", escape(text)) + ("" if text.endswith((".", "!", "?", "…", "。")) else end)


def _time(told: str, shown: str) -> str:
    return f'<time datetime="{escape(clean(told))}">{shown}</time>' if shown else ""
