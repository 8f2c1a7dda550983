"""Where in the program a resource is made: what the state keeps as its `sourcePosition` and `stackTrace`.

Pulumi's SDK takes all frames from the one that calls its own `dynamic.Resource`: those of this package, by which every
run would be made at one and the same line, and those of Python and of the SDK below the program, which are a fifth of
the state of a run (observed with SDK 3.272; docs/engine.md). Only those of the program are left here. An SDK that does
this otherwise is left alone: nothing depends on it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

import pulumi
from pulumi.runtime import resource as sdk

_OURS = f"{Path(__file__).parents[1]}{os.sep}"
_THEIRS = (f"{Path(pulumi.__file__).parent}{os.sep}", "<")  # `<frozen runpy>` runs the program

_ours: ContextVar[bool] = ContextVar("a resource of ours is being registered", default=False)


@contextlib.contextmanager
def of_the_program() -> Iterator[None]:
    """For what is registered meanwhile."""
    before = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(before)


def _install() -> None:
    """Once, and never back: programs may run side by side (Automation API), and one registration within another."""
    made, theirs = getattr(sdk, "source_pb2", None), getattr(sdk, "_get_stack_trace", None)
    if made is None or theirs is None:
        return

    @functools.wraps(theirs)
    def _get_stack_trace() -> Any:
        if not _ours.get():
            return theirs()
        positions = (made.SourcePosition(uri=Path(file).as_uri(), line=line) for file, line in _lines(sys._getframe(1)))
        return made.StackTrace(frames=[made.StackFrame(pc=position) for position in positions])

    sdk._get_stack_trace = _get_stack_trace


def _lines(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    inside = False
    while frame:
        file = frame.f_code.co_filename
        if not file.startswith((_OURS, *_THEIRS)) and Path(file).is_absolute():
            inside = True
            yield file, frame.f_lineno
        elif inside and file.startswith(_THEIRS):  # what runs the program, or what calls back into it
            return
        frame = frame.f_back


_install()
