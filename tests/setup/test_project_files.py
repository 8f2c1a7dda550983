"""What the two commands stand on: the lock file, the Go modules' files, and the settings that `make env` prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.installed import needed

ROOT = Path(__file__).resolve().parents[2]
LOCK, INSTALLED = ROOT / "requirements.lock", ROOT / "requirements.txt"
PINS = [LOCK, INSTALLED, ROOT / "tests/vendor/requirements.txt", *ROOT.glob("tools/engine/*/go.*")]


@pytest.mark.parametrize("path", PINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_pins_name_no_index_and_no_folder_of_a_machine(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"https?:|--(?:extra-)?index|--find-links|file:", text) == []
    assert re.findall(r"(?:^|[\s=])\.{0,2}/[\w.]\S*", text) == []


def test_every_requirement_is_pinned_with_hashes() -> None:
    blocks = re.split(r"\n(?=\S)", LOCK.read_text().strip())
    assert len(blocks) > 20
    for block in blocks:
        assert re.match(r"[\w.-]+==[\w.]+ ", block), block
        assert "--hash=sha256:" in block


def test_what_pulumi_installs_has_the_versions_of_the_lock() -> None:
    """All that the project needs, and no more: the tools of those who work on it are in the lock alone."""
    project, *pins = [line for line in INSTALLED.read_text().splitlines() if not line.startswith("#")]
    assert project == "-e .[emulator]"
    locked = [line.removesuffix(" \\") for line in LOCK.read_text().splitlines() if re.match(r"\w", line)]
    assert set(pins) <= set(locked)
    wanted = [Requirement(pin) for pin in pins]
    here = {canonicalize_name(pin.name) for pin in wanted if pin.marker is None or pin.marker.evaluate()}
    assert here == set(map(canonicalize_name, needed(distribution("cloud-runs"), {"emulator"})))


def test_pip_takes_what_pulumi_installs() -> None:
    """As it stands there: pip refuses a folder beside hashes. Nothing is installed, and no index is asked."""
    flags = ["--dry-run", "--no-index", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "install", *flags, "-r", "requirements.txt"]
    done = subprocess.run(pip, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_language_host_does_not_take_the_package_for_a_plugin() -> None:
    """It looks for a plugin of each installed package named `pulumi-...`, and tries to download it at every `up`."""
    assert re.search(r'^name = "(?!pulumi)', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)


@pytest.mark.engine
def test_make_env_sets_up_a_shell_for_plain_pulumi() -> None:
    # `-o`: a test must not install anything. Make's own variables are those of `make test`.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PULUMI_"))}
    env["PULUMI_CONFIG_PASSPHRASE"] = "two words"
    script = (
        'settings="$(make -s -o .venv/.installed env)" && eval "$settings" && '
        "pulumi version && command -v python3 && "
        'echo "$PULUMI_BACKEND_URL" && echo "$PULUMI_HOME" && echo "$PULUMI_CONFIG_PASSPHRASE"'
    )
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, python, backend, home, passphrase = done.stdout.splitlines()
    assert re.match(r"v?3\.\d+\.\d+", version)
    assert python == str(ROOT / ".venv" / "bin" / "python3")
    assert backend == f"file://{ROOT}/.pulumi-state"
    assert home == f"{ROOT}/.pulumi-state/home", "nothing is written into the user's own"
    assert passphrase == "two words"
