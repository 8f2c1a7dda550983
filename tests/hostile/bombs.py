"""`python -m tests.hostile.bombs [NAME...] [--calls CALL...]`: the largest answers that the transport lets through.

Prints the peak of this process's memory in MiB after each, and fails if it is more than MOST. A process of its own,
since the peak cannot be put back.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from requests.structures import CaseInsensitiveDict

from cloud_runs.errors import RunsError
from cloud_runs.wire.payloads import PARTS
from cloud_runs.wire.transport import BODY_BYTES, Answer
from tests.hostile import answers, systems
from tests.kits import KITS

MOST = 400  # MiB; the imports take 55, and a deep XML of 8 MiB took 1,000 before there was a limit on its parts


class _Size:
    """How large a bomb is: as many bytes as a body may have, or as many parts as are read."""

    bytes = BODY_BYTES
    parts = BODY_BYTES


def _count(begin: bytes, item: bytes, end: bytes) -> int:
    marks = sum(item.count(mark) for mark in (b"<", b"=", b"{", b"[", b","))
    return min((_Size.bytes - len(begin) - len(end)) // len(item), (_Size.parts - 20) // max(1, marks))


def filled(begin: bytes, item: bytes, end: bytes = b"") -> bytes:
    return begin + item * _count(begin, item, end) + end


def nested(opened: bytes, closed: bytes) -> bytes:
    depth = _count(b"", opened + closed, b" " * 100)
    return opened * depth + closed * depth


def numbered(begin: bytes, item: str, end: bytes) -> bytes:
    """Items with a number each, so that none of them is like another."""
    count = _count(begin, (item % 10**7).encode(), end)
    return begin + "".join(item % number for number in range(10**7 - count, 10**7)).encode() + end


ENTITIES = (
    b"<!DOCTYPE r ["
    + b'<!ENTITY e0 "ha">'
    + b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 30))
    + b"]><Response><InstanceId>&e29;</InstanceId><JobsDetail>&e29;</JobsDetail></Response>"
)
QUADRATIC = (
    b'<!DOCTYPE r [<!ENTITY e "'
    + b"x" * 100_000
    + b'">]><Response><InstanceId>'
    + b"&e;" * 100_000
    + b"</InstanceId></Response>"
)
XML: dict[str, Callable[[], bytes]] = {
    "entities": lambda: ENTITIES,
    "quadratic-entities": lambda: QUADRATIC,
    "deep-xml": lambda: filled(b"<Response>", b"<a>"),
    "whole-deep-xml": lambda: b"<Response>" + nested(b"<a>", b"</a>") + b"</Response>",
    "siblings-xml": lambda: filled(b"<Response><JobsDetail>", b"<a/>", b"</JobsDetail></Response>"),
    "names-xml": lambda: numbered(b"<Response>", "<a%d/>", b"</Response>"),
    "attributes-xml": lambda: numbered(b"<Response ", "a%d='' ", b"/>"),
    "rows-xml": lambda: numbered(
        b"<Response>",
        "<WorkflowExecutionList><RunId>%d</RunId><Object>test.mp4</Object></WorkflowExecutionList>",
        b"</Response>",
    ),
    "jobs-xml": lambda: numbered(
        b"<Response>", "<JobsDetail><JobId>%d</JobId><Name>demo</Name></JobsDetail>", b"</Response>"
    ),
    "tasks-xml": lambda: filled(
        b"<Response><WorkflowExecution><State>Failed</State>", b"<Tasks><State>Failed</State></Tasks>",
        b"</WorkflowExecution></Response>",
    ),
    "workflows-xml": lambda: numbered(
        b"<Response><JobsDetail><State>Success</State><Operation><WorkflowIds>", "%d,",
        b"</WorkflowIds></Operation></JobsDetail></Response>",
    ),
    "text-xml": lambda: filled(b"<Response><InstanceId>", b"x", b"</InstanceId></Response>"),
    "ids-xml": lambda: filled(b"<", b"<InstanceId>x</InstanceId><JobId>x</JobId>"),
}  # fmt: skip
JSON: dict[str, Callable[[], bytes]] = {
    "deep-json": lambda: filled(b"", b"["),
    "deep-objects": lambda: filled(b"", b'{"a":'),
    "siblings-json": lambda: filled(b'{"execution_info":{"state_map":{"a":[', b"[],", b"1]}}}"),
    "names-json": lambda: numbered(b'{"execution_info":{"state_map":{', '"%d":{},', b'"a":1}}}'),
    "number": lambda: filled(b'{"status":', b"9", b"}"),
    "float": lambda: filled(b'{"status":0.', b"9", b"}"),
    "strings": lambda: filled(b'{"status":0,"data":"', b"\\u0000", b'"}'),
    "rows-json": lambda: numbered(
        b'{"is_truncated":false,"executions":[', '{"execution_name":"e%d"},', b'{"execution_name":"x"}]}'
    ),
    "instances": lambda: numbered(
        b'{"status":0,"data":{"count":9,"flowInsts":[', '{"instanceId":"3377-%d"},', b'{"instanceId":"1"}]}}'
    ),
    "graphs": lambda: filled(b"{", b'"graph":"{}"', b""),
    "ids-json": lambda: filled(b"{", b'"flowInstanceId":"x","execution_name":"x",'),
    "blanks": lambda: filled(b'{"execution_name"', b" ", b""),
    "nested-text": lambda: filled(b'{"execution_info":{"input":"', b"[", b'"}}'),
}
ALL = {**XML, **JSON}


class Bomb:
    """In place of a transport: the body is the answer to every request but those for a token."""

    def __init__(self, body: bytes) -> None:
        self._body, self._headers = body, CaseInsensitiveDict[str]()

    def read(self, method: str, url: str, **kwargs: Any) -> Answer:
        if "token" in url:
            return Answer(200, self._headers, answers.written(*answers.good("POST /apim-token-service")))
        return Answer(200, self._headers, self._body)

    start = read


def detonate(name: str, calls: list[str]) -> None:
    body = ALL[name]()
    for system in KITS:
        if (name in XML) != (KITS[system].good[0][1] == "xml") and name not in ("number", "deep-json"):
            continue
        for call, make in systems.operations(system).items():
            if not calls or call in calls:
                # A start or a question whose answer cannot be read is an error of ours; one that can be is a result.
                with contextlib.suppress(RunsError):
                    make(systems.client(system, Bomb(body)))


def peak() -> int:
    """MiB. Not `ru_maxrss`, which a child takes over from its parent."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.bombs")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--calls", nargs="*", default=[], help="these calls alone, for example start")
    given = parser.parse_args()
    # A violation should be an error here rather than the end of the machine.
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
    for parts in (_Size.bytes, PARTS):
        _Size.parts = parts
        for name in given.names or ALL:
            detonate(name, given.calls)
            print(peak(), name, flush=True)
            if peak() > MOST:
                sys.exit(f"more than {MOST} MiB")


if __name__ == "__main__":
    main()
