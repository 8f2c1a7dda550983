"""The table and its patches belong together, and the tool notices what it is there to notice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.campaigns.track_record import __main__ as tool
from tests.campaigns.track_record.breaches import BREACHES, PATCHES, Breach
from tests.campaigns.track_record.finders import TESTS, finder
from tests.campaigns.track_record.past import NOT_PUT_BACK, PAST
from tests.campaigns.track_record.patching import DoesNotApply, apply, hunks

CLEAN = tool.Result(0, "clean after 9 cases: ", 1.0)
QUICK = next(breach for breach in BREACHES if breach.name == "one-clock")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, into which a patch that applies is put for good."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(tool.ROOT / "provider", folder / "provider", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_each_breach_has_a_patch_and_each_patch_a_breach() -> None:
    names = [breach.name for breach in BREACHES]
    assert len(set(names)) == len(names)
    assert {path.name for path in PATCHES.iterdir()} == {breach.patch.name for breach in BREACHES}


def test_each_kind_of_what_there_was_is_put_back_or_there_is_a_reason() -> None:
    put_back = {breach.of for breach in BREACHES}
    assert put_back | NOT_PUT_BACK.keys() == PAST.keys()
    assert not put_back & NOT_PUT_BACK.keys()


def test_each_named_test_is_there() -> None:
    for breach in BREACHES:
        if breach.finder.startswith(TESTS):
            path, _, name = breach.finder.partition("::")
            assert f"def {name}(" in (tool.ROOT / path).read_text(), breach.finder


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.name)
def test_a_patch_applies_to_the_code_of_today(breach: Breach, package: Path) -> None:
    assert finder(breach.finder), breach.finder
    assert breach.within > 0
    text = breach.patch.read_text()
    paths = {hunk.path for hunk in hunks(text)}
    assert all(path.startswith("provider/cloud_runs/") for path in paths)
    before = {path: (package / path).read_text() for path in paths}
    assert apply(text, package) == sorted(paths)
    for path, old in before.items():
        changed = (package / path).read_text()
        assert changed != old
        compile(changed, path, "exec")
        (package / path).write_text(old)


def test_the_results_are_those_of_the_table() -> None:
    """`make track-record TRACK_ARGS=--write` writes them."""
    results = tool.README.read_text().partition(tool.BEGIN)[2].partition(tool.END)[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in results.splitlines() if "| `" in line[:10]]
    told = [row[1:-2] for row in rows]
    assert told == [
        [cell.strip() for cell in row.split("|")[1:-2]] for row in tool.table(dict.fromkeys(BREACHES, CLEAN))[2:]
    ]
    assert all(reason in results for reason in NOT_PUT_BACK.values())


def test_a_breach_is_found_and_the_package_as_it_is_is_clean() -> None:
    clean, found = tool.as_it_is(QUICK.finder, 0, 20), tool.put_back(QUICK, 0)
    assert (clean.code, found.code) == (0, 1), (clean, found)
    assert int(found.cases) <= QUICK.within
    assert found.what
    assert tool.failures({QUICK.finder: clean}, {QUICK: found}) == []


def test_what_is_not_found_fails() -> None:
    found = tool.Result(1, "found after 3 cases: two", 1.0)
    assert tool.failures({}, {QUICK: CLEAN})
    assert tool.failures({QUICK.finder: found}, {})
    assert tool.failures({}, {QUICK: tool.Result(2, "DoesNotApply: line 3", 0.0)})


def test_a_finder_refuses_another_package(tmp_path: Path) -> None:
    """Or a breach would be looked for in a package that does not have it."""
    shutil.copytree(tool.ROOT / "provider" / "cloud_runs" / "promise", tmp_path / "promise")
    result = tool.find(QUICK.finder, 0, 1, tmp_path)
    assert result.code == 2
    assert "is imported, which is not in" in result.said


OLD = "a\nb\nc\nd\n"
PATCH = "--- a/x\n+++ b/x\n@@ -2,2 +2,1 @@\n b\n-c\n"


def test_a_patch_is_strict(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for text in (OLD, "new\n" + OLD):  # lines before it may have come
        path.write_text(text)
        assert apply(PATCH, tmp_path) == ["x"]
        assert path.read_text() == text.replace("c\n", "")
    for text in ("a\nb\nC\nd\n", "z\nz\nb\nc\nb\nc\n"):  # another line, or two places
        path.write_text(text)
        with pytest.raises(DoesNotApply):
            apply(PATCH, tmp_path)
        assert path.read_text() == text
    path.unlink()
    with pytest.raises(DoesNotApply):
        apply(PATCH, tmp_path)
    with pytest.raises(ValueError, match="no change"):
        apply("--- a/x\n+++ b/x\n@@ -2,1 +2,1 @@\n b\n", tmp_path)
