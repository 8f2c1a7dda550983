"""How an intent is made, and how it goes on: the durable record made before firing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cloud_runs.promise import history, ledger
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Content, Intent


def minted(
    process: Process,
    urn: str,
    content: Content,
    objects: str = "",
    *,
    kind: str = "",
    places: Sequence[str] = (),
) -> Intent:
    """A new one, with a token of its own, for the run with this URN. `objects`: of a fan-out, the digest of its list.
    `places`: where the configuration puts the run, as far as it tells, and in full."""
    moment, former = process.moment(), process.replacing(urn)
    return Intent(
        moment=moment,
        content=content,
        kind=kind,
        name=ledger.name_of(urn),
        objects=objects,
        attempts=(moment,) if objects else (),
        why=history.because(former.content.differences(content)) if former else "",
        places=tuple(places),
    )


def listing(intent: Intent, objects: str, process: Process) -> Intent:
    """The same intent, and the same token, for this list of objects: another list is another attempt."""
    if intent.objects == objects:
        return intent
    attempts = (*intent.attempts, process.moment())[-ledger.ATTEMPTS :]
    return replace(intent, objects=objects, attempts=attempts)


def placed(intent: Intent, places: Sequence[str]) -> Intent:
    """The same intent, which may be fired here from now on."""
    return replace(intent, places=tuple(dict.fromkeys([*intent.places, *places])))
