"""What an error answer of Tencent CI means, and what a person can do: one table.

Codes: CI error pages (https://cloud.tencent.com.cn/document/product/436/53983 and the numeric list linked from the API
pages), COS error page (https://www.tencentcloud.com/document/product/436/7730). Codes that are not in the table are
reported as they come, without a hint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_runs.errors import NotFound, Refused, Throttled
from cloud_runs.tencent.answers import SUCCESS_CODES, document, mapping, text
from cloud_runs.wire import failures
from cloud_runs.wire.payloads import trouble

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer

_KEY = "Check the key and its permissions; it came from {source}."
_CLOCK = "Set this machine's clock."
_REGION = "Check that bucket {bucket} is in region {region}."
_LIMIT = "Ask Tencent Cloud for a higher limit, or delete what is not used."
_BUG = "This is a bug of the provider or a change of the service; please report it with the request id."

HINTS: Mapping[str, str] = {
    # who asks
    "AccessDenied": "Check the key, and grant it {action} on bucket {bucket}; it came from {source}.",
    "ExpiredToken": "The temporary credentials have expired; get new ones for {source}.",
    "InvalidAccessKeyId": _KEY,
    "SecretidNotExist": _KEY,
    "InvalidAuthorization": _KEY,
    "MissingAuthorization": "A proxy may have removed the Authorization header; check the proxy settings.",
    "SignatureDoesNotMatch": "The secret does not belong to the key; both came from {source}.",
    "SignatureExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "CIRoleNotExist": "Create the role CI_QCSRole in the CAM console, and grant the key cam:PassRole on it.",
    # where
    "NoSuchBucket": "Check the bucket's name with its account number, {bucket}, and the region {region}.",
    "InvalidHost": _REGION,
    "PermanentRedirect": _REGION,
    "TemporaryRedirect": _REGION,
    "MediaBucketUnBinded": "Enable media processing for bucket {bucket} first.",
    "PicBucketUnBinded": "Enable image processing for bucket {bucket} first.",
    "BindedBucketNumLimit": _LIMIT,
    # on what
    "ResourceNotFound": "Check that the input exists in bucket {bucket}.",
    "NoSuchKey": "Check that the input exists in bucket {bucket}.",
    "ResourceAccessDenied": "Let CI_QCSRole read bucket {bucket}.",
    "ResourceDownloadFailed": "Check that the input can be downloaded from bucket {bucket}.",
    "WriteTargetBucketDenied": "Let CI_QCSRole write to the output bucket.",
    "QueueNotFound": "Check the queue id, and that media processing is enabled for bucket {bucket}.",
    "TemplateNotFound": "Check the template ids in region {region}.",
    "WorkFlowNumLimit": _LIMIT,
    "QueueNumLimit": _LIMIT,
    "CreatedTemplateNumLimit": _LIMIT,
    "WorkflowExecutionNotFound": "Check the id, the bucket {bucket} and the region {region}.",
    "NonExistJobIds": "Check the id, the bucket {bucket} and the region {region}.",
    # how
    "InvalidArgument": "Check the arguments that the message names.",
    "InvalidUrl": "Check the addresses among the arguments.",
    "InvalidContent": "Check the arguments: the service cannot read the request made of them.",
    "MissingContent": _BUG,
    "MalformedXML": _BUG,
    "InvalidContentType": _BUG,
    "InvalidURI": _BUG,
    "InvalidRequest": _BUG,
    "MethodNotAllowed": "Check that bucket {bucket} is bound to CI in region {region}.",
    # when
    "SlowDown": "The service limits how often it is asked; try again later.",
    "TooManyRequests": "The service limits how often it is asked; try again later.",
}

# By the status where the code tells nothing.
_STATUS_HINTS: Mapping[int, str] = {
    401: _KEY,
    403: _KEY,
    404: "Check that bucket {bucket} is in region {region} and is bound to CI.",
    429: HINTS["SlowDown"],
}

# An unknown workflow has no documented code; the vendor's Android test knows it by its message. A signature whose time
# is over has the code of a missing right (https://www.tencentcloud.com/document/product/436/40105); ours hold for
# fourteen minutes from now, so that is a slow clock.
_MESSAGE_HINTS: Mapping[str, str] = {
    "Request has expired": "Set this machine's clock: it is a quarter of an hour behind, or more.",
    "Non-exist workflowId": "Check the workflow id: it must belong to bucket {bucket} in region {region}.",
}


@dataclass(frozen=True)
class Failure(failures.Failure):
    """An error answer of Tencent CI. `SlowDown` counts with any status, since the page gives none for CI."""

    THROTTLING = frozenset({"SlowDown"})

    @property
    def unknown_run(self) -> bool:
        return "WorkflowExecutionNotFound" in self.code or self.code == "NonExistJobIds"


@dataclass(frozen=True)
class Context(failures.Context):
    """What hints are made of."""

    bucket: str
    region: str

    table = failures.Table(
        HINTS, _STATUS_HINTS, _REGION, re.compile(r"q-(?:signature|ak|sign-time|key-time)=[^&\s<]*", re.IGNORECASE)
    )

    def refusal(self, what: str, failure: Failure, action: str) -> Refused:
        """For an answer that says no: `Throttled`, `NotFound` or `Refused`. `action` is the CAM action it needs."""
        kind = Throttled if failure.throttled else NotFound if failure.unknown_run else Refused
        by_message = next((hint for part, hint in _MESSAGE_HINTS.items() if part in failure.message), "")
        return self.explained(kind, what, failure, by_message, action=action)


_TROUBLE = re.compile(rb"<[\w:]*(?:err|fault|exception|fail|code|message|msg|reason)", re.IGNORECASE)


def failure(answer: Answer) -> Failure:
    """Reads `Error/{Code,Message,RequestId}` as XML, or a JSON object, or nothing (empty, HTML). Never raises.

    CI's own errors have no `Resource`, which the vendor's Python SDK needs; JSON is what its Go SDK also reads.
    """
    code = message = request_id = ""
    if 200 <= answer.status < 300 and answer.body.lstrip().startswith(b"<") and not _TROUBLE.search(answer.body):
        return Failure(answer.status, "", "", "")  # a long list is not read twice
    root, content = document(answer.body)
    if root in ("Error", "Response"):
        told = mapping(content)
        # A 200 may hold an error all the same, in a form that no page shows.
        error = told if root == "Error" else mapping(told.get("Error")) or told
        code, message = (text(error, name) for name in ("Code", "Message"))
        code, message = ("" if part in SUCCESS_CODES else part for part in (code, message))
        request_id = text(error, "RequestId") or text(told, "RequestId")
        if not code and not message and root == "Response":
            message = trouble(told)
    elif root != "html":
        code, message, request_id = _json_error(answer.body)
    return Failure(answer.status, code, message, request_id or answer.headers.get("x-ci-request-id") or "")


def _json_error(body: bytes) -> tuple[str, str, str]:
    try:
        value = json.loads(body[:65536])
    except (ValueError, RecursionError):
        return "", "", ""
    if not isinstance(value, dict):
        return "", "", ""
    parts = (value.get("code"), value.get("message"), value.get("request_id"))
    code, message, request_id = (part if isinstance(part, str) else "" for part in parts)
    if not code and isinstance(parts[0], int) and abs(parts[0]) < 10**9:
        code = str(parts[0])
    return code, message, request_id
