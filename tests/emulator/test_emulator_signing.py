"""The emulator's signing code against vectors, and what it refuses.

The two published examples are from https://cloud.tencent.com/document/product/436/7778. A, B, C and F were made by the
vendor's Python SDK (5.1.9.44, clock frozen); A, A', C2 and D' by its Node SDK; A0 only by a second implementation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import pytest

from cloud_runs_emulator.systems import Refused, Request
from cloud_runs_emulator.tencent.signing import (
    canonical_headers,
    canonical_params,
    http_string,
    sign,
    sign_key,
    verify,
)

HOST = "examplebucket-1250000000.ci.ap-chongqing.myqcloud.com"
ACCESS, SECRET = "AKIDEXAMPLE0000000000000000000000001", "SecretKeyExample000000000000000001"
KEY_TIME = "1700000000;1700010060"
NOW = 1700000060.0
WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799"
CLIP = "videos/my clip (1)~中.mp4"
JOB = "/inventorytriggerjob/b3deffea2f84911ec9cb15254008618d9"
RUN = "/workflowexecution/i166ee19017b011eda8a5525400c540df"


@dataclass(frozen=True)
class Vector:
    request: Request
    digest: str
    signature: str
    signed_headers: tuple[str, ...] = ("host", "content-length")
    signed_params: tuple[str, ...] | None = None
    secret: str = SECRET
    key_time: str = KEY_TIME


def ci(method: str, path: str, query: dict[str, str], *headers: tuple[str, str], host: str = HOST) -> Request:
    return Request(method, path, list(query.items()), [("host", host), *headers], b"")


EMPTY = ("content-length", "0")
COS = "examplebucket-1250000000.cos.ap-beijing.myqcloud.com"
DOC_SECRET = "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz"  # the published examples' own

VECTORS = {
    "A": Vector(
        ci("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": CLIP}, EMPTY),
        "a90b4f3856709e70efe9c1982b2f7e66532810ed",
        "79a6e28d5e40b88d30fd20115184e4bfb25bcfa1",
    ),
    "A'": Vector(
        ci("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": CLIP, "name": "nightly-1"}, EMPTY),
        "faae35ca7332719908d8bc17d0d1fe0f6f905882",
        "6316308d84e817e80b8d5d3ae9bd874745e5d4ff",
    ),
    "A0": Vector(
        ci("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": "test.mp4"}, EMPTY),
        "a5feefd4f1ae839e6b91fcc8f2fc5d2d61087bfc",
        "5aa07d64b5d9eb1a82df2d06a64bd859c5519e53",
        signed_headers=(),
    ),
    "B": Vector(
        ci("POST", "/inventorytriggerjob", {}, ("content-length", "319"), ("content-type", "application/xml")),
        "0895315faad97040588f6ed2f559f1f743262a13",
        "08f6f95e0090b600f6ab22282a63105a4328415f",
        signed_headers=("host", "content-length", "content-type"),
    ),
    "C": Vector(
        ci("PUT", JOB, {"cancel": ""}, EMPTY),
        "9ebe4927606d3b2c71a88f16705ba984f943c104",
        "6eefa2e38571446203bef51d07ab940939176283",
        signed_params=(),
    ),
    "C2": Vector(
        ci("PUT", JOB, {"cancel": ""}, EMPTY),
        "95dbbf87bc022fddd8065185a8b37c8988dea04f",
        "db726be8fa7f30cd532b64e87fd1fdf185ea74da",
    ),
    "D'": Vector(
        ci(
            "GET",
            "/inventorytriggerjob",
            {
                "type": "Workflow",
                "states": "Running,Submitted",
                "size": "100",
                "startCreationTime": "2022-02-01T12:00:00+0800",
            },
        ),
        "a354585f3cb0278a25384984f139117cf197a542",
        "881a84f905497cea0d1df9cfc83f69f5f9d119c5",
    ),
    "F": Vector(
        ci("GET", RUN, {}, ("x-ci-security-token", "TOKENEXAMPLE==")),
        "10fd8fa3c82572ed657ff17cadffa7cabd26e9d1",
        "9362fd2574b2fc14e7764b181a2d9567a45b98b8",
        signed_headers=("host", "x-ci-security-token"),
    ),
    "published upload": Vector(
        ci(
            "PUT",
            "/exampleobject(腾讯云)",
            {},
            ("date", "Thu, 16 May 2019 06:45:51 GMT"),
            ("content-type", "text/plain"),
            ("content-length", "13"),
            ("content-md5", "mQ/fVh815F3k6TAUm8m0eg=="),
            ("x-cos-acl", "private"),
            ("x-cos-grant-read", 'uin="100000000011"'),
            host=COS,
        ),
        "8b2751e77f43a0995d6e9eb9477f4b685cca4172",
        "3b8851a11a569213c17ba8fa7dcf2abec6935172",
        signed_headers=(
            "date",
            "host",
            "content-type",
            "content-length",
            "content-md5",
            "x-cos-acl",
            "x-cos-grant-read",
        ),
        secret=DOC_SECRET,
        key_time="1557989151;1557996351",
    ),
    "published download": Vector(
        ci(
            "GET",
            "/exampleobject(腾讯云)",
            {"response-content-type": "application/octet-stream", "response-cache-control": "max-age=600"},
            ("date", "Thu, 16 May 2019 06:55:53 GMT"),
            host=COS,
        ),
        "54ecfe22f59d3514fdc764b87a32d8133ea611e6",
        "01681b8c9d798a678e43b685a9f1bba0f6c0e012",
        signed_headers=("date", "host"),
        secret=DOC_SECRET,
        key_time="1557989753;1557996953",
    ),
}
HEADER_OF_A = (
    f"q-sign-algorithm=sha1&q-ak={ACCESS}&q-sign-time={KEY_TIME}&q-key-time={KEY_TIME}"
    "&q-header-list=content-length;host&q-url-param-list=object;workflowid"
    "&q-signature=79a6e28d5e40b88d30fd20115184e4bfb25bcfa1"
)


def signed(vector: Vector) -> Request:
    value = sign(
        vector.request,
        ACCESS,
        vector.secret,
        vector.key_time,
        header_names=vector.signed_headers,
        param_names=vector.signed_params,
    )
    return replace(vector.request, headers=[*vector.request.headers, ("authorization", value)])


def refusal(request: Request, now: float = NOW, keys: dict[str, str] | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        verify(request, {ACCESS: SECRET} if keys is None else keys, now)
    return caught.value


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name: str) -> None:
    vector = VECTORS[name]
    wanted = vector.signed_params
    params = canonical_params(pair for pair in vector.request.query if wanted is None or pair[0] in wanted)
    headers = canonical_headers(pair for pair in vector.request.headers if pair[0] in vector.signed_headers)
    text = http_string(vector.request.method, vector.request.path, params, headers)
    assert hashlib.sha1(text.encode()).hexdigest() == vector.digest
    assert (signed(vector).header("authorization") or "").endswith(f"&q-signature={vector.signature}")


@pytest.mark.parametrize("name", VECTORS)
def test_vector_verifies(name: str) -> None:
    vector = VECTORS[name]
    verify(signed(vector), {ACCESS: vector.secret}, float(vector.key_time.split(";")[0]))


def test_whole_header() -> None:
    assert signed(VECTORS["A"]).header("authorization") == HEADER_OF_A
    assert sign_key(SECRET, KEY_TIME) == "03878b01b7c9e62dfb7be1a91edeb224f9f1cf04"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"path": "/triggerworkflow/"},
        {"query": [("workflowId", WORKFLOW), ("object", "other.mp4")]},
        {"query": [("workflowId", WORKFLOW)]},
        {"query": [("workflowId", WORKFLOW), ("object", CLIP), ("object", CLIP)]},
    ],
    ids=["method", "path", "value", "left out", "twice"],
)
def test_changed_request(change: dict[str, object]) -> None:
    refused = refusal(replace(signed(VECTORS["A"]), **change))  # type: ignore[arg-type]  # one field of each kind
    assert (refused.status, refused.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("name", ["host", "content-length"])
def test_changed_header(name: str) -> None:
    request = signed(VECTORS["A"])
    changed = [(key, "7" if key == name else value) for key, value in request.headers]
    assert refusal(replace(request, headers=changed)).code == "SignatureDoesNotMatch"
    gone = [(key, value) for key, value in request.headers if key != name]
    assert refusal(replace(request, headers=gone)).code == "SignatureDoesNotMatch"


def test_unsigned_parts_are_free() -> None:
    request = signed(VECTORS["A"])
    extra = replace(
        request,
        query=[*request.query, ("cancel", "")],
        headers=[*request.headers, ("x-cos-security-token", "any"), ("content-type", "application/xml")],
    )
    verify(extra, {ACCESS: SECRET}, NOW)


def test_signed_token_must_hold() -> None:
    request = signed(VECTORS["F"])
    changed = [(key, "OTHER" if key == "x-ci-security-token" else value) for key, value in request.headers]
    assert refusal(replace(request, headers=changed)).code == "SignatureDoesNotMatch"


def test_keys() -> None:
    request = signed(VECTORS["A"])
    assert refusal(request, keys={"AKIDOTHER": SECRET}).code == "InvalidAccessKeyId"
    assert refusal(request, keys={ACCESS: "another secret"}).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (1700000000 - 901, "RequestTimeTooSkewed"),
        (1700010060 + 1, "AccessDenied"),
        (1700010060 + 901, "RequestTimeTooSkewed"),
    ],
    ids=["fast clock", "expired", "slow clock"],
)
def test_time_window(now: float, code: str) -> None:
    refused = refusal(signed(VECTORS["A"]), now)
    assert (refused.status, refused.code) == (403, code)


def test_expired_is_said() -> None:
    assert refusal(signed(VECTORS["A"]), 1700010061.0).message == "Request has expired"


def test_small_skew_is_borne() -> None:
    verify(signed(VECTORS["A"]), {ACCESS: SECRET}, 1700000000.0 - 899)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "AccessDenied"),
        ("Bearer abc", "InvalidAuthorization"),
        (HEADER_OF_A.replace("sha1", "sha256"), "InvalidAuthorization"),
        (HEADER_OF_A.replace("1700000000;", ""), "InvalidAuthorization"),
        (HEADER_OF_A.replace("q-ak=", "q-key="), "InvalidAuthorization"),
        (HEADER_OF_A + "&q-ak=x", "InvalidAuthorization"),
        (HEADER_OF_A[:-1] + "é", "SignatureDoesNotMatch"),
    ],
)
def test_header_form(header: str, code: str) -> None:
    request = VECTORS["A"].request
    refused = refusal(replace(request, headers=[*request.headers, ("authorization", header)]))
    assert (refused.status, refused.code) == (403, code)


def test_header_missing() -> None:
    assert refusal(VECTORS["A"].request).code == "AccessDenied"
