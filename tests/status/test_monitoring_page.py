"""docs/monitoring.md, and the verbs' blocks of docs/status.md: each as it stands there, on an export of a stack."""

from __future__ import annotations

import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloud_runs.status import prometheus
from tests.demo.pages import ROOT, blocks
from tests.status.exports import Exported
from tests.status.samples import HOSTILE, every_phase, hostile, large, report, run
from tests.support.clients import service
from tests.support.emulator import Emulator

PAGE = "docs/monitoring.md"
SUMMARY, METRICS, SLACK, MAIL = (text for _, text in blocks(PAGE))
SAMPLE = re.compile(r'(cloud_runs_\w+)\{((?:\w+="(?:[^"\\\n]|\\\\|\\")*",?)*)\} (-?[0-9.e+]+)')


@pytest.fixture
def stack(tmp_path: Path, cloud: Emulator) -> Exported:
    """A run of its own that goes on, one that failed, and one that succeeded."""
    made = Exported(tmp_path, cloud, "tencent.workflow", "tencent.workflow", "enos.flow")
    _, failed, flow = made.runs.values()
    cloud.set_state(failed, "Failed", "AccessDenied", 'no "right" <b>')
    cloud.set_state(flow, "SUCCESS")
    return made


def sh(stack: Exported, block: str, **env: str) -> subprocess.CompletedProcess[str]:
    """As a pipeline runs it; the page's stack is the export."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    block = block.replace("--stack dev", f"--state '{stack.file}'")
    return subprocess.run(
        ["sh", "-e", "-c", block],
        cwd=stack.folder,
        env=stack.env | {"PATH": path} | env,
        capture_output=True,
        text=True,
    )


def test_the_summary_of_a_job(stack: Exported, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    done = sh(stack, SUMMARY, GITHUB_STEP_SUMMARY=str(summary))
    assert (done.returncode, done.stderr) == (10, "")
    text = summary.read_text()
    assert text.startswith("# Before\n### Runs of p/s\n")
    rows = re.findall(r"^\| (\S+) \| \S+ (\w+) \|", text.replace("\\", ""), re.MULTILINE)
    assert rows == [("tencent-workflow-1", "failed"), ("tencent-workflow-0", "running"), ("enos-flow-2", "succeeded")]
    assert "<details><summary>1 succeeded</summary>" in text
    assert "<b>" not in text


def test_metrics_in_the_textfile_format(stack: Exported, tmp_path: Path) -> None:
    done = sh(stack, METRICS, TEXTFILES=str(tmp_path))
    assert (done.returncode, done.stderr) == (10, "")
    text = (tmp_path / "cloud-runs.prom").read_text()
    labels = 'project="p",stack="s"'
    assert f'cloud_runs_runs{{{labels},resource="tencent-workflow-1",phase="failed"}} 1\n' in text
    assert f'cloud_runs_runs{{{labels},resource="tencent-workflow-1",phase="missing"}} 0\n' in text
    assert f"cloud_runs_status_exit_code{{{labels}}} 10\n" in text
    assert (tmp_path / "cloud-runs.prom").stat().st_mode & 0o044, "which another user reads"


@pytest.mark.parametrize("made", [report(), report(run()), every_phase(), hostile(), large()])
def test_each_line_is_one_that_prometheus_reads(made: object) -> None:
    text = prometheus.text(made)  # type: ignore[arg-type]
    names = set()
    for line in text.splitlines():
        if not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match, line
            names.add(match[1])
    assert names <= set(re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE))
    documented = set(re.findall(r"^\| `(cloud_runs_\w+)`", (ROOT / PAGE).read_text(), re.MULTILINE))
    assert set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) == documented
    assert len(text.splitlines()) < 400, "not a series for each object"
    assert HOSTILE not in text


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the recipe needs curl and jq")
def test_a_message_for_slack(stack: Exported) -> None:
    with service(lambda _: b"ok") as (url, received):
        done = sh(stack, SLACK, SLACK_WEBHOOK=f"{url}/hook")
        assert (done.returncode, done.stderr) == (0, "")
        ((line, _, body),) = received
        assert line.startswith("POST /hook ")
        assert json.loads(body)["text"] == (
            'Runs of p/s: 1 failed, 1 running, 1 succeeded\n• tencent-workflow-1  AccessDenied no "right" <b>'
        )
        for id in stack.runs.values():
            stack.cloud.set_state(id, "SUCCESS" if id.startswith("e") or "-" in id else "Success")
        received.clear()
        assert sh(stack, SLACK, SLACK_WEBHOOK=url).returncode == 0
        assert received == [], "all succeeded: nothing is said"


@pytest.mark.skipif(not shutil.which("curl"), reason="the recipe needs curl")
def test_a_mail_with_the_page(stack: Exported) -> None:
    with mail_server() as (url, received):
        who = {"MAIL_FROM": "runs@tests.example", "MAIL_TO": "team@tests.example"}
        done = sh(stack, MAIL, SMTP_URL=url, **who)
        assert (done.returncode, done.stderr) == (0, "")
    (mail,) = received
    head, _, page = mail.partition("\n\n")
    assert "To: team@tests.example" in head
    assert "Content-Type: text/html; charset=utf-8" in head
    assert page.startswith("<!doctype html>")
    assert "1 failed" in page


@contextmanager
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """The few words of SMTP that a client needs."""
    received: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 tests\r\n")
            while line := self.rfile.readline():
                word = line.split()[0].upper() if line.split() else b""
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    received.append(b"".join(lines).decode().replace("\r\n", "\n"))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"smtp://127.0.0.1:{server.server_address[1]}", received
        server.shutdown()


def test_the_verbs_of_the_page_about_status(stack: Exported) -> None:
    texts = [text for _, text in blocks("docs/status.md")]
    (wait,) = [text for text in texts if text.startswith("cloud-runs wait")]
    (cancel,) = [text for text in texts if text.startswith("cloud-runs cancel meters")]
    stack.add("enos.flow", "meters", stack.runs["enos-flow-2"])
    assert sh(stack, cancel).stdout == "meters: succeeded (SUCCESS)\n"
    stack.cloud.set_state(stack.runs["tencent-workflow-0"], "Success")
    done = sh(stack, wait)
    assert (done.returncode, done.stderr) == (10, "2/3 done, 1 FAILED\n")
