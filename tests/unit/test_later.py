"""Outputs that are made when the program reads them, against the SDK's own registration with mocks."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, rpc

from cloud_runs import tencent
from cloud_runs.lifecycle import later

TOLD = {"phase": "running", "tasks": [{"name": "Transcode_1"}], "url": "https://example.com"}


class Cloud(mocks.Mocks):
    """What the engine answers."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return "i1", {**args.inputs, **TOLD}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


def mocked(test: Callable[[], Any]) -> Callable[[], None]:
    """With mocks in the place of the engine, in a context of its own: the SDK's settings are variables of that. Its
    helpers leave their event loops open."""

    @functools.wraps(test)
    def wrapper() -> None:
        loops: list[asyncio.AbstractEventLoop] = []
        made = asyncio.new_event_loop

        def noted() -> asyncio.AbstractEventLoop:
            loops.append(made())
            return loops[-1]

        def run() -> None:
            asyncio.set_event_loop(noted())
            mocks.set_mocks(Cloud(), preview=False)
            pulumi.runtime.test(test)()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "new_event_loop", noted)
            contextvars.copy_context().run(run)
        asyncio.set_event_loop(None)
        for loop in loops:
            loop.close()

    return wrapper


def a_run() -> tencent.WorkflowRun:
    return tencent.WorkflowRun("run", bucket="media-1250000000", workflow_id="w" + "0" * 32, object="a.mp4")


def held(run: Any) -> set[str]:
    return set(later._HELD.__get__(run))


@mocked
def test_what_is_read_before_the_engine_has_answered() -> Any:
    run = a_run()
    assert "phase" not in held(run)
    first = run.phase
    assert run.phase is first
    return pulumi.Output.all(first, run.tasks).apply(lambda told: _equal(told, [TOLD["phase"], TOLD["tasks"]]))


@mocked
def test_what_is_read_after_it() -> Any:
    run = a_run()

    def read(_: Any) -> Any:
        assert "phase" not in held(run)
        return run.phase.apply(lambda phase: _equal(phase, "running"))

    return run.id.apply(read)


@mocked
def test_all_of_a_resource_as_an_export_goes_through_it() -> Any:
    run = a_run()
    shown = {name: vars(run)[name] for name in vars(run)}
    assert {"phase", "bucket", "url", "urn", "id"} <= shown.keys()
    assert shown.keys() == held(run)
    return run.urn


@mocked
def test_what_it_does_not_have() -> Any:
    run: Any = a_run()
    with pytest.raises(AttributeError, match="'WorkflowRun' object has no attribute 'fase'"):
        run.fase  # noqa: B018
    assert not hasattr(run, "fase")
    return run.urn


def otherwise(res: Any, props: Any) -> Any:
    raise NotImplementedError


@mocked
def test_an_sdk_that_does_it_otherwise_makes_them_all() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rpc, "transfer_properties", inspect.unwrap(rpc.transfer_properties))
        run = a_run()
        patch.setattr(rpc, "transfer_properties", otherwise)
        later._install()
        assert rpc.transfer_properties is otherwise
    assert {"phase", "bucket", "url"} <= held(run)
    return run.phase.apply(lambda phase: _equal(phase, "running"))


@mocked
def test_a_run_that_is_made_while_another_one_is_registered() -> Any:
    """By a transformation of a parent."""
    made: list[Any] = []

    def transformation(args: pulumi.ResourceTransformationArgs) -> None:
        if args.name == "run" and not made:
            made.append(tencent.WorkflowRun("inner", bucket="media-1250000000", workflow_id="w" * 33, object="b.mp4"))

    opts = pulumi.ResourceOptions(transformations=[transformation])
    parent = pulumi.ComponentResource("my:m:Part", "part", opts=opts)
    given = {"bucket": "media-1250000000", "workflow_id": "w" + "0" * 32, "object": "a.mp4"}
    outer = tencent.WorkflowRun("run", **given, opts=pulumi.ResourceOptions(parent=parent))
    assert made
    told = pulumi.Output.all(outer.object, made[0].object)
    return told.apply(lambda objects: _equal(objects, ["a.mp4", "b.mp4"]))


@mocked
def test_what_is_read_in_another_thread() -> Any:
    run = a_run()
    with ThreadPoolExecutor(1) as thread:
        phase = thread.submit(lambda: run.phase).result()
    return phase.apply(lambda told: _equal(told, "running"))


@mocked
def test_it_looks_as_if_all_were_there() -> Any:
    run = a_run()
    shown = vars(run)
    assert "phase" in dir(run)
    assert "phase" in shown
    assert "fase" not in shown
    assert "phase" not in held(run), "nothing was read yet"
    assert len(shown) == len(list(shown)) == len(shown.copy())
    assert shown["phase"] is run.phase
    del run.phase
    assert not hasattr(run, "phase")
    return run.urn


def _equal(told: Any, expected: Any) -> None:
    assert told == expected
