"""`python -m provider status`: see docs/status.md."""

import signal
import sys
import threading
from typing import NoReturn

_INTERRUPTED = 128 + signal.SIGINT  # as shells have it


def _interrupt(*_: object) -> NoReturn:
    """Ctrl-C. The threads with which Pulumi's SDK reads a `pulumi` find its pipes closed then, and need not say so."""
    threading.excepthook = lambda _: None
    raise KeyboardInterrupt


def _run() -> int:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, as in the background
        signal.signal(signal.SIGINT, _interrupt)
    try:
        from provider.status.command import main  # here, as it takes a moment to load

        return main()
    except KeyboardInterrupt:
        return _INTERRUPTED


sys.exit(_run())
