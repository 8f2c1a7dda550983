"""EnOS's token service and call signature: vectors, and what is refused.

Vector A is the vendor's own (https://support.enos-iot.com/docs/api/zh_CN/3.0.0/token/invoke_api_with_access_token.html),
B to E follow its rule and were computed apart from this code.
"""

from __future__ import annotations

import json

import pytest
from emulator_bench import Reply
from enos_bench import FLOW, FLOWS, INSTANCES, NOW_MS, TOKEN_GET, TOKEN_REFRESH, WHO, EnosBench, code

from cloud_runs_emulator.enos.signing import encryption, params_data, signature
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY

SECRET = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
BODY_OF_A = '{\n  "count": 20,\n  "page": 1,\n  "desc": "描述"\n}'
YOU = [("userId", "yourUserId"), ("orgId", "yourOrgId")]
VECTORS = {
    "C": (
        [("action", "trigger"), *YOU],
        '{"flowId":3377,"triggerTime":1574385824000}',
        "93f3937e7adf92673ecfb9b4039bbd28b19fe3a5a9cdbc3315849f36aebbb54a",
    ),
    "D": (
        [("action", "get"), ("flowInstId", "3377-20191122012300"), *YOU],
        "",
        "ea7265024349a8b5cbcb7897c58ea5c4a63dd29980b9097e0e7e691b339b056b",
    ),
    "E": (
        [("action", "cancel"), *YOU],
        '{"flowInstId":"3377-20191122012300"}',
        "7bba0772e1889fcac7312fc6cf2edf8cf633e3cb6622729d4483065b4bc49cd8",
    ),
}


@pytest.fixture
def bench() -> EnosBench:
    return EnosBench()


def test_vector_a() -> None:
    query = [("k3", "v3"), ("k1", "v1"), ("k2", "v2")]
    value = signature("xxxxaaaxxxx", query, BODY_OF_A.encode(), "1572574909697", "xxxappSecretxxx")
    assert value == "59828328f6c1f9771015dc74e4929ae30f518a35a3d2353972c2ea46556fc981"


def test_vector_b() -> None:
    value = encryption("11111111-2222-3333-4444-555555555555", 1572574909697, SECRET)
    assert value == "18fac4e344900693b2fa1dc94d8fc28edc5deb9e40b15be02865138f15e3c803"


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name: str) -> None:
    query, body, value = VECTORS[name]
    assert signature("APIMTOKENEXAMPLE", query, body.encode(), "1574385824000", SECRET) == value


def test_params_data() -> None:
    query = [("b", "中 &="), ("B", ""), ("a", "1"), ("a", "2")]
    assert params_data(query) == "Ba1b中 &="


def test_token(bench: EnosBench) -> None:
    reply = bench.token_call()
    assert reply.status == 200
    assert reply.json["data"]["expire"] == 7200
    assert reply.json == {
        "status": 0,
        "msg": "SUCCESS",
        "business": "apim-token-service",
        "data": {"accessToken": reply.json["data"]["accessToken"], "expire": 7200},
    }


def test_the_same_token_until_it_expires(bench: EnosBench) -> None:
    first = bench.token()
    bench.now += 7000
    assert bench.token_call().json["data"] == {"accessToken": first, "expire": 200}
    bench.now += 200
    assert bench.token() != first


def test_refresh(bench: EnosBench) -> None:
    first = bench.token()
    reply = bench.token_call(TOKEN_REFRESH, accessToken=first)
    second = reply.json["data"]["accessToken"]
    assert (reply.json["status"], reply.json["data"]["expire"], second == first) == (0, 7200, False)
    assert bench.token() == second
    bench.access_token = first
    assert code(bench.trigger()) == 1203
    bench.access_token = second
    assert bench.start()


def test_refresh_of_a_token_that_is_not_good(bench: EnosBench) -> None:
    assert code(bench.token_call(TOKEN_REFRESH, accessToken="none")) == 1204
    first = bench.token()
    bench.now += 7200
    assert code(bench.token_call(TOKEN_REFRESH, accessToken=first)) == 1204
    assert code(bench.token_call(TOKEN_REFRESH)) == 1202


