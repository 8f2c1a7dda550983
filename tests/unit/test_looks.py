"""What every client's look at many runs is made of: single looks side by side, and lists that may have gaps."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping

import pytest

from cloud_runs.errors import NotFound, Refused, Throttled, Unavailable
from cloud_runs.runs import Phase, RunStatus, Untold
from cloud_runs.wire.looks import ASKERS, listed, together


def status(id: str, phase: Phase = Phase.RUNNING) -> RunStatus:
    return RunStatus(id, phase, phase.value)


def refused(kind: type[Refused]) -> Refused:
    return kind("no", status=404)


# --- single looks


def test_each_is_asked_once_and_some_at_a_time() -> None:
    met = threading.Barrier(ASKERS, timeout=30)
    asked: list[int] = []

    def ask(item: int) -> int:
        met.wait()
        asked.append(item)
        return -item

    items = range(3 * ASKERS)
    assert together(ask, items) == {item: -item for item in items}
    assert sorted(asked) == list(items)
    assert together(ask, []) == {}


@pytest.mark.parametrize("error", [refused(NotFound), refused(Throttled), Unavailable("down")])
def test_an_error_that_tells_nothing_of_a_run_is_its_entry(error: Untold) -> None:
    def ask(item: int) -> int:
        if item == 2:
            raise error
        return item

    assert together(ask, range(9)) == {**dict(enumerate(range(9))), 2: error}


@pytest.mark.parametrize("error", [Refused("no", status=403), Refused("no", status=200), ValueError("a bug")])
def test_any_other_error_is_raised_and_ends_the_asking(error: Exception) -> None:
    asked: list[int] = []

    def ask(item: int) -> int:
        asked.append(item)
        raise error

    with pytest.raises(type(error)):
        together(ask, range(1000))
    assert len(asked) <= ASKERS


def test_what_is_refused_of_one_item_is_its_entry() -> None:
    def ask(item: int) -> int:
        if item == 2:
            raise Refused("no such bucket", status=400)
        return item

    told = together(ask, range(5))
    entry = told.pop(2)
    assert isinstance(entry, Unavailable)
    assert "no such bucket" in str(entry)
    assert told == {0: 0, 1: 1, 3: 3, 4: 4}


def test_a_service_out_of_order_is_left_alone() -> None:
    asked: list[int] = []

    def ask(item: int) -> int:
        asked.append(item)
        raise Unavailable(f"down {item}")

    told = together(ask, range(1000))
    assert len(told) == 1000
    assert all(isinstance(error, Unavailable) for error in told.values())
    assert len(asked) < 2 * ASKERS


def test_unknown_runs_are_not_an_order_of_the_service() -> None:
    def ask(item: int) -> int:
        raise refused(NotFound)

    asked = together(ask, range(100))
    assert len(set(map(id, asked.values()))) == 100, "each was asked"


def test_runs_that_always_fail_do_not_hide_the_others_for_ever() -> None:
    def ask(item: int) -> int:
        if item < ASKERS:
            raise Unavailable("broken")
        return item

    seen = set()
    for _ in range(100):
        seen |= {item for item, told in together(ask, range(2 * ASKERS)).items() if isinstance(told, int)}
    assert seen == set(range(ASKERS, 2 * ASKERS))


def test_a_look_that_hangs_keeps_no_process_from_ending() -> None:
    code = """if True:
        import threading, sys
        from cloud_runs.wire.looks import together
        begun = threading.Barrier(3)
        def ask(item):
            begun.wait()
            threading.Event().wait()
        threading.Thread(target=lambda: together(ask, [1, 2]), daemon=True).start()
        begun.wait()
    """
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


# --- lists

Pages = Iterator[Mapping[str, RunStatus]]


def look(wanted: list[str], *pages: Mapping[str, RunStatus] | Exception) -> tuple[dict[str, RunStatus | Untold], int]:
    """What is told, and how many pages were read."""
    read = 0

    def each(_: str) -> Pages:
        nonlocal read
        for page in pages:
            read += 1
            if isinstance(page, Exception):
                raise page
            yield page

    told: dict[str, RunStatus | Untold] = {}
    listed({"list": wanted}, each, told)
    return told, read


def page(*ids: str) -> dict[str, RunStatus]:
    return {id: status(id) for id in ids}


def test_a_list_is_read_until_all_are_seen() -> None:
    assert look(["a", "b"], page("b", "x"), page("a"), page("y")) == (page("a", "b"), 2)


def test_only_what_goes_on_is_news() -> None:
    shown = {phase.value: status(phase.value, phase) for phase in Phase}
    told, _ = look(list(shown), shown)
    assert told.keys() == {"pending", "running"}


def test_pages_without_news_are_soon_too_dear() -> None:
    wanted = [f"w{n}" for n in range(100)]
    foreign = [page(f"x{n}") for n in range(1000)]
    assert look(wanted, *foreign)[1] == 10
    assert look(wanted[:2], *foreign)[1] == 1
    assert look(wanted, *foreign[:5], page(*wanted))[0] == page(*wanted)


def test_a_list_that_breaks_off_keeps_what_it_told() -> None:
    error = Unavailable("broke off")
    assert look(["a", "b"], page("a"), error)[0] == {**page("a"), "b": error}


@pytest.mark.parametrize("refusal", [refused(NotFound), Refused("states is wrong", status=400)])
def test_a_list_that_is_refused_says_nothing_of_runs(refusal: Refused) -> None:
    assert look(["a", "b"], refusal)[0] == {}
    assert look(["a", "b"], page("a"), refusal)[0] == page("a")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_raised(status: int) -> None:
    with pytest.raises(Refused):
        look(["a", "b"], Refused("no", status=status))


def test_one_list_that_fails_leaves_the_others() -> None:
    error = Unavailable("down")

    def pages(name: str) -> Pages:
        if name == "bad":
            raise error
        yield page("a")

    told: dict[str, RunStatus | Untold] = {}
    listed({"good": ["a"], "bad": ["b", "c"]}, pages, told)
    assert told == {**page("a"), "b": error, "c": error}
