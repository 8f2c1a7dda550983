"""Through the real engine: no key, token or passphrase is in anything that was shown or written, whatever happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.secrets.canaries import canary, leaks, leaks_in_files
from tests.secrets.echo import echo
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Result, Stack, call, job, run

pytestmark = pytest.mark.engine

NAMES = ("TENCENT", "TENCENT_TOKEN", "HUAWEI", "HUAWEI_TOKEN", "ENOS", "OTHER", "OTHER_TOKEN", "PASSPHRASE")
IMPORT = "import os\nfrom cloud_runs import Completion, Provider, enos, huawei\n"
OTHER = call(
    "Provider",
    "other",
    tencent_secret_id="AKIDother",
    tencent_secret_key="=os.environ['CANARY_OTHER']",
    tencent_security_token="=pulumi.Output.from_input(os.environ['CANARY_OTHER_TOKEN'])",
)
VERBOSE = ("--debug", "--logtostderr", "-v=9")
ENGINES_OWN = re.compile(r".*arshaling property for RPC\[.*(Configure\(\)|pulumi:providers:).*")
"""At this level the engine logs each value of a provider's configuration, whoever's it is. (Not from the environment.)
"""
LOGGING = """
import logging, os
logging.basicConfig(level=logging.DEBUG, filename=f"{os.environ['DEBUG_LOGS']}/{os.getpid()}.log")
"""


def program(change: str) -> tuple[str, ...]:
    """A run of each system, one of another account, and what waits for all but that. A change fires all but that."""
    scan = call("huawei.WorkflowRun", "scan", graph_name="scan", bucket="demo-bucket", object=change)
    meters = call("enos.FlowRun", "meters", flow_id=len(change))
    there = run("there", opts="=ResourceOptions(provider=other)")
    waits = call("Completion", "done", runs="=[run, job, scan, meters]", poll_interval=1, on_failure="continue")
    export = "pulumi.export('all', [run.id, run.url, run.tasks, job.fired, done.outcomes])\n"
    return (IMPORT, OTHER, run(object=change), job(name=change), scan, meters, there, waits, export)


class Watched(Stack):
    """A stack with canaries: some in the environment, some in its secret configuration. Keeps all that is shown."""

    def __init__(self, folder: Path, cloud: Emulator, canaries: dict[str, str]) -> None:
        self.canaries, self.shown = canaries, ""
        self.logs = folder / "logs"
        (folder / "temporary").mkdir()
        self.logs.mkdir()
        (self.logs / "sitecustomize.py").write_text(LOGGING)
        super().__init__(folder, cloud)
        self.configure(
            tencentcloud__secretId=None,
            tencentcloud__secretKey=None,
            huaweicloud__region="cn-north-4",
            huaweicloud__accessKey="AKIDhuawei",
            runs__huaweiEndpoint=cloud.url,
            enos__orgId="o15",
            enos__userId="alice",
            enos__endpoint=cloud.url,
        )
        for key, name in (("secretKey", "HUAWEI"), ("securityToken", "HUAWEI_TOKEN")):
            self.pulumi("config", "set", "--secret", f"huaweicloud:{key}", canaries[name])

    @property
    def env(self) -> dict[str, str]:
        return super().env | {
            "TENCENTCLOUD_SECRET_ID": "AKIDtencent",
            "TENCENTCLOUD_SECRET_KEY": self.canaries["TENCENT"],
            "TENCENTCLOUD_SECURITY_TOKEN": self.canaries["TENCENT_TOKEN"],
            "ENOS_ACCESS_KEY": "AKIDenos",
            "ENOS_SECRET_KEY": self.canaries["ENOS"],
            "CANARY_OTHER": self.canaries["OTHER"],
            "CANARY_OTHER_TOKEN": self.canaries["OTHER_TOKEN"],
            "PULUMI_CONFIG_PASSPHRASE": self.canaries["PASSPHRASE"],
            "PYTHONPATH": f"{self.logs}:{self.settings['PYTHONPATH']}",
            "DEBUG_LOGS": str(self.logs),
            "TMPDIR": str(self.folder / "temporary"),  # where the engine logs to, if not to stderr
        }

    def pulumi(self, *arguments: str, **options: Any) -> Result:
        result = super().pulumi(*arguments, **options)
        self.shown += result.text
        return result

    def assert_kept(self, *more: str) -> None:
        """No canary, and none of `more`, is in what was shown or written."""
        values = [*self.canaries.values(), *more]
        assert not leaks(ENGINES_OWN.sub("", self.shown), values)
        assert not leaks_in_files(self.folder, values)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    canaries = {name: canary() for name in NAMES}
    keys = {"tencent": "TENCENT", "huawei": "HUAWEI", "enos": "ENOS", "other": "OTHER"}
    pairs = [("--access-key", f"AKID{id}", "--secret-key", canaries[name]) for id, name in keys.items()]
    with emulator("--run-seconds", "0", *(flag for pair in pairs for flag in pair)) as cloud:
        yield Watched(tmp_path, cloud, canaries)


def access_token(cloud: Emulator) -> str:
    (meters,) = cloud.runs("enos.flow")
    return str(meters["request"]["headers"]["apim-accesstoken"])


def test_success_with_all_that_can_be_logged(watched: Watched) -> None:
    cloud = watched.emulator
    watched.program(*program("a"))
    watched.pulumi("up", "--yes", "--diff", "-s", watched.name, *VERBOSE)
    assert len(cloud.runs()) == 5
    assert cloud.runs("huawei.workflow")[0]["request"]["headers"]["x-obs-security-token"].startswith("cnry")
    watched.pulumi("up", "--yes", "--refresh", "--diff", "-s", watched.name)
    watched.pulumi("stack", "output", "--json", "--show-secrets", "-s", watched.name)
    watched.pulumi("stack", "export", "-s", watched.name)
    logs = "".join(file.read_text() for file in watched.logs.glob("*.log"))
    assert '"POST /triggerworkflow' in logs, "the host's libraries have logged"
    assert "4 of 4 finished" in watched.shown, "the wait's progress was shown"
    watched.destroy("--debug")
    watched.assert_kept(access_token(cloud))
    assert not leaks(str(cloud.runs()), [watched.canaries[name] for name in ("TENCENT", "HUAWEI", "ENOS", "OTHER")])


def test_every_service_refuses_and_sends_the_key_back(watched: Watched) -> None:
    cloud = watched.emulator
    watched.up(*program("a"))
    token = access_token(cloud)
    known = {
        "tencent.workflow": [watched.canaries[name] for name in ("TENCENT", "TENCENT_TOKEN")],
        "tencent.inventory": [watched.canaries[name] for name in ("TENCENT", "TENCENT_TOKEN")],
        "huawei.workflow": [watched.canaries[name] for name in ("HUAWEI", "HUAWEI_TOKEN")],
        "enos.flow": [watched.canaries["ENOS"], token],
    }
    for system, secrets in known.items():
        for operation in ("start", "get"):
            where = {"system": system, "operation": operation, "times": 100}
            code = (
                "62103" if system == "enos.flow" else "AccessDenied"
            )  # another would leave the outcome in doubt there
            cloud.faults({**where, "action": "status", "status": 403, "code": code, "message": " ".join(secrets)})
    # Not the run of the other account: it knows nothing of these keys, so it cannot leave them out.
    targets = [flag for name in ("run", "job", "scan", "meters") for flag in ("--target", watched.urn(name))]
    refreshed = watched.pulumi("refresh", "--yes", "--skip-preview", "-s", watched.name, *targets, check=False).text
    assert refreshed.count("***") >= len(known)
    said = watched.up(*program("bb"), flags=("--continue-on-error", "--debug"), check=False).text
    for name in ("WorkflowRun 'run'", "InventoryJob 'job'", "WorkflowRun 'scan'", "FlowRun 'meters'"):
        (line, *_) = [line for line in said.splitlines() if f"{name}: " in line and "***" in line]
        assert "403" in line
    assert "came from environment TENCENTCLOUD_SECRET_ID" in said, "a refused key is named by its source"
    assert len(cloud.runs()) == 5
    watched.assert_kept(token)


def test_a_proxy_refuses_and_sends_its_password_back(watched: Watched) -> None:
    password = canary().replace("/", "_")
    with echo([password]) as proxy:
        watched.configure(
            tencentcloud__secretId=None,
            tencentcloud__secretKey=None,
            runs__tencentEndpoint=None,
            runs__startSeconds=None,  # short times are for loopback alone
            runs__lagSeconds=None,
        )
        through = {"HTTPS_PROXY": proxy.url.replace("http://", f"http://user:{password}@"), "NO_PROXY": ""}
        said = watched.up(run(), check=False, env=through, flags=VERBOSE).text
    assert "the proxy refused (403)" in said
    watched.assert_kept(password)
