"""The page in a real browser: light and dark, narrow and on paper, by keyboard, and with hostile text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_runs.runs import Phase
from cloud_runs.status.page import page
from cloud_runs.status.report import Answer
from tests.status.devtools import tab
from tests.status.samples import HOSTILE, every_phase, hostile, report, run
from tests.support.chromium import DARK, chromium, evaluated, program
from tests.support.clients import service

pytestmark = pytest.mark.skipif(program() is None, reason="needs a headless browser: Debian's package chromium")

SCHEMES = [(), (DARK,)]
# The contrast of WCAG 2.2 (relative luminance), of each element that has text of its own against what is behind it.
CONTRASTS = """
const channel = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = (c) => { const [r, g, b] = c.match(/[0-9.]+/g).map((v) => channel(v / 255));
                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
                        if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255, 255, 255)'; };
const told = {};
for (const e of document.querySelectorAll('main *')) {
  if (e.tagName === 'title' || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
  const style = getComputedStyle(e), ink = e instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
  told[e.textContent.slice(0, 30) + ' ' + ink + ' on ' + behind(e)] = (a + 0.05) / (b + 0.05);
}
return told;
"""
# Where the keyboard is, how that is shown, and whether it begins inside of the window.
FOCUS = """
(() => {
  const e = document.activeElement, style = getComputedStyle(e), at = e.getBoundingClientRect();
  const inside = at.left >= 0 && at.left < innerWidth && at.top >= 0 && at.top < innerHeight;
  return [e.getAttribute('aria-labelledby') || e.textContent, style.outlineStyle, style.outlineWidth, inside];
})()
"""
PHONE = 390  # CSS pixels; chromium's own window is never narrower than 500


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "runs.html"
    file.write_text(page(every_phase()), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_every_text_can_be_read(written: Path, scheme: tuple[str, ...]) -> None:
    contrasts = json.loads(evaluated(written, CONTRASTS, *scheme))
    assert len(contrasts) > 40
    assert {what: ratio for what, ratio in contrasts.items() if ratio < 4.5} == {}
    backgrounds = {what.rpartition(" on ")[2] for what in contrasts}
    assert ("rgb(13, 17, 23)" in backgrounds) == bool(scheme), "each scheme has colours of its own"


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_the_keyboard_reaches_what_scrolls_and_links_and_shows_where_it_is(written: Path, width: int) -> None:
    stops = ["timeline", "runs", *(one.status.id for one in every_phase().runs)]
    found = []
    with tab() as browser:
        browser.open(written, width)
        for _ in stops:
            browser.press("Tab")
            found.append(browser.told(FOCUS))
    assert found == [[stop, "solid", "3px", True] for stop in stops]


def test_a_phone_shows_the_page_at_its_own_width(written: Path) -> None:
    wide = "[...document.querySelectorAll('.scroll')].map((e) => e.scrollWidth > e.clientWidth)"
    with tab() as browser:
        browser.open(written, PHONE)
        assert browser.told("[innerWidth, document.documentElement.scrollWidth]") == [PHONE, PHONE]
        assert browser.told(wide) == [True, True], "the timeline and the table scroll by themselves"


def test_no_words_of_a_timeline_leave_the_drawing(tmp_path: Path) -> None:
    long = "backfill-of-a-long-name/mpc/2026-11-22/"
    runs = [run(f"{long}{phase.value}.mp4", phase, 10, 9, answer=Answer.NONE) for phase in Phase]
    file = tmp_path / "words.html"
    file.write_text(page(report(*runs)), encoding="utf-8")
    script = """
    const texts = [...document.querySelectorAll('.timeline text')], bar = document.querySelector('.bar').getBBox().x;
    return texts.map((e) => [e.textContent, e.getBBox(), e.getAttribute('x') === '0' ? bar : 960])
      .filter(([, box, end]) => box.x < 0 || box.x + box.width > end).map(([text]) => text);
    """
    assert json.loads(evaluated(file, script)) == []


@pytest.mark.parametrize("width", [500, 1280])
def test_the_page_itself_never_scrolls_sideways(written: Path, width: int) -> None:
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    scroll, inner = json.loads(evaluated(written, script, f"--window-size={width},900"))
    assert scroll <= inner == width


def test_the_table_fits_a_usual_window(written: Path) -> None:
    script = "return [...document.querySelectorAll('.scroll')].map((e) => e.scrollWidth - e.clientWidth)"
    assert json.loads(evaluated(written, script, "--window-size=1280,900")) == [0, 0]


def test_hostile_text_runs_nothing_and_asks_for_nothing(tmp_path: Path) -> None:
    with service(lambda _: b"pwned") as (url, received):
        bad = f"{HOSTILE}<img src={url}/x><link rel=stylesheet href={url}/y><style>@import '{url}/z'</style>"
        found = report(*hostile().runs, run(bad, state=bad, message=bad, id=bad, url=f"https://x/{bad}"), stack=bad)
        file = tmp_path / "hostile.html"
        file.write_text(page(found), encoding="utf-8")
        script = "return [document.title.slice(0, 8), document.querySelectorAll('script, img, link, iframe').length]"
        assert json.loads(evaluated(file, script)) == ["Runs of ", 1], "the test's own script and no other"
        chromium(file.as_uri(), "--dump-dom", "--virtual-time-budget=2000")
        assert received == []


def test_paper(written: Path, tmp_path: Path) -> None:
    """No sheet is wasted: a drawing fits on one."""
    many = tmp_path / "many.html"
    many.write_text(page(report(*(run(f"run-{at}", began=at + 1, ended=at) for at in range(60)))), encoding="utf-8")
    for file, sheets in ((written, 3), (many, 9)):
        pdf = file.with_suffix(".pdf")
        chromium(file.as_uri(), "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
        assert 1 <= pdf.read_bytes().count(b"/Type /Page\n") <= sheets
