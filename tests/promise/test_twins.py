"""The same work twice, or more often, in one stack: nobody takes another's run, and each has one in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest

from cloud_runs import errors
from cloud_runs.limits import Leave, Limit
from cloud_runs.promise.records import Intent
from cloud_runs.promise.rules import Doubt
from cloud_runs.runs import Found, Started
from tests.promise.kit import SPACE, TWIN, URN, Cloud, Fleet, Host, Killed, Request, killed, on_record, recorded

WAIT = 30  # seconds, until a test that hangs ends


@pytest.mark.parametrize("how", ["diff", "delete", "create"])
def test_a_run_that_a_twin_has_on_record_is_no_candidate(cloud: Cloud, how: str) -> None:
    first = Host(cloud)
    intents = first.mint(), first.mint()
    twin = recorded(first.create(intents[0], urn=TWIN), intents[0])
    second = Host(cloud)
    if how == "diff":
        assert second.process.saw(TWIN, SPACE, twin) == {}
    elif how == "delete":
        second.process.deleted(twin.fired.token, SPACE, twin)
    else:
        second.process.settled(TWIN, "t", SPACE, [twin.id])
    settled = second.create(intents[1])
    assert settled.provenance == "fired"
    assert settled.id != twin.id
    assert cloud.starts == 2


def test_the_same_id_in_another_id_space_is_no_twin(cloud: Cloud) -> None:
    intent = killed(cloud)
    host = Host(cloud)
    host.process.saw(TWIN, "huawei", on_record(cloud.ours()[0]))
    assert host.create(intent).provenance == "found"


def test_two_lost_twins_each_find_a_run(cloud: Cloud, host: Host) -> None:
    cloud.fates = ["lost", "lost"]
    found = [host.create(host.mint(), urn=urn).id for urn in (URN, TWIN)]
    assert found == cloud.ours()
    assert cloud.starts == 2


class Meeting(Request):
    """A start that lets a second thread into it, if anything would."""

    inside = most = 0

    def start(self, leave: Leave) -> Started:
        Meeting.inside += 1
        Meeting.most = max(Meeting.most, Meeting.inside)
        try:
            threading.Event().wait(0.02)
            return super().start(leave)
        finally:
            Meeting.inside -= 1


def together(calls: list[Callable[[], object]]) -> None:
    gate = threading.Barrier(len(calls))

    def meet(call: Callable[[], object]) -> None:
        gate.wait(WAIT)
        call()

    threads = [threading.Thread(target=meet, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * WAIT)
        assert not thread.is_alive()


@pytest.mark.parametrize("fate", ["answered", "lost"])
def test_threads_that_ask_for_the_same_work_at_once_each_end_with_their_own_run(
    cloud: Cloud, host: Host, fate: str
) -> None:
    cloud.fates = [fate] * 4
    Meeting.most = 0
    ids: list[str] = []

    def work(urn: str) -> Callable[[], object]:
        return lambda: ids.append(host.create(host.mint(), urn=urn, request=Meeting(cloud)).id)

    together([work(f"{URN}{n}") for n in range(4)])
    assert sorted(ids) == sorted(cloud.ours())
    assert len(set(ids)) == len(ids) == cloud.starts == 4
    assert Meeting.most == 1, "the same work takes turns"


# -- N asks and N candidates


class Waiting(Request):
    """Looks only when so many resources are in doubt about the work."""

    host: Host
    asks = 2

    def find(self, since: datetime, limit: Limit) -> Found:
        if not self.cloud.looks:  # the first of them, which holds the turn
            deadline = threading.Event()
            for _ in range(WAIT * 100):
                if self.host.process.doubters(self.work) >= self.asks:
                    break
                deadline.wait(0.01)
        return super().find(since, limit)


def in_doubt(cloud: Cloud, host: Host, intents: list[Intent]) -> tuple[list[str], list[errors.Ambiguous]]:
    """The ids that so many asks come to, and what stops the others."""
    ids: list[str] = []
    stopped: list[errors.Ambiguous] = []

    def work(number: int, intent: Intent) -> Callable[[], object]:
        request = Waiting(cloud, owner=f"ours {number}")
        request.host, request.asks = host, len(intents)

        def create() -> None:
            try:
                ids.append(host.create(intent, urn=f"{URN}{number}", request=request).id)
            except errors.Ambiguous as error:
                stopped.append(error)

        return create

    together([work(number, intent) for number, intent in enumerate(intents)])
    return ids, stopped


@pytest.mark.parametrize("started", [0, 1, 2, 3])
def test_as_many_asks_in_doubt_as_runs_or_more(cloud: Cloud, started: int) -> None:
    """Any assignment of the runs is right, and who gets none has none: it is fired."""
    intents = [killed(cloud, "killed" if number < started else "killed before") for number in range(3)]
    ids, stopped = in_doubt(cloud, Host(cloud), intents)
    assert stopped == []
    assert sorted(ids) == sorted(cloud.ours())
    assert len(set(ids)) == 3
    assert len(cloud.runs) == 3


def test_fewer_asks_than_runs_take_none(cloud: Cloud) -> None:
    intents = [killed(cloud), killed(cloud)]
    cloud.begin("foreign")
    ids, stopped = in_doubt(cloud, Host(cloud), intents)
    assert ids == []
    assert [len(error.candidates) for error in stopped] == [3, 3]
    assert len(cloud.runs) == 3


def test_an_ask_that_only_fires_is_none_of_them(cloud: Cloud) -> None:
    """Or somebody else's run would be taken: two candidates, and one of them was asked for by nobody here."""
    intent = killed(cloud)
    cloud.begin("foreign")
    host = Host(cloud)
    turn = threading.Event()

    class Fresh(Request):
        @property
        def work(self) -> str:  # type: ignore[override]
            turn.set()  # it waits for its turn now
            return "work"

        @work.setter
        def work(self, value: str) -> None: ...

    fresh = threading.Thread(target=lambda: host.create(host.mint(), urn=TWIN, request=Fresh(cloud)))

    class First(Request):
        def find(self, since: datetime, limit: Limit) -> Found:
            turn.clear()
            fresh.start()
            assert turn.wait(WAIT)
            return super().find(since, limit)

    with pytest.raises(errors.Ambiguous):
        host.create(intent, request=First(cloud))
    fresh.join(WAIT)
    assert cloud.starts == 2


