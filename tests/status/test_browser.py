"""The page in a real browser: light and dark, narrow and on paper, by keyboard, and with hostile text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_runs.runs import Phase
from cloud_runs.status.page import page
from cloud_runs.status.report import Answer, Exit
from cloud_runs.status.rows import rows
from tests.status.devtools import Browser, Tab, chromium, opened, program
from tests.status.samples import HOSTILE, every_phase, hostile, large, report, run
from tests.support.clients import service

pytestmark = pytest.mark.skipif(program() is None, reason="needs a headless browser: Debian's package chromium")

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
# Where the keyboard is, how that is shown, and whether it begins inside of the window, or is higher and seen.
FOCUS = """
const e = document.activeElement, style = getComputedStyle(e), at = e.getBoundingClientRect();
const high = at.height > innerHeight - 100 && at.bottom > 100;
const inside = at.left > -1 && at.left < innerWidth && (at.top > -1 || high) && at.top < innerHeight;
return [e.getAttribute('aria-labelledby') || e.textContent, style.outlineStyle, style.outlineWidth, inside];
"""
# Of each text of the timeline: whether its ink is inside of its column, and clear of all bars and other texts.
WORDS = """
const drawing = document.querySelector('.timeline'), box = (e) => e.getBoundingClientRect();
const ink = (e) => { const r = document.createRange(); r.selectNodeContents(e); return box(r); };
const inside = (a, b) => a.left > b.left - 1 && a.right < b.right + 1 && a.top > b.top - 1 && a.bottom < b.bottom + 1;
const clear = (a, b) => a.right < b.left + 1 || a.left > b.right - 1 || a.bottom < b.top + 1 || a.top > b.bottom - 1;
const places = {label: (e) => box(e), phase: (e) => box(e),
                tick: () => ({...box(drawing).toJSON(), bottom: box(drawing.querySelector('.ticks')).bottom})};
const texts = Object.keys(places).flatMap((kind) => [...drawing.querySelectorAll('.' + kind)].map(
  (e) => ({kind, said: e.textContent, ink: ink(e), place: places[kind](e)})));
const bars = [...drawing.querySelectorAll('.row:not(.ticks) .lane, .bar')].map(box);
return texts.map((one) => [one.kind, one.said, inside(one.ink, one.place)
  && bars.every((bar) => clear(one.ink, bar)) && texts.every((other) => other === one || clear(one.ink, other.ink))]);
"""
FONTS = {
    "the machine's": "",
    "wide": "letter-spacing: .4em",
    "narrow": "letter-spacing: -.1em",
    "of one width": "font-family: monospace",
    "large": "font-size: 20px",
}
SHEET = (1031, 703)  # CSS pixels of A4 on its side, without the page's margins
UNUSED = 70  # of a sheet, below the last row that it has room for
PHONE = 390
SIDEWAYS = "return [innerWidth, document.documentElement.scrollWidth]"
# Elements whose content is wider than they are, which would be cut off or scroll.
WIDER = """
return [...document.querySelectorAll('main :not(thead, thead *)')]
  .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
  .map((e) => e.outerHTML.slice(0, 80));
"""
OPEN = "document.querySelectorAll('details').forEach((e) => { e.open = true; }); return 0"
# At what height each of these begins, from the top of the page.
TOPS = """
return ['.reasons, tbody#failed', 'tbody#running', 'summary'].map(
  (what) => document.querySelector(what).getBoundingClientRect().top + scrollY);
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    with opened(browser) as fresh:
        yield fresh


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "runs.html"
    file.write_text(page(every_phase()), encoding="utf-8")
    return file


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read(written: Path, tab: Tab, dark: bool) -> None:
    tab.open(written, dark=dark)
    contrasts = tab.told(CONTRASTS)
    assert len(contrasts) > 40
    assert {what: ratio for what, ratio in contrasts.items() if ratio < 4.5} == {}
    backgrounds = {what.rpartition(" on ")[2] for what in contrasts}
    assert ("rgb(13, 17, 23)" in backgrounds) == dark, "each scheme has colours of its own"


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_the_keyboard_reaches_what_scrolls_and_links_and_shows_where_it_is(written: Path, tab: Tab, width: int) -> None:
    shown = every_phase()
    pills = [f"{count} {word.replace('_', ' ')}" for word, count in shown.counts.items()]
    links = [row.run.status.id for row in rows(shown) if row.run and row.verdict is not Exit.SUCCEEDED]
    stops = [*pills, *links, "2 succeeded"]
    found = []
    tab.open(written, width, phone=True)
    for _ in stops:
        tab.press("Tab")
        found.append(tab.told(FOCUS))
    assert found == [[stop, "solid", "3px", True] for stop in stops]


