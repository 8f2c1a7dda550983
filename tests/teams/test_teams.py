"""A team shares a stack: of two `pulumi up`s at once at most one works, the other is told, and nothing fires twice.

The lock is Pulumi's own: a file (here: or a row) beside the state. It is looked for, written, and looked for again, so
of two that begin in the same moment both may be told. To be told who holds it, it is listed and then read; if the other
takes it away between the two, or has not written it yet, one is told that it is not there, or that it is no JSON
(pkg/backend/diy/lock.go of Pulumi, `checkForLock`).
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.interrupted import wait_until
from tests.support.emulator import Emulator
from tests.support.stack import Result, Stack, run

pytestmark = pytest.mark.engine

TOLD = "the stack is currently locked by 1 lock(s)"
GONE = [
    r"error: could not list bucket: blob \(code=NotFound\): sql: no rows in result set\n",
    r"error: could not list bucket: blob \(code=Unknown\): sql: Scan error on .* converting NULL to int64 .*\n",
    r"error: (blob .*\(code=NotFound\): )?key not found: sql: no rows in result set\n",
    r"error: 2 errors occurred:\n +1\) key not found: sql: no rows in result set\n +2\) NotFound\n",
    r"error: (.*\n)?.*/\.pulumi/locks/.*: no such file or directory\n(.*\n)?",
    r"error: unexpected end of JSON input\n",
]
"""In the place of the lock, which was seen and is not there any more, from PostgreSQL and from a folder; the last one,
from a folder, of a lock that is not written yet."""
WAITS = """
import os, time
open('begun', 'w').close()
while not os.path.exists('go'):
    time.sleep(0.05)
"""


def was_told(result: Result) -> bool:
    """And had not begun: the first that an `up` shows is that it is `Updating`."""
    told = result.text.startswith("error: the stack is currently locked by ")
    told = told or any(re.fullmatch(gone, result.text) for gone in GONE)
    assert told == (result.code != 0), result
    return told


def test_who_comes_second_is_told_and_fires_nothing(team: tuple[Stack, Stack], cloud: Emulator) -> None:
    mine, yours = team
    yours.program(run())
    with ThreadPoolExecutor() as pool:
        first = pool.submit(mine.up, WAITS, run())
        try:
            wait_until((mine.project / "begun").exists)
            for second in (mine.up(check=False), yours.up(check=False)):
                assert second.code != 0
                assert TOLD in second.text
                assert "`pulumi cancel`" in second.text
            assert cloud.requests() == {}
        finally:
            (mine.project / "go").touch()
        assert first.result().code == 0
    sent = cloud.requests()
    yours.up()
    assert cloud.requests() == sent, "it finds the run on record"
    assert cloud.ids() == [yours.id()] == [mine.id()]


def test_two_that_begin_at_once_fire_once(team: tuple[Stack, Stack], cloud: Emulator) -> None:
    with ThreadPoolExecutor() as pool:
        for number in (1, 2):
            for stack in team:
                stack.program(run(triggers={"release": number}))
            if all(list(pool.map(lambda stack: was_told(stack.up(check=False)), team))):  # waits for both
                team[0].up()
            assert len(cloud.runs()) == number
            assert cloud.ids()[-1] == team[0].id() == team[1].id()


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_a_run_lost_in_a_kill_is_found_from_another_checkout(team: tuple[Stack, Stack], cloud: Emulator) -> None:
    mine, yours = team
    yours.program(run())
    cloud.fault("tencent.workflow", "start", "delay", seconds=60, after_effect=True)
    process = mine.start(run())
    wait_until(lambda: len(cloud.runs()) == 1)
    mine.kill_processes()
    process.wait(timeout=30)
    assert was_told(yours.up(check=False)), "the lock stays"
    yours.unlock()
    found = yours.up()
    (lost,) = cloud.ids()
    assert f"found run {lost} of an interrupted up" in found.text
    assert yours.id() == lost
    mine.up()
    assert cloud.ids() == [mine.id()]
