"""What a run is asked for with, and how runs of the same work are found, for both of the vendor's APIs: their lists do
not tell what a run works on, so that each recent run is looked at once."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from cloud_runs.errors import InvalidConfiguration, NotFound, Unavailable, UnknownOutcome, clean
from cloud_runs.huawei import answers as reading
from cloud_runs.huawei.checked import Row
from cloud_runs.huawei.codes import request_id
from cloud_runs.limits import Limit
from cloud_runs.runs import Candidate, Found, Phase, Started
from cloud_runs.wire.calls import FAN_OUT_PAGES, PAGES, Begun
from cloud_runs.wire.looks import together
from cloud_runs.wire.masking import Masker
from cloud_runs.wire.payloads import moment, time_text

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer

LOOKS = 500  # runs since one intent whose input is asked for; a person cannot tell more apart either
FAN_OUT_LOOKS = 20_000  # the same for a fan-out, which has many runs itself

_BY_EVENT = ("TRIGGERCAL", "TRIGGERCALL")  # one L throughout the pages; the other spelling would be no surprise


@dataclass(frozen=True)
class WorkflowRequest:
    """The body of a start. `object` is sent as it is, with or without a slash; empty `inputs` are left out."""

    bucket: str
    object: str
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> bytes:
        """As the vendor's SDK writes it: UTF-8 that is not escaped. Raises InvalidConfiguration for what JSON cannot
        hold.

        The SDK for OBS sends `"inputs": null` where there are none; the pages call the key optional, so it is left out.
        """
        content: dict[str, Any] = {"bucket": self.bucket, "object": self.object}
        if inputs := _wire(self.inputs):
            content["inputs"] = inputs
        try:
            return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError) as error:  # a lone surrogate is a ValueError too
            raise InvalidConfiguration(f"the arguments cannot be written as JSON ({type(error).__name__})") from None


class Listed(NamedTuple):
    """What a list tells of one run."""

    began: datetime | None
    phase: Phase


class Looked(NamedTuple):
    """What a look at one run tells: `bucket`, `object` and `inputs` that it was started with, as far as told."""

    told: Mapping[str, Any]
    began: datetime | None


def started(begun: Begun, mask: Masker) -> Started:
    """`details`: URN, and time in RFC 3339, as far as the answer tells them."""
    began = time_text(reading.text(begun.content, "started_at"))
    urn = clean(mask.text(reading.text(begun.content, "execution_urn")), 500)
    id = clean(mask.text(request_id(begun.answer)), 100)
    details = {"execution_urn": urn, "created_at": began, "started_at": began}
    return Started(begun.id, begun.at, request_id=id, details=details)


def resumed(api: str, begun: Begun, id: str, mask: Masker) -> Started:
    """The answer to a call that lets a run go on, which keeps its name. Raises UnknownOutcome if it is of another."""
    if begun.id != id:
        told = clean(mask.text(begun.id), 100)
        raise UnknownOutcome(f"{api} was asked to let run {clean(id, 100)} go on, and its answer is about run {told}.")
    return Started(id, begun.at, request_id=clean(mask.text(request_id(begun.answer)), 100))


_Of = Callable[[Mapping[str, Any]], Iterable[tuple[str, WorkflowRequest]]]
"""The requests that a run may be of, with their keys, by what is told of its own."""


class Finding(ABC):
    """`find` of a client, and its sisters for a fan-out."""

    api: str
    _graph: str

    @abstractmethod
    def _list(self, since: datetime, pages: int, limit: Limit) -> Iterator[tuple[Answer, list[Row]]]:
        """Pages of the list, which has all that began since then. Raises Refused or Unavailable."""

    @abstractmethod
    def _id(self, row: Row) -> str:
        """Raises Unavailable for a row that names no run."""

    @abstractmethod
    def _looked(self, id: str, limit: Limit) -> Looked:
        """Raises NotFound, Refused or Unavailable."""

    @cached_property
    def _compared(self) -> dict[str, Looked]:
        """What runs were started with; it stays what it was, so there is no need to ask again."""
        return {}

    def find(self, request: WorkflowRequest, since: datetime, limit: Limit) -> Found:
        """Runs of the workflow that the API started, and that may be of this request.

        A run counts unless it surely is another's: one whose time or input cannot be read counts too.
        """
        return self._find(lambda told: [("", request)], since, LOOKS, PAGES, limit)

    def find_each(self, requests: Mapping[str, WorkflowRequest], since: datetime, limit: Limit) -> Found:
        """The list tells no object, so each run since then is asked for once."""
        by_object: dict[str, list[tuple[str, WorkflowRequest]]] = {}
        for key, request in requests.items():
            for form in {request.object.lstrip("/"), unquote(request.object).lstrip("/")}:
                by_object.setdefault(form, []).append((key, request))

        def of(told: Mapping[str, Any]) -> Iterable[tuple[str, WorkflowRequest]]:
            if "object" not in told:  # it may be of any of them
                return requests.items()
            forms = {told["object"].lstrip("/"), unquote(told["object"]).lstrip("/")}
            return dict(pair for form in forms for pair in by_object.get(form, ())).items()

        return self._find(of, since, FAN_OUT_LOOKS, FAN_OUT_PAGES, limit)

    def find_any(self, request: WorkflowRequest, since: datetime, limit: Limit) -> Found:
        def of(told: Mapping[str, Any]) -> Iterable[tuple[str, WorkflowRequest]]:
            return [("", replace(request, object=told.get("object", "")))]

        return self._find(of, since, FAN_OUT_LOOKS, FAN_OUT_PAGES, limit)

    def _since(
        self, since: datetime, most: int, pages: int, limit: Limit
    ) -> tuple[Mapping[str, Listed], datetime | None]:
        """The runs that the API started, by id, and the server's time. Raises Unavailable for more than `most`."""
        suspects: dict[str, Listed] = {}
        server_time = None
        for answer, rows in self._list(since, pages, limit):
            server_time = answer.date or server_time
            for row in rows:
                id, began = self._id(row), moment(reading.text(row, "started_at"))
                if _recent(row, began, since):
                    suspects[id] = Listed(began, reading.phase(reading.text(row, "execution_state")))
            if len(suspects) > most:
                raise Unavailable(f"{self.api} cannot compare them all: more than {most} runs of {self._graph} began")
        return suspects, server_time

    def _find(self, of: _Of, since: datetime, most: int, pages: int, limit: Limit) -> Found:
        suspects, server_time = self._since(since, most, pages, limit)
        looks = together(lambda id: self._looked(id, limit), [id for id in suspects if id not in self._compared], limit)
        found = []
        for id, (began, phase) in suspects.items():
            look = self._compared.get(id) or looks[id]
            if isinstance(look, NotFound):  # listed all the same
                look = Looked({}, None)
            elif isinstance(look, Exception):
                raise look
            told = look.told
            if told:
                self._compared[id] = look
            began = began or look.began
            if began is None or began >= since.replace(microsecond=0):
                found += [
                    Candidate(id, began, exact=_exact(request, told), key=key, phase=phase)
                    for key, request in of(told)
                    if not any(differences(request, told))
                ]
        return Found(tuple(found), server_time)


