"""What the state of a stack says of its runs. Reads the deployment that `pulumi stack export` gives; asks nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloud_runs.errors import InvalidConfiguration, clean
from cloud_runs.lifecycle.clients import kind_named
from cloud_runs.promise import history, lacks, ledger, reruns
from cloud_runs.promise.lacks import Lack
from cloud_runs.promise.ledger import intent_urn
from cloud_runs.promise.outcomes import succeeded
from cloud_runs.promise.records import Intent, Recorded
from cloud_runs.promise.statuses import outcomes_of, status_of
from cloud_runs.runs import Phase, Reference, RunStatus, rfc3339
from cloud_runs.status.report import Missing, labelled
from cloud_runs.status.secrets import HIDDEN, readable, revealed
from cloud_runs.wire.settings import EXPLICIT, EXPLICIT_NAME

_DYNAMIC = "pulumi-python:dynamic/"
_PROVIDER = "pulumi:providers:pulumi-python"
_EXPORT = "make the export with `pulumi stack export --show-secrets`"
_LOOKS = "the next `pulumi up` looks for it before it fires"


@dataclass(frozen=True)
class OnRecord:
    """A run, and what the state says of it. `provider` is the Pulumi provider whose settings it is asked with."""

    resource: str
    object: str
    urn: str
    kind: str
    provider: str
    reference: Reference
    shown_reference: str
    """Empty if the program has made it a secret; so is `url`."""
    url: str
    subject: Mapping[str, str]
    """What it works on, without what is secret."""
    status: RunStatus
    known_success: bool = False
    """A Completion has seen it succeed."""
    attempts: tuple[Mapping[str, Any], ...] = ()
    """Those before it that are on record, and itself: `id`, `phase`, `code`, `fired_at`, `why`. Each phase is as the
    last refresh saw it, or a Completion."""

    @property
    def label(self) -> str:
        return labelled(self.resource, self.object)


@dataclass(frozen=True)
class Lacking:
    """An intent whose run is not on record, and what a look for that run takes."""

    missing: Missing
    intent: Intent
    arguments: Mapping[str, Any]
    provider: str
    run: Recorded | None


@dataclass(frozen=True)
class Records:
    project: str
    runs: tuple[OnRecord, ...]
    lacking: tuple[Lacking, ...]
    refused: tuple[Missing, ...]
    """Objects that were refused, and runs of which the export tells too little."""
    providers: Mapping[str, Mapping[str, Any]]
    """The inputs of each Pulumi provider of dynamic resources. They hold secrets."""

    @property
    def missing(self) -> tuple[Missing, ...]:
        """All that is not on record, as the state tells it."""
        return (*(one.missing for one in self.lacking), *self.refused)

    def settings(self, provider: str, config: Mapping[str, str]) -> Mapping[str, Any]:
        """What the dynamic host of this provider would be configured with now. `config`: that of the stack.

        Raises InvalidConfiguration if the export keeps it encrypted.
        """
        own = self.providers.get(provider)
        if own is None or is_default(provider):
            return config
        name = provider.split("::")[3]
        if any(value is HIDDEN for value in own.values()):
            raise InvalidConfiguration(f"the keys of provider {clean(name)!r} are encrypted in this export: {_EXPORT}")
        if EXPLICIT_NAME not in own:  # not a `cloud_runs.Provider`: it gets nothing from the stack's configuration
            return own
        return {**config, **{key: own[key] for key in own if key.startswith(EXPLICIT) or key == EXPLICIT_NAME}}

    def last_config(self) -> dict[str, str]:
        """The stack's configuration as the last `up` had it, for those who have nothing but an export. What the export
        keeps encrypted is left out, and so is all that is near it: half of a key pair is of no use."""
        found: dict[str, Any] = {}
        for urn, inputs in self.providers.items():
            if is_default(urn):
                found |= inputs
        hidden = {key.partition(":")[0] for key, value in found.items() if value is HIDDEN}
        kept = {key: value for key, value in found.items() if isinstance(value, str)}
        return {key: value for key, value in kept.items() if key.partition(":")[0] not in hidden}


def is_default(provider: str) -> bool:
    """Whether it is the one that Pulumi makes for resources that name none."""
    name = provider.split("::")[3] if provider.count("::") >= 3 else "default"
    return name == "default" or name.startswith("default_")


def read(deployment: Mapping[str, Any]) -> Records:
    """The runs in the order of the state. Secrets are in plain text, unless `deployment` is an export without them."""
    resources = [entry for entry in deployment.get("resources") or () if not entry.get("delete")]
    providers = {
        f"{entry['urn']}::{entry.get('id', '')}": revealed(entry.get("inputs") or {})
        for entry in deployment.get("resources") or ()
        if entry["type"] == _PROVIDER
    }
    dynamic = [entry for entry in resources if entry["type"].startswith(_DYNAMIC)]
    seen = {
        found[ledger.REFERENCE]: found
        for entry in dynamic
        for found in outcomes_of(revealed(entry.get("outputs") or {}))
    }
    runs = tuple(_with_outcome(run, seen) for entry in dynamic for run in _runs(entry))
    project = resources[0]["urn"].split("::")[1] if resources else ""
    refused = (*_refused(dynamic), *_encrypted(dynamic))
    return Records(project, runs, tuple(_lacking(dynamic)), refused, providers)


def _runs(entry: Mapping[str, Any]) -> Iterator[OnRecord]:
    """The runs of one resource: none, one, or those of a fan-out."""
    outs, shown = revealed(entry.get("outputs") or {}), revealed(entry.get("outputs") or {}, secrets=False)
    urn = entry["urn"]
    common = {
        "resource": ledger.name_of(urn),
        "urn": urn,
        "kind": entry["type"].rpartition(":")[2],
        "provider": entry.get("provider") or "",
    }
    if references := ledger.references(outs):
        recorded = ledger.recorded(str(entry.get("id") or ""), shown)
        for key, text in references.items():
            one = Reference.parse(text)
            tried = tuple(reruns.attempts(recorded, key))
            status = RunStatus(one.id, Phase.PENDING, "", started_at=tried[-1][ledger.FIRED_AT])
            told = _told(one, shown, key)
            yield OnRecord(
                object=key, reference=one, shown_reference=text, status=status, attempts=tried, **told, **common
            )
    elif ledger.PHASE in outs and (reference := _parsed(outs.get(ledger.REFERENCE))):
        yield OnRecord(
            object="",
            reference=reference,
            shown_reference=shown.get(ledger.REFERENCE) or "",
            status=status_of(reference.id, shown, _fired_at(outs)),
            **_told(reference, shown),
            attempts=_attempts(str(entry.get("id") or ""), shown),
            **common,
        )


def _attempts(id: str, shown: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    if not ledger.is_ours(shown):
        return ()
    return (*ledger.history_of(shown), *history.attempts(ledger.recorded(id, shown))[-1:])


def _told(reference: Reference, shown: Mapping[str, Any], object: str = "") -> dict[str, Any]:
    """`subject` and `url`, of what is no secret. An `url` of an older version may be none of a console."""
    kind = kind_named(reference.system)
    if kind is None:
        return {"subject": {}, ledger.URL: shown.get(ledger.URL) or ""}
    known = {**shown, kind.fans_out: object} if object else shown
    # Objects of a fan-out have no `url` on record; where a run has none that is shown, the program hides it.
    url = kind.page(reference, known) if object or shown.get(ledger.URL) else ""
    return {"subject": kind.subject(known), ledger.URL: url}


def _with_outcome(run: OnRecord, seen: Mapping[str, Mapping[str, Any]]) -> OnRecord:
    """A Completion may have recorded an end that the run's own record, of its start or last refresh, does not have."""
    found = seen.get(str(run.reference))
    if found is None:
        return run
    known_success = succeeded(found)
    if run.status.phase.terminal:  # by a refresh, which tells more
        return replace(run, known_success=known_success)
    status = status_of(run.reference.id, found, run.status.started_at)
    attempts = tuple(_ended(attempt, status) for attempt in run.attempts)
    return replace(run, status=status, known_success=known_success, attempts=attempts)


