"""The screens that the docs show, kept as files in golden/. `python -m tests.status.goldens` writes them anew."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from cloud_runs.runs import Phase, Task
from cloud_runs.status import markdown, terminal
from cloud_runs.status.page import page
from cloud_runs.status.report import Missing, Report
from tests.demo.pages import ROOT
from tests.status.devtools import Browser, chromium, opened, program
from tests.status.samples import ago, report, run

FOLDER = Path(__file__).parent / "golden"
PICTURES = ROOT / "docs" / "screens"
PICTURED = "pictured.sha256"
COLUMNS = (80, 100, 140)
PIXELS = (390, 1280)
# Each element with what a reader, a screen reader and the style make of it, and its own text; not where it is, since
# that depends on fonts.
OUTLINE = """
const lines = [];
const walk = (e, depth) => {
  const style = getComputedStyle(e), own = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim());
  const named = ['id', 'role', 'href', 'aria-label', 'aria-labelledby'].filter((n) => e.hasAttribute(n))
    .map((n) => ` ${n}=${e.getAttribute(n)}`).join('');
  const text = own.filter(Boolean).join(' ');
  lines.push('  '.repeat(depth) + e.localName + (e.className ? '.' + e.className.replaceAll(' ', '.') : '') + named
    + ` [${style.display}]` + (text ? ' ' + JSON.stringify(text) : ''));
  for (const child of e.children) if (style.display !== 'none') walk(child, depth + 1);
};
walk(document.querySelector('main'), 0);
return [document.title, ...lines].join('\\n') + '\\n';
"""


def sample() -> Report:
    """As of a night: a fan-out of which two objects failed, and runs in other phases."""
    denied = Task("Transcode_1", "Transcode", "Failed", "AccessDenied", "no right to read the object")
    fan = [
        run(
            "thumbs",
            Phase.FAILED if at in (7, 8) else Phase.SUCCEEDED,
            52 - at / 5,
            50 - at / 5,
            object=f"2026-11-22/{at:02}.mp4",
            id=f"i6fc78ca77d6011eba0ac52540{at:08}",
            tasks=(denied,) if at in (7, 8) else (),
        )
        for at in range(170)
    ]
    others = (
        run("transcode", Phase.SUCCEEDED, 52, 31, id="i418ab83a112d1af28ccf959ecd94c9ae", state="Success"),
        replace(run("backfill", Phase.RUNNING, 48, id="b3d1af28ccf959ecd94c9ae418ab83a11"), system="tencent.inventory"),
        replace(run("meters", Phase.PENDING, 2, id="3377-20261122090600", url=""), system="enos.flow"),
        replace(run("scan-of-the-archive", Phase.CANCELLED, 40, 38, id="e5c0a7"), system="huawei.workflow"),
    )
    why = "was requested and is not recorded: the next `pulumi up` looks for it before it fires"
    return report(*fan, *others, missing=(Missing("nightly", "", "urn", ago(1), why),), stack="prod")


def screens() -> Iterator[tuple[str, str]]:
    """What needs no browser, by the names of the files."""
    for columns in COLUMNS:
        console = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=columns, highlight=False)
        text = terminal.text(sample(), console)
        yield f"status-{columns}.txt", "".join(line.rstrip() + "\n" for line in _plain(text).splitlines())
    yield "status.md", markdown.text(sample())


def pages(browser: Browser) -> Iterator[tuple[str, str, bytes]]:
    """Each with its picture."""
    with tempfile.TemporaryDirectory() as folder, opened(browser) as tab:
        file = Path(folder) / "runs.html"
        file.write_text(page(sample()), encoding="utf-8")
        for pixels in PIXELS:
            tab.open(file, pixels, phone=pixels < 600)
            yield f"page-{pixels}", tab.told(OUTLINE), tab.picture()


def digest() -> str:
    """Of the page that the pictures show: how a browser draws it depends on its fonts."""
    return hashlib.sha256(page(sample()).encode()).hexdigest() + "\n"


def _plain(text: str) -> str:
    return text.replace("\x1b[1m", "").replace("\x1b[0m", "")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    for name, text in screens():
        (FOLDER / name).write_text(text, encoding="utf-8")
    if program():
        with chromium() as browser:
            for name, text, picture in pages(browser):
                (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")
                (PICTURES / f"{name}.png").write_bytes(picture)
        (FOLDER / PICTURED).write_text(digest(), encoding="utf-8")


if __name__ == "__main__":
    main()
