"""docs/pipelines: valid for the schemas that GitHub and GitLab publish, and both do the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.pipelines import GITHUB, GITLAB, steps

LINTERS = {
    GITHUB: ("--builtin-schema", "vendor.github-workflows"),
    GITLAB: ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}


def problems(file: Path, *flags: str) -> str:
    command = [sys.executable, "-m", "check_jsonschema", *flags, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("file", LINTERS, ids=lambda file: file.stem)
def test_the_file_is_what_its_schema_allows(file: Path, tmp_path: Path) -> None:
    assert problems(file, *LINTERS[file]) == ""
    wrong = tmp_path / file.name
    for name in ("runs-on", "artifacts"):
        if name in file.read_text():
            wrong.write_text(file.read_text().replace(f"{name}:", f"{name}s:"))
    assert problems(wrong, *LINTERS[file])


def test_both_do_the_same() -> None:
    github, gitlab = steps(GITHUB), steps(GITLAB)
    assert {
        name: [line.removesuffix(" || [ $? -eq 11 ]") for line in lines] for name, lines in github.items()
    } == gitlab
