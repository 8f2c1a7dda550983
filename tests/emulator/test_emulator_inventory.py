"""Inventory jobs: start, look, list, cancel, and the executions that they start."""

from __future__ import annotations

import re

import pytest
from emulator_bench import HOST, ORDER, OTHER_WORKFLOW, WORKFLOW, Bench

JOB_ORDER = (
    "<Request><Name>frames</Name><Type>Job</Type><Input><Object>input/a.mp4</Object></Input>"
    "<Operation><Tag>Snapshot</Tag><JobParam><TemplateId>t1</TemplateId></JobParam>"
    "<Output><Region>ap-beijing</Region><Bucket>b</Bucket><Object>o</Object></Output>"
    "<UserData>hello</UserData><JobLevel>1</JobLevel><CallBack>https://example.com</CallBack></Operation></Request>"
)


@pytest.fixture
def bench() -> Bench:
    return Bench(run_seconds=3.0)


def test_start(bench: Bench) -> None:
    reply = bench.call("POST", "/inventorytriggerjob", body=ORDER)
    assert reply.status == 200
    assert [child.tag for child in reply.xml] == ["RequestId", "JobsDetail"]
    detail = reply.xml.find("JobsDetail")
    assert detail is not None
    assert re.fullmatch(r"b[0-9a-f]{32}", detail.findtext("JobId") or "")
    assert {child.tag: child.text for child in detail if child.tag not in ("JobId", "Input", "Operation")} == {
        "Code": "Success",
        "Message": None,
        "Type": "Workflow",
        "Name": "demo",
        "State": "Submitted",
        "CreationTime": "2022-08-09T14:54:17+0800",
        "StartTime": "-",
        "EndTime": "-",
    }
    assert detail.findtext("Input/Prefix") == "input"
    assert detail.findtext("Operation/WorkflowIds") == WORKFLOW


def test_states(bench: Bench) -> None:
    job = bench.order()

    def look() -> tuple[str | None, ...]:
        reply = bench.call("GET", f"/inventorytriggerjob/{job}")
        return tuple(reply.text(f"JobsDetail/{name}") for name in ("State", "StartTime", "EndTime"))

    assert look() == ("Submitted", "-", "-")
    bench.now += 1.0
    assert look() == ("Running", "2022-08-09T14:54:17+0800", "-")
    bench.now += 2.0
    assert look() == ("Success", "2022-08-09T14:54:17+0800", "2022-08-09T14:54:20+0800")


def test_forced_failure(bench: Bench) -> None:
    job = bench.order()
    bench.admin(f"runs/{job}", {"state": "Failed", "code": "ResourceNotFound", "message": "no manifest"})
    reply = bench.call("GET", f"/inventorytriggerjob/{job}")
    assert reply.text("JobsDetail/State") == "Failed"
    assert reply.text("JobsDetail/Code") == "ResourceNotFound"
    assert reply.text("JobsDetail/Message") == "no manifest"
    assert reply.text("JobsDetail/EndTime") == "2022-08-09T14:54:17+0800"


def test_executions_of_a_job(bench: Bench) -> None:
    bench.start()
    job = bench.order()
    bench.order()
    reply = bench.call("GET", "/workflowexecution", {"workflowId": WORKFLOW, "jobId": job, "orderByTime": "Asc"})
    assert reply.texts("WorkflowExecutionList/Object") == ["input/a.mp4", "input/b.mp4", "input/c.mp4"]
    assert bench.executions(jobId=job, name="input/b.mp4") == [reply.texts("WorkflowExecutionList/RunId")[1]]
    assert bench.executions(jobId="b0") == []
    assert bench.origins() == ["api", "api", "job", "job", "job", "api", "job", "job", "job"]
    bench.now += 3.0
    assert len(bench.executions(jobId=job, states="Success")) == 3


def covered(bench: Bench, given: str, ids: str = WORKFLOW) -> list[str]:
    body = ORDER.replace("<Prefix>input</Prefix>", given).replace(WORKFLOW, ids)
    bench.order(body)
    return [row["id"] for row in bench.admin("runs").json if row["origin"] == "job"]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ("<Prefix>in/</Prefix>", 2),
        ("<Prefix>in/a</Prefix>", 1),
        ("<Prefix>none</Prefix>", 0),
        ("<Prefix>/</Prefix>", 3),
        ("<Object>in/a</Object>", 1),
        ("<Object>not/there</Object>", 1),
        ("<Manifest>manifest.json</Manifest>", 3),
        ("<UrlFile>https://example.com/urls.txt</UrlFile>", 3),
    ],
)
def test_covered_objects(given: str, count: int) -> None:
    assert len(covered(Bench(objects=("in/a", "in/b", "out/c")), given)) == count


