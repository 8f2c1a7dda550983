"""Debian's chromium, headless: what it makes of a page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
DARK = "--blink-settings=preferredColorScheme=0"


def program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def at_home(profile: str) -> dict[str, str]:
    """An environment in which it writes nothing into the user's home."""
    return os.environ | dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), profile)


def chromium(url: str, *flags: str) -> str:
    """What it prints. Each call has a profile of its own, so that calls can be made at the same time."""
    browser = program()
    assert browser
    with tempfile.TemporaryDirectory(prefix="cloud-runs-chromium-", ignore_cleanup_errors=True) as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", *flags, url]
        done = subprocess.run(command, env=at_home(profile), capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def evaluated(page: Path, script: str, *flags: str) -> str:
    """What the body of a function returns, run in a copy of the page that may run scripts."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    copy = page.with_name(f"scripted-{page.name}")
    told = f"document.documentElement.dataset.told = JSON.stringify((() => {{ {script} }})())"
    run = f"<script>addEventListener('load', () => {{ {told} }})</script>"
    copy.write_text(text.replace("</body>", f"{run}</body>"))
    (told,) = re.findall(r'<html[^>]* data-told="([^"]*)"', chromium(copy.as_uri(), "--dump-dom", *flags))
    return unescape(told)
