"""The vendor's own SDK (esdk-obs-python) drives the emulator unmodified. Skipped where it is not installed.

Its WorkflowClient is one object for the whole process, and making another changes the first: one is used at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from emulator_process import Server

workflow = pytest.importorskip("obs.workflow", reason="esdk-obs-python is not installed")

GRAPH = "demo-graph_1"


def client(server: Server, access: str, secret: str, token: str | None = None) -> Any:
    """A client that gives bodies as JSON text and repeats nothing."""
    return workflow.WorkflowClient(
        True,
        access_key_id=access,
        secret_access_key=secret,
        security_token=token,
        server=server.base,
        max_retry_count=0,
    )


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    pairs = [("AKONE", "one"), ("AKTWO", "two")]
    return start(*(flag for key, secret in pairs for flag in ("--access-key", key, "--secret-key", secret)))


def test_start_get_list_resume(server: Server) -> None:
    obs = client(server, "AKONE", "one")
    started = obs.asyncAPIStartWorkflow(GRAPH, "demo-bucket", "/mpc/中 demo.mp4", {"rate": 1})
    assert started.status == 200
    name = json.loads(started.body)["execution_name"]
    assert obs.asyncAPIStartWorkflow(GRAPH, "demo-bucket", "b.mp4").status == 200
    info = json.loads(obs.getWorkflowExecution(name, GRAPH).body)["execution_info"]
    assert json.loads(info["input"])["object"] == "/mpc/中 demo.mp4"
    first = json.loads(obs.listWorkflowExecution(GRAPH, executionType="APICALL", limit=1).body)
    second = json.loads(obs.listWorkflowExecution(GRAPH, nextMarker=first["next_marker"], limit=1).body)
    assert (first["is_truncated"], second["is_truncated"]) == (True, False)
    assert name in {page["executions"][0]["execution_name"] for page in (first, second)}
    refused = obs.restoreFailedWorkflowExecution(name, GRAPH)
    assert (refused.status, refused.errorCode) == (400, "SYS.0010")
    server.admin(f"runs/{name}", {"state": "FAILED"})
    resumed = obs.restoreFailedWorkflowExecution(name, GRAPH)
    assert (resumed.status, json.loads(resumed.body)["execution_name"]) == (200, name)
    assert obs.createWorkflow("template", GRAPH, "agency").status == 201
    counts = server.admin("requests").json()["huawei.workflow"]
    assert counts == {"create": 1, "find": 2, "get": 1, "resume": 2, "start": 2}


def test_keys(server: Server) -> None:
    for access, secret, token in (("AKONE", "one", None), ("AKTWO", "two", "TOKEN/abc+def==")):
        obs = client(server, access, secret, token)
        assert obs.asyncAPIStartWorkflow(GRAPH, "demo-bucket", "a.mp4").status == 200
    for access, secret, code in (("AKONE", "two", "SignatureDoesNotMatch"), ("AKNONE", "one", "InvalidAccessKeyId")):
        reply = client(server, access, secret).asyncAPIStartWorkflow(GRAPH, "demo-bucket", "a.mp4")
        assert (reply.status, reply.errorCode) == (403, code)
    used = [row["request"]["headers"]["authorization"].partition(":")[0] for row in server.admin("runs").json()]
    assert used == ["OBS AKONE", "OBS AKTWO"]
