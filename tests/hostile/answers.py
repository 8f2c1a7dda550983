"""Answers of a hostile service: good ones, and what a source of random choices makes of them."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from tests.kits import KITS
from tests.kits.kit import ACCESS, KEY, RUN, SECRET, TOKEN, Good

GOOD: list[Good] = [good for kit in KITS.values() for good in kit.good]
"""Beginnings of request lines, and what a healthy service says."""

TEXTS = [
    "", " ", "x", "0", "-1", ".", "..", "a/../b", "a%2e%2e%2f", "x\r\nHost: evil.example",
    "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "\u202egnp.exe\u2066\u200f\u061c\ufeff", "\x00\x7f\x85\u2028", "{source}{0}%s%(x)s", "中文/é~",
    "\U000e0041\U0001f600",
    "9" * 400, "1e999", "-", "0001-01-01T00:00:00+1400", "9999-12-31T23:59:59-1200", "2022-02-30T25:61:61Z",
    "2019-11-22 09:23:44", "9999-12-31 23:59:59", "0001-01-01 00:00:00", "Success", "Failed", "CANCEL", "timeout",
    f"{KEY} {SECRET} {TOKEN} {ACCESS}", "q-signature=abc&q-ak=x", "f" * 64, "A" * 9000, "[" * 200, '{"a":' * 200,
    "SlowDown", "AccessDenied", "SYS.0011", "SYS.0008", "62103", "1203", "429", "WorkflowExecutionNotFound",
    "Non-exist workflowId", "<a/>", "&x;", "]]>", "w7476ff3564ee45b7b490d64bccaba6cc," * 3, "APICALL", RUN,
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 8, 62102, 62103, 62109, 1203, 1005, 4011, 429, 2**31, 2**63, 10**30, 1.5, 1e308,
    float("inf"), float("nan"), [], {}, [[]], [None], {"": ""}, {"a": {"a": {"a": []}}}, "\ud800", ["x", "x"], [{}, {}],
]  # fmt: skip
NAMES = sorted(
    set(re.findall(r'"([A-Za-z_]+)"', json.dumps([GOOD, "Error", "Code", "Message", "code", "message", "#text"])))
)
ERRORS: list[tuple[str, Any]] = [
    ("xml", {"Error": {"Code": "SlowDown", "Message": "m", "RequestId": "r"}}),
    ("xml", {"Error": {"Code": "InternalError", "Message": "m", "RequestId": "r"}}),
    ("json", {"code": "SYS.0011", "message": "m", "request_id": "r"}),
    ("json", {"error_code": "SYS.0001", "error_msg": "m"}),
    ("json", {"status": 62109, "msg": "m", "data": None}),
    ("json", {"apim_status": 4011, "apim_message": "m"}),
]
ODD = [
    b"", b" ", b"\xff\xfe<", b"<", b"{", b"null", b"[]", b'"x"', b"0", b"NaN", b"1" * 5000, b"<html>504</html>",
    b"\x1f\x8b",
    b'<?xml version="1.0" encoding="zlib"?><Response/>', b'<?xml version="1.0" encoding="utf-16"?><Response/>',
    b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z SYSTEM "file:///etc/passwd">]><Response><InstanceId>&x;&z;</InstanceId>'
    b"</Response>",
    b"[" * 5000, b'{"a":' * 5000, b"<a>" * 5000, b"<Response>" + b"<a/>" * 5000, b"<a " + b"b='c' " * 500 + b"/>",
]  # fmt: skip


def good(line: str) -> tuple[str, Any]:
    """Kind and content of a healthy answer to a request line."""
    return next((kind, content) for begin, kind, content in GOOD if line.startswith(begin))


def written(kind: str, content: Any) -> bytes:
    if kind == "xml":
        return _xml(content).encode("utf-8", "surrogatepass")
    return json.dumps(content).encode()


def content(r: Random, line: str) -> bytes:
    """A body that a hostile service could send for this request line."""
    if r.random() < 0.1:
        return r.choice(ODD)
    kind, told = good(line) if r.random() < 0.8 else r.choice(ERRORS)
    for _ in range(r.choice([0, 1, 1, 2, 3, 8])):
        told = _changed(r, told, 6)
    if r.random() < 0.05:
        kind = "xml" if kind == "json" and isinstance(told, dict) else "json"
    body = written(kind, told)
    if r.random() < 0.15:
        body = broken(r, body)
    return (
        body.decode("utf-8", "replace").encode(r.choice(["utf-16", "utf-32", "utf-8-sig"]))
        if r.random() < 0.03
        else body
    )


def _changed(r: Random, told: Any, depth: int) -> Any:
    """The same with one thing changed somewhere."""
    if depth and isinstance(told, dict) and told and r.random() < 0.85:
        name = r.choice(sorted(told))
        rest = {key: value for key, value in told.items() if key != name}
        how = r.random()
        if how < 0.08:
            return rest
        if how < 0.16:
            return {**rest, r.choice(NAMES): told[name]}
        if how < 0.2:
            return {**told, r.choice(NAMES): _value(r)}
        return {**told, name: _changed(r, told[name], depth - 1)}
    if depth and isinstance(told, list) and told and r.random() < 0.8:
        at = r.randrange(len(told))
        return r.choice(
            [
                lambda: told * (40 if len(told) < 4 else 1),
                lambda: [*told[:at], _changed(r, told[at], depth - 1), *told[at + 1 :]],
            ]
        )()
    return r.choice([lambda: _value(r), lambda: [told, told], lambda: [told], lambda: {r.choice(NAMES): told}])()


def _value(r: Random) -> Any:
    return r.choice(TEXTS) if r.random() < 0.6 else r.choice(VALUES)


def broken(r: Random, body: bytes) -> bytes:
    at = r.randrange(len(body) + 1)
    return r.choice([
        lambda: body[:at],
        lambda: body[at:],
        lambda: body[:at] + bytes(r.randrange(256) for _ in range(r.randrange(1, 9))) + body[at:],
        lambda: body[:at] + r.choice(TEXTS).encode("utf-8", "replace") + body[at:],
        lambda: body + body,
        lambda: body.replace(b"</", b"<", 1),
    ])()  # fmt: skip


def _xml(told: Any, name: str = "") -> str:
    """Elements for a tree of plain values: a list repeats its element, a key that is no name is left out."""
    if isinstance(told, dict):
        inner = "".join(_xml(item, key) for key, item in told.items() if re.fullmatch("[A-Za-z_]+", key))
    elif isinstance(told, list):
        return "".join(_xml(item, name) for item in told)
    else:
        # XML cannot hold control characters; a text with them breaks the answer, which is wanted now and then
        inner = "" if told is None else escape(str(told))
    return f"<{name}>{inner}</{name}>" if name else inner
