"""`operation` of an inventory job and `attach_param` of a workflow run: their checks, and how they are sent. Pure.

Source: https://www.tencentcloud.com/document/api/1045/50369 (type Job).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud_runs.checks import NOT_CARRIED, Problem, Text, kind_of, known, missing, unfit
from cloud_runs.wire.payloads import as_text

OWN = {"WorkflowIds": "workflow_ids", "TimeInterval": "time_interval"}
"""Elements that are arguments of their own."""
WITH_WORKFLOWS = (
    "QueueId", "UserData", "JobLevel", "CallBack", "CallBackFormat", "CallBackType", "CallBackMqConfig",
)  # fmt: skip
"""What the vendor's Go and Java SDKs can send with type Workflow as well; the pages have it for type Job alone. Not
`CallBackKafkaConfig`, without which no type Kafka: of a batch job it is in the Java SDK alone."""

_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML cannot carry them
TAG = Text("the kind of job, for example Transcode", longest=128)
_CHOICES = {"JobLevel": ("0", "1", "2"), "CallBackFormat": ("JSON", "XML"), "CallBackType": ("Url", "TDMQ", "Kafka")}
_PATTERNS = {
    "CallBack": (r"https?://\S+|no", "an http or https address, or no"),
    "UserData": (r"[ -~]{1,1024}", "at most 1,024 printable ASCII characters"),
}


@dataclass(frozen=True)
class Elements:
    """A mapping of elements with free values at any depth, in snake case or in the vendor's spelling. `only`: these and
    no other; `checks`: of those that are given."""

    expected: str
    only: tuple[str, ...] = ()
    checks: Callable[[Mapping[str, Any]], Iterator[Problem]] = lambda sent: iter(())

    def problems(self, name: str, value: Any) -> Iterator[Problem]:
        if not isinstance(value, Mapping) or NOT_CARRIED in value:
            yield name, f"must be {self.expected}, not {kind_of(value)}"
        elif reason := unfit(value):
            yield name, reason
        elif not value:
            yield name, f"is empty: expected {self.expected}"
        elif known(value):
            try:
                yield from self._problems(name, elements(value))
            except ValueError as error:
                yield name, str(error)

    def _problems(self, name: str, sent: Mapping[str, Any]) -> Iterator[Problem]:
        if not _clean(sent):
            yield name, "has control characters"
        for element in sent:
            if self.only and element not in self.only:
                yield f"{name}.{element}", f"is not known; expected one of {', '.join(self.only)}"
        yield from ((f"{name}.{element}", reason) for element, reason in self.checks(sent))


def _own_checks(sent: Mapping[str, Any]) -> Iterator[Problem]:
    yield from ((element, f"use the argument {OWN[element]}") for element in OWN if element in sent)
    for element, choices in _CHOICES.items():
        if sent.get(element) not in (None, *choices):
            yield element, f"must be {', '.join(choices[:-1])} or {choices[-1]}, not {sent[element]!r}"
    for element, (pattern, expected) in _PATTERNS.items():
        if sent.get(element) and not re.fullmatch(pattern, str(sent[element])):
            yield element, f"must be {expected}"


OPERATION = Elements("a mapping with at least tag", checks=_own_checks)
ATTACH_PARAM = Elements("a mapping with watermark_template_id or watermark", only=("WatermarkTemplateId", "Watermark"))


def fits(kind: str, value: Any) -> Iterator[Problem]:
    """Whether the operation is one of this type of job: it may be left out where the type is Workflow."""
    if kind == "Job" and value is None:
        yield missing("operation", OPERATION.expected)
    if value is None or not known(value) or any(OPERATION.problems("operation", value)):
        return  # which the argument tells
    sent = elements(value)
    if kind == "Job":
        yield from (
            TAG.problems("operation.Tag", sent["Tag"]) if "Tag" in sent else [missing("operation.Tag", TAG.expected)]
        )
    else:
        others = [element for element in sent if element not in WITH_WORKFLOWS]
        yield from ((f"operation.{element}", "is only for type='Job'") for element in others)
        if sent.get("CallBackType") == "Kafka":
            yield "operation.CallBackType", "Kafka is only for type='Job': it needs call_back_kafka_config"


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
    return as_text(value)


def _clean(value: Any) -> bool:
    """Whether no text in it has a control character, line breaks and tabs apart."""
    if isinstance(value, Mapping):
        return all(map(_clean, value.values()))
    if isinstance(value, list):
        return all(map(_clean, value))
    return not _CONTROL.search(str(value))
