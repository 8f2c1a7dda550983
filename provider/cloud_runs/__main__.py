"""`cloud-runs`, also `python -m cloud_runs`: see docs/status.md."""

import signal
import sys
import threading
from typing import NoReturn

_INTERRUPTED = 128 + signal.SIGINT  # as shells have it


def _interrupt(*_: object) -> NoReturn:
    """Ctrl-C. The threads with which Pulumi's SDK reads a `pulumi` find its pipes closed then, and need not say so."""
    threading.excepthook = lambda _: None
    raise KeyboardInterrupt


def main() -> int:
    """The exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, as in the background
        signal.signal(signal.SIGINT, _interrupt)
    try:
        from cloud_runs.status import command  # here, as it takes a moment to load

        return command.main()
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
