"""What a preview shows of a change: the lines that have changed, and nothing of ours.

Without details the engine prints all that is on record of a resource. The SDK's host has no way to give it details, so
the answer that it makes of a `diff` is completed (observed with engine v3.259 and SDK 3.272; docs/engine.md). This
leans on the inside of the SDK: if that is not as it is known, nothing is completed, and a preview is longer.

What does NOT happen: the details decide nothing. Whether something is replaced is said by `replaces` alone. But
`replace_on_changes` goes by them, which a transform alone can bring to a resource of ours: so an update gets details
only where objects of a fan-out change, and not where arguments do that fire nothing.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi.output import Unknown
from pulumi.runtime.proto import provider_pb2

from cloud_runs.promise import ledger
from cloud_runs.promise.records import Recorded

TOKEN, ATTEMPTS, WAIT = {"token": "same"}, {"attempts": "same"}, {"wait": "same"}
"""What changes of an intent, or of a wait that is taken up again. No property is called so, and that takes no line: the
run shows what has changed."""

_KINDS = provider_pb2.PropertyDiff
_CODES = {
    "add": (_KINDS.ADD, True),
    "update": (_KINDS.UPDATE, True),
    "same": (_KINDS.UPDATE, True),
    "gone": (_KINDS.DELETE, False),  # of what is on record, and not of what the program says
}
_FEW = 2  # objects that are shown with what has failed, which takes five lines each
_said = threading.local()  # the host answers a `diff` in the thread that has asked for it


def objects(run: Recorded, wanted: Any, again: Sequence[str]) -> dict[str, str]:
    """The paths of what changes of a fan-out: objects that are added, that go, and that are tried or fired again. A
    part of what is on record cannot be shown as going: the engine would show that the whole goes."""
    if isinstance(wanted, Unknown) or any(isinstance(key, Unknown) for key in wanted or ()):
        return {}
    listed = list(wanted or ())
    paths = {f"{ledger.OBJECTS}[{index}]": "add" for index, key in enumerate(listed) if not _has(run, key)}
    if not set(listed) >= {*run.ids, *run.refused}:
        paths = {ledger.OBJECTS: "update"}
    paths |= {ledger.REFUSED: "gone"} if run.refused else {}
    few = 0 < len(again) <= _FEW  # the row names the others as well
    paths |= {ledger.FAILED: "gone"} if few and set(again) == set(run.failed) else {}
    return paths or (dict(ATTEMPTS) if again else {})


def changed(names: Iterable[str]) -> dict[str, str]:
    """The paths of arguments and triggers (`triggers.KEY`)."""
    return {_path(*name.partition(".")): "update" for name in names}


def _has(run: Recorded, key: str) -> bool:
    return key in run.ids or key in run.refused


def _path(root: str, dot: str, key: str) -> str:
    """The engine takes no backslash in a path for itself, so such a key is shown with its neighbours."""
    return f'{root}["{key}"]' if dot and not {'"', "\\"} & set(key) else root


def shows(paths: Mapping[str, str]) -> None:
    """What the `diff` shows that returns now: right before that, so that no other answer of this thread gets it."""
    _said.paths = dict(paths)


class _Stand:
    """In the place of something of the SDK, of which all that is not said here holds."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Proto(_Stand):
    """The SDK's messages, and in the place of one of them what completes it."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.DiffResponse = _Completed(real.DiffResponse)


class _Completed(_Stand):
    def __call__(self, **fields: Any) -> Any:
        paths, _said.paths = getattr(_said, "paths", None), None
        if paths is not None and fields.get("changes") == self._real.DIFF_SOME:
            details = {path: _KINDS(kind=_CODES[kind][0], inputDiff=_CODES[kind][1]) for path, kind in paths.items()}
            fields |= {"detailedDiff": details, "hasDetailedDiff": True}
        return self._real(**fields)


@functools.cache
def install() -> None:
    """Once in a host. In a program, or a test, there is no host."""
    host = sys.modules.get("__main__")
    proto = getattr(host, "proto", None)
    if hasattr(host, "DynamicResourceProviderServicer") and hasattr(proto, "DiffResponse"):
        host.proto = _Proto(proto)  # type: ignore[union-attr]  # its module is there
