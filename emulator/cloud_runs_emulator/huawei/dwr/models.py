"""What DWR keeps of workflows: their executions.

States: from running to success; all others come only by an admin call. A failed execution can be resumed under its own
name. There is no call that stops one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cloud_runs_emulator.runs import Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Manner, Refused, Request

WORKFLOW = "huawei.dwr"
FAILURES = frozenset({"fail", "timeout"})
TERMINAL = FAILURES | {"success", "cancel"}


@dataclass(frozen=True, slots=True)
class Place:
    """A project in a region. Each project whose id is well formed exists, and knows no runs of another."""

    region: str
    project: str


@dataclass(slots=True, kw_only=True, eq=False)
class Execution(Run):
    """One execution of a workflow (`graph`). `input` is what it was started with."""

    place: Place
    graph: str
    input: dict[str, object]


@dataclass(frozen=True, slots=True)
class Query:
    """One list request: the time in Unix seconds, both ends of it included; an empty `status` filters nothing. The page
    begins at record number `offset`, from 1."""

    graph: str
    status: str
    begin: float
    end: float
    limit: int
    offset: int


class Backend:
    """All executions of all places. A workflow need not have been defined before it is started."""

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._settings = settings
        self._store = store

    def start(self, place: Place, graph: str, given: dict[str, object], request: Request, manner: Manner) -> Execution:
        """Start a workflow. Each call is another execution: the start request has nothing to tell repeats by."""
        run = Execution(
            system=WORKFLOW,
            id=manner.run_id or secrets.token_hex(16),
            origin=manner.origin,
            request=request,
            started_at=self._settings.clock(),
            timeline=((0.0, "running"), (self._settings.run_seconds, "success")),
            terminal=TERMINAL,
            place=place,
            graph=graph,
            input=given,
        )
        self._store.add(run, [(WORKFLOW, place.region, place.project, graph)])
        return run

    def execution(self, place: Place, graph: str, name: str) -> Execution:
        """The execution with that name. Raises `Refused`; no code for it is known, this one is made up."""
        run = self._store.get(WORKFLOW, name)
        if not isinstance(run, Execution) or (run.place, run.graph) != (place, graph):
            raise Refused(404, "WorkflowExecutionNotFound", f"The workflow {graph} has no execution {name}")
        return run

    def page(self, place: Place, query: Query) -> tuple[list[Execution], bool]:
        """A page, the newest first, and whether more follow."""
        now = self._settings.clock()
        until = min(query.end + 1, now - self._settings.list_lag)  # the end is told in whole seconds
        runs = [
            run
            for run in reversed(self._store.under((WORKFLOW, place.region, place.project, query.graph)))
            if isinstance(run, Execution)
            and query.begin <= run.started_at <= until
            and query.status in ("", run.state(now))
        ]
        first = query.offset - 1
        return runs[first : first + query.limit], len(runs) > first + query.limit

    def resume(self, place: Place, graph: str, name: str) -> Execution:
        """Let a failed execution go on: it is running again for the time that a run takes, under the same name.

        Raises `Refused` if it has not failed; the reference requires that and has no code of its own for it.
        """
        run = self.execution(place, graph, name)
        now = self._settings.clock()
        state = run.state(now)
        if state.lower() not in FAILURES | {"failed"}:
            raise Refused(400, "SYS.0010", f"Only a failed execution can be restored; {name} is in state {state}")
        run.forced = None
        run.timeline = ((0.0, "running"), (now - run.started_at + self._settings.run_seconds, "success"))
        return run
