"""One lane of a campaign: an emulator and a stack of its own, its resources, and the oracle on what they ask for."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.campaigns.oracle import Ask, Due, Expected, Seen, adoptable, breaches, expected
from tests.campaigns.report import Report
from tests.campaigns.works import FANS_OUT, PARTS, SYSTEMS, Place, Work, place_of
from tests.kits import IMPORT, KITS, settings
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Result, Stack

UPS = 8
"""So many may be needed until one succeeds, beside those that meet a fault; then the promise counts as broken."""
LAGS = (0.0, 2.0, 7.0)
"""Seconds until a run shows in lists. More than the provider is told to allow for is beyond the promise."""
START = 5
"""How many seconds a start may take, as the provider is told."""

SIDE_FILES = "side files of the backend that a kill left empty, which were removed"

REPEATED = "recorded already"

_AMBIGUOUS = re.compile(r"\w+ '([^']+)': nothing more was fired: .*? one of these runs: (.+?)\. If one is yours")
_OF_AN_OBJECT = re.compile(r"one of these runs: (.+?)\. If one of them is its run")
_MINUTE_TAKEN = re.compile(r"\w+ '([^']+)': nothing was fired: run \S+ of flow \d+ has the trigger minute")
_TRACEBACK = "Traceback (most recent call last)"
_STAYS = re.compile(r"FlowRun (\S+) .*?: nothing was fired: run \S+ of flow \d+ has .*? The recorded run stays")
_BY_MINUTE = tuple(name.replace(".", "-") for name, kit in KITS.items() if kit.by_minute)
_LISTED = re.compile(r"([^\s,]+) \(began ")


class Lane:
    """`works` is what the program asks for, by name; `look()` is what there is, by ask."""

    def __init__(
        self,
        folder: Path,
        cloud: Emulator,
        report: Report,
        name: str,
        rng: random.Random,
        lag: float = 0,
        start: float = START,
    ) -> None:
        self.cloud, self.report, self.name, self.rng = cloud, report, name, rng
        self.stack = Stack(folder, cloud)
        times = {"runs__startSeconds": str(start), "runs__lagSeconds": str(lag + 1)}
        self.stack.configure(**settings(cloud.url), **times)
        self.works: dict[str, Work] = {}
        self.more: list[str] = []
        """What the program has beside them."""
        self._serial = 0
        self._at_rest: dict[Place, frozenset[str]] = {}
        self._printed = ""
        self._stay: set[str] = set()
        """EnOS runs of which was said that they stay, since their own minute is taken by themselves."""
        self._steps: list[str] = []
        self.repeats: Collection[str] = ()
        """Systems that answer starts with the id of an earlier run: then it must be said that nothing new may run."""
        self.said: list[str] = []
        """What all `up`s have printed since the last volley began."""

    # -- what the user does

    def renew(self, named: bool = False, *, runs: bool = True, fans: bool = False) -> None:
        """The program asks for other resources than before: a run of each system, a fan-out of each that has them, or
        both. `named`: its job has a name that others can have too."""
        self._serial += 2
        made = [Work(system, self._serial, named=named) for system in SYSTEMS if runs]
        made += [Work(system, self._serial + 1, parts=PARTS) for system in FANS_OUT if fans]
        self.works = {work.name: work for work in made}

    def fresh(self, system: str, provider: str, *, fan: bool = False) -> Work:
        """A resource that was not there before."""
        self._serial += 1
        return Work(system, self._serial, parts=PARTS if fan else 0, provider=provider)

    def add(self) -> None:
        """Each fan-out gets another object."""
        for work in self.works.values():
            work.parts += bool(work.parts)

    def change(self, by: int = 1) -> None:
        for work in self.works.values():
            work.trigger += by

    def mint_only(self) -> None:
        """An `up` that ends after the intents are on record: their tokens are then an earlier up's."""
        intents = [work.urn(self.stack.name, intent=True) for work in self.works.values()]
        if self.up(*(f"--target={urn}" for urn in intents)).code != 0:
            self.breach("the intents alone could not be made")

    def write(self) -> None:
        providers = sorted({work.provider for work in self.works.values() if work.provider})
        own = [f"{provider} = Provider({provider!r})\n" for provider in providers]
        self.stack.program(IMPORT, *own, *(work.source() for work in self.works.values()), *self.more)

    def up(self, *flags: str) -> Result:
        self.write()
        return self.ended(self.stack.up(flags=flags, check=False), _brief(flags))

    def ended(self, result: Result, how: str) -> Result:
        """An `up` has ended so."""
        self._printed = result.text
        self.said.append(result.text)
        self._stay |= set(_STAYS.findall(result.text))
        self.step(f"up {how}: exit {result.code}\n{self.account()}")
        at = result.text.find(_TRACEBACK)
        if at >= 0:
            self.breach(f"an unhandled exception: {result.text[max(0, at - 500) : at + 3000]}")
        return result

    def unlock(self, *, locked: bool = True) -> None:
        """`pulumi cancel` after a kill.

        Pulumi's file backend writes a side file with each file, and not in one go: killed within that, it calls the
        state unreadable ("failed to load checkpoint: EOF") until the empty side file is removed.
        """
        for side in (self.stack.folder / "state").rglob("*.attrs"):
            if side.stat().st_size == 0:
                side.unlink()
                self.report.count(SIDE_FILES, "of the state" if side.name.startswith("test.json") else "others")
        if locked:
            self.stack.unlock()

    def replacing(self) -> tuple[str, ...]:
        """The flags of an `up` that forces a replacement of all."""
        return tuple(f"--replace={work.urn(self.stack.name)}" for work in self.works.values())

    # -- what there is

    def look(self) -> dict[str, Seen]:
        """Each ask of the program."""
        fired, foreign = self.runs(), self.runs("foreign")
        records = _records(json.loads(self.stack.export()))
        seen = {}
        for name, work in self.works.items():
            record = records.get(name, {})
            recorded = work.recorded(record)
            for ask, place in work.asks.items():
                seen[ask] = Seen(
                    fired.get(place, frozenset()),
                    foreign.get(place, frozenset()),
                    recorded[ask],
                    bool(record.get("pendingReplacement")),
                    f"{name}-intent" in records,
                )
        return seen

    def refused(self) -> dict[tuple[str, int], str]:
        """The parts of fan-outs on record that have no run, and why."""
        records = _records(json.loads(self.stack.export()))
        works = self.works.items()
        return {(name, part): why for name, w in works for part, why in w.refused(records.get(name, {})).items()}

    def work_of(self, ask: str) -> Work:
        return self.works[ask.partition("[")[0]]

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
        """Of a resource."""
        return dict(_records(json.loads(self.stack.export())).get(name, {}).get("outputs", {}))

    def runs(self, origin: str = "api") -> dict[Place, frozenset[str]]:
        found: dict[Place, set[str]] = {}
        for run in self.cloud.runs(origin=origin):
            found.setdefault(place_of(run), set()).add(run["id"])
        return {place: frozenset(ids) for place, ids in found.items()}

    # -- what must be

    def step(self, text: str) -> None:
        """For the account of a breach."""
        self._steps = [*self._steps[-11:], text]

    def breach(self, text: str) -> None:
        self.report.breach(f"{self.name}: {text}", "\n".join([*self._steps, self._printed[-4000:]]))
        self._steps.clear()

    def judge(self, wants: dict[str, Expected], settled: bool, forgotten: frozenset[str] = frozenset()) -> None:
        """`settled`: an `up` has just succeeded; what it has refused of a fan-out is not settled yet."""
        now = self.look()
        refused = {self.works[name].ask_of(part) for name, part in self.refused()}
        for ask, want in wants.items():
            want = Expected(Due.KEPT, want.before) if ask in self._stay else want
            done = settled and ask not in refused
            for found in breaches(want, now[ask], settled=done, forgotten=ask in forgotten):
                if self.work_of(ask).system in self.repeats and REPEATED in "".join(self.said):
                    continue
                self.breach(f"{ask}: {found} (due: {want.due.value})")

    def settle(
        self,
        what: str,
        wants: dict[str, Expected],
        result: Result,
        forgotten: frozenset[str] = frozenset(),
        faults: int = 0,
    ) -> dict[str, str]:
        """`up` until one succeeds and refuses nothing, judging after each. How it ended, by ask. `faults`: how many
        are ordered, each of which may cost an `up`."""
        ended: dict[str, str] = {}
        self._stay.clear()
        ups = 1
        while True:
            self.judge(wants, result.code == 0, forgotten)
            refused = self.refused()
            if result.code == 0 and not refused:
                break
            self._help(result, wants, ended)
            self._help_objects(refused, wants, ended)
            if ups == UPS + faults:
                raise RuntimeError(f"{what}: no up has succeeded: {result} {refused}")
            result, ups = self.up(), ups + 1
        self.rest()
        now = self.look()
        for name, want in wants.items():
            if name not in ended:
                ended[name] = self._end(want, now[name], name, ups)
        if any(work.adopt_id or work.adopt_ids for work in self.works.values()):
            for work in self.works.values():
                work.adopt_id, work.adopt_ids = None, {}
            if self.up().code != 0:
                self.breach("an up without adopt_id failed")
            self.judge(wants, True, forgotten)
            self.still()
        return ended

    def _help(self, result: Result, wants: dict[str, Expected], ended: dict[str, str]) -> None:
        """Does what an ambiguous stop says is to be done."""
        now = self.look()
        for name, listed in _AMBIGUOUS.findall(result.text):
            adopt = self._adoptable(name, wants[name], now[name], listed)
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

    def _help_objects(
        self, refused: dict[tuple[str, int], str], wants: dict[str, Expected], ended: dict[str, str]
    ) -> None:
        """The same for objects of fan-outs."""
        now = self.look()
        for (name, part), why in refused.items():
            work, ask = self.works[name], self.works[name].ask_of(part)
            for listed in _OF_AN_OBJECT.findall(why):
                adopt = self._adoptable(ask, wants[ask], now[ask], listed)
                if adopt:
                    work.adopt_ids[part] = adopt
                    ended[ask] = "ambiguous: it named the lost run, which adopt_ids then recorded"
                else:
                    work.out.add(part)
                    ended[ask] = "ambiguous: nothing of ours ran; taken out of the list for one up"
        if any(work.out for work in self.works.values()):
            if self.up().code != 0:
                self.breach("an up with fewer objects failed")
            for work in self.works.values():
                work.out.clear()

    def _adoptable(self, ask: str, want: Expected, now: Seen, listed: str) -> str:
        adopt, found = adoptable(want, now, _LISTED.findall(listed))
        for breach in found:
            self.breach(f"{ask}: {breach}")
        return adopt

    def _end(self, want: Expected, now: Seen, name: str, ups: int) -> str:
        new = now.fired - want.before.fired
        if want.due is Due.GONE:
            return "removed from the program"
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
        provenance = self.outputs(self.work_of(name).name).get("provenance", "fired or found")
        return f"{provenance} by {'the first' if ups == 1 else 'a later'} up"

    def rest(self) -> None:
        """Nothing is going on any more: from here on nothing may fire until it is asked for."""
        self._at_rest = self.runs()

    def still(self) -> None:
        """Nothing has fired since."""
        now = self.runs()
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
    """By ask."""
    return {
        name: expected(ask, seen, interrupted[name] if interrupted else None, by_minute=name.startswith(_BY_MINUTE))
        for name, seen in before.items()
    }


@contextmanager
def opened(
    folder: Path, report: Report, name: str, rng: random.Random, lags: Sequence[float] = LAGS, start: float = START
) -> Iterator[Lane]:
    """A lane with an emulator whose lists lag by an amount of the seed's choice."""
    lag = rng.choice(lags)
    with emulator("--run-seconds", "3600", "--list-lag-seconds", str(lag)) as cloud:
        yield Lane(folder, cloud, report, name, rng, lag, start)
