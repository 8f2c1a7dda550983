"""A fan-out as the dynamic host calls it: its checks, its diffs, what it records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pulumi import ResourceOptions
from pulumi.dynamic import DiffResult
from pulumi.output import UNKNOWN

from cloud_runs.lifecycle import options, progress
from cloud_runs.lifecycle.intent import IntentProvider
from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import ledger
from cloud_runs.promise.digests import digest_of_objects
from cloud_runs.promise.records import Intent
from cloud_runs.tencent.workflow_run import WorkflowFanOutProvider
from cloud_runs.wire.payloads import moment
from tests.provider.host import RUNS, Host, of_an_earlier_process, wire
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import BUCKET, WORKFLOW

NOTHING, UPDATE = (False, []), (True, [])
OTHER = "w7476ff3564ee45b7b490d64bccaba6cc"
OBJECTS = ["a.mp4", "b.mp4"]


class FanHost(Host):
    kinds: Any = (
        WorkflowFanOutProvider,
        "WorkflowFanOut",
        {"bucket": BUCKET, "workflow_id": WORKFLOW, "objects": OBJECTS, "concurrency": 4},
    )

    def intent(self, inputs: dict[str, Any], *, earlier: bool = False) -> str:
        kind = self.provider.kind
        asked = {
            "kind": kind.name,
            "run": self.urn,
            "arguments": {key: inputs[key] for key in kind.shared if key in inputs},
            "triggers": inputs.get("triggers"),
            "objects": digest_of_objects(inputs["objects"]),
        }
        record = str(dict(IntentProvider().create(wire(asked)).outs or {})["record"])
        return of_an_earlier_process(record) if earlier else record


@pytest.fixture
def fan(cloud: Emulator) -> FanHost:
    return FanHost(cloud.url, "fan")


def outcome(diff: DiffResult) -> tuple[bool, list[str]]:
    return bool(diff.changes), list(diff.replaces or [])


# -- check


def test_good_inputs(fan: FanHost) -> None:
    for objects in (
        [],
        ["a"],
        ["/a", "b"],
        ["ü" * 425],
        ["a b", "a%20b"],
        [UNKNOWN, "a"],
        [f"{n}" for n in range(10_000)],
    ):
        assert fan.problems(objects=objects) == {}
    for given in (
        {"concurrency": 1},
        {"concurrency": 32},
        {"rate": 0.01},
        {"rate": 1000},
        {"rate": 2.5},
        {"region": "eu-frankfurt"},
    ):
        assert fan.problems(**given) == {}


@pytest.mark.parametrize(
    "name", ["objects", "concurrency", "rate", "bucket", "workflow_id", "triggers", "region", "adopt_ids"]
)
def test_unknown_values_pass(fan: FanHost, name: str) -> None:
    assert fan.problems(**{name: UNKNOWN}) == {}


@pytest.mark.parametrize("objects", ["a.mp4", {"a": 1}, 7, None])
def test_objects_that_are_no_list(fan: FanHost, objects: Any) -> None:
    (reason,) = fan.problems(objects=objects).values()
    assert reason.startswith("must be a list of object keys, not ")


def test_bad_objects_are_named_by_their_place(fan: FanHost) -> None:
    found = fan.problems(objects=["a", "", 7, "b\n", "x" * 851, ["y"], "c"])
    assert sorted(found) == [f"objects[{index}]" for index in (1, 2, 3, 4, 5)]
    assert "at most 850" in found["objects[4]"]


@pytest.mark.parametrize("twin", ["a.mp4", "/a.mp4", "//a.mp4", " a.mp4", "a.mp4 "])
def test_the_same_object_twice(fan: FanHost, twin: str) -> None:
    """A look-up could not tell the runs of the two apart."""
    ((name, reason),) = fan.problems(objects=["x", "a.mp4", "y", twin]).items()
    assert name == "objects[3]"
    address = "docs/errors.md#the-same-object-twice-in-a-fan-out"
    assert reason == f"is the same object as objects[1], name it once: {twin.strip()!r}. See {address}"


def test_too_many_objects(fan: FanHost) -> None:
    assert fan.problems(objects=[str(n) for n in range(10_001)]) == {
        "objects": "has 10001 objects, at most 10000; an inventory job takes any number"
    }


@pytest.mark.parametrize("concurrency", [0, 33, -1, 1.5, "4", True, None])
def test_bad_concurrency(fan: FanHost, concurrency: Any) -> None:
    assert list(fan.problems(concurrency=concurrency)) == ["concurrency"]


@pytest.mark.parametrize("rate", [0, 0.001, -1, 1001, "4", True])
def test_bad_rate(fan: FanHost, rate: Any) -> None:
    assert list(fan.problems(rate=rate)) == ["rate"]


def test_all_is_told_at_once(fan: FanHost, cloud: Emulator) -> None:
    found = fan.problems(bucket="b", workflow_id="x", objects=["", "a"], concurrency=0, rate=0, triggers=["x"])
    assert sorted(found) == ["bucket", "concurrency", "objects[0]", "rate", "triggers", "workflow_id"]
    assert cloud.requests() == {}


# -- what is recorded


def test_outputs(fan: FanHost, cloud: Emulator) -> None:
    cloud.fault(RUNS, "start", "status", status=400, code="NoSuchKey", message="not there")
    inputs = fan.intended(region="ap-shanghai", concurrency=1, rate=500)
    id, outs = fan.create(inputs)
    assert id == ledger.token_of(inputs["intent"])
    assert outs["instance_ids"] == {"b.mp4": cloud.ids(RUNS)[0]}
    assert list(outs["refused"]) == ["a.mp4"]
    assert "NoSuchKey: not there" in outs["refused"]["a.mp4"]
    assert outs["counts"] == {"objects": 2, "started": 1, "refused": 1}
    assert outs["place"] == f"tencent.workflow:ap-shanghai:{BUCKET}:"
    assert outs["region"] == "ap-shanghai"
    fired = ledger.fired_of(outs)
    assert (fired.token, fired.beside) == (id, id)
    assert set(fired.content.arguments) == {"bucket", "region", "workflow_id"}, "objects are not of the shared ones"
    began, told = moment(cloud.runs(RUNS)[0]["started_at"]), fired.at
    assert began
    assert told
    assert abs(told - began) <= timedelta(seconds=2)
    assert SECRET_KEY not in str(outs)
    assert SECRET_ID not in str(outs)
    assert fan.read(id, outs) == (id, outs)


def test_what_is_warned_of(fan: FanHost, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(progress, "warn", lambda urn, text: warned.append(text))
    cloud.fault(RUNS, "start", "status", status=400, code="NoSuchKey", times=30)
    fan.fired(objects=[f"{n:02}" for n in range(40)], concurrency=1)
    ((text),) = warned
    head, line = text.split("\n")
    assert head == "30 objects without a run"
    assert line.startswith(
        "  30 objects (00, 01, 02, 03, 04 and 25 more): Tencent CI refused POST /triggerworkflow: 400"
    )


def test_without_an_intent_nothing_fires(fan: FanHost) -> None:
    with pytest.raises(RunError, match=r"WorkflowFanOut 'fan': .*not part of this update"):
        fan.create(fan.inputs())


@pytest.mark.parametrize("intent", ["none", "of other objects"])
def test_an_update_without_its_intent_fires_nothing(fan: FanHost, cloud: Emulator, intent: str) -> None:
    """As `--target` or a transform may bring it about between `diff` and `update`."""
    id, olds = fan.fired()
    news = fan.inputs(objects=[*OBJECTS, "c.mp4"])
    if intent != "none":
        news["intent"] = fan.intent(fan.inputs(), earlier=True)
    before = cloud.requests()
    with pytest.raises(RunError, match="nothing was fired: its intent is not part of this update"):
        fan.update(id, olds, news)
    assert cloud.requests() == before


# -- diff

CHANGES: list[tuple[dict[str, Any], tuple[bool, list[str]]]] = [
    ({}, UPDATE),  # a new token is recorded
    ({"objects": ["b.mp4", "a.mp4"]}, UPDATE),
    ({"objects": [*OBJECTS, "c.mp4"]}, UPDATE),
    ({"objects": ["a.mp4"]}, UPDATE),
    ({"objects": []}, UPDATE),
    ({"objects": ["x.mp4", "y.mp4"]}, UPDATE),
    ({"objects": UNKNOWN}, UPDATE),
    ({"objects": ["a.mp4", UNKNOWN]}, UPDATE),
    ({"bucket": "other-1250000000"}, (True, ["bucket"])),
    ({"region": "ap-shanghai"}, (True, ["region"])),
    ({"workflow_id": OTHER}, (True, ["workflow_id"])),
    ({"workflow_id": OTHER, "objects": ["x"]}, (True, ["workflow_id"])),
    ({"workflow_id": OTHER, "objects": UNKNOWN}, (True, ["workflow_id"])),
    ({"triggers": {"r": 2}}, (True, ["triggers"])),
    ({"triggers": {"r": 1, "s": 1}}, (True, ["triggers"])),
    ({"triggers": {}}, UPDATE),
    ({"concurrency": 7, "rate": 3}, UPDATE),
]


@pytest.mark.parametrize(("changes", "expected"), CHANGES)
@pytest.mark.parametrize("preview", [True, False])
def test_diff(
    fan: FanHost, cloud: Emulator, changes: dict[str, Any], expected: tuple[bool, list[str]], preview: bool
) -> None:
    given = {"triggers": {"r": 1}}
    id, olds = fan.fired(**given)
    sent = cloud.requests()
    known = {key: value for key, value in changes.items() if value is not UNKNOWN and "objects" not in changes}
    news = fan.intended(**{**given, **known}) | {
        key: value for key, value in changes.items() if value is UNKNOWN or key == "objects"
    }
    if "workflow_id" in changes and "objects" in changes:
        news |= {"workflow_id": changes["workflow_id"], "intent": fan.intended(**given, workflow_id=OTHER)["intent"]}
    if preview:
        news["intent"] = UNKNOWN
    result = fan.diff(id, olds, news)
    assert outcome(result) == expected
    assert bool(result.delete_before_replace) is bool(expected[1])
    assert cloud.requests() == sent


@pytest.mark.parametrize("name", ["bucket", "region", "workflow_id", "triggers"])
def test_an_unknown_value_is_a_replacement_in_a_preview_alone(fan: FanHost, name: str) -> None:
    """In an `up` it may come to what it was; only in a preview the intent itself is unknown too."""
    id, olds = fan.fired(triggers={"r": 1})
    news = fan.intended(triggers={"r": 1}) | {name: UNKNOWN}
    assert outcome(fan.diff(id, olds, news)) == UPDATE
    assert outcome(fan.diff(id, olds, news | {"intent": UNKNOWN})) == (True, [name])


@pytest.mark.parametrize("value", [UNKNOWN, {"of": ["a", UNKNOWN]}])
def test_an_unknown_trigger_is_a_replacement_in_a_preview_alone(fan: FanHost, value: Any) -> None:
    id, olds = fan.fired(triggers={"of": "i1"})
    news = fan.intended(triggers={"of": "i1"}) | {"triggers": {"of": value}}
    assert outcome(fan.diff(id, olds, news)) == UPDATE
    assert outcome(fan.diff(id, olds, news | {"intent": UNKNOWN})) == (True, ["triggers"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, NOTHING),
        ({"objects": OBJECTS[::-1]}, NOTHING),
        ({"concurrency": 9, "rate": 7.5}, NOTHING),
        ({"__provider": "another version"}, NOTHING),
        ({"resource_urn": "urn:pulumi:test::tests::type::renamed"}, UPDATE),
        ({"objects": UNKNOWN}, UPDATE),
        ({"adopt_ids": UNKNOWN}, UPDATE),
        ({"adopt_ids": {"a.mp4": UNKNOWN}}, UPDATE),
        ({"adopt_ids": {"a.mp4": "i1"}}, UPDATE),
        ({"adopt_ids": {"x.mp4": "i1"}}, NOTHING),
        ({"adopt_ids": {}}, NOTHING),
    ],
)
def test_diff_under_the_same_intent(fan: FanHost, changes: dict[str, Any], expected: tuple[bool, list[str]]) -> None:
    inputs = fan.intended()
    id, olds = fan.create(inputs)
    assert outcome(fan.diff(id, olds, inputs | changes)) == expected


def test_refused_objects_are_tried_again_by_an_update(fan: FanHost, cloud: Emulator) -> None:
    cloud.fault(RUNS, "start", "status", status=400, code="NoSuchKey")
    inputs = fan.intended()
    id, olds = fan.create(inputs)
    assert outcome(fan.diff(id, olds, inputs)) == UPDATE
    news = fan.update(id, olds, inputs)
    assert set(news["instance_ids"]) == set(OBJECTS)
    assert news["instance_ids"].items() > olds["instance_ids"].items()
    assert outcome(fan.diff(id, news, inputs)) == NOTHING


@pytest.mark.parametrize("change", [{"workflow_id": OTHER}, {"triggers": {"r": 1}}, {"objects": ["x"]}])
def test_a_change_that_the_intent_was_not_made_for(
    fan: FanHost, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(progress, "warn", lambda urn, text: warned.append(text))
    inputs = fan.intended(earlier=True)
    id, olds = fan.create(inputs)
    assert outcome(fan.diff(id, olds, {**inputs, **wire(change)})) == NOTHING
    ((text),) = warned
    assert "the intent did not change with it: nothing fires" in text


def test_a_configured_region_that_changes_fires_nothing(fan: FanHost, cloud: Emulator) -> None:
    id, olds = fan.fired()
    moved = FanHost(cloud.url, "fan", tencentcloud__region="ap-shanghai")
    news = moved.intended(objects=[*OBJECTS, "c.mp4"])
    assert outcome(moved.diff(id, olds, news)) == UPDATE
    outs = moved.update(id, olds, news)
    hosts = {run["request"]["headers"]["host"] for run in cloud.runs(RUNS)}
    assert len(hosts) == 1, "an object that is added is fired where the others were"
    assert outs["place"] == olds["place"]


def test_removed_objects_are_state_only(fan: FanHost, cloud: Emulator) -> None:
    id, olds = fan.fired()
    sent = cloud.requests()
    outs = fan.update(id, olds, fan.intended(objects=["a.mp4"]))
    assert outs["instance_ids"] == {"a.mp4": olds["instance_ids"]["a.mp4"]}
    assert outs["counts"] == {"objects": 1, "started": 1, "refused": 0}
    assert ledger.fired_of(outs).at == ledger.fired_of(olds).at is not None
    assert cloud.requests() == sent
    fan.delete(id, outs)
    assert cloud.requests() == sent


def test_no_objects_at_all(fan: FanHost, cloud: Emulator) -> None:
    _, outs = fan.fired(objects=[])
    assert outs["counts"] == {"objects": 0, "started": 0, "refused": 0}
    assert cloud.requests() == {}


# -- the intent


def intents(objects: list[str]) -> dict[str, Any]:
    return wire({"kind": RUNS, "run": "urn::fan", "arguments": {}, "objects": digest_of_objects(objects)})


def recorded(outs: Any) -> Intent:
    intent = ledger.intent_of(outs["record"])
    assert intent is not None
    return intent


def test_an_attempt_is_added_only_when_other_objects_are_asked_for() -> None:
    provider = IntentProvider()
    olds = wire(dict(provider.create(intents(["a", "b"])).outs or {}))
    assert outcome(provider.diff("", olds, intents(["b", "a"]))) == NOTHING
    assert outcome(provider.diff("", olds, intents(["a"]))) == UPDATE
    assert outcome(provider.diff("", olds, {**intents(["a"]), "objects": UNKNOWN})) == UPDATE
    same = provider.update("", olds, intents(["b", "a"])).outs or {}
    assert same["record"] == olds["record"]
    first, other = recorded(olds), recorded(provider.update("", olds, intents(["a", "c"])).outs)
    assert first.attempts == (first.moment,)
    assert other.attempts[:1] == first.attempts
    assert len({one.token for one in other.attempts}) == len(other.attempts) == 2
    assert other.moment == first.moment
    assert other.objects == digest_of_objects(["c", "a"])


def test_twenty_attempts_are_kept() -> None:
    provider = IntentProvider()
    olds = wire(dict(provider.create(intents([])).outs or {}))
    for number in range(30):
        olds = wire(dict(provider.update("", olds, intents([str(number)])).outs or {}))
    intent = recorded(olds)
    tokens = [one.token for one in intent.attempts]
    assert len(set(tokens)) == 20
    assert intent.token not in tokens


def test_a_digest_of_objects() -> None:
    assert digest_of_objects(["a", "b"]) == digest_of_objects(("b", "a"))
    assert len({digest_of_objects(objects) for objects in ([], ["a"], ["b"], ["a", "b"], ["ab"], ["a", "a"])}) == 6


def test_what_is_ignored_for_a_fan_out_is_ignored_for_its_intent() -> None:
    """A path into the objects finds nothing in their digest, so that each list of them is an attempt of its own."""
    given = ResourceOptions(ignore_changes=["objects", "objects[0]", "triggers.a", "inputs.x", "rate", "*"])
    taken_over = ["objects", "objects[0]", "triggers.a", "arguments.inputs.x", "*"]
    assert options.for_intent(given, ["inputs"]).ignore_changes == taken_over