def test_several_workflows(bench: Bench) -> None:
    assert len(covered(bench, "<Prefix>input</Prefix>", f"{WORKFLOW},{OTHER_WORKFLOW}")) == 6
    assert len(bench.executions()) == 3


def test_type_job(bench: Bench) -> None:
    reply = bench.call("POST", "/inventorytriggerjob", body=JOB_ORDER)
    assert reply.text("JobsDetail/Type") == "Job"
    assert reply.text("JobsDetail/Operation/JobParam/TemplateId") == "t1"
    assert reply.text("JobsDetail/Operation/UserData") == "hello"
    assert bench.origins() == ["api", "job"]


def media_jobs(bench: Bench, path: str = "/jobs", **query: str) -> list[str]:
    """Inputs of the jobs on a page."""
    reply = bench.call("GET", path, {"tag": "Snapshot", **query})
    assert reply.status == 200, reply.body
    return reply.texts("JobsDetail/Input/Object")


def test_what_a_job_of_type_job_starts() -> None:
    bench = Bench(run_seconds=10.0, objects=("input/a.mp4", "input/b.mp4"))
    first = bench.order(JOB_ORDER)
    several = JOB_ORDER.replace("<Object>input/a.mp4</Object>", "<Prefix>input/</Prefix>")
    second = bench.order(several.replace("<Tag>", "<QueueId>p1</QueueId><Tag>"))
    third = bench.order(JOB_ORDER.replace("Snapshot", "PicProcess"))
    assert media_jobs(bench, inventoryTriggerJobId=first) == ["input/a.mp4"]
    assert media_jobs(bench, inventoryTriggerJobId=second) == ["input/b.mp4", "input/a.mp4"]
    assert media_jobs(bench, inventoryTriggerJobId=second, orderByTime="Asc", size="1") == ["input/a.mp4"]
    assert len(media_jobs(bench)) == 3
    assert media_jobs(bench, queueId="p1", inputObject="input/b.mp4") == ["input/b.mp4"]
    assert media_jobs(bench, inventoryTriggerJobId="b0") == media_jobs(bench, workflowId=WORKFLOW) == []
    assert media_jobs(bench, inventoryTriggerJobId=third, tag="PicProcess") == []
    assert media_jobs(bench, "/pic_jobs", inventoryTriggerJobId=third, tag="PicProcess") == ["input/a.mp4"]
    assert bench.call("GET", "/jobs").error == (400, "InvalidArgument")


def test_a_job_that_a_batch_job_started(bench: Bench) -> None:
    bench.order(JOB_ORDER)
    (row,) = bench.call("GET", "/jobs", {"tag": "Snapshot"}).xml.findall("JobsDetail")
    told = {child.tag: child.text for child in row}
    assert (told["Tag"], told["State"], told["Code"]) == ("Snapshot", "Submitted", "Success")
    assert told["CreationTime"] == "2022-08-09T14:54:17+0800"
    assert (told["StartTime"], told["EndTime"]) == ("-", "-")
    assert row.findtext("Operation/JobParam/TemplateId") == "t1"
    bench.admin(f"runs/{told['JobId']}", {"state": "Failed", "code": "NoVideo", "message": "m"})
    assert media_jobs(bench, states="Failed") == ["input/a.mp4"]
    (row,) = bench.call("GET", "/jobs", {"tag": "Snapshot"}).xml.findall("JobsDetail")
    assert (row.findtext("Code"), row.findtext("Message")) == ("NoVideo", "m")
    assert row.findtext("EndTime") == "2022-08-09T14:54:17+0800"


