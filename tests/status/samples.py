"""Reports and states that the tests of `cloud-runs status` share."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from cloud_runs.runs import Phase, RunStatus, Task, rfc3339
from cloud_runs.status.report import Answer, Missing, Report, Run

NOW = datetime(2026, 11, 22, 9, 8, 21, tzinfo=timezone.utc)
HOSTILE = (
    "</title></svg><script>document.title='pwned'</script><img src=x onerror=alert(1)>\x1b[31m\u202e'\"&[red]x[/red]"
)


def ago(minutes: float | None) -> str:
    return "" if minutes is None else rfc3339(NOW - timedelta(minutes=minutes))


def run(
    name: str = "run",
    phase: Phase = Phase.SUCCEEDED,
    began: float | None = 10,
    ended: float | None = None,
    answer: Answer = Answer.SERVICE,
    *,
    object: str = "",
    problem: str = "",
    url: str = "https://console.example/run",
    **status: Any,
) -> Run:
    """`began` and `ended` are minutes before NOW."""
    given = {"id": f"i-{name}", "state": phase.value, "started_at": ago(began), "finished_at": ago(ended), **status}
    urn = f"urn:pulumi:s::p::pulumi-python:dynamic/tencent:WorkflowRun::{name}"
    return Run(
        name, object, urn, "WorkflowRun", "tencent.workflow", f"tencent.workflow:r:b:{given['id']}", url,
        RunStatus(phase=phase, **given), answer, problem,
    )  # fmt: skip


def report(*runs: Run, missing: tuple[Missing, ...] = (), stack: str = "dev", project: str = "media") -> Report:
    return Report(stack, NOW, runs, missing, project)


def hostile() -> Report:
    """Every text that comes from a server or a state is hostile."""
    task = Task(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    words = {"state": HOSTILE, "code": HOSTILE, "message": HOSTILE, "request_id": HOSTILE, "id": HOSTILE}
    return report(
        run(HOSTILE, Phase.FAILED, 10, 5, tasks=(task,), executions={HOSTILE: 1}, url=f"https://{HOSTILE}", **words),
        run(HOSTILE, Phase.UNKNOWN, 8, object=HOSTILE, url=f"javascript:{HOSTILE}", **words),
        run(HOSTILE, Phase.PENDING, 7, answer=Answer.NONE, problem=HOSTILE, **{**words, "started_at": HOSTILE}),
        missing=(Missing(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        stack=HOSTILE,
        project=HOSTILE,
    )


def every_phase() -> Report:
    """One run of each kind that a report can have."""
    task = Task("Transcode_1", "Transcode", "Failed", "AccessDenied", "no right to read the object")
    return report(
        run("transcode", Phase.SUCCEEDED, 52, 31),
        run("backfill-of-a-long-name-that-is-cut-in-the-drawing", Phase.FAILED, 48, 9, tasks=(task,)),
        run("meters", Phase.RUNNING, 23),
        run("unended", Phase.SUCCEEDED, 44),
        run("thumbnails", Phase.CANCELLED, 20, 12),
        run("probe", Phase.PENDING, 2),
        run("old", Phase.RUNNING, 30, answer=Answer.GONE, problem="404"),
        run("unasked", Phase.PENDING, 15, answer=Answer.NONE, problem="no Tencent Cloud credentials"),
        run("nowhere", Phase.UNKNOWN, None, state="NEW_WORD"),
        missing=(Missing("nightly", "", "urn", ago(1), "was requested and is not recorded"),),
    )


def large() -> Report:
    """Three hundred runs: a fan-out of 260 objects, of which 17 failed for the same reason, and single ones."""
    task = Task("Transcode_1", "Transcode", "Failed", "AccessDenied", "no right to read the object")
    why = "was refused: Tencent CI refused POST /triggerworkflow: 403 AccessDenied (request {}). Give the key the right"
    fan = [
        run(
            "thumbnails",
            Phase.FAILED if at % 15 == 7 else Phase.SUCCEEDED,
            50 - at / 10,
            40 - at / 10,
            object=f"mpc/2026-11-22/{at:03}.mp4",
            id=f"i6fc78ca77d6011eba0ac52540{at:08}",
            tasks=(task,) if at % 15 == 7 else (),
        )
        for at in range(258)
    ]
    lost = [Missing("thumbnails", f"mpc/{at}.mp4", fan[0].urn, "", why.format(f"NTk{at}")) for at in (258, 259)]
    others = [run(f"single-{at}", began=30 - at / 10, ended=20 - at / 10) for at in range(30)]
    few = every_phase()
    return report(*fan, *others, *few.runs, missing=(*few.missing, *lost))
