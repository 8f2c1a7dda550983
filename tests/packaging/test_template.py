"""`pulumi new` with the template in templates/, without an index; what its README says; the commands of pipelines."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.demo.pages import blocks
from tests.packaging.conftest import Dist
from tests.packaging.pipelines import GITHUB, GITLAB, steps
from tests.support import installed
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import Stack

pytestmark = [pytest.mark.engine, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "templates" / "cloud-runs-python"


def test_the_template_wants_the_version_that_there_is(dist: Dist) -> None:
    (wanted,) = re.findall(r"^\./wheels/(.*)$", (TEMPLATE / "requirements.txt").read_text(), re.MULTILINE)
    assert wanted == dist.wheel.name


def test_it_brings_the_pipelines_of_the_docs() -> None:
    assert (TEMPLATE / ".github" / "workflows" / "runs.yml").read_text() == GITHUB.read_text()
    assert (TEMPLATE / ".gitlab-ci.yml").read_text() == GITLAB.read_text()


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    """Its program waits for the run."""
    with emulator("--run-seconds", "1") as running:
        yield running


def test_a_new_project_fires_a_run(dist: Dist, stack: Stack, cloud: Emulator) -> None:
    (_, commands), *_ = blocks("docs/pipelines.md")
    make, new = commands.splitlines()
    assert make == "make template"
    stack.project, project = stack.folder / "checkout", stack.folder / "my-runs"
    make_template(dist, stack.project)
    shell([f"{new} --name mine --stack dev --yes --offline"], stack, **without_index(stack.folder))
    assert yaml.safe_load((project / "Pulumi.yaml").read_text())["name"] == "mine"
    settings = {"PATH": os.environ["PATH"], "PYTHONPATH": ""}
    installed.link_needed(installed.made_by_pulumi(project, "venv", settings))
    stack.project = project
    said = (project / "README.md").read_text()
    assert said.startswith("# mine\n")
    clouds, trial, account = re.findall(r"^```sh\n(.*?)^```$", said, re.MULTILINE | re.DOTALL)
    assert f"'./wheels/{dist.wheel.name}[emulator]'" in clouds, "test_packaging.py installs that"

    dev = project / "Pulumi.dev.yaml"
    assert dev.read_text().count("http://127.0.0.1:9700") == 1, "the emulator's default"
    dev.write_text(dev.read_text().replace("http://127.0.0.1:9700", cloud.url))
    shell(trial.splitlines(), stack, **settings)
    assert len(cloud.ids("tencent.workflow")) == 2, "the first, and that of the new release"

    settings |= {
        "TENCENTCLOUD_SECRET_ID": SECRET_ID,
        "TENCENTCLOUD_SECRET_KEY": SECRET_KEY,
        "RUNS_TENCENT_ENDPOINT": cloud.url,
    }
    shell(account.splitlines(), stack, **settings)
    assert len(cloud.ids("tencent.workflow")) == 2
    do = steps(GITHUB)
    assert do["install"] == ["pulumi install"], "done above, by `pulumi new`"
    for release, runs in (("a1", 3), ("a1", 3), ("b2", 4)):
        shell([*do["up"], *do["status"]], stack, **settings, RELEASE=release)
        assert len(cloud.ids("tencent.workflow")) == runs, "one for each commit"
    assert "transcode" in (project / "runs.html").read_text()


def make_template(dist: Dist, checkout: Path) -> None:
    """As `make template` does."""
    template = checkout / "templates" / TEMPLATE.name
    shutil.copytree(TEMPLATE, template, ignore=shutil.ignore_patterns("wheels", "__pycache__"))
    (template / "wheels").mkdir()
    shutil.copy(dist.wheel, template / "wheels")


def shell(lines: list[str], stack: Stack, **settings: str) -> None:
    """As GitHub does it."""
    command = ["bash", "-e", "-c", "\n".join(lines)]
    env = stack.env | settings | {"PYTHONPATH": ""}  # with the real pip
    done = subprocess.run(command, cwd=stack.project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def without_index(folder: Path) -> dict[str, str]:
    """Settings for pip: what the host fetches for itself (`wheel`) is an empty package, and dependencies come later."""
    with zipfile.ZipFile(folder / "wheel-99-py3-none-any.whl", "w") as wheel:
        for name, text in {
            "METADATA": "Metadata-Version: 2.1\nName: wheel\nVersion: 99\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }.items():
            wheel.writestr(f"wheel-99.dist-info/{name}", text)
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_NO_DEPS": "1"}
