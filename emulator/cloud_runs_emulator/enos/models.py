"""What EnOS keeps of flows: their instances, of which one a flow runs at any time.

States: an instance is INIT until its trigger time, WAIT while another of its flow runs, then RUNNING, then SUCCESS. All
others come only by an admin call, CANCEL by that or by a cancel request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cloud_runs_emulator.enos.formats import instance_id
from cloud_runs_emulator.enos.signing import refused
from cloud_runs_emulator.runs import Forced, Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Manner, Request

FLOW = "enos.flow"

STATES = {
    "FAIL": -1,
    "INIT": 0,
    "SUCCESS": 1,
    "RUNNING": 2,
    "SUSPEND": 3,
    "INTERNAL_ERROR": 4,
    "WAIT": 5,
    "READY": 6,
    "TIMEOUT": 7,
    "CANCEL": 8,
    "RERUN": 9,
    "SKIP": 10,
}
"""All states with their numbers: the page list_flow_instances (zh_CN, v2.1)."""

UNKNOWN_STATE = 99
"""The number of a forced state that is none of the vendor's."""

TERMINAL = frozenset({"FAIL", "SUCCESS", "INTERNAL_ERROR", "TIMEOUT", "CANCEL", "SKIP"})

MANUAL, PERIODIC, TEMPORARY = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by the two parameters that each request has."""

    user: str
    org: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a checked start asks for. `parameters` is JSON text, `type` one of the three types of instances, `task` the
    number of the task that it is to begin with."""

    flow_id: int
    trigger_ms: int
    type: int
    parameters: str
    task: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class FlowInstance(Run):
    """One instance of a flow. `due` is when it may begin, in Unix seconds."""

    flow: Flow
    trigger: Trigger
    owner: Caller
    due: float
    seconds: float

    def state(self, now: float) -> str:
        """The state word. A look lets the flow go on; `entered` and `ended_at` hold for the last look."""
        self.flow.advance(now)
        return Run.state(self, now)

    def begin(self, moment: float) -> None:
        """Fix when it began to run, in Unix seconds."""
        offset = moment - self.started_at
        self.timeline = (*self.timeline, (offset, "RUNNING"), (offset + self.seconds, "SUCCESS"))


@dataclass(slots=True, eq=False)
class Flow:
    """The instances of a flow that have not yet begun, and the one that did so last. A flow is of one organisation."""

    org: str
    waiting: list[FlowInstance] = field(default_factory=list)
    last: FlowInstance | None = None

    def advance(self, now: float) -> None:
        """Let waiting instances begin, in the order of their times, each when the one before has ended."""
        while True:
            # One whose state was set while it waited (a cancelled one, say) does not get a turn.
            self.waiting = [run for run in self.waiting if run.forced is None]
            if not self.waiting:
                return
            first = min(self.waiting, key=lambda run: (run.due, run.serial))
            moment = first.due
            if self.last is not None:
                ended = self.last.ended_at(now)
                if ended is None:
                    return
                moment = max(moment, ended)
            if moment > now:
                return
            first.begin(moment)
            self.waiting.remove(first)
            self.last = first


@dataclass(frozen=True, slots=True)
class Query:
    """One list request. The time range is half open, in milliseconds; an empty `states` or text filters nothing."""

    type: int
    expression: str
    owner: str
    from_ms: int
    to_ms: int
    states: frozenset[int]
    page: int
    size: int
    sorters: tuple[tuple[str, bool], ...]


def flow_name(flow_id: int) -> str:
    """The name of a flow; any id has one."""
    return f"emulated_{flow_id}"


TASK = "emulated"
"""The name of the one task that each flow has."""


def task_id(flow_id: int) -> int:
    """The number of a flow's task."""
    return flow_id * 10 + 1


def task_instance_id(run: FlowInstance) -> str:
    """The id of the task's instance: the task's number and the digits of the flow's instance, as in the samples."""
    return f"{task_id(run.trigger.flow_id)}-{run.id.partition('-')[2]}"


def endless_count(query: Query) -> int:
    """A count by which another page follows the one that is asked for."""
    return (query.page + 2) * query.size


def number(state: str) -> int:
    """The number of a state word."""
    return STATES.get(state, UNKNOWN_STATE)


_SORT_KEYS: dict[str, Callable[[FlowInstance, float], float]] = {
    "createTime": lambda run, now: run.started_at,
    "updateTime": lambda run, now: run.ended_at(now) or run.entered("RUNNING", now) or run.started_at,
    "startTime": lambda run, now: run.entered("RUNNING", now) or float("inf"),
    "triggerTime": lambda run, now: run.trigger.trigger_ms,
    "endTime": lambda run, now: run.ended_at(now) or float("inf"),
}
SORT_FIELDS = frozenset(_SORT_KEYS)


