"""No page shows a program or a command that no test runs."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.demo.pages import ROOT, blocks
from tests.demo.test_links import PAGES
from tests.support.sources import collected, runs

CLAIMED = {
    "README.md": ("tests/demo/test_readme.py", {"python": 1, "sh": 2, "text": 1}),
    "README.zh-CN.md": ("tests/demo/test_links.py", {"python": 1, "sh": 2, "text": 1}),
    "docs/accounts.md": ("tests/demo/test_how_to.py", {"python": 1, "sh": 2}),
    "docs/automation-api.md": ("tests/demo/test_automation_page.py", {"python": 1}),
    "docs/enos.md": ("tests/demo/test_programs.py", {"python": 1}),
    "docs/fan-out.md": ("tests/demo/test_programs.py", {"python": 1}),
    "docs/how-to.md": ("tests/demo/test_how_to.py", {"python": 6, "sh": 2}),
    "docs/huawei.md": ("tests/demo/test_programs.py", {"python": 1}),
    "docs/monitoring.md": ("tests/status/test_monitoring_page.py", {"sh": 4}),
    "docs/outputs.md": ("tests/demo/test_programs.py", {"python": 1}),
    "docs/pipelines.md": ("tests/packaging/test_toolchains.py", {"sh": 4, "toml": 1}),
    "docs/project.md": ("tests/demo/test_project_page.py", {"sh": 3}),
    "docs/screens.md": ("tests/engine/test_quiet_diff.py", {"text": 4}),
    "docs/start-here.md": ("tests/demo/test_start_here.py", {"python": 3, "sh": 14, "yaml": 1}),
    "docs/status.md": ("tests/engine/test_status.py", {"python": 1, "sh": 6, "text": 1}),
    "docs/teams.md": ("tests/demo/test_how_to.py", {"sh": 1}),
    "docs/troubleshooting.md": ("tests/engine/test_interrupted_and_odd.py", {"sh": 1}),
    "docs/waiting.md": ("tests/demo/test_waiting_page.py", {"python": 3, "sh": 1}),
}
"""Where the blocks of each page are run, and how many of each language they are."""


def languages(page: str) -> Counter[str]:
    """Of each block, "" for one that tells none; a fence that is not at the start of its line counts as well."""
    fences = re.findall(r"^[ >]*(?:```|~~~)(\w*)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    return Counter(fences[::2])


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith(("README", "docs/"))])
def test_each_block_is_run_by_a_test(page: str) -> None:
    if page.startswith("docs/resources/"):  # tests/demo/test_resource_pages.py takes all that there is
        assert set(languages(page)) <= {"python", "http"}
    else:
        _, claimed = CLAIMED.get(page, ("", {}))
        assert languages(page) == claimed
    assert languages(page) == Counter(language for language, _ in blocks(page)), "each is one that tests can find"


@pytest.mark.parametrize("page", CLAIMED)
def test_a_test_reads_the_page(page: str) -> None:
    file, _ = CLAIMED[page]
    assert any(runs(test, page) for test in collected(file))
