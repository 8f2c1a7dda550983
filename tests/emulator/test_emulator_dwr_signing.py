"""The gateway's signature: the emulator's code against the vendor's vectors (tests/vectors/dwr); what it refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from dwr_bench import BODY, LIST, START_CALL, DwrBench

from cloud_runs_emulator.huawei.dwr.signing import canonical_request, sign, string_to_sign, verify
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from cloud_runs_emulator.systems import Refused, Request

VECTORS = Path(__file__).parents[1] / "vectors" / "dwr"
CASES = sorted(folder.name for folder in VECTORS.iterdir())
NOW = 1768469400.0  # 20260115T093000Z


def load(case: str) -> tuple[Request, dict[str, str], dict[str, Any]]:
    """The request as received, the texts of its steps, and the keys."""
    row = json.loads((VECTORS / case / "request.json").read_text(encoding="utf-8"))
    url = urlsplit(row["url"])
    headers = [(name.lower(), value) for name, value in row["headers"]]
    query = parse_qsl(url.query, keep_blank_values=True)
    request = Request(row["method"], unquote(url.path), query, headers, row["body"].encode())
    return request, {step.stem: step.read_text(encoding="utf-8") for step in (VECTORS / case).glob("*.txt")}, row


@pytest.mark.parametrize("case", CASES)
def test_vector(case: str) -> None:
    request, steps, row = load(case)
    signed = sorted(name for name, _ in request.headers)
    assert canonical_request(request, signed) == steps["canonical_request"]
    assert string_to_sign(request, signed) == steps["string_to_sign"]
    assert sign(request, row["access_key"], row["secret_key"], signed) == steps["authorization"]
    request.headers.append(("authorization", steps["authorization"]))
    verify(request, {row["access_key"]: row["secret_key"]}, NOW)
    for change in ("method", "path", "body"):
        other = load(case)[0]
        other.headers = request.headers
        setattr(other, change, b"x" if change == "body" else "/x")
        with pytest.raises(Refused, match="verify aksk signature fail"):
            verify(other, {row["access_key"]: row["secret_key"]}, NOW)


def refused(bench: DwrBench, **more: Any) -> str:
    reply = bench.call(*START_CALL, **more)
    assert (reply.status, reply.json["error_code"]) == (401, "APIGW.0301")
    assert bench.origins() == []
    return str(reply.json["error_msg"])


@pytest.mark.parametrize(
    ("keys", "why"),
    [(("AKwrong", DEFAULT_SECRET_KEY), "secret of the access key"), ((DEFAULT_ACCESS_KEY, "wrong"), "aksk signature")],
)
def test_wrong_keys(keys: tuple[str, str], why: str) -> None:
    class Keyed(DwrBench):
        def sign(self, request: Request, headers: dict[str, str], *_: Any) -> None:
            super().sign(request, headers, keys)

    assert why in refused(Keyed())


@pytest.mark.parametrize(
    "header",
    [
        *("", "x", "OBS a:b", "SDK-HMAC-SHA256 Access=a"),
        f"SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature={'0' * 64}",
    ],
)
def test_a_header_that_is_none(header: str) -> None:
    refused(DwrBench(), headers={"authorization": header})


@pytest.mark.parametrize(("seconds", "taken"), [(899, True), (-899, True), (901, False), (-901, False)])
def test_a_clock_may_be_a_quarter_of_an_hour_off(seconds: int, taken: bool) -> None:
    bench = DwrBench()
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(bench.now + seconds))
    if taken:
        assert bench.call(*START_CALL, headers={"x-sdk-date": date}).status == 200
    else:
        assert "too far off" in refused(bench, headers={"x-sdk-date": date})


@pytest.mark.parametrize("date", ["", "2022-08-09T06:54:17Z", "20229999T000000Z"])
def test_a_date_that_cannot_be_read(date: str) -> None:
    assert "X-Sdk-Date" in refused(DwrBench(), headers={"x-sdk-date": date})


def tampered(change: Callable[[Request], None]) -> DwrBench:
    """A bench whose requests are changed after they were signed."""

    class Tampering(DwrBench):
        def sign(self, request: Request, headers: dict[str, str], *keys: Any) -> None:
            super().sign(request, headers, *keys)
            change(request)

    return Tampering()


def test_what_was_signed_cannot_be_changed() -> None:
    def body(request: Request) -> None:
        request.body = BODY.replace("demo.mp4", "else.mp4").encode()

    def content_type(request: Request) -> None:
        request.headers = [(name, "text/plain" if name == "content-type" else value) for name, value in request.headers]

    for change in (body, content_type):
        assert "aksk signature" in refused(tampered(change))


def test_a_token_must_be_signed() -> None:
    bench = DwrBench()
    assert bench.call(*START_CALL, headers={"x-security-token": "T/a+b=="}).status == 200
    bench.admin("reset", {})
    assert "token is not signed" in refused(tampered(lambda request: request.headers.append(("x-security-token", "T"))))


def test_a_query_is_signed_decoded_and_sorted() -> None:
    bench = DwrBench()
    query = {"start_time": "2022-08-09T06:54:17Z", "graph_name": "demo", "status": ""}
    assert bench.call("GET", LIST, query).status == 200
