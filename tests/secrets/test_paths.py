"""Through the real engine: no key, token or passphrase is in anything that was shown or written, whatever happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_runs.wire.settings import Setting
from tests.kits import IMPORT, KITS, RESUMING, settings
from tests.kits.kit import Kit
from tests.secrets.canaries import canary, leaks, leaks_in_files
from tests.secrets.echo import echo
from tests.support.emulator import Emulator, emulator
from tests.support.stack import Result, Stack, call, run

pytestmark = pytest.mark.engine

VENDORS = {kit.room: kit.kind.vendor for kit in KITS.values()}
NAMES = [*VENDORS, *(f"{room} token" for room, vendor in VENDORS.items() if vendor.token)]
CONFIGURED = "huawei"
"""Whose keys come from the secret configuration; those of the others come from the environment."""
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


def resource(kit: Kit) -> str:
    return kit.name.replace(".", "-")


def program(change: str) -> tuple[str, ...]:
    """A run of each kind, one of another account, and what waits for all but that. A change fires all but that."""
    all_kinds = [kit.source(resource(kit), **kit.work(f"case-{change}")) for kit in KITS.values()]
    there = run("there", opts="=ResourceOptions(provider=other)")
    names = [resource(kit).replace("-", "_") for kit in KITS.values()]
    waits = call("Completion", "done", runs=f"=[{', '.join(names)}]", poll_interval=1, on_failure="continue")
    told = ", ".join(f"{name}.{output}" for name in names for output in ("id", "url", "tasks", "fired"))
    export = f"pulumi.export('all', [{told}, done.outcomes])\n"
    return ("import os\n", IMPORT, OTHER, *all_kinds, there, waits, export)


class Watched(Stack):
    """A stack with canaries: some in the environment, some in its secret configuration. Keeps all that is shown."""

    def __init__(self, folder: Path, cloud: Emulator, canaries: dict[str, str]) -> None:
        self.canaries, self.shown = canaries, ""
        self.logs = folder / "logs"
        (folder / "temporary").mkdir()
        self.logs.mkdir()
        (self.logs / "sitecustomize.py").write_text(LOGGING)
        super().__init__(folder, cloud)
        secret = {setting.config: None for vendor in VENDORS.values() for setting in vendor.keys}
        self.configure(**settings(cloud.url) | secret | {VENDORS[CONFIGURED].id.config: f"AKID{CONFIGURED}"})
        for setting, name in self._keys(CONFIGURED).items():
            self.pulumi("config", "set", "--secret", setting.config, canaries[name])

    @staticmethod
    def _keys(room: str) -> dict[Setting, str]:
        """Its secret settings, and the canaries that they have."""
        vendor = VENDORS[room]
        return {vendor.secret: room} | ({vendor.token: f"{room} token"} if vendor.token else {})

    @property
    def env(self) -> dict[str, str]:
        others = [room for room in VENDORS if room != CONFIGURED]
        keys = {setting.environ: self.canaries[name] for room in others for setting, name in self._keys(room).items()}
        return (
            super().env
            | {VENDORS[room].id.environ: f"AKID{room}" for room in others}
            | keys
            | {
                "CANARY_OTHER": self.canaries["other"],
                "CANARY_OTHER_TOKEN": self.canaries["other token"],
                "PULUMI_CONFIG_PASSPHRASE": self.canaries["passphrase"],
                "PYTHONPATH": f"{self.logs}:{self.settings['PYTHONPATH']}",
                "DEBUG_LOGS": str(self.logs),
                "TMPDIR": str(self.folder / "temporary"),  # where the engine logs to, if not to stderr
            }
        )

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
    canaries = {name: canary() for name in (*NAMES, "other", "other token", "passphrase")}
    pairs = [("--access-key", f"AKID{id}", "--secret-key", canaries[id]) for id in (*VENDORS, "other")]
    with emulator("--run-seconds", "0", *(flag for pair in pairs for flag in pair)) as cloud:
        yield Watched(tmp_path, cloud, canaries)


def access_tokens(cloud: Emulator) -> dict[str, str]:
    """Those that services gave, by kind."""
    headers = {kit.name: cloud.runs(kit.name)[0]["request"]["headers"] for kit in KITS.values() if kit.token_header}
    return {name: str(received[KITS[name].token_header]) for name, received in headers.items()}


@pytest.mark.long
def test_success_with_all_that_can_be_logged(watched: Watched) -> None:
    cloud = watched.emulator
    watched.program(*program("1"))
    watched.pulumi("up", "--yes", "--diff", "-s", watched.name, *VERBOSE)
    assert len(cloud.runs()) == len(KITS) + 1
    assert cloud.runs("huawei.workflow")[0]["request"]["headers"]["x-obs-security-token"].startswith("cnry")
    assert cloud.runs("huawei.dwr")[0]["request"]["headers"]["x-security-token"].startswith("cnry")
    watched.pulumi("up", "--yes", "--refresh", "--diff", "-s", watched.name)
    watched.pulumi("stack", "output", "--json", "--show-secrets", "-s", watched.name)
    watched.pulumi("stack", "export", "-s", watched.name)
    logs = "".join(file.read_text() for file in watched.logs.glob("*.log"))
    assert '"POST /triggerworkflow' in logs, "the host's libraries have logged"
    assert f"{len(KITS)}/{len(KITS)} done" in watched.shown, "the wait's progress was shown"
    watched.destroy("--debug")
    watched.assert_kept(*access_tokens(cloud).values())
    assert not leaks(str(cloud.runs()), [watched.canaries[name] for name in (*VENDORS, "other")])


def test_every_service_refuses_and_sends_the_key_back(watched: Watched) -> None:
    cloud = watched.emulator
    watched.up(*program("1"))
    tokens = access_tokens(cloud)
    for kit in KITS.values():
        known = [watched.canaries[name] for name in NAMES if name.split()[0] == kit.room]
        message = " ".join([*known, *([tokens[kit.name]] if kit.name in tokens else [])])
        for operation in ("start", "get"):
            cloud.fault(kit.name, operation, "status", times=100, status=403, code=kit.denied, message=message)
    # Not the run of the other account: it knows nothing of these keys, so it cannot leave them out.
    targets = [flag for kit in KITS.values() for flag in ("--target", watched.urn(resource(kit)))]
    refreshed = watched.pulumi("refresh", "--yes", "--skip-preview", "-s", watched.name, *targets, check=False).text
    assert refreshed.count("***") >= len(KITS)
    said = watched.up(*program("2"), flags=("--continue-on-error", "--debug"), check=False).text
    for name in (f"{kit.kind.label} {resource(kit)!r}" for kit in KITS.values()):
        (line, *_) = [line for line in said.splitlines() if f"{name}: " in line and "***" in line]
        assert "403" in line
    assert "came from environment TENCENTCLOUD_SECRET_ID" in said, "a refused key is named by its source"
    assert len(cloud.runs()) == len(KITS) + 1
    watched.assert_kept(*tokens.values())


def test_a_service_that_lets_no_run_go_on_sends_the_key_back(watched: Watched) -> None:
    cloud = watched.emulator
    kits = RESUMING.values()
    watched.up(IMPORT, *(kit.source(resource(kit), rerun_on_failure="resume") for kit in kits))
    for kit in kits:
        known = [watched.canaries[name] for name in NAMES if name.split()[0] == kit.room]
        cloud.set_state(watched.id(resource(kit)), kit.failure)
        cloud.fault(kit.name, kit.resume, "status", status=403, code=kit.denied, message=" ".join(known))
    said = watched.up(flags=("--refresh", "--continue-on-error", "--debug"), check=False).text
    for kit in kits:
        assert cloud.count(kit.name, kit.resume) == 1
        (line, *_) = [line for line in said.splitlines() if f"{kit.kind.label} {resource(kit)!r}: " in line]
        assert "was not resumed" in line
        assert "***" in line
    watched.assert_kept()


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
