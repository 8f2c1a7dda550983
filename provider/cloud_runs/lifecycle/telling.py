"""What is said about the objects of a fan-out: few lines for many objects."""

from __future__ import annotations

from cloud_runs.lifecycle import progress
from cloud_runs.promise import groups
from cloud_runs.promise.fanned import Fanned


def warn(urn: str, fanned: Fanned) -> None:
    if fanned.found:
        lines = groups.listed({key: fanned.ids[key] + fanned.ended.get(key, "") for key in sorted(fanned.found)})
        progress.warn(urn, f"found {len(fanned.found)} runs that had been started; they were not fired again{lines}")
    if fanned.refused:
        progress.warn(urn, f"{len(fanned.refused)} objects have no run{groups.reasons(fanned.refused)}")
    if fanned.shared:
        lines = groups.listed({key: fanned.ids[key] for key in sorted(fanned.shared)})
        progress.warn(
            urn,
            f"{len(fanned.shared)} starts were answered with a run that is on record already: nothing new may have run "
            f"for them{lines}",
        )