def test_two_fan_outs_in_doubt_about_the_same_objects(cloud: Cloud) -> None:
    """Both were killed after they had started the one that they share."""
    moments = []
    for urn in (URN, TWIN):
        host = Host(cloud)
        moments.append(host.process.moment())
        cloud.of = {"shared": ["answered"], "last": ["killed"]}
        with pytest.raises(Killed):
            host.fan(["shared", "last"], urn=urn)
        cloud.sleep(1)
    host = Host(cloud)
    ids: list[str] = []

    class Slow(Fleet):
        def find(self, keys: object, since: datetime, limit: Limit) -> Found:
            for _ in range(WAIT * 100):
                if self.cloud.looks or self.host.process.doubters("shared") == 2:
                    break
                threading.Event().wait(0.01)
            return super().find(keys, since, limit)  # type: ignore[arg-type]

    def fan(urn: str, moment: object) -> Callable[[], object]:
        doubt = Doubt(["shared"], [moment])  # type: ignore[list-item]
        return lambda: ids.extend(host.fan([], doubt, urn=urn, fleet=Slow(cloud, host)).ids.values())

    together([fan(urn, moment) for urn, moment in zip((URN, TWIN), moments, strict=True)])
    assert sorted(ids) == sorted(cloud.ours("shared"))
    assert cloud.counts()["shared"] == 2


def test_a_run_that_two_have_on_record_is_told_by_the_next_diff_of_either(cloud: Cloud) -> None:
    process = Host(cloud).process
    assert process.saw(URN, SPACE, on_record("i1", "t1")) == {}
    assert process.saw(TWIN, SPACE, on_record("i1", "t2")) == {"i1": URN}
    assert process.saw(URN, SPACE, on_record("i1", "t1")) == {}, "told once"
    assert process.saw(TWIN, "another id space", on_record("i1", "t2")) == {}
