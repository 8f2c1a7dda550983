"""No error text, traceback or debug log of ours holds a secret, even if the server sends all of them back."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest

from cloud_runs.enos.tokens import Session
from cloud_runs.errors import RunsError
from cloud_runs.runs import RunApi
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Transport
from tests.kits import KITS
from tests.kits.kit import Kit
from tests.secrets.canaries import canary, leaks, leaks_in_files
from tests.secrets.echo import STYLES, Echo, echo
from tests.support.clients import GO, an_hour_ago, hasty, soon

ID, SECRET, TOKEN, ACCESS_TOKEN, PASSWORD = CANARIES = [canary() for _ in range(5)]
KEYS = Credentials(ID, SECRET, TOKEN, source="environment TENCENTCLOUD_SECRET_ID")
STATUSES = (200, 302, 400, 401, 403, 404, 429, 500)
ALL = pytest.mark.parametrize("kit", KITS.values(), ids=KITS)


def client(kit: Kit, transport: Transport, url: str | None) -> RunApi[Any]:
    return kit.make(transport, KEYS, url, sleep=lambda _: None)


CALLS: dict[str, Callable[[RunApi[Any], Any], Any]] = {
    "start": lambda api, request: api.start(request, GO),
    "find": lambda api, request: api.find(request, an_hour_ago(), soon()),
    "get": lambda api, _: api.get("i1"),
    "get_many": lambda api, _: api.get_many(["i1", "i2"]),
    "cancel": lambda api, _: api.cancel("i1"),
}


def calls(kit: Kit) -> dict[str, Callable[[RunApi[Any], Any], Any]]:
    """Those of its client."""
    resume: dict[str, Callable[[Any, Any], Any]] = {"resume": lambda api, _: api.resume("i1", GO)}
    return {**CALLS, **(resume if kit.resume else {})}


@pytest.fixture
def service() -> Iterator[Echo]:
    with echo([ID, SECRET, TOKEN]) as running:  # and what it receives: signatures, the access token, a proxy's password
        running.token = ACCESS_TOKEN
        yield running


def told(call: Callable[[], Any]) -> str:
    """All that a call tells: its result, or the error with its causes."""
    try:
        return repr(call())
    except RunsError as error:
        return "\n".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])


@pytest.mark.parametrize("style", STYLES)
@ALL
def test_a_server_that_sends_back_all_that_it_knows(
    service: Echo, caplog: pytest.LogCaptureFixture, kit: Kit, style: str
) -> None:
    caplog.set_level(logging.DEBUG)
    service.style = style
    for service.status in STATUSES:
        for name, call in calls(kit).items():
            said = told(lambda call=call: call(client(kit, hasty(), service.url), kit.request))  # type: ignore[misc]
            assert not leaks(said, CANARIES), f"{service.status} for {name}: {said}"
    assert "debug" in {record.levelname.lower() for record in caplog.records}, "the libraries did log"
    assert not leaks(caplog.text, CANARIES)


def test_a_token_service_that_sends_back_all_that_it_knows(service: Echo) -> None:
    service.token = None
    for service.style in STYLES:
        for service.status in STATUSES:
            said = told(lambda: client(KITS["enos.flow"], hasty(), service.url).get("1-1"))
            assert "no access token" in said
            assert not leaks(said, CANARIES), said


@ALL
@pytest.mark.parametrize("status", [302, 403, 407, 502])
def test_a_proxy_that_sends_back_the_password_in_its_url(
    service: Echo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kit: Kit,
    status: int,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    service.status = status
    service.secrets = [PASSWORD]
    through(monkeypatch, service.url.replace("http://", f"http://user:{PASSWORD.replace('/', '%2F')}@"))
    for name, call in calls(kit).items():
        said = told(lambda call=call: call(client(kit, hasty(), None), kit.request))  # type: ignore[misc]
        assert name == "cancel" or f"the proxy refused ({status})" in said
        assert not leaks(said, CANARIES), said
    assert not leaks(caplog.text, CANARIES)


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{PASSWORD.partition('/')[0]}@127.0.0.1:1",
        f"http://user:{PASSWORD}@127.0.0.1:1",
        f"user:{PASSWORD.partition('/')[0]}@127.0.0.1:1",
        f"http://user:{PASSWORD.partition('/')[0]}@127.0.0.1:port",
        f"http://user:{PASSWORD.partition('/')[0]}@bad host:1",
        f"socks5://user:{PASSWORD.partition('/')[0]}@127.0.0.1:1",
    ],
    ids=["refused", "a slash", "no scheme", "no port", "no host", "socks"],
)
@ALL
def test_a_proxy_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kit: Kit, proxy: str
) -> None:
    caplog.set_level(logging.DEBUG)
    through(monkeypatch, proxy)
    for call in calls(kit).values():
        said = told(lambda call=call: call(client(kit, hasty(), None), kit.request))  # type: ignore[misc]
        assert not leaks(said, CANARIES), said
    assert not leaks(caplog.text, CANARIES)


def through(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)


def test_a_client_does_not_show_its_keys() -> None:
    for kit in KITS.values():
        api = client(kit, hasty(), "http://127.0.0.1:1")
        assert not leaks(repr(api) + repr(KEYS) + repr(Session(token=TOKEN, rejected=TOKEN)), [SECRET, TOKEN])


def test_a_canary_is_found_in_each_form(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").write_bytes(b"\xff" + base64.b64encode(f"user:{SECRET}".encode()))
    assert leaks_in_files(tmp_path, CANARIES) == ["folder/kept: value 1"]
    for before in ("", "x", "xy", "xyz"):
        assert leaks(base64.b64encode(f"{before}{SECRET}{before}".encode()), CANARIES) == ["value 1"]
    for form in (SECRET, quote(SECRET), quote_plus(SECRET), SECRET[:28], repr(SECRET), escape(SECRET)):
        assert leaks(f"a{form}b", CANARIES) == ["value 1"]
