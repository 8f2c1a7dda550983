"""`cloud-runs wait` and `status --watch` against the emulator: without engine, project or Pulumi."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import sys
from pathlib import Path

import pytest

from cloud_runs.status import command
from tests.engine.interrupted import wait_until
from tests.kits import KITS
from tests.status.exports import ALL, Exported
from tests.support.emulator import Emulator

CI, FLOWS = "tencent.workflow", "enos.flow"
QUICK = ("--interval", "1")


def looks(cloud: Emulator, system: str = CI) -> int:
    asked = cloud.requests().get(system, {})
    return asked.get("get", 0) + asked.get("find", 0)


def test_it_waits_for_every_system_and_starts_nothing(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, *ALL)
    starts = {system: cloud.count(system, "start") for system in ALL}
    success = {name: kit.success for name, kit in KITS.items()}
    with stack.start("wait", *QUICK, "--json") as process:
        wait_until(lambda: all(looks(cloud, system) for system in ALL))
        for run in cloud.runs():
            cloud.set_state(run["id"], success[run["system"]])
        out, error = process.communicate(timeout=120)
    report = json.loads(out)
    assert (process.returncode, report["counts"], report["exit_code"]) == (0, {"succeeded": len(ALL)}, 0)
    assert error.splitlines()[0] == f"0/{len(ALL)} done, {len(ALL)} running"
    assert error.splitlines()[-1] == f"{len(ALL)}/{len(ALL)} done"
    assert {system: cloud.count(system, "start") for system in ALL} == starts
    assert sum(cloud.count(system, "cancel") for system in ALL) == 0


def test_a_failure_is_told_while_the_others_go_on_and_is_the_end_of_it(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, CI, CI, FLOWS)
    first, second, flow = stack.runs.values()
    with stack.start("wait", *QUICK, "--timeout", "120s") as process:
        cloud.set_state(first, "Failed", "AccessDenied", "no right")
        assert process.stderr
        seen = ""
        while "0/3 done, 1 FAILED, 2 running" not in seen:
            line = process.stderr.readline()
            assert line, seen
            seen += line
        cloud.set_state(second, "Success")
        cloud.set_state(flow, "SUCCESS")
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 10
    assert out.splitlines()[1].split()[:2] == ["tencent-workflow-0", "failed"]
    assert "tencent-workflow-0: task Transcode_1: AccessDenied: no right\n" in out


def test_the_end_of_the_time_and_ctrl_c_leave_the_runs_alone(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, CI, FLOWS)
    code, out, error = stack.run("wait", *QUICK, "--timeout", "1s")
    assert (code, "2 running" in out) == (11, True)
    assert error.endswith("not ended after 1s; the runs go on\n")
    asked = looks(cloud)
    with stack.start("wait", *QUICK) as process:
        wait_until(lambda: looks(cloud) > asked)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in error
    assert {run["state"] for run in cloud.runs()} == {"Running", "RUNNING"}


def test_a_key_that_is_refused_ends_a_wait_at_once_and_not_a_watch(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, CI, FLOWS)
    stack.env["ENOS_SECRET_KEY"] = "wrong-and-not-to-be-told"
    code, out, error = stack.run("wait", *QUICK)
    assert code == 12
    assert "enos-flow-1: could not be queried, so this is what is recorded: " in out
    assert "wrong-and-not-to-be-told" not in out + error
    asked = looks(cloud)
    with stack.start("status", "--watch", *QUICK) as process:
        wait_until(lambda: looks(cloud) > asked + 1)
        cloud.set_state(stack.runs["tencent-workflow-0"], "Success")
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 12
    assert re.search(r"\ntencent-workflow-0 +succeeded ", out)


@pytest.mark.long  # a service may show a run late, so the answer counts after 20 s
def test_a_run_that_is_gone_ends_a_wait(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, CI)
    stack.add(CI, "old", "i404", phase="running")
    cloud.set_state(stack.runs["tencent-workflow-0"], "Success")
    code, out, _ = stack.run("wait", *QUICK)
    assert code == 10
    assert "old: no longer known to the service; its end is not recorded\n" in out


def test_nothing_to_wait_for(tmp_path: Path, cloud: Emulator) -> None:
    code, out, error = Exported(tmp_path, cloud).run("wait")
    assert (code, out[-10:], error) == (0, ": no runs\n", "0/0 done\n")


def test_a_page_that_is_watched_renews_itself_until_the_end(tmp_path: Path, cloud: Emulator) -> None:
    stack, page = Exported(tmp_path, cloud, CI), tmp_path / "runs.html"
    with stack.start("status", "--watch", *QUICK, "--html", str(page), "--prometheus", "runs.prom") as process:
        wait_until(page.exists)
        text = page.read_text()
        assert '<meta http-equiv="refresh" content="1">' in text
        assert 'href="#running">1 running<' in text
        cloud.set_state(stack.runs["tencent-workflow-0"], "Success")
        out, _ = process.communicate(timeout=120)
    assert (process.returncode, out.endswith("1 run: 1 succeeded\n")) == (0, True)
    assert "refresh" not in page.read_text()
    assert 'phase="succeeded"} 1\n' in (tmp_path / "runs.prom").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.html", "runs.prom", "state.json"]


def test_a_table_that_is_watched_in_a_terminal(tmp_path: Path, cloud: Emulator) -> None:
    stack = Exported(tmp_path, cloud, CI)
    stack.env |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    ours, theirs = pty.openpty()
    with stack.start("status", "--watch", *QUICK, stdout=theirs) as process:
        os.close(theirs)
        shown = ""
        while "0/1 done, 1 running" not in shown:
            shown += os.read(ours, 65_536).decode()
        cloud.set_state(stack.runs["tencent-workflow-0"], "Success")
        with contextlib.suppress(OSError):  # the other end is closed
            while read := os.read(ours, 65_536):
                shown += read.decode()
        process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == 0
    lines = [re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", line) for line in shown.splitlines()]
    rows = [line.split()[1] for line in lines if line.startswith("tencent-workflow-0 ")]
    assert rows[0] == "running"
    assert rows[-1] == "succeeded"


@pytest.mark.parametrize("time", ["", "0", "x", "-1s", "9999h9m9999999s"])
def test_what_is_no_duration(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], time: str) -> None:
    monkeypatch.setattr(sys, "argv", ["cloud-runs", "wait", f"--timeout={time}"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    out, error = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert 'is not a duration such as "90s", "30m" or "1h30m"' in error
