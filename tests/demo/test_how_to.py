"""docs/how-to.md, docs/teams.md, and the keys of docs/accounts.md: the programs as one program, the commands as they
stand there. The program of another stack is run in test_programs.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_runs.limits import Leave
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Transport
from tests.demo.pages import blocks, stack_of_all_systems
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import BUCKET, WORKFLOW, Stack, run

pytestmark = [pytest.mark.engine, pytest.mark.long]

PAGE = "docs/how-to.md"
*PROGRAMS, ADOPTING = (text for language, text in blocks(PAGE) if language == "python")
PROGRAM = "\n".join([*(text for text in PROGRAMS if "StackReference" not in text), ADOPTING])
DEPLOY, AGAIN = (text for language, text in blocks(PAGE) if language == "sh")
KEYS_SET, ROTATE = (text for language, text in blocks("docs/accounts.md") if language == "sh")
NEW_ID, NEW_KEY = "AKIDrotated", "rotated-canary-key"
KEYS = ("--access-key", SECRET_ID, "--secret-key", SECRET_KEY, "--access-key", NEW_ID, "--secret-key", NEW_KEY)


def test_how_to(tmp_path: Path) -> None:
    with emulator("--run-seconds", "1", *KEYS) as cloud:
        stack = stack_of_all_systems(tmp_path, cloud)
        scripted = started_by_a_script(cloud)
        program, titles = stack.project / "__main__.py", stack.project / "titles.csv"
        titles.write_text("id,title\n")
        adopting = PROGRAM.replace("INSTANCE_ID", scripted)
        program.write_text(adopting)
        stack.shell("git init -q; git config user.name n; git config user.email e")
        commit = "git commit -q --allow-empty -m release"

        stack.shell(f"{commit}\n{DEPLOY}")
        assert fired(cloud) == ["film.mp4", "index.json", "nightly.mp4", "titles.csv"]
        assert stack.id("imported") == scripted

        titles.write_text("id,title\n")  # written anew, with the same in it
        program.write_text(adopting.replace(f'    adopt_id="{scripted}",\n', ""))
        stack.shell(DEPLOY)
        assert fired(cloud, 4) == []

        stack.shell(f"{commit}\n{DEPLOY}")
        assert fired(cloud, 4) == ["index.json"]

        titles.write_text("id,title\n1,a film\n")
        stack.shell(ROTATE, NEW_ID=NEW_ID, NEW_KEY=NEW_KEY)
        assert fired(cloud, 5) == ["titles.csv"]
        assert NEW_KEY not in stack.export()

        cloud.set_state(stack.id("nightly"), "Failed", "Broken", "it broke")
        cloud.set_state(stack.id("review"), "fail")
        program.write_text(adopting.replace(f'adopt_id="{scripted}"', 'triggers={"release": "1"}'))
        stack.shell(AGAIN)
        assert fired(cloud, 6) == ["film.mp4", "nightly.mp4"]
        assert stack.outputs("done")["succeeded"] == 1
        assert (cloud.count("huawei.dwr", "start"), cloud.count("huawei.dwr", "retry")) == (1, 1)
        assert stack.outputs("review")["history"][0]["id"] == stack.id("review")


def test_keys_of_the_configuration(stack: Stack, cloud: Emulator) -> None:
    stack.configure(tencentcloud__secretId=None, tencentcloud__secretKey=None, tencentcloud__region=None)
    stack.program(run())
    assert "FAIL" not in stack.shell(KEYS_SET, TENCENT_ID=SECRET_ID, TENCENT_KEY=SECRET_KEY)
    assert cloud.ids() == []


def started_by_a_script(cloud: Emulator) -> str:
    keys = Credentials(SECRET_ID, SECRET_KEY, source="a script")
    client = WorkflowClient(Transport(), keys, region="ap-beijing", bucket=BUCKET, endpoint=cloud.url)
    return client.start(WorkflowRequest(WORKFLOW, "film.mp4", ""), Leave(lambda: True)).id


def fired(cloud: Emulator, after: int = 0) -> list[str]:
    """The objects of the runs, but for the first `after` ones."""
    return sorted(run["request"]["query"]["object"] for run in cloud.runs()[after:])


def test_a_team_s_backend(stack: Stack) -> None:
    """The commands with a folder in the place of the server; tests/teams has a server."""
    ((_, commands),) = blocks("docs/teams.md")
    there = commands.replace("postgres://runs:$PASSWORD@db.internal:5432/pulumi", f"file://{stack.folder}/team")
    assert there != commands
    (stack.folder / "team").mkdir()
    stack.shell(f"{there}\npulumi stack ls", PULUMI_STACK="")
    assert list((stack.folder / "team").rglob("prod.json"))
