"""CI's host names and routes, and the class that the server knows."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import ClassVar

from cloud_runs_emulator.runs import Run, RunStore
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Answer, Manner, Match, Refused, Request
from cloud_runs_emulator.tencent.models import INVENTORY, JOB, WORKFLOW, Backend, Bucket, Execution, Job
from cloud_runs_emulator.tencent.requests import (
    INVALID,
    endless_token,
    invalid,
    job_order,
    list_query,
    media_query,
    next_token,
    trigger,
    workflow_ids,
)
from cloud_runs_emulator.tencent.responses import Responses
from cloud_runs_emulator.tencent.signing import verify

_HOST = re.compile(r"([a-z0-9-]+)\.ci\.([a-z0-9-]+)\.(?:myqcloud\.com|tencentci\.cn)", re.ASCII)
_VENDORS = re.compile(r"qcloud|tencent", re.ASCII)
_NO_VENDOR_HOST = Bucket("default", "ap-emulator")
"""The bucket of requests that name no CI host, such as those to `http://127.0.0.1:9700/triggerworkflow`."""

_COLLECTIONS = {
    ("POST", "/triggerworkflow"): (WORKFLOW, "start"),
    ("GET", "/workflowexecution"): (WORKFLOW, "find"),
    ("POST", "/inventorytriggerjob"): (INVENTORY, "start"),
    ("GET", "/inventorytriggerjob"): (INVENTORY, "find"),
    ("GET", "/workflow"): (WORKFLOW, "workflow"),
    ("GET", "/jobs"): (JOB, "find"),
    ("GET", "/pic_jobs"): (JOB, "find"),
}
_ITEMS = {
    ("GET", "workflowexecution"): (WORKFLOW, "get"),
    ("GET", "inventorytriggerjob"): (INVENTORY, "get"),
    ("PUT", "inventorytriggerjob"): (INVENTORY, "cancel"),
}
_ITEM = re.compile(r"/([a-z]+)/([^/]+)", re.ASCII)


class TencentCi:
    """Tencent Cloud CI as one of the emulator's systems."""

    operations: ClassVar[Mapping[str, frozenset[str]]] = {
        WORKFLOW: frozenset({"start", "find", "get", "workflow"}),
        INVENTORY: frozenset({"start", "find", "get", "cancel"}),
        JOB: frozenset({"find"}),
    }
    unrouted: ClassVar[Refused] = Refused(
        405, "MethodNotAllowed", "The specified method is not allowed against this resource."
    )
    invalid_code: ClassVar[str] = INVALID

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self._settings = settings
        self._backend = Backend(settings, store)
        self._responses = Responses(settings.clock)

    def claims(self, host: str) -> bool:
        """All that look like the vendor's, so that a mistyped CI host is answered as one and not taken for no host."""
        return bool(_VENDORS.search(host))

    def match(self, request: Request) -> Match | None:
        """Find the operation. A sample request of the vendor has a slash after the path, so that is tolerated."""
        path = request.path.rstrip("/")
        found = _COLLECTIONS.get((request.method, path))
        if found is not None:
            return Match(*found)
        item = _ITEM.fullmatch(path)
        found = _ITEMS.get((request.method, item[1])) if item else None
        return Match(*found, run_id=item[2]) if item and found else None

    def authenticate(self, request: Request) -> None:
        """Check host and signature, and the body against a Content-MD5 header if there is one (436/53983)."""
        _bucket(request.host)
        verify(request, self._settings.keys, self._settings.clock())
        digest = request.header("content-md5")
        if digest is not None:
            actual = base64.b64encode(hashlib.md5(request.body, usedforsecurity=False).digest()).decode()
            if digest.strip() != actual:
                raise Refused(400, "InvalidContent", "The Content-MD5 you specified did not match what we received.")

    def handle(self, request: Request, match: Match, manner: Manner) -> Answer:
        """Do the operation."""
        bucket = _bucket(request.host)
        if match.system == WORKFLOW:
            return self._workflow(bucket, request, match, manner)
        if match.system == INVENTORY:
            return self._inventory(bucket, request, match, manner)
        query = media_query(request)
        runs, serial = self._backend.media_jobs(bucket, query, pictures=request.path.startswith("/pic"))
        return self._responses.media_jobs(runs, endless_token(query, runs) if manner.endless else next_token(serial))

    def started(self, run: Run) -> Answer:
        """The answer to a start."""
        if isinstance(run, Job):
            return self._responses.job(run)
        if not isinstance(run, Execution):
            raise TypeError(run.system)
        return self._responses.started(run)

    def refuse(self, refused: Refused) -> Answer:
        """CI's error answer."""
        return self._responses.error(refused)

    def clear(self) -> None:
        """Nothing: it keeps runs only."""

    def _workflow(self, bucket: Bucket, request: Request, match: Match, manner: Manner) -> Answer:
        if match.operation == "start":
            workflow, key = trigger(request)
            return self._responses.started(self._backend.start_execution(bucket, workflow, key, request, manner))
        if match.operation == "find":
            query = list_query(request, jobs=False)
            runs, serial = self._backend.executions(bucket, query)
            token = endless_token(query, runs) if manner.endless else next_token(serial)
            return self._responses.executions(runs, token)
        if match.operation == "workflow":
            return self._responses.workflows(bucket, *workflow_ids(request))
        run = self._backend.execution(bucket, match.run_id)
        if run is None:
            # The code is from the vendor's Android test; which status goes with it is not documented.
            raise Refused(404, "WorkflowExecutionNotFound", f"The workflow execution does not exist: {match.run_id}")
        return self._responses.execution(run)

    def _inventory(self, bucket: Bucket, request: Request, match: Match, manner: Manner) -> Answer:
        if match.operation == "start":
            return self._responses.job(self._backend.start_job(bucket, job_order(request.body), request, manner))
        if match.operation == "find":
            query = list_query(request, jobs=True)
            runs, serial = self._backend.jobs(bucket, query)
            token = endless_token(query, runs) if manner.endless else next_token(serial)
            return self._responses.jobs(runs, token)
        if match.operation == "cancel":
            if all(name != "cancel" for name, _ in request.query):
                raise invalid("a PUT on an inventory trigger job needs the parameter cancel")
            return self._responses.cancelled(self._backend.cancel(bucket, match.run_id))
        job = self._backend.job(bucket, match.run_id)
        return self._responses.no_job(match.run_id) if job is None else self._responses.job(job)


def _bucket(host: str) -> Bucket:
    match = _HOST.fullmatch(host)
    if match is not None:
        return Bucket(match[1], match[2])
    if _VENDORS.search(host):
        message = f"The host is not <bucket>.ci.<region>.myqcloud.com, nor with tencentci.cn: {host}"
        raise Refused(400, "InvalidHost", message)
    return _NO_VENDOR_HOST
