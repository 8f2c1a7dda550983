"""Hostile values of a program, of its configuration and of a state: they change no host, and end in errors of ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pulumi.output import UNKNOWN
from urllib3.util import parse_url

from cloud_runs import KINDS, accounts
from cloud_runs.enos import tokens
from cloud_runs.enos.settings import gateway
from cloud_runs.errors import InvalidConfiguration, RunsError
from cloud_runs.huawei.client import WorkflowClient as HuaweiClient
from cloud_runs.huawei.settings import REGION as HUAWEI_REGION
from cloud_runs.kinds import Kind, Occasion
from cloud_runs.lifecycle import checks
from cloud_runs.runs import Phase, Reference, RunStatus
from cloud_runs.tencent.client import WorkflowClient
from cloud_runs.tencent.settings import REGION, TENCENT
from cloud_runs.tencent.workflow_run import WorkflowRunProvider
from cloud_runs.wire.settings import Settings, is_loopback
from cloud_runs.wire.transport import Transport
from tests.hostile import answers, cases, systems
from tests.kits import KITS
from tests.kits.kit import KEYS
from tests.support.clients import GO, Scripted, says
from tests.support.examples import examples
from tests.support.sockets import OK, Service

HOSTS = [
    "evil.com/", "x@evil.com", "a.b#", "a?b", "..", ".", "a..b", "-a", "a-", "evil.com:80", "evil.com\\", "a%2eb",
    "a\r\nHost: b", "\u3002evil", "a\uff0eb", "\uff0f", "xn--80ak6aa92e",
    "\u0430pple", "a\u200bb", "[::1]", "a b", "\x00",
    "127.0.0.1", "ap-beijing", "media-1250000000", "media-1250000000.evil", "1", "a" * 300, "%00", "a\tb", "\uff45vil",
    "a/../..", "http://evil",
]  # fmt: skip
parts = st.one_of(st.sampled_from(HOSTS), st.text(alphabet="ab-.1/@#?:%\\[] \r\n\u3002", max_size=12))
hosts = st.lists(parts, min_size=1, max_size=3).map("".join)


def sent_to(prepared: requests.PreparedRequest) -> set[str | None]:
    """The host of a request as each parser on its way reads it."""
    assert prepared.url
    return {urlsplit(prepared.url).hostname, parse_url(prepared.url).host}


class Watching(Scripted):
    def __init__(self) -> None:
        super().__init__("", says(b"", 404))
        self.prepared: list[requests.PreparedRequest] = []

    def read(self, method: str, url: str, **kwargs: Any) -> Any:
        self.prepared.append(requests.Request(method, url, headers=kwargs["headers"]).prepare())
        return super().read(method, url, **kwargs)

    start = read


@examples(400)
@given(hosts, hosts)
@example("media-1250000000", "ap-beijing")
def test_bucket_and_region_of_tencent(bucket: str, region: str) -> None:
    transport: Any = Watching()
    with contextlib.suppress(RunsError):
        WorkflowClient(transport, KEYS, region=region, bucket=bucket).get("i1")
    for prepared in transport.prepared:
        host = f"{bucket}.ci.{region}.myqcloud.com"
        assert sent_to(prepared) == {host.lower()}
        assert prepared.headers["Host"] == host
        assert host.count(".") == 4


@examples(400)
@given(hosts, hosts)
@example("cn-north-4", "scan")
def test_region_and_graph_of_huawei(region: str, graph: str) -> None:
    transport: Any = Watching()
    with contextlib.suppress(RunsError):
        HuaweiClient(transport, KEYS, region=region, graph_name=graph).start(KITS["huawei.workflow"].request, GO)
    for prepared in transport.prepared:
        assert sent_to(prepared) == {f"obs.{region.lower()}.myhuaweicloud.com"}
        assert prepared.path_url == f"/v2/workflows/{graph}"


def test_a_host_that_is_no_host(transport_of_ours: Transport) -> None:
    """A label of more than 63 characters passes the patterns, and fails before anything is sent."""
    client = WorkflowClient(transport_of_ours, KEYS, region="a" * 64, bucket="media-1250000000")
    with pytest.raises(RunsError):
        client.get("i1")


@pytest.fixture
def transport_of_ours() -> Transport:
    return cases.hasty(1.0)


schemes = st.sampled_from(["http://", "https://", "HTTP://", "http:", "ftp://", "//", "", "http://user@", "file://"])
PLACES = [
    "127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]",
    "localhost.",
    "localhost.evil.com", "127.0.0.1.evil.com", "evil.com", "[::1]evil.com", "[::1%25lo]", "[::1%evil.com]",
    "[evil.com]",
    "127.0.0.1@evil.com", "evil.com@127.0.0.1", "evil.com#@127.0.0.1", "127.0.0.1%2eevil.com", "127.0.0.1\\@evil.com",
]  # fmt: skip
ENDS = ["", "/", ":80", ":", ":99999", ":80:90", ":-1", "/x", "?", "#", "?@evil.com", "\\", "%00", ":8@evil.com"]


@examples(500)
@given(schemes, st.sampled_from(PLACES) | hosts, st.sampled_from(ENDS))
def test_an_endpoint_is_one_place_for_every_parser(scheme: str, host: str, end: str) -> None:
    """http to loopback only, by the reading of those who open the connection too."""
    environ = dict.fromkeys(("RUNS_ENOS_ENDPOINT", "RUNS_TENCENT_ENDPOINT"), scheme + host + end)
    try:
        endpoint = gateway(Settings(environ=environ))
    except InvalidConfiguration:
        return
    assert Settings(environ=environ).endpoint(TENCENT) == endpoint
    try:
        prepared = requests.Request("GET", endpoint + "/path").prepare()
    except requests.exceptions.RequestException:
        return  # nothing is sent: see test_transport
    assert prepared.path_url == "/path"
    read = {(host or "").strip("[]").partition("%")[0] for host in sent_to(prepared)}
    assert len(read) == 1
    if not endpoint.startswith("https://"):
        assert is_loopback(read.pop()), endpoint
    assert "@" not in endpoint


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.5.5.5"])
def test_a_loopback_endpoint_sends_no_secret_through_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service(OK) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        monkeypatch.setenv("all_proxy", f"http://{proxy.address}")
        endpoint = gateway(Settings(environ={"RUNS_ENOS_ENDPOINT": f"http://{host}:1"}))  # nothing listens there
        with pytest.raises(RunsError):
            systems.client("enos.flow", cases.hasty(2.0), endpoint).get("3377-1")
        assert proxy.connections == 0


@given(st.text(max_size=30) | st.sampled_from(HOSTS))
def test_regions_of_the_configuration(value: str) -> None:
    for setting in (REGION, HUAWEI_REGION):
        with contextlib.suppress(InvalidConfiguration):
            region = Settings({setting.own: value}.get, {}).value(setting)
            assert not region or not set(region) & set("/@#?:\\%[] \r\n")


# --- checks: any inputs end in a list of problems, and what passes can be asked for

STEERING = ["triggers", "adopt_id", "on_delete", "rerun_on_failure"]
NAMES = list(dict.fromkeys([*(name for kind in KINDS.values() for name in kind.names), *STEERING]))
keys = st.sampled_from([*NAMES, "start", "tag", "prefix", "a"]) | st.text(max_size=5)
plain = st.sampled_from([*answers.TEXTS, *answers.VALUES, UNKNOWN]) | st.text(max_size=8) | st.floats() | hosts
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=6,
)
changes = st.dictionaries(st.sampled_from(NAMES), values, max_size=5)


@pytest.fixture(scope="module")
def configured() -> Iterator[None]:
    vendors = [kit.kind.vendor for kit in KITS.values()]
    settings_ = {vendor.id.environ: answers.KEY for vendor in vendors}
    settings_ |= {vendor.secret.environ: answers.SECRET for vendor in vendors}
    settings_["RUNS_ENOS_ENDPOINT"] = "https://gw.example"  # it has no default
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings_.items():
            patch.setenv(name, value)
        yield


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@examples(250)
@given(changes)
@example({})
def test_inputs_of_any_shape(configured: None, kind: Kind[Any], changes: dict[str, Any]) -> None:
    kit = KITS[kind.name]
    given_ = {**kit.arguments, **kit.more, **changes}
    props = {**given_, "resource_urn": "urn:pulumi:dev::p::pulumi-python:dynamic/x:Y::r", "intent": UNKNOWN}
    problems = list(checks.of_run(kind, props, Settings()))
    for name, reason in problems:
        assert name
        assert len(reason) < 20_000
    assert changes or not problems, "what is good has none"
    if problems or any(value is UNKNOWN for value in given_.values()):
        return
    place = kind.place(props, Settings())
    assert Reference.parse(str(Reference(place.system, place.region, place.scope, "x"))).scope == place.scope
    transport: Any = systems.Hostile(systems.Choices("checked"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_sessions", {})  # what this process has fired
        request = kind.request(props, Occasion("0" * 32, name="r"))
        with contextlib.suppress(RunsError):
            kind.client(place, Settings(), transport).start(request, GO)
    assert transport.asked or changes, "what is good is sent"


@given(st.text(max_size=40) | st.sampled_from(answers.TEXTS))
def test_a_reference_of_a_state(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(Reference.parse(str(Reference.parse(text)))) == str(Reference.parse(text))


@given(hosts, hosts, st.sampled_from([*KINDS]))
def test_a_recorded_place_that_was_tampered_with(configured: None, region: str, scope: str, system: str) -> None:
    """A state is a file that others can write: its reference must not send the key elsewhere."""
    assume(scope)
    try:
        client = KINDS[system].client(Reference(system, region, scope, "x"), Settings())
    except RunsError:
        return
    base = client._calls._base if hasattr(client, "_calls") else client._endpoint  # type: ignore[attr-defined]
    host = urlsplit(base).hostname or ""
    assert host.endswith((".myqcloud.com", ".myhuaweicloud.com")) or host == "gw.example"


@pytest.mark.parametrize("adopt", ["a\x1b[31m", "a\nb", "\u202ea", " ", "", "a" * 2000, 7, ["x"]])
def test_an_id_to_adopt_that_cannot_be_shown(adopt: Any) -> None:
    result = WorkflowRunProvider().check({}, {"bucket": "media-1250000000", "adopt_id": adopt})
    assert "adopt_id" in [failure.property for failure in result.failures]


def test_what_is_missing_names_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in accounts.settings():
        monkeypatch.delenv(setting.environ, raising=False)
    for kind in KINDS.values():
        argument = kind.vendor.more[0].argument
        with pytest.raises(
            InvalidConfiguration, match=re.escape(f"the argument, cloud_runs.Provider({argument}=...), stack")
        ):
            kind.place({"bucket": "media-1250000000", "graph_name": "scan", "flow_id": 1.0}, Settings())
    with pytest.raises(
        InvalidConfiguration, match=re.escape("cloud_runs.Provider(enos_endpoint=...), stack configuration")
    ):
        gateway(Settings(environ={}))


def test_what_a_read_run_was_started_with_can_be_shown(configured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.get()` puts it into outputs, as the service tells it."""
    told = {"object": "\u202ea\x1b[2J"}
    monkeypatch.setattr(WorkflowClient, "get", lambda api, id, limit: RunStatus(id, Phase.RUNNING, "x", request=told))
    outs = WorkflowRunProvider().read("i1", {"bucket": "media-1250000000", "region": "ap-beijing"}).outs
    assert outs["object"] == "a [2J"
