"""Who reads this repository can follow what it cites: a page that is public, or a file that is here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "engine.md"

# Notes that the authors had and nobody else has, by the names that comments gave them.
ELSEWHERE = re.compile(
    r"\bseeds?[ -](?:\d{3}\b|\*)|\b[Tt]he seeds\b|\bthe seed's (?:own )?sample|_of_the_seed\b"
    r"|\bfacts,? sections?\b|\bfacts of the\b|\bthe facts\b|\bfacts/"
    r"|\b(?:design|style|breaches|peers)\.md\b|(?<!\w)/work/|\bshared/facts\b"
)


def cited(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if ELSEWHERE.search(line):
            yield f"{number}: {line.strip()}"


def files() -> list[str]:
    """Those that are, or will be, in the repository."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file() and not (ROOT / name).samefile(__file__)]


FOLLOWED_BY_NOBODY = f"""
Sources: seed 003; https://example.com/
triggers a workflow (seeds 000 and 001).
recorded("seed-004-job")
# the seed's own sample
The seeds send the type on both calls.
def test_the_request_of_the_seed(run):
"get access token" beside it (facts, section 3a).
what the engine does (facts of the engine, sections 2 to 4)
# the facts' tables, row by row
observed with SDK 3.272; facts/engine.md, section 4
design.md, "When does it run?", as code.
see {ROOT.anchor}work/shared
"""
OTHER_WORDS = """
make soak SOAK_ARGS='--seed 3'
from seed 1: 12 failed
The table has the same facts.
1. **Wire facts first.**
tests/work/b
"""


@pytest.mark.parametrize("line", FOLLOWED_BY_NOBODY.strip().splitlines())
def test_a_citation_that_nobody_can_follow_is_seen(line: str) -> None:
    assert list(cited(f"before\n{line}\n")) == [f"2: {line}"]


@pytest.mark.parametrize("line", OTHER_WORDS.strip().splitlines())
def test_other_words_are_none(line: str) -> None:
    assert list(cited(line)) == []


def test_no_file_cites_what_is_not_here() -> None:
    found = []
    for name in files():
        found += [f"a name: {name}"] * bool(ELSEWHERE.search(name))
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:  # not text
            continue
        found += [f"{name}:{line}" for line in cited(text)]
    assert not found, "\n".join(found)


def defined(file: Path) -> set[str]:
    return set(re.findall(r"^def (\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_what_watches_the_engine_is_there() -> None:
    """Each test that docs/engine.md names: as `file.py::test`, as a path, or as a part of the contract."""
    told = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)::(\w+)`", told)
    for places in re.findall(r"[Cc]ontract, ((?:`\w+`(?: and |, )?)+)", told):
        named += [("test_engine_contract.py", name) for name in re.findall(r"\w+", places.replace(" and ", " "))]
    assert len(named) > 50
    tests = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    missing = [f"{file}::{name}" for file, name in named if file not in tests or name not in defined(tests[file])]
    missing += [path for path in re.findall(r"tests/[\w/]+\.py", told) if not (ROOT / path).is_file()]
    assert missing == []
