"""README.md, "When does it run?": every row, on the real engine; fires are counted where they arrive."""

from __future__ import annotations

import pytest

from tests.engine.interrupted import kill_after_start, refuse
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import WORKFLOW, Stack, job, run

pytestmark = pytest.mark.engine

OTHER_WORKFLOW = "w" + "0" * 32


def test_first_up_fires_once_and_records_the_id(stack: Stack, cloud: Emulator) -> None:
    stack.up(run(), "pulumi.export('id', run.instance_id)")
    assert cloud.ids() == [stack.id()]
    assert stack.outputs()["instance_id"] == stack.id()
    assert stack.outputs()["provenance"] == "fired"
    assert stack.outputs()["reference"] == f"tencent.workflow:ap-beijing:media-1250000000:{stack.id()}"


def test_up_without_a_change_and_refresh_fire_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(run(), job())
    sent = cloud.requests()
    unchanged = stack.up()
    assert cloud.requests() == sent, "an unchanged up sends nothing"
    assert "unchanged" in unchanged.text
    stack.refresh()
    stack.up(flags=("--refresh",))
    assert len(cloud.runs()) == 2


CHANGES = {
    "object": {"object": "b.mp4"},
    "workflow_id": {"workflow_id": OTHER_WORKFLOW},
    "name": {"name": "label"},
    "bucket": {"bucket": "other-1250000000"},
    "region": {"region": "ap-shanghai"},
    "day": {"triggers": {"release": "1", "day": "2"}},
    "release": {"triggers": {"release": "2", "day": "2"}},
}


def test_a_changed_argument_or_trigger_fires_once(stack: Stack, cloud: Emulator) -> None:
    asked: dict[str, object] = {"triggers": {"release": "1"}}
    stack.up(run(**asked))
    for fired, (named, change) in enumerate(CHANGES.items(), start=1):
        asked |= change
        preview = stack.preview(run(**asked), flags=("--diff",)).text
        assert "replace" in preview
        assert named in preview, preview
        assert len(cloud.runs()) == fired, "a preview sends nothing"
        stack.up()
        assert len(cloud.runs()) == fired + 1
        assert cloud.ids()[-1] == stack.id()
    sent = cloud.requests()
    preview = stack.preview(run(**{**asked, "object": "c.mp4"})).text
    assert "object" in preview, "the short preview names it too"
    preview = stack.preview(run(**{**asked, "triggers": {"release": "3"}})).text
    assert "triggers" in preview
    stack.up(run(**asked))
    assert cloud.requests() == sent


def test_a_change_taken_back_before_it_fired_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(run())
    fired = stack.id()
    refuse(cloud)
    assert stack.up(run(object="b.mp4"), check=False).code != 0
    assert cloud.ids() == [fired]
    stack.up(run())
    assert cloud.ids() == [fired]
    assert stack.id() == fired
    stack.up(run(object="b.mp4"))
    assert len(cloud.runs()) == 2, "and the change still fires when it is made again"


def test_what_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    asked: dict[str, object] = {"triggers": {"a": "1", "b": "2"}}
    stack.up(run(**asked))
    ignoring = "=ResourceOptions(ignore_changes=['object', 'triggers'])"
    for change in (
        {"triggers": {"a": "1"}},
        {"triggers": None},
        {"rerun_on_failure": True},
        {"on_delete": "abandon"},
        {"opts": "=ResourceOptions(protect=True)"},
        {"object": "b.mp4", "triggers": {"a": "2"}, "opts": ignoring},
    ):
        asked |= change
        stack.up(run(**asked))
        assert cloud.ids() == [stack.id()], change
    stack.up()
    assert cloud.ids() == [stack.id()]


def test_a_removed_trigger_put_back_with_its_value_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    for triggers in ({"a": "1", "b": "2"}, {"a": "1"}, {"a": "1", "b": "2"}):
        stack.up(run(triggers=triggers))
    assert len(cloud.runs()) == 1
    stack.up(run(triggers={"a": "1", "b": "3"}))
    assert len(cloud.runs()) == 2


def test_a_steering_argument_is_recorded(stack: Stack, cloud: Emulator) -> None:
    stack.up(job())
    stack.up(job(on_delete="cancel"))
    assert stack.outputs("job")["on_delete"] == "cancel"
    assert len(cloud.runs()) == 1
    stack.destroy()
    assert [entry["state"] for entry in cloud.runs()] == ["Cancel"]


def test_a_rotated_key_fires_nothing(tmp_path, cloud: Emulator) -> None:  # type: ignore[no-untyped-def]
    with emulator(
        "--access-key", "AKIDnew", "--secret-key", "new", "--access-key", SECRET_ID, "--secret-key", SECRET_KEY
    ) as two:
        stack = Stack(tmp_path, two)
        stack.up(run())
        stack.configure(tencentcloud__secretId="AKIDnew", tencentcloud__secretKey="new")
        stack.up()
        assert two.count("tencent.workflow", "start") == 1
        stack.up(run(object="b.mp4"))
        assert len(two.runs()) == 2


