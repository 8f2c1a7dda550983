"""The bench: its smallest run from end to end, what it makes of samples, and that no figure was written by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bench import bars, measure, plot, report, stage, ups, why
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Transport
from tests.support.clients import GO
from tests.support.emulator import SECRET_ID, SECRET_KEY, emulator
from tests.support.stack import WORKFLOW

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.engine
@pytest.mark.long
def test_the_smallest_bench_from_end_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--sizes", "3", "--rounds", "1", "--seconds", "0.001"]
    subprocess.run([*command, "--out", tmp_path], cwd=ROOT, check=True, capture_output=True)
    rows = json.loads((tmp_path / "results" / "tls.json").read_text())["rows"]
    taken = {row["contender"]: row["samples"][0] for row in rows}
    assert {name: sample["requests"] for name, sample in taken.items()} == {
        "naive provider": 3,
        "ordinary runs": 3,
        "fan-out": 3,
    }
    assert all(0 < sample["connections"] <= 3 for sample in taken.values())
    assert all(sample["seconds"] > 0 and sample["host_mb"] > 10 for sample in taken.values())
    rows = json.loads((tmp_path / "results" / "waiting.json").read_text())["rows"]
    ours, theirs = (row["samples"][0] for row in rows)
    assert 3 < ours["requests"] <= theirs["requests"]
    found = measure.Results(tmp_path / "results")
    (recovered,) = found.samples("recovery", "fan-out", 3)
    assert (recovered["runs"], recovered["twice"]) == (3, 0)
    assert found.values("large", "many, again", 3, "requests") == [0]
    assert found.values("ideal", "fan-out", 3, "requests") == [3]
    plain, padded = (found.median("fire", name, 3, "state_kb") for name in (why.FLOOR, why.PADDED))
    assert plain is not None
    assert padded is not None
    assert padded > plain
    runs, floor = (found.samples("profile", name, 3)[0] for name in ("ordinary runs", why.FLOOR))
    assert (runs["digests"], floor["digests"]) == (3 * 3, 0)
    assert 0 < runs["outputs"] < floor["outputs"], "those that nobody reads are not made"
    assert runs["waiting_cpu"] > 0
    text = (tmp_path / "README.md").read_text()
    for shown in ("### Must reach", "### The same over TLS", "| naive provider |", "| Huawei, vendor |"):
        assert shown in text


def test_a_run_too_many_for_an_object_is_counted_however_it_was_asked_for() -> None:
    with emulator() as cloud:
        for number, object in enumerate(("a.mp4", "b.mp4", "a.mp4")):
            WorkflowClient(
                Transport(),
                Credentials(SECRET_ID, SECRET_KEY),
                region="ap-beijing",
                bucket="media-1250000000",
                endpoint=cloud.url,
                clock=lambda number=number: time.time() - number,
            ).start(WorkflowRequest(WORKFLOW, object), GO)
        runs = cloud.runs()
    assert len({str(run["request"]) for run in runs}) == 3  # no two are signed at the same time
    assert ups.twice(runs, 2) == 1
    assert ups.twice(runs[:2], 2) == 0
    with pytest.raises(RuntimeError, match="2 of 3 objects"):
        ups.twice(runs, 3)


def samples(contender: str, n: int, *seconds: float, **counts: Any) -> dict[str, Any]:
    return {"contender": contender, "n": n, "samples": [{"seconds": each, **counts} for each in seconds]}


def results(folder: Path, **series: list[dict[str, Any]]) -> measure.Results:
    for name, rows in series.items():
        made = measure.Series(name)
        made.rows = rows
        made.write(folder)
    return measure.Results(folder)


def test_a_ratio_is_taken_pair_by_pair(tmp_path: Path) -> None:
    """The machine became three times as slow in the second round."""
    found = results(tmp_path, fire=[samples("a", 10, 1.0, 3.0, 1.5), samples("b", 10, 2.0, 6.0, 3.0)])
    assert found.ratio("fire", ("a", 10), ("b", 10)) == pytest.approx(0.5)
    assert found.median("fire", "a", 10) == 1.5
    assert found.ratio("fire", ("a", 10), ("c", 10)) is None


def test_the_bars_of_a_fan_out_are_taken_pair_by_pair_too(tmp_path: Path) -> None:
    """Rounds of which the medians are not of one round: 3 / (1 + 1.25) and 30 / 2 are no pair's."""
    found = results(
        tmp_path,
        ideal=[samples("fan-out", 1000, 3.0, 9.0, 2.0), samples("empty up", 1000, 1.75, 4.75, 0.75)],
        large=[samples("many", 10_000, 30.0, 10.0, 60.0), samples("few", 10_000, 2.0, 1.0, 3.0)],
    )
    told = {bar.bar: bar.row[2:] for bar in bars.bars(found)}
    assert told["at most 1.25 x (empty `up` + 1,000 x 20 ms / 16)"] == ("1.00 x (1.00 to 1.50)", "yes")
    assert told["at most 12 x the time of 1,000"] == ("15.00 x (10.00 to 20.00)", "**no**")


