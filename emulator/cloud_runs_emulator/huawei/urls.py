"""OBS's host names and the routes of workflows, and the class that the server knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from cloud_runs_emulator.huawei.formats import REGION
from cloud_runs_emulator.huawei.models import WORKFLOW, Backend, Execution, endless_marker
from cloud_runs_emulator.huawei.requests import (
    INVALID,
    graph_name,
    graph_parameter,
    json_body,
    list_query,
    start_input,
)
from cloud_runs_emulator.huawei.responses import Responses
from cloud_runs_emulator.huawei.signing import verify
from cloud_runs_emulator.runs import Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Answer, Manner, Match, Refused, Request

_HOST = re.compile(r"obs\.([a-z0-9-]+)\.myhuaweicloud\.(?:com|eu)", re.ASCII)
_DOMAINS = (".myhuaweicloud.com", ".myhuaweicloud.eu")

_EXECUTIONS = "/v2/workflowexecutions"
_DEFINITION = re.compile(r"/v2/workflows/([^/]+)")
_EXECUTION = re.compile(r"/v2/workflowexecutions/([^/]+)")
_DEFINES = frozenset({"x-workflow-create", "x-workflow-template-name"})


class HuaweiObs:
    """Workflows of Huawei Cloud OBS as one of the emulator's systems.

    `create` is the call that defines a workflow. It has the method and path of a start, and differs by a parameter: it
    starts nothing, is not counted as a start and leaves no trace in the list of runs. Definitions are not kept.
    """

    operations: ClassVar[Mapping[str, frozenset[str]]] = {
        WORKFLOW: frozenset({"start", "find", "get", "resume", "create", "workflow"})
    }
    unrouted: ClassVar[Refused] = Refused(404, "SYS.0003", "The API is not supported")
    invalid_code: ClassVar[str] = INVALID

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._settings = settings
        self._backend = Backend(settings, store)
        self._responses = Responses(settings.clock)

    def claims(self, host: str) -> bool:
        """All of the vendor's domains, so that a mistyped OBS host is answered as one and not taken for no host."""
        return host.endswith(_DOMAINS)

    def match(self, request: Request) -> Match | None:
        """Find the operation. A look with `x-workflow-prefix` is another call, which the emulator does not have."""
        names = {name for name, _ in request.query}
        if request.method == "POST" and _DEFINITION.fullmatch(request.path):
            return Match(WORKFLOW, "create" if names & _DEFINES else "start")
        if request.method == "GET" and request.path == _EXECUTIONS:
            return Match(WORKFLOW, "find")
        if request.method == "GET" and _DEFINITION.fullmatch(request.path) and "x-workflow-prefix" not in names:
            return Match(WORKFLOW, "workflow")
        item = _EXECUTION.fullmatch(request.path)
        if item and request.method == "GET" and "x-workflow-prefix" not in names:
            return Match(WORKFLOW, "get", item[1])
        return Match(WORKFLOW, "resume", item[1]) if item and request.method == "PUT" else None

    def authenticate(self, request: Request) -> None:
        """Check host and signature. The codes for a wrong host are of the workflow front end."""
        _region(request.host)
        verify(request, self._settings.keys, self._settings.clock())

    def handle(self, request: Request, match: Match, manner: Manner) -> Answer:
        """Do the operation."""
        region = _region(request.host)
        if match.operation in ("start", "create", "workflow"):
            graph = graph_name(request.path.rpartition("/")[2])
            if match.operation == "workflow":
                return self._responses.workflow(region, graph)
            if match.operation == "create":
                json_body(request)
                return self._responses.created(region, graph)
            text = start_input(request)
            return self._responses.started(self._backend.start(region, graph, text, request, manner))
        if match.operation == "find":
            query = list_query(request)
            runs, marker = self._backend.page(region, query)
            return self._responses.executions(runs, endless_marker(query, runs) if manner.endless else marker)
        graph = graph_parameter(request)
        if match.operation == "resume":
            return self._responses.resumed(self._backend.resume(region, graph, match.run_id))
        return self._responses.execution(self._backend.execution(region, graph, match.run_id))

    def started(self, run: Run) -> Answer:
        """The answer to a start."""
        if not isinstance(run, Execution):
            raise TypeError(run.system)
        return self._responses.started(run)

    def refuse(self, refused: Refused) -> Answer:
        """OBS's error answer."""
        return self._responses.error(refused)

    def clear(self) -> None:
        """Nothing: it keeps runs only."""


def _region(host: str) -> str:
    match = _HOST.fullmatch(host)
    if match is not None:
        return match[1]
    if host.endswith(_DOMAINS):
        raise Refused(400, "SYS.0029", f"The host is not obs.<region>{_DOMAINS[0]}: {host}")
    return REGION
