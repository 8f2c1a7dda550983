"""Every block of the README and of the pages in docs/, run as it stands there."""

from __future__ import annotations

import json
import os
import pty
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_runs.accounts import settings as known_settings
from cloud_runs.promise import ledger
from tests.demo.pages import blocks, documented, point_to, stack_of_all_systems, up
from tests.kits import KITS, PREFIXES
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import Stack
from tests.support.stack import shell as run_shell

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
OTHER_ID, OTHER_KEY = "AKIDarchive", "archive-canary-key"

LANGUAGES, BLOCKS = zip(*blocks("README.md"), strict=True)
COMMANDS, EMULATOR, PROJECT, EXAMPLE, REFERENCE, WAITING, FAN_OUT, INSTALL, ACCOUNT, ACCOUNTS = BLOCKS
((_, HUAWEI_GET),) = blocks("docs/huawei.md")
((_, ENOS_MINUTE),) = blocks("docs/enos.md")
HUAWEI, ENOS = (blocks(f"docs/resources/{kind}.md")[0][1] for kind in ("huawei.WorkflowRun", "enos.FlowRun"))


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with emulator("--run-seconds", "1") as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh clone with what has not been committed yet; its environment is this checkout's."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    copy = tmp_path / "checkout"
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    for name in ("requirements.lock", "pyproject.toml"):
        os.utime(copy / name, (0, 0))  # older than the environment: a test installs nothing
    subprocess.run("git init -q && git add -A", shell=True, cwd=copy, check=True)
    return copy


@pytest.fixture
def stack(tmp_path: Path, cloud: Emulator) -> Stack:
    return stack_of_all_systems(tmp_path, cloud)


def environment(checkout: Path) -> dict[str, str]:
    names = ("MAKE", "MFLAGS", "PULUMI_", *PREFIXES)
    env = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return env | {"PULUMI_HOME": str(checkout.parent / "home")}


def shell(script: str, checkout: Path, *, typed: str = "", **settings: str) -> str:
    return run_shell(script, checkout, environment(checkout) | settings, typed)


def test_the_blocks_are_those_that_are_run_here() -> None:
    assert (*["sh"] * 3, *["python"] * 4, *["sh"] * 2, "python") == LANGUAGES


def test_the_two_commands_exist(checkout: Path) -> None:
    """They are not run from here: one has its own test, the other runs this one."""
    for command in COMMANDS.splitlines():
        assert command.startswith("make ")
        assert shell(f"{command} --dry-run", checkout)


def test_the_emulator_starts(checkout: Path) -> None:
    """On a free port, as the default one may be taken; what a reader ends by Ctrl-C is ended here."""
    script = EMULATOR.replace("cloud-runs-emulator", "cloud-runs-emulator --port 0 & sleep 2; kill $!; wait $!")
    assert script != EMULATOR
    assert "listening on http://127.0.0.1:" in shell(script, checkout)


@pytest.mark.long
def test_the_shell_session(checkout: Path, cloud: Emulator) -> None:
    point_to(cloud, checkout)
    shown = shell(PROJECT, checkout, **Stack.settings)
    fired = [run["system"] for run in cloud.runs()]
    assert sorted(fired[:-1]) == sorted(KITS)
    assert fired[-1] == "tencent.workflow"
    assert cloud.ids("tencent.workflow")[-1] in shown.splitlines(), "the newest id, from `stack output`"
    assert '"pending" => "succeeded"' in shown, "the outputs follow a refresh at once"
    status = subprocess.run(["git", "diff", "--stat"], cwd=checkout, capture_output=True, text=True, check=True)
    assert status.stdout == ""


def test_make_shell_comes_after_what_a_start_up_file_does(checkout: Path) -> None:
    """With a start-up file that puts another Python first, as pyenv does; at a terminal, where bash reads it."""
    home = checkout.parent / "user"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python3").write_text("#!/bin/sh\necho the wrong Python\nexit 1\n")
    (home / "bin" / "python3").chmod(0o755)
    (home / ".bashrc").write_text(f'PATH="{home}/bin:$PATH"\nmine=read\n')
    temporary = checkout.parent / "temporary"
    temporary.mkdir()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")  # an engine that was made may be there
    bash = shutil.which("bash")
    assert bash
    settings = {"HOME": str(home), "SHELL": bash, "XDG_CACHE_HOME": cache, "TMPDIR": str(temporary)}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["make", "shell"],
        cwd=checkout,
        env=environment(checkout) | settings,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, b'echo "<$mine> <$(command -v python3)> <$PULUMI_PYTHON_CMD> <$PULUMI_BACKEND_URL>"; exit\n')
    shown = b""
    try:
        while more := os.read(ours, 65536):
            shown += more
    except OSError:  # the other side is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 0, shown.decode()
    python = checkout / ".venv" / "bin" / "python"
    assert f"<read> <{python}3> <{python}> <file://{checkout}/.pulumi-state>" in shown.decode()
    assert list(temporary.iterdir()) == []


