"""What an error answer of OBS workflows means, and what a person can do: one table.

Codes: https://support.huaweicloud.com/api-obs/obs_04_0115.html, table 3 (`SYS.`, the workflow front end) and table 2
(the object store before it). Codes that are not in the table are reported as they come. No code is
documented for a workflow or an execution that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from xml.parsers.expat import ExpatError

import xmltodict

from cloud_runs.errors import NotFound, Refused, Throttled
from cloud_runs.huawei.answers import mapping, parsed, text
from cloud_runs.wire import failures
from cloud_runs.wire.payloads import trouble

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer

KEY = "Check the key and its permissions; it came from {source}."
_EXPIRED = "The temporary credentials have expired; get new ones for {source}."
_RIGHTS = "Grant the key {action} on workflow {graph}; it came from {source}."
_ACCOUNT = "Check the state of the account: bills, restrictions, real-name verification."
_CLOCK = "Set this machine's clock."
_REGION = "Check that bucket and workflow are in region {region}."
_ARGUMENTS = "Check the arguments that the message names."
_AGENCY = "Check in the OBS or DWR console that workflows are authorised: the agency that may run them for you."
_GONE = (
    "Check that region {region} offers OBS workflows: Huawei has closed them to new users in favour of DWR (Data "
    "Workroom), whose requests are others."
)
RETRY = "the right to let failed executions go on (no page names its action; the policy DWR FullAccess has it)"
LATER = "The service limits how often it is asked; try again later."
_THEIRS = "The service has a problem of its own; if it stays, give the request id to Huawei's support."
_BUG = "This is a bug of the provider or a change of the service; please report it with the request id."

FRONT_END: Mapping[str, str] = {  # table 3
    "SYS.0001": _THEIRS,
    "SYS.0003": _GONE,
    "SYS.0004": KEY,
    "SYS.0005": _RIGHTS,
    "SYS.0006": _BUG,
    "SYS.0007": _BUG,
    "SYS.0008": _EXPIRED,
    "SYS.0009": "A proxy may have added headers; check the proxy settings and the length of the security token.",
    "SYS.0010": _ARGUMENTS,
    "SYS.0011": LATER,
    "SYS.0012": "Pass less in inputs.",
    "SYS.0013": "The permissions have changed; get new temporary credentials for {source}.",
    "SYS.0014": "Check the bucket's name, and that it is in region {region}.",
    "SYS.0015": "Check that the object exists in the bucket.",
    "SYS.0016": _THEIRS,
    "SYS.0018": _THEIRS,
    "SYS.0019": _THEIRS,
    "SYS.0020": _THEIRS,
    "SYS.0021": _ACCOUNT,
    "SYS.0022": _ACCOUNT,
    "SYS.0023": _REGION,
    "SYS.0024": _THEIRS,
    "SYS.0025": _THEIRS,
    "SYS.0026": _THEIRS,
    "SYS.0027": _AGENCY,
    "SYS.0028": _AGENCY,
    "SYS.0029": _REGION,
    "SYS.0030": _REGION,
    "SYS.0031": _AGENCY,
    "SYS.0032": _AGENCY,
    "SYS.0033": _AGENCY,
    "SYS.0034": _AGENCY,
    "SYS.0035": _AGENCY,
    "SYS.0036": "Check which project and region the key belongs to; it came from {source}.",
    "SYS.0037": _AGENCY,
    "SYS.0038": _BUG,
    "SYS.0039": _THEIRS,
    "SYS.0040": _THEIRS,
    "SYS.0041": "Check that the inputs are parameters of workflow {graph}, and that those without a default are given.",
    "SYS.0042": _THEIRS,
    "SYS.0043": _THEIRS,
    "SYS.0044": _THEIRS,
}
HINTS: Mapping[str, str] = {
    **FRONT_END,
    # table 2: who asks
    "AccessDenied": _RIGHTS,
    "DeregisterUserId": _ACCOUNT,
    "InArrearOrInsufficientBalance": _ACCOUNT,
    "InvalidAccessKeyId": KEY,
    "NotSignedUp": _ACCOUNT,
    "RequestTimeTooSkewed": _CLOCK,
    "SignatureDoesNotMatch": "The secret does not belong to the key; both came from {source}.",
    "TooManyWrongSignature": "Correct the secret before the next try: the key, from {source}, is locked for a while.",
    "Unauthorized": _ACCOUNT,
    # where
    "FsNotSupport": "Use a bucket that is no parallel file system.",
    "MethodNotAllowed": _GONE,
    "NoSuchBucket": f"Check the bucket's name and region {{region}}. {_GONE}",
    "NoSuchKey": f"Check that the object exists in the bucket. {_GONE}",
    "PermanentRedirect": _REGION,
    "ServiceNotImplemented": _GONE,
    "ServiceNotSupported": _GONE,
    "TemporaryRedirect": _REGION,
    "VirtualHostDomainRequired": f"Check runs:huaweiEndpoint and the region. {_GONE}",
    # how
    "BadRequest": _ARGUMENTS,
    "InvalidArgument": _ARGUMENTS,
    "InvalidRequest": _ARGUMENTS,
    "InvalidRequestBody": _BUG,
    "MissingContentLength": "A proxy may have removed the Content-Length header; check the proxy settings.",
    "MissingRequiredHeader": "A proxy may have removed a header; check the proxy settings.",
    "UnexpectedContent": _BUG,
    # when
    "InternalError": _THEIRS,
    "OperationAborted": "Something else is working on the same resource; try again later.",
    "RequestTimeout": "The connection was too slow; check the network.",
    "ServiceUnavailable": _THEIRS,
    "SlowDown": LATER,
}

# By the status where the code tells nothing.
_STATUS_HINTS: Mapping[int, str] = {
    401: KEY,
    403: KEY,
    404: f"Check that workflow {{graph}} exists in region {{region}}. {_GONE}",
    405: _GONE,
    429: LATER,
    501: _GONE,
}

# A 404 with one of these tells of something else than the run.
_NOT_THE_RUN = frozenset({"SYS.0003", "SYS.0014", "SYS.0015", "NoSuchBucket", "NoSuchKey"})
_UNKNOWN = re.compile(r"not (?:exist|found)|no such|does ?n[o']t exist", re.IGNORECASE)
# Answers with a status of 500 or more that say all the same that nothing was done: the key is checked first, and what
# is not implemented cannot have happened.
_REFUSALS = frozenset({"SYS.0008", "ServiceNotImplemented"})

_UNLISTED = "The code is in none of the service's pages; check workflow {graph}, the bucket and region {region} first."
_UNKNOWN_RUN = "Check the execution's name, the workflow {graph} and the region {region}."

_REQUEST_IDS = ("X-Request-ID", "x-obs-request-id", "x-amz-request-id", "x-oef-request-id")


@dataclass(frozen=True)
class Failure(failures.Failure):
    """An error answer of OBS or of the workflow front end."""

    THROTTLING = frozenset({"SlowDown", "SYS.0011"})

    @property
    def refused(self) -> bool:
        """An explicit "no": nothing ran. A time-out (408) and other errors of the server tell nothing."""
        return super().refused or (self.status >= 500 and self.code in _REFUSALS)

    @property
    def unknown_run(self) -> bool:
        """Whether an answer to `GET /v2/workflowexecutions/NAME` says that there is no such run.

        Read from what is not documented: a 404 of the service itself that does not tell of something else, or a 400
        with an unlisted code that says so in words. A 404 that has neither code nor message is a proxy's.
        """
        if self.status == 404:
            return bool(self.code or self.message) and self.code not in _NOT_THE_RUN
        return self.status == 400 and self.code not in HINTS and bool(_UNKNOWN.search(self.message))


@dataclass(frozen=True)
class Context(failures.Context):
    """What hints are made of."""

    graph: str
    region: str

    table = failures.Table(HINTS, _STATUS_HINTS, _REGION, re.compile(r"\bOBS [^\s:<]+:[^\s<]+"))

    def refusal(self, what: str, failure: Failure, action: str, *, of_a_run: bool = False) -> Refused:
        """For an answer that says no: `Throttled`, `NotFound` (only `of_a_run`) or `Refused`.

        `action` is the IAM action that the request needs (https://support.huaweicloud.com/api-dwr/dwr_07_0050.html).
        """
        unknown = of_a_run and failure.unknown_run
        kind = Throttled if failure.throttled else NotFound if unknown else Refused
        listed = not failure.code or failure.code in self.table.by_code or failure.status in self.table.by_status
        hint = _UNKNOWN_RUN if unknown else "" if listed else _UNLISTED
        return self.explained(kind, what, failure, hint, action=action)


def request_id(answer: Answer) -> str:
    """The pages show `X-Request-ID`; the vendor's SDK reads only the others, so all of them are in use."""
    return next((value for name in _REQUEST_IDS if (value := answer.headers.get(name))), "")


F = TypeVar("F", bound=Failure)

_TROUBLE = re.compile(rb"(?:err|fault|exception|fail|code|message|msg|reason)\w*[\"'>]", re.IGNORECASE)


def failure(answer: Answer) -> Failure:
    return read(answer, Failure)


def read(answer: Answer, made: type[F]) -> F:
    """Reads an error in each of its forms by its first byte, whatever its Content-Type, or nothing. Never raises.

    XML `Error/{Code,Message,RequestId}` (the object store); JSON `code`, `message`, `request_id` (the SDK's parser) or
    `error_code`, `error_msg` (the engine below, DWR), which may be one level deeper, as `{"error": {...}}`.
    """
    found: Mapping[str, Any] = {}
    body = answer.body.lstrip()
    if 200 <= answer.status < 300:
        if not _TROUBLE.search(body):
            return made(answer.status, "", "", "")  # a long list is not read twice
    else:
        body = body[:65536]
    if body.startswith(b"<"):
        found = _xml_error(body)
    elif body.startswith(b"{"):
        found = mapping(parsed(body))
    code, message, id = _parts(found)
    if not code and not message and 200 <= answer.status < 300:
        message = trouble(found)
    elif not code and not message:  # not in a success, where it may be what a run was given or has made
        code, message, id = next((parts for value in found.values() if any(parts := _parts(mapping(value)))), ("",) * 3)
    return made(answer.status, code, message, id or request_id(answer))


def _parts(found: Mapping[str, Any]) -> tuple[str, str, str]:
    """Code, message and request id."""
    code, message, id = (
        next((told for name in names if (told := _told(found, name))), "")
        for names in (
            ("error_code", "errorCode", "Code", "code"),
            ("error_msg", "errorMsg", "Message", "message"),
            ("RequestId", "request_id", "requestId"),
        )
    )
    return code, message, id


def _xml_error(body: bytes) -> Mapping[str, Any]:
    try:
        return mapping(mapping(xmltodict.parse(body, disable_entities=True)).get("Error"))
    except (ExpatError, ValueError, LookupError, TypeError):
        return {}


def _told(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if isinstance(value, dict):  # an element with attributes
        return text(value, "#text")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        return str(value)
    return text(found, name)
