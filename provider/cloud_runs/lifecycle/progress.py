"""Messages on a resource's own row, and whether the engine that asked for a run is still there.

The dynamic host gives a provider no connection to the engine, but its last argument is the engine's address
(observed with engine v3.259 and SDK 3.272; docs/engine.md). If that cannot be understood, nothing is
shown and the check is skipped.
"""

from __future__ import annotations

import functools
import re
import socket
import struct
import sys
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # it ships no types
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_ADDRESS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}")
_SECONDS = 5.0
_LISTENS = "0A"  # Linux' TCP_LISTEN, as proc(5) shows it


def _address() -> str:
    """The engine's `host:port`; empty if it cannot be understood."""
    address = sys.argv[-1] if sys.argv else ""
    return address if _ADDRESS.fullmatch(address) else ""


def has_engine() -> bool:
    """Whether this process is the host of an engine that can be asked for."""
    return bool(_address())


@functools.cache
def _engine() -> engine_pb2_grpc.EngineStub | None:
    address = _address()
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None


def _log(urn: str, text: str, severity: engine_pb2.LogSeverity.ValueType, ephemeral: bool) -> bool:
    engine = _engine()
    if engine is None:
        return True
    try:
        engine.Log(
            engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral), timeout=_SECONDS
        )
    except grpc.RpcError:
        return False
    return True


def engine_alive(urn: str) -> bool:
    """Contacts the engine (at most 5 s). A killed engine leaves its host behind, which must not fire."""
    return not engine_gone() and _log(urn, "starting", engine_pb2.INFO, ephemeral=True)


def engine_gone() -> bool:
    """Whether nothing listens at the engine's address any more, or something else does, as far as the system tells.
    Shows nothing; never raises."""
    host, _, port = _address().rpartition(":")
    if not host:
        return False
    first, now = _first_listener(host, port), _listener(host, port)
    if first and now is not None:
        return now != first
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@functools.cache
def _first_listener(host: str, port: str) -> str | None:
    """That is the engine: it has just asked this host for something."""
    return _listener(host, port)


def _listener(host: str, port: str) -> str | None:
    """Which socket listens there: its inode, empty for none; None if that cannot be told (Linux tells it of an IPv4
    address). Ports are given out again, and another program's, or the next engine's, is not the one that has asked."""
    try:
        (address,) = struct.unpack("=I", socket.inet_pton(socket.AF_INET, host))
        rows = Path("/proc/net/tcp").read_text("ascii").splitlines()
    except (OSError, ValueError):
        return None
    wanted = [f"{address:08X}:{int(port):04X}", _LISTENS]
    return next((row[9] for row in map(str.split, rows) if [row[1], row[3]] == wanted), "")


def tell(urn: str, text: str) -> None:
    """Shows a passing message on the resource's row; it is not repeated in the final diagnostics. Never raises."""
    _log(urn, text, engine_pb2.INFO, ephemeral=True)


def note(urn: str, text: str) -> None:
    """Shows a message that stays in the final diagnostics. Never raises."""
    _log(urn, text, engine_pb2.INFO, ephemeral=False)


def learned(urn: str, text: str, *, failed: bool) -> None:
    """What a refresh shows of a run. A terminal keeps no passing message, and a failure is to be read. Never raises."""
    (note if failed else tell)(urn, text)


def warn(urn: str, text: str) -> None:
    """Shows a warning that stays in the final diagnostics. Never raises."""
    _log(urn, text, engine_pb2.WARNING, ephemeral=False)
