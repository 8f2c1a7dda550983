"""Answers of a hostile service: every call ends in a result or in an error of ours, and no start is taken for none."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from cloud_runs import errors
from cloud_runs.errors import RunsError, Unavailable, UnknownOutcome, clean
from cloud_runs.limits import Leave, Limit
from cloud_runs.promise import firing
from cloud_runs.promise.clock import Clock
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Content, Intent
from cloud_runs.promise.rules import Ask
from cloud_runs.runs import Candidate, Found, Phase, RunStatus, Started
from cloud_runs.tencent import answers as tencent
from cloud_runs.wire import calls
from cloud_runs.wire.payloads import PARTS, overfull
from cloud_runs.wire.transport import Answer
from tests.hostile import answers, bombs, cases, oracle, parsers, systems
from tests.kits import KITS
from tests.support.clients import GO, Scripted, says, soon
from tests.support.examples import examples

SEEDS = st.integers(0, 2**32).map(str)
texts = st.text(max_size=30) | st.sampled_from(answers.TEXTS)
plain = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(answers.VALUES)
trees = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(answers.NAMES) | texts, inner, max_size=6)
    ),
    max_leaves=30,
)
ANSWER = Answer(200, CaseInsensitiveDict(), b"")


@examples(1500)
@given(SEEDS)
def test_answers_as_a_transport_hands_them_over(seed: str) -> None:
    cases.within(120, lambda: cases.told(seed))


@examples(500)
@given(trees)
def test_any_tree_can_be_read(tree: Any) -> None:
    members = tree if isinstance(tree, dict) else {"a": tree}
    for kit in KITS.values():
        oracle.a_result(kit.status(members), ())
    for kind in ("json", "xml"):
        with contextlib.suppress(UnicodeEncodeError):
            parsers.read_all(answers.written(kind, tree))


@examples(300)
@given(st.binary(max_size=300) | st.sampled_from(answers.ODD) | st.sampled_from(answers.TEXTS).map(str.encode))
def test_any_bytes_can_be_read(body: bytes) -> None:
    parsers.read_all(body)


@given(st.text() | st.sampled_from(answers.TEXTS), st.integers(1, 400))
def test_text_that_is_shown(text: str, limit: int) -> None:
    shown = clean(text, limit)
    oracle.fit(shown)
    shown.encode()
    assert len(shown) <= limit
    assert clean(shown, limit) == shown


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["whole-deep-xml", "attributes-xml", "entities", "quadratic-entities"], marks=pytest.mark.long),
        ["entities", "names-json"],
    ],
    ids=["xml", "few"],
)
def test_bombs_in_bounded_memory(names: list[str]) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux's /proc")
    command = [sys.executable, "-m", "tests.hostile.bombs", *names, "--calls", "start", "get"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout.splitlines()
    assert len(told) == 2 * len(names)
    assert int(told[-1].split()[0]) < bombs.MOST


READERS = {"tencent.workflow": "xml", "huawei.workflow": "json", "enos.flow": "json"}
"""One system for each code that reads the answer to a start, and its format."""
UNREADABLE = [name for name in bombs.ALL if name not in ("ids-xml", "ids-json")]
"""Of those two the id can be read, in whatever it is wrapped."""
BOMBS = [
    pytest.param(
        name, system, marks=() if READERS.get(system) == ("xml" if name in bombs.XML else "json") else pytest.mark.long
    )
    for name in UNREADABLE
    for system in KITS
]


@pytest.mark.parametrize(("name", "system"), BOMBS)
def test_a_bomb_is_an_unknown_outcome_of_a_start(name: str, system: str) -> None:
    with pytest.raises((UnknownOutcome, errors.NotReached)) as raised:
        systems.client(system, bombs.Bomb(bombs.ALL[name]())).start(KITS[system].request, GO)
    assert isinstance(raised.value, UnknownOutcome) or KITS[system].by_minute


# --- one defect each, found by the above and mended


def test_a_list_is_not_followed_for_ever() -> None:
    clock = systems.Clock(systems.NOW)

    def slow(*_: Any, **__: Any) -> Answer:
        clock.sleep(60)  # each page as long as one call may take
        token = f"t{clock.now}"
        return says(f"<Response><NextToken>{token}</NextToken></Response>")

    script: Any = Scripted("")
    script.read = slow
    client = systems.client("tencent.workflow", script)
    with pytest.raises(calls.TooManyPages, match="took more than 600 s"):
        client.find(KITS["tencent.workflow"].request, systems.SINCE, Limit(600, clock))
    assert clock.now == systems.NOW + 600
    long = says(f"<Response><NextToken>{'t' * 5000}</NextToken></Response>")
    with pytest.raises(Unavailable, match="too long a nextToken"):
        systems.client("tencent.workflow", Scripted("", long)).find(
            KITS["tencent.workflow"].request, systems.SINCE, soon()
        )


def test_a_job_that_names_a_million_workflows() -> None:
    ids = ",".join(f"w{n}" for n in range(101))
    job = f"<JobId>b1</JobId><State>Success</State><Operation><WorkflowIds>{ids}</WorkflowIds></Operation>"
    script = Scripted("", says(f"<Response><JobsDetail>{job}</JobsDetail></Response>"))
    told = systems.client("tencent.inventory", script).get("b1")
    assert told.phase is Phase.UNKNOWN
    assert "101 workflows" in told.message
    assert len(script.sent) == 1


@pytest.mark.parametrize("id", ["..", "\u202eb", "x" * 1025, "a\u200bb"])
def test_a_listed_id_that_cannot_be_asked_for(id: str) -> None:
    """It would end in an error's list of candidates, or as the id of the resource."""
    row = f"<WorkflowExecutionList><RunId>{id}</RunId><Object>test.mp4</Object></WorkflowExecutionList>"
    for system, answer in (
        ("tencent.workflow", says(f"<Response>{row}</Response>")),
        ("huawei.workflow", says({"executions": [{"execution_name": id}], "is_truncated": False})),
        ("huawei.dwr", says({"executions": [{"execution_name": id}], "is_truncated": False})),
    ):
        shown = re.escape(errors.clean(id, 100))
        with pytest.raises(Unavailable, match=f"listed a run whose .* cannot be used.*'{shown}'"):
            systems.client(system, Scripted("", answer)).find(KITS[system].request, systems.SINCE, soon())


