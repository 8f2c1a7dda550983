"""DWR's host names and routes, and the class that the server knows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import ClassVar

from cloud_runs_emulator.huawei.dwr.models import WORKFLOW, Backend, Execution, Place
from cloud_runs_emulator.huawei.dwr.requests import list_query
from cloud_runs_emulator.huawei.dwr.responses import Responses
from cloud_runs_emulator.huawei.dwr.signing import verify
from cloud_runs_emulator.huawei.formats import REGION
from cloud_runs_emulator.huawei.requests import INVALID, graph_name, start_input
from cloud_runs_emulator.runs import Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Answer, Manner, Match, Refused, Request

_HOST = re.compile(r"(dwr|iam)\.([a-z0-9-]+)\.myhuaweicloud\.(?:com|eu)", re.ASCII)

_PROJECTS = "/v3/projects"
_PROJECT = re.compile(r"[A-Za-z0-9]{32}", re.ASCII)
_LIST = re.compile(r"/v3/([^/]+)/workflowexecutions")
_ROUTES = {
    ("POST", "start"): re.compile(r"/v3/([^/]+)/workflows/([^/]+)/execute"),
    ("GET", "get"): re.compile(r"/v3/([^/]+)/workflows/([^/]+)/workflowexecution/([^/]+)"),
    ("POST", "retry"): re.compile(r"/v3/([^/]+)/workflows/([^/]+)/workflowexecution/([^/]+)/retry"),
    ("GET", "workflow"): re.compile(r"/v3/([^/]+)/workflows/([^/]+)"),
    ("GET", "find"): _LIST,
}


class HuaweiDwr:
    """Workflows of Huawei Cloud DWR as one of the emulator's systems, and the one call of IAM that it needs."""

    operations: ClassVar[Mapping[str, frozenset[str]]] = {
        WORKFLOW: frozenset({"start", "find", "get", "retry", "workflow", "projects"})
    }
    unrouted: ClassVar[Refused] = Refused(
        404, "APIG.0101", "The API does not exist or has not been published in the environment"
    )
    invalid_code: ClassVar[str] = INVALID

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._settings = settings
        self._backend = Backend(settings, store)
        self._responses = Responses(settings)

    def claims(self, host: str) -> bool:
        """The hosts of DWR and IAM; all others of the vendor are OBS's."""
        return bool(_HOST.fullmatch(host))

    def match(self, request: Request) -> Match | None:
        """Find the operation."""
        if request.method == "GET" and request.path == _PROJECTS:
            return Match(WORKFLOW, "projects")
        for (method, operation), route in _ROUTES.items():
            found = route.fullmatch(request.path) if method == request.method else None
            if found:
                return Match(WORKFLOW, operation, found[3] if route.groups > 2 else "")
        return None

    def authenticate(self, request: Request) -> None:
        """Check the signature, and that the project can be one and is told in one way."""
        verify(request, self._settings.keys, self._settings.clock())
        project = request.path.split("/")[2] if request.path.count("/") > 2 else ""
        told = request.header("x-project-id") or project
        if project and not (told == project and _PROJECT.fullmatch(project)):
            raise Refused(403, "SYS.0005", "The project does not belong to the account")

    def handle(self, request: Request, match: Match, manner: Manner) -> Answer:
        """Do the operation."""
        if match.operation == "projects":
            return self._responses.projects(request.param("name"))
        place = Place(_region(request.host), request.path.split("/")[2])
        if match.operation == "find":
            query = list_query(request, self._settings.clock())
            runs, more = self._backend.page(place, query)
            return self._responses.executions(runs, query.offset + query.limit if more or manner.endless else 0)
        graph = graph_name(request.path.split("/")[4])
        if match.operation == "workflow":
            return self._responses.workflow(place, graph)
        if match.operation == "start":
            given = json.loads(start_input(request))
            return self._responses.started(self._backend.start(place, graph, given, request, manner))
        if match.operation == "retry":
            return self._responses.resumed(self._backend.resume(place, graph, match.run_id))
        return self._responses.execution(self._backend.execution(place, graph, match.run_id))

    def started(self, run: Run) -> Answer:
        """The answer to a start."""
        if not isinstance(run, Execution):
            raise TypeError(run.system)
        return self._responses.started(run)

    def refuse(self, refused: Refused) -> Answer:
        """The error answer of gateway and service."""
        return self._responses.error(refused)

    def clear(self) -> None:
        """Nothing: it keeps runs only."""


def _region(host: str) -> str:
    match = _HOST.fullmatch(host)
    return match[2] if match else REGION
