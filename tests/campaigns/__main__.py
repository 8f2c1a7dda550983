"""Campaigns of strikes, clocks, faults and kills at any instant. Needs an engine on PATH: `make soak` has one."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.campaigns import clocks, faults, kills, strikes
from tests.campaigns.report import Report
from tests.support.stack import QUICKLY, Stack

Lanes = list[Callable[[Path, str, random.Random], None]]


def main() -> int:
    arguments = _parser().parse_args()
    if not shutil.which("pulumi"):
        print("there is no Pulumi engine on PATH; `make soak` brings one", file=sys.stderr)
        return 2
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    Stack.settings = QUICKLY
    reports = []
    for title, amount, plan in (
        ("strikes", arguments.kills + arguments.pauses, _strike_lanes),
        ("clocks", arguments.clocks, _clock_lanes),
        ("faults", arguments.cases, _fault_lanes),
        ("kills at any instant", arguments.random_kills, _kill_lanes),
    ):
        if amount:
            report = Report(title, seed)
            _run(plan(report, arguments), report, seed, arguments)
            print(report.text(), flush=True)
            reports.append(report)
    return 1 if any(report.found or report.lacking() for report in reports) else 0


def _strike_lanes(report: Report, arguments: argparse.Namespace) -> Lanes:
    plan = strikes.Plan(report, arguments.kills, arguments.pauses)
    return [partial(strikes.lane, report, plan)] * arguments.workers


def _clock_lanes(report: Report, arguments: argparse.Namespace) -> Lanes:
    return [partial(clocks.lane, report, clocks.Plan(report, arguments.clocks))] * arguments.workers


def _fault_lanes(report: Report, arguments: argparse.Namespace) -> Lanes:
    return faults.lanes(report, arguments.cases)


def _kill_lanes(report: Report, arguments: argparse.Namespace) -> Lanes:
    size, amount = kills.KILLS_IN_A_LANE, arguments.random_kills
    return [partial(kills.lane, report, min(size, amount - at)) for at in range(0, amount, size)]


def _run(lanes: Lanes, report: Report, seed: int, arguments: argparse.Namespace) -> None:
    def one(index: int) -> None:
        name = f"{report.title}, lane {index + 1} of {len(lanes)}"
        with tempfile.TemporaryDirectory(prefix="campaign-", ignore_cleanup_errors=True) as folder:
            try:
                lanes[index](Path(folder) / "lane", name, random.Random(f"{seed} {report.title} {index}"))
            except Exception:  # noqa: BLE001 - the other lanes go on; it counts as a breach
                report.breach(f"{name}: could not go on", traceback.format_exc())
        print(f"{name}: done", file=sys.stderr, flush=True)

    alone = arguments.lane
    with ThreadPoolExecutor(arguments.workers) as pool:
        list(pool.map(one, range(len(lanes)) if alone is None else [alone - 1]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat a campaign (default: a new one, which is printed)")
    for name, default, what in (
        ("--kills", 500, "hosts killed at named instants"),
        ("--pauses", 200, "hosts stopped at these, and woken up later"),
        ("--clocks", 300, "interrupted runs and fan-outs that are looked for by other clocks"),
        ("--cases", 1000, "runs, fan-outs and Completions that meet faults"),
        ("--random-kills", 40, "kills at any instant"),
    ):
        parser.add_argument(name, type=int, default=default, help=f"{what} (default %(default)s)")
    parser.add_argument("--lane", type=int, help="with --seed, the lane that is repeated alone")
    parser.add_argument(
        "--workers",
        type=int,
        default=2 * (os.cpu_count() or 1),
        help="lanes at a time, which mostly wait (default %(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
