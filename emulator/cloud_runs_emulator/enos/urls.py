"""The routes of EnOS's API gateway, and the class that the server knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from cloud_runs_emulator.enos.models import FLOW, Backend, FlowInstance, endless_count
from cloud_runs_emulator.enos.requests import INVALID, caller, cancelled_id, flow_parameter, list_query, trigger
from cloud_runs_emulator.enos.responses import V20, V21, Responses
from cloud_runs_emulator.enos.tokens import Token, Tokens
from cloud_runs_emulator.runs import Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Answer, Manner, Match, Refused, Request

_TOKEN_SERVICE = "/apim-token-service/v2.0/token/"
_FLOW_SERVICES = {V20: "/dataflow-batch-service/v2.0/", V21: "/batch-processing-service/v2.1/"}

_TOKEN_OPERATIONS = {"get": "token", "refresh": "refresh"}
_OPERATIONS = {
    ("POST", "flows", "trigger"): "start",
    ("POST", "flows", "updateAndTrigger"): "start",
    ("GET", "flowInstances", "get"): "get",
    ("POST", "flowInstances", "search"): "find",
    ("POST", "flowInstances", "cancel"): "cancel",
    ("GET", "flows", "get"): "workflow",
    ("GET", "time", "getTimeZone"): "time",
}
_SINCE_V21 = {
    ("POST", "flows", "triggerFromTask"): "start",
    ("GET", "taskInstances", "get"): "task",
}


class EnosFlows:
    """EnOS's batch flows, and the token service in front of them, as one of the emulator's systems.

    It is found by path alone: each customer has a gateway address of their own. A fault `forget` on `token` or
    `refresh` lets all tokens be expired right after the answer, the one in it too.
    """

    operations: ClassVar[Mapping[str, frozenset[str]]] = {
        FLOW: frozenset({"token", "refresh", *_OPERATIONS.values(), *_SINCE_V21.values()})
    }
    unrouted: ClassVar[Refused] = Refused(404, "62109", "no such API")
    invalid_code: ClassVar[str] = INVALID

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._backend = Backend(settings, store)
        self._tokens = Tokens(settings)
        self._responses = {version: Responses(settings.clock, version) for version in ("", V20, V21)}

    def claims(self, host: str) -> bool:
        """No host."""
        return False

    def match(self, request: Request) -> Match | None:
        """Find the operation: in the token service by path, in the flow service by method, path and `action`."""
        if request.path.startswith(_TOKEN_SERVICE) and request.method == "POST":
            operation = _TOKEN_OPERATIONS.get(request.path.removeprefix(_TOKEN_SERVICE))
        elif version := _version(request):
            place = (request.method, request.path.removeprefix(_FLOW_SERVICES[version]), request.param("action"))
            operation = _OPERATIONS.get(place) or (_SINCE_V21.get(place) if version == V21 else None)
        else:
            operation = None
        return Match(FLOW, operation) if operation else None

    def authenticate(self, request: Request) -> None:
        """Check token and signature. A token request has neither: it is checked, and used up, when it is answered."""
        if not request.path.startswith(_TOKEN_SERVICE):
            self._tokens.verify(request)

    def handle(self, request: Request, match: Match, manner: Manner) -> Answer:
        """Do the operation."""
        if match.operation == "token":
            return self._token(self._tokens.get(request.body))
        if match.operation == "refresh":
            return self._token(self._tokens.refresh(request.body))
        answers = self._responses[_version(request)]
        if match.operation == "time":
            return answers.time_zone()
        who = caller(request)
        if match.operation == "start":
            return answers.started(self._backend.start(who, trigger(request), request, manner))
        if match.operation == "workflow":
            return answers.flow(who, flow_parameter(request))
        if match.operation == "find":
            query = list_query(request)
            runs, count = self._backend.page(who, query)
            return answers.instances(runs, endless_count(query) if manner.endless else count)
        if match.operation == "cancel":
            return answers.cancelled(self._backend.cancel(who, cancelled_id(request)))
        if match.operation == "task":
            return answers.task(self._backend.task(who, request.param("taskInstId")))
        return answers.instance(self._backend.instance(who, request.param("flowInstId")))

    def started(self, run: Run) -> Answer:
        """The answer to a start."""
        if not isinstance(run, FlowInstance):
            raise TypeError(run.system)
        return self._responses[_version(run.request)].started(run)

    def refuse(self, refused: Refused) -> Answer:
        """EnOS's error answer."""
        return self._responses[_version(refused.request)].error(refused)

    def clear(self) -> None:
        """Forget flows and tokens."""
        self._backend.clear()
        self._tokens.clear()

    def _token(self, token: Token) -> Answer:
        answer = self._responses[""].token(token.value, self._tokens.left(token))
        answer.forget = self._tokens.expire
        return answer


def _version(request: Request | None) -> str:
    """Of the flow service that a request is for; empty for what is for the gateway itself."""
    path = request.path if request else ""
    return next((version for version, base in _FLOW_SERVICES.items() if path.startswith(base)), "")
