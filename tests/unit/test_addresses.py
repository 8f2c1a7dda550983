"""What an error ends with is there, and is where the page tells of it."""

from __future__ import annotations

import re

import pytest

from cloud_runs import addresses
from cloud_runs.errors import MissingCredentials, NotFound, NotReached, Refused, RunsError, Unavailable
from tests.support.stack import ROOT

ENGLISH = (ROOT / addresses.PAGE).read_text()
TOLD = re.findall(r"^### (.+)\n\n(`+)(.*?)\2$", ENGLISH, re.MULTILINE)


def anchor(heading: str) -> str:
    """As GitHub and mkdocs make it."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def test_every_address_exists_once() -> None:
    there = [anchor(heading) for heading, _, _ in TOLD]
    assert len(there) == len(set(there))
    assert addresses.headings() <= set(there)


def test_what_the_page_shows_ends_with_the_address_of_its_own_heading() -> None:
    """Of a service's answer its status and its code are known as well; no answer has come of an argument."""
    for heading, _, text in TOLD:
        said, _, address = text.partition(f" See {addresses.PAGE}#")
        assert address in ("", anchor(heading))
        refused = re.search(r"refused .*?: (\d+)\b(?: ([\w.]+))?", said)
        error = NotReached(said) if "was not reached" in said else RunsError(said)
        if "credentials: set" in said:
            error = MissingCredentials(said)
        elif refused:
            error = Refused(said, status=int(refused[1]), code=refused[2] or "")
        told = addresses.heading_of(error)
        if " has a problem: " in said or not told:
            told = addresses.of_argument(said).partition(f"See {addresses.PAGE}#")[2]
        assert told == address, text


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (
            Refused("Tencent CI refused POST /x", status=403, code="AccessDenied", hint="Check the key."),
            "#accessdenied",
        ),
        (Refused("x", status=404, code="ResourceNotFound"), "#nosuchkey"),
        (Refused("x", status=400, code="InvalidArgument", hint="Check the workflow id: it must"), "#unknown-workflow"),
        (MissingCredentials("no Huawei Cloud credentials: set a"), "#no-key-at-all"),
        (RunsError("there is no run i1 to adopt; nothing was fired. x: 404 NoSuchKey"), "#adopt_id-of-an-unknown-run"),
        (
            RunsError("the run did not succeed; the next `pulumi up`\n  one: failed"),
            "  See docs/errors.md#a-run-failed",
        ),
    ],
)
def test_an_error_ends_with_its_address(error: RunsError, ends: str) -> None:
    text = addresses.with_address(error)
    assert text.endswith(ends)
    assert text.startswith(str(error).rstrip("."))


@pytest.mark.parametrize(
    "error",
    [RunsError("something else"), Unavailable("no answer"), NotFound("x", status=404), NotReached("TLS failed")],
)
def test_what_the_page_does_not_tell_has_none(error: RunsError) -> None:
    assert addresses.with_address(error) == str(error)
