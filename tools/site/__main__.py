"""Puts the pages of the repository into one folder, as they link to each other there, for mkdocs: `make site`.

A link to a file that is no page takes the file along. A folder has no page on a site, so of a link to one the text
stays.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "build" / "site" / "source"
OUT = ROOT / "build" / "site" / "html"
CONFIG = Path(__file__).with_name("mkdocs.yml")
PAGES = ("*.md", "docs/*.md", "docs/resources/*.md", "bench/README.md", "stacks/README.md")
MORE = ("templates/cloud-runs-python/README.md", "tests/campaigns/RESULTS.md", "tests/campaigns/track_record/README.md")

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCED = re.compile(r"(^(`{3,})[^\n]*\n.*?^\2[^\n]*$)", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    found = [page for pattern in PAGES for page in sorted(ROOT.glob(pattern))]
    return [*found, *(ROOT / page for page in MORE)]


def staged(page: Path, all_pages: set[Path]) -> Iterator[Path]:
    """Writes a page. What else it leads to."""
    others: list[Path] = []

    def linked(match: re.Match[str]) -> str:
        image, text, target = match.groups()
        file, _, _ = target.partition("#")
        if not file or "://" in target or target.startswith("mailto:"):
            return match[0]
        there = (page.parent / file).resolve()
        if there.is_dir() and not image:
            index = there / "README.md"
            return f"[{text}]({target.rstrip('/')}/README.md)" if index in all_pages else text
        if there not in all_pages:
            others.append(there)
        return match[0]

    parts = _FENCED.split(page.read_text())
    # split gives text, block, its fence, text, ...
    text = "".join(
        _LINK.sub(linked, part) if number % 3 == 0 else part for number, part in enumerate(parts) if number % 3 < 2
    )
    target = SOURCE / page.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    yield from others


def html(page: Path) -> Path:
    """What is made of it."""
    made = OUT / page.relative_to(ROOT).with_suffix(".html")
    return made.with_name("index.html") if page.name == "README.md" else made


def main() -> int:
    shutil.rmtree(SOURCE.parent, ignore_errors=True)
    found = pages()
    for page in found:
        for other in staged(page, set(found)):
            target = SOURCE / other.relative_to(ROOT)
            if other.suffix == ".md":
                sys.exit(f"{page.relative_to(ROOT)} leads to {other.relative_to(ROOT)}, which is no page of the site")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(other, target)
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # about a theme that is to come
    mkdocs = ROOT / ".venv" / "site" / "bin" / "mkdocs"
    built = subprocess.run(
        [str(mkdocs), "build", "--strict", "--quiet", "--config-file", str(CONFIG)], env=env, check=False
    )
    if built.returncode:
        return built.returncode
    made = [page for page in found if html(page).exists()]
    if made != found:
        sys.exit(f"not on the site: {', '.join(str(page.relative_to(ROOT)) for page in found if page not in made)}")
    print(f"{len(found)} pages: {OUT / 'index.html'}")
    print(f"With its search, which a browser runs for a server's pages alone: python -m http.server -d {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
