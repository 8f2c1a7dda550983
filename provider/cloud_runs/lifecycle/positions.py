"""Where in the program a resource is made: what the state keeps as its `sourcePosition` and `stackTrace`.

Pulumi's SDK takes all frames from the one that calls its own `dynamic.Resource`: those of this package, by which every
run would be made at one and the same line, and those of Python and of the SDK below the program, which are a fifth of
the state of a run (observed with SDK 3.272; docs/engine.md). Only those of the program are left here. An SDK that does
this otherwise is left alone: nothing depends on it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pulumi
from pulumi.runtime import resource as sdk

_OURS = str(Path(__file__).parents[1])
_THEIRS = (str(Path(pulumi.__file__).parent), "<")  # `<frozen runpy>` runs the program

_TRACE = "_get_stack_trace"


@contextlib.contextmanager
def of_the_program() -> Iterator[None]:
    """For a registration, which is made in the one thread that runs the program."""
    made, theirs = getattr(sdk, "source_pb2", None), getattr(sdk, _TRACE, None)
    if made is None or theirs is None:
        yield
        return
    setattr(sdk, _TRACE, lambda: _trace(made))
    try:
        yield
    finally:
        setattr(sdk, _TRACE, theirs)


def _trace(made: Any) -> Any:
    """As the SDK's own, topmost first."""
    positions = (made.SourcePosition(uri=Path(file).as_uri(), line=line) for file, line in _lines(sys._getframe(1)))
    return made.StackTrace(frames=[made.StackFrame(pc=position) for position in positions])


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
