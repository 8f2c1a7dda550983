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

from cloud_runs.limits import Times
from cloud_runs.runs import RunApi
from cloud_runs.wire.transport import Answer
from tests.hostile import answers, wires
from tests.kits import KITS
from tests.kits.kit import KEYS, NOW, RUN
from tests.support.clients import GO, Clock, soon

SINCE = datetime(2019, 11, 22, 1, tzinfo=timezone.utc)


def client(system: str, transport: Any, endpoint: str | None = None, seconds: float = 30.0) -> RunApi[Any]:
    """`seconds`: how long a start's answer is waited for."""
    clock = Clock(NOW)
    common: dict[str, Any] = {"clock": clock, "sleep": clock.sleep, "times": Times(start=seconds)}
    return KITS[system].make(transport, KEYS, endpoint, **common)


def operations(system: str) -> dict[str, Callable[[Any], Any]]:
    """The calls of a client, by name."""
    kit = KITS[system]
    calls: dict[str, Callable[[Any], Any]] = {
        "start": lambda api: api.start(kit.request, GO),
        "find": lambda api: api.find(kit.request, SINCE, soon()),
        "get": lambda api: api.get(RUN),
        "get_many": lambda api: api.get_many([RUN, "other"]),
        "workflows": lambda api: list(api.workflows(kit.request)),
    }
    if kit.cancels:
        calls["cancel"] = lambda api: api.cancel(RUN)
    if kit.resume:
        calls["resume"] = lambda api: api.resume(RUN, GO)
    return {**calls, **kit.calls}


ONCE = ("start", "resume")
"""Calls that cost money: each is sent once at most."""
ALL = [(system, name) for system in KITS for name in operations(system)]


def starts_a_run(line: str) -> bool:
    """Whether a request line is one that starts a run, by the vendors' pages."""
    return any(kit.begun(line) for kit in KITS.values())


def lets_go_on(line: str) -> bool:
    """Whether a request line is one by which a run that failed goes on."""
    return any(kit.resumed(line) for kit in KITS.values())


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
    to each start; `resumed`: to each call that lets a run go on; `secrets`: what no error may tell.
    """

    choices: Choices
    started: list[tuple[int, bytes]] = field(default_factory=list)
    resumed: list[tuple[int, bytes]] = field(default_factory=list)
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
        if lets_go_on(line):
            self.resumed.append((status, content))
        return Answer(status, told, content, complete=not r or r.random() < 0.9)

    start = read
