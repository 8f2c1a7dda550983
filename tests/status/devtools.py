"""Debian's chromium, headless, driven through its DevTools protocol: real keys, and windows narrower than its own.

https://chromedevtools.github.io/devtools-protocol/ describes the methods.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

from tests.support.chromium import FLAGS, at_home, program

# With --remote-debugging-pipe it reads from file descriptor 3 and writes to 4.
_PIPES = ("sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >&2', "sh")


class Tab:
    def __init__(self, commands: IO[bytes], answers: IO[bytes]) -> None:
        self._commands, self._answers = commands, answers
        self._ids = count(1)
        self._session: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        id = next(self._ids)
        message = {"id": id, "method": method, "params": parameters, **self._session}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        told = self._next("id", id)
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    def open(self, page: Path, width: int) -> None:
        """Shows the page as a phone does, with the focus that a window in the foreground has."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=True)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call("Page.enable")
        self.call("Page.navigate", url=page.as_uri())
        self._next("method", "Page.loadEventFired")

    def press(self, key: str) -> None:
        """A key that has no text, for example `Tab`."""
        code = {"Tab": 9}[key]
        for type in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=type, key=key, code=key, windowsVirtualKeyCode=code)

    def told(self, expression: str) -> Any:
        """The value of an expression. The page's own policy, that no script runs, stays as it is."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def _next(self, key: str, value: Any) -> dict[str, Any]:
        """The next message that has this; others are events that nobody waits for."""
        while True:
            message = bytearray()
            while (byte := self._answers.read(1)) != b"\0":
                assert byte, "chromium ended"
                message += byte
            told: dict[str, Any] = json.loads(message)
            if told.get(key) == value:
                return told


@contextmanager
def tab() -> Iterator[Tab]:
    browser = program()
    assert browser
    with tempfile.TemporaryDirectory(prefix="cloud-runs-chromium-", ignore_cleanup_errors=True) as profile:
        command = [*_PIPES, browser, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        process = subprocess.Popen(
            command,
            env=at_home(profile),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdin
            assert process.stdout
            yield Tab(process.stdin, process.stdout)
        finally:
            process.kill()
            process.communicate()
