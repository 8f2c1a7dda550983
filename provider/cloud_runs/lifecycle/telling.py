"""What is said about the objects of a fan-out: few lines for many objects."""

from __future__ import annotations

from collections.abc import Mapping

from cloud_runs.lifecycle import progress
from cloud_runs.promise import groups
from cloud_runs.promise.fanned import Fanned

_SHOWN = 20  # objects that a warning names


def warn(urn: str, fanned: Fanned) -> None:
    if fanned.found:
        lines = listed({key: fanned.ids[key] + fanned.ended.get(key, "") for key in sorted(fanned.found)})
        progress.warn(urn, f"found {len(fanned.found)} runs that had been started; they were not fired again{lines}")
    if fanned.refused:
        progress.warn(urn, f"{len(fanned.refused)} objects have no run{reasons(fanned.refused)}")
    if fanned.shared:
        lines = listed({key: fanned.ids[key] for key in sorted(fanned.shared)})
        progress.warn(
            urn,
            f"{len(fanned.shared)} starts were answered with a run that is on record already: nothing new may have run "
            f"for them{lines}",
        )


def listed(told: Mapping[str, str]) -> str:
    lines = [f"\n  {key}: {what}" for key, what in list(told.items())[:_SHOWN]]
    more = f"\n  and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return "".join(lines) + more


def reasons(refused: Mapping[str, str]) -> str:
    """One line a reason, with the objects that have it."""
    told = {keys[0] if len(keys) == 1 else groups.objects(keys): why for keys, why in groups.alike(refused.items())}
    return listed(told)
