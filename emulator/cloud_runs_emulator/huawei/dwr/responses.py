"""DWR's answers to workflow calls, and IAM's to the question for projects: JSON bodies, and errors in JSON.

Sources: the models of the vendor's SDK (`huaweicloudsdkdwr/v3/model`) and pages dwr_04_0127 to 0130 of the API
reference. The two contradict each other on lists and looks; `--dwr-answers` chooses.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timezone

from cloud_runs_emulator.huawei.dwr.models import FAILURES, Execution, Place
from cloud_runs_emulator.huawei.formats import DOMAIN, PROJECT, iso_time
from cloud_runs_emulator.runs import Run
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Answer, Refused

_API_CALL = "APICALL"


class Responses:
    """Makes answers. Each gets a request id of its own."""

    def __init__(self, settings: Settings) -> None:
        self._clock = settings.clock
        self._of_the_page = settings.dwr_answers == "page"

    def started(self, run: Execution) -> Answer:
        """The answer to a start."""
        return _answer({**_names(run), "started_at": _time(run.started_at)}, (run,))

    def resumed(self, run: Execution) -> Answer:
        """The answer to a retry."""
        return _answer({**_names(run), "restored_at": _time(self._clock())}, (run,))

    def workflow(self, place: Place, graph: str) -> Answer:
        """The answer to a look at a workflow: any name has one, which takes whatever inputs it is given."""
        definition: dict[str, object] = {"agency": "emulated", "states": [], "inputs": []}
        body = {"name": graph, "created_at": _time(0), "definition": definition, "description": ""}
        return _answer({**body, "graph_urn": _graph_urn(place, graph)}, ())

    def projects(self, name: str) -> Answer:
        """IAM's, which tells one project of each region."""
        row = {"id": PROJECT, "name": name, "domain_id": DOMAIN, "parent_id": DOMAIN, "enabled": True}
        return _answer({"projects": [row] if name else [], "links": {}}, ())

    def execution(self, run: Execution) -> Answer:
        """The answer to a look at one execution."""
        now = self._clock()
        return _answer({"execution_info": _info(run, now)} if self._of_the_page else _instance(run, now), (run,))

    def executions(self, runs: list[Execution], offset: int) -> Answer:
        """One page of executions; `offset` is that of the next one, 0 if none follows."""
        now = self._clock()
        body: dict[str, object] = {
            "count": len(runs),
            "executions": [_row(run, now) for run in runs],
            "is_truncated": bool(offset),
        }
        if offset and self._of_the_page:
            body["next_marker"] = _API_CALL + (runs[-1].id if runs else "")
        elif offset:
            body["next_offset"] = offset
        return _answer(body, tuple(runs))

    def error(self, refused: Refused) -> Answer:
        """The error body of the gateway and of the service."""
        id = secrets.token_hex(16)
        body = {"error_msg": refused.message, "error_code": refused.code, "request_id": id}
        return Answer(refused.status, json.dumps(body).encode(), _headers(id))


def _answer(body: Mapping[str, object], runs: tuple[Run, ...]) -> Answer:
    return Answer(200, json.dumps(body, ensure_ascii=False).encode(), _headers(secrets.token_hex(16)), runs)


def _headers(request_id: str) -> list[tuple[bytes, bytes]]:
    # The server adds Date and Content-Length.
    return [(b"server", b"api-gateway"), (b"x-request-id", request_id.encode()), (b"content-type", b"application/json")]


def _time(moment: float) -> str:
    """Unix seconds as `2026-01-15T09:30:00Z`."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _graph_urn(place: Place, graph: str) -> str:
    return f"urn:fgs:{place.region}:{place.project}:graph:{graph}"


def _names(run: Execution) -> dict[str, object]:
    urn = f"urn:fgs:{run.place.region}:{run.place.project}:execution:{run.graph}:{run.id}:{DOMAIN}"
    return {"execution_urn": urn, "execution_name": run.id}


def _row(run: Execution, now: float) -> dict[str, object]:
    ended = run.ended_at(now)
    return {
        "graph_urn": _graph_urn(run.place, run.graph),
        **_names(run),
        "started_at": _time(run.started_at),
        "execution_type": _API_CALL,
        "stopped_at": "" if ended is None else _time(ended),
        "execution_state": run.state(now),
    }


def _instance(run: Execution, now: float) -> dict[str, object]:
    """In the SDK's shape; nodes tell milliseconds, the execution seconds."""
    state, ended = run.state(now), run.ended_at(now)
    node: dict[str, object] = {
        "status": state,
        "input": run.input,
        "output": {},
        "begin_time": round(run.started_at * 1000),
        "end_time": 0 if ended is None else round(ended * 1000),
        "request_id": run.id,
    }
    if state in FAILURES:
        node["error_message"] = (run.forced.message if run.forced else "") or "the node failed"
    return {
        "workflow_id": f"{run.graph}-0",
        "workflow_urn": f"urn:fss:{run.place.region}:{run.place.project}:workflow:default:{run.graph}:latest",
        "execution_id": run.id,
        "status": state,
        "headers": {},
        "input": run.input,
        "output": {},
        "begin_time": _time(run.started_at),
        "end_time": "" if ended is None else _time(ended),
        "last_update_time": _time(run.started_at if ended is None else ended),
        "created_by": "emulated",
        "node_execution_details": [node],
    }


def _info(run: Execution, now: float) -> dict[str, object]:
    """In the shape of the page's sample: `input` is a text, and neither an end nor a reason for a failure is told."""
    state = run.state(now)
    process = {"state_name": "process", "status": state, "type": "OPERATION"}
    return {
        "input": json.dumps(run.input, ensure_ascii=False),
        "graph_urn": _graph_urn(run.place, run.graph),
        **_names(run),
        "started_at": iso_time(run.started_at),
        "state_map": {"process": process},
        "execution_state": state,
        "execution_type": _API_CALL,
    }
