"""Hosts that are held at named instants. The host's side is inside/host_points.py."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import Stack

INSIDE = Path(__file__).parent / "inside"
END = "end"
"""As the host tells it."""
QUIET_SECONDS = 60.0
"""While others are held and nothing more is told: what is armed is not asked for in this `up`."""


@dataclass(frozen=True)
class Hit:
    """A host that waits at the point."""

    pid: int
    point: str
    connection: socket.socket

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.close()


class Holds:
    """`arm` a point of a resource; the next host that comes there for it waits, until it is released or ends."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._lock = threading.Lock()
        self._armed: dict[str, tuple[str, int]] = {}
        self._hits: dict[str, Hit] = {}
        self._heard = 0.0
        self._ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """For the engine, which hands it on to its hosts."""
        path = os.pathsep.join(filter(None, (str(INSIDE), Stack.settings.get("PYTHONPATH"))))
        return {"PYTHONPATH": path, "CAMPAIGN_PORT": str(self._listener.getsockname()[1])}

    def arm(self, name: str, point: str, nth: int = 1) -> None:
        """`nth`: so many times it comes there."""
        with self._lock:
            self._armed[name] = point, nth

    def wait(self, over: Callable[[], bool]) -> dict[str, Hit]:
        """Until each armed point is hit, or cannot be hit any more; what was hit. Nothing is armed after that."""
        self._heard = time.monotonic()
        while self._armed and not over() and not self._quiet():
            time.sleep(0.02)
        with self._lock:
            self._armed.clear()
            hits, self._hits = self._hits, {}
            return hits

    def _quiet(self) -> bool:
        """Only what is held keeps an `up` from its end; without that a slow machine is waited for."""
        with self._lock:
            return bool(self._hits) and time.monotonic() - self._heard > QUIET_SECONDS

    def close(self) -> None:
        self._ended = True
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ended:
                connection.close()
                return
            threading.Thread(target=self._told, args=(connection,), daemon=True).start()

    def _told(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection.makefile() as lines:
            line = lines.readline()
            if line and self._holds(json.loads(line), connection):
                return
        connection.close()

    def _holds(self, told: dict[str, str], connection: socket.socket) -> bool:
        name, point = told["name"], told["point"]
        with self._lock:
            self._heard = time.monotonic()
            armed, nth = self._armed.get(name, ("", 0))
            if armed and point == END:
                del self._armed[name]
            if armed != point:
                return False
            if nth > 1:
                self._armed[name] = armed, nth - 1
                return False
            del self._armed[name]
            self._hits[name] = Hit(int(told["pid"]), point, connection)
            return True