def test_another_provider_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    explicit = f"""
        other = pulumi.ProviderResource("pulumi-python", "other", {{
            "tencentcloud:region": "ap-beijing", "tencentcloud:secretId": "{SECRET_ID}",
            "tencentcloud:secretKey": "{SECRET_KEY}", "runs:tencentEndpoint": "{cloud.url}"}})
        """
    stack.up(run())
    stack.up(explicit, run(opts="=ResourceOptions(provider=other)"))
    assert cloud.ids() == [stack.id()]
    stack.up(explicit, run(object="b.mp4", opts="=ResourceOptions(provider=other)"))
    assert len(cloud.runs()) == 2


def test_a_rename_with_an_alias_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(run("old"))
    stack.up(run("new", opts="=ResourceOptions(aliases=[Alias(name='old')])"))
    assert set(stack.resources()) == {"new", "new-intent"}
    stack.up(run("new"))
    assert cloud.ids() == [stack.id("new")]
    stack.up(run("new", triggers={"a": "1"}))
    assert len(cloud.runs()) == 2


def test_a_forced_replacement_fires_once(stack: Stack, cloud: Emulator) -> None:
    stack.up(run(opts="=ResourceOptions(replacement_trigger='1')"))
    stack.up(flags=("--replace", stack.urn("run")))
    assert len(cloud.runs()) == 2
    assert cloud.ids()[-1] == stack.id()
    stack.pulumi("state", "taint", stack.urn("run"), "--yes", "-s", stack.name)
    stack.up()
    assert len(cloud.runs()) == 3
    assert cloud.ids()[-1] == stack.id()
    stack.up(run(opts="=ResourceOptions(replacement_trigger='2')"))
    assert len(cloud.runs()) == 4
    assert cloud.ids()[-1] == stack.id()
    stack.up()
    assert len(cloud.runs()) == 4


def test_a_forced_replacement_of_the_intent_alone_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(run())
    token = stack.outputs("run-intent")["record"]["token"]
    stack.up(flags=("--replace", stack.urn("run-intent")))
    assert stack.outputs("run-intent")["record"]["token"] != token
    assert cloud.ids() == [stack.id()]


def test_target_of_the_run_alone_waits_for_the_next_full_up(stack: Stack, cloud: Emulator) -> None:
    stack.up(run())
    fired = stack.id()
    targeted = stack.up(run(object="b.mp4"), flags=("--target", stack.urn("run")))
    assert cloud.ids() == [fired]
    assert "--target" in targeted.text, "the user is told why nothing ran"
    stack.up()
    assert len(cloud.runs()) == 2
    assert cloud.ids()[-1] == stack.id()


def test_rerun_on_failure(stack: Stack, cloud: Emulator) -> None:
    stack.up(run(rerun_on_failure=True))
    first = stack.id()
    stack.up(flags=("--refresh",))
    assert cloud.ids() == [first]
    cloud.set_state(first, "Failed", "InvalidInput", "no video stream")
    stack.up()
    assert cloud.ids() == [first], "without a refresh the failure is not on record"
    stack.up(flags=("--refresh",))
    assert len(cloud.runs()) == 2
    assert stack.id() == cloud.ids()[-1]
    stack.up(flags=("--refresh",))
    assert len(cloud.runs()) == 2


def test_a_failed_run_is_not_run_again_unasked(stack: Stack, cloud: Emulator) -> None:
    stack.up(run())
    cloud.set_state(stack.id(), "Failed")
    stack.up(flags=("--refresh",))
    assert stack.outputs()["phase"] == "failed"
    assert len(cloud.runs()) == 1


def test_a_run_that_the_system_no_longer_knows_stays_on_record(stack: Stack, cloud: Emulator) -> None:
    stack.up(run(), job())
    run_id, job_id = stack.id(), stack.id("job")
    cloud.fault("tencent.workflow", "get", "forget")
    cloud.fault("tencent.inventory", "get", "forget")
    stack.refresh()
    assert (stack.id(), stack.id("job")) == (run_id, job_id)
    assert stack.outputs()["record_expired"] is True
    assert stack.outputs("job")["record_expired"] is True
    stack.up()
    stack.up(flags=("--refresh",))
    assert cloud.count("tencent.workflow", "start") == 1
    assert cloud.count("tencent.inventory", "start") == 1


def test_a_refused_request_is_told_in_one_line_and_tried_again(stack: Stack, cloud: Emulator) -> None:
    refuse(cloud)
    refused = stack.up(run("transcode"), check=False)
    assert refused.code != 0
    diagnostics = refused.text.partition("Diagnostics:")[2]
    (line,) = [line.strip() for line in diagnostics.splitlines() if "MediaBucketUnBinded" in line]
    assert "WorkflowRun 'transcode': Tencent CI refused POST /triggerworkflow: 400 MediaBucketUnBinded" in line
    assert "(request " in line
    assert "Traceback" not in refused.text
    assert cloud.ids() == []
    stack.up()
    assert cloud.ids() == [stack.id("transcode")]


