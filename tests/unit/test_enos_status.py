"""Recorded answers -> status. `*-printed` are the samples of the vendor's pages, bare quotes and all."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cloud_runs.enos import answers as reading
from cloud_runs.runs import Phase, Task
from cloud_runs.wire.payloads import usable_id

RECORDINGS = Path(__file__).parents[1] / "recordings" / "enos"


def recorded(name: str) -> bytes:
    return (RECORDINGS / f"{name}.json").read_bytes()


def data(name: str) -> Any:
    return (reading.document(recorded(name)) or {})["data"]


@pytest.mark.parametrize(
    ("number", "word", "phase"),
    [
        (-1, "FAIL", Phase.FAILED),
        (0, "INIT", Phase.PENDING),
        (1, "SUCCESS", Phase.SUCCEEDED),
        (2, "RUNNING", Phase.RUNNING),
        (3, "SUSPEND", Phase.PENDING),
        (4, "INTERNAL_ERROR", Phase.FAILED),
        (5, "WAIT", Phase.PENDING),
        (6, "READY", Phase.PENDING),
        (7, "TIMEOUT", Phase.FAILED),
        (8, "CANCEL", Phase.CANCELLED),
        (9, "RERUN", Phase.RUNNING),
        (10, "SKIP", Phase.CANCELLED),
    ],
)
def test_states(number: int, word: str, phase: Phase) -> None:
    assert reading.phase(number, word) is phase
    assert reading.phase(str(number), "") is phase
    assert reading.phase(float(number), "") is phase
    assert reading.phase(None, word) is phase
    assert reading.instance_status("i", {"status": number}).state == word


@pytest.mark.parametrize("number", [11, 99, -2, 10**30, "x", "", True, [], {}, 1.5, float("inf"), float("nan")])
def test_an_unknown_number_is_unknown_whatever_the_word_says(number: Any) -> None:
    assert reading.phase(number, "SUCCESS") is Phase.UNKNOWN
    assert reading.instance_status("i", {"status": number, "statusDesc": "SUCCESS"}).phase is Phase.UNKNOWN
    assert not Phase.UNKNOWN.terminal


@pytest.mark.parametrize("word", ["", "success", "Success", "DONE"])
def test_an_unknown_word_alone_is_unknown(word: str) -> None:
    assert reading.phase(None, word) is Phase.UNKNOWN


def test_an_unknown_number_without_a_word_is_told() -> None:
    assert reading.instance_status("i", {"status": 11}).state == "11"
    assert reading.instance_status("i", {}).state == ""


def test_the_number_counts_and_the_word_is_kept() -> None:
    found = reading.instance_status("i", {"status": 1, "statusDesc": "DONE"})
    assert (found.phase, found.state) == (Phase.SUCCEEDED, "DONE")


def test_the_printed_instance_with_its_bare_quotes() -> None:
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(recorded("instance-printed"))
    found = reading.instance_status("2438-201907261239", data("instance-printed"))
    assert (found.phase, found.state) == (Phase.PENDING, "INIT")
    assert found.request == {"flow_id": 2438, "trigger_minute": "2019-07-26 20:39:00"}
    assert (found.created_at, found.started_at, found.finished_at) == ("", "", "")  # its zones contradict each other


def test_the_printed_list() -> None:
    assert [row["instanceId"] for row in data("list-printed")["flowInsts"]] == [
        "2809-20190812080700",
        "2957-20190812075600",
    ]


def test_running_instance_with_tasks_in_both_styles() -> None:
    found = reading.instance_status("3377-20191122012300", data("instance-running"))
    assert (found.phase, found.state) == (Phase.RUNNING, "RUNNING")
    assert found.tasks == (Task("load", "", "RUNNING"), Task("sum", "", "NONE"))


@pytest.mark.parametrize(
    "graph",
    [None, "", "{", "[]", 7, "[" * 100_000, {"tasks": "x"}, {"tasks": [None, 1, [], {}]}, '{"tasks":[{"status":NaN}]}'],
)
def test_a_bad_graph_does_not_break_the_status(graph: Any) -> None:
    found = reading.instance_status("i", {"status": 1, "statusDesc": "SUCCESS", "graph": graph})
    assert (found.phase, found.tasks) == (Phase.SUCCEEDED, ())


@pytest.mark.parametrize(
    ("body", "id"),
    [
        (recorded("trigger-printed"), "2791-19700101000000"),
        (recorded("trigger-v21"), "2791-19700101000000"),
        (recorded("trigger-printed")[:-6], "2791-19700101000000"),  # broke off after the id
        (recorded("trigger-printed")[:-12], ""),  # broke off within the id
        (b'{"status":62109,"data":{"flowInstanceId":"1-2"}', ""),
        (b'{"code":"62109","data":{"flowInstanceId":"1-2"}', ""),
        (b'{"flowInstanceId":"1-2", "flowInstanceId":"1-3"', ""),
        (b'{"flowInstanceId":"1-\\u0032"', ""),
        (b'{"status":0,"data":{"flowInstanceId":7}}', ""),
        (b'{"status":0,"data":{"flowInstanceId":""}}', ""),
        (b'{"status":0,"data":{"flowInstanceId":"a b"}}', "a b"),
        (b'{"status":0,"data":{"flowInstanceId":"\\ud800"}}', ""),
        (b'{"status":0,"data":{"flowInstanceId":"' + b"1" * 1025 + b'"}}', ""),
        (b'{"status":0,"data":[]}', ""),
        (b'{"status":0}', ""),
        (b"[]", ""),
        (b"<html>log in</html>", ""),
        (b"", ""),
        (b"\xff\xfe\x00", ""),
    ],
)
def test_started_id(body: bytes, id: str) -> None:
    assert usable_id(reading.started_id(body)) == id


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"1", b'"x"', b"{", b"[" * 100_000, b'{"a":' * 100_000, b'{"status":NaN}', b'{"a":-Infinity}',
     b"\xff"],
)  # fmt: skip
def test_what_is_no_json_object(body: bytes) -> None:
    assert reading.document(body) is None


def test_a_huge_number_is_no_number() -> None:
    told = reading.document(b'{"status":' + b"9" * 5000 + b"}") or {}  # newer Pythons do not read it at all
    assert reading.number(told.get("status")) is None


def test_no_answer_keeps_us_busy() -> None:
    began = time.monotonic()
    for part in (b'"graph"', b'"graph":"{', b'"graph":"{}"', b'{"graph":"{"a":"}"'):
        assert reading.document(part * (1_000_000 // len(part))) is None
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0), ("0", 0), (" 62104 ", 62104), (1.0, 1), (-1, -1), (True, None), (1.5, None), (None, None), ([], None),
     (1e300, None), (float("inf"), None), ("", None), ("1e3", None), ("٣", None), ("9" * 30, None), (2**70, None)],
)  # fmt: skip
def test_number(value: Any, number: int | None) -> None:
    assert reading.number(value) == number


def test_halves_of_characters_are_not_passed_on() -> None:
    assert reading.text("a\ud800b") == "a?b"
    reading.instance_status("i", {"status": 1, "statusDesc": "\ud800"}).state.encode()


def test_text_of_a_server_is_made_fit_for_a_terminal() -> None:
    found = reading.instance_status("i", {"status": 1, "statusDesc": "a\x1b[31m\nb" + "x" * 1000})
    assert "\x1b" not in found.state
    assert "\n" not in found.state
    assert len(found.state) <= 100


SEED_TIME = 1574385824000  # 2019-11-22T01:23:44Z


def test_minute() -> None:
    assert reading.minute_of(SEED_TIME) == 1574385780000
    assert reading.minute_of(1574385780000) == 1574385780000


@pytest.mark.parametrize(
    ("told", "may_be"),
    [
        ("2019-11-22 01:23:44", True),
        ("2019-11-22 09:23:00", True),  # Beijing
        ("2019-11-22 06:53:59", True),  # India, half an hour off
        ("2019-11-22 07:08:10", True),  # Nepal, a quarter off
        ("2019-11-22 09:24:00", False),
        ("2019-11-22 09:22:59", False),
        ("", True),
        (None, True),
        (7, True),
        ("2019-13-45 99:99:99", True),
    ],
)
def test_a_time_without_zone_may_be_in_the_minute(told: Any, may_be: bool) -> None:
    assert reading.may_be_in_minute(told, SEED_TIME) is may_be


def test_latest_creation() -> None:
    told = reading.latest_creation({"timestamp": "2019-11-22 01:23:44.0"})
    assert told == datetime(2019, 11, 22, 13, 23, 44, tzinfo=timezone.utc)
    for odd in (None, "", "x", 5, "9999-12-31 23:59:60", "9999-12-31 23:59:59"):
        assert reading.latest_creation({"timestamp": odd}) is None


@pytest.mark.parametrize(
    ("row", "flow"),
    [({"flowId": 3377}, 3377), ({"flowId": "3377"}, 3377), ({"instanceId": "3377-2019"}, 3377), ({}, None),
     ({"flowId": [], "instanceId": "x-1"}, None)],
)  # fmt: skip
def test_flow_of(row: dict[str, Any], flow: int | None) -> None:
    assert reading.flow_of(row) == flow


HOSTILE: list[Any] = [None, "", "x", 0, 1.5, True, [], [None], {}, {"a": []}, "\ud800", 10**40]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["status", "statusDesc", "graph", "triggerTime", "timestamp", "flowId", "instanceId"])
def test_any_shape_can_be_read(name: str, value: Any) -> None:
    base = {"status": 2, "statusDesc": "RUNNING", name: value}
    reading.instance_status("i", base)
    reading.latest_creation(base)
    reading.flow_of(base)
