"""docs/pipelines.md, with uv and with Poetry: a project from the template, with the real tool.

uv comes from the lock. Poetry does not: it is tried where it is on PATH. Where Pulumi calls uv itself, that is tried,
else what the page says for an engine that does not.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.demo.pages import blocks
from tests.packaging.conftest import Dist
from tests.packaging.test_pulumi_install import bare_environment
from tests.packaging.test_template import make_template
from tests.support import installed
from tests.support.emulator import Emulator, emulator
from tests.support.stack import shell

pytestmark = [pytest.mark.engine, pytest.mark.long]

(_, NEW), (_, NEW_UV), (_, UV), (_, PYPROJECT), (_, POETRY) = blocks("docs/pipelines.md")
NEW = NEW.removeprefix("make template\n")
TRIAL = "pulumi up --yes --stack dev\npulumi up --yes --stack dev\ncloud-runs status --stack dev"


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    """The program waits for its run."""
    with emulator("--run-seconds", "1") as running:
        yield running


@pytest.fixture
def make(dist: Dist, tmp_path: Path, cloud: Emulator) -> Callable[[str], Path]:
    """A project by a command of the page."""

    def made(command: str) -> Path:
        make_template(dist, tmp_path / "checkout")
        (tmp_path / "state").mkdir()
        run(f"{command.strip()} --name mine --stack dev --yes", tmp_path / "checkout")
        settings = tmp_path / "my-runs" / "Pulumi.dev.yaml"
        settings.write_text(settings.read_text().replace("http://127.0.0.1:9700", cloud.url))
        return tmp_path / "my-runs"

    return made


def run(script: str, folder: Path) -> str:
    env = bare_environment(folder.parent / "state")
    tools = [str(Path(sys.executable).parent), str(Path(shutil.which("poetry") or "/none").parent)]
    return shell(script, folder, env | {"PATH": os.pathsep.join([env["PATH"], *tools])})


def pulumi_calls_the_tool() -> bool:
    """A host that was built here does not look at `toolchain` (tools/engine/language/host.sh)."""
    host = shutil.which("pulumi-language-python")
    assert host
    return b"python-language-host" not in Path(host).read_bytes()[:4096]


def test_with_uv(make: Callable[[str], Path], cloud: Emulator) -> None:
    project = make(NEW_UV)
    assert "toolchain: uv\n" in (project / "Pulumi.yaml").read_text()
    if pulumi_calls_the_tool():
        assert {"pyproject.toml", "uv.lock"} <= {file.name for file in project.iterdir()}
        assert not (project / "requirements.txt").exists()
    else:
        run(UV, project)
    assert "uv = " in (project / "venv" / "pyvenv.cfg").read_text(), "what has made it"
    assert " 1 run: 1 succeeded" in run(f". venv/bin/activate\n{TRIAL}", project)
    assert len(cloud.ids()) == 1
    (wheel,) = re.findall(r"pip install ('.*\[emulator\]')", (project / "README.md").read_text())
    run(f". venv/bin/activate\nuv pip install {wheel}\ncloud-runs-emulator --help", project)


def test_the_project_of_poetry_has_the_version_that_there_is(dist: Dist) -> None:
    assert f'"wheels/{dist.wheel.name}"' in PYPROJECT


@contextmanager
def index(dist: Dist, folder: Path) -> Iterator[str]:
    """What the package needs, fetched by pip, for a tool that would ask an index in a way that not each one answers."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder / "fetched"), str(dist.wheel)]
    installed.run(pip, folder)
    for file in (folder / "fetched").iterdir():
        there = folder / "index" / re.sub(r"[-_.]+", "-", file.name.split("-")[0]).lower()
        there.mkdir(parents=True, exist_ok=True)
        file.rename(there / file.name)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.skipif(not shutil.which("poetry"), reason="needs Poetry on PATH")
def test_with_poetry(make: Callable[[str], Path], dist: Dist, cloud: Emulator, tmp_path: Path) -> None:
    project = make(NEW)
    settings = project / "Pulumi.yaml"
    text = settings.read_text()
    for before, after in (("toolchain: pip", "toolchain: poetry"), ("virtualenv: venv", "virtualenv: .venv")):
        assert before in text
        text = text.replace(before, after)
    settings.write_text(text)
    with index(dist, tmp_path) as url:
        source = f'\n[[tool.poetry.source]]\nname = "near"\nurl = "{url}"\npriority = "primary"\n'
        (project / "pyproject.toml").write_text(PYPROJECT + source)
        run(POETRY, project)
        assert {"poetry.lock", "poetry.toml", ".venv"} <= {file.name for file in project.iterdir()}
        assert not (project / "venv").exists()
        assert " 1 run: 1 succeeded" in run(f". .venv/bin/activate\n{TRIAL}", project)
    assert len(cloud.ids()) == 1
