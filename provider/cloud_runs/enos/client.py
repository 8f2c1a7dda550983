"""The calls to EnOS batch data processing, in both versions of its API: flow runs behind an API gateway.

Sources: https://support.enos-iot.com/docs/batch-processing-api/en/3.0.0/v2.0/ and .../v2.1/ `trigger_flow.html`,
`update_and_trigger_flow.html`, `trigger_flow_from_task.html`, `get_flow_instance.html`, `list_flow_instances.html`,
`cancel_flow_instance.html`, `get_task_instance.html`. The vendor's SDK is not used: it turns TLS verification off for
the whole process, and loses the answer of a POST when its token has expired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property, partial
from typing import Any

from cloud_runs.enos import answers as reading
from cloud_runs.enos.codes import Failure
from cloud_runs.enos.lists import ALWAYS, TYPES, Lists
from cloud_runs.errors import (
    InvalidConfiguration,
    NotFound,
    NotReached,
    Occupied,
    Refused,
    RunsError,
    Unavailable,
    clean,
)
from cloud_runs.limits import Leave, Limit
from cloud_runs.runs import Candidate, Found, Phase, RunApi, RunStatus, Started, Untold, Workflow, rfc3339
from cloud_runs.wire.calls import ASK_SECONDS, LOOK_SECONDS
from cloud_runs.wire.looks import listed, together
from cloud_runs.wire.pauses import nap
from cloud_runs.wire.payloads import usable_id

MOVES = 60  # minutes in a row that replacements of one intent may have come to
CANCEL_SECONDS = 300.0  # how long a cancelled run is waited for
TASKS = 20  # of one run that are asked for, one by one
CANCEL_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between two looks at it; the last one for ever


@dataclass(frozen=True)
class FlowRequest:
    """`trigger_time` is in milliseconds since 1970. With `parameters` the call is `updateAndTrigger`: they hold for
    this run, and the stored flow stays as it is. With `from_task_id` it is `triggerFromTask`: the run begins with that
    task, and takes no parameters. `moves`: a run that replaced one of this minute, of which nothing is known here, has
    the minute after it; so a look takes these minutes in, too."""

    flow_id: int
    trigger_time: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    from_task_id: int | None = None
    moves: bool = False


class MinuteTaken(Occupied):
    """A run of the flow has this trigger minute already, so nothing was sent. The text names the run."""

    def __init__(self, flow_id: int, trigger_time: int, first: str) -> None:
        minute = rfc3339(datetime.fromtimestamp(reading.minute_of(trigger_time) / 1000, timezone.utc))
        super().__init__(
            f"nothing was fired: run {first} of flow {flow_id} has the trigger minute {minute} already, and EnOS tells "
            "the runs of a flow apart by that alone. Give a trigger_time in another minute, or leave it out and change "
            f"a trigger a minute later; to record run {first} instead, set adopt_id to it",
            by=first,
        )


class FlowClient(Lists, RunApi[FlowRequest]):
    """Runs of flows that belong to one organization, asked for by one user."""

    @cached_property
    def _kinds(self) -> set[int]:
        """Types that a look has shown our runs to have."""
        return set()

    def start(self, request: FlowRequest, leave: Leave) -> Started:
        """Looks first for a run of the flow with this trigger minute; raises MinuteTaken, which names it, and
        NotReached if that cannot be told. Then it gets its token, and then it asks for its leave.
        """
        self._asked(request)  # what cannot be sent is refused before anything is asked
        first = self._session.fired.get(self._minute(request)) or self._look(request, leave.limit(ASK_SECONDS))
        if first:
            raise MinuteTaken(request.flow_id, request.trigger_time, first)
        begun = self._begin("/flows", *self._asked(request), leave)
        self._session.fired[self._minute(request)] = begun.id
        return Started(begun.id, begun.at)

    def _asked(self, request: FlowRequest) -> tuple[str, dict[str, Any]]:
        """Action and body of a start. Raises InvalidConfiguration."""
        body: dict[str, Any] = {"flowId": request.flow_id, "triggerTime": request.trigger_time}
        if request.from_task_id is not None:
            if not self._version.from_task or request.parameters:
                raise InvalidConfiguration("from_task_id needs version 2.1 of the EnOS API, and takes no parameters")
            return "triggerFromTask", body | {"taskId": request.from_task_id}
        if request.parameters:
            pairs = [{"key": key, "value": value} for key, value in sorted(request.parameters.items())]
            return "updateAndTrigger", body | {"parameters": pairs}
        return "trigger", body

    def _minute(self, request: FlowRequest) -> tuple[str, int, int]:
        return self._org, request.flow_id, reading.minute_of(request.trigger_time)

    def find(self, request: FlowRequest, since: datetime, limit: Limit) -> Found:
        """Runs of this flow with this trigger minute. The minute is EnOS's own key, so each of them is proof.

        The service tells no zone, so when a run began is not known; one that is older in every zone is left out.
        """
        rows, server_time = self._in_minute(request, limit)
        own, last = set(rows), rows
        for later in range(1, MOVES if request.moves else 1):
            if not last:
                break
            following = replace(request, trigger_time=request.trigger_time + later * reading.MINUTE)
            last, _ = self._in_minute(following, limit)
            rows = rows | last
        latest = {id: reading.latest_creation(row) for id, row in rows.items()}
        found = tuple(
            Candidate(id, None, proof=id in own, phase=reading.instance_status(id, rows[id]).phase)
            for id, at in latest.items()
            if at is None or at >= since
        )
        return Found(found, server_time)

    def get(self, id: str, limit: Limit | None = None) -> RunStatus:
        """`GET /flowInstances?action=get`. No page says how an unknown run is told, so the list has the last word."""
        _sendable(id)
        limit = limit or Limit(ASK_SECONDS)
        what = "GET /flowInstances?action=get"
        told: Any = None
        unknown = Failure(200, "", "")
        try:
            told = self._ask("GET", "/flowInstances", "get", [("flowInstId", id)], limit)[0]
        except Refused as refused:
            if refused.code != "62102":
                raise
            unknown = Failure(refused.status, refused.code, refused.message)
        instance = reading.mapping(told)
        if told and instance.get("instanceId") != id:
            raise Unavailable(f"EnOS gave an answer to {what} that is not about run {clean(id, 100)}")
        instance = instance or self._search(id, ALWAYS, limit)[0].get(id, {})
        if not instance:
            raise self._context.refusal(f"EnOS does not know run {clean(id, 100)} ({what})", unknown, NotFound)
        status = self._status(id, instance)
        if self._version.tasks and status.phase in (Phase.FAILED, Phase.CANCELLED):
            return self._with_tasks(status, reading.troubled(instance), limit)
        return status

    def _with_tasks(self, status: RunStatus, troubled: Mapping[int, str], limit: Limit) -> RunStatus:
        """With what is told of the tasks that did not succeed, as far as it is: an EnOS before 2.3 has no such call."""

        def told(id: str) -> Mapping[str, Any]:
            query = [("taskInstId", id)]
            data = reading.mapping(self._ask("GET", "/taskInstances", "get", query, limit)[0])
            return data if data.get("instanceId") == id else {}

        asked = dict(list(troubled.items())[:TASKS])
        tasks = list(status.tasks)
        try:
            found = together(told, asked.values(), limit)
        except Refused:
            return status
        for at, id in asked.items():
            if isinstance(detail := found[id], Mapping) and detail:
                tasks[at] = reading.detailed(tasks[at], detail)
        return self._context.mask.status(replace(status, tasks=tuple(tasks)))

    def get_many(self, ids: Collection[str], limit: Limit | None = None) -> Mapping[str, RunStatus | Untold]:
        """The list needs a type, and no page says which a triggered run has: the first look that shows one tells."""
        limit = limit or Limit(LOOK_SECONDS)
        told: dict[str, RunStatus | Untold] = {}
        flows: dict[int, list[str]] = {}
        for id in ids:
            if (flow := reading.flow_of({"instanceId": id})) is not None:
                flows.setdefault(flow, []).append(id)
        kinds, wanted = tuple(self._kinds or TYPES), set(ids)
        flows = {flow: own for flow, own in flows.items() if len(own) > len(kinds)}
        for kind in kinds:

            def going(flow: int, kind: int = kind) -> Iterator[Mapping[str, RunStatus]]:
                for rows in self._going(flow, kind, limit):
                    if wanted & rows.keys():
                        self._kinds.add(kind)
                    yield {id: self._status(id, row) for id, row in rows.items()}

            left = {flow: [id for id in own if id not in told] for flow, own in flows.items()}
            listed({flow: own for flow, own in left.items() if own}, going, told, limit)
        return told | together(partial(self.get, limit=limit), [id for id in ids if id not in told], limit)

    def cancel(self, id: str, limit: Limit | None = None) -> None:
        """`POST /flowInstances?action=cancel`, then waits until the run has ended.

        A run that has ended before, or that is not known, is no error and nothing is sent for it: no page says what the
        service would do. Raises RunsError if the run still goes on after CANCEL_SECONDS.
        """
        limit = limit or Limit(CANCEL_SECONDS + ASK_SECONDS)
        if self._ended(id, limit):
            return
        try:
            self._ask("POST", "/flowInstances", "cancel", [], limit, {"flowInstId": id})
        except Refused:
            if not self._ended(id, limit):  # it may have ended in between
                raise
            return
        deadline, waits = self._clock() + CANCEL_SECONDS, 0
        while not self._ended(id, limit):
            pause = CANCEL_PAUSES[min(waits, len(CANCEL_PAUSES) - 1)]
            if self._clock() + pause > deadline:
                raise RunsError(
                    f"EnOS accepted to cancel run {clean(id, 100)}, but it still goes on after {CANCEL_SECONDS:.0f} s. "
                    "Look at it in the console and destroy again, or set on_delete='abandon'"
                )
            nap(pause, limit, self._sleep)
            waits += 1

    def workflows(self, request: FlowRequest, limit: Limit | None = None) -> tuple[Workflow, ...]:
        """`GET /flows?action=get`. No page says how an unknown flow is told, so it is read as an unknown run is."""
        told: Any = None
        try:
            told = self._ask("GET", "/flows", "get", [("flowId", str(request.flow_id))], limit or Limit(ASK_SECONDS))[0]
        except Refused as refused:
            if refused.code != "62102":
                raise
        flow = reading.mapping(told)
        if flow and reading.flow_of(flow) != request.flow_id:
            raise Unavailable("EnOS gave an answer to GET /flows?action=get that is not about that flow")
        return (self._context.mask.workflow(reading.workflow(request.flow_id, flow)),)

    def _ended(self, id: str, limit: Limit) -> bool:
        try:
            return self.get(id, limit).phase.terminal
        except NotFound:
            return True

    def _status(self, id: str, instance: Mapping[str, Any]) -> RunStatus:
        return self._context.mask.status(reading.instance_status(id, instance))

    def _look(self, request: FlowRequest, limit: Limit) -> str | None:
        """The run that has the trigger minute, or None. Whatever keeps it from being told, nothing was sent."""
        try:
            rows, _ = self._in_minute(request, limit)
        except Refused:
            raise
        except RunsError as error:
            raise NotReached(
                f"nothing was fired: EnOS could not be queried for other runs in the trigger minute. {error}"
            ) from error
        return next(iter(rows), None)

    def _in_minute(self, request: FlowRequest, limit: Limit) -> tuple[dict[str, Mapping[str, Any]], datetime | None]:
        """The runs of the flow in the trigger minute, by id, and the server's time."""
        minute = reading.minute_of(request.trigger_time)
        listed, server_time = self._search(str(request.flow_id), (minute, minute + reading.MINUTE), limit)
        rows = {}
        for id, row in listed.items():
            flow = reading.flow_of(row)
            if flow is None:
                raise Unavailable(
                    "EnOS listed a run without its flow in its answer to POST /flowInstances?action=search"
                )
            if flow == request.flow_id and reading.may_be_in_minute(row.get("triggerTime"), request.trigger_time):
                rows[id] = row
        return rows, server_time


def _sendable(id: str) -> None:
    """Ids are opaque, and come from states and users too."""
    if not usable_id(id):
        raise InvalidConfiguration(f"{clean(id, 100)!r} cannot be the id of a run")