def test_the_python_of_the_settings_is_used_where_another_is_first_on_path(checkout: Path, cloud: Emulator) -> None:
    point_to(cloud, checkout)
    (checkout / "bin").mkdir()
    for name in ("python", "python3"):
        (checkout / "bin" / name).write_text("#!/bin/sh\necho the wrong Python >&2\nexit 1\n")
        (checkout / "bin" / name).chmod(0o755)
    script = 'eval "$(make -s env)"; PATH="$PWD/bin:$PATH"; pulumi stack init dev; pulumi up --yes --skip-preview'
    assert "wrong Python" not in shell(script, checkout)
    assert len(cloud.runs()) == len(KITS)


def test_a_passphrase_may_hold_anything(checkout: Path) -> None:
    phrase = """it's "two" $words \\"""
    shown = shell('eval "$(make -s env)"; printenv PULUMI_CONFIG_PASSPHRASE', checkout, PULUMI_CONFIG_PASSPHRASE=phrase)
    assert shown == f"{phrase}\n"


def test_the_example(stack: Stack, cloud: Emulator) -> None:
    up(stack, EXAMPLE)
    outputs = stack.pulumi("stack", "output", "--json", "-s", stack.name).text
    assert set(json.loads(outputs).values()) == set(cloud.ids())
    sent = cloud.requests()
    up(stack, EXAMPLE)
    assert cloud.requests() == sent
    assert len(cloud.runs()) == len(KITS)
    resources = stack.resources()
    runs = ("transcode", "backfill", "scan", "review", "meters")
    assert set(resources) == {*runs, *(f"{run}-intent" for run in runs)}
    for name in documented("README.md", "## Outputs"):
        assert any(name in resources[run]["outputs"] for run in runs), name
    assert {resources[run]["outputs"]["phase"] for run in runs} == {"pending"}
    another = Stack(stack.folder / "another", cloud, "another", backend=stack.backend)
    up(another, REFERENCE.replace("cloud-runs/dev", f"tests/{stack.name}"))
    assert another.output() == {"instance_id": stack.id("transcode")}


def test_waiting(stack: Stack, cloud: Emulator) -> None:
    assert re.search(r"\d/1 done", up(stack, WAITING))
    assert stack.outputs("done")["outcomes"][0]["phase"] == "succeeded"
    assert stack.output() == {"instance_id": cloud.ids()[0]}


def test_a_fan_out(stack: Stack, cloud: Emulator) -> None:
    shown = up(stack, FAN_OUT)
    assert "10/10 done" in shown
    assert sorted(stack.output()["instance_ids"].values()) == sorted(cloud.ids())
    assert sorted(run["request"]["query"]["object"] for run in cloud.runs())[0] == "season-1/01.mp4"
    assert len(cloud.ids()) == 10


def test_the_install(checkout: Path) -> None:
    """Into a folder, without an index: the environment that the project has for itself stays as it is."""
    there = checkout.parent / "there"
    settings = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_TARGET": str(there)}
    shell(f'PATH="$PWD/.venv/bin:$PATH"\n{INSTALL}', checkout, **settings)
    (installed,) = there.glob("*.dist-info")
    assert installed.name.startswith("cloud_runs-"), "as the README names it"
    assert (there / "cloud_runs" / "py.typed").is_file()


def test_what_is_needed_is_what_the_package_declares() -> None:
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text())
    said = re.findall(r"It needs Python (\S+) or later, `pulumi` (\S+) or later but below (\d+)", text)
    declared = (ROOT / "pyproject.toml").read_text()
    python = re.findall(r'requires-python = ">=(.*)"', declared)
    assert said == [(*python, *bounds) for bounds in re.findall(r'"pulumi>=(.*),<(\d+)"', declared)] != []
    pinned = runpy.run_path(str(ROOT / "tools" / "engine" / "find.py"))
    least, below, tested = (".".join(map(str, pinned[name][:2])) for name in ("MINIMUM", "BELOW", "VERSION"))
    assert said[0][1:] == (least, below.removesuffix(".0"))
    assert f"the command line tool on PATH (the tests run with {tested} of the tool)" in text


