"""How an error of ours reaches the user: one line that names the resource, without a traceback.

The dynamic host turns whatever a provider raises into `traceback.format_exc()`. That function honours
`sys.tracebacklimit`, which belongs to the whole process, other people's providers included. So the limit is lowered
only when an error of ours is raised, and put back by the error's own text being asked for, which
`traceback.TracebackException` does after it has collected the frames (Python 3.10 to 3.14).
A bug of ours keeps its traceback.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Exception)

_lock = threading.Lock()
_quiet = 0
_missing = object()
_before: Any = _missing


class RunError(Exception):
    """What the host prints: the text, and no frames."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._pending = True
        _hide()

    def __str__(self) -> str:
        if self._pending:
            self._pending = False
            _show()
        return str(self.args[0])


# The host prints the class with its module; a user should read a word, not a path.
RunError.__module__ = "builtins"


def _hide() -> None:
    global _quiet, _before
    with _lock:
        if _quiet == 0:
            _before = getattr(sys, "tracebacklimit", _missing)
        _quiet += 1
        sys.tracebacklimit = 0


def _show() -> None:
    global _quiet
    with _lock:
        _quiet -= 1
        if _quiet == 0:
            if _before is _missing:
                del sys.tracebacklimit
            else:
                sys.tracebacklimit = _before


def one_line(
    describe: Callable[..., str], expected: type[E], told: Callable[[E], str] = str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Wraps a provider's method: an `expected` error is raised again as one line, led by `describe(*args)`. `told` is
    what is said of it."""

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return method(*args, **kwargs)
            except expected as error:
                text = f"{describe(*args, **kwargs)}: {told(error)}"
            raise RunError(text)  # outside the handler: no "during handling of" chain

        return wrapper

    return decorate
