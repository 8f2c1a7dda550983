"""Reads a stack: through Pulumi's Automation API, or from an export. What does NOT happen: no lock, no update, no stack
is selected.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pulumi import automation

from cloud_runs.errors import RunsError, clean
from cloud_runs.status import recorded
from cloud_runs.status.recorded import Records

T = TypeVar("T")


class Stack(NamedTuple):
    project: str
    name: str
    records: Records
    """With secrets in plain text, since keys of explicit providers are among them. They stay in memory."""
    config: Mapping[str, str]
    """Decrypted."""


def read(folder: str, name: str = "") -> Stack:
    """The stack of this name, else the one that is selected, of the project in `folder`.

    Raises RunsError if there is none, or if it cannot be decrypted.
    """
    workspace = workspace_of(folder)
    # `workspace.stack()` would list every stack of the backend.
    name = name or told(lambda: workspace.pulumi_command.run(["stack", "--show-name"], folder, {})).stdout.strip()
    deployment = told(lambda: workspace.export_stack(name)).deployment or {}
    config = told(lambda: workspace.get_all_config(name))
    project = told(workspace.project_settings).name
    return Stack(project, name, recorded.read(deployment), {key: found.value for key, found in config.items()})


def read_export(export: str | Path | Mapping[str, Any] | automation.Deployment) -> Stack:
    """The stack of which this is the export: a file, `-` for what comes in on stdin, or what `json.load` or the
    Automation API makes of it.

    Keys come from the environment, and from what the export has in plain text. Raises RunsError for what is none.
    """
    if isinstance(export, automation.Deployment):
        export = {"deployment": export.deployment or {}}
    found = export if isinstance(export, Mapping) else _parsed(str(export))
    deployment = found.get("deployment", found if {"manifest", "resources"} & found.keys() else None)
    if not isinstance(deployment, Mapping) or not isinstance(deployment.get("resources") or [], list):
        raise RunsError("this is no export of a stack: `pulumi stack export` makes one")
    try:
        records = recorded.read(deployment)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise RunsError("this export of a stack cannot be read: `pulumi stack export` makes one") from None
    urn = next((entry["urn"] for entry in deployment.get("resources") or ()), "")
    stack = urn.removeprefix("urn:pulumi:").split("::")[0]
    return Stack(records.project, stack, records, records.last_config())


def workspace_of(folder: str) -> automation.LocalWorkspace:
    """Raises RunsError if there is no Pulumi."""
    try:
        return automation.LocalWorkspace(work_dir=folder)
    except FileNotFoundError:
        raise RunsError(
            'there is no pulumi on PATH: install Pulumi, or in this checkout run eval "$(make -s env)"'
        ) from None
    except (subprocess.CalledProcessError, automation.InvalidVersionError) as error:
        raise RunsError(f"pulumi does not work: {clean(str(error))}") from None


def told(call: Callable[[], T]) -> T:
    """What the CLI answers. Raises RunsError with what it says of an error."""
    try:
        return call()
    except automation.CommandError as error:
        # Its text has the whole output as well, and that may hold secrets.
        said = str(error).rpartition("\n stderr: ")[2].strip().removeprefix("error: ")
        raise RunsError(clean(said, 600)) from None


def _parsed(file: str) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunsError(f"cannot read the export {file!r}: {getattr(error, 'strerror', '') or error}") from None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise RunsError(f"{file!r} is no export of a stack: `pulumi stack export` makes one")
    return found