def test_bars_are_met_or_not_or_not_measured(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        fire=[
            samples("fan-out", 1000, 3.0),
            samples("naive provider", 1000, 60.0),
            {"contender": "Terraform local-exec", "n": 1000, "samples": [{"skipped": "terraform is not installed"}]},
            samples("ordinary runs", 100, 3.0, connections=9),
            samples("zero-work, 2 a run", 100, 2.0),
        ],
        ideal=[samples("fan-out", 1000, 3.0), samples("empty up", 1000, 1.0)],
        large=[samples("many, again", 10_000, 2.0, 2.0, requests=0), samples("empty up, again", 10_000, 1.0, 1.0)],
    )
    told = {f"{bar.what}: {bar.bar}": bar for bar in bars.bars(found)}
    by_word = {key: bar.row[3] for key, bar in told.items()}
    assert by_word["fan-out of 1,000 objects, whole `up`: at most 1/15 of the naive provider's"] == "yes"
    assert by_word["fan-out of 1,000 objects, whole `up`: at most 1/2 of Terraform's `local-exec`"] == "not measured"
    assert told["fan-out of 1,000 objects, whole `up`: at most 1.25 x (empty `up` + 1,000 x 20 ms / 16)"].row[2:] == (
        "1.33 x",
        "**no**",
    )
    assert told["100 ordinary runs, with their intents: at most 1.25 x 200 zero-work resources"].row[2:] == (
        "1.50 x",
        "**no**",
    )
    assert by_word["100 ordinary runs, with their intents: at most 8 connections"] == "**no**"
    assert by_word["second `up` with 10,000 objects, nothing changed: no request"] == "yes"
    assert by_word["signing, Huawei: at most the time of the vendor's SDK"] == "not measured"
    assert "| Terraform local-exec | terraform is not installed | 0 |" in report.tables(found)


def test_profiles_are_read_and_explain_why_ordinary_runs_are_above_their_bar(tmp_path: Path) -> None:
    top = """Duration: 5.8s, Total samples = 5.29s (86%)
      flat  flat%   sum%        cum   cum%
         0     0%  0.19%      3.53s 66.73%  example.com/v3/backend.(*SnapshotManager).saveSnapshot
         0     0%  0.19%      720ms  9.10%  example.com/v3/backend.(*SnapshotManager).saveSnapshot.func1
"""
    assert stage.saving("Total samples = 300ms") == {"profiled_cpu": 0.3, "saving_cpu": 0}
    assert stage.saving(top) == {"profiled_cpu": 5.29, "saving_cpu": 3.53}
    cpu = {"engine_cpu": 5.0, "program_cpu": 2.0, "host_cpu": 1.0, "state_kb": 700}
    profiled = {"profiled_cpu": 5.29, "saving_cpu": 3.53}
    runs, floor = {"waiting_cpu": 1.3, "outputs": 3400, "digests": 400}, {"waiting_cpu": 0.2, "outputs": 400}
    found = results(
        tmp_path,
        fire=[
            samples("ordinary runs", 100, 6.0, connections=4, **cpu),
            samples(why.FLOOR, 100, 4.0, **cpu),
            samples(why.PADDED, 100, 5.0, **cpu),
            samples(why.INLINE, 100, 5.5, **cpu),
        ],
        profile=[
            samples("ordinary runs", 100, 6.0, **profiled, **runs),
            samples(why.FLOOR, 100, 4.0, **profiled, **floor),
        ],
    )
    found.series["fire"]["latency_ms"] = 20
    told = " ".join(why.why(found))
    for sentence in (
        "take 1.50 times as long as 200 zero-work resources, not 1.25 times:",
        "3.53 s of its 5.29 s of processor time went into writing the state",
        "is in 4 places of its state",
        "take 1.25 times as long as plain ones, 50% of what the runs take more",
        "the runs take 1.20 times as long as the padded ones",
        "takes 2.00 s of processor time",
        "1.30 s of processor time, beside 0.20 s, for 3,400 outputs, beside 400",
        "the 4 threads of Pulumi's dynamic host, each with its connection, need 0.5 s for 100 answers",
        "as Pulumi's documentation has it, the runs take 1.09 times as long",
    ):
        assert sentence in told
    assert "| 200 zero-work resources | 4 | 5 | 2 | 1 | 700 |" in report.tables(found)


