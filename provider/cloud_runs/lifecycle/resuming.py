"""What becomes of a run that stays on record: its inputs are written anew, and one that failed may go on.

That is an update and no replacement: the id stays, and nothing is fired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pulumi import dynamic

from cloud_runs import errors
from cloud_runs.lifecycle import host, progress
from cloud_runs.lifecycle.asked import Wanted, reported, wanted, written_by_0_1
from cloud_runs.lifecycle.base import KindProvider
from cloud_runs.lifecycle.on_record import restated
from cloud_runs.limits import Leave
from cloud_runs.promise import history, ledger, outcomes, resuming, rules
from cloud_runs.promise.records import TRIGGERS, Recorded
from cloud_runs.promise.resuming import Resumed
from cloud_runs.promise.statuses import outputs_of, status_of
from cloud_runs.runs import Phase, RunStatus, Started


class ResumingProvider(KindProvider):
    """Of a run."""

    @reported
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Records steering arguments. Never fires, and sends nothing but `rerun_on_failure="resume"`, once."""
        run, asked = ledger.recorded(_id, _olds), wanted(self.kind.names, _news, _news.get(TRIGGERS))
        if said := self.spent(run, _news, asked):
            raise errors.RunsError(said)
        if self.resumes(run, _news, asked):
            run = self._resumed(run, ledger.urn_of(_news))
        return dynamic.UpdateResult(restated(self.kind, run, self.as_recorded(_news, run)))

    def reruns(self, run: Recorded, news: Mapping[str, Any], asked: Wanted) -> bool:
        """Whether the run on record failed and another one is to be fired in its place."""
        return self._tries_again(run, news, asked) is True and history.again(run, news.get(ledger.MAX_ATTEMPTS))

    def resumes(self, run: Recorded, news: Mapping[str, Any], asked: Wanted) -> bool:
        """Whether the run on record failed and is to go on."""
        wanted = self._tries_again(run, news, asked) == history.RESUME
        return wanted and history.again(run, news.get(ledger.MAX_ATTEMPTS))

    def spent(self, run: Recorded, news: Mapping[str, Any], asked: Wanted) -> str:
        """Why the run on record failed and is not tried again. `update` raises it, and not `diff`: that would end a
        refresh as well, which asks for a `diff` with the arguments of the last `up`."""
        return history.spent(run, news.get(ledger.MAX_ATTEMPTS)) if self._tries_again(run, news, asked) else ""

    def _tries_again(self, run: Recorded, news: Mapping[str, Any], asked: Wanted) -> Any:
        """What `rerun_on_failure` says. Nothing while another run is asked for, or a given one is kept."""
        how = news.get(ledger.RERUN_ON_FAILURE)
        if news.get(ledger.ADOPT_ID) or not ledger.is_ours(run.outputs) or written_by_0_1(run.outputs):
            return None
        if rules.asking(run, asked.content, asked.unknown, ledger.ignored_of(news)):
            return None
        return how if how is True or (self.kind.resumes and not asked.unknown) else None

    def gone_on(self, id: str, props: dict[str, Any], status: RunStatus) -> dict[str, Any]:
        """The record of a run that had failed and that is seen to have gone on since: an `up` was killed after it had
        asked for that, or somebody else has."""
        ours = self.kind.resumes and ledger.is_ours(props) and not written_by_0_1(props)
        if not ours or not resuming.went_on(status_of(id, props), status):
            return props
        run = resuming.recorded(ledger.recorded(id, props), Resumed(status), self.process.clock.now())
        return {**run.outputs, ledger.FIRED: ledger.fired_text(run.fired)}

    def _resumed(self, run: Recorded, urn: str) -> Recorded:
        """The run as it is on record from now on."""
        place, world = self.place(run.outputs), self.world(urn)
        reference = replace(place, id=run.id)
        api = self.kind.client(place, self.settings)
        try:
            came = resuming.settle(run, str(reference), _One(api, run.id), world)
        except errors.NotFound:
            progress.warn(urn, f"run {errors.clean(run.id)} is {outcomes.GONE}: it cannot go on")
            gone = {ledger.PHASE: Phase.UNKNOWN.value, ledger.RECORD_EXPIRED: True}
            return replace(run, outputs={**run.outputs, **gone})
        if came.at:
            progress.tell(urn, f"{errors.clean(run.id)} goes on: {history.RESUMED}")
        known = resuming.recorded(run, came, self.process.clock.now())
        told = {**outputs_of(came.status), **self.kind.outputs(reference, None, came.status)}
        return replace(known, outputs={**known.outputs, **told, ledger.RECORD_EXPIRED: False})


@dataclass(frozen=True)
class _One:
    """One run, bound to the client of its kind, which `resumes`."""

    api: Any
    id: str

    def get(self) -> RunStatus:
        told: RunStatus = host.asked(partial(self.api.get, self.id))
        return told

    def resume(self, leave: Leave) -> Started:
        started: Started = self.api.resume(self.id, leave)
        return started
