"""The command line of `cloud-runs`."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NoReturn

from cloud_runs.errors import RunsError
from cloud_runs.status import asking, lost, page, reading, recorded, terminal
from cloud_runs.status.report import Exit, Report

_EPILOG = """exit codes:
  0  every run succeeded, or there is none
  1  a run failed, was cancelled, is no longer known, or was asked for and is not on record
  2  otherwise: a run still goes on
  3  a system or the stack could not be asked or the page not written (and no run is known to have failed), or the
     command line is wrong
130  interrupted by Ctrl-C"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """With our own code: argparse's is 2, which here means that a run goes on."""
        self.print_usage(sys.stderr)
        self.exit(Exit.NOT_ASKED, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code. Usage errors and `--help` raise SystemExit, Ctrl-C raises KeyboardInterrupt."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as with `>&-`: nobody reads it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the terminal cannot show must not end the report
    options = _parser().parse_args(arguments)
    try:
        report = _report(options.cwd, options.stack or "")
        code = report.exit
        problem = _write(options.html, report) if options.html else ""
        if problem and code is not Exit.FAILED:
            code = Exit.NOT_ASKED
        _print(report, options.json, code)
        if problem:
            print(f"error: {problem}", file=sys.stderr)
        return code
    except (RunsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
    except Exception:  # noqa: BLE001 - a bug; Python's own exit code would say that a run failed
        traceback.print_exc()
    return Exit.NOT_ASKED


def _report(folder: str, name: str) -> Report:
    stack = reading.read(folder, name)
    records = recorded.read(stack.deployment)
    with terminal.progress(asking.count(records.runs)) as tell:
        runs = asking.ask(records, stack.config, tell)
        missing = lost.missing(records, stack.config)
    return Report(stack.name, datetime.now(timezone.utc).replace(microsecond=0), tuple(runs), missing)


def _write(file: Path, report: Report) -> str:
    """Writes the page. What went wrong: the report is not lost for that."""
    try:
        file.write_text(page.page(report), encoding="utf-8", errors="replace")
    except OSError as error:
        return _no_page(file, error.strerror or str(error))
    return ""


def _print(report: Report, as_json: bool, code: Exit) -> None:
    told = report.as_json() | {"exit_code": int(code)}
    shown = json.dumps(told, indent=2) + "\n" if as_json else terminal.text(report)
    try:
        sys.stdout.write(shown)
        sys.stdout.flush()
    except BrokenPipeError:  # `... | head`: Python flushes once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cloud-runs", description="Tools beside the Pulumi resources.", allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    status = commands.add_parser(
        "status",
        help="what became of a stack's runs",
        description="Shows each run of a stack as its system tells it now. Fires, cancels and changes nothing.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    status.add_argument("-s", "--stack", type=_given, metavar="NAME", help="the stack; without it the selected one")
    status.add_argument(
        "-C", "--cwd", default=os.getcwd(), type=_folder, metavar="FOLDER", help="the project's folder, if not this one"
    )
    status.add_argument("--json", action="store_true", help="print JSON in the place of the table")
    status.add_argument("--html", type=_page, metavar="FILE", help="also write an HTML page with a timeline")
    return parser


def _folder(text: str) -> str:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return text


def _given(text: str) -> str:
    if not text:  # as from an unset variable; it must not mean the selected stack, or no page
        raise argparse.ArgumentTypeError("is empty")
    return text


def _page(text: str) -> Path:
    file = Path(_given(text))
    if not file.parent.is_dir():  # told before anything is asked
        raise argparse.ArgumentTypeError(_no_page(file, "no such folder"))
    return file


def _no_page(file: Path, why: str) -> str:
    return f"cannot write the page to {str(file)!r}: {why}"
