"""`diff`: a new run only if the content differs from what was fired and its intent was made for that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pulumi.dynamic import DiffResult
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle import progress
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import ledger
from tests.provider.host import Host, JobHost, RunHost
from tests.support.emulator import Emulator

OTHER_WORKFLOW = "w" + "0" * 32


def outcome(result: DiffResult) -> tuple[bool | None, list[str]]:
    if result.replaces:  # where a run is given nothing fires, so what is recorded stays until that one is
        assert result.delete_before_replace is ("adopt_id" not in result.replaces)
    return result.changes, list(result.replaces or [])


NOTHING = (False, [])
UPDATE = (True, [])


def replaced(*names: str) -> tuple[bool, list[str]]:
    return True, list(names)


RUN_CHANGES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"bucket": "other-1250000000"}, ("bucket",)),
    ({"region": "ap-shanghai"}, ("region",)),
    ({"region": None}, ("region",)),
    ({"workflow_id": OTHER_WORKFLOW}, ("workflow_id",)),
    ({"object": "b.mp4"}, ("object",)),
    ({"name": "other"}, ("name",)),
    ({"name": None}, ("name",)),
    ({"triggers": {"release": 1, "day": {"n": 2}, "new": ""}}, ("triggers",)),
    ({"triggers": {"release": 2, "day": {"n": 2}}}, ("triggers",)),
    ({"triggers": {"release": "1", "day": {"n": 2}}}, ("triggers",)),
    ({"triggers": {"release": 1, "day": {"n": 3}}}, ("triggers",)),
    ({"triggers": {"release": 1, "day": {"n": 2, "m": 1}}}, ("triggers",)),
    ({"triggers": {"release": True, "day": {"n": 2}}}, ("triggers",)),
    ({"object": "b.mp4", "name": None, "triggers": {"release": 2}}, ("name", "object", "triggers")),
]
JOB_CHANGES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"input": {"prefix": "other"}}, ("input",)),
    ({"input": {"object": "input"}}, ("input",)),
    ({"workflow_ids": OTHER_WORKFLOW}, ("workflow_ids",)),
    ({"name": "other"}, ("name",)),
    ({"name": None}, ("name",)),
    ({"time_interval": {"start": "2022-02-01T12:00:01+0800"}}, ("time_interval",)),
    ({"time_interval": None}, ("time_interval",)),
    ({"type": "Job", "workflow_ids": None, "operation": {"tag": "x"}}, ("operation", "type", "workflow_ids")),
]
GIVEN = {"region": "ap-beijing", "name": "label", "triggers": {"release": 1, "day": {"n": 2}}}
JOB_GIVEN = {"name": "demo", "time_interval": {"start": "2022-02-01T12:00:00+0800"}}


@pytest.mark.parametrize(("changes", "names"), RUN_CHANGES)
def test_what_asks_for_a_new_run(run: RunHost, changes: dict[str, Any], names: tuple[str, ...]) -> None:
    id, olds = run.fired(**GIVEN)
    assert outcome(run.diff(id, olds, run.intended(**{**GIVEN, **changes}))) == replaced(*names)


@pytest.mark.parametrize(("changes", "names"), JOB_CHANGES)
def test_what_asks_for_a_new_job(job: JobHost, changes: dict[str, Any], names: tuple[str, ...]) -> None:
    id, olds = job.fired(**JOB_GIVEN)
    assert outcome(job.diff(id, olds, job.intended(**{**JOB_GIVEN, **changes}))) == replaced(*names)


@pytest.mark.parametrize("bag", [UNKNOWN, "made"])
def test_the_preview_shows_the_same(run: RunHost, bag: Any) -> None:
    id, olds = run.fired()
    news = run.intended(object="b.mp4")
    assert outcome(run.diff(id, olds, news if bag == "made" else news | {"intent": bag})) == replaced("object")


def test_nothing_changed(run: RunHost, job: JobHost, cloud: Emulator) -> None:
    for host, given in ((run, GIVEN), (job, JOB_GIVEN), (job, {})):
        inputs = host.intended(**given)
        id, olds = host.create(inputs)
        sent = cloud.requests()
        assert outcome(host.diff(id, olds, inputs)) == NOTHING
        assert outcome(host.diff(id, olds, host.intended(**given))) == UPDATE, "a new token is only recorded"
        assert outcome(host.diff(id, olds, inputs | {"intent": UNKNOWN})) == UPDATE
        assert cloud.requests() == sent


@pytest.mark.parametrize("triggers", [{"release": 1}, {"day": {"n": 2}}, {}, None, {"release": 1.0, "day": {"n": 2.0}}])
def test_a_removed_trigger_and_one_put_back(run: RunHost, triggers: Any) -> None:
    id, olds = run.fired(**GIVEN)
    news = run.intended(**{**GIVEN, "triggers": triggers})
    assert outcome(run.diff(id, olds, news)) == UPDATE
    olds = run.update(id, olds, news)
    assert olds.get("triggers") == news.get("triggers")
    assert outcome(run.diff(id, olds, run.intended(**GIVEN))) == UPDATE
    assert outcome(run.diff(id, olds, run.intended(**GIVEN | {"triggers": {"release": 3}}))) == replaced("triggers")


def test_the_pickled_provider_and_the_place_of_the_key_mean_nothing(run: RunHost) -> None:
    id, olds = run.fired(**GIVEN)
    news = dict(reversed(list(run.intended(**GIVEN).items())))
    assert outcome(run.diff(id, olds, news | {"__provider": "another version"})) == UPDATE


def test_a_configured_region_that_changes_fires_nothing(run: RunHost, cloud: Emulator) -> None:
    id, olds = run.fired()
    moved = RunHost(cloud.url, tencentcloud__region="ap-shanghai")
    assert outcome(moved.diff(id, olds, moved.intended())) == UPDATE


def test_a_rename_fires_nothing(run: RunHost, cloud: Emulator) -> None:
    id, olds = run.fired()
    renamed = RunHost(cloud.url, "renamed")
    assert renamed.diff(id, olds, renamed.intended()).replaces == []


# -- unknown values


ARGUMENTS = ["bucket", "region", "workflow_id", "object", "name", "triggers"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_unknown_never_means_replace_in_an_update(run: RunHost, name: str) -> None:
    """The engine asks with unknowns during an `up` as well, and what they come to may be the same."""
    id, olds = run.fired(**GIVEN)
    assert outcome(run.diff(id, olds, run.intended(**GIVEN) | {name: UNKNOWN})) == UPDATE


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_preview_shows_the_replacement_that_an_unknown_value_may_come_to(run: RunHost, name: str) -> None:
    """Only in a preview the intent itself is unknown too."""
    id, olds = run.fired(**GIVEN)
    assert outcome(run.diff(id, olds, run.intended(**GIVEN) | {name: UNKNOWN, "intent": UNKNOWN})) == replaced(name)


@pytest.mark.parametrize("value", [UNKNOWN, {"of": ["a", UNKNOWN]}])
def test_a_preview_shows_the_replacement_that_an_unknown_trigger_may_come_to(run: RunHost, value: Any) -> None:
    """As of `triggers={"of": another_run.reference}`; an `up` with such an unknown fires nothing for it."""
    id, olds = run.fired(triggers={"of": "i1", "release": 1})
    news = run.intended(triggers={"of": "i1", "release": 1}) | {"triggers": {"of": value, "release": 1.0}}
    assert outcome(run.diff(id, olds, news | {"intent": UNKNOWN})) == replaced("triggers")
    assert outcome(run.diff(id, olds, news)) == UPDATE


@pytest.mark.parametrize(
    "changes",
    [
        {"input": UNKNOWN}, {"input": {"prefix": UNKNOWN}}, {"time_interval": {"start": UNKNOWN}}, {"name": UNKNOWN},
        {"triggers": {"x": UNKNOWN}}, {"triggers": {"x": ["a", {"b": UNKNOWN}]}}, {"type": UNKNOWN},
        {"adopt_id": UNKNOWN}, {"on_delete": UNKNOWN}, {"rerun_on_failure": UNKNOWN},
    ],
)  # fmt: skip
def test_unknown_at_any_depth_never_means_replace(job: JobHost, changes: dict[str, Any]) -> None:
    id, olds = job.fired(**JOB_GIVEN)
    assert outcome(job.diff(id, olds, {**job.intended(**JOB_GIVEN), **changes})) == UPDATE


def test_a_known_change_beside_an_unknown_value_still_replaces(run: RunHost) -> None:
    id, olds = run.fired(**GIVEN)
    news = run.intended(**{**GIVEN, "object": "b.mp4"}) | {"name": UNKNOWN}
    assert outcome(run.diff(id, olds, news)) == replaced("object")
    assert outcome(run.diff(id, olds, news | {"intent": UNKNOWN})) == replaced("name", "object")


def test_an_unknown_rerun_on_failure_of_a_failed_run(run: RunHost) -> None:
    id, olds = run.fired()
    assert outcome(run.diff(id, {**olds, "phase": "failed"}, run.intended() | {"rerun_on_failure": UNKNOWN})) == UPDATE


# -- the token


@pytest.mark.parametrize("change", [{"object": "b.mp4"}, {"triggers": {"a": 1}}])
@pytest.mark.parametrize("how", ["stale", "none", "of other content"])
def test_a_change_without_an_intent_of_its_own_fires_nothing_and_is_told(
    run: RunHost, monkeypatch: pytest.MonkeyPatch, how: str, change: dict[str, Any]
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(progress, "warn", lambda urn, text: told.append((urn, text)))
    inputs = run.intended()
    id, olds = run.create(inputs)
    news = run.inputs(**change)
    if how == "stale":
        news |= {"intent": inputs["intent"]}
    elif how == "of other content":  # the intent of a change that was not fired, and another change is --targeted now
        news |= {"intent": run.intended(name="other", earlier=True)["intent"]}
    assert outcome(run.diff(id, olds, news)) == NOTHING
    ((urn, text),) = told
    assert urn == run.urn
    assert "--target" in text
    assert "change a trigger" in text, "a forced replacement would be refused: its intent is as old"
    assert "--replace" not in text
    assert ("triggers.a" if "triggers" in change else "object") in text


def test_the_token_of_the_run_itself_stands_for_no_other(run: RunHost) -> None:
    """Whatever the intent was made for: a run was fired under it."""
    inputs = run.intended()
    id, olds = run.create(inputs)
    own, other = (ledger.intent_of(one["intent"]) for one in (inputs, run.intended(object="b.mp4")))
    assert own is not None
    assert other is not None
    news = run.inputs(object="b.mp4") | {"intent": ledger.intent_text(replace(other, moment=own.moment))}
    assert outcome(run.diff(id, olds, news)) == NOTHING


def test_a_failed_run_with_a_change_that_is_not_in_this_update(run: RunHost) -> None:
    inputs = run.intended(rerun_on_failure=True)
    id, olds = run.create(inputs)
    news = run.inputs(rerun_on_failure=True, object="b.mp4") | {"intent": inputs["intent"]}
    assert outcome(run.diff(id, {**olds, "phase": "failed"}, news)) == NOTHING


@pytest.mark.parametrize("here", [True, False])
def test_an_intent_that_was_made_for_one_of_two_changes(run: RunHost, here: bool) -> None:
    """Made in this update it is for what the program asks for now (`ignore_changes` pins one argument for the diff);
    made in an earlier one, the other change has come since, and a full update will make another intent."""
    id, olds = run.fired()
    intent = run.intended(object="b.mp4", name="raw", earlier=not here)["intent"]
    news = run.inputs(object="b.mp4", name="pinned") | {"intent": intent}
    assert outcome(run.diff(id, olds, news)) == (replaced("name", "object") if here else NOTHING)


def test_an_argument_under_ignore_changes(run: RunHost) -> None:
    id, olds = run.fired()
    assert outcome(run.diff(id, olds, run.inputs() | {"intent": run.intended(object="b.mp4")["intent"]})) == UPDATE


# -- steering


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"on_delete": "abandon"}),
        ({"on_delete": "abandon"}, {}),
        ({"on_delete": "cancel"}, {"on_delete": "abandon"}),
        ({}, {"rerun_on_failure": True}),
        ({"rerun_on_failure": True}, {"rerun_on_failure": False}),
        ({"rerun_on_failure": True}, {}),
    ],
)
def test_a_steering_argument_updates(job: JobHost, before: dict[str, Any], after: dict[str, Any]) -> None:
    id, olds = job.fired(**before)
    news = job.intended(**after)
    assert outcome(job.diff(id, olds, news)) == UPDATE
    assert outcome(job.diff(id, job.update(id, olds, news), news)) == NOTHING


@pytest.mark.parametrize("phase", ["pending", "running", "succeeded", "failed", "cancelled", "unknown"])
@pytest.mark.parametrize("rerun", [True, False, None])
def test_rerun_on_failure(either: Host, phase: str, rerun: bool | None) -> None:
    given = {"rerun_on_failure": rerun}
    id, olds = either.fired(**given)
    expected = replaced("rerun_on_failure") if phase == "failed" and rerun else UPDATE
    assert outcome(either.diff(id, {**olds, "phase": phase}, either.intended(**given))) == expected


def test_rerun_on_failure_has_no_effect_on_an_adopted_run(either: Host) -> None:
    id, olds = either.fired(rerun_on_failure=True)
    given = {"rerun_on_failure": True, "adopt_id": id}
    assert either.diff(id, {**olds, "phase": "failed"}, either.intended(**given)).replaces == []


@pytest.fixture(params=[RunHost, JobHost])
def either(request: pytest.FixtureRequest, cloud: Emulator) -> Host:
    host: Host = request.param(cloud.url)
    return host


def test_adopt_id(run: RunHost, cloud: Emulator) -> None:
    another, _ = RunHost(cloud.url, "another").fired()
    id, olds = run.fired()
    assert outcome(run.diff(id, olds, run.intended(adopt_id=id))) == UPDATE
    assert outcome(run.diff(id, olds, run.intended(adopt_id=another))) == replaced("adopt_id")
    with pytest.raises(RunError, match="does other work"):  # before the engine deletes the record
        run.diff(id, olds, run.intended(adopt_id=another, object="b.mp4"))
    with pytest.raises(RunError, match="there is no run nonsense to adopt"):
        run.diff(id, olds, run.intended(adopt_id="nonsense"))
    assert outcome(run.diff(id, {**olds, "adopt_id": id}, run.intended())) == UPDATE, "taken away"
    assert outcome(run.diff(id, {**olds, "adopt_id": id}, run.intended(object="b.mp4"))) == replaced("object")


@pytest.mark.parametrize("change", [{"object": "b.mp4"}, {"triggers": {"a": 1}}])
def test_a_change_that_adopt_id_forbids(run: RunHost, change: dict[str, Any]) -> None:
    id, olds = run.fired()
    with pytest.raises(RunError) as error:
        run.diff(id, olds, run.intended(adopt_id=id, **change))
    text = str(error.value)
    assert text.startswith("WorkflowRun 'run': ")
    assert "Remove adopt_id" in text
    assert next(iter(change)) in text


def test_a_value_that_the_state_cannot_tell_apart(run: RunHost) -> None:
    """Whole numbers come back as floats, and None vanishes."""
    id, olds = run.fired(triggers={"n": 1, "nested": {"gone": None, "big": 2**53}})
    news = run.inputs(triggers={"n": 1.0, "nested": {"big": float(2**53)}})
    assert outcome(run.diff(id, olds, news | {"intent": run.intent(news)})) == UPDATE


def test_what_was_recorded_by_nobody(run: RunHost) -> None:
    """A run that was only read has no record of what it was fired with; its URN may be missing as well."""
    id, olds = run.fired()
    bare = {key: olds[key] for key in ("reference", "__provider", "bucket")}
    assert run.diff(id, bare, run.intended() | {"resource_urn": UNKNOWN}).changes is not None
