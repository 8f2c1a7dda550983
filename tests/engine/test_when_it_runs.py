"""README.md, "When does it run?": every row, on the real engine, for a run and for a fan-out where it has a meaning for
both; fires are counted where they arrive. What an interrupted `up` leaves is in test_after_a_kill.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.engine.asks import BLOCK, CI, FAN_OUT, RUN, Ask, asks, fired, problems
from tests.engine.interrupted import refuse
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator, emulator
from tests.support.stack import WORKFLOW, Stack, job, run

pytestmark = pytest.mark.engine

OTHER_WORKFLOW = "w" + "0" * 32
IGNORING = "=ResourceOptions(ignore_changes=['workflow_id', 'triggers'])"


def other_provider(cloud: Emulator) -> str:
    return f"""
        other = pulumi.ProviderResource("pulumi-python", "other", {{
            "tencentcloud:region": "ap-beijing", "tencentcloud:secretId": "{SECRET_ID}",
            "tencentcloud:secretKey": "{SECRET_KEY}", "runs:tencentEndpoint": "{cloud.url}"}})
        """


def states(cloud: Emulator) -> set[str]:
    return {entry["state"] for entry in cloud.runs()}


def test_the_first_up_fires_once_and_what_is_not_asked_for_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    both = asks("life")
    program = ["pulumi.export('id', life_run.instance_id)", job(), *(ask.source() for ask in both)]
    stack.up(*reversed(program))
    assert problems(both, stack, cloud, 1) == {}
    outputs = stack.outputs("life-run")
    assert outputs["provenance"] == "fired"
    assert outputs["reference"] == f"{CI}:ap-beijing:media-1250000000:{outputs['instance_id']}"
    sent = cloud.requests()
    assert "unchanged" in stack.up().text
    assert cloud.requests() == sent, "an unchanged up sends nothing"
    stack.refresh()
    stack.up(flags=("--refresh",))
    assert problems(both, stack, cloud, 1) == {}
    assert cloud.count("tencent.inventory", "start") == 1

    sent = cloud.requests()
    stack.destroy()
    assert cloud.requests() == sent
    assert states(cloud) <= {"Running", "Submitted"}, "they go on"
    stack.up()
    assert problems(both, stack, cloud, 2) == {}
    assert cloud.ids("tencent.inventory")[1:] == [stack.id("job")]


CHANGES: dict[str, dict[str, Any]] = {
    "object": {"object": "object.mp4"},
    "workflow_id": {"workflow_id": OTHER_WORKFLOW},
    "name": {"name": "label"},
    "bucket": {"bucket": "other-1250000000"},
    "region": {"region": "ap-shanghai"},
    "day": {"triggers": {"release": "1", "day": "2"}},
    "release": {"triggers": {"release": "2"}},
}
OF_A_RUN = ("object", "name")


def test_a_changed_argument_or_trigger_fires_once(stack: Stack, cloud: Emulator) -> None:
    changed = [ask for ask in asks(*CHANGES) if ask.subject == RUN or ask.row not in OF_A_RUN]
    before = {"triggers": {"release": "1"}}
    stack.up(*(ask.source(**before, **({"object": "x.mp4"} if ask.row == "object" else {})) for ask in changed))
    sent = cloud.requests()
    preview = stack.preview(*(ask.source(**{**before, **CHANGES[ask.row]}) for ask in changed), flags=("--diff",)).text
    told = {name: (does, lines) for does, name, lines in BLOCK.findall(preview)}
    short = {line.split()[2]: line for line in stack.preview().text.splitlines() if " replace " in line}
    for ask in changed:
        does, lines = told[ask.resource]
        assert does == "replace"
        assert re.search(rf"^ *[~+] {ask.row} *:", lines, re.MULTILINE), preview
        named = "triggers" if "triggers" in CHANGES[ask.row] else ask.row
        assert named in short[ask.resource], "the short preview names it too"
    assert cloud.requests() == sent, "a preview sends nothing"
    stack.up()
    counted = {ask: 1 if ask.row == "object" else 2 for ask in changed}  # its first run was for another object
    for ask, times in counted.items():
        assert problems([ask], stack, cloud, times) == {}
    assert len(fired(cloud)["x.mp4"]) == 1
    sent = cloud.requests()
    stack.up()
    assert cloud.requests() == sent


# What a resource is asked for in one `up` after the other. `named` is another name for it.
NOTHING: dict[str, list[dict[str, Any]]] = {
    "a-key-is-removed": [{"triggers": {"a": "1", "b": "2"}}, {"triggers": {"a": "1"}}],
    "all-keys-are-removed": [{"triggers": {"a": "1"}}, {}],
    "a-key-is-put-back": [{"triggers": {"a": "1", **more}} for more in ({"b": "2"}, {}, {"b": "2"})],
    "protected": [{}, {"opts": "=ResourceOptions(protect=True)"}, {}],
    "ignored": [{"opts": IGNORING}, {"workflow_id": OTHER_WORKFLOW, "triggers": {"a": "2"}, "opts": IGNORING}],
    "ignored-since": [{}, {"workflow_id": OTHER_WORKFLOW, "triggers": {"a": "2"}, "opts": IGNORING}],
    "renamed": [{}, {"named": "new", "opts": "=ResourceOptions(aliases=[Alias(name='OLD')])"}, {"named": "new"}],
    "another-provider": [{}, {"opts": "=ResourceOptions(provider=other)"}],
}  # fmt: skip
OF_ONE: dict[Ask, list[dict[str, Any]]] = {
    Ask(RUN, "rerun_on_failure"): [{}, {"rerun_on_failure": True}],
    Ask(RUN, "on_delete"): [{}, {"on_delete": "abandon"}],
    Ask(FAN_OUT, "paces"): [{}, {"concurrency": 3, "rate": 50}],
}


def stage(rows: dict[Ask, list[dict[str, Any]]], number: int, **more: Any) -> tuple[list[str], dict[Ask, str]]:
    """What the program asks for in that `up`, and new names."""
    source, names = [], {}
    for ask, stages in rows.items():
        given = {**stages[min(number, len(stages) - 1)], **more}
        if named := given.pop("named", ""):
            names[ask] = f"{named}-{ask.subject}"
        if "opts" in given:
            given["opts"] = given["opts"].replace("OLD", ask.resource)
        source.append(ask.source(names.get(ask, ""), **given))
    return source, names


def test_what_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    rows = {ask: NOTHING[ask.row] for ask in asks(*NOTHING)} | OF_ONE
    for number in range(3):
        source, names = stage(rows, number)
        stack.up(other_provider(cloud), *source, job(on_delete="cancel" if number else None))
        assert problems(rows, stack, cloud, 1, names) == {}, number
        assert cloud.ids("tencent.inventory") == [stack.id("job")]
    assert stack.outputs("job")["on_delete"] == "cancel", "a steering argument is recorded"
    assert {"renamed-run", "renamed-fan-out"}.isdisjoint(stack.resources())
    sent = cloud.requests()
    assert "unchanged" in stack.up().text
    assert cloud.requests() == sent

    # And a change still fires, with the options that stay.
    again = {ask: stages for ask, stages in rows.items() if "ignored" not in ask.row}
    source, names = stage(again, 3, triggers={"a": "1", "b": "3"})
    stack.up(other_provider(cloud), *source)
    assert problems(again, stack, cloud, 2, names) == {}
    assert [entry["state"] for entry in cloud.runs("tencent.inventory")] == ["Cancel"], "as it was deleted"


def test_a_rotated_key_fires_nothing(tmp_path: Path) -> None:
    keys = ("--access-key", "AKIDnew", "--secret-key", "new", "--access-key", SECRET_ID, "--secret-key", SECRET_KEY)
    with emulator(*keys) as cloud:
        stack, both = Stack(tmp_path, cloud), asks("rotated")
        stack.up(*(ask.source() for ask in both))
        stack.configure(tencentcloud__secretId="AKIDnew", tencentcloud__secretKey="new")
        stack.up()
        assert problems(both, stack, cloud, 1) == {}
        stack.up(*(ask.source(triggers={"a": "1"}) for ask in both))
        assert problems(both, stack, cloud, 2) == {}


@pytest.mark.parametrize("subject", [RUN, pytest.param(FAN_OUT, marks=pytest.mark.long)])
def test_a_change_taken_back_before_it_fired_fires_nothing(stack: Stack, cloud: Emulator, subject: str) -> None:
    ask = Ask(subject, "back")
    stack.up(ask.source(triggers={"a": "1"}))
    changed = ask.source(triggers={"a": "2"}, workflow_id=OTHER_WORKFLOW)
    for again in (ask.source(triggers={"a": "1"}), changed):
        refuse(cloud, times=len(ask.objects))
        assert stack.up(changed, check=False).code != 0
        stack.up(again)
        assert problems([ask], stack, cloud, 2 if again is changed else 1) == {}


@pytest.mark.parametrize("subject", [RUN, pytest.param(FAN_OUT, marks=pytest.mark.long)])
def test_an_ignored_change_beside_a_trigger_that_is_taken_back_fires_nothing(
    stack: Stack, cloud: Emulator, subject: str
) -> None:
    ask, ignoring = Ask(subject, "ignoring"), "=ResourceOptions(ignore_changes=['workflow_id'])"
    stack.up(ask.source(triggers={"a": "1"}, opts=ignoring))
    refuse(cloud, times=len(ask.objects))
    changed = {"workflow_id": OTHER_WORKFLOW, "opts": ignoring}
    assert stack.up(ask.source(triggers={"a": "2"}, **changed), check=False).code != 0
    stack.up(ask.source(triggers={"a": "1"}, **changed))
    assert problems([ask], stack, cloud, 1) == {}


def test_a_forced_replacement_fires_once(stack: Stack, cloud: Emulator) -> None:
    """Of an intent alone: nothing."""
    both, alone = asks("forced"), asks("alone")
    stack.up(*(ask.source(opts="=ResourceOptions(replacement_trigger='1')") for ask in [*both, *alone]))
    tokens = [stack.outputs(f"{ask.resource}-intent")["record"] for ask in alone]
    forced = [*(ask.urn(stack) for ask in both), *(ask.intent(stack) for ask in alone)]
    stack.up(flags=tuple(f"--replace={urn}" for urn in forced))
    assert problems(both, stack, cloud, 2) | problems(alone, stack, cloud, 1) == {}
    assert all(stack.outputs(f"{a.resource}-intent")["record"] != t for a, t in zip(alone, tokens, strict=True))
    for ask in both:
        stack.pulumi("state", "taint", ask.urn(stack), "--yes", "-s", stack.name)
    stack.up()
    assert problems(both, stack, cloud, 3) == {}
    options = ["=ResourceOptions(replacement_trigger='2')", "=ResourceOptions(replacement_trigger='1')"]
    stack.up(*(ask.source(opts=options[ask in alone]) for ask in [*both, *alone]))
    assert problems(both, stack, cloud, 4) | problems(alone, stack, cloud, 1) == {}
    sent = cloud.requests()
    stack.up()
    assert cloud.requests() == sent


def test_target_of_the_run_alone_waits_for_the_next_full_up(stack: Stack, cloud: Emulator) -> None:
    both = asks("targeted")
    stack.up(*(ask.source() for ask in both))
    changed = [ask.source(workflow_id=OTHER_WORKFLOW) for ask in both]
    told = stack.up(*changed, flags=tuple(f"--target={ask.urn(stack)}" for ask in both)).text
    assert problems(both, stack, cloud, 1) == {}
    for ask in both:
        (why,) = {line.split("warning: ")[1] for line in told.splitlines() if f"{ask.resource}  warning: " in line}
        assert why.startswith("workflow_id changed, ")
        assert "--target" in why, "the user is told why nothing ran"
    stack.up()
    assert problems(both, stack, cloud, 2) == {}


def test_what_a_refresh_records_fires_only_if_it_is_to(stack: Stack, cloud: Emulator) -> None:
    """A failed run with `rerun_on_failure`, and one without; runs that the services no longer know; a fan-out."""
    again, once, fan, gone = Ask(RUN, "again"), Ask(RUN, "once"), Ask(FAN_OUT, "fan"), Ask(RUN, "gone")
    others = [once, fan, gone]
    stack.up(again.source(rerun_on_failure=True), *(ask.source() for ask in others), job())
    batch = stack.id("job")
    cloud.fault(CI, "get", "forget")
    cloud.fault("tencent.inventory", "get", "forget")
    targets = (f"--target={gone.urn(stack)}", f"--target={stack.urn('job')}")
    stack.pulumi("refresh", "--yes", "--skip-preview", "-s", stack.name, *targets)
    for ask in (again, once, fan):
        for id in ask.on_record(stack).values():
            cloud.set_state(id, "Failed", "InvalidInput", "no video stream")
    stack.up()
    ids = fired(cloud)
    assert {len(found) for found in ids.values()} == {1}, "without a refresh the failure is not on record"
    for _ in range(2):
        stack.up(flags=("--refresh",))
        assert problems([again], stack, cloud, 2) | problems([once, fan], stack, cloud, 1) == {}
    assert stack.outputs("once-run")["phase"] == "failed"
    assert stack.outputs("gone-run")["record_expired"] is True
    assert stack.outputs("job")["record_expired"] is True
    assert stack.id("job") == batch
    assert cloud.count(CI, "start") == 6, "five at first, and one again"
    assert cloud.count("tencent.inventory", "start") == 1


def test_a_refused_request_is_told_in_one_line_and_tried_again(stack: Stack, cloud: Emulator) -> None:
    ask = Ask(RUN, "transcode")
    refuse(cloud)
    refused = stack.up(ask.source(), check=False)
    assert refused.code != 0
    diagnostics = refused.text.partition("Diagnostics:")[2]
    (line,) = [line.strip() for line in diagnostics.splitlines() if "MediaBucketUnBinded" in line]
    assert "WorkflowRun 'transcode-run': Tencent CI refused POST /triggerworkflow: 400 MediaBucketUnBinded" in line
    assert "(request " in line
    assert "Traceback" not in refused.text
    assert cloud.ids() == []
    fan = Ask(FAN_OUT, "transcode")
    refuse(cloud, times=2)
    refused = stack.up(fan.source(), check=False)
    assert refused.code != 0
    assert "WorkflowFanOut 'transcode-fan-out': nothing was fired: 2 objects refused" in refused.text
    assert "400 MediaBucketUnBinded" in refused.text
    assert "Traceback" not in refused.text
    assert cloud.ids() == []
    stack.up(ask.source(), fan.source())
    assert problems([ask, fan], stack, cloud, 1) == {}


def test_a_lost_answer_is_found(stack: Stack, cloud: Emulator) -> None:
    both = asks("lost")
    cloud.fault(CI, "start", "drop_response", times=3)
    cloud.fault("tencent.inventory", "start", "drop_response")
    stack.up(*(ask.source() for ask in both), job())
    assert problems(both, stack, cloud, 1) == {}
    assert cloud.ids("tencent.inventory") == [stack.id("job")]
    assert stack.outputs("lost-run")["provenance"] == stack.outputs("job")["provenance"] == "found"
    assert stack.outputs("lost-fan-out")["counts"] == {"objects": 2, "started": 2, "refused": 0}


# -- on_delete


@pytest.mark.long
def test_destroy_with_cancel_stops_a_job_that_goes_on(stack: Stack, cloud: Emulator) -> None:
    """One that has ended or is gone is no error."""
    stack.up(*(job(name, on_delete="cancel") for name in ("goes-on", "ended", "gone")))
    cloud.set_state(stack.id("ended"), "Success")
    cloud.fault("tencent.inventory", "get", "forget")
    stack.pulumi("refresh", "--yes", "--skip-preview", "-s", stack.name, "--target", stack.urn("gone"))
    going = stack.id("goes-on")
    stack.destroy()
    assert {entry["id"]: entry["state"] for entry in cloud.runs()}[going] == "Cancel"
    assert sorted(entry["state"] for entry in cloud.runs()) == ["Cancel", "Success"]
    assert cloud.count("tencent.inventory", "cancel") == 3, "one each"


def test_cancel_is_refused_where_the_system_cannot(stack: Stack, cloud: Emulator) -> None:
    refused = stack.up(run(on_delete="cancel"), check=False)
    assert refused.code != 0
    assert "no API that cancels a workflow execution" in refused.text
    assert cloud.requests() == {}
    assert WORKFLOW not in refused.text
