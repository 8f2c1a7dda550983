"""What the verbs of `cloud-runs` share of the command line.

argparse, and not Typer or Click: it ends wrong command lines with 2 as they do, seven verbs need no more, and whoever
installs the resources gets no further package for it.
"""

from __future__ import annotations

import argparse
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_runs.errors import RunsError
from cloud_runs.status import reading
from cloud_runs.status.reading import Stack

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = object

EXIT_CODES = """exit codes:
  0  all runs succeeded, or there is none
  2  the command line is wrong
 10  a run failed, was cancelled, is no longer known to its service, or is missing
 11  otherwise: a run goes on
 12  a system or the stack could not be queried, or a file not written (and no run is known to have failed)
130  interrupted by Ctrl-C"""


class Usage(RunsError):
    """The command line is wrong; nothing was asked."""


def verb(
    commands: Commands, name: str, help: str, description: str, epilog: str = EXIT_CODES
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=help,
        description="\n\n".join(map(_filled, description.split("\n\n"))),
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _filled(paragraph: str) -> str:
    """An example is left as it is."""
    return paragraph if paragraph.startswith(" ") else textwrap.fill(paragraph, 80)


def add_stack(parser: argparse.ArgumentParser, *, exported: bool = True) -> None:
    """`exported`: an export will do, too."""
    parser.add_argument("-s", "--stack", type=given, metavar="NAME", help="the stack; without it the selected one")
    parser.add_argument(
        "-C", "--cwd", default=os.getcwd(), type=_folder, metavar="FOLDER", help="the project's folder, if not this one"
    )
    if exported:
        parser.add_argument(
            "--state",
            type=given,
            metavar="FILE",
            help="read an export of the stack (`pulumi stack export`) instead; - for stdin. Needs no pulumi and no "
            "project; keys come from the environment",
        )


def read(options: argparse.Namespace) -> Stack:
    """The stack that was asked for. Raises RunsError."""
    if options.state is None:
        return reading.read(options.cwd, options.stack or "")
    if options.stack:
        raise Usage("--stack is of no use with --state: an export is that of one stack")
    return reading.read_export(options.state)


def given(text: str) -> str:
    if not text:  # as from an unset variable; it must not mean the selected stack, or no page
        raise argparse.ArgumentTypeError("is empty")
    return text


def output(text: str) -> Path:
    """A file that is to be written."""
    file = Path(given(text))
    if not file.parent.is_dir():  # told before anything is asked
        raise argparse.ArgumentTypeError(f"cannot write {str(file)!r}: no such folder")
    return file


def _folder(text: str) -> str:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return text
