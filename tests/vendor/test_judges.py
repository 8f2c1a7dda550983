"""The vendor's SDKs in Go, Node.js and Java, unmodified, under the vendor's own host names over TLS.

The programs are in `judges/`, one file a language; `make judges` builds them in `.venv/judges`. Each does the same work
and prints what its SDK has read of the answers; what the emulator saw is asked of it. Tests of what is not built are
skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".venv" / "judges"
WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799"
OBJECTS = ["a b.mp4", "b.mp4", "中.mp4"]
HOST = "media-1250000000.ci.ap-beijing.myqcloud.com"
OTHER = HOST.replace("myqcloud.com", "tencentci.cn")
ALL_SAW = {"triggered", "got", "listed", "pages", "ended", "batch", "job", "told", "unknown_run", "wrong_key"}
SAW = {
    "go": {"timed", "executions", "jobs", "cancel", "unknown_job", "workflow"},
    "node": {"executions", "jobs", "batches", "cancelled", "unknown_job", "workflow"},
    "java": {"cancelled"},
}
"""What each of them sees beside that. Go's reads one row of a list of batch jobs, and cannot cancel. Java's reads no id
of an unknown job and no list of workflows as the page has it, and can neither ask for the jobs or executions that a
batch job started, nor for batch jobs by their type."""


def go(proxy: str, authority: Path, _: Path) -> tuple[list[str], dict[str, str]]:
    return [str(BUILT / "go" / "judge")], {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(authority)}


def node(_proxy: str, authority: Path, _: Path) -> tuple[list[str], dict[str, str]]:
    return ["node", str(BUILT / "node" / "judge.js")], {"NODE_EXTRA_CA_CERTS": str(authority)}


def java(_proxy: str, authority: Path, folder: Path) -> tuple[list[str], dict[str, str]]:
    store = folder / "trusted.p12"
    options = ["-alias", "emulator", "-keystore", str(store), "-storetype", "PKCS12", "-storepass", "changeit"]
    imported = ["keytool", "-importcert", "-noprompt", "-file", str(authority), *options]
    subprocess.run(imported, check=True, capture_output=True, timeout=120)
    trust = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
    return ["java", *trust, "-cp", f"{BUILT / 'java'}:{BUILT / 'java' / 'lib'}/*", "Judge"], {}


LANGUAGES = {"go": go, "node": node, "java": java}


@dataclass(frozen=True)
class Judged:
    """What an SDK saw, and the emulator that it saw."""

    language: str
    saw: dict[str, Any]
    cloud: Emulator

    def runs(self, system: str) -> list[dict[str, Any]]:
        return self.cloud.runs(system)


@pytest.fixture(scope="module", params=LANGUAGES)
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    language = request.param
    if not (BUILT / language / ".built").exists() or not shutil.which(language):
        pytest.skip(f"no judge in {language}: make judges builds those whose languages are on this machine")
    folder = tmp_path_factory.mktemp(language)
    with emulator("--tls", "--run-seconds", "3600") as cloud:
        command, more = LANGUAGES[language](cloud.url, cloud.authority, folder)
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **more}
        environment |= {"JUDGE_ID": SECRET_ID, "JUDGE_SECRET": SECRET_KEY, "JUDGE_PROXY": cloud.url}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        yield Judged(language, json.loads(done.stdout), cloud)


def test_it_sees_what_it_can(judged: Judged) -> None:
    assert judged.saw.keys() == ALL_SAW | SAW[judged.language]


def test_it_triggers_runs(judged: Judged) -> None:
    runs = judged.runs("tencent.workflow")
    assert judged.saw["triggered"] == [run["id"] for run in runs]
    assert [run["request"]["query"]["object"] for run in runs] == OBJECTS
    assert {run["request"]["query"]["name"] for run in runs} == {"n"}
    assert [run["request"]["headers"]["host"] for run in runs] == [HOST, HOST, OTHER]
    assert judged.saw["got"] == [runs[2]["id"], OBJECTS[2], "Running"]


def test_it_lists_with_pages_and_filters(judged: Judged) -> None:
    assert judged.saw["listed"] == judged.saw["triggered"]
    assert (judged.saw["pages"], judged.saw["ended"]) == (2, 0)
    if judged.language == "go":
        assert judged.saw["timed"], "it reads CreationTime, where the pages say CreateTime"


def test_it_starts_batch_jobs_of_both_types(judged: Judged) -> None:
    batch, job = judged.runs("tencent.inventory")
    assert [judged.saw["batch"], judged.saw["job"]] == [batch["id"], job["id"]]
    assert judged.saw["told"] == [job["id"], "Transcode"]
    bodies = [ElementTree.fromstring(run["request"]["body"]) for run in (batch, job)]
    assert [body.findtext("Type") for body in bodies] == ["Workflow", "Job"]
    assert [bodies[0].findtext(f"Operation/{name}") for name in ("WorkflowIds", "QueueId", "UserData")] == [
        WORKFLOW, "p1", "u",
    ]  # fmt: skip
    assert bodies[1].findtext("Operation/JobParam/TemplateId") == "t1"
    for what, expected in (("executions", 3), ("jobs", 3), ("batches", [batch["id"], job["id"]])):
        assert what not in SAW[judged.language] or judged.saw[what] == expected


def test_it_cancels(judged: Judged) -> None:
    state = judged.runs("tencent.inventory")[0]["state"]
    if judged.language == "go":  # a fault of that SDK: it leaves ?cancel out
        assert (judged.saw["cancel"], state != "Cancel") == ("InvalidArgument", True)
    else:
        assert judged.saw["cancelled"] == state == "Cancel"


def test_it_reads_errors(judged: Judged) -> None:
    assert judged.saw["unknown_run"] == "WorkflowExecutionNotFound"
    assert judged.saw["wrong_key"] == "SignatureDoesNotMatch"
    for what, expected in (("unknown_job", "b0"), ("workflow", [WORKFLOW, "Active"])):
        assert what not in SAW[judged.language] or judged.saw[what] == expected
    assert len(judged.runs("tencent.workflow")) == 3, "the wrong key started nothing"


def test_what_only_one_of_them_can_send(judged: Judged) -> None:
    first = judged.runs("tencent.workflow")[0]["request"]
    if judged.language == "java":
        attached = ElementTree.fromstring(first["body"])
        assert (first["query"]["attachParam"], attached.findtext("AttachParam/WatermarkTemplateId")) == ("", "t1")
    else:
        assert (first["body"], "attachParam" in first["query"]) == ("", False)
    if judged.language == "go":
        signed = ["content-md5" in run["request"]["headers"] for run in judged.runs("tencent.inventory")]
        assert signed == [True, True], "it sends and signs the digest of a body, as ours does"
