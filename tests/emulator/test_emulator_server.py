"""What needs a real process and real connections: the command line, connection faults, proxy mode, the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from emulator_bench import HOST, ORDER, WORKFLOW
from emulator_process import ROOT, Server

from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY

TRIGGER = ("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": "videos/my clip (1)~中.mp4"})


def fault(server: Server, action: str, operation: str = "start", **more: object) -> None:
    order = {"system": "tencent.workflow", "operation": operation, "action": action, **more}
    assert server.admin("faults", order).status_code == 200


def runs(server: Server) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = server.admin("runs").json()
    return rows


def test_first_lines(start: Callable[..., Server]) -> None:
    server = start()
    assert server.first_line == f"listening on http://127.0.0.1:{server.port}\n"
    assert server.stdout.readline() == f"access key {DEFAULT_ACCESS_KEY}, secret key {DEFAULT_SECRET_KEY}\n"


def test_trigger_and_look(server: Server) -> None:
    reply = server.call(*TRIGGER)
    assert reply.status_code == 200
    assert reply.headers["Server"] == "tencent-ci"
    assert reply.headers["Date"].endswith(" GMT")
    assert len(reply.headers["x-ci-request-id"]) > 20
    run = ElementTree.fromstring(reply.content).findtext("InstanceId")
    look = ElementTree.fromstring(server.call("GET", f"/workflowexecution/{run}").content)
    assert look.findtext("WorkflowExecution/Object") == TRIGGER[2]["object"]


def test_proxy(server: Server) -> None:
    assert server.call(*TRIGGER, proxy=True).status_code == 200
    assert server.call("POST", "/inventorytriggerjob", body=ORDER, proxy=True).status_code == 200
    rows = runs(server)
    assert rows[0]["request"]["headers"]["host"] == HOST
    assert rows[0]["request"]["path"] == "/triggerworkflow"
    wrong = server.call(*TRIGGER, proxy=True, keys=(DEFAULT_ACCESS_KEY, "wrong"))
    assert wrong.status_code == 403
    admin = requests.get(f"http://{HOST}/_emulator/requests", proxies={"http": server.base}, timeout=30)
    assert admin.json()["tencent.workflow"]["start"] == 2


def test_request_line_with_absolute_uri(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(f"GET http://{HOST}/_emulator/runs?x=1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_drop_response(server: Server) -> None:
    fault(server, "drop_response")
    with pytest.raises(requests.ConnectionError):
        server.call(*TRIGGER)
    assert [row["origin"] for row in runs(server)] == ["api"]
    assert server.call(*TRIGGER).status_code == 200


def test_reset_before(server: Server) -> None:
    fault(server, "reset_before")
    with pytest.raises(requests.ConnectionError, match="reset"):
        server.call(*TRIGGER)
    assert runs(server) == []
    assert server.call(*TRIGGER).status_code == 200


def test_truncate(server: Server) -> None:
    fault(server, "truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        server.call(*TRIGGER)
    assert len(runs(server)) == 1


def test_drop_response_sends_no_byte(server: Server) -> None:
    fault(server, "drop_response", "get")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(f"GET /workflowexecution/i0 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert client.recv(65536) == b""


def test_connections(server: Server) -> None:
    for _ in range(3):
        assert server.call(*TRIGGER).status_code == 200
    assert server.admin("requests").json()["connections"] == 1
    with requests.Session() as other:
        other.get(f"{server.base}/workflowexecution/i0", timeout=30)
    assert server.admin("requests").json()["connections"] == 2
    server.admin("reset", {})
    assert server.admin("requests").json()["connections"] == 0
    server.call(*TRIGGER)
    assert server.admin("requests").json()["connections"] == 1


def test_keys(start: Callable[..., Server]) -> None:
    pairs = [("AKIDFIRST", "one"), ("AKIDSECOND", "two")]
    server = start(*(flag for key, secret in pairs for flag in ("--access-key", key, "--secret-key", secret)))
    assert [server.stdout.readline() for _ in pairs] == ["access key AKIDFIRST\n", "access key AKIDSECOND\n"]
    for pair in pairs:
        assert server.call(*TRIGGER, keys=pair).status_code == 200
    assert b"InvalidAccessKeyId" in server.call(*TRIGGER).content
    assert b"SignatureDoesNotMatch" in server.call(*TRIGGER, keys=("AKIDFIRST", "two")).content


def test_flags(start: Callable[..., Server]) -> None:
    flags = ["--run-seconds", "0", "--list-lag-seconds", "3600", "--latency-ms", "1"]
    server = start(*flags, "--objects", "input/x", "out/y", "--objects", "input/z")
    server.call("POST", "/inventorytriggerjob", body=ORDER)
    assert [row["state"] for row in runs(server)] == ["Success", "Success", "Success"]
    listed = server.call("GET", "/workflowexecution", {"workflowId": WORKFLOW})
    assert b"WorkflowExecutionList" not in listed.content
    run = runs(server)[2]["id"]
    assert b"input/z" in server.call("GET", f"/workflowexecution/{run}").content


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_with_open_connections_and_waiting_requests(start: Callable[..., Server], number: int) -> None:
    server = start()
    fault(server, "delay", seconds=3600)
    server.call("GET", "/workflowexecution/i0")  # leaves a kept connection in the session's pool
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            requests.post(f"{server.base}/triggerworkflow", timeout=60)
        except requests.ConnectionError as error:
            failures.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while server.admin("requests").json()["tencent.workflow"]["start"] == 0:
        pass
    assert server.stop(number) == (0, "")
    waiting.join(timeout=30)
    assert len(failures) == 1


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cloud_runs_emulator", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_port_in_use(server: Server) -> None:
    done = run("--port", str(server.port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"emulator: cannot listen on 127.0.0.1:{server.port}: Address already in use\n"


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--access-key", "a"], "come in pairs"),
        (["--port", "70000"], "between 0 and 65535"),
        (["--run-seconds", "-1"], "between 0 and"),
        (["--latency-ms", "nan"], "between 0 and"),
        (["--port", "http"], "invalid"),
    ],
)
def test_bad_flags(flags: list[str], text: str) -> None:
    done = run(*flags)
    assert done.returncode == 2
    assert text in done.stderr


def test_help_tells_the_keys() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert DEFAULT_ACCESS_KEY in done.stdout
    assert DEFAULT_SECRET_KEY in done.stdout
