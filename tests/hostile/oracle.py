"""What must hold whatever a service says. Written without the code it judges."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from cloud_runs.errors import NotReached, Refused, RunsError, UnknownOutcome
from cloud_runs.promise.statuses import outputs_of
from cloud_runs.runs import Found, RunStatus, Started, Workflow

# What a terminal obeys or what turns text round: controls, format characters, halves of characters.
UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
LONGEST_ID = 1024
# Codes that say by themselves that nothing ran, with any status: throttled, or a key or flow that was refused before.
SAYS_NO = re.compile(
    rb"SlowDown|SYS\.0011|SYS\.0008|ServiceNotImplemented|\b(?:6210[1-4]|100[1-4]|120[2-4]|401[12]|429)\b"
)
EXPIRED = re.compile(rb"\b(?:120[34]|401[12])\b")


def fit(text: str) -> None:
    assert not UNFIT.search(text), f"not fit for a terminal: {text!r}"


def an_error(error: RunsError, secrets: Collection[str]) -> None:
    text = str(error)
    fit(text)
    assert len(text) < 4000, len(text)
    assert not [secret for secret in secrets if secret in text], text


def a_result(value: Any, secrets: Collection[str]) -> None:
    """What ends in outputs can be shown, and written into a state."""
    if isinstance(value, Started):
        an_id(value.id)
        _plain({"id": value.id, "state": value.state, "request_id": value.request_id, **value.details})
    elif isinstance(value, Found):
        for candidate in value.candidates:
            an_id(candidate.id)
    elif isinstance(value, RunStatus):
        _plain({**outputs_of(value), "request_id": value.request_id, "executions": dict(value.executions)})
        _encodable(dict(value.request))  # kept as told, since it is compared; what is shown of it is made fit there
    elif isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            if isinstance(item, RunsError):
                an_error(item, secrets)
            else:
                a_result(item, secrets)
    elif isinstance(value, Workflow):
        _plain(asdict(value))
        assert not [secret for secret in secrets if secret in json.dumps(asdict(value))], value
    elif isinstance(value, str):
        fit(value)
    else:
        assert value is None or isinstance(value, int), value


def an_id(id: str) -> bool:
    """Opaque, but it can be shown, and asked for."""
    fit(id)
    assert id.strip() not in ("", ".", ".."), id
    assert len(id) <= LONGEST_ID, len(id)
    return True


def a_start(outcome: Any, answered: list[tuple[int, bytes]]) -> None:
    """At most once on the wire, and "nothing ran" only if the service said so, or never got the request.

    `answered`: status and body of what was said to each start request, in order; status 0 if none was sent that can be
    read, so that the service may have done anything.
    """
    assert len(answered) <= 1 or (len(answered) == 2 and EXPIRED.search(_ascii(answered[0][1]))), answered
    if not answered:
        assert isinstance(outcome, RunsError), outcome
        # On a busy machine the time is over before the service has read what was sent.
        assert not isinstance(outcome, UnknownOutcome) or "no answer in time" in str(outcome), outcome
        return
    status, body = answered[-1]
    if isinstance(outcome, Started):
        assert 200 <= status < 300, answered
    elif isinstance(outcome, (Refused, NotReached)):
        assert isinstance(outcome, Refused), outcome
        by_status = 300 <= status < 500 and status != 408
        assert by_status or SAYS_NO.search(_ascii(body)), (answered, outcome)
    else:
        assert isinstance(outcome, UnknownOutcome), outcome


def _ascii(body: bytes) -> bytes:
    return body.replace(b"\0", b"")  # also of UTF-16 and UTF-32


def _plain(value: Any) -> None:
    _encodable(value)
    for text in _texts(value):
        fit(text)


def _encodable(value: Any) -> None:
    json.dumps(value, allow_nan=False).encode()
    for text in _texts(value):
        text.encode()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for pair in value.items() for item in pair for text in _texts(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item)]
    assert value is None or isinstance(value, (bool, int, float)), value
    assert not isinstance(value, float) or math.isfinite(value), value
    return []
