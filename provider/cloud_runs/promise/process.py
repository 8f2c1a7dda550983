"""This host process: its name, its age, and what it has seen of the stack. One object, handed in.

A test that wants another process makes another object. No Pulumi and no HTTP library here.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from cloud_runs.promise import ledger
from cloud_runs.promise.clock import Clock
from cloud_runs.promise.identity import same
from cloud_runs.promise.records import Before, Former, Intent, Moment, Recorded
from cloud_runs.promise.turns import Turns
from cloud_runs.runs import Candidate


class Process(Turns):
    """Thread-safe: the dynamic host has four threads. `id` is random and not a pid, since pids come round again.

    An *id space* is that within which the id of a run is unique. *Work* is equal for requests whose runs a look cannot
    tell apart.
    """

    def __init__(self, clock: Clock | None = None, id: str = "") -> None:
        super().__init__()
        self.clock = clock or Clock()
        self.id = id or secrets.token_hex(16)
        self.began = self.clock.monotonic()
        self._lock, self._tokens, self._diffed = threading.Lock(), set[str](), set[str]()
        self.beginning = self.moment()
        self._recorded: dict[str, Recorded] = {}
        self._deleted: dict[str, Recorded] = {}
        self._settled: set[str] = set()
        self._attempted: dict[tuple[str, str], list[Moment]] = {}
        self._attempted_at: dict[str, float] = {}
        self._taken: dict[tuple[Hashable, str], str] = {}
        self._given: set[tuple[Hashable, str]] = set()
        self._had: set[tuple[Hashable, str]] = set()
        self._came: dict[tuple[Hashable, str], str] = {}
        self._outcomes: dict[tuple[str, str], object] = {}
        self._arguments: dict[str, Any] = {}
        self._reopened: dict[str, Recorded] = {}
        self._ends: dict[str, Any] = {}
        self._names: dict[str, Sequence[str]] = {}
        self._former: dict[str, tuple[Intent, Any]] = {}

    @property
    def age(self) -> float:
        """Seconds."""
        return self.clock.monotonic() - self.began

    def moment(self, token: str = "") -> Moment:
        """Now, in this process; under a new token if none is given."""
        boot = self.clock.boot()
        at = self.clock.now()
        token = token or secrets.token_hex(16)
        self._tokens.add(token)
        return Moment(token, at, self.id, boot, self.clock.uptime() if boot else 0.0)

    def minted(self, moment: Moment) -> bool:
        """Whether the moment is one of this process."""
        return moment.host == self.id

    def earlier(self, intent: Intent | None) -> Intent | None:
        """The intent, if an earlier process has made it."""
        return intent if intent and not self.minted(intent.moment) else None

    # -- what is on record

    def saw(self, urn: str, space: Hashable, run: Recorded) -> dict[str, str]:
        """`diff` was asked about this resource. Its runs that another resource has on record as well: id -> URN."""
        with self._lock:
            self._recorded[urn] = run
            self._diffed.add(run.fired.shown)
            self._settles(run)
            self._had.update((space, id) for id in ledger.former_ids(run))  # none of these is a new one
            twins = {}
            for id in run.ids.values():
                other = self._taken.setdefault((space, id), urn)
                if other != urn and id in self._ids_on_record(other):
                    twins[id] = other
            return twins

    def _settles(self, run: Recorded) -> None:
        self._settled.update(run.fired.settled)

    def _ids_on_record(self, urn: str) -> Iterable[str]:
        found = self._recorded.get(urn)
        return found.ids.values() if found else ()

    def deleted(self, token: str, space: Hashable, run: Recorded) -> dict[str, str]:
        """`delete` was called for this run: if a create with its intent's token follows, it is a replacement. The token
        and not the URN: a rename changes the URN, and another run may have taken it since. Returns those of its ids,
        and of the runs before it, that another resource has taken for what it has asked for: id -> URN."""
        with self._lock:
            self._deleted[token] = run
            self._settles(run)
            self._outcomes = {asked: outcome for asked, outcome in self._outcomes.items() if asked[1] != token}
            for id in run.ids.values():
                self._taken.setdefault((space, id), "")
            holders = {id: self._came.get((space, id), "") for id in ledger.former_ids(run)}
            holders |= {id: self._holder(space, id, run) for id in run.ids.values()}
            others = {id: other for id, other in holders.items() if other not in ("", ledger.urn_of(run.outputs))}
            return {id: other for id, other in others.items() if not self._was_given(other, id)}

    def _holder(self, space: Hashable, id: str, run: Recorded) -> str:
        """The other resource that has taken this run for what it has asked for, or has it on record; else empty."""
        came = self._came.get((space, id), "")
        if came not in ("", ledger.urn_of(run.outputs)):
            return came
        other = self._taken.get((space, id), "")
        found = self._recorded.get(other)
        return other if found and found.fired.token != run.fired.token and id in found.ids.values() else ""

    def _was_given(self, urn: str, id: str) -> bool:
        found = self._recorded.get(urn)
        return found is not None and ledger.is_given(found.outputs, id)

    def ends(self, run: Recorded, on_delete: Any) -> None:
        """What the program says by now of how this run is to be deleted: a replacement goes by that."""
        with self._lock:
            self._ends[run.fired.shown] = on_delete

    def stops(self, run: Recorded) -> bool:
        """Whether this run is stopped when it is deleted, by what the program says, else by what is on record."""
        with self._lock:
            return self._ends.get(run.fired.shown, run.outputs.get(ledger.ON_DELETE)) == "cancel"

    def holds(self, space: Hashable, id: str, run: Recorded) -> bool:
        """Whether this run stays on record, though the record of it that is `run` is deleted."""
        with self._lock:
            return (space, id) in self._given or bool(self._holder(space, id, run))

    def before(self, urn: str, token: str) -> Before:
        with self._lock:
            found = self._recorded.get(urn)
            gone = self._deleted.get(token) or (found if found in self._deleted.values() else None)
            if not gone and token in self._tokens and token not in self._settled:
                gone = self._undiffed(urn)
            return Before(gone or found, gone is not None)

    def formerly(self, urn: str, names: Sequence[str]) -> None:
        """An intent is made for the resource with this URN, which had these names before."""
        with self._lock:
            self._names[urn] = names

    def _undiffed(self, urn: str) -> Recorded | None:
        """As with a `replacement_trigger`: under another token. Not that of one in the program, which has its own."""
        gone = {ledger.urn_of(run.outputs): run for token, run in self._deleted.items() if token not in self._diffed}
        return gone.get(same(urn, self._names.get(urn, ()), gone.keys() - (self._names.keys() - {urn})) or "")

    # -- what this process itself does

    def keep(self, urn: str, token: str, outcome: object) -> None:
        """What an ask came to: a second `create` for it must not fire."""
        with self._lock:
            self._outcomes[urn, token] = outcome

    def outcome(self, urn: str, token: str) -> object | None:
        with self._lock:
            return self._outcomes.get((urn, token))

    def attempting(self, urn: str, token: str) -> Moment:
        """Something may be started from now on: this moment."""
        moment = self.moment()
        with self._lock:
            self._attempted.setdefault((urn, token), []).append(moment)
            self._attempted_at[moment.token] = self.clock.monotonic()
        return moment

    def sent(self, urn: str, token: str) -> None:
        """The last start of the last attempt has left by now: what was looked for before it took its time."""
        with self._lock:
            if attempts := self._attempted.get((urn, token)):
                self._attempted_at[attempts[-1].token] = self.clock.monotonic()

    def attempted(self, urn: str, token: str) -> tuple[Moment, ...]:
        """When this process may have started something for this ask, oldest first."""
        with self._lock:
            return tuple(self._attempted.get((urn, token), ()))

    def refused(self, urn: str, token: str) -> None:
        """The last attempt came to nothing for certain, so that another one needs no look for it."""
        with self._lock:
            if attempts := self._attempted.get((urn, token)):
                attempts.pop()

    def quiet(self, moments: Iterable[Moment]) -> float:
        """For how many seconds nothing of these moments can have been sent: an earlier process has ended before this
        one began."""
        now = self.clock.monotonic()
        with self._lock:
            return min([self.age, *(now - self._attempted_at.get(moment.token, self.began) for moment in moments)])

    def settled(self, urn: str, token: str, space: Hashable, ids: Iterable[str]) -> None:
        """The ask has come to these runs."""
        with self._lock:
            if token in self._tokens and (gone := self._undiffed(urn)):
                self._diffed.add(gone.fired.shown)
            self._deleted.pop(token, None)  # one delete stands for one replacement
            self._recorded.pop(urn, None)
            self._settled.add(token)
            self._attempted.pop((urn, token), None)
            for id in ids:
                self._taken[space, id] = urn

    # -- intents

    def intends(self, token: str, arguments: Any) -> None:
        """The arguments that an intent on record was made for."""
        with self._lock:
            self._arguments[token] = arguments

    def arguments(self, token: str) -> Any:
        """What the intent was made for; None if this process was not told."""
        with self._lock:
            return self._arguments.get(token)

    def replaced(self, urn: str, former: Intent, arguments: Any = None) -> None:
        """This update gives the run with this URN another intent."""
        with self._lock:
            self._former[urn] = former, arguments

    def replacing(self, urn: str) -> Intent | None:
        """The intent that this update gives up for a new one."""
        with self._lock:
            return self._former.get(urn, (None, None))[0]

    def reopen(self, run: Recorded) -> None:
        """An earlier process has deleted this run, to replace it, maybe by force under the same intent: what it may
        have started for that is told when the engine deletes the intent."""
        with self._lock:
            self._settled.discard(run.fired.shown)
            self._reopened[run.fired.shown] = run

    def reopened(self, intent: Intent) -> Recorded | None:
        with self._lock:
            return self._reopened.get(intent.token)

    def former(self, urn: str) -> Former | None:
        """The intent that this update has replaced, if an earlier process may have fired for it and no run of it is on
        record. Told once. For a resource that is created, since then the engine has deleted what was to be deleted."""
        with self._lock:
            intent, arguments = self._former.pop(urn, (None, None))
            if intent is None:
                return None
            run = self._recorded.get(urn) or self._deleted.get(intent.token)  # a forced replacement shows no diff
            if run and run not in self._deleted.values() and not self._lost(intent):
                return Former(intent, arguments, intent.moments, run)
            settled = [moment.token in self._settled for moment in intent.moments]
            after = len(settled) - settled[::-1].index(True) if True in settled else 0
            moments = [moment for moment in intent.moments[after:] if moment.host != self.id]
            moments += [moment for moment in run.unsettled if moment.host != self.id] if run else ()
            unsettled = run.unsettled if run else ()
            self._settled.update(moment.token for moment in (*intent.moments, *unsettled))
            return Former(intent, arguments, moments) if moments else None

    def lost(self, intent: Intent) -> tuple[Moment, ...]:
        """When an earlier process may have fired for this intent and no run of that is on record, as far as this
        process was told. Of a fan-out each list of objects is an attempt, and one on record settles those before it."""
        with self._lock:
            return self._lost(intent)

    def _lost(self, intent: Intent) -> tuple[Moment, ...]:
        moments = intent.moments
        known = max((index for index, one in enumerate(moments) if one.token in self._settled), default=-1)
        gone = self._deleted.get(intent.token)  # what was refused, or has failed, may have been started all the same
        doubt = replace(gone, reruns=True).unsettled if gone else []
        doubt = [one for one in doubt if one.token not in self._settled]
        return tuple(one for one in (*moments[known + 1 :], *doubt) if one.host != self.id)

    # -- runs that are spoken for

    def claim(self, space: Hashable, id: str, urn: str, *, given: bool = False) -> bool:
        """Takes a run for this resource, unless it is on record already. `given`: by the user, else by a start's answer
        or by a look."""
        with self._lock:
            free = (space, id) not in self._taken and (space, id) not in self._had
            self._taken.setdefault((space, id), urn)
            if free and not given:
                self._came[space, id] = urn
            if given:
                self._given.add((space, id))
            return free

    def free(self, space: Hashable, candidates: Iterable[Candidate]) -> list[Candidate]:
        """The candidates that no resource of this stack has on record."""
        with self._lock:
            known = self._taken.keys() | self._had
            return [one for one in candidates if (space, one.id) not in known]

    def on_record(self, space: Hashable) -> set[str]:
        """The ids of runs that are or were on record, as far as this process was told."""
        with self._lock:
            return {id for taken, id in self._taken.keys() | self._had if taken == space}
