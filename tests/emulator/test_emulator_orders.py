"""Orders of hostile faults that cannot be carried out: each is refused with a sentence, and none is queued."""

from __future__ import annotations

import pytest
from emulator_bench import Bench
from hostile_bench import Cloud

FIELDS = {
    "interim": {"status", "seconds", "after_effect"},
    "slow_effect": {"seconds"},
    "date_skew": {"seconds"},
    "error_in_200": {"code", "message", "after_effect"},
    "same_id": set(),
    "refused_but_ran": {"status", "code", "message"},
    "endless_pages": {"seconds"},
    "repeat": set(),
    "odd_id": {"id"},
}
NEEDED = {"slow_effect": {"seconds": 1}, "date_skew": {"seconds": 1}}
VALUES = {
    "status": 103,
    "code": "x",
    "message": "x",
    "seconds": 1,
    "after_effect": True,
    "id": "x",
    "body": "x",
}
GOES_WITH = {
    "interim": {"find", "get", "time", "workflow", "task", "projects"},
    "slow_effect": {"start", "cancel", "resume", "retry", "create", "token", "refresh"},
    "same_id": {"start"},
    "endless_pages": {"find"},
    "odd_id": {"start"},
}
GOES_WITH["interim"] |= GOES_WITH["slow_effect"]
GOES_WITH["date_skew"] = GOES_WITH["error_in_200"] = GOES_WITH["interim"]
GOES_WITH["refused_but_ran"] = GOES_WITH["repeat"] = GOES_WITH["slow_effect"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("action", sorted(FIELDS))
def test_each_action_goes_with_its_operations(cloud: Cloud, action: str) -> None:
    operations = cloud.bench.admin("requests").json[cloud.system]
    for operation in operations:
        order = {"system": cloud.system, "operation": operation, "action": action, **NEEDED.get(action, {})}
        reply = cloud.bench.admin("faults", order)
        if operation in GOES_WITH[action]:
            assert reply.json == {"accepted": 1}
        else:
            assert reply.status == 400
            assert (
                f"{action} goes with operation" in reply.json["error"] or "which changes nothing" in reply.json["error"]
            )


@pytest.mark.parametrize("action", sorted(FIELDS))
def test_each_action_takes_its_fields_alone(bench: Bench, action: str) -> None:
    operation = "find" if action == "endless_pages" else "start"
    good = {"system": bench.system, "operation": operation, "action": action, **NEEDED.get(action, {})}
    for name, value in VALUES.items():
        changed = {**good, name: 503 if (action, name) == ("refused_but_ran", "status") else value}
        reply = bench.admin("faults", changed)
        if name in FIELDS[action]:
            assert reply.json == {"accepted": 1}, name
        else:
            assert (reply.status, reply.json["error"]) == (400, f"action {action} takes no {name}")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"action": "interim", "status": 101}, "status 101 is no interim answer"),
        ({"action": "interim", "status": 200}, "status must be a whole number from 100 to 199"),
        ({"action": "interim", "seconds": -1}, "seconds must be"),
        ({"action": "slow_effect"}, "seconds must be a number from 0 to 3600; got None"),
        ({"action": "slow_effect", "seconds": "25"}, "seconds must be"),
        ({"action": "date_skew"}, "seconds must be a number from -31536000 to 31536000; got None"),
        ({"action": "date_skew", "seconds": 1e9}, "seconds must be"),
        ({"action": "error_in_200", "code": 7}, "code must be a text"),
        ({"action": "error_in_200", "after_effect": "no"}, "after_effect must be"),
        ({"action": "refused_but_ran", "status": 102}, "status must be"),
        ({"action": "refused_but_ran", "message": None}, "message must be a text"),
        ({"action": "repeat", "times": 0}, "times must be"),
        ({"action": "same_id", "times": 1.5}, "times must be"),
        ({"action": "odd_id", "id": ""}, "id must be 1 to 200 printable characters"),
        ({"action": "odd_id", "id": "a/b"}, "without a slash"),
        ({"action": "odd_id", "id": "a\nb"}, "printable"),
        ({"action": "odd_id", "id": "x" * 201}, "1 to 200"),
        ({"action": "odd_id", "id": 7}, "id must be a text"),
        ({"action": "odd_id", "id": "a b", "times": 2}, "times must be 1"),
    ],
)
def test_bad_order(bench: Bench, change: dict[str, object], text: str) -> None:
    good = {"system": bench.system, "operation": "start", "action": "drop_response"}
    bad = {"system": bench.system, "operation": "start", **change}
    for order in (bad, [good, bad]):
        reply = bench.admin("faults", order)
        assert reply.status == 400
        assert text in reply.json["error"]
    assert bench.call("DELETE", "/_emulator/faults").json == []


def test_an_id_is_ordered_once(cloud: Cloud) -> None:
    order = {"system": cloud.system, "operation": "start", "action": "odd_id", "id": "a b"}
    assert "for one run only" in cloud.bench.admin("faults", [order, order]).json["error"]
    cloud.fault("odd_id", id="a b")
    assert "for one run only" in cloud.bench.admin("faults", order).json["error"]
    cloud.start()
    assert "has a run with the id 'a b' already" in cloud.bench.admin("faults", order).json["error"]
    cloud.bench.admin("reset", {})
    assert cloud.bench.admin("faults", order).json == {"accepted": 1}
