"""The EnOS client: what it sends, and what it makes of every kind of answer."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from cloud_runs.enos import client as module
from cloud_runs.enos import lists
from cloud_runs.enos.client import FlowClient, FlowRequest, MinuteTaken
from cloud_runs.enos.codes import CODES, Kind
from cloud_runs.enos.signing import encryption, params_data, sign_input, signature
from cloud_runs.enos.tokens import Session
from cloud_runs.errors import (
    InvalidConfiguration,
    NotFound,
    NotReached,
    Orphaned,
    Refused,
    RunsError,
    Throttled,
    Unavailable,
    UnknownOutcome,
)
from cloud_runs.limits import Leave
from cloud_runs.runs import Phase
from cloud_runs.wire.payloads import query_pairs
from cloud_runs.wire.settings import Credentials
from cloud_runs.wire.transport import Answer, Transport
from tests.support import clients
from tests.support.clients import GO, soon
from tests.support.sockets import Service, answer, reset

RECORDINGS = Path(__file__).parents[1] / "recordings" / "enos"
KEYS = Credentials("hunter1-key", "s3cret-hunter2", source="environment ENOS_ACCESS_KEY")
SEED = FlowRequest(3377, 1574385824000)
MINUTE = 1574385780000
RUN = "3377-20191122012300"
SINCE = datetime(2019, 11, 22, 1, 0, tzinfo=timezone.utc)
DATE = "Fri, 22 Nov 2019 01:23:45 GMT"
NOW = 1574385825.0


def recorded(name: str) -> bytes:
    return (RECORDINGS / f"{name}.json").read_bytes()


def says(body: Any = b"", status: int = 200, complete: bool = True, date: str = DATE) -> Answer:
    return clients.says(body, status, complete, **({"Date": date} if date else {}))


def error(code: Any, message: str = "", status: int = 200) -> Answer:
    return says({"status": code, "msg": message, "data": None}, status)


def rows(*listed: dict[str, Any]) -> Answer:
    return says({"status": 0, "data": {"flowInsts": list(listed), "count": len(listed)}})


def token(text: str = "hunter3-token", expire: Any = 7200) -> Answer:
    return says({"status": 0, "msg": "SUCCESS", "data": {"accessToken": text, "expire": expire}})


STARTED = says(recorded("trigger-printed"))
NONE = says(recorded("list-none"))
ONE = says(recorded("list-one"))


class Sent:
    def __init__(self, method: str, url: str, auth: Any, headers: Any, params: Any, body: bytes) -> None:
        self.method, self.path = method, urlsplit(url).path
        request = requests.Request(method, url, params=dict(params or ()), data=body, headers=headers)
        self.prepared = auth(request.prepare())
        self.query, self.body = dict(params or ()), self.prepared.body or b""
        self.action = self.path.rpartition("/")[2] if "token" in self.path else self.query["action"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Gateway:
    """In place of a transport: answers by action; the last answer of an action is given for ever."""

    def __init__(self, **answers: Any) -> None:
        defaults = {"get_token": [token()], "refresh": [token("hunter4-token")], "search": [NONE], "trigger": [STARTED]}
        self.answers: dict[str, list[Any]] = {**defaults, **answers}
        self.sent: list[Sent] = []
        self.slept: list[float] = []
        self.asked: list[list[str]] = []
        """The order of the requests when the engine was asked."""
        self.now = NOW

    def start(
        self, method: str, url: str, *, auth: Any, headers: Any = None, params: Any = None, body: bytes = b"", **_: Any
    ) -> Answer:
        sent = Sent(method, url, auth, headers, params, body)
        self.sent.append(sent)
        name = "get_token" if sent.path.endswith("token/get") else sent.action
        queue = self.answers[name]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Answer)
        return answer

    def read(self, *args: Any, **kwargs: Any) -> Answer:
        """A transport asks again by itself before it says so."""
        try:
            return self.start(*args, **kwargs)
        except (NotReached, UnknownOutcome) as lost:
            raise Unavailable(str(lost)) from None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def of(self, action: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.action == action and "/flow" in sent.path]

    @property
    def order(self) -> list[str]:
        return ["token" if "token" in sent.path else sent.action for sent in self.sent]


def flows(session: Session | None = None, **answers: Any) -> tuple[FlowClient, Gateway]:
    gateway = Gateway(**{name: value if isinstance(value, list) else [value] for name, value in answers.items()})
    return client(gateway, session), gateway


def client(gateway: Gateway, session: Session | None = None) -> FlowClient:
    transport: Any = gateway
    return FlowClient(
        transport, KEYS, endpoint="https://gw.example", org="yourOrgId", user="yourUserId", flow="3377",
        session=session or Session(), clock=lambda: gateway.now, sleep=gateway.sleep,
    )  # fmt: skip


# --- the sample of the vendor's page trigger_flow, on the wire


def test_the_request_of_the_page_byte_for_byte() -> None:
    def answer(path: str) -> bytes:
        name = "token" if "token" in path else "list-none" if "search" in path else "trigger-printed"
        return recorded(name)

    with clients.service(answer, Date=DATE) as (endpoint, received):
        one = FlowClient(
            Transport(), KEYS, endpoint=endpoint, org="yourOrgId", user="yourUserId", session=Session(),
            clock=lambda: NOW,
        )  # fmt: skip
        started = one.start(SEED, GO)
    line, headers, body = received[-1]
    assert line == "POST /dataflow-batch-service/v2.0/flows?action=trigger&userId=yourUserId&orgId=yourOrgId HTTP/1.1"
    assert body == b'{\n  "flowId":3377,\n  "triggerTime":1574385824000\n}'
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["apim-accesstoken"] == "APIMTOKENEXAMPLE"
    params = params_data(query_pairs(urlsplit(line.split()[1]).query))
    text = sign_input("APIMTOKENEXAMPLE", params, body.decode(), int(headers["apim-timestamp"]), KEYS.secret)
    assert headers["apim-signature"] == signature(text)
    assert (started.id, started.at) == ("2791-19700101000000", datetime(2019, 11, 22, 1, 23, 45, tzinfo=timezone.utc))
    assert [line.split("?")[0].split()[1] for line, _, _ in received] == [
        "/apim-token-service/v2.0/token/get",
        *["/dataflow-batch-service/v2.0/flowInstances"] * 3,
        "/dataflow-batch-service/v2.0/flows",
    ]
    asked = json.loads(received[0][2])
    assert asked == {
        "appKey": KEYS.id,
        "timestamp": asked["timestamp"],
        "encryption": encryption(KEYS.id, asked["timestamp"], KEYS.secret),
    }
    assert KEYS.secret.encode() not in received[0][2]


def test_parameters_go_by_update_and_trigger() -> None:
    one, gateway = flows(updateAndTrigger=STARTED)
    one.start(FlowRequest(3377, 1574385824000, {"b": "é", "REPLACE": "ddee"}), GO)
    (sent,) = gateway.of("updateAndTrigger")
    assert sent.json == {
        "flowId": 3377,
        "triggerTime": 1574385824000,
        "parameters": [{"key": "REPLACE", "value": "ddee"}, {"key": "b", "value": "é"}],
    }
    assert "é".encode() in sent.body


# --- start: a look comes first


def test_all_three_kinds_of_runs_are_looked_for_right_before_the_start() -> None:
    one, gateway = flows()
    one.start(SEED, GO)
    assert gateway.order == ["token", "search", "search", "search", "trigger"]
    assert [sent.json["type"] for sent in gateway.of("search")] == [0, 2, 1]
    assert gateway.of("search")[0].json == {
        "type": 0,
        "expression": "3377",
        "owner": "",
        "fromTriggerTime": MINUTE,
        "toTriggerTime": MINUTE + 60_000,
        "status": "",
        "pagination": {"pageNo": 0, "pageSize": 50},
    }


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_second_run_in_the_minute_is_an_error_that_names_the_first_and_nothing_is_sent(kind: int) -> None:
    one, gateway = flows(search=[*[NONE] * kind, ONE, NONE])
    with pytest.raises(MinuteTaken, match=f"run {RUN} of flow 3377 has the trigger minute 2019-11-22T01:23:00Z") as no:
        one.start(SEED, GO)
    assert isinstance(no.value, NotReached)  # for firing.py: nothing ran
    assert no.value.by == RUN
    assert "adopt_id" in str(no.value)
    assert gateway.of("trigger") == []


def test_a_run_that_this_process_has_fired_counts_before_the_list_shows_it() -> None:
    session = Session()
    one, gateway = flows(session)
    one.start(SEED, GO)
    with pytest.raises(MinuteTaken, match="2791-19700101000000"):
        client(gateway, session).start(FlowRequest(3377, MINUTE, {"a": "b"}), GO)
    assert len(gateway.of("trigger")) == 1
    client(gateway, session).start(FlowRequest(3377, MINUTE + 60_000), GO)
    client(gateway, session).start(FlowRequest(3378, MINUTE), GO)
    assert len(gateway.of("trigger")) == 3


@pytest.mark.parametrize(
    "row",
    [
        {"instanceId": "33770-1", "flowId": 33770},
        {"instanceId": "1-33770", "flowId": 1, "flowName": "3377"},
        {"instanceId": "3377-1", "flowId": 3377, "triggerTime": "2019-11-22 09:24:00"},  # the range was not kept
    ],
)
def test_runs_of_other_flows_and_minutes_are_in_no_way(row: dict[str, Any]) -> None:
    one, gateway = flows(search=rows(row))
    one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        says(b""), says(b"[]"), says({"status": 0}), says({"status": 0, "data": []}),
        says({"status": 0, "data": {"flowInsts": None, "count": 1}}), says({"status": 0, "data": {"flowInsts": {}}}),
        says({"status": 0, "data": {"flowInsts": [None], "count": 1}}),
        says({"status": 0, "data": {"flowInsts": [{"flowId": 3377}], "count": 1}}),
        says({"status": 0, "data": {"flowInsts": [{"instanceId": "x"}], "count": 1}}),
        says({"status": 0, "data": {"flowInsts": [{"instanceId": [1]}], "count": 1}}),
        says({"status": 0, "data": {"flowInsts": [], "count": 3}}), error(62109), error(1005), says(b"", 500),
        error(99999), says(recorded("list-none")[:-3]), error(429), says("[" * 100_000),
    ],
)  # fmt: skip
def test_a_look_that_cannot_be_read_keeps_the_start_from_being_sent(answer: Answer) -> None:
    one, gateway = flows(search=answer)
    with pytest.raises(NotReached, match="nothing was fired"):
        one.start(SEED, GO)
    assert gateway.of("trigger") == []


def test_a_look_that_is_refused_keeps_the_start_from_being_sent() -> None:
    one, gateway = flows(search=error(62101))
    with pytest.raises(Refused, match=r"EnOS refused POST /flowInstances\?action=search: 200 62101"):
        one.start(SEED, GO)
    assert gateway.of("trigger") == []


def test_the_leave_is_asked_for_last() -> None:
    """After the look and the token; and once more before the same start goes again with a new token."""
    gateway = Gateway(get_token=[token("old"), token("new")], trigger=[error(1203), STARTED])

    def alive() -> bool:
        gateway.asked.append(list(gateway.order))
        return True

    client(gateway).start(SEED, Leave(alive))
    first = ["token", "search", "search", "search"]
    assert gateway.asked == [first, [*first, "trigger", "token"]]


def test_nothing_is_sent_without_the_engine() -> None:
    one, gateway = flows()
    with pytest.raises(Orphaned):
        one.start(SEED, Leave(lambda: False))
    assert gateway.of("trigger") == []


# --- start: its answer


def test_without_a_date_our_own_clock_counts() -> None:
    one, _ = flows(trigger=says(recorded("trigger-v21"), date=""))
    started = one.start(SEED, GO)
    assert (started.id, started.at) == ("2791-19700101000000", datetime.fromtimestamp(NOW, timezone.utc))


def test_an_answer_that_breaks_off_after_the_id() -> None:
    one, _ = flows(trigger=says(recorded("trigger-printed")[:-5], complete=False))
    assert one.start(SEED, GO).id == "2791-19700101000000"


@pytest.mark.parametrize(
    "answer",
    [
        says(""), says("<html>log in</html>"), says({"status": 0}), says({"status": 0, "data": {}}),
        says({"status": 0, "data": {"flowInstanceId": 5}}), says(recorded("trigger-printed")[:-12], complete=False),
        says(recorded("trigger-printed"), 500), error(62109, "Server internal exception"), error(1005),
        error(1005, status=400),
        error(77777), error("odd"), error([]), error({}), error(1.5), says("[" * 100_000), says('{"status":NaN}'),
        says("", 500), says("", 502), says("", 503), says("", 408), error(62109, status=404),
        says({"status": 0, "code": 62109, "data": {"flowInstanceId": "1-2"}}),
    ],
)  # fmt: skip
def test_start_whose_outcome_is_unknown(answer: Answer) -> None:
    one, gateway = flows(trigger=answer)
    with pytest.raises(UnknownOutcome, match=r"POST /flows\?action=trigger"):
        one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 1


def test_the_code_is_in_the_text_of_an_unknown_outcome() -> None:
    one, _ = flows(trigger=error(62109, "Server internal exception"))
    with pytest.raises(UnknownOutcome, match=r"failed at POST /flows\?action=trigger: 200 62109: Server internal"):
        one.start(SEED, GO)


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize("code", [code for code, (kind, _) in CODES.items() if kind is Kind.REFUSED])
@pytest.mark.parametrize("name", ["status", "code"])
def test_documented_codes_refuse_with_a_hint(code: str, status: int, name: str) -> None:
    for value in (int(code), code):
        one, gateway = flows(trigger=says({name: value, "msg": "no"}, status))
        with pytest.raises(Refused) as caught:
            one.start(SEED, GO)
        assert (caught.value.code, caught.value.status, caught.value.message) == (code, status, "no")
        assert caught.value.hint
        assert "{" not in str(caught.value)
        assert str(caught.value).endswith(".")
        assert len(gateway.of("trigger")) == 1


def test_every_documented_code_has_a_kind_and_a_hint() -> None:
    documented = {"62101", "62102", "62103", "62104", "62109", "1001", "1002", "1003", "1004", "1005", "1202", "1203",
                  "1204", "4011", "4012"}  # fmt: skip
    assert documented <= set(CODES)
    assert all(hint for _, hint in CODES.values())


def test_text_of_a_refusal() -> None:
    one, _ = flows(trigger=says(recorded("error-no-task")))
    with pytest.raises(Refused) as caught:
        one.start(SEED, GO)
    assert str(caught.value) == (
        "EnOS refused POST /flows?action=trigger: 200 62104: This workflow has no task. You cannot trigger it. Give "
        "flow 3377 a task first: it has none."
    )


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 405, 411, 451])
def test_start_that_the_gateway_refuses(status: int) -> None:
    for body in (b"", b"<html>", b"[]", b'{"error":"x"}'):
        one, _ = flows(trigger=says(body, status))
        with pytest.raises(Refused, match=f"EnOS refused POST /flows.action=trigger: {status}") as caught:
            one.start(SEED, GO)
        if status in (401, 403):
            assert KEYS.source in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_where_the_key_came_from_is_told_with_a_documented_code_too(status: int) -> None:
    one, _ = flows(trigger=error(62104, status=status))
    with pytest.raises(Refused, match=r"flow 3377 a task first.*environment ENOS_ACCESS_KEY\.$"):
        one.start(SEED, GO)


@pytest.mark.parametrize("answer", [says("", 429), error(429), error(429, status=503)])
def test_throttled(answer: Answer) -> None:
    one, gateway = flows(trigger=answer)
    with pytest.raises(Throttled, match="try again later"):
        one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 1
    assert not gateway.slept


@pytest.mark.parametrize("answer", [says("", 429), error(429)])
def test_a_throttled_token_request(answer: Answer) -> None:
    """It says nothing of the run."""
    one, gateway = flows(get_token=answer)
    with pytest.raises(NotReached, match=r"no access token.*try again later"):
        one.start(SEED, GO)
    assert gateway.of("trigger") == []
    later = error(429)  # the transport itself asks again after the status
    one, gateway = flows(get_token=[later, token()], get=says(recorded("instance-running")))
    assert one.get(RUN).phase is Phase.RUNNING
    assert gateway.order == ["token", "token", "get"]
    one, gateway = flows(get_token=[token("old"), answer], trigger=error(1203))
    with pytest.raises(NotReached, match="nothing was fired"):
        one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 1


@pytest.mark.parametrize("kind", [NotReached, UnknownOutcome])
def test_errors_of_the_transport_keep_their_kind(kind: type[RunsError]) -> None:
    one, gateway = flows(trigger=kind("POST /flows to gw: because"))
    with pytest.raises(kind, match=r"EnOS .*because"):
        one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 1


# --- tokens


EXPIRED = [
    error(1203),
    error(1204),
    says(recorded("error-expired-sdk")),
    says({"apim_status": 4012}),
    error(1203, status=401),
]


@pytest.mark.parametrize("expired", EXPIRED)
def test_an_expired_token_is_renewed_and_the_start_repeated_once(expired: Answer) -> None:
    one, gateway = flows(get_token=[token("old"), token("new")], trigger=[expired, STARTED])
    assert one.start(SEED, GO).id == "2791-19700101000000"
    first, second = gateway.of("trigger")
    assert first.prepared.headers["apim-accesstoken"] == "old"
    assert second.prepared.headers["apim-accesstoken"] == "new"
    assert int(second.prepared.headers["apim-timestamp"]) > int(first.prepared.headers["apim-timestamp"])
    assert first.body == second.body
    assert gateway.order[-3:] == ["trigger", "token", "trigger"]


@pytest.mark.parametrize("expired", EXPIRED)
def test_expired_again_is_refused(expired: Answer) -> None:
    one, gateway = flows(get_token=[token("old"), token("new")], trigger=expired)
    with pytest.raises(Refused, match="new access token was refused as well"):
        one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 2


def test_an_answer_lost_after_an_expired_token_is_unknown() -> None:
    one, gateway = flows(trigger=[error(1203), UnknownOutcome("POST /flows: gone")])
    with pytest.raises(UnknownOutcome):
        one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 2


def test_no_new_token_after_an_expired_one_means_nothing_ran() -> None:
    one, gateway = flows(get_token=[token("old"), says("", 500)], trigger=error(1203))
    with pytest.raises(NotReached, match="nothing was fired"):
        one.start(SEED, GO)
    assert len(gateway.of("trigger")) == 1


def test_a_gateway_that_gives_the_expired_token_again_is_asked_to_refresh_it() -> None:
    one, gateway = flows(get_token=token("old"), refresh=token("new"), trigger=[error(1203), STARTED])
    one.start(SEED, GO)
    refresh = next(sent for sent in gateway.sent if sent.path.endswith("token/refresh"))
    assert refresh.json["accessToken"] == "old"
    assert gateway.of("trigger")[-1].prepared.headers["apim-accesstoken"] == "new"


def test_a_token_is_kept_for_the_process_and_renewed_before_it_expires() -> None:
    session = Session()
    one, gateway = flows(session, get=says(recorded("instance-running")))
    one.get(RUN)
    client(gateway, session).get(RUN)
    assert gateway.order == ["token", "get", "get"]
    gateway.now += 7200 - 301
    one.get(RUN)
    assert gateway.order == ["token", "get", "get", "get"]
    gateway.now += 2
    one.get(RUN)
    assert gateway.sent[-2].path.endswith("token/refresh")
    assert gateway.sent[-1].prepared.headers["apim-accesstoken"] == "hunter4-token"


def test_the_rest_of_a_shared_token_s_life_is_renewed_at_once() -> None:
    one, gateway = flows(get_token=token("old", 20), get=says(recorded("instance-running")))
    one.get(RUN)
    assert [sent.path.rpartition("/")[2] for sent in gateway.sent] == ["get", "refresh", "flowInstances"]
    one, gateway = flows(get_token=token("old", 20), refresh=error(1204), get=says(recorded("instance-running")))
    one.get(RUN)
    assert gateway.sent[-1].prepared.headers["apim-accesstoken"] == "old"


def test_a_token_that_cannot_be_refreshed_is_got_anew() -> None:
    one, gateway = flows(
        get_token=[token("old"), token("new")], refresh=says("", 404), get=says(recorded("instance-running"))
    )
    one.get(RUN)
    gateway.now += 7000
    one.get(RUN)
    assert gateway.sent[-1].prepared.headers["apim-accesstoken"] == "new"


def test_a_token_request_that_was_seen_is_sent_again_with_a_new_timestamp() -> None:
    one, gateway = flows(get_token=[error(1001), error(1005), error(1001), token()])
    one.start(SEED, GO)
    stamps = [sent.json["timestamp"] for sent in gateway.sent if sent.path.endswith("token/get")]
    assert len(stamps) == len(set(stamps)) == 4
    assert len({sent.json["encryption"] for sent in gateway.sent if sent.path.endswith("token/get")}) == 4


@pytest.mark.parametrize("answer", [error(1001), error(1005), says("", 500), NotReached("x"), token("a b"), token(""),
                                    says({"status": 0, "data": {"accessToken": 5}}), says("[]"), says("")])  # fmt: skip
def test_no_token_means_nothing_ran(answer: Any) -> None:
    one, gateway = flows(get_token=answer)
    with pytest.raises(NotReached, match=r"nothing was fired.*no access token") as caught:
        one.start(SEED, GO)
    assert str(caught.value).count("no access token") == 1
    assert {sent.action for sent in gateway.sent} == {"get"}


@pytest.mark.parametrize(
    ("code", "hint"), [(1002, "does not know it"), (1003, "does not belong"), (1004, "report"), (1202, "report")]
)
def test_a_refused_token_request(code: int, hint: str) -> None:
    one, gateway = flows(get_token=error(code))
    for call in (
        lambda: one.start(SEED, GO),
        lambda: one.get(RUN),
        lambda: one.cancel(RUN),
        lambda: one.find(SEED, SINCE, soon()),
    ):
        with pytest.raises(Refused, match=f"EnOS gave no access token.*{code}.*{hint}"):
            call()
    assert gateway.order == ["token"] * 4


@pytest.mark.parametrize("expire", [None, "x", -5, 0, True, 1e300, [], 10**30])
def test_an_odd_expiry_does_not_stop_a_token(expire: Any) -> None:
    one, _ = flows(get_token=token("old", expire))
    assert one.start(SEED, GO).id


def test_threads_share_one_token() -> None:
    session, came = Session(), threading.Barrier(8)
    gateway = Gateway(get=[says(recorded("instance-running"))])

    def ask() -> None:
        came.wait()
        client(gateway, session).get(RUN)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gateway.order.count("token") == 1
    stamps = [sent.prepared.headers["apim-timestamp"] for sent in gateway.sent if "token" not in sent.path]
    assert len(set(stamps)) == 8


def test_a_session_shows_no_token() -> None:
    one, _ = flows(session := Session())
    one.start(SEED, GO)
    assert session.token
    assert session.token not in repr(session)


def test_a_server_that_sends_back_what_it_was_sent() -> None:
    echo = f"{KEYS.secret} {KEYS.id} {'a1' * 32}"
    own = error(1003, echo)
    echo += " hunter3-token"
    for answers in ({"trigger": error(62104, echo)}, {"trigger": error(62109, echo)}, {"get_token": own},
                    {"trigger": error(echo)}, {"search": error(62109, echo)}):  # fmt: skip
        one, _ = flows(**answers)
        with pytest.raises(RunsError) as caught:
            one.start(SEED, GO)
        assert "hunter" not in str(caught.value)
        assert "a1a1" not in str(caught.value)


# --- find


def test_find_is_proof() -> None:
    one, gateway = flows(search=[NONE, NONE, ONE])
    found = one.find(SEED, SINCE, soon())
    assert [(candidate.id, candidate.proof) for candidate in found.candidates] == [(RUN, True)]
    assert found.candidates[0].began is None
    assert found.server_time == datetime(2019, 11, 22, 1, 23, 45, tzinfo=timezone.utc)
    assert gateway.of("trigger") == []


def test_a_run_that_is_surely_older_is_no_candidate() -> None:
    since = datetime(2019, 11, 23, 13, 0, tzinfo=timezone.utc)
    one, gateway = flows(search=ONE)
    gateway.answers["search"] = [says(recorded("list-one"), date="Sat, 23 Nov 2019 14:00:00 GMT")]
    assert one.find(SEED, since, soon()).candidates == ()
    with pytest.raises(MinuteTaken):  # and still nothing is fired over it
        one.start(SEED, GO)


def test_a_run_whose_time_cannot_be_read_is_a_candidate() -> None:
    one, _ = flows(search=rows({"instanceId": RUN, "flowId": 3377}))
    assert [candidate.id for candidate in one.find(SEED, SINCE, soon()).candidates] == [RUN]


def test_all_pages_are_read() -> None:
    listed = [{"instanceId": f"3377-{i}", "flowId": 3377} for i in range(120)]
    pages = [says({"status": 0, "data": {"flowInsts": listed[i : i + 50], "count": 120}}) for i in (0, 50, 100)]
    one, gateway = flows(search=[*pages, NONE])
    assert len(one.find(SEED, SINCE, soon()).candidates) == 120
    assert [sent.json["pagination"]["pageNo"] for sent in gateway.of("search")] == [0, 1, 2, 0, 0]


def test_a_service_with_smaller_pages_is_read_to_its_end() -> None:
    listed = [{"instanceId": f"3377-{i}", "flowId": 3377} for i in range(15)]
    pages = [says({"status": 0, "data": {"flowInsts": listed[i : i + 10], "count": 15}}) for i in (0, 10)]
    one, _ = flows(search=[*pages, NONE])
    assert len(one.find(SEED, SINCE, soon()).candidates) == 15


@pytest.mark.parametrize("count", [50, 500, 10**30])
def test_a_list_that_repeats_itself_is_an_error(count: int) -> None:
    listed = [{"instanceId": f"3377-{i}", "flowId": 3377} for i in range(50)]
    one, gateway = flows(search=says({"status": 0, "data": {"flowInsts": listed, "count": count}}))
    with pytest.raises(Unavailable, match="cannot list them all"):
        one.find(SEED, SINCE, soon())
    assert len(gateway.of("search")) == 2


def test_a_list_without_end_is_an_error() -> None:
    one, gateway = flows()
    pages = [
        says({"status": 0, "data": {"flowInsts": [{"instanceId": f"1-{p}-{i}", "flowId": 1} for i in range(50)]}})
        for p in range(lists.PAGES + 5)
    ]
    gateway.answers["search"] = pages
    with pytest.raises(Unavailable, match="cannot list them all"):
        one.find(SEED, SINCE, soon())


def test_questions_are_repeated_each_with_its_own_timestamp() -> None:
    one, gateway = flows(search=[error(62109), says("[]"), error(62109), NONE])
    assert one.find(SEED, SINCE, soon()).candidates == ()
    assert len(gateway.slept) == 3
    stamps = [sent.prepared.headers["apim-timestamp"] for sent in gateway.of("search")]
    assert len(set(stamps)) == len(stamps) == 6
    one, gateway = flows(search=NotReached("nobody"))
    with pytest.raises(Unavailable, match="nobody"):
        one.find(SEED, SINCE, soon())


def test_what_the_transport_sends_again_has_its_own_timestamp() -> None:
    """The gateway refuses a token request that it has seen."""
    body = recorded("token")
    with Service(reset, answer(503), answer(200, body=body)) as service:
        one = FlowClient(
            clients.hasty(), KEYS, endpoint=f"http://{service.address}", org="o", user="u", session=Session()
        )
        assert one._tokens.token(soon()) == "APIMTOKENEXAMPLE"
        told = [json.loads(one.partition(b"\r\n\r\n")[2]) for one in service.received]
    assert len({(sent["timestamp"], sent["encryption"]) for sent in told}) == 3


# --- get


def test_get() -> None:
    one, gateway = flows(get=says(recorded("instance-running")))
    found = one.get(RUN)
    assert (found.id, found.phase, found.state) == (RUN, Phase.RUNNING, "RUNNING")
    (sent,) = gateway.of("get")
    assert (sent.method, sent.body) == ("GET", b"")
    assert list(sent.query.items()) == [
        ("action", "get"), ("userId", "yourUserId"), ("orgId", "yourOrgId"), ("flowInstId", RUN),
    ]  # fmt: skip


@pytest.mark.parametrize("unknown", [error(62102, "flow instance not found"), says({"status": 0, "data": ""}),
                                     says({"status": 0, "data": None}), says({"status": 0, "data": {}})])  # fmt: skip
def test_a_run_is_gone_only_if_the_list_says_so_too(unknown: Answer) -> None:
    one, gateway = flows(get=unknown)
    with pytest.raises(NotFound, match=f"does not know run {RUN}"):
        one.get(RUN)
    assert [sent.json["expression"] for sent in gateway.of("search")] == [RUN] * 3
    one, _ = flows(get=unknown, search=ONE)
    assert one.get(RUN).phase is Phase.SUCCEEDED


@pytest.mark.parametrize("answer", [says({"status": 0, "data": []}), says({"status": 0, "data": {"instanceId": "x"}}),
                                    says({"status": 0, "data": "x"}), says({"status": 0, "data": {"instanceId": [1]}}),
                                    says("", 500), says(""), error(62109)])  # fmt: skip
def test_an_answer_that_cannot_be_read_does_not_declare_a_run_gone(answer: Answer) -> None:
    one, gateway = flows(get=answer, search=says("", 500))
    with pytest.raises(Unavailable):
        one.get(RUN)
    assert gateway.of("trigger") == []


@pytest.mark.parametrize("id", ["", " ", "..", "a\n", "\ud800", "\u202e", "x" * 1025])
def test_what_cannot_be_an_id_is_not_sent(id: str) -> None:
    one, gateway = flows()
    for call in (one.get, one.cancel):
        with pytest.raises(InvalidConfiguration):
            call(id)
    assert gateway.sent == []


def test_an_id_cannot_change_the_request() -> None:
    one, gateway = flows(get=says({"status": 0, "data": {"status": 1}}))
    with pytest.raises(Unavailable, match="not about run"):
        one.get("1&action=delete#x")
    (sent,) = gateway.of("get")
    assert dict(parse_qsl(urlsplit(sent.prepared.url or "").query))["flowInstId"] == "1&action=delete#x"


# --- cancel


def state(number: int) -> Answer:
    return says({"status": 0, "data": {"instanceId": RUN, "flowId": 3377, "status": number}})


CANCELLED = says({"status": 0, "msg": " Success", "data": ""})


def test_cancel_waits_until_the_run_has_ended() -> None:
    one, gateway = flows(get=[state(2), state(2), state(2), state(8)], cancel=CANCELLED)
    one.cancel(RUN)
    (sent,) = gateway.of("cancel")
    assert sent.body == b'{\n  "flowInstId":"3377-20191122012300"\n}'
    assert gateway.slept == [0.5, 1.0]
    assert gateway.order == ["token", "get", "cancel", "get", "get", "get"]


@pytest.mark.parametrize("number", [1, -1, 4, 7, 8, 10])
def test_cancel_of_a_run_that_has_ended_sends_nothing(number: int) -> None:
    one, gateway = flows(get=state(number))
    one.cancel(RUN)
    assert gateway.of("cancel") == []


def test_cancel_of_an_unknown_run_is_no_error() -> None:
    one, gateway = flows(get=error(62102))
    one.cancel(RUN)
    assert gateway.of("cancel") == []


def test_a_run_that_ends_or_goes_while_it_is_cancelled_is_no_error() -> None:
    one, _ = flows(get=[state(2), state(1)], cancel=error(62102, "finished"))
    one.cancel(RUN)
    one, _ = flows(get=[state(2), error(62102)], cancel=CANCELLED)
    one.cancel(RUN)


def test_a_refused_cancel_of_a_run_that_goes_on_is_an_error() -> None:
    one, _ = flows(get=state(2), cancel=error(62103))
    with pytest.raises(Refused, match="yourUserId must own flow 3377"):
        one.cancel(RUN)


@pytest.mark.parametrize("number", [2, 5, 99])
def test_a_run_that_still_goes_on_is_said_after_the_bound(number: int) -> None:
    one, gateway = flows(get=state(number), cancel=CANCELLED)
    with pytest.raises(RunsError, match=f"run {RUN}, but it still goes on after 300 s"):
        one.cancel(RUN)
    assert 285 < sum(gateway.slept) <= module.CANCEL_SECONDS
    assert len(gateway.of("cancel")) == 1


def test_a_lost_cancel_is_sent_again() -> None:
    one, gateway = flows(get=[state(2), state(8)], cancel=[error(62109), CANCELLED])
    one.cancel(RUN)
    assert len(gateway.of("cancel")) == 2
