"""A fresh clone of this checkout, and a shell in it as a reader has it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.demo.pages import ROOT
from tests.kits import PREFIXES
from tests.support.stack import shell as run_shell


def clone(folder: Path) -> Path:
    """With what has not been committed yet; its environment is this checkout's."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    copy = folder / "checkout"
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    for name in ("requirements.lock", "pyproject.toml"):
        os.utime(copy / name, (0, 0))  # older than the environment: a test installs nothing
    subprocess.run("git init -q && git add -A", shell=True, cwd=copy, check=True)
    return copy


def environment(checkout: Path) -> dict[str, str]:
    names = ("MAKE", "MFLAGS", "PULUMI_", *PREFIXES)
    env = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return env | {"PULUMI_HOME": str(checkout.parent / "home")}


def shell(script: str, checkout: Path, *, typed: str = "", **settings: str) -> str:
    return run_shell(script, checkout, environment(checkout) | settings, typed)
