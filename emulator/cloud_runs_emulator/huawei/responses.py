"""OBS's answers to workflow calls: JSON bodies, and errors in JSON or XML.

Sources: pages 0127 to 0130 of the API reference. As in their samples the answers to start and resume have no
Content-Type, and the request id is in `X-Request-ID`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from cloud_runs_emulator.huawei.formats import execution_urn, graph_urn, iso_time, new_request_id
from cloud_runs_emulator.huawei.models import API_CALL, Execution
from cloud_runs_emulator.markup import xml_text
from cloud_runs_emulator.runs import Run
from cloud_runs_emulator.settings import Clock
from cloud_runs_emulator.systems import Answer, ErrorIn200, Refused

_GENERAL_CODES = frozenset(
    {
        "AccessDenied",
        "BadDigest",
        "BadRequest",
        "InternalError",
        "InvalidAccessKeyId",
        "InvalidArgument",
        "InvalidRequest",
        "MethodNotAllowed",
        "NotSignedUp",
        "OperationAborted",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "ServiceNotImplemented",
        "ServiceNotSupported",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "SlowDown",
        "TooManyWrongSignature",
        "Unauthorized",
        "VirtualHostDomainRequired",
    }
)
"""Codes of OBS as a whole, which answers in XML. All others are the workflow front end's, which answers in JSON."""

_STATE = "process"
_END = "end"


class Responses:
    """Makes answers. Each gets a request id of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def started(self, run: Execution) -> Answer:
        """The answer to a start."""
        return self._answer({**_names(run), "started_at": iso_time(run.started_at)}, (run,), typed=False)

    def resumed(self, run: Execution) -> Answer:
        """The answer to a resume."""
        return self._answer({**_names(run), "restored_at": iso_time(self._clock())}, (run,), typed=False)

    def created(self, region: str, graph: str) -> Answer:
        """The answer to the definition of a workflow."""
        body = {"graph_name": graph, "graph_urn": graph_urn(region, graph), "created_at": iso_time(self._clock())}
        return self._answer(body, (), status=201)

    def workflow(self, region: str, graph: str) -> Answer:
        """The answer to a look at a workflow: any name has one, which takes whatever inputs it is given
        (https://support.huaweicloud.com/en-us/api-obs/obs_04_0123.html)."""
        states = [{"state_name": _STATE, "type": "OPERATION", "start": True}, {"state_name": _END, "type": "END"}]
        definition = {"agency": "emulated", "event_defs": {}, "states": states, "inputs": []}
        body = {"name": graph, "created_at": iso_time(0), "definition": definition, "description": ""}
        return self._answer({**body, "graph_urn": graph_urn(region, graph)}, ())

    def execution(self, run: Execution) -> Answer:
        """The answer to a look at one execution."""
        return self._answer({"execution_info": _info(run, self._clock())}, (run,))

    def executions(self, runs: list[Execution], marker: str) -> Answer:
        """One page of executions. `next_marker` is there only if more follow."""
        now = self._clock()
        body: dict[str, object] = {
            "count": len(runs),
            "executions": [_row(run, now) for run in runs],
            "is_truncated": bool(marker),
        }
        if marker:
            body["next_marker"] = marker
        return self._answer(body, tuple(runs))

    def error(self, refused: Refused) -> Answer:
        """OBS's error body: XML for a code of OBS as a whole, such as a wrong signature, otherwise JSON.

        In a 200 it is JSON as all successes are.
        """
        request_id = new_request_id(self._clock())
        if refused.code in _GENERAL_CODES and not isinstance(refused, ErrorIn200):
            body = (
                '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
                f"<Error><Code>{xml_text(refused.code)}</Code><Message>{xml_text(refused.message)}</Message>"
                f"<RequestId>{request_id}</RequestId><HostId>{secrets.token_hex(24)}</HostId></Error>"
            )
            return Answer(refused.status, body.encode(), _headers(request_id, b"application/xml"))
        text = json.dumps({"code": refused.code, "message": refused.message, "request_id": request_id})
        return Answer(refused.status, text.encode(), _headers(request_id, b"application/json"))

    def _answer(
        self, body: Mapping[str, object], runs: tuple[Run, ...], *, status: int = 200, typed: bool = True
    ) -> Answer:
        headers = _headers(new_request_id(self._clock()), b"application/json" if typed else None)
        return Answer(status, json.dumps(body, ensure_ascii=False).encode(), headers, runs)


def _headers(request_id: str, kind: bytes | None) -> list[tuple[bytes, bytes]]:
    # The server adds Date and Content-Length.
    headers = [(b"server", b"OBS"), (b"x-request-id", request_id.encode())]
    return headers if kind is None else [*headers, (b"content-type", kind)]


def _names(run: Execution) -> dict[str, object]:
    return {"execution_urn": execution_urn(run.region, run.graph, run.id), "execution_name": run.id}


def _row(run: Execution, now: float) -> dict[str, object]:
    """One row of a list. `stopped_at` is empty until the execution has ended."""
    ended = run.ended_at(now)
    return {
        "graph_urn": graph_urn(run.region, run.graph),
        **_names(run),
        "started_at": iso_time(run.started_at),
        "execution_type": API_CALL,
        "stopped_at": "" if ended is None else iso_time(ended),
        "execution_state": run.state(now),
    }


def _info(run: Execution, now: float) -> dict[str, object]:
    """`execution_info`. As in the reference it has neither an end time nor a reason for a failure."""
    state = run.state(now)
    process = {
        "state_name": _STATE,
        "status": state,
        "type": "OPERATION",
        "started_at": iso_time(run.started_at),
        "input": run.input,
    }
    reached = state.upper() == "SUCCESS"
    end = {"state_name": _END, "status": state if reached else "NOTRUNNING", "type": "END"}
    return {
        "input": run.input,
        "isTest": False,
        "graph_urn": graph_urn(run.region, run.graph),
        **_names(run),
        "started_at": iso_time(run.started_at),
        "state_map": {_STATE: process, _END: end},
        "start_state": _STATE,
        "execution_state": state,
        "execution_type": API_CALL,
    }
