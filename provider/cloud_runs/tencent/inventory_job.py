"""`tencent.InventoryJob`: a batch job that runs a workflow, or one operation, on many objects (seed 004)."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypedDict

import pulumi
from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.lifecycle import checks
from cloud_runs.lifecycle.run import OnDelete, Run, Steering, Triggers
from cloud_runs.lifecycle.run_provider import RunProvider
from cloud_runs.lifecycle.values import known
from cloud_runs.runs import Reference, RunStatus
from cloud_runs.tencent import answers as reading
from cloud_runs.tencent import bucket
from cloud_runs.tencent.client import InventoryClient, InventoryRequest
from cloud_runs.wire.settings import TENCENT


class InventoryInputArgs(TypedDict, total=False):
    """Which objects the job takes: exactly one of these (facts, section 2.4)."""

    prefix: pulumi.Input[str]
    """All objects whose key begins so."""
    manifest: pulumi.Input[str]
    """The `manifest.json` of a COS inventory."""
    url_file: pulumi.Input[str]
    """A text object with one COS object address a line."""
    object: pulumi.Input[str]
    """One object key."""


class TimeIntervalArgs(TypedDict, total=False):
    """Only objects uploaded in this time; ISO times with offset, for example `2022-02-01T12:00:00+0800`."""

    start: pulumi.Input[str]
    """Without it: from the beginning."""
    end: pulumi.Input[str]
    """Without it: until now."""


_INPUTS = {"prefix": "Prefix", "manifest": "Manifest", "url_file": "UrlFile", "object": "Object"}
_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NAME = "a name of letters, digits, hyphens, underscores or Chinese characters"
_OWN = {"WorkflowIds": "workflow_ids", "TimeInterval": "time_interval"}


class InventoryJobProvider(RunProvider[InventoryRequest]):
    """Frozen name: the state refers to this class by module and name."""

    kind = "InventoryJob"
    system = "tencent.inventory"
    arguments = ("bucket", "region", "name", "type", "input", "workflow_ids", "time_interval", "operation")

    def problems(self, props: Mapping[str, Any]) -> Iterator[checks.Problem]:
        yield from bucket.problems(props, self.setting)
        yield from checks.text(props, "name", required=False, pattern=bucket.JOB_NAME, expected=_NAME, longest=128)
        yield from _input_problems(props)
        yield from _interval_problems(props)
        kind = props.get("type") or "Workflow"
        if kind == "Workflow":
            one = bucket.WORKFLOW_ID
            ids = "a workflow id (w and 32 hexadecimal digits), or several with commas between them"
            yield from checks.text(props, "workflow_ids", pattern=f"{one}(,{one})*", expected=ids)
            if bucket.given(props.get("operation")):
                yield "operation", "is only for type='Job'; a workflow brings its own operations"
        elif kind == "Job":
            if bucket.given(props.get("workflow_ids")):
                yield "workflow_ids", "is only for type='Workflow'"
            yield from _operation_problems(props)
        elif not isinstance(kind, Unknown):
            yield "type", f"must be 'Workflow' or 'Job', not {kind!r}"

    def place(self, props: Mapping[str, Any]) -> Reference:
        return bucket.place(self.system, props, self.setting)

    def client(self, place: Reference) -> InventoryClient:
        return InventoryClient(
            self.transport(),
            TENCENT.credentials(self.setting, os.environ),
            region=place.region,
            bucket=place.scope,
            endpoint=TENCENT.endpoint(self.setting, os.environ),
        )

    def look(self, api: InventoryClient, id: str) -> RunStatus:
        job = api.job(id)
        try:
            status = api.summed(job)
        except (errors.Unavailable, errors.Refused) as error:  # the job itself is told all the same
            status = reading.uncounted(job, error)
        return replace(status, request=_arguments(status.request))

    def request(self, props: Mapping[str, Any], token: str) -> InventoryRequest:
        interval, operation = props.get("time_interval") or {}, {}
        if interval:
            times = {name.capitalize(): _wire_time(interval[name]) for name in ("start", "end") if interval.get(name)}
            operation["TimeInterval"] = times
        if props.get("workflow_ids"):
            operation["WorkflowIds"] = props["workflow_ids"]
        operation |= _elements(props.get("operation") or {})
        inputs = {_INPUTS[name]: value for name, value in props["input"].items() if value is not None}
        name = props.get("name")
        # Unique by the intent's token, so that a job whose name ends so can only be the one that the intent stands for.
        marker = "" if name else f"-{token[:16]}"
        sent = name or _resource_name(props["resource_urn"]) + marker
        return InventoryRequest(sent, props.get("type") or "Workflow", inputs, operation, marker)

    def work(self, request: InventoryRequest) -> Hashable:
        return request.name

    def mismatches(self, props: Mapping[str, Any], status: RunStatus) -> Iterator[str]:
        for name in ("name", "type", "input", "workflow_ids", "time_interval"):
            asked, told = props.get(name), status.request.get(name)
            if asked and told and not _same(asked, told):
                yield f"its {name} is {told!r}, not {asked!r}"

    def details(
        self, reference: Reference, request: InventoryRequest | None, status: RunStatus | None
    ) -> dict[str, Any]:
        outputs: dict[str, Any] = {"job_id": reference.id, "url": bucket.console(reference)}
        if status and (status.executions or request):
            outputs["executions"] = dict(status.executions)  # a refresh that could not count keeps the last counts
        if request:
            outputs["name"] = request.name
        return outputs


def _input_problems(props: Mapping[str, Any]) -> Iterator[checks.Problem]:
    value = props.get("input")
    if isinstance(value, Unknown):
        return
    choices = ", ".join(_INPUTS)
    if not isinstance(value, Mapping):
        yield "input", f"is missing: expected a mapping with exactly one of {choices}"
        return
    yield from checks.nested(props, "input", tuple(_INPUTS))
    given = [name for name in _INPUTS if value.get(name) is not None]
    if len(given) != 1:
        yield "input", f"needs exactly one of {choices}; {'has ' + ' and '.join(given) if given else 'has none'}"
    for name in given:
        yield from checks.text(checks.inside(props, "input"), f"input.{name}", longest_bytes=2048)


def _interval_problems(props: Mapping[str, Any]) -> Iterator[checks.Problem]:
    yield from checks.nested(props, "time_interval", ("start", "end"))
    members = checks.inside(props, "time_interval")
    for name in ("time_interval.start", "time_interval.end"):
        yield from checks.time(members, name)
    start, end = (checks.moment(members.get(f"time_interval.{name}")) for name in ("start", "end"))
    if start and end and start >= end:
        yield "time_interval", "ends before it starts"


def _operation_problems(props: Mapping[str, Any]) -> Iterator[checks.Problem]:
    value = props.get("operation")
    if isinstance(value, Unknown):
        return
    if not isinstance(value, Mapping):
        yield "operation", "is missing: type='Job' needs a mapping with at least tag"
        return
    if not known(value):
        return
    try:
        elements = _elements(value)
    except ValueError as error:
        yield "operation", str(error)
        return
    if not checks.clean_text(elements):
        yield "operation", "has control characters"
    for element, argument in _OWN.items():
        if element in elements:
            yield f"operation.{element}", f"use the argument {argument}"
    yield from checks.text(elements, "Tag", expected="the kind of job, for example Transcode", longest=128)
    if elements.get("JobLevel") not in (None, "0", "1", "2"):
        yield "operation.JobLevel", f"must be 0, 1 or 2, not {elements['JobLevel']}"
    if elements.get("CallBackFormat") not in (None, "JSON", "XML"):
        yield "operation.CallBackFormat", f"must be JSON or XML, not {elements['CallBackFormat']!r}"
    if elements.get("CallBackType") not in (None, "Url", "TDMQ", "Kafka"):
        yield "operation.CallBackType", f"must be Url, TDMQ or Kafka, not {elements['CallBackType']!r}"
    if elements.get("CallBack") and not re.fullmatch(r"https?://\S+", str(elements["CallBack"])):
        yield "operation.CallBack", "must be an http or https address"
    if elements.get("UserData") and not re.fullmatch(r"[ -~]{1,1024}", str(elements["UserData"])):
        yield "operation.UserData", "must be at most 1,024 printable ASCII characters"


def _elements(value: Any) -> Any:
    """A nested mapping with the vendor's element names: `job_param` is sent as `JobParam`, `JobParam` as it is."""
    if isinstance(value, Mapping):
        named: dict[str, Any] = {}
        for key, item in sorted(value.items()):
            if not _ELEMENT.fullmatch(key):
                raise ValueError(f"{key!r} is not an element name")
            element = key if key[0].isupper() else "".join(part[:1].upper() + part[1:] for part in key.split("_"))
            if element in named:
                raise ValueError(f"{element} is given twice")
            if item is not None:
                named[element] = _elements(item)
        return named
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_elements(item) for item in value if item is not None]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():  # the engine hands whole numbers over as floats
        return str(int(value))
    return str(value)


