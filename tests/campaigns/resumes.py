"""Failed runs that are to go on, under faults: each is asked once for each failure, and never while it goes on; it is
the same run then, and nothing is fired for it. Of each kind whose service can.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from tests.campaigns.lane import Lane, opened
from tests.campaigns.orders import Fault, hostile
from tests.campaigns.report import Report
from tests.campaigns.works import Work
from tests.kits.kit import Kit

RESUMES = "runs that were to go on and met faults, by system"
FAULTS = "faults that met a call to go on, by system and action (once for each run)"
UPS = 10
"""So many may be needed: some faults cost one each."""
_SENT_AGAIN = ("reset_before", "repeat")
"""Faults after which one call is two requests: it did not arrive, or something on the way doubled it."""
_LOOKS: tuple[Fault, ...] = (
    {"action": "reset_before"},
    {"action": "drop_response"},
    {"action": "body", "body": "{}"},
    {"action": "status", "status": 503, "code": "SlowDown"},
    {"action": "status", "status": 403, "code": "AccessDenied"},
)
"""What a look at the run meets, before or after the call."""


def calls(kit: Kit) -> list[Fault]:
    """What the call meets."""
    doubts = [{"action": "status", "status": status, "code": code} for status, code in kit.doubts]
    return [
        *({"action": action} for action in ("drop_response", "reset_before", "truncate", "refused_but_ran", "repeat")),
        *({"action": "body", "body": body} for body in ("", "{}")),
        *({"action": "status", "status": status, "code": code} for status, code in kit.refusals),
        *doubts,
        *({**doubt, "after_effect": True} for doubt in doubts),
        *({"action": "delay", "seconds": 0.5, "after_effect": after} for after in (False, True)),
        {"action": "slow_effect", "seconds": 1},
        {"action": "error_in_200"},
        {"action": "error_in_200", "after_effect": True},
        *(fault for fault in hostile("get", kit.name) if fault["action"] == "interim" and "after_effect" not in fault),
    ]


def lane(report: Report, rounds: int, folder: Path, name: str, rng: random.Random) -> None:
    """So many failures of each run."""
    with opened(folder, report, name, rng) as its:
        its.renew()
        if its.up().code != 0:
            raise RuntimeError("an up without faults failed")
        its.rest()
        resumes = Resumes(its, rng)
        for _ in range(rounds):
            resumes.round()
        its.end()


class Resumes:
    def __init__(self, lane: Lane, rng: random.Random) -> None:
        self.lane, self.cloud, self.rng = lane, lane.cloud, rng
        self._most, self._sent = Counter[str](), Counter[str]()
        """By system: how many calls there may be for this failure, and how many there were."""
        self._ordered = Counter[tuple[str, str]]()
        """Faults that calls are to meet, by system and action."""

    def round(self) -> None:
        """The runs of all kinds that can go on fail, and are asked to go on until an `up` has succeeded."""
        lane, rng = self.lane, self.rng
        lane.still()
        works = {id: work for work in lane.works.values() if (id := self._own(work))}
        if not works:
            return
        for id, work in works.items():
            self.cloud.set_state(id, work.kit.failure)
            work.resumes = True
        lane.ended(lane.stack.refresh(), "refresh: all that can go on has failed")
        for id in works:
            if rng.random() < 0.2:  # somebody has let it go on in the console since
                self.cloud.set_state(id, "running")
        for counter in (self._most, self._sent, self._ordered):
            counter.clear()
        for work in works.values():
            self._order(work)
        for _ in range(UPS):
            if self._up(works):
                break
        else:
            lane.breach(f"no up has succeeded after {', '.join(works)} failed")
        self._count(works)
        for id, work in works.items():
            self._judge(id, work)
            self.cloud.set_state(id, work.kit.success)
            work.resumes = False
        lane.still()

    def _own(self, work: Work) -> str:
        """The id of its run, if that can go on; empty also for one that the service has forgotten."""
        known = {run["id"] for run in self.cloud.runs(work.system, origin=None)}
        id = self.lane.look()[work.name].recorded if work.kit.resume and not work.parts else ""
        return id if id in known else ""

    def _state(self, id: str) -> str:
        return next(str(run["state"]) for run in self.cloud.runs(origin=None) if run["id"] == id)

    def _order(self, work: Work) -> None:
        kit = work.kit
        for fault in self.rng.sample(calls(kit), self.rng.randint(1, 3)):
            self.cloud.fault(work.system, kit.resume, **fault)
            self._ordered[work.system, fault["action"]] += 1
            throttles = fault.get("status") == 429 or fault.get("code") == "SlowDown"
            self._most[work.system] += throttles or fault["action"] in _SENT_AGAIN
        for fault in self.rng.sample(_LOOKS, self.rng.randint(0, 2)):
            self.cloud.fault(work.system, "get", times=self.rng.choice((1, 2)), **fault)

    def _up(self, works: dict[str, Work]) -> bool:
        """Whether it succeeded."""
        lane = self.lane
        failed = {work.system for id, work in works.items() if self._state(id) == work.kit.failure}
        before = {work.system: self.cloud.count(work.system, work.kit.resume) for work in works.values()}
        result = lane.up(*(["--refresh"] if self.rng.random() < 0.3 else []))
        for id, work in works.items():
            sent = self.cloud.count(work.system, work.kit.resume) - before[work.system]
            self._most[work.system] += work.system in failed
            self._sent[work.system] += sent
            if sent and work.system not in failed:
                lane.breach(f"{work.system}: {id} was asked to go on, and had not failed")
            elif self._sent[work.system] > self._most[work.system]:
                lane.breach(f"{work.system}: {id} was asked to go on {self._sent[work.system]} times for one failure")
        lane.still()  # nothing is fired for it
        return result.code == 0

    def _judge(self, id: str, work: Work) -> None:
        """An `up` has succeeded."""
        outputs, recorded = self.lane.outputs(work.name), self.lane.look()[work.name].recorded
        if recorded != id:
            self.lane.breach(f"{work.name}: {recorded} is on record, not {id} that goes on")
        elif (state := self._state(id)) == work.kit.failure:
            self.lane.breach(f"{work.name}: an up has succeeded, and {id} has not gone on: it is {state}")
        elif outputs["phase"] == "failed" or "why=resumed" not in outputs["fired"]:
            self.lane.breach(f"{work.name}: {id} goes on, and the record does not say so: {outputs['phase']}")

    def _count(self, works: dict[str, Work]) -> None:
        """Only faults that have met a call count."""
        calls = {work.system: work.kit.resume for work in works.values()}
        for left in self.cloud.drop_faults():
            if left["operation"] == calls[left["system"]]:
                self._ordered[left["system"], left["action"]] -= left["times"]
        met = [place for place, times in self._ordered.items() if times > 0]
        for place in met:
            self.lane.report.count(FAULTS, " ".join(place))
        for system in {system for system, _ in met}:
            self.lane.report.count(RESUMES, system)
