"""What the package knows of runs of EnOS flows. No Pulumi."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from cloud_runs.checks import Choice, Problem, Text, Values, Whole
from cloud_runs.enos.answers import MINUTE, may_be_in_minute, minute_of
from cloud_runs.enos.client import FlowClient, FlowRequest
from cloud_runs.enos.settings import ENOS, ORG, USER, VERSION, gateway
from cloud_runs.enos.versions import DEFAULT, VERSIONS
from cloud_runs.errors import InvalidConfiguration
from cloud_runs.kinds import Argument, Kind, Occasion, Props, own_transport
from cloud_runs.runs import Reference, RunStatus, rfc3339
from cloud_runs.wire.payloads import as_text
from cloud_runs.wire.settings import Settings

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport

_LATEST = 253_402_300_799_999  # milliseconds; the end of the year 9999
_ID = Text("an id", pattern=r"[\x21-\x7e]+", longest=200)
_TIME = Whole(
    "milliseconds since 1970, an ISO time with offset such as 2019-11-22T01:23:00Z, or a datetime", 0, _LATEST
)
_PARAMETERS = Values(
    'a mapping of names to values, for example {"REPLACE": "ddee"}',
    pattern=r"[^\x00-\x1f\x7f\ud800-\udfff]+",
    name="a parameter's name",
    flat=True,
)


_VERSION = Argument("api_version", Choice(tuple(VERSIONS)), required=False, setting=VERSION, quiet=True)


class FlowKind(Kind[FlowRequest]):
    name = "enos.flow"
    label = "FlowRun"
    vendor = ENOS
    arguments = (
        Argument("flow_id", Whole("a flow's number, for example 3377", 1), subject="workflow"),
        Argument("org_id", _ID, setting=ORG, subject="organization"),
        Argument("user_id", _ID, setting=USER),
        Argument("trigger_time", _TIME, required=False),
        Argument("parameters", _PARAMETERS, required=False),
        Argument("from_task_id", Whole("a task's number, for example 108580", 1), required=False),
        _VERSION,
    )
    own_outputs = ("flow_instance_id",)

    def problems(self, props: Props, settings: Settings) -> Iterator[Problem]:
        yield from super().problems(props, settings)
        if props.get("from_task_id") is None:
            return
        version: Any = props.get("api_version")
        with suppress(InvalidConfiguration):  # which the argument tells
            version = version or settings.value(VERSION) or DEFAULT
        if version in VERSIONS and not VERSIONS[version].from_task:
            yield "from_task_id", f"needs api_version 2.1: set the argument, {VERSION.places}"
        if props.get("parameters"):
            yield "from_task_id", "cannot be together with parameters: EnOS has no call that takes both"

    def where(self, props: Props, settings: Settings) -> Reference:
        """Every call needs an organization and a user, so a reference without them would not find its run. The user is
        in it only if it is an argument: a configured one may leave the company, and the run must still be found. So is
        the version of the API: a configured one is that of the day.
        """
        parts = [str(int(props["flow_id"])), self.given("org_id", props, settings), str(props.get("user_id") or "")]
        return self.reached(Reference(self.name, "", _scope(parts), ""), props)

    def reached(self, place: Reference, props: Props) -> Reference:
        version = props.get("api_version")
        return replace(place, scope=_scope([*_parts(place)[:3], version if isinstance(version, str) else ""]))

    def id_space(self, place: Reference) -> Hashable:
        """The organization: calls about a run take its id and no flow, and ids do not depend on the user."""
        return self.name, *place.scope.split("/")[1:2]

    def client(self, place: Reference, settings: Settings, transport: Transport | None = None) -> FlowClient:
        flow, org, user, version = _parts(place)
        return FlowClient(
            transport or own_transport(),
            settings.credentials(ENOS),
            endpoint=gateway(settings),
            org=org,
            user=user or self.given("user_id", {}, settings),
            flow=flow,
            version=version or settings.value(VERSION) or DEFAULT,
            times=settings.times(ENOS),
        )

    def request(self, props: Props, occasion: Occasion) -> FlowRequest:
        given = props.get("trigger_time")
        parameters = {
            key: as_text(value) for key, value in (props.get("parameters") or {}).items() if value is not None
        }
        flow = int(props["flow_id"])
        task = props.get("from_task_id")
        time = int(given) if given is not None else _default_time(flow, occasion)
        moves = given is None and occasion.before is None
        return FlowRequest(flow, time, parameters, int(task) if task is not None else None, moves)

    def work(self, request: FlowRequest) -> Hashable:
        return request.flow_id, minute_of(request.trigger_time)

    def marked(self, request: FlowRequest) -> bool:
        return True  # by its minute, which is the service's own key

    def mismatches(self, props: Props, status: RunStatus) -> Iterator[str]:
        flow, given = status.request.get("flow_id"), props.get("trigger_time")
        if flow is not None and flow != int(props["flow_id"]):
            yield f"its flow_id is {flow}, not the requested one"
        told = status.request.get("trigger_minute")  # without a zone
        if given is not None and told and not may_be_in_minute(told, int(given)):
            yield f"its trigger_time is {told!r}, not the requested one"

    def outputs(self, reference: Reference, request: FlowRequest | None, status: RunStatus | None) -> dict[str, Any]:
        sent = {"trigger_time": request.trigger_time} if request else {}
        return {"flow_instance_id": reference.id, **sent}

    def hindrance(self, id: str, outputs: Mapping[str, Any], props: Props) -> str:
        before, after = outputs.get("trigger_time"), props.get("trigger_time")
        if not isinstance(before, (int, float)) or not isinstance(after, (int, float)):
            return ""
        other = any(outputs.get(name) != props.get(name) for name in ("flow_id", "org_id"))
        if other or minute_of(int(before)) != minute_of(int(after)) or outputs.get("record_expired") is True:
            return ""  # a run that is gone is in no way
        return (
            f"trigger_time is still in the minute of run {id}, {_iso(after)}, and EnOS tells the runs of a flow apart "
            "by that alone. Change trigger_time too, or leave it out"
        )


def _scope(parts: Sequence[str]) -> str:
    """Flow and organization, then user and version as far as they are arguments."""
    return "/".join(quote(part, safe="") for part in parts).rstrip("/")


def _parts(place: Reference) -> list[str]:
    """The four, empty where there is none. Raises InvalidConfiguration for what is no such scope."""
    parts = [unquote(part) for part in place.scope.split("/")]
    if not 2 <= len(parts) <= 4:
        raise InvalidConfiguration("a reference to an EnOS run names its flow and its organization")
    return [*parts, "", ""][:4]


def _default_time(flow: int, occasion: Occasion) -> int:
    """The minute of the intent, which is on record before the run is fired, so that every later `up` has the same.

    The run that this resource had before may hold that minute (a change within a minute, or a forced replacement,
    which keeps the intent): then the minute after that run's. Both are on record, so this too stays the same.
    """
    if occasion.minted_at is None:
        return 0  # without an intent nothing is fired
    minute = minute_of(int(occasion.minted_at.timestamp()) * 1000)
    time = (occasion.before or {}).get("trigger_time")
    if not occasion.before or not isinstance(time, (int, float)):
        return minute
    before = minute_of(int(time))
    defaulted = "trigger_time" not in occasion.before_given
    if occasion.before.get("flow_id") == flow and (before == minute or (defaulted and before > minute)):
        return before + MINUTE
    return minute


def _iso(milliseconds: float) -> str:
    return rfc3339(datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc))


FLOW = FlowKind()
