"""The page's source: what is in it, and that nothing of a server becomes part of it."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest

from cloud_runs.runs import Phase
from cloud_runs.status import timeline
from cloud_runs.status.page import page
from cloud_runs.status.report import Answer, Missing
from tests.status.samples import every_phase, hostile, report, run

KNOWN = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "ul", "li", "b", "span", "code",
    "time", "div", "figure", "i", "table", "thead", "tbody", "tr", "th", "td", "a", "details", "summary",
}  # fmt: skip


class Source(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def drawings(self) -> list[dict[str, str | None]]:
        return [div for div in self.all("div") if div.get("role") == "img"]

    @property
    def bars(self) -> list[dict[str, str | None]]:
        return [span for span in self.all("span") if "bar" in (span.get("class") or "").split()]


def test_what_a_screen_reader_needs() -> None:
    source = Source(page(every_phase()))
    assert source.open == []
    assert source.all("html") == [{"lang": "en"}]
    names = {table["aria-labelledby"] for table in source.all("table")}
    assert names == {heading["id"] for heading in source.all("h2")} == {"runs", "succeeded-runs"}
    assert [th["scope"] for th in source.all("th")] == [*["col"] * 6, *["row"] * 8, *["col"] * 6, *["row"] * 2]
    roles = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
    for tag, role in roles.items():
        assert {element["role"] for element in source.all(tag)} == {role}, "which a narrow window would lose"
    drawings = [drawing["aria-label"] for drawing in source.drawings]
    assert (
        drawings
        == [
            "Timeline from 2026-11-22 08:16:21 to 2026-11-22 09:08:21 UTC, 10 runs: 1 failed, 1 missing, 1 cancelled, "
            "2 unknown, 1 running, 2 pending, 2 succeeded; 1 not answered. The table has the same facts."
        ]
        * 2
    ), "both on the same scale"
    for run_ in every_phase().runs:
        assert run_.label in source.text
        assert run_.status.id in source.text


def test_the_worst_comes_first_and_counts_lead_to_it() -> None:
    source = Source(page(every_phase()))
    assert "Runs of media / dev" in source.text
    pills = [(a["class"], a["href"]) for a in source.all("a") if (a["href"] or "").startswith("#")]
    words = ["failed", "missing", "cancelled", "unknown", "running", "pending", "succeeded", "not_answered"]
    assert pills == [(word, f"#{word}") for word in words]
    ids = [body["id"] for body in source.all("tbody") if "id" in body]
    assert ids == ["failed", "missing", "cancelled", "unknown", "not_answered", "running", "pending", "succeeded"]
    rows_ = source.text.index("backfill-of"), source.text.rindex("2 succeeded\n"), source.text.index("transcode")
    assert list(rows_) == sorted(rows_)
    assert source.all("details") == [{}], "folded"
    assert Source(page(report(run()))).all("details") == [{"open": None}], "there is nothing else to see"
    unasked = Source(page(report(run(answer=Answer.NONE))))
    assert [a["href"] for a in unasked.all("a")][:2] == ["#not_answered", "#not_answered"]


def test_a_reason_that_several_have_is_told_once_above_all() -> None:
    lost = tuple(
        Missing("thumbs", key, "urn", "", f"was refused: 403 AccessDenied (request {key})") for key in ("07", "08")
    )
    told = Source(page(report(run(phase=Phase.FAILED, code="E"), missing=lost))).text
    assert "thumbs: 2 objects (07, 08): was refused: 403 AccessDenied (request 07)\nrun: E" not in told
    reasons = told.split("Reasons\n")[1].split("Runs\n")[0].split("\n")
    assert [line for line in reasons if line] == [
        "run: E", "thumbs: 2 objects (07, 08): was refused: 403 AccessDenied (request 07)",
    ]  # fmt: skip
    assert "Reasons" not in Source(page(report(run(phase=Phase.FAILED, code="E")))).text


def test_a_page_that_is_renewed_says_so() -> None:
    source = Source(page(every_phase(), renewed=10.0))
    assert {"http-equiv": "refresh", "content": "10"} in source.all("meta")
    assert "This page is renewed every 10s." in source.text
    assert "refresh" not in page(every_phase())


def test_hostile_text_stays_text() -> None:
    text = page(hostile())
    source = Source(text)
    assert source.open == []
    assert {tag for tag, _ in source.tags} <= KNOWN
    names = {name for _, attributes in source.tags for name in attributes}
    assert not {name for name in names if name.startswith("on")}
    pills, links = source.all("a")[:-2], source.all("a")[-2:]
    assert [a["href"] for a in pills] == ["#failed", "#missing", "#unknown", "#not_answered", "#not_answered"]
    assert all((a["href"] or "").startswith("https://") for a in links)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>document.title='pwned'</script>" in source.text


def test_nothing_is_loaded() -> None:
    text = page(every_phase())
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    source = Source(text)
    assert not {name for _, attributes in source.tags for name in attributes if name in ("src", "srcset", "data")}
    assert "url(" not in text
    assert "@import" not in text


def test_a_report_without_runs_or_times() -> None:
    assert "no runs" in Source(page(report())).text
    nothing = Source(page(report(run(began=None))))
    assert nothing.drawings == []
    assert len(nothing.all("table")) == 1


@pytest.mark.parametrize(
    "seconds", [0, 0.5, 7, 61, 3599, 3600, 86_399, 86_401, 7 * 86_400, 400 * 86_400, 9000 * 365 * 86_400]
)
def test_ticks_are_few_and_round_and_inside(seconds: float) -> None:
    first = (
        datetime(2022, 6, 27, 7, 23, 10, tzinfo=timezone.utc)
        if seconds < 1e11
        else datetime(1, 1, 1, tzinfo=timezone.utc)
    )
    scale = timeline.Scale(first, first + timedelta(seconds=seconds))
    ticks = scale.ticks()
    assert len(ticks) <= 7
    assert all(scale.first <= tick <= scale.last for tick in ticks)
    assert len({tick - before for before, tick in itertools.pairwise(ticks)}) <= 1
    assert len(ticks) >= 2 or seconds < 2
    assert all(0 <= scale.x(tick) <= 100 for tick in ticks)


@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "nonsense", "2026-11-22 08:00:00"]
)
def test_a_nonsense_clock_does_no_harm(when: str) -> None:
    Source(page(report(run(started_at=when), run(phase=Phase.RUNNING, started_at=when), run(finished_at=when))))


def test_many_runs_are_drawn_in_parts() -> None:
    source = Source(page(report(*(run(f"r{at}", began=at) for at in range(timeline.ROWS + 1)))))
    labels = [drawing["aria-label"] or "" for drawing in source.drawings]
    assert ["lines 1 to 15 of 16" in labels[0], "lines 16 to 16 of 16" in labels[1]] == [True, True]
    assert len(source.bars) == timeline.ROWS + 1


def test_it_says_of_how_many_runs_no_system_told_anything() -> None:
    source = Source(page(report(*(run(name, answer=Answer.NONE, problem="no key") for name in "abcd"))))
    assert "Queried at 2026-11-22 09:08:21 UTC." in source.text
    assert "told it" not in source.text
    assert source.text.count("succeeded, not answered") == 4, "in the timeline"
    pills = source.text.split("UTC.")[1].split("Reasons")[0]
    assert [line for line in pills.split("\n") if line] == ["4 succeeded", "4 not answered"]


def test_the_rows_of_a_fan_out_can_be_told_apart() -> None:
    objects = [f"mpc/2026-11-22/a-camera-with-a-long-name/part-{at:02}.mp4" for at in range(12)]
    source = Source(page(report(*(run("thumbnails", Phase.FAILED, object=object) for object in objects))))
    labels = [f"thumbnail…{object[-17:]}]" for object in objects]
    assert len(set(labels)) == 12
    assert all(source.text.count(label) == 1 and len(label) == 28 for label in labels)
    short = "a" * 28
    assert "…" not in Source(page(report(run(short)))).text


@pytest.mark.parametrize("end", [".", "", "。", "?"])
def test_a_reason_ends_once(end: str) -> None:
    lost = Missing("fan", "a.mp4", "urn", "", f"was refused: no such object `a.mp4` there{end}")
    assert f"there{end or '.'}\n" in Source(page(report(missing=(lost,)))).text


def test_a_run_whose_end_is_lost_is_not_said_to_be_as_on_record() -> None:
    lost = Source(page(report(run(phase=Phase.PENDING, answer=Answer.GONE)))).text
    assert "no longer known to the service; its end is not recorded" in lost
    assert "pending" not in lost
    assert lost.count("recorded") == 1
    ended = Source(page(report(run(phase=Phase.FAILED, answer=Answer.GONE)))).text
    assert "no longer known to the service; this is what is recorded" in ended
    assert ended.count("recorded") == 2
