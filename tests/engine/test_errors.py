"""docs/errors.md: each of its mistakes is made on the real engine, and what is printed is what the page says."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest

from tests import kits
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.sockets import Service, answer
from tests.support.stack import QUICK, ROOT, Result, Stack, call, job, run

pytestmark = [pytest.mark.engine, pytest.mark.long]

PAGE = ROOT / "docs" / "errors.md"
IMPORTS = "from cloud_runs import Completion, Provider, enos, huawei\n"
SEVERAL = {"projects": [{"id": "p1", "name": "cn-north-4"}, {"id": "p2", "name": "cn-north-4"}]}
"""What IAM tells of an account with two projects in a region."""
MINUTE = "2019-11-22T01:23:00Z"

REFUSALS = (
    (403, "AccessDenied", "Access Denied"),
    (403, "ExpiredToken", "The security token has expired"),
    (404, "NoSuchBucket", "The specified bucket does not exist"),
    (400, "MediaBucketUnBinded", "The bucket is not bound to CI"),
    (400, "InvalidArgument", "Non-exist workflowId"),
    (404, "NoSuchKey", "The specified key does not exist"),
    (301, "PermanentRedirect", "The bucket is in another region"),
)
"""Answers to a start that the emulator gives when told to; each meets one of as many equal resources, in any order."""


SCAN = {"graph_name": "scan", "bucket": "demo-bucket", "object": "a"}


def scan(name: str, **arguments: str) -> str:
    return call("huawei.WorkflowRun", name, **{**SCAN, **arguments})


def review(name: str, **arguments: str) -> str:
    return call("huawei.dwr.WorkflowRun", name, **{**SCAN, **arguments})


def meters(name: str, **arguments: object) -> str:
    return call("enos.FlowRun", name, **{"flow_id": 3377, "trigger_time": MINUTE, **arguments})


def by(name: str, **arguments: str) -> str:
    """An explicit provider with a setting that is wrong."""
    return call("Provider", name, **arguments)


def under(name: str) -> str:
    return f"=ResourceOptions(provider={name})"


def after(name: str) -> str:
    return f"=ResourceOptions(depends_on=[{name}])"


GOOD = run("good", object="good.mp4")
CLOCK = """
import os, sys, time
right = time.time

def off():
    signs = sys._getframe(1).f_globals.get("__name__") == "cloud_runs.tencent.signing"
    return right() + float(os.environ["CLOCK_IS_FAST_BY"]) * signs

time.time = off
"""
"""A `sitecustomize` for the Python of an `up`. What signs has another time than the service; the rest has not, since
grpc counts its deadlines by the core's own clock."""


def in_good_order(closed: int) -> list[str]:
    """The service does as it should, and the mistakes are the user's. Each fails on its own."""
    return [
        IMPORTS,
        by("stranger", tencent_secret_id="AKIDnobody", tencent_secret_key=SECRET_KEY),
        run("wrong-key", opts=under("stranger")),
        by("mixed", tencent_secret_id=SECRET_ID, tencent_secret_key="another"),
        run("wrong-secret", opts=under("mixed")),
        by("half", tencent_secret_id=SECRET_ID),
        run("half-a-pair", opts=under("half")),
        by("spaced", tencent_secret_id=SECRET_ID, tencent_secret_key=SECRET_KEY + " "),
        run("spaced-key", opts=under("spaced")),
        by("nowhere", tencent_endpoint="https://endpoint.invalid"),
        run("no-host", opts=under("nowhere")),
        by("walled", tencent_endpoint="https://walled.invalid"),
        run("no-way-out", opts=under("walled")),
        by("nothing", tencent_endpoint=f"http://127.0.0.1:{closed}"),
        run("no-emulator", opts=under("nothing")),
        by("plain", tencent_endpoint="http://ci.example.com"),
        run("no-tls", opts=under("plain")),
        scan("no-key"),
        GOOD,
        run("no-run", adopt_id="i00000000000000000000000000000000"),
        run("other-work", object="other.mp4", adopt_id="=good.instance_id"),
        "late = Completion('late', runs=[good], timeout='1s', poll_interval='1s')\n",
        meters("first"),
        meters("second", opts=after("first")),
    ]


REFUSED = [IMPORTS, *(run(f"run-{number}") for number, _ in enumerate(REFUSALS))]
REFUSED += [job("busy"), scan("no-graph"), meters("not-mine", flow_id=7)]

