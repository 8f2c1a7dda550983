"""The emulator with DWR's host and the gateway's signature."""

from __future__ import annotations

import time
from typing import Any

from emulator_bench import Bench, Reply

from cloud_runs_emulator.huawei.dwr.signing import sign
from cloud_runs_emulator.huawei.formats import PROJECT
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from cloud_runs_emulator.systems import Request

GRAPH = "demo-graph_1"
BODY = '{"bucket": "demo-bucket", "object": "/mpc/demo.mp4"}'
BASE = f"/v3/{PROJECT}"
START_CALL = ("POST", f"{BASE}/workflows/{GRAPH}/execute", {}, BODY)
LIST = f"{BASE}/workflowexecutions"
EXECUTION = f"{BASE}/workflows/{GRAPH}/workflowexecution"


class DwrBench(Bench):
    """One emulator, and the workflow calls of DWR."""

    host = "dwr.cn-south-1.myhuaweicloud.com"
    system = "huawei.dwr"

    def sign(
        self,
        request: Request,
        headers: dict[str, str],
        keys: tuple[str, str] = (DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY),
    ) -> None:
        """Add the given headers, then those of a signature that are not given."""
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now))
        request.headers += {"content-type": "application/json", "x-sdk-date": date, **headers}.items()
        if "authorization" not in headers:
            signed = sorted({name for name, _ in request.headers} & {"content-type", "host", "x-sdk-date"})
            if "x-security-token" in headers:
                signed.append("x-security-token")
            request.headers.append(("authorization", sign(request, *keys, signed)))

    def start(self, graph: str = GRAPH, body: str = BODY, **more: Any) -> str:
        """Start a workflow; the name of the execution."""
        reply = self.call("POST", f"{BASE}/workflows/{graph}/execute", body=body, **more)
        assert reply.status == 200, reply.body
        return str(reply.json["execution_name"])

    def look(self, name: str, graph: str = GRAPH, **more: Any) -> Reply:
        """Look at an execution."""
        return self.call("GET", f"{BASE}/workflows/{graph}/workflowexecution/{name}", **more)

    def retry(self, name: str) -> Reply:
        """Let a failed execution go on."""
        return self.call("POST", f"{EXECUTION}/{name}/retry")

    def page(self, graph: str = GRAPH, **query: str) -> Any:
        """One page of executions."""
        reply = self.call("GET", LIST, {"graph_name": graph, **query})
        assert reply.status == 200, reply.body
        return reply.json

    def names(self, **query: str) -> list[str]:
        """The names on one page of executions."""
        return [row["execution_name"] for row in self.page(**query)["executions"]]
