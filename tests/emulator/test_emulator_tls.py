"""`--tls`: SDKs that insist on https reach the emulator under the vendors' own host names, through CONNECT."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from emulator_bench import HOST, WORKFLOW, authorization
from emulator_process import ROOT, Server

from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from cloud_runs_emulator.systems import Request

OTHER = HOST.replace("myqcloud.com", "tencentci.cn")


@pytest.fixture
def secured(start: Callable[..., Server]) -> Server:
    server = start("--tls")
    server.stdout.readline()
    name, _, path = server.stdout.readline().rstrip("\n").rpartition(" ")
    assert name == "certificate authority"
    server.session.verify = path
    server.session.proxies = {"https": server.base}
    return server


def trigger(server: Server, host: str = HOST) -> requests.Response:
    query = {"workflowId": WORKFLOW, "object": "a.mp4"}
    request = Request("POST", "/triggerworkflow", list(query.items()), [("host", host)], b"")
    signed = authorization(request, time.time(), DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)
    url = f"https://{host}/triggerworkflow?{urlencode(query)}"
    return server.session.post(url, headers={"Authorization": signed}, timeout=30)


def tunnel(server: Server, authority: str) -> tuple[socket.socket, bytes]:
    """A connection after a CONNECT in small pieces, and the head of what was answered."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    for byte in f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode():
        connection.sendall(bytes([byte]))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1)
    return connection, answer


def test_the_vendors_hosts_are_reached_by_https(secured: Server) -> None:
    for host in (HOST, OTHER):
        assert trigger(secured, host).status_code == 200
    rows = secured.admin("runs").json()
    assert [row["request"]["headers"]["host"] for row in rows] == [HOST, OTHER]
    assert secured.session.get("https://obs.cn-north-4.myhuaweicloud.com/v2/workflows/g", timeout=30).status_code == 403
    assert secured.session.get("https://gateway.example/nothing", timeout=30).status_code == 404


def test_a_host_that_only_looks_like_the_vendors_is_refused(secured: Server) -> None:
    answer = trigger(secured, "media-1250000000.ci.ap-beijing.tencentcos.cn")
    assert (answer.status_code, "InvalidHost" in answer.text) == (400, True)
    assert secured.admin("runs").json() == []


def test_requests_share_a_connection(secured: Server) -> None:
    for _ in range(3):
        assert trigger(secured).status_code == 200
    assert secured.admin("requests").json()["connections"] == 1


@pytest.mark.parametrize("action", ["drop_response", "reset_before", "truncate"])
def test_faults_of_a_connection_go_through_the_tunnel(secured: Server, action: str) -> None:
    secured.admin("faults", {"system": "tencent.workflow", "operation": "start", "action": action})
    with pytest.raises(requests.RequestException):
        trigger(secured)
    assert len(secured.admin("runs").json()) == (action != "reset_before")
    assert trigger(secured).status_code == 200


def test_a_client_that_does_not_trust_it_is_not_served(secured: Server) -> None:
    connection, answer = tunnel(secured, f"{HOST}:443")
    assert answer.startswith(b"HTTP/1.1 200 ")
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(connection, server_hostname=HOST)
    connection.close()
    with pytest.raises(requests.exceptions.SSLError):
        secured.session.get(f"https://{HOST}/workflow", verify=True, timeout=30)
    assert trigger(secured).status_code == 200


def test_the_certificate_is_that_of_the_host(secured: Server) -> None:
    connection, _ = tunnel(secured, f"{HOST}:443")
    context = ssl.create_default_context(cafile=str(secured.session.verify))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with context.wrap_socket(connection, server_hostname=HOST) as wrapped:
        names = wrapped.getpeercert()
    assert names is not None
    assert names["subjectAltName"] == (("DNS", HOST),)


@pytest.mark.parametrize("authority", ["../../etc:443", "a_b/c:443", ":443", "nothing"])
def test_what_is_no_host(secured: Server, authority: str) -> None:
    connection, answer = tunnel(secured, authority)
    with connection:
        assert answer.startswith(b"HTTP/1.1 400 ")


def test_plain_http_in_a_tunnel_needs_no_tls(server: Server) -> None:
    connection, answer = tunnel(server, f"{HOST}:80")
    with connection:
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"
        connection.sendall(f"GET /workflowexecution/i0 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 403"


def test_https_without_the_flag_is_told_so(server: Server) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="400"):
        requests.get(f"https://{HOST}/workflow", proxies={"https": server.base}, timeout=30)


def test_the_authority_is_gone_at_the_end(secured: Server) -> None:
    folder = Path(str(secured.session.verify)).parent
    assert (folder.stat().st_mode & 0o777, (folder / "ca.key").stat().st_mode & 0o777) == (0o700, 0o600)
    waiting, _ = tunnel(secured, f"{HOST}:443")
    with waiting:
        assert secured.stop() == (0, "")
    assert not folder.exists()


def test_without_openssl_it_says_so() -> None:
    command = [sys.executable, "-m", "cloud_runs_emulator", "--port", "0", "--tls"]
    ended = subprocess.run(command, cwd=ROOT, env={"PATH": "/nowhere"}, capture_output=True, text=True, timeout=60)
    told = "emulator: --tls needs the command openssl: No such file or directory\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", told)