IN_CHECKS = run("wrong", bucket="media", workflow_id="transcode", on_delete="cancel", rerun_on_failure="resume")
SCANS = {"graph_name": "scan", "bucket": "demo-bucket", "objects": ["a.mp4", "a.mp4"]}
TWICE = call("huawei.WorkflowFanOut", "twice", **SCANS, rerun_on_failure="resume")

IN_THE_PROGRAM = """
def refused(make):
    try:
        make()
    except ValueError as error:
        pulumi.log.error(str(error))

given = {"bucket": "media-1250000000", "workflow_id": "we59a9648e62e48ffb25e4b41f3721799", "object": "a.mp4"}
refused(lambda: tencent.WorkflowRun("kept", **given, opts=ResourceOptions(retain_on_delete=True)))
refused(lambda: tencent.WorkflowRun("imported", **given, opts=ResourceOptions(import_="i1")))
refused(lambda: tencent.WorkflowRun("overlapping", **given, opts=ResourceOptions(delete_before_replace=False)))
mine = tencent.WorkflowRun("mine", **given, opts=ResourceOptions(provider=Provider("eu")))
refused(lambda: Completion("of-others", runs=[mine]))
Completion("of-nothing", runs=[None], opts=ResourceOptions(depends_on=[mine]))
"""


def settings(cloud: Emulator, **changes: str | None) -> dict[str, str | None]:
    """Not those of `QUICK`: they are for services on this machine alone."""
    return {
        **kits.settings(cloud.url),
        "runs__startSeconds": None,
        "runs__lagSeconds": None,
        **changes,
    }