def _ended(attempt: Mapping[str, Any], status: RunStatus) -> Mapping[str, Any]:
    """The attempt that is on record, with the end that a Completion has recorded, unless a refresh has recorded one."""
    if attempt["id"] != status.id or not status.phase.terminal or Phase(attempt[ledger.PHASE]).terminal:
        return attempt
    return {**attempt, ledger.PHASE: status.phase.value, ledger.CODE: status.code}


def _fired_at(outputs: Mapping[str, Any]) -> str:
    at = ledger.fired_of(outputs).at if ledger.is_ours(outputs) else None
    return rfc3339(at) if at else ""


def _lacking(dynamic: list[Mapping[str, Any]]) -> Iterator[Lacking]:
    """Intents without a run, or with a run that was fired for something else."""
    fired_for = {intent_urn(entry["urn"]): entry for entry in dynamic if entry["type"] != ledger.INTENT_TYPE}
    for entry in dynamic:
        outs = revealed(entry.get("outputs") or {})
        intent = ledger.intent_of(outs.get(ledger.RECORD))
        if entry["type"] != ledger.INTENT_TYPE or intent is None:
            continue
        other = fired_for.get(entry["urn"])
        run = ledger.recorded(str(other.get("id") or ""), revealed(other.get("outputs") or {})) if other else None
        lack = lacks.lacking(intent, run, bool(other and other.get("pendingReplacement")))
        if lack:
            name = ledger.intended_by(entry["urn"])
            missing = Missing(name, "", entry["urn"], rfc3339(intent.moments[-1].at), _reason(lack))
            arguments = outs.get(ledger.ARGUMENTS) or {}
            known = arguments if readable(arguments) else {}
            yield Lacking(missing, intent, known, entry.get("provider") or "", run)


def _refused(dynamic: list[Mapping[str, Any]]) -> Iterator[Missing]:
    for entry in dynamic:
        outs = revealed(entry.get("outputs") or {}, secrets=False)
        for key, why in (ledger.refused_of(outs) or {}).items():
            yield Missing(ledger.name_of(entry["urn"]), key, entry["urn"], "", f"was refused: {why}")


def _encrypted(dynamic: list[Mapping[str, Any]]) -> Iterator[Missing]:
    for entry in dynamic:
        if revealed(entry.get("outputs") or {}).get(ledger.REFERENCE) is HIDDEN:
            yield Missing(
                ledger.name_of(entry["urn"]), "", entry["urn"], "", f"its record is encrypted in this export: {_EXPORT}"
            )


def _reason(lack: Lack) -> str:
    if lack.what == lacks.NEVER:
        return f"{lack.what}: the `pulumi up` that requested it is under way, was refused or was interrupted; {_LOOKS}"
    changed = f" ({', '.join(lack.changed)} changed)" if lack.changed else ""
    return f"{lack.what}{changed}; {_LOOKS}"


def _parsed(reference: Any) -> Reference | None:
    try:
        return Reference.parse(reference) if isinstance(reference, str) else None
    except ValueError:
        return None
