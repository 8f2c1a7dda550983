"""Keys come from one source; errors name settings and never values."""

from __future__ import annotations

import pytest

from cloud_runs.errors import InvalidConfiguration, MissingCredentials
from cloud_runs.limits import Times
from cloud_runs.tencent.settings import DOMAIN, REGION, TENCENT
from cloud_runs.wire.settings import EXPLICIT, EXPLICIT_NAME, Credentials, Setting, Settings, is_loopback

CONFIG = {"tencentcloud:secretId": "cfg-id", "tencentcloud:secretKey": "cfg-key"}
ENVIRON = {"TENCENTCLOUD_SECRET_ID": "env-id", "TENCENTCLOUD_SECRET_KEY": "env-key", "TENCENTCLOUD_SECURITY_TOKEN": "t"}


def test_stack_configuration_wins_and_its_missing_token_is_not_taken_from_the_environment() -> None:
    found = Settings(CONFIG.get, ENVIRON).credentials(TENCENT)
    assert found == Credentials(
        "cfg-id", "cfg-key", "", "stack configuration tencentcloud:secretId and tencentcloud:secretKey"
    )


def test_environment() -> None:
    found = Settings({}.get, ENVIRON).credentials(TENCENT)
    assert found == Credentials(
        "env-id", "env-key", "t", "environment TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY"
    )


def test_an_explicit_provider_wins_and_is_named() -> None:
    explicit = {f"{EXPLICIT}tencentcloud:secretId": "eu-id", f"{EXPLICIT}tencentcloud:secretKey": "eu-key"}
    named = {**CONFIG, **explicit, EXPLICIT_NAME: "eu", "tencentcloud:securityToken": "of-the-stack"}
    source = "provider 'eu' tencent_secret_id and tencent_secret_key"
    assert Settings(named.get, ENVIRON).credentials(TENCENT) == Credentials("eu-id", "eu-key", "", source)
    del named[f"{EXPLICIT}tencentcloud:secretKey"]
    with pytest.raises(InvalidConfiguration, match="provider 'eu' tencent_secret_id is set but not tencent_secret_key"):
        Settings(named.get, ENVIRON).credentials(TENCENT)


def test_an_empty_value_is_not_set() -> None:
    empty = dict.fromkeys(CONFIG, "")
    assert Settings(empty.get, ENVIRON).credentials(TENCENT).id == "env-id"


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
        Settings(config.get, ENVIRON).credentials(TENCENT)


def test_missing_names_every_place() -> None:
    with pytest.raises(MissingCredentials) as caught:
        Settings({}.get, {}).credentials(TENCENT)
    for name in (*CONFIG, "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"):
        assert name in str(caught.value)


@pytest.mark.parametrize("name", list(ENVIRON))
@pytest.mark.parametrize("value", [" hunter2", "hunter2\n", "hun ter2", "hunter2\r\nX: y", "hünter2", "\x00hunter2"])
def test_a_value_that_no_key_can_be_is_refused_and_not_told(name: str, value: str) -> None:
    with pytest.raises(InvalidConfiguration, match=name) as caught:
        Settings({}.get, {**ENVIRON, name: value}).credentials(TENCENT)
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)


def test_secrets_are_not_in_the_text_form() -> None:
    shown = repr(Credentials("id", "s3cret", "t0ken", "x"))
    assert "s3cret" not in shown
    assert "t0ken" not in shown


def test_region() -> None:
    assert (
        Settings({"tencentcloud:region": "ap-beijing"}.get, {"TENCENTCLOUD_REGION": "ap-b"}).value(REGION)
        == "ap-beijing"
    )
    assert Settings({}.get, {"TENCENTCLOUD_REGION": "ap-b"}).value(REGION) == "ap-b"
    assert Settings({}.get, {}).value(REGION) is None
    for bad in ("ap-beijing ", "evil.example/", "a@b", "-a"):
        with pytest.raises(InvalidConfiguration, match="TENCENTCLOUD_REGION"):
            Settings({}.get, {"TENCENTCLOUD_REGION": bad}).value(REGION)


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
    assert Settings({"runs:tencentEndpoint": value}.get, {}).endpoint(TENCENT) == expected
    assert Settings({}.get, {"RUNS_TENCENT_ENDPOINT": value}).endpoint(TENCENT) == expected


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
        Settings({}.get, {"RUNS_TENCENT_ENDPOINT": value}).endpoint(TENCENT)
    assert "pw" not in str(caught.value)


def test_no_endpoint() -> None:
    assert Settings({}.get, {}).endpoint(TENCENT) is None


def test_loopback_is_told_by_the_name_alone() -> None:
    assert is_loopback("LOCALHOST")
    assert is_loopback("::1")
    assert not is_loopback("")
    assert not is_loopback("127.1")


