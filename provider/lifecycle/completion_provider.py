"""Create, read, diff and update of a Completion. It asks, and never fires."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from pulumi import dynamic
from pulumi.output import Unknown

from provider import errors, waiting
from provider.lifecycle import checks, durations, outcomes, progress
from provider.lifecycle.clients import Clients
from provider.lifecycle.interrupts import Interrupted, Stop, TooLate
from provider.lifecycle.reporting import one_line
from provider.lifecycle.run_provider import RunProvider
from provider.lifecycle.values import digest, known
from provider.runs import Reference, RunStatus, Untold, rfc3339
from provider.waiting import Watch

TIMEOUT = "30m"
POLL_INTERVAL = "10s"

_REPEAT = 60.0  # seconds after which a progress line is shown again though nothing has changed: its time grows old
_LAST_LOOK = 5.0  # seconds that the look at the very end of the time may take
_CANCEL = 310.0  # seconds; EnOS waits for the end of a run that it cancels
_CHOICES = {"on_failure": ("halt", "continue"), "on_timeout": ("leave", "cancel")}
_SHOWN = 50  # runs that an error names
_AGAIN = "the next `pulumi up` looks again and fires nothing"


class Wanted(NamedTuple):
    """A run that is waited for; `reference` is None for an object of a fan-out that was `refused`, with the reason."""

    label: str
    """The run's resource and object, or its reference."""
    reference: Reference | None
    object: str = ""
    refused: str = ""


