"""Ordered faults of a hostile world, on each system, without a network: odd answers, and odd times of them."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
from emulator_bench import START, Reply
from hostile_bench import Cloud, HuaweiWorkflow, TencentInventory, TencentWorkflow


def date(reply: Reply) -> float:
    """The `Date` of an answer, in Unix seconds."""
    return parsedate_to_datetime(reply.headers["date"]).timestamp()


def test_interim_comes_before_the_effect(cloud: Cloud) -> None:
    seen: list[tuple[bytes, int]] = []
    cloud.bench.on_sleep = lambda: seen.append((cloud.bench.transport.written, len(cloud.runs())))
    cloud.fault("interim", status=103, seconds=2.5)
    run = cloud.id_in(cloud.start())
    assert seen == [(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0)]
    assert cloud.bench.waits == [2.5]
    assert cloud.ids() == [run]


def test_interim_after_the_effect(cloud: Cloud) -> None:
    seen: list[int] = []
    cloud.bench.on_sleep = lambda: seen.append(len(cloud.runs()))
    cloud.fault("interim", seconds=1, after_effect=True)
    assert cloud.start().status == 200
    assert (cloud.bench.transport.written, seen) == (b"HTTP/1.1 102 Processing\r\n\r\n", [1])


def test_interim_of_a_look_and_of_a_list(cloud: Cloud) -> None:
    run = cloud.id_in(cloud.start())
    cloud.fault("interim", "get", status=199)
    cloud.fault("interim", "find", status=100)
    assert cloud.knows(run)
    assert cloud.page(cloud.find())[0] == [run]
    assert cloud.bench.transport.written == b"HTTP/1.1 199 \r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"


def test_several_interim_answers_and_a_delay_go_in_their_order(cloud: Cloud) -> None:
    place = {"system": cloud.system, "operation": "start"}
    seen: list[int] = []
    cloud.bench.on_sleep = lambda: seen.append(len(cloud.bench.transport.written))
    order = [
        {**place, "action": "delay", "seconds": 1},
        {**place, "action": "interim"},
        {**place, "action": "interim", "seconds": 2},
    ]
    assert cloud.bench.admin("faults", order).json == {"accepted": 3}
    assert cloud.start().status == 200
    assert (cloud.bench.waits, seen) == ([1, 2], [0, 2 * len(b"HTTP/1.1 102 Processing\r\n\r\n")])


def test_slow_effect(cloud: Cloud) -> None:
    seen: list[int] = []
    cloud.bench.on_sleep = lambda: seen.append(len(cloud.runs()))
    cloud.fault("slow_effect", seconds=25)
    run = cloud.id_in(cloud.start())
    assert (cloud.bench.waits, seen, cloud.ids()) == ([25], [0], [run])
    assert cloud.runs()[0]["started_at"] == "2022-08-09T06:54:42.250000Z"


def test_slow_effect_is_of_a_request_that_was_accepted_before() -> None:
    """Its signature holds for ten minutes, and need not hold any more when the run comes to be."""
    cloud = TencentWorkflow()
    cloud.fault("slow_effect", seconds=3600)
    assert cloud.start().status == 200
    cloud.fault("slow_effect", seconds=3600)
    call = ("POST", "/triggerworkflow")
    assert cloud.bench.call(*call, headers={"authorization": ""}).error == (403, "AccessDenied")
    assert cloud.bench.waits == [3600]


def test_slow_effect_of_a_connection_that_was_reset(cloud: Cloud) -> None:
    place = {"system": cloud.system, "operation": "start"}
    seen: list[tuple[list[str], int]] = []
    cloud.bench.on_sleep = lambda: seen.append((list(cloud.bench.transport.ended), len(cloud.runs())))
    cloud.bench.admin("faults", [{**place, "action": "slow_effect", "seconds": 9}, {**place, "action": "reset_before"}])
    assert cloud.start().status == 0
    assert seen == [(["reset", "abort"], 0)]
    assert len(cloud.runs()) == 1


def test_interim_is_not_sent_to_a_client_that_has_left(cloud: Cloud) -> None:
    place = {"system": cloud.system, "operation": "start"}
    order = [
        {**place, "action": "slow_effect", "seconds": 9},
        {**place, "action": "reset_before"},
        {**place, "action": "interim", "after_effect": True},
    ]
    assert cloud.bench.admin("faults", order).json == {"accepted": 3}
    assert cloud.start().status == 0
    assert (cloud.bench.transport.written, len(cloud.runs())) == (b"", 1)


def test_reset_of_the_emulator_ends_a_slow_effect(cloud: Cloud) -> None:
    def reset() -> None:
        cloud.bench.admin("reset", {})

    cloud.bench.on_sleep = reset
    cloud.fault("slow_effect", seconds=1)
    assert cloud.start().status == 0
    assert cloud.runs() == []


def test_slow_effect_of_a_cancel_and_of_a_resume() -> None:
    inventory, huawei = TencentInventory(), HuaweiWorkflow()
    job, run = inventory.id_in(inventory.start()), huawei.id_in(huawei.start())
    seen: list[str] = []
    inventory.bench.on_sleep = lambda: seen.append(inventory.runs()[0]["state"])
    inventory.fault("slow_effect", "cancel", seconds=0.1)
    assert inventory.bench.call("PUT", f"/inventorytriggerjob/{job}", {"cancel": ""}).status == 200
    huawei.bench.admin(f"runs/{run}", {"state": "FAILED"})
    huawei.bench.on_sleep = lambda: seen.append(huawei.runs()[0]["state"])
    huawei.fault("slow_effect", "resume", seconds=0.1)
    path = f"/v2/workflowexecutions/{run}"
    assert huawei.bench.call("PUT", path, {"x-workflow-graph-name": "demo-graph_1"}).status == 200
    assert seen == ["Submitted", "FAILED"]
    assert [inventory.runs()[0]["state"], huawei.runs()[0]["state"]] == ["Cancel", "RUNNING"]


@pytest.mark.parametrize("seconds", [3, -3600, 0.75])
def test_date_skew(cloud: Cloud, seconds: float) -> None:
    cloud.fault("date_skew", seconds=seconds)
    cloud.fault("date_skew", "find", seconds=2 * seconds, times=2)
    assert date(cloud.start()) == int(START + seconds)
    assert date(cloud.start()) == int(START)
    assert [date(cloud.find()) for _ in range(3)] == [int(START + 2 * seconds)] * 2 + [int(START)]


def test_date_skew_leaves_the_times_in_lists_alone(cloud: Cloud) -> None:
    cloud.start()
    right = cloud.find().body
    cloud.fault("date_skew", "find", seconds=7200)
    skewed = cloud.find().body
    for time in (
        b"2022-08-09T14:54:17+0",
        b"2022-08-09T06:54:17.250Z",
        b"2022-08-09T06:54:17Z",
        b"2022-08-09 14:54:17",
    ):
        assert skewed.count(time) == right.count(time)
    assert any(time in skewed for time in (b"T14:54:17+0", b"T06:54:17.250Z", b"T06:54:17Z", b" 14:54:17"))
    assert cloud.runs()[0]["started_at"] == "2022-08-09T06:54:17.250000Z"


def test_date_skew_of_a_refusal_and_beside_other_faults(cloud: Cloud) -> None:
    cloud.fault("date_skew", seconds=60, times=2)
    cloud.fault("status", status=503)
    cloud.fault("drop_response")
    assert date(cloud.start()) == int(START + 60)
    assert cloud.start().status == 0
    assert date(cloud.start()) == int(START)


@pytest.mark.parametrize("operation", ["start", "get", "find"])
def test_error_in_200(cloud: Cloud, operation: str) -> None:
    run = cloud.id_in(cloud.start())
    call = {"start": cloud.start, "get": lambda: cloud.look(run), "find": cloud.find}[operation]
    cloud.fault("error_in_200", operation)
    cloud.fault("error_in_200", operation, code="62199", message="a <moment>")
    replies = [call(), call()]
    assert [reply.status for reply in replies] == [200, 200]
    default = ("InternalError", "ordered by a fault")
    if cloud.system == "enos.flow":
        default = ("62109", "InternalError: ordered by a fault")
    assert [cloud.error(reply) for reply in replies] == [default, ("62199", "a <moment>")]
    assert cloud.ids() == [run]
    assert call().status == 200


def test_error_in_200_is_as_the_vendor_writes_it() -> None:
    cloud = TencentWorkflow()
    cloud.fault("error_in_200", "find", message="..")
    reply = cloud.find()
    assert reply.body == b"<Response><Code>InternalError</Code><Message>..</Message></Response>"
    assert reply.headers["content-type"] == "application/xml"
    assert reply.headers["x-ci-request-id"]


def test_error_in_200_after_the_effect(cloud: Cloud) -> None:
    cloud.fault("error_in_200", after_effect=True)
    assert "InternalError" in " ".join(cloud.error(cloud.start()))
    assert len(cloud.runs()) == 1
