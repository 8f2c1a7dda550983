"""The report as Markdown, for the summary of a pipeline's job ($GITHUB_STEP_SUMMARY), a ticket or a chat. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cloud_runs.errors import clean
from cloud_runs.promise.outcomes import span
from cloud_runs.runs import Phase
from cloud_runs.status.report import Exit, Report, shown_time
from cloud_runs.status.rows import Row, remarks, rows

_SIGNS = {
    Phase.SUCCEEDED.value: "✅",
    Phase.FAILED.value: "❌",
    Phase.CANCELLED.value: "🚫",
    Phase.RUNNING.value: "▶️",
    Phase.PENDING.value: "⏳",
    Phase.UNKNOWN.value: "❔",
}
# What Markdown, its tables and HTML read as something else than text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~>@]|:(?=//))")


def text(report: Report) -> str:
    """The worst first; what succeeded is folded, in a `<details>`."""
    found = rows(report)
    good = [row for row in found if row.verdict is Exit.SUCCEEDED]
    others = [row for row in found if row.verdict is not Exit.SUCCEEDED]
    return "\n".join([*_head(report), *_table(report, others), *_remarks(report), *_folded(report, good)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    of = "/".join(part for part in (report.project, report.stack) if part)
    yield f"### Runs of {_plain(of)}\n"
    yield f"{_plain(report.summary)}. {_plain(f'Queried at {report.asked_at:%Y-%m-%d %H:%M:%S} UTC')}.\n"


def _table(report: Report, found: Sequence[Row]) -> Iterator[str]:
    if not found:
        return
    yield "| resource | phase | system | id | started (UTC) | duration |\n|---|---|---|---|---|---|"
    for row in found:
        seconds = row.duration(report)
        cells = (
            _plain(row.label),
            f"{_SIGNS.get(row.phase, '❌')} {row.phase}{'?' if row.doubtful else ''}",
            _plain(row.system),
            _link(row),
            shown_time(row.started_at),
            "" if seconds is None else span(seconds),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _remarks(report: Report) -> Iterator[str]:
    told, more = remarks(report)
    yield from (f"- **{_plain(one.who)}**: {_plain(one.what)}" for one in told)
    if more:
        yield f"- {more}"
    if told:
        yield ""


def _folded(report: Report, good: Sequence[Row]) -> Iterator[str]:
    if good:
        count = sum(len(row.found) for row in good)
        yield f"<details><summary>{count} succeeded</summary>\n"
        yield from _table(report, good)
        yield "</details>"


def _link(row: Row) -> str:
    if row.run is None:
        return ""
    id = _plain(row.run.status.id)
    url = clean(row.run.url, 2000)
    whole = url.startswith("https://") and not re.search(r"[\s<>()]", url)
    return f"[{id}]({url})" if id and whole else id


def _plain(text: str) -> str:
    """Text of a server or a user that nothing reads as markup."""
    return _SPECIAL.sub(r"\\\1", clean(text, 600).replace("&", "&amp;").replace("<", "&lt;"))
