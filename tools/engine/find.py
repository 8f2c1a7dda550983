"""Find a Pulumi engine for this checkout, or make one. The last line on stdout is the folder that holds it.

Looked for in this order, the cheapest first:

1. on PATH: a folder with `pulumi` >= MINIMUM and its Python language host;
2. in the user's cache folder, where an earlier call left it;
3. the official release, through the SDK's own installer (download.py);
4. a build with Go from the modules pinned in `cli/` and `language/`.

What 3 and 4 make goes to the cache, outside the checkout, so that a second checkout does not build again.
Progress goes to stderr. If nothing works, the exit status is 1 and one message tells why and what to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

# The newest engine whose Go modules can all be had: those of later command line tools are not published whole.
VERSION = (3, 259, 0)

# The lower bound that pyproject.toml sets for the SDK. The engine's features that we lean on are older: `--replace`,
# `state taint` (3.192.0), `replacement_trigger` (3.214.0). A newer SDK asks the engine what it can do, and makes do.
MINIMUM = (3, 216, 0)
BELOW = (4, 0, 0)

# What a Python program with dynamic resources needs beside the command line tool.
FILES = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")

# In an engine that was built here the language host has this name, and a script of ours stands before it.
BEHIND = "python-language-host"

HERE = Path(__file__).resolve().parent
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"

Version = tuple[int, ...]


class Unavailable(Exception):
    """This way gives no engine here; the text says why."""


def main() -> int:
    try:
        print(find())
    except Unavailable as error:
        say(str(error))
        return 1
    return 0


def find() -> Path:
    """The folder of the first engine in the order above."""
    reasons: list[str] = []
    for look in (on_path, cached):
        try:
            return look()
        except Unavailable as reason:
            reasons.append(str(reason))
    try:
        with one_at_a_time():
            with contextlib.suppress(Unavailable):
                return cached()  # somebody else may have made it while we waited
            for make in (download, build):
                try:
                    return put_in_cache(make)
                except Unavailable as reason:
                    reasons.append(str(reason))
    except OSError as error:
        reasons.append(f"cache folder: cannot be used, XDG_CACHE_HOME can name another one: {error}")
    raise Unavailable(
        "No Pulumi engine could be found or made:\n"
        + "".join(f"  - {reason}\n" for reason in reasons)
        + "Any of these helps; then give the same command again:\n"
        + f"  - install Pulumi {text(MINIMUM)} or later (pulumi.com/docs/install), so that `pulumi` is on PATH\n"
        + f"  - install Go {text(go_needed())} or later (go.dev/doc/install): the engine is then built here, once\n"
        + f"  - copy the folder {entry()} from a machine like this one that has it"
    )


# --- looking


def on_path() -> Path:
    """The first suitable folder of PATH. An unsuitable one is passed over, since a better one may follow."""
    found: list[str] = []
    for name in filter(None, os.environ.get("PATH", "").split(os.pathsep)):
        program = Path(name).absolute() / "pulumi"
        if not is_program(program):
            continue
        # Behind a link the whole bundle is where the link leads.
        for folder in dict.fromkeys((program.parent, program.resolve().parent)):
            try:
                version = check(folder)
            except Unavailable as reason:
                found.append(str(reason))
                continue
            if MINIMUM <= version < BELOW:
                return folder
            found.append(f"{program} is {text(version)}, needed is {text(MINIMUM)} or later, below {text(BELOW)}")
    raise Unavailable("PATH: " + ("; ".join(found) or "no `pulumi` there"))


def cached() -> Path:
    folder = entry() / "bin"
    if not folder.exists():
        raise Unavailable(f"cache: nothing in {folder}")
    try:
        exactly(VERSION, folder)
    except Unavailable as reason:
        raise Unavailable(f"cache: {reason}") from None
    with contextlib.suppress(OSError):  # a cache that cannot be written serves as it is
        put_script_before_host(folder)
    return folder


def put_script_before_host(folder: Path) -> None:
    """In an engine that was built here, also by an earlier version of this file. The script has the reason.

    One step after the other, so that whoever uses the folder meanwhile has a whole engine.
    """
    host, behind, script = folder / "pulumi-language-python", folder / BEHIND, HERE / "language" / "host.sh"
    if not has_script_before_host(folder):
        if {path.name for path in folder.iterdir()} - {BEHIND} != set(FILES):
            return  # an official release holds more, and needs no script
        with contextlib.suppress(FileExistsError):
            os.link(host, behind)
    if host.read_bytes() != script.read_bytes():
        part = folder.parent / f"host.part-{os.getpid()}"
        shutil.copyfile(script, part)
        part.chmod(0o755)
        part.replace(host)


def has_script_before_host(folder: Path) -> bool:
    host = folder / "pulumi-language-python"
    if not is_program(host):
        return False
    with host.open("rb") as file:
        return BEHIND.encode() in file.read(4096)


def check(folder: Path) -> Version:
    """The version of the engine in a folder, if all of its parts are there and it runs."""
    needed = (*FILES, BEHIND) if has_script_before_host(folder) else FILES
    missing = [name for name in needed if not is_program(folder / name)]
    if missing:
        raise Unavailable(f"{folder} lacks {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as home:  # it writes a log into the home that it has
        answer = output([str(folder / "pulumi"), "version"], {"PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_HOME": home})
    return parse_version(answer, r"v?(\d+)\.(\d+)\.(\d+)")


def exactly(version: Version, folder: Path) -> None:
    actual = check(folder)
    if actual != version:
        raise Unavailable(f"{folder} holds {text(actual)} instead of {text(version)}")


def is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK) and path.stat().st_size > 0


# --- the cache


def entry() -> Path:
    """Where an engine of this version for this kind of machine is kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute()
    return cache / "cloud-runs" / f"engine-{text(VERSION)}-{platform.system()}-{platform.machine()}".lower()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two checkouts that start at once build once. The system frees the lock when the process ends, however it ends."""
    entry().parent.mkdir(parents=True, exist_ok=True)
    with open(f"{entry()}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is getting the engine; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left_by_a_killed_process in entry().parent.glob(f"{entry().name}.part-*"):
            shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
        yield


def put_in_cache(make: Callable[[Path], None]) -> Path:
    """Let `make` fill a temporary folder, which gets its name when it is whole and runs: nothing half-made is found."""
    part = Path(tempfile.mkdtemp(prefix=f"{entry().name}.part-", dir=entry().parent))
    try:
        make(part)
        exactly(VERSION, part / "bin")
        shutil.rmtree(entry(), ignore_errors=True)  # a broken one
        part.rename(entry())
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return entry() / "bin"


# --- making


def download(root: Path) -> None:
    """The official release. In a process group of its own, so that the installer's children can be ended too."""
    say(f"asking for the official release {text(VERSION)}")
    child = subprocess.Popen(
        [sys.executable, str(HERE / "download.py"), str(root), text(VERSION)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, errors = child.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.returncode == -signal.SIGALRM:
        raise Unavailable("official release: no answer in time")
    if child.returncode != 0:
        raise Unavailable("official release: " + (errors.strip().splitlines() or ["failed"])[-1])


def build(root: Path) -> None:
    """A build with Go. Tool and language host need different versions of one module, hence two go.mod files."""
    go = shutil.which("go")
    if go is None:
        raise Unavailable("build: no `go` on PATH")
    settings = {
        "GOTOOLCHAIN": "local",  # never fetch another Go
        "GOWORK": "off",  # whatever surrounds the checkout
        "CGO_ENABLED": "0",  # there may be no C compiler
        **without_traces(root / "go"),
    }
    try:
        version = parse_version(output([go, "env", "GOVERSION"], settings), r"go(\d+)\.(\d+)(?:\.(\d+))?")
    except Unavailable as reason:
        raise Unavailable(f"build: {reason}") from None
    if version < go_needed():
        raise Unavailable(f"build: {go} is {text(version)}, needed is {text(go_needed())} or later")

    say(f"building engine {text(VERSION)} with Go {text(version)}; this takes some minutes, once for all checkouts")
    # Without this the tool believes that it is 3.0.0-dev.
    stamp = f"-X {SDK_MODULE}/go/common/version.Version=v{text(VERSION)}"
    for module, package, flags in (
        ("cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", f"-s -w {stamp}"),
        ("language", f"{SDK_MODULE}/python/cmd/pulumi-language-python", "-s -w"),
    ):
        target = root / "bin" / package.rpartition("/")[2]
        command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", str(target), package]
        if run_quietly(command, HERE / module, settings) != 0:
            raise Unavailable(f"build: {target.name} failed, see above")
    sources = output([go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK_MODULE], settings, HERE / "cli")
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        target = root / "bin" / Path(script).name
        shutil.copyfile(Path(sources) / "python" / script, target)
        target.chmod(0o755)
    put_script_before_host(root / "bin")
    shutil.rmtree(root / "go", ignore_errors=True)


def without_traces(folder: Path) -> dict[str, str]:
    """Settings for Go, which by itself makes `~/go` and `~/.config/go`. A module cache that is there is used."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    settings = {"GOENV": os.environ.get("GOENV") or str(config / "go" / "env"), "XDG_CONFIG_HOME": str(folder)}
    if sys.platform != "linux":  # its configuration is elsewhere, and cannot be moved
        settings = {}
    modules = Path(os.environ.get("GOPATH", "").split(os.pathsep)[0] or "~/go").expanduser() / "pkg" / "mod"
    if "GOMODCACHE" in os.environ or modules.exists():
        return settings
    flags = f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip()  # so that it can be removed
    return {**settings, "GOMODCACHE": str(folder / "modules"), "GOFLAGS": flags}


def go_needed() -> Version:
    found = re.search(r"^go (.+)$", (HERE / "cli" / "go.mod").read_text(), re.MULTILINE)
    assert found is not None
    return parse_version(found[1], r"(\d+)\.(\d+)\.(\d+)")


# --- small things


def output(command: list[str], settings: dict[str, str], folder: Path | None = None) -> str:
    """What a short command prints, or Unavailable with its name."""
    what = " ".join(command[:2])
    try:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | settings, capture_output=True, text=True, timeout=30, check=True
        )
    except subprocess.CalledProcessError as error:
        last = ([f"status {error.returncode}", *error.stderr.strip().splitlines()])[-1]
        raise Unavailable(f"{what} failed: {last}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{what} failed: {error}") from None
    return done.stdout.strip()


def run_quietly(command: list[str], folder: Path, settings: dict[str, str]) -> int:
    """Run Go, and pass on what it says but for the hundreds of modules that it downloads."""
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith("go: downloading "):
                print(line, end="", file=sys.stderr, flush=True)
    return process.returncode


def parse_version(answer: str, pattern: str) -> Version:
    found = re.match(pattern, answer)
    if found is None:
        raise Unavailable(f"{answer!r} is not a version that can be understood")
    return tuple(int(number or 0) for number in found.groups())


def text(version: Version) -> str:
    return ".".join(map(str, version))


def say(message: str) -> None:
    print(f"engine: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
