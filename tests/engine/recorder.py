"""A dynamic resource of the tests' own: it writes down each call that it gets, one JSON line each.

Not ours: this is about what Pulumi does. The host imports it, so a test puts this checkout on PYTHONPATH.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import pulumi
from pulumi import dynamic
from pulumi.output import Unknown
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

FOLDER = Path(os.environ.get("CONTRACT_FOLDER", "."))
UNKNOWN = "<unknown>"
TYPE = "pulumi-python:dynamic/contract:Thing"

_lock = threading.Lock()
_crowd = threading.Barrier(4, timeout=30)
_busy = 0


def record(call: str, about: dict[str, Any], /, **more: Any) -> None:
    row = {"call": call, "label": about.get("label"), "pid": os.getpid(), "engine": sys.argv[-1], **more}
    row = json.loads(json.dumps(row, default=lambda value: UNKNOWN if isinstance(value, Unknown) else repr(value)))
    for values in row.values():
        if isinstance(values, dict):
            values.pop("__provider", None)
    with _lock, (FOLDER / "calls").open("a") as file:
        file.write(json.dumps(row) + "\n")


def together() -> int:
    """Waits until four creates are at work. How many there were at most until a little later."""
    global _busy
    with _lock:
        _busy += 1
    _crowd.wait()
    time.sleep(0.3)
    with _lock:
        most = _busy
    _crowd.wait()
    with _lock:
        _busy -= 1
    return most


class Recorder(dynamic.ResourceProvider):
    """Another `wanted` asks for a replacement, another `used` or `note` for an update; unknown is another one, too.

    With `overlaps` the new one is made before the old one goes. With `fails_once` the first create is an error.
    """

    serialize_as_secret_always = False

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        keys = ("contract:word", "contract:hidden", "plain")
        record("configure", {}, config={key: req.config.get(key) for key in keys})

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        record("check", news, olds=_olds, news=news)
        return dynamic.CheckResult(news, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        record("diff", _news, id=_id, olds=_olds, news=_news)
        others = any(_olds.get(name) != _news.get(name) for name in ("used", "note"))
        if _olds.get("wanted") != _news.get("wanted"):
            overlaps = bool(_news.get("overlaps"))
            return dynamic.DiffResult(changes=True, replaces=["wanted"], delete_before_replace=not overlaps)
        return dynamic.DiffResult(changes=others, replaces=[])

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        record("create", props, props=props, most=together() if props.get("crowd") else 1)
        if props.get("says"):
            stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(sys.argv[-1]))
            row = {"severity": engine_pb2.INFO, "urn": props["urn_of"]}
            stub.Log(engine_pb2.LogRequest(message=props["says"], **row))
            stub.Log(engine_pb2.LogRequest(message=props["says_in_passing"], ephemeral=True, **row))
        failed = FOLDER / f"failed-{props['label']}"
        if props.get("fails_once") and not failed.exists():
            failed.touch()
            raise RuntimeError("the first time")
        while (FOLDER / f"hold-{props['label']}").exists():
            time.sleep(0.05)
        return dynamic.CreateResult(f"id-{props['label']}", {**props, "made": "always the same", "by": os.getpid()})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        record("update", _news, id=_id, olds=_olds, news=_news)
        return dynamic.UpdateResult({**_olds, **_news})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        record("delete", _props, id=_id, props=_props)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        record("read", props, id=id_, props=props)
        return dynamic.ReadResult(id_, {**props, "made": "read"})


class Thing(dynamic.Resource, module="contract", name="Thing"):
    made: pulumi.Output[str]
    by: pulumi.Output[float]

    def __init__(self, label: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        props = {"made": None, "by": None, "label": label, **props}
        super().__init__(Recorder(), label, props, opts)
