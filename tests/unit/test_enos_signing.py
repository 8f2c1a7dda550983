"""The gateway's hashes against the documented example and vectors by its rule; tests/vectors/enos: a folder a case."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from cloud_runs.enos import signing

VECTORS = Path(__file__).parents[1] / "vectors" / "enos"
CASES = sorted(folder.name for folder in VECTORS.iterdir())
CALLS = [name for name in CASES if name != "B"]
STEPS = ("params_data", "sign_input", "signature")


def recorded(case: str, step: str) -> str:
    return (VECTORS / case / f"{step}.txt").read_bytes().decode()


def request_of(case: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / case / "request.json").read_text(encoding="utf-8"))
    return found


def test_all_cases_are_there() -> None:
    assert CASES == ["A", "A-trap-compact", "A-trap-english", "B", "C", "C-sample", "D", "E"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("case", CALLS)
def test_vector(case: str, step: str) -> None:
    request = request_of(case)
    params = signing.params_data(signing.query_pairs(request["query"]))
    text = signing.sign_input(request["token"], params, request["body"], request["timestamp"], request["secret"])
    assert dict(zip(STEPS, (params, text, signing.signature(text)), strict=True))[step] == recorded(case, step)


def test_token_request() -> None:
    request = request_of("B")
    assert signing.encryption(request["key"], request["timestamp"], request["secret"]) == recorded("B", "encryption")


def test_the_digests_of_the_facts() -> None:
    assert recorded("A", "signature") == "59828328f6c1f9771015dc74e4929ae30f518a35a3d2353972c2ea46556fc981"
    assert recorded("B", "encryption") == "18fac4e344900693b2fa1dc94d8fc28edc5deb9e40b15be02865138f15e3c803"
    assert recorded("C", "signature") == "93f3937e7adf92673ecfb9b4039bbd28b19fe3a5a9cdbc3315849f36aebbb54a"
    assert recorded("D", "signature") == "ea7265024349a8b5cbcb7897c58ea5c4a63dd29980b9097e0e7e691b339b056b"
    assert recorded("E", "signature") == "7bba0772e1889fcac7312fc6cf2edf8cf633e3cb6622729d4483065b4bc49cd8"
    # the English pages keep the Chinese example's digest beside another body
    assert recorded("A-trap-english", "signature") != recorded("A", "signature")
    assert recorded("A-trap-compact", "signature") != recorded("A", "signature")


@pytest.mark.parametrize("case", CALLS)
def test_what_is_signed_is_what_is_sent(case: str) -> None:
    request = request_of(case)
    auth = signing.ApimAuth(request["token"], request["secret"], lambda: request["timestamp"])
    body = request["body"].encode()
    method = "POST" if body else "GET"
    sent = requests.Request(method, f"https://gw.example/any?{request['query']}", data=body, auth=auth).prepare()
    assert sent.headers["apim-signature"] == recorded(case, "signature")
    assert sent.headers["apim-accesstoken"] == request["token"]
    assert sent.headers["apim-timestamp"] == str(request["timestamp"])
    assert not any(request["secret"] in value for value in sent.headers.values())


def test_parameters_are_signed_decoded_and_each_request_has_its_own_timestamp() -> None:
    stamps = count(1)
    auth = signing.ApimAuth("t", "s", lambda: next(stamps))
    for stamp in (1, 2):
        sent = requests.Request("GET", "https://gw.example/x?b=%C3%A9%20%2B&a=1+2&B=", auth=auth).prepare()
        assert sent.headers["apim-signature"] == signing.signature(f"tBa1+2bé +{stamp}s")
