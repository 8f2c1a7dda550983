"""`cloud-runs wait`, and `status --watch`: looks again and again, and shows what it sees."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cloud_runs.lifecycle import durations
from cloud_runs.promise.outcomes import span
from cloud_runs.status import options, showing, terminal
from cloud_runs.status.options import Commands
from cloud_runs.status.report import Exit
from cloud_runs.status.watching import FOREVER, Watching

_REPEAT = 60.0  # seconds after which a line is printed again though nothing has changed
_INTERVAL = "10s"


def add(commands: Commands) -> None:
    parser = options.verb(
        commands,
        "wait",
        "wait until a stack's runs have ended",
        "Waits until each run of a stack has ended, and shows what became of them. It needs no engine and takes no "
        "lock, so it can be a step of a pipeline after `pulumi up`. Fires, cancels and changes nothing; Ctrl-C and the "
        "end of the time leave the runs alone.",
    )
    options.add_stack(parser)
    parser.add_argument(
        "--timeout", type=duration, default="30m", metavar="TIME", help="for example 90s or 1h30m (default %(default)s)"
    )
    add_interval(parser)
    showing.add(parser)
    parser.set_defaults(run=_wait)


def add_interval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--interval",
        type=duration,
        default=_INTERVAL,
        metavar="TIME",
        help="between two queries at most; the first ones come sooner (default %(default)s)",
    )


def duration(text: str) -> float:
    try:
        return durations.seconds(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'is not a duration such as "90s", "30m" or "1h30m": {text[:50]!r}') from None


def watch(given: argparse.Namespace) -> Exit:
    """`status --watch`: until none goes on."""
    watching = Watching(options.read(given), patient=True)
    with _table(given) as show:

        def tell(seen: Watching) -> None:
            showing.write(seen.report, given, renewed=given.interval)
            show(seen)

        watching.run(timeout=FOREVER, interval=given.interval, tell=tell)
    return showing.show(watching.report, given)


def _wait(given: argparse.Namespace) -> Exit:
    watching = Watching(options.read(given), patient=False)
    with _line() as show:
        ended = watching.run(timeout=given.timeout, interval=given.interval, tell=show)
    code = showing.show(watching.report, given)
    if not ended and code is Exit.GOING:
        print(f"not ended after {span(given.timeout)}; the runs go on", file=sys.stderr)
    return code


@contextmanager
def _line() -> Iterator[Callable[[Watching], None]]:
    """Progress on stderr: one line that is written anew in a terminal, else one for each change."""
    console = Console(stderr=True, highlight=False)
    said, at = "", 0.0

    def print_change(seen: Watching) -> None:
        nonlocal said, at
        line = seen.line
        if line.partition(", about")[0] != said.partition(", about")[0] or time.monotonic() - at >= _REPEAT:
            said, at = line, time.monotonic()
            print(line, file=sys.stderr, flush=True)

    if not console.is_terminal:
        yield print_change
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield lambda seen: live.update(Text(seen.line, no_wrap=True, overflow="ellipsis"), refresh=True)


@contextmanager
def _table(given: argparse.Namespace) -> Iterator[Callable[[Watching], None]]:
    """The table on stdout, written anew in a terminal. Elsewhere progress on stderr, and the table comes at the end."""
    console = Console(highlight=False)
    if given.json or given.markdown or not console.is_terminal:
        with _line() as show:
            yield show
        return
    with Live(console=console, transient=True, auto_refresh=False, vertical_overflow="ellipsis") as live:

        def show_table(seen: Watching) -> None:
            shown = terminal.text(seen.report, Console(highlight=False), wide=given.wide)
            live.update(Text.from_ansi(shown + f"\n{seen.line}"), refresh=True)

        yield show_table
