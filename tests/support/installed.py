"""A clean Python environment with the package as a user installs it: a wheel built from the sdist, and no checkout.

No index is asked: what the wheel declares to need is linked from the tests' own environment, and nothing else is there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys, setuptools.build_meta as backend; print(getattr(backend, 'build_' + sys.argv[1])(sys.argv[2]))"


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_checkout(folder: Path) -> Path:
    """What git would commit now, and nothing that lies about."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def build(kind: str, source: Path, dist: Path) -> Path:
    """`sdist` or `wheel`, by the backend that pyproject.toml names, which the lock brings."""
    dist.mkdir(exist_ok=True)
    return dist / run([sys.executable, "-c", BUILD, kind, str(dist)], source).splitlines()[-1]


def environment(folder: Path, wheel: Path, *extras: str) -> Path:
    """Its `python`."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], folder)
    link_needed(folder, *extras)
    return python


def made_by_pulumi(project: Path, name: str, env: dict[str, str]) -> Path:
    """The virtual environment that `pulumi install` made, of the name in Pulumi.yaml.

    An engine that 0.1 built makes it in the project itself, and runs the `python3` of PATH: it gets both, in `env` too.
    """
    environment = project / name
    if not environment.exists():
        assert (project / "pyvenv.cfg").exists()
        environment.symlink_to(".")
        env["PATH"] = f"{environment}/bin{os.pathsep}{env['PATH']}"
    return environment


def link_needed(folder: Path, *extras: str) -> None:
    """Puts what the package that is installed there declares to need into this virtual environment."""
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    metadata = next(packages.glob("cloud_runs-*.dist-info"))
    for name in sorted(needed(Distribution.at(metadata), set(extras))):
        link(distribution(name), packages)


def needed(package: Distribution, extras: set[str], seen: set[str] | None = None) -> set[str]:
    """The names of all distributions that it needs, by what it and they declare."""
    found = set() if seen is None else seen
    for line in package.requires or []:
        requirement = Requirement(line)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}
        )
        if wanted and requirement.name not in found:
            there = distribution(requirement.name)
            assert requirement.specifier.contains(there.version, prereleases=True), line
            found.add(requirement.name)
            needed(there, requirement.extras, found)
    return found


def link(package: Distribution, packages: Path) -> None:
    """Every file of its own, so that packages which share a namespace folder do not bring each other."""
    for file in package.files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            place = packages / file
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                place.symlink_to(Path(str(package.locate_file(file))).resolve())
