"""`enos.FlowRun`: triggers a flow of EnOS batch data processing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pulumi

from cloud_runs.checks import Text, Values, Whole, moment
from cloud_runs.enos.answers import MINUTE, may_be_in_minute, minute_of
from cloud_runs.enos.client import FlowClient, FlowRequest
from cloud_runs.enos.settings import ENOS, ORG, USER, gateway
from cloud_runs.errors import InvalidConfiguration
from cloud_runs.kinds import Argument, Kind, Occasion, Props, own_transport
from cloud_runs.lifecycle.run import IfRunning, OnDelete, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.runs import Reference, RunStatus, rfc3339
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
    )
    own_outputs = ("flow_instance_id",)

    def where(self, props: Props, settings: Settings) -> Reference:
        """Every call needs an organization and a user, so a reference without them would not find its run. The user is
        in it only if it is an argument: a configured one may leave the company, and the run must still be found.
        """
        parts = [str(int(props["flow_id"])), self.given("org_id", props, settings)]
        parts += [str(props["user_id"])] if props.get("user_id") else []
        return Reference(self.name, "", "/".join(quote(part, safe="") for part in parts), "")

    def id_space(self, place: Reference) -> Hashable:
        return self.name, *place.scope.split("/")[:2]  # flow and organization; ids do not depend on the user

    def client(self, place: Reference, settings: Settings, transport: Transport | None = None) -> FlowClient:
        parts = [unquote(part) for part in place.scope.split("/")]
        if len(parts) not in (2, 3):
            raise InvalidConfiguration("a reference to an EnOS run names its flow and its organization")
        flow, org, *user = parts
        return FlowClient(
            transport or own_transport(),
            settings.credentials(ENOS),
            endpoint=gateway(settings),
            org=org,
            user=user[0] if user else self.given("user_id", {}, settings),
            flow=flow,
            times=settings.times(ENOS),
        )

    def request(self, props: Props, occasion: Occasion) -> FlowRequest:
        given = props.get("trigger_time")
        parameters = {key: _wire(value) for key, value in (props.get("parameters") or {}).items() if value is not None}
        flow = int(props["flow_id"])
        time = int(given) if given is not None else _default_time(flow, occasion)
        return FlowRequest(flow, time, parameters, moves=given is None and occasion.before is None)

    def work(self, request: FlowRequest) -> Hashable:
        return request.flow_id, minute_of(request.trigger_time)

    def marked(self, request: FlowRequest) -> bool:
        return True  # by its minute, which is the service's own key

    def mismatches(self, props: Props, status: RunStatus) -> Iterator[str]:
        flow, given = status.request.get("flow_id"), props.get("trigger_time")
        if flow is not None and flow != int(props["flow_id"]):
            yield f"its flow_id is {flow}, not {int(props['flow_id'])}"
        told = status.request.get("trigger_minute")  # without a zone
        if given is not None and told and not may_be_in_minute(told, int(given)):
            yield f"its trigger_time is {told!r}, not {_iso(given)}"

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


FLOW = FlowKind()


class FlowRunProvider(RunProvider[FlowRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = FLOW


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


def _wire(value: Any) -> str:
    """A parameter's value as text, which is what the vendor's sample sends."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():  # the engine hands whole numbers over as floats
        return str(int(value))
    return str(value)


def _milliseconds(value: Any) -> Any:
    """A time as milliseconds since 1970, so that its spelling never matters; what is no time, for `check` to refuse.

    Raises ValueError for a datetime without zone.
    """
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("trigger_time is a datetime without a time zone: give it one, for example tzinfo=timezone.utc")
    at = value if isinstance(value, datetime) else moment(value)
    if at is None:
        return value
    since = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _iso(milliseconds: float) -> str:
    return rfc3339(datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc))


