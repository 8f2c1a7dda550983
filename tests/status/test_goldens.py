"""Screens and pages are those that are kept; `python -m tests.status.goldens` keeps new ones."""

from __future__ import annotations

import pytest

from tests.demo.pages import ROOT
from tests.status import goldens
from tests.status.devtools import chromium, program

SCREENS = dict(goldens.screens())


def kept(name: str) -> str:
    return (goldens.FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_the_one_that_is_kept(name: str) -> None:
    assert SCREENS[name] == kept(name)


@pytest.mark.parametrize("columns", goldens.COLUMNS)
def test_a_kept_screen_has_one_line_a_run_and_fits(columns: int) -> None:
    table = kept(f"status-{columns}.txt").split("\n\n")[0].splitlines()
    assert len(table) == 1 + 8
    assert max(map(len, table)) <= columns


def test_the_docs_show_it() -> None:
    assert f"```text\n{kept('status-100.txt')}```\n" in (ROOT / "docs/status.md").read_text()
    page = (ROOT / "docs/screens.md").read_text()
    assert f"```text\n{kept('status-80.txt')}```\n" in page
    assert kept("status-140.txt") == kept("status-100.txt"), "as the page says"
    for pixels in goldens.PIXELS:
        picture = (goldens.PICTURES / f"page-{pixels}.png").read_bytes()
        assert int.from_bytes(picture[16:20], "big") == pixels, "its width, as PNG has it"
        assert f"](screens/page-{pixels}.png)" in page


def test_the_pictures_are_of_the_page() -> None:
    """Who changes the page makes them anew."""
    assert kept(goldens.PICTURED) == goldens.digest()


@pytest.mark.skipif(program() is None, reason="needs a headless browser: Debian's package chromium")
def test_the_page_is_the_one_that_is_kept() -> None:
    with chromium() as browser:
        for name, text, _picture in goldens.pages(browser):
            assert text == kept(f"{name}.txt"), name


def test_all_that_is_kept_is_compared() -> None:
    pages = {f"page-{pixels}.txt" for pixels in goldens.PIXELS}
    assert {file.name for file in goldens.FOLDER.iterdir()} == {*SCREENS, *pages, goldens.PICTURED}
    assert kept("page-390.txt") != kept("page-1280.txt")