class CompletionProvider(dynamic.ResourceProvider):
    """Frozen name: the state refers to this class by module and name."""

    serialize_as_secret_always = False  # it is a reference to a class and holds nothing

    _configured: dynamic.ConfigureRequest | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        self._configured = req

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Reports every bad input at once. Pure: no network, no state."""
        return dynamic.CheckResult(news, [dynamic.CheckFailure(*problem) for problem in _problems(news)])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Other runs are waited for by an update. How to wait is of no matter once the wait is over.

        Runs that failed and were let pass are looked at again when `on_failure` becomes `halt`.
        """
        halts = bool(_olds.get("failed")) and _news.get("on_failure") == "halt"
        others = not known(_news["runs"]) or _olds["runs"] != _noted(_news["runs"])
        return dynamic.DiffResult(changes=others or halts, replaces=[])

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(_name(props), self._completed({}, props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(self._completed(_olds, _news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """What became of runs that have ended does not change. Asks nothing."""
        return dynamic.ReadResult(id_, props)

    # -- parts

    @one_line(lambda *args: f"Completion {_name(args[-1])!r}", errors.RunsError)
    def _completed(self, olds: Mapping[str, Any], props: dict[str, Any]) -> dict[str, Any]:
        """Waits. Raises RunsError if a run did not succeed, or not in time, or if the wait was interrupted."""
        wanted = list(_wanted(props))
        # A run that succeeded is not asked for again: its service may have forgotten it since.
        done = {found["reference"]: found for found in olds.get("outcomes") or () if outcomes.succeeded(found)}
        watch = Watch(run.reference for run in wanted if run.reference and str(run.reference) not in done)
        self._wait(watch, props, wanted)
        done |= {str(reference): outcomes.outcome(reference, run) for reference, run in watch.runs.items()}
        told = [_outcome(run, done) for run in wanted]
        bad = [outcomes.line(run.label, found) for run, found in _failures(wanted, told)]
        if bad and props["on_failure"] == "halt":
            raise errors.RunsError(f"{_of(bad, wanted)} did not succeed; {_next(wanted)}{_listed(bad)}")
        if bad:
            progress.warn(props["resource_urn"], f"{_of(bad, wanted)} did not succeed{_listed(bad)}")
        for one in wanted:
            run = watch.runs.get(one.reference) if one.reference else None
            if run and run.succeeded and run.status and run.status.summed and not run.status.executions:
                progress.warn(props["resource_urn"], f"{one.label} started no execution: nothing matched its input")
        return {
            **props,
            "runs": _noted(props["runs"]),
            "outcomes": told,
            "succeeded": len(told) - len(bad),
            "failed": len(bad),
            "finished_at": rfc3339(datetime.now(timezone.utc).replace(microsecond=0)),
        }

    def _wait(self, watch: Watch, props: Mapping[str, Any], wanted: Sequence[Wanted]) -> None:
        """Raises RunsError unless all runs have ended."""
        timeout = durations.seconds(props["timeout"])
        stop, clients = Stop(), Clients(self._configured)
        runs = {run.reference for run in wanted if run.reference}
        refused = sum(run.reference is None for run in wanted)
        bar = _Bar(props["resource_urn"], len(runs) - len(watch.runs), refused)
        began = time.monotonic()

        def look(place: Reference, ids: Collection[str]) -> Mapping[str, RunStatus | Untold]:
            left = began + timeout - time.monotonic()
            try:
                return stop.ask(lambda: clients.of(place).get_many(ids), max(left, _LAST_LOOK))
            except TooLate as late:
                return dict.fromkeys(ids, errors.Unavailable(str(late)))

        try:
            ended = waiting.wait(
                watch,
                look,
                timeout=timeout,
                interval=durations.seconds(props["poll_interval"]),
                clock=time.monotonic,
                sleep=stop.sleep,
                jitter=random.random,
                tell=bar.show,
            )
        except Interrupted:
            counts = bar.counts(watch)
            raise errors.RunsError(f"interrupted; {counts}. The runs go on; {_AGAIN}") from None
        if ended:
            return
        lines = []
        for one in wanted:
            run = watch.runs.get(one.reference) if one.reference else None
            if one.reference and run and not run.ended:
                cancelled = _cancel(stop, clients, one.reference) if props["on_timeout"] == "cancel" else ""
                lines.append(f"{outcomes.open_line(one.label, run)}{cancelled}")
            elif one.reference and run and not run.succeeded:
                lines.append(outcomes.line(one.label, outcomes.outcome(one.reference, run)))
            elif one.refused:
                lines.append(outcomes.line(one.label, outcomes.refusal(one.refused)))
        goes_on = "It goes on" if len(watch.open) == 1 else "They go on"
        if props["on_timeout"] == "cancel":
            goes_on = "What is not cancelled goes on"
        raise errors.RunsError(
            f"{_of(watch.open, wanted)} had not ended after {outcomes.span(timeout)}. {goes_on}; the next "
            f"`pulumi up` waits again and fires nothing{_listed(lines)}"
        )


class _Bar:
    """Progress on the Completion's own row: a line for each change, at most one a round, and one a minute if nothing
    changes. `done`: runs that a former wait has seen succeed; `refused`: objects that have none."""

    def __init__(self, urn: str, done: int, refused: int = 0) -> None:
        self._urn, self._done, self._refused, self._shown, self._shown_at = urn, done, refused, "", 0.0

    def counts(self, watch: Watch) -> str:
        succeeded, failed, running = watch.tally
        finished, failed = self._done + succeeded, failed + self._refused
        parts = [f"{finished} of {finished + failed + running} finished"]
        parts += [f"{count} {word}" for count, word in ((failed, "failed"), (running, "running")) if count]
        return ", ".join(parts)

    def show(self, watch: Watch, waited: float) -> None:
        counts, trouble = self.counts(watch), watch.trouble
        if counts + trouble != self._shown or waited - self._shown_at >= _REPEAT:
            self._shown, self._shown_at = counts + trouble, waited
            more = f"; asked again, since {trouble}" if trouble else ""
            progress.tell(self._urn, f"{counts}, {outcomes.span(waited)}{more}")


def _cancel(stop: Stop, clients: Clients, reference: Reference) -> str:
    """Asks the system to stop a run; what to say of it. Raises Interrupted."""
    place = Reference(reference.system, reference.region, reference.scope, "")
    try:
        stop.ask(lambda: clients.of(place).cancel(reference.id), _CANCEL)
    except Interrupted:
        raise
    except errors.RunsError as error:
        return f"; not cancelled: {error}"
    return "; cancelled"


def _wanted(props: Mapping[str, Any]) -> Iterator[Wanted]:
    """The runs, flat and in their order; those of a fan-out by object."""
    for given, label in zip(props["runs"], props["labels"], strict=True):
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
    if isinstance(given.get("references"), Mapping):
        return given["references"], given.get("refused") or {}
    return given, {}


def _noted(runs: Sequence[Any]) -> list[Any]:
    """The runs as they are kept on record: of a fan-out no more than it takes to see a change."""
    return [digest(given) if isinstance(given, Mapping) else given for given in runs]


def _outcome(run: Wanted, done: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found = done[str(run.reference)] if run.reference else outcomes.refusal(run.refused)
    plain = {name: value for name, value in found.items() if name != "object"}
    return {**plain, "object": run.object} if run.object else plain


def _next(wanted: Sequence[Wanted]) -> str:
    """What to do about runs that failed."""
    if not any(run.object for run in wanted):
        return (
            f"{_AGAIN}. To fire one again, change one of its triggers, or give it rerun_on_failure=True and use "
            "`pulumi up --refresh`"
        )
    return (
        "the next `pulumi up` tries again what a fan-out was refused, and looks at the others. To fire one again, "
        "change one of its triggers, or take its object out of the fan-out for one `pulumi up`"
    )


def _failures(
    wanted: Sequence[Wanted], told: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Wanted, Mapping[str, Any]]]:
    return ((run, found) for run, found in zip(wanted, told, strict=True) if not outcomes.succeeded(found))


def _problems(props: Mapping[str, Any]) -> Iterator[checks.Problem]:
    for index, given in enumerate(props["runs"]):
        if isinstance(given, Unknown):
            continue
        for key, text in _by_object(given)[0].items():
            yield from _reference_problems(f"runs[{index}][{key!r}]", text)
        for text in given if isinstance(given, list) else [] if isinstance(given, Mapping) else [given]:
            yield from _reference_problems(f"runs[{index}]", text)
    for name in ("timeout", "poll_interval"):
        yield from durations.problems(props, name)
    for name, choices in _CHOICES.items():
        value = props.get(name)
        if not isinstance(value, Unknown) and value not in choices:
            yield name, f"must be {' or '.join(map(repr, choices))}, not {value!r}"


def _reference_problems(name: str, text: Any) -> Iterator[checks.Problem]:
    if isinstance(text, Unknown):
        return
    if text is None:
        yield name, "is missing: a stack reference gives None for an output that the other stack does not have"
        return
    try:
        system = Reference.parse(text).system if isinstance(text, str) else ""
    except ValueError:
        system = ""
    if system not in RunProvider.by_system:
        expected = "a run, or a reference such as the output `reference` of a run"
        yield name, f"is not {expected}: {errors.clean(str(text), 100)!r}"


def _name(props: Mapping[str, Any]) -> str:
    return str(props["resource_urn"]).split("::", 3)[-1]


def _of(some: Sequence[Any], wanted: Sequence[Wanted]) -> str:
    return f"{len(some)} of {len(wanted)} runs" if len(wanted) != 1 else "the run"


def _listed(lines: Sequence[str]) -> str:
    more = f"\n  and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "".join(f"\n  {line}" for line in lines[:_SHOWN]) + more
