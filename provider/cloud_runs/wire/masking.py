"""Secrets that a server sends back never come out: one place that makes told texts fit to be shown.

A server may send back what it was sent, whole or cut, and written in another way; error texts and outputs end in logs
of pipelines and in states. What decides (ids, objects, inputs) is compared as it was told and is not touched here.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from cloud_runs.runs import RunStatus, Task, Workflow
from cloud_runs.wire.settings import Credentials

SHOWN = "***"
PIECE = 8
"""So many characters of a secret in a row are masked; fewer tell too little, and are found in any text by chance."""
DISTINCT = 4
"""A piece with fewer different characters, as a row of zeros, is found in any text as well."""
_MOST = 16_384  # characters of one text that are looked at; what is shown of it is far shorter
_TOKENS = 8  # access tokens that are remembered
_WORD, _WORDS = 100, 1000  # the longest text that is remembered to be fine, and how many of them
_PASSES = 3  # what is escaped may be escaped again

_ESCAPED = re.compile(
    r"%(?P<percent>[0-9A-Fa-f]{2})|&#x(?P<hex>[0-9A-Fa-f]{1,6});|&#(?P<number>[0-9]{1,7});|&(?P<name>amp|lt|gt|quot|apos);"
    r"|\\u(?P<code>[0-9A-Fa-f]{4})|\\(?P<plain>[/\"'\\])",
    re.IGNORECASE,
)
_NAMES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class Masker:
    """Knows a key pair, its token, and the access tokens of late. Safe for threads.

    `signature`: what a signature looks like, which is no secret but is not told either.
    """

    def __init__(self, credentials: Credentials, signature: re.Pattern[str]) -> None:
        self._signature = signature
        self._own = [_Secret(value) for value in (credentials.token, credentials.secret, credentials.id) if value]
        self._learned: deque[_Secret] = deque(maxlen=_TOKENS)
        self._fine: set[str] = set()
        """Texts in which none of them is."""

    def __repr__(self) -> str:
        return "Masker()"

    def learn(self, secret: str) -> None:
        """A secret that came later: an access token."""
        if secret and all(secret != known.value for known in self._learned):
            self._learned.append(_Secret(secret))
            self._fine = set()

    def text(self, told: str) -> str:
        """The same without secrets, whole or in pieces, and without signatures."""
        fine = self._fine
        if told in fine:  # the words of a service are few
            return told
        told = told[:_MOST]
        plain, places = _unescaped(told)
        covered = bytearray(len(plain))
        for secret in (*self._own, *self._learned):
            secret.cover(plain, covered)
        for found in self._signature.finditer(plain):
            covered[found.start() : found.end()] = b"\1" * (found.end() - found.start())
        if not any(covered):
            if len(told) <= _WORD and len(fine) < _WORDS:
                fine.add(told)
            return told
        parts, at = [], 0
        for index, hidden in enumerate(covered):
            if hidden:
                begin, end = places[index]
                if begin > at or not index or not covered[index - 1]:
                    parts += [told[at:begin], SHOWN]
                at = max(at, end)
        return "".join([*parts, told[at:]])

    def status(self, status: RunStatus) -> RunStatus:
        """A run as it may be shown. `request` stays as it was told, since it is compared."""
        text = self.text
        return replace(
            status,
            state=text(status.state),
            code=text(status.code),
            message=text(status.message),
            request_id=text(status.request_id),
            tasks=tuple(_task(task, text) for task in status.tasks),
            executions={text(state): count for state, count in status.executions.items()},
        )

    def workflow(self, workflow: Workflow) -> Workflow:
        """A workflow as it may be shown; its id is the one that was asked for."""
        text = self.text
        return replace(
            workflow,
            name=text(workflow.name),
            state=text(workflow.state),
            lacks=tuple(map(text, workflow.lacks)),
            remark=text(workflow.remark),
        )


def _task(task: Task, text: Callable[[str], str]) -> Task:
    return Task(
        text(task.name),
        text(task.type),
        text(task.state),
        text(task.code),
        text(task.message),
        tuple(map(text, task.objects)),
    )


class _Secret:
    """One secret and the ways in which it may be written."""

    def __init__(self, value: str) -> None:
        self.value = value
        written = [value, *_in_base64(value.encode())]
        pieces = {form[at : at + PIECE] for form in written for at in range(len(form) - PIECE + 1)}
        self._pieces = {piece for piece in pieces if len(set(piece)) >= DISTINCT}

    def cover(self, text: str, covered: bytearray) -> None:
        """Marks what is of this secret."""
        at = text.find(self.value)
        while at >= 0:  # a short one is found too
            covered[at : at + len(self.value)] = b"\1" * len(self.value)
            at = text.find(self.value, at + 1)
        for at in range(len(text) - PIECE + 1):
            if text[at : at + PIECE] in self._pieces:
                covered[at : at + PIECE] = b"\1" * PIECE


def _in_base64(value: bytes) -> list[str]:
    """What base64 makes of a value within a longer one: the digits that depend on it alone, at each alignment."""
    forms = []
    for before in range(3):
        text = base64.b64encode(bytes(before) + value).decode().rstrip("=")
        whole = len(bytes(before) + value) * 8 // 6  # digits that no byte after it changes
        inner = text[(before * 8 + 5) // 6 : whole]
        forms += [inner, inner.replace("+", "-").replace("/", "_")]
    return forms


def _unescaped(told: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without escapes, and for each of its characters where it stands in what was told."""
    text, places = told, [(at, at + 1) for at in range(len(told))]
    for _ in range(_PASSES):
        if not _ESCAPED.search(text):
            break
        parts: list[str] = []
        new: list[tuple[int, int]] = []
        at = 0
        for found in _ESCAPED.finditer(text):
            parts += [text[at : found.start()], _meant(found)]
            new += [*places[at : found.start()], (places[found.start()][0], places[found.end() - 1][1])]
            at = found.end()
        text, places = "".join([*parts, text[at:]]), [*new, *places[at:]]
    return text, places


def _meant(found: re.Match[str]) -> str:
    """One character."""
    if name := found["name"]:
        return _NAMES[name.lower()]
    if plain := found["plain"]:
        return plain
    digits = found["percent"] or found["hex"] or found["code"]
    number = int(digits, 16) if digits else int(found["number"])
    return chr(number) if number < 0x110000 else "?"
