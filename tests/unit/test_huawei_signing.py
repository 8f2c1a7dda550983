"""The OBS signature against the vendor's SDK; tests/vectors/huawei has one folder a case, with each step's result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from cloud_runs.huawei import signing
from cloud_runs.wire.settings import Credentials

VECTORS = Path(__file__).parents[1] / "vectors" / "huawei"
CASES = sorted(folder.name for folder in VECTORS.iterdir())
STEPS = ("canonicalized_headers", "canonicalized_resource", "string_to_sign", "authorization")
NOW = 1598531890.9  # Thu, 27 Aug 2020 12:38:10 GMT
KEYS = Credentials("AKEXAMPLE00000000000", "SkExampleSecretKey0000000000000000000000")
TOKEN = Credentials(KEYS.id, KEYS.secret, "TOKEN/abc+def==")


def load(case: str) -> dict[str, Any]:
    return json.loads((VECTORS / case / "request.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def expected(case: str, step: str) -> str:
    return (VECTORS / case / f"{step}.txt").read_bytes().decode()


def steps(case: dict[str, Any]) -> dict[str, str]:
    url = urlsplit(case["url"])
    headers = signing.canonicalized_headers(case["headers"])
    resource = signing.canonicalized_resource(url.path, signing.query_pairs(url.query))
    to_sign = signing.string_to_sign(case["method"], case["headers"], resource)
    header = signing.authorization(case["access_key"], signing.signature(case["secret_key"], to_sign))
    return dict(zip(STEPS, (headers, resource, to_sign, header), strict=True))


def test_all_cases_are_there() -> None:
    assert [case[:2] for case in CASES] == [f"{number:02}" for number in range(1, 11)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("case", CASES)
def test_vector(case: str, step: str) -> None:
    assert steps(load(case))[step] == expected(case, step)


@pytest.mark.parametrize("case", [case for case in CASES if "x-obs-date" not in case])  # we send Date
def test_vector_through_requests(case: str) -> None:
    request = load(case)
    keys = TOKEN if case.endswith("token") else KEYS
    signed = prepared(request["method"], request["url"], keys)
    assert signed.headers["Authorization"] == expected(case, "authorization")
    assert signed.headers["Date"] == "Thu, 27 Aug 2020 12:38:10 GMT"
    assert signed.url == f"https://obs.cn-north-4.myhuaweicloud.com{request['url']}", "nothing encodes it differently"


def prepared(method: str, path: str, keys: Credentials = KEYS, **headers: str) -> requests.PreparedRequest:
    auth = signing.ObsAuth(keys, clock=lambda: NOW)
    url = f"https://obs.cn-north-4.myhuaweicloud.com{path}"
    return requests.Request(method, url, auth=auth, headers={"Content-Type": "application/json", **headers}).prepare()


def test_host_body_and_parameters_off_the_list_are_not_signed() -> None:
    plain = prepared("GET", "/v2/workflows/g")
    there = prepared("GET", "/v2/workflows/g?x-workflow-create&other=1", Host="127.0.0.1:9", **{"User-Agent": "x"})
    assert plain.headers["Authorization"] == there.headers["Authorization"]


def test_a_parameter_of_the_vendor_is_signed() -> None:
    assert signing.canonicalized_resource("/p", [("x-obs-a", "b c"), ("X-Workflow-Limit", "")]) == (
        "/p?X-Workflow-Limit=&x-obs-a=b c"
    )


def test_repeated_headers_are_joined_and_trimmed() -> None:
    pairs = [("X-Obs-B", " 2 "), ("x-obs-a", "1"), ("x-obs-b", "3"), ("Date", "d")]
    assert signing.canonicalized_headers(pairs) == "x-obs-a:1\nx-obs-b:2,3\n"


def test_the_path_is_signed_as_it_is_on_the_wire() -> None:
    request = prepared("GET", "/v2/workflowexecutions/a%2Fb%20%E4%B8%AD~")
    text = "GET\n\napplication/json\nThu, 27 Aug 2020 12:38:10 GMT\n/v2/workflowexecutions/a%2Fb%20%E4%B8%AD~"
    assert request.headers["Authorization"].endswith(signing.signature(KEYS.secret, text))


def test_a_token_is_sent_and_the_secret_is_in_no_header() -> None:
    request = prepared("POST", "/v2/workflows/demo-graph_1", TOKEN)
    assert request.headers["x-obs-security-token"] == TOKEN.token
    assert not any(KEYS.secret in str(value) for value in request.headers.values())
