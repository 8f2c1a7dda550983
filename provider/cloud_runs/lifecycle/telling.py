"""What is said about the objects of a fan-out: few lines for many objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from cloud_runs.lifecycle import progress
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
    """One line a reason, as long as there are few objects; the same reason for many is told once."""
    count = Counter(refused.values())
    if len(count) == len(refused) or len(refused) <= 2:
        return listed(refused)
    groups: dict[str, list[str]] = {}
    for key, why in refused.items():
        groups.setdefault(why, []).append(key)
    lines = {}
    for why, keys in groups.items():
        more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
        lines[", ".join(keys[:5]) + more] = why
    return listed(lines)
