"""The q-sign signature against the vendor's own examples and SDKs; tests/vectors/tencent has one folder a case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from cloud_runs.tencent import signing
from cloud_runs.wire.settings import Credentials

VECTORS = Path(__file__).parents[1] / "vectors" / "tencent"
CASES = sorted(folder.name for folder in VECTORS.iterdir())
STEPS = ("http_string", "string_to_sign", "authorization")
HOST = "examplebucket-1250000000.ci.ap-chongqing.myqcloud.com"


def steps(case: dict[str, Any]) -> dict[str, str]:
    params, headers = signing.listed(case["params"]), signing.listed(case["headers"])
    http_string = signing.http_string(case["method"], case["path"], params, headers)
    to_sign = signing.string_to_sign(case["key_time"], http_string)
    signature = signing.signature(case["secret_key"], case["key_time"], to_sign)
    header = signing.authorization(case["secret_id"], case["key_time"], params, headers, signature)
    return dict(zip(STEPS, (http_string, to_sign, header), strict=True))


def test_all_cases_are_there() -> None:
    assert CASES == ["A", "A-name", "A0", "B", "C", "C2", "D", "F", "download", "upload"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("case", CASES)
def test_vector(case: str, step: str) -> None:
    folder = VECTORS / case
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    assert steps(request)[step] == (folder / f"{step}.txt").read_bytes().decode()


def prepared(
    url: str, credentials: Credentials, headers: dict[str, str] | None = None, body: bytes = b""
) -> requests.PreparedRequest:
    auth = signing.QSignAuth(credentials, clock=lambda: 1_700_000_060.9)
    return requests.Request("POST" if body else "GET", url, auth=auth, headers=headers, data=body).prepare()


def parts(request: requests.PreparedRequest) -> dict[str, str]:
    return dict(part.split("=", 1) for part in request.headers["Authorization"].split("&"))


KEYS = Credentials("AKIDEXAMPLE0000000000000000000000001", "SecretKeyExample000000000000000001")


def test_host_and_all_parameters_are_signed_and_nothing_else() -> None:
    request = prepared(f"https://{HOST}/inventorytriggerjob/b1?cancel&b=2&a=x%20y%2Bz", KEYS, {"Content-Type": "a/b"})
    found = parts(request)
    assert found["q-header-list"] == "host"
    assert found["q-url-param-list"] == "a;b;cancel"
    assert found["q-sign-time"] == found["q-key-time"] == "1700000000;1700000900"
    text = f"get\n/inventorytriggerjob/b1\na=x%20y%2Bz&b=2&cancel=\nhost={HOST}\n"
    to_sign = signing.string_to_sign("1700000000;1700000900", text)
    assert found["q-signature"] == signing.signature(KEYS.secret, "1700000000;1700000900", to_sign)


def test_an_endpoint_does_not_change_the_host_that_is_signed() -> None:
    there = prepared(f"https://{HOST}/workflowexecution/i1", KEYS)
    here = prepared("http://127.0.0.1:9/workflowexecution/i1", KEYS, {"Host": HOST})
    assert there.headers["Host"] == here.headers["Host"] == HOST
    assert there.headers["Authorization"] == here.headers["Authorization"]


def test_the_path_is_signed_decoded() -> None:
    request = prepared(f"https://{HOST}/workflowexecution/a%2Fb%20c", KEYS)
    text = f"get\n/workflowexecution/a/b c\n\nhost={HOST}\n"
    to_sign = signing.string_to_sign("1700000000;1700000900", text)
    assert parts(request)["q-signature"] == signing.signature(KEYS.secret, "1700000000;1700000900", to_sign)


def test_the_digest_of_a_body_is_sent_and_signed() -> None:
    request = prepared(f"https://{HOST}/inventorytriggerjob", KEYS, body="<Request>中</Request>".encode())
    assert request.headers["Content-MD5"] == "69M1lPhHuXt5Ssq8utYi4g=="  # by openssl
    assert parts(request)["q-header-list"] == "content-md5;host"
    digest = quote(request.headers["Content-MD5"], safe="")
    text = f"post\n/inventorytriggerjob\n\ncontent-md5={digest}&host={HOST}\n"
    to_sign = signing.string_to_sign("1700000000;1700000900", text)
    assert parts(request)["q-signature"] == signing.signature(KEYS.secret, "1700000000;1700000900", to_sign)
    assert "Content-MD5" not in prepared(f"https://{HOST}/inventorytriggerjob", KEYS).headers


def test_a_token_is_sent_under_both_names_and_signed() -> None:
    token = "TOKENEXAMPLE=="
    request = prepared(f"https://{HOST}/workflowexecution/i1", Credentials(KEYS.id, KEYS.secret, token))
    assert request.headers["x-ci-security-token"] == request.headers["x-cos-security-token"] == token
    assert parts(request)["q-header-list"] == "host;x-ci-security-token;x-cos-security-token"


def test_the_secret_is_in_no_header() -> None:
    request = prepared(f"https://{HOST}/workflowexecution/i1", KEYS)
    assert not any(KEYS.secret in value for value in request.headers.values())
