"""A Pulumi stack of its own: a temporary project, a backend (its own folder, or any by its URL), the real CLI."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, ClassVar

import yaml

from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "media-1250000000"
WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799"
_PROJECT = "name: tests\nruntime: python\n"
HEADER = "import pulumi\nfrom pulumi import Alias, ResourceOptions\nfrom cloud_runs import tencent\n"


def call(what: str, name: str, /, **arguments: Any) -> str:
    """Source of a resource call. A value that begins with `=` is source itself."""
    given = [
        f"{key}={value[1:] if isinstance(value, str) and value.startswith('=') else repr(value)}"
        for key, value in arguments.items()
        if value is not None
    ]
    variable = name.replace("-", "_")
    return f"{variable} = {what}({', '.join([repr(name), *given])})\n"


def run(name: str = "run", /, **arguments: Any) -> str:
    """Source of a workflow run."""
    return call(
        "tencent.WorkflowRun", name, **{"bucket": BUCKET, "workflow_id": WORKFLOW, "object": "a.mp4", **arguments}
    )


def job(name: str = "job", /, **arguments: Any) -> str:
    """Source of an inventory job."""
    defaults = {"bucket": BUCKET, "workflow_ids": WORKFLOW, "input": {"prefix": "input"}}
    return call("tencent.InventoryJob", name, **{**defaults, **arguments})


def shell(script: str, folder: Path, env: Mapping[str, str], typed: str = "") -> str:
    """Commands as a page has them, which must succeed. What they print."""
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=folder,
        env=env,
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


QUICK = {"runs:startSeconds": "4", "runs:lagSeconds": "0"}
"""An emulator answers at once, so a run of an interrupted `up` need not be looked for as long as one of a cloud."""

QUICKLY = {
    "PYTHONPATH": str(Path(__file__).parent / "quick"),
    # An engine that lives for a second has no use for its collector, which takes a twentieth of an `up`.
    "GOGC": "off",
    "GOMEMLIMIT": "500MiB",
}
"""For `Stack.settings`, where hundreds of `up`s are run."""

_BLANK = "test"


@functools.cache
def _blank() -> dict[str, bytes]:
    """The files that `pulumi stack init` makes, once a process: the CLI takes as long for it as for a quarter of an
    `up`. The stack is not the selected one."""
    with tempfile.TemporaryDirectory(prefix="cloud-runs-blank-") as folder:
        made = Stack.__new__(Stack)
        made.folder, made.project = Path(folder), Path(folder) / "project"
        made.name, made.backend = _BLANK, f"file://{folder}/state"
        made.project.mkdir()
        (made.folder / "state").mkdir()
        (made.project / "Pulumi.yaml").write_text(_PROJECT)
        made.pulumi("stack", "init", _BLANK)
        found = [*(made.folder / "state").rglob("*"), made.project / f"Pulumi.{_BLANK}.yaml"]
        return {str(file.relative_to(folder)): file.read_bytes() for file in found if file.is_file()}


class Result:
    def __init__(self, completed: subprocess.CompletedProcess[str]) -> None:
        self.code = completed.returncode
        self.out = completed.stdout
        self.text = completed.stdout + completed.stderr

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.text}"


class Stack:
    """`program()` writes the program; the other methods are the CLI's commands, which assert success by default."""

    settings: ClassVar[dict[str, str]] = {}
    """More of the environment, for all stacks of a test session; a bench has none of it."""
    environment: Mapping[str, str] = MappingProxyType({})
    """The same, for one stack."""
    under: tuple[str, ...] = ()
    """A command that runs `up`s of this stack, such as `unshare`."""

    def __init__(self, folder: Path, emulator: Emulator, name: str = "test", backend: str = "") -> None:
        self.folder, self.name, self.emulator = folder, name, emulator
        self.backend = backend or f"file://{folder / 'state'}"
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        (folder / "state").mkdir()
        (self.project / "Pulumi.yaml").write_text(_PROJECT)
        self.configure()
        if type(self) is Stack and (name, self.backend) == (_BLANK, f"file://{folder / 'state'}"):
            self._copy(_blank())
        else:
            self.pulumi("stack", "init", name)

    def _copy(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("ab") as settings:  # the salt comes after the configuration that is there
                settings.write(content)

    def checkout(self, folder: Path) -> Stack:
        """Another checkout of the project, as on a colleague's machine: the same stack on the same backend."""
        other = copy.copy(self)
        other.folder, other.project = folder, folder / "project"
        shutil.copytree(self.project, other.project)
        return other

    def configure(self, **changes: str | None) -> None:
        """Writes the stack's configuration; `None` leaves a key out. Keys are given with `__` for the colon."""
        config: dict[str, str | None] = {
            "tencentcloud:region": "ap-beijing",
            "tencentcloud:secretId": SECRET_ID,
            "tencentcloud:secretKey": SECRET_KEY,
            "runs:tencentEndpoint": self.emulator.url,
            **QUICK,
        }
        config |= {key.replace("__", ":"): value for key, value in changes.items()}
        file = self.project / f"Pulumi.{self.name}.yaml"
        settings = yaml.safe_load(file.read_text()) if file.exists() else {}
        settings["config"] = {key: value for key, value in config.items() if value is not None}
        file.write_text(yaml.safe_dump(settings))

    @property
    def env(self) -> dict[str, str]:
        prefixes = ("PULUMI", "TENCENTCLOUD", "RUNS_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        env = {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}
        return env | {
            "PULUMI_BACKEND_URL": self.backend,
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "NO_COLOR": "1",
            **self.settings,
            **self.environment,
        }

    def pulumi(self, *arguments: str, check: bool = True, env: dict[str, str] | None = None) -> Result:
        command = [*self.under, shutil.which("pulumi") or "pulumi", *arguments, "--non-interactive", "--color", "never"]
        completed = subprocess.run(
            command, cwd=self.project, env=self.env | (env or {}), capture_output=True, text=True, timeout=300
        )
        result = Result(completed)
        assert not check or result.code == 0, result
        return result

    def program(self, *source: str) -> Stack:
        body = HEADER + "".join(textwrap.dedent(part) for part in source)
        (self.project / "__main__.py").write_text(body)
        return self

    def up(
        self, *source: str, flags: tuple[str, ...] = (), check: bool = True, env: dict[str, str] | None = None
    ) -> Result:
        if source:
            self.program(*source)
        return self.pulumi("up", "--yes", "--skip-preview", "-s", self.name, *flags, check=check, env=env)

    def preview(self, *source: str, flags: tuple[str, ...] = (), check: bool = True) -> Result:
        if source:
            self.program(*source)
        return self.pulumi("preview", "-s", self.name, *flags, check=check)

    def refresh(self) -> Result:
        return self.pulumi("refresh", "--yes", "--skip-preview", "-s", self.name)

    def destroy(self, *flags: str, check: bool = True) -> Result:
        return self.pulumi("destroy", "--yes", "--skip-preview", "-s", self.name, *flags, check=check)

    def start(
        self, *source: str, flags: tuple[str, ...] = (), command: str = "up", output: IO[str] | int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """An `up` (or `destroy`) that goes on in the background."""
        if source:
            self.program(*source)
        return subprocess.Popen(
            [*self.under, "pulumi", command, "--yes", "--skip-preview", "-s", self.name, "--non-interactive", *flags],
            cwd=self.project,
            env=self.env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def shell(self, script: str, **settings: str) -> str:
        """In the project's folder, with this stack selected, and nothing typed."""
        return shell(script, self.project, self.env | {"PULUMI_STACK": self.name} | settings)

    def processes(self) -> list[int]:
        """The engine and its plugins: they all work in the project's folder."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "cwd").resolve(strict=True) == self.project.resolve():
                    found.append(int(entry.name))
        return found

    def kill(self) -> None:
        """SIGKILL to everything that works in the project's folder, and `pulumi cancel` for the lock that stays."""
        self.kill_processes()
        self.unlock()

    def kill_processes(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def unlock(self) -> None:
        self.pulumi("cancel", "--yes", "-s", self.name)

    def export(self) -> str:
        """The state as it is stored. Read from the file: the CLI would take a quarter of a second for it."""
        state = Path(self.backend.removeprefix("file://"))
        return next(state.glob(f".pulumi/stacks/*/{self.name}.json")).read_text()

    def deployment(self) -> dict[str, Any]:
        """What `pulumi stack export` gives under this name; empty before the first `up`."""
        if self.backend.startswith("file://"):
            return dict(json.loads(self.export())["checkpoint"]["latest"] or {})
        return dict(json.loads(self.pulumi("stack", "export", "-s", self.name).out)["deployment"] or {})

    def resources(self) -> dict[str, dict[str, Any]]:
        """The state's resources by name; intents included, provider and stack left out."""
        resources = self.deployment().get("resources") or []
        return {entry["urn"].split("::", 3)[3]: entry for entry in resources if "dynamic/" in entry["type"]}

    def urn(self, name: str) -> str:
        return str(self.resources()[name]["urn"])

    def id(self, name: str = "run") -> str:
        return str(self.resources()[name]["id"])

    def output(self) -> dict[str, Any]:
        """The outputs of the stack itself, as another stack would get them."""
        return dict(json.loads(self.pulumi("stack", "output", "--json", "-s", self.name).out))

    def outputs(self, name: str = "run") -> dict[str, Any]:
        return dict(self.resources()[name]["outputs"])
