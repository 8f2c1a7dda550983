"""A real emulator in a process of its own, on a port that it picks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode

import requests
from emulator_bench import HOST, authorization

import cloud_runs_emulator as emulator
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from cloud_runs_emulator.systems import Request

ROOT = Path(emulator.__file__).parents[1]


class Server:
    """An emulator process and its client."""

    def __init__(self, *flags: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cloud_runs_emulator", "--port", "0", *flags],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.first_line = self.stdout.readline()
        self.base = self.first_line.removeprefix("listening on ").rstrip("\n")
        self.port = int(self.base.rpartition(":")[2])
        self.session = requests.Session()
        self.session.trust_env = False

    @property
    def stdout(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send the signal; the exit status, and what was printed on stderr."""
        self.process.send_signal(number)
        with self.process:
            _, errors = self.process.communicate(timeout=30)
        self.session.close()
        return self.process.returncode, errors

    def call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: str = "",
        *,
        proxy: bool = False,
        keys: tuple[str, str] = (DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY),
    ) -> requests.Response:
        """A signed request, straight to the port or with the server as an HTTP proxy for the vendor's own address."""
        raw = body.encode()
        headers = [("host", HOST), ("content-length", str(len(raw)))]
        request = Request(method, path, list((query or {}).items()), headers, raw)
        url = (f"http://{HOST}" if proxy else self.base) + quote(path) + "?" + urlencode(request.query)
        return self.session.request(
            method,
            url,
            data=raw,
            headers={
                "Host": HOST,
                "Content-Length": str(len(raw)),
                "Authorization": authorization(request, time.time(), *keys),
            },
            proxies={"http": self.base} if proxy else None,
            timeout=30,
        )

    def admin(self, call: str, value: object = None) -> requests.Response:
        """An admin call: a GET, or a POST of a value as JSON. It has a connection of its own."""
        url = f"{self.base}/_emulator/{call}"
        if value is None:
            return requests.get(url, timeout=30)
        return requests.post(url, json=value, timeout=30)
