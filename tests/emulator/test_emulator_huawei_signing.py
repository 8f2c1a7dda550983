"""OBS's header signature: the emulator's code against vectors, and what it refuses.

The vectors are output of the vendor's Python SDK (esdk-obs-python 3.25.8) with a frozen date.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from email.utils import formatdate

import pytest
from emulator_bench import Reply
from huawei_bench import BODY, START_CALL, HuaweiBench

from cloud_runs_emulator.huawei.signing import (
    canonical_headers,
    canonical_resource,
    sign,
    signature,
    string_to_sign,
    verify,
)
from cloud_runs_emulator.systems import Refused, Request

ACCESS, SECRET = "AKEXAMPLE00000000000", "SkExampleSecretKey0000000000000000000000"
DATE = "Thu, 27 Aug 2020 12:38:10 GMT"
NOW = 1598531890.0
TOKEN = ("x-obs-security-token", "TOKEN/abc+def==")
GRAPH = ("x-workflow-graph-name", "demo-graph_1")
HEAD = f"application/json\n{DATE}\n"


def obs(method: str, path: str, query: list[tuple[str, str]], *headers: tuple[str, str], date: str = "date") -> Request:
    return Request(method, path, query, [("content-type", "application/json"), (date, DATE), *headers], b"")


START = obs("POST", "/v2/workflows/demo-graph_1", [])
VECTORS = {
    "1 start": (START, f"POST\n\n{HEAD}/v2/workflows/demo-graph_1", "kKnRiT6HGTF1f5EsMb95Z33cXyw="),
    "2 start with token": (
        obs("POST", "/v2/workflows/demo-graph_1", [], TOKEN),
        f"POST\n\n{HEAD}x-obs-security-token:TOKEN/abc+def==\n/v2/workflows/demo-graph_1",
        "Z4w0u0t7KTV0snC52FmihqRVVug=",
    ),
    "3 start with token and x-obs-date": (
        obs("POST", "/v2/workflows/demo-graph_1", [], TOKEN, date="x-obs-date"),
        f"POST\n\napplication/json\n\nx-obs-date:{DATE}\nx-obs-security-token:TOKEN/abc+def==\n"
        "/v2/workflows/demo-graph_1",
        "ZV1p19AZR6hIg8bqmtdLnOgl4fI=",
    ),
    "4 get": (
        obs("GET", "/v2/workflowexecutions/exec-0001", [GRAPH]),
        f"GET\n\n{HEAD}/v2/workflowexecutions/exec-0001?x-workflow-graph-name=demo-graph_1",
        "Bp1EPTxM4c7v1+I1gLRI8JZHtmY=",
    ),
    "5 resume": (
        obs("PUT", "/v2/workflowexecutions/exec-0001", [GRAPH]),
        f"PUT\n\n{HEAD}/v2/workflowexecutions/exec-0001?x-workflow-graph-name=demo-graph_1",
        "BfKBDo5zGzZtRQbo2akBzOATHJQ=",
    ),
    "6 list": (
        obs(
            "GET",
            "/v2/workflowexecutions",
            [
                GRAPH,
                ("x-workflow-next-marker", "APICALLexec-0001"),
                ("x-workflow-limit", "100"),
                ("x-workflow-execution-type", "APICALL"),
            ],
        ),
        f"GET\n\n{HEAD}/v2/workflowexecutions?x-workflow-execution-type=APICALL&x-workflow-graph-name=demo-graph_1"
        "&x-workflow-limit=100&x-workflow-next-marker=APICALLexec-0001",
        "ybijDbwNVuu1w8RnmEcp0HZ4ij8=",
    ),
    "7 list with a marker that the URL encodes": (
        obs(
            "GET",
            "/v2/workflowexecutions",
            [("x-workflow-graph-name", "g"), ("x-workflow-next-marker", "APICALLa b/c+d=")],
        ),
        f"GET\n\n{HEAD}/v2/workflowexecutions?x-workflow-graph-name=g&x-workflow-next-marker=APICALLa b/c+d=",
        "PTlscMr5r7I9JaKgF8u7O9NVXds=",
    ),
    "8 list of workflows": (
        obs(
            "GET",
            "/v2/workflows/demo",
            [("x-workflow-prefix", ""), ("x-workflow-start", "1"), ("x-workflow-limit", "10")],
        ),
        f"GET\n\n{HEAD}/v2/workflows/demo?x-workflow-limit=10&x-workflow-prefix&x-workflow-start=1",
        "pR1mqHzNMW8CKQrbOxMtl3DeX9k=",
    ),
    "9 get workflow": (
        obs("GET", "/v2/workflows/demo-graph_1", []),
        f"GET\n\n{HEAD}/v2/workflows/demo-graph_1",
        "QwMSbVH5czUGvkNRug4w4NeTTm0=",
    ),
    "10 authorisation": (
        obs("GET", "/v2/workflow-authorization", []),
        f"GET\n\n{HEAD}/v2/workflow-authorization",
        "2WGYTzTnqy94RtuGnzPf4hAAyno=",
    ),
}


def signed(request: Request, secret: str = SECRET) -> Request:
    return replace(request, headers=[*request.headers, ("authorization", sign(request, ACCESS, secret))])


def refusal(request: Request, now: float = NOW) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        verify(request, {ACCESS: SECRET}, now)
    return caught.value.status, caught.value.code


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name: str) -> None:
    request, text, value = VECTORS[name]
    assert string_to_sign(request) == text
    assert signature(SECRET, text) == value
    verify(
        replace(request, headers=[*request.headers, ("authorization", f"OBS {ACCESS}:{value}")]), {ACCESS: SECRET}, NOW
    )


def test_steps() -> None:
    headers = [("x-obs-b", " 2 "), ("x-obs-a", "1"), ("host", "h"), ("x-obs-b", "3"), ("x-amz-date", "no")]
    assert canonical_headers(headers) == "x-obs-a:1\nx-obs-b:2,3\n"
    query = [("x-workflow-limit", "1"), ("other", "2"), ("X-OBS-z", "3"), ("limit", "4")]
    assert canonical_resource("/v2/a b~/é", query) == "/v2/a%20b~/%C3%A9?X-OBS-z=3&x-workflow-limit=1"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"path": "/v2/workflows/other"},
        {"query": [("x-workflow-create", "")]},
        {"query": [("x-obs-anything", "1")]},
    ],
)
def test_changed_part(change: dict[str, object]) -> None:
    assert refusal(replace(signed(START), **change)) == (403, "SignatureDoesNotMatch")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [("content-type", "text/plain"), ("content-md5", "x"), ("x-obs-security-token", "x"), ("x-obs-acl", "private")],
)
def test_changed_header(name: str, value: str) -> None:
    request = signed(START)
    headers = [(name, value), *(pair for pair in request.headers if pair[0] != name)]
    assert refusal(replace(request, headers=headers)) == (403, "SignatureDoesNotMatch")


def test_what_is_not_signed() -> None:
    request = signed(START)
    headers = [("host", "elsewhere"), ("user-agent", "x"), ("content-length", "7"), *request.headers]
    verify(replace(request, headers=headers, query=[("other", "1")], body=b"changed"), {ACCESS: SECRET}, NOW)


def test_keys() -> None:
    assert refusal(signed(START, "wrong")) == (403, "SignatureDoesNotMatch")
    with pytest.raises(Refused) as caught:
        verify(signed(START), {"other": SECRET}, NOW)
    assert (caught.value.status, caught.value.code) == (403, "InvalidAccessKeyId")


@pytest.mark.parametrize(("now", "ok"), [(NOW - 899, True), (NOW + 899, True), (NOW - 901, False), (NOW + 901, False)])
@pytest.mark.parametrize("date", ["date", "x-obs-date"])
def test_clock(now: float, ok: bool, date: str) -> None:
    request = signed(obs("POST", "/v2/workflows/demo-graph_1", [], date=date))
    if ok:
        verify(request, {ACCESS: SECRET}, now)
    else:
        assert refusal(request, now) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("date", [None, "", "2020-08-27T12:38:10Z", "yesterday"])
def test_date_must_be_there(date: str | None) -> None:
    request = replace(START, headers=[] if date is None else [("date", date)])
    assert refusal(signed(request)) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", (403, "AccessDenied")),
        (f"AWS {ACCESS}:kKnRiT6HGTF1f5EsMb95Z33cXyw=", (400, "InvalidArgument")),
        (f"OBS {ACCESS}", (400, "InvalidArgument")),
        (f"OBS {ACCESS}:", (400, "InvalidArgument")),
        (f"OBS {ACCESS}:kKnRiT6HGTF1f5EsMb95Z33cXy\xe9=", (403, "SignatureDoesNotMatch")),
        (f"OBS {ACCESS}:x", (403, "SignatureDoesNotMatch")),
    ],
)
def test_header_form(header: str, code: tuple[int, str]) -> None:
    assert refusal(replace(START, headers=[*START.headers, ("authorization", header)])) == code


def test_header_missing() -> None:
    assert refusal(START) == (403, "AccessDenied")


def is_xml_error(reply: Reply, code: str) -> bool:
    """Whether it is OBS's general error, with that code."""
    assert reply.headers["content-type"] == "application/xml"
    assert [child.tag for child in reply.xml] == ["Code", "Message", "RequestId", "HostId"]
    assert reply.text("RequestId") == reply.headers["x-request-id"]
    return reply.error == (403, code)


