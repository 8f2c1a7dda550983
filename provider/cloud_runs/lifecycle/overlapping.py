"""A new run is wanted while the recorded one still goes on (`if_running`), or cannot be fired after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cloud_runs import errors
from cloud_runs.lifecycle import host, progress
from cloud_runs.lifecycle.resuming import ResumingProvider
from cloud_runs.lifecycle.values import known, unknowns_as_later
from cloud_runs.promise import ledger, overlap
from cloud_runs.promise.records import Before, Recorded
from cloud_runs.promise.rules import Ask, Work
from cloud_runs.promise.world import World
from cloud_runs.runs import RunStatus


class OverlappingProvider(ResumingProvider):
    """Of a run."""

    def may_replace(self, run: Recorded, news: dict[str, Any], because: str, *, previewed: bool) -> None:
        """Raises RunsError for a replacement that could not fire, before it has deleted the run on record. Whether that
        stops it first is what the program says by now; a batch job's executions may go on all the same."""
        if known(news.get(ledger.ON_DELETE)):
            self.process.ends(run, news.get(ledger.ON_DELETE))
        why = self.kind.hindrance(run.id, run.outputs, unknowns_as_later(news))
        if not why and news.get(ledger.IF_RUNNING) == overlap.FORBID and not self.process.stops(run) and not previewed:
            why = overlap.why_not(overlap.FORBID, run, self._look(run), self.world(ledger.urn_of(news)))
        if why:
            raise errors.RunsError(f"a new run is wanted ({because}), but {why}. Nothing was fired or deleted")

    def overlapped(
        self, props: Mapping[str, Any], ask: Ask, before: Before, work: Work, world: World
    ) -> Recorded | None:
        """The run whose replacement is not fired, since it still goes on: it stays on record. Raises RunsError where an
        earlier `up` has deleted it: that one may have fired, which is looked for when the old run has ended."""
        old, policy = before.recorded, props.get(ledger.IF_RUNNING) or overlap.ALLOW
        if policy == overlap.ALLOW or old is None or work.keep or self.process.stops(old):
            return None
        why = overlap.why_not(policy, old, self._look(old), world)
        if not why:
            return None
        if not before.deleted:
            raise errors.RunsError(
                f"nothing was fired: {why}. An earlier `pulumi up` was interrupted while it replaced that run, or its "
                "provider was changed with it; the next one tries again"
            )
        again = "The next `pulumi up` tries again" if old.content.differences(ask.content) else "Force it again later"
        progress.warn(ask.urn, f"nothing was fired: {why}. The recorded run stays. {again}")
        self.process.settled(ask.urn, ask.token, self.space(old.outputs), [old.id])
        return old

    def _look(self, run: Recorded) -> Callable[[], RunStatus]:
        api = self.kind.client(self.place(run.outputs), self.settings)
        return lambda: host.asked(partial(api.get, run.id))