def _recent(row: Row, began: datetime | None, since: datetime) -> bool:
    """Whether a row of a list may be a run of ours: not of a bucket's event, and not begun before."""
    # whole seconds, since other systems tell no others and the caller's time may come from a `Date`
    old = began is not None and began < since.replace(microsecond=0)
    return not old and reading.text(row, "execution_type").upper() not in _BY_EVENT


def differences(request: WorkflowRequest, told: Mapping[str, Any]) -> Iterator[str]:
    """`bucket`, `object` and `inputs.NAME` that are told and differ."""
    if "bucket" in told and told["bucket"] != request.bucket:
        yield "bucket"
    if "object" in told and not reading.same_object(told["object"], request.object):
        yield "object"
    inputs = told.get("inputs") or {}
    yield from (
        f"inputs.{name}" for name, value in request.inputs.items() if not reading.agrees(value, inputs.get(name))
    )


def _exact(request: WorkflowRequest, told: Mapping[str, Any]) -> bool:
    """Whether all that was asked for is told, and nothing else: a run with other inputs as well is another ask's."""
    return "bucket" in told and "object" in told and set(told.get("inputs") or {}) == set(request.inputs)


def _wire(value: Any) -> Any:
    """The engine makes each number a float and drops what is None: `5` was meant, so `5` is sent and not `5.0`."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _wire(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_wire(item) for item in value]
    return value
