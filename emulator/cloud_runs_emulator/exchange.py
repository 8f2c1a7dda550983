"""One request to a cloud: its effect, with the ordered faults around it."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass

from cloud_runs_emulator.counters import Counters
from cloud_runs_emulator.faults import Fault, Plan
from cloud_runs_emulator.link import Link
from cloud_runs_emulator.runs import RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Answer, ErrorIn200, Manner, Match, Refused, Request, System


class Gone(Exception):
    """The store was emptied while this request waited: it must not leave a run in the next test's store."""


@dataclass(frozen=True, slots=True)
class World:
    """What all requests share."""

    settings: Settings
    store: RunStore
    counters: Counters


@dataclass(slots=True)
class Exchange:
    """One request to a system; without a `match` it is none of its operations. `epoch` is that of its arrival."""

    world: World
    system: System
    match: Match | None
    request: Request
    plan: Plan
    link: Link
    epoch: int

    async def answer(self) -> Answer | None:
        """Carry the request out; `None` if its connection was reset. Raises `Gone`.

        Nothing here looks at the client: what is to happen does, whether it still waits for the answer or not.
        """
        await self._pause(after_effect=False)
        if self.plan.has("foreign_run") and self.match is not None:
            with contextlib.suppress(Refused):
                self.system.handle(self.request, self.match, Manner("foreign"))
        reset = self.plan.has("reset_before")
        if reset:
            self.link.reset()
            if not self.plan.has("slow_effect"):
                return None
        answer = await self._outcome()
        await self._pause(after_effect=True)
        await self._wait(self.world.settings.latency)
        answer.skew = self.plan.skew
        return None if reset else answer

    async def _pause(self, *, after_effect: bool) -> None:
        for fault in self.plan.pauses(after_effect=after_effect):
            if fault.action == "interim":
                self.link.interim(fault.status)
            await self._wait(fault.seconds)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self.world.settings.sleep(seconds)
            if self.world.counters.epoch != self.epoch:
                raise Gone

    async def _outcome(self) -> Answer:
        """The answer with the faults that change it. The effect of the request has happened when this returns."""
        try:
            self._refuse(after_effect=False)
            self.system.authenticate(self.request)
            if self.match is None:
                raise self.system.unrouted
            # A service that takes its time has accepted the request before, so its signature may run out meanwhile.
            await self._wait(self.plan.effect_seconds)
            answer = self._effect(self.match)
            self._refuse(after_effect=True)
        except Refused as refused:
            refused.request = self.request
            answer = self.system.refuse(refused)
        replaced = self.plan.find("body")
        if replaced is not None:
            answer.body = replaced.body
        return answer

    def _refuse(self, *, after_effect: bool) -> None:
        fault = self.plan.refusal(after_effect=after_effect)
        if fault is None:
            return
        code = self.system.invalid_code if fault.code is None else fault.code
        if fault.action == "error_in_200":
            raise ErrorIn200(code, fault.message)
        raise Refused(fault.status, code, fault.message)

    def _effect(self, match: Match) -> Answer:
        answer = self._earlier(match) or self._handle(match)
        if self.plan.has("repeat"):
            # A box on the way has sent the request again: the service sees two, the caller gets the first answer.
            self.world.counters.request(match.system, match.operation)
            with contextlib.suppress(Refused):
                if self._earlier(match) is None:
                    self.system.handle(self.request, match, Manner())
        if self.plan.has("forget"):
            for run in answer.runs:
                self.world.store.forget(run)
            # The answer to a start stands, with an id that nobody knows; a look must already tell of the loss.
            if answer.forget is not None:
                answer.forget()
            elif match.operation != "start":
                answer = self._handle(match)
        return answer

    def _handle(self, match: Match) -> Answer:
        odd = self.plan.find("odd_id")
        manner = Manner(run_id=_odd(odd) if odd else "", endless=self.plan.has("endless_pages"))
        return self.system.handle(self.request, match, manner)

    def _earlier(self, match: Match) -> Answer | None:
        """With `same_id`, the answer that an earlier start got, if there was one."""
        run = self.world.store.newest(match.system) if self.plan.has("same_id") else None
        return None if run is None else self.system.started(run)


def _odd(fault: Fault) -> str:
    return fault.run_id or f"odd id {secrets.token_hex(8)}"
