"""What is said about the objects of a fan-out: few lines for many objects."""

from __future__ import annotations

from cloud_runs.lifecycle import progress
from cloud_runs.promise import groups
from cloud_runs.promise.fanned import Fanned
from cloud_runs.promise.records import Recorded


def warn(urn: str, fanned: Fanned, run: Recorded) -> None:
    """`run`: what is on record then."""
    if fanned.found:
        lines = groups.listed({key: fanned.ids[key] + fanned.ended.get(key, "") for key in sorted(fanned.found)})
        found = groups.many(len(fanned.found), "run")
        progress.warn(urn, f"found {found} that had been started: not fired again{lines}")
    if run.refused:
        refused = groups.many(len(run.refused), "object")
        progress.warn(urn, f"{refused} without a run{groups.reasons(run.refused)}")
    failed = {key: why for key, why in fanned.refused.items() if key not in run.refused}
    if failed:
        objects = groups.many(len(failed), "object")
        progress.warn(urn, f"{objects} failed and not fired again{groups.reasons(failed)}")
    if fanned.shared:
        lines = groups.listed({key: fanned.ids[key] for key in sorted(fanned.shared)})
        starts = groups.many(len(fanned.shared), "start")
        said = f"{starts} answered with a run that is recorded already: nothing new may have run for that{lines}"
        progress.warn(urn, said)
