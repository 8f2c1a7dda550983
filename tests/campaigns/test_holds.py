"""Hosts are held where they are to be, and a slow one is waited for."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.campaigns import holds
from tests.campaigns.holds import END, Holds


@pytest.fixture
def held() -> Iterator[Holds]:
    with closing(Holds()) as made:
        yield made


def told(held: Holds, name: str, point: str) -> socket.socket:
    """As a host tells it (inside/host_points.py)."""
    host = socket.create_connection(("127.0.0.1", int(held.environment["CAMPAIGN_PORT"])), timeout=10)
    host.sendall(json.dumps({"pid": 1, "name": name, "point": point}).encode() + b"\n")
    return host


def test_a_host_is_held_at_its_instant_alone_and_goes_on_when_it_is_released(held: Holds) -> None:
    held.arm("run", "sent", 2)
    with told(held, "run", "ask") as other, told(held, "run", "sent") as first:
        assert (other.recv(1), first.recv(1)) == (b"", b"")
    with told(held, "run", "sent") as second:
        hit = held.wait(lambda: False)["run"]
        second.settimeout(0.2)
        with pytest.raises(TimeoutError):
            second.recv(1)
        hit.release()
        second.settimeout(10)
        assert second.recv(1) == b""


def test_what_has_ended_is_not_waited_for(held: Holds) -> None:
    held.arm("run", "sent")
    with told(held, "run", END) as host:
        assert host.recv(1) == b""
    assert held.wait(lambda: False) == {}


def test_a_slow_start_is_waited_for_however_long_nothing_is_told(held: Holds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a busy machine would have all instants missed."""
    monkeypatch.setattr(holds, "QUIET_SECONDS", 0.0)
    held.arm("run", "sent")
    late: list[socket.socket] = []
    timer = threading.Timer(0.3, lambda: late.append(told(held, "run", "sent")))
    timer.start()
    hit = held.wait(lambda: False)["run"]
    hit.release()
    timer.join()
    late[0].close()


def test_while_one_is_held_another_that_never_comes_is_given_up(held: Holds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "QUIET_SECONDS", 0.1)
    held.arm("run", "sent")
    held.arm("other", "sent")
    with told(held, "run", "sent"):
        began = time.monotonic()
        hits = held.wait(lambda: time.monotonic() - began > 30)
        assert set(hits) == {"run"}
        hits["run"].release()
