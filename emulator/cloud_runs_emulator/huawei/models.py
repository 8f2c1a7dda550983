"""What OBS keeps of workflows: their executions.

States: from RUNNING to SUCCESS; all others come only by an admin call. A failed execution can be resumed under its own
name. There is no call that stops one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cloud_runs_emulator.huawei.formats import new_execution_name
from cloud_runs_emulator.runs import Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Manner, Refused, Request

WORKFLOW = "huawei.workflow"
API_CALL = "APICALL"
TYPES = (API_CALL, "TRIGGERCAL")
"""How an execution came about; the second is the vendor's spelling. The emulator has no triggers, so none of those."""

FAILURES = frozenset({"FAILED", "FAIL"})
TERMINAL = FAILURES | {"SUCCESS", "TIMEOUT", "CANCEL", "CANCELLED"}
"""SUCCESS and FAILED are in the SDK guide; the others are words of the engine underneath (FunctionGraph flows)."""

_ENDLESS = "~endless~"

_BOTH_CASES = TERMINAL | {word.lower() for word in TERMINAL}


@dataclass(slots=True, kw_only=True, eq=False)
class Execution(Run):
    """One execution of a workflow (`graph`) in a region. `input` is the JSON text of what it was started with."""

    region: str
    graph: str
    input: str

    @property
    def marker(self) -> str:
        """Its place in a list: its type immediately followed by its name."""
        return API_CALL + self.id


@dataclass(frozen=True, slots=True)
class Query:
    """One list request. An empty `type` filters nothing; the page begins after `marker`."""

    graph: str
    type: str
    marker: str
    limit: int


def endless_marker(query: Query, runs: list[Execution]) -> str:
    """A marker that is new each time and comes after this page, though nothing may follow."""
    last = runs[-1].marker if runs else query.marker.partition(_ENDLESS)[0] or API_CALL
    return f"{last}{_ENDLESS}{secrets.token_hex(8)}"


class Backend:
    """All executions of all regions. A workflow need not have been defined before it is started."""

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._settings = settings
        self._store = store

    def start(self, region: str, graph: str, text: str, request: Request, manner: Manner) -> Execution:
        """Start a workflow. Each call is another execution: the start request has nothing to tell repeats by."""
        run = Execution(
            system=WORKFLOW,
            id=manner.run_id or new_execution_name(),
            origin=manner.origin,
            request=request,
            started_at=self._settings.clock(),
            timeline=((0.0, "RUNNING"), (self._settings.run_seconds, "SUCCESS")),
            terminal=_BOTH_CASES,
            region=region,
            graph=graph,
            input=text,
        )
        self._store.add(run, [(WORKFLOW, region, graph)])
        return run

    def execution(self, region: str, graph: str, name: str) -> Execution:
        """The execution with that name. Raises `Refused`; the reference has no code, this one is made up."""
        run = self._store.get(WORKFLOW, name)
        if not isinstance(run, Execution) or (run.region, run.graph) != (region, graph):
            message = f"The workflow {graph} has no execution {name}"
            raise Refused(404, "WorkflowExecutionNotFound", message)
        return run

    def page(self, region: str, query: Query) -> tuple[list[Execution], str]:
        """A page in the order of markers, not of time, and the marker by which to go on; empty if nothing follows."""
        visible_until = self._settings.clock() - self._settings.list_lag
        runs = sorted(
            (
                run
                for run in self._store.under((WORKFLOW, region, query.graph))
                if isinstance(run, Execution)
                and query.type in ("", API_CALL)
                and run.marker > query.marker
                and run.started_at <= visible_until
            ),
            key=lambda run: run.marker,
        )
        page = runs[: query.limit]
        return page, page[-1].marker if len(runs) > query.limit else ""

    def resume(self, region: str, graph: str, name: str) -> Execution:
        """Let a failed execution go on: it is RUNNING again for the time that a run takes, under the same name.

        Raises `Refused` if it has not failed; the reference requires that and has no code of its own for it.
        """
        run = self.execution(region, graph, name)
        now = self._settings.clock()
        state = run.state(now)
        if state.upper() not in FAILURES:
            message = f"Only a failed execution can be restored; {name} is in state {state}"
            raise Refused(400, "SYS.0010", message)
        run.forced = None
        run.timeline = ((0.0, "RUNNING"), (now - run.started_at + self._settings.run_seconds, "SUCCESS"))
        return run
