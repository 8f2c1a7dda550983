"""`make bench`: takes the series, writes their samples as JSON, and makes the report of what is there."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from bench import report
from bench.measure import Series
from bench.stage import SDKS

HERE = Path(__file__).parent
ROUNDS = {100: 5, 1000: 3, 10_000: 3}
"""Up to this size, so many rounds."""


def main(arguments: list[str] | None = None) -> int:
    flags = parser().parse_args(arguments)
    if flags.series and not shutil.which("pulumi"):
        print("bench: no pulumi on PATH; `make bench` brings one", file=sys.stderr)
        return 1
    sys.path.append(str(SDKS))
    out = Path(flags.out)
    for name, take in taking(flags).items():
        if name in flags.series:
            take().write(out / "results")
    if out != HERE:
        shutil.copy(HERE / "README.md", out)
    report.write(out / "results", out / "README.md")
    return 0


def taking(flags: argparse.Namespace) -> dict[str, Callable[[], Series]]:
    from bench import backends, signing, starts, ups, waits  # the SDKs are on the path only now

    def rounds(n: int) -> int:
        return int(flags.rounds or next((count for size, count in ROUNDS.items() if n <= size), 1))

    small, some, few = min(flags.sizes), min(max(flags.sizes), 100), min(max(flags.sizes), 1000)
    return {
        "signing": lambda: signing.signing(max(rounds(small), 3), flags.seconds),
        "parsing": lambda: signing.parsing(max(rounds(small), 3), flags.seconds),
        "start": lambda: starts.starts(min(few, 1000), max(rounds(small), 3)),
        "waiting": lambda: waits.waiting([n for n in flags.sizes if n <= few], rounds),
        "fire": lambda: ups.fire([n for n in flags.sizes if n <= few], rounds, flags.long),
        "ideal": lambda: ups.ideal(few, flags.rounds or 7),
        "profile": lambda: ups.profile(some, flags.rounds or 3),
        "tls": lambda: ups.over_tls(some, rounds),
        "backends": lambda: backends.backends(some, rounds(some)),
        "recovery": lambda: ups.recovery(few, rounds),
        "large": lambda: ups.large(few, max(flags.sizes), rounds),
    }


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [
        "signing",
        "parsing",
        "start",
        "waiting",
        "fire",
        "ideal",
        "profile",
        "tls",
        "backends",
        "recovery",
        "large",
    ]
    made.add_argument("--series", nargs="*", choices=names, default=names, help="default: all; none: only the report")
    made.add_argument("--sizes", nargs="+", type=int, default=[10, 100, 1000, 10_000], metavar="N", help="runs")
    made.add_argument("--rounds", type=int, metavar="R", help="of each size (default: 5, from 1,000 on 3)")
    made.add_argument("--seconds", type=float, default=1.0, metavar="S", help="of a sample of signing or parsing")
    made.add_argument("--long", action="store_true", help="also 1,000 runs as resources of their own: minutes a round")
    made.add_argument("--out", default=str(HERE), metavar="DIR", help="for README.md and results/ (default: bench)")
    return made


if __name__ == "__main__":
    sys.exit(main())
