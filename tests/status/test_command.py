"""The command as a process: what it refuses before it asks, and how it ends. `pulumi` is a stand-in, as no answer of a
real one takes as long as these tests need, or comes for sure.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_runs.status import command as cli
from cloud_runs.status import reading
from tests.engine.interrupted import wait_until

EMPTY = """
case "$*" in
  *export*) echo '{"version": 3, "deployment": {}}' ;;
  *config*) echo '{}' ;;
  *) echo dev ;;
esac
"""


class Command:
    """`cloud-runs status` with a `pulumi` that does this."""

    def __init__(self, folder: Path, does: str) -> None:
        self.folder, self.asked = folder, folder / "asked"
        program = folder / "bin" / "pulumi"
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\n[ "$1" != version ] || exec echo v3.999.0\necho "$@" >>\'{self.asked}\'\n{does}\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (folder / "Pulumi.yaml").write_text("name: tests\nruntime: python\n")
        self.env = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}

    def start(self, *flags: str, closed: str = "", first: str = "") -> subprocess.Popen[str]:
        """`first` is what the shell that starts it does before; `closed` redirects."""
        shell = ["/bin/sh", "-c", f'{first}\nexec "$@" {closed}', "sh"]
        command = [*shell, sys.executable, "-m", "cloud_runs", "status", *flags]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=pipe, stderr=pipe, text=True)

    def run(self, *flags: str, closed: str = "") -> tuple[int, str, str]:
        with self.start(*flags, closed=closed) as process:
            out, error = process.communicate(timeout=120)
        return process.returncode, out, error


def test_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (
        0,
        f"cloud-runs {importlib.metadata.version('cloud-runs')}\n",
    )


def test_no_other_verb_needs_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(SystemExit) as ended:
        cli.main(["status", "--help"])
    assert ended.value.code == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--html", ""), "argument --html: is empty"),
        (("--html=",), "argument --html: is empty"),
        (("--stack", ""), "argument -s/--stack: is empty"),
        (("-s", ""), "argument -s/--stack: is empty"),
        (("--cwd", "/nowhere"), "argument -C/--cwd: '/nowhere' is no folder"),
        (("--js",), "unrecognized arguments: --js"),
        (("--html", "no/x.html"), "argument --html: cannot write 'no/x.html': no such folder"),
    ],
)
def test_what_is_refused_before_anything_is_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: tuple[str, ...],
    said: str,
) -> None:
    """In this process: it does not come to what needs one of its own."""
    stand_in = Command(tmp_path, EMPTY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", stand_in.env["PATH"])
    monkeypatch.setattr(sys, "argv", ["cloud-runs", "status", *flags])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, error = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert re.search(rf"\ncloud-runs( status)?: error: {re.escape(said)}\n$", error)
    assert not stand_in.asked.exists()


def test_the_report_is_printed_even_if_the_page_cannot_be_written(tmp_path: Path) -> None:
    command = Command(tmp_path, EMPTY)
    (tmp_path / "folder").mkdir()
    problem = "error: cannot write 'folder': Is a directory\n"
    code, out, error = command.run("--html", "folder", "--json")
    assert (code, error) == (12, problem)
    report = json.loads(out)
    assert (report["stack"], report["exit_code"], report["counts"]) == ("dev", 12, {})
    code, out, error = command.run("--html", "folder")
    assert (code, error) == (12, problem)
    assert out.endswith("UTC: no runs\n")


def test_a_page_in_this_folder(tmp_path: Path) -> None:
    code, out, error = Command(tmp_path, EMPTY).run("--html", "runs.html", "-s", "prod")
    assert (code, error) == (0, "")
    assert out.startswith("tests/prod, ")
    assert "Runs of tests / prod" in (tmp_path / "runs.html").read_text()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_output_that_is_closed_changes_nothing_else(tmp_path: Path, closed: str) -> None:
    command = Command(tmp_path, EMPTY)
    code, out, error = command.run(closed=closed)
    assert (code, error) == (0, "")
    assert out.endswith("UTC: no runs\n") == (">&-" not in closed.replace("2>&-", ""))
    assert command.run("--html", "", closed=closed)[:2] == (2, "")


def test_a_report_that_nobody_reads(tmp_path: Path) -> None:
    """As with `... | head`."""
    read, write = os.pipe()
    os.close(read)
    argv = [sys.executable, "-m", "cloud_runs", "status"]
    env = Command(tmp_path, EMPTY).env
    done = subprocess.run(argv, cwd=tmp_path, env=env, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_while_the_stack_is_read(tmp_path: Path) -> None:
    more_than_a_pipe_holds = "yes | head -n 200000"
    command = Command(tmp_path, f"{more_than_a_pipe_holds}\n: >'{tmp_path}/began'\nexec yes")
    with command.start() as process:
        wait_until((tmp_path / "began").exists)  # so it is being read
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
    assert (process.returncode, out, error) == (130, "", "")


def test_ctrl_c_is_ignored_where_the_shell_says_so(tmp_path: Path) -> None:
    command = Command(tmp_path, f'case "$*" in *export*) touch state ;; *config*) touch settings ;; esac\n{EMPTY}')
    with command.start("-s", "dev", first='trap "" INT') as process:
        for asked in ("state", "settings"):
            wait_until((tmp_path / asked).exists)
            process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (0, "")
    assert out.endswith("no runs\n")


def test_what_to_do_without_pulumi(tmp_path: Path) -> None:
    command = Command(tmp_path, EMPTY)
    command.env["PATH"] = str(tmp_path)
    problem = 'error: there is no pulumi on PATH: install Pulumi, or in this checkout run eval "$(make -s env)"\n'
    assert command.run() == (12, "", problem)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"a": 1}', '{"id": "i1", "phase": "failed"}', '{"deployment": [1]}']
)
@pytest.mark.parametrize("verb", ["status", "wait"])
def test_what_is_no_export_is_told_and_never_all_is_well(verb: str, text: str) -> None:
    """Such as the outputs of a stack, by the wrong pipe."""
    command = [sys.executable, "-m", "cloud_runs", verb, "--state", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (12, "")
    assert "no export of a stack: `pulumi stack export` makes one" in done.stderr


def test_a_stack_without_resources_has_no_runs() -> None:
    for export in ({"version": 3, "deployment": {}}, {"manifest": {"version": "v3.259.0"}}):
        assert reading.read_export(export).records.runs == ()