STARTED_AND_THROTTLED = [
    ("huawei.workflow", {"execution_name": "e1", "code": "SlowDown"}),
    ("huawei.workflow", {"execution_name": "e1", "error_code": "SYS.0011"}),
    ("huawei.dwr", {"execution_name": "e1", "error_code": "SYS.0011"}),
    ("huawei.dwr", {"execution_name": "e1", "error_code": "APIG.0308"}),
]


@pytest.mark.parametrize(("system", "body"), STARTED_AND_THROTTLED)
def test_an_id_beside_a_throttling_code_is_a_start(system: str, body: Any) -> None:
    """Else it would be fired again."""
    assert systems.client(system, Scripted("", says(body))).start(KITS[system].request, GO).id == "e1"


@pytest.mark.parametrize("code", [62103, 1203, 429])
def test_an_id_beside_a_code_of_enos_that_says_no_settles_nothing(code: int) -> None:
    sent = []

    class Transport(systems.Hostile):
        def start(self, method: str, url: str, **kwargs: Any) -> Answer:  # type: ignore[override]
            line = (
                f"{method} {url[len('https://gw.example') :]}?action={dict(kwargs.get('params') or ()).get('action')}"
            )
            if systems.starts_a_run(line):
                sent.append(line)
                return says({"status": code, "data": {"flowInstanceId": "3377-20191122012300"}})
            if "search" in line:
                return says({"status": 0, "data": {"flowInsts": [], "count": 0}})
            return says(answers.written(*answers.good(line)))

        read = start

    with pytest.raises(UnknownOutcome):
        systems.client("enos.flow", Transport(systems.Choices("x"))).start(KITS["enos.flow"].request, GO)
    assert len(sent) == 1


NOW = datetime(2022, 7, 14, 12, tzinfo=timezone.utc)
URN = "urn:pulumi:dev::p::pulumi-python:dynamic/tencent:WorkflowRun::r"


class Cloud:
    """A service whose clock is what it likes."""

    work = "w"
    marked = False

    def __init__(self, date: datetime | None, *candidates: Candidate) -> None:
        self.date, self.candidates, self.starts = date, candidates, 0

    def find(self, since: datetime, limit: Limit) -> Found:
        return Found(self.candidates, self.date)

    def start(self, leave: Leave) -> Started:
        self.starts += 1
        return Started("new", self.date or NOW)


def settle(cloud: Cloud, *, earlier: bool = True) -> firing.Settled:
    """The `create` of a run whose intent was made a minute ago, by an earlier process or by this one."""
    process = Process(Clock(now=lambda: NOW, monotonic=lambda: 100.0, boot=lambda: "", uptime=lambda: 0.0))
    process.began -= 3600
    maker = Process(Clock(now=lambda: NOW - timedelta(minutes=1), boot=lambda: "")) if earlier else process
    intent = Intent(maker.moment("t"), Content())
    return firing.settle(Ask(URN, intent, Content()), "s", cloud, firing.World(process, lambda: True))


