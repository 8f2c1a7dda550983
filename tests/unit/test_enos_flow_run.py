"""`enos.FlowRun`: arguments, the default trigger time, and what is in the way of another run. No network."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pulumi.output import UNKNOWN

from cloud_runs.checks import LATER
from cloud_runs.enos import FlowRun
from cloud_runs.enos.client import FlowRequest
from cloud_runs.enos.flow_kind import FLOW
from cloud_runs.enos.flow_run import _milliseconds
from cloud_runs.errors import InvalidConfiguration, MissingCredentials
from cloud_runs.kinds import Occasion
from cloud_runs.runs import Phase, Reference, RunStatus
from cloud_runs.wire.settings import Settings

SEED_TIME = 1574385824000
MINTED = "2019-11-22T01:23:44.567Z"
MINUTE = 1574385780000
CONFIG = {
    "enos:accessKey": "k",
    "enos:secretKey": "s",
    "enos:orgId": "o15",
    "enos:userId": "alice",
    "enos:endpoint": "https://gw.example",
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENOS_ACCESS_KEY", "ENOS_SECRET_KEY", "ENOS_ORG_ID", "ENOS_USER_ID", "RUNS_ENOS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def settings(**changes: str | None) -> Settings:
    return Settings((CONFIG | {f"enos:{name}": value for name, value in changes.items()}).get)


OCCASION = Occasion("t1", datetime.fromisoformat(MINTED.replace("Z", "+00:00")), "meters")


def props(**changes: Any) -> dict[str, Any]:
    return {"flow_id": 3377.0, **changes}


def problems(**changes: Any) -> dict[str, str]:
    return dict(FLOW.problems(props(**changes), settings()))


# --- arguments


def test_what_is_accepted() -> None:
    parameters = {"a": "é", "b": 1.0, "c": True, "d": LATER}
    for good in ({}, {"flow_id": 1}, {"trigger_time": 0.0}, {"trigger_time": float(SEED_TIME)},
                 {"trigger_time": LATER}, {"flow_id": LATER}, {"parameters": LATER}, {"parameters": parameters},
                 {"org_id": LATER, "user_id": "a@b"}):  # fmt: skip
        assert problems(**good) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [("flow_id", None), ("flow_id", "3377"), ("flow_id", 0.0), ("flow_id", 1.5), ("flow_id", True), ("flow_id", 1e30),
     ("flow_id", -1.0), ("flow_id", float("inf")), ("flow_id", float("nan")),
     ("trigger_time", -1.0), ("trigger_time", 0.5), ("trigger_time", 1e15),
     ("trigger_time", "2019-11-22T01:23:44"), ("trigger_time", "tomorrow"), ("trigger_time", True), ("org_id", "a b"),
     ("org_id", ""), ("user_id", 5.0), ("user_id", "a\n"), ("parameters", "x"), ("parameters", ["x"])],
)  # fmt: skip
def test_what_is_refused(name: str, value: Any) -> None:
    assert list(problems(**{name: value})) == [name]


def test_refused_parameters_are_named() -> None:
    given = {"a": {}, "b": [1.0], "c": "x", "d": "\ud800", "e": 2.0**53, "f": float("nan"), "g": b"x"}
    assert "".join(name.removeprefix("parameters.") for name in problems(parameters=given)) == "abdefg"
    assert list(problems(parameters={"": 1.0, "a\n": 2.0})) == ["parameters"]


def test_missing_organization_and_user_name_every_place() -> None:
    found = dict(FLOW.problems(props(), settings(orgId=None, userId=None)))
    assert "enos:orgId or environment ENOS_ORG_ID" in found["org_id"]
    assert "enos:userId or environment ENOS_USER_ID" in found["user_id"]
    assert dict(FLOW.problems(props(org_id="o", user_id="u"), settings(orgId=None, userId=None))) == {}


# --- where a run is


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "enos.flow::3377%2Fo15:i"),
        ({"org_id": "o16"}, "enos.flow::3377%2Fo16:i"),
        ({"user_id": "a/b@c"}, "enos.flow::3377%2Fo15%2Fa%252Fb%2540c:i"),
        ({"api_version": "2.1"}, "enos.flow::3377%2Fo15%2F%2F2.1:i"),
        ({"user_id": "alice", "api_version": "2.0"}, "enos.flow::3377%2Fo15%2Falice%2F2.0:i"),
    ],
)
def test_place(arguments: dict[str, Any], text: str) -> None:
    place = FLOW.place(props(**arguments), settings())
    assert str(Reference(place.system, place.region, place.scope, "i")) == text
    assert Reference.parse(text).scope == place.scope


def test_a_recorded_run_stays_in_its_organization() -> None:
    kept = FLOW.place(props(reference="enos.flow::3377%2Fo15:i"), settings(orgId="o99"))
    assert (kept.scope, kept.id) == ("3377/o15", "i")


def test_client_has_the_user_of_the_reference_else_of_the_configuration() -> None:
    for scope, user in (("3377/o15", "alice"), ("3377/o15/a%2Fb", "a/b")):
        client = FLOW.client(Reference("enos.flow", "", scope, ""), settings())
        assert (client._org, client._user, client._endpoint) == ("o15", user, "https://gw.example")


@pytest.mark.parametrize(
    ("scope", "setting", "version"),
    [
        ("3377/o15", None, "2.0"),
        ("3377/o15", "2.1", "2.1"),
        ("3377/o15//2.0", "2.1", "2.0"),
        ("3377/o15/bob/2.1", None, "2.1"),
    ],
)
def test_client_has_the_version_of_the_reference_else_of_the_configuration(
    scope: str, setting: str | None, version: str
) -> None:
    client = FLOW.client(Reference("enos.flow", "", scope, ""), settings(apiVersion=setting))
    assert client._version.name == version


def test_a_version_that_there_is_not_is_refused() -> None:
    found = dict(FLOW.problems(props(), settings(apiVersion="3.0")))
    assert "enos:apiVersion is not a version: 2.0 or 2.1" in found["api_version"]


def test_missing_configuration() -> None:
    place = Reference("enos.flow", "", "3377/o15", "")
    for missing, kind, text in (
        ({"endpoint": None}, InvalidConfiguration, "enos:endpoint or environment RUNS_ENOS_ENDPOINT"),
        ({"endpoint": "http://gw.example"}, InvalidConfiguration, "loopback only"),
        ({"accessKey": None, "secretKey": None}, MissingCredentials, "ENOS_ACCESS_KEY and ENOS_SECRET_KEY"),
        ({"secretKey": None}, InvalidConfiguration, "enos:accessKey .*not enos:secretKey"),
        ({"userId": None}, InvalidConfiguration, "enos:userId or environment ENOS_USER_ID"),
    ):
        with pytest.raises(kind, match=text):
            FLOW.client(place, settings(**missing))  # type: ignore[arg-type]
    with pytest.raises(InvalidConfiguration, match="enos:orgId or environment ENOS_ORG_ID"):
        FLOW.place(props(), settings(orgId=None))


def test_the_environment_comes_second(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENOS_ACCESS_KEY": "ek", "ENOS_SECRET_KEY": "es", "ENOS_ORG_ID": "eo", "ENOS_USER_ID": "eu",
                        "RUNS_ENOS_ENDPOINT": "http://127.0.0.1:9"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = FLOW.client(FLOW.place(props(), Settings()), Settings())
    assert (client._org, client._user, client._endpoint, client._credentials.id) == (
        "eo",
        "eu",
        "http://127.0.0.1:9",
        "ek",
    )
    assert FLOW.place(props(), settings()).scope == "3377/o15"


# --- the trigger time


def test_a_given_time_is_sent_unchanged_and_as_a_whole_number() -> None:
    request = FLOW.request(props(trigger_time=float(SEED_TIME)), OCCASION)
    assert request == FlowRequest(3377, SEED_TIME)
    assert type(request.trigger_time) is type(request.flow_id) is int


def test_the_default_is_the_intent_s_minute_however_late_it_is_fired() -> None:
    assert FLOW.request(props(), OCCASION).trigger_time == MINUTE
    assert FLOW.work(FlowRequest(3377, SEED_TIME)) == FLOW.work(FlowRequest(3377, MINUTE))


def old(trigger_time: Any, flow_id: float = 3377.0, explicit: bool = False) -> Occasion:
    given = {"flow_id", "trigger_time"} if explicit else {"flow_id"}
    return replace(OCCASION, before={"trigger_time": trigger_time, "flow_id": flow_id}, before_given=frozenset(given))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (old(float(MINUTE)), MINUTE + 60_000),  # a change within the same minute, or a forced replacement
        (old(MINUTE + 60_000.0), MINUTE + 120_000),  # and once more
        (old(float(SEED_TIME), explicit=True), MINUTE + 60_000),
        (old(MINUTE - 60_000.0), MINUTE),
        (old(MINUTE + 86_400_000.0, explicit=True), MINUTE),  # a planned one of tomorrow is no reason to wait
        (old(float(MINUTE), flow_id=1.0), MINUTE),
        (old(None), MINUTE),  # adopted
    ],
)
def test_the_minute_of_this_resource_s_own_run_is_not_taken_twice(before: Occasion, expected: int) -> None:
    assert FLOW.request(props(), before).trigger_time == expected
    assert FLOW.request(props(trigger_time=5.0), before).trigger_time == 5


def test_without_an_intent_there_is_no_crash() -> None:
    assert FLOW.request(props(), Occasion()).trigger_time == 0


@pytest.mark.parametrize(
    ("given", "milliseconds"),
    [
        (datetime(2019, 11, 22, 1, 23, 44, tzinfo=timezone.utc), SEED_TIME),
        (datetime(2019, 11, 22, 9, 23, 44, 567999, tzinfo=timezone(timedelta(hours=8))), SEED_TIME + 567),
        ("2019-11-22T01:23:44Z", SEED_TIME),
        ("2019-11-22T09:23:44+0800", SEED_TIME),
        ("2019-11-22T09:23:44+08:00", SEED_TIME),
        (SEED_TIME, SEED_TIME),
        (float(SEED_TIME), SEED_TIME),
        ("tomorrow", "tomorrow"),
        (None, None),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_a_time_is_milliseconds_whatever_its_spelling(given: Any, milliseconds: Any) -> None:
    assert _milliseconds(given) == milliseconds


def test_a_datetime_without_zone_is_refused_before_anything_is_registered() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        FlowRun("meters", flow_id=1, trigger_time=datetime(2019, 11, 22))  # noqa: DTZ001


def test_parameters_are_sent_as_text() -> None:
    given = {"a": 7.0, "b": 0.5, "c": True, "d": "é", "e": None}
    assert FLOW.request(props(parameters=given), OCCASION).parameters == {"a": "7", "b": "0.5", "c": "true", "d": "é"}


# --- what could not fire is refused before the old run is deleted


def hindrance(before: dict[str, Any], **after: Any) -> str:
    olds = {"flow_id": 3377.0, "trigger_time": float(SEED_TIME), **before}
    return FLOW.hindrance("r1", olds, {"flow_id": 3377.0, **after})


def test_a_time_that_stays_in_its_minute_is_in_the_way_of_another_run() -> None:
    for time in (float(SEED_TIME), SEED_TIME + 1000.0):
        said = hindrance({}, trigger_time=time)
        assert said.startswith("trigger_time is still in the minute of run r1, 2019-11-22T01:23:4")
    assert hindrance({"org_id": "o16", "record_expired": False}, trigger_time=float(SEED_TIME), org_id="o16")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"trigger_time": SEED_TIME + 60_000.0}),
        ({}, {"trigger_time": None}),
        ({}, {"trigger_time": LATER}),
        ({}, {"flow_id": 1.0, "trigger_time": float(SEED_TIME)}),
        ({}, {"org_id": "o16", "trigger_time": float(SEED_TIME)}),
        ({"record_expired": True}, {"trigger_time": float(SEED_TIME)}),  # it is gone
        ({"trigger_time": None}, {"trigger_time": float(SEED_TIME)}),  # adopted
    ],
)
def test_what_is_in_no_way(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert hindrance(before, **after) == ""


# --- adoption and outputs


def status(**request: Any) -> RunStatus:
    return RunStatus("r1", Phase.RUNNING, "RUNNING", request=request)


def test_mismatches() -> None:
    def found(told: RunStatus, **arguments: Any) -> list[str]:
        return list(FLOW.mismatches(props(**arguments), told))

    assert found(status(flow_id=3377, trigger_minute="2019-11-22 09:23:44"), trigger_time=float(SEED_TIME)) == []
    assert found(status()) == []
    assert found(status(flow_id=1)) == ["its flow_id is 1, not the requested one"]
    (text,) = found(status(trigger_minute="2019-11-22 09:24:44"), trigger_time=float(SEED_TIME))
    assert text == "its trigger_time is '2019-11-22 09:24:44', not the requested one"


def test_details() -> None:
    place = Reference("enos.flow", "", "3377/o15", "r1")
    given = FLOW.outputs(place, FlowRequest(3377, SEED_TIME), None)
    assert (given["flow_instance_id"], given["trigger_time"]) == ("r1", SEED_TIME)
    assert "trigger_time" not in FLOW.outputs(place, None, status()), "a refresh keeps what was sent"
