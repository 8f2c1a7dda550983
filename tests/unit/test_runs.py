"""Plain values: references that survive any id, phases, times; and texts of servers made fit for a terminal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_runs import errors
from cloud_runs.errors import clean
from cloud_runs.promise.statuses import outputs_of
from cloud_runs.runs import Phase, Reference, RunStatus, Task, rfc3339

HOSTILE = [
    "i6fc78ca77d6011eba0ac52=", "a:b:c", "a/b", "%3A", "%", "a b", "é中😀", "..", "a\nb", "\x00", "?#&=+", "'\"<>",
]  # fmt: skip


def test_a_reference_as_text() -> None:
    reference = Reference("tencent.workflow", "ap-beijing", "media-1250000000", "i6fc78ca77d60")
    assert str(reference) == "tencent.workflow:ap-beijing:media-1250000000:i6fc78ca77d60"
    assert str(Reference("enos.flow", "", "o15/3377", "a:b/c=%~")) == "enos.flow::o15%2F3377:a%3Ab%2Fc%3D%25~"


@pytest.mark.parametrize("id", HOSTILE)
def test_a_hostile_id_comes_back(id: str) -> None:
    reference = Reference("enos.flow", "", "o15/3377", id)
    text = str(reference)
    assert text.count(":") == 3
    assert text.isascii()
    assert text.isprintable()
    assert Reference.parse(text) == reference


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT.filter(bool), TEXT, TEXT, TEXT.filter(bool))
def test_any_reference_comes_back(system: str, region: str, scope: str, id: str) -> None:
    reference = Reference(system, region, scope, id)
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize("text", ["", "a", "a:b:c", "a:b:c:d:e", ":b:c:d", ":::", "https://x/y:z"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="not a run reference"):
        Reference.parse(text)


def test_a_long_text_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="not a run reference") as error:
        Reference.parse("x" * 10_000)
    assert len(str(error.value)) < 400


def test_phases() -> None:
    assert {phase.value for phase in Phase} == {"pending", "running", "succeeded", "failed", "cancelled", "unknown"}
    assert {phase for phase in Phase if phase.terminal} == {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED}


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2022, 6, 27, 7, 23, 10, tzinfo=timezone.utc), "2022-06-27T07:23:10Z"),
        (datetime(2022, 6, 27, 15, 23, 10, tzinfo=timezone(timedelta(hours=8))), "2022-06-27T07:23:10Z"),
        (datetime(2022, 6, 27, 7, 23, 10, 500, tzinfo=timezone.utc), "2022-06-27T07:23:10.000500Z"),
    ],
)
def test_times(moment: datetime, expected: str) -> None:
    assert rfc3339(moment) == expected
    assert datetime.fromisoformat(expected.replace("Z", "+00:00")) == moment


def test_a_status_as_outputs() -> None:
    task = Task("Transcode_1", "Transcode", "Failed", "NoSuchKey", "gone", ("a.mp4", "b.mp4"))
    status = RunStatus("i0", Phase.FAILED, "Failed", "NoSuchKey", "gone", "c", "s", "f", (task,), {"Success": 1})
    assert outputs_of(status) == {
        "state": "Failed",
        "phase": "failed",
        "code": "NoSuchKey",
        "message": "gone",
        "created_at": "c",
        "started_at": "s",
        "finished_at": "f",
        "tasks": [
            {
                "name": "Transcode_1",
                "type": "Transcode",
                "state": "Failed",
                "code": "NoSuchKey",
                "message": "gone",
                "objects": ["a.mp4", "b.mp4"],
            }
        ],
    }
    assert type(outputs_of(status)["phase"]) is str


# -- errors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("  a \n\r\n b\t", "a   b"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\x00b\x7fc\x9bd", "a b c d"),
        ("a\u2028b\u2029c", "a b c"),
        ("user\u202etxt.exe\u2066x\u2069", "user txt.exe x"),
        ("é中😀", "é中😀"),
        ("", ""),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(("length", "limit"), [(299, 300), (300, 300), (301, 300), (5000, 300), (11, 10)])
def test_clean_is_bounded(length: int, limit: int) -> None:
    text = clean("x" * length, limit)
    assert len(text) == min(length, limit)
    assert text.endswith("…") == (length > limit)


def test_a_refusal_is_one_line_with_its_parts() -> None:
    refused = errors.Refused(
        "X refused POST /y", status=400, code="Bad\nCode", message="no\u202e way.", request_id="r\x1b1", hint="Do this."
    )
    assert str(refused) == "X refused POST /y: 400 Bad Code: no  way (request r 1). Do this."
    assert (refused.status, refused.code, refused.request_id) == (400, "Bad Code", "r 1")
    assert str(errors.Refused("X", status=500)) == "X: 500."
    assert str(errors.Refused("X", status=400, code="A", message="A")) == "X: 400 A."
    assert len(str(errors.Refused("X", status=400, code="c" * 999, message="m" * 999, request_id="r" * 999))) < 600


def test_kinds() -> None:
    for kind in (errors.Throttled, errors.NotFound):
        assert issubclass(kind, errors.Refused)
    unknown: list[type[Exception]] = [errors.UnknownOutcome, errors.Unavailable, errors.Ambiguous, errors.NotReached]
    for kind in unknown:
        assert issubclass(kind, errors.RunsError)
        assert not issubclass(kind, errors.Refused), "an unknown outcome never counts as a refusal"
    assert errors.Ambiguous("x", ["a", "b"]).candidates == ("a", "b")
