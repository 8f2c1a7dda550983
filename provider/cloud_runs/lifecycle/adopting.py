"""Runs that exist already and are recorded instead of fired: verified first, so that a typing error records nothing.

Two ways to say which: an argument (`adopt_id`, `adopt_ids`), which holds as long as it is there, and the setting
`runs:adopt`, which counts once, while the resource has no run on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from cloud_runs import errors
from cloud_runs.kinds import Kind
from cloud_runs.lifecycle.values import known
from cloud_runs.runs import RunApi, RunStatus

SETTING = "runs:adopt"


def configured(name: str) -> Any:
    """What the stack's configuration says of the resource with this name: an id, of a fan-out ids by object.

    Read in the program. Raises ValueError for what is no mapping.
    """
    try:
        found = pulumi.Config("runs").get_object("adopt")
    except pulumi.ConfigTypeError:
        found = ""
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise ValueError(
            f'{SETTING} must be a mapping of resource names to ids, for example {{"transcode": "i6fc78ca"}}'
        )
    return found.get(name)


def how(name: str) -> str:
    """The command that lets the next `up` record a run."""
    return f"pulumi config set --path '{SETTING}[\"{name}\"]' ID"


def stale(name: str, given: Any, recorded: Any) -> str:
    """What is said when the setting names a run for a resource that has one on record."""
    forget = f"take it away: pulumi config rm --path '{SETTING}[\"{name}\"]'"
    if given == recorded:
        return f"{SETTING} has done its work for {name!r}; {forget}"
    return (
        f"{SETTING} names a run for {name!r}, which has another one on record: nothing was done. To record the other "
        f"one all the same, set adopt_id; else {forget}"
    )


def verified(kind: Kind[Any], props: Mapping[str, Any], id: str, api: RunApi[Any]) -> RunStatus:
    """The run that is to be adopted. Raises RunsError if there is none, or if it does other work than the inputs ask
    for."""
    try:
        status = api.get(id)
    except errors.NotFound as gone:
        shown = errors.clean(id)
        raise errors.RunsError(f"there is no run {shown} to adopt; nothing was fired. {gone}") from gone
    given = {name: value for name, value in props.items() if known(value)}
    complete = all(known(props.get(name)) for name in kind.names)
    differs = list(kind.mismatches(given, status)) if complete else []
    if differs:
        listed = "; ".join(map(errors.clean, differs))
        raise errors.RunsError(
            f"run {errors.clean(id)} does other work: {listed}. Nothing was recorded or fired; set adopt_id to the run "
            "that you mean, or the arguments to those of this run"
        )
    return status