def test_nothing_is_explained_without_its_figures_or_where_the_bar_is_met(tmp_path: Path) -> None:
    alone = [samples("ordinary runs", 100, 6.0), samples(why.FLOOR, 100, 4.0)]
    found = results(tmp_path, fire=alone)
    assert not any(word in " ".join(why.why(found)) for word in ("profile", "places", "padded", "threads", "takes"))
    found = results(tmp_path, fire=[samples("ordinary runs", 100, 4.4), samples(why.FLOOR, 100, 4.0)])
    assert list(why.why(found)) == []


def test_a_fan_out_above_its_bar_is_explained_and_one_below_is_not(tmp_path: Path) -> None:
    for seconds, explained in ((6.0, True), (2.7, False)):
        found = results(
            tmp_path / str(seconds),
            ideal=[samples("fan-out", 1000, seconds, host_cpu=1.9), samples("empty up", 1000, 1.0)],
        )
        assert ("takes 2.67 times the empty `up`" in report.tables(found)) is explained
        assert ("took 1.90 s of processor time" in report.tables(found)) is explained


def test_contenders_take_turns_and_one_that_is_skipped_is_not_tried_again() -> None:
    order: list[str] = []

    def sample(name: str, **taken: Any) -> measure.Sample:
        order.append(name)
        return taken

    series = measure.Series("x")
    contenders = {
        "a": lambda: sample("a", seconds=1),
        "b": lambda: sample("b", skipped="no"),
        "c": lambda: sample("c", seconds=1),
    }
    series.take(5, 2, contenders)
    assert order == ["a", "b", "c", "a", "c"]


def test_a_plot_is_an_image_with_a_line_for_each_name_and_its_values_at_one_n() -> None:
    series = {
        "a & b": [(10, 0.5), (1000, 20)],
        "further": [(10, 1), (1000, 2), (10_000, 3)],
        "before": [(10, 4)],
        "none": [],
        "zero": [(10, 0)],
    }
    root = ET.fromstring(plot.lines("T <1>", series, unit="s"))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a & b: 20 s", "further: 2 s", "before: 4 s at N = 10"} <= set(texts)
    assert "at N = 1,000, unless another N is named" in texts
    assert not any(text.startswith(("none", "zero")) for text in texts)
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == 6


@pytest.mark.parametrize(("colours", "paper"), [(plot.COLOURS, "#ffffff"), (plot.DARK, "#0d1117")])
def test_names_in_a_plot_can_be_read_in_both_modes(colours: tuple[str, ...], paper: str) -> None:
    """WCAG's contrast of text, 4.5 to 1."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for colour in colours:
        low, high = sorted((light(colour), light(paper)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour


def test_the_page_shows_what_was_measured() -> None:
    """`python -m bench --series` without a name writes it anew from the JSON."""
    found = measure.Results(ROOT / "bench" / "results")
    assert report.tables(found) in (ROOT / "bench" / "README.md").read_text()
    for name, image in report.plots(found).items():
        assert (ROOT / "bench" / "results" / f"{name}.svg").read_text() == image
