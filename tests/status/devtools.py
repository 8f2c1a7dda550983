"""Debian's chromium, headless, driven through its DevTools protocol: keys, paper, and windows narrower than its own.

https://chromedevtools.github.io/devtools-protocol/ describes the methods. Its start costs far more than a tab.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
SILENCE = 300
# With --remote-debugging-pipe it reads from file descriptor 3 and writes to 4.
_PIPES = ("sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >&2', "sh")


def program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    def __init__(self, commands: IO[bytes], answers: IO[bytes]) -> None:
        self._commands, self._answers = commands, answers
        self._ids, self._read = count(1), b""

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        id = next(self._ids)
        message = {"id": id, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (told := self.next()).get("id") != id:
            pass  # an event that nobody waits for
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    def next(self) -> dict[str, Any]:
        """The next message."""
        while b"\0" not in self._read:
            assert select.select([self._answers], [], [], SILENCE)[0], f"chromium said nothing for {SILENCE} s"
            more = os.read(self._answers.fileno(), 65_536)
            assert more, "chromium ended"
            self._read += more
        message, _, self._read = self._read.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told


class Tab:
    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def open(self, page: Path, width: int = 1280, *, phone: bool = False, dark: bool = False, media: str = "") -> None:
        """Shows the page, with the focus that a window in the foreground has, until it asks the network for nothing
        more. `width` is in CSS pixels."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call("Page.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        shown = self.call("Page.navigate", url=page.as_uri())["loaderId"]
        while True:
            event = self._browser.next()
            told = event.get("params", {})
            if (event.get("method"), told.get("name"), told.get("loaderId")) == (
                "Page.lifecycleEvent",
                "networkIdle",
                shown,
            ):
                return

    def press(self, key: str) -> None:
        """A key that has no text, for example `Tab`."""
        code = {"Tab": 9}[key]
        for type in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=type, key=key, code=key, windowsVirtualKeyCode=code)

    def told(self, body: str) -> Any:
        """What the body of a function returns. The page's own policy, that no script runs, stays as it is."""
        found = self.call("Runtime.evaluate", expression=f"(() => {{ {body} }})()", returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"]["value"]

    def picture(self) -> bytes:
        """What the window shows of the page, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def paper(self) -> bytes:
        """The page as PDF, with the paper that its style asks for."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])


@contextmanager
def chromium() -> Iterator[Browser]:
    browser = program()
    assert browser
    with tempfile.TemporaryDirectory(prefix="cloud-runs-chromium-", ignore_cleanup_errors=True) as profile:
        command = [*_PIPES, browser, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        process = subprocess.Popen(
            command,
            env=os.environ | dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), profile),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdin
            assert process.stdout
            yield Browser(process.stdin, process.stdout)
        finally:
            process.kill()
            process.communicate()


@contextmanager
def opened(browser: Browser) -> Iterator[Tab]:
    tab = Tab(browser)
    try:
        yield tab
    finally:
        browser.call("Target.closeTarget", targetId=tab.target)