# --- one name for everything: `runs:` and the vendor first

OWN = {"runs:tencentSecretId": "own-id", "runs:tencentSecretKey": "own-key"}


def test_our_own_names_win_over_the_vendor_s_and_are_named() -> None:
    found = Settings({**CONFIG, **OWN, "tencentcloud:securityToken": "t"}.get, ENVIRON).credentials(TENCENT)
    source = "stack configuration runs:tencentSecretId and runs:tencentSecretKey"
    assert found == Credentials("own-id", "own-key", "", source)


def test_half_of_a_pair_is_not_completed_from_the_vendor_s_names() -> None:
    with pytest.raises(InvalidConfiguration, match="runs:tencentSecretId is set but not runs:tencentSecretKey"):
        Settings({**CONFIG, "runs:tencentSecretId": "x"}.get, ENVIRON).credentials(TENCENT)


def test_missing_names_our_own_names_too() -> None:
    with pytest.raises(MissingCredentials, match="runs:tencentSecretId and runs:tencentSecretKey, or tencentcloud:"):
        Settings({}.get, {}).credentials(TENCENT)


def test_the_names_of_a_setting() -> None:
    setting = Setting("huawei_access_key", "huaweicloud:accessKey", "HW_ACCESS_KEY")
    assert (setting.own, setting.keys) == ("runs:huaweiAccessKey", ("runs:huaweiAccessKey", "huaweicloud:accessKey"))
    assert (setting.config, setting.environ) == ("huaweicloud:accessKey", "HW_ACCESS_KEY")
    own = Setting("tencent_endpoint")
    assert (own.config, own.keys, own.environ) == (
        "runs:tencentEndpoint",
        ("runs:tencentEndpoint",),
        "RUNS_TENCENT_ENDPOINT",
    )


@pytest.mark.parametrize("value", [5, True, ["x"], {"a": "b"}, None])
def test_what_is_no_text_is_not_set(value: object) -> None:
    assert Settings({"tencentcloud:region": value}.get, {}).value(REGION) is None


def test_domain() -> None:
    assert Settings({"runs:tencentDomain": "tencentci.cn"}.get, {}).value(DOMAIN) == "tencentci.cn"
    with pytest.raises(InvalidConfiguration, match="RUNS_TENCENT_DOMAIN is not a domain of CI"):
        Settings({}.get, {"RUNS_TENCENT_DOMAIN": "evil.example"}).value(DOMAIN)


# --- times

HERE = {"runs:tencentEndpoint": "http://127.0.0.1:9700"}


def times(**more: str) -> Times:
    return Settings({key.replace("__", ":"): value for key, value in more.items()}.get, {}).times(TENCENT)


def test_times() -> None:
    assert times() == times(runs__tencentEndpoint="http://ci.example") == Times(30.0, 10.0)
    assert times(runs__startSeconds="600", runs__lagSeconds="12.5") == Times(600.0, 12.5)
    assert Settings({}.get, {"RUNS_START_SECONDS": "31", "RUNS_LAG_SECONDS": "600"}).times(TENCENT) == Times(
        31.0, 600.0
    )
    given = {EXPLICIT + "runs:lagSeconds": "11.0", EXPLICIT_NAME: "eu"}
    assert Settings(given.get, {}).times(TENCENT) == Times(30.0, 11.0)


def test_less_than_a_service_may_take_is_for_this_machine_alone() -> None:
    less = {"runs:startSeconds": "0.5", "runs:lagSeconds": "0"}
    assert Settings({**HERE, **less}.get, {}).times(TENCENT) == Times(0.5, 0.0)
    others = [
        {"runs:tencentEndpoint": text} for text in ("https://ci.example", "http://ci.example", "http://127.0.0.1/x")
    ]
    for endpoint in ({}, {"runs:huaweiEndpoint": "http://127.0.0.1:1"}, *others):
        with pytest.raises(InvalidConfiguration, match=r"runs:startSeconds is not a number of seconds from 30 to 600"):
            Settings({**endpoint, **less}.get, {}).times(TENCENT)
    with pytest.raises(InvalidConfiguration, match=r"provider 'eu' lag_seconds .*, or runs:tencentEndpoint to"):
        Settings({EXPLICIT + "runs:lagSeconds": "9", EXPLICIT_NAME: "eu"}.get, {}).times(TENCENT)


@pytest.mark.parametrize("value", ["601", "0", "-1", "nan", "inf", "soon", "1e9"])
def test_times_that_are_none(value: str) -> None:
    with pytest.raises(InvalidConfiguration, match="runs:startSeconds"):
        Settings({**HERE, "runs:startSeconds": value}.get, {}).times(TENCENT)
