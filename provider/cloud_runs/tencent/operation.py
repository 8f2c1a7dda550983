"""`operation` of an inventory job: its check, and how it is sent. Pure.

Source: https://www.tencentcloud.com/document/api/1045/50369 (type Job).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud_runs.checks import NOT_CARRIED, Problem, Text, kind_of, known, missing, unfit

OWN = {"WorkflowIds": "workflow_ids", "TimeInterval": "time_interval"}
"""Elements that are arguments of their own."""

_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML cannot carry them
_TAG = Text("the kind of job, for example Transcode", longest=128)
_CHOICES = {"JobLevel": ("0", "1", "2"), "CallBackFormat": ("JSON", "XML"), "CallBackType": ("Url", "TDMQ", "Kafka")}
_PATTERNS = {
    "CallBack": (r"https?://\S+", "an http or https address"),
    "UserData": (r"[ -~]{1,1024}", "at most 1,024 printable ASCII characters"),
}


@dataclass(frozen=True)
class Operation:
    expected: str = "a mapping with at least tag"

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if not isinstance(value, Mapping) or NOT_CARRIED in value:
            yield name, f"must be {self.expected}, not {kind_of(value)}"
        elif reason := unfit(value):
            yield name, reason
        elif known(value):
            try:
                yield from _problems(name, elements(value))
            except ValueError as error:
                yield name, str(error)


def _problems(name: str, sent: Mapping[str, Any]) -> Iterator[Problem]:
    if not _clean(sent):
        yield name, "has control characters"
    own = [element for element in OWN if element in sent]
    yield from ((f"{name}.{element}", f"use the argument {OWN[element]}") for element in own)
    tag = f"{name}.Tag"
    yield from _TAG.problems(tag, sent["Tag"]) if "Tag" in sent else [missing(tag, _TAG.expected)]
    for element, choices in _CHOICES.items():
        if sent.get(element) not in (None, *choices):
            yield f"{name}.{element}", f"must be {', '.join(choices[:-1])} or {choices[-1]}, not {sent[element]!r}"
    for element, (pattern, expected) in _PATTERNS.items():
        if sent.get(element) and not re.fullmatch(pattern, str(sent[element])):
            yield f"{name}.{element}", f"must be {expected}"


def elements(value: Any) -> Any:
    """A nested mapping with the vendor's element names: `job_param` is sent as `JobParam`, `JobParam` as it is.

    Raises ValueError for what is no name, and for an element that is given twice.
    """
    if isinstance(value, Mapping):
        named: dict[str, Any] = {}
        for key, item in sorted(value.items()):
            if not _ELEMENT.fullmatch(key):
                raise ValueError(f"{key!r} is not an element name")
            element = key if key[0].isupper() else "".join(part[:1].upper() + part[1:] for part in key.split("_"))
            if element in named:
                raise ValueError(f"{element} is given twice")
            if item is not None:
                named[element] = elements(item)
        return named
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [elements(item) for item in value if item is not None]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():  # the engine hands whole numbers over as floats
        return str(int(value))
    return str(value)


def _clean(value: Any) -> bool:
    """Whether no text in it has a control character, line breaks and tabs apart."""
    if isinstance(value, Mapping):
        return all(map(_clean, value.values()))
    if isinstance(value, list):
        return all(map(_clean, value))
    return not _CONTROL.search(str(value))
