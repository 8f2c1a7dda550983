"""Which runs of a stack a person means by `RESOURCE` or `RESOURCE/OBJECT`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cloud_runs.errors import clean
from cloud_runs.promise import groups
from cloud_runs.status.options import Usage
from cloud_runs.status.recorded import OnRecord


def named(name: str, runs: Sequence[OnRecord]) -> list[OnRecord]:
    """The run, all runs of a fan-out, or the one of an object. `name` may also be the resource's URN.

    Raises Usage if there is none, or if several resources have that name.
    """
    found = [run for run in runs if name in (run.resource, run.urn)]
    found = found or [run for run in runs if run.object and name in (f"{run.resource}/{run.object}", run.label)]
    urns = list(dict.fromkeys(run.urn for run in found))
    if len(urns) > 1:
        listed = ", ".join(map(clean, urns))
        raise Usage(f"{len(urns)} resources have the name {clean(name)!r}; give the URN of one of them: {listed}")
    if not found:
        known = groups.some(list(dict.fromkeys(clean(run.resource, 100) for run in runs)))
        raise Usage(f"no run of {clean(name)!r} is recorded" + (f"; there are: {known}" if known else ""))
    return found
