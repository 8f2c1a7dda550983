"""Recorded answers -> status. The `printed-*` and `sample-*` recordings are the vendor's pages', byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud_runs.huawei import answers as reading
from cloud_runs.runs import Phase, RunStatus, Task
from cloud_runs.wire.payloads import usable_id

RECORDINGS = Path(__file__).parents[1] / "recordings" / "huawei"


def recorded(name: str) -> bytes:
    return (RECORDINGS / name).read_bytes()


def execution(name: str) -> RunStatus:
    return reading.execution_status("e1", reading.parsed(recorded(name))["execution_info"], "r")


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("RUNNING", Phase.RUNNING),
        ("running", Phase.RUNNING),
        ("SUCCESS", Phase.SUCCEEDED),
        ("success", Phase.SUCCEEDED),
        ("FAILED", Phase.FAILED),
        ("fail", Phase.FAILED),
        ("TIMEOUT", Phase.FAILED),
        ("cancel", Phase.CANCELLED),
        ("CANCELLED", Phase.CANCELLED),
        ("PARTIAL_SUCCESS", Phase.UNKNOWN),
        ("SUCCEEDED", Phase.UNKNOWN),
        ("", Phase.UNKNOWN),
    ],
)
def test_state_words(state: str, phase: Phase) -> None:
    assert reading.phase(state) is phase


def test_the_sample_of_the_page() -> None:
    found = execution("sample-get.json")
    assert (found.id, found.state, found.phase, found.request_id) == ("e1", "RUNNING", Phase.RUNNING, "r")
    assert found.created_at == found.started_at == "2017-11-13T07:14:04.849000Z"
    assert found.finished_at == ""
    assert found.tasks == (
        Task("next1", "NOOP", "NOTRUNNING"),
        Task("end1", "END", "NOTRUNNING"),
        Task("hello", "DELAY", "RUNNING"),
    )
    assert found.request == {
        "execution_urn": "urn:fgs:<region_id>:<project_id>:execution:<graph_name>:<execution_name>:<domain_id>",
        "execution_type": "APICALL",
        "graph_name": "<graph_name>",
    }


def test_a_run_that_failed() -> None:
    found = execution("get-failed.json")
    assert (found.phase, found.code, found.message) == (Phase.FAILED, "", "")  # no field tells why
    assert found.finished_at == "2020-04-23T13:38:00Z"
    assert found.request["inputs"] == {"template-id": 1234567}
    assert (found.request["bucket"], found.request["object"]) == ("demo-bucket", "/mpc/demo.mp4")


def test_id_in_the_printed_sample() -> None:
    id, content = reading.started_id(recorded("printed-start.json"))
    assert id == "<execution_name>"
    assert content["started_at"] == "2020-04-23T13:37:43.847Z"


@pytest.mark.parametrize(
    ("body", "id"),
    [
        ('{"execution_name": "e1"}', "e1"),
        ('\ufeff{"execution_name": "e1"}', "e1"),
        ('{"execution_name": "e1", "started_at": NaN}', "e1"),
        ('{"execution_name": "e1", "x": 1e999}', "e1"),
        ('{"execution_name": "e1", "x": ' + "9" * 5000 + "}", "e1"),
        ('{"execution_name": "e1", "x": ' + "[" * 100_000 + "}", "e1"),
        ('{"execution_urn": "u", "execution_name" : "e1", "start', "e1"),
        ('{"execution_name": "e1", "execution_name": "e1"}', "e1"),
        ('{"execution_name": "e1", "execution_name": "e2"}', ""),
        ('{"execution_name": "e1', ""),
        ('{"execution_name": "e\\u00', ""),
        ('{"execution_name": "a b"}', "a b"),
        ('{"execution_name": ""}', ""),
        ('{"execution_name": ".."}', ""),
        ('{"execution_name": "\\ud800"}', ""),
        ('{"execution_name": 7}', ""),
        ('{"execution_name": ["e1"]}', ""),
        ('{"execution_name": "' + "e" * 1025 + '"}', ""),
        ("[]", ""),
        ("<html>log in</html>", ""),
        ("", ""),
        ("\x00", ""),
    ],
)
def test_started_id(body: str, id: str) -> None:
    assert usable_id(reading.started_id(body.encode())[0]) == id


def test_started_id_in_bytes_that_are_no_text() -> None:
    assert reading.started_id(b'\xff{"execution_name": "e1"}')[0] == "e1"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2020-04-23T13:37:43.847Z", "2020-04-23T13:37:43.847000Z"),
        ("2020-04-23T13:37:43Z", "2020-04-23T13:37:43Z"),
        ("2020-04-23T21:37:43+08:00", "2020-04-23T13:37:43Z"),
        ("2020-04-23 21:37:43+0800", "2020-04-23T13:37:43Z"),
        ("2020-04-23T13:37:43", ""),
        ("2020-13-45T99:99:99Z", ""),
        ("0001-01-01T00:00:00+0800", ""),
        ("", ""),
        ("-", ""),
        ("٢٠٢٠-04-23T13:37:43Z", ""),
    ],
)
def test_times(told: str, expected: str) -> None:
    assert reading.time_text(told) == expected


HOSTILE: list[Any] = [None, "", "text", 7, -1.5, True, [], [None], ["a", {"b": "c"}], {}, {"a": [None, {}]}, "\ud800"]
FIELDS = ["input", "execution_state", "state_map", "started_at", "stopped_at", "graph_urn", "execution_urn"]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", FIELDS)
def test_any_shape_can_be_read(name: str, value: Any) -> None:
    for info in ({name: value}, {"execution_state": "FAILED", name: value}, {name: json.dumps({"inputs": value})}):
        found = reading.execution_status("e1", info)
        str(found).encode()  # no half characters reach a state or a terminal
        reading.execution_status("e1", {"state_map": {"a": info, "b": value}})


def test_very_deep_answers() -> None:
    assert reading.parsed("[" * 100_000) is None
    deep: Any = "x"
    for _ in range(200):
        deep = {"a": deep}
    found = reading.execution_status("e1", {"input": json.dumps({"inputs": deep})})
    assert len(str(found.request)) < 1000


def test_text_of_a_server_is_made_fit_for_a_terminal() -> None:
    found = reading.execution_status("e1", {"execution_state": "a\x1b[31m\nb" + "x" * 1000})
    assert "\x1b" not in found.state
    assert len(found.state) <= 100


@pytest.mark.parametrize(
    ("input", "told"),
    [
        (
            '{"bucket": "b", "object": "/o ", "inputs": {"a": 5.0}}',
            {"bucket": "b", "object": "/o ", "inputs": {"a": 5}},
        ),
        ({"bucket": "b"}, {"bucket": "b"}),
        ('{"object": "o", "inputs": "{\\"a\\": 1}"}', {"object": "o", "inputs": {"a": 1}}),
        ('{"bucket": 7, "object": null, "inputs": []}', {}),
        ('[{"x":123,"y":321},{"x":586}]', {}),
        ("not JSON", {}),
        ('{"bucket": "b", "bucket": "c"}', {}),
        (None, {}),
    ],
)
def test_what_a_run_was_started_with(input: Any, told: dict[str, Any]) -> None:
    assert reading.told_request({"input": input}) == told


@pytest.mark.parametrize(
    ("told", "key", "same"),
    [
        ("/mpc/demo.mp4", "/mpc/demo.mp4", True),
        ("mpc/demo.mp4", "/mpc/demo.mp4", True),
        ("a%20b/%E4%B8%AD", "a b/中", True),
        ("a%20b", "a%20b", True),
        ("mpc/demo.mp4", "mpc/Demo.mp4", False),
        ("x/mpc/demo.mp4", "mpc/demo.mp4", False),
    ],
)
def test_same_object(told: str, key: str, same: bool) -> None:
    assert reading.same_object(told, key) is same


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (5.0, 5), (5.0, 5.0), (5.0, "5"), (5, "5.0"), ("5", 5), (True, "True"), (True, "true"), ("true", True),
        ("x", "x"), ("x", None), (None, "x"), ("secret", "******"), ([1.0, "a"], [1, "a"]), ([1.0], "[1]"),
        ({"a": 1.0}, {"a": 1, "b": 2}), ({"a": 1.0, "b": 2.0}, {"a": 1}), ({"a": 1.0}, '{"a": 1}'),
        ({"a": 1.0}, "{'a': 1}"), ([], []),
    ],
)  # fmt: skip
def test_a_value_that_can_be_the_one_asked_for(asked: Any, told: Any) -> None:
    assert reading.agrees(asked, told)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (5.0, 6), (5.0, "6"), (5.0, "five"), ("5", 6), ("x", "y"), ("x", "X"), (True, False), (True, 1), (1.0, True),
        (True, "false"), ([1.0], [1, 2]), ([1.0, 2.0], [2, 1]), ({"a": 1.0}, {"a": 2}), ({"a": 1.0}, [1]), ([1.0], {}),
        ({"a": 1.0}, 7), ("x", ["x"]), ("x", {"x": 1}),
    ],
)  # fmt: skip
def test_a_value_of_another_run(asked: Any, told: Any) -> None:
    assert not reading.agrees(asked, told)