def test_three_hundred_runs_on_a_phone(tmp_path: Path, tab: Tab) -> None:
    """Nothing scrolls sideways or is cut off, and what failed is on the first screen."""
    many = tmp_path / "many.html"
    many.write_text(page(large()), encoding="utf-8")
    tab.open(many, PHONE, phone=True)
    for _ in range(2):
        assert tab.told(SIDEWAYS) == [PHONE, PHONE]
        assert tab.told(WIDER) == []
        tab.told(OPEN)
    tab.open(many, PHONE, phone=True)
    reasons, going, good = tab.told(TOPS)
    assert reasons < 400 < going < good
    assert tab.told("return document.querySelectorAll('tbody#failed tr').length") == 18


def test_a_count_leads_to_what_is_folded(written: Path, tab: Tab) -> None:
    tab.open(written)
    assert tab.told("return document.querySelector('details').open") is False
    tab.told("document.querySelector('.counts .succeeded').click(); return 0")
    assert tab.told("return document.querySelector('details').open") is True
    assert tab.told("return document.querySelector('tbody:target').id") == "succeeded"


@pytest.mark.parametrize("font", FONTS.values(), ids=FONTS)
def test_no_words_of_a_timeline_leave_the_drawing(tmp_path: Path, tab: Tab, font: str) -> None:
    """Nor their column, nor do they lie on each other, whatever fonts the machine has."""
    long = "backfill-of-a-long-name/mpc/2026-11-22/"
    runs = [run(f"{long}{phase.value}.mp4", phase, 10, 9, answer=Answer.NONE) for phase in Phase]
    runs += [
        run("of-days", Phase.FAILED, 8000),
        run("of-hours", Phase.FAILED, 3000),
        run("start-not-told", Phase.CANCELLED, None),
    ]
    file = tmp_path / "words.html"
    file.write_text(page(report(*runs)).replace("</style>", f".timeline * {{ {font} }}</style>"), encoding="utf-8")
    tab.open(file, 1000)
    words = tab.told(WORDS)
    assert [(kind, text) for kind, text, fine in words if not fine] == []
    kinds = Counter(kind for kind, _, _ in words)
    assert kinds["label"] == kinds["phase"] == len(runs)
    assert kinds["tick"] > 3


@pytest.mark.parametrize("font", FONTS.values(), ids=FONTS)
@pytest.mark.parametrize("width", [PHONE, 600, 1280])
def test_nothing_scrolls_sideways_or_is_cut_off(written: Path, tab: Tab, width: int, font: str) -> None:
    written.write_text(written.read_text().replace("</style>", f"table * {{ {font} }}</style>"))
    tab.open(written, width)
    tab.told(OPEN)
    inner, scroll = tab.told(SIDEWAYS)
    assert scroll <= inner == width
    assert tab.told(WIDER) == []


def test_hostile_text_runs_nothing_and_asks_for_nothing(tmp_path: Path, tab: Tab) -> None:
    with service(lambda _: b"pwned") as (url, received):
        bad = f"{HOSTILE}<img src={url}/x><link rel=stylesheet href={url}/y><style>@import '{url}/z'</style>"
        found = report(*hostile().runs, run(bad, state=bad, message=bad, id=bad, url=f"https://x/{bad}"), stack=bad)
        file = tmp_path / "hostile.html"
        file.write_text(page(found), encoding="utf-8")
        tab.open(file)
        script = "return [document.title.slice(0, 8), document.querySelectorAll('script, img, link, iframe').length]"
        assert tab.told(script) == ["Runs of ", 0]
        assert received == []


def test_paper(written: Path, tmp_path: Path, tab: Tab) -> None:
    """No sheet is wasted: a drawing fits on one, and only the last of the table's may be nearly empty."""
    many = tmp_path / "many.html"
    many.write_text(page(report(*(run(f"run-{at}", began=at + 1, ended=at) for at in range(60)))), encoding="utf-8")
    heights = "return [...document.querySelectorAll('WHAT')].map((e) => e.getBoundingClientRect().height)"
    for file in (written, many):
        tab.open(file, SHEET[0], media="print")
        drawings, tables = (tab.told(heights.replace("WHAT", what)) for what in ("figure", "table"))
        assert 0 < max(drawings) < SHEET[1]
        assert min(tables) > 50, "what is folded on the screen is printed as well"
        most = len(drawings) + sum(math.ceil(table / (SHEET[1] - UNUSED)) for table in tables) + 1
        assert 1 <= tab.paper().count(b"/Type /Page\n") <= most
