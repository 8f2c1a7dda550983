"""Keys come from one source; errors name settings and never values."""

from __future__ import annotations

import pytest

from cloud_runs.errors import InvalidConfiguration, MissingCredentials
from cloud_runs.wire.settings import EXPLICIT, EXPLICIT_NAME, TENCENT, Credentials, is_loopback

CONFIG = {"tencentcloud:secretId": "cfg-id", "tencentcloud:secretKey": "cfg-key"}
ENVIRON = {"TENCENTCLOUD_SECRET_ID": "env-id", "TENCENTCLOUD_SECRET_KEY": "env-key", "TENCENTCLOUD_SECURITY_TOKEN": "t"}


def test_stack_configuration_wins_and_its_missing_token_is_not_taken_from_the_environment() -> None:
    found = TENCENT.credentials(CONFIG.get, ENVIRON)
    assert found == Credentials(
        "cfg-id", "cfg-key", "", "stack configuration tencentcloud:secretId and tencentcloud:secretKey"
    )


def test_environment() -> None:
    found = TENCENT.credentials({}.get, ENVIRON)
    assert found == Credentials(
        "env-id", "env-key", "t", "environment TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY"
    )


def test_an_explicit_provider_wins_and_is_named() -> None:
    explicit = {f"{EXPLICIT}tencentcloud:secretId": "eu-id", f"{EXPLICIT}tencentcloud:secretKey": "eu-key"}
    named = {**CONFIG, **explicit, EXPLICIT_NAME: "eu", "tencentcloud:securityToken": "of-the-stack"}
    source = "provider 'eu' tencent_secret_id and tencent_secret_key"
    assert TENCENT.credentials(named.get, ENVIRON) == Credentials("eu-id", "eu-key", "", source)
    del named[f"{EXPLICIT}tencentcloud:secretKey"]
    with pytest.raises(InvalidConfiguration, match="provider 'eu' tencent_secret_id is set but not tencent_secret_key"):
        TENCENT.credentials(named.get, ENVIRON)


def test_an_empty_value_is_not_set() -> None:
    empty = dict.fromkeys(CONFIG, "")
    assert TENCENT.credentials(empty.get, ENVIRON).id == "env-id"


@pytest.mark.parametrize(
    ("config", "given", "missing"),
    [
        ({"tencentcloud:secretId": "a"}, "tencentcloud:secretId", "tencentcloud:secretKey"),
        ({"tencentcloud:secretKey": "a"}, "tencentcloud:secretKey", "tencentcloud:secretId"),
        ({"tencentcloud:securityToken": "a"}, "tencentcloud:securityToken", "tencentcloud:secretId and"),
    ],
)
def test_half_of_a_pair_is_not_completed_from_the_other_source(
    config: dict[str, str], given: str, missing: str
) -> None:
    with pytest.raises(InvalidConfiguration, match=f"{given} is set but not {missing}"):
        TENCENT.credentials(config.get, ENVIRON)


def test_missing_names_every_place() -> None:
    with pytest.raises(MissingCredentials) as caught:
        TENCENT.credentials({}.get, {})
    for name in (*CONFIG, "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"):
        assert name in str(caught.value)


@pytest.mark.parametrize("name", list(ENVIRON))
@pytest.mark.parametrize("value", [" hunter2", "hunter2\n", "hun ter2", "hunter2\r\nX: y", "hünter2", "\x00hunter2"])
def test_a_value_that_no_key_can_be_is_refused_and_not_told(name: str, value: str) -> None:
    with pytest.raises(InvalidConfiguration, match=name) as caught:
        TENCENT.credentials({}.get, {**ENVIRON, name: value})
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)


def test_secrets_are_not_in_the_text_form() -> None:
    shown = repr(Credentials("id", "s3cret", "t0ken", "x"))
    assert "s3cret" not in shown
    assert "t0ken" not in shown


def test_region() -> None:
    assert TENCENT.region({"tencentcloud:region": "ap-beijing"}.get, {"TENCENTCLOUD_REGION": "ap-b"}) == "ap-beijing"
    assert TENCENT.region({}.get, {"TENCENTCLOUD_REGION": "ap-b"}) == "ap-b"
    assert TENCENT.region({}.get, {}) is None
    for bad in ("ap-beijing ", "evil.example/", "a@b", "-a"):
        with pytest.raises(InvalidConfiguration, match="TENCENTCLOUD_REGION"):
            TENCENT.region({}.get, {"TENCENTCLOUD_REGION": bad})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://ci.example", "https://ci.example"),
        ("https://ci.example:8443/", "https://ci.example:8443"),
        ("http://127.0.0.1:9700", "http://127.0.0.1:9700"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_endpoint(value: str, expected: str) -> None:
    assert TENCENT.endpoint({"runs:tencentEndpoint": value}.get, {}) == expected
    assert TENCENT.endpoint({}.get, {"RUNS_TENCENT_ENDPOINT": value}) == expected


@pytest.mark.parametrize(
    "value",
    [
        "http://ci.example", "http://127.0.0.1.example", "http://localhost.example", "http://10.0.0.1", "http://0.0.0.0",
        "http://2130706433", "ftp://127.0.0.1", "127.0.0.1:9700", "https://", "https://user:pw@ci.example",
        "https://ci.example/path", "https://ci.example?x", "https://ci.example#x", "https://ci.example:99999",
        "https://[::1", "http://127.0.0.1\\@ci.example", "http://127.0.0.1@ci.example", " https://ci.example",
    ],
)  # fmt: skip
def test_endpoint_that_is_refused(value: str) -> None:
    with pytest.raises(InvalidConfiguration, match="RUNS_TENCENT_ENDPOINT") as caught:
        TENCENT.endpoint({}.get, {"RUNS_TENCENT_ENDPOINT": value})
    assert "pw" not in str(caught.value)


def test_no_endpoint() -> None:
    assert TENCENT.endpoint({}.get, {}) is None


def test_loopback_is_told_by_the_name_alone() -> None:
    assert is_loopback("LOCALHOST")
    assert is_loopback("::1")
    assert not is_loopback("")
    assert not is_loopback("127.1")
