"""The results as tables in README.md and as plots. Every figure there comes from the JSON."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import plot, why
from bench.bars import IDEAL, bars
from bench.measure import Results, Sample

_BETWEEN = re.compile(r"(<!-- results: made by `make bench`, not by hand -->\n).*(<!-- end of results -->)", re.DOTALL)
_TITLES = {
    "fire": "Starting N runs, whole `up` (or whole script)",
    "ideal": "A fan-out beside an empty `up`, in more rounds",
    "profile": "Where the time of the engine and of the program goes",
    "tls": "The same over TLS",
    "backends": "Ordinary runs on other backends",
    "large": "A large fan-out",
    "recovery": "The `up` after a kill",
    "waiting": "Waiting for N runs: from the end of the last one until it is known",
    "start": "One start of a fan-out",
    "signing": "Signing one request",
    "parsing": "Parsing one page of 100 executions",
}
_COUNTS = {
    "looks": "looks",
    "requests": "requests",
    "going": "of the first look",
    "connections": "connections",
    "engine_cpu": "engine CPU s",
    "program_cpu": "program CPU s",
    "host_cpu": "host CPU s",
    "profiled_cpu": "profiled engine CPU s",
    "saving_cpu": "of them to write the state",
    "waiting_cpu": "program's wait for outputs, CPU s",
    "outputs": "outputs in the program",
    "digests": "digests of arguments in the state",
    "host_mb": "host MB",
    "state_kb": "state kB",
    "cpu_seconds": "CPU s",
    "started_before": "started before the kill",
    "beyond_missing": "requests beyond the missing starts",
    "twice": "objects twice",
    "per_second": "a second",
}


def write(folder: Path, readme: Path) -> None:
    """Puts the tables into the README between its two marks, and the plots beside the JSON."""
    results = Results(folder)
    text, found = _BETWEEN.subn(lambda match: match[1] + tables(results) + match[2], readme.read_text())
    if found != 1:
        raise ValueError(f"{readme} has no place for the results")
    readme.write_text(text)
    for name, image in plots(results).items():
        (folder / f"{name}.svg").write_text(image)


def tables(results: Results) -> str:
    found = list(bars(results))
    parts = ["### Must reach", table(["what", "bar", "measured", "met"], [bar.row for bar in found])]
    ideal = next(bar for bar in found if bar.bar == IDEAL)
    parts += why.why_not_ideal(results, ideal.measured, ideal.most)
    if told := " ".join(why.why(results)):
        parts += [told, table(why.HEAD, why.rows(results))]
    for series, title in _TITLES.items():
        if series in results.series:
            parts += [f"### {title}", _about(results, series), _table(results, series)]
    return "\n" + "\n\n".join(parts) + "\n\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


_PLOTTED = {
    "empty up": "pulumi up without runs",
    "fan-out": "one fan-out (this package)",
    "ordinary runs": "a resource a run (this package)",
    "naive provider": "a plain dynamic resource a run",
    "zero-work": "N resources that do nothing",
    "vendor SDK in threads": "a script: vendor's SDK in threads",
    "Terraform local-exec": "Terraform, local-exec",
}
_WAITED = {"ours": "a Completion", "one question a run": "a request for each run"}
"""Names of the tables, and the words of the picture, which has no room to explain them."""


def plots(results: Results) -> dict[str, str]:
    """SVG by name."""
    made = {}
    if "fire" in results.series:
        lines = {
            words: [(n, seconds) for n in results.sizes("fire", name) if (seconds := results.median("fire", name, n))]
            for name, words in _PLOTTED.items()
        }
        if many := results.median("large", "many", 10_000):
            lines[_PLOTTED["fan-out"]].append((10_000, many))
        made["growth"] = plot.lines("Seconds to start N runs (whole command, median)", lines, unit="s")
    if "waiting" in results.series:
        asked = {
            words: [(n, results.median("waiting", name, n, "requests") or 0) for n in results.sizes("waiting", name)]
            for name, words in _WAITED.items()
        }
        made["waiting"] = plot.lines("Requests while waiting for N runs (median)", asked, unit="requests")
    return made


def _about(results: Results, series: str) -> str:
    found = results.series[series]
    machine = found["machine"]
    settings = {key: found[key] for key in ("latency_ms", "threads", "run_seconds", "unit") if key in found}
    parts = [f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}, {found['taken']}"]
    parts += [f"{key.replace('_', ' ')} {value}" for key, value in settings.items()]
    return f"{'; '.join(parts)}. Medians; in brackets the least and the most."


def _table(results: Results, series: str) -> str:
    rows = results.series[series]["rows"]
    counts = [key for key in _COUNTS if any(key in sample for row in rows for sample in row["samples"])]
    sizes = {row["n"] for row in rows}
    head = [*(["N"] if len(sizes) > 1 else []), "", "time", "rounds", *(_COUNTS[key] for key in counts)]
    body = []
    for row in rows:
        cells = [row["contender"], *_times(row["samples"]), *(_count(row["samples"], key) for key in counts)]
        body.append([*([f"{row['n']:,}"] if len(sizes) > 1 else []), *cells])
    return table(head, body)


def _times(samples: Sequence[Sample]) -> Iterator[str]:
    if "skipped" in samples[0]:
        yield from (samples[0]["skipped"], "0")
        return
    seconds = [sample["seconds"] for sample in samples]
    unit, scale = ("s", 1) if statistics.median(seconds) >= 0.1 else ("ms", 1e3)
    if statistics.median(seconds) < 1e-4:
        unit, scale = "µs", 1e6
    low, middle, high = (f"{value * scale:.2f}" for value in (min(seconds), statistics.median(seconds), max(seconds)))
    yield f"{middle} {unit} ({low} to {high})"
    yield str(len(samples))


def _count(samples: Sequence[Sample], key: str) -> str:
    values = [sample[key] for sample in samples if sample.get(key) is not None]
    return f"{statistics.median(values):,.10g}" if values else ""