def _sort_key(name: str, now: float) -> Callable[[FlowInstance], float]:
    value = _SORT_KEYS[name]
    return lambda run: value(run, now)


class Backend:
    """All flows and their instances. A flow need not have been made known before: it is its first caller's."""

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._settings = settings
        self._store = store
        self._flows: dict[int, Flow] = {}

    def clear(self) -> None:
        """Forget all flows."""
        self._flows.clear()

    def start(self, caller: Caller, trigger: Trigger, request: Request, manner: Manner) -> FlowInstance:
        """Trigger a flow.

        What a second trigger in the same minute does is documented for that of a task alone, which is refused (62102).
        Others would have the same id, so they are answered with the instance that is there, whatever its state, and
        make none.
        """
        if trigger.task not in (None, task_id(trigger.flow_id)):
            raise refused("62102", f"Cannot create workflow instance: no task {trigger.task} in flow {trigger.flow_id}")
        flow = self._flows.setdefault(trigger.flow_id, Flow(caller.org))
        if flow.org != caller.org:
            raise refused("62103", f"no privilege on flow {trigger.flow_id}")
        run_id = instance_id(trigger.flow_id, trigger.trigger_ms)
        # By index and not by id, since an odd id may have been ordered for it.
        for present in self._store.under((FLOW, "minute", run_id)):
            if trigger.task is not None:
                again = "do not trigger the same workflow repeatedly in 1 minute"
                raise refused("62102", f"Cannot create workflow instance. Please {again}.")
            if isinstance(present, FlowInstance):
                return present
        now = self._settings.clock()
        # A trigger time in the past starts the flow at once, and stays its business time.
        due = max(now, trigger.trigger_ms / 1000)
        run = FlowInstance(
            system=FLOW,
            id=manner.run_id or run_id,
            origin=manner.origin,
            request=request,
            started_at=now,
            timeline=((0.0, "INIT"), (due - now, "WAIT")),
            terminal=TERMINAL,
            flow=flow,
            trigger=trigger,
            owner=caller,
            due=due,
            seconds=self._settings.run_seconds,
        )
        self._store.add(run, [(FLOW, caller.org), (FLOW, "minute", run_id)])
        flow.waiting.append(run)
        flow.advance(now)
        return run

    def instance(self, caller: Caller, run_id: str) -> FlowInstance:
        """The instance with that id. Which code an unknown one gets is not documented; 62102 is one of its meanings."""
        run = self._store.get(FLOW, run_id)
        if not isinstance(run, FlowInstance) or run.owner.org != caller.org:
            raise refused("62102", f"flow instance not found: {run_id}")
        return run

    def task(self, caller: Caller, task_instance: str) -> FlowInstance:
        """The instance that the task's instance with that id is of."""
        for run in self._store.under((FLOW, caller.org)):
            if isinstance(run, FlowInstance) and task_instance_id(run) == task_instance:
                return run
        raise refused("62102", f"invalid task instance: {task_instance}")

    def cancel(self, caller: Caller, run_id: str) -> FlowInstance:
        """Cancel an instance, at once, whether it waits or runs; one that has ended stays as it is.

        Only its owner may. The rest is not documented.
        """
        run = self.instance(caller, run_id)
        if run.owner.user != caller.user:
            raise refused("62103", f"no privilege: {caller.user} is not the owner of {run_id}")
        now = self._settings.clock()
        if run.state(now) not in TERMINAL:
            run.forced = Forced("CANCEL", now)
        return run

    def page(self, caller: Caller, query: Query) -> tuple[list[FlowInstance], int]:
        """A page of the organisation's instances, newest first unless sorted, and how many there are on all pages."""
        now = self._settings.clock()
        visible_until = now - self._settings.list_lag
        runs = [
            run
            for run in reversed(self._store.under((FLOW, caller.org)))
            if isinstance(run, FlowInstance)
            and run.started_at <= visible_until
            and run.trigger.type == query.type
            and query.owner in ("", run.owner.user)
            and query.from_ms <= run.trigger.trigger_ms < query.to_ms
            and (query.expression in run.id or query.expression in flow_name(run.trigger.flow_id))
            and (number(run.state(now)) in query.states or not query.states)
        ]
        # Sorting is stable, so the first sorter comes last.
        for name, descending in reversed(query.sorters):
            runs.sort(key=_sort_key(name, now), reverse=descending)
        first = query.page * query.size
        return runs[first : first + query.size], len(runs)
