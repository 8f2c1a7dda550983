"""The signature of DWR against the vendor's SDK; tests/vectors/dwr has one folder a case, with each step's result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from cloud_runs.huawei.dwr import signing
from cloud_runs.wire.payloads import query_pairs
from cloud_runs.wire.settings import Credentials

VECTORS = Path(__file__).parents[1] / "vectors" / "dwr"
CASES = sorted(folder.name for folder in VECTORS.iterdir())
STEPS = ("canonical_request", "string_to_sign", "authorization")
NOW = 1768469400.9  # 15 January 2026, 9:30:00 UTC
KEYS = Credentials("AKEXAMPLE00000000000", "SkExampleSecretKey0000000000000000000000")
TOKEN = Credentials(KEYS.id, KEYS.secret, "TOKEN/abc+def==")
HOST = "dwr.cn-south-1.myhuaweicloud.com"


def load(case: str) -> dict[str, Any]:
    return json.loads((VECTORS / case / "request.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def expected(case: str, step: str) -> str:
    return (VECTORS / case / f"{step}.txt").read_bytes().decode()


def steps(case: dict[str, Any]) -> dict[str, str]:
    url, headers = urlsplit(case["url"]), [tuple(header) for header in case["headers"]]
    request = signing.canonical_request(
        case["method"], url.path, query_pairs(url.query), headers, case["body"].encode()
    )
    to_sign = signing.string_to_sign(dict(headers)["X-Sdk-Date"], request)
    digits = signing.signature(case["secret_key"], to_sign)
    header = signing.authorization(case["access_key"], signing.signed_headers(headers), digits)
    return dict(zip(STEPS, (request, to_sign, header), strict=True))


def test_all_cases_are_there() -> None:
    assert [case[:2] for case in CASES] == [f"{number:02}" for number in range(1, 12)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("case", CASES)
def test_vector(case: str, step: str) -> None:
    assert steps(load(case))[step] == expected(case, step)


@pytest.mark.parametrize("case", CASES)
def test_vector_through_requests(case: str) -> None:
    request = load(case)
    headers = dict(request["headers"])
    keys = TOKEN if headers.pop("X-Security-Token", "") else KEYS
    assert headers.pop("X-Sdk-Date") == "20260115T093000Z"
    url = f"https://{headers['Host']}{request['url']}"
    auth = signing.SdkAuth(keys, clock=lambda: NOW)
    body = request["body"].encode()
    signed = requests.Request(request["method"], url, headers=headers, data=body, auth=auth).prepare()
    assert signed.headers["Authorization"] == expected(case, "authorization")
    assert signed.url == url, "nothing encodes it differently"


def prepared(path: str = "/v3/p/workflows/g", body: str | bytes = b"", **headers: str) -> requests.PreparedRequest:
    auth = signing.SdkAuth(KEYS, clock=lambda: NOW)
    named = {"Host": HOST, "Content-Type": "application/json", **headers}
    return requests.Request("POST", f"https://{HOST}{path}", headers=named, data=body, auth=auth).prepare()


def test_what_a_proxy_may_change_is_not_signed() -> None:
    plain, there = prepared(), prepared(**{"User-Agent": "x", "Accept": "y", "Via": "z"})
    assert plain.headers["Authorization"] == there.headers["Authorization"]


@pytest.mark.parametrize(
    "changed",
    [
        lambda: prepared("/v3/p/workflows/h"),
        lambda: prepared("/v3/p/workflows/g?a=b"),
        lambda: prepared(body=b"x"),
        lambda: prepared(Host="dwr.cn-north-4.myhuaweicloud.com"),
        lambda: prepared(**{"X-Project-Id": "p"}),
    ],
)
def test_what_tells_the_request_is_signed(changed: Any) -> None:
    assert changed().headers["Authorization"] != prepared().headers["Authorization"]


def test_a_body_is_signed_as_bytes_whether_text_or_not() -> None:
    text = "中"
    assert prepared(body=text).headers["Authorization"] == prepared(body=text.encode()).headers["Authorization"]


def test_the_query_is_sorted_encoded_and_complete() -> None:
    pairs = [("b", "2"), ("a", "é/ ~"), ("b", "1"), ("c", None), ("a-b", "")]
    assert signing.canonical_query(pairs) == "a=%C3%A9%2F%20~&a-b=&b=1&b=2&c="


@pytest.mark.parametrize(
    ("path", "canonical"),
    [("", "/"), ("/", "/"), ("/a", "/a/"), ("/a/", "/a/"), ("/a%2fb%7e", "/a/b~/"), ("/中", "/%E4%B8%AD/")],
)
def test_the_path_is_encoded_anew(path: str, canonical: str) -> None:
    assert signing.canonical_uri(path) == canonical


def test_the_secret_is_in_no_header() -> None:
    assert not any(KEYS.secret in str(value) for value in prepared().headers.values())
