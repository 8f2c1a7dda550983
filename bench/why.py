"""Where the time of ordinary runs goes, if they are above their bar: in sentences, each with figures of the results."""

from __future__ import annotations

from collections.abc import Iterator

from bench.bars import BESIDE_FLOOR
from bench.measure import Results

N, FLOOR = 100, "zero-work, 2 a run"
PADDED, INLINE = f"{FLOOR}, as large a state", "zero-work in the program, 2 a run"
NAMES = {"ordinary runs": f"{N} ordinary runs", FLOOR: f"{2 * N} zero-work resources", PADDED: "the same, padded"}
HEAD = ("", "time s", "engine CPU s", "program CPU s", "host CPU s", "state kB")


def why(results: Results) -> Iterator[str]:
    """Sentences; one whose figures were not measured is left out."""
    ratio = _ratio(results, "ordinary runs", FLOOR)
    if ratio is None or ratio <= BESIDE_FLOOR:
        return
    floor = f"{2 * N} zero-work resources"
    yield f"Why {N} ordinary runs take {ratio:.2f} times as long as {floor}, not {BESIDE_FLOOR} times:"
    yield from _state(results, ratio)
    yield from _program(results)
    yield from _answers(results)
    inline = _ratio(results, "ordinary runs", INLINE)
    if inline is not None:
        yield (
            "Beside zero-work resources with their provider in the program, as Pulumi's documentation has it, the runs "
            f"take {inline:.2f} times as long."
        )


def why_not_ideal(results: Results, ratio: float | None, bar: float) -> Iterator[str]:
    """Where the time of a fan-out goes beside the empty `up` and the answers, if it is above that bar."""
    what = [results.median("ideal", "fan-out", 1000, key) for key in ("host_cpu", "seconds")]
    empty = results.median("ideal", "empty up", 1000)
    if ratio is None or ratio <= bar or None in what or empty is None:
        return
    yield (
        "Why a fan-out of 1,000 objects takes {:.2f} times the empty `up` and its answers, not {} times: the dynamic "
        "host, which an empty `up` does not start, took {:.2f} s of processor time (its start, and for each object a "
        "request that is made, signed, sent and read with requests and urllib3), and Python's threads share one "
        "interpreter, so most of that comes on top. The whole `up` took {:.2f} s, an empty one {:.2f} s."
    ).format(ratio, bar, *what, empty)


def rows(results: Results) -> list[tuple[str, ...]]:
    """Under HEAD; what was not measured is left out."""
    what = ("seconds", "engine_cpu", "program_cpu", "host_cpu", "state_kb")
    found = {name: [results.median("fire", name, N, key) for key in what] for name in NAMES}
    return [
        (NAMES[name], *("" if value is None else f"{value:,.4g}" for value in values))
        for name, values in found.items()
        if values[0] is not None
    ]


def _state(results: Results, ratio: float) -> Iterator[str]:
    yield (
        "the engine writes the whole state at every step, one step after the other, so its time grows with what is on "
        "record. A zero-work resource has one argument; a run has its request, its reference, what it was fired with, "
        "and its intent."
    )
    saving = [results.median("profile", name, N, key) for name in _BOTH for key in ("saving_cpu", "profiled_cpu")]
    if None not in saving:
        yield (
            "The engine's own profile (`pulumi up --profiling`): {:.2f} s of its {:.2f} s of processor time went into "
            "writing the state (`SnapshotManager.saveSnapshot`) for the runs, {:.2f} s of {:.2f} s for the zero-work "
            "resources."
        ).format(*saving)
    digests = results.median("profile", "ordinary runs", N, "digests")
    if digests is not None:
        yield (f"What a run was fired with is in {digests / N:.0f} places of its state and its intent's.")
    padded, beside = _ratio(results, PADDED, FLOOR), _ratio(results, "ordinary runs", PADDED)
    if padded is not None and beside is not None:
        yield (
            "Zero-work resources padded to as large a state, in as many values, take "
            f"{padded:.2f} times as long as plain ones, {(padded - 1) / (ratio - 1):.0%} of what the runs take more; "
            f"the runs take {beside:.2f} times as long as the padded ones."
        )


def _program(results: Results) -> Iterator[str]:
    cpu = [results.median("fire", name, N, "program_cpu") for name in _BOTH]
    if None not in cpu:
        yield "The program takes {:.2f} s of processor time, beside {:.2f} s.".format(*cpu)
    waiting = [results.median("profile", name, N, key) for key in ("waiting_cpu", "outputs") for name in _BOTH]
    if None not in waiting:
        yield (
            "Pulumi's SDK makes outputs of each property, and until none is left it begins again to wait for all of "
            "them whenever one is done (`pulumi.runtime.stack.wait_for_rpcs`): {:.2f} s of processor time, beside "
            "{:.2f} s, for {:,.0f} outputs, beside {:,.0f}."
        ).format(*waiting)


def _answers(results: Results) -> Iterator[str]:
    connections = results.median("fire", "ordinary runs", N, "connections")
    latency = results.series["fire"].get("latency_ms")
    if connections and latency:
        yield (
            f"And the {connections:.0f} threads of Pulumi's dynamic host, each with its connection, need "
            f"{N * latency / connections / 1000:.1f} s for {N} answers that take {latency} ms each; zero-work "
            "resources ask nobody."
        )


_BOTH = ("ordinary runs", FLOOR)


def _ratio(results: Results, first: str, second: str) -> float | None:
    return results.ratio("fire", (first, N), (second, N))