def test_signature_errors_are_xml() -> None:
    bench = HuaweiBench()
    assert is_xml_error(bench.call(*START_CALL, headers={"authorization": "OBS x:y"}), "InvalidAccessKeyId")
    old = formatdate(bench.now - 901, usegmt=True)
    assert is_xml_error(bench.call(*START_CALL, headers={"date": old}), "RequestTimeTooSkewed")
    assert bench.start(headers={"x-obs-date": formatdate(bench.now, usegmt=True), "date": old})
    assert bench.origins() == ["api"]


def test_body_is_checked_by_content_md5_only() -> None:
    bench = HuaweiBench()
    digest = base64.b64encode(hashlib.md5(BODY.encode()).digest()).decode()
    assert bench.start(headers={"content-md5": digest})
    reply = bench.call(*START_CALL[:3], BODY + " ", headers={"content-md5": digest})
    assert reply.error == (400, "BadDigest")
    assert bench.origins() == ["api"]


def test_two_key_pairs_each_sign_for_themselves() -> None:
    pairs = {"AKONE": "one", "AKTWO": "two"}
    bench = HuaweiBench(keys=pairs)
    for access, secret in (*pairs.items(), ("AKONE", "two")):
        request = Request(*START_CALL[:2], [], [("date", formatdate(bench.now, usegmt=True))], b"")
        request.headers.append(("content-type", "application/json"))
        given = {"authorization": sign(request, access, secret)}
        assert bench.call(*START_CALL, headers=given).status == (200 if pairs[access] == secret else 403)
    used = [row["request"]["headers"]["authorization"].partition(":")[0] for row in bench.admin("runs").json]
    assert used == ["OBS AKONE", "OBS AKTWO"]