@pytest.mark.parametrize("path", [TOKEN_GET, TOKEN_REFRESH])
def test_an_encryption_is_good_once(bench: EnosBench, path: str) -> None:
    token = bench.token()
    stamp = int(bench.now * 1000) + 500
    encrypted = encryption(DEFAULT_ACCESS_KEY, stamp, DEFAULT_SECRET_KEY)
    same = {"timestamp": stamp, "encryption": encrypted, "accessToken": token}
    assert bench.token_call(path, **same).json["status"] == 0
    assert code(bench.token_call(path, **same)) == 1001
    bench.now += 899
    assert code(bench.token_call(path, **same)) == 1001
    bench.now += 2
    assert code(bench.token_call(path, **same)) == 1004


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"appKey": "nobody"}, 1002),
        ({"encryption": "0" * 64}, 1003),
        ({"encryption": "é"}, 1003),
        ({"timestamp": NOW_MS + 500}, 1003),
        ({"timestamp": NOW_MS - 901_000}, 1004),
        ({"timestamp": NOW_MS + 901_000}, 1004),
        ({"timestamp": "soon"}, 1004),
        ({"timestamp": True}, 1004),
        ({"appKey": 7}, 1004),
        ({"appKey": ""}, 1202),
        ({"encryption": None}, 1202),
        ({"timestamp": None}, 1202),
    ],
)
def test_refused_token(bench: EnosBench, change: dict[str, object], number: int) -> None:
    reply = bench.token_call(**change)
    assert code(reply) == number
    assert reply.json["business"] == "apim-token-service"


@pytest.mark.parametrize("body", ["", "[]", "{"])
def test_refused_token_body(bench: EnosBench, body: str) -> None:
    assert code(bench.call("POST", TOKEN_GET, body=body)) == 1004


def test_timestamp_as_text(bench: EnosBench) -> None:
    stamp = int(bench.now * 1000)
    reply = bench.token_call(timestamp=str(stamp), encryption=encryption(bench.keys[0], stamp, bench.keys[1]))
    assert reply.json["status"] == 0


def test_expired_token(bench: EnosBench) -> None:
    bench.start()
    bench.now += 7201
    reply = bench.trigger()
    assert code(reply) == 1203
    assert reply.json["business"] == "apim-token-service"
    bench.access_token = bench.token()
    assert bench.trigger().json["status"] == 0


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({"apim-accesstoken": ""}, 1202),
        ({"apim-timestamp": ""}, 1202),
        ({"apim-signature": ""}, 1202),
        ({"apim-accesstoken": "never given"}, 1203),
        ({"apim-timestamp": "soon"}, 1004),
        ({"apim-timestamp": str(NOW_MS - 901_000)}, 1004),
        ({"apim-timestamp": str(NOW_MS + 901_000)}, 1004),
        ({"apim-signature": "0" * 64}, 1003),
        ({"apim-signature": "\xe9"}, 1003),
    ],
)
def test_refused_signature(bench: EnosBench, headers: dict[str, str], number: int) -> None:
    assert code(bench.trigger(headers=headers)) == number
    assert bench.origins() == []


def test_clock_may_be_a_little_off(bench: EnosBench) -> None:
    for skew in (-899_000, 899_000):
        assert bench.start(headers={"apim-timestamp": str(NOW_MS + skew)})


def resend(bench: EnosBench, change: dict[str, str], body: str | None = None) -> Reply:
    """Repeat the first start with its own headers, but another query or body."""
    sent = bench.admin("runs").json[0]["request"]
    headers = {name: value for name, value in sent["headers"].items() if name.startswith("apim-")}
    return bench.call("POST", FLOWS, {**sent["query"], **change}, body or sent["body"], headers=headers)


def test_changed_body_or_query(bench: EnosBench) -> None:
    bench.start()
    assert resend(bench, {}).json["status"] == 0
    body = json.dumps({"flowId": FLOW, "triggerTime": NOW_MS}, separators=(",", ":"))
    assert code(resend(bench, {}, body)) == 1003
    assert code(resend(bench, {"userId": "bob"})) == 1003
    assert code(resend(bench, {"more": "1"})) == 1003


def test_two_key_pairs_each_sign_for_themselves() -> None:
    pairs = {"KEYONE": "one", "KEYTWO": "two"}
    bench = EnosBench(keys=pairs)
    tokens = {}
    for access, secret in pairs.items():
        bench.keys, bench.access_token = (access, secret), ""
        bench.start(flow=len(tokens) + 1)
        tokens[access] = bench.access_token
    assert tokens["KEYONE"] != tokens["KEYTWO"]
    bench.access_token = tokens["KEYONE"]
    assert code(bench.trigger(flow=3)) == 1003
    bench.keys = ("KEYONE", "two")
    assert code(bench.token_call()) == 1003
    rows = bench.admin("runs").json
    assert [row["request"]["headers"]["apim-accesstoken"] for row in rows] == list(tokens.values())


def test_all_calls_need_a_token(bench: EnosBench) -> None:
    for method, path, action in (("GET", INSTANCES, "get"), ("POST", INSTANCES, "search"), ("POST", FLOWS, "trigger")):
        reply = bench.call(method, path, {"action": action, **WHO}, headers={"apim-accesstoken": "x"})
        assert code(reply) == 1203
