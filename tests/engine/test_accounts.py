"""Several accounts in one program, and where a key may come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.emulator import SECRET_ID, SECRET_KEY, emulator
from tests.support.stack import Stack, call, job, run

pytestmark = pytest.mark.engine

OTHER_ID, OTHER_KEY = "AKIDother", "other-canary-key"
PAIRS = ("--access-key", SECRET_ID, "--secret-key", SECRET_KEY, "--access-key", OTHER_ID, "--secret-key", OTHER_KEY)
EXPLICIT = "=ResourceOptions(provider=eu)"
SETTINGS = "A refresh and a destroy use the settings of the last `pulumi up`"


def provider(**arguments: str) -> str:
    given = {"tencent_secret_id": OTHER_ID, "tencent_secret_key": OTHER_KEY, **arguments}
    return "from cloud_runs import Provider\n" + call("Provider", "eu", **given)


def test_two_accounts_in_one_up_each_sign_with_their_own_key_and_a_move_fires_nothing(tmp_path: Path) -> None:
    with emulator("--run-seconds", "3600", *PAIRS) as cloud:
        stack = Stack(tmp_path, cloud)
        eu = provider(tencent_region="eu-frankfurt")
        stack.up(eu, run("here", object="here.mp4"), run("there", object="there.mp4", opts=EXPLICIT))
        signed = {
            entry["request"]["query"]["object"]: entry["request"]["headers"]["authorization"] for entry in cloud.runs()
        }
        assert f"q-ak={SECRET_ID}&" in signed["here.mp4"]
        assert f"q-ak={OTHER_ID}&" in signed["there.mp4"]
        assert stack.outputs("there")["region"] == "eu-frankfurt"
        assert stack.outputs("here")["region"] == "ap-beijing"
        assert OTHER_KEY not in stack.export(), "secrets given to a provider are encrypted"
        sent = cloud.requests()
        stack.up()
        assert cloud.requests() == sent
        stack.refresh()
        both = [run(name, object=f"{name}.mp4", opts=EXPLICIT) for name in ("here", "there")]
        stack.up(eu, *both)
        stack.up(provider(tencent_region="eu-frankfurt", tencent_secret_key=OTHER_KEY + "x"), *both)
        assert set(cloud.ids()) == {stack.id("here"), stack.id("there")}, (
            "another account, or another key, fires nothing"
        )
        stack.destroy()
        assert len(cloud.ids()) == 2


def test_what_the_provider_leaves_out_comes_from_the_stack_but_never_part_of_a_pair(tmp_path: Path) -> None:
    with emulator("--run-seconds", "3600", *PAIRS) as cloud:
        stack = Stack(tmp_path, cloud)
        stack.configure(tencentcloud__securityToken="belongs-to-the-stack-key")
        stack.up(provider(), run("there", opts=EXPLICIT))
        (entry,) = cloud.runs()
        assert f"q-ak={OTHER_ID}&" in entry["request"]["headers"]["authorization"]
        assert "x-ci-security-token" not in entry["request"]["headers"]
        assert stack.outputs("there")["region"] == "ap-beijing", "endpoint and region come from the stack"
        half = 'from cloud_runs import Provider\neu = Provider("eu", tencent_secret_id="x")\n'
        refused = stack.up(half, run("there", object="b.mp4", opts=EXPLICIT), check=False)
        assert refused.code != 0
        assert "provider 'eu' tencent_secret_id is set but not tencent_secret_key" in refused.text


def test_a_refused_key_is_named_by_its_provider(tmp_path: Path) -> None:
    with emulator() as cloud:
        stack = Stack(tmp_path, cloud)
        refused = stack.up(provider(), run("there", opts=EXPLICIT), check=False)
        assert refused.code != 0
        assert "provider 'eu' tencent_secret_id" in refused.text
        assert OTHER_KEY not in refused.text
        assert cloud.ids() == []


@pytest.mark.long
def test_every_system_takes_its_settings_from_an_explicit_provider(tmp_path: Path) -> None:
    """The stack has none of them, so each can only come from the provider."""
    with emulator("--run-seconds", "3600", *PAIRS) as cloud:
        stack = Stack(tmp_path, cloud)
        keys = {"huawei_access_key": OTHER_ID, "huawei_secret_key": OTHER_KEY, "huawei_security_token": "canary-token"}
        keys |= {"enos_access_key": OTHER_ID, "enos_secret_key": OTHER_KEY, "enos_org_id": "o7", "enos_user_id": "bob"}
        keys |= {"huawei_region": "cn-north-9", "huawei_endpoint": cloud.url, "enos_endpoint": cloud.url}
        keys |= {"start_seconds": "=31.5", "lag_seconds": "=pulumi.Output.from_input(1)"}  # less: on this machine
        scan = call("huawei.WorkflowRun", "scan", graph_name="g", bucket="demo-bucket", object="o", opts=EXPLICIT)
        meters = call("enos.FlowRun", "meters", flow_id=7, opts=EXPLICIT)
        stack.up("from cloud_runs import enos, huawei\n", provider(**keys), scan, meters)
        (fired,) = cloud.runs("huawei.workflow")
        assert f"OBS {OTHER_ID}:" in fired["request"]["headers"]["authorization"]
        assert fired["request"]["headers"]["x-obs-security-token"] == "canary-token"
        assert stack.outputs("scan")["region"] == "cn-north-9"
        (fired,) = cloud.runs("enos.flow")
        assert (fired["request"]["query"]["orgId"], fired["request"]["query"]["userId"]) == ("o7", "bob")
        assert "canary-token" not in stack.export()
        assert OTHER_KEY not in stack.export()


@pytest.mark.long
def test_all_settings_have_a_name_of_ours_which_an_explicit_provider_gets_too(tmp_path: Path) -> None:
    with emulator("--run-seconds", "3600") as cloud:
        stack = Stack(tmp_path, cloud)
        stack.configure(tencentcloud__secretId="AKIDnobody", tencentcloud__region="ap-nowhere")
        stack.configure(runs__tencentSecretId=SECRET_ID, runs__tencentSecretKey=SECRET_KEY)
        stack.configure(runs__tencentRegion="ap-beijing-1", runs__startSeconds="5", runs__lagSeconds="0")
        nothing = "=pulumi.Output.from_input(None)"
        other = "from cloud_runs import Provider\n" + call(
            "Provider", "eu", tencent_region=nothing, lag_seconds=nothing
        )
        stack.up(other, run("here"), run("there", object="there.mp4", opts=EXPLICIT))
        assert len(cloud.ids()) == 2
        assert {stack.outputs(name)["region"] for name in ("here", "there")} == {"ap-beijing-1"}
        stack.configure(runs__tencentEndpoint="https://ci.invalid")
        refused = stack.up(other, run("here"), run("new", object="new.mp4"), check=False)
        assert refused.code != 0
        said = "stack configuration runs:startSeconds is not a number of seconds from 30 to 600: set one, or"
        assert f"{said} runs:tencentEndpoint to an address of this machine" in refused.text


def test_an_empty_key_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    with emulator() as cloud:
        stack = Stack(tmp_path, cloud)
        refused = stack.up(provider(tencent_secret_key=""), run("there", opts=EXPLICIT), check=False)
        assert refused.code != 0
        assert "Provider 'eu': tencent_secret_key is empty" in refused.text
        assert cloud.requests() == {}


@pytest.mark.long
def test_a_changed_key_counts_for_the_state_after_an_up_or_with_run_program(tmp_path: Path) -> None:
    """The engine keeps the settings in the state at each `up`, and takes them from there when it runs no program."""
    with emulator("--run-seconds", "3600", *PAIRS) as cloud:
        stack = Stack(tmp_path, cloud)
        stack.up(job(on_delete="cancel"))
        stack.configure(tencentcloud__secretId="AKIDgone")
        stack.up()
        before = tmp_path / "before.json"
        stack.pulumi("stack", "export", "--file", str(before), "-s", stack.name)
        stack.configure(tencentcloud__secretId=OTHER_ID, tencentcloud__secretKey=OTHER_KEY)
        for command in (("refresh",), ("up", "--refresh"), ("destroy",)):
            what = (*command, "--yes", "--skip-preview", "-s", stack.name)
            refused = stack.pulumi(*what, check=False)
            assert refused.code != 0
            assert "InvalidAccessKeyId" in refused.text
            assert SETTINGS in refused.text
            assert OTHER_KEY not in refused.text
            stack.pulumi(*what, "--run-program")
            if command != ("destroy",):
                stack.pulumi("stack", "import", "--file", str(before), "-s", stack.name)
        assert [entry["state"] for entry in cloud.runs()] == ["Cancel"], "none was fired again, and it was stopped"
