"""Looks at many Tencent runs: whose workflow must be learned, and jobs that are no better than their executions."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from cloud_runs.errors import NotFound, Refused, Unavailable
from cloud_runs.limits import Times
from cloud_runs.runs import Phase, RunStatus
from cloud_runs.tencent.client import WorkflowClient
from cloud_runs.tencent.jobs import InventoryClient
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer
from tests.support.clients import Answering, Clock, says, soon

KEYS = Credentials("AKIDhunter1", "s3cret-hunter2", source="environment TENCENTCLOUD_SECRET_ID")
BASE = "https://media-1250000000.ci.ap-beijing.myqcloud.com"
OPTIONS: dict[str, Any] = {"region": "ap-beijing", "bucket": "media-1250000000", "sleep": lambda _: None}
DATE = "Mon, 27 Jun 2022 07:24:30 GMT"  # well after the end of the jobs
ACTIVE = ("Running", "Pause", "Submitted")


def response(inner: str) -> Answer:
    return says(f"<Response><RequestId>r</RequestId>{inner}</Response>")


def failure(code: str, status: int) -> Answer:
    return says(f"<Error><Code>{code}</Code><Message>m</Message><RequestId>r</RequestId></Error>", status)


class Service:
    """Executions as (workflow, state) and jobs as (state, states of its executions), by id."""

    def __init__(self) -> None:
        self.executions: dict[str, tuple[str, str]] = {}
        self.jobs: dict[str, tuple[str, list[str]]] = {}
        self.workflow_ids = "w1"
        self.tag: str | None = None
        self.operation: str | None = None
        """Of jobs of type Job."""
        self.heeds = True
        """Whether the list of media jobs heeds the batch job that it is asked for."""
        self.honours_states = True
        self.headers = {"Date": DATE}
        self.answers: dict[str, Answer] = {}
        """What is said in place of the answer, by path, or by path and workflow."""
        self.transport = Answering(BASE, self.dated)

    def dated(self, method: str, path: str, query: dict[str, str | None], body: bytes) -> Answer:
        said = self.answer(method, path, query, body)
        return replace(said, headers=CaseInsensitiveDict({**said.headers, **self.headers}))

    def answer(self, method: str, path: str, query: dict[str, str | None], _: bytes) -> Answer:
        said = self.answers.get(path) or self.answers.get(f"{path} {query.get('workflowId')}")
        if said:
            return said
        kind, _, id = path.strip("/").partition("/")
        if kind == "inventorytriggerjob":
            if id:
                known = id in self.jobs
                return response(self.job(id) if known else f"<NonExistJobIds>{id}</NonExistJobIds>")
            return response("".join(self.job(id) for id in self.jobs if self.wanted(self.jobs[id][0], query)))
        if kind in ("jobs", "pic_jobs"):
            return response(self.media_jobs(query))
        if id:
            if id not in self.executions:
                return failure("WorkflowExecutionNotFound", 404)
            return response(f"<WorkflowExecution>{self.row(id, *self.executions[id])}</WorkflowExecution>")
        rows = [
            (id, workflow, state)
            for id, (workflow, state) in self.executions.items()
            if workflow == query["workflowId"] and self.wanted(state, query)
        ]
        if query.get("jobId"):
            states = self.jobs[str(query["jobId"])][1]
            rows = [(f"i{n}", "w1", state) for n, state in enumerate(states) if self.wanted(state, query)]
        first = int(query.get("nextToken") or 0)
        shown = rows[first : first + 100]
        more = f"<NextToken>{first + 100 if first + 100 < len(rows) else ''}</NextToken>"
        listed = "".join(f"<WorkflowExecutionList>{self.row(*row)}</WorkflowExecutionList>" for row in shown)
        return response(listed + more)

    def media_jobs(self, query: dict[str, str | None]) -> str:
        _, states = self.jobs.get(str(query["inventoryTriggerJobId"]), ("", []))
        if not self.heeds:
            states = [state for _, started in self.jobs.values() for state in started]
        wanted = [(n, state) for n, state in enumerate(states) if self.wanted(state, query)]
        rows = [f"<JobsDetail><JobId>j{n}</JobId><State>{state}</State></JobsDetail>" for n, state in wanted]
        return "".join(rows[:100]) + "<NextToken/>"

    def wanted(self, state: str, query: dict[str, str | None]) -> bool:
        return not self.honours_states or state in str(query.get("states") or state).split(",")

    @staticmethod
    def row(id: str, workflow: str, state: str) -> str:
        return f"<RunId>{id}</RunId><WorkflowId>{workflow}</WorkflowId><Object>o</Object><State>{state}</State>"

    def job(self, id: str) -> str:
        operation = f"<Operation><WorkflowIds>{self.workflow_ids}</WorkflowIds></Operation>"
        if self.tag is not None:
            tag = f"<Tag>{self.tag}</Tag>" if self.tag else ""
            operation = f"<Type>Job</Type><Operation><QueueId>p1</QueueId>{tag}</Operation>"
        operation = self.operation if self.operation is not None else operation
        ended = "" if self.jobs[id][0] in ACTIVE else "<EndTime>2022-06-27T15:24:10+0800</EndTime>"
        ended += "<CreationTime>2022-06-27T15:23:10+0800</CreationTime>"
        return f"<JobsDetail><JobId>{id}</JobId><State>{self.jobs[id][0]}</State>{operation}{ended}</JobsDetail>"

    def take(self) -> list[tuple[str, dict[str, str | None]]]:
        """The requests since the last time."""
        found, self.transport.asked = self.transport.asked, []
        return found


def executions(service: Service) -> WorkflowClient:
    return WorkflowClient(service.transport, KEYS, **OPTIONS)  # type: ignore[arg-type]


def jobs(service: Service) -> InventoryClient:
    return InventoryClient(service.transport, KEYS, **OPTIONS)  # type: ignore[arg-type]


def one(client: InventoryClient, id: str = "b1") -> RunStatus:
    told = client.get_many([id])[id]
    assert isinstance(told, RunStatus)
    return told


# --- executions


def test_the_workflows_of_many_runs_are_learned_once() -> None:
    service = Service()
    service.executions = {f"i{n}": (f"w{n % 3}", "Running") for n in range(300)}
    client = executions(service)
    assert {told.phase for told in client.get_many(list(service.executions)).values()} == {Phase.RUNNING}  # type: ignore[union-attr]
    first = Counter(path.count("/") for path, _ in service.take())
    assert first[1] <= 3 * 1, "a list of each workflow"
    assert first[2] <= 7
    assert len(client.get_many(list(service.executions))) == 300
    assert sorted(str(query["workflowId"]) for _, query in service.take()) == ["w0", "w1", "w2"]


def test_the_list_is_asked_for_what_goes_on() -> None:
    service = Service()
    service.executions = {"i1": ("w1", "Running"), "i2": ("w1", "Pause"), "i3": ("w1", "Success")}
    client = executions(service)
    client.get_many(["i1", "i2", "i3"])
    service.take()
    told = client.get_many(["i1", "i2", "i3"])
    states = {id: status.state for id, status in told.items() if isinstance(status, RunStatus)}
    assert states == {"i1": "Running", "i2": "Pause", "i3": "Success"}
    assert service.take() == [
        ("/workflowexecution", {"workflowId": "w1", "states": "Running,Pause", "size": "100"}),
        ("/workflowexecution/i3", {}),
    ]


def test_runs_of_workflows_of_their_own_are_asked_by_themselves() -> None:
    service = Service()
    service.executions = {f"i{n}": (f"w{n}", "Running") for n in range(20)}
    client = executions(service)
    for _ in range(2):
        service.take()
        assert len(client.get_many(list(service.executions))) == 20
    asked = sorted(path for path, _ in service.take())
    assert asked == sorted(f"/workflowexecution/{id}" for id in service.executions), "no list would tell of two"


def test_a_workflow_of_ended_runs_is_listed_once() -> None:
    service = Service()
    service.executions = {f"i{n}": ("w1", "Success") for n in range(20)}
    assert len(executions(service).get_many(list(service.executions))) == 20
    assert len(service.take()) == 1 + 20


def test_looks_that_learn_are_made_side_by_side() -> None:
    service, met = Service(), threading.Barrier(2)
    service.executions = {f"i{n}": ("w1", "Success") for n in range(3)}
    looks = 0

    def answer(method: str, path: str, query: dict[str, str | None], body: bytes) -> Answer:
        nonlocal looks
        looks += path != "/workflowexecution"
        if looks > 1:
            met.wait(timeout=20)
        return service.answer(method, path, query, body)

    service.transport = Answering(BASE, answer)
    told = executions(service).get_many(list(service.executions))
    assert all(isinstance(status, RunStatus) for status in told.values())


def test_a_run_that_tells_no_workflow_is_told_all_the_same() -> None:
    service = Service()
    service.executions = {f"i{n}": ("", "Running") for n in range(5)}
    client = executions(service)
    for _ in range(2):
        assert {told.phase for told in client.get_many(list(service.executions)).values()} == {Phase.RUNNING}  # type: ignore[union-attr]


def test_a_list_that_fails_before_the_workflows_are_known_hides_no_run() -> None:
    service = Service()
    service.executions = {f"i{n}": (f"w{n % 2}", "Running") for n in range(40)}
    service.answers["/workflowexecution w0"] = failure("InternalError", 500)
    told = executions(service).get_many(list(service.executions))
    assert all(isinstance(status, RunStatus) for status in told.values())


def test_the_list_of_one_workflow_fails() -> None:
    service = Service()
    service.executions = {f"i{n}": (f"w{n % 2}", "Running") for n in range(40)}
    client = executions(service)
    client.get_many(list(service.executions))
    service.answers["/workflowexecution w1"] = failure("InternalError", 500)
    told = client.get_many(list(service.executions))
    assert {id: isinstance(status, Unavailable) for id, status in told.items()} == {
        f"i{n}": n % 2 == 1 for n in range(40)
    }


@pytest.mark.parametrize(
    "row",
    [
        "", "x", "<RunId/>", "<RunId>i1</RunId>", "<RunId>i1</RunId><State>Success</State>",
        "<RunId>i1</RunId><State>Pondering\u202e</State>", "<RunId><b>i1</b></RunId><State>Running</State>",
        "<RunId>i1</RunId><RunId>i2</RunId><State>Running</State>", "<RunId>i9</RunId><State>Running</State>",
    ],
)  # fmt: skip
def test_rows_of_any_shape_tell_nothing_that_is_not_so(row: str) -> None:
    service = Service()
    service.executions = {f"i{n}": ("w1", "Success") for n in range(3)}
    service.answers["/workflowexecution"] = response(f"<WorkflowExecutionList>{row}</WorkflowExecutionList>")
    client = executions(service)
    for _ in range(2):
        told = client.get_many(list(service.executions))
        assert told.keys() == service.executions.keys()
        assert all(isinstance(at, Unavailable) or at.phase is Phase.SUCCEEDED for at in told.values())  # type: ignore[union-attr]


def test_a_key_that_may_not_list_is_refused() -> None:
    service = Service()
    service.executions = {f"i{n}": ("w1", "Running") for n in range(3)}
    service.answers["/workflowexecution"] = failure("AccessDenied", 403)
    with pytest.raises(Refused, match="ci:DescribeMediaWorkflowExecutions"):
        executions(service).get_many(list(service.executions))


# --- jobs


def test_active_jobs_are_listed_and_their_executions_are_not() -> None:
    service = Service()
    service.jobs = {"b1": ("Submitted", []), "b2": ("Running", ["Failed"]), "b3": ("Pause", [])}
    told = jobs(service).get_many(["b1", "b2", "b3"])
    assert {id: status.phase for id, status in told.items() if isinstance(status, RunStatus) and status.summed} == {
        "b1": Phase.PENDING,
        "b2": Phase.RUNNING,
        "b3": Phase.PENDING,
    }
    assert service.take() == [("/inventorytriggerjob", {"states": "Submitted,Running,Pause", "size": "100"})]
    assert one(jobs(service), "b2").summed
    assert service.take() == [("/inventorytriggerjob/b2", {})]


@pytest.mark.parametrize(
    ("state", "states", "phase", "counts"),
    [
        ("Success", [], Phase.SUCCEEDED, {}),
        ("Success", ["Success"] * 3, Phase.SUCCEEDED, {"Success": 3}),
        ("Success", ["Success", "Failed", "Failed"], Phase.FAILED, {"Success": 1, "Failed": 2}),
        ("Failed", ["Success"], Phase.FAILED, {"Success": 1}),
        ("Cancel", ["Success", "Failed"], Phase.CANCELLED, {"Success": 1, "Failed": 1}),
        ("Success", ["Success"] * 250 + ["Cancel"], Phase.FAILED, {"Success": 250, "Cancel": 1}),
        ("Success", ["Odd"], Phase.RUNNING, {"Odd": 1}),
    ],
)
def test_a_job_that_has_ended_is_summed_up(state: str, states: list[str], phase: Phase, counts: dict[str, int]) -> None:
    service = Service()
    service.jobs = {"b1": (state, states)}
    told = one(jobs(service))
    assert (told.phase, told.state, told.executions, told.summed) == (phase, state, counts, True)
    assert bool(told.finished_at) == told.phase.terminal


def test_a_service_that_lists_other_states_too() -> None:
    service = Service()
    service.honours_states = False
    service.jobs = {"b1": ("Success", ["Success", "Failed"])}
    told = one(jobs(service))
    assert (told.phase, told.executions) == (Phase.FAILED, {"Success": 1, "Failed": 1})


def test_a_job_whose_executions_go_on_costs_two_requests() -> None:
    service = Service()
    service.jobs = {"b1": ("Success", ["Success"] * 5000 + ["Failed", "Running"])}
    told = one(jobs(service))
    assert (told.phase, told.executions, told.finished_at) == (Phase.RUNNING, {}, "")
    assert told.message == "the job has ended; some executions still going"
    assert [path for path, _ in service.take()] == ["/inventorytriggerjob/b1", "/workflowexecution"]


@pytest.mark.parametrize(
    ("odd", "phase", "message"),
    [
        (["Failed"] * 3 + ["Cancel"], Phase.FAILED, "3 failed and 1 cancelled of more executions than can be counted"),
        ([], Phase.SUCCEEDED, ""),
    ],
)
def test_more_executions_than_can_be_counted(
    monkeypatch: pytest.MonkeyPatch, odd: list[str], phase: Phase, message: str
) -> None:
    monkeypatch.setattr("cloud_runs.tencent.children._EXECUTION_PAGES", 20)
    service = Service()
    service.jobs = {"b1": ("Success", ["Success"] * 2000 + odd)}
    if not odd:
        service.jobs["b1"][1].append("Success")
    told = one(jobs(service))
    assert (told.phase, told.executions, told.message) == (phase, {}, message)


def test_executions_of_several_workflows() -> None:
    service = Service()
    service.workflow_ids = "w1, w2"
    service.jobs = {"b1": ("Success", ["Success", "Failed"])}
    assert one(jobs(service)).executions == {"Success": 2, "Failed": 2}
    assert [query.get("workflowId") for _, query in service.take()[1:]] == ["w1", "w2"] * 2


# --- whether a job that succeeded has really ended


def ended(seconds: float, clock: Clock | None = None, **headers: str) -> tuple[Service, InventoryClient]:
    """A job that succeeded so many seconds before the service's answers, and the client that asks for it."""
    service, clock = Service(), clock or Clock()
    service.jobs = {"b1": ("Success", ["Success"])}
    at = datetime(2022, 6, 27, 7, 24, 10, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    service.headers = {"Date": format_datetime(at, usegmt=True)} | headers
    options = {**OPTIONS, "sleep": clock.sleep, "monotonic": clock}
    return service, InventoryClient(service.transport, KEYS, times=Times(lag=10.0), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("states", [[], ["Success"], ["Success", "Failed"]])
@pytest.mark.parametrize("look", ["get", "get_many"])
def test_a_job_that_has_just_ended_goes_on_until_its_executions_must_be_listed(look: str, states: list[str]) -> None:
    for seconds, sure in ((0, False), (9, False), (10, True), (86_400, True)):
        service, client = ended(seconds)
        service.jobs = {"b1": ("Success", states)}
        told = client.get("b1") if look == "get" else one(client)
        phase = Phase.FAILED if "Failed" in states else Phase.SUCCEEDED
        assert told.phase is (phase if sure else Phase.RUNNING)
        assert bool(told.finished_at) == sure
        assert told.state == "Success"
        assert told.summed
        assert sum(told.executions.values()) == len(states)
        assert sure or "may not all be listed yet" in told.message


@pytest.mark.parametrize("state", ["Failed", "Cancel"])
def test_a_job_that_did_not_succeed_has_ended_at_once(state: str) -> None:
    service, client = ended(0)
    service.jobs = {"b1": (state, [])}
    assert client.get("b1").phase in (Phase.FAILED, Phase.CANCELLED)


UNUSABLE = [{"Date": ""}, {"Date": "yesterday"}, {"Date": "Mon, 27 Jun 2022 06:00:00 GMT"}]


@pytest.mark.parametrize("headers", UNUSABLE)
def test_without_a_time_a_refresh_looks_twice(headers: dict[str, str]) -> None:
    """The executions begin to show only after the first look."""
    clock = Clock()
    service, client = ended(0, clock, **headers)
    service.jobs = {"b1": ("Success", [])}

    def slept(seconds: float) -> None:
        Clock.sleep(clock, seconds)
        service.jobs = {"b1": ("Success", ["Failed"])}

    client._sleep = slept
    assert client.get("b1").phase is Phase.FAILED
    assert clock.slept == 10.0


@pytest.mark.parametrize("headers", UNUSABLE)
def test_without_a_time_those_who_wait_look_again_later(headers: dict[str, str]) -> None:
    clock = Clock()
    _, client = ended(0, clock, **headers)
    assert one(client).phase is Phase.RUNNING
    clock.now += 9.0
    assert one(client).phase is Phase.RUNNING
    clock.now += 1.0
    assert one(client).phase is Phase.SUCCEEDED
    assert clock.slept == 0.0


def test_jobs_of_one_generated_name_are_counted() -> None:
    names = {"b1": "nightly-a1b2", "b2": "nightly-a1b2", "b3": "other-a1b2c", "b4": "other"}
    rows = "".join(
        f"<JobsDetail><JobId>{id}</JobId><Name>{name}</Name><State>Running</State>"
        "<CreationTime>2022-06-27T15:24:10+0800</CreationTime></JobsDetail>"
        for id, name in names.items()
    )
    service = Service()
    service.answers["/inventorytriggerjob"] = response(rows)
    began, minute = datetime(2022, 6, 27, 7, 24, 10, tzinfo=timezone.utc), timedelta(minutes=1)
    assert jobs(service).namesakes("-a1b2", began, minute, soon(), but="b1") == ("b2",)
    (asked,) = service.take()
    assert asked[1] == {"startCreationTime": "2022-06-27T07:23:10+0000", "size": "100"}
    earlier = began - timedelta(hours=1)
    assert jobs(service).namesakes("-a1b2", earlier, minute, soon(), but="b1") == (), "a forced replacement is later"


@pytest.mark.parametrize("row", ["<State>Failed</State>", "<RunId/><State>Failed</State>"])
def test_a_row_without_its_id_is_not_left_out_of_the_count(row: str) -> None:
    service = Service()
    service.jobs = {"b1": ("Success", ["Success", "Failed"])}
    service.answers["/workflowexecution"] = response(
        f"<WorkflowExecutionList>{row}</WorkflowExecutionList><NextToken/>"
    )
    told = jobs(service).get_many(["b1"])["b1"]
    assert isinstance(told, Unavailable) or told.phase is Phase.UNKNOWN
    assert "without RunId" in str(told)
    assert jobs(service).get("b1").phase is Phase.UNKNOWN


# --- jobs of type Job


def test_a_job_of_type_job_whose_kind_is_not_told_is_what_it_says_itself() -> None:
    service = Service()
    service.tag = ""
    service.jobs = {"b1": ("Success", ["Failed"]), "b2": ("Running", [])}
    told = one(jobs(service))
    assert (told.phase, told.summed, len(service.take())) == (Phase.SUCCEEDED, False, 1)
    assert not one(jobs(service), "b2").summed


@pytest.mark.parametrize(
    "left",
    ["", "<Operation/>", "<Type>Workflow</Type><Operation><WorkflowIds/></Operation>", "<Type>Job</Type>"],
)
def test_an_answer_that_leaves_out_what_a_job_has_started_tells_no_success(left: str) -> None:
    service = Service()
    service.operation = left
    service.jobs = {"b1": ("Success", ["Failed"]), "b2": ("Failed", []), "b3": ("Running", [])}
    told = jobs(service).get_many(["b1"])["b1"]
    assert isinstance(told, Unavailable)
    assert "leaves out what job b1 has started" in str(told)
    assert jobs(service).get("b1").phase is Phase.UNKNOWN
    assert one(jobs(service), "b2").phase is jobs(service).get("b2").phase is Phase.FAILED
    assert one(jobs(service), "b3").phase is jobs(service).get("b3").phase is Phase.RUNNING


def of_type_job(state: str, *children: str, tag: str = "Transcode") -> Service:
    service = Service()
    service.tag = tag
    service.jobs = {"b1": (state, list(children))}
    return service


@pytest.mark.parametrize(("tag", "path"), [("Transcode", "/jobs"), ("PicProcess", "/pic_jobs")])
def test_a_job_of_type_job_is_no_better_than_its_jobs(tag: str, path: str) -> None:
    service = of_type_job("Success", *["Success"] * 3, "Failed", tag=tag)
    for told in (one(jobs(service)), jobs(service).get("b1")):
        assert (told.phase, told.executions) == (Phase.FAILED, {"Success": 3, "Failed": 1})
        assert (told.message, told.summed) == ("of 4 jobs, 1 failed", True)
    asked = [query for at, query in service.take() if at == path]
    assert {(query["tag"], query["queueId"]) for query in asked} == {(tag, "p1")}
    assert {query["inventoryTriggerJobId"] for query in asked} == {"b1", "b" + "0" * 32}


def test_a_job_of_type_job_goes_on_while_its_jobs_do() -> None:
    told = one(jobs(of_type_job("Success", "Success", "Running")))
    assert (told.phase, told.message) == (Phase.RUNNING, "the job has ended; some jobs still going")


def test_that_the_filter_is_heeded_is_asked_once() -> None:
    service = of_type_job("Success", "Success")
    client = jobs(service)
    for _ in range(3):
        assert one(client).executions == {"Success": 1}
    controls = [query for _, query in service.take() if query.get("inventoryTriggerJobId") == "b" + "0" * 32]
    assert len(controls) == 1


OLDER = "<CreationTime>2022-06-27T15:00:00+0800</CreationTime>"
UNSURE = {
    "overlooks inventoryTriggerJobId": None,
    "twice": response("<JobsDetail><JobId>j1</JobId></JobsDetail>" * 2),
    "older than the batch job": response(f"<JobsDetail><JobId>j1</JobId><State>Failed</State>{OLDER}</JobsDetail>"),
    "AccessDenied": failure("AccessDenied", 403),
    "MethodNotAllowed": failure("MethodNotAllowed", 405),
}


@pytest.mark.parametrize("why", UNSURE)
def test_jobs_that_are_not_surely_its_own_are_not_counted(why: str) -> None:
    service = of_type_job("Success", "Failed")
    service.heeds = False
    if (answer := UNSURE[why]) is not None:
        service.answers["/jobs"] = answer
    for told in (one(jobs(service)), jobs(service).get("b1")):
        assert (told.phase, told.executions) == (Phase.SUCCEEDED, {})
        assert told.message.startswith("its jobs were not counted: ")
        assert why in told.message


def test_a_service_that_refuses_the_id_of_no_job_has_read_it() -> None:
    service = of_type_job("Success", "Success")
    heeding = service.answer

    def refusing(method: str, path: str, query: dict[str, str | None], body: bytes) -> Answer:
        unknown = str(query.get("inventoryTriggerJobId") or "").endswith("0" * 32)
        return failure("InvalidArgument", 400) if unknown else heeding(method, path, query, body)

    service.answer = refusing  # type: ignore[method-assign]
    assert one(jobs(service)).executions == {"Success": 1}


def test_jobs_that_cannot_be_listed_now_leave_the_job_untold() -> None:
    service = of_type_job("Success", "Success")
    service.answers["/jobs"] = failure("InternalError", 500)
    assert isinstance(jobs(service).get_many(["b1"])["b1"], Unavailable)
    told = jobs(service).get("b1")
    assert (told.phase, "its jobs could not be listed" in told.message) == (Phase.UNKNOWN, True)


@pytest.mark.parametrize("answer", [failure("InternalError", 500), says("not XML"), failure("SlowDown", 503)])
def test_executions_that_cannot_be_listed_leave_the_job_untold(answer: Answer) -> None:
    service = Service()
    service.jobs = {"b1": ("Success", ["Success"]), "b2": ("Running", []), "b3": ("Running", [])}
    service.answers["/workflowexecution"] = answer
    told = jobs(service).get_many(["b1", "b2", "b3", "b4"])
    assert isinstance(told["b1"], Unavailable)
    assert isinstance(told["b4"], NotFound)
    assert isinstance(told["b2"], RunStatus)