def test_a_lost_answer_is_found(stack: Stack, cloud: Emulator) -> None:
    cloud.fault("tencent.workflow", "start", "drop_response")
    cloud.fault("tencent.inventory", "start", "drop_response")
    stack.up(run(), job())
    assert cloud.ids("tencent.workflow") == [stack.id()]
    assert cloud.ids("tencent.inventory") == [stack.id("job")]
    assert stack.outputs()["provenance"] == stack.outputs("job")["provenance"] == "found"


def test_an_up_killed_after_the_start_is_found_by_the_next(stack: Stack, cloud: Emulator) -> None:
    lost = kill_after_start(stack, cloud, run())
    again = stack.up()
    assert cloud.ids() == [lost]
    assert stack.id() == lost
    assert stack.outputs()["provenance"] == "found"
    assert f"found run {lost} of an interrupted up; for a new run change a trigger" in again.text
    stack.up(run(triggers={"a": "1"}))
    assert len(cloud.runs()) == 2


def test_a_job_killed_after_the_start_is_found_by_the_next(stack: Stack, cloud: Emulator) -> None:
    lost = kill_after_start(stack, cloud, job(), system="tencent.inventory")
    stack.up()
    assert cloud.ids() == [lost]
    assert stack.id("job") == lost


def test_adopt_records_a_given_run(stack: Stack, cloud: Emulator) -> None:
    stack.up(run("first"), job("second", name="demo"))
    ids = stack.id("first"), stack.id("second")
    stack.destroy()
    stack.up(run(adopt_id=ids[0]), job(name="demo", adopt_id=ids[1]))
    assert (stack.id(), stack.id("job")) == ids
    assert stack.outputs()["provenance"] == stack.outputs("job")["provenance"] == "given"
    assert len(cloud.runs()) == 2
    error = stack.up(run(object="b.mp4", adopt_id=ids[0]), job(name="demo", adopt_id=ids[1]), check=False)
    assert error.code != 0
    assert "Remove adopt_id" in error.text
    assert len(cloud.runs()) == 2
    stack.up(run(), job(name="demo"))
    assert len(cloud.runs()) == 2, "taking adopt_id away fires nothing"
    assert (stack.id(), stack.id("job")) == ids


def test_adopt_verifies_the_run(stack: Stack, cloud: Emulator) -> None:
    unknown = stack.up(run(adopt_id="i" + "0" * 32), check=False)
    assert unknown.code != 0
    assert "no run" in unknown.text
    stack.up(run("other", object="other.mp4"))
    other = stack.up(run("other", object="other.mp4"), run(adopt_id=stack.id("other")), check=False)
    assert other.code != 0
    assert "object is 'other.mp4', not 'a.mp4'" in other.text
    assert len(cloud.runs()) == 1


def test_adopt_of_another_run_replaces_the_record_and_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    stack.up(run("other"), run(object="a.mp4"))
    other = stack.id("other")
    stack.up(run(object="a.mp4", adopt_id=other))
    assert stack.id() == other
    assert len(cloud.runs()) == 2


def test_destroy_fires_nothing_and_leaves_runs_alone(stack: Stack, cloud: Emulator) -> None:
    stack.up(run(), job())
    sent = cloud.requests()
    stack.destroy()
    assert cloud.requests() == sent
    assert {entry["state"] for entry in cloud.runs()} <= {"Running", "Submitted"}


def test_destroy_with_cancel_stops_a_job_that_goes_on(stack: Stack, cloud: Emulator) -> None:
    stack.up(job(on_delete="cancel"))
    stack.destroy()
    assert cloud.count("tencent.inventory", "cancel") == 1
    assert [entry["state"] for entry in cloud.runs()] == ["Cancel"]


def test_destroy_with_cancel_of_a_job_that_has_ended_or_is_gone_is_no_error(stack: Stack, cloud: Emulator) -> None:
    stack.up(job("ended", on_delete="cancel"), job("gone", on_delete="cancel"))
    cloud.set_state(stack.id("ended"), "Success")
    cloud.fault("tencent.inventory", "get", "forget")
    stack.pulumi("refresh", "--yes", "--skip-preview", "-s", stack.name, "--target", stack.urn("gone"))
    stack.destroy()
    assert [entry["state"] for entry in cloud.runs()] == ["Success"]


def test_a_stack_destroyed_and_made_again_fires_once(stack: Stack, cloud: Emulator) -> None:
    stack.up(run())
    stack.destroy()
    stack.up()
    assert len(cloud.runs()) == 2
    assert cloud.ids()[-1] == stack.id()


def test_cancel_is_refused_where_the_system_cannot(stack: Stack, cloud: Emulator) -> None:
    refused = stack.up(run(on_delete="cancel"), check=False)
    assert refused.code != 0
    assert "no API that cancels a workflow execution" in refused.text
    assert cloud.requests() == {}
    assert WORKFLOW not in refused.text
