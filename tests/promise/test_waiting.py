"""The poll loop against a service on a clock of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import pytest

from cloud_runs.errors import NotFound, Refused, RunsError, Throttled, Unavailable
from cloud_runs.promise import waiting
from cloud_runs.promise.waiting import Told, Watch
from cloud_runs.runs import Phase, Reference, RunStatus, Untold

HERE = Reference("tencent.workflow", "ap-beijing", "media-1250000000", "")
THERE = Reference("huawei.workflow", "cn-north-4", "scan", "")


def down(text: str = "503") -> Unavailable:
    return Unavailable(text)


def unknown() -> NotFound:
    return NotFound("the service does not know it", status=404)


@dataclass
class World:
    """Time, and what the service tells at that time of a run: a phase, or why it tells nothing."""

    runs: dict[Reference, Callable[[float], Phase | RunStatus | Untold]]
    now: float = 0.0
    took: float = 0.0
    asked: list[tuple[float, Reference, tuple[str, ...]]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    shown: list[tuple[float, int, int, int, str]] = field(default_factory=list)
    random: random.Random = field(default_factory=lambda: random.Random(1))

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds

    def look(self, places: Mapping[Reference, Collection[str]]) -> Mapping[Reference, Told]:
        return {place: self.look_at(place, ids) for place, ids in places.items()}

    def look_at(self, place: Reference, ids: Collection[str]) -> Told:
        self.asked.append((self.now, place, tuple(ids)))
        self.now += self.took
        told = {}
        for id in ids:
            said = self.runs[replace(place, id=id)](self.now)
            told[id] = RunStatus(id, said, said.value) if isinstance(said, Phase) else said
        return told

    def tell(self, watch: Watch, waited: float) -> None:
        self.shown.append((waited, *watch.tally, watch.trouble))

    def wait(self, timeout: float = 1800, interval: float = 10) -> tuple[bool, Watch]:
        watch = Watch(self.runs)
        ended = waiting.wait(
            watch,
            self.look,
            timeout=timeout,
            interval=interval,
            clock=lambda: self.now,
            sleep=self.sleep,
            jitter=self.random.random,
            tell=self.tell,
        )
        return ended, watch


def ends(at: float, phase: Phase = Phase.SUCCEEDED) -> Callable[[float], Phase]:
    return lambda now: phase if now >= at else Phase.RUNNING


def one(told: Callable[[float], Phase | RunStatus | Untold], place: Reference = HERE) -> World:
    return World({replace(place, id="i1"): told})


def test_a_run_that_has_ended_is_seen_by_the_first_look_without_a_pause() -> None:
    world = one(ends(0))
    assert world.wait()[0]
    assert len(world.asked) == 1
    assert not world.slept


@pytest.mark.parametrize("interval", [0.3, 1, 5, 60])
def test_the_pause_grows_from_one_second_to_the_interval_and_is_never_longer(interval: float) -> None:
    world = one(ends(900))
    assert world.wait(interval=interval)[0]
    assert min(1, interval) * 0.9 <= world.slept[0] <= min(1, interval)
    assert max(world.slept) <= interval
    assert world.slept[-1] >= interval * 0.9
    assert world.now - 900 <= interval


def test_pauses_are_not_all_alike() -> None:
    world = one(ends(300))
    world.wait(interval=10)
    assert len({round(pause, 3) for pause in world.slept[-10:]}) > 5


def test_one_question_a_place_and_round_and_none_for_runs_that_have_ended() -> None:
    runs = {replace(HERE, id=f"i{n}"): ends(n * 7) for n in range(20)}
    runs |= {replace(THERE, id=f"x{n}"): ends(n * 3) for n in range(20)}
    world = World(runs)
    ended, watch = world.wait()
    assert ended
    assert watch.tally == (40, 0, 0)
    for now in {now for now, *_ in world.asked}:
        places = [place for at, place, _ in world.asked if at == now]
        assert len(places) == len(set(places))
    for now, place, ids in world.asked:
        for id in ids:
            told_before = [at for at, where, asked in world.asked if where == place and id in asked and at < now]
            assert all(runs[replace(place, id=id)](at) is Phase.RUNNING for at in told_before)


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.CANCELLED])
def test_a_run_that_did_not_succeed_has_ended_and_the_others_are_waited_for(phase: Phase) -> None:
    world = World({replace(HERE, id="bad"): ends(5, phase), replace(HERE, id="good"): ends(50)})
    ended, watch = world.wait()
    assert ended
    assert watch.tally == (1, 1, 0)
    assert world.now >= 50
    assert (1, 0, 1) not in [tuple(shown[1:4]) for shown in world.shown]
    assert (0, 1, 1) in [tuple(shown[1:4]) for shown in world.shown]


def test_an_unknown_state_is_polled_on_until_time_runs_out() -> None:
    world = one(lambda now: RunStatus("i1", Phase.UNKNOWN, "Paused2"))
    ended, watch = world.wait(timeout=100)
    assert not ended
    assert watch.tally == (0, 0, 1)
    assert watch.runs[replace(HERE, id="i1")].status is not None


def test_a_time_out_is_kept_and_the_last_look_comes_when_it_is_over() -> None:
    world = one(ends(61))
    assert not world.wait(timeout=60)[0]
    assert world.now == pytest.approx(60)
    assert world.asked[-1][0] == pytest.approx(60)
    world = one(ends(60))
    assert world.wait(timeout=60)[0]


def test_a_run_is_looked_at_once_even_if_there_is_no_time() -> None:
    world = one(ends(0))
    world.took = 50
    assert world.wait(timeout=0.001)[0]


@pytest.mark.parametrize("why", [down(), Throttled("slow down", status=429)])
def test_a_service_that_cannot_be_asked_is_asked_again_and_the_reason_is_shown(why: Untold) -> None:
    world = one(lambda now: why if 3 < now < 25 else ends(30)(now))
    ended, watch = world.wait()
    assert ended
    assert watch.tally == (1, 0, 0)
    assert str(why) in [shown[4] for shown in world.shown]
    assert world.shown[-1][4] == ""


def test_silence_is_no_end() -> None:
    world = one(lambda now: down())
    ended, watch = world.wait(timeout=300)
    assert not ended
    assert watch.tally == (0, 0, 1)
    assert watch.trouble == "503"


@pytest.mark.parametrize("refusal", [Refused("no", status=403), RunsError("no credentials")])
def test_what_is_refused_ends_the_wait_at_once(refusal: RunsError) -> None:
    world = one(ends(0))

    def look(places: Mapping[Reference, Collection[str]]) -> Mapping[Reference, Told]:
        raise refusal

    world.look = look  # type: ignore[method-assign]
    with pytest.raises(RunsError) as raised:
        world.wait()
    assert raised.value is refusal
    assert not world.slept


def test_a_run_that_was_seen_is_gone_when_two_looks_in_a_row_do_not_find_it() -> None:
    world = one(lambda now: Phase.RUNNING if now < 5 else unknown())
    ended, watch = world.wait()
    run = watch.runs[replace(HERE, id="i1")]
    assert ended
    assert run.gone
    assert not run.succeeded
    assert watch.tally == (0, 1, 0)
    assert sum(now >= 5 for now, *_ in world.asked) == 2


def test_one_look_that_does_not_find_a_run_is_no_end() -> None:
    slips = iter([Phase.RUNNING, unknown(), Phase.RUNNING, unknown(), down(), unknown(), Phase.SUCCEEDED])
    world = one(lambda now: next(slips))
    ended, watch = world.wait()
    assert ended
    assert watch.tally == (1, 0, 0)


def test_a_run_that_the_service_does_not_show_yet_is_given_time() -> None:
    late = waiting.KNOWN_WITHIN - 1
    world = one(lambda now: unknown() if now < late else ends(40)(now))
    ended, watch = world.wait(interval=2)
    assert ended
    assert watch.tally == (1, 0, 0)
    world = one(lambda now: unknown())
    ended, watch = world.wait(interval=2)
    assert ended
    assert watch.tally == (0, 1, 0)
    assert waiting.KNOWN_WITHIN <= world.now <= waiting.KNOWN_WITHIN + 4


def summed(at: float) -> Callable[[float], RunStatus]:
    return lambda now: RunStatus("i1", ends(at)(now), "", summed=True)


def test_an_end_that_is_summed_up_counts_when_it_is_told_twice_in_a_row() -> None:
    world = one(summed(30))
    ended, watch = world.wait(interval=60)
    assert ended
    assert watch.tally == (1, 0, 0)
    assert sum(now >= 30 for now, *_ in world.asked) == 2
    assert world.slept[-1] <= waiting.CONFIRM_PAUSE


@pytest.mark.parametrize("between", [Phase.RUNNING, down(), unknown()])
def test_what_comes_between_two_ends_makes_them_count_anew(between: Phase | Untold) -> None:
    end = RunStatus("i1", Phase.SUCCEEDED, "", summed=True)
    script = [end, RunStatus("i1", between, "") if isinstance(between, Phase) else between, end, end]
    left = iter(script)
    world = one(lambda now: next(left))
    assert world.wait()[0]
    assert len(world.asked) == 4


def test_a_pause_is_short_only_if_nothing_but_second_looks_is_left() -> None:
    world = World({replace(HERE, id="i1"): summed(0), replace(HERE, id="i2"): ends(200)})
    world.wait(interval=60)
    assert max(world.slept) > 50


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_every_run_is_told_as_it_ended(seed: int) -> None:
    """Random ends, phases, silences and places; each run must be told as its service would tell it at the end."""
    chance = random.Random(seed)
    timeout, interval = chance.uniform(20, 400), chance.uniform(0.5, 30)
    ends_at: dict[Reference, tuple[float, Phase]] = {}
    silent = [(at := chance.uniform(0, 300), at + chance.uniform(0, 40)) for _ in range(3)]

    def told(reference: Reference) -> Callable[[float], Phase | RunStatus | Untold]:
        at, phase = ends_at[reference]
        slips = chance.random() < 0.5

        def say(now: float) -> Phase | RunStatus | Untold:
            if slips and any(begin <= now <= end for begin, end in silent):
                return down()
            return RunStatus(reference.id, phase if now >= at else Phase.RUNNING, "", summed=reference.id.endswith("0"))

        return say

    for n in range(30):
        phase = chance.choice([Phase.SUCCEEDED, Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED])
        ends_at[replace(chance.choice([HERE, THERE]), id=f"r{n}")] = (chance.uniform(0, 350), phase)
    world = World({reference: told(reference) for reference in ends_at}, random=chance)
    ended, watch = world.wait(timeout, interval)
    assert list(watch.runs) == list(ends_at)
    for reference, run in watch.runs.items():
        at, phase = ends_at[reference]
        if run.ended:
            assert run.status is not None
            assert run.status.phase is phase
            assert at <= world.now
            assert run.succeeded == (phase is Phase.SUCCEEDED)
    assert ended == (not watch.open)
    if ended:
        last = max(at for at, _ in ends_at.values())
        assert world.now <= max(last, max(end for _, end in silent)) + 2 * interval + waiting.CONFIRM_PAUSE
    else:
        assert world.now == pytest.approx(timeout)