def test_echo_escapes(bench: Bench) -> None:
    body = JOB_ORDER.replace("hello", "a&lt;b&amp;c").replace("<Object>input/a.mp4", "<Object>中/&lt;")
    reply = bench.call("POST", "/inventorytriggerjob", body=body)
    assert reply.text("JobsDetail/Operation/UserData") == "a<b&c"
    assert reply.text("JobsDetail/Input/Object") == "中/<"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "no element found"),
        ("<Request>", "no element found"),
        ("<Request><Type>Workflow</Name></Request>", "mismatched tag"),
        ("<Job/>", "root element"),
        ('<!DOCTYPE r [<!ENTITY e "x">]><Request><Name>&e;</Name></Request>', "document type"),
        ("<!DOCTYPE Request>" + ORDER, "document type"),
        ("<a>" * 100 + "</a>" * 100, "deep"),
    ],
)
def test_bad_xml(bench: Bench, body: str, text: str) -> None:
    reply = bench.call("POST", "/inventorytriggerjob", body=body)
    assert reply.error == (400, "MalformedXML")
    assert text in (reply.text("Message") or "")
    assert bench.origins() == []


def test_dtd_in_another_encoding(bench: Bench) -> None:
    body = ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE Request>' + ORDER).encode("utf-16")
    assert bench.call("POST", "/inventorytriggerjob", body=body).error == (400, "MalformedXML")


INPUT, IDS = "<Prefix>input</Prefix>", f"<WorkflowIds>{WORKFLOW}</WorkflowIds>"
INTERVAL = "<TimeInterval><Start>{}</Start></TimeInterval>"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("<Name>demo</Name>", "", "Name"),
        ("demo", "a b", "Name"),
        ("demo", "a" * 129, "Name"),
        ("<Type>Workflow", "<Type>Flow", "Type"),
        ("<Type>", "<Type>Job</Type><Type>", "Type is given 2 times"),
        (f"<Input>{INPUT}</Input>", "", "Input"),
        (INPUT, "", "Input"),
        (INPUT, INPUT + "<Object>a</Object>", "exactly one"),
        (INPUT, INPUT + INPUT, "exactly one"),
        (INPUT, "<Folder>a</Folder>", "exactly one"),
        (INPUT, "<Prefix/>", "Input.Prefix"),
        (f"<Operation>{IDS}</Operation>", "", "Operation"),
        (IDS, "<WorkflowIds/>", "Operation.WorkflowIds"),
        (WORKFLOW, "w1", "Non-exist workflowId: w1"),
        (WORKFLOW, f"{WORKFLOW},w1", "Non-exist workflowId: w1"),
        (IDS, IDS + INTERVAL.format("2022-02-01"), "TimeInterval.Start"),
    ],
)
def test_refused_order(bench: Bench, old: str, new: str, text: str) -> None:
    assert old in ORDER
    reply = bench.call("POST", "/inventorytriggerjob", body=ORDER.replace(old, new))
    assert reply.error == (400, "InvalidArgument")
    assert text in (reply.text("Message") or "")
    assert bench.origins() == []


@pytest.mark.parametrize("start", ["0", "2022-02-01T12:00:00+0800"])
def test_time_interval(bench: Bench, start: str) -> None:
    reply = bench.call("POST", "/inventorytriggerjob", body=ORDER.replace(IDS, IDS + INTERVAL.format(start)))
    assert reply.text("JobsDetail/Operation/TimeInterval/Start") == start


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("<Tag>Snapshot</Tag>", "", "Operation.Tag"),
        ("<JobLevel>1", "<JobLevel>3", "Operation.JobLevel"),
        ("hello", "é", "Operation.UserData"),
        ("hello", "a" * 1025, "Operation.UserData"),
        ("https://example.com", "ftp://example.com", "Operation.CallBack"),
        ("<Tag>", "<CallBackFormat>YAML</CallBackFormat><Tag>", "Operation.CallBackFormat"),
        ("<Tag>", "<CallBackType>Mail</CallBackType><Tag>", "Operation.CallBackType"),
    ],
)
def test_refused_job_order(bench: Bench, old: str, new: str, text: str) -> None:
    assert old in JOB_ORDER
    reply = bench.call("POST", "/inventorytriggerjob", body=JOB_ORDER.replace(old, new))
    assert reply.error == (400, "InvalidArgument")
    assert text in (reply.text("Message") or "")


def test_body_digest(bench: Bench) -> None:
    good = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    assert bench.call("GET", "/inventorytriggerjob", headers=good).status == 200
    reply = bench.call("POST", "/inventorytriggerjob", body=ORDER, headers=good)
    assert reply.error == (400, "InvalidContent")