def test_the_program_waits_if_it_is_told_how_long(checkout: Path, cloud: Emulator) -> None:
    point_to(cloud, checkout)
    (setting, off) = re.findall(r"`(pulumi config (?:set|rm) wait.*?)`", (ROOT / "README.md").read_text())
    script = 'eval "$(make -s env)"\npulumi stack init dev\n'
    twice = f"{script}{setting}\npulumi up --yes --skip-preview\n{off}\npulumi up --yes --skip-preview"
    shown, outputs = shell(f"{twice}\necho '<outputs>'; pulumi stack output --json", checkout, **Stack.settings).split(
        "<outputs>"
    )
    assert f"{len(KITS)}/{len(KITS)} done" in shown
    assert set(re.findall(r"\$\{outputs\.(\w+)\}", json.loads(outputs)["readme"])) == set(json.loads(outputs)) - {
        "readme"
    }
    assert "- 1 deleted" in shown, "the Completion alone"
    assert len(cloud.runs()) == len(KITS)


def test_every_setting_is_in_the_table() -> None:
    text = (ROOT / "README.md").read_text().split("## A real account")[1].split("Key, secret and token")[0]
    rows = [tuple(re.findall(r"`([\w:]+)`", line)) for line in text.splitlines() if line.startswith("| ")]
    known = [(setting.config, setting.environ, setting.argument) for setting in known_settings()]
    assert sorted(row for row in rows if len(row) == 3) == sorted(known)


@pytest.mark.long
def test_a_real_account_up_to_the_preview(checkout: Path) -> None:
    """Line by line, as `config set` reads its value from what is typed. A preview sends nothing."""
    first, *lines = ACCOUNT.splitlines()
    for line in lines:
        typed = "AKIDmine" if line.endswith("secretId") else "mine" if line.endswith("secretKey") else ""
        shown = shell(f"{first}\n{line}", checkout, typed=typed, PULUMI_CONFIG_PASSPHRASE="my own")
    assert "+ 5 to create" in shown, "the stack, two runs and two intents: Tencent alone"
    settings = (checkout / "stacks" / "Pulumi.prod.yaml").read_text()
    assert settings.count("secure: ") == 2
    assert "AKIDmine" not in settings
    status = subprocess.run(["git", "status", "--short"], cwd=checkout, capture_output=True, text=True, check=True)
    assert "Pulumi.prod.yaml" not in status.stdout, "ignored by git"


@pytest.mark.long
def test_several_accounts(tmp_path: Path) -> None:
    pairs = ("--access-key", SECRET_ID, "--secret-key", SECRET_KEY, "--access-key", OTHER_ID, "--secret-key", OTHER_KEY)
    with emulator(*pairs) as cloud:
        stack = Stack(tmp_path, cloud)
        for key, value in (("archiveSecretId", OTHER_ID), ("archiveSecretKey", OTHER_KEY)):
            stack.pulumi("config", "set", "--secret", key, value, "-s", stack.name)
        up(stack, ACCOUNTS)
        signed = {run["request"]["headers"]["host"]: run["request"]["headers"]["authorization"] for run in cloud.runs()}
        assert f"q-ak={SECRET_ID}&" in signed["media-1250000000.ci.ap-beijing.myqcloud.com"]
        assert f"q-ak={OTHER_ID}&" in signed["archive-1260000000.ci.eu-frankfurt.myqcloud.com"]
        state = stack.export()
        assert OTHER_ID not in state, "encrypted"
        assert OTHER_KEY not in state
        moved = ACCOUNTS.replace("opts=pulumi.ResourceOptions(provider=archive),", "")
        assert moved != ACCOUNTS
        up(stack, moved)
        up(stack, ACCOUNTS)
        assert len(cloud.runs()) == 2, "another provider fires nothing"


# -- docs/huawei.md and docs/enos.md


@pytest.mark.long
def test_huawei_is_asked_for_what_the_page_says(stack: Stack, cloud: Emulator) -> None:
    up(stack, HUAWEI)
    (run,) = cloud.runs()
    assert run["request"]["headers"]["host"] == "obs.cn-north-4.myhuaweicloud.com"
    assert cloud.requests() == {"huawei.workflow": {"start": 1}}
    cloud.set_state(run["id"], "SUCCESS")
    stack.refresh()
    assert cloud.requests() == {"huawei.workflow": {"start": 1, "get": 1, "find": 1}}
    assert stack.outputs("scan")["stopped_at"] == stack.outputs("scan")["finished_at"] != ""
    up(stack, HUAWEI_GET.replace("EXECUTION_NAME", run["id"]))
    assert set(stack.resources()) == {"seen"}
    assert stack.outputs("seen")["phase"] == "succeeded"
    stack.destroy()
    assert cloud.ids() == [run["id"]]
    assert cloud.requests()["huawei.workflow"]["start"] == 1


