"""What a report says of its runs: exit code, counts, durations, remarks, JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_runs.runs import Phase
from cloud_runs.status import markdown, terminal
from cloud_runs.status.page import page
from cloud_runs.status.report import Answer, Exit, Missing, Run
from cloud_runs.status.rows import LISTED, remarks, rows
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
        ((FINE, BAD), 10),
        ((STOPPED,), 10),
        ((FORGOTTEN,), 10),
        ((FINE, GOING), 11),
        ((STRANGE,), 11),
        ((FINE, UNASKED), 12),
        ((GOING, UNASKED), 12),
        ((GOING, UNASKED, BAD), 10),
    ],
)
def test_the_exit_code(runs: tuple[Run, ...], code: int) -> None:
    assert report(*runs).exit == code
    assert report(*reversed(runs)).exit == code


def test_a_run_that_is_not_on_record_counts_as_failed() -> None:
    assert report(FINE, GOING, missing=(MISSING,)).exit is Exit.FAILED
    assert report(FINE, missing=(MISSING,)).summary == "2 runs: 1 missing, 1 succeeded"
    assert report().summary == "no runs"


def test_runs_without_an_answer_are_counted_beside_their_phase_on_record() -> None:
    found = report(FINE, UNASKED, UNASKED, FORGOTTEN, missing=(MISSING,))
    assert found.counts == {"succeeded": 1, "failed": 2, "unknown": 1, "missing": 1, "not_answered": 2}
    assert found.as_json()["counts"] == found.counts
    assert found.summary == "5 runs: 2 failed, 1 missing, 1 unknown, 1 succeeded; 2 not answered"
    assert "`not_answered`" in PAGE


def test_a_run_that_is_gone_keeps_an_end_that_was_seen_and_no_other_phase() -> None:
    assert FORGOTTEN.phase is Phase.UNKNOWN
    assert FORGOTTEN_FINE.phase is Phase.SUCCEEDED
    assert list(FORGOTTEN.remarks) == ["no longer known to the service; its end is not recorded"]
    assert list(FORGOTTEN_FINE.remarks) == ["no longer known to the service; this is what is recorded"]
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
    assert [(one.who, one.verdict, one.count) for one in told] == [("a, b, c, d, e and 2 more", Exit.NOT_ASKED, 7)]
    assert told[0].what.endswith("recorded: no key")


def test_one_403_of_many_objects_is_told_once() -> None:
    def refused(key: str, request: str) -> Missing:
        return Missing("thumbs", key, "urn", "", f"was refused: 403 AccessDenied (request {request}). Give the right")

    failed = [run("thumbs", Phase.FAILED, object=key, code="E", message="no") for key in ("01", "02")]
    found = report(*failed, run("scan", Phase.FAILED, code="E", message="no"), GOING,
                   missing=(refused("07", "NTk1"), refused("08", "NTk2"), MISSING))  # fmt: skip
    assert [(one.who, one.what) for one in found.remarks] == [
        ("thumbs: 2 objects (01, 02), scan", "E: no"),
        ("thumbs: 2 objects (07, 08)", "was refused: 403 AccessDenied (request NTk1). Give the right"),
        ("lost", "was asked for"),
    ]


def test_what_an_inventory_job_says_of_its_executions() -> None:
    some = run(executions={"Success": 3, "Failed": 1}, summed=True)
    assert list(some.remarks) == ["executions: 1 Failed, 3 Success"]
    assert list(run(summed=True).remarks) == ["started no execution: nothing matched its input"]


def test_the_worst_comes_first_and_what_succeeded_of_a_fan_out_is_one_line() -> None:
    fan = [run("fan", object=f"{at}.mp4", began=20 - at, ended=10 - at) for at in range(5)]
    bad, stopped = run("fan", Phase.FAILED, object="bad.mp4"), run("other", Phase.CANCELLED)
    found = report(*fan, GOING, stopped, bad, UNASKED, missing=(MISSING,))
    assert [(row.label, row.phase) for row in rows(found)] == [
        ("fan[bad.mp4]", "failed"),
        ("lost", "missing"),
        ("other", "cancelled"),
        ("run", "failed"),
        ("run", "running"),
        ("fan (5 objects)", "succeeded"),
    ]
    folded = rows(found)[-1]
    assert (folded.duration(found), folded.started_at) == (14 * 60.0, fan[0].status.started_at), "of all five"
    assert [row.label for row in rows(report(fan[0]))] == ["fan[0.mp4]"], "there is nothing to fold"


def test_of_a_large_fan_out_the_worst_have_lines_and_the_others_one_a_phase() -> None:
    fan = [run("fan", Phase.FAILED, object=f"{at}.mp4") for at in range(LISTED + 5)]
    fan += [run("fan", Phase.RUNNING, object=f"r{at}.mp4") for at in range(7)]
    lost = tuple(Missing("fan", f"m{at}", fan[0].urn, "", "was refused") for at in range(3))
    found = report(*fan, missing=lost)
    listed = rows(found)
    assert [row.label for row in listed[:LISTED]] == [f"fan[{at}.mp4]" for at in range(LISTED)]
    others = [(row.label, row.phase) for row in listed[LISTED:]]
    assert others == [("fan (5 objects)", "failed"), ("fan (3 objects)", "missing"), ("fan (7 objects)", "running")]
    assert listed[-1].duration(found) == 600.0, "until now"
    assert sum(len(row.found) for row in listed) == len(fan) + len(lost)
    assert len(found.as_json()["runs"]) == len(fan), "JSON has them all"


def test_of_many_different_reasons_the_worst_are_told() -> None:
    fan = [run("fan", Phase.FAILED, object=f"{at}", code=f"E{at}") for at in range(LISTED + 5)]
    found = report(*fan, run("other", executions={"Success": 1}))
    told, more = remarks(found)
    assert [one.what for one in told] == [f"E{at}" for at in range(LISTED)]
    assert more == "6 more reasons: --json has them all"
    for shown in (terminal.text(found), markdown.text(found), page(found)):
        assert more in shown
        assert f"E{LISTED - 1}" in shown
    assert remarks(report(*fan[:LISTED]))[1] == ""


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
