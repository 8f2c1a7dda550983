"""How a report leaves the command: as a table, JSON or Markdown on stdout, and as files."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cloud_runs.status import markdown, page, prometheus, terminal
from cloud_runs.status.options import output
from cloud_runs.status.report import Exit, Report


def add(parser: argparse.ArgumentParser) -> None:
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--wide", action="store_true", help="shorten no id and no name, however long the lines get")
    printed.add_argument("--json", action="store_true", help="print JSON in the place of the table")
    printed.add_argument(
        "--markdown", action="store_true", help="print Markdown in the place of the table, as for $GITHUB_STEP_SUMMARY"
    )
    parser.add_argument("--html", type=output, metavar="FILE", help="also write a page with a timeline")
    parser.add_argument(
        "--prometheus", type=output, metavar="FILE", help="also write metrics for node_exporter's textfile collector"
    )


def show(report: Report, options: argparse.Namespace) -> Exit:
    """Writes the files and prints the report, which is not lost if a file cannot be written. The exit code."""
    problems = write(report, options)
    code = report.exit
    if problems and code is not Exit.FAILED:
        code = Exit.NOT_ASKED
    if options.json:
        shown = json.dumps(report.as_json() | {"exit_code": int(code)}, indent=2) + "\n"
    else:
        shown = markdown.text(report) if options.markdown else terminal.text(report, wide=options.wide)
    put(shown)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return code


def write(report: Report, options: argparse.Namespace, renewed: float | None = None) -> list[str]:
    """The files, and what went wrong. `renewed`: seconds until they are written again."""
    files: list[tuple[Path | None, Callable[[], str]]] = [
        (options.html, lambda: page.page(report, renewed)),
        (options.prometheus, lambda: prometheus.text(report)),
    ]
    return [problem for file, made in files if file and (problem := _written(file, made()))]


def put(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # `... | head`: Python flushes once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _written(file: Path, text: str) -> str:
    """What went wrong. A reader sees the old file or the new one, never half of one."""
    name = ""
    try:
        if file.exists() and not file.is_file():
            file.write_text(text, encoding="utf-8", errors="replace")  # a pipe, or a device; a folder refuses it
            return ""
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8", errors="replace") as new:
            name = new.name
            new.write(text)
        os.chmod(name, file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~_umask())
        os.replace(name, file)
    except OSError as error:
        with suppress(OSError):
            os.unlink(name)
        return f"cannot write {str(file)!r}: {error.strerror or error}"
    return ""


def _umask() -> int:
    """There is no way to read it without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
