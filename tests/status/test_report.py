"""What a report says of its runs: exit code, counts, durations, remarks, JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_runs.runs import Phase
from cloud_runs.status.report import LISTED, Answer, Exit, Missing, Run
from tests.status.samples import every_phase, hostile, report, run

PAGE = (Path(__file__).resolve().parents[2] / "docs/status.md").read_text()
MISSING = Missing("lost", "", "urn", "", "was asked for")

FINE = run()
SETTLED = run(answer=Answer.RECORD)
BAD = run(phase=Phase.FAILED)
STOPPED = run(phase=Phase.CANCELLED)
GOING = run(phase=Phase.RUNNING)
STRANGE = run(phase=Phase.UNKNOWN)
FORGOTTEN = run(phase=Phase.RUNNING, answer=Answer.GONE)
FORGOTTEN_FINE = run(answer=Answer.GONE)
UNASKED = run(phase=Phase.FAILED, answer=Answer.NONE)


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ((), 0),
        ((FINE, SETTLED, FORGOTTEN_FINE), 0),
        ((FINE, BAD), 1),
        ((STOPPED,), 1),
        ((FORGOTTEN,), 1),
        ((FINE, GOING), 2),
        ((STRANGE,), 2),
        ((FINE, UNASKED), 3),
        ((GOING, UNASKED), 3),
        ((GOING, UNASKED, BAD), 1),
    ],
)
def test_the_exit_code(runs: tuple[Run, ...], code: int) -> None:
    assert report(*runs).exit == code
    assert report(*reversed(runs)).exit == code


def test_a_run_that_is_not_on_record_counts_as_failed() -> None:
    assert report(FINE, GOING, missing=(MISSING,)).exit is Exit.FAILED
    assert report(FINE, missing=(MISSING,)).summary == "2 runs: 1 succeeded, 1 missing"
    assert report().summary == "no runs"


def test_runs_without_an_answer_are_counted_beside_their_phase_on_record() -> None:
    found = report(FINE, UNASKED, UNASKED, FORGOTTEN, missing=(MISSING,))
    assert found.counts == {"succeeded": 1, "failed": 2, "unknown": 1, "missing": 1, "not_answered": 2}
    assert found.as_json()["counts"] == found.counts
    assert found.summary == "5 runs: 1 succeeded, 2 failed, 1 unknown, 1 missing; 2 not answered"
    assert "`not_answered`" in PAGE


def test_a_run_that_is_gone_keeps_an_end_that_was_seen_and_no_other_phase() -> None:
    assert FORGOTTEN.phase is Phase.UNKNOWN
    assert FORGOTTEN_FINE.phase is Phase.SUCCEEDED
    assert list(FORGOTTEN.remarks) == ["no longer known to the service; its end is not on record"]
    assert list(FORGOTTEN_FINE.remarks) == ["no longer known to the service; this is what is on record"]
    assert "but for a `phase` that is no end: that is `unknown`" in PAGE


def test_durations() -> None:
    def lasted(one: Run) -> float | None:
        return report(one).duration(one)

    assert lasted(run(began=10, ended=4)) == 360.0
    assert lasted(run(phase=Phase.RUNNING, began=10)) == 600.0, "until now"
    assert lasted(run(phase=Phase.RUNNING, began=-10)) == 0.0, "the service's clock is ahead"
    assert lasted(run(began=10)) is None, "ended, and nobody knows when"
    assert lasted(run(phase=Phase.RUNNING, began=10, answer=Answer.NONE)) is None
    assert lasted(run(phase=Phase.RUNNING, began=None)) is None
    assert lasted(run(phase=Phase.RUNNING, started_at="yesterday")) is None


def test_remarks_that_are_the_same_are_said_once() -> None:
    told = report(*(run(name, Phase.PENDING, answer=Answer.NONE, problem="no key") for name in "abcdefg")).remarks
    assert [(who, verdict) for who, _, verdict in told] == [("a, b, c, d, e and 2 more", Exit.NOT_ASKED)]
    assert told[0][1].endswith("on record: no key")


def test_what_an_inventory_job_says_of_its_executions() -> None:
    some = run(executions={"Success": 3, "Failed": 1}, summed=True)
    assert list(some.remarks) == ["executions: 1 Failed, 3 Success"]
    assert list(run(summed=True).remarks) == ["started no execution: nothing matched its input"]


def test_of_a_large_fan_out_the_worst_are_listed_and_the_others_counted() -> None:
    fan = [run("fan", object=f"{at}.mp4") for at in range(LISTED + 5)]
    bad = run("fan", Phase.FAILED, object="bad.mp4")
    lost = tuple(Missing("fan", f"{at}", fan[0].urn, "", "was refused") for at in range(LISTED + 1))
    found = report(*fan, run("other"), bad, missing=lost)
    assert found.listed == [*fan[: LISTED - 1], run("other"), bad]
    assert found.listed_missing == list(lost[:LISTED])
    assert found.left_out == ["fan: not listed: 6 succeeded, 1 missing"]
    assert len(found.as_json()["runs"]) == LISTED + 7
    assert report(*fan[:LISTED]).left_out == []


def documented(section: str) -> list[str]:
    """The keys in the first column of the table of a section of docs/status.md."""
    text = PAGE.split(f"### {section}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `(\w+)`", text, re.MULTILINE)


def test_the_shape_of_json_is_what_the_page_says() -> None:
    told = json.loads(json.dumps(every_phase().as_json()))
    assert list(told) == documented("The report")
    for entry in told["runs"]:
        assert list(entry) == documented("Each of `runs`")
    assert list(told["missing"][0]) == documented("Each of `missing`")
    tasks = [task for entry in told["runs"] for task in entry["failed_tasks"]]
    assert tasks == [
        {
            "name": "Transcode_1",
            "type": "Transcode",
            "state": "Failed",
            "code": "AccessDenied",
            "message": "no right to read the object",
        }
    ]
    assert {entry["answer"] for entry in told["runs"]} | {"record"} == {answer.value for answer in Answer}


def test_ordinary_programs_do_not_load_it() -> None:
    loads = (
        "import sys, provider; print([name for name in sys.modules if name.startswith(('rich', 'cloud_runs.status'))])"
    )
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_json_can_be_printed_anywhere() -> None:
    assert json.dumps(hostile().as_json()).isascii()
