"""Reads a stack through Pulumi's Automation API. What does NOT happen: no lock, no update, no stack is selected."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from pulumi import automation

from cloud_runs.errors import RunsError, clean

T = TypeVar("T")


class Stack(NamedTuple):
    name: str
    deployment: Mapping[str, Any]
    """With its secrets in plain text, since keys of explicit providers are among them. It stays in memory."""
    config: dict[str, str]
    """Decrypted."""


def read(folder: str, name: str = "") -> Stack:
    """The stack of this name, else the one that is selected, of the project in `folder`.

    Raises RunsError if there is none, or if it cannot be decrypted.
    """
    try:
        workspace = automation.LocalWorkspace(work_dir=folder)
    except FileNotFoundError:
        raise RunsError(
            'there is no pulumi on PATH: install Pulumi, or in this checkout run eval "$(make -s env)"'
        ) from None
    except (subprocess.CalledProcessError, automation.InvalidVersionError) as error:
        raise RunsError(f"pulumi does not work: {clean(str(error))}") from None
    # `workspace.stack()` would list every stack of the backend.
    name = name or _told(lambda: workspace.pulumi_command.run(["stack", "--show-name"], folder, {})).stdout.strip()
    deployment = _told(lambda: workspace.export_stack(name)).deployment or {}
    config = _told(lambda: workspace.get_all_config(name))
    return Stack(name, deployment, {key: found.value for key, found in config.items()})


def _told(call: Callable[[], T]) -> T:
    try:
        return call()
    except automation.CommandError as error:
        # Its text has the whole output as well, and that may hold secrets.
        said = str(error).rpartition("\n stderr: ")[2].strip().removeprefix("error: ")
        raise RunsError(clean(said, 600)) from None
