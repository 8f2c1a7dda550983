"""EnOS's answers: JSON with a `status` (V2.1: `code`) of 0, or with the number of an error, as a rule under HTTP status
200.

Sources: the pages of https://support.enos-iot.com/docs/batch-processing-api/en/3.0.0/v2.0/ and v2.1, "Get Access
Token" and "Invoke API with the Access Token"; for `apim_status` the package enos-poseidon, which reads it.
"""

from __future__ import annotations

import json
import secrets

from cloud_runs_emulator.enos.formats import TIME_ZONE, business_date, server_time
from cloud_runs_emulator.enos.models import TASK, Caller, FlowInstance, flow_name, number, task_id, task_instance_id
from cloud_runs_emulator.runs import Run
from cloud_runs_emulator.settings import Clock
from cloud_runs_emulator.systems import Answer, Refused

_GATEWAY = "apim-token-service"
_POSEIDON = {"4011", "4012"}


V20, V21 = "2.0", "2.1"


class Responses:
    """Makes answers of one version of the flow service, or, without a version, of the gateway."""

    def __init__(self, clock: Clock, version: str) -> None:
        self._clock = clock
        self._code = "code" if version == V21 else "status"
        # With a leading blank in V2.0, as in the vendor's samples.
        self._success_text = "OK" if version == V21 else " Success"

    def token(self, value: str, seconds: int) -> Answer:
        """The answer to a token request and to a refresh."""
        data = {"accessToken": value, "expire": seconds}
        return _json({"status": 0, "msg": "SUCCESS", "business": _GATEWAY, "data": data})

    def started(self, run: FlowInstance) -> Answer:
        """The answer to a trigger."""
        return self._success({"flowInstanceId": run.id}, (run,))

    def instance(self, run: FlowInstance) -> Answer:
        """The answer to a look at one instance."""
        return self._success(_instance(run, self._clock()), (run,))

    def instances(self, runs: list[FlowInstance], count: int) -> Answer:
        """One page of the `count` instances on all pages; only in lists they say whether they were cancelled."""
        now = self._clock()
        rows = [{**_instance(run, now), "isCancelled": run.state(now) == "CANCEL"} for run in runs]
        return self._success({"flowInsts": rows, "count": count}, tuple(runs))

    def flow(self, caller: Caller, flow_id: int) -> Answer:
        """The answer to a look at a flow: any number has one; its schedule is off, which a trigger does not mind."""
        told = {"active": 0, "type": 1, "creator": caller.user, "locked": False, "isUserLocked": False}
        graph = _graph(caller, [_task(flow_id)])
        return self._success({**_flow(flow_id), **told, "parameters": "[]", "graph": json.dumps(graph)}, ())

    def task(self, run: FlowInstance) -> Answer:
        """The answer to a look at the one task of an instance (V2.1, get_task_instance)."""
        return self._success(_task_instance(run, self._clock()), (run,))

    def cancelled(self, run: FlowInstance) -> Answer:
        """The answer to a cancel."""
        return self._success("", (run,))

    def time_zone(self) -> Answer:
        """The answer to Get Time Zone."""
        return self._success({"timezone": TIME_ZONE}, ())

    def error(self, refused: Refused) -> Answer:
        """A refusal, in a 200 too. Which code it has says who refuses: the gateway (1000 and up), or the flow service.

        4011 and 4012 are the gateway's codes for callers with the vendor's SDK; only an ordered fault gives them. A
        code that is no number becomes 62109, the service's internal exception.
        """
        code, message = refused.code, refused.message
        body: dict[str, object]
        if code in _POSEIDON:
            body = {"apim_status": int(code), "msg": message}
            if code == "4011":
                body["apim_refreshtoken"] = secrets.token_hex(16)
        elif code.isascii() and code.lstrip("-").isdigit():
            body = {self._code: int(code), "msg": message, "data": None}
            if len(code) == 4:  # the gateway's own
                body = {"status": int(code), "msg": message, "data": None, "business": _GATEWAY}
        else:
            body = {self._code: 62109, "msg": f"{code}: {message}", "data": None}
        answer = _json(body)
        answer.status = refused.status
        return answer

    def _success(self, data: object, runs: tuple[Run, ...]) -> Answer:
        return _json({self._code: 0, "msg": self._success_text, "data": data}, runs)


def _json(body: dict[str, object], runs: tuple[Run, ...] = ()) -> Answer:
    text = json.dumps(body, ensure_ascii=False)
    return Answer(200, text.encode(), [(b"content-type", b"application/json;charset=UTF-8")], runs)


def _flow(flow_id: int) -> dict[str, object]:
    """What a flow and each of its instances tell alike."""
    return {
        "flowId": flow_id,
        "flowName": flow_name(flow_id),
        "freq": "0 0 0 * * ? *",
        "cycle": "D",
        "doAs": "emulated",
        "virtual": False,
        "alertMode": 0,
        "hasEditPri": True,
        "hasReadPri": True,
    }


def _instance(run: FlowInstance, now: float) -> dict[str, object]:
    """FlowInstance. `parameters` and `graph` are texts that hold JSON."""
    state = run.state(now)
    task = {**_task(run.trigger.flow_id), "taskInstId": task_instance_id(run), "status": state}
    return {
        "instanceId": run.id,
        **_flow(run.trigger.flow_id),
        "parameters": run.trigger.parameters,
        "graph": json.dumps(_graph(run.owner, [task])),
        "status": number(state),
        "statusDesc": state,
        "triggerTime": server_time(run.trigger.trigger_ms / 1000),
        "startTime": server_time(run.entered("RUNNING", now)),
        "endTime": server_time(run.ended_at(now)),
        "timestamp": server_time(run.started_at),
        "owner": run.owner.user,
        "calDt": business_date(run.trigger.trigger_ms / 1000),
    }


def _task_instance(run: FlowInstance, now: float) -> dict[str, object]:
    state = run.state(now)
    return {
        "instanceId": task_instance_id(run),
        "taskId": task_id(run.trigger.flow_id),
        "taskName": TASK,
        "cycle": "D",
        "status": number(state),
        "stsDesc": state,
        "runNum": 1,
        "timeout": 60,
        "isTimeout": state == "TIMEOUT",
        "flowInstId": run.id,
        "doAs": "emulated",
        "runMode": "0",
        "cmd": "",
        "triggerTime": server_time(run.trigger.trigger_ms / 1000),
        "startTime": server_time(run.entered("RUNNING", now)),
        "endTime": server_time(run.ended_at(now)),
    }


def _task(flow_id: int) -> dict[str, object]:
    """The flow's one task; in an instance it shares the instance's state."""
    return {"taskName": TASK, "taskId": task_id(flow_id), "nodeId": f"t_{task_id(flow_id)}", "x": 0, "y": 0}


def _graph(creator: Caller, tasks: list[dict[str, object]]) -> dict[str, object]:
    return {"creator": creator.user, "tasks": tasks, "flows": [], "relations": []}
