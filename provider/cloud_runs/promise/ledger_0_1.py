"""The bags of 0.1, which were mappings: still read, and written anew as texts by the next `up` (ledger.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_runs.promise.digests import SHORT
from cloud_runs.promise.records import LONG_AGO, Content, Fired, Intent, Moment
from cloud_runs.runs import time_of


def intent_of(bag: Mapping[str, Any]) -> Intent | None:
    if not isinstance(bag.get("token"), str):
        return None
    attempts = tuple(_moment(one) for one in bag.get("attempts") or () if isinstance(one, Mapping))
    # Its digest of the objects was a whole one.
    return Intent(_moment(bag), _content(bag), objects=str(bag.get("objects") or "")[:SHORT], attempts=attempts)


def _moment(bag: Mapping[str, Any]) -> Moment:
    at = time_of(str(bag.get("minted_at") or "")) or LONG_AGO
    host, boot = str(bag.get("process") or ""), str(bag.get("boot") or "")
    return Moment(str(bag.get("token") or ""), at, host, boot, float(bag.get("uptime") or 0))


def _content(bag: Mapping[str, Any]) -> Content:
    parts = (bag.get("digests") or {}, bag.get("triggers") or {})
    return Content(*({str(name): str(value)[:SHORT] for name, value in part.items()} for part in parts))


def fired_of(bag: Mapping[str, Any], intent: Any) -> Fired:
    beside = str(intent.get("token") or "") if isinstance(intent, Mapping) else ""
    attempt = bag.get("attempt")
    return Fired(
        token=str(bag.get("token") or ""),
        content=_content(bag),
        at=time_of(str(bag.get("at") or "")),
        beside=beside,
        attempt=_moment(attempt) if isinstance(attempt, Mapping) else None,
        doubt=tuple(_moment(one) for one in bag.get("doubt") or () if isinstance(one, Mapping)),
    )
