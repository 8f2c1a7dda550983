"""Puts back each breach that there was, in a copy of the package, and expects its finder to find it in time.

The package as it is must be clean with the same finder, seed and limit. It fails if a breach is not found, if its patch
does not apply any more, or if what is clean is not. `--write` writes the results into README.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.campaigns.track_record.breaches import BREACHES, Breach
from tests.campaigns.track_record.finders import TESTS
from tests.campaigns.track_record.past import NOT_PUT_BACK, PAST
from tests.campaigns.track_record.patching import apply

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
README = HERE / "README.md"
BEGIN, END = "<!-- results -->", "<!-- end of the results -->"
MINUTES = 15
"""That one finder may take."""


@dataclass(frozen=True)
class Result:
    """`said` is the finder's last line, and `code` 0 for clean, 1 for found."""

    code: int
    said: str
    seconds: float

    @property
    def cases(self) -> str:
        return self.said.partition(" cases")[0].rpartition(" ")[2]

    @property
    def what(self) -> str:
        return self.said.partition(": ")[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.track_record", description=__doc__)
    parser.add_argument("names", nargs="*", help="of these alone (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of all choices (default %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="finders at a time")
    parser.add_argument("--write", action="store_true", help="write the results into README.md")
    given = parser.parse_args()
    breaches = [breach for breach in BREACHES if not given.names or breach.name in given.names]
    if unknown := set(given.names) - {breach.name for breach in breaches}:
        parser.error(f"no such breach: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    clean = _limits(breaches)
    with ThreadPoolExecutor(given.workers) as pool:
        are_clean = {finder: pool.submit(as_it_is, finder, given.seed, cases) for finder, cases in clean.items()}
        are_found = {breach: pool.submit(put_back, breach, given.seed) for breach in breaches}
        before = {finder: future.result() for finder, future in are_clean.items()}
        after = {breach: future.result() for breach, future in are_found.items()}
    print("\n".join(table(after)))
    wrong = failures(before, after)
    print(f"{len(after) - sum(r.code != 1 for r in after.values())} of {len(after)} breaches found, seed {given.seed}, "
          f"{time.monotonic() - began:.0f} s")  # fmt: skip
    print("\n".join(wrong))
    if given.write and not wrong and not given.names:
        write(after, before, given.seed)
    return 1 if wrong else 0


def shown(finder: str) -> str:
    """Of named tests at once only how many they are."""
    return finder if finder.count(" ") < 2 else f"{len(finder.split())} named tests"


def _limits(breaches: Sequence[Breach]) -> dict[str, int]:
    """The most cases of each finder that is needed."""
    most: dict[str, int] = {}
    for breach in breaches:
        most[breach.finder] = max(breach.within, most.get(breach.finder, 0))
    tests = [finder for finder in most if finder.startswith(TESTS)]
    if tests:  # at once, and all of them
        most[" ".join(tests)] = sum(most.pop(finder) for finder in tests)
    return most


def as_it_is(finder: str, seed: int, cases: int) -> Result:
    return _told(f"as it is: {shown(finder)}", find(finder, seed, cases, ROOT / "provider"))


def put_back(breach: Breach, seed: int) -> Result:
    """The finder's result for a copy of the package with the breach in it."""
    with tempfile.TemporaryDirectory(prefix="track-record-") as folder:
        copy = Path(folder) / "provider"
        shutil.copytree(ROOT / "provider", copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        try:
            apply(breach.patch.read_text(), Path(folder))
        except Exception as error:  # noqa: BLE001 - one of the table's failures
            return Result(2, f"{type(error).__name__}: {error}", 0.0)
        return _told(breach.name, find(breach.finder, seed, breach.within, copy))


def find(finder: str, seed: int, cases: int, package: Path) -> Result:
    """In a process of its own, which imports this package."""
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.campaigns.track_record.finders", finder]
    command += ["--seed", str(seed), "--cases", str(cases), "--of", str(package)]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60 * MINUTES, check=False
        )
    except subprocess.TimeoutExpired:
        return Result(2, f"not at its end after {MINUTES} minutes", time.monotonic() - began)
    said = (done.stdout.strip() or done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1]
    code = done.returncode if said.startswith(("found after", "clean after")) else 2
    return Result(code, said if code != 2 else f"{said}\n{done.stderr[-3000:]}", time.monotonic() - began)


def _told(name: str, result: Result) -> Result:
    print(f"{name}: {result.said} ({result.seconds:.0f} s)", file=sys.stderr, flush=True)
    return result


def failures(before: dict[str, Result], after: dict[Breach, Result]) -> list[str]:
    found = [f"{shown(finder)}: not clean: {result.said}" for finder, result in before.items() if result.code != 0]
    for breach, result in after.items():
        if result.code == 0:
            found.append(f"{breach.name} is not found by {breach.finder!r} within {breach.within} cases")
        elif result.code != 1:
            found.append(f"{breach.name}: {result.said}")
    return found


def table(results: dict[Breach, Result]) -> list[str]:
    rows = ["| kind | breach | what it did | finder | within | found after |", "|---|---|---|---|---|---|"]
    for breach, result in results.items():
        found = f"{result.cases} cases, {result.seconds:.0f} s" if result.code == 1 else "**not found**"
        where = breach.finder.replace("::", " ")
        rows.append(f"| {breach.of} | `{breach.name}` | {breach.was} | {where} | {breach.within} | {found} |")
    return rows


def write(after: dict[Breach, Result], before: dict[str, Result], seed: int) -> None:
    clean = ", ".join(f"{shown(finder)} {result.cases}" for finder, result in before.items())
    kinds = [
        "| kind | not put back, since |",
        "|---|---|",
        *(f"| {of}: {PAST[of]} | {why} |" for of, why in NOT_PUT_BACK.items()),
    ]
    lines = [*table(after), "", *kinds, "", f"Seed {seed}. The package as it is, cases that found nothing: {clean}."]
    head, _, rest = README.read_text().partition(BEGIN)
    README.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    raise SystemExit(main())