def test_unknown_job(bench: Bench) -> None:
    reply = bench.call("GET", "/inventorytriggerjob/b0")
    assert reply.status == 200
    assert [child.tag for child in reply.xml] == ["RequestId", "NonExistJobIds", "NonExistJobId"]
    assert reply.text("NonExistJobIds") == reply.text("NonExistJobId") == "b0"


def test_job_of_another_bucket(bench: Bench) -> None:
    job = bench.order()
    host = HOST.replace("media", "other")
    assert bench.call("GET", f"/inventorytriggerjob/{job}", host=host).text("NonExistJobIds") == job
    assert bench.call("GET", "/inventorytriggerjob", host=host).texts("JobsDetail/JobId") == []
    assert bench.call("PUT", f"/inventorytriggerjob/{job}", {"cancel": ""}, host=host).status == 400


def test_list_filters(bench: Bench) -> None:
    first = bench.order()
    bench.now += 60.0
    second = bench.order(ORDER.replace("demo", "demo2").replace(WORKFLOW, f"{OTHER_WORKFLOW},{WORKFLOW}"))
    third = bench.order(JOB_ORDER)
    assert bench.jobs() == [third, second, first]
    assert bench.jobs(orderByTime="Asc") == [first, second, third]
    assert bench.jobs(type="Workflow") == [second, first]
    assert bench.jobs(type="Job") == [third]
    assert bench.jobs(name="demo") == [first]
    assert bench.jobs(name="dem") == []
    assert bench.jobs(jobId=second) == [second]
    assert bench.jobs(workflowId=OTHER_WORKFLOW) == [second]
    assert bench.jobs(workflowId=WORKFLOW) == [second, first]
    assert bench.jobs(states="Success") == [first]
    assert bench.jobs(states="Submitted,Running", type="Workflow") == [second]
    assert bench.jobs(states="All", nextToken="", workflowId="", jobId="") == [third, second, first]
    assert bench.jobs(startCreationTime="2022-08-09T14:55:17+0800") == [third, second]
    assert bench.jobs(endCreationTime="2022-08-09T14:55:16+0800") == [first]


@pytest.mark.parametrize(("name", "value"), [("type", "Other"), ("workflowId", "w1"), ("size", "101")])
def test_refused_list(bench: Bench, name: str, value: str) -> None:
    reply = bench.call("GET", "/inventorytriggerjob", {name: value})
    assert reply.error == (400, "InvalidArgument")
    assert name in (reply.text("Message") or "")


def test_pages(bench: Bench) -> None:
    jobs = [bench.order() for _ in range(3)]
    first = bench.call("GET", "/inventorytriggerjob", {"size": "2"})
    assert first.texts("JobsDetail/JobId") == [jobs[2], jobs[1]]
    bench.order()
    second = bench.call("GET", "/inventorytriggerjob", {"size": "2", "nextToken": first.text("NextToken") or ""})
    assert second.texts("JobsDetail/JobId") == [jobs[0]]


def test_cancel(bench: Bench) -> None:
    job = bench.order()
    bench.now += 1.0
    reply = bench.call("PUT", f"/inventorytriggerjob/{job}", {"cancel": ""})
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")
    bench.now += 1.0
    look = bench.call("GET", f"/inventorytriggerjob/{job}")
    assert look.text("JobsDetail/State") == "Cancel"
    assert look.text("JobsDetail/EndTime") == "2022-08-09T14:54:18+0800"
    assert len(bench.executions(jobId=job, states="Running")) == 3


def test_cancel_without_the_parameter(bench: Bench) -> None:
    job = bench.order()
    assert bench.call("PUT", f"/inventorytriggerjob/{job}").error == (400, "InvalidArgument")
    assert bench.jobs(states="Cancel") == []


def test_cancel_too_late(bench: Bench) -> None:
    job = bench.order()
    bench.now += 3.0
    assert bench.call("PUT", f"/inventorytriggerjob/{job}", {"cancel": ""}).error == (400, "InvalidArgument")
    assert bench.jobs(states="Success") == [job]


def test_cancel_unknown(bench: Bench) -> None:
    assert bench.call("PUT", "/inventorytriggerjob/b0", {"cancel": ""}).error == (400, "ResourceNotFound")
