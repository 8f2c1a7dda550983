"""Create, read, diff and update of a Completion. It asks, and never fires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from pulumi import dynamic
from pulumi.output import Unknown

from cloud_runs import addresses, errors
from cloud_runs.checks import Problem
from cloud_runs.lifecycle import durations, progress, quiet
from cloud_runs.lifecycle.asked import checked, of_0_1
from cloud_runs.lifecycle.base import HostProvider
from cloud_runs.lifecycle.clients import REPEATED_SECONDS, Clients, kind_named, repeated
from cloud_runs.lifecycle.completion_wait import AGAIN, Wait, Wanted, listed, of, told
from cloud_runs.lifecycle.reporting import one_line
from cloud_runs.lifecycle.values import known
from cloud_runs.limits import Limit
from cloud_runs.promise import ledger, outcomes
from cloud_runs.promise.digests import digest
from cloud_runs.promise.waiting import Watch
from cloud_runs.runs import Reference, rfc3339

LONGEST = "30m"
LONGEST_PAUSE = "10s"

_CHOICES = {ledger.ON_FAILURE: ("halt", "continue"), ledger.ON_TIMEOUT: ("leave", "cancel")}


class CompletionProvider(HostProvider):
    """Frozen name: the state refers to this class by module and name."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Reports every bad input at once. Pure: no network, no state."""
        return checked(news, _problems(news))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Other runs are waited for by an update. How to wait is of no matter once the wait is over.

        Runs that failed and were let pass are looked at again when `on_failure` becomes `halt`.
        """
        changes = _waits(_olds, _news) or of_0_1(_olds)
        if changes and known(_news[ledger.RUNS]):
            others = _olds[ledger.RUNS] != _noted(_news[ledger.RUNS])
            quiet.shows({ledger.RUNS: "update"} if others else quiet.WAIT)
        return dynamic.DiffResult(changes=changes, replaces=[])

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(_name(props), self._completed({}, props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        if not _waits(_olds, _news):  # what 0.1 has recorded is written anew
            return dynamic.UpdateResult({**_olds, **_news, ledger.RUNS: _noted(_news[ledger.RUNS])})
        return dynamic.UpdateResult(self._completed(_olds, _news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """What became of runs that have ended does not change. Asks nothing."""
        return dynamic.ReadResult(id_, props)

    # -- parts

    @one_line(lambda *args: f"Completion {_name(args[-1])!r}", errors.RunsError, addresses.with_address)
    def _completed(self, olds: Mapping[str, Any], props: dict[str, Any]) -> dict[str, Any]:
        """Waits. Raises RunsError if a run did not succeed, or not in time, or if the wait was interrupted."""
        listing = list(_wanted(props))
        wanted = list({run.reference or run.label: run for run in reversed(listing)}.values())[::-1]  # each once
        # A run that succeeded is not asked for again: its service may have forgotten it since.
        done = {
            found[ledger.REFERENCE]: found for found in olds.get(ledger.OUTCOMES) or () if outcomes.succeeded(found)
        }
        watch = Watch(run.reference for run in wanted if run.reference and str(run.reference) not in done)
        timeout = durations.seconds(props.get(ledger.TIMEOUT) or LONGEST)
        interval = durations.seconds(props.get(ledger.POLL_INTERVAL) or LONGEST_PAUSE)
        wait = Wait(props[ledger.URN], wanted, watch, Clients(self.settings), timeout)
        wait.run(interval, cancel=props.get(ledger.ON_TIMEOUT) == "cancel")
        done |= {str(reference): outcomes.outcome(reference, run) for reference, run in watch.runs.items()}
        bad = [(run, found) for run in wanted if not outcomes.succeeded(found := _outcome(run, done))]
        lines = told((run, outcomes.became(found)) for run, found in bad)
        if bad and props[ledger.ON_FAILURE] == "halt":
            raise errors.RunsError(f"{of(bad, wanted)} did not succeed; {_next(bad)}{listed(lines)}")
        if bad:
            progress.warn(props[ledger.URN], f"{of(bad, wanted)} did not succeed{listed(lines)}")
        self._tell_of_repeated(wanted, watch, props[ledger.URN])
        for one in wanted:
            run = watch.runs.get(one.reference) if one.reference else None
            if run and run.succeeded and run.status and run.status.summed and not run.status.executions:
                progress.warn(props[ledger.URN], f"{one.label} started no execution: nothing matched its input")
        return {
            **props,
            ledger.RUNS: _noted(props[ledger.RUNS]),
            ledger.OUTCOMES: [_outcome(run, done) for run in listing],
            ledger.SUCCEEDED: len(wanted) - len(bad),
            ledger.FAILED: len(bad),
            ledger.FINISHED_AT: _now() if watch.runs else olds.get(ledger.FINISHED_AT) or _now(),
        }

    def _tell_of_repeated(self, wanted: Sequence[Wanted], watch: Watch, urn: str) -> None:
        """Warns of jobs that were started twice by something between us and the service."""
        limit, clients = Limit(REPEATED_SECONDS), Clients(self.settings)
        for one in wanted:
            run = watch.runs.get(one.reference) if one.reference else None
            if one.reference and run and run.status:
                place = replace(one.reference, id="")
                kind = kind_named(place.system)
                ours = self.process.on_record(kind.id_space(place)) if kind else ()
                told = repeated(place.system, clients.of(place), run.status, limit, ours)
                if told:
                    progress.warn(urn, f"{one.label}: {told}")


def _waits(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether there is something to wait for, or to look at again."""
    halts = bool(olds.get(ledger.FAILED)) and news.get(ledger.ON_FAILURE) == "halt"
    if halts or not known(news[ledger.RUNS]) or olds[ledger.RUNS] != _noted(news[ledger.RUNS]):
        return True
    went_on = news.get(ledger.RESUMED) or []  # older versions have not recorded it
    return not known(went_on) or (olds.get(ledger.RESUMED) or [""] * len(went_on)) != went_on


