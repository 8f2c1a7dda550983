"""A run that failed goes on at its failed step: the same run, and nothing is fired anew. Where its service can.

It costs money as a start does, but needs no record before it: its id is known, so its state tells whether it was asked
already. So that is asked first; what an earlier `up` has sent before it was killed shows there. What a service
makes of a request for a run that has not failed is documented nowhere: any refusal is settled by the run's own state. A
process asks for one run once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from cloud_runs import errors
from cloud_runs.limits import Leave
from cloud_runs.promise import history, ledger, statuses
from cloud_runs.promise.firing import AGAIN_PAUSES, fired_at, nothing_ran, once_more
from cloud_runs.promise.looking import TICK
from cloud_runs.promise.records import Fired, Recorded
from cloud_runs.promise.world import World
from cloud_runs.runs import Phase, RunStatus, Started, time_of

_AGAIN = "The next `pulumi up` checks it before it resumes it"


class Resumer(Protocol):
    """One run that failed, at its service."""

    def get(self) -> RunStatus:
        """Raises NotFound, Refused, Throttled, Unavailable or Interrupted."""

    def resume(self, leave: Leave) -> Started:
        """As `ResumeApi.resume`."""


@dataclass(frozen=True)
class Resumed:
    """What came of it. `went_on`: the run has gone on since it failed; else nobody can tell. `at`: when this process
    asked for it, in server time; None if nothing was sent, or not by this one."""

    status: RunStatus
    went_on: bool = True
    at: datetime | None = None


def seen(status: RunStatus, fired: Fired) -> RunStatus:
    """A failure that the run has gone on from is none any more: a service may be late to show that. It is no later than
    that failure was in the service's own words, whatever our clock says of when the run went on; and one of these very
    seconds may be another."""
    ended, over, resumed = time_of(status.finished_at), fired.over, fired.resumed
    if not (status.phase is Phase.FAILED and ended and over and resumed):
        return status
    return replace(status, phase=Phase.PENDING) if ended <= over and ended < resumed - TICK else status


def went_on(before: RunStatus, now: RunStatus) -> bool:
    """Whether a run that had failed has gone on since: it is in another phase, or has failed again, later (services
    tell whole seconds, and some no end at all: then that is not seen)."""
    if before.phase is not Phase.FAILED or now.phase is Phase.UNKNOWN:
        return False
    ended, again = time_of(before.finished_at), time_of(now.finished_at)
    return now.phase is not Phase.FAILED or bool(ended and again and again.timestamp() > ended.timestamp())


def recorded(run: Recorded, came: Resumed, now: datetime) -> Recorded:
    """The run on record as one that has gone on; `now` stands for a time that is not known. Else as it was."""
    if not came.went_on:
        return run
    over = time_of(str(run.outputs.get(ledger.FINISHED_AT) or ""))
    fired = replace(run.fired, why=history.RESUMED, reruns=run.fired.reruns + 1, resumed=came.at or now, over=over)
    return replace(run, fired=fired, outputs={**run.outputs, ledger.HISTORY: history.attempts(run)})


def settle(run: Recorded, reference: str, api: Resumer, world: World) -> Resumed:
    """Lets the run on record go on, once. Raises RunsError if that is refused (nothing was resumed), UnknownOutcome if
    it cannot be told, NotFound for a run that is gone; and Unavailable, Throttled, NotReached, Orphaned or Interrupted
    if nothing was sent."""
    process, key = world.process, f"resume {reference}"
    with process.turn([key]):  # two resources may have the same run on record
        before = process.outcome(key, "")
        if isinstance(before, Resumed):
            return before
        came = _settled(_Ask(run, key, api, world))
        process.keep(key, "", came)
        return came


@dataclass(frozen=True)
class _Ask:
    run: Recorded
    key: str
    api: Resumer
    world: World

    def looked(self) -> RunStatus | None:
        """How the run is, if it has not failed, or not as it is on record; None if it is to be asked to go on."""
        now = seen(self.api.get(), self.run.fired)
        told = statuses.status_of(self.run.id, self.run.outputs)
        return now if now.phase is not Phase.FAILED or went_on(told, now) else None


def _settled(ask: _Ask) -> Resumed:
    process, shown = ask.world.process, errors.clean(ask.run.id)
    try:
        status = ask.looked()
    except errors.Unavailable as error:
        raise errors.Unavailable(f"run {shown} failed and was not resumed, nothing was sent. {error}") from error
    if status:
        again, now = f"went on and failed again. {_AGAIN}", f"is {status.phase.value} by now: it was not resumed"
        ask.world.warn(f"run {shown} {again if status.phase is Phase.FAILED else now}")
        return Resumed(status, went_on=status.phase is not Phase.UNKNOWN)
    if process.attempted(ask.key, ""):  # an error hook asks again
        return _lost(ask, errors.UnknownOutcome(f"run {shown} was asked to go on"))
    try:
        started = _sent(ask)
    except errors.Throttled:
        raise
    except errors.Refused as refused:
        return _refused(ask, refused)
    except (errors.NotReached, errors.InvalidConfiguration, errors.Orphaned):
        raise
    except Exception as lost:  # noqa: BLE001 - whatever it was, a bug of ours included: the request may have arrived
        return _lost(ask, lost)
    at = fired_at(started, process.clock.now())
    told = statuses.status_of(ask.run.id, ask.run.outputs)
    going = RunStatus(ask.run.id, started.phase, started.state, started_at=told.started_at)
    return Resumed(going, at=at)


def _sent(ask: _Ask) -> Started:
    """Sent again only if it did not arrive, or was refused for too many requests."""
    process, pauses, leave = ask.world.process, list(AGAIN_PAUSES), ask.world.leave()
    while True:
        process.attempting(ask.key, "")
        try:
            return ask.api.resume(leave)
        except (errors.Refused, errors.NotReached, errors.InvalidConfiguration, errors.Orphaned) as refused:
            if nothing_ran(refused):
                process.refused(ask.key, "")
            if not once_more(refused, pauses):
                raise
        ask.world.sleep(pauses.pop(0) * random.uniform(0.75, 1.25))


def _refused(ask: _Ask, refused: errors.Refused) -> Resumed:
    """A refusal is what the service says: the run may go on all the same, or somebody was faster."""
    if isinstance(refused, errors.NotFound):
        raise refused
    if status := ask.looked():
        return Resumed(status, went_on=status.phase is not Phase.UNKNOWN)
    raise errors.RunsError(
        f"run {errors.clean(ask.run.id)} failed and was not resumed. {str(refused).rstrip('.')}. {_AGAIN}; for a new "
        "run set rerun_on_failure=True, or change a trigger"
    ) from refused


def _lost(ask: _Ask, lost: Exception) -> Resumed:
    """Settled by the run's own state."""
    world, clock, pause = ask.world, ask.world.process.clock.monotonic, 1.0
    began, trouble = clock(), ""
    while True:
        trouble, status = _asked(ask.looked)
        if status and status.phase is not Phase.UNKNOWN:
            world.warn(f"the answer was lost: run {errors.clean(ask.run.id)} is {status.phase.value}, so it goes on")
            return Resumed(status, at=world.process.attempted(ask.key, "")[-1].at)
        left = world.times.settle - (clock() - began)
        if left <= 0 or trouble == _INTERRUPTED:
            break
        world.tell(f"the answer was lost; looking whether the run goes on, {left:.0f} s left")
        try:
            world.sleep(min(pause, left))
        except errors.Interrupted:
            trouble = _INTERRUPTED
            break
        pause = min(pause * 2, 4.0)
    raise errors.UnknownOutcome(
        f"{str(lost).rstrip('.')}. Run {errors.clean(ask.run.id)} may go on: it was queried, and had not gone on yet."
        f"{trouble} {_AGAIN}"
    ) from lost


_INTERRUPTED = " The look-up was interrupted."


def _asked(look: Callable[[], RunStatus | None]) -> tuple[str, RunStatus | None]:
    """What is wrong with a look, and what it told."""
    try:
        return "", look()
    except errors.Interrupted:
        return _INTERRUPTED, None
    except (errors.Unavailable, errors.Refused) as error:
        return f" The last query failed: {error}", None