def test_huawei_that_is_closed_is_told_as_such(stack: Stack, cloud: Emulator) -> None:
    cloud.fault("huawei.workflow", "start", "status", status=405, code="MethodNotAllowed", message="not here")
    assert "Huawei has closed them to new users in favour of DWR" in up(stack, HUAWEI, check=False)


def test_enos_tells_no_times_as_the_page_says(stack: Stack, cloud: Emulator) -> None:
    up(stack, ENOS)
    (run,) = cloud.runs()
    cloud.set_state(run["id"], "SUCCESS")
    stack.refresh()
    outputs = stack.outputs("meters")
    assert outputs["phase"] == "succeeded"
    assert [outputs[name] for name in ("created_at", "started_at", "finished_at", "request_id")] == [""] * 4


@pytest.mark.long
def test_enos_has_one_run_of_a_flow_a_minute(stack: Stack, cloud: Emulator) -> None:
    text = re.sub(r"\s+", " ", (ROOT / "docs/enos.md").read_text())
    (said,) = re.findall(r"`(nothing was fired: [^`]*)`", text)
    assert said in up(stack, ENOS_MINUTE, check=False)
    assert cloud.ids() == ["3377-20191122012300"]
    up(stack, ENOS_MINUTE.replace("01:23:30", "01:24:30"))
    assert cloud.ids() == ["3377-20191122012300", "3377-20191122012400"]


@pytest.mark.long
def test_enos_records_somebody_elses_run_after_a_refusal(stack: Stack, cloud: Emulator, tmp_path: Path) -> None:
    up(stack_of_all_systems(tmp_path / "theirs", cloud), ENOS)
    (theirs,) = cloud.ids()
    assert f"run {theirs} of flow 3377 has the trigger minute" in up(stack, ENOS, check=False)
    assert f"warning: found run {theirs} of an interrupted up" in up(stack, ENOS)
    assert stack.id("meters") == theirs
    assert stack.outputs("meters")["provenance"] == "found"
    up(stack, ENOS.replace("01:23:44", "01:24:44").replace('on_delete="cancel",', ""))
    assert cloud.ids() == [theirs, stack.id("meters")]


@pytest.mark.long
def test_enos_is_fired_after_a_refusal_with_another_minute(stack: Stack, cloud: Emulator, tmp_path: Path) -> None:
    up(stack_of_all_systems(tmp_path / "theirs", cloud), ENOS)
    (theirs,) = cloud.ids()
    up(stack, ENOS, check=False)
    up(stack, ENOS.replace("01:23:44", "01:24:44"))
    assert cloud.ids() == [theirs, stack.id("meters")]
    assert stack.outputs("meters")["provenance"] == "fired"


@pytest.mark.long
def test_enos_retries_with_the_minute_that_was_fixed_before(stack: Stack, cloud: Emulator) -> None:
    untimed = re.sub(r"    trigger_time=.*\n", "", ENOS)
    assert untimed != ENOS
    cloud.fault("enos.flow", "start", "status", status=200, code="62104", message="This workflow has no task.")
    assert "Give flow 3377 a task first" in up(stack, untimed, check=False)
    intent = ledger.intent_of(stack.outputs("meters-intent")["record"])
    assert intent
    up(stack, untimed)
    assert stack.id("meters") == f"3377-{intent.moment.at:%Y%m%d%H%M}00"


@pytest.mark.long
def test_enos_cannot_be_replaced_by_force_under_a_time_that_stays(tmp_path: Path) -> None:
    with emulator("--run-seconds", "3600") as cloud:
        stack = stack_of_all_systems(tmp_path, cloud)
        up(stack, ENOS)
        forced = stack.up(flags=("--replace", stack.urn("meters")), check=False)
        assert forced.code != 0
        assert "has the trigger minute 2019-11-22T01:23:00Z already" in forced.text
        assert [run["state"] for run in cloud.runs()] == ["CANCEL"]
        kept = up(stack, ENOS)
        assert "The recorded run stays" in kept
        assert [stack.id("meters")] == cloud.ids()
        assert "has the trigger minute" not in up(stack, ENOS), "it is said once"
        up(stack, ENOS.replace("01:23:44", "01:24:44"))
        assert cloud.ids() == ["3377-20191122012300", stack.id("meters")]
