"""The commands of the files in docs/pipelines, by what they are for: `install`, `up`, `status`."""

from __future__ import annotations

from pathlib import Path

import yaml

PIPELINES = Path(__file__).resolve().parents[2] / "docs" / "pipelines"
GITHUB, GITLAB = PIPELINES / "github-actions.yml", PIPELINES / "gitlab-ci.yml"


def steps(file: Path) -> dict[str, list[str]]:
    settings = yaml.safe_load(file.read_text())
    if file == GITHUB:
        return {step["name"]: step["run"].splitlines() for step in settings["jobs"]["up"]["steps"] if "run" in step}
    job = settings["runs"]
    return {"install": job["before_script"], "up": job["script"], "status": job["after_script"]}
