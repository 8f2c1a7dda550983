"""Completions under faults: runs end, well or badly, a Completion over all of them is asked for, and what it says is
compared with what the emulator has. A success that is told for a failure is a breach, and so is the reverse.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import unquote

from tests.campaigns.lane import Lane
from tests.campaigns.works import SYSTEMS
from tests.kits import KITS
from tests.support.stack import call

COMPLETIONS = "Completions that met faults, by the number of runs that had failed"
FAULTS = "faults that met a Completion, by system, operation and action (once for each Completion)"
UPS = 6
_ACTIONS: tuple[dict[str, Any], ...] = (
    {"action": "drop_response"},
    {"action": "reset_before"},
    {"action": "truncate"},
    {"action": "body", "body": "{}"},
    {"action": "body", "body": "<Response/>"},
    {"action": "body", "body": '{"status": 0, "data": null}'},
    {"action": "status", "status": 503, "code": "SlowDown"},
    {"action": "status", "status": 500, "code": "InternalError"},
    {"action": "delay", "seconds": 0.5},
    {"action": "interim", "status": 102, "seconds": 0.4},
    {"action": "interim", "status": 103, "after_effect": True, "seconds": 0.4},
    {"action": "error_in_200"},
    {"action": "date_skew", "seconds": 3000},
    {"action": "date_skew", "seconds": -3000},
)


class Waits:
    def __init__(self, lane: Lane) -> None:
        self.lane, self.cloud, self.rng, self.report = lane, lane.cloud, lane.rng, lane.report
        self._serial = 0

    def round(self) -> bool:
        """One Completion over all that the program has, until it says what became of the runs. Whether it met a
        fault."""
        lane, rng = self.lane, self.rng
        self._serial += 1
        failed = self._end(rng.choice((0.0, 0.0, 0.3)))
        halts = rng.random() < 0.5
        ordered = self._order()
        names = ", ".join(work.name.replace("-", "_") for work in lane.works.values())
        how = {"timeout": "20s", "poll_interval": "1s", "on_failure": "halt" if halts else "continue"}
        lane.more = [call("Completion", f"done-{self._serial}", runs=f"=[{names}]", **how)]
        judge = self._judge_halting if halts else self._judge_going_on
        for _ in range(UPS):
            result = lane.up()
            if judge(result.code == 0, result.text, failed):
                break
        else:
            lane.breach(f"a Completion over runs of which {len(failed)} failed never said so")
        lane.more = []
        return self._count(ordered, len(failed))

    def _end(self, share: float) -> set[str]:
        """All runs end; the ids of those that failed."""
        recorded = {seen.recorded for seen in self.lane.look().values()}
        runs = self.cloud.runs(origin=None)
        failed = recorded - {run["id"] for run in runs}  # the service has forgotten it
        for run in runs:
            kit = KITS[run["system"]]
            good, bad = kit.success, kit.failure
            fails = run["id"] in recorded and self.rng.random() < share
            failed |= {run["id"]} if fails else set()
            if run["state"] not in (good, bad) or run["id"] in recorded:
                self.cloud.set_state(run["id"], bad if fails else good, *(("Broken", "it broke") if fails else ()))
        return failed

    def _order(self) -> Counter[tuple[str, str, str]]:
        ordered: Counter[tuple[str, str, str]] = Counter()
        for system in SYSTEMS:
            for operation in ("find", "get"):
                for fault in self.rng.sample(_ACTIONS, self.rng.randint(1, 3)):
                    times = self.rng.choice((1, 1, 2, 5))
                    self.cloud.faults({"system": system, "operation": operation, "times": times, **fault})
                    ordered[system, operation, str(fault["action"])] += times
        return ordered

    def _judge_halting(self, succeeded: bool, text: str, failed: set[str]) -> bool:
        """Whether it is settled."""
        if succeeded:
            if failed:
                self.lane.breach(f"success was told although {', '.join(sorted(failed))} failed")
            return True
        if "did not succeed" not in text:
            return False  # it could not be told in time
        if not failed:
            self.lane.breach("a failure was told although all runs succeeded")
        if silent := {name for name in self._labels(failed) if f"{name}" not in text.partition("did not succeed")[2]}:
            self.lane.breach(f"it was not told that {', '.join(sorted(silent))} failed")
        return True

    def _judge_going_on(self, succeeded: bool, _text: str, failed: set[str]) -> bool:
        if not succeeded:
            return False
        record = self.lane.outputs(f"done-{self._serial}")
        told = {unquote(one["reference"].rpartition("/")[2]): one["phase"] for one in record.get("outcomes", [])}
        ids = {seen.recorded for seen in self.lane.look().values()}
        for id in sorted(ids):
            phase = next((phase for end, phase in told.items() if end.endswith(id)), "nothing")
            if phase != ("failed" if id in failed else "succeeded"):
                self.lane.breach(f"of {id} it was told that it {phase}")
        return True

    def _labels(self, ids: set[str]) -> set[str]:
        """The names of the resources that have these runs on record."""
        return {self.lane.work_of(ask).name for ask, seen in self.lane.look().items() if seen.recorded in ids}

    def _count(self, ordered: Counter[tuple[str, str, str]], failed: int) -> bool:
        """Only faults that have met a request count."""
        for left in self.cloud.drop_faults():
            ordered[left["system"], left["operation"], left["action"]] -= left["times"]
        met = [" ".join(place) for place, times in ordered.items() if times > 0]
        for place in met:
            self.report.count(FAULTS, place)
        if met:
            self.report.count(COMPLETIONS, str(failed))
        return bool(met)
