"""The emulator with OBS's host and signature."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from emulator_bench import Bench, Reply

from cloud_runs_emulator.huawei.signing import sign
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from cloud_runs_emulator.systems import Request

GRAPH = "demo-graph_1"
BODY = '{"bucket": "demo-bucket", "object": "/mpc/demo.mp4"}'
START_CALL = ("POST", f"/v2/workflows/{GRAPH}", {}, BODY)
EXECUTIONS = "/v2/workflowexecutions"


class HuaweiBench(Bench):
    """One emulator, and the workflow calls of OBS."""

    host = "obs.cn-north-4.myhuaweicloud.com"
    system = "huawei.workflow"

    def sign(
        self,
        request: Request,
        headers: dict[str, str],
        keys: tuple[str, str] = (DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY),
    ) -> None:
        """Add the given headers, then those of a signature that are not given."""
        base = {"content-type": "application/json"}
        if "x-obs-date" not in headers:
            base["date"] = formatdate(self.now, usegmt=True)
        request.headers += {**base, **headers}.items()
        if "authorization" not in headers:
            request.headers.append(("authorization", sign(request, *keys)))

    def start(self, graph: str = GRAPH, body: str = BODY, **more: Any) -> str:
        """Start a workflow; the name of the execution."""
        reply = self.call("POST", f"/v2/workflows/{graph}", body=body, **more)
        assert reply.status == 200, reply.body
        return str(reply.json["execution_name"])

    def look(self, name: str, graph: str = GRAPH, **more: Any) -> Reply:
        """Look at an execution."""
        return self.call("GET", f"{EXECUTIONS}/{name}", {"x-workflow-graph-name": graph}, **more)

    def state(self, name: str) -> str:
        """The state word of an execution."""
        return str(self.look(name).json["execution_info"]["execution_state"])

    def resume(self, name: str) -> Reply:
        """Resume an execution."""
        return self.call("PUT", f"{EXECUTIONS}/{name}", {"x-workflow-graph-name": GRAPH})

    def page(self, graph: str = GRAPH, **query: str) -> Any:
        """One page of executions; a parameter is given by what follows `x-workflow-`, with underscores."""
        parameters = {f"x-workflow-{name.replace('_', '-')}": value for name, value in query.items()}
        reply = self.call("GET", EXECUTIONS, {"x-workflow-graph-name": graph, **parameters})
        assert reply.status == 200, reply.body
        return reply.json

    def names(self, **query: str) -> list[str]:
        """The names on one page of executions."""
        return [row["execution_name"] for row in self.page(**query)["executions"]]
