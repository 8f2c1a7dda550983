"""What finds breaches, with a seed and a limit: models of the rules, histories of the real providers, campaigns.

`python -m tests.campaigns.track_record.finders 'rules OneResource' --seed 1 --cases 200` is one of them by itself. A
*case* is what each repeats with other choices: a history, or a call. A failed assertion of theirs is a find; whatever
else is raised is a mistake of the patch or of the finder, and is none.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.control import current_build_context
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

import cloud_runs
from tests.hostile import cases as hostile
from tests.promise.test_model import MODELS
from tests.provider.conftest import quiet
from tests.provider.fan_stack import STACKS
from tests.provider.test_histories import a_history
from tests.support.emulator import emulator

STEPS = 20
"""Of one history of a model."""
SECONDS = 120
"""That one hostile case may take."""
TESTS = "tests/"
"""A finder that begins so names tests of ours: for what no model and no campaign can reach."""
MISTAKES = ("NameError", "ImportError", "ModuleNotFoundError", "SyntaxError")
"""Raised by a test these are a patch's own fault, and no find."""


class Find(NamedTuple):
    """`cases`: that were tried, the one that found it included. `what` is empty if nothing was found."""

    cases: int
    what: str = ""


Finder = Callable[[int, int], Find]


def rules(model: type[RuleBasedStateMachine], number: int, cases: int) -> Find:
    """Histories of a model of the rules, in the service of tests/promise."""
    tried = 0

    class Counted(model):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            nonlocal tried
            super().__init__()
            tried += not current_build_context().is_final  # what was found is shown once more

    chosen = settings(
        max_examples=cases,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(number)(Counted), settings=chosen)
    except AssertionError as found:
        return Find(tried, _first_line(found))
    return Find(tried)


def histories(stack: type[Any], number: int, cases: int) -> Find:
    """Histories of a resource with its real provider and client, over the emulator."""
    with emulator("--run-seconds", "3600") as cloud:
        for case in range(1, cases + 1):
            cloud.reset()
            with pytest.MonkeyPatch.context() as patch:
                quiet(patch)
                try:
                    a_history(stack(cloud, patch), f"{number}:{case}")
                except AssertionError as found:
                    return Find(case, _first_line(found))
    return Find(cases)


def told(kind: Callable[[str], str], number: int, cases: int) -> Find:
    """Calls of the clients to a hostile service."""
    for case in range(1, cases + 1):
        try:
            hostile.within(SECONDS, partial(kind, f"{number}:{case}"))
        except AssertionError as found:
            return Find(case, _first_line(found))
    return Find(cases)


def tests(which: str, _number: int, cases: int) -> Find:
    """Tests of ours by their names, one after the other; a case is one test. In a process of their own, since pytest
    must come before hypothesis."""
    with tempfile.TemporaryDirectory(prefix="track-record-") as folder:
        report = Path(folder) / "report.xml"
        quiet = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-o", "junit_logging=no"]
        command = [sys.executable, "-m", "pytest", *quiet, f"--junitxml={report}", *which.split()]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if not report.is_file():
            raise RuntimeError(f"pytest ended with {done.returncode}: {done.stderr}")
        tried = list(ElementTree.parse(report).iter("testcase"))
    failed = [(test, why) for test in tried for why in test if why.tag in ("failure", "error")]
    for test, why in failed:
        said = why.get("message") or why.tag
        if why.tag == "error" or said.startswith(MISTAKES):
            raise RuntimeError(f"{test.get('name')}: {said}")
        return Find(len(tried), f"{test.get('name')}: {said.splitlines()[0]}" if len(tried) <= cases else "")
    if not tried:
        raise RuntimeError(f"there is no {which}")
    return Find(len(tried))


def _first_line(found: BaseException) -> str:
    return (str(found).strip() or "an assertion without a text").splitlines()[0]


FINDERS: dict[str, Finder] = {
    **{f"rules {model.__name__}": partial(rules, model) for model in MODELS},
    **{f"histories {name}": partial(histories, stack) for name, stack in STACKS.items()},
    "hostile told": partial(told, hostile.told),
    "hostile wire": partial(told, hostile.wire),
}


def finder(name: str) -> Finder | None:
    return partial(tests, name) if name.startswith(TESTS) else FINDERS.get(name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.track_record.finders", description=__doc__)
    parser.add_argument("finder", help=f"one of {', '.join(map(repr, FINDERS))}, or FILE::TEST")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=200, help="at most (default %(default)s)")
    parser.add_argument("--of", type=Path, help="the folder whose package this must be about")
    given = parser.parse_args()
    package = Path(cloud_runs.__file__).resolve()
    if given.of and not package.is_relative_to(given.of.resolve()):
        parser.error(f"{package} is imported, which is not in {given.of}")
    find = finder(given.finder)
    if find is None:
        parser.error(f"no such finder: {given.finder}")
    found = find(given.seed, given.cases)
    print(f"{'found' if found.what else 'clean'} after {found.cases} cases: {found.what}")
    return 1 if found.what else 0


if __name__ == "__main__":
    raise SystemExit(main())
