"""The emulator as a process of its own, on a free port, and what it saw."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

SECRET_ID = "AKIDEMULATOR00000000000000000000001"
SECRET_KEY = "this-is-not-a-secret-emulator-only"


class Emulator:
    def __init__(self, url: str, authority: str = "") -> None:
        self.url = url
        self.authority = Path(authority)
        """What is to be trusted, with `--tls`."""

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """Without `requests`, which takes more of the processor's time than most of what is asked for."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        try:
            given = {} if body is None else {"body": json.dumps(body), "headers": {"Content-Type": "application/json"}}
            connection.request(method, f"/_emulator/{path}", **given)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        assert answer.status < 400, f"{answer.status}: {told.decode()}"
        return json.loads(told)

    def runs(self, system: str | None = None, origin: str | None = "api") -> list[dict[str, Any]]:
        """All runs, oldest first; by default only those that were asked for through the API."""
        runs = self._call("GET", "runs")
        return [
            run
            for run in runs
            if (system is None or run["system"] == system) and (origin is None or run["origin"] == origin)
        ]

    def ids(self, system: str | None = None) -> list[str]:
        return [run["id"] for run in self.runs(system)]

    def requests(self) -> dict[str, dict[str, int]]:
        """How many requests came, by system and operation; what did not come is left out."""
        counted = self._call("GET", "requests")
        systems = {system: counts for system, counts in counted.items() if isinstance(counts, dict)}
        came = {name: {what: n for what, n in counts.items() if n} for name, counts in systems.items()}
        return {name: counts for name, counts in came.items() if counts}

    def count(self, system: str, operation: str) -> int:
        return self.requests().get(system, {}).get(operation, 0)

    def connections(self) -> int:
        """How many connections the requests came over, since the last reset."""
        return int(self._call("GET", "requests")["connections"])

    def fault(self, system: str, operation: str, action: str, **details: Any) -> None:
        self.faults({"system": system, "operation": operation, "action": action, **details})

    def faults(self, *together: dict[str, Any]) -> None:
        """Faults that meet one request together."""
        self._call("POST", "faults", list(together))

    def drop_faults(self) -> list[dict[str, Any]]:
        """Forgets the faults that have met no request; what they were."""
        return list(self._call("DELETE", "faults"))

    def set_state(self, id: str, state: str, code: str = "", message: str = "") -> None:
        self._call("POST", f"runs/{quote(id)}", {"state": state, "code": code, "message": message})

    def reset(self) -> None:
        self._call("POST", "reset")


@contextmanager
def emulator(*flags: str) -> Iterator[Emulator]:
    command = [sys.executable, "-m", "cloud_runs_emulator", "--port", "0", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        url, authority = process.stdout.readline().split()[-1], ""
        while "--tls" in flags and not authority:
            authority = process.stdout.readline().partition("certificate authority ")[2].strip()
        yield Emulator(url, authority)
    finally:
        process.terminate()
        process.wait(timeout=20)
        assert process.stdout
        process.stdout.close()
