"""The command line of `cloud-runs`."""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import os
import sys
import traceback
from collections.abc import Sequence

from cloud_runs.errors import RunsError
from cloud_runs.status import asking, cancelling, checking, histories, options, pointers, showing, terminal, waits
from cloud_runs.status.options import Commands, Usage
from cloud_runs.status.report import Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code. Usage errors and `--help` raise SystemExit, Ctrl-C raises KeyboardInterrupt."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as with `>&-`: nobody reads it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the terminal cannot show must not end the report
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except Usage as error:
        print(f"cloud-runs: error: {error}", file=sys.stderr)
        return Exit.USAGE
    except (RunsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
    except Exception:  # noqa: BLE001 - a bug; Python's own exit code would say something of runs
        traceback.print_exc()
    return Exit.NOT_ASKED


class _Version(argparse.Action):
    """Looked up only when it is asked for: a package that runs from its sources may have no metadata."""

    def __call__(self, parser: argparse.ArgumentParser, *_given: object) -> None:
        print(f"cloud-runs {importlib.metadata.version('cloud-runs')}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloud-runs", description="Tools beside the Pulumi resources.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_status(commands)
    for verb in (waits, cancelling, checking, histories, pointers):
        verb.add(commands)
    return parser


def _add_status(commands: Commands) -> None:
    parser = options.verb(
        commands,
        "status",
        "what became of a stack's runs",
        "Shows each run of a stack as its system tells it now. Fires, cancels and changes nothing.",
    )
    options.add_stack(parser)
    showing.add(parser)
    parser.add_argument(
        "--watch", action="store_true", help="query again, and write the files anew, until no run goes on any more"
    )
    waits.add_interval(parser)
    parser.set_defaults(run=_status)


def _status(given: argparse.Namespace) -> Exit:
    if given.watch:
        return waits.watch(given)
    stack = options.read(given)
    with terminal.progress(asking.count(stack.records.runs)) as tell:
        report = asking.report(stack, tell)
    return showing.show(report, given)
