"""Every call of every client, against a service that the caller chooses."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from random import Random
from typing import Any
from urllib.parse import quote

import requests
from requests.structures import CaseInsensitiveDict

from cloud_runs.enos.client import FlowClient, FlowRequest
from cloud_runs.enos.tokens import Session
from cloud_runs.huawei.client import WorkflowClient as HuaweiClient
from cloud_runs.huawei.client import WorkflowRequest as HuaweiRequest
from cloud_runs.limits import Times
from cloud_runs.runs import RunApi
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.tencent.jobs import InventoryClient, InventoryRequest
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.hostile import answers, wires
from tests.support.clients import GO, soon

KEYS = Credentials(answers.KEY, answers.SECRET, answers.TOKEN, "environment X")
NOW = 1574385825.0  # 22 November 2019, when the runs of the good answers began
SINCE = datetime(2019, 11, 22, 1, tzinfo=timezone.utc)
REQUESTS: dict[str, Any] = {
    "tencent.workflow": WorkflowRequest("we59a9648e62e48ffb25e4b41f3721799", "test.mp4"),
    "tencent.inventory": InventoryRequest(
        "demo", "Workflow", {"Prefix": "input"}, {"WorkflowIds": "w7476ff3564ee45b7b490d64bccaba6cc"}
    ),
    "huawei.workflow": HuaweiRequest("demo-bucket", "/mpc/demo.mp4", {"template-id": 7.0}),
    "enos.flow": FlowRequest(3377, int(NOW) * 1000),
}


class Clock:
    """Goes on only while one sleeps."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def client(system: str, transport: Any, endpoint: str | None = None, seconds: float = 30.0) -> RunApi[Any]:
    """`seconds`: how long a start's answer is waited for."""
    clock = Clock()
    common: dict[str, Any] = {"clock": clock, "sleep": clock.sleep, "times": Times(start=seconds)}
    if system == "enos.flow":
        gateway = endpoint or "https://gw.example"
        return FlowClient(
            transport, KEYS, endpoint=gateway, org="o15", user="alice", flow="3377", session=Session(), **common
        )
    if system == "huawei.workflow":
        return HuaweiClient(transport, KEYS, region="cn-north-4", graph_name="scan", endpoint=endpoint, **common)
    kind: Any = WorkflowClient if system == "tencent.workflow" else InventoryClient
    return kind(transport, KEYS, region="ap-beijing", bucket="media-1250000000", endpoint=endpoint, **common)


def operations(system: str) -> dict[str, Callable[[Any], Any]]:
    """The calls of a client, by name."""
    calls: dict[str, Callable[[Any], Any]] = {
        "start": lambda api: api.start(REQUESTS[system], GO),
        "find": lambda api: api.find(REQUESTS[system], SINCE, soon()),
        "get": lambda api: api.get(answers.RUN),
        "get_many": lambda api: api.get_many([answers.RUN, "other"]),
        "workflows": lambda api: list(api.workflows(REQUESTS[system])),
    }
    if system in ("tencent.inventory", "enos.flow"):
        calls["cancel"] = lambda api: api.cancel(answers.RUN)
    if system == "tencent.inventory":
        calls["executions"] = lambda api: api.executions(api.get(answers.RUN))
    if system == "huawei.workflow":
        calls["stopped_at"] = lambda api: api.stopped_at(api.get(answers.RUN))
    return calls


ALL = [(system, name) for system in REQUESTS for name in operations(system)]


def starts_a_run(line: str) -> bool:
    """Whether a request line is one that starts a run, by the vendors' pages."""
    flows = "POST /dataflow-batch-service/v2.0/flows?action="
    return line.startswith(
        (
            *("POST /triggerworkflow", "POST /inventorytriggerjob", "POST /v2/workflows/"),
            *(f"{flows}trigger", f"{flows}updateAndTrigger"),
        )
    )


class Choices:
    """Random choices for each request of a case: the same whichever thread of ours comes first."""

    def __init__(self, seed: str) -> None:
        self.first = Random(seed)
        self._likely = self.first.choice([0.3, 0.7, 1.0])
        self._seed, self._asked, self._lock = seed, Counter[str](), threading.Lock()

    def for_request(self, line: str) -> Random | None:
        """None: a healthy answer."""
        with self._lock:
            self._asked[line] += 1
            r = Random(f"{self._seed} {line} {self._asked[line]}")
        return r if r.random() < self._likely else None


@dataclass
class Hostile:
    """In place of a transport: hostile answers, now and then a healthy one.

    It signs each request as the real one does, so that a signer meets what it would meet. `started`: what was answered
    to each start; `secrets`: what no error may tell.
    """

    choices: Choices
    started: list[tuple[int, bytes]] = field(default_factory=list)
    asked: int = 0
    secrets: set[str] = field(default_factory=lambda: {answers.KEY, answers.SECRET, answers.TOKEN})

    def read(
        self, method: str, url: str, *, auth: Any, headers: Any = None, params: Any = (), body: bytes = b"", **_: Any
    ) -> Answer:
        pairs = [key if value is None else f"{key}={quote(value, safe='')}" for key, value in params or ()]
        full = f"{url}?{'&'.join(pairs)}" if pairs else url
        sent = auth(requests.Request(method, full, headers=dict(headers or {}), data=body).prepare())
        self.asked += 1
        if answers.ACCESS in sent.headers.values():
            self.secrets.add(answers.ACCESS)
        line = f"{method} {full[full.index('/', 8) :]}"
        r = self.choices.for_request(line)
        status = wires.status(r) if r else 200
        content = answers.content(r, line) if r else answers.written(*answers.good(line))
        told = CaseInsensitiveDict(wires.headers(r) if r else {})
        if starts_a_run(line):
            self.started.append((status, content))
        return Answer(status, told, content, complete=not r or r.random() < 0.9)

    start = read
