"""Ordered faults of a hostile world, on each system, as far as they can be seen without a network."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
from emulator_bench import START, Reply
from hostile_bench import CLOUDS, Cloud, EnosFlow, HuaweiWorkflow, TencentInventory, TencentWorkflow


@pytest.fixture(params=CLOUDS, ids=lambda make: make.system)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    made: Cloud = request.param()
    return made


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
    for time in (b"2022-08-09T14:54:17+0", b"2022-08-09T06:54:17.250Z", b"2022-08-09 14:54:17"):
        assert skewed.count(time) == right.count(time)
    assert any(time in skewed for time in (b"T14:54:17+0", b"T06:54:17.250Z", b" 14:54:17"))
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


def test_same_id(cloud: Cloud) -> None:
    runs = [cloud.id_in(cloud.start()), cloud.id_in(cloud.start())]
    cloud.fault("same_id", times=2)
    assert [cloud.id_in(cloud.start()) for _ in range(2)] == [runs[1]] * 2
    assert cloud.ids() == runs
    assert cloud.id_in(cloud.start()) not in runs
    assert cloud.count("start") == 5


def test_same_id_without_an_earlier_run_starts_one(cloud: Cloud) -> None:
    cloud.fault("same_id", times=3)
    run = cloud.id_in(cloud.start())
    assert [cloud.id_in(cloud.start()) for _ in range(2)] == [run] * 2
    assert cloud.ids() == [run]


def test_same_id_is_of_the_same_system() -> None:
    job, workflow = TencentInventory(), TencentWorkflow()
    workflow.bench = job.bench
    job.start()
    workflow.fault("same_id")
    run = workflow.id_in(workflow.start())
    rows = job.bench.admin("runs").json
    assert [row["origin"] for row in rows] == ["api", "job", "job", "job", "api"]
    assert rows[-1]["id"] == run


def test_same_id_checks_the_signature() -> None:
    cloud = TencentWorkflow()
    cloud.start()
    cloud.fault("same_id")
    assert cloud.bench.call("POST", "/triggerworkflow", headers={"authorization": ""}).error == (403, "AccessDenied")


def test_refused_but_ran(cloud: Cloud) -> None:
    cloud.fault("refused_but_ran")
    cloud.fault("refused_but_ran", status=503, code="SYS.0011", message="a moment")
    first, second = cloud.start(), cloud.start()
    assert (first.status, second.status) == (400, 503)
    assert cloud.invalid.encode() in first.body
    assert b"SYS.0011" in second.body
    assert b"a moment" in second.body
    assert len(cloud.runs()) == 2
    assert all(cloud.knows(run) for run in cloud.ids())


def test_refused_cancel_that_happened() -> None:
    cloud = TencentInventory()
    job = cloud.id_in(cloud.start())
    cloud.fault("refused_but_ran", "cancel", status=409)
    assert cloud.bench.call("PUT", f"/inventorytriggerjob/{job}", {"cancel": ""}).error == (409, "InvalidArgument")
    assert cloud.runs()[0]["state"] == "Cancel"


def test_endless_pages(cloud: Cloud) -> None:
    runs = [cloud.id_in(cloud.start()) for _ in range(3)]
    cloud.fault("endless_pages", "find", seconds=2.5)
    listed: list[str] = []
    markers = [""]
    for _ in range(8):
        page, marker = cloud.page(cloud.find(markers[-1]))
        listed += page
        markers.append(marker)
    assert sorted(listed) == sorted(runs)
    assert len(set(markers)) == 9
    assert cloud.bench.waits == [2.5] * 8


def test_endless_pages_end_with_their_times(cloud: Cloud) -> None:
    cloud.start()
    cloud.fault("endless_pages", "find", times=2)
    marker = ""
    for wanted in (True, True, False):
        _, marker = cloud.page(cloud.find(marker))
        assert bool(marker) == wanted
    assert cloud.bench.waits == []
    assert cloud.bench.call("DELETE", "/_emulator/faults").json == []


def test_endless_pages_of_nothing_are_deleted_with_the_faults(cloud: Cloud) -> None:
    cloud.fault("endless_pages", "find")
    empty, marker = cloud.page(cloud.find())
    again, other = cloud.page(cloud.find(marker))
    assert empty == again == []
    assert marker != other
    dropped = cloud.bench.call("DELETE", "/_emulator/faults").json
    assert [(row["action"], row["times"]) for row in dropped] == [("endless_pages", 999_998)]
    assert cloud.page(cloud.find()) == ([], "")


def test_other_faults_have_their_turn_while_pages_are_endless(cloud: Cloud) -> None:
    cloud.fault("endless_pages", "find")
    cloud.fault("drop_response", "find")
    assert cloud.find().status == 0
    assert cloud.page(cloud.find())[1]


def test_repeat(cloud: Cloud) -> None:
    cloud.fault("repeat")
    run = cloud.id_in(cloud.start())
    # What the vendor does with a second trigger in one minute is not documented; the emulator then has one instance.
    assert len(cloud.runs()) == (1 if cloud.system == "enos.flow" else 2)
    assert cloud.ids()[0] == run
    assert {row["origin"] for row in cloud.runs()} == {"api"}
    assert cloud.count("start") == 2
    cloud.start()
    assert cloud.count("start") == 3


def test_repeat_of_a_cancel_has_the_first_answer() -> None:
    cloud = TencentInventory()
    job = cloud.id_in(cloud.start())
    cloud.fault("repeat", "cancel")
    assert cloud.bench.call("PUT", f"/inventorytriggerjob/{job}", {"cancel": ""}).status == 200
    assert cloud.count("cancel") == 2


def test_repeat_whose_answer_is_lost(cloud: Cloud) -> None:
    place = {"system": cloud.system, "operation": "start"}
    cloud.bench.admin("faults", [{**place, "action": "repeat"}, {**place, "action": "drop_response"}])
    assert cloud.start().status == 0
    assert cloud.count("start") == 2


@pytest.mark.parametrize("odd", ["two words", " <b>&amp;+%41?#~é中 "])
def test_odd_id(cloud: Cloud, odd: str) -> None:
    cloud.fault("odd_id", id=odd)
    assert cloud.id_in(cloud.start()) == odd
    assert cloud.ids() == [odd]
    assert cloud.knows(odd)
    assert cloud.page(cloud.find())[0] == [odd]
    assert odd not in cloud.id_in(cloud.start())
    assert cloud.bench.admin(f"runs/{odd}", {"state": "Mystery"}).json["state"] == "Mystery"


def test_odd_ids_of_the_emulators_own(cloud: Cloud) -> None:
    cloud.fault("odd_id", times=2)
    runs = [cloud.id_in(cloud.start()) for _ in range(2)]
    assert all(" " in run and cloud.knows(run) for run in runs)
    assert len(set(runs)) == 2
    assert sorted(cloud.page(cloud.find())[0]) == sorted(runs)


def test_odd_id_of_a_job_is_that_of_its_executions() -> None:
    cloud = TencentInventory()
    cloud.fault("odd_id", id="a job")
    cloud.start()
    assert len(cloud.bench.executions(jobId="a job")) == 3


def test_odd_id_of_an_instance_that_is_there() -> None:
    cloud = EnosFlow()
    cloud.fault("odd_id", id="an instance")
    assert cloud.enos.start() == cloud.enos.start() == "an instance"
    assert cloud.enos.cancel("an instance").json["status"] == 0
    assert cloud.runs()[0]["state"] == "CANCEL"