class FlowRun(Run, module="enos", name="FlowRun"):
    """One run (instance) of an EnOS flow; `POST /dataflow-batch-service/v2.0/flows?action=trigger`
    (https://support.enos-iot.com/docs/batch-processing-api/en/3.0.0/v2.0/trigger_flow.html).

    Fired once for each time it is asked for; `flow_instance_id` is its id. The resource returns at once. EnOS runs one
    instance of a flow at a time; a further one waits for its turn.

    EnOS tells the runs of one flow apart by the minute of their trigger time. So a run whose flow has another run in
    that minute is an error that names the other one, and nothing is sent.

    EnOS tells times without a zone, so `created_at`, `started_at` and `finished_at` stay empty; and no `request_id`.

    Never:

    - It never creates, changes, enables or deletes a flow, and never resumes a run.
    - It never cancels a run unless `on_delete="cancel"` says so.
    """

    _run_provider = FlowRunProvider

    flow_instance_id: pulumi.Output[str]
    """The id of the instance (`flowInstanceId`), for example `2430-20190718075000`."""
    flow_id: pulumi.Output[int]
    org_id: pulumi.Output[str | None]
    user_id: pulumi.Output[str | None]
    trigger_time: pulumi.Output[int]
    """Milliseconds since 1970, as they were sent. None for a run that was adopted without it: EnOS tells no zone."""
    parameters: pulumi.Output[dict[str, Any] | None]

    def __init__(
        self,
        resource_name: str,
        *,
        flow_id: pulumi.Input[int],
        org_id: pulumi.Input[str] | None = None,
        user_id: pulumi.Input[str] | None = None,
        trigger_time: pulumi.Input[int | str | datetime] | None = None,
        parameters: pulumi.Input[Mapping[str, pulumi.Input[str | int | float | bool]]] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        if_running: pulumi.Input[IfRunning] | None = None,
        max_attempts: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param flow_id: The flow's number. The user must own the flow, and neither may be locked. Changing it fires a
            new run.
        :param org_id: The organization; without it, configuration `enos:orgId`, then `ENOS_ORG_ID`. Changing the
            argument fires a new run; changing the configuration does not.
        :param user_id: The user who asks; without it, configuration `enos:userId`, then `ENOS_USER_ID`. Changing the
            argument fires a new run; changing the configuration does not.
        :param trigger_time: The business time that the flow's time parameters are computed from: milliseconds since
            1970, an ISO time with offset (`2019-11-22T01:23:00Z`) or a `datetime` with time zone; sent unchanged.
            A time that has passed runs at once, one to come is waited for by EnOS. Without it: the minute in which this
            run was first asked for, so that a retry days later keeps that business time. (If the run that is replaced
            has that minute, as after `pulumi up --replace`, the minute after it.) Changing it fires a new run; another
            spelling of the same time does not.
        :param parameters: Parameters of the flow for this run alone (`action=updateAndTrigger`), names with texts,
            numbers or truth values, which are sent as text. The stored flow stays as it is. Changing one fires.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not. Together with a `trigger_time` that stays
            in the same minute it is an error, and the run on record stays.
        :param adopt_id: Records this run instead of firing one. Never fires.
        :param on_delete: `"abandon"` (default): deleting the resource leaves the run alone. `"cancel"`: it asks EnOS to
            cancel a run that is still going, and waits up to 5 minutes until the run has ended; a run that has ended or
            that EnOS no longer knows is no error. Changing it never fires.
        :param rerun_on_failure: Fires again, once, when the recorded phase is `failed`. The phase is recorded by a
            refresh, so use `pulumi up --refresh`. Changing it fires nothing unless the recorded phase is `failed`.
            Has no effect together with `adopt_id`, and is an error together with a `trigger_time` that stays.
        :param if_running: What is done when a new run is wanted while the recorded one goes on: `"allow"` (default)
            fires all the same; `"wait"` holds the update until it has ended, then fires; `"skip"` keeps it with a
            warning, fires nothing, and the next `pulumi up` tries again; `"forbid"` fails the update, nothing fired or
            lost (a forced replacement, which cannot fail any more, is skipped). Changing it never fires.
        :param max_attempts: How often at most `rerun_on_failure` fires for one ask, the first time included, 1 to 1000;
            then the update fails, with nothing fired. Without it, once for each `pulumi up`. Changing it never fires.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `custom_timeouts`.
        :raises ValueError: `trigger_time` is a `datetime` without time zone.
        """
        convert: Callable[[Any], Any] = _milliseconds
        later: Any = trigger_time
        self._register(
            resource_name,
            {
                "flow_id": flow_id,
                "org_id": org_id,
                "user_id": user_id,
                "trigger_time": later.apply(convert) if isinstance(later, pulumi.Output) else convert(later),
                "parameters": parameters,
            },
            Steering(triggers, adopt_id, on_delete, rerun_on_failure, if_running, max_attempts),
            opts,
        )

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],
        *,
        flow_id: pulumi.Input[int],
        org_id: pulumi.Input[str] | None = None,
        user_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> FlowRun:
        """Reads a run that exists. Manages nothing: makes no intent, fires nothing and destroys nothing."""
        return cls._existing(resource_name, id, {"flow_id": flow_id, "org_id": org_id, "user_id": user_id}, opts)
