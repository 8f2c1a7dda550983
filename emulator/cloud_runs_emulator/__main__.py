"""The command line: `cloud-runs-emulator --host 127.0.0.1 --port 9700`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import textwrap

from cloud_runs_emulator.app import Emulator
from cloud_runs_emulator.authority import Authority, NoAuthority
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_KEYS, DEFAULT_SECRET_KEY
from cloud_runs_emulator.orders import ACTIONS
from cloud_runs_emulator.settings import DEFAULT_OBJECTS, DWR_ANSWERS, Settings

try:
    from cloud_runs_emulator.server import listen, run
except ModuleNotFoundError as missing:
    if missing.name not in ("httptools", "uvicorn", "uvloop"):
        raise
    sys.exit("the emulator needs more than the package itself: pip install '.[emulator]'")

_INDENT = " " * 30
_ACTIONS = textwrap.fill(
    "actions: " + ", ".join(sorted(ACTIONS)), 120, initial_indent=_INDENT, subsequent_indent=_INDENT
)
_EPILOG = f"""\
key pairs:
  --access-key and --secret-key come in pairs, in the same order, as often as wanted. Without any, this public pair is
  accepted, which opens nothing else:
    access key  {DEFAULT_ACCESS_KEY}
    secret key  {DEFAULT_SECRET_KEY}

admin calls (JSON):
  GET  /_emulator/runs        all runs, oldest first
  GET  /_emulator/requests    how many requests came, by system and operation, and over how many connections
  POST /_emulator/runs/<id>   {{"state": "Failed", "code": "...", "message": "..."}} sets a run's state
  POST /_emulator/faults      {{"system", "operation", "action", "times", ...}}, or a list of them for one request
{_ACTIONS}
  DELETE /_emulator/faults    forget those that have met no request; the answer lists them
  POST /_emulator/reset       forget runs, counts, faults and tokens

The first line on stdout is "listening on http://HOST:PORT". SIGINT and SIGTERM end the process with status 0.
"""


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1e9")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloud-runs-emulator",
        description="Cloud workflow services on loopback, for tests and trials. Keeps everything in memory.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_port, default=9700, help="port; 0 picks a free one (default %(default)s)")
    parser.add_argument(
        "--run-seconds", type=_seconds, default=3.0, metavar="S", help="how long a run takes (default %(default)s)"
    )
    parser.add_argument(
        "--latency-ms", type=_seconds, default=0.0, metavar="N", help="added to each answer (default %(default)s)"
    )
    parser.add_argument(
        "--list-lag-seconds",
        type=_seconds,
        default=0.0,
        metavar="S",
        help="how late a run shows in lists; a look by id is never late (default %(default)s)",
    )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="answer CONNECT with https as any host, by certificates of an authority that is made now; its file is "
        "printed, for clients to trust",
    )
    parser.add_argument(
        "--dwr-answers",
        choices=DWR_ANSWERS,
        default=DWR_ANSWERS[0],
        help="whose lists and looks Huawei DWR gives: those of the vendor's SDK or of its pages (default %(default)s)",
    )
    parser.add_argument("--access-key", action="append", default=[], metavar="K", help="accepted access key; see below")
    parser.add_argument("--secret-key", action="append", default=[], metavar="K", help="its secret key; see below")
    parser.add_argument(
        "--objects",
        action="extend",
        nargs="+",
        metavar="KEY",
        help=f"objects that each bucket holds, for inventory jobs; repeatable (default {' '.join(DEFAULT_OBJECTS)})",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; returns the exit status: 0, or 1 if the address cannot be had (2 for wrong flags)."""
    parser = _parser()
    flags = parser.parse_args(arguments)
    if len(flags.access_key) != len(flags.secret_key):
        parser.error("--access-key and --secret-key come in pairs")
    keys = dict(zip(flags.access_key, flags.secret_key, strict=True)) or dict(DEFAULT_KEYS)
    settings = Settings(
        run_seconds=flags.run_seconds,
        latency=flags.latency_ms / 1000,
        list_lag=flags.list_lag_seconds,
        keys=keys,
        objects=tuple(flags.objects or DEFAULT_OBJECTS),
        dwr_answers=flags.dwr_answers,
    )
    try:
        bound = listen(flags.host, flags.port)
    except OSError as error:
        print(f"emulator: cannot listen on {flags.host}:{flags.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    try:
        authority = Authority() if flags.tls else None
    except NoAuthority as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 1
    host = f"[{flags.host}]" if ":" in flags.host else flags.host
    lines = [f"listening on http://{host}:{bound.getsockname()[1]}"]
    # A secret from the command line is the user's and is not repeated; the default one is public.
    lines += [f"access key {key}" + (f", secret key {keys[key]}" if keys == DEFAULT_KEYS else "") for key in keys]
    lines += [f"certificate authority {authority.certificate}"] if authority else []

    def announce() -> None:
        # One write: whoever reads only the first line and closes the pipe must not end the server.
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()

    try:
        run(Emulator(settings), bound, announce, authority)
    finally:
        if authority:
            authority.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
