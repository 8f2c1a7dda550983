"""tools/engine: the order of the search, what is passed over, and that nothing half-made is ever found.

Real processes, with small shell scripts in place of `pulumi` and `go`. The real build is proved by every CI run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIND = ROOT / "tools" / "engine" / "find.py"
PARTS = ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")

FAKE_GO = """#!/bin/sh
echo "$*" >> "$FAKE_GO_LOG"
mkdir -p "${{XDG_CONFIG_HOME:-$HOME/.config}}/go/telemetry" "${{GOMODCACHE:-$HOME/go/pkg/mod}}/cache"
case "$1" in
env) echo "{version}" ;;
build)
    {trouble}
    while [ "$1" != -o ]; do shift; done
    mkdir -p "${{2%/*}}"
    printf '#!/bin/sh\\necho v{engine}\\n' > "$2"
    chmod +x "$2" ;;
list) echo "$FAKE_GO_MODULE" ;;
esac
"""


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def engine(folder: Path, version: str, *, without: str = "") -> Path:
    """A folder that looks like an engine's."""
    program(folder / "pulumi", f"#!/bin/sh\necho {version}\n")
    for name in PARTS:
        if name != without:
            program(folder / name, "#!/bin/sh\n")
    return folder


@dataclass
class Machine:
    """A machine with an empty cache, an almost empty PATH, and a network that refuses every connection."""

    folder: Path
    path: list[Path] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Not the real PATH: it may hold a real pulumi or go.
        tools = self.folder / "tools"
        tools.mkdir()
        for name in ("sh", "mkdir", "chmod", "sleep"):
            found = shutil.which(name)
            assert found is not None
            (tools / name).symlink_to(found)
        self.path = [tools]
        refused = "http://127.0.0.1:9"
        self.env = {
            "HOME": str(self.folder / "home"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "https_proxy": refused,
            "http_proxy": refused,
            "FAKE_GO_LOG": str(self.folder / "go.log"),
            "FAKE_GO_MODULE": str(self.folder / "module"),
        }

    @property
    def cache(self) -> Path:
        return self.folder / "cache" / "cloud-runs"

    @property
    def built(self) -> list[str]:
        """The names of the programs that the fake Go was asked to build."""
        log = self.folder / "go.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.rpartition("/")[2] for line in lines if line.startswith("build")]

    def with_go(self, version: str = "go1.26.0", engine: str = "3.259.0", trouble: str = ":") -> None:
        tools = self.folder / "go"
        program(tools / "go", FAKE_GO.format(version=version, engine=engine, trouble=trouble))
        program(self.folder / "module/python/cmd/pulumi-language-python-exec", "#!/usr/bin/env python3\n")
        program(self.folder / "module/python/dist/pulumi-resource-pulumi-python", "#!/bin/sh\n")
        if tools not in self.path:
            self.path.append(tools)

    def start(self) -> subprocess.Popen[str]:
        env = {**self.env, "PATH": os.pathsep.join(map(str, self.path))}
        return subprocess.Popen(
            [sys.executable, str(FIND)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def find(self) -> Path:
        """The folder that was found."""
        with self.start() as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return Path(out.splitlines()[-1])

    def complaint(self) -> str:
        """What was said when nothing was found."""
        with self.start() as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert out == ""
        assert "Traceback" not in err
        return err


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# --- 1: PATH


@pytest.mark.parametrize("version", ["v3.216.0", "3.259.0", "v3.300.1-alpha.1"])
def test_a_suitable_pulumi_on_path_is_taken(machine: Machine, version: str) -> None:
    installed = engine(machine.folder / "bin", version)
    machine.path.append(installed)
    machine.with_go()
    assert machine.find() == installed
    assert machine.built == []
    assert not machine.cache.exists()


def test_behind_a_link_the_bundle_is_where_the_link_leads(machine: Machine) -> None:
    installed = engine(machine.folder / "opt" / "pulumi" / "bin", "v3.259.0")
    (machine.folder / "bin").mkdir()
    (machine.folder / "bin" / "pulumi").symlink_to(installed / "pulumi")
    machine.path.append(machine.folder / "bin")
    assert machine.find() == installed


def test_an_unsuitable_pulumi_is_passed_over_for_a_later_one(machine: Machine) -> None:
    old = engine(machine.folder / "old", "v3.215.9")
    lonely = engine(machine.folder / "lonely", "v3.259.0", without="pulumi-language-python")
    good = engine(machine.folder / "good", "v3.240.0")
    machine.path += [old, lonely, machine.folder / "no such folder", good]
    assert machine.find() == good


@pytest.mark.parametrize("version", ["v3.215.9", "v4.0.0", "3.0.0-dev", "command not found"])
def test_an_unsuitable_pulumi_is_named(machine: Machine, version: str) -> None:
    machine.path.append(engine(machine.folder / "bin", version))
    assert version.removeprefix("v").removesuffix("-dev") in machine.complaint()


def test_path_comes_before_the_cache(machine: Machine) -> None:
    machine.with_go()
    machine.find()
    installed = engine(machine.folder / "bin", "v3.259.0")
    machine.path.append(installed)
    assert machine.find() == installed


# --- 2 and 4: the cache, and the build that fills it


def test_it_is_built_once_for_all_checkouts(machine: Machine) -> None:
    machine.with_go()
    first = machine.find()
    assert first.is_relative_to(machine.cache)
    assert sorted(path.name for path in first.iterdir()) == ["pulumi", *PARTS, "python-language-host"]
    assert machine.find() == first
    assert machine.built == ["pulumi", "pulumi-language-python"]


@pytest.mark.skipif(sys.platform != "linux", reason="Go's settings are elsewhere")
def test_a_build_writes_nothing_beside_the_cache(machine: Machine) -> None:
    """And leaves nothing of Go's in it. But who uses Go has modules already, and settings: those count."""
    machine.with_go(trouble='echo "$GOENV" > "$FAKE_GO_LOG.env"')
    found = machine.find()
    assert not (machine.folder / "home").exists()
    assert [path.name for path in found.parent.iterdir()] == ["bin"]
    assert (machine.folder / "go.log.env").read_text() == f"{machine.folder}/home/.config/go/env\n"


def test_modules_that_a_user_of_go_has_are_used(machine: Machine) -> None:
    machine.with_go()
    (machine.folder / "home" / "go" / "pkg" / "mod").mkdir(parents=True)
    machine.find()
    assert (machine.folder / "home" / "go" / "pkg" / "mod" / "cache").exists()


def test_the_cache_serves_without_go_and_network(machine: Machine) -> None:
    machine.with_go()
    first = machine.find()
    machine.path.pop()
    assert machine.find() == first


@pytest.mark.parametrize("part", ["pulumi-language-python", "python-language-host"])
@pytest.mark.parametrize("harm", ["missing", "empty", "not executable", "wrong version"])
def test_a_broken_cache_entry_is_built_anew(machine: Machine, harm: str, part: str) -> None:
    machine.with_go()
    folder = machine.find()
    host = folder / part
    if harm == "missing":
        host.unlink()
    elif harm == "empty":
        host.write_text("")
    elif harm == "not executable":
        host.chmod(0o644)
    else:
        engine(folder, "v3.1.0")
    assert machine.find() == folder
    assert machine.built == ["pulumi", "pulumi-language-python"] * 2
    assert os.access(host, os.X_OK)


def test_an_engine_of_an_earlier_version_gets_the_script(machine: Machine) -> None:
    """Nothing is built for it. With a script of another version it gets that of today."""
    machine.with_go()
    folder = machine.find()
    script, host = folder / "pulumi-language-python", folder / "python-language-host"
    built, today = host.read_bytes(), script.read_bytes()
    host.replace(script)
    assert machine.find() == folder
    assert (script.read_bytes(), host.read_bytes()) == (today, built)
    script.write_bytes(today + b"# of another version\n")
    assert machine.find() == folder
    assert (script.read_bytes(), host.read_bytes()) == (today, built)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["bin"], "nothing is left"
    assert machine.built == ["pulumi", "pulumi-language-python"]


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ("", []),
        ("virtualenv:", []),
        ("virtualenv: # none", []),
        ("virtualenv: v", ["-virtualenv=v", "-root=PROJECT"]),
        ("virtualenv: ../../.venv", ["-virtualenv=../../.venv", "-root=PROJECT"]),
        ("toolchain: pip\n    virtualenv:   '.my venv'  # here", ["-virtualenv=.my venv", "-root=PROJECT"]),
        ('virtualenv: "a#b"', ["-virtualenv=a#b", "-root=PROJECT"]),
    ],
)
def test_the_script_tells_the_host_the_virtual_environment(tmp_path: Path, options: str, flags: list[str]) -> None:
    """Also from a folder within the project, with spaces in it, and through a link."""
    program(tmp_path / "engine/pulumi-language-python", (ROOT / "tools/engine/language/host.sh").read_text())
    program(tmp_path / "engine/python-language-host", '#!/bin/sh\nprintf "%s\\n" "$PWD" "$@"\n')
    (tmp_path / "link").symlink_to("engine/pulumi-language-python")
    project = tmp_path / "a project"
    (project / "program").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text(f"name: p\nruntime:\n  name: python\n  options:\n    {options}\n")
    for folder in (project, project / "program"):
        command = [tmp_path / "link", "-tracing=x y", "127.0.0.1:1"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        told = [flag.replace("PROJECT", str(project)) for flag in flags]
        assert done.stdout.splitlines() == [str(folder), *told, "-tracing=x y", "127.0.0.1:1"]


@pytest.mark.parametrize("given", ["/opt/python/bin/python", "python3.12"])
def test_with_a_virtual_environment_the_host_gets_no_path_to_a_python(tmp_path: Path, given: str) -> None:
    """It would look for that path within the environment. The folder goes to PATH: there `python3` is looked for."""
    program(tmp_path / "pulumi-language-python", (ROOT / "tools/engine/language/host.sh").read_text())
    program(tmp_path / "python-language-host", '#!/bin/sh\nprintf "%s\\n" "$PATH" "${PULUMI_PYTHON_CMD-none}"\n')
    env = os.environ | {"PULUMI_PYTHON_CMD": given}
    for option, told in (
        ("", [os.environ["PATH"], given]),
        ("virtualenv: v", [f"/opt/python/bin:{os.environ['PATH']}", "none"] if "/" in given else [env["PATH"], given]),
    ):
        (tmp_path / "Pulumi.yaml").write_text(f"runtime:\n  options:\n    {option}\n")
        command = tmp_path / "pulumi-language-python"
        done = subprocess.run([command], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == told


def test_the_script_does_without_a_project(tmp_path: Path) -> None:
    program(tmp_path / "pulumi-language-python", (ROOT / "tools/engine/language/host.sh").read_text())
    program(tmp_path / "python-language-host", '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    done = subprocess.run(
        [tmp_path / "pulumi-language-python", "127.0.0.1:1"], cwd="/", capture_output=True, text=True, check=True
    )
    assert done.stdout == "127.0.0.1:1\n"


def test_two_checkouts_at_once_build_once(machine: Machine) -> None:
    machine.with_go(trouble="sleep 0.3")
    processes = [machine.start() for _ in range(3)]
    answers = []
    for process in processes:
        with process:
            answers.append(process.communicate(timeout=60)[0])
    assert len(set(answers)) == 1
    assert answers[0] != ""
    assert machine.built == ["pulumi", "pulumi-language-python"]


def test_a_killed_build_leaves_nothing_that_is_taken_for_whole(machine: Machine) -> None:
    machine.with_go(trouble='case "$*" in *-language-*) sleep 60 & echo $! > "$FAKE_GO_LOG.pid"; wait; exit 1;; esac')
    with machine.start() as process:
        sleeper = machine.folder / "go.log.pid"
        deadline = time.monotonic() + 30
        while not (sleeper.exists() and sleeper.read_text().strip()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        os.kill(int(sleeper.read_text()), 9)  # it holds our pipes
    left = list(machine.cache.glob("*.part-*"))
    assert len(left) == 1
    assert (left[0] / "bin" / "pulumi").exists()

    machine.with_go()
    found = machine.find()
    assert (found / "pulumi-language-python").exists()
    assert list(machine.cache.glob("*.part-*")) == []


def test_a_failed_build_is_removed_and_said(machine: Machine) -> None:
    machine.with_go(trouble="echo no space left on device >&2; exit 1")
    said = machine.complaint()
    assert "no space left on device" in said
    assert "build: pulumi failed, see above" in said
    assert [path.suffix for path in machine.cache.iterdir()] == [".lock"]


def test_what_was_built_must_be_what_was_asked_for(machine: Machine) -> None:
    machine.with_go(engine="3.0.0-dev")
    assert "holds 3.0.0 instead of 3.259.0" in machine.complaint()


def test_an_old_go_is_not_tried(machine: Machine) -> None:
    machine.with_go(version="go1.24.3")
    said = machine.complaint()
    assert "is 1.24.3, needed is 1.25.11 or later" in said
    assert machine.built == []


def test_a_cache_folder_that_cannot_be_written_is_said(machine: Machine) -> None:
    (machine.folder / "cache").write_text("a file where the folder should be")
    machine.with_go()
    assert "XDG_CACHE_HOME" in machine.complaint()


def test_it_waits_for_another_process(machine: Machine) -> None:
    machine.with_go()
    folder = machine.find()
    shutil.rmtree(folder)
    (lock,) = machine.cache.glob("*.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with machine.start() as process:
            assert process.stderr is not None
            assert "waiting" in process.stderr.readline()
            engine(folder, "v3.259.0")  # the other process is done
            fcntl.flock(held, fcntl.LOCK_UN)
            out, _ = process.communicate(timeout=60)
    assert out.strip() == str(folder)
    assert len(machine.built) == 2


# --- 3: the official release


def with_site(machine: Machine, installer: str) -> None:
    """The SDK's own installer, with a script of ours in place of the one that it would fetch."""
    script = machine.folder / "install.sh"
    script.write_text("#!/bin/sh\n" + installer)
    program(
        machine.folder / "site" / "sitecustomize.py",
        f"import urllib.request\nurllib.request.urlopen = lambda url, timeout=None: open({str(script)!r}, 'rb')\n",
    )
    machine.env["PYTHONPATH"] = str(machine.folder / "site")


def test_the_official_release_comes_before_a_build(machine: Machine) -> None:
    machine.with_go()
    with_site(
        machine,
        f"""test "$*" = "--no-edit-path --install-root $3 --version 3.259.0" || exit 1
mkdir -p "$3/bin"
for name in pulumi {" ".join(PARTS)} pulumi-language-nodejs; do
    printf '#!/bin/sh\\necho v3.259.0\\n' > "$3/bin/$name"
    chmod +x "$3/bin/$name"
done
""",
    )
    folder = machine.find()
    assert folder.is_relative_to(machine.cache)
    assert machine.built == []
    assert machine.find() == folder
    assert not (folder / "python-language-host").exists(), "its language host needs no script"


def test_an_installer_that_fails_gives_way_to_the_build(machine: Machine) -> None:
    with_site(machine, "echo no such release >&2; exit 1\n")
    assert "official release: the installer failed: no such release" in machine.complaint()
    machine.with_go()
    machine.find()
    assert machine.built == ["pulumi", "pulumi-language-python"]


def test_a_network_that_never_answers_costs_seconds(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        machine.env["https_proxy"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        assert "official release: " in machine.complaint()
        assert time.monotonic() - begun < 10


def test_a_name_look_up_that_hangs_costs_seconds(machine: Machine) -> None:
    program(
        machine.folder / "site" / "sitecustomize.py",
        "import time, urllib.request\nurllib.request.urlopen = lambda url, timeout=None: time.sleep(60)\n",
    )
    machine.env["PYTHONPATH"] = str(machine.folder / "site")
    begun = time.monotonic()
    assert "official release: no answer in time" in machine.complaint()
    assert time.monotonic() - begun < 10


# --- nothing works


def test_if_nothing_works_one_message_tells_the_ways_out(machine: Machine) -> None:
    said = machine.complaint()
    for why in (
        "PATH: no `pulumi` there",
        "cache: nothing in",
        "official release: https://get.pulumi.com/install.sh cannot be reached",
        "build: no `go` on PATH",
    ):
        assert f"  - {why}" in said
    for way_out in (
        "install Pulumi 3.216.0 or later",
        "install Go 1.25.11 or later",
        f"copy the folder {machine.cache}",
    ):
        assert f"  - {way_out}" in said
    assert said.count("engine: No Pulumi engine could be found or made") == 1
