"""Where docs/errors.md tells what to do about an error: its short address, with which the text of the error ends. Pure.

What the page does not tell has none: what is wrong with an argument is then told by the text alone, which names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cloud_runs.errors import MissingCredentials, NotReached, Refused, RunsError

PAGE = "docs/errors.md"

_CODES = {
    "InvalidAccessKeyId": ("InvalidAccessKeyId", "SecretidNotExist"),
    "SignatureDoesNotMatch": ("SignatureDoesNotMatch",),
    "ExpiredToken": ("ExpiredToken",),
    "RequestTimeTooSkewed": ("RequestTimeTooSkewed", "SignatureExpired"),
    "NoSuchBucket": ("NoSuchBucket",),
    "PermanentRedirect": ("PermanentRedirect", "TemporaryRedirect", "InvalidHost"),
    "MediaBucketUnBinded": ("MediaBucketUnBinded",),
    "NoSuchKey": ("NoSuchKey", "ResourceNotFound"),
    "SlowDown": ("SlowDown", "TooManyRequests"),
    "EnOS-62103": ("62103",),
}
_HEADINGS = {code: heading.lower() for heading, codes in _CODES.items() for code in codes}


class _Told(NamedTuple):
    """An error that is known by its kind and by its words; the first that fits counts."""

    heading: str
    kind: type[RunsError]
    words: str = ""


_BEFORE_CODES = (  # they tell of a refusal too, which is not what was done wrong
    _Told("adopt_id-of-an-unknown-run", RunsError, "there is no run .* to adopt"),
    _Told("adopt_id-of-a-run-that-does-other-work", RunsError, "does other work: "),
)
_AFTER_CODES = (
    _Told("huawei-dwr-wrong-key-wrong-secret-or-a-clock-that-is-off", Refused, ": 401 APIGW.0301"),
    _Told("huawei-dwr-the-key-lacks-a-right", Refused, ": 403 SYS.0005"),
    _Told("request-has-expired", Refused, "Request has expired"),
    _Told("accessdenied", Refused, ": 403 AccessDenied"),
    _Told("huawei-dwr-unknown-graph-project-or-region", Refused, "does not say which of the three is missing"),
    _Told("huawei-dwr-several-projects-in-a-region", RunsError, "does not say which project is meant"),
    _Told("huawei-a-failed-execution-that-may-not-go-on", RunsError, " failed and was not resumed"),
    _Told("unknown-workflow", Refused, "Check the workflow id: "),
    _Told("huawei-unknown-graph-or-an-account-without-obs-workflows", Refused, "Huawei OBS refused .* 404"),
    _Told("no-key-at-all", MissingCredentials),
    _Told("half-of-a-pair", RunsError, "is set but not "),
    _Told("white-space-came-along-with-a-copied-key", RunsError, "leading or trailing white space"),
    _Told("http-to-another-machine", RunsError, "http:// is accepted for loopback only"),
    _Told("nothing-listens-at-the-endpoint", NotReached, "connection refused"),
    _Told("huawei-dwr-a-region-that-has-none", NotReached, "Huawei DWR was not reached.* cannot be resolved"),
    _Told("the-proxy-refuses", NotReached, "the proxy refused"),
    _Told("the-network-needs-a-proxy-or-the-endpoint-is-misspelt", NotReached, "cannot be resolved"),
    _Told("enos-a-second-run-of-the-flow-in-one-minute", RunsError, "has the trigger minute .* already"),
    _Told("pulumi_skip_checkpoints", RunsError, "with PULUMI_SKIP_CHECKPOINTS"),
    _Told("the-time-is-up", RunsError, "had not ended after "),
    _Told("a-run-failed-as-often-as-max_attempts-allows", RunsError, "failed after [0-9]+ attempts?, and max_"),
    _Told("a-run-still-goes-on-and-if_running-forbids-another", RunsError, "and if_running is 'forbid'"),
    _Told("a-run-failed", RunsError, "did not succeed; the next "),
)

_OF_ARGUMENTS = {
    "is not a bucket in the form name-appid": "bucket-without-the-account-number",
    r"is missing: set the argument, cloud_runs\.Provider\(\w+_region=": "no-region",
    r"is missing: set the argument, cloud_runs\.Provider\(enos_org_id=": "enos-without-an-organization",
    "is not a workflow id": "a-workflows-name-instead-of-its-id",
    "is not the id of a project": "huawei-dwr-what-is-no-projects-id",
    "is the same object as objects": "the-same-object-twice-in-a-fan-out",
    "has no API that cancels": "on_deletecancel-where-no-run-can-be-stopped",
    "has no call by which a run that failed goes on": "rerun_on_failureresume-where-no-run-can-go-on",
    "for a fan-out true fires each object again": "rerun_on_failureresume-of-a-fan-out",
    "a stack reference gives None": "an-output-that-the-other-stack-does-not-have",
    "the option retain_on_delete is refused": "retain_on_delete",
    "delete_before_replace=False is refused": "delete_before_replacefalse",
    "the option import_ is refused": "import_",
    "it would be asked for with other credentials": "a-completion-of-another-providers-run",
}
"""Headings by the words of what is wrong with an argument or an option, which nothing was asked for."""


def heading_of(error: RunsError) -> str:
    """The anchor of the page's heading; empty if it has none for this error."""
    text = str(error).partition("\n")[0]
    code = _HEADINGS.get(error.code, "") if isinstance(error, Refused) else ""
    return _by_words(_BEFORE_CODES, error, text) or code or _by_words(_AFTER_CODES, error, text)


def _by_words(known: Iterable[_Told], error: RunsError, text: str) -> str:
    return next((one.heading for one in known if isinstance(error, one.kind) and re.search(one.words, text)), "")


def with_address(error: RunsError) -> str:
    """The text of an error with its address, which is a line of its own below several lines."""
    return _ended(str(error), heading_of(error))


def of_argument(text: str) -> str:
    """What is wrong with an argument or an option, with its address."""
    return _ended(text, next((found for words, found in _OF_ARGUMENTS.items() if re.search(words, text)), ""))


def _ended(text: str, heading: str) -> str:
    if not heading:
        return text
    if "\n" in text:
        return f"{text}\n  See {PAGE}#{heading}"
    return f"{text.rstrip('.')}. See {PAGE}#{heading}"


def headings() -> set[str]:
    """All that an error may end with."""
    return {*_HEADINGS.values(), *_OF_ARGUMENTS.values(), *(one.heading for one in (*_BEFORE_CODES, *_AFTER_CODES))}
