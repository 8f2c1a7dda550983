"""Every link of every page leads somewhere, and a page in Chinese is that in English, block for block."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.demo.pages import ROOT, blocks

TRANSLATED = {"README.md": "README.zh-CN.md", "docs/errors.md": "docs/errors.zh-CN.md"}
LISTED = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
FILES = sorted(subprocess.run(LISTED, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines())
PAGES = [name for name in FILES if not name.startswith("docs/examples/")]  # those are parts of the pages in resources/


def prose(page: Path) -> str:
    """Without blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def headings(page: Path) -> list[tuple[int, str]]:
    """Level and text of each."""
    return [(len(marks), text) for marks, text in re.findall(r"^(#+) (.*)$", prose(page), re.MULTILINE)]


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def broken(page: Path) -> list[str]:
    """The links to other files of the repository, and to headings, that lead nowhere."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _, part = unquote(link).partition("#")
        target = page.parent / path if path else page
        if "://" in link:
            continue
        if not target.exists() or (part and part not in map(anchor, (text for _, text in headings(target)))):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert broken(ROOT / page) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One, two\n[a](page.md) [b](#one-two) [c](none.md) [d](page.md#two) [e](https://example.com/)\n")
    assert broken(page) == ["none.md", "page.md#two"]


def test_the_tests_that_pages_name_are_there() -> None:
    """In a table of files and tests (`test_state.py::test_name`), a file stands without its folder."""
    there: dict[str, str] = {}
    for file in (ROOT / "tests").rglob("test_*.py"):  # several folders may have one of this name
        there[file.name] = there.get(file.name, "") + file.read_text()
    named = {name for page in PAGES for name in re.findall(r"test_\w+\.py(?:::test_\w+)?", prose(ROOT / page))}
    assert len(named) > 20
    gone = [name for name in named if not there.get(name.partition("::")[0])]
    gone += [
        name
        for name in named
        if "::" in name and f"def {name.partition('::')[2]}(" not in there[name.partition("::")[0]]
    ]
    assert gone == []


@pytest.mark.parametrize("english", TRANSLATED)
def test_a_page_in_chinese_has_the_same_blocks_and_headings(english: str) -> None:
    chinese = TRANSLATED[english]
    assert blocks(chinese) == blocks(english)
    assert [level for level, _ in headings(ROOT / chinese)] == [level for level, _ in headings(ROOT / english)]


@pytest.mark.parametrize("page", TRANSLATED)
def test_a_page_in_chinese_has_the_same_tables_and_names(page: str) -> None:
    """A row that one of them lacks, or an argument, a setting or an action, is a difference."""
    english, chinese = prose(ROOT / page), prose(ROOT / TRANSLATED[page])
    assert len(re.findall(r"^\|", chinese, re.MULTILINE)) == len(re.findall(r"^\|", english, re.MULTILINE))
    assert set(re.findall(r"`[^`\n]+`", chinese)) == set(re.findall(r"`[^`\n]+`", english))


def test_the_errors_in_chinese_show_the_same_texts_in_the_same_order() -> None:
    english, chinese = (prose(ROOT / page) for page in ("docs/errors.md", "docs/errors.zh-CN.md"))
    printed = re.compile(r"^### .+\n\n(`.*`)$", re.MULTILINE)
    assert printed.findall(chinese) == printed.findall(english) != []


@pytest.mark.parametrize("english", TRANSLATED)
def test_each_page_leads_to_the_other_language(english: str) -> None:
    chinese = TRANSLATED[english]
    assert f"]({Path(chinese).name})" in prose(ROOT / english)
    assert f"]({Path(english).name})" in prose(ROOT / chinese)
