"""One lane of a campaign: an emulator and a stack of its own, a resource of each system, and the oracle on them."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.campaigns.oracle import Ask, Due, Expected, Seen, adoptable, breaches, expected
from tests.campaigns.report import Report
from tests.campaigns.works import IMPORT, SYSTEMS, Work, number_of
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Result, Stack, enos_settings, huawei_settings

UPS = 8
"""So many may be needed until one succeeds; then the promise counts as broken."""
LAGS = (0.0, 2.0, 7.0)
"""Seconds until a run shows in lists. More than the provider allows for (10) is beyond the promise."""

_AMBIGUOUS = re.compile(r"\w+ '([^']+)': nothing more was fired: .*? one of these runs: (.+?)\. If one is yours")
_MINUTE_TAKEN = re.compile(r"\w+ '([^']+)': nothing was fired: run \S+ of flow \d+ has the trigger minute")
_LISTED = re.compile(r"([^\s,]+) \(began ")


class Lane:
    """`works` is what the program asks for, by name; `look()` is what there is."""

    def __init__(self, folder: Path, cloud: Emulator, report: Report, name: str, rng: random.Random) -> None:
        self.cloud, self.report, self.name, self.rng = cloud, report, name, rng
        self.stack = Stack(folder, cloud)
        self.stack.configure(**huawei_settings(cloud), **enos_settings(cloud))
        self.works: dict[str, Work] = {}
        self._serial = 0
        self._at_rest: dict[tuple[str, int], frozenset[str]] = {}
        self._printed = ""
        self._steps: list[str] = []

    # -- what the user does

    def renew(self, named: bool = False) -> None:
        """The program asks for other resources than before; `named`: its job has a name that others can have too."""
        self._serial += 1
        made = [Work(system, self._serial, named=named) for system in SYSTEMS]
        self.works = {work.name: work for work in made}

    def change(self, by: int = 1) -> None:
        for work in self.works.values():
            work.trigger += by

    def mint_only(self) -> None:
        """An `up` that ends after the intents are on record: their tokens are then an earlier up's."""
        intents = [work.urn(self.stack.name, intent=True) for work in self.works.values()]
        if self.up(*(f"--target={urn}" for urn in intents)).code != 0:
            self.breach("the intents alone could not be made")

    def write(self) -> None:
        self.stack.program(IMPORT, *(work.source() for work in self.works.values()))

    def up(self, *flags: str) -> Result:
        self.write()
        result = self.stack.up(flags=flags, check=False)
        self._printed = result.text
        self.step(f"up {_brief(flags)}: exit {result.code}\n{self.account()}")
        if "Traceback (most recent call last)" in result.text:
            self.breach("an unhandled exception")
        return result

    def replacing(self) -> tuple[str, ...]:
        """The flags of an `up` that forces a replacement of all."""
        return tuple(f"--replace={work.urn(self.stack.name)}" for work in self.works.values())

    # -- what there is

    def look(self) -> dict[str, Seen]:
        """Each resource of the program."""
        fired, foreign = self._runs("api"), self._runs("foreign")
        records = _records(json.loads(self.stack.export()))
        seen = {}
        for name, work in self.works.items():
            place, record = (work.system, work.number), records.get(name, {})
            seen[name] = Seen(
                fired.get(place, frozenset()),
                foreign.get(place, frozenset()),
                str(record.get("id", "")),
                bool(record.get("pendingReplacement")),
                f"{name}-intent" in records,
            )
        return seen

    def account(self) -> str:
        """For the account of a breach: what is on record, and what the service has."""
        rows = []
        for name, seen in self.look().items():
            rows.append(
                f"    {name}: {_short(seen.recorded)}{' to be replaced' if seen.pending else ''}"
                f"{'' if seen.intent else ', no intent'}; fired {' '.join(map(_short, sorted(seen.fired)))}"
                f"{'; foreign ' if seen.foreign else ''}{' '.join(map(_short, sorted(seen.foreign)))}"
            )
        return "\n".join(rows)

    def outputs(self, name: str) -> dict[str, Any]:
        return dict(_records(json.loads(self.stack.export())).get(name, {}).get("outputs", {}))

    def _runs(self, origin: str) -> dict[tuple[str, int], frozenset[str]]:
        found: dict[tuple[str, int], set[str]] = {}
        for run in self.cloud.runs(origin=origin):
            found.setdefault((run["system"], number_of(run)), set()).add(run["id"])
        return {place: frozenset(ids) for place, ids in found.items()}

    # -- what must be

    def step(self, text: str) -> None:
        """For the account of a breach."""
        self._steps = [*self._steps[-11:], text]

    def breach(self, text: str) -> None:
        self.report.breach(f"{self.name}: {text}", "\n".join([*self._steps, self._printed[-4000:]]))
        self._steps.clear()

    def judge(self, wants: dict[str, Expected], settled: bool, forgotten: frozenset[str] = frozenset()) -> None:
        now = self.look()
        for name, want in wants.items():
            for found in breaches(want, now[name], settled=settled, forgotten=name in forgotten):
                self.breach(f"{name}: {found} (due: {want.due.value})")

    def settle(
        self, ask: Ask, wants: dict[str, Expected], result: Result, forgotten: frozenset[str] = frozenset()
    ) -> dict[str, str]:
        """`up` until one succeeds, judging after each. How it ended, by resource."""
        ended: dict[str, str] = {}
        ups = 1
        while True:
            self.judge(wants, result.code == 0, forgotten)
            if result.code == 0:
                break
            self._help(result, wants, ended)
            if ups == UPS:
                raise RuntimeError(f"{ask.value}: no up has succeeded: {result}")
            result, ups = self.up(), ups + 1
        self.rest()
        now = self.look()
        for name, want in wants.items():
            if name not in ended:
                ended[name] = self._end(want, now[name], name, ups)
        if any(work.adopt_id for work in self.works.values()):
            for work in self.works.values():
                work.adopt_id = None
            if self.up().code != 0:
                self.breach("an up without adopt_id failed")
            self.judge(wants, True, forgotten)
            self.still()
        return ended

    def _help(self, result: Result, wants: dict[str, Expected], ended: dict[str, str]) -> None:
        """Does what an ambiguous stop says is to be done."""
        now = self.look()
        for name, listed in _AMBIGUOUS.findall(result.text):
            adopt, found = adoptable(wants[name], now[name], _LISTED.findall(listed))
            for breach in found:
                self.breach(f"{name}: {breach}")
            if adopt:
                self.works[name].adopt_id = adopt
                ended[name] = "ambiguous: it named the lost run, which adopt_id then recorded"
            else:
                self.works[name].trigger += 1
                ended[name] = "ambiguous: nothing of ours ran; a changed trigger fired"
        for name in _MINUTE_TAKEN.findall(result.text):
            time.sleep(60 - time.time() % 60)  # as the text says: change a trigger a minute later
            self.works[name].trigger += 1
            ended[name] = "refused, since the minute had a run; a trigger changed a minute later fired"

    def _end(self, want: Expected, now: Seen, name: str, ups: int) -> str:
        new = now.fired - want.before.fired
        if not new and now.recorded in now.foreign:
            return "a run that others started was taken for ours (nothing of ours ran)"
        if not new and want.due is Due.AGAIN:
            return "nothing fired, a run of before was found again"
        if not new and want.due is Due.NEW and now.recorded in now.fired:
            return "nothing fired, a run of before that was on no record has the same minute and was found"
        if not new:
            return "nothing fired, the recorded run stays" if now.recorded in now.fired else "fired, then forgotten"
        if now.recorded not in new:
            return "the recorded run stays; one of the change taken back goes on"
        provenance = self.outputs(name).get("provenance")
        return f"{provenance} by {'the first' if ups == 1 else 'a later'} up"

    def rest(self) -> None:
        """Nothing is going on any more: from here on nothing may fire until it is asked for."""
        self._at_rest = self._runs("api")

    def still(self) -> None:
        """Nothing has fired since."""
        now = self._runs("api")
        for place, ids in now.items():
            more = ids - self._at_rest.get(place, frozenset())
            if more:
                self.breach(f"{place}: fired without being asked: {', '.join(sorted(more))}")
        self._at_rest = now

    def end(self) -> None:
        """A last `up`, which has nothing to do."""
        self.still()
        before = self.look()
        if self.up("--refresh").code != 0:
            self.breach("an up with nothing to do failed")
        self.still()
        if {name: seen.recorded for name, seen in before.items()} != {n: s.recorded for n, s in self.look().items()}:
            self.breach("an up with nothing to do changed what is on record")


def _brief(flags: Iterable[str]) -> str:
    return " ".join(sorted({flag.partition("=")[0] for flag in flags}))


def _short(id: str) -> str:
    return id[-8:] or "nothing"


def _records(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The state's resources by name, without those that only wait for their deletion."""
    resources = (state["checkpoint"]["latest"] or {}).get("resources") or []
    kept = [entry for entry in resources if "dynamic/" in entry["type"] and not entry.get("delete")]
    return {entry["urn"].split("::", 3)[3]: entry for entry in kept}


def due(ask: Ask, before: dict[str, Seen], interrupted: dict[str, Seen] | None) -> dict[str, Expected]:
    return {
        name: expected(ask, seen, interrupted[name] if interrupted else None, by_minute=name.startswith("enos"))
        for name, seen in before.items()
    }


@contextmanager
def opened(folder: Path, report: Report, name: str, rng: random.Random) -> Iterator[Lane]:
    """A lane with an emulator whose lists lag by an amount of the seed's choice."""
    with emulator("--run-seconds", "3600", "--list-lag-seconds", str(rng.choice(LAGS))) as cloud:
        yield Lane(folder, cloud, report, name, rng)
