"""Where in the program a resource was made, as the SDK hands it to the engine."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pulumi.runtime import resource as sdk

from cloud_runs.lifecycle import positions


def made() -> Any:
    """As the SDK does in a registration."""
    with positions.of_the_program():
        return sdk._get_stack_trace()


def test_the_first_position_is_the_line_that_makes_it() -> None:
    lines = [sys._getframe().f_lineno, [frame.pc for frame in made().frames]]
    at, found = lines[0], lines[1]
    assert found[0].uri.endswith("/test_positions.py")
    assert [one.line for one in found[:2]][1] == at, "and where that was called from comes next"
    assert not any("/pulumi/" in one.uri or "/cloud_runs/" in one.uri for one in found)


def test_frames_below_the_program_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs the program, or calls back into it."""
    scope: dict[str, Any] = {"made": made}
    exec(compile("def back():\n    return made()\n", "<frozen runpy>", "exec"), scope)
    exec(compile("def program():\n    return made()\n", "/project/__main__.py", "exec"), scope)
    exec(compile("def runs():\n    return program()\n", "<frozen runpy>", "exec"), scope)
    shown = [(frame.pc.uri.rpartition("/")[2], frame.pc.line) for frame in scope["runs"]().frames]
    assert shown[1:] == [("__main__.py", 2)]
    assert len(scope["back"]().frames) == 1


def test_only_what_is_ours_is_cut_short() -> None:
    """Also after an error, and in a registration within another."""

    def fails() -> None:
        with positions.of_the_program():
            pass
        assert sdk._get_stack_trace().frames, "still inside"
        raise RuntimeError

    with pytest.raises(RuntimeError), positions.of_the_program():
        fails()
    assert len(sdk._get_stack_trace().frames) == 0, "no resource of the SDK is made here"


@pytest.mark.parametrize("name", ["_get_stack_trace", "source_pb2"])
def test_an_sdk_that_does_it_otherwise_is_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delattr(sdk, name)
    before = dict(vars(sdk))
    positions._install()
    assert vars(sdk) == before
