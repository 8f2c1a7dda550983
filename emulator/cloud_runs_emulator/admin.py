"""The calls under `/_emulator/`: to look at runs and counts, to set a run's state, to order faults, to start afresh.

They take and give JSON, need no signature, get no latency and are not counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from cloud_runs_emulator.counters import Counters
from cloud_runs_emulator.faults import BadFault, FaultQueue
from cloud_runs_emulator.runs import Forced, Run, RunStore
from cloud_runs_emulator.settings import Clock
from cloud_runs_emulator.systems import Answer

PREFIX = "/_emulator/"
_METHODS = {"runs": {"GET"}, "requests": {"GET"}, "faults": {"POST", "DELETE"}, "reset": {"POST"}}


class Admin:
    """Answers the admin calls for all systems."""

    def __init__(
        self,
        store: RunStore,
        counters: Counters,
        faults: FaultQueue,
        clock: Clock,
        clears: Iterable[Callable[[], None]],
    ) -> None:
        self._store = store
        self._counters = counters
        self._faults = faults
        self._clock = clock
        self._clears = [store.clear, faults.clear, counters.clear, *clears]

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """One admin call; `path` is the decoded path. A mistake in it is a 400, 404 or 405 with an `error` text."""
        call, _, run_id = path.removeprefix(PREFIX).partition("/")
        wanted = {"POST"} if call == "runs" and run_id else _METHODS.get(call)
        if wanted is None or (run_id and call != "runs"):
            return _error(404, f"no admin call {path}; there are runs, runs/<id>, requests, faults and reset")
        if method not in wanted:
            return _error(405, f"{path} takes {' or '.join(sorted(wanted))}, not {method}")
        if run_id:
            return self._set_state(run_id, body)
        if call == "runs":
            now = self._clock()
            return _json(200, [_row(run, now) for run in self._store])
        if call == "requests":
            return _json(200, self._counters.as_json())
        if call == "faults":
            return self._order(body) if method == "POST" else _json(200, self._faults.drop())
        for clear in self._clears:
            clear()
        return _json(200, {"reset": True})

    def _set_state(self, run_id: str, body: bytes) -> Answer:
        run = self._store.find(run_id)
        if run is None:
            return _error(404, f"no run {run_id}")
        try:
            wish = json.loads(body)
        except ValueError as error:
            return _error(400, f"not JSON: {error}")
        if not isinstance(wish, dict) or not isinstance(wish.get("state"), str) or not wish["state"]:
            return _error(400, 'a JSON object with "state", and optionally "code" and "message", is needed')
        code, message = wish.get("code", ""), wish.get("message", "")
        if not isinstance(code, str) or not isinstance(message, str):
            return _error(400, "code and message must be texts")
        unknown = sorted(set(wish) - {"state", "code", "message"})
        if unknown:
            return _error(400, f"a state takes no {', '.join(unknown)}")
        now = self._clock()
        run.forced = Forced(wish["state"], now, code, message)
        return _json(200, _row(run, now))

    def _order(self, body: bytes) -> Answer:
        try:
            return _json(200, {"accepted": self._faults.add(json.loads(body))})
        except BadFault as error:
            return _error(400, str(error))
        except ValueError as error:
            return _error(400, f"not JSON: {error}")


def _row(run: Run, now: float) -> dict[str, object]:
    started = datetime.fromtimestamp(run.started_at, timezone.utc).isoformat(timespec="microseconds")
    return {
        "system": run.system,
        "id": run.id,
        "state": run.state(now),
        "request": run.request.as_json(),
        "started_at": started.replace("+00:00", "Z"),
        "origin": run.origin,
    }


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), [(b"content-type", b"application/json")])


def _error(status: int, text: str) -> Answer:
    return _json(status, {"error": text})