class Diagnostics:
    """The errors and warnings that the engine prints, line by line, without what differs from one time to the other."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self.lines = stack, set[str]()

    def up(self, *source: str, flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> None:
        self.add(self._stack.up(*source, flags=("--continue-on-error", *flags), check=False, env=env))

    def bare_up(self, env: Mapping[str, str]) -> None:
        """An `up` of nothing in exactly this environment."""
        self._stack.program()
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", self._stack.name]
        folder = self._stack.project
        self.add(Result(subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)))

    def add(self, result: Result) -> None:
        assert "Traceback" not in result.text, result
        assert SECRET_KEY not in result.text
        _, found, diagnostics = result.text.partition("\nDiagnostics:\n")
        told = re.findall(
            r"^ *(?:error|warning): (.*(?:\n      .*)*)", diagnostics if found else result.text, re.MULTILINE
        )
        assert told, result
        self.lines |= {steady(line) for line in told} - {"update failed"}


def steady(line: str) -> str:
    line = re.sub(r"\(request [\w=]+\)", "(request ID)", line)
    line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line)
    line = re.sub(r"\bi(?!0{32})[0-9a-f]{32}\b", "ID", line)
    line = re.sub(r"(?<!/v3/)\b[0-9a-f]{32}\b", "ID", line)
    line = re.sub(r"'run-\d'", "'run'", line)
    return re.sub(r"\s+", " ", line)


def with_a_clock_that_is_off(told: Diagnostics, stack: Stack) -> None:
    folder = stack.folder / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK)
    for name, seconds in (("an-hour-fast", 3600), ("twenty-minutes-slow", -1200)):
        told.up(run(name), env={"PYTHONPATH": str(folder), "CLOCK_IS_FAST_BY": str(seconds)})


def with_runs_on_record(told: Diagnostics, stack: Stack, cloud: Emulator) -> None:
    """And DWR. On a stack of its own, where nothing else is in doubt."""
    runs = len(cloud.ids())
    stack.configure(**settings(cloud, runs__huaweiDwrEndpoint=None, huaweicloud__cloud="clouds.invalid"))
    told.up(IMPORTS, review("elsewhere"), env={"NO_PROXY": "clouds.invalid"})
    stack.configure(**settings(cloud, huaweicloud__projectId=None, **QUICK))
    cloud.fault("huawei.dwr", "projects", "body", body=json.dumps(SEVERAL))
    mine = kits.KITS["huawei.dwr"].configured["huaweicloud:projectId"]
    stranger = by("unknown", huawei_access_key="AKIDnobody", huawei_secret_key=SECRET_KEY)
    unknown = review("unknown-key", project_id=mine, opts=under("unknown"))
    told.up(IMPORTS, review("of-several"), stranger, unknown)
    stack.configure(**settings(cloud, **QUICK))
    cloud.fault("huawei.dwr", "start", "status", status=404, code="", message="no such graph")
    told.up(IMPORTS, review("dwr-graph"))
    cloud.fault("huawei.dwr", "start", "status", status=403, code="SYS.0005", message="no permission")
    told.up(IMPORTS, review("no-right"))
    told.up(IMPORTS, review("wrong", project_id="a b"))
    assert len(cloud.ids()) == runs, "what was refused did not run"
    cloud.drop_faults()
    again = review("again", rerun_on_failure="resume")
    poisoned = run("poisoned", rerun_on_failure=True, max_attempts=1)
    stack.up(IMPORTS, again, poisoned, run("busy", if_running="forbid"))
    cloud.set_state(stack.id("again"), "fail")
    cloud.set_state(stack.id("poisoned"), "Failed")
    cloud.fault("huawei.dwr", "retry", "status", status=409, code="", message="not in this state")
    told.up(flags=("--refresh",))
    # By itself: an error of a `diff` ends the `up`, and with it what has not begun.
    told.up(IMPORTS, again, poisoned, run("busy", if_running="forbid", triggers={"release": 2}))
    assert len(cloud.ids()) == runs + 3


def make_mistakes(told: Diagnostics, stack: Stack, cloud: Emulator, closed: int, proxy: str) -> None:
    stack.configure(**settings(cloud, huaweicloud__accessKey=None, huaweicloud__secretKey=None))
    walled = {"HTTPS_PROXY": f"http://{proxy}", "NO_PROXY": "endpoint.invalid"}
    told.up(*in_good_order(closed), env=walled)
    changed = run("good", object="good.mp4", triggers={"release": "2"})
    told.up(changed, flags=("--target", stack.urn("good")))
    cloud.set_state(stack.id("good"), "Failed", code="InvalidInput", message="The input cannot be decoded")
    unsafe = {"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "true"}
    told.up(IMPORTS, GOOD, "Completion('failed', runs=[good])\n", run("unsafe"), env=unsafe)
    assert len(cloud.ids()) == 2, "good and first"

    for status, code, message in REFUSALS:
        cloud.fault("tencent.workflow", "start", "status", status=status, code=code, message=message)
    cloud.fault("tencent.inventory", "start", "status", status=503, code="SlowDown", message="Slow down", times=99)
    cloud.fault("huawei.workflow", "start", "status", status=404, code="", message="no such graph")
    cloud.fault("enos.flow", "start", "status", status=200, code="62103", message="No permission")
    stack.configure(**settings(cloud))
    told.up(*REFUSED)
    cloud.drop_faults()
    assert cloud.count("tencent.inventory", "start") == 4, "as the page says"
    assert len(cloud.ids()) == 2, "what was refused did not run"

    told.up(IMPORTS, IN_THE_PROGRAM)
    told.up(IMPORTS, TWICE)
    with_a_clock_that_is_off(told, stack)
    stack.configure(**settings(cloud, tencentcloud__region=None, enos__orgId=None))
    told.up(IN_CHECKS)
    told.up(IMPORTS, meters("no-org"))
    assert len(cloud.ids()) == 3, "and mine"

    told.bare_up({key: value for key, value in stack.env.items() if key != "PULUMI_CONFIG_PASSPHRASE"})
    told.bare_up({**stack.env, "PULUMI_CONFIG_PASSPHRASE": "another"})
    lock = Path(stack.folder, "state/.pulumi/locks/organization/tests", stack.name, f"{UUID(int=0)}.json")
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 1, "username": "bob", "hostname": "ci", "timestamp": "2026-01-01T00:00:00Z"}')
    told.bare_up(stack.env)


def headings() -> dict[str, str]:
    """What is printed, by mistake."""
    found = re.findall(r"^### (.+)\n\n(`+)(.*?)\2\n\n\S", PAGE.read_text(), re.MULTILINE)
    assert len(found) == len(re.findall(r"^### ", PAGE.read_text(), re.MULTILINE)), "a heading without what is printed"
    return {mistake: printed for mistake, _, printed in found}


def test_what_is_printed_is_what_the_page_says(tmp_path: Path, cloud: Emulator) -> None:
    stack = Stack(tmp_path, cloud)
    told = Diagnostics(stack)
    with socket.socket() as silent, Service(answer(407)) as proxy:
        silent.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can have it
        make_mistakes(told, stack, cloud, silent.getsockname()[1], proxy.address)
    other = Stack(tmp_path / "dwr", cloud)
    others = Diagnostics(other)
    with_runs_on_record(others, other, cloud)
    told.lines |= others.lines
    page = headings()
    # An engine of another version may put something else around a text.
    wrong = {mistake: text for mistake, text in page.items() if not any(text in line for line in told.lines)}
    missing = [line for line in told.lines if not any(text in line for text in page.values())]
    assert (wrong, missing) == ({}, [])