@pytest.mark.parametrize("hours", [-1_000_000, -4, 4, 1_000_000])
def test_a_service_with_a_nonsense_clock_hides_no_run(hours: int) -> None:
    """By its clock the lost run would have begun before the intent: "none found" would fire a second one."""
    cloud = Cloud(NOW + timedelta(hours=hours), Candidate("lost", NOW - timedelta(seconds=30)))
    with pytest.raises(Unavailable, match="check this machine's clock"):
        settle(cloud)
    assert cloud.starts == 0
    cloud.candidates = ()
    assert settle(cloud, earlier=False).at == NOW, "else a later look-up would take every run for an older one"


@pytest.mark.parametrize("date", [None, NOW, NOW + timedelta(minutes=14), NOW - timedelta(minutes=14)])
def test_a_clock_that_a_service_can_have(date: datetime | None) -> None:
    assert settle(Cloud(date)).id == "new"


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_is_far_off_hides_no_run_of_another_machine(hours: int) -> None:
    """A service may bear it. The run began at its intent, by the one clock or by the other."""
    for clock in (timedelta(0), timedelta(hours=hours)):
        cloud = Cloud(NOW + timedelta(hours=hours), Candidate("lost", NOW - timedelta(seconds=30) + clock))
        with contextlib.suppress(errors.Ambiguous):
            assert settle(cloud).id == "lost"
        assert cloud.starts == 0


def test_too_many_parts_are_not_read() -> None:
    row = b'{"execution_name": "e", "started_at": "t", "input": "{}", "a": 1, "b": 2, "c": 3, "d": 4},'
    assert not overfull(b"[" + row * 10_000), "ten times the largest page"
    assert overfull(b"<a>" * (PARTS + 1))
    assert overfull("," * (PARTS + 1))


def test_what_a_gateway_says_of_an_old_token_is_not_told() -> None:
    """A token that was refused as expired, and then told again by the answer that gives no new one."""

    class Transport(systems.Hostile):
        tokens = 0

        def start(self, method: str, url: str, **kwargs: Any) -> Answer:  # type: ignore[override]
            if "token/get" not in url:
                return says({"status": 1203, "msg": "expired"} if "token" not in url else {"status": 1005})
            self.tokens += 1
            good = json.loads(answers.written(*answers.good("POST /apim-token-service")))
            return says(good if self.tokens == 1 else {"status": 1002, "msg": f"not {answers.ACCESS}"})

        read = start

    with pytest.raises(RunsError, match=re.escape("not ***")):
        systems.client("enos.flow", Transport(systems.Choices("x"))).get("3377-1")


def test_the_oracle_sees_what_it_should() -> None:
    """Each thing that it judges, broken once."""
    with pytest.raises(AssertionError):
        oracle.fit("\x1b[31m")
    with pytest.raises(AssertionError):
        oracle.an_error(RunsError(f"sent {answers.SECRET}"), {answers.SECRET})
    with pytest.raises(AssertionError):
        oracle.a_result(Started("..", NOW), ())
    with pytest.raises(AssertionError):
        oracle.a_result(RunStatus("i", tencent.phase("x"), "\u202e"), ())
    with pytest.raises(AssertionError):
        oracle.a_start(errors.Refused("x", status=500), [(500, b"")])
    with pytest.raises(AssertionError):
        oracle.a_start(UnknownOutcome("x"), [(500, b""), (500, b"")])
    oracle.a_start(errors.Refused("x", status=403), [(403, b"")])


UNLISTED = [
    ("huawei.workflow", {"code": "SYS.9999", "message": "m"}, "check workflow scan, the bucket and region cn-north-4"),
    ("huawei.dwr", {"error_code": 9999, "error_msg": "m"}, "check workflow scan, the bucket and region cn-north-4"),
    ("enos.flow", {"status": 69999, "msg": "m"}, "check flow_id 3377, organization o15 and user alice"),
]


@pytest.mark.parametrize(("system", "body", "hint"), UNLISTED)
def test_a_code_in_none_of_the_pages_says_what_to_check(system: str, body: Any, hint: str) -> None:
    class Transport(systems.Hostile):
        def start(self, method: str, url: str, **kwargs: Any) -> Answer:  # type: ignore[override]
            if "token" in url:
                return says(answers.written(*answers.good("POST /apim-token-service")))
            return says(body, 400)

        read = start

    with pytest.raises(errors.Refused, match=hint):
        systems.client(system, Transport(systems.Choices("x"))).start(KITS[system].request, GO)
