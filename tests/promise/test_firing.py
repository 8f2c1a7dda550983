"""One start, at most once: what the service saw (the number of starts) is what counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud_runs import errors
from cloud_runs.limits import Leave, Times
from cloud_runs.promise import firing, given_up
from cloud_runs.promise.ledger import intent_urn
from cloud_runs.promise.records import Content
from cloud_runs.promise.rules import TAKEN_BACK
from cloud_runs.runs import Phase, Started
from tests.promise.kit import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    SPACE,
    TWIN,
    URN,
    A,
    B,
    Cloud,
    Former,
    Host,
    Killed,
    Request,
    killed,
    on_record,
    recorded,
)

SETTLE = Times().settle
LIMIT = SETTLE + firing.LOOK_SECONDS

# -- the decision table


def test_without_a_token_nothing_fires(cloud: Cloud, host: Host) -> None:
    with pytest.raises(errors.RunsError, match="--target") as error:
        host.create(None)
    assert intent_urn(URN) in str(error.value)
    assert (cloud.starts, cloud.looks) == (0, [])


def test_without_a_token_nothing_fires_even_after_a_delete(cloud: Cloud, host: Host) -> None:
    first = host.mint()
    run = recorded(host.create(first), first)
    host.process.deleted(run.fired.token, SPACE, run)
    with pytest.raises(errors.RunsError, match="not part of this update"):
        host.create(None)
    assert cloud.starts == 1


def test_a_token_of_this_process_fires_without_a_look(cloud: Cloud, host: Host) -> None:
    cloud.begin("foreign")
    settled = host.create(host.mint())
    assert (settled.provenance, [settled.id]) == ("fired", cloud.ours())
    assert settled.started is not None
    assert settled.at == cloud.time()
    assert (cloud.starts, cloud.looks, host.warned) == (1, [], [])


def test_a_token_of_an_earlier_process_is_looked_up_and_fires_if_nothing_is_found(cloud: Cloud) -> None:
    intent = Host(cloud).mint()
    settled = Host(cloud).create(intent)
    assert settled.provenance == "fired"
    assert (cloud.starts, len(cloud.looks)) == (1, 1)


def test_a_token_of_an_earlier_process_that_stands_for_other_work_is_refused(cloud: Cloud) -> None:
    """Under --target of the run alone: the next full `up` makes another intent, which would fire the same again."""
    intent = Host(cloud).mint()
    host = Host(cloud)
    host.process.saw(URN, SPACE, on_record(content=A))
    with pytest.raises(errors.RunsError, match="made for other arguments"):
        host.create(intent, B)
    assert (cloud.starts, cloud.looks) == (0, [])


def test_a_run_of_a_killed_up_is_adopted(cloud: Cloud) -> None:
    intent = killed(cloud)
    host = Host(cloud)
    settled = host.create(intent)
    assert (settled.provenance, [settled.id]) == ("found", cloud.ours())
    assert settled.at == cloud.runs[0].at
    assert host.warned == [f"found run {settled.id} of an interrupted up; for a new run change a trigger"]
    assert cloud.starts == 1


def test_an_up_killed_before_the_start_fires_in_the_next(cloud: Cloud) -> None:
    intent = killed(cloud, "killed before")
    settled = Host(cloud).create(intent)
    assert (settled.provenance, [settled.id]) == ("fired", cloud.ours())


def test_a_forced_replacement_fires_without_a_look(cloud: Cloud) -> None:
    first = Host(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    second = Host(cloud)
    second.process.deleted(old.fired.token, SPACE, old)
    settled = second.create(intent)
    assert settled.provenance == "fired"
    assert settled.id != old.id
    assert (cloud.starts, cloud.looks) == (2, [])


def test_the_delete_of_another_resource_is_no_replacement(cloud: Cloud) -> None:
    intent = killed(cloud)
    host = Host(cloud)
    host.process.deleted("t", SPACE, on_record("i0", "t"))
    assert host.create(intent).provenance == "found"
    assert cloud.starts == 1


def test_one_delete_stands_for_one_replacement(cloud: Cloud) -> None:
    host = Host(cloud)
    intent = Host(cloud).mint()
    host.process.deleted(intent.token, SPACE, on_record("i0", intent.token))
    first = host.create(intent)
    assert cloud.looks == []
    assert host.create(intent) == first, "asked again, by an error hook"
    assert cloud.starts == 1
    host.process.deleted(intent.token, SPACE, recorded(first, intent))
    assert host.create(intent) != first
    assert cloud.starts == 2


def test_a_create_that_is_asked_again_returns_the_same_run(cloud: Cloud, host: Host) -> None:
    intent = host.mint()
    first = host.create(intent)
    assert host.create(intent) == first
    assert host.create(host.mint()) != first, "another intent is another ask"
    assert cloud.starts == 2


@pytest.mark.parametrize("replaced", [True, False])
def test_a_change_taken_back_keeps_the_run(cloud: Cloud, replaced: bool) -> None:
    first = Host(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    second = Host(cloud)
    second.process.saw(URN, SPACE, old)
    settled = second.create(second.mint() if replaced else first.mint())
    assert (settled.provenance, settled.id, settled.at) == ("", old.id, old.fired.at)
    assert settled.kept is old
    assert TAKEN_BACK in second.said
    assert (cloud.starts, cloud.looks) == (1, [])


def test_a_removed_trigger_is_taken_back_as_well(cloud: Cloud, host: Host) -> None:
    host.process.saw(URN, SPACE, on_record(content=Content(A.arguments, {"day": "1", "x": "y"})))
    assert host.create(host.mint(), Content(A.arguments, {"day": "1"})).kept
    assert host.create(host.mint(), Content(A.arguments, {"day": "2"})).provenance == "fired"


def test_not_kept_with_other_content(cloud: Cloud, host: Host) -> None:
    host.process.saw(URN, SPACE, on_record())
    assert host.create(host.mint(B), B).provenance == "fired"


def test_not_kept_after_its_delete(cloud: Cloud, host: Host) -> None:
    old = on_record()
    host.process.saw(URN, SPACE, old)
    host.process.deleted(old.fired.token, SPACE, old)
    assert host.create(host.mint()).provenance == "fired"
    assert cloud.starts == 1


def test_not_kept_under_its_own_token(cloud: Cloud) -> None:
    """A forced replacement that did not get to fire: the same token and content, and a new run is wanted."""
    first = Host(cloud)
    intent = first.mint()
    old = recorded(first.create(intent), intent)
    second = Host(cloud)
    second.process.saw(URN, SPACE, old)
    settled = second.create(intent)
    assert settled.provenance == "fired"
    assert settled.id != old.id


def test_not_kept_under_the_token_on_record_beside_it(cloud: Cloud) -> None:
    """The same after a change was taken back, which has left another intent beside the run than the one of its fire."""
    first = Host(cloud)
    old = recorded(first.create(first.mint()), first.mint())
    intent = first.mint()
    second = Host(cloud)
    second.process.saw(URN, SPACE, replace(old, fired=replace(old.fired, token="of its fire", beside=intent.token)))
    settled = second.create(intent)
    assert settled.provenance == "fired"
    assert cloud.starts == 2


def test_the_run_of_another_resource_is_not_kept(cloud: Cloud, host: Host) -> None:
    host.process.saw(TWIN, SPACE, on_record())
    assert host.create(host.mint()).provenance == "fired"


# -- the orphan


def test_an_orphan_never_fires(cloud: Cloud) -> None:
    orphan = Host(cloud, alive=lambda: False)
    with pytest.raises(errors.Orphaned, match="is gone"):
        orphan.create(orphan.mint())
    assert cloud.starts == 0


def test_an_orphan_never_fires_after_a_look(cloud: Cloud) -> None:
    with pytest.raises(errors.Orphaned, match="is gone"):
        Host(cloud, alive=lambda: False).create(Host(cloud).mint())
    assert cloud.starts == 0


def test_the_engine_is_asked_after_the_look(cloud: Cloud) -> None:
    seen: list[int] = []

    def alive() -> bool:
        seen.append(len(cloud.looks))
        return True

    Host(cloud, alive=alive).create(Host(cloud).mint())
    assert seen == [1]


def test_an_orphan_is_no_attempt(cloud: Cloud) -> None:
    host = Host(cloud, alive=lambda: False)
    intent = host.mint()
    with pytest.raises(errors.Orphaned):
        host.create(intent)
    assert not host.process.attempted(URN, intent.token)


def test_the_engine_is_asked_by_the_start_itself_when_all_else_is_done(cloud: Cloud, host: Host) -> None:
    """And not before: what a system must be asked first may take long, and the leave is short."""
    order: list[str] = []

    class Preparing(Request):
        def start(self, leave: Leave) -> Started:
            order.append("prepare")
            assert not leave.holds()
            leave.ask()
            assert leave.holds()
            order.append("start")
            return self.cloud.start(self.work, self.owner, self.marker, leave)

    host.alive = lambda: not order.append("engine")
    host.create(host.mint(), request=Preparing(cloud))
    assert order == ["prepare", "engine", "start"]


def test_a_preparation_that_fails_is_no_attempt(cloud: Cloud, host: Host) -> None:
    class Failing(Request):
        def start(self, leave: Leave) -> Started:
            raise errors.NotReached("nothing ran")

    intent = host.mint()
    with pytest.raises(errors.NotReached):
        host.create(intent, request=Failing(cloud))
    assert host.create(intent).provenance == "fired"
    assert (cloud.starts, cloud.looks) == (1, [])


# -- answers to the start


@pytest.mark.parametrize(("fate", "kind"), [("refused", errors.Refused), ("not reached", errors.NotReached)])
def test_a_refusal_is_no_attempt(cloud: Cloud, host: Host, fate: str, kind: type[Exception]) -> None:
    intent = host.mint()
    cloud.fates = [fate] * 3
    with pytest.raises(kind):
        host.create(intent)
    assert len(cloud.sent) == (3 if fate == "not reached" else 1), "what did not arrive is sent again, a few times"
    assert cloud.looks == []
    cloud.fates = []
    assert host.create(intent).provenance == "fired"
    assert bool(cloud.looks) == (fate == "refused"), "a refusal may have run all the same; what did not arrive did not"
    assert len(cloud.ours()) == 1


def test_a_refusal_leaves_the_replacement_wanted(cloud: Cloud) -> None:
    host = Host(cloud)
    intent = Host(cloud).mint()
    host.process.deleted(intent.token, SPACE, on_record("i0", intent.token))
    cloud.fates = ["refused"]
    with pytest.raises(errors.Refused):
        host.create(intent)
    assert host.create(intent).provenance == "fired"
    assert len(cloud.ours()) == 1


def test_an_answer_with_an_id_that_is_on_record_is_told(cloud: Cloud) -> None:
    """An idempotent front, or a cache: nothing new may have run."""
    first = Host(cloud)
    twin = recorded(first.create(first.mint(), urn=TWIN), first.mint())
    host = Host(cloud)
    host.process.saw(TWIN, SPACE, twin)
    cloud.fates = ["same id"]
    settled = host.create(host.mint())
    assert settled.id == twin.id
    assert len(host.warned) == 1
    assert f"run {twin.id}, which is recorded already: nothing new may have run" in host.warned[0]


@pytest.mark.parametrize("refusals", [0, 1, 3, 4])
def test_a_throttled_start_is_sent_again_a_few_times(cloud: Cloud, host: Host, refusals: int) -> None:
    asked: list[float] = []
    host.alive = lambda: not asked.append(cloud.seconds)
    cloud.fates = ["throttled"] * refusals
    intent = host.mint()
    if refusals < 4:
        assert host.create(intent).provenance == "fired"
        assert cloud.starts == refusals + 1
    else:
        with pytest.raises(errors.Throttled):
            host.create(intent)
        assert (cloud.starts, cloud.ours()) == (4, [])
    assert len(asked) == cloud.starts, "the engine is asked before each"
    assert cloud.looks == []


def test_a_throttled_start_is_not_sent_again_when_the_engine_has_gone(cloud: Cloud, host: Host) -> None:
    cloud.fates = ["throttled"]
    host.alive = lambda: cloud.starts == 0
    with pytest.raises(errors.Orphaned, match="engine"):
        host.create(host.mint())
    assert (cloud.starts, cloud.ours()) == (1, [])


def test_ctrl_c_ends_the_pause_before_a_start_is_sent_again(cloud: Cloud, host: Host) -> None:
    def throttled() -> str:
        host.interrupted = True
        return "throttled"

    cloud.fate = throttled
    intent = host.mint()
    with pytest.raises(errors.Interrupted):
        host.create(intent)
    assert not host.process.attempted(URN, intent.token)
    assert cloud.starts == 1


# -- lost answers


@pytest.mark.parametrize("fate", ["lost", "bug"])
def test_a_lost_answer_is_found(cloud: Cloud, host: Host, fate: str) -> None:
    cloud.fates = [fate]
    settled = host.create(host.mint())
    assert (settled.provenance, [settled.id]) == ("found", cloud.ours())
    assert host.warned == [f"the answer was lost, the run was found: {settled.id}"]
    assert any("looking for the run" in text for text in host.said)
    assert cloud.starts == 1


@pytest.mark.parametrize(("slow", "lag"), [(0, 0), (0, 10), (30, 0), (30, 10), (30, 24.5)])
def test_a_lost_answer_is_found_up_to_the_last_look(cloud: Cloud, host: Host, slow: float, lag: float) -> None:
    cloud.slow, cloud.lag, cloud.fates = slow, lag, ["lost"]
    assert [host.create(host.mint()).id] == cloud.ours()
    assert cloud.starts == 1


@pytest.mark.parametrize("fate", ["lost", "bug", "reset before"])
def test_a_lost_answer_that_is_not_found_fires_nothing_more(cloud: Cloud, host: Host, fate: str) -> None:
    cloud.lag, cloud.fates = LIMIT + 1, [fate]
    intent, began = host.mint(), cloud.seconds
    with pytest.raises(errors.UnknownOutcome, match=r"may have started.*adopt_id"):
        host.create(intent)
    assert cloud.starts == 1
    assert SETTLE + firing.LOOK_SECONDS / 2 <= cloud.seconds - began <= LIMIT
    assert max(cloud.slept) <= 10
    assert len(cloud.looks) > 3
    # Later in the same process it is looked up first; by then the list shows it, if it is there.
    cloud.sleep(10)
    settled = host.create(intent)
    assert settled.provenance == ("fired" if fate == "reset before" else "found")
    assert cloud.ours() == [settled.id]


def test_the_last_look_for_a_lost_answer_is_answered(cloud: Cloud, host: Host) -> None:
    """Its limit is that of the whole look, so it must not begin when that is over."""
    cloud.fates = ["reset before"]
    began = cloud.seconds
    with pytest.raises(errors.UnknownOutcome) as error:
        host.create(host.mint())
    assert "failed" not in str(error.value)
    assert SETTLE + firing.LOOK_SECONDS / 2 < cloud.looks[-1] - began <= LIMIT + 1


def test_the_cause_of_an_unknown_outcome_is_told(cloud: Cloud, host: Host) -> None:
    cloud.fates = ["reset before"]
    with pytest.raises(errors.UnknownOutcome, match="connection reset") as error:
        host.create(host.mint())
    assert isinstance(error.value.__cause__, errors.UnknownOutcome)


@pytest.mark.parametrize("trouble", [errors.Unavailable("503"), errors.Refused("listing", status=403)])
@pytest.mark.parametrize("marker", ["", "m"])
def test_a_service_that_cannot_be_asked_after_a_lost_answer(
    cloud: Cloud, host: Host, trouble: Exception, marker: str
) -> None:
    cloud.fates, cloud.trouble = ["lost"], trouble
    intent, request = host.mint(), Request(cloud, marker=marker)
    with pytest.raises(errors.UnknownOutcome, match="The last query failed: ") as error:
        host.create(intent, request=request)
    assert str(trouble) in str(error.value)
    assert cloud.starts == 1
    assert (len(cloud.looks) > 1) is isinstance(trouble, errors.Unavailable), "a refusal is one each time"
    cloud.trouble = None
    assert [host.create(intent, request=request).id] == cloud.ours()
    assert cloud.starts == 1


def test_a_look_that_fails_in_between_is_tried_again(cloud: Cloud, host: Host) -> None:
    cloud.fates, cloud.trouble = ["lost"], errors.Unavailable("503")
    honest = cloud.sleep

    def sleep(seconds: float) -> None:
        if cloud.looks:
            cloud.trouble = None
        honest(seconds)

    cloud.sleep = sleep  # type: ignore[method-assign]
    assert [host.create(host.mint()).id] == cloud.ours()


def test_ctrl_c_ends_the_look_for_a_lost_answer(cloud: Cloud, host: Host) -> None:
    def lost() -> str:
        host.interrupted = True
        return "lost"

    cloud.fate, began = lost, cloud.seconds
    with pytest.raises(errors.UnknownOutcome, match=r"The look-up was interrupted\. The next `pulumi up` checks again"):
        host.create(host.mint())
    assert cloud.seconds - began < 1
    assert cloud.starts == 1


@pytest.mark.parametrize("marker", ["", "m"])
def test_ctrl_c_ends_the_look_before_firing(cloud: Cloud, marker: str) -> None:
    host = Host(cloud, age=0)
    host.interrupted = True
    with pytest.raises(errors.Interrupted):
        host.create(Host(cloud).mint(), request=Request(cloud, marker=marker))
    assert cloud.starts == 0


def test_a_lost_answer_and_a_run_of_somebody_else_are_told_apart_by_nobody(cloud: Cloud, host: Host) -> None:
    foreign = cloud.begin("foreign")
    cloud.fates = ["lost"]
    with pytest.raises(errors.Ambiguous) as error:
        host.create(host.mint())
    assert set(error.value.candidates) == {foreign, *cloud.ours()}
    assert cloud.starts == 1


def test_with_proof_a_run_of_somebody_else_is_no_trouble(cloud: Cloud, host: Host) -> None:
    cloud.begin("foreign")
    cloud.fates = ["lost"]
    settled = host.create(host.mint(), request=Request(cloud, marker="run-0123"))
    assert [settled.id] == cloud.ours()


def test_with_proof_a_lost_answer_is_found_at_once(cloud: Cloud, host: Host) -> None:
    cloud.fates, began = ["lost"], cloud.seconds
    host.create(host.mint(), request=Request(cloud, marker="m"))
    assert cloud.seconds - began < 2


@pytest.mark.parametrize("fate", ["lost", "reset before"])
def test_an_earlier_run_with_the_same_marker_is_not_the_lost_one(cloud: Cloud, fate: str) -> None:
    """A forced replacement keeps the intent, and with it the generated name."""
    first, request = Host(cloud), Request(cloud, marker="m")
    intent = first.mint()
    cloud.begin("ours", marker="m")  # what was replaced before, and is on no record any more
    cloud.sleep(60)
    old = recorded(first.create(intent, request=request), intent)
    cloud.sleep(60)
    host = Host(cloud)
    host.process.deleted(intent.token, SPACE, old)
    cloud.fates = [fate]
    if fate == "lost":
        settled = host.create(intent, request=request)
        assert settled.id == cloud.ours()[-1]
    else:
        with pytest.raises(errors.UnknownOutcome):
            host.create(intent, request=request)
    assert cloud.starts == 2


@pytest.mark.parametrize(("before", "told"), [(2, True), (899, True), (900, True), (902, False), (3600, False)])
def test_a_run_from_before_a_lost_start_may_be_its_within_what_a_clock_may_be_off(
    cloud: Cloud, host: Host, before: int, told: bool
) -> None:
    foreign = cloud.begin("foreign", ago=before * SECOND)
    cloud.fates = ["lost"]
    if told:
        with pytest.raises(errors.Ambiguous) as error:
            host.create(host.mint())
        assert error.value.candidates == (foreign, *cloud.ours())
        assert cloud.starts == 1
    else:
        assert [host.create(host.mint()).id] == cloud.ours()


@pytest.mark.parametrize("minutes", [-14, -10, -5, 5, 10, 14])
def test_a_lost_answer_is_found_with_a_server_clock_that_is_off(cloud: Cloud, host: Host, minutes: int) -> None:
    cloud.ahead = minutes * MINUTE
    cloud.begin("foreign", ago=45 * MINUTE)
    cloud.fates = ["lost"]
    assert [host.create(host.mint()).id] == cloud.ours()


@pytest.mark.parametrize("skew", [-3600, -3, -1, 1, 3, 3600])
@pytest.mark.parametrize("marker", ["", "m"])
def test_a_lost_answer_is_found_whatever_the_date_says(cloud: Cloud, host: Host, skew: int, marker: str) -> None:
    cloud.skew, cloud.fates = skew * SECOND, ["lost"]
    assert [host.create(host.mint(), request=Request(cloud, marker=marker)).id] == cloud.ours()
    assert cloud.starts == 1


def test_a_run_that_only_agrees_is_neither_adopted_nor_fired_again(cloud: Cloud, host: Host) -> None:
    class Unlike(Request):
        """What the service tells of its runs agrees with what was asked for, but is more or less."""

        def start(self, leave: Leave) -> Started:
            self.cloud.begin("ours", exact=False)
            raise errors.UnknownOutcome("connection reset")

    with pytest.raises(errors.Ambiguous) as error:
        host.create(host.mint(), request=Unlike(cloud))
    assert list(error.value.candidates) == cloud.ours()


# -- an error hook asks again


@pytest.mark.parametrize("fate", ["lost", "bug", "reset before"])
@pytest.mark.parametrize("marker", ["", "m"])
def test_a_look_that_breaks_is_no_leave_to_fire_again_at_once(cloud: Cloud, host: Host, fate: str, marker: str) -> None:
    """A bug of ours, or an error that no look expects. The run may still come to be when it is asked again."""
    cloud.fates, cloud.slow, cloud.trouble = [fate], 30.0, KeyError("RunId")
    intent, request = host.mint(), Request(cloud, marker=marker)
    with pytest.raises(KeyError):
        host.create(intent, request=request)
    cloud.trouble = None
    settled = host.create(intent, request=request)
    assert cloud.ours() == [settled.id]
    assert settled.provenance == ("fired" if fate == "reset before" else "found")


def test_what_an_earlier_up_may_have_fired_is_not_forgotten_after_a_lost_answer(cloud: Cloud) -> None:
    """Nothing was found of the one, the answer of the other was lost. Both are looked for when it is asked again."""
    intent = killed(cloud)
    cloud.sleep(3600)
    first = cloud.runs.pop()  # a list that lags more than anybody thought
    host = Host(cloud)
    cloud.fates = ["reset before"]
    with pytest.raises(errors.UnknownOutcome):
        host.create(intent)
    cloud.runs.append(first)
    assert host.create(intent).id == first.id
    assert cloud.starts == 2


# -- what is cancelled, what has ended


def test_what_has_ended_is_taken_and_told(cloud: Cloud) -> None:
    intent = killed(cloud)
    cloud.runs[0] = replace(cloud.runs[0], phase=Phase.FAILED)
    host = Host(cloud)
    assert host.create(intent).id == cloud.runs[0].id
    assert host.warned[0].endswith("for a new run change a trigger (it has ended: failed)")


@pytest.mark.parametrize("marker", ["", "m"])
def test_what_was_cancelled_is_not_taken_and_nothing_is_fired(cloud: Cloud, marker: str) -> None:
    request = Request(cloud, marker=marker)
    intent = killed(cloud, request=request)
    cloud.runs[0] = replace(cloud.runs[0], phase=Phase.CANCELLED)
    with pytest.raises(errors.Ambiguous, match=r"cancelled\); what was cancelled is not taken.* change a trigger"):
        Host(cloud).create(intent, request=request)
    assert cloud.starts == 1


# -- runs of an intent that was given up


def former(cloud: Cloud, fate: str = "killed", **of_host: object) -> Former:
    """An `up` with another trigger was killed in its start; now the trigger is another one again."""
    intent = killed(cloud, fate, **of_host)
    return Former([intent.moment], Request(cloud).find)


def test_what_an_up_that_was_given_up_may_have_started_is_told_before_anything_is_fired(cloud: Cloud) -> None:
    gone = former(cloud)
    host = Host(cloud)
    told: list[int] = []
    host.alive = lambda: not told.append(len(host.warned))
    settled = host.create(host.mint(B), B, former=gone)
    assert settled.provenance == "fired"
    assert cloud.runs[0].id in host.warned[0]
    assert "set adopt_id to its id in a resource of its own" in host.warned[0]
    assert told == [1]
    assert cloud.starts == 2


def test_it_is_told_as_well_when_the_start_is_refused_then(cloud: Cloud, host: Host) -> None:
    gone = former(cloud)
    cloud.fates = ["refused"]
    with pytest.raises(errors.Refused):
        host.create(host.mint(B), B, former=gone)
    assert cloud.ours()[0] in host.warned[0]


@pytest.mark.parametrize("ahead", [-14 * MINUTE, -SECOND, 14 * MINUTE])
def test_it_is_told_whatever_the_clock_of_its_machine_was(cloud: Cloud, host: Host, ahead: object) -> None:
    gone = former(cloud, machine="another", ahead=ahead)
    host.create(host.mint(B), B, former=gone)
    assert cloud.ours()[0] in host.warned[0]


def test_it_is_told_if_it_only_agrees(cloud: Cloud, host: Host) -> None:
    gone = former(cloud)
    cloud.runs[0] = replace(cloud.runs[0], exact=False)
    host.create(host.mint(B), B, former=gone)
    assert cloud.ours()[0] in host.warned[0]


@pytest.mark.parametrize(("slow", "lag"), [(0, 10), (30, 0), (30, 10)])
def test_it_is_told_as_late_as_it_may_come_to_be(cloud: Cloud, slow: float, lag: float) -> None:
    cloud.slow, cloud.lag = slow, lag
    gone = former(cloud)
    host = Host(cloud, age=0)
    cloud.slow = cloud.lag = 0.0
    host.create(host.mint(B), B, former=gone)
    assert cloud.ours()[0] in host.warned[0]


@pytest.mark.parametrize("later", [700, 7200])
def test_it_is_told_when_a_later_up_was_the_one_that_started_it(cloud: Cloud, host: Host, later: int) -> None:
    """An `up` that tries again leaves no moment of its own."""
    intent = killed(cloud, "killed before")
    cloud.sleep(later)
    cloud.fates = ["killed"]
    with pytest.raises(Killed):
        Host(cloud).create(intent)
    host.create(host.mint(B), B, former=Former([intent.moment], Request(cloud).find))
    assert cloud.ours()[0] in host.warned[0]


@pytest.mark.parametrize("marker", ["", "m"])
def test_of_a_replacement_that_was_under_way_only_what_began_after_the_old_run_is_told(
    cloud: Cloud, host: Host, marker: str
) -> None:
    """Forced and killed; then the trigger changed. The intent is as old as the run that was to be replaced."""
    request = Request(cloud, marker=marker)
    first = Host(cloud)
    intent = first.mint()
    cloud.begin("ours", marker=marker)  # replaced before, and on no record any more
    cloud.sleep(60)
    old = recorded(first.create(intent, request=request), intent)
    cloud.sleep(7200)
    second = Host(cloud)
    second.process.deleted(intent.token, SPACE, old)
    cloud.fates = ["killed"]
    with pytest.raises(Killed):
        second.create(intent, request=request)
    host.process.saw(URN, SPACE, old)
    host.process.replaced(URN, intent)
    under_way = host.process.former(URN)
    assert under_way
    assert under_way.after == old
    given_up.tell(under_way.moments, request.find, SPACE, host.world(), under_way.after)
    (told,) = host.warned
    assert [id in told for id in cloud.ours()] == [False, False, True]


def test_nothing_is_told_of_what_is_on_record_or_was_long_before(cloud: Cloud, host: Host) -> None:
    cloud.begin("foreign", ago=HOUR)
    cloud.begin("foreign", ago=30 * DAY)
    first = host.mint()
    host.create(first)  # of this stack
    gone = former(cloud, "killed before")
    host.create(host.mint(B), B, former=gone)
    assert host.warned == []


@pytest.mark.parametrize("trouble", [errors.Unavailable("503"), KeyError("a bug")])
def test_strays_that_cannot_be_looked_for_keep_nothing_from_being_fired(
    cloud: Cloud, host: Host, trouble: Exception
) -> None:
    gone = former(cloud)
    cloud.trouble = trouble
    assert host.create(host.mint(B), B, former=gone).provenance == "fired"
    assert f"{given_up.NOT_LOOKED_UP}: " in host.warned[0]


def test_ctrl_c_while_strays_are_looked_for_fires_nothing(cloud: Cloud, host: Host) -> None:
    gone = former(cloud)
    host.interrupted = True
    with pytest.raises(errors.Interrupted):
        host.create(host.mint(B), B, former=gone)
    assert cloud.starts == 1


def test_a_kill_is_caught_by_nobody(cloud: Cloud, host: Host) -> None:
    cloud.fates = ["killed"]
    with pytest.raises(Killed):
        host.create(host.mint())