def _now() -> str:
    return rfc3339(datetime.now(timezone.utc).replace(microsecond=0))


def _wanted(props: Mapping[str, Any]) -> Iterator[Wanted]:
    """The runs, flat and in their order; those of a fan-out by object."""
    for given, label in zip(props[ledger.RUNS], props[ledger.LABELS], strict=True):
        references, refused = _by_object(given)
        for key in sorted({*references, *refused}):
            of = f"{label} object {key!r}" if label else ""
            if key in references:
                reference = Reference.parse(references[key])
                yield Wanted(of or str(reference), reference, key)
            else:
                yield Wanted(of, None, key, refused[key])
        for text in [given] if isinstance(given, str) else given if isinstance(given, list) else []:
            reference = Reference.parse(text)
            yield Wanted(label or str(reference), reference)  # as written by us: what was given may hold any character


def _by_object(given: Any) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """The references of a fan-out, and why objects were refused; of references alone nothing tells the latter."""
    if not isinstance(given, Mapping):
        return {}, {}
    if isinstance(given.get(ledger.REFERENCES), Mapping):
        return given[ledger.REFERENCES], given.get(ledger.REFUSED) or {}
    return given, {}


def _noted(runs: Sequence[Any]) -> list[Any]:
    """The runs as they are kept on record: of a fan-out no more than it takes to see a change."""
    return [digest(given) if isinstance(given, Mapping) else given for given in runs]


def _outcome(run: Wanted, done: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found = done[str(run.reference)] if run.reference else outcomes.refusal(run.refused)
    plain = {name: value for name, value in found.items() if name != "object"}
    return {**plain, "object": run.object} if run.object else plain


def _next(bad: Sequence[tuple[Wanted, Mapping[str, Any]]]) -> str:
    """What to do about runs that failed: a sentence for each kind of what is among them."""
    ran = [(run, found) for run, found in bad if run.reference]
    gone = any(found[ledger.MESSAGE] == outcomes.GONE for _, found in ran)
    failed = [run for run, found in ran if found[ledger.MESSAGE] != outcomes.GONE]
    said = [AGAIN]
    if len(ran) < len(bad):
        said = ["the next `pulumi up` tries again what a fan-out was refused, and queries the others"]
    if any(not run.object for run in failed):
        said.append(
            "To fire one again, change one of its triggers; with rerun_on_failure=True `pulumi up --refresh` does it, "
            "as often as max_attempts allows"
        )
    if any(run.object for run in failed):
        said.append(
            "That of an object is fired again by `pulumi up --refresh` if its fan-out has rerun_on_failure=True, as "
            "often as max_attempts allows"
        )
    if gone:
        said.append("What its service no longer knows only a changed trigger fires again")
    return ". ".join(said)


def _problems(props: Mapping[str, Any]) -> Iterator[Problem]:
    for index, given in enumerate(props[ledger.RUNS]):
        if isinstance(given, Unknown):
            continue
        for key, text in _by_object(given)[0].items():
            yield from _reference_problems(f"runs[{index}][{key!r}]", text)
        for text in given if isinstance(given, list) else [] if isinstance(given, Mapping) else [given]:
            yield from _reference_problems(f"runs[{index}]", text)
    yield from durations.problems(props, ledger.TIMEOUT)
    yield from durations.problems(props, ledger.POLL_INTERVAL, least=1.0)
    for name, choices in _CHOICES.items():
        value = props.get(name)
        if not isinstance(value, Unknown) and value not in choices:
            yield name, f"must be {' or '.join(map(repr, choices))}, not {value!r}"


def _reference_problems(name: str, text: Any) -> Iterator[Problem]:
    if isinstance(text, Unknown):
        return
    if text is None:
        yield (
            name,
            "is missing: a stack reference gives None for an output that the other stack does not have; check the "
            "output's name, and run `pulumi up` there first",
        )
        return
    try:
        system = Reference.parse(text).system if isinstance(text, str) else ""
    except ValueError:
        system = ""
    if kind_named(system) is None:
        expected = "a run, or a reference such as the output `reference` of a run"
        yield name, f"is not {expected}: {errors.clean(str(text), 100)!r}"


def _name(props: Mapping[str, Any]) -> str:
    return ledger.name_of(str(props[ledger.URN]))