def _wire_time(value: str) -> str:
    """The vendor's form, an offset without colon; a value that has it already is sent unchanged."""
    if value.endswith("Z"):
        return f"{value[:-1]}+0000"
    return value[:-3] + value[-2:] if value[-3] == ":" else value


def _resource_name(urn: str) -> str:
    return re.sub(r"[^0-9A-Za-z_-]+", "-", urn.split("::", 3)[-1])[:100]


def _arguments(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the service tells of a job, under the names of the arguments."""
    operation, inputs = _mapping(told.get("operation")), _mapping(told.get("input"))
    interval = _mapping(operation.get("TimeInterval"))
    arguments: dict[str, Any] = {name: told.get(name) for name in ("name", "type")}
    arguments["input"] = {name: inputs[element] for name, element in _INPUTS.items() if inputs.get(element)}
    arguments["workflow_ids"] = operation.get("WorkflowIds")
    arguments["time_interval"] = {name: interval.get(name.capitalize()) for name in ("start", "end")}
    if told.get("type") == "Job":
        arguments["operation"] = {element: value for element, value in operation.items() if element not in _OWN}
    return {name: value for name, value in arguments.items() if value}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _same(asked: Any, told: Any) -> bool:
    """Equal as far as the service tells; times are compared as moments."""
    if isinstance(asked, Mapping) and isinstance(told, Mapping):
        return all(_same(asked[name], told[name]) for name in asked if asked[name] and told.get(name))
    moments = checks.moment(asked), checks.moment(told)
    return moments[0] == moments[1] if all(moments) else str(asked) == str(told)


class InventoryJob(Run, module="tencent", name="InventoryJob"):
    """A Tencent Cloud Infinite (CI, media processing) batch job over objects of a bucket; `POST /inventorytriggerjob`
    (type Workflow: https://www.tencentcloud.com/document/product/1045/47029, type Job:
    https://www.tencentcloud.com/document/api/1045/50369).

    Started once for each time it is asked for; `job_id` is its id. The resource returns at once. A job has no `tasks`:
    that output stays empty, and `executions` counts what the job has started.

    Never:

    - It never creates, changes or deletes a workflow, nor an object of the bucket: what the job writes, its workflow or
      its operation says.
    - It never cancels a job unless `on_delete="cancel"` says so.
    """

    _run_provider = InventoryJobProvider
    _own_outputs = ("job_id", "executions")

    job_id: pulumi.Output[str]
    """The id of the job (`JobId`)."""
    executions: pulumi.Output[dict[str, int]]
    """How many executions the job has started, by their state, as of the last refresh that could count them; empty
    before it. The job's `phase` is made of them too: a job that succeeded has failed if one of them did."""
    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
    name: pulumi.Output[str]
    """The name that was sent; generated if none was given."""
    type: pulumi.Output[str]
    input: pulumi.Output[dict[str, str]]
    workflow_ids: pulumi.Output[str | None]
    time_interval: pulumi.Output[dict[str, str] | None]
    operation: pulumi.Output[dict[str, Any] | None]

    def __init__(
        self,
        resource_name: str,
        *,
        bucket: pulumi.Input[str],
        input: pulumi.Input[InventoryInputArgs],
        workflow_ids: pulumi.Input[str] | None = None,
        time_interval: pulumi.Input[TimeIntervalArgs] | None = None,
        type: pulumi.Input[Literal["Workflow", "Job"]] = "Workflow",
        operation: pulumi.Input[Mapping[str, Any]] | None = None,
        region: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Triggers] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param resource_name: The name of the Pulumi resource. A rename with `aliases` fires nothing.
        :param bucket: The bucket with its account number, `name-appid`. Changing it fires a new run.
        :param input: Exactly one of `prefix`, `manifest`, `url_file`, `object`; sent unchanged. Changing it fires.
        :param workflow_ids: For `type="Workflow"`: the workflow, `w` and 32 hexadecimal digits, or several with commas
            between them. Changing it fires a new run.
        :param time_interval: Only objects uploaded between `start` and `end`, ISO times with an offset; an offset with
            a colon and `Z` are sent in the vendor's form (`+0800`). Changing it fires a new run.
        :param type: `"Workflow"` (default) or `"Job"`, one operation without a workflow. Changing it fires a new run.
        :param operation: For `type="Job"`: elements of the vendor's `Operation` container, such as `tag` (required),
            `job_param`, `output`, `queue_id`, `user_data`, `job_level`, `call_back`, at any depth, in snake case or in
            the vendor's spelling. Sent in the order of the
            names, since the engine keeps no order. Changing it fires a new run.
        :param region: For example `ap-beijing`; without it, configuration `tencentcloud:region`, then
            `TENCENTCLOUD_REGION`. Changing the argument fires a new run; changing the configuration does not.
        :param name: The job's name, at most 128 letters, digits, hyphens, underscores or Chinese characters, sent
            unchanged; the service does not demand that it is unique. Without it, the resource's name with a random
            suffix, by which a lost job is found again for certain. Changing it fires a new run.
        :param triggers: Any values. A new key, or a key with another value, fires a new run; removing a key, and
            putting it back with the value that it was fired with, does not.
        :param adopt_id: Records this job instead of firing one. Never fires.
        :param on_delete: `"abandon"` (default): deleting the resource leaves the job alone. `"cancel"`: it asks the
            service to cancel a job that is still going; executions that the job has already started may go on, and a
            job that has ended is no error. Changing it never fires.
        :param rerun_on_failure: Fires again, once, when the recorded phase is `failed`, so also if one of the job's
            executions did not succeed; the new job takes all objects again. The phase is recorded by a refresh, so use
            `pulumi up --refresh`. Changing it fires nothing unless the recorded phase is `failed`.
            Has no effect together with `adopt_id`.
        :param opts: Pulumi's options. Refused: `delete_before_replace=False`, `retain_on_delete`, `import_`,
            `custom_timeouts`.
        """
        self._register(
            resource_name,
            {
                "bucket": bucket,
                "region": region,
                "name": name,
                "type": type,
                "input": input,
                "workflow_ids": workflow_ids,
                "time_interval": time_interval,
                "operation": operation,
            },
            Steering(triggers, adopt_id, on_delete, rerun_on_failure),
            opts,
        )

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],
        *,
        bucket: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> InventoryJob:
        """Reads a job that exists. Manages nothing: makes no intent, fires nothing and destroys nothing."""
        return cls._existing(resource_name, id, {"bucket": bucket, "region": region}, opts)
