"""Faults of a hostile world over real connections, where it matters what is on the wire and who is still there."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from emulator_bench import HOST, WORKFLOW, authorization
from emulator_process import Server

from cloud_runs_emulator.systems import Request

TRIGGER = ("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": "a.mp4"})
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"

OPERATIONS = [
    ("tencent.workflow", "start", "POST /triggerworkflow", HOST),
    ("tencent.inventory", "find", "GET /inventorytriggerjob", HOST),
    ("huawei.workflow", "start", "POST /v2/workflows/demo", "obs.cn-north-4.myhuaweicloud.com"),
    ("huawei.dwr", "start", "POST /v3/p/workflows/demo/execute", "dwr.cn-south-1.myhuaweicloud.com"),
    ("enos.flow", "start", "POST /dataflow-batch-service/v2.0/flows?action=trigger", "apigw.example.com"),
]
CLIENT = """
import socket, sys
request = sys.stdin.buffer.read()
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
client.sendall(request)
client.recv(1)
"""
"""A client that sends what it gets on stdin, and waits for an answer."""


def fault(server: Server, action: str, operation: str = "start", system: str = "tencent.workflow", **more: Any) -> None:
    order = {"system": system, "operation": operation, "action": action, **more}
    assert server.admin("faults", order).status_code == 200


def runs(server: Server) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = server.admin("runs").json()
    return rows


def signed() -> bytes:
    """The bytes of a signed request that starts a workflow."""
    method, path, query = TRIGGER
    headers = [("host", HOST), ("content-length", "0")]
    headers.append(
        ("authorization", authorization(Request(method, path, list(query.items()), headers, b""), time.time()))
    )
    lines = [f"{method} {path}?{urlencode(query)} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Wire:
    """A connection that is read byte by byte."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes; fewer at the end of the stream."""
        return self._file.read(size)

    def answer(self) -> tuple[bytes, dict[str, str], bytes]:
        """The next status line, with headers and the whole body by Content-Length."""
        status = self._file.readline()
        headers: list[tuple[str, str]] = []
        while (line := self._file.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.lower(), value.strip()))
        assert len(dict(headers)) == len(headers), "no header comes twice"
        return status, dict(headers), self.read(int(dict(headers).get("content-length", 0)))


def test_interim_then_the_whole_answer_on_the_same_connection(server: Server) -> None:
    fault(server, "interim", status=102, seconds=0.05)
    fault(server, "interim", status=103, seconds=0.05, after_effect=True)
    with Wire(server) as wire:
        for interim in (PROCESSING, b"HTTP/1.1 103 Early Hints\r\n\r\n", b""):
            wire.send(signed())
            assert wire.read(len(interim)) == interim
            status, headers, body = wire.answer()
            assert status == b"HTTP/1.1 200 OK\r\n"
            assert headers["date"].endswith(" GMT")
            run = ElementTree.fromstring(body).findtext("InstanceId")
            assert runs(server)[-1]["id"] == run
    assert len(runs(server)) == 3
    assert server.admin("requests").json()["connections"] == 1


def test_interim_does_not_wait_for_the_answer(server: Server) -> None:
    fault(server, "interim", seconds=3600)
    with Wire(server) as wire:
        wire.send(signed())
        assert wire.read(len(PROCESSING)) == PROCESSING
        assert runs(server) == []


@pytest.mark.parametrize(("system", "operation", "line", "host"), OPERATIONS)
def test_interim_of_each_system(server: Server, system: str, operation: str, line: str, host: str) -> None:
    fault(server, "interim", operation, system)
    with Wire(server) as wire:
        for interim in (PROCESSING, b""):
            wire.send(f"{line} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
            assert wire.read(len(interim)) == interim
            status, _, body = wire.answer()
            assert status[9:12] in (b"403", b"401", b"200")
            assert body


def test_slow_effect_holds_when_the_client_was_killed(server: Server) -> None:
    fault(server, "slow_effect", seconds=2)
    with subprocess.Popen([sys.executable, "-c", CLIENT, str(server.port)], stdin=subprocess.PIPE) as client:
        assert client.stdin is not None
        client.stdin.write(signed())
        client.stdin.close()
        while server.admin("requests").json()["tencent.workflow"]["start"] == 0:
            pass
        client.kill()
        client.wait()
    before = runs(server)
    while not runs(server):
        pass
    assert before == []
    assert [row["origin"] for row in runs(server)] == ["api"]
    assert server.call(*TRIGGER).status_code == 200


def test_slow_effect_holds_when_the_connection_was_reset(server: Server) -> None:
    place = {"system": "tencent.workflow", "operation": "start"}
    order = [{**place, "action": "slow_effect", "seconds": 1}, {**place, "action": "reset_before"}]
    assert server.admin("faults", order).json() == {"accepted": 2}
    with Wire(server) as wire:
        wire.send(signed())
        with pytest.raises(ConnectionResetError):
            wire.read(1)
    while not runs(server):
        pass
    assert server.admin("requests").json()["tencent.workflow"]["start"] == 1


def test_slow_effect_is_answered_then(server: Server) -> None:
    fault(server, "slow_effect", seconds=0.05)
    run = ElementTree.fromstring(server.call(*TRIGGER).content).findtext("InstanceId")
    assert [row["id"] for row in runs(server)] == [run]


def test_repeat_has_two_effects_and_one_answer(server: Server) -> None:
    fault(server, "repeat")
    with Wire(server) as wire:
        ids = []
        for _ in range(2):
            wire.send(signed())
            status, _, body = wire.answer()
            assert status == b"HTTP/1.1 200 OK\r\n"
            ids.append(ElementTree.fromstring(body).findtext("InstanceId"))
    assert len(runs(server)) == 3
    assert [runs(server)[place]["id"] for place in (0, 2)] == ids
    assert server.admin("requests").json()["tencent.workflow"]["start"] == 3


def test_odd_id_in_a_path(server: Server) -> None:
    odd = "a b%41?c#d+e;f&<é"
    fault(server, "odd_id", id=odd)
    assert ElementTree.fromstring(server.call(*TRIGGER).content).findtext("InstanceId") == odd
    look = ElementTree.fromstring(server.call("GET", f"/workflowexecution/{odd}").content)
    assert look.findtext("WorkflowExecution/RunId") == odd
    assert look.findtext("WorkflowExecution/State") == "Running"


def test_date_skew(server: Server) -> None:
    fault(server, "date_skew", seconds=-86_400)
    dates = [parsedate_to_datetime(server.call(*TRIGGER).headers["Date"]) for _ in range(2)]
    assert (dates[1] - dates[0]).days == 1
