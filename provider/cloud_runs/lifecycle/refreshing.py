"""What a refresh learns of a fan-out's runs: which have failed or are gone, and what its row says. Fires nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloud_runs import errors
from cloud_runs.kinds import Kind
from cloud_runs.lifecycle import adopting, host, progress
from cloud_runs.promise import groups, ledger, outcomes
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Recorded
from cloud_runs.promise.statuses import failed_of
from cloud_runs.promise.waiting import Told
from cloud_runs.runs import Phase, RunApi, RunStatus

ASK_SECONDS = 120.0
"""For one look at all runs of a fan-out; what is not told within it stays as it is on record."""
_SHARE = 0.9  # of that for the service, so that what was told by then is not lost


def refreshed(
    kind: Kind[Any], run: Recorded, props: Mapping[str, Any], api: RunApi[Any], process: Process
) -> dict[str, Any]:
    """The outputs after one look at all runs. Raises Refused if the service refuses the whole question.

    A failure is written down with a moment of this process; one that is on record keeps the moment of its first time.
    """
    urn, ids = ledger.urn_of(props), list(dict.fromkeys(run.ids.values()))
    told = host.asked(lambda limit: api.get_many(ids, limit.part(_SHARE)), ASK_SECONDS) if ids else {}
    _tell(urn, run, told)
    _tell_of_others(kind, urn, run, props, told)
    failed: dict[str, Any] = {}
    for key, id in run.ids.items():
        status = told[id]
        if isinstance(status, RunStatus) and status.phase is Phase.FAILED:
            failed[key] = failed_of(status, outcomes.learned(status))
        elif not isinstance(status, (RunStatus, errors.NotFound)) and key in run.failed:
            failed[key] = run.failed[key]
    now = process.moment()
    failing = {**dict.fromkeys(failed, (now,)), **run.fired.failing}
    if failing == run.fired.failing:
        return {**props, ledger.FAILED: failed}
    return {**props, ledger.FAILED: failed, ledger.FIRED: ledger.fired_text(replace(run.fired, failing=failing))}


def _tell(urn: str, run: Recorded, told: Told) -> None:
    """One line on the row, with the reason that most have; a warning for what the service does not know any more, and
    for what it did not tell."""
    found: list[tuple[str, str]] = []
    gone, untold, phases = list[str](), dict[str, str](), Counter[str]()
    for key, id in sorted(run.ids.items()):
        status = told[id]
        if isinstance(status, RunStatus):
            phases[status.phase.value] += 1
            if status.phase is Phase.FAILED:
                found.append((key, outcomes.reason(status)))
        elif isinstance(status, errors.NotFound):
            gone.append(key)
        else:
            untold[key] = str(status)
    counts = ", ".join(f"{phases[phase.value]} {phase.value}" for phase in Phase if phases[phase.value])
    keys, why = max(groups.alike(found), key=lambda alike: len(alike[0]), default=([], ""))
    if counts:
        progress.learned(urn, f"{counts}; {groups.objects(keys)}: {why}" if why else counts, failed=bool(found))
    if gone:
        progress.warn(urn, f"{groups.objects(gone)}: {outcomes.GONE}")
    if untold:
        progress.warn(urn, f"what became of some runs is not known; what is recorded stays{groups.reasons(untold)}")


def _tell_of_others(kind: Kind[Any], urn: str, run: Recorded, props: Mapping[str, Any], told: Told) -> None:
    """A warning for runs that do other work. When each was fired is not recorded, so that tells nothing here."""
    given = {name: props[name] for name in (*kind.names, *kind.quiet) if name in props}
    others = dict[str, str]()
    for key, id in run.ids.items():
        status = told[id]
        if isinstance(status, RunStatus):
            others[key] = adopting.another(kind, {**given, kind.fans_out: key}, status, None)
    others = {key: said for key, said in others.items() if said}
    if others:
        progress.warn(urn, f"{groups.many(len(others), 'run')} of something else{groups.listed(others)}")
